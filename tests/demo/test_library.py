"""What the demo begins with: its phones propose what is answered, and a clean draft waits."""

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from app import open_shenfa
from config.settings import Settings
from config.setup import Setup
from demo.acts import leave_one_waiting, policies
from demo.cast import EXAMPLES, POLICIES, REPEALED, WAITING, setup
from gates.spelling import Speller
from knowledge.clauses import cut
from office.setup import initialise
from review_queue import recalling, rounds
from review_queue.findings import findings_now
from staff.models import Staff

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 28)
IN_REPLIES = {
    "高校毕业生有什么就业补贴": ("青人社发〔2026〕5号", "每人每月800元"),
    "青禾县创业担保贷款怎么申请": ("青人社发〔2026〕12号", "填写申请表"),
}
"""What the bot's own texts propose to ask (config/replies.yaml), and what answers it."""


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Any]:
    """The demo's office with its library, before anybody plays: what the acts need of a stage."""
    settings = Settings(home=tmp_path, dev=True, dev_allow="127.0.0.1:9")
    await initialise(settings, Setup.model_validate(setup("http://127.0.0.1:9")))
    async with open_shenfa(settings) as shenfa:
        async with shenfa.db.session() as session:
            staff = (await session.execute(select(Staff.login, Staff.id))).all()
        stage: Any = SimpleNamespace(shenfa=shenfa, people={row.login: row.id for row in staff})
        await policies(stage)
        yield stage


def test_the_library_covers_what_a_county_is_asked() -> None:
    clauses = [clause.text for policy in POLICIES for clause in cut(policy.text)]
    assert len(clauses) >= 30
    for word in (
        "高校毕业生", "退役军人", "就业困难人员", "失业保险金", "灵活就业", "网约配送员",
        "培训补贴", "以旧换新", "新能源汽车", "夜市", "先审后发", "稿源单位",
    ):  # fmt: skip
        assert any(word in text for text in clauses), word
    assert len({policy.doc_number for policy in POLICIES}) == len(POLICIES)


async def test_every_proposed_question_is_answered_and_nothing_else_is_made_up(
    office: Any,
) -> None:
    wanted = {one.question: (one.number, one.words) for one in EXAMPLES} | IN_REPLIES
    for question, (number, words) in wanted.items():
        answer = await office.shenfa.knowledge.ask(question, TODAY)
        assert answer.status == "answered", question
        assert answer.quotes[0].hit.doc_number == number, question
        assert words in answer.quotes[0].text, question

    lamp = await office.shenfa.knowledge.ask("我家门口的路灯坏了一个月，找哪个部门", TODAY)
    assert lamp.status in ("out_of_scope", "unsure")
    ended = await office.shenfa.knowledge.ask("大中专毕业生补助细则每月补助多少", TODAY)
    assert ended.status == "repealed"
    assert ended.ended.doc_number == REPEALED
    assert all(quote.hit.doc_number != REPEALED for quote in ended.quotes)


def test_the_examples_in_the_bots_own_texts_are_the_ones_tried() -> None:
    texts = yaml.safe_load((ROOT / "config" / "replies.yaml").read_text(encoding="utf-8"))
    proposed = re.findall("例如“([^”]+)”", str(texts["templates"]))
    assert set(proposed) == set(IN_REPLIES)


async def test_one_clean_draft_waits_for_the_first_reviewer_and_only_one(
    office: Any,
) -> None:
    shenfa, reviewer = office.shenfa, office.people["reviewer1"]
    shenfa.checks.speller = Speller.load()
    for one in WAITING:
        await leave_one_waiting(office)
        await leave_one_waiting(office)  # as when the demo is started again
        (item,) = await rounds.waiting_for(shenfa.db, reviewer)
        assert (item.title, item.state, item.level) == (one.title, "review", 0)
        _, found = await findings_now(shenfa.queue, item.id)
        assert found == []
        await recalling.recall(shenfa.queue, item.id, office.people["editor"], "已处理")
    await leave_one_waiting(office)
    assert await rounds.waiting_for(shenfa.db, reviewer) == []
