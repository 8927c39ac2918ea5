"""A change after which a kept question is answered worse names it and waits for a person."""

from types import SimpleNamespace

import pytest
from sqlalchemy import func, select, text

from config.clock import beijing, now
from knowledge.documents import PolicyDraft
from knowledge.forms import AMEND, END
from knowledge.leaving_out import LEAVE_OUT, LeaveOutKind
from knowledge.library import Amendment, Repeal, amendment_payload, repeal_payload
from knowledge.models import Clause
from knowledge.regression import Regression
from knowledge.speech import Speech, starting_speech
from knowledge.trial import trial
from ledger.models import Incident, LedgerEntry
from staff.refusal import Refused

QUESTION = "高校毕业生创业补贴多少钱"


async def put_in(office: SimpleNamespace, draft: PolicyDraft) -> str:
    (change,) = await office.library.propose_import([draft], "editor")
    await office.library.approve(change.change_id, "admin1")
    return str(change.policy_id)


async def counted(office: SimpleNamespace) -> tuple[int, int]:
    async with office.db.session() as session:
        clauses = await session.scalar(select(func.count()).select_from(Clause))
        return clauses or 0, await session.scalar(select(func.max(LedgerEntry.seq))) or 0


async def test_a_bad_change_names_the_questions_and_waits(
    either: SimpleNamespace, grant: PolicyDraft, voucher: PolicyDraft
) -> None:
    office, regression = either, Regression(either.ledger, either.service)
    office.proposals.hold = regression.hold
    key = await put_in(office, grant)
    await put_in(office, voucher)
    kept = await regression.add(QUESTION, "editor")
    assert (kept.policy_id, kept.label) == (key, "第二条")
    with pytest.raises(Refused, match="答不出来"):
        await regression.add("火星移民怎么报名登记", "editor")
    with pytest.raises(Refused, match="只有能提出"):
        await regression.add("毕业五年内首次创业给多少创业补贴", "duty1")
    # What it is about goes away: the proposal says so, and the approval waits for a word.
    today = beijing(now()).date()
    payload = repeal_payload(Repeal(key, today, clause_number=3))
    (clause,) = [one for one in await _clauses(office, key) if one.label == "第二条"]
    payload = repeal_payload(Repeal(key, today, clause_number=clause.number))
    before = await counted(office)
    checked, effect = await office.proposals.draft(END, payload, "editor")
    assert any(f"“{QUESTION}”现在答 《{grant.title}》第二条" in one for one in effect["warnings"])
    assert await counted(office) == before  # it was rehearsed, and nothing of it stayed
    made = await office.library.propose(END, payload, "editor", "按新发的文件")
    with pytest.raises(Refused, match="写明理由再批准") as refused:
        await office.library.approve(made.change_id, "admin1")
    assert refused.value.status == 409
    assert QUESTION in refused.value.reasons[1].message
    assert await regression.hold("roster", office.proposals.kinds[END], checked) == []
    # Better words of the same clause hold nothing up, and neither does what is about another.
    wanted = Amendment(key, today, [(clause.number, clause.text.replace("5000", "8000"))])
    better = await office.library.propose(AMEND, amendment_payload(wanted), "editor", "提高标准")
    await office.library.approve(better.change_id, "admin1")
    assert [right for _, right in await regression.run()] == [True]
    # Words under which nothing is an answer would hold a setting up as well.
    ask = await trial(office.service, None, _deaf())
    assert (await ask(QUESTION, today)).status not in ("answered", "several")
    # With a word it is meant so.
    latest = max(await _clauses(office, key), key=lambda one: one.number)
    payload = repeal_payload(Repeal(key, today, clause_number=latest.number))
    made = await office.library.propose(END, payload, "editor", "按新发的文件")
    await office.library.approve(made.change_id, "admin1", "文件已经废止这一条")
    assert [right for _, right in await regression.run()] == [False]


async def test_a_question_that_was_changed_past_the_program_is_told(
    office: SimpleNamespace, grant: PolicyDraft
) -> None:
    regression = Regression(office.ledger, office.service)
    await put_in(office, grant)
    kept = await regression.add(QUESTION, "editor")
    async with office.db.session() as session:
        await session.execute(text("UPDATE regression_question SET label = '第三条'"))
    assert await regression.questions() == []
    async with office.db.session() as session:
        told = (await session.scalars(select(Incident.subject))).all()
    assert told == [f"regression_question:{kept.id}"]
    await left_out(office, kept.id)
    assert await regression.questions() == []


async def test_a_question_that_was_deleted_past_the_program_can_be_left_out(
    office: SimpleNamespace, grant: PolicyDraft
) -> None:
    regression = Regression(office.ledger, office.service)
    await put_in(office, grant)
    kept = await regression.add(QUESTION, "editor")
    async with office.db.session() as session:
        await session.execute(text("DELETE FROM regression_question"))
    assert await regression.questions() == []
    await left_out(office, kept.id)
    with pytest.raises(Refused, match="没有这个问题"):
        await left_out(office, kept.id)


async def test_two_people_leave_a_question_out_and_what_was_found_stands_while_nothing_changes(
    office: SimpleNamespace, grant: PolicyDraft, voucher: PolicyDraft, monkeypatch
) -> None:
    regression = Regression(office.ledger, office.service)
    await put_in(office, grant)
    kept = await regression.add(QUESTION, "editor")
    asked: list[object] = []

    def right(answer: object, one: object) -> bool:
        asked.append(one)
        return True

    monkeypatch.setattr("knowledge.regression._right", right)
    assert [right for _, right in await regression.look(0.0)] == [None]
    assert [right for _, right in [*await regression.run(), *await regression.look(0.0)]] == [
        True, True,
    ]  # fmt: skip
    assert len(asked) == 1
    await put_in(office, voucher)
    await regression.run()
    assert len(asked) == 2
    office.proposals.kinds[LEAVE_OUT] = LeaveOutKind(office.ledger)
    about = {"question_id": kept.id}
    made = await office.proposals.propose(LEAVE_OUT, about, "editor", "问法过时了")
    assert QUESTION in made.effect["changes"][0]["text"]
    with pytest.raises(Refused, match="正在等待批准"):
        await office.proposals.propose(LEAVE_OUT, about, "admin2", "也想去掉它")
    with pytest.raises(Refused, match="提出人不能批准"):
        await office.proposals.approve(made.id, "editor")
    assert [one.id for one in await regression.questions()] == [kept.id]
    await office.proposals.approve(made.id, "admin1")
    assert await regression.questions() == []


async def left_out(office: SimpleNamespace, key: str) -> None:
    """By two people."""
    office.proposals.kinds[LEAVE_OUT] = LeaveOutKind(office.ledger)
    made = await office.proposals.propose(LEAVE_OUT, {"question_id": key}, "editor", "问法过时了")
    await office.proposals.approve(made.id, "admin1")


async def _clauses(office: SimpleNamespace, key: str) -> list[Clause]:
    async with office.db.session() as session:
        return [*await session.scalars(select(Clause).where(Clause.policy_id == key))]


def _deaf() -> Speech:
    """Words of an office that calls the question small talk."""
    words = starting_speech()
    small = type(words.answering)(**{**vars(words.answering), "small_talk": ("创业补贴",)})
    return Speech(small, words.synonyms)
