"""The acts of the play, each with the office's real parts; `result` gathers what came out."""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import func, select, text

from bot.contract import Content, State
from bot.models import Contact, Delivery, Publication
from config.clock import now
from content_sources.answers import FetchError
from content_sources.models import Article, Column
from demo.cast import (
    CITIZENS,
    EXAMPLES,
    POLICIES,
    REPEALED,
    REPEALED_ON,
    SUCCESSOR,
    TELEGRAM_ID,
    WAITING,
    WECHAT,
)
from demo.platforms import Failed
from demo.stage import SENDING, Result, Stage
from escalations import replying, tickets
from escalations.models import Ticket
from knowledge.library import Repeal
from ledger.models import Incident
from ledger.verify import verify_export
from review_queue import deciding, drafting, publishing, rounds, submitting
from review_queue.canonical import Draft
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item, Revision
from review_queue.workflow import GATES
from sandbox.site.articles import FAULTS
from subscriptions.models import Subscription

_BEGAN = time.monotonic()


def tell(line: str) -> None:
    """Progress goes to stderr; stdout belongs to the JSON line."""
    sys.stderr.write(f"{time.monotonic() - _BEGAN:6.1f}  {line}\n")
    sys.stderr.flush()


async def policies(stage: Stage) -> None:
    """Fill the library by two admins, and end the old rule by two as well."""
    tell("一、政策库：两位管理员，一位提出、一位批准")
    library, admin1, admin2 = stage.shenfa.library, stage.people["admin1"], stage.people["admin2"]
    proposed = await library.propose_import(POLICIES, admin1)
    for one in proposed:
        await library.approve(one.change_id, admin2)
    ids = {draft.doc_number: one.policy_id for draft, one in zip(POLICIES, proposed, strict=True)}
    repeal = Repeal(ids[REPEALED], REPEALED_ON, ids[SUCCESSOR])
    change = await library.propose_repeal(repeal, admin1)
    await library.approve(change.change_id, admin2)
    tell(f"   {len(proposed)} 份文件，{sum(one.clauses for one in proposed)} 条")


async def citizens(stage: Stage) -> None:
    """Have citizens follow both accounts and subscribe, as a person would: by writing."""
    tell(f"二、两个平台各 {CITIZENS} 位市民关注并订阅就业政策")
    for account, platform in ((TELEGRAM_ID, "telegram"), (WECHAT["appid"], "wechat")):
        made = await stage.sandbox.post(
            "citizens", account=account, count=CITIZENS, prefix="市民", follow=True
        )
        await _all_say(stage, account, made["citizens"], "订阅就业")
        async with stage.shenfa.db.session() as session:
            known = await session.scalar(
                select(func.count()).where(Contact.account_id == stage.accounts[platform])
            )
        if known != CITIZENS:
            raise Failed(f"{platform} 只认得 {known} 位市民，应有 {CITIZENS} 位")

    async def subscribed() -> bool:  # one platform has its answer before the act is done
        people = func.count(Subscription.contact_id.distinct())
        async with stage.shenfa.db.session() as session:
            query = select(people).where(Subscription.state == "active")
            return await session.scalar(query) == len(stage.accounts) * CITIZENS

    await _until("市民都已订阅", subscribed)


async def _all_say(stage: Stage, account: str, citizens: list[str], words: str) -> None:
    gate = asyncio.Semaphore(8)

    async def one(citizen: str) -> None:
        async with gate:
            await stage.sandbox.post("say", account=account, citizen=citizen, text=words)

    await asyncio.gather(*(one(citizen) for citizen in citizens))


async def article(stage: Stage, result: Result) -> str:
    """Fetch the listed column, count what the gates say; refuse a page of another site."""
    tell("三、抓取名单内栏目；名单外的网页被拒绝")
    async with stage.shenfa.db.session() as session:
        column = (await session.scalars(select(Column.id).order_by(Column.id).limit(1))).one()
    await stage.shenfa.ingest.poll_column(column)
    outside = stage.sandbox.url.replace("127.0.0.1", "unlisted.localhost")
    try:
        await stage.shenfa.ingest.fetch_article(f"{outside}/unlisted/news.html")
    except FetchError as error:
        result["refused_sources"] = int(error.code == "refused")
    async with stage.shenfa.db.session() as session:
        query = select(Article).where(Article.state == "item", Article.title.contains("就业"))
        article = (await session.scalars(query.order_by(Article.id).limit(1))).first()
    if article is None or article.item_id is None:
        raise Failed("没有抓到就业政策文章")
    result["articles"] = 1
    _, found = await findings_now(stage.shenfa.queue, article.item_id)
    gates: list[str] = [one.gate for one in found if not one.rule.startswith("repost.")]
    result["findings"] = {gate: gates.count(gate) for gate in GATES}
    tell(f"   五关提示：{result['findings']}")
    return article.item_id


