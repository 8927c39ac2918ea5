"""The delivery rows of one push: sealed where the key is, written in one statement a batch.

The seal of a row covers its own id, contact and reason, so the database cannot make it; what
differs from row to row goes there and back once. PostgreSQL copies a batch of which no row stands;
one that was cut short is inserted, and what stands of it is passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Integer,
    Select,
    String,
    bindparam,
    case,
    cast,
    column,
    false,
    func,
    literal,
    null,
    select,
    true,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Delivery
from bot.sealing import seals_of_push
from storage.copying import NULL, copied, field
from storage.database import Base, UtcTime, new_id
from storage.seals import seals_of

Matched = tuple[str, str, int]
"""A contact, the reason in words, and which of the moments it is served at."""

_deliveries = Base.metadata.tables[Delivery.__tablename__]
_NAMES = (
    *("id", "contact_id", "reason", "next_at", "seal", "gather"),
    *("content_key", "release_id", "publication_id", "account_id", "reply", "late"),
    *("state", "ref", "why", "hold", "owner", "attempts", "created_at"),
)
_ARRAYS = ("ids", "contacts", "reasons", "dues", "seals")


@dataclass(frozen=True)
class Push:
    """What all rows of a push say alike, and the moments its subscribers may be served at."""

    release_id: str
    publication_id: str
    account_id: str
    created_at: datetime
    moments: tuple[datetime, ...]
    late: bool = False
    hold: str = ""
    """What the rows wait for from the beginning; empty: for their moment."""

    @property
    def state(self) -> str:
        """The state they begin in."""
        return (State.HELD if self.hold else State.CREATED).value

    def gathers(self, due: int) -> bool:
        """Whether what is served at this moment waits, and comes as one message with the rest."""
        return self.moments[due] > self.created_at

    def same(self) -> dict[str, str]:
        """The sealed fields that are the same in every row."""
        return {
            "content_key": self.release_id,
            "release_id": self.release_id,
            "publication_id": self.publication_id,
            "account_id": self.account_id,
        }


async def write_rows(session: AsyncSession, push: Push, matched: Sequence[Matched]) -> int:
    """Write the missing rows, sealed; how many were missing."""
    # Ids in the order of the rows: a batch prefix and nine digits, appended to the index's end.
    prefix = new_id()[:17]
    ids = [f"{prefix}{number}" for number in range(100_000_000, 100_000_000 + len(matched))]
    contacts = [contact for contact, _, _ in matched]
    reasons = [reason for _, reason, _ in matched]
    sealed = list(zip(ids, contacts, reasons, strict=True))
    seals = seals_of_push(seals_of(session), {**push.same(), "late": push.late}, sealed)
    dues = [due for _, _, due in matched]
    values: dict[str, list[Any]] = dict(
        zip(_ARRAYS, (ids, contacts, reasons, dues, seals), strict=True)
    )
    if session.get_bind().dialect.name == "sqlite":
        return await _write_sqlite(session, push, values)
    if await copied(session, _deliveries.name, _NAMES, _lines(push, values)):
        return len(matched)
    rows = _rows(push).subquery()
    insert = postgresql.insert(_deliveries).from_select(list(_NAMES), rows, include_defaults=False)
    found = await session.execute(
        insert.on_conflict_do_nothing(index_elements=["content_key", "contact_id"]), values
    )
    return int(found.rowcount)  # type: ignore[attr-defined]  # a cursor's


def _lines(push: Push, values: Mapping[str, list[Any]]) -> Iterator[str]:
    """The rows as COPY reads them, in the order of _NAMES."""
    late, held = "t" if push.late else "f", field(push.hold)
    same = (*map(field, push.same().values()), NULL, late, push.state, "", "", held, "", "0")
    end = "\t".join((*same, push.created_at.isoformat())) + "\n"
    served = [
        (one.isoformat(), f"{'t' if push.gathers(due) else 'f'}\t{end}")
        for due, one in enumerate(push.moments)
    ]
    words = {reason: field(reason) for reason in set(values["reasons"])}
    for key, contact, reason, due, seal in zip(*values.values(), strict=True):
        at, rest = served[due]
        yield f"{key}\t{field(contact)}\t{words[reason]}\t{at}\t{seal}\t{rest}"


def _rows(push: Push) -> Select[Any]:
    """The arrays side by side, and beside them what is the same for all."""
    kinds = (String, String, String, Integer, String)
    arrays: list[Any] = [
        cast(bindparam(name, type_=ARRAY(kind)), ARRAY(kind))
        for name, kind in zip(_ARRAYS, kinds, strict=True)
    ]
    columns: list[Any] = [column(name, kind) for name, kind in zip(_ARRAYS, kinds, strict=True)]
    given = func.unnest(*arrays).table_valued(*columns).render_derived()
    at = {number: literal(one, UtcTime()) for number, one in enumerate(push.moments)}
    gathers = {number: literal(push.gathers(number)) for number in at}
    return select(
        given.c.ids,
        given.c.contacts,
        given.c.reasons,
        case(at, value=given.c.dues),
        given.c.seals,
        case(gathers, value=given.c.dues),
        *(literal(one) for one in push.same().values()),
        cast(null(), Delivery.reply.type),
        true() if push.late else false(),
        *(literal(text) for text in (push.state, "", "", push.hold, "")),
        literal(0),
        literal(push.created_at, UtcTime()),
    )


async def _write_sqlite(session: AsyncSession, push: Push, values: dict[str, list[Any]]) -> int:
    connection = await session.connection()
    # Of the dialect: the plain type leaves a moment to the driver, which from Python 3.12 on warns.
    moment = UtcTime().dialect_impl(connection.dialect).bind_processor(connection.dialect)
    at = [moment(one) if moment else one for one in push.moments]
    gathers = [push.gathers(due) for due in values["dues"]]
    values = values | {"dues": [at[due] for due in values["dues"]], "gathers": gathers}
    ended = (None, push.late, push.state, "", "", push.hold, "", 0)
    same = (*push.same().values(), *ended, moment(push.created_at) if moment else None)
    # Straight to the driver: the names below are our own columns, and binding a million parameters
    # one by one would cost three times what the database needs.
    statement = (
        f"INSERT INTO {Delivery.__tablename__} ({', '.join(_NAMES)})"  # noqa: S608
        f" VALUES ({', '.join('?' * len(_NAMES))})"
        " ON CONFLICT (content_key, contact_id) DO NOTHING"
    )
    rows = [(*row, *same) for row in zip(*values.values(), strict=True)]
    return int((await connection.exec_driver_sql(statement, rows)).rowcount)
