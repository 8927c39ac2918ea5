"""The demo's conversations over the wire, as both phones show them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import yaml
from sqlalchemy import select

from app import listening, open_shenfa
from bot.wechat.channel import WeChatChannel
from demo.acts import policies
from demo.cast import TELEGRAM_ID, WECHAT
from demo.platforms import Sandbox
from demo.registering import register
from sandbox.app import start
from staff.models import Staff
from tests.office.talking import make, settings_of

TALKS = yaml.safe_load(
    (Path(__file__).parents[2] / "demo" / "dialogue.yaml").read_text(encoding="utf-8")
)
ACCOUNTS = {"telegram": TELEGRAM_ID, "wechat": WECHAT["appid"]}
PATIENCE = 120.0


@dataclass
class Phone:
    """One citizen's chat."""

    sandbox: Sandbox
    account: str
    citizen: str = ""
    seen: int = 0

    async def begin(self) -> None:
        made = await self.sandbox.post(
            "citizens", account=self.account, count=1, prefix="市民", follow=True
        )
        self.citizen = made["citizens"][0]
        event = "start" if self.account == TELEGRAM_ID else "follow"
        await self.sandbox.post("tap", account=self.account, citizen=self.citizen, event=event)
        (welcome,) = await self.new()
        assert "您好，这里是青禾发布" in welcome["text"]

    async def says(self, words: str) -> list[Mapping[str, Any]]:
        """What the phone shows below these words."""
        await self.sandbox.post("say", account=self.account, citizen=self.citizen, text=words)
        return await self.new()

    async def new(self) -> list[Mapping[str, Any]]:
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.sandbox.get(
                    "messages", account=self.account, citizen=self.citizen
                )
                if len(rows := found["messages"]) > self.seen:
                    break
                await asyncio.sleep(0.05)
        shown, self.seen = rows[self.seen :], len(rows)
        return shown


@pytest.fixture
async def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sandbox]:
    """The demo's office with its library, listening, and its platforms without their quotas, which
    wait for an answer as long as a busy machine takes.
    """
    monkeypatch.setattr(WeChatChannel, "passive_seconds", 60.0)
    runner, url = await start("127.0.0.1", 0)
    settings = settings_of(tmp_path, url)
    await make(tmp_path, url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        shenfa = await stack.enter_async_context(open_shenfa(settings))
        platforms = Sandbox(url, http)
        await platforms.post("limits", telegram=False, wechat=False, callback_timeout=90)
        async with shenfa.db.session() as session:
            people = {row.login: row.id for row in (await session.scalars(select(Staff))).all()}
        stage: Any = SimpleNamespace(shenfa=shenfa, people=people)
        await policies(stage)
        await register(platforms, settings.public_url)
        await stack.enter_async_context(listening(shenfa))
        yield platforms


async def test_the_conversations_are_on_both_phones_as_they_are_meant(sandbox: Sandbox) -> None:
    each = [_talk(sandbox, platform, turns) for platform in ACCOUNTS for turns in TALKS]
    said = await asyncio.gather(*each)
    assert sum(said) == len(ACCOUNTS) * sum(map(len, TALKS))


async def _talk(sandbox: Sandbox, platform: str, turns: list[Mapping[str, str]]) -> int:
    """How many turns were as they are meant: all, or the first that is not says so."""
    phone = Phone(sandbox, ACCOUNTS[platform])
    await phone.begin()
    for turn in turns:
        (shown,) = await phone.says(turn["says"])  # one message and no second one
        text = shown["text"]
        assert turn["hears"] in text, (turn["says"], text)
        assert not {"{", "}", "�"} & set(text), text
        assert "\n\n\n" not in text
        _chooses(shown, platform, turn.get("offers", ""))
    return len(turns)


def _chooses(shown: Mapping[str, Any], platform: str, offered: str) -> None:
    """What can be chosen fits the platform, and each choice says something of its own."""
    rows = shown.get("reply_markup", {}).get("inline_keyboard", [])
    lines = shown["text"].split("\n")
    numbered = [line for line in lines if line.split(". ")[0].isdecimal()]
    labels = [button["text"] for row in rows for button in row]
    if platform == "wechat":
        assert not rows
        labels = [line.partition(". ")[2] for line in numbered]
        assert not labels or lines[-len(labels) - 2] == ""  # an empty line before them
    else:
        assert not numbered
    assert len(set(labels)) == len(labels)
    assert not offered or any(label.startswith(offered) for label in labels), labels
