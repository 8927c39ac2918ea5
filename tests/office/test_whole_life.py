"""A subscription's whole life on both platforms, and nothing of its citizen left afterwards."""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from bot.models import Contact
from knowledge.documents import PolicyDraft
from storage.cache import MemoryCache
from tests.office.both import ACCOUNTS, Both, both

PLATFORMS = ("telegram", "wechat")
TITLE = "青禾县就业见习补贴办法"


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        await made.talk.post("limits", telegram=False)
        yield made


class Phone:
    """One citizen's phone: says, presses what is shown, and counts the taps."""

    def __init__(self, town: Both, platform: str, who: str) -> None:
        self.town, self.platform, self.who, self.taps = town, platform, who, 0

    async def messages(self) -> list[dict]:
        query = {"account": ACCOUNTS[self.platform], "citizen": self.who}
        url = f"{self.town.talk.control}/messages"
        async with self.town.talk.http.get(url, params=query) as answer:
            return (await answer.json())["messages"]

    async def _after(self, before: int) -> str:
        for _ in range(600):
            got = await self.messages()
            if len(got) > before:
                return str(got[-1].get("text", ""))
            await asyncio.sleep(0.05)
        raise AssertionError("nothing came")

    async def says(self, words: str) -> str:
        before = len(await self.messages())
        await self.town.say(self.platform, self.who, words)
        return await self._after(before)

    async def menu(self, key: str, words: str) -> str:
        """The entry of the menu; where there is none, its words."""
        self.taps += 1
        if self.platform == "telegram":
            return await self.says(words)
        before = len(await self.messages())
        await self.town.tap(self.platform, self.who, key=key)
        return await self._after(before)

    async def taps_on(self, label: str) -> str:
        """A button, or the number of its line."""
        self.taps += 1
        last = (await self.messages())[-1]
        if self.platform == "wechat":
            found = re.search(rf"^(\d+)\. {re.escape(label)}$", str(last["text"]), re.M)
            assert found is not None, last["text"]
            return await self.says(found[1])
        rows = last["reply_markup"]["inline_keyboard"]
        data = next(one["callback_data"] for row in rows for one in row if one["text"] == label)
        before = len(await self.messages())
        await self.town.tap(self.platform, self.who, data=data)
        return await self._after(before)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_whole_life_by_buttons_by_words_and_then_nothing_is_left(
    town: Both, platform: str, capfd: pytest.CaptureFixture[str]
) -> None:
    shenfa, people = town.talk.shenfa, town.talk.people
    draft = PolicyDraft(
        TITLE, f"{TITLE}\n\n第一条 对见习的高校毕业生给予补贴。", "", "青禾县人民政府",
        issued_on=date(2026, 3, 1),
    )  # fmt: skip
    (made,) = await shenfa.library.propose_import([draft], people["admin1"])
    await shenfa.library.approve(made.change_id, people["admin2"])
    who = await town.citizen(platform)
    phone = Phone(town, platform, who)
    # By buttons: subscribed, seen, paused, opened again and left in fewer than six taps.
    await phone.menu("sub", "订阅")
    assert "已订阅：就业创业（即时）" in await phone.taps_on("就业创业")
    assert "· 就业创业（即时）" in await phone.taps_on("我的订阅")
    assert "已暂停推送" in await phone.taps_on("暂停推送")
    assert "已全部退订，共 1 项" in await phone.taps_on("全部退订")
    assert phone.taps < 6
    # By words alone.
    assert "已订阅：就业创业、地区 呼和浩特市（即时）" in await phone.says("订阅呼和浩特的就业")
    assert "（每周）" in await phone.says("改成每周")
    assert "已暂停推送" in await phone.says("停一周")
    assert "已恢复推送" in await phone.says("恢复推送")
    assert "已关闭精准推送" in await phone.says("把精准推送关掉")
    assert "已关注" in await phone.says(f"关注《{TITLE}》")
    assert "· 订阅：" in await phone.says("导出我的数据")
    assert "已全部退订，共 2 项" in await phone.says("别再给我发了")
    # A question with a name and a number in it, and then everything is to be forgotten.
    await phone.says("订阅就业")
    await phone.says("我叫王小明，电话 13812345678，我家门口的井盖坏了谁来修")
    await phone.says("转人工")
    contact = await town.contact(platform, who)
    hashed = contact.address_hash
    await phone.says("忘记我")
    await phone.taps_on("确定删除")
    for _ in range(1200):  # on Telegram the last word is said before its address is gone
        async with shenfa.db.session() as session:
            left = await session.get(Contact, contact.id)
        if left is None or left.state == "ended":
            break
        await asyncio.sleep(0.05)
    await town.deliver()
    capfd_text = "".join(capfd.readouterr())
    assert isinstance(shenfa.cache, MemoryCache)
    held = str(shenfa.cache._values)
    folder = shenfa.settings.home
    dump = "\n".join(
        line for file in folder.glob("*.db") for line in sqlite3.connect(file).iterdump()
    )
    assert "CREATE TABLE" in dump
    logs = "".join(one.read_text(errors="replace") for one in folder.rglob("*.log"))
    for found, place in ((dump, "dump"), (held, "cache"), (capfd_text + logs, "logs")):
        for one in (who, hashed, "王小明", "13812345678", "井盖"):
            assert one not in found, (place, one)
    assert (await shenfa.ledger.verify_whole()).ok
