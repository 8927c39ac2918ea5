"""What is taken off a platform, the words left in its place, and what came of it: frozen shapes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Result(StrEnum):
    """What a taking down came to. Only RETRY is tried again by itself."""

    DELETED = "deleted"
    DEAD = "dead"  # the page is gone; cards that were handed out stay on the phones
    EDITED = "edited"  # the notice stands in its place
    REPLIED = "replied"  # the notice hangs below it
    GONE = "gone"  # it was not there any more
    NEVER = "never"  # it had never gone out
    BY_HAND = "by_hand"
    UNKNOWN = "unknown"
    RETRY = "retrying"
    DONE = "done"  # a person says so


@dataclass(frozen=True)
class Standing:
    """A publication as it stands: the platform's name and address for it, since when.

    `article_idx` is its place in a send of several, from 1; 0 means all of them.
    """

    ref: str
    url: str
    at: datetime
    article_idx: int = 1


@dataclass(frozen=True)
class Notice:
    """Fixed words for where a post can be edited and not deleted.

    `more` stands in every further message of a long post. `points`: it leads to a correction, so
    the post is edited even where it could be deleted.
    """

    text: str
    more: str
    points: bool = False


@dataclass(frozen=True)
class Took:
    """One call's end. `reason` says to staff what is left to do, in Chinese."""

    result: Result
    reason: str = ""
    code: str = ""
    retry_after: float = 0.0


SPENT = "spent"
"""Took.code: the platform takes no further deletion on this day."""
