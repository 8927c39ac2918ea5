"""Measurements: each names its work, its figure, and what the shortest specialist code takes.

A row is {"bench", "metric", "unit", "value", "bare", "ratio", "target", "ok", "n", "detail"};
`bare` is measured in the same run, `ratio` is how many times the bare time we take.
"""

import asyncio
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import ahocorasick_rs
import aiohttp
import feedparser
import tantivy
import xmltodict
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from lxml.html import document_fromstring
from readability import Document as Readability
from rensa import RMinHash, RMinHashLSH
from sqlalchemy import event, func, insert, select, update
from telegram import Bot
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply

from app import Shenfa, build_site, initialise, open_shenfa
from bot.contract import Content, State
from bot.http import open_session
from bot.models import Account, Delivery, InboundMessage
from bot.telegram.client import AiohttpRequest
from config.clock import now
from config.settings import Settings
from config.setup import AccountSetup, Setup, StaffSetup
from console.web.guard import COOKIE
from content_sources.duplicates import bands_of, find, sketch
from content_sources.extract import extract_page
from content_sources.ingest import AT_ONCE
from content_sources.models import Article, Band, Column, Sketch, Source
from gates.engine import GateText, NoFacts, RuleSet, run_gates
from gates.finding import Finding
from gates.normalise import normalise
from gates.places import DIVISIONS
from gates.rules import Rule
from gates.spelling import Speller
from knowledge.ask import Library, ask_record
from knowledge.search import pairs
from ledger.append import Ledger
from ledger.verify import verify_export
from review_queue import deciding, drafting, submitting
from review_queue.canonical import Draft as ItemDraft
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item
from review_queue.release import Releases
from review_queue.workflow import GATES
from sandbox.site import MANY
from staff.models import ConsoleSession, Staff
from staff.sessions import token_hash
from storage.database import new_id

Row = dict[str, Any]
ROOT = Path(__file__).parent
IN_FLIGHT = 64  # calls on their way at once, ours and bare
_HAN = "办补贴申领条件就业创业促进消费政策企业人员社保登记培训岗位毕业生困难家庭县区镇街道资金审核"
_SENTENCES = (
    "符合条件的高校毕业生可以申领一次性就业补贴，标准为每人一千五百元。",
    "用人单位应当在每月十日前向县人力资源和社会保障局提交材料。",
    "购买新能源汽车的消费者凭发票和登记证明申请，补贴资金直接发放到本人账户。",
    "本通知自发布之日起施行，由青禾县商务局负责解释。",
)


def _row(bench: str, metric: str, unit: str, figures: tuple[float, float, float], n: int) -> Row:
    """One row from (value, bare, target); a unit that ends in /s is better when it is higher."""
    value, bare, target = figures
    rate = unit.endswith("/s")
    return {
        "bench": bench,
        "metric": metric,
        "unit": unit,
        "value": round(value, 4),
        "bare": round(bare, 4),
        "ratio": round(bare / value if rate else value / bare, 2),
        "target": target,
        "ok": value >= target if rate else value <= target,
        "n": n,
        "detail": {},
    }