async def review(stage: Stage, item_id: str, result: Result) -> None:
    """The editor mends what the gates found; three people approve on three levels."""
    tell("四、编辑改正，三级三人审核")
    queue, editor = stage.shenfa.queue, stage.people["editor"]
    item = await _item(stage, item_id)
    draft = await _draft(stage, item_id)
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
        item = await _approve(stage, item, login)
    if item.state != "approved":
        raise Failed(f"三级审核后稿件是“{item.state}”")
    result["decisions"] = 3


async def _approve(stage: Stage, item: Item, login: str) -> Item:
    digest, found = await findings_now(stage.shenfa.queue, item.id)
    flagged = {one.gate for one in found}
    gates = {gate: {"ok": True, "note": "已核对原文" if gate in flagged else ""} for gate in GATES}
    files = {part["media"]: True for part in (await _draft(stage, item.id)).attachments}
    answer = ReviewForm("approve", digest, item.version, gates, attachments=files, proof=True)
    return await deciding.decide(stage.shenfa.queue, item.id, stage.people[login], answer)


async def publish(stage: Stage, item_id: str, result: Result) -> None:
    """Schedule it, and wait until both platforms have it and every push has its outcome."""
    tell("五、定时发布到两个平台，并推送给订阅的市民")
    await publishing.schedule(stage.shenfa.queue, item_id, stage.people["editor"])
    stage.memo.note(progress=SENDING)
    await _until("两个平台都发布", lambda: _published(stage, item_id))
    async with stage.shenfa.db.session() as session:
        query = select(Publication).where(Publication.item_id == item_id)
        rows = (await session.scalars(query)).all()
    names = {account: platform for platform, account in stage.accounts.items()}
    result["publications"] = {
        "wechat": sum(names[row.account_id] == "wechat" for row in rows),
        "telegram": sum(names[row.account_id] == "telegram" for row in rows),
    }
    await settled(stage)
    result["delivered"] = await delivered(stage)
    tell(f"   推送：{result['delivered']}")


async def _published(stage: Stage, item_id: str) -> bool:
    async with stage.shenfa.db.session() as session:
        query = select(Publication).where(Publication.item_id == item_id)
        rows = (await session.scalars(query)).all()
    stuck = [row.reason for row in rows if row.state in (State.FAILED, State.HELD, State.UNKNOWN)]
    if stuck:
        raise Failed(f"发布没有成功：{stuck[0]}")
    return len(rows) == 2 and all(
        row.state == State.PUBLISHED and row.pushed_at is not None for row in rows
    )


async def settled(stage: Stage) -> None:
    """Wait until no message is on its way."""

    async def quiet() -> bool:
        moving = (State.CREATED, State.SENDING, State.SUBMITTED, State.RETRYING)
        async with stage.shenfa.db.session() as session:
            query = select(func.count()).where(Delivery.state.in_(moving))
            return not await session.scalar(query)

    await _until("推送全部有结果", quiet, 300)


async def delivered(stage: Stage) -> dict[str, int]:
    """How the pushed messages ended: sent, unknown, failed."""
    async with stage.shenfa.db.session() as session:
        query = (
            select(Delivery.state, func.count())
            .where(Delivery.publication_id.is_not(None))
            .group_by(Delivery.state)
        )
        counts = {row[0]: row[1] for row in (await session.execute(query)).all()}
    return {
        "sent": counts.get(State.PUBLISHED, 0),
        "unknown": counts.get(State.UNKNOWN, 0),
        "failed": sum(counts.get(state, 0) for state in (State.FAILED, State.ENDED, State.HELD)),
    }


async def questions(stage: Stage, result: Result) -> None:
    """One question is answered from the library, one goes to the person on duty and comes back."""
    tell("六、一个问题用政策原文回答，一个转给值班人员")
    async with stage.shenfa.db.session() as session:
        if (await session.scalars(select(Ticket.id).limit(1))).first() is not None:
            return  # an earlier run had come so far
    known = (await stage.sandbox.get("citizens", account=TELEGRAM_ID))["citizens"]
    one, other = [each for each in known if each["kind"] == "private"][:2]
    example = EXAMPLES[0]
    await _say(stage, one["citizen"], example.question)
    heard = await _heard(stage, one["citizen"], example.words)
    result["answered"] = int(bool(heard) and example.number in heard)
    await _say(stage, other["citizen"], "转人工")
    await _say(stage, other["citizen"], "我家门口的路灯坏了一个月，找哪个部门")

    async def opened() -> bool:
        async with stage.shenfa.db.session() as session:
            return (await session.scalars(select(Ticket.id).limit(1))).first() is not None

    await _until("工单已建立", opened)
    async with stage.shenfa.db.session() as session:
        ticket = (await session.scalars(select(Ticket).limit(1))).one()
    duty = stage.people["duty1"]
    await tickets.claim(stage.shenfa.tickets, ticket.id, duty)
    await replying.reply(
        stage.shenfa.tickets, ticket.id, duty, "路灯由县城市管理局负责，已转办，三天内修复。"
    )
    result["escalated"] = int(bool(await _heard(stage, other["citizen"], "三天内修复")))


