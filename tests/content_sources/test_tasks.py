"""A mandatory repost is given out, reminded of, found done, and reported."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.contract import State
from bot.models import Publication
from config.clock import now
from content_sources.tasks import as_csv, ask_for_repost, repost_report, settle, tend
from review_queue.models import Item
from staff.models import Task
from staff.refusal import Refused
from staff.tasks import NewTask, Settlement
from storage.database import new_id
from tests.content_sources.reposting import TITLE, URL, Relay


async def ask(relay: Relay, **changed: object) -> Task:
    given: dict[str, object] = {
        "kind": "repost",
        "title": "市里要求转载的通知",
        "url": URL,
        "due_at": now() + timedelta(hours=6),
        "accounts": ("tg",),
        "assignee": relay.people["editor"],
        "created_by": relay.people["editor"],
    }
    return await ask_for_repost(relay.ledger, NewTask(**(given | changed)))  # type: ignore[arg-type]


async def publish(relay: Relay, item: Item) -> None:
    async with relay.db.session() as session:
        session.add(
            Publication(
                id=new_id(),
                release_id=new_id(),
                item_id=item.id,
                account_id="tg",
                digest="",
                state=State.PUBLISHED,
                due_at=now(),
                published_at=now(),
            )
        )


async def reload(relay: Relay) -> Task:
    async with relay.db.session() as session:
        return (await session.scalars(select(Task))).one()


async def test_every_wrong_field_is_named(relay: Relay) -> None:
    with pytest.raises(Refused) as refused:
        await ask(relay, title="", url="", accounts=("x",), due_at=now(), assignee="nobody")
    rules = [reason.rule for reason in refused.value.reasons]
    assert rules == ["title", "due_at", "accounts", "assignee"]


@pytest.mark.parametrize("by", ["url", "title"])
async def test_a_repost_by_address_or_title_completes_it(relay: Relay, by: str) -> None:
    title = "市里要求转载的通知" if by == "url" else TITLE
    await ask(relay, title=title, url=URL if by == "url" else "https://other.example/x")
    assert (await tend(relay.ledger))["completed"] == 0
    await publish(relay, await relay.item())
    assert (await tend(relay.ledger))["completed"] == 1
    task = await reload(relay)
    assert (task.state, task.outcome) == ("done", "published")


async def test_something_else_does_not_complete_it(relay: Relay) -> None:
    await ask(relay)
    await publish(relay, await relay.item(url="https://www.qinghe.gov.cn/zwgk/b.html"))
    assert (await tend(relay.ledger))["completed"] == 0


async def test_the_assignee_is_reminded_before_and_after_the_deadline_once_each(
    relay: Relay,
) -> None:
    told: list[str] = []

    async def tell(staff_id: str, text: str) -> None:
        assert staff_id == relay.people["editor"]
        told.append(text)

    task = await ask(relay)
    assert (await tend(relay.ledger, tell))["reminded"] == 0

    async def due_in(span: timedelta, reminded: timedelta | None = None) -> int:
        async with relay.db.session() as session:
            row = await session.get_one(Task, task.id)
            row.due_at = now() + span
            if reminded is not None:
                row.reminded_at = now() - reminded
        return (await tend(relay.ledger, tell))["reminded"]

    assert await due_in(timedelta(hours=2)) == 1
    assert await due_in(timedelta(hours=2)) == 0
    assert await due_in(timedelta(hours=-1), timedelta(hours=3)) == 1
    assert await due_in(timedelta(hours=-2)) == 0
    assert await due_in(timedelta(hours=-30), timedelta(hours=25)) == 1
    assert ["快到时限" in text for text in told] == [True, False, False]


async def test_the_report_says_in_time_late_or_missing(relay: Relay) -> None:
    await ask(relay)
    await ask(relay, title="=HYPERLINK()", url="https://other.example/x")
    await publish(relay, await relay.item())
    await tend(relay.ledger)
    async with relay.db.session() as session:
        lines = await repost_report(session)
    assert {line.title: line.state for line in lines} == {
        "市里要求转载的通知": "按时",
        "=HYPERLINK()": "未完成",
    }
    rows = list(csv.reader(io.StringIO(as_csv(lines).lstrip("\ufeff"))))
    assert rows[0][0] == "标题"
    assert {row[0] for row in rows[1:]} == {"市里要求转载的通知", "'=HYPERLINK()"}


async def test_a_task_done_otherwise_keeps_its_reason(relay: Relay) -> None:
    task = await ask(relay)
    how = Settlement("done", "上级已撤回要求")
    await settle(relay.queue, task.id, relay.people["editor"], how)
    async with relay.db.session() as session:
        assert (await repost_report(session))[0].state == "已处理：上级已撤回要求"
