"""组版 in the console: chosen and ordered by buttons, read in order by who reviews it."""

import re

from sqlalchemy import select

from bot.contract import Content
from bot.models import Account
from console.items.editions import moved
from review_queue import drafting, recalling, submitting
from review_queue.drafting import Origin
from review_queue.models import Item, Revision
from storage.media import keep, marker
from tests.console.office import Browser, Office
from tests.documents import made_pictures

COVER = made_pictures.picture()
PAGE = "/console/items/editions/new"


async def _wechat(office: Office) -> str:
    async with office.deps.db.session() as session:
        query = select(Account.id).where(Account.slug == "qinghe-wx")
        return (await session.scalars(query)).one()


async def _approved(office: Office, title: str) -> Item:
    async with office.deps.db.session() as session:
        cover = await keep(session, COVER, "image/png")
    content = Content(kind="原创", title=title, body="一句平常的话，说明办理时间。", cover=cover)
    origin = Origin(office.people["editor"], accounts=(await _wechat(office),))
    row = await drafting.create_item(office.deps.queue, content, origin)
    row = await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)
    for login in ("reviewer1", "reviewer3"):
        row = await office.decide(row, login)
    assert row.state == "approved"
    return row


def _order(page: str) -> list[str]:
    """Ids of the items as the form on the page would send them."""
    return re.findall(r'name="item" value="([0-9a-z]{26})"', page)


def test_a_button_moves_one_article_and_nothing_else() -> None:
    assert moved(["a", "b", "c"], "up:3") == ["a", "c", "b"]
    assert moved(["a", "b", "c"], "up:1") == ["a", "b", "c"]
    assert moved(["a", "b", "c"], "down:1") == ["b", "a", "c"]
    assert moved(["a", "b", "c"], "down:3") == ["a", "b", "c"]
    assert moved(["a", "b", "c"], "out:2") == ["a", "c"]
    assert moved(["a"], "in:b") == ["a", "b"]
    for odd in ("in:a", "in:", "up:0", "up:-1", "down:99", "out:x", "other:1", ""):
        assert moved(["a", "b"], odd) == ["a", "b"]


async def _made(office: Office, browser: Browser, items: list[Item]) -> str:
    account = await _wechat(office)
    status, page = await browser.get(f"{PAGE}?account={account}")
    assert status == 200
    assert all(one.title in page for one in items)
    order: list[str] = []
    for one in items:
        _, page = await browser.post(PAGE, account=account, item=order, act=f"in:{one.id}")
        order = _order(page)
    assert order == [one.id for one in items]
    _, page = await browser.post(PAGE, account=account, item=order, act="up:3")
    order = _order(page)
    assert order == [items[0].id, items[2].id, items[1].id]
    status, page = await browser.post(PAGE, account=account, item=order, act="make")
    assert status == 303, page
    async with office.deps.db.session() as session:
        return (await session.scalars(select(Item.id).where(Item.kind == "组版"))).one()


async def test_an_edition_is_made_by_buttons_read_in_order_and_changed_again(
    office: Office,
) -> None:
    items = [await _approved(office, title) for title in ("甲事", "乙事", "丙事")]
    browser = await office.signed_in("editor")
    edition = await _made(office, browser, items)
    _, page = await browser.get(f"/console/items/{edition}")
    places = [page.index(f'/console/items/{items[at].id}">') for at in (0, 2, 1)]
    assert places == sorted(places)
    assert f"/console/media/{marker(COVER).removeprefix('sha256:')}" in page
    assert "增减和排序" in page
    assert "应急提交" not in page
    # Its own page takes the place of the drafting form.
    status, _ = await browser.get(f"/console/items/{edition}/edit")
    assert status == 303
    _, page = await browser.get(f"/console/items/{edition}/edition")
    order = _order(page)
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    where = f"/console/items/{edition}/edition"
    _, page = await browser.post(where, item=order, act="out:3", version=version)
    _, page = await browser.post(where, item=_order(page), act="down:1", version=version)
    assert _order(page) == [items[2].id, items[0].id]
    status, _ = await browser.post(where, item=_order(page), act="make", version=version)
    assert status == 303
    status, page = await browser.post(where, item=order, act="make", version=version)
    assert status == 409
    assert "稿件在您打开之后有变化" in page
    reviewer = await office.signed_in("reviewer1")
    _, page = await reviewer.get(f"/console/items/{edition}")
    assert "原第 2 篇" in page
    assert "拿出的：《乙事》" in page
    status, _ = await reviewer.get(where)
    assert status == 403
    await recalling.recall(office.deps.queue, items[2].id, office.people["editor"], "有误")
    _, page = await reviewer.get(f"/console/items/{edition}")
    assert "已被撤回：组版发不出去" in page


async def test_the_interface_makes_orders_and_refuses_with_every_reason(office: Office) -> None:
    items = [await _approved(office, title) for title in ("甲事", "乙事")]
    account, browser = await _wechat(office), await office.signed_in("editor")
    status, told = await browser.api("GET", f"/editions/items?account={account}")
    assert status == 200
    assert {one["title"] for one in told["items"]} == {"甲事", "乙事"}
    ids = [one.id for one in items]
    status, told = await browser.api("POST", "/editions", {"account": account, "items": ids})
    assert status == 201, told
    edition, version = told["id"], told["version"]
    _, shown = await browser.api("GET", f"/items/{edition}")
    assert [one["item"] for one in shown["content"]["edition"]] == ids
    status, told = await browser.api(
        "POST", f"/editions/{edition}/order", {"version": version, "items": ids[::-1]}
    )
    assert status == 200, told
    _, after = await browser.api("GET", f"/items/{edition}")
    assert after["digest"] != shown["digest"]
    wrong = [ids[0], ids[0], "0" * 26]
    status, told = await browser.api("POST", "/editions", {"account": account, "items": wrong})
    assert status == 422
    said = [one["message"] for one in told["reasons"]]
    assert any("与第 1 篇是同一篇" in one for one in said)
    assert any("没有这篇稿件" in one for one in said)
    reviewer = await office.signed_in("reviewer1")
    status, _ = await reviewer.api("POST", "/editions", {"account": account, "items": ids})
    assert status == 403
    async with office.deps.db.session() as session:
        query = select(Revision.canonical).where(Revision.item_id == edition)
        assert len((await session.scalars(query)).all()) == 2
