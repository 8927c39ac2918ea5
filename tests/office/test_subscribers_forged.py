"""Who writes to the database makes nobody a subscriber: one office, one push, a citizen a trick."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, delete, insert, select, update

from bot.contract import Content
from bot.models import Contact, Delivery
from config.clock import now
from demo.cast import TELEGRAM_ID
from ledger.models import LedgerEntry
from review_queue import drafting, publishing
from review_queue.drafting import Origin
from sandbox.app import start
from storage.database import Base, new_id
from subscriptions.models import Subscription
from subscriptions.proof import ENDED
from subscriptions.subscribers import Subscribers, Wish
from tests.office.talking import Talk, make, talking

WISHES, PEOPLE = (Base.metadata.tables[one] for one in ("subscription", "contact"))
AUDIENCE = {"topics": ["employment"], "groups": ["graduates"], "regions": ["qinghe"]}
Row = dict[str, Any]


class Town:
    """A talk with many citizens, and what of them is in the tables."""

    def __init__(self, talk: Talk) -> None:
        self.talk = talk
        self.citizens: dict[str, str] = {}

    async def citizen(self, name: str, *said: str) -> str:
        """Somebody new who says this; the id of their contact."""
        made = await self.talk.post("citizens", account=TELEGRAM_ID, count=1, prefix=name)
        self.citizens[name] = self.talk.citizen = made["citizens"][0]
        for words in said:
            assert await self.talk.says(words), words
        contacts = self.talk.shenfa.contacts
        async with self.talk.shenfa.db.session() as session:
            account = (await session.scalars(select(Contact.account_id).limit(1))).one()
            found = await contacts.find(session, account, self.citizens[name])
        assert found is not None
        return found.id

    async def rows(self, table: Table, **which: Any) -> list[Row]:
        query = select(table).filter_by(**which)
        async with self.talk.shenfa.db.session() as session:
            return [row._asdict() for row in await session.execute(query)]

    async def own(self, contact_id: str) -> Row:
        (row,) = await self.rows(WISHES, contact_id=contact_id)
        return row

    async def sql(self, *statements: Any) -> None:
        async with self.talk.shenfa.db.session() as session:
            for one in statements:
                await session.execute(one)

    async def put_back(self, row: Row, table: Table = WISHES) -> None:
        """The row as it was, its own good seal included."""
        await self.sql(delete(table).where(table.c.id == row["id"]), insert(table).values(row))

    async def publish(self, title: str) -> None:
        """An approved item, out and turned into messages that nobody has sent yet."""
        shenfa, editor = self.talk.shenfa, self.talk.people["editor"]
        (account,) = await self.rows(Base.metadata.tables["account"], slug="qinghe-tg")
        item = await drafting.create_item(
            shenfa.queue,
            Content("原创", title, "地点在县体育馆，请带身份证件。"),
            Origin(editor, "日常", accounts=(account["id"],), audience=AUDIENCE),
        )
        item = await self.talk.approve(await self.talk.submitted(item), "reviewer1", "reviewer3")
        await publishing.schedule(shenfa.queue, item.id, editor)
        assert await shenfa.publisher.publish_due() == 1
        await shenfa.pusher.create_due()

    async def got(self, title: str) -> set[str]:
        """Who has received it."""
        async with self.talk.http.get(
            f"{self.talk.control}/messages", params={"account": TELEGRAM_ID}
        ) as answer:
            received = (await answer.json())["messages"]
        return {
            name
            for name, citizen in self.citizens.items()
            if any(title in str(one) for one in received.get(citizen, []))
        }


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    runner, url = await start("127.0.0.1", 0)
    await make(tmp_path, url)
    async with talking(tmp_path, url) as talk:
        channel = {"kind": "channel", "username": "qinghe_channel"}
        await talk.post("citizens", account=TELEGRAM_ID, count=1, prefix="channel", **channel)
        await talk.shenfa.lease.start()
        yield Town(talk)
        await talk.shenfa.lease.stop()
    await runner.cleanup()


def made_up(contact_id: str, account_id: str) -> Row:
    """A row that nobody asked for."""
    return {
        "id": new_id(),
        "contact_id": contact_id,
        "account_id": account_id,
        "topic": "employment",
        "grp": "",
        "region": "",
        "frequency": "immediate",
        "state": "active",
        "consent_version": "2026-11",
        "seal": "",
        "after_end": 0,
        "created_at": now(),
    }


async def inserted(town: Town, true: Row) -> None:
    contact = await town.citizen("inserted", "你好")
    await town.sql(insert(WISHES).values(made_up(contact, true["account_id"])))


async def copied(town: Town, true: Row) -> None:
    contact = await town.citizen("copied", "你好")
    await town.sql(insert(WISHES).values(true | {"id": new_id(), "contact_id": contact}))


async def topic_changed(town: Town, true: Row) -> None:
    contact = await town.citizen("topic changed", "订阅消费")
    await town.sql(update(WISHES).where(WISHES.c.contact_id == contact).values(topic="employment"))


async def state_changed(town: Town, true: Row) -> None:
    contact = await town.citizen("state changed", "订阅就业", "退订")
    await town.sql(update(WISHES).where(WISHES.c.contact_id == contact).values(state="active"))


async def left_one(town: Town, true: Row) -> None:
    contact = await town.citizen("left one", "订阅就业", "订阅消费")
    before = (await town.rows(WISHES, contact_id=contact, topic="employment"))[0]
    assert await town.talk.says("退订就业")
    await town.put_back(before)


async def left_all(town: Town, true: Row) -> None:
    contact = await town.citizen("left all", "订阅就业")
    before = await town.own(contact)
    assert await town.talk.says("退订")
    await town.put_back(before)


async def hidden_while_leaving(town: Town, true: Row) -> None:
    contact = await town.citizen("hidden while leaving", "订阅就业")
    before = await town.own(contact)
    await town.sql(delete(WISHES).where(WISHES.c.contact_id == contact))
    assert await town.talk.says("退订就业")
    await town.put_back(before)


async def hidden_while_pausing(town: Town, true: Row) -> None:
    contact = await town.citizen("hidden while pausing", "订阅就业")
    before = await town.own(contact)
    await town.sql(delete(WISHES).where(WISHES.c.contact_id == contact))
    assert await town.talk.says("暂停推送")
    await town.put_back(before)


async def narrowed(town: Town, true: Row) -> None:
    contact = await town.citizen("narrowed", "订阅就业")
    before, shenfa = await town.own(contact), town.talk.shenfa
    subscribers = Subscribers(shenfa.taxonomy)
    async with shenfa.ledger.transaction() as tx:
        wish = Wish("employment", "veterans")
        assert await subscribers.narrow(tx, contact, before["id"], wish)
    await town.put_back(before)


async def narrowed_away(town: Town, true: Row) -> None:
    """The row put back under another id, and the one of now taken away."""
    contact = await town.citizen("narrowed away", "订阅就业")
    before, shenfa = await town.own(contact), town.talk.shenfa
    subscribers = Subscribers(shenfa.taxonomy)
    async with shenfa.ledger.transaction() as tx:
        wish = Wish("employment", "", "baotou")
        assert await subscribers.narrow(tx, contact, before["id"], wish)
    await town.sql(delete(WISHES).where(WISHES.c.contact_id == contact))
    await town.sql(insert(WISHES).values(before | {"id": new_id()}))


async def chose_weekly(town: Town, true: Row) -> None:
    """Nothing goes at once by the row from before; what was chosen since is gone with it."""
    contact = await town.citizen("chose weekly", "订阅就业")
    before = await town.own(contact)
    assert "每周" in await town.talk.says("订阅就业每周")
    await town.put_back(before)


async def tags_deleted(town: Town, true: Row) -> None:
    """What they said of themselves is not used again; nothing goes by the row put back."""
    contact = await town.citizen("tags deleted", "订阅就业 高校毕业生")
    before = await town.own(contact)
    assert before["grp"] == "graduates"
    assert await town.talk.says("关闭精准推送")
    await town.put_back(before)


async def forgotten(town: Town, true: Row) -> None:
    contact = await town.citizen("forgotten", "订阅就业")
    before, (person,) = await town.own(contact), await town.rows(PEOPLE, id=contact)
    assert await town.talk.says("忘记我")
    assert await town.talk.says("1")
    for _ in range(1200):  # the last word is said before its address is gone
        if not await town.rows(WISHES, contact_id=contact):
            break
        await asyncio.sleep(0.05)
    await town.put_back(person, PEOPLE)
    await town.put_back(before)


async def bytes_in_a_column(town: Town, true: Row) -> None:
    contact = await town.citizen("bytes in a column", "你好")
    await town.sql(insert(WISHES).values(made_up(contact, true["account_id"])))
    mine = WISHES.c.contact_id == contact
    for column in ("grp", "consent_version"):
        await town.sql(update(WISHES).where(mine).values({column: "\0"}))


TRICKS: tuple[Callable[[Town, Row], Awaitable[None]], ...] = (
    *(inserted, copied, topic_changed, state_changed, left_one, left_all, hidden_while_leaving),
    *(
        hidden_while_pausing,
        narrowed,
        narrowed_away,
        chose_weekly,
        tags_deleted,
        forgotten,
        bytes_in_a_column,
    ),
)


async def test_whoever_writes_to_the_database_makes_nobody_a_subscriber(town: Town) -> None:
    true = await town.own(await town.citizen("true", "订阅就业"))
    for trick in TRICKS:
        await trick(town, true)
    shenfa = town.talk.shenfa
    await town.publish("招聘会本周六举行")
    while await shenfa.sender.deliver_due():
        pass
    assert len(town.citizens) == 1 + len(TRICKS)
    assert await town.got("招聘会本周六举行") == {"true"}
    (told,) = [subject for kind, subject in await town.talk.incidents() if kind == "row_changed"]
    assert told.startswith("subscription:")
    assert await town.talk.says("你好")  # and the office goes on


async def test_who_leaves_while_a_push_waits_gets_nothing_though_the_row_is_put_back(
    town: Town,
) -> None:
    await town.citizen("true", "订阅就业")
    leaving = await town.citizen("leaving", "订阅就业")
    before = await town.own(leaving)
    topic = await town.citizen("leaving one topic", "订阅就业", "订阅消费")
    await town.publish("技能培训本周六报名")
    assert await town.talk.says("退订就业")
    town.talk.citizen = town.citizens["leaving"]
    # A topic's way out ends nothing by itself: what waits is asked about when it is sent.
    assert await town.talk.says("退订就业")
    await town.put_back(before)
    while await town.talk.shenfa.sender.deliver_due():
        pass
    assert await town.got("技能培训本周六报名") == {"true"}
    async with town.talk.shenfa.db.session() as session:
        asked = Delivery.contact_id.in_([leaving, topic]), Delivery.release_id.is_not(None)
        ends = (await session.execute(select(Delivery.state, Delivery.why).where(*asked))).all()
        states = (await session.scalars(select(Contact.state).distinct())).all()
        entries = select(LedgerEntry.preimage).where(LedgerEntry.kind == ENDED)
        signed = (await session.scalars(entries)).all()
        stands = (await session.scalars(select(Subscription).where(Subscription.topic != ""))).all()
    assert [tuple(one) for one in ends] == [("ended", "本人已退订")] * 2
    assert states == ["active"]  # who left a topic can still be answered
    assert len(signed) == 2
    assert all('"body":{"reason":"left"}' in text for text in signed)
    assert {row.topic for row in stands if row.state == "active" and row.whole} == {
        "employment",
        "consumption",
    }
    assert ("row_changed", f"subscription:{before['id']}") in await town.talk.incidents()
