"""Which subscriptions stand: sealed by this program, and no older than their contact's last end.

Whoever leaves, narrows, changes how often, deletes tags or is forgotten ends, by one signed entry
about their contact, every row that was sealed before it; what they keep is sealed anew after it. So
an older row, once true, brings nothing back, wherever it was while its citizen left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

from sqlalchemy import Select, func
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.append import Transaction, ledger_of
from storage.seals import HOLE, Seals, seals_of
from subscriptions.models import Subscription

ENDED = "subscription.ended"
TABLE = Subscription.__tablename__
COLUMNS = tuple(
    getattr(Subscription, name)
    for name in (*Subscription.SEALED, *Subscription.MORE, *Subscription.LATER, "seal")
)
_SIGNED = "subscription ends"
_AFTER = len(Subscription.SEALED) - 1
_MORE = len(Subscription.SEALED) - 2  # of the fields: id and contact are not among them
_LATER = _MORE + len(Subscription.MORE)

Row = Sequence[Any]
"""What COLUMNS are of one subscription, in their order."""


@dataclass(frozen=True)
class Alike:
    """Subscriptions that say the same of different people."""

    fields: tuple[Any, ...]
    """What COLUMNS between the contact and the seal are of all of them."""
    members: list[Row]
    """Of each the id first, then the contact, and the seal last."""


@dataclass(frozen=True)
class ProvedAlike:
    """As Proved, of those that are put together."""

    groups: list[Alike]
    wrong: list[str]
    ends: Mapping[str, int]


@dataclass(frozen=True)
class Proved:
    """Rows that stand, and the ids of those that somebody wrote past this program."""

    rows: list[Row]
    wrong: list[str]
    ends: Mapping[str, int]
    """The newest signed end of each contact, by `about`."""


def about(contact_id: str) -> str:
    """The subject of the entries that end a contact's subscriptions."""
    return f"subscriber:{contact_id}"


async def sign_end(tx: Transaction, contact_id: str, reason: str) -> int:
    """End every subscription of a contact that is not sealed anew after this; its number."""
    body = {"reason": reason}
    seq = await tx.append(ENDED, subject=about(contact_id), actor="robot", body=body)
    tx.session.info.setdefault(_SIGNED, {})[contact_id] = seq
    return seq


async def last_end(session: AsyncSession, contact_id: str) -> int:
    """Number of the newest signed end of this contact's subscriptions; 0 for none."""
    subject = about(contact_id)
    # What this transaction signed itself is in nobody's ledger yet.
    here = int(session.info.get(_SIGNED, {}).get(contact_id, 0))
    return max(here, (await ledger_of(session).newest_of([subject]))[subject])


async def prove(session: AsyncSession, rows: Sequence[Row]) -> Proved:
    """Tell those that stand from the others, in one pass. Raises ledger.verify.Broken."""
    same, odd = _alike(rows)
    proved = await prove_alike(session, same)
    found = [row for one in proved.groups for row in one.members]
    return Proved(found, sorted([*proved.wrong, *(str(row[0]) for row in odd)]), proved.ends)


async def alike(session: AsyncSession, query: Select[Any]) -> list[Alike]:
    """The subscriptions a query finds, whatever it selects, by what they say."""
    # Of the connection: the ORM would take as long to hand a hundred thousand rows on as the
    # database to find them.
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        rows = (await connection.execute(query.with_only_columns(*COLUMNS))).all()
        same, odd = _alike(rows)
        return [*same, *(Alike((), [row]) for row in odd)]
    said = COLUMNS[2:-1]
    # Put together where they are: of each person only three texts come here.
    lists = [func.array_agg(one) for one in (COLUMNS[0], COLUMNS[1], COLUMNS[-1])]
    grouped = query.with_only_columns(*said, *lists).group_by(*said)
    return [
        Alike(tuple(row[: len(said)]), list(zip(*row[len(said) :], strict=True)))
        for row in await connection.execute(grouped)
    ]


async def prove_alike(session: AsyncSession, groups: Iterable[Alike]) -> ProvedAlike:
    """The same for those that are put together."""
    groups = list(groups)
    named = {row[1]: about(row[1]) for one in groups for row in one.members}
    ends = await ledger_of(session).newest_of(named.values())
    stand: list[Alike] = []
    wrong: list[str] = []
    seals = seals_of(session)
    for one in groups:
        after = one.fields[_AFTER - 2] if one.fields else None
        mine = Alike(one.fields, [])
        for row, whole in zip(one.members, _whole(seals, one), strict=True):
            if whole and after == ends[named[row[1]]]:
                mine.members.append(row)
            else:
                wrong.append(str(row[0]))
        if mine.members:
            stand.append(mine)
    return ProvedAlike(stand, sorted(wrong), ends)


def _end(fields: Sequence[Any]) -> int:
    """Up to where the fields of a row are sealed, as Subscription.values has it."""
    if any(fields[_LATER:]):
        return len(fields)
    return _LATER if any(fields[_MORE:]) else _MORE


def _alike(rows: Sequence[Row]) -> tuple[list[Alike], list[Row]]:
    """Rows by what they say, and those that no column of ours could hold."""
    same: dict[tuple[Any, ...], list[Row]] = {}
    odd: list[Row] = []
    for row in rows:
        # SQLite keeps bytes in any column, and no row of ours has any.
        if isinstance(row[0], str) and isinstance(row[1], str):
            same.setdefault(tuple(row[2:-1]), []).append(row)
        else:
            odd.append(row)
    return [Alike(fields, members) for fields, members in same.items()], odd


def _whole(seals: Seals, one: Alike) -> Iterable[bool]:
    """Of each member whether its seal holds; what they say alike is spelled once."""
    said = one.fields[: _end(one.fields)]
    # A hole in a shape is "\0", and a group without fields is a row that could not be read.
    if not said or any(isinstance(text, bytes) or text == "\0" for text in said):
        return (False for _ in one.members)
    made = seals.many(TABLE, [HOLE, HOLE, *said], ((row[0], row[1]) for row in one.members))
    return map(_same, (row[-1] for row in one.members), made)


def _same(said: Any, seal: str) -> bool:
    # Of other signs than ASCII the comparison would raise, and no seal has any.
    return isinstance(said, str) and said.isascii() and compare_digest(said, seal)
