"""What each post is to its account's work, from signed entries alone: pure, the same offline.

The remit of an account and the facets of a text are signed, as are reviewers' marks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from facets.remit import NO_REMIT, Concern, Remit, concern_of, ground_of, remit_of
from ledger.verify import Entry

SET, RELEASED, MARKED = "account.set", "release.created", "item.concern"


@dataclass
class _Said:
    """What was approved and marked of one item, and its posts that were counted."""

    topics: Sequence[str] = ()
    regions: Sequence[str] = ()
    mark: str = ""
    posts: dict[int, Remit] = field(default_factory=dict)

    def concern(self, remit: Remit) -> Concern:
        return concern_of(ground_of(remit, self.topics, self.regions, self.mark))


class Concerns:
    """Reads entries in order and tells what each post is; a later mark moves those before it."""

    KINDS = frozenset({RELEASED, SET, MARKED})

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._remits: dict[str, Remit] = {}
        self._said: dict[str, _Said] = {}

    def take(self, entry: Entry) -> list[tuple[int, Concern, Concern]]:
        """The next entry; the posts that it moves: number of the entry, from where, to where."""
        if entry.kind == SET:
            self._remits[entry.subject.removeprefix("account:")] = remit_of(entry.body)
        elif entry.kind == RELEASED:
            lists = (entry.body.get(name, ()) for name in ("topics", "regions"))
            self._said[entry.subject] = _Said(*lists)
        elif entry.kind == MARKED and entry.subject in self._said:
            return self._marked(self._said[entry.subject], str(entry.body["mark"]))
        return []

    def _marked(self, said: _Said, mark: str) -> list[tuple[int, Concern, Concern]]:
        before = {seq: said.concern(remit) for seq, remit in said.posts.items()}
        said.mark = mark
        after = {seq: said.concern(remit) for seq, remit in said.posts.items()}
        return [(seq, old, after[seq]) for seq, old in before.items() if old != after[seq]]

    def post(self, entry: Entry) -> Concern:
        """What the post is that this entry says is out."""
        remit = self._remits.get(str(entry.body.get("account", "")), NO_REMIT)
        said = self._said.setdefault(entry.subject, _Said())
        said.posts[entry.seq] = remit
        return said.concern(remit)
