"""A policy that stands is ended, amended and mended by two people; what they signed counts."""

import asyncio
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, update

from config.clock import now
from gates.alike import letters
from knowledge.documents import PolicyDraft
from knowledge.forms import AMEND, EDIT, END
from knowledge.library import Amendment, Repeal, amendment_payload, repeal_payload
from knowledge.models import Clause, Policy
from knowledge.proof import signed_policies
from knowledge.service import KnowledgeService
from ledger.append import Ledger, load_signing_key
from ledger.models import Incident
from review_queue.models import Item, ItemWords
from staff.refusal import Refused

TODAY = date(2026, 11, 24)
QUESTION = "高校毕业生创业补贴多少钱"
SINCE = date(2026, 6, 1)
RAISED = (
    "第二条 毕业五年内的高校毕业生首次在本县登记个体工商户，正常经营满六个月的，"
    "给予一次性创业补贴8000元。"
)
LIE = "凭本短信领取现金八万元"


async def put_in(office: SimpleNamespace, draft: PolicyDraft) -> str:
    (change,) = await office.library.propose_import([draft], "editor")
    await office.library.approve(change.change_id, "admin1")
    return str(change.policy_id)


async def change(office: SimpleNamespace, kind: str, payload: Any) -> None:
    made = await office.library.propose(kind, payload, "editor", "按新发的文件")
    await office.library.approve(made.change_id, "admin1")


def another(office: SimpleNamespace) -> KnowledgeService:
    """The library as another process has it: it shares nothing but the database and the key."""
    key = load_signing_key(office.tmp / "keys" / "l.key")
    return KnowledgeService(Ledger(office.db, key, office.tmp / "anchors.jsonl"))


async def amend(
    office: SimpleNamespace, key: str, on: date, *texts: tuple[int | None, str]
) -> None:
    await change(office, AMEND, amendment_payload(Amendment(key, on, texts)))


async def edit(office: SimpleNamespace, key: str, **fields: Any) -> None:
    await change(office, EDIT, {"policy_id": key, "fields": fields})


async def quoted(service: KnowledgeService, day: date, question: str = QUESTION) -> list[str]:
    return [quote.text for quote in (await service.ask(question, day)).quotes]


async def test_an_amended_clause_says_on_each_day_what_it_said_then(either, grant) -> None:
    key = await put_in(either, grant)
    other = another(either)
    assert "5000元" in (await quoted(other, TODAY))[0]
    await amend(either, key, SINCE, (2, RAISED))
    for service in (either.service, other):
        assert (await quoted(service, TODAY))[0] == RAISED
        for day in (SINCE, date(2027, 11, 24)):
            assert not any("5000元" in text for text in await quoted(service, day))
        before = await service.ask(QUESTION, date(2026, 5, 31))
        assert "5000元" in before.quotes[0].text
        assert (before.quotes[0].hit.ended_on, before.quotes[0].hit.reworded) == (
            *(str(SINCE), True),
        )
        assert all("8000元" not in quote.text for quote in before.quotes)
    async with either.db.session() as session:
        policy = await session.get_one(Policy, key)
        rows = (await session.scalars(select(Clause).where(Clause.policy_id == key))).all()
        assert all(policy.text[row.start : row.end] == row.text for row in rows)
        assert policy.amended_on == str(SINCE)
        assert list((await session.scalars(select(Incident))).all()) == []


async def test_a_quote_of_a_replaced_wording_is_not_said_for_a_later_day(office, grant) -> None:
    key = await put_in(office, grant)
    clause = (await office.service.ask(QUESTION, TODAY)).quotes[0].hit.key
    await amend(office, key, SINCE, (2, RAISED))
    assert await office.service.hit(clause, TODAY) is None
    assert "5000元" in (await office.service.hit(clause, date(2026, 5, 31))).text


