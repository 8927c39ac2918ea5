"""Seals of delivery rows where statements write many at once, past the ORM that seals by itself.

A row says "open" in its seal until it has an end; then the end. `created` written over `published`
is refused, because nobody without the key can say "open" again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import OPEN, Delivery, phase
from storage.database import UNREADABLE, Base, unreadable
from storage.seals import HOLE, Seals, seals_of

TABLE = Delivery.__tablename__
MADE = (HOLE, "content_key", "release_id", "publication_id", "account_id", HOLE, HOLE)
"""What the rows of one push differ in: id, contact, reason."""

_deliveries = Base.metadata.tables[TABLE]
COLUMNS = tuple(
    _deliveries.c[name] for name in (*Delivery.SEALED[:-1], "route", "state", "seal")
)  # the last sealed field is the phase, which the state says
_PAGE = 5_000


def seal_of(seals: Seals, row: Mapping[str, Any], state: str) -> str:
    """The seal of a row in this state."""
    return seals.of(TABLE, said_of(row, phase(state)))


def said_of(row: Mapping[str, Any], its_phase: str) -> list[Any]:
    """The sealed fields of a row as columns, in the order of Delivery.values."""
    route = row.get("route")
    said = [row[name] for name in Delivery.SEALED[:-1]]
    return [*said, its_phase, *([route] if route else [])]


def whole(seals: Seals, row: Mapping[str, Any]) -> bool:
    """Whether this program wrote the row as it stands.

    One that ended before it was sent may still say "open": a recall ends thousands in one
    statement, and the recall itself refuses what somebody makes due again. So may an unknown one,
    which a restore without the key made so.
    """
    held = {phase(row["state"])} | (
        {OPEN} if row["state"] in (State.ENDED, State.UNKNOWN) else set()
    )
    return any(seals.hold(row["seal"], TABLE, said_of(row, one)) for one in held)


def sealed_as(seals: Seals, row: Mapping[str, Any]) -> bool:
    """Whether the seal says the very state the row is in."""
    return seals.hold(row["seal"] or "", TABLE, said_of(row, phase(row["state"])))


async def read_apart(
    session: AsyncSession, query: Select[Any]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of deliveries, and ids of those that cannot be read: one stops no other."""
    try:
        return [dict(row._mapping) for row in await session.execute(query)], []
    except UNREADABLE as error:
        if not unreadable(error):
            raise
    rows: list[dict[str, Any]] = []
    wrong: list[str] = []
    for one in (await session.scalars(query.with_only_columns(_deliveries.c.id))).all():
        try:
            found = await session.execute(query.where(_deliveries.c.id == one))
            rows += [dict(row._mapping) for row in found]
        except UNREADABLE:
            wrong.append(one)
    return rows, wrong


async def rewrite(session: AsyncSession, which: ColumnElement[bool], **values: Any) -> int:
    """Write these columns of the rows `which` names and seal them anew; how many.

    A row whose seal was wrong keeps it: no later harmless change launders what somebody wrote. A
    row that was claimed in between is left alone.
    """
    seals, written, last = seals_of(session), 0, ""
    while True:
        query = select(*COLUMNS).where(which, _deliveries.c.id > last)
        rows, wrong = await read_apart(session, query.order_by(_deliveries.c.id).limit(_PAGE))
        if not (rows or wrong):
            return written
        new = [_changed(seals, row, values) for row in rows]
        if new:
            await session.execute(_statement(values), new)
        written, last = written + len(rows), max([*wrong, *(row["id"] for row in rows)])


def _statement(values: Mapping[str, Any]) -> Any:
    names = [*values, "seal"]
    return (
        update(_deliveries)
        .where(_deliveries.c.id == bindparam("key"), _deliveries.c.state == bindparam("was"))
        .values({name: bindparam(f"new_{name}") for name in names})
    )


def _changed(seals: Seals, row: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    new = {**row, **values}
    seal = seal_of(seals, new, new["state"]) if whole(seals, row) else row["seal"]
    return {
        "key": row["id"],
        "was": row["state"],
        "new_seal": seal,
        **{f"new_{name}": value for name, value in values.items()},
    }


def seals_of_push(
    seals: Seals, same: Mapping[str, Any], rows: Sequence[Sequence[str]]
) -> list[str]:
    """The seals of new rows of one push: `same` is what all say; a row is id, contact, reason."""
    shape = [one if one is HOLE else same[str(one)] for one in MADE]
    late = bool(same.get("late", False))
    return list(seals.many(TABLE, [*shape, None, late, OPEN], rows))