async def _say(stage: Stage, citizen: str, words: str) -> None:
    await stage.sandbox.post("say", account=TELEGRAM_ID, citizen=citizen, text=words)


async def _heard(stage: Stage, citizen: str, words: str) -> str:
    found: list[str] = []

    async def heard() -> bool:
        got = await stage.sandbox.get("messages", account=TELEGRAM_ID, citizen=citizen)
        found.extend(
            str(one.get("text", "")) for one in got["messages"] if words in str(one.get("text", ""))
        )
        return bool(found)

    await _until(f"市民收到“{words}”", heard)
    return found[0]


async def tamper(stage: Stage, result: Result) -> None:
    """Change an approved item behind the program's back: it is held, an incident says why."""
    tell("七、绕过程序用 SQL 改动已通过的稿件：发送前被拒绝")
    queue, editor = stage.shenfa.queue, stage.people["editor"]
    content = Content(kind="原创", title="青禾县周末集市安排", body="周六上午九时，县体育馆。")
    if await _titled(stage, content.title):
        return  # an earlier run had come so far
    item = await drafting.create_item(queue, content, Origin(editor_id=editor, klass="日常"))
    item = await submitting.submit(queue, item.id, editor, item.version)
    for login in ("reviewer1", "reviewer3"):
        item = await _approve(stage, item, login)
    await publishing.schedule(queue, item.id, editor, now() + timedelta(seconds=2))
    async with stage.shenfa.db.session() as session:
        await session.execute(
            text(
                "UPDATE revision SET canonical = replace(canonical, '九时', '八时')"
                " WHERE item_id = :i"
            ),
            {"i": item.id},
        )

    async def held() -> bool:
        async with stage.shenfa.db.session() as session:
            query = select(Publication.state).where(Publication.item_id == item.id)
            states = (await session.scalars(query)).all()
        return bool(states) and all(state == State.HELD for state in states)

    await _until("被改动的稿件停止发送", held)
    async with stage.shenfa.db.session() as session:
        query = select(Incident).where(Incident.subject == f"item:{item.id}")
        incident = (await session.scalars(query)).first()
    received = await stage.sandbox.get("requests")
    leaked = "周末集市" in json.dumps(received, ensure_ascii=False)
    result["tamper_refused"] = int(incident is not None and not leaked)
    if incident is not None:
        tell(f"   事件：{incident.message}")


async def _titled(stage: Stage, title: str) -> bool:
    async with stage.shenfa.db.session() as session:
        return (
            await session.scalars(select(Item.id).where(Item.title == title))
        ).first() is not None


async def prove_ledger(stage: Stage, result: Result) -> None:
    """Verify the exported ledger against key and anchors, as an auditor would elsewhere."""
    lines = [line async for line in stage.shenfa.ledger.export()]
    anchors = await asyncio.to_thread(stage.shenfa.ledger.anchor_path.read_text)
    verdict = verify_export(lines, stage.shenfa.ledger.public_key, anchors.splitlines())
    result["ledger_ok"] = verdict.ok
    tell(f"八、台账核验：{verdict.entries} 条，{'完好' if verdict.ok else verdict.problem}")


async def _until(what: str, check: Callable[[], Awaitable[bool]], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not await check():
        if time.monotonic() > deadline:
            raise Failed(f"等了 {seconds:.0f} 秒还没有：{what}")
        await asyncio.sleep(0.1)


async def _item(stage: Stage, item_id: str) -> Item:
    async with stage.shenfa.db.session() as session:
        return await session.get_one(Item, item_id)


async def _draft(stage: Stage, item_id: str) -> Draft:
    async with stage.shenfa.db.session() as session:
        query = select(Revision).where(Revision.item_id == item_id)
        revision = (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).one()
    return Draft.from_canonical(revision.canonical)


async def leave_one_waiting(stage: Stage) -> None:
    """See to it that the first reviewer finds something to decide: the visitor's first act."""
    queue, editor = stage.shenfa.queue, stage.people["editor"]
    if await rounds.waiting_for(queue.ledger.db, stage.people["reviewer1"], 1):
        return
    for one in WAITING:
        if await _titled(stage, one.title):
            continue
        content = Content(kind="原创", title=one.title, body=one.body)
        item = await drafting.create_item(queue, content, Origin(editor_id=editor, klass=one.klass))
        await submitting.submit(queue, item.id, editor, item.version)
        return
