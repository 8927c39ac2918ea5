"""What the bot is not sure of, and what it says while a person holds a question."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from bot.channels import CHANNELS
from bot.consents import heard
from bot.contract import InboundKind, ReplyBasis
from bot.models import Account, Contact
from bot.noticing import Consent, Did
from config.clock import beijing, now
from escalations.calendar import in_words
from escalations.kinds import APPLICATION
from escalations.models import Ticket, TicketMessage
from handlers.beside import continues
from handlers.commands import NOT_SAID
from handlers.dispatch import build_dispatcher
from handlers.offers import choices, near, one_title
from handlers.questions import MAX_QUESTIONS
from handlers.templates import PIECES
from knowledge.answering import Answer, Quote

UNSURE = "就业大厅门口的井盖坏了谁来修"
SURE = "高校毕业生创业补贴有多少"


async def count(office, table) -> int:
    async with office.db.session() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()


async def test_a_doubt_offers_the_clause_and_the_chosen_one_is_quoted(citizen, clause) -> None:
    assert "没有把握" in await citizen.say(UNSURE)
    assert citizen.last.basis is ReplyBasis.TEMPLATE
    assert clause.text not in str(citizen.last)
    said = await citizen.tap("《青禾县促进就业若干措施》第三条")
    assert clause.text in said
    assert clause.url in said
    assert (citizen.last.basis, citizen.last.sources) == (ReplyBasis.QUOTE, ("c1",))
    assert citizen.office.told == [(citizen.contact.id, ["c1"])]
    assert await count(citizen.office, Ticket) == 0


async def test_a_clause_amended_before_it_was_chosen_is_quoted_in_its_new_words(
    citizen, clause
) -> None:
    await citizen.say(UNSURE)
    words = "第三条 自本月起，补贴提高到六千元，由县人力资源和社会保障局发放。"
    citizen.office.clause = replace(clause, text=words)
    assert words in await citizen.tap("《青禾县促进就业若干措施》第三条")


async def test_a_clause_that_ended_before_it_was_chosen_is_not_quoted(citizen, clause) -> None:
    await citizen.say(UNSURE)
    office = citizen.office
    office.clause = replace(clause, validity="repealed", ended_on="2026-05-01")
    said = await citizen.tap("《青禾县促进就业若干措施》第三条")
    assert "已失效" in said
    assert clause.text not in said


@pytest.mark.parametrize("key", ["quote:c2", "quote:", "quote", "add"])
async def test_a_button_that_was_not_offered_is_only_stale(office, key) -> None:
    citizen = await office.citizen()
    await citizen.say(UNSURE)
    assert "已失效" in (await citizen.act(InboundKind.BUTTON, key=key)).text
    assert await count(office, TicketMessage) == 0


async def test_the_person_gets_the_question_and_the_clauses_it_was_offered(citizen) -> None:
    await citizen.say(SURE)
    await citizen.say("转人工")
    async with citizen.office.db.session() as session:
        ticket = (await session.scalars(select(Ticket))).one()
    assert (ticket.question, ticket.reason) == (SURE, "asked_for_person")
    assert [one["clause_id"] for one in ticket.candidates] == ["c1"]


async def test_pressing_for_a_person_twice_adds_nothing_twice(citizen) -> None:
    await citizen.say("转人工")
    await citizen.say(UNSURE)
    for _ in range(3):
        await citizen.say("转人工")
    assert await count(citizen.office, TicketMessage) == 1
    assert await count(citizen.office, Ticket) == 1


async def test_an_answer_beside_a_ticket_names_it_below_the_quote(citizen, clause) -> None:
    await citizen.say(UNSURE)
    await citizen.tap("转人工")
    said = await citizen.say(SURE)
    assert said.index(clause.url) < said.index("您的咨询单")
    assert "已收到" in await citizen.tap("补充到咨询单")
    assert await count(citizen.office, TicketMessage) == 1


async def test_a_long_clause_leaves_room_for_the_choices(office, clause) -> None:
    citizen = await office.citizen("wechat")
    office.clause = replace(clause, text="高校毕业生创业补贴按规定发放。" * 200)
    await citizen.say(UNSURE)
    await citizen.tap("转人工")
    said = await citizen.say(SURE)
    assert len(said.encode()) <= 2048
    assert said.endswith("1. 补充到咨询单\n回复数字选择。")
    assert clause.url in said


@pytest.mark.parametrize("name", ["may_fit", "ticket_open"])
async def test_without_a_new_template_an_older_one_is_said(citizen, clause, name) -> None:
    del citizen.office.templates.texts[name]
    assert "具体" in await citizen.say(UNSURE) or name != "may_fit"
    assert clause.text in await citizen.tap("《青禾县促进就业若干措施》第三条")
    await citizen.tap("转人工")
    said = await citizen.say(SURE)
    assert clause.text in said
    assert ("您的咨询单" in said) == (name != "ticket_open")


async def test_without_a_part_of_quotations_a_chosen_clause_goes_to_a_person(citizen) -> None:
    await citizen.say(UNSURE)
    del citizen.office.templates.texts[min(PIECES)]
    assert "已转值班人员" in await citizen.tap("《青禾县促进就业若干措施》第三条")


async def test_a_ticket_of_another_keeps_nobody_from_an_answer(office, clause) -> None:
    one, other = await office.citizen(), await office.citizen()
    await one.say("转人工")
    async with office.db.session() as session:
        row = (await session.scalars(select(Ticket))).one()
        row.contact_id, row.question = other.contact.id, UNSURE
    said = await other.say(SURE)
    assert clause.text in said
    assert "您的咨询单" not in said


def held(question: str) -> Ticket:
    return Ticket(question=question)


@pytest.mark.parametrize(
    ("question", "added", "words", "same"),
    [
        ("失业保险金没有到账", [], "失业保险金还是没有", True),
        ("失业保险金没有到账", [], "高校毕业生创业补贴有多少", False),
        ("失业保险金没有到账", ["创业补贴也没有发"], "创业补贴怎么还不发", True),
        ("补贴没有到账", [], "创业补贴怎么申请", False),
        (NOT_SAID, [], "高校毕业生创业补贴有多少", True),
        (NOT_SAID, ["失业保险金没有到账"], "高校毕业生创业补贴有多少", False),
    ],
)
def test_what_shares_its_words_belongs_to_the_ticket(question, added, words, same) -> None:
    assert continues(held(question), added, words) is same


def test_no_two_choices_say_the_same(clause) -> None:
    texts = ("第一款，可以申请。", "第二款，不可以申请。")
    hits = [replace(clause, key=f"c{at}", text=text) for at, text in enumerate(texts)]
    quotes = tuple(Quote(hit, hit.text, 0, len(hit.text)) for hit in hits)
    found = choices(near(Answer("unsure", 0.3, quotes, now().date())))
    assert len({one.label for one in found}) == 2
    assert [one.key for one in found] == ["quote:c0", "quote:c1"]


def test_of_one_document_a_choice_says_how_each_clause_begins(clause) -> None:
    texts = ("第二条 补贴标准为每人每月八百元，最长不超过二十四个月。", "第三条 凭身份证办理。")
    hits = [
        replace(clause, key=f"c{at}", text=text, label=text[:3]) for at, text in enumerate(texts)
    ]
    quotes = tuple(Quote(hit, hit.text, 0, len(hit.text)) for hit in hits)
    found = near(Answer("unsure", 0.3, quotes, now().date()))
    assert one_title(found) == clause.title
    assert [one.label for one in choices(found)] == [
        "第二条 补贴标准为每人每月八百元，最长不超过二十…",
        "第三条 凭身份证办理。",
    ]
    assert one_title(found[:1]) == ""  # one by itself is named whole


async def test_an_hour_later_than_the_platform_allows_names_the_other_way(
    office, monkeypatch
) -> None:
    office.tickets.channels["wechat"] = CHANNELS["wechat"]
    days = [beijing(now()).date() + timedelta(days=at) for at in range(9)]

    def work(*, working: bool) -> None:
        told = dict.fromkeys(days, working)
        monkeypatch.setattr("escalations.calendar.published_days", lambda year: told)

    work(working=True)  # on a Friday evening the next hours are over two days away
    citizen = await office.citizen("wechat")
    assert "平台只在" not in await citizen.say("转人工")
    work(working=False)
    other = await office.citizen("wechat")
    for said in (await other.say("转人工"), await other.say(UNSURE), await other.say(SURE)):
        due, until = re.findall(r"\d+月\d+日（周.）\d\d:\d\d", said)
        assert due != until
        assert f"平台只在 {until} 前允许我们直接回复您" in said
        assert until == in_words(other.contact.last_inbound_at + timedelta(hours=48))
    del office.templates.texts["person_late"]
    assert "平台只在" not in await other.say("转人工")


async def test_who_may_agree_to_be_told_of_an_answer_is_offered_it_until_they_have(
    office,
) -> None:
    office.tickets.channels["wechat"] = CHANNELS["wechat"]
    page = "https://qinghe.example.gov.cn/agree"
    notice = {"template": "TA", "long_term": False, "fields": {"thing1": "title"}, "answers": page}
    first, other = await office.citizen("wechat"), await office.citizen("wechat")
    assert page not in await first.say("转人工")
    async with office.db.session() as session:
        row = await session.get(Account, "wx")
        row.settings = {"kind": "service", "notices": [notice]}
    assert f"请点 {page} 同意接收一次" in await other.say("转人工")
    async with office.db.session() as session:
        agreed = Consent("TA", Did.ACCEPTED, "asked:1")
        await heard(session, await session.get(Contact, other.contact.id), [agreed], now())
    assert page not in await other.say("转人工")


async def test_only_what_asks_is_counted_as_a_question(citizen, clause) -> None:
    said = await citizen.say(f"你好\n{SURE}")
    assert clause.text in said
    assert "个问题" not in said
    said = await citizen.say(f"{SURE}？\n我是外地户口\n谢谢！")
    assert clause.text in said
    assert "个问题" not in said


async def test_no_question_of_a_long_message_is_left_without_a_word(citizen, clause) -> None:
    said = await citizen.say(f"{SURE}？低保怎么领？公交几点停？路灯怎么报修？井盖坏了谁来修？")
    assert clause.text in said
    for number in (2, 3, 4, 5):
        assert f"第 {number} 个问题没有" in said
    assert len(citizen.office.asked) == MAX_QUESTIONS


async def test_several_questions_beside_a_ticket_are_answered_and_name_it(citizen, clause) -> None:
    await citizen.say("我家的井盖丢了")
    await citizen.say("转人工")
    said = await citizen.say(f"{SURE}？那创业补贴是怎么补的？")
    assert said.count(clause.text) == 2
    assert "仍在办理" in said
    assert "第 2 个问题没有" in await citizen.say(f"{SURE}？公交几点停？")
    assert "补充到咨询单" in str(citizen.last)


async def test_what_is_asked_on_goes_to_the_policy_that_was_quoted(citizen, clause) -> None:
    office, asked = citizen.office, []
    hit = replace(clause, key="c2", text="第四条 凭毕业证到窗口申请。", label="第四条")
    office.read[hit.key] = hit

    async def ask_on(on, question, today):
        asked.append((on.last, on.words, question))
        sure = on.words != "我是农村户口的呢"
        quotes = (Quote(hit, hit.text, 0, len(hit.text)),)
        return Answer("answered" if sure else "unsure", float(sure), quotes, today)

    office.dispatcher = build_dispatcher(
        replace(office.wiring, ask_on=ask_on), office.cache, office.ask, office.note_told
    )
    await citizen.say(SURE)
    assert hit.text in await citizen.say("那需要什么材料？")
    assert "没有把握" in await citizen.say("我是农村户口的呢")
    assert hit.text in await citizen.tap("《青禾县促进就业若干措施》第四条")
    leant = [("c1", "那需要什么材料？"), ("c2", "我是农村户口的呢"), ("c2", "")]
    assert [one[:2] for one in asked] == leant
    assert asked[0][2].endswith("需要什么材料？")


async def test_an_application_is_led_to_its_door_and_recorded_when_handed_in(office) -> None:
    li = await office.citizen()
    for words in ("依申请公开怎么办理", "我申请公开2025年城关镇征地补偿方案"):
        said = await li.say(words)
        assert "国办函〔2020〕109号" in said
        assert "二十个工作日" in said
    assert not office.asked  # no clause answers it
    async with office.db.session() as session:
        assert (await session.scalars(select(Ticket.id))).all() == []
    assert "已转值班人员" in await li.tap("请人登记")
    async with office.db.session() as session:
        (ticket,) = (await session.scalars(select(Ticket))).all()
    assert ticket.reason == APPLICATION
    assert ticket.question == "我申请公开2025年城关镇征地补偿方案"


async def test_a_number_beyond_what_was_offered_offers_it_once_more(office) -> None:
    citizen = await office.citizen()
    await citizen.say("订阅")
    for number in ("88", "选 99", "第九十个"):
        assert "已失效" in await citizen.say(number)
    assert "已订阅" in await citizen.say("1")
    assert office.queued == []
