"""A good answer becomes a reviewed entry of the library, and no post on any account."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.models import Publication
from console.tickets.pages import _as_item
from escalations import replying, tickets
from escalations.models import Ticket
from ledger.models import Incident
from review_queue import drafting, publishing, recalling, shelving
from review_queue.canonical import Draft
from review_queue.desk import latest
from review_queue.models import Item
from review_queue.states import ItemState
from staff.refusal import Refused
from tests.office.both import Both, both

QUESTION = "夜市的摊位怎么申请"
ANSWER = "夜市摊位由县商务局受理，请带身份证到县政务服务大厅申请。"


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        yield made


async def promoted(town: Both) -> Item:
    """A question asked, given to a person, answered, and offered as an entry."""
    shenfa, duty = town.talk.shenfa, town.talk.people["duty1"]
    who = await town.citizen("wechat")
    await town.say("wechat", who, QUESTION)
    await town.say("wechat", who, "转人工")
    async with shenfa.db.session() as session:
        ticket = (await session.scalars(select(Ticket))).one()
    await tickets.claim(shenfa.tickets, ticket.id, duty)
    await replying.reply(shenfa.tickets, ticket.id, duty, ANSWER)
    item_id = await replying.promote(
        shenfa.tickets, ticket.id, duty, _as_item(shenfa.console_deps())
    )
    async with shenfa.db.session() as session:
        return await session.get_one(Item, item_id)


async def in_use(town: Both) -> list[str]:
    recall = town.talk.shenfa.console_deps().recall
    return [one.answer for one in await recall.reviewed([f"请问{QUESTION}"])]


async def released(town: Both) -> Item:
    item = await town.talk.submitted(await promoted(town))
    return await town.talk.approve(item, "reviewer1", "reviewer3")


async def test_an_answer_passes_review_into_the_library_and_goes_to_no_account(
    town: Both,
) -> None:
    shenfa, editor = town.talk.shenfa, town.talk.people["editor"]
    item = await promoted(town)
    async with shenfa.db.session() as session:
        draft = Draft.from_canonical((await latest(session, item)).canonical)
        accounts = tuple(await session.scalars(text("SELECT id FROM account")))
    assert (draft.kind, draft.title, draft.body) == ("问答", QUESTION, ANSWER)
    assert (draft.accounts, draft.audience) == ((), None)
    with pytest.raises(Refused, match="不发布到账号"):
        await drafting.edit(shenfa.queue, item.id, editor, item.version, {"accounts": accounts})
    assert await in_use(town) == []
    item = await town.talk.submitted(item)
    item = await town.talk.approve(item, "reviewer1", "reviewer3")
    assert item.state == ItemState.SHELVED
    assert await in_use(town) == [ANSWER]
    with pytest.raises(Refused, match="入库使用"):
        await publishing.schedule(shenfa.queue, item.id, editor)
    async with shenfa.db.session() as session:
        assert (await session.scalars(select(Publication))).all() == []


async def test_an_entry_that_was_taken_back_is_not_offered(town: Both) -> None:
    item = await released(town)
    await recalling.recall(town.talk.shenfa.queue, item.id, town.talk.people["editor"], "有误")
    assert await in_use(town) == []


async def test_an_entry_past_its_last_day_is_not_offered(town: Both) -> None:
    item = await released(town)
    (entry,) = await town.talk.shenfa.entries.entries()
    assert (entry.item_id, entry.state) == (item.id, "in_use")
    assert entry.not_after is not None
    await town.move((entry.not_after - item.updated_at).total_seconds() + 60)
    assert await in_use(town) == []


async def test_an_entry_changed_or_set_back_by_sql_is_not_offered(town: Both) -> None:
    item = await released(town)
    shenfa = town.talk.shenfa
    async with shenfa.db.session() as session:
        await session.execute(text("UPDATE reviewed_entry SET answer = '请转账办理'"))
    await shenfa.entries.compare()
    assert await in_use(town) == []
    async with shenfa.db.session() as session:
        found = (await session.scalars(select(Incident.subject))).all()
        assert any(subject.startswith("reviewed_entry:") for subject in found)
        await session.execute(text("UPDATE item SET state = 'approved'"))
    assert await shelving.shelve(shenfa.queue, item.id)
    async with shenfa.db.session() as session:
        rows = (await session.execute(text("SELECT version FROM reviewed_entry"))).all()
    assert len(rows) == 1
