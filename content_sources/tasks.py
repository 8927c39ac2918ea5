"""Tasks about sources and reposts: who has to do what by when, and how it was settled.

Kinds: correction (an original changed), decision (a source of something published fell away),
repost (a superior body asks for one), renewal (a source is about to expire).
"""

import csv
import hashlib
import io
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Content, State
from bot.models import Account, Publication
from config.clock import beijing, now
from content_sources.list_models import SourceTask
from ledger.append import Ledger, Transaction
from review_queue import drafting, recalling
from review_queue.canonical import Draft
from review_queue.desk import Queue
from review_queue.drafting import Origin
from review_queue.models import Item, Revision
from staff.models import Staff
from staff.refusal import Reason, Refused
from storage.database import new_id

KINDS = {
    "correction": "原文有变",
    "decision": "稿源失效",
    "repost": "要求转载",
    "renewal": "稿源到期",
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
}
SOON = timedelta(hours=4)  # before the deadline the assignee is reminded
AGAIN = timedelta(hours=24)  # and again this often once it is late
EARLIER = timedelta(days=3)  # a repost that went out shortly before it was asked for counts
Tell = Callable[[str, str], Awaitable[Any]]
"""Staff id and text in; sent by whatever way the person is reached."""


@dataclass(frozen=True)
class NewTask:
    """A task to be opened."""

    kind: str
    title: str
    due_at: datetime
    url: str = ""
    item_id: str | None = None
    source_id: str | None = None
    assignee: str | None = None
    accounts: tuple[str, ...] = ()
    detail: dict[str, object] | None = None
    created_by: str = "system"


async def open_task(tx: Transaction, new: NewTask) -> SourceTask:
    """Open a task, as a signed entry about its item, its source or itself."""
    task = SourceTask(
        id=new_id(),
        kind=new.kind,
        title=new.title,
        url=new.url,
        item_id=new.item_id,
        source_id=new.source_id,
        accounts=list(new.accounts),
        detail=new.detail or {},
        assignee=new.assignee,
        due_at=new.due_at,
        state="open",
        created_by=new.created_by,
        created_at=now(),
    )
    tx.session.add(task)
    await tx.append(
        "task.opened",
        subject=_subject(task),
        actor=new.created_by,
        body={"task": task.id, "kind": task.kind, "due": task.due_at.isoformat()},
    )
    return task


def _subject(task: SourceTask) -> str:
    if task.item_id:
        return f"item:{task.item_id}"
    return f"source:{task.source_id}" if task.source_id else f"task:{task.id}"


async def owner_of(session: AsyncSession, owner: str) -> str | None:
    """The staff member a source's owner field names, by login or name; None when nobody."""
    if not owner:
        return None
    query = select(Staff.id).where(
        or_(Staff.login == owner, Staff.name == owner), Staff.active.is_(True)
    )
    return (await session.scalars(query.limit(1))).first()


async def ask_for_repost(ledger: Ledger, new: NewTask) -> SourceTask:
    """A mandatory repost from a superior body. Refused (422) names every field that is wrong."""
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
        known = set((await tx.session.scalars(select(Account.id))).all())
        if unknown := set(new.accounts) - known:
            faults.append(Reason("accounts", f"没有这样的账号：{'、'.join(sorted(unknown))}"))
        if new.assignee and await tx.session.get(Staff, new.assignee) is None:
            faults.append(Reason("assignee", "没有这位工作人员"))
        if faults:
            raise Refused(422, faults)
        return await open_task(tx, new)


@dataclass(frozen=True)
class Settlement:
    """How a person settles a task; the note says why."""

    outcome: str
    note: str = ""


