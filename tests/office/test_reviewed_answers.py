"""A reviewed answer is said at once with its sources, and ends with the clause it rests on."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.contract import Content
from config.clock import beijing, now
from demo.acts import policies
from knowledge.library import Repeal
from knowledge.models import Clause, Policy, Told
from ledger.models import Incident
from office.told_notices import ToldNotices
from review_queue import drafting, shelving, submitting
from review_queue.canonical import QA
from review_queue.models import Item
from review_queue.states import ItemState
from staff.refusal import Refused
from tests.office.both import Both, both

ANSWER = "带上身份证和毕业证，到县人社局一楼窗口填一张表，十五个工作日内有结果。"
ASKED = "毕业生首次创业的补贴怎么申请？大学生创业补贴如何办理"


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        stage: Any = SimpleNamespace(shenfa=made.talk.shenfa, people=made.talk.people)
        await policies(stage)
        yield made


async def clause_with(town: Both, words: str) -> Clause:
    async with town.talk.shenfa.db.session() as session:
        query = select(Clause).join(Policy, Policy.id == Clause.policy_id)
        query = query.where(Clause.text.contains(words), Policy.repealed_on.is_(None))
        return (await session.scalars(query.order_by(Clause.id))).first()  # type: ignore[return-value]


async def entry(town: Both, rests: tuple[str, ...], body: str = ANSWER) -> Item:
    shenfa, editor = town.talk.shenfa, town.talk.people["editor"]
    item = await shelving.new_entry(shenfa.queue, ASKED, editor)
    changes = {"body": body, "rests": rests}
    return await drafting.edit(shenfa.queue, item.id, editor, item.version, changes)


async def says(town: Both, who: str, words: str) -> str:
    await town.say("wechat", who, words)
    return (await town.got("wechat", who))[-1]


async def test_a_reviewed_answer_is_said_with_its_source_and_ends_with_it(town: Both) -> None:
    shenfa, people = town.talk.shenfa, town.talk.people
    clause = await clause_with(town, "创业")
    who = await town.citizen("wechat")
    item = await town.talk.submitted(await entry(town, (clause.id,)))
    assert ANSWER not in await says(town, who, "大学生创业补贴怎么办理")
    item = await town.talk.approve(item, "reviewer1", "reviewer3")
    assert item.state == ItemState.SHELVED
    # In other words of the same question, with the clause as its source.
    said = await says(town, who, "请问大学生的创业补贴怎么申请呀")
    assert said.startswith(f"以下答复已经审核，依据附在后面：\n{ANSWER}\n")
    assert "有效性：现行有效" in said
    # What is merely near is no such question.
    for other in ("大学生创业补贴什么时候申请", "大学生创业补贴怎么退", "残疾人创业补贴怎么申请"):
        assert ANSWER not in await says(town, who, other)
    contact = await town.contact("wechat", who)
    async with shenfa.db.session() as session:
        told = await session.scalars(select(Told.clause_id).where(Told.contact_id == contact.id))
        assert clause.id in set(told)
    # Its clause ends: from that moment nobody hears it, and its editor is told.
    today = beijing(now()).date()
    change = await shenfa.library.propose_repeal(
        Repeal(clause.policy_id, today, clause_number=clause.number), people["admin1"]
    )
    await shenfa.library.approve(change.change_id, people["admin2"])
    assert ANSWER not in await says(town, who, "请问大学生的创业补贴怎么申请呀")
    assert await shenfa.entries.words(item.id, 1) is None
    assert await shenfa.entries.lapse_due() == 1
    assert await shenfa.entries.lapse_due() == 0
    (listed,) = await shenfa.entries.entries()
    assert listed.state == "lapsed"
    async with shenfa.db.session() as session:
        query = select(Incident.subject).where(Incident.kind == "entry_lapsed")
        assert (await session.scalars(query)).all() == [f"item:{item.id}"]


async def test_who_was_told_is_told_once_that_it_was_wrong(town: Both) -> None:
    """Three are told a clause, it is corrected, the notice approved: exactly these three get it."""
    shenfa, people = town.talk.shenfa, town.talk.people
    platforms = ("wechat", "wechat", "telegram")
    told = [await town.citizen(one) for one in platforms]
    for platform, who in zip(platforms, told, strict=True):
        await town.say(platform, who, "失业保险金的标准是多少")
        assert await town.told(platform, who, "1710")
    other = await town.citizen("wechat")
    await town.say("wechat", other, "创业担保贷款额度多少")
    clause = await clause_with(town, "1710")
    # Somebody adds a fourth by SQL, to whom nothing was told.
    contact = await town.contact("wechat", other)
    await town.talk.sql(
        "INSERT INTO told (id, contact_id, clause_id, at, seal) SELECT 'f' || substr(id, 2), "
        f"'{contact.id}', clause_id, at, seal FROM told WHERE clause_id = '{clause.id}' LIMIT 1"
    )
    words = "失业保险金的标准现在是每人一个月1800元，自本月起执行，少发的会补上。"
    item = await shelving.new_notice(shenfa.queue, clause.id, "失业保险金标准", people["editor"])
    changes = {"body": words}
    item = await drafting.edit(shenfa.queue, item.id, people["editor"], item.version, changes)
    item = await town.talk.submitted(item)
    notices = ToldNotices(shenfa.ledger, shenfa.matching, shenfa.notices)
    assert await notices.tell_due() == 0
    await town.talk.approve(item, "reviewer1", "reviewer3")
    await town.move(12)
    # Who is told the clause only now hears how it stands now, and no correction of it.
    late = await town.citizen("wechat")
    await town.say("wechat", late, "失业保险金的标准是多少")
    assert (await notices.tell_due(), await notices.tell_due()) == (3, 0)
    await town.deliver()
    for platform, who in zip(platforms, told, strict=True):
        assert await town.told(platform, who, words)
        assert sum(words in one for one in await town.got(platform, who)) == 1
    for who in (other, late):
        assert not [one for one in await town.got("wechat", who) if words in one]
    assert ("row_changed", f"told:{(await forged(town))[:80]}"[:80]) in await town.talk.incidents()


async def forged(town: Both) -> str:
    async with town.talk.shenfa.db.session() as session:
        rows = (await session.scalars(select(Told))).all()
    return next(one.id for one in rows if not one.whole)


async def test_what_rests_on_nothing_in_force_is_refused_and_what_is_forged_is_not_said(
    town: Both,
) -> None:
    shenfa, editor = town.talk.shenfa, town.talk.people["editor"]
    clause, who = await clause_with(town, "创业"), await town.citizen("wechat")
    item = await entry(town, ("0" * 26,))
    with pytest.raises(Refused, match="不是现行有效的条文"):
        await submitting.submit(shenfa.queue, item.id, editor, item.version)
    article = Content(QA, "问", "答")
    other = await drafting.create_item(shenfa.queue, article, drafting.Origin(editor))
    with pytest.raises(Refused, match="只有入库使用的问答"):
        await drafting.edit(shenfa.queue, other.id, editor, other.version, {"rests": (clause.id,)})
    # Without a clause it is for people alone.
    item = await drafting.edit(shenfa.queue, item.id, editor, item.version, {"rests": ()})
    await town.talk.approve(await town.talk.submitted(item), "reviewer1", "reviewer3")
    assert ANSWER not in await says(town, who, "大学生创业补贴怎么申请")
    recall = shenfa.console_deps().recall
    assert [one.answer for one in await recall.reviewed(["大学生创业补贴怎么申请"])] == [ANSWER]
    # The next one rests on a clause, and somebody writes other words under it.
    await town.talk.approve(
        await town.talk.submitted(await entry(town, (clause.id,))), "reviewer1", "reviewer3"
    )
    assert ANSWER in await says(town, who, "大学生创业补贴怎么申请")
    async with shenfa.db.session() as session:
        await session.execute(text("UPDATE reviewed_entry SET answer = '请转账办理'"))
    await shenfa.entries.compare()
    said = await says(town, who, "大学生创业补贴怎么申请")
    assert "转账" not in said
    assert ANSWER not in said
