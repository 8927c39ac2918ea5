"""稿件: found by words and place, page by page, with who holds each and for how long."""

import re
import time
from datetime import timedelta

import pytest
from alembic import command
from sqlalchemy import Connection, insert, inspect, select, update

from bot.models import Account
from config.clock import now
from console.items.listing import PAGE_SIZE
from gates.alike import letters
from ledger.models import LedgerEntry
from migrations.run import alembic_config
from review_queue import claims, drafting, scope
from review_queue.models import Item, ItemWords
from review_queue.searching import Wanted, asked_words, count_wanted
from storage.database import new_id
from tests.console.office import Browser, Office

TITLE = re.compile(r'<td class="main-cell">\s*<a href="/console/items/(\w+)">([^<]*)</a>')
MANY = 5_000


async def titles(browser: Browser, query: str) -> list[str]:
    status, page = await browser.get(f"/console/items?{query}")
    assert status == 200
    return [title for _, title in TITLE.findall(page)]


async def test_words_are_found_in_title_and_text_in_any_order_and_width(office: Office) -> None:
    await office.item("凭身份证到三号窗口办理。依据青政办发〔2025〕18号。", title="社保卡补换")
    await office.item("图书馆延长开放时间。", title="晚上八点闭馆")
    editor = await office.signed_in("editor")
    for words in ("三号窗口", "窗口 社保", "１８号", "青政办发[2025]18号", "社保卡，补换"):
        assert await titles(editor, f"q={words}") == ["社保卡补换"], words
    assert await titles(editor, "q=窗口 图书馆") == []
    assert await titles(editor, "q=%25") == []
    assert await titles(editor, "q=_") == []
    assert len(await titles(editor, "q=")) == 2


async def test_what_an_edit_took_out_is_not_found_any_more(office: Office) -> None:
    row = await office.item("到旧址办理。", title="搬迁")
    changes = {"body": "到新址办理。"}
    await drafting.edit(office.deps.queue, row.id, office.people["editor"], row.version, changes)
    editor = await office.signed_in("editor")
    assert await titles(editor, "q=旧址") == []
    assert await titles(editor, "q=新址") == ["搬迁"]


async def test_a_limited_item_is_neither_found_nor_counted_by_others(office: Office) -> None:
    row = await office.item("三号桥封闭施工。", title="封闭方案")
    await office.item("三号桥照明维修。", title="照明维修")
    circle = [office.people[one] for one in ("editor", "reviewer1", "reviewer2", "reviewer3")]
    await scope.confine(office.deps.queue, row.id, office.people["editor"], circle)
    inside, outside = await office.signed_in("reviewer1"), await office.signed_in("admin1")
    assert set(await titles(inside, "q=三号桥")) == {"封闭方案", "照明维修"}
    for query in ("q=三号桥", "q=", "state=draft", "q=封闭施工"):
        _, page = await outside.get(f"/console/items?{query}")
        assert "封闭方案" not in page
        told = re.search(r"(?:共|找到) (\d+) 篇", page)
        assert (told[1] if told else "0") == ("0" if "封闭" in query else "1"), query
    _, answer = await outside.api("GET", "/items?q=三号桥")
    assert (answer["total"], [one["title"] for one in answer["items"]]) == (1, ["照明维修"])
    with scope.seen_by(office.people["admin1"]):
        async with office.deps.db.session() as session:
            assert await count_wanted(session, Wanted(q="三号桥")) == 1
            assert len((await session.scalars(select(ItemWords))).all()) == 1


async def test_account_and_days_narrow_the_list_and_a_wrong_day_asks_nothing(
    office: Office,
) -> None:
    async with office.deps.db.session() as session:
        accounts = (await session.scalars(select(Account.id).order_by(Account.slug))).all()
    first, second = await office.item(title="发到一处"), await office.item(title="发到两处")
    changes = {"accounts": (accounts[0],)}
    me = office.people["editor"]
    await drafting.edit(office.deps.queue, first.id, me, first.version, changes)
    async with office.deps.db.session() as session:
        old = now() - timedelta(days=40)
        await session.execute(update(Item).where(Item.id == second.id).values(updated_at=old))
    editor = await office.signed_in("editor")
    assert await titles(editor, f"account={accounts[1]}") == ["发到两处"]
    assert set(await titles(editor, f"account={accounts[0]}")) == {"发到一处", "发到两处"}
    day = f"{now() - timedelta(days=7):%Y-%m-%d}"
    assert await titles(editor, f"from={day}") == ["发到一处"]
    assert await titles(editor, f"to={day}") == ["发到两处"]
    assert len(await titles(editor, "from=31.12.&to=9999-12-31&page=x")) == 2
    _, turned = await editor.get("/console/items?from=2026-11-02&to=2026-11-01")
    assert "“改动从”晚于“到”" in turned


async def test_the_pages_keep_what_was_asked(office: Office) -> None:
    pattern = await office.item("同一句话。", title="样本")
    await crowd(office, pattern, PAGE_SIZE + 5)
    editor = await office.signed_in("editor")
    _, page = await editor.get("/console/items?q=同一 句话&state=draft&page=1")
    assert f"找到 {PAGE_SIZE + 6} 篇" in page
    onward = re.search(r'<a href="(\?[^"]*page=2)">下一页', page)
    assert onward is not None
    address = onward[1].replace("&amp;", "&")
    assert "state=draft" in address
    _, page = await editor.get(f"/console/items{address}")
    assert len(TITLE.findall(page)) == 6
    assert "第 2 页，共 2 页" in page
    assert 'value="同一 句话"' in page
    assert len(await titles(editor, "q=同一&page=99")) == 6


