"""The stored library: two people, repeal at once, the database decides, who was told."""

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from knowledge.documents import PolicyDraft
from knowledge.leaning import On
from knowledge.library import Repeal
from knowledge.models import Clause, Policy
from knowledge.proof import signed_policies
from knowledge.service import KnowledgeService
from ledger.models import LedgerEntry
from staff.models import Proposal
from staff.refusal import Refused

TODAY = date(2026, 11, 24)
QUESTION = "高校毕业生创业补贴多少钱"


async def put_in(office: SimpleNamespace, *drafts: PolicyDraft) -> list[str]:
    proposed = await office.library.propose_import(drafts, "editor")
    for change in proposed:
        await office.library.approve(change.change_id, "admin1")
    return [change.policy_id for change in proposed]


async def end(office: SimpleNamespace, repeal: Repeal) -> None:
    change = await office.library.propose_repeal(repeal, "admin1")
    await office.library.approve(change.change_id, "admin2")


async def test_nothing_is_answered_from_a_proposal(office, grant) -> None:
    await office.library.propose_import([grant], "editor")
    assert (await office.service.ask(QUESTION, TODAY)).status == "out_of_scope"


async def test_an_answer_quotes_the_stored_clause_with_its_source(office, grant, voucher) -> None:
    await put_in(office, grant, voucher)
    found = await office.service.ask(QUESTION, TODAY)
    assert found.status == "answered"
    quote = found.quotes[0]
    assert "5000元" in quote.text
    assert quote.hit.doc_number == "青政发〔2024〕7号"
    assert quote.hit.label == "第二条"
    async with office.db.session() as session:
        policy = await session.get(Policy, quote.hit.policy_id)
        clause = await session.get(Clause, quote.hit.key)
    assert policy.text[quote.start : quote.end] == quote.text
    assert quote.text in clause.text
    assert policy.facets["topics"][0] == "employment"


async def test_a_repeal_is_effective_in_the_next_request_and_names_the_successor(
    office, grant
) -> None:
    new = PolicyDraft(
        title="青禾县青年安居若干措施",
        text="一、租房\n给予租房补贴每月800元。\n二、安居\n提供周转住房。",
        doc_number="青政发〔2026〕3号",
        issued_on=date(2026, 1, 5),
    )
    old_id, new_id = await put_in(office, grant, new)
    assert (await office.service.ask(QUESTION, TODAY)).status == "answered"
    await end(office, Repeal(old_id, date(2026, 2, 1), successor_id=new_id))
    found = await office.service.ask(QUESTION, TODAY)
    assert found.status == "repealed"
    assert (found.ended.ended_on, found.ended.successor) == ("2026-02-01", new.title)
    assert all(quote.hit.policy_id != old_id for quote in found.quotes)
    past = await office.service.ask("2025年6月当时高校毕业生创业补贴是多少钱", TODAY)
    assert (past.status, past.asked_past, past.as_of) == ("answered", True, date(2025, 6, 15))


async def test_one_clause_can_be_repealed_alone(office, grant) -> None:
    (policy_id,) = await put_in(office, grant)
    await end(office, Repeal(policy_id, date(2026, 5, 1), clause_number=2))
    found = await office.service.ask(QUESTION, TODAY)
    assert all(quote.hit.label != "第二条" for quote in found.quotes)
    how = await office.service.ask("申请创业补贴要提交什么材料", TODAY)
    assert how.quotes[0].hit.label == "第三条"
    assert how.quotes[0].hit.validity == "amended"


async def test_two_different_people_with_the_right_roles(office, grant) -> None:
    with pytest.raises(Refused) as refused:
        await office.library.propose_import([grant], "duty1")
    assert refused.value.status == 403
    (own,) = await office.library.propose_import([grant], "admin1")
    for person, rule in (("admin1", "two_people"), ("editor", "role"), ("nobody", "staff")):
        with pytest.raises(Refused) as refused:
            await office.library.approve(own.change_id, person)
        assert (refused.value.status, refused.value.reasons[0].rule) == (403, rule)
    await office.library.approve(own.change_id, "admin2")
    with pytest.raises(Refused) as refused:
        await office.library.approve(own.change_id, "admin2")
    assert refused.value.status == 409
    with pytest.raises(Refused) as refused:
        await office.library.propose_import([grant], "editor")
    assert refused.value.status == 409


async def test_an_import_is_all_or_nothing(office, grant) -> None:
    with pytest.raises(Refused) as refused:
        await office.library.propose_import([grant, PolicyDraft(title=" ", text="正文")], "editor")
    assert refused.value.status == 422
    async with office.db.session() as session:
        for table in (Policy, Clause, Proposal):
            assert (await session.scalars(select(table))).first() is None
        kinds = set((await session.scalars(select(LedgerEntry.kind))).all())
    assert kinds == {"staff.set"}


async def test_a_rejection_needs_a_reason_and_frees_the_title(office, grant) -> None:
    (first,) = await office.library.propose_import([grant], "editor")
    with pytest.raises(Refused, match="理由"):
        await office.library.reject(first.change_id, "admin1", " ")
    await office.library.reject(first.change_id, "admin1", "文号有误")
    assert len(await put_in(office, grant)) == 1


@pytest.mark.parametrize(
    ("repeal", "status"),
    [
        (Repeal("missing", TODAY), 404),
        (Repeal("", TODAY, clause_number=99), 404),
        (Repeal("", TODAY, successor_id="missing"), 404),
    ],
)
async def test_a_repeal_of_what_is_not_there_is_refused(office, grant, repeal, status) -> None:
    (policy_id,) = await put_in(office, grant)
    wanted = Repeal(repeal.policy_id or policy_id, TODAY, repeal.successor_id, repeal.clause_number)
    with pytest.raises(Refused) as refused:
        await office.library.propose_repeal(wanted, "editor")
    assert refused.value.status == status


