"""读者留言: chosen before review, shown with the acts about each, let by a second person."""

from typing import Any

from sqlalchemy import select

from bot.comment_models import Comment, CommentAct, CommentArea
from bot.contract import State
from bot.models import Account, Publication
from config.clock import now
from review_queue.canonical import Draft, canonical
from review_queue.models import Item, Revision
from storage.database import new_id
from tests.console.office import Office


async def draft_of(office: Office, item: Item) -> Draft:
    async with office.deps.db.session() as session:
        query = select(Revision).where(Revision.item_id == item.id).order_by(Revision.number.desc())
        row = (await session.scalars(query.limit(1))).one()
    return Draft.from_canonical(row.canonical)


async def commented(office: Office, item: Item, text: str) -> Publication:
    """A send of this item with one comment under it."""
    async with office.deps.db.session() as session:
        query = select(Account).where(Account.platform == "wechat")
        account = (await session.scalars(query)).one()
        row = Publication(
            id=new_id(), release_id=new_id(), item_id=item.id, account_id=account.id,
            digest="d" * 64, state=State.PUBLISHED, due_at=now(), ref="mass:7",
        )  # fmt: skip
        area = CommentArea(
            id=new_id(), publication_id=row.id, item_id=item.id, account_id=account.id,
            place=0, data="7",
        )  # fmt: skip
        session.add_all([row, area])
        session.add(Comment(id=new_id(), area_id=area.id, number=3, text=text, at=now()))
    return row


async def test_comments_are_chosen_in_the_form_and_are_a_part_of_what_is_reviewed(
    office: Office,
) -> None:
    item = await office.item()
    closed = await draft_of(office, item)
    editor = await office.signed_in("editor")
    status, page = await editor.get(f"/console/items/{item.id}/edit")
    assert status == 200
    assert 'name="comments"' in page
    body: dict[str, Any] = {"version": item.version, "comments": True}
    status, told = await editor.api("POST", f"/items/{item.id}/revisions", body)
    assert status == 200, told
    opened = await draft_of(office, item)
    assert (closed.comments, opened.comments) == (False, True)
    nothing: dict[str, Any] = {account: {} for account in opened.accounts}
    assert '"comments":true' in canonical(opened, nothing)
    assert '"comments"' not in canonical(closed, {one: {} for one in closed.accounts})
    status, page = await editor.get(f"/console/items/{item.id}")
    assert "微信群发的读者可以留言" in page


async def test_one_asks_and_another_lets_a_reply_go(office: Office) -> None:
    row = await commented(office, await office.item(), "办得快［手机号］")
    address = f"/console/publications/{row.id}/comments"
    editor = await office.signed_in("editor")
    status, page = await editor.get(f"/console/publications/{row.id}")
    assert address in page
    status, page = await editor.get(address)
    assert (status, "办得快［手机号］" in page) == (200, True)
    fields = {"area": _area(page), "number": "3", "act": "reply", "words": "谢谢您的留言"}
    status, _ = await editor.post(address, **fields)
    assert status == 303
    async with office.deps.db.session() as session:
        act = (await session.scalars(select(CommentAct))).one()
    assert act.state == "waiting"
    status, page = await editor.post(f"{address}/decide", asked=act.id, approved="yes")
    assert status == 403
    reviewer = await office.signed_in("reviewer1")
    status, page = await reviewer.get(address)
    assert "谢谢您的留言" in page
    assert "删除留言" not in page  # an editor's
    status, _ = await reviewer.post(f"{address}/decide", asked=act.id, approved="yes")
    assert status == 303
    async with office.deps.db.session() as session:
        assert (await session.get_one(CommentAct, act.id)).state == "ready"
    status, told = await reviewer.api("GET", f"/publications/{row.id}/comments")
    [area] = told["areas"]
    assert area["comments"][0]["text"] == "办得快［手机号］"
    assert area["acts"][0]["state"] == "ready"


async def test_a_refusal_says_every_reason_on_the_page_and_in_the_interface(
    office: Office,
) -> None:
    row = await commented(office, await office.item(), "我住青禾路［住址］")
    address = f"/console/publications/{row.id}/comments"
    editor = await office.signed_in("editor")
    _, page = await editor.get(address)
    area = _area(page)
    status, page = await editor.post(address, area=area, number="3", act="feature")
    assert (status, "个人信息" in page) == (422, True)
    status, page = await editor.post(address, area=area, number="3", act="delete", words=" ")
    assert (status, "请写明原因" in page) == (422, True)
    status, _ = await editor.api(
        "POST", "/comments/acts", {"area": area, "act": "delete", "number": 3, "words": "广告"}
    )
    assert status == 200
    status, _ = await editor.api(
        "POST", "/comments/acts", {"area": area, "act": "delete", "number": 9, "words": "广告"}
    )
    assert status == 404
    duty = await office.signed_in("duty1")
    assert (await duty.get(address))[0] == 403


def _area(page: str) -> str:
    return page.split('name="area" value="', 1)[1].split('"', 1)[0]


def test_the_words_of_a_draft_without_comments_keep_their_digest() -> None:
    moment = now()
    draft = Draft("原创", "日常", "标题", "正文", ("a",), moment, moment).in_blocks()
    assert "comments" not in canonical(draft, {"a": {}})
