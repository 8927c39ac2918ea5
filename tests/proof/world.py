"""A whole office with something to do on every road, and what reached the platforms of it.

Made once and copied for each attempt, so that an attempt costs seconds and disturbs no other.
"""

import asyncio
import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from sqlalchemy import select

from app import Shenfa, listening, open_shenfa
from bot.contract import Content
from config.clock import now
from config.settings import Settings
from config.setup import Setup
from demo.acts import _approve, policies
from demo.cast import EXAMPLES, TELEGRAM_ID, WECHAT, setup
from demo.platforms import Sandbox, hostport, port_for
from demo.registering import register
from demo.stage import Memo, Stage, _stage
from escalations import replying, tickets
from escalations.models import Ticket
from office.jobs import jobs_of
from office.setup import initialise
from review_queue import drafting, publishing, submitting
from review_queue.drafting import Origin
from sandbox.memory import load, save
from sandbox.state import State

PEOPLE = 3  # on each platform: two with a question for a person, one who left; the others ask
ROUNDS = (
    "publish",
    "settle",
    "rows",
    "deliver",
    "seal",
    "deadlines",
    "escalate",
    "sweep",
    "verify",
)
WORDS = (EXAMPLES[0].question, "最新发布", "官方账号", "我的订阅", "为什么", "路灯还没有修好")
LATER = timedelta(minutes=20)
FORGED = "伪造甲乙丙丁"
_CHINESE = re.compile("[\u4e00-\u9fff]")
_VARIES = re.compile("[0-9A-Za-z_-]+")


@dataclass(frozen=True)
class World:
    """The folder of the office as it lay when nothing had been touched, and who is in it."""

    home: Path
    sandbox: str
    platforms: State
    port: int
    citizens: Mapping[str, list[str]]

    def asking(self, account: str) -> list[str]:
        """Who writes to this account in each attempt."""
        return self.citizens[account][PEOPLE:]

    def settings(self, home: Path) -> Settings:
        """The settings of the office in `home`."""
        return Settings(
            home=home,
            port=self.port,
            public_url=f"http://127.0.0.1:{self.port}",
            dev=True,
            dev_allow=hostport(self.sandbox),
            dev_clock_file=home / "clock",
        )


async def make(home: Path, sandbox_url: str, platforms: State) -> World:
    """One article out and pushed, one to go out, one in review, answers, tickets, a held reply."""
    await asyncio.to_thread(home.mkdir, parents=True)
    world = World(home, sandbox_url, platforms, port_for(None), {})
    settings = world.settings(home)
    made = await initialise(settings, Setup.model_validate(setup(sandbox_url)))
    memo = Memo(home)
    memo.note(passwords={row["login"]: row["password"] for row in made["staff"]})
    citizens: dict[str, list[str]] = {}
    async with open_shenfa(settings) as shenfa, aiohttp.ClientSession() as http:
        stage = await _stage(shenfa, Sandbox(sandbox_url, http), memo)
        await register(stage.sandbox, shenfa.settings.public_url)
        async with listening(shenfa):
            await shenfa.equip()
            await policies(stage)
            for account in (TELEGRAM_ID, WECHAT["appid"]):
                asked = {"count": PEOPLE + len(WORDS), "prefix": "市民", "follow": True}
                people = await stage.sandbox.post("citizens", account=account, **asked)
                citizens[account] = people["citizens"]
                for citizen in people["citizens"]:
                    await _say(stage, account, citizen, "订阅就业")
                await _say(stage, account, people["citizens"][PEOPLE - 1], "退订")
            first = await _article(stage, "就业补贴开始申请", "请到县政务服务大厅办理。")
            await publishing.schedule(shenfa.queue, first, stage.people["editor"])
            await _work(shenfa, 3)
            await _tickets(stage, citizens)
            second = await _article(stage, "招聘会本周六举行", "地点在县体育馆，请带身份证件。")
            at = now() + timedelta(minutes=10)
            await publishing.schedule(shenfa.queue, second, stage.people["editor"], at)
            await _article(stage, "技能培训报名", "在县职业学校报名。", levels=1)
    save(platforms, home.with_name("platforms.json"), sandbox_url)
    return replace(world, citizens=citizens)


async def _article(stage: Stage, title: str, body: str, levels: int = 2) -> str:
    queue, editor = stage.shenfa.queue, stage.people["editor"]
    origin = Origin(
        editor, "日常", audience={"topics": ["employment"], "groups": [], "regions": []}
    )
    item = await drafting.create_item(queue, Content("原创", title, body), origin)
    item = await submitting.submit(queue, item.id, editor, item.version)
    for login in ("reviewer1", "reviewer3")[:levels]:
        item = await _approve(stage, item, login)
    return item.id


