"""抽查: publications drawn by a seed that nobody chose, each with its whole chain. Pure.

The seed is the hash of the ledger's signed end: whoever wants another sample has to write another
ledger. From the same export everybody draws the same (goals, row 84).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ledger.verify import Entry
from supervision.figures import Span


@dataclass(frozen=True)
class Sample:
    """One publication, and the numbers of all signed entries about its item."""

    publication: str
    item: str
    account: str
    entry: int
    chain: Sequence[int]
    decided: Sequence[str]


@dataclass
class Drawing:
    """Reads a chain from its first entry, then draws."""

    span: Span
    _out: dict[str, Entry] = field(default_factory=dict)
    _chains: dict[str, list[Entry]] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """The next entry."""
        if not entry.subject.startswith("item:"):
            return
        self._chains.setdefault(entry.subject, []).append(entry)
        published = entry.body.get("result") == "published"
        if entry.kind == "publication.finished" and published and self.span.holds(entry.at):
            self._out.setdefault(str(entry.body["publication"]), entry)

    def draw(self, seed: str, count: int) -> list[Sample]:
        """So many publications of the span, in the order of the seed."""
        order = sorted(self._out, key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())
        return [self._sample(key, self._out[key]) for key in order[:count]]

    def _sample(self, key: str, out: Entry) -> Sample:
        chain = self._chains[out.subject]
        decided = [one.actor for one in chain if _approves(one.kind, one.body)]
        account, item = str(out.body["account"]), out.subject.removeprefix("item:")
        return Sample(key, item, account, out.seq, [one.seq for one in chain], decided)


def _approves(kind: str, body: Mapping[str, object]) -> bool:
    return kind == "decision" and body.get("verdict") == "approve"
