"""Promises as numbers: pure counts of what was answered in time, and of what was urgent.

An answer is promised within five seconds of a citizen's act, an urgent text handed to its platform
within ten of its being asked for, and a question an answer, at once or after asking back.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.met import Met
from ledger.verify import Entry

ANSWER_MS = 5000
HANDED = timedelta(seconds=10)
_QUESTIONS = frozenset({Met.ANSWERED, Met.ASKED_BACK, Met.PERSON, Met.DANGER, Met.OPEN})
_GOOD = frozenset({Met.ANSWERED, Met.CHOSEN})
_ENDS = _QUESTIONS | {Met.CHOSEN, Met.CALLED}


@dataclass(frozen=True)
class Act:
    """One act of a citizen: whose, how it was met, after how many milliseconds, in which hour."""

    id: str
    contact: str
    met: str
    took: int | None
    hour: int

    @property
    def in_time(self) -> bool:
        """Whether the platform had the answer within the promise."""
        return self.took is not None and self.took <= ANSWER_MS


@dataclass
class Kept:
    """What was promised and kept; `hours`: replies and those in time, of each hour of a day."""

    replies: int = 0
    in_time: int = 0
    questions: int = 0
    answered: int = 0
    then_answered: int = 0
    person: int = 0
    hours: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in range(24)])

    def add(self, other: "Kept") -> None:
        """The numbers of another day as well."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, its in zip(self.hours, other.hours, strict=True):
            mine[0] += its[0]
            mine[1] += its[1]

    @property
    def met(self) -> int:
        """Questions answered, at once or after asking back."""
        return self.answered + self.then_answered


NUMBERS = ("replies", "in_time", "questions", "answered", "then_answered", "person")


def share(part: int, whole: int) -> float | None:
    """Hundredths with one place, never rounded up to all of it; None of nothing."""
    return part * 1000 // whole / 10 if whole else None


def kept_of(acts: Iterable[Act]) -> Kept:
    """The counts of acts in the order of their ids; what is asked again belongs to one question."""
    kept = Kept()
    asked_back: set[str] = set()
    for act in acts:
        kept.replies += 1
        kept.in_time += act.in_time
        kept.hours[act.hour][0] += 1
        kept.hours[act.hour][1] += act.in_time
        _dialogue(kept, asked_back, act)
    return kept


def _dialogue(kept: Kept, asked_back: set[str], act: Act) -> None:
    """`asked_back`: whose question is open because we asked back."""
    if act.met == Met.LOST or act.met not in _ENDS:
        kept.questions += act.met == Met.LOST
        return
    if act.contact in asked_back:
        kept.then_answered += act.met in _GOOD
        kept.person += act.met in (Met.PERSON, Met.CALLED)
        if act.met != Met.ASKED_BACK:
            asked_back.discard(act.contact)
        return
    if act.met not in _QUESTIONS:
        return  # a key that was pressed, of no question of this day
    kept.questions += 1
    kept.answered += act.met == Met.ANSWERED
    kept.person += act.met == Met.PERSON
    if act.met == Met.ASKED_BACK:
        asked_back.add(act.contact)


def root_of(acts: Iterable[Act]) -> str:
    """Binds the counts to their rows."""
    lines = (f"{one.id}:{one.met}:{'' if one.took is None else one.took}" for one in acts)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def signed(acts: Sequence[Act]) -> dict[str, Any]:
    """What the entry of a day says of its promises."""
    return {**asdict(kept_of(acts)), "root": root_of(acts)}


def from_signed(body: Mapping[str, Any]) -> Kept:
    """The counts that an entry says; of one of an earlier version, none."""
    said = body.get("promises")
    if not isinstance(said, dict):
        return Kept()
    return Kept(
        **{name: int(said[name]) for name in NUMBERS}, hours=[[*one] for one in said["hours"]]
    )


def as_figures(kept: Kept) -> dict[str, Any]:
    """The numbers of some days with their shares in hundredths."""
    return {
        **{name: getattr(kept, name) for name in NUMBERS},
        "in_time_percent": share(kept.in_time, kept.replies),
        "met_percent": share(kept.met, kept.questions),
    }


@dataclass(frozen=True)
class Handed:
    """An urgent text given to a platform: `seq` of the entry that says so, `asked` and `at`."""

    seq: int
    item: str
    account: str
    publication: str
    asked: datetime
    at: datetime

    @property
    def seconds(self) -> float:
        """From its being asked for, or from the hour it was planned for."""
        return round((self.at - self.asked).total_seconds(), 1)

    @property
    def in_time(self) -> bool:
        """Whether that was within the promise."""
        return self.at - self.asked <= HANDED


class UrgentClock:
    """Reads entries in order and tells of each urgent text when a platform has it first."""

    KINDS = frozenset(
        {"item.submitted", "release.created", "item.scheduled", "publication.submitted"}
    )

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._urgent: dict[str, bool] = {}
        self._asked: dict[str, datetime] = {}
        self._handed: set[tuple[str, str]] = set()

    def take(self, entry: Entry) -> Handed | None:
        """The next entry."""
        body, at = entry.body, datetime.fromisoformat(entry.at)
        release = str(body.get("release", ""))
        if entry.kind == "item.submitted":
            self._urgent[entry.subject] = bool(body.get("emergency"))
        elif entry.kind == "release.created" and self._urgent.get(entry.subject):
            self._asked[release] = at
        elif entry.kind == "item.scheduled" and release in self._asked:
            self._asked[release] = max(at, datetime.fromisoformat(str(body["at"])))
        elif entry.kind == "publication.submitted" and release in self._asked:
            return self._first(entry, release, at)
        return None

    def _first(self, entry: Entry, release: str, at: datetime) -> Handed | None:
        key = (release, str(entry.body["account"]))
        if key in self._handed:
            return None
        self._handed.add(key)
        item, publication = entry.subject.removeprefix("item:"), str(entry.body["publication"])
        return Handed(entry.seq, item, key[1], publication, self._asked[release], at)
