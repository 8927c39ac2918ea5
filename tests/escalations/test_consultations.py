"""What a consultation keeps and says, on both databases: counts without a name, verdicts once."""

from datetime import timedelta
from pathlib import Path

import pytest

from config.clock import now
from escalations.conclusions import summary_text
from escalations.models import Consultation, Opinion
from escalations.opinions import Given, decide, erase, opinions_of, receive, take_back
from staff.refusal import Refused
from storage.database import Database, new_id
from tests.escalations.conftest import Duty, at


@pytest.fixture
async def duty(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Duty:
    return await Duty(database, tmp_path, monkeypatch).open()


async def running(duty: Duty) -> Consultation:
    row = Consultation(
        id=new_id(),
        title="停车管理办法",
        about="i",
        accounts=["wx"],
        promise="逐条研究",
        begins_at=now() - timedelta(days=1),
        ends_at=now() + timedelta(days=1),
        result_by=now() + timedelta(days=9),
    )
    async with duty.db.session() as session:
        session.add(row)
    return row


async def test_opinions_are_received_taken_back_decided_and_erased(duty: Duty) -> None:
    row = await running(duty)
    first, second = [str(await receive(duty.ledger, row, duty.contact, one)) for one in "甲乙"]
    assert not await take_back(duty.ledger, "somebody else", first)
    given = Given("采纳", "写进第三条", "车位")
    with pytest.raises(Refused) as refused:
        await decide(duty.ledger, row, [], Given("也许", "短"), "bian")
    assert {one.rule for one in refused.value.reasons} == {"opinions", "verdict", "reason"}
    with pytest.raises(Refused):
        await decide(duty.ledger, row, [first], given, "jia")  # on duty, no editor
    assert await decide(duty.ledger, row, [first], given, "bian") == 1
    assert not await take_back(duty.ledger, duty.contact.id, first)  # it was answered
    assert await take_back(duty.ledger, duty.contact.id, second)
    kept = await opinions_of(duty.ledger, row.id)
    assert [(one.verdict, one.reason) for one in kept.rows] == [("采纳", "写进第三条")]
    async with duty.ledger.transaction() as tx:
        await erase(tx, duty.contact.id)
    kept = await opinions_of(duty.ledger, row.id)
    assert (list(kept.rows), kept.missing) == ([], 0)
    # No signed word names the citizen.
    entries = await duty.ledger.facts(f"consultation:{row.id}")
    assert len(entries) == 5
    assert not [one for one in entries if duty.contact.id in str(one.body)]


async def test_after_its_end_and_for_a_changed_contact_nothing_is_kept(duty: Duty) -> None:
    row = await running(duty)
    row.ends_at = now() - timedelta(hours=1)
    assert await receive(duty.ledger, row, duty.contact, "晚了") is None
    assert not (await opinions_of(duty.ledger, row.id)).rows


def test_the_result_has_counts_and_reasons_and_no_word_of_a_citizen() -> None:
    row = Consultation(title="停车管理办法", begins_at=at("2026-12-01 00:00"))
    row.ends_at = at("2026-12-31 00:00")
    assert summary_text(row, []).endswith("2026年12月30日公开征求意见，没有收到意见。")
    made = [
        Opinion(contact_id=who, text="原话", topic="车位", verdict=verdict, reason=why)
        for who, verdict, why in (
            ("a", "采纳", "写进第三条"),
            ("a", "采纳", "写进第三条"),
            ("b", "未采纳", "周转紧张"),
        )
    ]
    text = summary_text(row, made)
    assert "共收到 2 人的意见 3 条：采纳 2 条，部分采纳 0 条，未采纳 1 条。" in text
    assert "车位（2 条）：写进第三条" in text
    assert "二、部分采纳的意见：没有。" in text
    assert "原话" not in text
