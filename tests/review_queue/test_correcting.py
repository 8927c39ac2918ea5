"""A correction is made in one file: by an editor, of what went out, to the same places."""

import pytest
from sqlalchemy import select

from review_queue.canonical import Draft
from review_queue.correcting import Correction, copy_to_correct, correct
from review_queue.models import Item, Revision
from staff.models import Staff
from staff.refusal import Refused
from tests.review_queue.conftest import Office

WORDS = Correction("更正：时间", "开放时间以本次发布的为准。")


async def text_of(office: Office, item: Item) -> Draft:
    async with office.queue.db.session() as session:
        query = select(Revision.canonical).where(Revision.item_id == item.id)
        return Draft.from_canonical((await session.scalars(query)).one())


async def recalled(office: Office) -> Item:
    item = await office.item()
    async with office.queue.db.session() as session:
        row = await session.get_one(Item, item.id)
        row.state = "recalled"
    return item


async def test_a_correction_goes_where_the_old_item_went(office: Office) -> None:
    old = await recalled(office)
    made = await correct(office.queue, old.id, office.people["editor"], WORDS)
    before, after = await text_of(office, old), await text_of(office, made)
    assert (made.kind, made.state, made.author_id) == ("更正", "draft", office.people["editor"])
    assert (after.title, after.body) == (WORDS.title, WORDS.body)
    assert (after.klass, after.accounts, after.audience) == (
        before.klass,
        before.accounts,
        before.audience,
    )


async def test_a_correction_names_who_makes_it_as_its_editor(office: Office) -> None:
    old = await recalled(office)
    editor = office.people["editor"]
    async with office.queue.db.session() as session:
        name = (await session.get_one(Staff, editor)).name
    for words in (WORDS, None):
        made = await correct(office.queue, old.id, editor, words)
        before, after = await text_of(office, old), await text_of(office, made)
        assert after.attribution == {**before.attribution, "editor": name}


async def test_only_an_editor_corrects_and_only_what_was_planned(office: Office) -> None:
    draft, old = await office.item(), await recalled(office)
    with pytest.raises(Refused, match="需要以下角色之一：编辑") as refused:
        await correct(office.queue, old.id, office.people["reviewer1"], WORDS)
    assert (refused.value.status, refused.value.reasons[0].rule) == (403, "role")
    with pytest.raises(Refused, match="草稿请直接修改") as refused:
        await correct(office.queue, draft.id, office.people["editor"], WORDS)
    assert refused.value.status == 409
    with pytest.raises(Refused, match="没有这篇稿件") as refused:
        await correct(office.queue, "nowhere", office.people["editor"], WORDS)
    assert refused.value.status == 404


async def test_a_task_copies_the_old_text_to_be_changed(office: Office) -> None:
    old = await recalled(office)
    async with office.queue.ledger.transaction() as tx:
        made = await copy_to_correct(office.queue, tx, old.id, office.people["reviewer1"])
    before, after = await text_of(office, old), await text_of(office, made)
    assert (after.kind, after.title, after.body) == ("更正", f"更正：{before.title}", before.body)