def _ms(work: Callable[[], object], n: int) -> list[float]:
    """Milliseconds of each of `n` calls."""
    taken = []
    for _ in range(n):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def _part(values: list[float], percent: int) -> float:
    """The value that `percent` of `values` do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def _word(number: int, length: int) -> str:
    """A word of `length` characters; different numbers below 40 ** length give different words."""
    letters = sorted(set(_HAN))
    word = ""
    for _ in range(length):
        number, at = divmod(number, len(letters))
        word += letters[at]
    return word


# --- gates and questions ------------------------------------------------------------------


async def gates(n: int = 200, terms: int = 50_000) -> list[Row]:
    """Five gates over a 2,000-character notice, with terms added up to `terms`."""
    started = RuleSet.load()
    known = set(DIVISIONS.names).union(*((*rule.terms, *rule.pairs) for rule in started.rules))
    extra = tuple(_word(number, 6) for number in range(max(1, terms - len(known))))
    more = Rule(
        id="bench.extra",
        gate="wording",
        severity="hint",
        terms=extra,
        reason="测速用词",
        basis="测速",
        must=extra[:1],
    )
    rules = RuleSet([*started.rules, more])
    text = "".join(_SENTENCES[number % len(_SENTENCES)] for number in range(200))[:2000]
    draft = GateText("关于发放就业补贴的通知", text, "原创", date(2026, 1, 1))
    dense = normalise(text)
    bare = ahocorasick_rs.AhoCorasick(sorted(known.union(extra)), store_patterns=False)
    run_gates(draft, rules, NoFacts())
    ours = statistics.median(_ms(lambda: run_gates(draft, rules, NoFacts()), n))
    scan = statistics.median(_ms(lambda: rules.scan(dense), n))
    short = statistics.median(
        _ms(lambda: bare.find_matches_as_indexes(dense.text, overlapping=True), n)
    )
    whole = _row("gates", "p50 of five gates", "ms", (ours, short, 5.0), n)
    part = _row("gates", "p50 of the scan alone", "ms", (scan, short, round(3 * short, 4)), n)
    whole["detail"] = {"characters": len(text), "terms": len(known.union(extra))}
    speller = Speller.load()
    speller.find(text)
    spelt = statistics.median(_ms(lambda: speller.find(text), max(1, n // 10)))
    spelling = _row("gates", "p50 of the spelling model on top", "ms", (spelt, short, 30.0), n)
    return [whole, part, spelling, *_gates_start(len(extra))]


# A process of its own: seconds to import, seconds to compile, megabytes resident more than before.
_START = """
import json, resource, sys, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6
empty, begun = resident(), time.perf_counter()
{imports}
words = {words}
imported = time.perf_counter()
{compile}
json.dump([imported - begun, time.perf_counter() - imported, resident() - empty], sys.stdout)
"""
_OURS = """
row = dict(id="bench.extra", gate="wording", severity="hint", terms=words, must=words[:1])
rules = RuleSet([*RuleSet.load().rules, Rule(**row, reason="测速", basis="测速")])
run_gates(GateText("", "关于发放补贴的通知", "", date(2026, 1, 1)), rules, NoFacts())
"""


def _gates_start(terms: int) -> list[Row]:
    """Start-up and memory of the gates in a new process, beside the bare automaton's."""
    imports = (
        "from datetime import date\n"
        "from gates.engine import GateText, NoFacts, RuleSet, run_gates\n"
        "from gates.rules import Rule"
    )
    ours = _measured(imports, _OURS, terms)
    bare = _measured("import ahocorasick_rs", "made = ahocorasick_rs.AhoCorasick(words)", terms)
    start = _row("gates", "start-up", "s", (sum(ours[:2]), sum(bare[:2]), 2.0), 1)
    start["detail"] = {"imports": round(ours[0], 3), "compiled": round(ours[1], 3), "terms": terms}
    return [start, _row("gates", "resident memory added", "MB", (ours[2], bare[2], 150.0), 1)]


def _measured(imports: str, work: str, terms: int) -> list[float]:
    han = (
        f"['一' + ''.join(chr(0x4E00 + n // 40**p % 40) for p in range(6)) for n in range({terms})]"
    )
    code = _START.format(imports=imports, words=han, compile=work)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)  # noqa: S603  our own code
    return [float(value) for value in json.loads(done.stdout)]


def _clauses(count: int) -> Iterable[dict[str, str]]:
    for number in range(count):
        yield {
            "id": str(number),
            "title": f"{_word(number // 10, 4)}补贴办法",
            "text": f"{_word(number, 5)}申请{_word(number * 7, 6)}的，"
            f"{_SENTENCES[number % len(_SENTENCES)]}",
        }


