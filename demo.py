"""`shenfa demo`: one article's whole life and one question's, with real parts, then hands on."""

import asyncio
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from sqlalchemy import func, select, text

from app import Shenfa, build_site, open_shenfa
from bot.contract import Content, State
from bot.models import Account, Contact, Delivery, Publication
from config.clock import now
from config.settings import Settings
from config.setup import Setup
from content_sources.models import Article, Column
from content_sources.whitelist import Refusal
from escalations import replying, tickets
from escalations.models import Ticket
from knowledge.documents import PolicyDraft
from knowledge.library import Repeal
from ledger.models import Incident
from ledger.verify import verify_export
from office.setup import initialise
from review_queue import deciding, drafting, publishing, submitting
from review_queue.canonical import Draft
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item, Revision
from review_queue.workflow import GATES
from sandbox.site import FAULTS
from staff.models import Staff

GATE_KEYS = GATES
EMPTY: dict[str, Any] = {
    "ok": False,
    "articles": None,
    "refused_sources": None,
    "findings": None,
    "decisions": None,
    "publications": None,
    "delivered": None,
    "answered": None,
    "escalated": None,
    "tamper_refused": None,
    "ledger_ok": None,
    "seconds": None,
    "error": None,
}
CAST = (
    ("editor", "陈编辑", ["editor"]),
    ("reviewer1", "李初审", ["reviewer_1"]),
    ("reviewer2", "王复审", ["reviewer_2"]),
    ("reviewer3", "赵终审", ["reviewer_3", "secrecy"]),
    ("admin1", "周管理", ["admin"]),
    ("admin2", "吴管理", ["admin"]),
    ("duty1", "郑值班", ["duty"]),
)
_BEGAN = time.monotonic()
CITIZENS = 150  # on each platform
BOT_TOKEN = "700700:demo-bot-token-of-the-sandbox"  # noqa: S105  only the sandbox knows it
WECHAT = {
    "appid": "wx5eed000000000001",
    "secret": "sandbox-app-secret",
    "token": "sandboxtoken",
    "aes_key": "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR",
}


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    home: Path | None = None
    once: bool = False
    fresh: bool = False
    sandbox: str | None = None


class Failed(Exception):
    """A step of the play did not come out as it must; the text says which."""


def tell(line: str) -> None:
    """Progress goes to stderr; stdout belongs to the JSON line."""
    sys.stderr.write(f"{time.monotonic() - _BEGAN:6.1f}  {line}\n")
    sys.stderr.flush()


async def run(options: Options) -> int:
    """Play; with `once` print the JSON line and leave, else stay up. Returns the exit code."""
    started = time.monotonic()
    result = dict(EMPTY)
    temporary = (
        Path(tempfile.mkdtemp(prefix="shenfa-demo-")) if options.once and not options.home else None
    )
    home = temporary or options.home or Path("./.shenfa-demo")
    if options.fresh and home.exists() and (home / "demo.json").exists():
        shutil.rmtree(home)
    try:
        async with Stage.open(home.absolute(), options.sandbox) as stage:
            await stage.play(result)
            result["seconds"] = round(time.monotonic() - started, 1)
            result["ok"] = all_well(result)
            if not options.once:
                stage.introduce()
                await asyncio.Event().wait()
    except Failed as failure:
        result["error"] = str(failure)
    except (OSError, LookupError, ValueError, RuntimeError, aiohttp.ClientError) as failure:
        result["error"] = f"{type(failure).__name__}: {' '.join(str(failure).split())}"
    finally:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
    result["seconds"] = round(time.monotonic() - started, 1)
    if result["error"]:
        tell(f"演示中断：{result['error']}")
    if options.once:
        sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    return 0 if result["ok"] else 1


def all_well(result: dict[str, Any]) -> bool:
    """Whether every part of the play came out as it must."""
    found, out, sent = result["findings"], result["publications"], result["delivered"]
    return bool(
        result["articles"]
        and result["refused_sources"]
        and found
        and all(found[gate] >= 1 for gate in GATE_KEYS)
        and result["decisions"] == 3
        and out == {"wechat": 1, "telegram": 1}
        and sent["sent"] == 2 * CITIZENS
        and not sent["unknown"]
        and not sent["failed"]
        and result["answered"]
        and result["escalated"]
        and result["tamper_refused"]
        and result["ledger_ok"]
    )


