"""Whoever wrote any text of an item approves none of it, however small the last change was."""

from typing import Any

import pytest

from review_queue import drafting, rounds, submitting, waivers
from review_queue.chain import makers
from review_queue.findings import findings_now
from staff.people import Person, set_staff
from staff.refusal import Refused
from staff.since import RULES, WRITERS
from tests.made import a_finding


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


async def written_between(office: Any) -> Any:
    """One begins, `everything` writes the whole text, a colleague saves one blank."""
    item = await office.item("日常")
    for who, body in (("everything", "另写的全文"), ("editor2", "另写的全文 ")):
        item = await drafting.edit(
            office.queue, item.id, office.people[who], item.version, {"body": body}
        )
    return await submitting.submit(office.queue, item.id, office.people["editor2"], item.version)


async def test_who_wrote_the_text_before_a_colleague_saved_a_blank_may_not_approve(
    office: Any,
) -> None:
    item = await written_between(office)
    everything = office.people["everything"]
    waiting = await rounds.waiting_for(office.queue.db, everything)
    assert item.id not in [row.id for row in waiting]
    with pytest.raises(Refused) as caught:
        await office.decide(item, "everything")
    assert rules(caught) == {"writer"}


async def test_a_writers_approval_past_the_queue_is_not_sent(office: Any) -> None:
    item = await written_between(office)
    item = await office.decide(item, "reviewer1")
    item = await office.decide(item, "reviewer3")
    await office.releases.verify(item.release_id)
    other = await written_between(office)
    other = await office.decide(other, "reviewer1")
    await signed_past_the_queue(office, other, "everything")
    reasons = await office.releases.faults(other.id, other.updated_at)
    assert any("写过或改过这一稿文字的人" in reason.message for reason in reasons)


async def signed_past_the_queue(office: Any, item: Any, who: str) -> None:
    """The last level approved by an entry alone, as an earlier version would have let them."""
    ledger = office.queue.ledger
    told = await ledger.facts(f"item:{item.id}")
    body = dict(told[-1].body) | {"level": 1, "proof": True}
    async with ledger.transaction() as tx:
        await tx.append("decision", subject=f"item:{item.id}", actor=office.people[who], body=body)


async def test_a_writer_lets_no_finding_stand_and_lowers_no_class(office: Any) -> None:
    item = await written_between(office)
    office.blocking.append(a_finding(waivable=True))
    _, found = await findings_now(office.queue, item.id)
    place = {name: getattr(found[0], name) for name in ("gate", "rule", "field", "start", "end")}
    with pytest.raises(Refused) as caught:
        await waivers.waive(office.queue, item.id, office.people["everything"], place, "引用原文")
    assert "writer" in rules(caught)
    raised = await office.item("重要")
    for who, body in (("everything", "另写的全文"), ("editor2", "另写的全文 ")):
        raised = await drafting.edit(
            office.queue, raised.id, office.people[who], raised.version, {"body": body}
        )
    with pytest.raises(Refused) as caught:
        await drafting.lower_class(
            office.queue, raised.id, office.people["everything"], "日常", "只是活动通知"
        )
    assert "writer" in rules(caught)


async def test_changing_the_class_alone_writes_nothing(office: Any) -> None:
    item = await office.item("重要")
    await drafting.lower_class(
        office.queue, item.id, office.people["reviewer1"], "日常", "只是活动通知"
    )
    who = makers(await office.releases.chain(item.id))
    assert office.people["reviewer1"] not in who.writers


async def test_what_an_earlier_version_released_stays_released(office: Any) -> None:
    """The rule counts from its signed entry on: what a writer approved before is not undone."""
    ledger = office.queue.ledger
    async with ledger.transaction() as tx:
        person = Person("old", "old", ("editor", "reviewer_3", "secrecy"), "-")
        office.people["old"] = (await set_staff(tx, person, "system")).id
    item = await office.item("日常")
    for who, body in (("old", "另写的全文"), ("editor2", "另写的全文 ")):
        item = await drafting.edit(
            office.queue, item.id, office.people[who], item.version, {"body": body}
        )
    item = await submitting.submit(office.queue, item.id, office.people["editor2"], item.version)
    item = await office.decide(item, "reviewer1")
    await signed_past_the_queue(office, item, "old")
    chain = await office.releases.chain(item.id)
    decided = chain.of("decision")[-1]
    assert office.people["old"] in makers(chain, judged=decided.seq).writers
    async with ledger.transaction() as tx:
        await tx.append(RULES, subject="office", actor="system", body={"rules": [WRITERS]})
    chain = await office.releases.chain(item.id)
    assert makers(chain, judged=decided.seq).writers == frozenset()
    reasons = [one.message for one in await office.releases.faults(item.id, item.updated_at)]
    assert not [words for words in reasons if "写过或改过" in words]
    later = await written_between(office)
    later = await office.decide(later, "reviewer1")
    await signed_past_the_queue(office, later, "everything")
    reasons = [one.message for one in await office.releases.faults(later.id, later.updated_at)]
    assert [words for words in reasons if "写过或改过" in words]
