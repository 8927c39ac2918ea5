"""A policy asked about for a past day: which words held then, and what became of them since."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.contract import ReplyBasis
from bot.replies import Filled, Parts, Quoted
from facets.taxonomy import starting_taxonomy
from handlers.answers import Answers
from handlers.templates import Templates, load_templates
from knowledge.documents import PolicyDraft
from knowledge.forms import AMEND, END
from knowledge.library import Amendment, Repeal, amendment_payload, repeal_payload
from storage.database import Database
from tests.knowledge.conftest import GRANT, opened
from tests.made import SEALS

CONFIG = Path(__file__).parents[2] / "config"
QUESTION = "高校毕业生创业补贴多少钱"
LAST = date(2024, 5, 30)
RAISED = "第二条 毕业五年内的高校毕业生首次登记个体工商户的，给予一次性创业补贴8000元。"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[SimpleNamespace]:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'k.db'}", SEALS)
    await db.create_all()
    yield await opened(db, tmp_path)
    await db.close()


async def put_in(office: SimpleNamespace, until: date | None, since: date) -> str:
    draft = PolicyDraft("青禾县创业补贴办法", GRANT, effective_from=since, effective_to=until)
    (made,) = await office.library.propose_import([draft], "editor")
    await office.library.approve(made.change_id, "admin1")
    return str(made.policy_id)


async def said(office: SimpleNamespace, day: date) -> str:
    """What a citizen reads who asks how it was on that day, built from the library of now."""
    (quote, *_) = (await office.service.ask(QUESTION, day)).quotes
    quoted = Quoted(quote.hit.key, quote.start, quote.end, day.isoformat())
    head = Filled("quote_at_date", {"date": day.isoformat()})
    parts = Parts("tg", "c", ReplyBasis.QUOTE, (head, quoted))

    async def templates() -> Templates:
        return load_templates(CONFIG / "replies.yaml")

    async def staff(*_: object) -> str:
        raise AssertionError

    answers = Answers(starting_taxonomy(), templates, office.service.hit, staff)
    return (await answers.build(parts, "telegram")).text


async def test_one_that_has_expired_was_in_force_then_until_its_last_day(office) -> None:
    await put_in(office, LAST, date(2022, 3, 1))
    for day in (date(2023, 6, 15), LAST):
        assert "有效性：当时有效，2024-05-31 起失效" in await said(office, day)
    found = await office.service.ask(QUESTION, date(2024, 5, 31))
    assert (found.ended.validity, found.ended.ended_on) == ("expired", "2024-05-31")


async def test_one_that_was_repealed_was_in_force_until_the_day_before(office) -> None:
    key = await put_in(office, None, date(2022, 3, 1))
    assert "有效性：现行有效" in await said(office, date(2023, 6, 15))
    repeal = repeal_payload(Repeal(key, date(2024, 5, 31)))
    made = await office.library.propose(END, repeal, "editor", "新办法代替")
    await office.library.approve(made.change_id, "admin1")
    assert "有效性：当时有效，2024-05-31 起失效" in await said(office, LAST)


async def test_a_repeal_that_is_still_to_come_ends_nothing_yet(office) -> None:
    key = await put_in(office, date(2090, 1, 1), date(2022, 3, 1))
    repeal = repeal_payload(Repeal(key, date(2089, 1, 1)))
    made = await office.library.propose(END, repeal, "editor", "新办法代替")
    await office.library.approve(made.change_id, "admin1")
    assert "有效性：现行有效" in await said(office, date(2023, 6, 15))


async def test_earlier_words_of_a_clause_held_until_it_was_amended(office) -> None:
    key = await put_in(office, date(2090, 1, 1), date(2022, 3, 1))
    amendment = amendment_payload(Amendment(key, date(2024, 5, 31), [(2, RAISED)]))
    made = await office.library.propose(AMEND, amendment, "editor", "修改决定")
    await office.library.approve(made.change_id, "admin1")
    before = await said(office, LAST)
    assert "有效性：当时有效，2024-05-31 起修改" in before
    assert "5000元" in before
    after = await said(office, date(2024, 5, 31))
    assert "有效性：已修改" in after
    assert "8000元" in after
