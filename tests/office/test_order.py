"""Acts of one person are acted on one by one, as the platform numbers them, on both platforms."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.office.both import ACCOUNTS, Both, both, until

PLATFORMS = ("telegram", "wechat")


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        await made.talk.post("limits", telegram=False)
        yield made


async def said(town: Both, platform: str, who: str) -> list[Any]:
    """What this person has typed on the platform, whether it has reached us or not."""
    query = {"account": ACCOUNTS[platform], "citizen": who, "all": "1"}
    async with town.talk.http.get(f"{town.talk.control}/messages", params=query) as answer:
        return list((await answer.json())["said"])


async def typed(town: Both, platform: str, who: str, count: int) -> bool:
    return len(await said(town, platform, who)) == count


async def said_together(town: Both, platform: str, who: str, *words: str) -> None:
    """In this order on the platform, under way to us at the same time."""
    saying, before = [], len(await said(town, platform, who))
    for one in words:
        saying.append(asyncio.create_task(town.say(platform, who, one)))
        before += 1
        assert await until(partial(typed, town, platform, who, before), 60)
    await asyncio.gather(*saying)


async def all_handled(town: Both, platform: str, who: str) -> None:
    contact = await town.contact(platform, who)

    async def handled() -> bool:
        rows = await town.acts(contact.id)
        return all(row.handled_at is not None for row in rows)

    assert await until(handled, 60)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_who_subscribes_and_leaves_in_one_breath_is_not_subscribed(
    town: Both, platform: str
) -> None:
    people = [await town.citizen(platform, f"甲{number}") for number in range(12)]
    await asyncio.gather(
        *(said_together(town, platform, one, "订阅就业", "退订") for one in people)
    )
    for one in people:
        await all_handled(town, platform, one)
        assert await town.wishes(platform, one) == []


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_the_platforms_order_counts_and_not_the_order_of_arrival(
    town: Both, platform: str
) -> None:
    for words, stands in (
        (("订阅就业", "退订"), []),
        (("退订", "订阅就业"), ["employment"]),
        (("订阅就业", "退订就业", "订阅消费"), ["consumption"]),
    ):
        who = await town.citizen(platform, "迟到的人")
        await town.say(platform, who, "你好")
        await town.talk.post(
            "faults", platform=platform, kind="late_callback", method="callback", seconds=0.15
        )
        await said_together(town, platform, who, *words)
        await all_handled(town, platform, who)
        assert await town.wishes(platform, who) == stands


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_subscription_far_behind_a_later_act_is_not_kept_and_its_person_is_told(
    town: Both, platform: str
) -> None:
    who = await town.citizen(platform, "迟到的人")
    await town.talk.post(
        "faults", platform=platform, kind="late_callback", method="callback", seconds=60
    )
    first = asyncio.create_task(town.say(platform, who, "订阅就业"))
    assert await until(partial(typed, town, platform, who, 1), 60)
    await town.say(platform, who, "退订")
    await all_handled(town, platform, who)
    await town.talk.post("faults")  # and now the first one comes
    await first
    await all_handled(town, platform, who)
    assert await town.wishes(platform, who) == []
    assert await town.told(platform, who, "请再发一次")


async def test_answers_to_one_person_come_in_the_order_of_their_acts(town: Both) -> None:
    who = await town.citizen("telegram")
    await said_together(town, "telegram", who, "帮助", "订阅就业", "我的订阅", "退订")
    await all_handled(town, "telegram", who)

    async def answered() -> bool:
        return len(await town.got("telegram", who)) >= 4

    assert await until(answered, 60)
    first = [one.split("\n")[0][:3] for one in await town.got("telegram", who)]
    assert len(first) == 4
    assert first[1] == "已订阅"
    assert first[3] == "已全部"


async def test_a_slow_answer_to_one_person_keeps_nobody_else_waiting(
    town: Both, monkeypatch: pytest.MonkeyPatch
) -> None:
    shenfa, begun, go = town.talk.shenfa, asyncio.Event(), asyncio.Event()
    handle = shenfa.dispatcher.handle

    async def slow(inbound, contact):  # type: ignore[no-untyped-def]
        if inbound.text == "慢":
            begun.set()
            await go.wait()
        return await handle(inbound, contact)

    monkeypatch.setattr(shenfa.dispatcher, "handle", slow)
    one, other = [await town.citizen("telegram", name) for name in ("慢的人", "别人")]
    await town.say("telegram", one, "慢")
    await begun.wait()
    await town.say("telegram", one, "订阅就业")
    await town.say("telegram", other, "订阅就业")
    assert await town.told("telegram", other, "已订阅")
    assert await town.wishes("telegram", one) == []
    go.set()
    assert await town.told("telegram", one, "已订阅")


async def test_a_choice_belongs_to_the_question_before_it(town: Both) -> None:
    """忘记我 and its 1 in one breath: the number is no choice of an older question."""
    who = await town.citizen("telegram")
    await said_together(town, "telegram", who, "订阅就业", "忘记我", "1")
    assert await town.told("telegram", who, "已删除")
