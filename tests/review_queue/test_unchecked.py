"""What was not checked to its end goes nowhere, and the office goes on meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import select

from bot.contract import Content
from config.clock import now
from gates.engine import NoFacts, RuleSet
from gates.pool import Pool
from gates.results import Results
from gates.work import Work
from review_queue import drafting, submitting, uploads
from review_queue.canonical import Draft
from review_queue.drafting import Origin, create_item_in
from review_queue.findings import Checks, findings_now
from review_queue.governance.rule_changes import RuleSetKind
from review_queue.governance.rulesets import ActiveSet
from review_queue.models import GateRun
from staff.refusal import Refused
from tests.gates.office_files import packed_docx
from tests.gates.pool_work import never_ends

_ROW = {"gate": "wording", "severity": "hint", "reason": "测试", "basis": "测试"}
ENDLESS = RuleSet.load([{"id": "office.endless", "pattern": "(a+)+X", "must": ["aX"], **_ROW}])
PLAIN = RuleSet.load([{"id": "office.market", "terms": ["市集"], "must": ["市集"], **_ROW}])


class _Sets:
    """A rule set in force, without its ledger."""

    def __init__(self, rules: RuleSet, runner: Pool | None = None) -> None:
        self.runner, self.trying = runner, asyncio.Semaphore(1)
        self._set = ActiveSet(1, rules.digest, 1, (), rules)

    async def active(self) -> ActiveSet:
        return self._set

    async def proved(self) -> ActiveSet:
        return self._set


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    """For what ends, however busy the machine is."""
    pool = Pool(seconds=60.0)
    yield pool
    await pool.close()


@pytest.fixture
async def hasty() -> AsyncIterator[Pool]:
    """For what never does."""
    pool = Pool(seconds=3.0)
    yield pool
    await pool.close()


class _Counted(Pool):
    """How often something was checked at all."""

    asked = 0

    async def run(self, work: Work) -> Any:
        self.asked += 1
        return await super().run(work)


class _Stuck(Pool):
    """A reader that a file has caught: whatever it is given never ends."""

    async def run(self, work: Work) -> Any:
        return await super().run(Work(never_ends, ("a" * 60,)))


def _checks(rules: RuleSet, pool: Pool) -> Checks:
    async def facts() -> NoFacts:
        return FACTS

    return Checks(cast(Any, _Sets(rules)), facts, (), Results(pool))


FACTS = NoFacts()


def _draft(body: str) -> Draft:
    return Draft("原创", "日常", "题", body, (), now(), now())


async def test_a_text_written_against_a_rule_blocks_and_stops_nobody(hasty: Pool) -> None:
    checks, beats = _checks(ENDLESS, hasty), 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.001)
            await asyncio.to_thread(time.sleep, 0)  # as a sign-in uses a shared thread
            beats += 1

    beating = asyncio.create_task(beat())
    _, found = await checks.check(_draft("a" * 60))
    beating.cancel()
    assert beats > 20
    assert [(one.rule, one.severity, one.waivable) for one in found] == [
        ("secrecy.check-timeout", "block", False)
    ]
    assert "检查超时" in found[0].reason
    assert [one.rule for one in await checks.at_send(_draft("a" * 60))] == ["secrecy.check-timeout"]


async def test_a_draft_whose_check_took_too_long_cannot_be_submitted(
    office: Any, hasty: Pool
) -> None:
    queue = replace(office.queue, check=_checks(ENDLESS, hasty).check)
    content = Content(kind="原创", title="办理时间", body="a" * 60)
    item = await drafting.create_item(queue, content, Origin(editor_id=office.people["editor"]))
    with pytest.raises(Refused, match="检查超时"):
        await submitting.submit(queue, item.id, office.people["editor"], item.version)


async def test_the_sender_uses_what_was_found_for_the_reviewers() -> None:
    pool = _Counted(seconds=60.0)
    try:
        checks = _checks(PLAIN, pool)
        await asyncio.gather(*(checks.check(_draft("周末市集")) for _ in range(10)))
        await checks.at_send(_draft("周末市集"))
        assert pool.asked == 1
        await checks.check(_draft("周末市集开放"))
        assert pool.asked == 2
    finally:
        await pool.close()


@pytest.mark.parametrize(
    ("title", "body", "field", "words"),
    [
        ("补" * 301, "正文", "title", "标题最多 300 字，现在是 301 字"),
        ("标题", "补" * 50_001, "body", "正文最多 50000 字，现在是 50001 字，请删减，或拆成几篇"),
    ],
)
async def test_a_text_too_long_is_refused_by_its_field_when_it_is_written(
    office: Any, title: str, body: str, field: str, words: str
) -> None:
    content = Content(kind="原创", title=title, body=body)
    with pytest.raises(Refused) as refused:
        await drafting.create_item(office.queue, content, Origin(editor_id=office.people["editor"]))
    assert [(one.rule, words in one.message) for one in refused.value.reasons] == [(field, True)]
    item, editor = await office.item(), office.people["editor"]
    changes = {"title": title, "body": body}
    with pytest.raises(Refused, match=words[:12]):
        await drafting.edit(office.queue, item.id, editor, item.version, changes)


async def test_a_fetched_text_too_long_is_kept_can_be_cut_and_not_submitted(
    office: Any, pool: Pool
) -> None:
    queue, editor = replace(office.queue, check=_checks(PLAIN, pool).check), office.people["editor"]
    content = Content(kind="解读", title="办理时间", body="补" * 60_000)
    async with queue.ledger.transaction() as tx:
        item = await create_item_in(queue, tx, content, Origin(editor_id="robot"))
    with pytest.raises(Refused, match="后面 10000 字没有检查"):
        await submitting.submit(queue, item.id, editor, item.version)
    cut = await drafting.edit(queue, item.id, editor, item.version, {"body": "补" * 55_000})
    cut = await drafting.edit(queue, item.id, editor, cut.version, {"klass": "重要"})
    with pytest.raises(Refused, match="正文最多"):
        await drafting.edit(queue, item.id, editor, cut.version, {"body": "补" * 55_001})
    cut = await drafting.edit(queue, item.id, editor, cut.version, {"body": "补" * 50_000})
    sent = await submitting.submit(queue, item.id, editor, cut.version)
    assert sent.state == "review"


async def test_a_file_written_against_its_reader_is_refused_when_it_comes_in(office: Any) -> None:
    pool = _Stuck(seconds=0.5)
    try:
        queue = replace(office.queue, runner=pool)
        item, editor = await office.item(), office.people["editor"]
        upload = uploads.Upload("通知.docx", packed_docx())
        with pytest.raises(Refused, match=r"通知\.docx：检查超时"):
            await uploads.attach(queue, item.id, editor, item.version, upload)
    finally:
        await pool.close()


async def test_a_rule_that_counts_for_ever_is_refused_when_it_is_proposed(hasty: Pool) -> None:
    kind = RuleSetKind(cast(Any, _Sets(PLAIN, hasty)))
    row = {"id": "office.bad", "pattern": "(a+)+X", "must": ["aX", "a" * 60], **_ROW}
    with pytest.raises(Refused, match="试用时算得太久，请把 pattern 改写得简单些"):
        await kind.check({"changes": [{"now": row}]})
    right = row | {"must": ["aX"]}
    checked = await kind.check({"changes": [{"now": right}]})
    assert [one["id"] for one in checked["changes"]] == ["office.bad"]


async def test_what_the_gates_said_is_kept_where_somebody_acts_and_only_there(office: Any) -> None:
    async def runs() -> int:
        async with office.queue.db.session() as session:
            return len((await session.scalars(select(GateRun))).all())

    item = await office.item()
    await findings_now(office.queue, item.id)
    assert await runs() == 0
    item = await submitting.submit(office.queue, item.id, office.people["editor"], item.version)
    assert await runs() == 1
    await findings_now(office.queue, item.id)
    await office.decide(item, "reviewer1")
    assert await runs() == 2


async def test_summary_and_author_pass_the_gates_like_the_text() -> None:
    pool = Pool(seconds=60.0)
    try:
        checks = _checks(RuleSet.load(), pool)
        told = replace(
            _draft("周六开放。"), summary="咨询张三 13812345678", author="王五 13912345678"
        )
        _, found = await checks.check(told)
        assert ("summary", "block", "13812345678") in {
            (one.field, one.severity, one.text) for one in found
        }
        assert any(one.field == "author" and one.severity == "block" for one in found)
        assert not any(one.field in ("title", "text") and one.severity == "block" for one in found)
        assert {one.field for one in await checks.at_send(told)} >= {"summary", "author"}
    finally:
        await pool.close()