async def test_every_change_is_a_signed_entry(office, grant) -> None:
    (policy_id,) = await put_in(office, grant)
    await end(office, Repeal(policy_id, TODAY, reason="新办法代替"))
    first, last = await office.ledger.facts("library")
    assert [(one.kind, one.actor) for one in (first, last)] == [
        ("policy.set", "admin1"),
        ("policy.set", "admin2"),
    ]
    assert first.body | {"repealed_on": TODAY.isoformat(), "proposal": "", "proposed_by": ""} == (
        last.body | {"proposal": "", "proposed_by": ""}
    )
    said = ("policy", "title", "doc_number", "issuer", "issued_on", "repealed_on", "proposed_by")
    assert [first.body[name] for name in said] == [
        *(policy_id, grant.title, grant.doc_number, grant.issuer, "2024-02-20", None, "editor")
    ]
    for entry in (first, last):
        made, approved = await office.ledger.facts(f"proposal:{entry.body['proposal']}")
        assert (made.kind, approved.kind) == ("proposal.made", "proposal.approved")
        assert "新办法代替" not in str((made.body, approved.body))


async def test_gates_learn_the_status_by_number_or_title(office, grant) -> None:
    assert not office.service.facts.knows_policies()
    (policy_id,) = await put_in(office, grant)
    await office.service.refresh()
    facts = office.service.facts
    assert facts.policy("青政发[2024]07号", TODAY).status == "in_force"
    assert facts.policy("《青禾县高校毕业生创业补贴办法》", TODAY).doc_number == grant.doc_number
    assert facts.policy("青政发〔2024〕8号", TODAY) is None
    await end(office, Repeal(policy_id, TODAY))
    await office.service.refresh()
    assert office.service.facts.policy(grant.doc_number, TODAY).status == "repealed"


async def test_the_default_period_is_fixed_at_the_proposal(office, voucher) -> None:
    (policy_id,) = await put_in(office, voucher)
    async with office.db.session() as session:
        policy = await session.get(Policy, policy_id)
    assert (policy.effective_from, policy.effective_to) == ("2025-04-20", "2030-04-19")


async def test_what_is_asked_on_is_answered_by_the_policy_as_it_was_signed(office, grant) -> None:
    await put_in(office, grant)
    last = (await office.service.ask(QUESTION, TODAY)).quotes[0].hit.key
    papers, case = On(QUESTION, last, "那需要什么材料"), On(QUESTION, last, "我是农村户口的呢")
    found = await office.service.ask_on(papers, "高校毕业生创业补贴需要什么材料", TODAY)
    assert (found.status, found.quotes[0].hit.label) == ("answered", "第三条")
    assert "毕业证书、营业执照" in found.quotes[0].text
    unsure = await office.service.ask_on(case, f"{QUESTION} 我是农村户口的呢", TODAY)
    assert (unsure.status, unsure.quotes[0].hit.label) == ("unsure", "第二条")
    chosen = await office.service.ask_on(On(QUESTION, last, ""), QUESTION, TODAY)
    assert (chosen.status, chosen.quotes[0].hit.key) == ("answered", last)
    assert await office.service.ask_on(On(QUESTION, "0", "多少钱"), "多少钱", TODAY) is None
    async with office.db.session() as session:
        await session.execute(update(Clause).values(text="凭一句话就能领。"))
    assert await office.service.ask_on(papers, "需要什么材料", TODAY) is None


async def test_who_was_told_a_clause_can_be_found_again(office, grant) -> None:
    await put_in(office, grant)
    quote = (await office.service.ask(QUESTION, TODAY)).quotes[0]
    for contact in ("a", "b", "a"):
        await office.service.told(contact, [quote.hit.key, quote.hit.key])
    await office.service.told("c", ["another"])
    assert await office.service.who_was_told([quote.hit.key]) == ["a", "b"]


async def test_the_stored_index_is_reused_and_replaced(office, grant, voucher) -> None:
    place = office.tmp / "index"
    await put_in(office, grant)
    for _ in range(2):
        service = KnowledgeService(office.ledger, place)
        assert (await service.ask(QUESTION, TODAY)).status == "answered"
    other = KnowledgeService(office.ledger, place)
    assert (await other.ask(QUESTION, TODAY)).status == "answered"
    before = [one.name for one in place.iterdir()]
    await put_in(office, voucher)
    for one in (service, other, office.service):  # each as another process, one in memory
        assert (await one.ask("家电消费券面额多少元", TODAY)).status == "answered"
        assert (await one.ask(QUESTION, TODAY)).status == "answered"
    after = [one.name for one in place.iterdir()]
    assert len(before) == len(after) == 1
    assert before != after


@pytest.mark.parametrize(
    ("title", "last"),
    [
        ("青禾县创业补贴办法", "2028-02-29"),
        ("青禾县创业补贴暂行办法", "2025-02-28"),
        ("《青禾县创业补贴办法》", "2028-02-29"),
        ("中华人民共和国就业促进法", None),
        ("《中华人民共和国就业促进法》", None),
        ("青禾自治县城市管理条例", None),
    ],
)
async def test_only_laws_and_regulations_do_not_lapse(office, grant, title, last) -> None:
    draft = replace(grant, title=title, effective_from=date(2023, 3, 1), effective_to=None)
    (policy_id,) = await put_in(office, draft)
    assert (await signed_policies(office.ledger))[policy_id].effective_to == last
