"""更正: begun from the published item, signed on it, and told to whoever verifies either."""

import pytest
from sqlalchemy import select, update

from bot.contract import State
from bot.models import Account, Publication
from config.clock import now
from review_queue import drafting, publishing, submitting
from review_queue.canonical import Corrects, Draft
from review_queue.models import Item, Revision
from staff.refusal import Refused
from tests.console.office import Office, busy_morning
from tests.made import signed_out


async def _draft(office: Office, item_id: str) -> tuple[Draft, str]:
    async with office.deps.db.session() as session:
        query = select(Revision).where(Revision.item_id == item_id)
        row = (await session.scalars(query.order_by(Revision.number.desc()))).first()
    assert row is not None
    return Draft.from_canonical(row.canonical), row.digest


async def _begun(office: Office, ids: dict[str, str]) -> str:
    """Press the button on the published item; the id of what came of it."""
    browser = await office.signed_in("editor")
    _, page = await browser.get(f"/console/items/{ids['published']}")
    assert "起草更正" in page
    status, _ = await browser.post(f"/console/items/{ids['published']}/correct")
    assert status == 303
    async with office.deps.db.session() as session:
        query = select(Item.id).where(Item.kind == "更正")
        return (await session.scalars(query)).one()


async def _out(office: Office, item_id: str) -> Publication:
    """Have everybody approve it and send it; the row of its publication on Telegram."""
    async with office.deps.db.session() as session:
        item = await session.get_one(Item, item_id)
    row = await submitting.submit(office.deps.queue, item_id, office.people["editor"], item.version)
    for login in ("reviewer1", "reviewer2", "reviewer3"):
        row = await office.decide(row, login)
    await publishing.schedule(office.deps.queue, item_id, office.people["editor"])
    async with office.deps.db.session() as session:
        telegram = select(Account.id).where(Account.slug == "qinghe-tg")
        query = select(Publication).where(
            Publication.item_id == item_id, Publication.account_id == telegram.scalar_subquery()
        )
        out = (await session.scalars(query)).one()
        out.state, out.published_at, out.ref = State.PUBLISHED, now(), "48300"
    await signed_out(office.deps.ledger, out)
    return out


async def test_the_button_of_a_published_item_begins_a_copy_that_names_it(office: Office) -> None:
    ids = await busy_morning(office)
    made, _ = await _draft(office, await _begun(office, ids))
    old, digest = await _draft(office, ids["published"])
    assert made.corrects == Corrects(ids["published"], digest, title=old.title)
    assert (made.kind, made.title, made.body) == ("更正", f"更正：{old.title}", old.body)
    entries = await office.deps.ledger.facts(f"item:{ids['published']}")
    assert [one.body["digest"] for one in entries if one.kind == "correction.begun"] == [digest]


async def test_who_edits_and_who_reviews_a_correction_sees_what_it_is_about(
    office: Office,
) -> None:
    ids = await busy_morning(office)
    item_id = await _begun(office, ids)
    old, digest = await _draft(office, ids["published"])
    for login, path in (("editor", "/edit"), ("editor", ""), ("reviewer1", "")):
        browser = await office.signed_in(login)
        _, page = await browser.get(f"/console/items/{item_id}{path}")
        assert f'<a href="/console/items/{ids["published"]}">《{old.title}》</a>' in page
        assert f"{digest[:16]}…" in page
        _, page = await browser.get(f"/console/items/{ids['published']}")
        assert "发出时的摘要" not in page


async def test_what_a_correction_is_about_cannot_be_edited_away(office: Office) -> None:
    ids = await busy_morning(office)
    item_id = await _begun(office, ids)
    async with office.deps.db.session() as session:
        version = (await session.get_one(Item, item_id)).version
    for changes in ({"kind": "原创"}, {"corrects": None}):
        with pytest.raises(Refused, match="不能改成别的种类或改指别的稿件"):
            await drafting.edit(
                office.deps.queue, item_id, office.people["editor"], version, changes
            )


async def test_both_sides_of_a_correction_are_told_once_it_is_out(office: Office) -> None:
    ids = await busy_morning(office)
    item_id = await _begun(office, ids)
    path, client = f"/verify/{ids['publication']}", office.client()
    before = await (await client.get(path)).text()
    assert "已有更正" not in before
    out = await _out(office, item_id)
    old, correction = (
        await (await client.get(path)).text(),
        await (await client.get(f"/verify/{out.id}")).text(),
    )
    assert "这条内容已有更正" in old
    assert f"/verify/{out.id}" in old
    assert out.digest[:16] in old
    assert "这是一篇更正" in correction
    assert f'/verify/{ids["publication"]}">《冬季取暖补助申请指南》' in correction


async def test_a_correction_written_by_sql_is_told_to_nobody(office: Office) -> None:
    """Another item's publication, led to the place of a correction that never went out."""
    ids = await busy_morning(office)
    item_id = await _begun(office, ids)
    async with office.deps.db.session() as session:
        await session.execute(
            update(Publication).where(Publication.id == ids["unknown"]).values(item_id=item_id)
        )
    text = await (await office.client().get(f"/verify/{ids['publication']}")).text()
    assert "已有更正" not in text