class Sandbox:
    """The sandbox platforms over their control interface."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        """`url` without a slash at its end."""
        self.url = url
        self._http = http

    async def post(self, call: str, /, **fields: Any) -> dict[str, Any]:
        """One control call; Failed when it is refused."""
        async with self._http.post(f"{self.url}/_control/{call}", json=fields) as answer:
            body = await answer.json()
            if answer.status >= 400:
                raise Failed(f"沙箱拒绝了 {call}：{body}")
            return dict(body)

    async def get(self, name: str, **query: str) -> dict[str, Any]:
        """One control query."""
        async with self._http.get(f"{self.url}/_control/{name}", params=query) as answer:
            return dict(await answer.json())


@asynccontextmanager
async def sandbox_process() -> AsyncIterator[str]:
    """The sandbox as a process of its own, ended by its id when the play ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--port", "0",
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent,
    )  # fmt: skip
    try:
        if process.stdout is None:
            raise Failed("沙箱没有启动")
        line = await asyncio.wait_for(process.stdout.readline(), 20)
        yield str(json.loads(line)["url"])
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@dataclass
class Stage:
    """The running office, the sandbox, and who plays."""

    shenfa: Shenfa
    sandbox: Sandbox
    people: dict[str, str]
    passwords: dict[str, str]
    accounts: dict[str, str]

    @classmethod
    @asynccontextmanager
    async def open(cls, home: Path, sandbox_url: str | None) -> AsyncIterator["Stage"]:
        """Start what is missing, initialise an empty home, mount the site and run the jobs."""
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(aiohttp.ClientSession())
            url = sandbox_url or await stack.enter_async_context(sandbox_process())
            sandbox = Sandbox(str(url).rstrip("/"), http)
            tell(f"沙箱平台：{sandbox.url}")
            saved = _load(home / "demo.json")
            port = saved.get("port") or _free_port()
            settings = Settings(
                home=home,
                port=port,
                public_url=f"http://127.0.0.1:{port}",
                dev=True,
                dev_allow=_hostport(sandbox.url),
                dev_clock_file=home / "clock",
            )
            if not saved:
                os.makedirs(home, exist_ok=True)
                made = await initialise(settings, Setup.model_validate(_setup(sandbox.url)))
                saved = {
                    "port": port,
                    "passwords": {row["login"]: row["password"] for row in made["staff"]},
                }
                _save(home / "demo.json", saved)
            shenfa = await stack.enter_async_context(open_shenfa(settings))
            runner = web.AppRunner(build_site(shenfa), access_log=None)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", port).start()
            async with shenfa.db.session() as session:
                staff = (await session.execute(select(Staff.login, Staff.id))).all()
                accounts = (await session.execute(select(Account.platform, Account.id))).all()
            stage = cls(
                shenfa=shenfa,
                sandbox=sandbox,
                people={row.login: row.id for row in staff},
                passwords=saved["passwords"],
                accounts={row.platform: row.id for row in accounts},
            )
            await stage._register()
            if problems := await shenfa.equip():
                raise Failed(problems[0])
            await stack.enter_async_context(shenfa.jobs())
            yield stage

    # --- the play -------------------------------------------------------------------------

    async def play(self, result: dict[str, Any]) -> None:
        """Every act in order; a home that was played before only settles what is open."""
        async with self.shenfa.db.session() as session:
            begun = (await session.scalars(select(Article.id).limit(1))).first()
        if begun is not None:
            tell("这个目录已经演过：只接着完成没发完的。")
            await self._settled()
            result["delivered"] = await self._delivered()
            return
        await self._policies()
        await self._citizens()
        item = await self._article(result)
        await self._review(item, result)
        await self._publish(item, result)
        await self._questions(result)
        await self._tamper(result)
        await self._ledger(result)

    async def _register(self) -> None:
        base = self.shenfa.settings.public_url
        await self.sandbox.post(
            "accounts",
            platform="telegram",
            token=BOT_TOKEN,
            name="青禾发布",
            username="qinghe_bot",
            callback_url=f"{base}/telegram/qinghe-tg",
            secret="sandbox-webhook-secret",  # noqa: S106
        )
        await self.sandbox.post(
            "accounts",
            platform="wechat",
            name="青禾发布",
            kind="service",
            verified=True,
            callback_url=f"{base}/wechat/qinghe-wx",
            **WECHAT,
        )
        await self.sandbox.post(
            "citizens", account="700700", count=1, prefix="channel", kind="channel",
            username="qinghe_channel", follow=True,
        )  # fmt: skip

    async def _policies(self) -> None:
        tell("一、政策库：两位管理员，一位提出、一位批准")
        library, admin1, admin2 = self.shenfa.library, self.people["admin1"], self.people["admin2"]
        ids: dict[str, str] = {}
        for draft in POLICIES:
            proposed = (await library.propose_import([draft], admin1))[0]
            await library.approve(proposed.change_id, admin2)
            ids[draft.doc_number] = proposed.policy_id
        repeal = Repeal(ids["青人社发〔2019〕3号"], date(2026, 3, 1), ids["青人社发〔2026〕5号"])
        change = await library.propose_repeal(repeal, admin1)
        await library.approve(change.change_id, admin2)

    async def _citizens(self) -> None:
        tell(f"二、两个平台各 {CITIZENS} 位市民关注并订阅就业政策")
        for account, platform in (("700700", "telegram"), (WECHAT["appid"], "wechat")):
            made = await self.sandbox.post(
                "citizens", account=account, count=CITIZENS, prefix="市民", follow=True
            )
            await self._all_say(account, made["citizens"], "订阅就业")
            async with self.shenfa.db.session() as session:
                known = await session.scalar(
                    select(func.count()).where(Contact.account_id == self.accounts[platform])
                )
            if known != CITIZENS:
                raise Failed(f"{platform} 只认得 {known} 位市民，应有 {CITIZENS} 位")

    async def _all_say(self, account: str, citizens: list[str], words: str) -> None:
        gate = asyncio.Semaphore(8)

        async def one(citizen: str) -> None:
            async with gate:
                await self.sandbox.post("say", account=account, citizen=citizen, text=words)

        await asyncio.gather(*(one(citizen) for citizen in citizens))

    async def _article(self, result: dict[str, Any]) -> str:
        tell("三、抓取名单内栏目；名单外的网页被拒绝")
        async with self.shenfa.db.session() as session:
            column = (await session.scalars(select(Column.id).order_by(Column.id).limit(1))).one()
        await self.shenfa.ingest.poll_column(column)
        outside = self.sandbox.url.replace("127.0.0.1", "unlisted.localhost")
        judged = await self.shenfa.reposts.judge(f"{outside}/unlisted/news.html")
        result["refused_sources"] = int(isinstance(judged, Refusal))
        async with self.shenfa.db.session() as session:
            query = select(Article).where(Article.state == "item", Article.title.contains("就业"))
            article = (await session.scalars(query.order_by(Article.id).limit(1))).first()
        if article is None or article.item_id is None:
            raise Failed("没有抓到就业政策文章")
        result["articles"] = 1
        _, found = await findings_now(self.shenfa.queue, article.item_id)
        gates: list[str] = [one.gate for one in found if not one.rule.startswith("repost.")]
        result["findings"] = {gate: gates.count(gate) for gate in GATE_KEYS}
        tell(f"   五关提示：{result['findings']}")
        return article.item_id

    async def _review(self, item_id: str, result: dict[str, Any]) -> None:
        tell("四、编辑改正，三级三人审核")
        queue, editor = self.shenfa.queue, self.people["editor"]
        item = await self._item(item_id)
        draft = await self._draft(item_id)
        body = draft.body
        for wrong, right in FAULTS:
            body = body.replace(wrong, right)
        attribution = dict(draft.attribution) | {"editor": "陈编辑"}
        changes = {
            "body": body,
            "attribution": attribution,
            "audience": {"topics": ["employment"]},
            "klass": "重要",
        }
        item = await drafting.edit(queue, item_id, editor, item.version, changes)
        item = await submitting.submit(queue, item_id, editor, item.version)
        for login in ("reviewer1", "reviewer2", "reviewer3"):
            item = await self._approve(item, login)
        if item.state != "approved":
            raise Failed(f"三级审核后稿件是“{item.state}”")
        result["decisions"] = 3

    async def _approve(self, item: Item, login: str) -> Item:
        digest, found = await findings_now(self.shenfa.queue, item.id)
        flagged = {one.gate for one in found}
        gates = {
            gate: {"ok": True, "note": "已核对原文" if gate in flagged else ""} for gate in GATES
        }
        files = {part["media"]: True for part in (await self._draft(item.id)).attachments}
        answer = ReviewForm("approve", digest, item.version, gates, attachments=files, proof=True)
        return await deciding.decide(self.shenfa.queue, item.id, self.people[login], answer)

    async def _publish(self, item_id: str, result: dict[str, Any]) -> None:
        tell("五、定时发布到两个平台，并推送给订阅的市民")
        await publishing.schedule(self.shenfa.queue, item_id, self.people["editor"])
        await self._until("两个平台都发布", lambda: self._published(item_id))
        async with self.shenfa.db.session() as session:
            query = select(Publication).where(Publication.item_id == item_id)
            rows = (await session.scalars(query)).all()
        names = {account: platform for platform, account in self.accounts.items()}
        result["publications"] = {
            "wechat": sum(names[row.account_id] == "wechat" for row in rows),
            "telegram": sum(names[row.account_id] == "telegram" for row in rows),
        }
        await self._settled()
        result["delivered"] = await self._delivered()
        tell(f"   推送：{result['delivered']}")

    async def _published(self, item_id: str) -> bool:
        async with self.shenfa.db.session() as session:
            query = select(Publication).where(Publication.item_id == item_id)
            rows = (await session.scalars(query)).all()
        stuck = [
            row.reason for row in rows if row.state in (State.FAILED, State.HELD, State.UNKNOWN)
        ]
        if stuck:
            raise Failed(f"发布没有成功：{stuck[0]}")
        return len(rows) == 2 and all(
            row.state == State.PUBLISHED and row.pushed_at is not None for row in rows
        )

    async def _settled(self) -> None:
        async def quiet() -> bool:
            moving = (State.CREATED, State.SENDING, State.SUBMITTED, State.RETRYING)
            async with self.shenfa.db.session() as session:
                query = select(func.count()).where(Delivery.state.in_(moving))
                return not await session.scalar(query)

        await self._until("推送全部有结果", quiet, 120)

    async def _delivered(self) -> dict[str, int]:
        async with self.shenfa.db.session() as session:
            query = (
                select(Delivery.state, func.count())
                .where(Delivery.publication_id.is_not(None))
                .group_by(Delivery.state)
            )
            counts = {row[0]: row[1] for row in (await session.execute(query)).all()}
        return {
            "sent": counts.get(State.PUBLISHED, 0),
            "unknown": counts.get(State.UNKNOWN, 0),
            "failed": sum(
                counts.get(state, 0) for state in (State.FAILED, State.ENDED, State.HELD)
            ),
        }

    async def _questions(self, result: dict[str, Any]) -> None:
        tell("六、一个问题用政策原文回答，一个转给值班人员")
        one, other = (await self.sandbox.get("citizens", account="700700"))["citizens"][1:3]
        await self._say(one["citizen"], "高校毕业生就业补贴的标准是多少")
        heard = await self._heard(one["citizen"], "每人每月")
        result["answered"] = int(heard and "青人社发〔2026〕5号" in heard)
        await self._say(other["citizen"], "转人工")
        await self._say(other["citizen"], "我家门口的路灯坏了一个月，找哪个部门")

        async def opened() -> bool:
            async with self.shenfa.db.session() as session:
                return (await session.scalars(select(Ticket.id).limit(1))).first() is not None

        await self._until("工单已建立", opened)
        async with self.shenfa.db.session() as session:
            ticket = (await session.scalars(select(Ticket).limit(1))).one()
        duty = self.people["duty1"]
        await tickets.claim(self.shenfa.tickets, ticket.id, duty)
        await replying.reply(
            self.shenfa.tickets, ticket.id, duty, "路灯由县城市管理局负责，已转办，三天内修复。"
        )
        result["escalated"] = int(bool(await self._heard(other["citizen"], "三天内修复")))

    async def _say(self, citizen: str, words: str) -> None:
        await self.sandbox.post("say", account="700700", citizen=citizen, text=words)

    async def _heard(self, citizen: str, words: str) -> str:
        found: list[str] = []

        async def heard() -> bool:
            got = await self.sandbox.get("messages", account="700700", citizen=citizen)
            found.extend(
                str(one.get("text", ""))
                for one in got["messages"]
                if words in str(one.get("text", ""))
            )
            return bool(found)

        await self._until(f"市民收到“{words}”", heard)
        return found[0]

    async def _tamper(self, result: dict[str, Any]) -> None:
        tell("七、绕过程序用 SQL 改动已通过的稿件：发送前被拒绝")
        queue, editor = self.shenfa.queue, self.people["editor"]
        content = Content(kind="原创", title="青禾县周末集市安排", body="周六上午九时，县体育馆。")
        item = await drafting.create_item(queue, content, Origin(editor_id=editor, klass="日常"))
        item = await submitting.submit(queue, item.id, editor, item.version)
        for login in ("reviewer1", "reviewer3"):
            item = await self._approve(item, login)
        await publishing.schedule(queue, item.id, editor, now() + timedelta(seconds=2))
        async with self.shenfa.db.session() as session:
            await session.execute(
                text(
                    "UPDATE revision SET canonical = replace(canonical, '九时', '八时')"
                    " WHERE item_id = :i"
                ),
                {"i": item.id},
            )

        async def held() -> bool:
            async with self.shenfa.db.session() as session:
                query = select(Publication.state).where(Publication.item_id == item.id)
                states = (await session.scalars(query)).all()
            return bool(states) and all(state == State.HELD for state in states)

        await self._until("被改动的稿件停止发送", held)
        async with self.shenfa.db.session() as session:
            query = select(Incident).where(Incident.subject == f"item:{item.id}")
            incident = (await session.scalars(query)).first()
        received = await self.sandbox.get("requests")
        leaked = "周末集市" in json.dumps(received, ensure_ascii=False)
        result["tamper_refused"] = int(incident is not None and not leaked)
        if incident is not None:
            tell(f"   事件：{incident.message}")

    async def _ledger(self, result: dict[str, Any]) -> None:
        lines = [line async for line in self.shenfa.ledger.export()]
        anchors = await asyncio.to_thread(self.shenfa.ledger.anchor_path.read_text)
        verdict = verify_export(lines, self.shenfa.ledger.public_key, anchors.splitlines())
        result["ledger_ok"] = verdict.ok
        tell(f"八、台账核验：{verdict.entries} 条，{'完好' if verdict.ok else verdict.problem}")

    async def _until(
        self, what: str, check: Callable[[], Awaitable[bool]], seconds: float = 40
    ) -> None:
        deadline = time.monotonic() + seconds
        while not await check():
            if time.monotonic() > deadline:
                raise Failed(f"等了 {seconds:.0f} 秒还没有：{what}")
            await asyncio.sleep(0.1)

    async def _item(self, item_id: str) -> Item:
        async with self.shenfa.db.session() as session:
            return await session.get_one(Item, item_id)

    async def _draft(self, item_id: str) -> Draft:
        async with self.shenfa.db.session() as session:
            query = select(Revision).where(Revision.item_id == item_id)
            revision = (
                await session.scalars(query.order_by(Revision.number.desc()).limit(1))
            ).one()
        return Draft.from_canonical(revision.canonical)

    def introduce(self) -> None:
        """Where to look now, and four things to try."""
        port = self.shenfa.settings.port
        tell("\n演示已就绪，可以自己再来一遍：")
        for login, name, _ in CAST:
            tell(
                f"  {name}　http://{login}.localhost:{port}/console/　密码 {self.passwords[login]}"
            )
        tell(f"  两部手机　{self.sandbox.url}/")
        tell("可以试：")
        tell("  1. 用李初审的地址登录，打开“稿件”，批准一篇（先由陈编辑提交）")
        tell("  2. 在手机上发“订阅消费”，再发“退订”")
        tell("  3. 在手机上问“高校毕业生就业补贴的标准是多少”")
        tell("  4. 在手机上发“转人工”，用郑值班的地址答复")
        tell("按 Ctrl+C 结束。")


