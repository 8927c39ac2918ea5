"""A small county office with a morning's work in it: people, accounts, items, tickets, policies."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from bot.account_entries import sign_account
from bot.accounts import Accounts
from bot.channel import Channel, Menu
from bot.channels import open_channels
from bot.contract import Content, State
from bot.delivery.outbox import queue_reply
from bot.models import Account, Attempt, Contact, Delivery, InboundMessage, Publication
from bot.sealing import rewrite
from bot.telegram.rendering import problems_telegram, render_telegram
from bot.wechat import edition
from config.clock import now
from config.settings import Settings
from console.app import create_console
from console.web.deps import Deps
from content_sources.changes import WantedChange, propose
from content_sources.fetch import Fetcher
from content_sources.ingest import Ingest
from content_sources.kinds import source_kinds
from content_sources.models import Article, Column, Source
from content_sources.source_fields import SourceFields
from escalations.alarms import AlarmPost, Alarms
from escalations.calendar import load_hours
from escalations.consultations import KIND as CONSULTATION
from escalations.consultations import ConsultationKind
from escalations.models import Ticket
from escalations.roster import DutyLine, RosterKind, set_roster
from escalations.tickets import TicketWiring
from facets.taxonomy import starting_taxonomy
from gates.engine import GateText, NoFacts, RuleSet, run_gates
from gates.finding import Finding
from handlers.recall import Recall
from handlers.released import KIND, ReleasedTemplates, TemplateShelf
from knowledge.changes import policy_kinds
from knowledge.documents import PolicyDraft
from knowledge.entries import ReviewedEntries
from knowledge.forms import MET
from knowledge.leaving_out import LEAVE_OUT, LeaveOutKind
from knowledge.library import PolicyLibrary
from knowledge.models import Clause
from knowledge.regression import Regression
from knowledge.service import KnowledgeService
from ledger.append import Ledger, load_signing_key
from office.parts import parts_of, seed_texts
from review_queue import deciding, drafting, publishing, submitting
from review_queue.canonical import QA, Draft
from review_queue.comments import Comments
from review_queue.desk import Queue
from review_queue.drafting import Origin
from review_queue.files import Files
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.governance.account_changes import AccountKind
from review_queue.governance.account_closing import AccountCloseKind
from review_queue.governance.kinds import Governance, seed
from review_queue.models import Item
from review_queue.picture_messages import PictureMessages
from review_queue.shelf import Shelf
from review_queue.workflow import GATES, load_workflows
from staff.door import Door
from staff.identities import Identities
from staff.models import Staff
from staff.people import Person, deactivate, hash_password, set_staff
from staff.proposals import Kind
from staff.provider import Provider, client_of
from staff.settings import SignedSettings
from storage.cache import Cache, MemoryCache
from storage.database import Database, new_id
from subscriptions.matching import Matching
from subscriptions.models import Subscription
from subscriptions.reach import reach_now
from supervision.registry import OrganisationKind, PlacementKind
from supervision.road import Road
from supervision.trial import Trials
from tests.made import DATA_KEY, SEALS, signed_out

CONFIG = Path(__file__).parents[2] / "config"
NO_FACTS = NoFacts()
PASSWORD = "otter-lamp-39"
PEOPLE: dict[str, tuple[str, tuple[str, ...]]] = {
    "editor": ("李雪", ("editor",)),
    "reviewer1": ("张海", ("reviewer_1",)),
    "reviewer2": ("王敏", ("reviewer_2",)),
    "reviewer3": ("赵国强", ("reviewer_3", "secrecy")),
    "admin1": ("陈岩", ("admin",)),
    "admin2": ("孙丽", ("admin",)),
    "duty1": ("周洋", ("duty",)),
    "nobody": ("吴迪", ()),
}
BODY = """青禾县人力资源和社会保障局决定，自2026年12月1日起受理高校毕业生求职补贴申请。
补贴对象为毕业学年内积极求职的低收入家庭、残疾和获得国家助学贷款的高校毕业生，标准为每人1500元。
申请人登录政务服务平台，填写申请表，上传学籍证明和身份证明，所在学校初审后由县人社局审核公示。
依据青政办发[2025]18号文件，残废人毕业生凭证件申请，补贴直接发到本人帐号。
申请截止到2026年12月31日。咨询电话请拨打县人社局服务大厅公开电话。"""
SOURCE_TEXT = """青禾县人力资源和社会保障局决定，自2026年12月1日起受理高校毕业生求职补贴申请。
补贴对象为毕业学年内积极求职的低收入家庭、残疾和获得国家助学贷款的高校毕业生，标准为每人1500元。
申请人登录政务服务平台，填写申请表，上传学籍证明和身份证明，所在学校初审后由县人社局审核公示。
申请截止到2026年12月31日。"""
_RENDER = {
    "wechat": (edition.render, edition.problems),
    "telegram": (render_telegram, problems_telegram),
}


def render(accounts: Sequence[Account], content: Content) -> tuple[dict[str, Any], list[str]]:
    """The real renderings of both platforms."""
    made = {row.id: _RENDER[row.platform][0](content) for row in accounts}
    faults = [fault for row in accounts for fault in _RENDER[row.platform][1](made[row.id])]
    return made, faults


@dataclass
class Office:
    """The parts, the people by login, and a client for each of them."""

    deps: Deps
    people: dict[str, str]
    server: TestServer
    clients: list[TestClient[web.Request, web.Application]]

    def client(self) -> TestClient[web.Request, web.Application]:
        """A browser that nobody has signed in with."""
        client = TestClient(self.server, cookie_jar=CookieJar(unsafe=True))
        self.clients.append(client)
        return client

    async def signed_in(self, login: str) -> "Browser":
        """A browser where this person is signed in."""
        browser = Browser(self.client())
        await browser.sign_in(login, PASSWORD)
        return browser

    async def item(
        self, body: str = BODY, klass: str = "重要", title: str = "求职补贴开始申请"
    ) -> Item:
        """A draft by the editor for both accounts, pushed to 就业创业."""
        content = Content(kind="原创", title=title, body=body)
        origin = Origin(
            editor_id=self.people["editor"],
            klass=klass,
            audience={"topics": ["employment"], "groups": [], "regions": []},
        )
        return await drafting.create_item(self.deps.queue, content, origin)

    async def submitted(
        self, body: str = "一句平常的话，说明办理时间。", title: str = "办理时间说明"
    ) -> Item:
        """An item at its first level."""
        row = await self.item(body, "重要", title)
        return await submitting.submit(self.deps.queue, row.id, self.people["editor"], row.version)

    async def decide(self, row: Item, login: str, verdict: str = "approve") -> Item:
        """One decision with every gate answered."""
        digest, _ = await findings_now(self.deps.queue, row.id)
        gates = {gate: {"ok": True, "note": "已核对原件"} for gate in GATES}
        answer = ReviewForm(
            verdict,
            digest,
            row.version,
            gates,
            "请核对数字" if verdict == "return" else "",
            proof=True,
        )
        return await deciding.decide(self.deps.queue, row.id, self.people[login], answer)

    async def approved(self, title: str = "办理时间说明") -> Item:
        """An item that passed all three levels."""
        row = await self.submitted(title=title)
        for login in ("reviewer1", "reviewer2", "reviewer3"):
            row = await self.decide(row, login)
        return row


class Browser:
    """A client that keeps cookies and reads the form token off the page, as a browser would."""

    def __init__(self, client: TestClient[web.Request, web.Application]) -> None:
        self.client = client
        self.csrf = ""

    async def sign_in(self, login: str, password: str) -> int:
        page = await self.client.get("/console/signin")
        fields = {"login": login, "password": password, "csrf": token_of(await page.text())}
        answer = await self.client.post("/console/signin", data=fields, allow_redirects=False)
        if answer.status == 303:
            self.csrf = token_of(await (await self.client.get("/console/")).text())
        return answer.status

    async def get(self, path: str) -> tuple[int, str]:
        answer = await self.client.get(path, allow_redirects=False)
        return answer.status, (await answer.read()).decode(errors="replace")  # or it is a file

    async def post(self, path: str, **fields: Any) -> tuple[int, str]:
        data = {"csrf": self.csrf} | fields
        answer = await self.client.post(path, data=data, allow_redirects=False)
        return answer.status, await answer.text()

    async def api(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"X-CSRF": self.csrf}
        answer = await self.client.request(method, f"/api/v1{path}", json=body, headers=headers)
        return answer.status, await answer.json()


def token_of(text: str) -> str:
    """The form token in a page."""
    return text.split('name="csrf" value="', 1)[1].split('"', 1)[0]


async def build(tmp: Path, password_hash: str, **settings: Any) -> Office:
    """An office with its people and accounts, and nothing to do yet."""
    db = Database(f"sqlite+aiosqlite:///{tmp / 'office.db'}", SEALS)
    await db.create_all()
    ledger = Ledger(db, load_signing_key(tmp / "keys/ledger.key"), tmp / "anchors.jsonl")
    rules, files, messages = RuleSet.load(), Files(db), PictureMessages(db)

    async def check_text(text: str) -> list[Finding]:
        return await asyncio.to_thread(_findings, rules, "", text)

    async def check(draft: Draft) -> tuple[str, list[Finding]]:
        found = await asyncio.to_thread(_findings, rules, draft.title, draft.body)
        found += await files.findings(draft, rules, NO_FACTS)
        found += await messages.findings(draft)
        return rules.digest, found

    async def send(delivery_id: str) -> None:
        """What a sender leaves in the row of what it has sent."""
        async with db.session() as session:
            await rewrite(session, Delivery.id == delivery_id, state=State.PUBLISHED)

    allowed = Settings(home=tmp, **settings).allowed_private
    accounts = Accounts(db, DATA_KEY, allowed)
    channels = open_channels(cache := MemoryCache(), allowed)
    alarms = Alarms(db, DATA_KEY, accounts.open, channels, AlarmPost(allowed))

    flows = load_workflows(CONFIG / "workflows.yaml")
    async with ledger.transaction() as tx:
        await seed(tx, flows.values(), rules)
        await seed_texts(tx)
        people = {
            login: (await set_staff(tx, Person(login, name, roles, password_hash), "init")).id
            for login, (name, roles) in PEOPLE.items()
        }
        for slug, platform, name in (
            ("qinghe-wx", "wechat", "青禾政务"),
            ("qinghe-tg", "telegram", "青禾发布"),
        ):
            account = Account(
                id=new_id(),
                slug=slug,
                organisation_id="office",
                platform=platform,
                name=name,
                api_base="https://platform.example",
                secrets="",
                settings={},
                created_at=now(),
            )
            tx.session.add(account)
            await tx.session.flush()
            await sign_account(tx, account, "init")
        await set_roster(tx, [DutyLine("", 0, people["duty1"])], "init")
    hours, signed = load_hours(CONFIG / "calendar.yaml"), SignedSettings(ledger, parts_of(""))
    taxonomy = starting_taxonomy()
    more: dict[str, Kind] = {
        "account": AccountKind(ledger, Accounts(db, DATA_KEY), starting_taxonomy()),
        "account_close": AccountCloseKind(ledger),
        "organisation": OrganisationKind(ledger),
        "placement": PlacementKind(ledger),
        "roster": RosterKind(ledger, taxonomy),
        CONSULTATION: ConsultationKind(ledger),
        **source_kinds(ledger),
    }
    governance = Governance.of(ledger, more=more, settings=signed)
    await governance.levels.refresh()

    async def policy_gates(title: str, text: str) -> list[Finding]:
        found = await asyncio.to_thread(_findings, rules, title, text)
        return [one for one in found if one.gate in MET]

    governance.proposals.kinds |= policy_kinds(ledger, policy_gates)
    governance.proposals.kinds[LEAVE_OUT] = LeaveOutKind(ledger)
    queue = Queue.of(ledger, governance.levels, render, check)
    entries = ReviewedEntries(ledger)
    shelves: dict[str, Shelf] = {KIND: TemplateShelf(ReleasedTemplates(ledger)), QA: entries}
    reach = partial(reach_now, ledger, Matching(taxonomy))
    queue = replace(queue, library=shelves, reach=reach)
    library = KnowledgeService(ledger)
    chosen = Settings(home=tmp, **settings)
    client = client_of(chosen)
    identities = Identities(ledger, cache, DATA_KEY, Provider(client)) if client else None
    deps = Deps(
        settings=chosen,
        identities=identities,
        db=db,
        ledger=ledger,
        queue=queue,
        governance=governance,
        cache=cache,
        taxonomy=taxonomy,
        matching=Matching(taxonomy),
        tickets=TicketWiring(
            ledger, hours, check_text, partial(queue_reply, db), alarms.tell, send=send
        ),
        alarms=alarms,
        ingest=Ingest(db, ledger, queue, Fetcher()),
        door=Door(ledger, cache, DATA_KEY),
        recall=Recall(ReleasedTemplates(ledger), entries, library.hit, library.ask),
        trials=_trials(ledger, cache, accounts, channels),
        comments=Comments(ledger, check_text),
        regression=Regression(ledger, library, signed),
    )
    server = TestServer(create_console(deps), host="127.0.0.1")
    await server.start_server()
    return Office(deps, people, server, [])


def _trials(
    ledger: Ledger, cache: Cache, accounts: Accounts, channels: Mapping[str, Channel]
) -> Trials:
    """What tries an account; nobody has a way there to be sent a message by."""

    async def to_oneself(_staff_id: str, account: Account) -> str:
        return f"没有 {account.platform} 提醒方式"

    return Trials(ledger, cache, Road(accounts, channels, "", Menu((), ())), to_oneself)


def _findings(rules: RuleSet, title: str, text: str) -> list[Finding]:
    draft = GateText(title=title, text=text, kind="原创", as_of=date(2026, 11, 24))
    return run_gates(draft, rules, NoFacts())


async def close(office: Office) -> None:
    """Give everything back."""
    for client in office.clients:
        await client.session.close()
    await office.server.close()
    await office.deps.db.close()


async def busy_morning(office: Office) -> dict[str, str]:
    """Fill the office with a believable morning; returns ids of things to look at."""
    deps, people = office.deps, office.people
    accounts = {}
    async with deps.db.session() as session:
        for row in (await session.scalars(select(Account))).all():
            accounts[row.slug] = row.id
    source, article = await _source(office)
    content = Content(
        kind="转载",
        title="2026年高校毕业生求职补贴开始申请",
        body=BODY,
        attribution={
            "source": "青禾县人力资源和社会保障局",
            "original_title": "关于受理2026年度高校毕业生一次性求职补贴申请的公告",
            "editor": "李雪",
            "url": "https://rsj.qinghe.example/gsgg/202611/t1120.html",
        },
    )
    audience = {"topics": ["employment"], "groups": [], "regions": []}
    origin = Origin(people["editor"], "重要", article, audience)
    marked = await drafting.create_item(deps.queue, content, origin)
    body = BODY.replace("[2025]", "〔2025〕").replace("申请截止到", "受理截止到")
    second = await drafting.edit(
        deps.queue,
        marked.id,
        people["editor"],
        marked.version,
        {"body": body + "\n本公告自发布之日起施行。"},
    )
    reviewing = await submitting.submit(deps.queue, second.id, people["editor"], second.version)
    reviewing = await office.decide(reviewing, "reviewer1")
    phone = BODY + "\n联系人张某，手机13812345678。"
    draft = await office.item(phone, "日常", "高校毕业生招聘会本周六举行")
    cover = "县医疗保障局公布2027年度城乡居民医保缴费安排，集中缴费期到12月31日。"
    waiting = await office.submitted(cover, "2027年度城乡居民医保开始缴费")
    blocked = await office.submitted(phone, "家电以旧换新补贴怎样领取")
    market = await office.submitted("周末市集开放时间有调整。", "周末市集调整开放时间")
    returned = await office.decide(market, "reviewer1", "return")
    approved = await office.approved("县图书馆冬季开放时间")
    published = await _published(office, accounts)
    policy = await _policies(office)
    ticket = await _tickets(office, accounts)
    await _subscribers(office, accounts)
    await deps.ledger.open_incident(
        "release_refused",
        subject=f"item:{published[0]}",
        message="发送前核验未通过，已停止发送：稿件内容与审核通过的摘要不符，内容被改动过",
        detail={},
    )
    return {
        "source": source,
        "reviewing": reviewing.id,
        "draft": draft.id,
        "waiting": waiting.id,
        "blocked": blocked.id,
        "returned": returned.id,
        "approved": approved.id,
        "published": published[0],
        "publication": published[1],
        "unknown": published[2],
        "policy": policy,
        "ticket": ticket,
    }


async def _source(office: Office) -> tuple[str, str]:
    moment = now()
    active, article = new_id(), new_id()
    basis = "北原市商务局授权转载函"
    fields = SourceFields("北原市商务局", ("swj.beiyuan.example",), basis, moment)
    await propose(office.deps.ledger, office.people["admin1"], WantedChange("add", fields))
    async with office.deps.db.session() as session:
        session.add(
            Source(
                id=active,
                organisation="青禾县人力资源和社会保障局",
                hosts=["rsj.qinghe.example"],
                basis="青禾县政府办关于公布稿源单位名单的通知",
                list_version="2026年第2版",
                valid_from=moment - timedelta(days=200),
                valid_to=moment + timedelta(days=165),
                state="active",
                proposed_by=office.people["admin1"],
                approved_by=office.people["admin2"],
            )
        )
        session.add(
            Column(
                id=new_id(),
                source_id=active,
                name="公示公告",
                url="https://rsj.qinghe.example/gsgg/",
                kind="list",
                selectors={},
                next_at=moment,
                last_ok_at=moment - timedelta(minutes=12),
                read_count=37,
            )
        )
        for key, url, state, problem in (
            (article, "https://rsj.qinghe.example/gsgg/202611/t1120.html", "item", ""),
            (new_id(), "https://news.other.example/a/991.html", "refused", "域名不在稿源名单中"),
        ):
            session.add(
                Article(
                    id=key,
                    source_id=active,
                    url=url,
                    title="关于受理2026年度高校毕业生一次性求职补贴申请的公告",
                    published_on="2026-11-20",
                    text=SOURCE_TEXT,
                    images=[],
                    attachments=[],
                    headers={},
                    snapshot="sha256:" + "0" * 64,
                    text_hash="0" * 64,
                    state=state,
                    problem=problem,
                    fetched_at=moment - timedelta(minutes=50),
                )
            )
    return active, article


async def _published(office: Office, accounts: dict[str, str]) -> tuple[str, str, str]:
    row = await office.approved("冬季取暖补助申请指南")
    row = await publishing.schedule(office.deps.queue, row.id, office.people["editor"])
    async with office.deps.db.session() as session:
        query = select(Publication).where(Publication.item_id == row.id)
        found = {one.account_id: one for one in (await session.scalars(query)).all()}
        good, unknown = found[accounts["qinghe-tg"]], found[accounts["qinghe-wx"]]
        good.state, good.published_at, good.ref = State.PUBLISHED, now(), "48213"
        unknown.state = State.UNKNOWN
        unknown.reason = "提交发布后 30 秒没有收到微信的应答"
        for state, number in ((State.PUBLISHED, 12), (State.HELD, 3), (State.UNKNOWN, 1)):
            for _ in range(number):
                session.add(
                    Delivery(
                        id=new_id(),
                        content_key=row.release_id or "",
                        release_id=row.release_id,
                        publication_id=good.id,
                        account_id=good.account_id,
                        contact_id=new_id(),
                        state=state,
                        created_at=now(),
                    )
                )
        session.add(
            Attempt(
                id=new_id(),
                publication_id=unknown.id,
                started_at=now() - timedelta(seconds=40),
                finished_at=now() - timedelta(seconds=10),
                state=State.UNKNOWN,
                code="timeout",
            )
        )
        item = await session.get(Item, row.id)
        if item is not None:
            item.state = "published"
    await signed_out(office.deps.ledger, good)
    return row.id, good.id, unknown.id


async def _policies(office: Office) -> str:
    library = PolicyLibrary(office.deps.governance.proposals)
    drafts = [
        PolicyDraft(
            title="青禾县高校毕业生就业创业补贴办法",
            doc_number="青政办发〔2025〕18号",
            issuer="青禾县人民政府办公室",
            issued_on=date(2025, 5, 6),
            effective_from=date(2025, 6, 1),
            text=(
                "第一条 为促进高校毕业生就业创业，制定本办法。\n"
                "第二条 毕业学年内积极求职的低收入家庭高校毕业生，可以申请求职补贴，每人1500元。\n"
                "第三条 申请人应当在每年12月31日前提出申请。\n"
                "第四条 本办法自2025年6月1日起施行。"
            ),
        ),
        PolicyDraft(
            title="青禾县促进消费若干措施（试行）",
            doc_number="青政发〔2022〕7号",
            issuer="青禾县人民政府",
            issued_on=date(2022, 3, 1),
            effective_from=date(2022, 3, 1),
            text="第一条 鼓励商贸企业开展惠民活动。\n第二条 本措施自印发之日起施行。",
        ),
    ]
    made = await library.propose_import(drafts, office.people["admin1"])
    for one in made:
        await library.approve(one.change_id, office.people["admin2"])
    return made[0].policy_id


async def _tickets(office: Office, accounts: dict[str, str]) -> str:
    moment = now()
    first = ""
    questions = (
        ("我去年毕业，户口不在青禾，还能领求职补贴吗", "unsure", "open", 40),
        ("转人工", "asked_for_person", "claimed", 150),
        ("消费券能不能在网上店铺用", "out_of_scope", "answered", 600),
    )
    opened: list[tuple[str, str]] = []
    async with office.deps.db.session() as session:
        wanted = select(Clause.id).where(Clause.text.contains("申请求职补贴"))
        clause = (await session.scalars(wanted)).one()
        for number, (words, reason, state, minutes) in enumerate(questions):
            contact, ticket = new_id(), new_id()
            first = first or ticket
            subject = new_id()
            opened.append((ticket, subject))
            session.add(
                Contact(
                    id=contact,
                    account_id=accounts["qinghe-wx"],
                    subject_ref=subject,
                    address="",
                    address_hash=f"{number:064d}",
                    created_at=moment,
                    last_inbound_at=moment - timedelta(minutes=30),
                )
            )
            for words_sent in ("求职补贴怎么领", words):
                session.add(
                    InboundMessage(
                        id=new_id(),
                        account_id=accounts["qinghe-wx"],
                        contact_id=contact,
                        dedupe=new_id(),
                        kind="text",
                        text=words_sent,
                        at=moment - timedelta(minutes=31),
                    )
                )
            session.add(
                Ticket(
                    id=ticket,
                    account_id=accounts["qinghe-wx"],
                    contact_id=contact,
                    question=words,
                    topic="employment",
                    reason=reason,
                    candidates=[
                        {
                            "title": "青禾县高校毕业生就业创业补贴办法",
                            "text": "低收入家庭高校毕业生，可以申请求职补贴，每人1500元。",
                            "clause_id": clause,
                        }
                    ],
                    state=state,
                    notified=[],
                    claimed_by=office.people["duty1"] if state != "open" else None,
                    acknowledge_by=moment + timedelta(minutes=10),
                    due_at=moment + timedelta(minutes=minutes),
                    created_at=moment - timedelta(minutes=30),
                    answered_at=moment if state == "answered" else None,
                )
            )
    async with office.deps.ledger.transaction() as tx:
        for ticket, subject in opened:
            body = {"contact": subject, "topic": "employment", "reason": "unsure", "due_at": ""}
            await tx.append("ticket.opened", subject=f"ticket:{ticket}", actor="robot", body=body)
    return first


async def _subscribers(office: Office, accounts: dict[str, str]) -> None:
    async with office.deps.db.session() as session:
        for topic, number in (("employment", 34), ("consumption", 21), ("health", 9)):
            for index in range(number):
                session.add(
                    Subscription(
                        id=new_id(),
                        contact_id=new_id(),
                        account_id=accounts["qinghe-tg"],
                        topic=topic,
                        state="left" if index % 11 == 10 else "active",
                        consent_version="1",
                        created_at=now(),
                        left_at=None,
                    )
                )


async def one_hash() -> str:
    """One password hash for everybody (hashing takes a tenth of a second)."""
    return await hash_password(PASSWORD)


async def set_roles(office: Office, login: str, roles: Sequence[str]) -> None:
    """Give a person other roles, as a signed entry."""
    async with office.deps.ledger.transaction() as tx:
        row = (await tx.session.scalars(select(Staff).where(Staff.login == login))).one()
        person = Person(login, row.name, tuple(roles), row.password_hash)
        await set_staff(tx, person, "admin")


async def dismiss(office: Office, login: str) -> None:
    """Take every right from a person, as a signed entry."""
    async with office.deps.ledger.transaction() as tx:
        row = (await tx.session.scalars(select(Staff).where(Staff.login == login))).one()
        await deactivate(tx, row, "admin")