async def test_the_list_says_in_whose_hands_an_item_is_and_for_how_long(office: Office) -> None:
    draft = await office.item(title="草稿一篇")
    waiting = await office.submitted("一句平常的话。", "送审一篇")
    async with office.deps.db.session() as session:
        past = now() - timedelta(days=3, hours=1)
        await session.execute(update(Item).where(Item.id == draft.id).values(since=past))
    reviewer = await office.signed_in("reviewer1")
    _, page = await reviewer.get("/console/items")
    assert "编辑李雪" in page
    assert re.search(r">3 天", page)
    assert "等初审：张海" in page
    await claims.claim(office.deps.queue, waiting.id, office.people["reviewer1"])
    _, page = await reviewer.get("/console/items")
    assert "初审：张海正在看" in page
    assert await titles(reviewer, f"holder={office.people['reviewer1']}") == ["送审一篇"]
    await office.decide(waiting, "reviewer1")
    _, page = await reviewer.get("/console/items")
    assert "等复审：王敏" in page
    await office.decide(await fresh(office, waiting), "reviewer2")
    await office.decide(await fresh(office, waiting), "reviewer3")
    _, page = await reviewer.get("/console/items")
    assert "等编辑安排发布" in page


async def fresh(office: Office, row: Item) -> Item:
    async with office.deps.db.session() as session:
        return await session.get_one(Item, row.id)


async def test_each_step_of_an_item_begins_its_time_anew_and_an_edit_of_a_draft_does_not(
    office: Office,
) -> None:
    row = await office.submitted()

    async def since() -> object:
        return (await fresh(office, row)).since

    begun = await since()
    await claims.claim(office.deps.queue, row.id, office.people["reviewer1"])
    assert await since() == begun
    await office.decide(row, "reviewer1")
    second = await since()
    assert second != begun
    back = await office.decide(await fresh(office, row), "reviewer2", "return")
    third = await since()
    assert third != second
    me = office.people["editor"]
    await drafting.edit(office.deps.queue, row.id, me, back.version, {"body": "改好了。"})
    assert await since() == third


async def test_the_api_lists_with_the_same_filters_and_says_so(office: Office) -> None:
    await office.submitted("一句平常的话。", "送审一篇")
    await office.item(title="草稿一篇")
    editor = await office.signed_in("editor")
    status, answer = await editor.api("GET", "/items?state=review")
    assert status == 200
    (one,) = answer["items"]
    assert (answer["total"], answer["page"], answer["pages"]) == (1, 1, 1)
    assert one["holder"]["levels"] == ["初审"]
    assert one["holder"]["people"] == [office.people["reviewer1"]]
    assert one["since"] <= now().isoformat()
    _, told = await editor.api("GET", "/openapi.json")
    asked = {row["name"] for row in told["paths"]["/api/v1/items"]["get"]["parameters"]}
    assert {"q", "state", "account", "from", "to", "page"} <= asked


async def crowd(office: Office, pattern: Item, count: int) -> None:
    """`count` more items like this one, with texts of their own."""
    row = {column.name: getattr(pattern, column.name) for column in Item.__table__.columns}
    text = letters("为方便群众办事，现将有关事项通知如下。" * 80)
    items, words = [], []
    for number in range(count):
        key = new_id()
        items.append(row | {"id": key, "title": f"第{number}件"})
        said = f"第{number}件 同一句话{text}{number:05d} "
        words.append({"item_id": key, "words": said, "accounts": " ", "sketch": None})
    async with office.deps.db.session() as session:
        await session.execute(insert(Item), items)
        await session.execute(insert(ItemWords), words)


async def test_five_thousand_items_are_searched_in_a_moment(office: Office) -> None:
    pattern = await office.submitted("同一句话。", "样本")
    await crowd(office, pattern, MANY)
    reviewer = await office.signed_in("reviewer1")
    await titles(reviewer, "q=")
    begun = time.perf_counter()
    assert await titles(reviewer, "q=同一 04321") == ["第4321件"]
    _, page = await reviewer.get("/console/items?q=群众办事&page=60")
    assert f"找到 {MANY} 篇" in page
    # Generous: 0.3 s alone on two cores; what is bounded is a search that reads texts one by one.
    assert time.perf_counter() - begun < 10


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("《通知》 2026年", ["通知", "2026年"]),
        ("，。 %", []),
        ("a A", ["a"]),
        ("字" * 99, ["字" * 60]),
    ],
)
def test_a_question_is_cut_into_what_is_looked_for(question: str, words: list[str]) -> None:
    assert asked_words(question) == words


async def test_an_office_of_the_version_before_is_searched_and_has_its_times_at_once(
    office: Office,
) -> None:
    await office.item("到新址办理。", title="搬迁")
    row = await office.submitted("一句平常的话。", "送审一篇")
    db = office.deps.db

    async def kept() -> list[tuple[object, ...]]:
        async with db.session() as session:
            names = (ItemWords.item_id, ItemWords.words, ItemWords.accounts)
            window = (ItemWords.not_before, ItemWords.not_after)
            query = select(*names, *window).order_by(ItemWords.item_id)
            return [tuple(one) for one in (await session.execute(query)).all()]

    def back_and_on(connection: Connection) -> None:
        config = alembic_config(connection)
        command.stamp(config, "head")
        command.downgrade(config, "0027")
        assert "item_words" not in inspect(connection).get_table_names()
        command.upgrade(config, "head")

    before = await kept()
    async with db.engine.begin() as connection:
        await connection.run_sync(back_and_on)
    assert await kept() == before
    assert len(before) == 2
    async with db.session() as session:
        submitted = select(LedgerEntry.at).where(LedgerEntry.kind == "item.submitted")
        at = (await session.scalars(submitted)).one()
    assert (await fresh(office, row)).since == at
    assert await titles(await office.signed_in("editor"), "q=新址") == ["搬迁"]
