"""By which one way a push reaches one person now: data in, data out. Pure.

A standing notice first, a message while the person's window is open, an agreed one-time notice, and
else it waits for their next act (W7, W26). What went by a mass send goes by no other way (W22).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.delivery.routes import Route, Way
from bot.noticing import MESSAGE_CALL, NOTICE_CALL, Template


class Via(StrEnum):
    """The ways of a push; exactly one for each person and item."""

    LONG_NOTICE = "long"
    ONE_NOTICE = "once"
    MESSAGE = "message"
    MASS = "mass"
    HOLD = "hold"


NOTICES = frozenset({Via.LONG_NOTICE, Via.ONE_NOTICE})
VIA_WORDS: Mapping[str, str] = {
    Via.LONG_NOTICE: "长期订阅通知",
    Via.ONE_NOTICE: "一次性订阅通知",
    Via.MESSAGE: "客服消息（时限内）",
    Via.MASS: "随群发送达",
    Via.HOLD: "留到对方下次来信",
}


@dataclass(frozen=True)
class Facts:
    """What a way is chosen from."""

    window: Route
    templates: Sequence[Template] = ()
    """Those the account may use now, in its own order."""
    consents: Mapping[str, int] = field(default_factory=dict)
    """By template how many agreements are left."""
    mass: bool = False
    """Whether the item went to everybody by a mass send."""
    several: bool = False
    """Whether it is one message of several items: a notice holds one only."""
    spent: Collection[str] = ()
    """MESSAGE_CALL, NOTICE_CALL: of these the day is used up."""


@dataclass(frozen=True)
class Picked:
    """One way; `template` of a notice, `counts` the column of the contact a message counts in."""

    via: Via
    template: Template | None = None
    counts: str = ""
    for_quota: bool = False
    """Whether it waits only because a number of the day is used up."""


def choose(facts: Facts) -> Picked:
    """The way of one push to one person."""
    if facts.mass:
        return Picked(Via.MASS)
    ways = _open(facts)
    order = [Via.LONG_NOTICE, Via.MESSAGE, Via.ONE_NOTICE]
    if facts.several:
        order = [Via.MESSAGE, Via.LONG_NOTICE, Via.ONE_NOTICE]
    for via in order:
        call = NOTICE_CALL if via in NOTICES else MESSAGE_CALL
        if via in ways and call not in facts.spent:
            return ways[via]
    return Picked(Via.HOLD, for_quota=bool(ways))


def _open(facts: Facts) -> dict[Via, Picked]:
    """Every way that would be taken, did its day have room."""
    ways: dict[Via, Picked] = {}
    if facts.window.kind is Way.ENDED:
        return ways
    for one in facts.templates:
        if facts.consents.get(one.id, 0) > 0:
            via = Via.LONG_NOTICE if one.long_term else Via.ONE_NOTICE
            ways.setdefault(via, Picked(via, one))
    if facts.window.kind is Way.OPEN:
        ways[Via.MESSAGE] = Picked(Via.MESSAGE, counts=facts.window.counts)
    return ways
