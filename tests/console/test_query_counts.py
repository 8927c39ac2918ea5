"""Pages ask the database a bounded number of times, however much there is to show."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account, Publication
from config.clock import now
from console.items import facts, view
from console.items.facts import ItemFacts
from ledger.incidents import Told, sign_open
from review_queue import drafting, submitting
from review_queue.models import Item, Revision
from storage.database import Database, new_id
from tests.console.office import Browser, Office
from tests.console.test_review import fields_of

MOST = 36
BIG = 120


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    sent: list[str] = []

    def note(*args: object) -> None:
        sent.append(str(args[2]))

    engine = db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def asked(office: Office, browser: Browser, path: str) -> int:
    """How many statements one look at a page takes, after a first look filled the caches.

    The fewest of two: once a minute a look also writes that the session is used, and what is kept
    for a moment runs out.
    """
    await browser.get(path)
    counts = []
    for _ in range(2):
        with counted(office.deps.db) as sent:
            status, _ = await browser.get(path)
        assert status == 200, path
        counts.append(len(sent))
    return min(counts)


async def crowd(office: Office, pattern: Item, count: int) -> None:
    """`count` more items like this one, each with its own person, revision and incident."""
    async with office.deps.db.session() as session:
        revision = (
            await session.scalars(select(Revision).where(Revision.item_id == pattern.id))
        ).first()
        assert revision is not None
        row = {column.name: getattr(pattern, column.name) for column in Item.__table__.columns}
        text = {
            column.name: getattr(revision, column.name) for column in Revision.__table__.columns
        }
        for number in range(count):
            one, holder = new_id(), office.people[sorted(office.people)[number % 8]]
            mine = {"id": one, "title": f"第{number}件", "claimed_by": holder}
            await session.execute(insert(Item).values(row | mine))
            await session.execute(insert(Revision).values(text | {"id": new_id(), "item_id": one}))
    async with office.deps.ledger.transaction() as tx:
        for number in range(count):
            told = Told("release_refused", f"item:{number}", "核验未通过")
            await sign_open(tx, new_id(), told, now())


@pytest.mark.parametrize("path", ["/console/", "/console/items", "/console/items?state=review"])
async def test_the_queue_asks_as_often_for_many_items_as_for_one(office: Office, path: str) -> None:
    item = await office.submitted()
    browser = await office.signed_in("reviewer1")
    few = await asked(office, browser, path)
    await crowd(office, item, BIG)
    assert await asked(office, browser, path) == few <= MOST


async def test_an_item_asks_as_often_after_many_rounds_as_after_one(office: Office) -> None:
    item = await office.submitted()
    browser = await office.signed_in("reviewer1")
    path = f"/console/items/{item.id}"
    few = await asked(office, browser, path)
    async with office.deps.db.session() as session:
        account = (await session.scalars(select(Account.id))).first()
    for number in range(6):
        item = await office.decide(item, "reviewer1", "return")
        text = {"body": f"第{number}次修改后的一句平常的话。"}
        item = await drafting.edit(
            office.deps.queue, item.id, office.people["editor"], item.version, text
        )
        item = await submitting.submit(
            office.deps.queue, item.id, office.people["editor"], item.version
        )
    async with office.deps.db.session() as session:
        for _ in range(40):
            session.add(
                Publication(
                    id=new_id(),
                    release_id=new_id(),
                    item_id=item.id,
                    account_id=account or "",
                    digest="0" * 64,
                    state="held",
                    due_at=now() + timedelta(hours=1),
                )
            )
    assert await asked(office, browser, path) <= few + 2 <= MOST


@pytest.mark.parametrize(("who", "sessions"), [("editor", 2), ("reviewer1", 3)])
async def test_an_item_is_read_once_in_one_session(
    office: Office, monkeypatch: pytest.MonkeyPatch, who: str, sessions: int
) -> None:
    """Besides who asks and that they looked; for a reviewer the gates read as well."""
    item = await office.submitted()
    browser = await office.signed_in(who)
    path = f"/console/items/{item.id}"
    await browser.get(path)
    opened, read = counted_calls(monkeypatch)
    counts = []
    for _ in range(2):  # a look may also write that the session is used
        await browser.get(path)
        counts.append((len(opened), len(read)))
        opened.clear()
        read.clear()
    assert min(counts) == (sessions, 1)


async def test_a_refused_return_with_a_mark_reads_the_item_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await office.submitted()
    browser = await office.signed_in("reviewer1")
    path = f"/console/items/{item.id}"
    _, page = await browser.get(path)
    _, read = counted_calls(monkeypatch)
    form = fields_of(page) | {"verdict": "return", "note": "", "mark_text": item.title}
    status, page = await browser.post(f"{path}/decide", **form)
    assert (status, len(read)) == (422, 1)
    assert "退回要写明理由" in page


def counted_calls(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """Sessions opened, and items read whole, from now on."""
    opened: list[str] = []
    read: list[str] = []
    session, read_facts = Database.session, facts.read_facts

    def open_session(db: Database) -> AbstractAsyncContextManager[AsyncSession]:
        opened.append("session")
        return session(db)

    async def look(given: AsyncSession, item_id: str) -> ItemFacts:
        read.append(item_id)
        return await read_facts(given, item_id)

    monkeypatch.setattr(Database, "session", open_session)
    for module in (facts, view):
        monkeypatch.setattr(module, "read_facts", look)
    return opened, read


async def test_the_ledger_and_the_incidents_ask_as_often_for_many_as_for_one(
    office: Office,
) -> None:
    item = await office.submitted()
    browser = await office.signed_in("admin1")
    few = {
        path: await asked(office, browser, path)
        for path in ("/console/ledger", "/console/incidents")
    }
    await crowd(office, item, BIG)
    for number in range(70):
        async with office.deps.ledger.transaction() as tx:
            actor = office.people[sorted(office.people)[number % 8]]
            await tx.append("signin", subject=f"staff:{actor}", actor=actor, body={})
    for path, count in few.items():
        assert await asked(office, browser, path) == count <= MOST
