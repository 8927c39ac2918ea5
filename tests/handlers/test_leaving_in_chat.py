"""Leaving, pausing and going on in chat, on both platforms and wherever the conversation stands."""

from datetime import timedelta

import pytest

from bot.contract import InboundKind
from config.clock import beijing, now
from tests.handlers.test_conversations import active
from tests.handlers.test_leaving import SAID
from tests.made import turn

STATES = {
    "nothing open": ["订阅就业和消费"],
    "in the middle of subscribing": ["订阅就业和消费", "订阅"],
    "an open ticket": ["订阅就业和消费", "我家门口的井盖坏了谁来修", "转人工"],
    "the bot has asked": ["订阅就业和消费", "补贴"],
}
WORDS = [
    *("取消全部订阅", "全部取消", "不要再发了", "别给我发了", "不想收到", "停止推送", "都取消"),
    *("天天发，烦死了，取消订阅", "能不能不要再发了", "我已经找到工作了，不用再给我推送了"),
]


@pytest.mark.parametrize("before", STATES.values(), ids=STATES)
async def test_every_way_of_leaving_works_in_every_state(citizen, before) -> None:
    for words in WORDS:
        await citizen.office.cache.delete(f"said:{citizen.contact.id}")
        for earlier in before:
            await citizen.say(earlier)
        assert "已全部退订，共 2 项" in await citizen.say(words), words
        assert await active(citizen) == []


SIXTY = [words for act, words in SAID if act == "all"][::2][:60]
HALVES = {"telegram": SIXTY[::2], "wechat": SIXTY[1::2]}
"""Each of the sixty in each state; the platforms take turns: words are heard before them."""


@pytest.mark.parametrize("before", STATES.values(), ids=STATES)
async def test_sixty_listed_ways_withdraw_in_every_state(citizen, before) -> None:
    ways = HALVES[citizen.platform]
    assert len(SIXTY) == 60
    for words in ways:
        await citizen.office.cache.delete(f"said:{citizen.contact.id}")
        for earlier in before:
            await citizen.say(earlier)
        assert "已全部退订，共 2 项" in await citizen.say(words), words
        assert await active(citizen) == []


async def test_leaving_one_by_plain_words_keeps_the_rest_also_while_answers_are_stopped(
    citizen,
) -> None:
    await citizen.say("订阅就业和打假")
    await turn(citizen.office.ledger, "answers")
    assert "已退订：就业创业" in await citizen.say("别再发就业的消息了")
    assert await active(citizen) == [("anti_fake", "", "")]


async def test_what_is_refused_of_a_topic_they_do_not_have_stays_a_question(citizen) -> None:
    await citizen.say("订阅消费")
    assert "已退订" not in await citizen.say("别再发就业的消息了")
    assert await active(citizen) == [("consumption", "", "")]


async def test_a_pause_says_its_end_and_what_now_holds_and_is_ended_by_a_word(citizen) -> None:
    await citizen.say("订阅就业 每日")
    day = (beijing(now()).date() + timedelta(days=7)).isoformat()
    said = await citizen.say("停一周")
    assert f"已暂停推送，{day} 恢复" in said
    assert f"· 就业创业（每日，暂停到 {day}）" in said
    month = (beijing(now()).date() + timedelta(days=30)).isoformat()
    assert f"{month} 恢复" in await citizen.say("停一下推送")
    assert "（每日，暂停到" in await citizen.say("我的订阅")
    assert "已恢复推送" in await citizen.tap("恢复推送")
    assert "· 就业创业（每日）" in await citizen.say("我的订阅")


async def test_a_pause_of_last_months_button_or_of_nothing_is_a_clear_word(office) -> None:
    citizen = await office.citizen()
    for key in ("pause:0", "pause:x", "pause:9999"):
        assert "已失效" in (await citizen.act(InboundKind.BUTTON, key=key)).text
    assert "没有正在生效的订阅" in await citizen.say("暂停推送")


async def test_who_asks_how_to_leave_is_shown_the_ways_out(citizen) -> None:
    await citizen.say("订阅就业")
    assert (
        "已退订：就业创业" in (await citizen.say("怎么退订"), await citizen.tap("退订 就业创业"))[1]
    )


@pytest.mark.parametrize("before", STATES.values(), ids=STATES)
async def test_who_may_mean_leaving_is_asked_with_every_way_out(citizen, before) -> None:
    for earlier in before:
        await citizen.say(earlier)
    for words in ("我要退出", "都不要了", "消息太多了", "老人去世了，请不要再发了"):
        said = await citizen.say(words)
        assert "没有听准您是不是要退订，订阅没有改动：\n· 就业创业（即时）\n· 促进消费" in said
    assert len(await active(citizen)) == 2
    assert (await citizen.tap("改成每周一次")).count("（每周）") == 2
    await citizen.say("我要退出")
    assert "已退订：促进消费" in await citizen.tap("退订 促进消费")
    await citizen.say("都不要了")
    assert "已全部退订，共 1 项" in await citizen.tap("退订")
    assert "没有正在生效的订阅" in await citizen.say("都不要了")


@pytest.mark.parametrize("before", STATES.values(), ids=STATES)
async def test_stories_and_wishes_for_fewer_end_nothing_unasked(citizen, before) -> None:
    for earlier in before:
        await citizen.say(earlier)
    for words in ("我手机号注销了别发了", "人都走了还发别发了", "我已经搬走了，不要再发了"):
        assert "没有听准您是不是要退订" in await citizen.say(words), words
    for words in ("别天天发了", "每个月推一回", "我不想每周收到推送了", "周末别发"):
        assert "推送频率有三种" in await citizen.say(words), words
    assert "没有听准" not in await citizen.say("邻居装修周末别吵")
    await citizen.say("不要频繁推送")
    assert len(await active(citizen)) == 2
    assert (await citizen.tap("每周")).count("（每周）") == 2
    await citizen.say("少推送一些")
    assert "已全部退订，共 2 项" in await citizen.tap("全部退订")
    assert "已全部退订" not in await citizen.say("叫你们别发了")


async def test_of_one_subscription_the_way_out_is_the_first_of_few(citizen) -> None:
    await citizen.say("订阅就业")
    await citizen.say("退出")
    assert len(citizen.last.text.split("\n")) <= 8
    assert "已全部退订，共 1 项" in await citizen.say("1")


async def test_danger_beside_a_withdrawal_is_answered_as_danger(citizen) -> None:
    await citizen.say("订阅就业")
    assert "没有听准" not in await citizen.say("我不想活了，别发了")
    assert await active(citizen) == [("employment", "", "")]


async def test_what_is_said_beside_a_withdrawal_is_not_passed_over(citizen) -> None:
    await citizen.say("订阅就业和打假")
    said = await citizen.say("退订就业，订阅消费")
    assert "已退订：就业创业" in said
    assert "已订阅：促进消费" in said
    assert "（每周）" in await citizen.say("别每天发了，一周一次")  # no pause of a week
    assert "没有听准您是不是要退订" in await citizen.say("打假的不要了")
    assert await active(citizen) == [("anti_fake", "", ""), ("consumption", "", "")]
