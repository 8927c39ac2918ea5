"""A stopped sandbox comes back with its citizens, chats, articles and pictures."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sandbox.app import start
from sandbox.memory import Unreadable, load, save
from sandbox.state import STATE, State
from tests.sandbox.conftest import TOKEN, Client
from tests.sandbox.test_wechat import ACCOUNT, PNG, WeChat

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def running(memory: Path) -> AsyncIterator[Client]:
    """A sandbox on a free port that remembers in `memory`, saved when it is left."""
    runner, url = await start("127.0.0.1", 0, memory)
    async with aiohttp.ClientSession() as http:
        yield Client(url, http)
    state: State = runner.app[STATE]
    if state.tasks:
        await asyncio.wait(state.tasks)
    await runner.cleanup()
    save(state, memory, url)


async def test_chats_outlive_a_stop_and_go_on(tmp_path: Path) -> None:
    memory = tmp_path / "sandbox.json"
    async with running(memory) as box:
        await box.control("accounts", {"platform": "telegram", "token": TOKEN, "name": "青禾"})
        await box.control("citizens", {"account": "424242", "count": 3, "prefix": "市民"})
        await box.control("say", {"account": "424242", "citizen": "市民1", "text": "订阅就业"})
        bold = {"text": "<b>通</b>知", "parse_mode": "HTML"}
        sent = await box.bot("sendMessage", chat_id=700000001, **bold)
        await box.control("tap", {"account": "424242", "citizen": "市民2", "event": "block"})
    async with running(memory) as box:
        people = (await box.get("citizens", account="424242"))["citizens"]
        assert [one["name"] for one in people] == ["市民1", "市民2", "市民3"]
        assert [one["blocked"] for one in people] == [False, True, False]
        chat = await box.get("messages", account="424242", citizen="市民1", all=1)
        assert [one["text"] for one in chat["messages"]] == ["通知"]
        assert chat["messages"][0]["entities"][0]["type"] == "bold"
        assert [one["text"] for one in chat["said"]] == ["订阅就业"]
        number = sent["result"]["message_id"]
        edited = await box.bot("editMessageText", chat_id=700000001, message_id=number, text="改")
        assert edited["ok"], "a message sent before the stop can still be edited"
        later = await box.bot("sendMessage", chat_id=700000001, text="再")
        assert later["result"]["message_id"] > number
        waiting = (await box.bot("getUpdates"))["result"]
        assert [one["message"]["text"] for one in waiting if "message" in one] == ["订阅就业"]


async def test_a_published_article_outlives_a_stop_at_another_address(tmp_path: Path) -> None:
    memory = tmp_path / "sandbox.json"
    async with running(memory) as box:
        wx = await wechat(box)
        own = (await wx.upload("media/uploadimg"))["url"]
        draft = await wx.draft(title="招聘会", content=f'<p>一<img src="{own}"></p>')
        job = await wx.call("freepublish/submit", {"media_id": draft["media_id"]})
    async with running(memory) as box:
        wx = await wechat(box)
        found = await wx.call("freepublish/get", {"publish_id": job["publish_id"]})
        assert found["publish_status"] == 0, "a job that was running ends before the stop"
        url = found["article_detail"]["item"][0]["article_url"]
        assert url.startswith(box.base)
        async with box.http.get(url) as page:
            text = await page.text()
        assert "招聘会" in text
        picture = text.split('<img src="')[1].split('"')[0]
        assert picture.startswith(box.base)
        async with box.http.get(picture) as answer:
            assert await answer.read() == PNG


async def wechat(box: Client) -> WeChat:
    """The WeChat account with quick results and a fresh token."""
    await box.control("limits", {"result_delay": 0.02})
    await box.control("accounts", ACCOUNT | {"callback_url": "http://127.0.0.1:1/"})
    wx = WeChat(box)
    await wx.fresh()
    return wx


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "状态文件"), ("[]\n{}", "状态文件"), ('{"format":1,"url":"u"}\n{"acc', "状态文件"),
     ('{"format": 99, "url": "u"}\n{}', "99")],
)  # fmt: skip
def test_a_file_that_is_none_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "sandbox.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable, match=words):
        load(State(None), path, "http://127.0.0.1:1")


def begin(memory: Path, *more: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--memory", str(memory), *more],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())["url"]


def control(url: str, name: str, content: dict[str, Any] | None = None) -> Any:
    data = json.dumps(content).encode() if content is not None else None
    with urllib.request.urlopen(f"{url}/_control/{name}", data) as answer:  # noqa: S310  loopback
        return json.load(answer)


def test_it_ends_and_saves_when_whoever_started_it_is_gone(tmp_path: Path) -> None:
    memory = tmp_path / "sandbox.json"
    process, url = begin(memory, "--leashed")
    control(url, "accounts", {"platform": "telegram", "token": TOKEN, "name": "青禾"})
    assert process.stdin is not None
    process.stdin.close()  # what the kernel does when the starter is killed
    assert process.wait(60) == 0
    again, url = begin(memory)
    try:
        assert [one["name"] for one in control(url, "accounts")["accounts"]] == ["青禾"]
    finally:
        again.terminate()
        assert again.wait(60) == 0


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    process, url = begin(tmp_path / "a.json")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sandbox", "--port", url.rsplit(":", 1)[1]],
            cwd=ROOT, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith("沙箱没有启动：")
        assert done.stderr.count("\n") == 1
    finally:
        process.terminate()
        process.wait(60)
