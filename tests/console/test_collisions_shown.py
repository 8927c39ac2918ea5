"""An item that is in the way of another: both sides are told, and of a limited one no word."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select, text, update

from bot.models import Account
from config.clock import beijing, now
from review_queue import correcting, drafting, publishing, scope, submitting
from review_queue.canonical import Draft
from review_queue.collisions import Kind
from review_queue.desk import latest
from review_queue.models import Item, ItemWords
from review_queue.neighbours import Collision, collisions_of
from tests.console.article import draft_of
from tests.console.office import Browser, Office
from tests.console.test_editing import fields_of

TEXT = (
    "因供水管网改造，城东片区定于7月5日8时至18时停水，涉及青年路、建设路和文化路沿线用户。"
    "请提前储水，停水期间关好龙头。停水区域内的学校、医院由供水公司派车送水，需要帮助的老人可以登记。"
)
LATER = TEXT.replace("7月5日", "7月15日")
TITLE = "城东片区停水通知"


async def met(office: Office, row: Item, login: str = "editor") -> list[Collision]:
    return await collisions_of(office.deps.db, row.id, office.people[login])


async def shown(browser: Browser, path: str) -> str:
    """The part of the page that tells of other items; empty where there is none."""
    status, page = await browser.get(f"/console/items/{path}")
    assert status == 200
    return page.partition('id="collisions"')[2].partition("</section>")[0]


async def changed(office: Office, row: Item, **changes: Any) -> Item:
    me = office.people["editor"]
    return await drafting.edit(office.deps.queue, row.id, me, row.version, changes)


async def test_both_see_the_other_with_both_days_on_every_page_that_leads_on(
    office: Office,
) -> None:
    first = await office.item(TEXT, "日常", TITLE)
    second = await office.submitted(LATER, f"关于{TITLE}")
    editor, reviewer = await office.signed_in("editor"), await office.signed_in("reviewer1")
    for one, other, browser, page in (
        (first, second, editor, "/edit"),
        (first, second, editor, ""),
        (second, first, reviewer, ""),
    ):
        told = await shown(browser, f"{one.id}{page}")
        assert other.title in told
        days = ("7月5日", "7月15日") if one is first else ("7月15日", "7月5日")
        assert f"日期不同：本稿{days[0]}（" in told
        assert f"那一篇{days[1]}（" in told
        assert f'href="/console/items/{other.id}"' in told
        assert "李雪" in told
    _, answer = await reviewer.api("GET", f"/items/{second.id}")
    (row,) = answer["collisions"]
    assert (row["kind"], row["key"]) == ("copy", first.id)


async def test_what_the_form_did_not_tell_is_told_before_the_text_is_submitted(
    office: Office,
) -> None:
    first = await office.item(TEXT, "日常", TITLE)
    second = await office.item("图书馆延长开放时间，晚上八点闭馆。", "日常", "开放")
    editor = await office.signed_in("editor")
    draft = await draft_of(office, second.id)
    fields = fields_of(draft, second.version, title=TITLE, body=LATER, then="submit")
    answer = await editor.client.post(
        f"/console/items/{second.id}/edit", data={"csrf": editor.csrf, **fields}
    )
    page = await answer.text()
    assert "已保存，还没有提交" in page
    assert await state(office, second) == "draft"
    told = page.partition('id="collisions"')[2].partition("</section>")[0]
    assert "日期不同" in told
    seen = [unescape(one) for one in re.findall(r'name="seen" value="([^"]*)"', told)]
    row = await fresh(office, second)
    again = fields_of(await draft_of(office, row.id), row.version, body=LATER, then="submit")
    status, _ = await editor.post(f"/console/items/{row.id}/edit", **again, seen=seen)
    assert status == 303
    assert await state(office, second) == "review"
    assert await state(office, first) == "draft"


async def fresh(office: Office, row: Item) -> Item:
    async with office.deps.db.session() as session:
        return await session.get_one(Item, row.id)


async def state(office: Office, row: Item) -> str:
    return (await fresh(office, row)).state


async def test_what_was_mended_or_is_long_past_is_told_no_more(office: Office) -> None:
    first, second = await office.item(TEXT, "日常", TITLE), await office.item(LATER, "日常", TITLE)
    assert [one.kind for one in await met(office, second)] == [Kind.COPY]
    async with office.deps.db.session() as session:
        old = now() - timedelta(days=31)
        await session.execute(update(Item).where(Item.id == first.id).values(updated_at=old))
    assert await met(office, second) == []
    second = await changed(office, second, body="图书馆延长开放时间，晚上八点闭馆。", title="开放")
    assert await met(office, first) == []


async def test_of_a_limited_item_is_only_said_that_there_is_one_and_whom_to_ask(
    office: Office,
) -> None:
    secret = await office.item(LATER, "重要", "秘密的停水安排")
    circle = [office.people[one] for one in ("editor", "reviewer1", "reviewer2", "reviewer3")]
    await scope.confine(office.deps.queue, secret.id, office.people["editor"], circle)
    mine = await office.item(TEXT, "日常", TITLE)
    (told,) = await met(office, mine, "admin1")
    assert (told.key, told.title, told.details) == ("", "", ())
    assert told.words == ("有一篇限定知悉范围的稿件与本稿几乎相同：请先问李雪，再决定发哪一篇。")
    outside = await office.signed_in("admin1")
    for path in (mine.id, f"{mine.id}/edit"):
        _, page = await outside.get(f"/console/items/{path}")
        assert "秘密的停水安排" not in page
        assert secret.id not in page
        assert "7月15日" not in page
    _, answer = await outside.api("GET", f"/items/{mine.id}")
    assert secret.id not in str(answer)
    assert "7月15日" not in str(answer)
    (inside,) = await met(office, mine, "reviewer1")
    assert inside.key == secret.id


async def test_a_copy_by_another_writing_is_no_alarm_and_says_what_it_was_begun_as(
    office: Office,
) -> None:
    first = await office.item(TEXT, "日常", TITLE)
    editor = await office.signed_in("editor")
    _, page = await editor.get(f"/console/items/new?like={first.id}")
    assert f'<input type="hidden" name="like" value="{first.id}">' in page
    sent = fields_of(await draft_of(office, first.id), 0, body=TEXT, like=first.id)
    status, _ = await editor.post("/console/items/new", **sent)
    assert status == 303
    async with office.deps.db.session() as session:
        query = select(Item).where(Item.id != first.id)
        second = (await session.scalars(query)).one()
    assert second.begun_like == first.id
    assert [one.kind for one in await met(office, second)] == [Kind.BEGUN]
    assert await met(office, first) == []
    assert f"照《{TITLE}》" in await shown(editor, second.id)


async def test_a_copy_of_a_limited_item_is_not_believed(office: Office) -> None:
    secret = await office.item(TEXT, "重要", "秘密的停水安排")
    circle = [office.people[one] for one in ("editor", "reviewer1", "reviewer2", "reviewer3")]
    await scope.confine(office.deps.queue, secret.id, office.people["editor"], circle)
    editor = await office.signed_in("editor")
    sent = fields_of(await draft_of(office, secret.id), 0, body=TEXT, like=secret.id)
    assert (await editor.post("/console/items/new", **sent))[0] == 303
    async with office.deps.db.session() as session:
        second = (await session.scalars(select(Item).where(Item.id != secret.id))).one()
    assert second.begun_like == ""
    assert [one.kind for one in await met(office, second)] == [Kind.COPY]


async def test_a_correction_of_ones_own_is_no_alarm(office: Office) -> None:
    row = await office.item(TEXT, "重要", TITLE)
    row = await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)
    for login in ("reviewer1", "reviewer2", "reviewer3"):
        row = await office.decide(row, login)
    await publishing.schedule(office.deps.queue, row.id, office.people["editor"])
    made = await correcting.correct(office.deps.queue, row.id, office.people["editor"])
    made = await changed(office, made, body=LATER)
    assert [one for one in await met(office, made) if one.kind != Kind.TOGETHER] == []
    assert [one for one in await met(office, row) if one.kind != Kind.TOGETHER] == []


async def planned(office: Office, title: str, text: str) -> Item:
    """An approved item, scheduled in two days."""
    row = await office.submitted(text, title)
    for login in ("reviewer1", "reviewer2", "reviewer3"):
        row = await office.decide(row, login)
    at = now() + timedelta(days=2)
    return await publishing.schedule(office.deps.queue, row.id, office.people["editor"], at)


async def test_two_sends_to_one_account_in_one_window_are_told_to_both(office: Office) -> None:
    first = await planned(office, "甲事", "甲事的说明，请大家知道。")
    second = await office.item("另一件事，说明如下。", "日常", "乙事")
    assert await met(office, second) == []
    assert first.scheduled_at is not None
    second = await changed(office, second, not_before=first.scheduled_at + timedelta(minutes=20))
    (told,) = await met(office, second)
    at = beijing(first.scheduled_at)
    assert told.words.startswith(f"《甲事》（已安排发布，李雪）也在差不多的时间（{at.month}月")
    assert "错开一小时以上" in told.words
    (back,) = await met(office, first)
    assert back.key == second.id
    second = await changed(office, second, not_before=first.scheduled_at + timedelta(hours=2))
    assert await met(office, second) == []
    asked = await collisions_of(
        office.deps.db, second.id, office.people["editor"], first.scheduled_at
    )
    assert [one.key for one in asked] == [first.id]


async def test_an_account_that_sends_to_all_is_full_for_the_day(office: Office) -> None:
    first = await planned(office, "甲事", "甲事的说明，请大家知道。")
    async with office.deps.db.session() as session:
        for row in (await session.scalars(select(Account))).all():
            row.settings = {**row.settings, "push": "mass"}
            names = {row.platform: row.name} | locals().get("names", {})
    assert first.scheduled_at is not None
    day = beijing(first.scheduled_at)
    other = day.replace(hour=2 if day.hour > 12 else 22, minute=0)
    second = await office.item("另一件事，说明如下。", "日常", "乙事")
    second = await changed(office, second, not_before=max(other, now() + timedelta(minutes=1)))
    (told,) = await met(office, second)
    assert "这个账号一天只能群发一次" in told.words
    assert names["wechat"] in told.words
    assert names["telegram"] not in told.words


async def test_items_saved_before_there_were_sketches_are_compared_as_well(
    office: Office,
) -> None:
    first, second = await office.item(TEXT, "日常", TITLE), await office.item(LATER, "日常", "停")
    async with office.deps.db.session() as session:
        await session.execute(update(ItemWords).values(sketch=None))
    assert [one.key for one in await met(office, second)] == [first.id]


@pytest.mark.parametrize(
    ("column", "told"),
    [("sketch = x'00'", "几乎相同"), ("not_before = '昨天'", "读不出来"), ("sketch = 'x'", "")],
)
async def test_a_row_changed_past_the_program_keeps_nobody_from_reviewing(
    office: Office, column: str, told: str
) -> None:
    await office.item(TEXT, "日常", TITLE)
    second = await office.submitted(LATER, TITLE)
    async with office.deps.db.session() as session:
        await session.execute(text(f"UPDATE item_words SET {column}"))
    reviewer = await office.signed_in("reviewer1")
    assert told in await shown(reviewer, second.id)


async def test_what_is_compared_is_the_newest_revision(office: Office) -> None:
    row = await office.item(TEXT, "日常", TITLE)
    await changed(office, row, body=LATER)
    async with office.deps.db.session() as session:
        draft = Draft.from_canonical(
            (await latest(session, await session.get_one(Item, row.id))).canonical
        )
    assert draft.body == LATER
    second = await office.item(LATER, "日常", TITLE)
    (told,) = await met(office, second)
    assert told.details == ()
    assert "一字不差" in told.words
    assert replace(told, words="").key == row.id