async def ask(n: int = 200, clauses: int = 20_000) -> list[Row]:
    """Questions, one at a time, over `clauses` generated clauses."""
    lines = list(_clauses(clauses))
    begun = time.perf_counter()
    library = Library.from_lines(lines)
    built = time.perf_counter() - begun
    begun = time.perf_counter()
    index = _bare_index(lines)
    bare_built = time.perf_counter() - begun
    questions = [
        f"{_word(number * 97 % clauses, 5)}怎么申请就业补贴，标准是多少" for number in range(n)
    ]
    waiting, searcher = iter(questions * 2), index.searcher()
    ours = _ms(lambda: ask_record({"id": 1, "question": next(waiting)}, library), n)

    def bare() -> None:
        query = index.parse_query(" ".join(pairs(next(waiting))), ["body"])
        for _, address in searcher.search(query, 10).hits:
            searcher.doc(address)

    speed = _row(
        "ask", "p95 of one question", "ms", (_part(ours, 95), _part(_ms(bare, n), 95), 20.0), n
    )
    speed["detail"] = {"clauses": clauses, "p50": round(statistics.median(ours), 3)}
    build = _row("ask", "index built", "s", (built, bare_built, 60.0 * clauses / 100_000), clauses)
    return [speed, build]


def _bare_index(lines: list[dict[str, str]]) -> tantivy.Index:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("body", stored=True, tokenizer_name="whitespace")
    index = tantivy.Index(builder.build())
    writer = index.writer(64_000_000, 1)
    for line in lines:
        writer.add_document(tantivy.Document(body=" ".join(pairs(line["title"] + line["text"]))))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index


# --- an office to measure -----------------------------------------------------------------

_PEOPLE = {
    "editor": ["editor"],
    "first": ["reviewer_1"],
    "second": ["reviewer_2"],
    "third": ["reviewer_3", "secrecy"],
}


