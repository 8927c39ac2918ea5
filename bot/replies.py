"""What a reply is made of, and the one place where a Reply is made.

A row keeps parts and never words: the name of a template with its fields, a place in the library, a
person's answer by its number. Who sends makes the words at that moment (handlers/answers.py), so
that a template withdrawn, a policy that ended or a person who left is noticed.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.contract import Button, Reply, ReplyBasis
from bot.met import Met


@dataclass(frozen=True)
class Filled:
    """A template by its name, and its fields; each field is checked when words are made of it."""

    name: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Quoted:
    """Some of a clause, as the library stands on `day` (YYYY-MM-DD); offsets in the policy."""

    clause: str
    start: int
    end: int
    day: str


@dataclass(frozen=True)
class Ended:
    """The policy of a clause that is no longer in force on `day`: named, never quoted."""

    clause: str
    day: str


@dataclass(frozen=True)
class Followed:
    """What became of a followed policy; `event` as knowledge/followed.py names it."""

    policy: str
    event: str


@dataclass(frozen=True)
class Reviewed:
    """An answer that passed review (knowledge/entries.py), and the clauses it rests on."""

    entry: str
    version: int
    rests: tuple[str, ...]


@dataclass(frozen=True)
class Corrected:
    """A notice of correction (knowledge/notices.py) to somebody who was told what it corrects."""

    notice: str
    version: int


@dataclass(frozen=True)
class Concluded:
    """That a consultation somebody wrote to has its result (escalations/conclusions.py)."""

    consultation: str


@dataclass(frozen=True)
class Written:
    """What a person wrote: the ticket and the number of the answer."""

    ticket: str
    reply: str


Piece = Filled | Quoted | Ended | Followed | Reviewed | Corrected | Concluded | Written
_KINDS: Mapping[str, type[Piece]] = {
    "filled": Filled,
    "quoted": Quoted,
    "ended": Ended,
    "followed": Followed,
    "reviewed": Reviewed,
    "corrected": Corrected,
    "concluded": Concluded,
    "written": Written,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True)
class Parts:
    """One reply to one contact before it has words. `choices` are (label, key).

    `thread` is the topic of the chat the question stood in; `met` is for the counts alone and is
    kept with the act (bot/met.py).
    """

    account_id: str
    contact_id: str
    basis: ReplyBasis
    pieces: tuple[Piece, ...]
    choices: tuple[tuple[str, str], ...] = ()
    thread: str = ""
    met: Met = Met.OTHER

    @property
    def sources(self) -> tuple[str, ...]:
        """The clauses it quotes."""
        quoted = [one.clause for one in self.pieces if isinstance(one, Quoted)]
        rests = [tuple(one.rests) for one in self.pieces if isinstance(one, Reviewed)]
        return tuple(dict.fromkeys([*quoted, *(clause for each in rests for clause in each)]))

    def kept(self) -> dict[str, Any]:
        """What the row keeps; who it goes to stands in the row's own columns."""
        return {
            "basis": str(self.basis),
            "pieces": [{"kind": _NAMES[type(one)], **asdict(one)} for one in self.pieces],
            "choices": [list(one) for one in self.choices],
            **({"thread": self.thread} if self.thread else {}),
        }


class Unsayable(Exception):
    """No words may be made of these parts now; the text says why, in Chinese."""


Build = Callable[[Parts, str], Awaitable[Reply]]
"""Parts and the platform they go to in, the reply out; raises Unsayable."""


def parts_from(account_id: str, contact_id: str, kept: Mapping[str, Any]) -> Parts:
    """The parts a row keeps. Unsayable for what is no parts, such as words of an older version."""
    try:
        pieces = [dict(one) for one in kept["pieces"]]
        return Parts(
            account_id,
            contact_id,
            ReplyBasis(kept["basis"]),
            tuple(_KINDS[one.pop("kind")](**one) for one in pieces),
            tuple((str(label), str(key)) for label, key in kept["choices"]),
            str(kept.get("thread", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unsayable("这条答复的组成无法读取，没有发送") from error


def said(parts: Parts, words: str, rows: Sequence[Sequence[tuple[str, str]]] = ()) -> Reply:
    """The reply with its words; called by handlers/answers.py alone."""
    return Reply(
        account_id=parts.account_id,
        contact_id=parts.contact_id,
        text=words,
        basis=parts.basis,
        buttons=tuple(tuple(Button(*one) for one in row) for row in rows),
        sources=parts.sources,
        thread=parts.thread,
    )


def alarm(account_id: str, words: str) -> Reply:
    """A word to staff, who are no contacts; called by escalations/alarms.py alone."""
    return Reply(account_id=account_id, contact_id="", text=words, basis=ReplyBasis.ALARM)
