"""排期: the week of every account, what is left of its numbers, days off and times of silence."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium
from sqlalchemy import select

from bot.account_entries import sign_account
from bot.contract import State
from bot.models import Account, CallCount, Publication
from bot.quota import begins
from bot.silence import Silence, Stop
from config.clock import BEIJING, beijing, now
from console.plan.week import monday, week_of
from review_queue import drafting, publishing
from review_queue.models import Item
from tests.console.office import Office
from tests.console.test_journey import chromium, fits, person

__all__ = ["chromium"]
pytestmark = pytest.mark.usefixtures("at_ten")


async def service_account(office: Office, **settings: Any) -> Account:
    """青禾政务 as a service account that sends to all."""
    async with office.deps.ledger.transaction() as tx:
        query = select(Account).where(Account.platform == "wechat")
        row = (await tx.session.scalars(query)).one()
        row.settings = {"push": "mass", "kind": "service", **settings}
        await tx.session.flush()
        await sign_account(tx, row, "init")
    return row


def in_silence(office: Office, *stops: Stop) -> None:
    async def quiet() -> Silence:
        return Silence(stops)

    object.__setattr__(office.deps.queue, "quiet", quiet)


async def planned(office: Office, title: str, at: datetime | None = None) -> Item:
    row = await office.approved(title)
    return await publishing.schedule(office.deps.queue, row.id, office.people["editor"], at)


async def publication_of(office: Office, item: Item, account: Account) -> Publication:
    query = select(Publication).where(
        Publication.item_id == item.id, Publication.account_id == account.id
    )
    async with office.deps.db.session() as session:
        return (await session.scalars(query)).one()


def day_of_page(page: str, day: date) -> str:
    """The part of the page about one day."""
    mark = f"{day.month}月{day.day}日 周"
    return next(one for one in page.split('<li class="card plan-day')[1:] if mark in one[:200])


async def test_the_week_shows_what_is_planned_held_and_left(office: Office) -> None:
    account = await service_account(office)
    soon = now() + timedelta(hours=1)
    first = await planned(office, "甲事", soon)
    held = await office.approved("乙事")
    async with office.deps.db.session() as session:
        day = beijing(now()).date()
        session.add(CallCount(account_id=account.id, day=str(day), call="draft/add", count=7))
    editor = await office.signed_in("editor")
    status, page = await editor.get("/console/plan")
    assert status == 200
    if monday(beijing(soon).date()) == monday(day):
        assert "甲事" in day_of_page(page, beijing(soon).date())
    week = await week_of(office.deps, beijing(soon).date())
    entries = {(one.title, one.account.id): one for one in week.days[0].entries}
    assert entries[first.title, account.id].state == State.CREATED
    # What is approved and has no hour holds the next day that is free on the full account.
    days = {
        one.title: day.date
        for day in week.days
        for one in day.entries
        if one.account.id == account.id and not one.state
    }
    assert list(days) == [held.title]
    assert days[held.title] != beijing(soon).date()
    assert [one.account.platform for one in week.loose] == ["telegram"]
    left = {row.limit.label: row for one in week.accounts for row in one.left}
    assert left["新建草稿"].left == 993
    status, told = await editor.api("GET", f"/plan?from={beijing(soon).date()}")
    assert status == 200
    sends = [one for day in told["days"] for one in day["sends"]]
    assert {one["title"] for one in sends} >= {"甲事"}
    labels = {row["label"] for one in told["accounts"] for row in one["left"]}
    assert {"群发", "新建草稿", "删除群发"} <= labels


async def test_a_full_month_is_shown_with_the_day_on_which_there_is_more(office: Office) -> None:
    account = await service_account(office)
    async with office.deps.ledger.transaction() as tx:
        for number in range(4):
            names = {"release": f"r{number}", "publication": "p", "digest": "d" * 64}
            body = {**names, "account": account.id, "guarded": True}
            kind = "publication.submitted"
            await tx.append(kind, subject="item:x", actor="system", body=body)
    editor = await office.signed_in("editor")
    _, page = await editor.get("/console/plan")
    first = (begins(beijing(now()).date().replace(day=1)) + timedelta(days=31)).replace(day=1)
    assert "群发，每位关注者每月 4 次" in page
    assert f"用完，{first.month}月1日 00:00 再有" in page
    row = await office.item("另一件事，说明如下。", "日常", "丙事")
    # To the end of this day: on the last ones of a month the next month would have a place.
    tonight = begins(beijing(now()).date() + timedelta(days=1)) - timedelta(seconds=1)
    changes: dict[str, Any] = {"not_before": now(), "not_after": tonight}
    me = office.people["editor"]
    await drafting.edit(office.deps.queue, row.id, me, row.version, changes)
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    assert "没有群发名额" in page
    assert "一个月 4 次" in page


async def test_silence_and_days_off_stand_at_their_days(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_silence(office, Stop(begins(date(2027, 5, 12)), begins(date(2027, 5, 13)), "全国哀悼日"))
    editor = await office.signed_in("editor")
    _, page = await editor.get("/console/plan?from=2027-05-12")
    assert "静默：全国哀悼日" in day_of_page(page, date(2027, 5, 12))
    assert "静默" not in day_of_page(page, date(2027, 5, 11))
    assert "休息日" in day_of_page(page, date(2027, 5, 15))
    assert "休息日" not in day_of_page(page, date(2027, 5, 14))
    _, page = await editor.get("/console/plan?from=2026-10-01")
    assert "休息日" in day_of_page(page, date(2026, 10, 1))
    assert "调休上班" in (await editor.get("/console/plan?from=2026-10-10"))[1]
    # A year whose 调休 nobody knows: told where it is looked at, and to whoever can enter it.
    _, page = await editor.get("/console/plan?from=2089-05-02")
    assert "不知道 2089 年的调休" in page
    assert "休息日" in day_of_page(page, date(2089, 5, 2))
    assert "不知道" not in (await editor.get("/console/plan?from=2026-10-10"))[1]
    late = datetime(2089, 11, 3, tzinfo=BEIJING)
    monkeypatch.setattr("console.home.pages.now", lambda: late)
    assert "的调休" not in (await editor.get("/console/"))[1]
    admin = await office.signed_in("admin1")
    assert "不知道 2089 年、2090 年的调休" in (await admin.get("/console/"))[1]


async def test_what_was_put_off_says_why_and_until_when(office: Office) -> None:
    item = await planned(office, "甲事", now() + timedelta(hours=1))
    account = await service_account(office)
    row = await publication_of(office, item, account)
    async with office.deps.db.session() as session:
        kept = await session.get_one(Publication, row.id)
        kept.reason, kept.next_at = "今天群发 1 次已用完", now() + timedelta(days=1)
    editor = await office.signed_in("editor")
    tomorrow = beijing(now() + timedelta(days=1)).date()
    _, page = await editor.get(f"/console/plan?from={tomorrow}")
    assert "暂缓" in day_of_page(page, tomorrow)
    assert "今天群发 1 次已用完" in day_of_page(page, tomorrow)
    _, page = await editor.get(f"/console/publications/{row.id}")
    assert "今天群发 1 次已用完" in page


async def test_whom_to_ring_and_until_when_is_said_while_the_platform_waits(
    office: Office,
) -> None:
    item = await planned(office, "甲事", now() + timedelta(minutes=2))
    account = await service_account(office, protected="王主任，内线 6012")
    row = await publication_of(office, item, account)
    async with office.deps.db.session() as session:
        sent = await session.get_one(Publication, row.id)
        sent.state, sent.ref, sent.claimed_until = State.SUBMITTED, "mass:1", now()
    until = beijing(now() + timedelta(minutes=30))
    editor = await office.signed_in("editor")
    _, page = await editor.get(f"/console/publications/{row.id}")
    assert "等 王主任，内线 6012 确认" in page
    assert f"{until:%H:%M}" in page or f"{until - timedelta(minutes=1):%H:%M}" in page
    _, page = await editor.get("/console/plan")
    assert "等管理员确认" in page
    _, told = await editor.api("GET", f"/publications/{row.id}")
    assert told["confirmation"]["who"] == "王主任，内线 6012"


@pytest.mark.parametrize("asked", ["morgen", "2026-13-40", "0001-01-01", "9999-12-31", "' OR 1"])
async def test_a_week_that_is_none_is_refused_with_the_form_of_one(
    office: Office, asked: str
) -> None:
    editor = await office.signed_in("editor")
    status, page = await editor.get(f"/console/plan?from={asked}")
    assert (status, "2026-11-30 这样的日期" in page) == (422, True)
    status, told = await editor.api("GET", f"/plan?from={asked}")
    assert (status, told["rule"]) == (422, "from")


async def test_who_may_not_see_publications_sees_no_plan(office: Office) -> None:
    duty = await office.signed_in("duty1")
    assert (await duty.get("/console/plan"))[0] == 403
    assert (await duty.api("GET", "/plan"))[0] == 403
    assert "排期" not in (await duty.get("/console/"))[1]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
async def test_the_week_fits_its_screen(chromium: Chromium, office: Office, width: int) -> None:
    await service_account(office, protected=True)
    start = begins(beijing(now()).date())
    title = "关于调整城东片区停水时间并安排送水车辆的通知"
    await planned(office, title, now() + timedelta(minutes=2))
    await office.approved("县图书馆冬季开放时间")
    in_silence(office, Stop(start + timedelta(days=1), start + timedelta(days=2), "全国哀悼日"))
    page = await person(chromium, office, "editor", width)
    await page.goto(str(office.server.make_url("/console/plan")))
    await fits(page)
    assert await page.locator(".plan-day").count() == 7
