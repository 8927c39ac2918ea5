"""A dialogue as the phone shows it: nothing a citizen asks puts the bot to silence."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.models import Delivery, InboundMessage
from console.tickets.talk import ROBOT, Talk, talk_of
from demo.acts import policies
from escalations.models import Ticket, TicketMessage
from escalations.transcript import conversation
from tests.office.both import Both, both, until

WORKLESS = "失业保险金的标准：每人一个月1710元"
LOAN = "创业担保贷款的额度，个人最高30万元"
WAGES = "我在工地干活，老板拖欠了我三个月工资"


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        stage: Any = SimpleNamespace(shenfa=made.talk.shenfa, people=made.talk.people)
        await policies(stage)
        yield made


async def rows(town: Both, table: Any) -> list[Any]:
    async with town.talk.shenfa.db.session() as session:
        return [*(await session.scalars(select(table).order_by(table.id)))]


def number_of(said: str, label: str) -> str:
    found = re.search(rf"^(\d)\. .*{label}", said, re.M)
    assert found is not None, said
    return found[1]


async def test_a_conversation_with_doubts_a_person_and_other_questions_beside_it(
    town: Both,
) -> None:
    who = await town.citizen("wechat")

    async def says(words: str) -> str:
        """What the phone shows next: in the call, or as a message where the machine is slow."""
        before = len(await town.got("wechat", who))
        await town.say("wechat", who, words)

        async def came() -> bool:
            return len(await town.got("wechat", who)) > before

        assert await until(came, 15)
        return (await town.got("wechat", who))[-1]

    # What the bot is not sure of it offers, and nobody is called for it.
    offered = await says("被公司辞退了怎么办")
    assert "没有把握" in offered
    quoted = await says(number_of(offered, "失业保险金申领服务办法》第一条"))
    assert "根据现行政策原文" in quoted
    assert "—— 《青禾县失业保险金申领服务办法》 第一条" in quoted
    assert WORKLESS in await says("失业保险金的标准是多少")
    assert await rows(town, Ticket) == []
    # Whoever wants a person gets one, and says what it is about.
    assert re.search(r"单号 \w{6}，预计 .* 前答复", await says("转人工"))
    (ticket,) = await rows(town, Ticket)
    assert ticket.question == "失业保险金的标准是多少"
    assert ticket.candidates[0]["title"] == "青禾县失业保险金申领服务办法"
    # On that matter the bot is silent; whatever else is asked is answered and names the ticket.
    assert "已收到" in (silent := await says("我的失业保险金的标准为什么少了"))
    assert "1710" not in silent
    other = await says("创业担保贷款额度多少")
    assert LOAN in other
    assert re.search(rf"您的咨询单 {ticket.id[-6:].upper()} 仍在办理，预计 .* 前答复", other)
    assert "已订阅" in await says("订阅就业")
    assert "· 就业创业" in await says("我的订阅")
    # What it cannot answer goes to who holds the ticket, and so does what is given to them.
    assert "已收到" in await says(WAGES)
    other = await says("创业担保贷款额度多少")
    assert "已收到" in await says(number_of(other, "补充到咨询单"))
    assert [one.text for one in await rows(town, TicketMessage)] == [
        "我的失业保险金的标准为什么少了",
        WAGES,
        "创业担保贷款额度多少",
    ]
    assert "已退订" in await says("退订就业")
    assert len(await rows(town, Ticket)) == 1


async def talk_now(town: Both) -> Talk:
    shenfa = town.talk.shenfa
    async with shenfa.db.session() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        return await talk_of(shenfa.console_deps().recall, session, ticket, [])


@pytest.mark.parametrize("platform", ["wechat", "telegram"])
async def test_the_person_on_duty_reads_both_sides_of_the_conversation(
    town: Both, platform: str
) -> None:
    who = await town.citizen(platform)
    await town.say(platform, who, "失业保险金的标准是多少，我的电话13812345678")
    if platform == "wechat":
        await town.tap(platform, who, key="person")  # in its menu
    else:
        await town.say(platform, who, "转人工")
    assert await until(lambda: kept(town, 2), 8)
    talk = await talk_now(town)
    first, second, third, fourth = talk.lines
    assert [one.who for one in talk.lines] == ["", ROBOT, "", ROBOT]
    assert first.text == "失业保险金的标准是多少，我的电话［手机号］"
    assert WORKLESS in second.text
    assert "《青禾县失业保险金申领服务办法》第三条" in second.text
    assert third.text == ("（选择：转人工）" if platform == "wechat" else "转人工")
    assert "已转值班人员，单号" in fourth.text
    assert "按现在的回复模板和政策原文还原" in "".join(talk.notes)
    # What somebody wrote past the program is no word of the bot's; what is gone is said to be.
    async with town.talk.shenfa.db.session() as session:
        await session.execute(update(InboundMessage).values(said="x" * 80))
        await session.execute(update(Delivery).values(reply={"pieces": []}))
    forged = await talk_now(town)
    assert [one.who for one in forged.lines] == ["", ""]
    assert "有 2 条来信没有留下机器人的答复" in "".join(forged.notes)


async def kept(town: Both, answers: int) -> bool:
    async with town.talk.shenfa.db.session() as session:
        ticket = (await session.scalars(select(Ticket))).first()
        if ticket is None:
            return False
        acts = (await conversation(session, ticket)).acts
    return sum(one.answer is not None and one.out for one in acts) == answers


async def test_what_was_said_long_after_the_answer_is_no_part_of_the_conversation(
    town: Both,
) -> None:
    who = await town.citizen("wechat")
    await town.say("wechat", who, "转人工")
    async with town.talk.shenfa.db.session() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        ticket.state, ticket.answered_at = "answered", ticket.created_at
    await town.move(8 * 24 * 3600)
    await town.say("wechat", who, "失业保险金的标准是多少")
    assert [one.text for one in (await talk_now(town)).lines if not one.who] == ["转人工"]


async def test_of_somebody_who_was_forgotten_nothing_stays_in_the_conversation(
    town: Both,
) -> None:
    who = await town.citizen("wechat")
    for words in ("失业保险金的标准是多少", "转人工", "忘记我", "1"):
        await town.say("wechat", who, words)
    talk = await talk_now(town)
    assert {(one.who, one.text) for one in talk.lines} == {("", "（已按本人要求删除）")}


async def test_whoever_pressed_for_a_person_gets_them_what_the_library_finds(town: Both) -> None:
    recall = town.talk.shenfa.console_deps().recall
    found = await recall.near(["（请求人工服务）", "创业担保贷款额度多少", "失业保险金的标准"])
    assert found[0]["title"] == "青禾县失业保险金申领服务办法"
    assert "青禾县创业担保贷款实施办法" in [one["title"] for one in found]
    assert await recall.near(["（请求人工服务）"]) == []


async def test_whoever_asked_for_a_person_first_then_tells_them_what_for(town: Both) -> None:
    who = await town.citizen("telegram")
    await town.say("telegram", who, "转人工")
    assert await town.told("telegram", who, "已转值班人员")
    await town.say("telegram", who, "失业保险金的标准是多少")
    assert await town.told("telegram", who, "已收到，并转给值班人员")
    assert not await town.told("telegram", who, "1710", 0.3)
    assert [one.text for one in await rows(town, TicketMessage)] == ["失业保险金的标准是多少"]