@asynccontextmanager
async def _office(account: AccountSetup, dev_allow: str = "") -> AsyncIterator[Shenfa]:
    """A new office in a temporary home, with one account; removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="shenfa-bench-") as folder:
        home = Path(folder)
        settings = Settings(
            home=home,
            database_url=f"sqlite+aiosqlite:///{home / 'shenfa.db'}",
            redis_url="",
            ledger_key_file=home / "keys" / "ledger.key",
            data_key_file=home / "keys" / "data.key",
            anchor_file=home / "anchors.jsonl",
            sends_in_flight=IN_FLIGHT,
            dev=bool(dev_allow),
            dev_allow=dev_allow,
        )
        staff = [
            StaffSetup(login=login, name=login, roles=roles) for login, roles in _PEOPLE.items()
        ]
        await initialise(settings, Setup(organisation="青禾县", staff=staff, accounts=[account]))
        async with open_shenfa(settings) as shenfa:
            yield shenfa


async def _submitted(shenfa: Shenfa) -> tuple[Item, dict[str, str]]:
    """An item at its first level, and the ids of staff by login."""
    async with shenfa.db.session() as session:
        staff = {row.login: row.id for row in await session.scalars(select(Staff))}
    content = Content(kind="原创", title="关于发放就业补贴的通知", body="\n".join(_SENTENCES))
    origin = Origin(editor_id=staff["editor"], klass="重要")
    item = await drafting.create_item(shenfa.queue, content, origin)
    return await submitting.submit(shenfa.queue, item.id, staff["editor"], item.version), staff


async def _released(shenfa: Shenfa) -> tuple[str, str]:
    """Item id and release id of an item that passed three levels."""
    item, staff = await _submitted(shenfa)
    fine = {gate: {"ok": True, "note": ""} for gate in GATES}
    for login in ("first", "second", "third"):
        digest, _ = await findings_now(shenfa.queue, item.id)
        answer = ReviewForm("approve", digest, item.version, fine, proof=True)
        item = await deciding.decide(shenfa.queue, item.id, staff[login], answer)
    if item.release_id is None:
        raise RuntimeError("the item was approved at every level and has no release")
    return item.id, item.release_id


# --- release and ledger -------------------------------------------------------------------


def _bare_verify(lines: list[Row], key: Ed25519PublicKey) -> None:
    """Hash every entry and check every signature, and nothing else."""
    for line in lines:
        digest = hashlib.sha256(line["preimage"].encode()).hexdigest()
        if line["signature"] is not None:
            key.verify(bytes.fromhex(line["signature"]), digest.encode())


async def release(n: int = 100, entries: int = 100_000, waiting: int = 10_000) -> list[Row]:
    """Verify one release as a sender does, a ledger of `entries` entries as an auditor does, and
    open the queue and an item where `waiting` items wait.
    """
    account = AccountSetup(
        slug="bench",
        platform="telegram",
        name="青禾发布",
        api_base="https://api.telegram.org",
        secrets={"token": "7:bench", "webhook_secret": "bench", "chat": "@bench"},
        assessment_ref="bench",
    )
    async with _office(account) as shenfa:
        rows = await _verify_release(shenfa, n)
        rows += await _pages(shenfa, (await _submitted(shenfa))[0].id, waiting)
        rows.append(await _verify_ledger(shenfa.ledger, entries))
    return rows


async def _verify_release(shenfa: Shenfa, n: int) -> list[Row]:
    """The proof of one release: what decides whether it may go out, without and with the gates."""
    item_id, release_id = await _released(shenfa)
    ledger, key = shenfa.ledger, shenfa.ledger.public_key
    chain = await shenfa.releases.chain(item_id)
    used = {entry.seq for entry in chain.entries}
    used.update(entry.seq for history in chain.staff.values() for entry in history)
    records = [json.loads(line) async for line in ledger.export()]
    mine = [record for number, record in enumerate(records, 1) if number in used]
    short = statistics.median(_ms(lambda: _bare_verify(mine, key), n))
    rows = []
    for name, proof in (
        ("p50 of verifying a release", Releases(ledger, _no_gates)),
        ("p50 of verifying a release and running the gates again", shenfa.releases),
    ):
        taken = []
        with _counted(shenfa) as asked:
            for _ in range(n):
                begun = time.perf_counter()
                await proof.verify(release_id)
                taken.append((time.perf_counter() - begun) * 1000)
        row = _row("release", name, "ms", (statistics.median(taken), short, 2.0), n)
        row["detail"] = {"signed_entries_checked": len(mine), "queries": len(asked) // n}
        rows.append(row)
    return rows


async def _no_gates(draft: ItemDraft) -> list[Finding]:
    return []


@contextmanager
def _counted(shenfa: Shenfa) -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    asked: list[str] = []

    def note(*args: Any) -> None:
        asked.append(args[2])

    for engine in shenfa.db.engines:
        event.listen(engine, "before_cursor_execute", note)
    yield asked
    for engine in shenfa.db.engines:
        event.remove(engine, "before_cursor_execute", note)


async def _verify_ledger(ledger: Ledger, entries: int) -> Row:
    """Append `entries` entries, one in ten signed, and read the export as an auditor does."""
    begun = time.perf_counter()
    async with ledger.transaction() as tx:
        for number in range(entries):
            kind = "gates.run" if number % 10 else "item.scheduled"
            body = {"digest": "0" * 64, "number": number}
            await tx.append(kind, subject=f"item:{number}", actor="bench", body=body)
    appended = entries / (time.perf_counter() - begun)
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as file:
        async for line in ledger.export():
            file.write(line + "\n")
        file.seek(0)
        begun = time.perf_counter()
        verdict = verify_export(file, ledger.public_key)
        whole = time.perf_counter() - begun
        if not verdict.ok:
            raise RuntimeError(verdict.problem)
        file.seek(0)
        records = (json.loads(line) for line in file)
        held = [record for record in records if "preimage" in record]
    bare = _ms(lambda: _bare_verify(held, ledger.public_key), 1)[0] / 1000
    speeds = (verdict.entries / whole, verdict.entries / bare, 20_000.0)
    row = _row("release", "ledger verified from its export", "entries/s", speeds, verdict.entries)
    row["detail"] = {"signed": verdict.signed, "appended_per_second": round(appended)}
    return row


async def _pages(shenfa: Shenfa, item_id: str, waiting: int) -> list[Row]:
    """The queue and an item, opened by the first reviewer; bare is the same rows read by SQL."""
    async with shenfa.db.session() as session:
        item = await session.get_one(Item, item_id)
        row = {column.name: getattr(item, column.name) for column in Item.__table__.columns}
        more = [
            row | {"id": new_id(), "title": f"第{number}件", "release_id": None}
            for number in range(waiting)
        ]
        await session.execute(insert(Item), more)
        reader = (await session.scalars(select(Staff.id).where(Staff.login == "first"))).one()
        session.add(
            ConsoleSession(
                token_hash=token_hash("bench"),
                staff_id=reader,
                csrf="bench",
                created_at=now(),
                seen_at=now(),
            )
        )
    rows = []
    async with TestClient(TestServer(build_site(shenfa)), cookies={COOKIE: "bench"}) as client:
        for name, path in (
            ("queue page", "/console/"),
            ("list of items", "/console/items"),
            ("item page", f"/console/items/{item_id}"),
        ):
            rows.append(await _page(shenfa, client, name, path))
            rows[-1]["detail"]["waiting"] = waiting
    return rows


async def _page(
    shenfa: Shenfa, client: TestClient[web.Request, web.Application], name: str, path: str
) -> Row:
    taken, n = [], 10
    for number in range(n + 1):  # the first look fills caches and is not counted
        with _counted(shenfa) as asked:
            begun = time.perf_counter()
            async with client.get(path, allow_redirects=False) as answer:
                text = await answer.text()
            taken.append((time.perf_counter() - begun) * 1000)
        if answer.status != 200 or not text:
            raise RuntimeError(f"{path} answered {answer.status} at look {number}")
    begun = time.perf_counter()
    async with shenfa.db.session() as session:
        await session.execute(select(Item.id, Item.title).order_by(Item.level_due_at).limit(50))
    bare = (time.perf_counter() - begun) * 1000
    row = _row(
        "release", f"p50 of the {name}", "ms", (statistics.median(taken[1:]), bare, 100.0), n
    )
    row["detail"] = {"queries": len(asked)}
    return row


# --- push ---------------------------------------------------------------------------------


@asynccontextmanager
async def _sandbox() -> AsyncIterator[str]:
    """The address of a sandbox in a process of its own, stopped afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--port", "0", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the sandbox has no output")
        yield str(json.loads(await process.stdout.readline())["url"])
    finally:
        process.terminate()
        await process.wait()


