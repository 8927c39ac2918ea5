"""撤下 on the item's page and in the interface: each place's result, and 已处理 by a person."""

from sqlalchemy import select

from bot.delivery.taken import FINISHED, SETTLED, sign_finished, sign_submitted
from bot.models import Publication, Takedown
from bot.takedown import Result, Took
from tests.console.office import Office, busy_morning

WHY_NOT = "文字已改，2 张图片平台不让删：请频道管理员在频道里长按这一篇的消息删除"


async def _recalled(office: Office) -> tuple[str, Takedown]:
    """Recalled on the page; the row that was left for the worker."""
    ids = await busy_morning(office)
    item = ids["published"]
    browser = await office.signed_in("editor")
    _, page = await browser.get(f"/console/items/{item}")
    assert '<option value="outdated">失效</option>' in page
    status, _ = await browser.post(
        f"/console/items/{item}/recall", reason="政策已经到期", why="outdated"
    )
    assert status == 303
    async with office.deps.db.session() as session:
        query = select(Takedown).where(Takedown.publication_id == ids["publication"])
        return item, (await session.scalars(query)).one()


async def _ended(office: Office, row: Takedown, took: Took) -> None:
    """What the worker writes and signs, without its call."""
    async with office.deps.db.session() as session:
        publication = await session.get_one(Publication, row.publication_id)
    await sign_submitted(office.deps.ledger, row, publication)
    async with office.deps.ledger.transaction() as tx:
        mine = await tx.session.get_one(Takedown, row.id)
        mine.state, mine.result, mine.reason = "ended", took.result, took.reason
        await sign_finished(tx, mine, publication, took)


async def test_what_is_left_to_a_person_has_its_words_and_its_button(office: Office) -> None:
    item, row = await _recalled(office)
    browser = await office.signed_in("editor")
    _, page = await browser.get(f"/console/items/{item}")
    assert "正在撤下" in page
    assert "撤回（失效），停止发送" in page
    await _ended(office, row, Took(Result.BY_HAND, WHY_NOT))
    path = f"/items/{item}/takedowns"
    _, page = await browser.get(f"/console/items/{item}")
    assert "没有撤下，需要人处理" in page
    assert WHY_NOT in page
    assert f'action="/console{path}/{row.id}"' in page
    _, told = await browser.api("GET", path)
    [one] = [one for one in told["takedowns"] if one["id"] == row.id]
    assert (one["result"], one["by_hand"], one["reason"]) == ("by_hand", True, WHY_NOT)

    watcher = await office.signed_in("reviewer1")
    _, seen = await watcher.get(f"/console/items/{item}")
    assert f'action="/console{path}/{row.id}"' not in seen
    assert (await watcher.post(f"/console{path}/{row.id}"))[0] == 403

    assert (await browser.post(f"/console{path}/{row.id}"))[0] == 303
    _, page = await browser.get(f"/console/items/{item}")
    assert "已由人处理" in page
    assert "确认已在平台后台处理" in page
    assert f'action="/console{path}/{row.id}"' not in page
    facts = await office.deps.ledger.facts(f"item:{item}")
    [settled] = [one for one in facts if one.kind == SETTLED]
    assert (settled.actor, settled.body["publication"]) == (
        office.people["editor"],
        row.publication_id,
    )
    status, told = await browser.api("POST", f"{path}/{row.id}")
    assert (status, "不用人处理" in told["message"]) == (409, True)
    assert (await browser.api("POST", f"/items/{item}/takedowns/none"))[0] == 404


async def test_the_page_says_what_is_signed_and_not_what_a_row_says(office: Office) -> None:
    item, row = await _recalled(office)
    await _ended(office, row, Took(Result.DEAD))
    async with office.deps.db.session() as session:
        (await session.get_one(Takedown, row.id)).result = Result.BY_HAND
    browser = await office.signed_in("editor")
    _, page = await browser.get(f"/console/items/{item}")
    assert "页面已失效，卡片仍在" in page
    assert "没有撤下，需要人处理" not in page
    facts = await office.deps.ledger.facts(f"item:{item}")
    assert [one.body["result"] for one in facts if one.kind == FINISHED] == ["dead"]
    # The public page says since when it is withdrawn, and of which class.
    answer = await office.client().get(f"/verify/{row.publication_id}")
    assert "已被发布单位撤回（失效）" in await answer.text()


async def test_an_unknown_class_is_refused_with_its_reason(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("editor")
    status, page = await browser.post(
        f"/console/items/{ids['published']}/recall", reason="有误", why="because"
    )
    assert (status, "错误、合并、失效" in page) == (422, True)
    status, _ = await browser.api(
        "POST", f"/items/{ids['published']}/recall", {"reason": "有误", "why": "because"}
    )
    assert status == 422
