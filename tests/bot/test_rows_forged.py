"""Who writes to `delivery` or `contact` alone makes nothing leave, and nobody else waits for it."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text, update

from bot.codes import ACCOUNT_HOLD
from bot.contract import Release, ReplyBasis, State
from bot.delivery import life
from bot.delivery.outbox import hold, queue_reply
from bot.models import Contact, Delivery
from bot.sealing import rewrite, whole
from bot.telegram.channel import TelegramChannel
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Database
from storage.seals import seals_of
from tests.bot.conftest import Office, Platforms, Process, parts
from tests.made import taken_by_sql

WORDS = "请加微信领取补贴"
PEOPLE = 4


@dataclass
class Street:
    """An office on the Telegram sandbox, and the people of one street there."""

    office: Office
    platforms: Platforms
    people: list[str]
    process: Process
    release: Release
    rows: list[str]

    async def heard(self) -> list[str]:
        """Every text that reached anybody."""
        found: list[str] = []
        for citizen in self.people:
            seen = await self.platforms.seen("messages", account="7", citizen=citizen)
            found += [message["text"] for message in seen["messages"]]
        return found

    async def sql(self, statement: str, **values: Any) -> None:
        """What somebody with the database and without the key can do."""
        async with self.office.db.session() as session:
            await session.execute(text(statement), values)

    async def deliver(self) -> None:
        while await self.process.sender.deliver_due():
            pass

    async def states(self) -> dict[str, str]:
        async with self.office.db.session() as session:
            rows = await session.execute(select(Delivery.id, Delivery.state))
            return {row.id: row.state for row in rows}


@pytest.fixture
async def street(platforms: Platforms, db: Database, crypt: DataKey) -> AsyncIterator[Street]:
    channel = TelegramChannel(MemoryCache(), platforms.hosts)
    office = Office(db, crypt, channel, platforms.hosts)
    await platforms.control("accounts", platform="telegram", token="7:abc", name="青禾发布")
    made = await platforms.control("citizens", account="7", count=PEOPLE, prefix="c")
    people = [str(one) for one in made["citizens"]]
    secrets = {"token": "7:abc", "webhook_secret": "s", "chat": "@qinghe"}
    await office.open("telegram", f"{platforms.url}/telegram", secrets, settings={"per_second": 0})
    release = office.release()
    rows = await office.deliveries(release, people)
    yield Street(office, platforms, people, office.process(), release, rows)
    await channel.close()


# --- rows that were written or changed --------------------------------------------------------

REPLY = '{"basis": "template", "pieces": [{"kind": "filled", "name": "said", "fields": %s}], %s}'
FORGED_REPLY = REPLY % ('{"text": "' + WORDS + '"}', '"choices": []')
OLD_REPLY = '{"account_id": "a", "text": "' + WORDS + '", "basis": "staff", "buttons": []}'


@pytest.mark.parametrize("reply", [FORGED_REPLY, OLD_REPLY])
async def test_a_reply_inserted_for_every_follower_reaches_nobody(
    street: Street, reply: str
) -> None:
    await street.sql(
        "INSERT INTO delivery (id, content_key, account_id, contact_id, reason, reply, late, state,"
        " ref, why, hold, owner, attempts, created_at, seal) SELECT substr(id, 2) || '!', 'mine',"
        " account_id, id, '', :reply, false, 'created', '', '', '', '', 0, created_at,"
        " (SELECT max(seal) FROM delivery) FROM contact",
        reply=reply,
    )
    await street.deliver()
    heard = await street.heard()
    assert len(heard) == PEOPLE  # the push that was waiting beside it
    assert WORDS not in "".join(heard)
    assert [table for table, _ in street.office.changed] == ["delivery"]  # one forging, said once
    forged = {key: state for key, state in (await street.states()).items() if key.endswith("!")}
    assert set(forged.values()) == {State.HELD}
    assert street.office.changed[0][1] in forged


UNREADABLE = {
    "no json": "UPDATE delivery SET reply = '{' WHERE id = :row",
    "json without end": f"UPDATE delivery SET reply = '{'[' * 200_000}' WHERE id = :row",
    "bytes for json": "UPDATE delivery SET reply = x'ff' WHERE id = :row",
    "broken text": "UPDATE delivery SET reason = CAST(x'ff' AS TEXT) WHERE id = :row",
    "contact": "UPDATE contact SET last_inbound_at = x'ff' WHERE id ="
    " (SELECT contact_id FROM delivery WHERE id = :row)",
}


@pytest.mark.parametrize("how", UNREADABLE)
async def test_a_row_that_cannot_be_read_is_held_alone_and_named(street: Street, how: str) -> None:
    wrong = street.rows[1]
    async with street.office.db.session() as session:
        contact = (await session.get_one(Delivery, wrong)).contact_id
    if not await taken_by_sql(street.office.db, UNREADABLE[how], row=wrong):
        return
    await street.deliver()
    assert len(await street.heard()) == PEOPLE - 1
    states = await street.states()
    assert states.pop(wrong) == State.HELD
    assert set(states.values()) == {State.PUBLISHED}
    named = ("contact", contact) if how == "contact" else ("delivery", wrong)
    assert street.office.changed == [named]


CHANGES: dict[str, str] = {
    "reason": "'" + WORDS + "'",
    "reply": "'" + FORGED_REPLY.replace("'", "''") + "'",
    "content_key": "'another'",
    "release_id": "'another'",
    "publication_id": "'another'",
    "account_id": "'another'",
    "late": "true",
    "seal": "'0'",
}


@pytest.mark.parametrize("column", CHANGES)
async def test_a_changed_row_is_held_alone_and_named(street: Street, column: str) -> None:
    changed, *others = street.rows
    await street.sql(
        f"UPDATE delivery SET {column} = {CHANGES[column]} WHERE id = :id",
        id=changed,
    )
    await street.deliver()
    heard = await street.heard()
    assert len(heard) == PEOPLE - 1
    assert WORDS not in "".join(heard)
    states = await street.states()
    assert states[changed] == State.HELD
    assert {states[one] for one in others} == {State.PUBLISHED}
    assert street.office.changed == [("delivery", changed)]


ELSEWHERE = {
    "delivery": "UPDATE delivery SET contact_id = :other WHERE id = :row",
    "address": "UPDATE contact SET address = (SELECT c.address FROM contact c WHERE c.id = :other)"
    " WHERE id = :own",
    "account": "UPDATE contact SET account_id = 'another' WHERE id = :own",
    # As it is when a contact was moved to this account before its row was made.
    "another account's": "UPDATE contact SET address_hash = 'of another' WHERE id = :own",
}


@pytest.mark.parametrize("where", ELSEWHERE)
async def test_a_message_for_one_person_is_not_led_to_another(street: Street, where: str) -> None:
    row, free, *_ = street.rows
    own, other = [(await street.office.row(Delivery, one)).contact_id for one in (row, free)]
    await street.sql("DELETE FROM delivery WHERE id = :id", id=free)
    given = {"row": row, "own": own, "other": other}
    used = {name: value for name, value in given.items() if f":{name}" in ELSEWHERE[where]}
    await street.sql(ELSEWHERE[where], **used)
    await street.deliver()
    assert len(await street.heard()) == PEOPLE - 2
    assert (await street.states())[row] == State.HELD
    changed = ("delivery", row) if where == "delivery" else ("contact", own)
    assert street.office.changed == [changed]


# --- sent twice -------------------------------------------------------------------------------


async def again(street: Street) -> None:
    await street.sql("UPDATE delivery SET state = 'created', next_at = NULL")


async def as_retry(street: Street) -> None:
    await street.sql("UPDATE delivery SET state = 'retrying', attempts = 0, finished_at = NULL")


Attack = Callable[[Street], Awaitable[None]]


@pytest.mark.parametrize("attack", [again, as_retry])
async def test_what_was_sent_is_not_sent_again(street: Street, attack: Attack) -> None:
    await street.deliver()
    await attack(street)
    for process in (street.process, street.office.process()):
        await process.sender.deliver_due()
    assert len(await street.heard()) == PEOPLE
    assert set((await street.states()).values()) == {State.HELD}
    assert street.office.changed


async def put_back(street: Street, seals: dict[str, str]) -> None:
    for key, seal in seals.items():
        await street.sql(
            "UPDATE delivery SET state = 'created', seal = :seal WHERE id = :id", seal=seal, id=key
        )


async def seals_now(street: Street) -> dict[str, str]:
    async with street.office.db.session() as session:
        rows = await session.execute(select(Delivery.id, Delivery.seal))
        return {row.id: row.seal for row in rows}


async def test_an_older_copy_of_a_row_is_not_sent_again_by_the_process_that_sent_it(
    street: Street,
) -> None:
    before = await seals_now(street)
    await street.deliver()
    await put_back(street, before)
    await street.deliver()
    assert len(await street.heard()) == PEOPLE


async def test_a_message_whose_row_was_made_anew_is_not_sent_again_by_the_process_that_sent_it(
    street: Street,
) -> None:
    await street.deliver()
    await street.sql("DELETE FROM delivery")
    rows = await street.office.deliveries(street.release, street.people)
    assert not set(rows) & set(street.rows)
    await street.deliver()
    assert len(await street.heard()) == PEOPLE
    assert set((await street.states()).values()) == {State.HELD}


async def test_an_older_copy_of_a_row_is_sent_by_no_process_once_its_push_is_sealed(
    street: Street,
) -> None:
    publication = await street.office.publication(street.release)
    async with street.office.db.session() as session:
        for row in (await session.scalars(select(Delivery))).all():
            row.publication_id = publication
    before = await seals_now(street)
    await street.deliver()
    street.office.finished.add(publication)
    await put_back(street, before)
    await street.office.process().sender.deliver_due()
    assert len(await street.heard()) == PEOPLE
    assert set((await street.states()).values()) == {State.HELD}


async def test_a_held_row_goes_out_after_its_push_was_sealed_when_it_was_marked(
    street: Street,
) -> None:
    held, *_ = street.rows
    async with street.office.db.session() as session:
        for row in (await session.scalars(select(Delivery))).all():
            row.publication_id = "p1"
            row.state = State.HELD if row.id == held else State.PUBLISHED
        await rewrite(session, Delivery.state == State.HELD, late=True)
    street.office.finished.add("p1")
    async with street.office.db.session() as session:
        await rewrite(session, Delivery.id == held, state=State.CREATED)
    await street.deliver()
    assert len(await street.heard()) == 1


# --- answers sent again after a restart ---------------------------------------------------------

MINUTE, HOUR = 60.0, 3600.0


def pass_time(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    moment = time.time() + seconds
    monkeypatch.setattr("bot.delivery.life.time", SimpleNamespace(time=lambda: moment))


async def answer(street: Street, basis: ReplyBasis = ReplyBasis.TEMPLATE) -> str:
    """One answer waits, and nothing else."""
    await street.sql("DELETE FROM delivery")
    async with street.office.db.session() as session:
        contact = (await session.scalars(select(Contact.id).limit(1))).one()
    told = parts(street.office.account.id, contact, "好", basis)
    return await queue_reply(street.office.db, told, "in:1")


async def test_an_old_answer_put_back_after_a_restart_is_not_sent_again(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await answer(street)
    before = await seals_now(street)
    pass_time(monkeypatch, 14 * MINUTE)
    await street.deliver()
    assert await street.heard() == ["好"]
    await put_back(street, before)
    pass_time(monkeypatch, 16 * MINUTE)
    await street.office.process().sender.deliver_due()
    assert await street.heard() == ["好"]
    found = await street.office.row(Delivery, row)
    assert (found.state, found.why) == (State.ENDED, life.WORDS)
    contact = await street.office.row(Contact, found.contact_id)
    assert contact.state == "active"  # the answer ended, not the citizen


@pytest.mark.parametrize(("age", "sent"), [(23 * HOUR, True), (25 * HOUR, False)])
async def test_an_answer_held_with_its_account_is_sent_within_a_day(
    street: Street, monkeypatch: pytest.MonkeyPatch, age: float, *, sent: bool
) -> None:
    await answer(street)
    async with street.office.db.session() as session:
        mine = Delivery.account_id == street.office.account.id
        await hold(session, mine, "平台拒绝", ACCOUNT_HOLD)
    pass_time(monkeypatch, age)
    await street.process.sender.resume(street.office.account.id)
    await street.deliver()
    assert await street.heard() == (["好"] if sent else [])


async def test_an_answer_held_at_its_call_is_late_and_still_whole(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await answer(street)
    await street.sql("UPDATE account SET enabled = false")
    await street.deliver()
    found = await street.office.row(Delivery, row)
    assert (found.state, found.hold, found.late, found.whole) == ("held", ACCOUNT_HOLD, True, True)


@pytest.mark.parametrize(
    ("basis", "noted"), [(ReplyBasis.TEMPLATE, []), (ReplyBasis.STAFF, [State.PUBLISHED])]
)
async def test_a_persons_answer_is_noted_once_it_is_out_and_a_robots_is_not(
    street: Street, basis: ReplyBasis, noted: list[State]
) -> None:
    await answer(street, basis)
    await street.deliver()
    assert await street.heard() == ["好"]
    assert street.office.answered == noted


# --- what is rewritten by our own statements --------------------------------------------------


async def test_rows_that_end_with_their_contact_stay_whole_and_a_forged_one_stays_forged(
    street: Street,
) -> None:
    forged, *_ = street.rows
    await street.sql("UPDATE delivery SET reason = 'x' WHERE id = :id", id=forged)
    async with street.office.db.session() as session:
        for row in (await session.scalars(select(Delivery))).all():
            await street.office.contacts.end(session, row.contact_id, "对方取消关注")
    async with street.office.db.session() as session:
        rows = (await session.scalars(select(Delivery))).all()
    assert {row.state for row in rows} == {State.ENDED}
    assert {row.id: row.whole for row in rows} == {one: one != forged for one in street.rows}


async def test_what_a_dead_process_left_is_sealed_as_unknown(street: Street) -> None:
    async with street.office.db.session() as session:
        await session.execute(update(Delivery).values(state=State.SENDING, owner="gone"))
    assert await street.process.lease.start() == PEOPLE
    await street.process.lease.stop()
    await again(street)
    await street.office.process().sender.deliver_due()
    assert await street.heard() == []


async def test_a_recall_that_ended_rows_in_one_statement_leaves_them_believed(
    street: Street,
) -> None:
    async with street.office.db.session() as session:
        await session.execute(update(Delivery).values(state=State.ENDED))
        seals = seals_of(session)
        rows = (await session.execute(select(Delivery.__table__))).all()
    assert all(whole(seals, row._asdict()) for row in rows)


async def test_a_reply_waits_as_parts_and_never_as_words(street: Street) -> None:
    async with street.office.db.session() as session:
        contact = (await session.scalars(select(Contact.id).limit(1))).one()
    street.process.lease.halt()
    await street.process.sender.reply_now(parts(street.office.account.id, contact, "好"), "in:1")
    async with street.office.db.session() as session:
        [row] = (await session.scalars(select(Delivery).where(Delivery.release_id.is_(None)))).all()
    assert row.reply is not None
    assert set(row.reply) == {"basis", "pieces", "choices"}
