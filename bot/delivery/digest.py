"""One message of all that waits for one person at one moment: a digest.

Its rows are those of a push, one for each item and person, marked `gather` (subscriptions/rows.py):
what was claimed, sent, refused or lost with a process is told of each, as ever. They are claimed
together, under the lock of their contact, and share one call and its outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Outcome, Rendering, State, Still, Withheld
from bot.delivery.outbox import Work
from bot.models import Contact, Delivery
from bot.render import REASON_FIELD, units

MOST_BYTES = 2_000
"""Of one digest: every platform takes as much in one message (W8, T2)."""
MOST_ITEMS = 30
_AGAIN = 1.0
_REASON_LINE = f"为什么收到：{REASON_FIELD}"
_APART = "\n\n————\n\n"


@dataclass(frozen=True)
class Ready:
    """One item of a digest that may leave now: its push form, and what a list says of it."""

    form: Rendering
    title: str
    link: str
    reason: str
    still: Still
    items: tuple[str, ...] = ()
    """Whose they are, for who has to be told when one was taken back meanwhile."""


async def with_all_of_one(
    session: AsyncSession, batch: Sequence[str], due: ColumnElement[bool]
) -> list[str]:
    """The batch, and beside a row of a digest all others that are due to the same person.

    Whoever holds the contact's row takes them all: two processes never make two digests of one.
    """
    query = select(Delivery.id, Delivery.contact_id)
    rows = (await session.execute(query.where(Delivery.id.in_(batch), Delivery.gather))).all()
    if not rows:
        return list(batch)
    people = {row.contact_id for row in rows}
    lock = select(Contact.id).where(Contact.id.in_(people)).with_for_update(skip_locked=True)
    held = set(await session.scalars(lock))
    there = held
    if held < people:  # another process holds the others, or their rows are gone
        there = set(await session.scalars(select(Contact.id).where(Contact.id.in_(people))))
    # Somebody whose row is gone waits for nobody: the claim says so of each message.
    gone = people - there
    theirs = or_(
        and_(Delivery.contact_id.in_(held), Delivery.gather, due),
        and_(Delivery.contact_id.in_(gone), Delivery.id.in_(batch)),
    )
    plain = set(batch) - {row.id for row in rows}
    more = await session.scalars(select(Delivery.id).where(theirs).order_by(Delivery.id))
    return [*(one for one in batch if one in plain), *more]


def bundles(work: Sequence[Work]) -> list[list[Work]]:
    """Claimed rows by the call they share, in their order."""
    found: dict[tuple[str, ...], list[Work]] = {}
    for one in work:
        key = (one.account_id, one.contact_id) if one.gather else (one.id,)
        found.setdefault(key, []).append(one)
    parts = []
    for rows in found.values():
        rows.sort(key=lambda one: one.id)
        parts += [rows[at : at + MOST_ITEMS] for at in range(0, len(rows), MOST_ITEMS)]
    return parts


def written(ready: Sequence[Ready]) -> tuple[int, Rendering, str]:
    """How many of the items fit into one message, its push form, and the reason it ends with.

    The approved texts one after the other when they fit, else a title and an address for each.
    """
    full = _full(ready)
    if full is not None and _size(full["text"], ready) <= MOST_BYTES:
        return len(ready), {"push": full}, _reason(ready)
    number = len(ready)
    while number > 1 and _size(_listed(ready[:number]), ready[:number]) > MOST_BYTES:
        number -= 1
    if number == 1:
        return 1, ready[0].form, ready[0].reason
    text = _listed(ready[:number])
    return number, {"push": {"text": text, "entities": []}}, _reason(ready[:number])


def _head(number: int) -> str:
    return f"为您汇总 {number} 条：\n\n"


def _full(ready: Sequence[Ready]) -> dict[str, Any] | None:
    text, entities = _head(len(ready)), []
    for at, one in enumerate(ready):
        form = one.form["push"]
        body = form["text"]
        if not body.endswith(_REASON_LINE):
            return None
        text += _APART if at else ""
        before = units(text)
        text += body.removesuffix(_REASON_LINE).rstrip("\n")
        for entity in form.get("entities", ()):
            entities.append({**entity, "offset": entity["offset"] + before})
    return {"text": f"{text}\n\n{_REASON_LINE}", "entities": entities}


def _listed(ready: Sequence[Ready]) -> str:
    lines = [f"· {one.title}" + (f"\n  {one.link}" if one.link else "") for one in ready]
    return f"{_head(len(ready))}" + "\n".join(lines) + f"\n\n{_REASON_LINE}"


def _reason(ready: Sequence[Ready]) -> str:
    return "；".join(dict.fromkeys(one.reason for one in ready))


def _size(text: str, ready: Sequence[Ready]) -> int:
    return len(text.encode()) + len(_reason(ready).encode())


def waits_for_the_next(
    outcomes: Sequence[Outcome | None], came: Sequence[Outcome]
) -> list[Outcome]:
    """Every row's outcome: its own where it has one, else in order those of the call."""
    rest = iter(came)
    later = Outcome(State.RETRYING, reason="这次汇总放不下，随后再发", retry_after=_AGAIN)
    return [one if one is not None else next(rest, later) for one in outcomes]


class AllStill:
    """Asks of every item, directly before the call, whether it may still leave."""

    def __init__(self, ready: Sequence[Ready]) -> None:
        """`withheld`: the first item that may not, and its outcome."""
        self._ready = ready
        self.withheld: tuple[int, Outcome] | None = None

    async def __call__(self) -> None:
        """Raises Withheld."""
        for at, one in enumerate(self._ready):
            try:
                await one.still()
            except Withheld as why:
                self.withheld = (at, why.outcome)
                raise

    def outcomes(self, outcome: Outcome) -> list[Outcome]:
        """What became of each item of the call."""
        if self.withheld is None:
            return [outcome] * len(self._ready)
        at, own = self.withheld
        again = Outcome(State.RETRYING, reason="同一次汇总里有一条不再发送", retry_after=_AGAIN)
        return [own if n == at else again for n in range(len(self._ready))]
