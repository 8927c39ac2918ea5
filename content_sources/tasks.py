"""Tasks about sources and reposts: who has to do what by when, and how it was settled.

Kinds: correction (an original changed), decision (a source of something published fell away),
repost (a superior body asks for one), renewal (a source is about to expire), plan and lookback.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Account, Publication
from config.clock import beijing, now
from ledger.append import Ledger, Transaction
from review_queue import recalling
from review_queue.canonical import Draft
from review_queue.correcting import copy_to_correct
from review_queue.desk import Queue
from review_queue.models import Item, Revision
from staff.models import Staff, Task
from staff.refusal import Reason, Refused
from staff.rights import entitled
from staff.tasks import (
    NewTask,
    Settlement,
    Tell,
    check_settlement,
    close_task,
    open_task,
    read_open,
    remind,
)

PLAN, LOOKBACK = "plan", "lookback"
"""An item of the work plan (supervision/workplan.py), and the second look at one that was done."""
SECOND_LOOK = timedelta(days=90)
KINDS = {
    "correction": "原文有变",
    "decision": "稿源失效",
    "repost": "要求转载",
    "renewal": "稿源到期",
    PLAN: "工作要点",
    LOOKBACK: "回头看",
}
OUTCOMES = {
    "corrected": "已写更正",
    "recalled": "已撤回",
    "no_change": "不用改",
    "keep": "保留",
    "published": "已转载",
    "done": "已处理",
}
CHOICES = {
    "correction": ("corrected", "recalled", "no_change"),
    "decision": ("keep", "corrected", "recalled"),
    "repost": ("done",),
    "renewal": ("done",),
    PLAN: ("done",),
    LOOKBACK: ("done",),
}
EARLIER = timedelta(days=3)  # a repost that went out shortly before it was asked for counts


async def owner_of(session: AsyncSession, owner: str) -> str | None:
    """The staff member a source's owner field names, by login or name; None when nobody."""
    if not owner:
        return None
    query = select(Staff.id).where(
        or_(Staff.login == owner, Staff.name == owner), Staff.active.is_(True)
    )
    return (await session.scalars(query.limit(1))).first()


async def ask_for_repost(ledger: Ledger, new: NewTask) -> Task:
    """A mandatory repost from a superior body, asked for by `new.created_by`.

    Refused (403) without the role; (422) names every field that is wrong.
    """
    faults = []
    if not new.title.strip() and not new.url.strip():
        faults.append(Reason("title", "请填写要转载的标题或网址"))
    if new.url and not new.url.startswith(("https://", "http://")):
        faults.append(Reason("url", "网址要以 https:// 开头"))
    if not new.accounts:
        faults.append(Reason("accounts", "请选择要发布的账号"))
    if new.due_at <= now():
        faults.append(Reason("due_at", "时限已经过了，请填写以后的时间"))
    async with ledger.transaction() as tx:
        await entitled(tx.session, new.created_by, "tasks.ask")
        known = set((await tx.session.scalars(select(Account.id))).all())
        if unknown := set(new.accounts) - known:
            faults.append(Reason("accounts", f"没有这样的账号：{'、'.join(sorted(unknown))}"))
        if new.assignee and await tx.session.get(Staff, new.assignee) is None:
            faults.append(Reason("assignee", "没有这位工作人员"))
        if faults:
            raise Refused(422, faults)
        return await open_task(tx, new)


async def settle(queue: Queue, task_id: str, staff_id: str, how: Settlement) -> Task:
    """Close a task. A correction makes a draft of kind 更正; a recall takes the item back."""
    async with queue.ledger.db.session() as session:
        await entitled(session, staff_id, "tasks.settle")
        task = await read_open(session, task_id)
    check_settlement(how, {key: OUTCOMES[key] for key in CHOICES[task.kind]})
    made = ""
    if how.outcome == "recalled" and task.item_id:
        # Recalling writes its own entries and asks the platforms: not inside our transaction.
        await recalling.recall(queue, task.item_id, staff_id, how.note)
    async with queue.ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "tasks.settle")  # again: the recall took its time
        # Read again inside the lock: somebody else may have settled it meanwhile.
        task = await read_open(tx.session, task_id)
        if how.outcome == "corrected" and task.item_id:
            made = (await copy_to_correct(queue, tx, task.item_id, staff_id)).id
        await close_task(tx, task, staff_id, how, made=made)
        if task.kind == PLAN:
            later = now() + SECOND_LOOK
            title = f"回头看：{task.title}"[:300]
            await open_task(tx, NewTask(LOOKBACK, title, later, assignee=task.assignee))
    return task


