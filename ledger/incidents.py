"""Opening an incident inside somebody's transaction, and which are open by signed entries.

The table only keeps the words: a row that somebody inserts, deletes or closes past this program
neither silences an incident nor makes one. The entry holds no words, which may name people.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.incident_kinds import NAMES
from ledger.models import Incident
from ledger.verify import Broken, Entry
from storage.database import UNREADABLE, Database, made_at, new_id, rows_of

OPENED = "incident.opened"
CLOSED = "incident.closed"
CHANGED = "row_changed"
_PREFIX = "incident:"
_NAME = re.compile(r"[\w.:/-]{1,80}")  # of a row, a part, a room: never a sentence

Key = tuple[str, str]


@dataclass(frozen=True)
class Told:
    """What an incident says."""

    kind: str
    subject: str
    message: str
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """What is open once only."""
        return self.kind, named(self.subject)

    @property
    def digest(self) -> str:
        """Of its words, as the entry holds them."""
        text = json.dumps([self.message, self.detail], sort_keys=True, default=repr)
        return hashlib.sha256(text.encode()).hexdigest()

    def says(self, other: "Told") -> bool:
        """The same of the same."""
        return (self.key, self.digest) == (other.key, other.digest)

    def body(self, at: datetime) -> dict[str, Any]:
        """Of the signed entry. `ids` are those that the detail names: who may close it hangs on
        them, also when somebody deleted the words."""
        return {
            "kind": self.kind,
            "subject": named(self.subject),
            "digest": self.digest,
            "at": at.isoformat(),
            "ids": sorted(set(_ids(self.detail))),
        }

    def row(self, incident_id: str, at: datetime) -> Incident:
        """The row of it, open and in no session."""
        return Incident(
            id=incident_id,
            kind=self.kind,
            subject=self.subject,
            message=self.message,
            detail=dict(self.detail),
            opened_at=at,
            closed_at=None,
            closed_by=None,
            resolution=None,
        )


def named(subject: str) -> str:
    """A subject as an entry may keep it: what is no plain name could hold somebody's data."""
    if _NAME.fullmatch(subject):
        return subject
    return hashlib.sha256(subject.encode(errors="surrogatepass")).hexdigest()


def resolution_digest(words: str) -> str:
    """What the entry that closes an incident keeps of what was done."""
    return hashlib.sha256(words.encode(errors="surrogatepass")).hexdigest()