async def _control(url: str, name: str, body: Row) -> Row:
    async with (
        aiohttp.ClientSession(raise_for_status=True) as http,
        http.post(f"{url}/_control/{name}", json=body) as answer,
    ):
        return dict(await answer.json())


async def push(n: int = 1_000) -> list[Row]:
    """`n` messages through the sender, unpaced, with every row before and after its call."""
    token = "7:bench"  # noqa: S105  the sandbox takes any
    async with _sandbox() as url:
        made = await _control(
            url, "accounts", {"platform": "telegram", "token": token, "name": "青禾", "secret": "b"}
        )
        await _control(url, "limits", {"telegram": False, "record": False})
        chats = (await _control(url, "citizens", {"account": "7", "count": n}))["citizens"]
        account = AccountSetup(
            slug="bench",
            platform="telegram",
            name="青禾发布",
            api_base=made["api_base"],
            secrets={"token": token, "webhook_secret": "b", "chat": "@bench"},
            settings={"per_second": 0},
            assessment_ref="bench",
        )
        host = url.removeprefix("http://")
        async with _office(account, dev_allow=host) as shenfa:
            ours = await _push_ours(shenfa, chats)
            bare = await _push_bare(made["api_base"], token, chats, host)
    row = _row("push", "unpaced Telegram messages", "messages/s", (n / ours, n / bare, 2_000.0), n)
    row["detail"] = {"in_flight": IN_FLIGHT, "database": "sqlite"}
    return [row]


async def _push_ours(shenfa: Shenfa, chats: list[str]) -> float:
    """Seconds until every chat's row says published."""
    _, release_id = await _released(shenfa)
    async with shenfa.db.session() as session:
        account = (await session.scalars(select(Account))).one()
        for chat in chats:
            contact = await shenfa.contacts.upsert(session, account.id, chat, now())
            session.add(
                Delivery(
                    id=new_id(),
                    content_key=release_id,
                    release_id=release_id,
                    account_id=account.id,
                    contact_id=contact.id,
                    reason="您订阅了就业创业",
                    state=State.CREATED,
                    created_at=now(),
                )
            )
    await shenfa.lease.start()
    begun = time.perf_counter()
    while await shenfa.sender.deliver_due():
        pass
    taken = time.perf_counter() - begun
    await shenfa.lease.stop()
    async with shenfa.db.session() as session:
        states = (await session.scalars(select(Delivery.state).distinct())).all()
    if set(states) != {State.PUBLISHED}:
        raise RuntimeError(f"not every message was published: {sorted(states)}")
    return taken