async def test_a_clause_is_amended_twice_and_one_is_added(office, grant) -> None:
    key = await put_in(office, grant)
    last = "第五条 申请创业补贴的，可以在县政务服务网上传材料。"
    await amend(office, key, SINCE, (2, RAISED), (None, last))
    assert last in await quoted(office.service, TODAY, "创业补贴可以网上传材料申请吗")
    again = RAISED.replace("8000", "9000")
    with pytest.raises(Refused, match="从 2026-06-01 起有新的条文，请选编号 5"):
        await amend(office, key, date(2026, 9, 1), (2, again))
    with pytest.raises(Refused, match="新的条文要从以后的一天起"):
        await amend(office, key, SINCE, (5, again))
    await amend(office, key, date(2026, 9, 1), (5, again))
    held = {"2026-05-31": "5000元", "2026-08-31": "8000元", "2026-09-01": "9000元"}
    for day, amount in held.items():
        assert amount in (await quoted(office.service, date.fromisoformat(day)))[0], day


@pytest.mark.parametrize("column", ["effective_from", "replaced_on", "place"])
async def test_days_of_a_wording_written_by_sql_do_not_count(office, grant, column) -> None:
    key = await put_in(office, grant)
    await amend(office, key, SINCE, (2, RAISED))
    value: Any = 3 if column == "place" else "2020-01-01"
    for number in (2, 5, 3):  # replaced, replacing, never amended
        changed = update(Clause).where(Clause.policy_id == key, Clause.number == number)
        async with office.db.session() as session:
            row = (await session.scalars(select(Clause).where(Clause.number == number))).one()
            right = getattr(row, column)
            await session.execute(changed.values({column: value}))
        await office.service.compare()
        assert await quoted(office.service, TODAY) == [], number
        async with office.db.session() as session:
            await session.execute(changed.values({column: right}))
        await office.service.compare()
        assert (await quoted(office.service, TODAY))[0] == RAISED


async def test_a_policy_replaced_by_another_is_quoted_by_no_process_after_that(
    either, grant, voucher
) -> None:
    old, new = await put_in(either, grant), await put_in(either, voucher)
    other = another(either)
    assert (await other.ask(QUESTION, TODAY)).status == "answered"
    await change(either, END, repeal_payload(Repeal(old, SINCE, successor_id=new)))
    for service in (other, either.service, another(either)):
        for day in (SINCE, TODAY, date(2027, 11, 24)):
            found = await service.ask(QUESTION, day)
            assert found.status == "repealed"
            assert found.ended is not None
            assert all(quote.hit.policy_id != old for quote in found.quotes)
            assert (found.ended.ended_on, found.ended.successor) == (str(SINCE), voucher.title)
        then = await service.ask(QUESTION, date(2026, 5, 31))
        assert (then.status, then.quotes[0].hit.ended_on) == ("answered", str(SINCE))


async def test_what_is_said_of_a_policy_is_mended_and_counts_as_signed(either, grant) -> None:
    key = await put_in(either, grant)
    other = another(either)
    await other.refresh()
    await edit(
        either, key, title="青禾县大学生创业补贴办法", doc_number="青政发〔2024〕17号",
        issuer="", effective_to="2026-05-30", topics=["就业创业"], url=grant.url,
    )  # fmt: skip
    found = await other.ask(QUESTION, date(2026, 5, 30))
    hit = found.quotes[0].hit
    assert (hit.title, hit.doc_number, hit.issuer, hit.ended_on) == (
        *("青禾县大学生创业补贴办法", "青政发〔2024〕17号", "", "2026-05-31"),
    )
    ended = (await other.ask(QUESTION, date(2026, 5, 31))).ended
    assert ended is not None
    assert ended.validity == "expired"
    state = (await signed_policies(either.ledger))[key]
    assert state.topics == "employment"
    async with either.db.session() as session:
        await session.execute(update(Policy).values(topics="housing"))
    await either.service.compare()
    assert (await either.service.ask(QUESTION, date(2026, 5, 30))).status != "answered"