def _ids(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _ids(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _ids(inner)
    elif isinstance(value, str) and made_at(value):
        yield value


class OpenIncidents:
    """The incidents opened and not closed by signed entries, as a ledger read them so far."""

    def __init__(self) -> None:
        """None yet; a ledger tells each entry once."""
        self.entries: dict[str, Entry] = {}
        self.kept: dict[Key, tuple[str, Told, datetime]] = {}
        """Opened while the chain did not hold, so without an entry: signed once it holds."""
        self.closed: list[Entry] = []
        self._ids: dict[Key, str] = {}

    def take(self, entry: Entry) -> None:
        """The next signed entry of the chain."""
        key = entry.subject.removeprefix(_PREFIX)
        if entry.kind == OPENED:
            self.entries[key] = entry
            self._ids[_key(entry)] = key
        elif entry.kind == CLOSED:
            self.closed.append(entry)
            old = self.entries.pop(key, None)
            if old is not None and self._ids.get(_key(old)) == key:
                del self._ids[_key(old)]

    def find(self, key: Key) -> str | None:
        """The id of the open one."""
        return self._ids.get(key)


def _key(entry: Entry) -> Key:
    return entry.body["kind"], entry.body["subject"]


class Reading(Protocol):
    """What it takes to know which are open."""

    db: Database
    incidents_so_far: OpenIncidents

    async def incidents(self, *, age: float = 0.0) -> OpenIncidents:
        """As the chain says now; Broken when it does not hold."""


class Opening(Protocol):
    """What opening needs of a ledger's transaction."""

    session: AsyncSession
    opened: dict[Key, str]

    @property
    def ledger(self) -> Reading:
        """Whose transaction it is."""

    async def append(self, kind: str, *, subject: str, actor: str, body: Mapping[str, Any]) -> int:
        """One signed entry."""


def holds(row: Incident | None, entry: Entry) -> bool:
    """Whether the row is open and says what was signed."""
    return (
        row is not None
        and row.closed_at is None
        and isinstance(row.opened_at, datetime)
        and row.opened_at == datetime.fromisoformat(entry.body["at"])
        and words_hold(row, entry)
    )


def words_hold(row: Incident, entry: Entry) -> bool:
    """Whether kind, subject, message and detail are those that were signed."""
    told = _told(row)
    try:
        return told.key == _key(entry) and told.digest == entry.body["digest"]
    except UNREADABLE:  # a detail too deep to be written again: nobody signed that
        return False


def _told(row: Incident) -> Told:
    return Told(str(row.kind), str(row.subject), row.message, row.detail)


def as_signed(row: Incident | None, incident_id: str, entry: Entry) -> Incident:
    """The incident of an entry: with the words of its row, or a plain sentence in their place."""
    at = datetime.fromisoformat(entry.body["at"])
    if row is not None and words_hold(row, entry):
        return row if holds(row, entry) else _told(row).row(incident_id, at)
    kind, subject = _key(entry)
    words = (
        f"事件“{NAMES.get(kind, kind)}”（{subject}）的记录被绕过本系统从数据库中删去或改动，"
        "原来的说明已经没有：请查明是谁改的，核对这个对象，处理后再关闭"
    )
    return Told(kind, subject, words, {"ids": entry.body["ids"]}).row(incident_id, at)


async def open_and_whole(ledger: Reading, key: Key) -> str | None:
    """The id of the one that is open, when its row is right as well; None to open or mend it."""
    try:
        known = await ledger.incidents()
    except Broken:
        return None
    found = known.find((key[0], named(key[1])))
    if found is None:
        return None
    entry = known.entries[found]
    async with ledger.db.session() as session:
        row = (await rows_of(session, Incident, [found])).get(found)
    return found if holds(row, entry) else None


async def open_incident_in(
    tx: Opening, kind: str, *, subject: str, message: str, detail: Mapping[str, object]
) -> str:
    """Once per kind and subject while one is open by signed entries; its id.

    A row of it that was deleted, closed or changed is put back. While the chain does not hold it
    is kept without an entry: whoever must look into that has to be told.
    """
    told = Told(kind, subject, message, detail)
    # What this transaction opened is in no chain yet.
    if told.key in tx.opened:
        return tx.opened[told.key]
    try:
        known = await tx.ledger.incidents()
    except Broken:
        return await _keep(tx, told)
    found = known.find(told.key)
    if found is None:
        found = new_id()
        await sign_open(tx, found, told, now())
    elif not holds((await rows_of(tx.session, Incident, [found])).get(found), known.entries[found]):
        await put_back(tx, found, known.entries[found], told)
    tx.opened[told.key] = found
    return found


async def sign_open(tx: Opening, incident_id: str, told: Told, at: datetime) -> None:
    """The entry and its row, whatever stood in the row's place."""
    await _write(tx.session, told.row(incident_id, at))
    subject = f"{_PREFIX}{incident_id}"
    await tx.append(OPENED, subject=subject, actor="system", body=told.body(at))


async def put_back(
    tx: Opening, incident_id: str, entry: Entry, told: Told | None = None
) -> Incident:
    """The row as it was signed; with `told`, when its words are gone, these. Says who must look."""
    row = (await rows_of(tx.session, Incident, [incident_id])).get(incident_id)
    at = datetime.fromisoformat(entry.body["at"])
    right = as_signed(row, incident_id, entry)
    if told is not None and not words_hold(right, entry):
        right = told.row(incident_id, at)
    if words_hold(right, entry):
        await _write(tx.session, right)
    else:  # the words of now are signed, so that nobody can exchange them either
        await sign_open(tx, incident_id, _told(right), at)
    # One that says so itself needs no other, or each deletion of the last would make one more.
    if _key(entry)[0] != CHANGED or not _key(entry)[1].startswith(_PREFIX):
        await tell_changed(
            tx,
            incident_id,
            "事件的记录被绕过本系统删去、关闭或改动，已恢复为未处理：请查明是谁改的，并处理那个事件",
        )
    return right


async def tell_changed(tx: Opening, incident_id: str, words: str) -> str:
    """An incident about the table of incidents itself."""
    detail = {"table": "incident", "row": incident_id}
    subject = f"{_PREFIX}{incident_id}"[:80]
    return await open_incident_in(tx, CHANGED, subject=subject, message=words, detail=detail)


async def _write(session: AsyncSession, row: Incident) -> None:
    # Not by the object: a row that cannot be read cannot be loaded either.
    await session.execute(delete(Incident).where(Incident.id == row.id))
    values = {column.name: getattr(row, column.name) for column in Incident.__table__.columns}
    await session.execute(insert(Incident).values(values))


async def _keep(tx: Opening, told: Told) -> str:
    """The row alone, once in each process; nobody who wrote another before keeps it away."""
    known = tx.ledger.incidents_so_far
    incident_id, told, at = known.kept.get(told.key) or (known.find(told.key), told, now())
    if incident_id is None:
        query = select(Incident.id).where(
            Incident.kind == told.kind, Incident.subject == told.subject
        )
        ids = list((await tx.session.scalars(query.where(Incident.closed_at.is_(None)))).all())
    else:
        ids = [incident_id]
    for row in (await rows_of(tx.session, Incident, ids)).values():
        entry = known.entries.get(row.id)
        if holds(row, entry) if entry else row.closed_at is None and _told(row).says(told):
            incident_id, at = row.id, row.opened_at
            break
    else:
        incident_id = incident_id or new_id()
        await _write(tx.session, told.row(incident_id, at))
    known.kept[told.key] = incident_id, told, at
    return incident_id