async def _push_bare(api_base: str, token: str, chats: list[str], host: str) -> float:
    """Seconds python-telegram-bot takes on the same transport, with nothing written."""
    async with open_session(frozenset({host})) as session:
        request = AiohttpRequest(lambda: session)
        bot = Bot(token, base_url=f"{api_base}/bot", request=request, get_updates_request=request)
        text = "\n".join(_SENTENCES)
        waiting = iter(chats)

        async def client() -> None:
            for chat in waiting:
                await bot.send_message(chat, text)

        begun = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))
        return time.perf_counter() - begun


# --- callback -----------------------------------------------------------------------------

_CLIENTS = 8
_WECHAT = {
    "appid": "wxbench",
    "secret": "bench",
    "token": "bench",
    "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
}


def _crypto() -> Any:
    return WeChatCrypto(_WECHAT["token"], _WECHAT["aes_key"], _WECHAT["appid"])


def _encrypted(number: int) -> tuple[Row, str]:
    """Query and body of one encrypted text, as WeChat posts it, each by another citizen."""
    stamp, nonce = str(int(now().timestamp())), f"n{number}"
    plain = (
        f"<xml><ToUserName>gh_bench</ToUserName><FromUserName>o{number}</FromUserName>"
        f"<CreateTime>{stamp}</CreateTime><MsgType>text</MsgType><Content>帮助</Content>"
        f"<MsgId>{number + 1}</MsgId></xml>"
    )
    body = _crypto().encrypt_message(plain, nonce, stamp)
    signature = xmltodict.parse(body)["xml"]["MsgSignature"]
    query = {"timestamp": stamp, "nonce": nonce, "msg_signature": signature, "encrypt_type": "aes"}
    return query, body


async def _bare_callback(request: web.Request) -> web.Response:
    """Decrypt, parse, encrypt: nothing proved twice, nothing stored."""
    query, crypto = request.query, _crypto()
    plain = crypto.decrypt_message(
        await request.text(), query["msg_signature"], query["timestamp"], query["nonce"]
    )
    answer = TextReply(message=parse_message(plain), content=_SENTENCES[0]).render()
    return web.Response(text=crypto.encrypt_message(answer, query["nonce"], query["timestamp"]))


async def _load(app: web.Application, path: str, n: int) -> tuple[float, list[float]]:
    """Seconds for `n` posts by a few clients in this process, and the milliseconds of each."""
    texts = iter([_encrypted(number) for number in range(n)])
    taken: list[float] = []
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    async with aiohttp.ClientSession(raise_for_status=True) as http:

        async def client() -> None:
            for query, body in texts:
                begun = time.perf_counter()
                async with http.post(url, params=query, data=body) as answer:
                    if "<Encrypt>" not in await answer.text():
                        raise RuntimeError("a message was not answered")
                taken.append((time.perf_counter() - begun) * 1000)

        begun = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(_CLIENTS)))
        whole = time.perf_counter() - begun
    await runner.cleanup()
    return whole, taken


async def callback(n: int = 600) -> list[Row]:
    """`n` encrypted WeChat texts in, stored once, answered by template, encrypted out."""
    account = AccountSetup(
        slug="bench",
        platform="wechat",
        name="青禾发布",
        api_base="https://api.weixin.qq.com",
        secrets=_WECHAT,
    )
    async with _office(account) as shenfa:
        ours, taken = await _load(build_site(shenfa), "/wechat/bench", n)
        async with shenfa.db.session() as session:
            stored = await session.scalar(select(func.count()).select_from(InboundMessage))
    app = web.Application()
    app.router.add_post("/bare", _bare_callback)
    bare, short = await _load(app, "/bare", n)
    speed = _row("callback", "encrypted texts answered", "requests/s", (n / ours, n / bare, 1e3), n)
    speed["detail"] = {"stored": stored, "clients": _CLIENTS, "load": "same process"}
    times = (_part(taken, 99), _part(short, 99), 250.0)
    return [speed, _row("callback", "p99 of one answer", "ms", times, n)]


# --- sources ------------------------------------------------------------------------------