async def test_a_mistaken_repeal_is_mended_by_two_people(office, grant, voucher) -> None:
    old, new = await put_in(office, grant), await put_in(office, voucher)
    await change(office, END, repeal_payload(Repeal(old, SINCE, successor_id=new)))
    await edit(office, old, repealed_on="2026-10-01")
    assert (await office.service.ask(QUESTION, date(2026, 9, 30))).status == "answered"
    assert (await office.service.ask(QUESTION, TODAY)).status == "repealed"
    await edit(office, old, repealed_on=None)
    assert (await office.service.ask(QUESTION, TODAY)).status == "answered"
    state = (await signed_policies(office.ledger))[old]
    assert (state.repealed_on, state.successor_id) == (None, None)


FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "no day": (AMEND, {"clauses": [{"number": 2, "text": RAISED}]}, "从哪一天起施行"),
    "no such clause": (AMEND, {"on": "2026-06-01", "clauses": [{"number": 9, "text": "新"}]}, "9"),
    "a word for a number": (
        AMEND, {"on": "2026-06-01", "clauses": [{"number": "2", "text": "新"}]}, "没有编号"
    ),
    "a truth for a number": (
        AMEND, {"on": "2026-06-01", "clauses": [{"number": True, "text": "新"}]}, "没有编号"
    ),
    "no words": (AMEND, {"on": "2026-06-01", "clauses": [{"number": 2, "text": " "}]}, "第二条"),
    "nothing": (AMEND, {"on": "2026-06-01", "clauses": []}, "1 至"),
    "no list": (AMEND, {"on": "2026-06-01", "clauses": "第二条"}, "列表"),
    "twice": (
        AMEND,
        {"on": "2026-06-01", "clauses": [{"number": 2, "text": "一"}, {"number": 2, "text": "二"}]},
        "两次",
    ),
    "before it began": (
        AMEND, {"on": "2024-03-01", "clauses": [{"number": 2, "text": RAISED}]}, "2024-03-01"
    ),
    "unsayable": (
        AMEND, {"on": "2026-06-01", "clauses": [{"number": 2, "text": "\ud800"}]}, "字符"
    ),
    "unknown field": (EDIT, {"fields": {"text": LIE}}, "text"),
    "nothing else": (EDIT, {"fields": {"doc_number": "青政发〔2024〕7号"}}, "没有要更正"),
    "no fields": (EDIT, {"fields": LIE}, "fields"),
    "no title": (EDIT, {"fields": {"title": " "}}, "标题不能为空"),
    "no day at all": (EDIT, {"fields": {"effective_to": "明年"}}, "YYYY-MM-DD"),
    "ends before it begins": (EDIT, {"fields": {"effective_to": "2024-02-29"}}, "之前"),
    "a repeal": (EDIT, {"fields": {"repealed_on": "2026-06-01"}}, "废止"),
    "a topic of nobody": (EDIT, {"fields": {"topics": ["天文"]}}, "天文"),
    "an address": (EDIT, {"fields": {"url": "javascript:alert(1)"}}, "https://"),
    "a long number": (EDIT, {"fields": {"doc_number": "青" * 61}}, "60"),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "payload", "words"), FAULTS.values(), ids=FAULTS.keys())
async def test_what_cannot_be_changed_so_is_refused_in_words(
    office, grant, kind, payload, words
) -> None:
    key = await put_in(office, grant)
    with pytest.raises(Refused, match=words):
        await office.library.propose(kind, {"policy_id": key, **payload}, "editor", "按新发的文件")
    assert await office.library.changes(key, state="proposed") == []


async def test_new_words_meet_the_secrecy_gate_when_proposed_and_when_approved(
    office, grant
) -> None:
    key = await put_in(office, grant)
    payload = amendment_payload(Amendment(key, SINCE, [(2, RAISED)]))
    made = await office.library.propose(AMEND, payload, "editor", "按新发的文件")
    office.more.append("8000元")
    with pytest.raises(Refused, match="保密检查不通过"):
        await office.library.approve(made.change_id, "admin1")
    with pytest.raises(Refused, match="保密检查不通过"):
        await amend(office, key, date(2026, 7, 1), (2, RAISED))
    assert "5000元" in (await quoted(office.service, TODAY))[0]


