"""A staff answer that the platform does not take now is not sent, and goes out when it is taken."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from escalations import replying, tickets
from escalations.models import Ticket
from escalations.outcomes import settle_replies
from tests.office.both import Both, both

WORDS = "路灯由县城市管理局负责，三天内修复。"


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        yield made


async def ticket_of(town: Both) -> Ticket:
    async with town.talk.shenfa.db.session() as session:
        return (await session.scalars(select(Ticket))).one()


async def answered(town: Both) -> Any:
    wiring, duty = town.talk.shenfa.tickets, town.talk.people["duty1"]
    ticket = await ticket_of(town)
    await tickets.claim(wiring, ticket.id, duty)
    return await replying.reply(wiring, ticket.id, duty, WORDS)


async def test_an_answer_after_the_minute_of_a_menu_press_waits_for_the_citizens_next_act(
    town: Both,
) -> None:
    who = await town.citizen("wechat")
    await town.tap("wechat", who, key="person")
    await town.move(90)
    reply = await answered(town)
    assert (reply.state, (await ticket_of(town)).state) == ("held", "replied")
    await town.tap("wechat", who, event="view")
    await town.tap("wechat", who, event="location")
    await town.deliver()
    assert not await town.told("wechat", who, WORDS, 0.5)
    await town.tap("wechat", who, key="latest")  # a press takes three, for a minute
    await town.deliver()
    assert await town.told("wechat", who, WORDS)
    assert await settle_replies(town.talk.shenfa.tickets) == 1
    ticket = await ticket_of(town)
    assert ticket.state == "answered"
    assert ticket.answered_at is not None
    assert sum(WORDS in one for one in await town.got("wechat", who)) == 1


async def test_an_answer_within_that_minute_is_sent_at_once(town: Both) -> None:
    who = await town.citizen("wechat")
    await town.tap("wechat", who, key="person")
    await town.move(30)
    assert (await answered(town)).state == "sent"
    assert (await ticket_of(town)).state == "answered"
    assert await town.told("wechat", who, WORDS)


async def test_an_answer_to_somebody_who_left_meanwhile_comes_back_as_failed(town: Both) -> None:
    who = await town.citizen("wechat")
    await town.tap("wechat", who, key="person")
    await town.move(90)
    await answered(town)
    await town.tap("wechat", who, event="unfollow")
    await settle_replies(town.talk.shenfa.tickets)
    assert (await ticket_of(town)).state == "claimed"


async def test_whoever_only_pressed_is_asked_to_write_so_that_they_can_be_answered(
    town: Both,
) -> None:
    who = await town.citizen("wechat")
    said = await town.tap("wechat", who, key="person")
    assert "请再发一条文字" in said["reply"]["Content"]
    other = await town.citizen("wechat", "写字的人")
    assert "请再发一条文字" not in (await town.say("wechat", other, "转人工"))["reply"]["Content"]
    third = await town.citizen("telegram")
    await town.say("telegram", third, "转人工")
    assert await town.told("telegram", third, "已转值班人员")
    assert not any("请再发一条文字" in one for one in await town.got("telegram", third))