def _article_html(kilobytes: int, *, known: bool) -> str:
    """A page of about so many kilobytes; `known` has meta tags and a known container."""
    menu = "".join(f'<li><a href="/c{n}/">栏目{n}</a></li>' for n in range(200))
    line = "".join(_SENTENCES)
    count = max(1, (kilobytes * 1024 - 12_000) // len(line.encode()))
    body = "".join(f"<p>{line}</p>" for _ in range(count))
    meta = (
        '<meta name="ArticleTitle" content="就业补贴通知"><meta name="PubDate" content="20261120">'
    )
    head = f"{meta if known else ''}<title>就业补贴通知_青禾县人民政府</title>"
    place = '<div class="TRS_Editor">' if known else "<div>"
    return (
        f"<html><head>{head}</head><body><ul>{menu}</ul><h1>就业补贴通知</h1>"
        f"<div>来源：县就业局 发布时间：2026-11-20</div>{place}{body}</div></body></html>"
    )


def _extraction(n: int) -> list[Row]:
    rows = []
    for known, target in ((True, 30.0), (False, 120.0)):
        page = _article_html(100, known=known)

        def ours(page: str = page) -> object:
            return extract_page(page, "https://q.example/a.html")

        def bare(page: str = page, known: bool = known) -> object:  # noqa: FBT001  defaults bind it
            if known:
                return document_fromstring(page).xpath('string(//div[@class="TRS_Editor"])')
            return Readability(page).summary()

        name = "meta tags" if known else "generic fallback"
        figures = statistics.median(_ms(ours, n)), statistics.median(_ms(bare, n)), target
        rows.append(_row("sources", f"p50 of extracting 100 KB, {name}", "ms", figures, n))
        begun = time.process_time()
        for _ in range(n):
            ours()
        spent = (time.process_time() - begun) * 1000 / n
        rows[-1]["detail"] = {"bytes": len(page.encode()), "cpu_ms": round(spent, 1)}
    return rows


BASE = 1_000_000  # sketches of the bench are numbered from here


async def _near(shenfa: Shenfa, n: int, articles: int) -> Row:
    """Look up texts among `articles` others; the bare limit is rensa's own index in memory."""
    real = ["".join(_word(number * 31 + step, 6) for step in range(100)) for number in range(n)]
    signatures = [sketch(text) for text in real]
    index = RMinHashLSH(0.7, 125, 25)
    async with shenfa.db.session() as session:
        rows, bands = [], []
        for number in range(articles):
            signature = signatures[number] if number < n else os.urandom(500)
            rows.append(
                {"number": BASE + number, "article_id": f"a{number}", "signature": signature}
            )
            bands += [{"key": key, "number": BASE + number} for key in bands_of(signature)]
        await session.execute(insert(Sketch), rows)
        await session.execute(insert(Band), bands)
        for number, text in enumerate(real):
            session.add(_article_row(f"a{number}", text, "item"))
    minhashes = []
    for number, text in enumerate(real):
        minhash = RMinHash(num_perm=125, seed=20)
        minhash.update([text[at : at + 3] for at in range(len(text) - 2)])
        minhashes.append(minhash)
        index.insert(number, minhash)
    taken, hits = [], 0
    for number, text in enumerate(real):
        changed = text[: 300 + number % 100] + "改动" + text[302 + number % 100 :]
        begun = time.perf_counter()
        async with shenfa.db.session() as session:
            found = await find(session, changed, sketch(changed))
        taken.append((time.perf_counter() - begun) * 1000)
        hits += bool(found) and found[0].article_id == f"a{number}"
    waiting = iter(minhashes)
    bare = statistics.median(_ms(lambda: index.query(next(waiting)), n))
    row = _row("sources", "p95 of a near-duplicate check", "ms", (_part(taken, 95), bare, 10.0), n)
    row["detail"] = {"articles": articles, "found": hits, "p50": round(_part(taken, 50), 2)}
    return row


def _article_row(key: str, text: str, state: str, url: str = "") -> Article:
    return Article(
        id=key,
        source_id="bench",
        column_id=None,
        url=url or f"https://q.example/{key}",
        title=key,
        published_on=None,
        text=text,
        images=[],
        attachments=[],
        headers={},
        snapshot="",
        text_hash=key,
        duplicate_of=None,
        item_id=None,
        state=state,
        fetched_at=now(),
    )


async def _columns(shenfa: Shenfa, url: str, columns: int) -> list[str]:
    """A source with that many columns at the sandbox, half of them feeds; the addresses."""
    host = url.removeprefix("http://")
    source = Source(
        id=new_id(),
        organisation="青禾县",
        hosts=[host],
        allow_http=True,
        basis="测速",
        valid_from=now() - timedelta(days=1),
        valid_to=None,
        state="active",
        proposed_by="bench",
        approved_by="bench",
    )
    names = ["rss.xml" if number % 2 else "list.html" for number in range(columns)]
    addresses = [f"{url}/site/many/{number}/{name}" for number, name in enumerate(names)]
    async with shenfa.ledger.transaction() as tx:
        tx.session.add(source)
        for number, address in enumerate(addresses):
            tx.session.add(
                Column(
                    id=new_id(),
                    source_id=source.id,
                    name=f"栏目{number}",
                    url=address,
                    kind="feed" if number % 2 else "list",
                    selectors={},
                    next_at=now(),
                    last_ok_at=None,
                )
            )
            for entry in range(1, MANY):  # the newest entry, number 0, is new
                known = f"{url}/site/many/{number}/{entry}.html"
                tx.session.add(_article_row(f"k{number}-{entry}", "旧", "item", known))
    return addresses


async def _poll_all(shenfa: Shenfa) -> tuple[float, int]:
    """Seconds to poll every column once, and the items made."""
    async with shenfa.db.session() as session:
        await session.execute(update(Column).values(next_at=now(), etag="", last_modified=""))
    begun = time.perf_counter()
    made = await shenfa.ingest.poll_due()
    return time.perf_counter() - begun, made


async def _bare_poll(addresses: list[str], host: str) -> float:
    """Fetch and parse the same pages with the same libraries, judging and keeping nothing."""
    async with open_session(frozenset({host})) as session:
        waiting = iter(addresses)

        async def client() -> None:
            for address in waiting:
                async with session.get(address) as answer:
                    body = await answer.read()
                if address.endswith(".xml"):
                    await asyncio.to_thread(feedparser.parse, body)
                else:
                    tree = await asyncio.to_thread(document_fromstring, body)
                    tree.xpath("//li/a/@href")

        begun = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(24)))
        return time.perf_counter() - begun