async def test_two_changes_of_one_policy_do_not_overwrite_each_other(office, grant) -> None:
    key = await put_in(office, grant)
    propose = office.library.propose
    first = await propose(
        AMEND, amendment_payload(Amendment(key, SINCE, [(2, RAISED)])), "editor", "修改决定"
    )
    second = await propose(
        EDIT, {"policy_id": key, "fields": {"issuer": "县府"}}, "editor", "更正错字"
    )
    outcomes = await asyncio.gather(
        *(office.library.approve(one.change_id, "admin1") for one in (first, second)),
        return_exceptions=True,
    )
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert len(refused) == 1
    assert [one.rule for one in refused[0].reasons] == ["overtaken"]


async def test_a_title_and_number_that_another_policy_has_are_refused(
    office, grant, voucher
) -> None:
    await put_in(office, grant)
    key = await put_in(office, voucher)
    with pytest.raises(Refused, match="已有"):
        await edit(office, key, title=grant.title, doc_number=grant.doc_number)


async def test_who_proposes_shows_who_rests_on_it_but_never_a_limited_item(office, grant) -> None:
    key = await put_in(office, grant)
    hit = (await office.service.ask(QUESTION, TODAY)).quotes[0].hit
    for contact in ("a", "b", "a"):
        await office.service.told(contact, [hit.key])
    async with office.db.session() as session:
        for title, state, confined in (
            *(("补贴怎么领", "published", False), ("密件", "review", True)),
            ("草稿", "draft", False),
        ):
            moment = now()
            session.add(
                Item(
                    id=title, kind="text", klass="日常", state=state, title=title, author_id="e",
                    last_editor_id="e", confined=confined, created_at=moment, updated_at=moment,
                )
            )  # fmt: skip
            words = letters(f"按照{grant.title}办理")
            session.add(
                ItemWords(
                    item_id=title, words=words, accounts=" ", not_before=moment, not_after=moment,
                    sketch=b"",
                )
            )  # fmt: skip
    shown = await office.library.draft(END, repeal_payload(Repeal(key, SINCE)), "editor")
    assert shown["warnings"] == [
        "已有 2 位群众收到过这里的条文",
        "有 1 篇没有撤回的稿件提到这份文件",
    ]
    assert shown["mentions"] == ["补贴怎么领"]  # its id: who may read the title is asked later
    other = await office.library.draft(
        AMEND, amendment_payload(Amendment(key, SINCE, [(3, "第三条 到窗口办理。")])), "editor"
    )
    assert "已有 2 位群众收到过这里的条文" not in other["warnings"]


async def test_a_policy_is_found_by_its_number_title_or_id(office, grant) -> None:
    key = await put_in(office, grant)
    for words in (key, grant.doc_number, f"《{grant.title}》"):
        assert (await office.library.find(words)).id == key
    with pytest.raises(Refused, match="没有“别的”"):
        await office.library.find("别的")


@pytest.mark.parametrize("status", ["expired", "repealed"])
async def test_a_document_its_source_calls_ended_is_never_quoted(office, grant, status) -> None:
    draft = PolicyDraft(
        title=grant.title, text=grant.text, issued_on=grant.issued_on,
        effective_from=grant.effective_from, status=status,
    )  # fmt: skip
    key = await put_in(office, draft)
    for day in (date(2025, 1, 1), TODAY, date(2040, 1, 1)):
        found = await office.service.ask(QUESTION, day)
        assert (found.status, found.ended.validity) == ("repealed", status)
    await edit(office, key, stated="", effective_to="2026-12-31")
    assert (await office.service.ask(QUESTION, TODAY)).status == "answered"


async def test_a_document_comes_in_with_the_day_it_ended(office, grant) -> None:
    draft = PolicyDraft(
        title=grant.title, text=grant.text, effective_from=grant.effective_from,
        repealed_on=SINCE, status="repealed",
    )  # fmt: skip
    await put_in(office, draft)
    assert (await office.service.ask(QUESTION, date(2026, 5, 31))).status == "answered"
    assert (await office.service.ask(QUESTION, SINCE)).ended.ended_on == str(SINCE)
