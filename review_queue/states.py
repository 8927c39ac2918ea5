"""The states an item passes through, as one table: which verb leads from where to where.

`move` is the only place that assigns `Item.state`; a test looks for any other, and a second one
holds the diagram of docs/review.md against this table.
"""

from collections.abc import Mapping
from enum import StrEnum

from review_queue.models import Item
from staff.refusal import Reason, Refused


class ItemState(StrEnum):
    """Where an item is between its first draft and its end."""

    DRAFT = "draft"
    REVIEW = "review"
    REFERRED = "referred"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    SHELVED = "shelved"
    RECALLED = "recalled"
    QUARANTINED = "quarantined"


class Verb(StrEnum):
    """What happens to an item; each is the name of the act that does it."""

    SUBMIT = "submit"
    REFER = "refer"
    HEAR = "hear"
    RETURN = "return"
    RELEASE = "release"
    SCHEDULE = "schedule"
    PUBLISH = "publish"
    SHELVE = "shelve"
    RECALL = "recall"
    QUARANTINE = "quarantine"
    LIFT = "lift"
    VOID = "void"


STATES: Mapping[str, str] = {
    ItemState.DRAFT: "草稿",
    ItemState.REVIEW: "审核中",
    ItemState.REFERRED: "已转有关部门",
    ItemState.APPROVED: "已通过审核",
    ItemState.SCHEDULED: "已安排发布",
    ItemState.PUBLISHED: "已发布",
    ItemState.SHELVED: "已入库使用",
    ItemState.RECALLED: "已撤回",
    ItemState.QUARANTINED: "已隔离",
}
"""State to the words people see."""
STOPPED = "没有发出，等人处理"
"""Of what was planned and stopped: no more sends by itself until a person decides."""

_S = ItemState
MOVES: Mapping[Verb, tuple[frozenset[ItemState], ItemState]] = {
    Verb.SUBMIT: (frozenset({_S.DRAFT}), _S.REVIEW),
    Verb.REFER: (frozenset({_S.REVIEW}), _S.REFERRED),
    Verb.HEAR: (frozenset({_S.REFERRED}), _S.REVIEW),
    Verb.RETURN: (frozenset({_S.REVIEW}), _S.DRAFT),
    Verb.RELEASE: (frozenset({_S.REVIEW}), _S.APPROVED),
    Verb.SCHEDULE: (frozenset({_S.APPROVED, _S.SCHEDULED}), _S.SCHEDULED),
    # Approved and never scheduled: it went out with an edition.
    Verb.PUBLISH: (frozenset({_S.APPROVED, _S.SCHEDULED}), _S.PUBLISHED),
    Verb.SHELVE: (frozenset({_S.APPROVED}), _S.SHELVED),
    Verb.RECALL: (frozenset(_S) - {_S.DRAFT, _S.RECALLED}, _S.RECALLED),
    # A repost that is out already is listed for a person's decision instead (see
    # content_sources/quarantine.py); a referred one waits outside every queue as it is.
    Verb.QUARANTINE: (
        frozenset({_S.DRAFT, _S.REVIEW, _S.APPROVED, _S.SCHEDULED}),
        _S.QUARANTINED,
    ),
    Verb.LIFT: (frozenset({_S.QUARANTINED}), _S.DRAFT),
    # Any edit: a changed byte voids every approval, also one that is already scheduled.
    Verb.VOID: (
        frozenset({_S.DRAFT, _S.REVIEW, _S.REFERRED, _S.APPROVED, _S.SCHEDULED}),
        _S.DRAFT,
    ),
}
"""Verb to the states it may start from and the one it ends in."""


def is_stopped(item: Item) -> bool:
    """Whether it is planned and goes nowhere: every publication of it was stopped or failed."""
    return item.state == ItemState.SCHEDULED and bool(item.stopped)


def state_name(item: Item) -> str:
    """What people call the state an item is in."""
    return STOPPED if is_stopped(item) else STATES[item.state]


def can(item: Item, verb: Verb) -> bool:
    """Whether the verb may start from the item's state."""
    return item.state in MOVES[verb][0]


def move(item: Item, verb: Verb) -> None:
    """Bring the item to the verb's end; Refused (409) from a state it may not start from.

    The acts name their own reasons before they come here: this is the last wall behind them.
    """
    sources, end = MOVES[verb]
    if item.state not in sources:
        why = f"稿件现在是“{state_name(item)}”，不能这样做，请刷新后再看"
        raise Refused(409, [Reason("state", why)])
    item.state = end
