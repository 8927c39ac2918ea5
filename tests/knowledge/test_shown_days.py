"""What is quoted stands in the library to the letter, as it stood on the day asked about."""

from datetime import date, timedelta
from types import SimpleNamespace

from sqlalchemy import select

from config.clock import beijing, now
from knowledge.documents import PolicyDraft
from knowledge.forms import AMEND
from knowledge.library import Amendment, Repeal, amendment_payload
from knowledge.models import Clause, Policy
from knowledge.service import KnowledgeService
from ledger.append import Ledger, load_signing_key

THINGS = ["柳编", "陶艺", "剪纸", "木雕", "蜡染", "竹编", "刺绣", "皮影", "泥塑", "年画"]
ASKED = (
    "{0}工坊开办补助有多少",
    "请问{0}工坊的开办补助多少钱",
    "{0}工坊补助标准是多少",
    "{0}工坊补助向谁申请",
    "{0}工坊开办补助怎么申请",
    "{0}工坊补助多久办结",
    "开{0}工坊能领补助吗",
    "{0}工坊补助的条件",
    "我想开{0}工坊，补助多少",
    "{0}工坊开办补助在哪里申请",
)


def draft(thing: str, at: int, **days: date | None) -> PolicyDraft:
    body = (
        f"第一条 在本县开办{thing}工坊，连续经营满一年的，给予开办补助{(at + 3) * 1000}元。\n"
        f"第二条 {thing}工坊开办补助向县文化和旅游局申请，{at + 10}个工作日内办结。\n"
    )
    return PolicyDraft(
        title=f"青禾县{thing}工坊扶持办法",
        text=f"青禾县{thing}工坊扶持办法\n\n{body}",
        doc_number=f"青政发〔2025〕{at + 40}号",
        issuer="青禾县人民政府",
        issued_on=days.get("issued_on") or date(2025, 1, 5),
        effective_from=days.get("effective_from"),
        effective_to=days.get("effective_to"),
    )


async def put_in(office: SimpleNamespace, *drafts: PolicyDraft) -> list[str]:
    made = await office.library.propose_import(list(drafts), "editor")
    for one in made:
        await office.library.approve(one.change_id, "admin1")
    return [one.policy_id for one in made]


async def test_of_a_hundred_questions_every_quote_is_of_the_stored_clause(
    office: SimpleNamespace,
) -> None:
    keys = await put_in(office, *(draft(one, at) for at, one in enumerate(THINGS)))
    async with office.db.session() as session:
        stored = {row.id: row for row in await session.scalars(select(Clause))}
        texts = {row.id: row.text for row in await session.scalars(select(Policy))}
    today, quoted = beijing(now()).date(), 0
    questions = [one.format(thing) for thing in THINGS for one in ASKED]
    assert len(set(questions)) == 100
    for question in questions:
        for quote in (await office.service.ask(question, today)).quotes:
            clause = stored[quote.hit.key]
            assert quote.text in clause.text
            assert texts[clause.policy_id][quote.start : quote.end] == quote.text
            quoted += 1
    assert quoted >= 100
    # One ends: the same questions never show it again, here or in another process.
    other = another(office)
    await other.ask(questions[0], today)
    change = await office.library.propose_repeal(Repeal(keys[0], today), "editor")
    await office.library.approve(change.change_id, "admin1")
    for service in (office.service, other):
        for question in questions[: len(ASKED)]:
            answer = await service.ask(question, today)
            assert all(quote.hit.policy_id != keys[0] for quote in answer.quotes)


async def test_not_yet_ended_and_amended_each_asked_for_three_years(
    office: SimpleNamespace,
) -> None:
    today = beijing(now()).date()
    last, following = today - timedelta(days=365), today + timedelta(days=365)
    early, since = today - timedelta(days=800), today - timedelta(days=60)
    coming, _, other = await put_in(
        office,
        draft("柳编", 0, issued_on=since, effective_from=today + timedelta(days=90)),
        draft("陶艺", 1, issued_on=early, effective_to=since),
        draft("剪纸", 2, issued_on=early, effective_to=following + timedelta(days=365)),
    )
    async with office.db.session() as session:
        query = select(Clause).where(Clause.policy_id == other).order_by(Clause.number)
        clause = next(one for one in await session.scalars(query) if "补助5000元" in one.text)
    words = clause.text.replace("5000", "9000")
    wanted = amendment_payload(Amendment(other, since, [(clause.number, words)]))
    made = await office.library.propose(AMEND, wanted, "editor", "按新发的文件")
    await office.library.approve(made.change_id, "admin1")

    async def says(thing: str, day: date) -> str:
        answer = await office.service.ask(f"{thing}工坊开办补助有多少", day)
        return "".join(quote.text for quote in answer.quotes if f"{thing}工坊" in quote.text)

    assert ["补助3000元" in await says("柳编", day) for day in (last, today, following)] == [
        *(False, False, True)
    ]
    assert ["补助4000元" in await says("陶艺", day) for day in (last, today, following)] == [
        *(True, False, False)
    ]
    assert [
        ("补助5000元" in said, "补助9000元" in said)
        for said in [await says("剪纸", day) for day in (last, today, following)]
    ] == [(True, False), (False, True), (False, True)]
    # A question that names the past day gets what held then, whatever day it is asked on.
    then = f"{last.year}年{last.month}月当时剪纸工坊开办补助有多少"
    answer = await office.service.ask(then, today)
    assert answer.asked_past
    assert any("补助5000元" in quote.text for quote in answer.quotes)
    assert all(quote.hit.policy_id != coming for quote in answer.quotes)


def another(office: SimpleNamespace) -> KnowledgeService:
    """The library as another process has it: it shares nothing but the database and the key."""
    key = load_signing_key(office.tmp / "keys" / "l.key")
    return KnowledgeService(Ledger(office.db, key, office.tmp / "anchors.jsonl"))
