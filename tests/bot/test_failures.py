"""No failure stays in a table: each is an incident in words, with what to do about it."""

from typing import Any

import pytest

from bot.codes import At, came_to, follows
from bot.contract import MEND, Inbound, InboundKind, Outcome, State
from bot.meaning import Meaning
from bot.models import Publication
from config.clock import now
from tests.bot.conftest import Office


async def _published(office: Office, answer: Outcome) -> Any:
    office.channel.answers["timeline"] = answer
    publication = await office.publication(office.release())
    await office.process().publisher.publish_due()
    return await office.row(Publication, publication)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Outcome(State.FAILED, reason="平台审核不通过", code="publish_status_4"), "重新发送"),
        (Outcome(State.FAILED, reason="没有列出的代码 90001", code="90001"), "修改稿件重新送审"),
        (Outcome(State.UNKNOWN, reason="平台没有应答", code="no_answer"), "选“已发出”或“未发出”"),
        (Outcome(State.HELD, reason="群发次数已用完", code="quota"), "请处理后"),
    ],
)
async def test_what_did_not_go_out_is_told_with_what_to_do(
    office: Office, answer: Outcome, words: str
) -> None:
    row = await _published(office, answer)
    [(kind, subject, message)] = office.incidents
    assert (kind, subject) == ("publication_failed", f"publication:{row.id}:{answer.code}")
    assert "账号“青禾发布”的一次发布没有完成" in message
    assert answer.reason in message
    assert words in message


async def test_what_went_out_or_is_tried_again_is_no_incident(office: Office) -> None:
    await _published(office, Outcome(State.PUBLISHED, ref="1"))
    await _published(office, Outcome(State.RETRYING, reason="限速", retry_after=9))
    assert office.incidents == []


async def test_a_later_event_says_why_where_asking_only_told_that_it_failed(
    office: Office,
) -> None:
    row = await _published(office, Outcome(State.FAILED, ref="mass:7", reason="没有说明", code="a"))
    event = Inbound(
        office.account.id, "telegram", "", InboundKind.RESULT, now(), "e:1", key="mass:7"
    )
    why = Outcome(State.FAILED, ref="mass:7", reason="涉嫌版权", code="mass_20013", detail=MEND)
    office.channel.result = lambda inbound: (inbound.key, why)
    assert await office.process().publisher.on_result_event(event)
    assert (await office.row(Publication, row.id)).reason == "涉嫌版权"
    assert [message for _, _, message in office.incidents if "涉嫌版权" in message]
    office.channel.result = lambda inbound: (inbound.key, Outcome(State.PUBLISHED, ref="mass:7"))
    assert not await office.process().publisher.on_result_event(event)


async def test_messages_that_failed_are_one_incident_for_each_reason(office: Office) -> None:
    await office.deliveries(office.release(), ["1", "2", "3"])
    for address in ("1", "2"):
        office.channel.answers[address] = Outcome(State.FAILED, reason="平台拒收", code="90001")
    await office.process(in_flight=2).sender.deliver_due()
    told = {(kind, subject.rpartition(":")[2]) for kind, subject, _ in office.incidents}
    assert told == {("delivery_failed", "90001")}


async def test_a_send_is_not_repeated_for_a_code_nobody_knows_even_where_doubles_are_refused(
    office: Office,
) -> None:
    office.channel.guarded = True
    row = await _published(office, came_to("90001", None, At.TIMELINE, "new rule"))
    assert row.state == State.UNKNOWN
    assert await office.process().publisher.publish_due() == 0
    assert {kind for kind, *_ in office.incidents} == {"code_unlisted", "publication_failed"}
    lost = await _published(office, Outcome(State.UNKNOWN, reason="没有应答", code="no_answer"))
    assert lost.state == State.RETRYING


@pytest.mark.parametrize("meaning", list(Meaning))
def test_a_meaning_met_where_nothing_can_be_out_is_never_unknown(meaning: Meaning) -> None:
    assert follows(meaning, At.PREPARING).state is not State.UNKNOWN
    end = follows(meaning, At.END).state
    assert end is (State.UNKNOWN if meaning is Meaning.UNKNOWN else State.FAILED)
    assert meaning.label
    assert meaning.then