def _hostport(url: str) -> str:
    return url.split("//", 1)[1].split("/", 1)[0]


def _free_port() -> int:
    return 18_000 + secrets.randbelow(8_000)


def _load(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _save(path: Path, value: dict[str, Any]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False)


def _setup(sandbox: str) -> dict[str, Any]:
    host = _hostport(sandbox)
    return {
        "organisation": "青禾县人民政府",
        "staff": [{"login": login, "name": name, "roles": roles} for login, name, roles in CAST],
        "accounts": [
            {
                "slug": "qinghe-wx",
                "platform": "wechat",
                "name": "青禾发布（微信）",
                "api_base": f"{sandbox}/wechat",
                "secrets": WECHAT,
                "settings": {"kind": "service"},
                "owner": "陈编辑",
            },
            {
                "slug": "qinghe-tg",
                "platform": "telegram",
                "name": "青禾发布（Telegram）",
                "api_base": f"{sandbox}/telegram",
                "secrets": {
                    "token": BOT_TOKEN,
                    "webhook_secret": "sandbox-webhook-secret",
                    "chat": "@qinghe_channel",
                },
                "assessment_ref": "DEMO",
                "owner": "陈编辑",
            },
        ],
        "sources": [
            {
                "organisation": "青禾县人民政府门户网站",
                "hosts": [host],
                "allow_http": True,
                "basis": "青政办发〔2026〕1号 青禾县政务新媒体转载稿源名单",
                "owner": "陈编辑",
                "picture_licence": "授权随文转载图片",
                "valid_from": "2026-01-01",
                "columns": [
                    {"name": "要闻", "url": f"{sandbox}/site/news/rss.xml", "kind": "feed"}
                ],
            }
        ],
        "roster": [{"login": "duty1"}],
    }


POLICIES = (
    PolicyDraft(
        title="青禾县高校毕业生就业补贴办法",
        doc_number="青人社发〔2026〕5号",
        issuer="青禾县人力资源和社会保障局",
        issued_on=date(2026, 3, 1),
        effective_from=date(2026, 3, 1),
        url="https://qinghe.example/policy/2026-5",
        text="青禾县高校毕业生就业补贴办法\n"
        "第一条 为鼓励高校毕业生在青禾县就业，制定本办法。\n"
        "第二条 毕业两年内的高校毕业生在本县企业就业并缴纳社会保险的，"
        "可申领就业补贴，标准为每人每月800元，最长不超过24个月。\n"
        "第三条 申请人凭身份证、毕业证和劳动合同到县政务服务大厅就业窗口办理。\n",
    ),
    PolicyDraft(
        title="青禾县高校毕业生就业补贴实施细则",
        doc_number="青人社发〔2019〕3号",
        issuer="青禾县人力资源和社会保障局",
        issued_on=date(2019, 5, 1),
        effective_from=date(2019, 5, 1),
        effective_to=date(2029, 4, 30),
        url="https://qinghe.example/policy/2019-3",
        text="青禾县高校毕业生就业补贴实施细则\n第一条 就业补贴标准为每人每月300元。\n",
    ),
    PolicyDraft(
        title="青禾县促进消费若干措施",
        doc_number="青政发〔2026〕8号",
        issuer="青禾县人民政府",
        issued_on=date(2026, 4, 10),
        effective_from=date(2026, 4, 10),
        url="https://qinghe.example/policy/2026-8",
        text="青禾县促进消费若干措施\n第一条 对购买新能源汽车的个人，每辆给予3000元消费券。\n"
        "第二条 支持夜间经济街区延长营业时间。\n",
    ),
)
