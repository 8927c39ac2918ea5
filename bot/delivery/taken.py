"""What signed entries say of taking publications down, and the entries themselves.

As in once.py: `takedown.submitted` stands before the call, `takedown.finished` after its outcome,
`takedown.settled` where a person says it is done. All are about the item, so that whoever proves it
reads them. No row is believed: one put back or made by hand takes nothing down.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.contract import Outcome, State, Withheld
from bot.delivery.once import recalled, sign_after
from bot.models import Publication, Takedown
from bot.takedown import Result, Took
from ledger.append import Ledger, Transaction
from ledger.verify import Entry

SUBMITTED, FINISHED, SETTLED = "takedown.submitted", "takedown.finished", "takedown.settled"
CORRECTED = "correction.published"
"""About the item that is corrected: which publication (`old`) gave way to which (`publication`)."""
MISSING = "publication.gone"
"""The platform says that it is gone, and nobody here took it down."""
OFF = frozenset({Result.DELETED, Result.DEAD, Result.EDITED, Result.GONE, Result.DONE})
"""After which the text stands no more where it was published."""
AWAY = frozenset({Result.DELETED, Result.DEAD, Result.GONE})


class Stood(StrEnum):
    """How far one taking down has come."""

    FREE = "free"
    OPEN = "open"
    DONE = "done"


Key = tuple[str, str, int]
"""Publication, the publication of the correction that made way for itself or nothing, article."""


@dataclass(frozen=True)
class Taken:
    """One taking down as signed entries tell it; `by` is a person who said it is done."""

    stood: Stood = Stood.FREE
    result: str = ""
    at: datetime | None = None
    person: str = ""


def key_of(row: Takedown) -> Key:
    """What a row stands for in the entries."""
    return row.publication_id, row.by, row.article_idx


def taken_of(entries: Sequence[Entry]) -> Mapping[Key, Taken]:
    """Every taking down about an item."""
    found: dict[Key, Taken] = {}
    for entry, key in _about(entries):
        at = datetime.fromisoformat(entry.at)
        if entry.kind == SETTLED:
            found[key] = Taken(Stood.DONE, Result.DONE, at, entry.actor)
        elif found.get(key, Taken()).stood is Stood.DONE:
            continue  # what is done stays done, whatever is said later
        elif entry.kind == SUBMITTED:
            found[key] = Taken(Stood.OPEN, Result.UNKNOWN, at)
        elif entry.body["result"] == Result.RETRY:
            found[key] = Taken()
        else:
            found[key] = Taken(Stood.DONE, str(entry.body["result"]), at)
    return found


def _about(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Key]]:
    for entry in entries:
        if entry.kind in (SUBMITTED, FINISHED, SETTLED):
            body = entry.body
            yield entry, (str(body["publication"]), str(body["by"]), int(body["article"]))


def off(entries: Sequence[Entry], publication_id: str) -> datetime | None:
    """Since when a publication is no longer what its account says; None while it stands."""
    for entry in entries:
        body = entry.body
        taken = entry.kind == FINISHED and body["result"] in OFF
        mine = body.get("publication") == publication_id
        gone = mine and (taken or entry.kind in (SETTLED, MISSING))
        if gone or (entry.kind == CORRECTED and body["old"] == publication_id):
            return datetime.fromisoformat(entry.at)
    return None


def away(entries: Sequence[Entry], publication_id: str) -> bool:
    """Whether a signed entry says that the platform has it no more."""
    for entry in entries:
        if entry.body.get("publication") != publication_id:
            continue
        if entry.kind == MISSING or (entry.kind == FINISHED and entry.body["result"] in AWAY):
            return True
    return False


def warranted(entries: Sequence[Entry], row: Takedown) -> bool:
    """Whether a signed act stands behind a row: the recall, or the correction that is out."""
    if not row.by:
        return recalled(entries)
    return any(
        one.kind == CORRECTED
        and (one.body["publication"], one.body["old"]) == (row.by, row.publication_id)
        for one in entries
    )


def _body(row: Takedown, publication: Publication) -> dict[str, object]:
    return {
        "publication": publication.id,
        "release": publication.release_id,
        "account": publication.account_id,
        "digest": publication.digest,
        "by": row.by,
        "article": row.article_idx,
    }


async def sign_submitted(ledger: Ledger, row: Takedown, publication: Publication) -> None:
    """The entry before the call; Withheld when an earlier call was made or nothing asks for it."""
    subject = f"item:{row.item_id}"

    async def look() -> None:
        facts = await ledger.facts(subject)
        stood = taken_of(facts).get(key_of(row), Taken()).stood
        if stood is not Stood.FREE or not warranted(facts, row):
            raise Withheld(Outcome(State.HELD, reason="台账里已有这次撤下，或没有撤下的依据"))

    async def write(tx: Transaction) -> None:
        body = _body(row, publication)
        await tx.append(SUBMITTED, subject=subject, actor="system", body=body)

    await sign_after(ledger, look, write)


async def sign_finished(
    tx: Transaction, row: Takedown, publication: Publication, took: Took
) -> None:
    """The entry after the call, when its end is known."""
    body = {**_body(row, publication), "result": str(took.result)}
    await tx.append(FINISHED, subject=f"item:{row.item_id}", actor="system", body=body)


async def sign_settled(
    tx: Transaction, row: Takedown, publication: Publication, staff_id: str
) -> None:
    """A person says that it is done."""
    body = _body(row, publication)
    await tx.append(SETTLED, subject=f"item:{row.item_id}", actor=staff_id, body=body)
