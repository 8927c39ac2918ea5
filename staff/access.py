"""What ends access by signed word: an older row, sealed as it is, opens nothing when put back."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ledger.append import Ledger, Transaction
from ledger.verify import Entry
from staff.factors import REMOVED
from staff.models import ApiToken, ConsoleSession
from staff.standing import RESET

ENDED = "access.ended"
PASSWORD_CHANGED = "staff.password_changed"  # noqa: S105  the kind of an entry
SESSIONS, TOKENS = "sessions", "tokens"
_SORTS: dict[str, type[ConsoleSession | ApiToken]] = {SESSIONS: ConsoleSession, TOKENS: ApiToken}


async def access_entries(ledger: Ledger, staff_id: str, *, age: float) -> list[Entry]:
    """What signed entries say of a person and of the ends of their sessions and tokens."""
    told = await ledger.facts(f"staff:{staff_id}", age=age)
    return [*told, *await ledger.facts(_subject(staff_id), age=age)]


def ended(row: ConsoleSession | ApiToken, entries: Iterable[Entry]) -> bool:
    """Whether a signed entry ended this session or token, whatever the row says of itself."""
    return any(_ends(entry, row) for entry in entries)


def _ends(entry: Entry, row: ConsoleSession | ApiToken) -> bool:
    body = entry.body
    if entry.kind == ENDED and "token" in body:
        return bool(body["token"] == row.token_hash)
    of_its_sort = entry.kind == ENDED and _SORTS.get(str(body.get("all"))) is type(row)
    if not of_its_sort and not _everything(entry):
        return False
    begun_before = row.created_at <= datetime.fromisoformat(entry.at)
    return begun_before and body.get("kept") != row.token_hash


def _everything(entry: Entry) -> bool:
    """Whether this ends all that was begun before: another password, a login made, leaving."""
    if entry.kind == "staff.set":
        return not entry.body["active"]
    if entry.kind == REMOVED:
        # Their own wish ends nothing; when two others take the second step away, all ends.
        return entry.actor != entry.subject.removeprefix("staff:")
    return entry.kind in (PASSWORD_CHANGED, RESET)


async def sign_end(tx: Transaction, staff_id: str, body: dict[str, Any], by: str = "") -> None:
    """Sign which access of a person ended; `by` whom, when it was not themselves.

    {token} is one session; {all: sessions or tokens} is every one so far, but the one `kept`.
    Not among the entries about the person: those are read at every act, and these grow daily.
    """
    await tx.append(ENDED, subject=_subject(staff_id), actor=by or staff_id, body=body)


def _subject(staff_id: str) -> str:
    return f"access:{staff_id}"