def _resident() -> float:
    """Megabytes of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1024 / 1024


async def sources(columns: int = 500, articles: int = 100_000, n: int = 100) -> list[Row]:
    """Columns polled against the sandbox by one process, extraction, near-duplicates."""
    account = AccountSetup(
        slug="bench",
        platform="telegram",
        name="青禾发布",
        api_base="https://api.telegram.org",
        secrets={"token": "7:bench", "webhook_secret": "bench", "chat": "@bench"},
        assessment_ref="bench",
    )
    extraction = _extraction(min(n, 40))
    async with _sandbox() as url:
        host = url.removeprefix("http://")
        async with _office(account, dev_allow=host) as shenfa:
            addresses = await _columns(shenfa, url, columns)
            first, made = await _poll_all(shenfa)
            memory = [_resident()]
            steady = []
            for _ in range(3):
                steady.append((await _poll_all(shenfa))[0])
                memory.append(_resident())
            async with shenfa.db.session() as session:
                states = (await session.scalars(select(Column.state).distinct())).all()
            if set(states) != {"ok"} or made != columns:
                raise RuntimeError(f"{made} items of {columns} columns, states {sorted(states)}")
            near = await _near(shenfa, n, articles)
        bare = await _bare_poll(addresses, host)
    filled = _row(
        "sources", "columns polled, one new article each", "s", (first, bare, 60.0), columns
    )
    filled["detail"] = {"items": made}
    quiet = _row("sources", "columns polled, nothing new", "s", (min(steady), bare, 60.0), columns)
    quiet["detail"] = {"megabytes": [round(one) for one in memory], "at_once": AT_ONCE}
    return [filled, quiet, *extraction, near]


BENCHES: dict[str, Callable[[], Awaitable[list[Row]]]] = {
    "gates": gates,
    "ask": ask,
    "release": release,
    "push": push,
    "callback": callback,
    "sources": sources,
}
