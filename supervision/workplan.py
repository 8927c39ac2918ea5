"""工作台账: what a work plan asks, each item with owner, limit, feedback and a second look (S11).

An item is a task of kind `plan`. What somebody writes about it stays in its row; the ledger keeps a
salted digest, as of every note.
"""

import csv
import io
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import beijing, now
from content_sources.tasks import LOOKBACK, PLAN
from ledger.append import Ledger
from staff.models import Staff, Task
from staff.people import names
from staff.proposed import words_digest
from staff.refusal import Reason, Refused
from staff.rights import entitled
from staff.tasks import SHORTEST_NOTE, NewTask, Tell, open_task, read_open
from supervision.sheets import safe

FEEDBACK_DAYS = 30
"""After so many days without a word the owner is asked (要点 §21)."""
_MOST = 200
_ITEM = re.compile(r"^[^（\n]*（([一二三四五六七八九十百]+)）([^。\n]{2,280})", re.MULTILINE)


@dataclass(frozen=True)
class Given:
    """What a work plan is given out with."""

    text: str
    due_at: datetime
    assignee: str = ""


@dataclass(frozen=True)
class Line:
    """One item of the plan as it stands."""

    id: str
    title: str
    owner: str
    due_at: datetime
    state: str
    feedback: Sequence[Mapping[str, str]]
    note: str
    quiet: int

    @property
    def last(self) -> str:
        """What was said last of it."""
        return self.feedback[-1]["words"] if self.feedback else ""

    @property
    def waits(self) -> bool:
        """Whether a word is overdue."""
        return self.state not in ("已完成", "已回头看") and self.quiet >= FEEDBACK_DAYS


def items_of(text: str) -> list[str]:
    """The numbered items of a work plan: （一）继续做好…集中公开."""
    return [f"（{number}）{words.strip()}"[:300] for number, words in _ITEM.findall(text)]


async def give_out(ledger: Ledger, given: Given, by: str) -> int:
    """Make a task of every numbered item that is none yet; how many. Refused with every fault."""
    titles, faults = items_of(given.text), []
    if not titles:
        faults.append(Reason("text", "没有找到编号的工作，每项要写成“（一）……。”"))
    if len(titles) > _MOST:
        faults.append(Reason("text", f"一次最多 {_MOST} 项"))
    if given.due_at <= now():
        faults.append(Reason("due_at", "时限已经过了，请填写以后的时间"))
    async with ledger.transaction() as tx:
        await entitled(tx.session, by, "tasks.ask")
        if given.assignee and await tx.session.get(Staff, given.assignee) is None:
            faults.append(Reason("assignee", "没有这位工作人员"))
        if faults:
            raise Refused(422, faults)
        known = set((await tx.session.scalars(select(Task.title).where(Task.kind == PLAN))).all())
        fresh = [one for one in dict.fromkeys(titles) if one not in known]
        for title in fresh:
            new = NewTask(PLAN, title, given.due_at, assignee=given.assignee or None, created_by=by)
            await open_task(tx, new)
    return len(fresh)


async def tell_progress(ledger: Ledger, task_id: str, words: str, by: str) -> None:
    """What was done so far, with where the evidence is; signed by digest."""
    if len(words.strip()) < SHORTEST_NOTE:
        raise Refused(422, [Reason("words", "请写明做了什么，佐证在哪里")])
    async with ledger.transaction() as tx:
        await entitled(tx.session, by, "tasks.settle")
        task = await read_open(tx.session, task_id)
        if task.kind not in (PLAN, LOOKBACK):
            raise Refused(404, [Reason("missing", "没有这项工作")])
        salt = secrets.token_hex(16)
        said = {"at": now().isoformat(), "by": by, "words": words.strip()[:2000], "salt": salt}
        task.detail = {**task.detail, "feedback": [*task.detail.get("feedback", []), said]}
        body = {"task": task.id, "words": words_digest(salt, said["words"])}
        await tx.append("task.feedback", subject=f"task:{task.id}", actor=by, body=body)


async def chase_due(ledger: Ledger, tell: Tell) -> int:
    """Ask owners for a word after thirty days without one, once each thirty days; how many."""
    async with ledger.db.writing() as session:
        query = select(Task).where(Task.state == "open", Task.kind == PLAN)
        asked = []
        for task in (await session.scalars(query)).all():
            last = max(_last(task), task.detail.get("asked", ""))
            if now() - datetime.fromisoformat(last) < timedelta(days=FEEDBACK_DAYS):
                continue
            task.detail = {**task.detail, "asked": now().isoformat()}
            if task.assignee:
                asked.append((task.assignee, task.title))
    for staff_id, title in asked:
        words = f"工作要点已 {FEEDBACK_DAYS} 天没有反馈：{title[:60]}（请到控制台“工作台账”填写）"
        await tell(staff_id, words)
    return len(asked)


def _last(task: Task) -> str:
    told = task.detail.get("feedback", [])
    return str(told[-1]["at"]) if told else task.created_at.isoformat()


async def lines_of(session: AsyncSession) -> list[Line]:
    """The whole plan in its order, open or done."""
    query = select(Task).where(Task.kind.in_((PLAN, LOOKBACK))).order_by(Task.created_at, Task.id)
    rows = (await session.scalars(query)).all()
    people = await names(session, {row.assignee for row in rows if row.assignee})
    return [_line(row, people) for row in rows]


def _line(row: Task, people: Mapping[str, str]) -> Line:
    late = row.due_at <= now()
    open_words = "逾期未完成" if late else "办理中"
    done = "已回头看" if row.kind == LOOKBACK else "已完成"
    quiet = (now() - datetime.fromisoformat(_last(row))).days
    return Line(
        id=row.id,
        title=row.title,
        owner=people.get(row.assignee or "", "没有指定"),
        due_at=row.due_at,
        state=open_words if row.state == "open" else done,
        feedback=row.detail.get("feedback", []),
        note=row.note,
        quiet=quiet,
    )


def as_csv(lines: Iterable[Line]) -> str:
    """The plan for a spreadsheet: UTF-8 with a mark, no cell that is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["工作", "责任人", "时限", "状态", "最近反馈", "办结说明和佐证"])
    for one in lines:
        due = f"{beijing(one.due_at):%Y-%m-%d}"
        row = (one.title, one.owner, due, one.state, one.last, one.note)
        writer.writerow([safe(cell) for cell in row])
    return "\ufeff" + text.getvalue()