async def tend(ledger: Ledger, tell: Tell | None = None) -> dict[str, int]:
    """Job: close reposts that are out, remind of what is due or late.

    `tell` is given by the composition root; without it nobody is reminded by message.
    """
    async with ledger.transaction() as tx:
        done = 0
        query = select(Task).where(Task.state == "open", Task.kind == "repost")
        for task in (await tx.session.scalars(query)).all():
            done += await _complete(tx, task)
    return {"completed": done, "reminded": await remind(ledger.db, tell)}


async def _complete(tx: Transaction, task: Task) -> bool:
    """Note where the repost is out; close the task when it is out everywhere."""
    query = (
        select(Publication, Item)
        .join(Item, Item.id == Publication.item_id)
        .where(
            Publication.state == State.PUBLISHED,
            Publication.account_id.in_(task.accounts),
            Publication.published_at >= task.created_at - EARLIER,
        )
        .order_by(Publication.published_at)
    )
    out: dict[str, dict[str, str]] = dict(task.detail.get("out", {}))
    for publication, item in (await tx.session.execute(query)).all():
        # The first matching publication counts, and the later ones change nothing. A row that
        # somebody wrote past this program is no proof of a repost.
        if not publication.whole or publication.account_id in out:
            continue
        if not await _is_it(tx.session, item, task):
            continue
        out[publication.account_id] = {
            "item": item.id,
            "at": (publication.published_at or now()).isoformat(),
        }
    if out != task.detail.get("out", {}):
        task.detail = dict(task.detail) | {"out": out}
    if set(out) != set(task.accounts):
        return False
    await close_task(tx, task, "system", Settlement("published", "已在全部账号发布"))
    return True


async def _is_it(session: AsyncSession, item: Item, task: Task) -> bool:
    """Same title, or the same original address in the attribution."""
    if task.title and _plain(item.title) == _plain(task.title):
        return True
    if not task.url:
        return False
    query = select(Revision.canonical).where(Revision.item_id == item.id)
    text = (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).one()
    draft = Draft.from_canonical(text)
    return draft.attribution.get("url", "").rstrip("/") == task.url.rstrip("/")


def _plain(title: str) -> str:
    return "".join(title.split())


@dataclass(frozen=True)
class RepostLine:
    """One account of one repost task in the completion report."""

    title: str
    url: str
    account: str
    due_at: datetime
    published_at: str
    state: str  # 按时 | 逾期完成 | 未完成 | 逾期未完成


async def repost_report(session: AsyncSession) -> list[RepostLine]:
    """Every repost task, account by account, newest first."""
    query = select(Task).where(Task.kind == "repost")
    tasks = (await session.scalars(query.order_by(Task.created_at.desc()))).all()
    rows = await session.execute(select(Account.id, Account.name))
    names = {row[0]: row[1] for row in rows.all()}
    return [_line(task, key, names.get(key, key)) for task in tasks for key in task.accounts]


def _line(task: Task, account_id: str, account: str) -> RepostLine:
    found = task.detail.get("out", {}).get(account_id)
    at = datetime.fromisoformat(found["at"]) if found else None
    if at is None and task.state == "done":
        state = f"已处理：{task.note}"[:80]
    elif at is None:
        state = "逾期未完成" if task.due_at <= now() else "未完成"
    else:
        state = "按时" if at <= task.due_at else "逾期完成"
    when = f"{beijing(at):%Y-%m-%d %H:%M}" if at else ""
    return RepostLine(task.title, task.url, account, task.due_at, when, state)


def as_csv(lines: Sequence[RepostLine]) -> str:
    """The completion report for a spreadsheet: UTF-8 with a mark, no cell that is a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["标题", "原文网址", "账号", "时限", "发布时间", "结果"])
    for line in lines:
        due = f"{beijing(line.due_at):%Y-%m-%d %H:%M}"
        row = (line.title, line.url, line.account, due, line.published_at, line.state)
        # A cell that begins like a formula would be run by the spreadsheet that opens the report.
        writer.writerow(["'" + cell if cell[:1] in "=+-@\t" and cell else cell for cell in row])
    # With the mark Excel reads the file as UTF-8; without it Chinese becomes signs.
    return "\ufeff" + text.getvalue()
