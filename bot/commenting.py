"""Comments under what was sent, as a channel says of them where its platform has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bot.contract import AccountView, Outcome, Still

AREAS = "comments"
"""In Outcome.detail of a send: the platform's name for it, and which articles have comments."""


class Act(StrEnum):
    """What staff do about a comment, or about all comments under an article."""

    FEATURE = "feature"
    UNFEATURE = "unfeature"
    REPLY = "reply"
    UNREPLY = "unreply"
    DELETE = "delete"
    CLOSE = "close"
    OPEN = "open"


REVIEWED = frozenset({Act.FEATURE, Act.REPLY, Act.OPEN})
"""Acts after which more people read something: a second person lets each of them go."""
OF_AREA = frozenset({Act.CLOSE, Act.OPEN})


@dataclass(frozen=True)
class Area:
    """Where comments stand: a send by the platform's name, and the article's place from 0."""

    data: str
    index: int


@dataclass(frozen=True)
class Written:
    """One comment as the platform tells it, without who wrote it."""

    number: int
    text: str
    at: datetime
    featured: bool
    reply: str


@dataclass(frozen=True)
class Doing:
    """One act: on the comment of this number; `words` of a reply."""

    act: Act
    number: int = 0
    words: str = ""


class NotRead(Exception):
    """The platform did not tell its comments, and why, in Chinese."""


@runtime_checkable
class Commenting(Protocol):
    """A channel whose platform has comments."""

    async def comments(self, account: AccountView, area: Area) -> Sequence[Written]:
        """All that stand there; raises NotRead."""

    async def do(self, account: AccountView, area: Area, doing: Doing, still: Still) -> Outcome:
        """One act; made again it changes nothing more. PUBLISHED: it is as it was wanted."""
