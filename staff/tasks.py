"""Work asked of a person, with a deadline: opened, reminded of, settled; each end is signed.

A room above says which kinds there are and what settling one of them means
(content_sources/tasks.py); here is what all of them have in common.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Transaction
from staff.models import Task
from staff.proposed import words_digest
from staff.refusal import Reason, Refused
from storage.database import Database, new_id

SOON = timedelta(hours=4)  # before the deadline the assignee is reminded
AGAIN = timedelta(hours=24)  # and again this often once it is late
SHORTEST_NOTE = 2  # characters; one sign alone explains nothing to an auditor
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
    detail: Mapping[str, Any] | None = None
    created_by: str = "system"


@dataclass(frozen=True)
class Settlement:
    """How a person settles a task; the note says why."""

    outcome: str
    note: str = ""


@dataclass(frozen=True)
class Reminder:
    """What one person is told about one task."""

    staff_id: str
    text: str


async def open_task(tx: Transaction, new: NewTask) -> Task:
    """Open a task, as a signed entry about its item, its source or itself."""
    task = Task(
        id=new_id(),
        kind=new.kind,
        title=new.title,
        url=new.url,
        item_id=new.item_id,
        source_id=new.source_id,
        accounts=list(new.accounts),
        detail=dict(new.detail or {}),
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


def _subject(task: Task) -> str:
    if task.item_id:
        return f"item:{task.item_id}"
    return f"source:{task.source_id}" if task.source_id else f"task:{task.id}"


async def read_open(session: AsyncSession, task_id: str) -> Task:
    """The task, which must still be open. Refused (404, 409)."""
    task = await session.get(Task, task_id)
    if task is None:
        raise Refused(404, [Reason("missing", "没有这项任务，可能地址不完整")])
    if task.state != "open":
        raise Refused(409, [Reason("state", "这项任务已经处理完了")])
    return task


async def waiting(
    session: AsyncSession, kind: str, *, item_id: str | None = None, source_id: str | None = None
) -> Task | None:
    """The open task of a kind about this item, or about this source: there is one at a time."""
    about = Task.item_id == item_id if item_id else Task.source_id == source_id
    query = select(Task).where(Task.kind == kind, about, Task.state == "open")
    return (await session.scalars(query.limit(1))).first()


def check_settlement(how: Settlement, choices: Mapping[str, str]) -> None:
    """The outcome is one of `choices` (key to label), with a reason. Refused (422)."""
    if how.outcome not in choices:
        names = "、".join(choices.values())
        raise Refused(422, [Reason("outcome", f"处理结果只能是：{names}")])
    if len(how.note.strip()) < SHORTEST_NOTE:
        raise Refused(422, [Reason("note", "请写明理由")])


async def close_task(
    tx: Transaction, task: Task, actor: str, how: Settlement, *, made: str = ""
) -> None:
    """Close an open task, as a signed entry; `made` is the item that came of it.

    The note stays here and is deleted with the task: the ledger keeps its salted digest.
    """
    task.state, task.outcome, task.note = "done", how.outcome, how.note
    task.done_by, task.done_at = actor, now()
    salt = secrets.token_hex(16)
    task.detail = dict(task.detail) | {"salt": salt} | ({"item": made} if made else {})
    reason = words_digest(salt, how.note)
    await tx.append(
        "task.closed",
        subject=_subject(task),
        actor=actor,
        body={"task": task.id, "outcome": how.outcome, "reason": reason, "item": made},
    )


async def due_reminders(db: Database) -> list[Reminder]:
    """Who is to be reminded of what is due or late; each reminder comes once a stage."""
    async with db.writing() as session:
        query = select(Task).where(Task.state == "open", Task.due_at <= now() + SOON)
        said = []
        for task in (await session.scalars(query)).all():
            late = task.due_at <= now()
            fresh = task.reminded_at is None
            if not fresh and not (late and _long_ago(task, task.reminded_at)):
                continue
            task.reminded_at = now()
            if task.assignee:
                words = "已超过时限" if late else "快到时限"
                text = f"任务{words}：{task.title}（请到控制台“任务”处理）"
                said.append(Reminder(task.assignee, text))
        return said


def _long_ago(task: Task, reminded: datetime | None) -> bool:
    """Reminded before it was late, or a day ago."""
    return reminded is None or reminded < task.due_at or now() - reminded >= AGAIN


async def remind(db: Database, tell: Tell | None) -> int:
    """Remind of what is due or late; how many tasks. Without `tell` they are only marked."""
    said = await due_reminders(db)
    if tell is not None:
        for one in said:
            await tell(one.staff_id, one.text)
    return len(said)