class Tasks:
    """Settling, completion and reminders."""

    def __init__(self, queue: Queue, tell: Tell | None = None) -> None:
        """`tell` is given by the composition root; without it nobody is reminded by message."""
        self._queue = queue
        self._ledger = queue.ledger
        self._tell = tell

    async def settle(self, staff_id: str, task_id: str, how: Settlement) -> SourceTask:
        """Close a task. A correction makes a draft of kind 更正; a recall takes the item back."""
        async with self._ledger.db.session() as session:
            task = await _open_task(session, task_id)
        # Each kind has its own ends: a request for a repost cannot be "kept".
        if how.outcome not in CHOICES[task.kind]:
            names = "、".join(OUTCOMES[key] for key in CHOICES[task.kind])
            raise Refused(422, [Reason("outcome", f"处理结果只能是：{names}")])
        if len(how.note.strip()) < 2:
            raise Refused(422, [Reason("note", "请写明理由")])
        made = ""
        # Before the task is closed: a recall that is refused must leave the task open.
        if how.outcome == "recalled" and task.item_id:
            await recalling.recall(self._queue, task.item_id, staff_id, how.note)
        async with self._ledger.transaction() as tx:
            # Read again inside the lock: somebody else may have settled it meanwhile.
            task = await _open_task(tx.session, task_id)
            if how.outcome == "corrected" and task.item_id:
                made = await self._correction(tx, task.item_id, staff_id)
            await _close(tx, task, staff_id, how, made)
        return task

    async def _correction(self, tx: Transaction, item_id: str, staff_id: str) -> str:
        old = await tx.session.get(Item, item_id)
        query = select(Revision.canonical).where(Revision.item_id == item_id)
        text = (await tx.session.scalars(query.order_by(Revision.number.desc()).limit(1))).first()
        if old is None or text is None:
            raise Refused(404, [Reason("item", "没有这篇稿件")])
        draft = Draft.from_canonical(text)
        content = Content(
            kind="更正",
            # The length of the column; the platform's own shorter limit is asked at submission.
            title=f"更正：{draft.title}"[:300],
            body=draft.body,
            attribution=draft.attribution,
            attachments=draft.attachments,
            cover=draft.cover,
        )
        origin = Origin(
            editor_id=staff_id,
            klass=old.klass,
            audience=draft.audience,
            accounts=draft.accounts,
        )
        return (await drafting.create_item_in(self._queue, tx, content, origin)).id

    async def tend(self) -> dict[str, int]:
        """Job: close reposts that are out, remind of what is due or late."""
        async with self._ledger.transaction() as tx:
            done = 0
            query = select(SourceTask).where(
                SourceTask.state == "open", SourceTask.kind == "repost"
            )
            for task in (await tx.session.scalars(query)).all():
                done += await _complete(tx, task)
        said = await self._due_reminders()
        if self._tell is not None:
            for staff_id, text in said:
                await self._tell(staff_id, text)
        return {"completed": done, "reminded": len(said)}

    async def _due_reminders(self) -> list[tuple[str, str]]:
        async with self._ledger.db.writing() as session:
            query = select(SourceTask).where(
                SourceTask.state == "open", SourceTask.due_at <= now() + SOON
            )
            said = []
            for task in (await session.scalars(query)).all():
                late = task.due_at <= now()
                fresh = task.reminded_at is None
                # Once before the deadline, then once a day: more reminders are not read any more.
                if not fresh and not (late and _long_ago(task, task.reminded_at)):
                    continue
                task.reminded_at = now()
                if task.assignee:
                    words = "已超过时限" if late else "快到时限"
                    said.append(
                        (task.assignee, f"任务{words}：{task.title}（请到控制台“任务”处理）")
                    )
            return said


def _long_ago(task: SourceTask, reminded: datetime | None) -> bool:
    """Reminded before it was late, or a day ago."""
    return reminded is None or reminded < task.due_at or now() - reminded >= AGAIN


async def _open_task(session: AsyncSession, task_id: str) -> SourceTask:
    task = await session.get(SourceTask, task_id)
    if task is None:
        raise Refused(404, [Reason("missing", "没有这项任务，可能地址不完整")])
    if task.state != "open":
        raise Refused(409, [Reason("state", "这项任务已经处理完了")])
    return task


async def _close(
    tx: Transaction, task: SourceTask, actor: str, how: Settlement, made: str = ""
) -> None:
    task.state, task.outcome, task.note = "done", how.outcome, how.note
    task.done_by, task.done_at = actor, now()
    salt = secrets.token_hex(16)
    task.detail = dict(task.detail) | {"salt": salt} | ({"item": made} if made else {})
    # The ledger keeps a digest: the note may name people.
    commitment = hashlib.sha256(f"{salt}\n{how.note}".encode()).hexdigest()
    await tx.append(
        "task.closed",
        subject=_subject(task),
        actor=actor,
        body={"task": task.id, "outcome": how.outcome, "reason": commitment, "item": made},
    )


async def _complete(tx: Transaction, task: SourceTask) -> bool:
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
        # The first matching publication counts, and the later ones change nothing.
        if publication.account_id in out or not await _is_it(tx.session, item, task):
            continue
        out[publication.account_id] = {
            "item": item.id,
            "at": (publication.published_at or now()).isoformat(),
        }
    if out != task.detail.get("out", {}):
        task.detail = dict(task.detail) | {"out": out}
    if set(out) != set(task.accounts):
        return False
    await _close(tx, task, "system", Settlement("published", "已在全部账号发布"))
    return True


async def _is_it(session: AsyncSession, item: Item, task: SourceTask) -> bool:
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
    query = select(SourceTask).where(SourceTask.kind == "repost")
    tasks = (await session.scalars(query.order_by(SourceTask.created_at.desc()))).all()
    rows = await session.execute(select(Account.id, Account.name))
    names = {row[0]: row[1] for row in rows.all()}
    return [_line(task, key, names.get(key, key)) for task in tasks for key in task.accounts]


def _line(task: SourceTask, account_id: str, account: str) -> RepostLine:
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
