"""Which subscriptions stand: sealed by this program, and no older than their contact's last end.

Whoever leaves, narrows, changes how often, deletes tags or is forgotten ends, by one signed entry
about their contact, every row that was sealed before it; what they keep is sealed anew after it. So
an older row, once true, brings nothing back, wherever it was while its citizen left.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any

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
_MORE = len(Subscription.SEALED) - 2
_LATER = _MORE + len(Subscription.MORE)

Row = Sequence[Any]
"""What COLUMNS are of one subscription, in their order."""


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
    named = {contact_id: about(contact_id) for contact_id in {row[1] for row in rows}}
    ends = await ledger_of(session).newest_of(named.values())
    stand: list[Row] = []
    wrong: list[str] = []
    for row, whole in _sealed(seals_of(session), rows):
        if whole and row[_AFTER] == ends[named[row[1]]]:
            stand.append(row)
        else:
            wrong.append(str(row[0]))
    return Proved(stand, sorted(wrong), ends)


def _end(fields: Sequence[Any]) -> int:
    """Up to where the fields of a row are sealed, as Subscription.values has it."""
    if any(fields[_LATER:]):
        return len(fields)
    return _LATER if any(fields[_MORE:]) else _MORE


def _sealed(seals: Seals, rows: Sequence[Row]) -> Iterator[tuple[Row, bool]]:
    """Each row and whether its seal holds; what many rows say alike is spelled once."""
    alike: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        # SQLite keeps bytes in any column, and no row of ours has any.
        if isinstance(row[0], str) and isinstance(row[1], str):
            alike.setdefault(tuple(row[2:-1]), []).append(row)
        else:
            yield row, False
    for fields, members in alike.items():
        said = fields[: _end(fields)]
        if any(isinstance(one, bytes) or one == "\0" for one in said):  # "\0" would be a hole
            yield from ((row, False) for row in members)
            continue
        made = seals.many(TABLE, [HOLE, HOLE, *said], ((row[0], row[1]) for row in members))
        for row, seal in zip(members, made, strict=True):
            said_seal = row[-1]
            # Of other signs than ASCII the comparison would raise, and no seal has any.
            is_text = isinstance(said_seal, str) and said_seal.isascii()
            yield row, is_text and compare_digest(said_seal, seal)