async def _tickets(stage: Stage, citizens: Mapping[str, list[str]]) -> None:
    """One question answered, one claimed, one that nobody has taken."""
    tickets_of = stage.shenfa.tickets
    duty = stage.people["duty1"]
    for number, account in enumerate((TELEGRAM_ID, WECHAT["appid"], TELEGRAM_ID)):
        citizen = citizens[account][number // 2]
        await _say(stage, account, citizen, "转人工")
        await _say(stage, account, citizen, f"第{number + 1}个路灯坏了，找哪个部门")
    async with stage.shenfa.db.session() as session:
        rows = (await session.scalars(select(Ticket).order_by(Ticket.id))).all()
    for ticket in rows[:2]:
        await tickets.claim(tickets_of, ticket.id, duty)
    # Left to be sent: the job that sends it runs in the attempt.
    await replying.reply(tickets_of, rows[0].id, duty, "路灯由县城市管理局负责，三天内修复。")


async def _say(stage: Stage, account: str, citizen: str, words: str) -> None:
    await stage.sandbox.post("say", account=account, citizen=citizen, text=words)


async def _work(shenfa: Shenfa, times: int) -> None:
    jobs = {job.name: job for job in jobs_of(shenfa)}
    for _ in range(times):
        for name in ROUNDS:
            try:
                await jobs[name].run()
            except Exception:  # noqa: BLE001  as the engine does: logged, and asked again
                structlog.get_logger("test").exception("job failed", job=name)


# --- one attempt ------------------------------------------------------------------------------


Sent = Counter[tuple[str, str]]
"""How often whom was told what: (account and address, words without numbers)."""


async def attempt(world: World, home: Path, change: Callable[[sqlite3.Connection], object]) -> Sent:
    """Copy the office, change its tables behind its back, let it run; what reached anybody."""
    shutil.copytree(world.home, home)
    connection = sqlite3.connect(home / "shenfa.db")
    with connection:
        change(connection)
    connection.close()
    async with aiohttp.ClientSession() as http:
        sandbox = Sandbox(world.sandbox, http)
        await sandbox.post("reset")
        load(world.platforms, world.home.with_name("platforms.json"), world.sandbox)
        before = await _received(world, sandbox)
        try:
            await _live(world, home, sandbox)
        except Exception:  # noqa: BLE001  an office that does not open any more tells nobody
            structlog.get_logger("test").exception("the office stopped")
        sent = Counter(
            pair for one in (await sandbox.get("requests"))["requests"] for pair in _called(one)
        )
        after = await _received(world, sandbox)
    shutil.rmtree(home, ignore_errors=True)
    for whom, words in after.items():
        sent += Counter((whom, one) for text in words[len(before[whom]) :] for one in _told(text))
    return sent


async def _received(world: World, sandbox: Sandbox) -> dict[str, list[Any]]:
    """What each citizen has got; what was answered within their own call is no call of ours."""
    found: dict[str, list[Any]] = {}
    for account in world.citizens:
        got = (await sandbox.get("messages", account=account))["messages"]
        found |= {f"{account} {one}": got.get(one, []) for one in world.citizens[account]}
    return found


async def _move_clock(home: Path, sandbox: Sandbox, by: timedelta) -> None:
    """The office's and the platforms' clock: a callback too old is refused."""
    (home / "clock").write_text(str(by.total_seconds()))
    await sandbox.post("clock", offset_seconds=by.total_seconds())


async def _live(world: World, home: Path, sandbox: Sandbox) -> None:
    await _move_clock(home, sandbox, LATER)
    async with open_shenfa(world.settings(home)) as shenfa, listening(shenfa):
        await _work(shenfa, 1)
        # One thing each: to one chat goes one message a second.
        for account in world.citizens:
            for citizen, words in zip(world.asking(account), WORDS, strict=True):
                await sandbox.post("say", account=account, citizen=citizen, text=words)
        await _move_clock(home, sandbox, LATER + timedelta(minutes=1))
        await _work(shenfa, 2)


def _called(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Everything Chinese, and every address, in one call of ours, with whom it was for."""
    content = request["parsed"]
    whom = content.get("chat_id") or content.get("touser") or ""
    for text in _told(content):
        yield f"call {request['account']} {whom}", text


def plain(text: str) -> str:
    """The words without numbers and ids, which differ from run to run."""
    return _VARIES.sub("#", text)


def _told(content: Any) -> Iterator[str]:
    """The words in some JSON, without what differs from run to run."""
    if isinstance(content, Mapping):
        for value in content.values():
            yield from _told(value)
    elif isinstance(content, list):
        for value in content:
            yield from _told(value)
    elif isinstance(content, str) and content[:1] in ("[", "{"):
        yield from _told(json.loads(content))
    elif isinstance(content, str) and (_CHINESE.search(content) or "://" in content):
        yield plain(content)
