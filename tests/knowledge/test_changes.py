"""Changes of the library: two people, what was proposed comes in, the gates see every document."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from knowledge.documents import PolicyDraft
from knowledge.library import Repeal
from knowledge.models import Clause, Policy
from knowledge.proof import signed_policies
from knowledge.service import KnowledgeService
from ledger.models import Incident
from staff.models import Proposal, Staff
from staff.refusal import Refused

TODAY = date(2026, 11, 24)
QUESTION = "高校毕业生创业补贴多少钱"
LIE = "凭本短信领取现金八万元"


async def put_in(office: SimpleNamespace, draft: PolicyDraft) -> str:
    (change,) = await office.library.propose_import([draft], "editor")
    await office.library.approve(change.change_id, "admin1")
    return str(change.policy_id)


async def incidents(office: SimpleNamespace) -> list[Incident]:
    async with office.db.session() as session:
        return list((await session.scalars(select(Incident))).all())


CHANGES: dict[str, str] = {
    "the text": "UPDATE proposal SET payload = replace(payload, '5000元', '八万元')",
    "the title": "UPDATE proposal SET payload = replace(payload, '补贴办法', '现金办法')",
    "the number": "UPDATE proposal SET payload = replace(payload, '〔2024〕7号', '〔2024〕8号')",
    "who proposed it": "UPDATE proposal SET proposed_by = 'admin2'",
    "payload and digest": "UPDATE proposal SET payload = replace(payload, '5000元', '八万元'),"
    " digest = '0000'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_what_was_changed_while_it_waited_is_not_approved(office, grant, change) -> None:
    (waiting,) = await office.library.propose_import([grant], "editor")
    async with office.db.session() as session:
        await session.execute(text(change))
    with pytest.raises(Refused) as refused:
        await office.library.approve(waiting.change_id, "admin1")
    assert refused.value.status == 409
    assert [row.kind for row in await incidents(office)] == ["proposal_tampered"]
    assert await signed_policies(office.ledger) == {}
    assert (await office.service.ask(QUESTION, TODAY)).status == "out_of_scope"


async def test_rows_that_lie_in_wait_do_not_come_in_with_an_approval(office, grant) -> None:
    """The id of a document is known beforehand: somebody puts a clause of their own under it."""
    (waiting,) = await office.library.propose_import([grant], "editor")
    async with office.db.session() as session:
        clause = {"id": "mine", "policy_id": waiting.policy_id, "number": 77, "text": LIE}
        await session.execute(
            insert(Clause), [clause | {"label": "", "heading": "", "start": 0, "end": 1}]
        )
    await office.library.approve(waiting.change_id, "admin1")
    async with office.db.session() as session:
        assert await session.get(Clause, "mine") is None
    assert (await office.service.ask(QUESTION, TODAY)).status == "answered"
    assert await incidents(office) == []


async def test_a_changed_policy_is_not_ended_until_it_was_looked_into(office, grant) -> None:
    key = await put_in(office, grant)
    async with office.db.session() as session:
        await session.execute(update(Policy).values(title=LIE))
    with pytest.raises(Refused) as refused:
        await office.library.propose_repeal(Repeal(key, TODAY), "editor")
    assert [one.rule for one in refused.value.reasons] == ["tampered"]
    (told,) = await incidents(office)
    assert (told.kind, told.detail["field"]) == ("policy_changed", "title")


async def test_a_policy_changed_while_its_end_waits_is_not_ended(office, grant) -> None:
    key = await put_in(office, grant)
    change = await office.library.propose_repeal(Repeal(key, TODAY), "editor")
    async with office.db.session() as session:
        await session.execute(update(Clause).where(Clause.number == 2).values(text=LIE))
    with pytest.raises(Refused) as refused:
        await office.library.approve(change.change_id, "admin1")
    assert refused.value.status == 409
    assert [row.detail["table"] for row in await incidents(office)] == ["clause"]


async def test_two_ends_of_one_policy_do_not_overwrite_each_other(office, grant) -> None:
    key = await put_in(office, grant)
    first = await office.library.propose_repeal(Repeal(key, TODAY, clause_number=2), "editor")
    second = await office.library.propose_repeal(Repeal(key, TODAY, clause_number=3), "editor")
    await office.library.approve(first.change_id, "admin1")
    with pytest.raises(Refused) as refused:
        await office.library.approve(second.change_id, "admin1")
    assert [one.rule for one in refused.value.reasons] == ["overtaken"]


async def test_a_role_written_by_sql_neither_proposes_nor_approves(office, grant) -> None:
    (waiting,) = await office.library.propose_import([grant], "editor")
    async with office.db.session() as session:
        await session.execute(update(Staff).where(Staff.id == "duty1").values(roles=["admin"]))
    for act in (
        office.library.approve(waiting.change_id, "duty1"),
        office.library.propose_import([replace(grant, title="另一份办法")], "duty1"),
    ):
        with pytest.raises(Refused) as refused:
            await act
        assert refused.value.status == 403


# --- gates --------------------------------------------------------------------------------------

PERSON = "\n张某某，身份证号11010519491231002X，已发放补贴。"


async def test_a_document_with_an_id_number_is_stopped_by_the_secrecy_gate(office, grant) -> None:
    with pytest.raises(Refused) as refused:
        await office.library.propose_import([replace(grant, text=grant.text + PERSON)], "editor")
    assert refused.value.status == 422
    words = "；".join(one.message for one in refused.value.reasons)
    assert "保密检查不通过" in words
    assert "11010519491231002X" not in words  # the refusal is read aloud in more places
    async with office.db.session() as session:
        assert (await session.scalars(select(Proposal))).first() is None


async def test_a_rule_that_came_meanwhile_stops_the_approval(office, grant) -> None:
    (waiting,) = await office.library.propose_import([grant], "editor")
    office.more.append("一次性创业补贴")
    with pytest.raises(Refused) as refused:
        await office.library.approve(waiting.change_id, "admin1")
    assert "保密检查不通过" in str(refused.value)
    assert await signed_policies(office.ledger) == {}


async def test_what_the_law_gate_says_is_shown_to_the_second_person(office, grant) -> None:
    said = replace(grant, text=grant.text + "\n依据《中华人民共和国合同法》制定。")
    (waiting,) = await office.library.propose_import([said], "editor")
    (row,) = await office.library.changes(waiting.policy_id)
    assert row.effect["warnings"]
    await office.library.approve(waiting.change_id, "admin1")


FAULTS: dict[str, Any] = {
    "url": {"url": "javascript:alert(1)"},
    "text": {"text": "第一条 一\ud800二。"},
    "title": {"title": "办法\x00"},
}


@pytest.mark.parametrize(("field", "fault"), FAULTS.items(), ids=FAULTS.keys())
async def test_a_field_that_cannot_stand_is_refused_by_name(office, grant, field, fault) -> None:
    with pytest.raises(Refused) as refused:
        await office.library.propose_import([replace(grant, **fault)], "editor")
    assert [one.rule for one in refused.value.reasons] == [field]


# --- the ledger ---------------------------------------------------------------------------------


async def test_another_process_learns_of_a_repeal_though_a_column_hides_the_entry(
    office, grant
) -> None:
    """Kind and subject of an entry carry no signature; the chain itself is read."""
    key = await put_in(office, grant)
    other = KnowledgeService(office.ledger)
    assert (await other.ask(QUESTION, TODAY)).status == "answered"
    change = await office.library.propose_repeal(Repeal(key, TODAY), "editor")
    await office.library.approve(change.change_id, "admin1")
    async with office.db.session() as session:
        await session.execute(text("UPDATE ledger_entry SET kind = 'note', subject = 'x'"))
    assert (await other.ask(QUESTION, TODAY)).status == "repealed"


async def test_a_repeal_taken_back_by_sql_stays_and_gates_know_it(office, grant) -> None:
    key = await put_in(office, grant)
    change = await office.library.propose_repeal(Repeal(key, TODAY), "editor")
    await office.library.approve(change.change_id, "admin1")
    async with office.db.session() as session:
        await session.execute(update(Policy).values(repealed_on=None, effective_to=None))
    fresh = KnowledgeService(office.ledger)
    assert not (await fresh.ask(QUESTION, TODAY)).quotes
    fact = (await fresh.facts_now()).policy(grant.doc_number, TODAY)
    assert fact is not None
    assert fact.status == "repealed"
    assert [row.kind for row in await incidents(office)] == ["policy_changed"]


async def test_an_entry_that_nobody_signed_changes_nothing(office, grant) -> None:
    await put_in(office, grant)
    assert (await office.service.ask(QUESTION, TODAY)).status == "answered"
    async with office.db.session() as session:
        await session.execute(
            text(
                "INSERT INTO ledger_entry SELECT seq + 1, kind, subject, actor, at,"
                " replace(preimage, :old, :new), hash, signature FROM ledger_entry"
                " ORDER BY seq DESC LIMIT 1"
            ),
            {"old": "青禾县", "new": "假禾县"},
        )
    found = await office.service.ask(QUESTION, TODAY)
    assert (found.status, found.quotes[0].hit.title) == ("answered", grant.title)


async def test_a_clause_is_compared_once_more_as_it_is_said(office, grant) -> None:
    """Between the answer and its sending: what is quoted then is read then."""
    await put_in(office, grant)
    key = (await office.service.ask(QUESTION, TODAY)).quotes[0].hit.key
    hit = await office.service.hit(key, TODAY)
    assert (hit.title, hit.validity) == (grant.title, "in_force")
    async with office.db.session() as session:
        await session.execute(update(Clause).where(Clause.id == key).values(text=LIE))
    assert await office.service.hit(key, TODAY) is None
    assert await office.service.hit("unknown", TODAY) is None
    assert [row.detail["row"] for row in await incidents(office)] == [key]


async def test_rows_are_compared_alike_on_both_databases(either, grant, voucher) -> None:
    await put_in(either, grant)
    await put_in(either, voucher)
    found = await either.service.ask(QUESTION, TODAY)
    assert (found.status, found.quotes[0].hit.title) == ("answered", grant.title)
    await either.service.compare()
    assert await incidents(either) == []
    changed = update(Clause).where(Clause.id == found.quotes[0].hit.key)
    async with either.db.session() as session:
        await session.execute(changed.values(text=LIE))
    assert (await either.service.ask(QUESTION, TODAY)).status != "answered"
    assert "200元" in (await either.service.ask("家电消费券面额多少元", TODAY)).quotes[0].text
    assert [row.detail["table"] for row in await incidents(either)] == ["clause"]
