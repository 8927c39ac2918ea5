"""At sending, a push still has to match what its reader wants, on both platforms."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.office.both import Both, both

PLATFORMS = ("telegram", "wechat")
DAY = 24 * 3600
TITLE = "青禾县周末招聘会安排"


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        await made.talk.post("limits", telegram=False)
        yield made


async def say(town: Both, platform: str, who: str, *words: str) -> None:
    """One after the other, each answered before the next."""
    for one in words:
        before = len(await town.got(platform, who))
        await town.say(platform, who, one)
        for _ in range(1200):
            if len(await town.got(platform, who)) > before:
                break
            await town.told(platform, who, "\0", 0.05)


LEAVING = {
    "one topic": (("退订就业",), 0),
    "all": (("退订",), 0),
    "forgotten": (("忘记我", "1"), 0),
    "another topic": (("退订消费",), 1),
}


async def readers(town: Both, name: str) -> dict[tuple[str, str], str]:
    """On both platforms: one who is served at once, and one daily; each also reads 消费."""
    found = {}
    for platform in PLATFORMS:
        for often in ("即时", "每日"):
            who = found[platform, often] = await town.citizen(platform, f"{name}{often}")
            await say(town, platform, who, f"订阅就业 {often}", "订阅消费")
    return found


async def heads(town: Both, platform: str, who: str) -> int:
    return sum(TITLE in one for one in await town.got(platform, who))


@pytest.mark.parametrize(("words", "comes"), LEAVING.values(), ids=LEAVING)
async def test_what_waits_is_sent_only_to_who_still_wants_it(
    town: Both, words: tuple[str, ...], comes: int
) -> None:
    people = await readers(town, "读者")
    await town.move(2 * DAY + 3600)  # every window of WeChat has closed, and all is held there
    await town.publish(TITLE, topics=["employment"])
    waiting = [key for key in people if key != ("telegram", "即时")]
    for platform, often in waiting:
        await say(town, platform, people[platform, often], *words)
    await town.deliver()
    await town.move(4 * DAY)
    for platform, often in waiting:
        event = "scan" if platform == "wechat" else "start"
        await town.tap(platform, people[platform, often], event=event)
    await town.deliver()
    for platform, often in waiting:
        assert await heads(town, platform, people[platform, often]) == comes, (platform, often)
    assert await heads(town, "telegram", people["telegram", "即时"]) == 1


async def test_what_is_held_is_not_freed_by_the_word_that_leaves_while_that_is_being_read(
    town: Both,
) -> None:
    who = await town.citizen("wechat")
    await say(town, "wechat", who, "订阅就业")
    await town.move(2 * DAY + 3600)
    await town.publish(TITLE, topics=["employment"])
    await town.deliver()
    assert [row.state for row in await town.pushes("wechat", who)] == ["held"]
    leaving = asyncio.create_task(town.say("wechat", who, "退订就业"))
    while not leaving.done():  # the job that delivers, ever so often
        await town.talk.shenfa.sender.deliver_due()
        await asyncio.sleep(0.01)
    await town.deliver()
    assert await heads(town, "wechat", who) == 0
    assert [(row.state, row.why) for row in await town.pushes("wechat", who)] == [
        ("ended", "本人已退订")
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_who_narrowed_what_they_want_is_not_sent_what_they_no_longer_mean(
    town: Both, platform: str
) -> None:
    who, stays = [await town.citizen(platform, name) for name in ("改了的人", "没改的人")]
    await town.say(platform, stays, "订阅就业 每日")
    await say(town, platform, who, "订阅就业 每日")
    await town.publish(TITLE, topics=["employment"], groups=["graduates"])
    contact = await town.contact(platform, who)
    await say(town, platform, who, "1", "3")  # 限定人群, and the third of the groups
    assert await town.groups(contact.id) not in ([""], ["graduates"])
    await town.move(DAY)
    await town.deliver()
    assert await heads(town, platform, who) == 0
    assert await heads(town, platform, stays) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_the_reason_that_is_sent_is_one_that_still_holds(town: Both, platform: str) -> None:
    """Made for one of two topics that both fit: leaving that one leaves the other as the reason."""
    who = await town.citizen(platform)
    await say(town, platform, who, "订阅就业 每日", "订阅消费 每日")
    await town.publish(TITLE, topics=["employment", "consumption"])
    (row,) = await town.pushes(platform, who)
    topic, other = ("就业", "消费") if "就业" in row.reason else ("消费", "就业")
    await say(town, platform, who, f"退订{topic}")
    await town.move(DAY)
    await town.deliver()
    (row,) = await town.pushes(platform, who)
    assert row.state == "published"
    assert row.whole
    assert topic not in row.reason
    (message,) = [one for one in await town.got(platform, who) if TITLE in one]
    assert other in message
    assert f"您订阅了 {topic}" not in message


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_who_leaves_while_a_message_waits_for_its_pace_is_not_sent_it(
    town: Both, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await town.citizen(platform)
    await say(town, platform, who, "订阅就业", "订阅消费")
    await town.publish(TITLE, topics=["employment"])
    channel = town.talk.shenfa.channels[platform]
    push = channel.push

    async def paced(*given: Any) -> Any:  # claimed, and not called yet
        await say(town, platform, who, "退订就业")
        return await push(*given)

    monkeypatch.setattr(channel, "push", paced)
    await town.talk.shenfa.sender.deliver_due()
    monkeypatch.undo()
    await town.move(5)
    await town.deliver()
    assert await heads(town, platform, who) == 0
    assert [(row.state, row.why) for row in await town.pushes(platform, who)] == [
        ("ended", "本人已退订")
    ]


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_who_leaves_another_topic_meanwhile_is_still_sent_it_once(
    town: Both, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = await town.citizen(platform)
    await say(town, platform, who, "订阅就业", "订阅消费")
    await town.publish(TITLE, topics=["employment"])
    channel = town.talk.shenfa.channels[platform]
    push = channel.push

    async def paced(*given: Any) -> Any:
        await say(town, platform, who, "退订消费")
        return await push(*given)

    monkeypatch.setattr(channel, "push", paced)
    await town.talk.shenfa.sender.deliver_due()
    monkeypatch.undo()
    assert await heads(town, platform, who) == 0
    await town.move(5)
    await town.deliver()
    assert await heads(town, platform, who) == 1
