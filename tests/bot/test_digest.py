"""One message of what waits for one person: each item once, none when nothing may leave."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.contract import REFUSED, Outcome, Release, State, Withheld
from bot.delivery.digest import MOST_BYTES, AllStill, Ready, written
from bot.delivery.digested import Left, digest_days, digests_left
from bot.models import Attempt, Contact, Delivery
from bot.telegram.channel import TelegramChannel
from commands.topics import digest_line, digest_row
from config.clock import now
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Database
from tests.bot.conftest import Office, Platforms, free, parts
from tests.bot.test_push_links import opened


def item(title: str, text: str = "正文", reason: str = "您订阅了 就业创业") -> Ready:
    form = {"text": f"{title}\n\n{text}\n\n为什么收到：{{reason}}", "entities": [_bold(title)]}
    return Ready({"push": form}, title, "https://a.example/1", reason, free)


def _bold(title: str) -> dict[str, Any]:
    return {"type": "bold", "offset": 0, "length": len(title)}


def test_short_items_stand_whole_with_their_marks_in_place_and_one_reason() -> None:
    number, form, reason = written([item("甲题"), item("乙题😀"), item("丙题", reason="另一个")])
    text = form["push"]["text"]
    assert number == 3
    assert text.startswith("为您汇总 3 条：")
    assert text.count("为什么收到：") == 1
    assert reason == "您订阅了 就业创业；另一个"
    wide = text.encode("utf-16-le")
    for entity, title in zip(form["push"]["entities"], ("甲题", "乙题", "丙题"), strict=True):
        at = entity["offset"] * 2
        assert wide[at : at + 4].decode("utf-16-le") == title


def test_long_items_become_a_list_and_what_does_not_fit_waits_for_the_next() -> None:
    long = [item(f"第{n}题", "字" * 500) for n in range(5)]
    number, form, _ = written(long)
    assert number == 5
    assert form["push"]["text"].count("https://a.example/1") == 5
    many = [item(f"第{n}题" + "名" * 60, "字" * 500) for n in range(40)]
    number, form, reason = written(many)
    assert 1 < number < 40
    assert len((form["push"]["text"] + reason).encode()) <= MOST_BYTES


async def test_an_item_taken_back_while_the_digest_waits_holds_it_alone_back() -> None:
    async def gone() -> None:
        raise Withheld(Outcome(State.ENDED, reason="撤回"))

    rows = [item("甲"), replace(item("乙"), still=gone)]
    still = AllStill(rows)
    with pytest.raises(Withheld):
        await still()
    assert [one.state for one in still.outcomes(Outcome(State.ENDED))] == [
        State.RETRYING,
        State.ENDED,
    ]


@pytest.fixture
async def channel(platforms: Platforms) -> AsyncIterator[TelegramChannel]:
    made = TelegramChannel(MemoryCache(), platforms.hosts)
    yield made
    await made.close()


async def gathered(office: Office, release: Release, people: list[str]) -> list[str]:
    rows = await office.deliveries(release, people)
    async with office.db.session() as session:
        await session.execute(update(Delivery).where(Delivery.id.in_(rows)).values(gather=True))
    return rows


async def test_two_items_of_one_reader_are_one_message_and_each_row_is_told(
    db: Database, crypt: DataKey, channel: TelegramChannel, platforms: Platforms
) -> None:
    office = await opened(db, crypt, channel, platforms, "@qinghe")
    found = (await platforms.seen("citizens", account="7"))["citizens"]
    [citizen] = [one["citizen"] for one in found if not str(one["citizen"]).startswith("-")]
    first = await gathered(office, office.release(title="甲题"), [citizen])
    second = await gathered(office, office.release(title="乙题"), [citizen])
    late = await gathered(office, office.release(title="丙题"), [citizen])
    back = office.release(title="丁题")
    refused = await gathered(office, back, [citizen])
    office.refused[back.id] = ["已撤回"]
    async with office.db.session() as session:
        hour = update(Delivery).where(Delivery.id.in_(late))
        await session.execute(hour.values(next_at=now() + timedelta(hours=1)))
    one, other = office.process(), office.process()
    assert await one.sender.deliver_due() + await other.sender.deliver_due() == 3
    messages = (await platforms.seen("messages", account="7", citizen=citizen))["messages"]
    assert len(messages) == 1
    assert "为您汇总 2 条" in messages[0]["text"]
    assert all(messages[0]["text"].count(title) == 1 for title in ("甲题", "乙题"))
    assert "丙题" not in messages[0]["text"]
    states = [(await office.row(Delivery, key)).state for key in (*first, *second, *late)]
    assert states == [State.PUBLISHED, State.PUBLISHED, State.CREATED]
    assert (await office.row(Delivery, refused[0])).state in (State.HELD, State.ENDED)
    assert await one.sender.deliver_due() == 0
    async with office.db.session() as session:
        tried = (await session.scalars(Attempt.__table__.select())).all()
        days = await digest_days(session)
        left = await digests_left(session)
    assert len(tried) == 3
    [day] = days
    counts = {"messages": 1, "items": 2, "skipped": 0, "failed": 0}
    names = {office.account.id: "qinghe"}
    assert {"account": "qinghe", "day": day.day, **counts}.items() <= digest_row(day, names).items()
    assert "qinghe" in digest_line(day, names)
    assert digest_line(day, names).endswith("发出 1，含稿件 2，跳过 0，没有成功 0")
    assert left == {office.account.id: Left(now=0, later=1)}


async def test_a_digest_of_which_nothing_may_leave_is_no_message(
    db: Database, crypt: DataKey, channel: TelegramChannel, platforms: Platforms
) -> None:
    office = await opened(db, crypt, channel, platforms, "@qinghe")
    found = (await platforms.seen("citizens", account="7"))["citizens"]
    [citizen] = [one["citizen"] for one in found if not str(one["citizen"]).startswith("-")]
    for title in ("甲题", "乙题"):
        release = office.release(title=title)
        office.refused[release.id] = ["已撤回"]
        await gathered(office, release, [citizen])
    async with office.db.session() as session:
        assert await digests_left(session) == {office.account.id: Left(now=1, later=0)}
    await office.process().sender.deliver_due()
    assert (await platforms.seen("messages", account="7", citizen=citizen))["messages"] == []
    ended = await gathered(office, office.release(title="丙题"), [citizen])
    row = await office.row(Delivery, ended[0])
    async with office.db.session() as session:
        await session.execute(
            update(Contact).where(Contact.id == row.contact_id).values(state="ended")
        )
    await office.process().sender.deliver_due()
    async with office.db.session() as session:
        [day] = await digest_days(session)
    assert (day.messages, day.items, day.skipped, day.failed) == (0, 0, 1, 0)
    assert day.began == day.newest


async def test_who_refuses_notices_gets_no_pushes_until_they_write_and_is_answered(
    office: Office,
) -> None:
    channel, sender = office.channel, office.process().sender
    words = Outcome(
        State.ENDED, reason="对方在微信里拒收推送", code="43101", detail={REFUSED: True}
    )
    channel.answers["c1"] = words
    [first] = await office.deliveries(office.release(), ["c1"])
    await sender.deliver_due()
    row = await office.row(Delivery, first)
    person = await office.row(Contact, row.contact_id)
    assert (row.state, person.state, person.refused_why) == ("ended", "active", words.reason)
    assert person.refused_at is not None
    calls = channel.calls
    [second] = await office.deliveries(office.release(), ["c1"])
    async with office.db.session() as session:  # made without an act of theirs
        before = {"last_inbound_at": person.refused_at - timedelta(hours=1), "brief_at": None}
        await session.execute(update(Contact).where(Contact.id == person.id).values(**before))
    await sender.deliver_due()
    assert channel.calls == calls
    assert (await office.row(Delivery, second)).why == words.reason
    reply = parts(office.account.id, person.id, "您好")
    channel.answers.clear()
    assert (await sender.reply_now(reply, "r")).state is State.PUBLISHED
    [third] = await office.deliveries(office.release(), ["c1"])  # they have written again
    await sender.deliver_due()
    assert (await office.row(Delivery, third)).state == State.PUBLISHED
