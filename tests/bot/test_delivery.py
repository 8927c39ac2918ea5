"""Delivery: a row before, the outcome after, nobody twice, and every stop respected."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from bot.contract import Inbound, InboundKind, Outcome, ReplyBasis, State
from bot.models import Attempt, Contact, Delivery, InboundMessage, Publication
from config.clock import now
from storage.database import new_id
from tests.bot.conftest import Office, parts
from tests.made import turn
from tests.waiting import until


async def _states(office: Office) -> dict[str, int]:
    async with office.db.session() as session:
        query = select(Delivery.state, func.count()).group_by(Delivery.state)
        return dict((await session.execute(query)).all())


async def _stop(office: Office, name: str, *, stopped: bool = True) -> None:
    await turn(office.ledger, name, stopped=stopped)


async def test_a_push_reaches_everyone_once_with_a_row_before_and_after(office: Office) -> None:
    release = office.release()
    await office.deliveries(release, [str(number) for number in range(40)])
    states_during: list[str] = []

    async def look(address: str) -> None:
        contact = office.contacts
        async with office.db.session() as session:
            found = await contact.find(session, office.account.id, address)
            assert found is not None
            query = select(Delivery.state).where(Delivery.contact_id == found.id)
            states_during.append((await session.scalars(query)).one())

    office.channel.before = look
    assert await office.process().sender.deliver_due() == 40
    assert sorted(address for address, _ in office.channel.sent) == sorted(map(str, range(40)))
    assert set(states_during) == {State.SENDING}
    assert await _states(office) == {State.PUBLISHED: 40}
    async with office.db.session() as session:
        attempts = (await session.scalars(select(Attempt.state))).all()
    assert attempts == [State.PUBLISHED] * 40


async def test_two_workers_at_once_send_each_message_once(office: Office) -> None:
    await office.deliveries(office.release(), [str(number) for number in range(60)])
    await asyncio.gather(
        office.process().sender.deliver_due(), office.process().sender.deliver_due()
    )
    assert len(office.channel.sent) == len({address for address, _ in office.channel.sent}) == 60


async def test_never_more_calls_in_flight_than_allowed(office: Office) -> None:
    await office.deliveries(office.release(), [str(number) for number in range(50)])

    async def two_at_once() -> bool:
        return office.channel.most_open >= 2

    async def with_another(address: str) -> None:
        await until(two_at_once, every=0.002)

    office.channel.before = with_another
    await office.process(in_flight=8).sender.deliver_due()
    assert office.channel.most_open <= 8


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (Outcome(State.UNKNOWN, reason="无应答"), State.UNKNOWN),
        (Outcome(State.FAILED, reason="拒收"), State.FAILED),
        (Outcome(State.ENDED, reason="已屏蔽"), State.ENDED),
        (Outcome(State.RETRYING, reason="限速", retry_after=9), State.RETRYING),
        (RuntimeError("fault in the channel"), State.UNKNOWN),
    ],
)
async def test_each_outcome_ends_in_its_state_and_is_not_sent_again(
    office: Office, answer: Any, state: State
) -> None:
    [delivery] = await office.deliveries(office.release(), ["5"])
    office.channel.answers["5"] = answer
    process = office.process()
    await process.sender.deliver_due()
    office.channel.answers.clear()
    assert await process.sender.deliver_due() == 0
    row = await office.row(Delivery, delivery)
    assert row.state == state
    assert office.channel.sent == []
    contact = await office.row(Contact, row.contact_id)
    assert contact.state == ("ended" if state is State.ENDED else "active")


@pytest.mark.parametrize(
    ("kind", "when", "state"),
    [
        (InboundKind.RETURN, "in the call", "active"),
        (InboundKind.TEXT, "in the call", "active"),
        (InboundKind.UNFOLLOW, "in the call", "ended"),
        (InboundKind.RETURN, "before", "ended"),
    ],
)
async def test_a_late_refusal_ends_nobody_who_came_back_since_the_call_began(
    office: Office, kind: InboundKind, when: str, state: str
) -> None:
    [delivery] = await office.deliveries(office.release(), ["5"])
    contact_id = (await office.row(Delivery, delivery)).contact_id
    office.channel.answers["5"] = Outcome(State.ENDED, reason="已屏蔽")

    async def act(address: str = "5") -> None:
        await asyncio.sleep(0.01)  # ids are in order by the millisecond
        async with office.db.session() as session:
            contact = await session.get_one(Contact, contact_id)
            act = InboundMessage(
                id=new_id(), account_id=contact.account_id, contact_id=contact_id, dedupe="m:1",
                kind=kind, text="", key="", at=now(), position=1,
            )  # fmt: skip
            session.add(act)
        await asyncio.sleep(0.01)

    if when == "before":
        await act()
    else:
        office.channel.before = act
    await office.process().sender.deliver_due()
    assert (await office.row(Delivery, delivery)).state == State.ENDED
    assert (await office.row(Contact, contact_id)).state == state


async def test_a_late_refusal_waits_for_whoever_is_just_coming_back(office: Office) -> None:
    """Their act is written while the refusal is: whichever is first, they are back."""
    if office.db.is_sqlite:  # one writer at a time, as it is
        return
    [delivery] = await office.deliveries(office.release(), ["5"])
    contact_id = (await office.row(Delivery, delivery)).contact_id
    office.channel.answers["5"] = Outcome(State.ENDED, reason="已屏蔽")
    refused, stored = asyncio.Event(), asyncio.Event()

    async def act(_address: str) -> None:
        await asyncio.sleep(0.01)  # ids are in order by the millisecond
        coming.append(asyncio.create_task(come_back()))
        await stored.wait()
        refused.set()

    async def come_back() -> None:
        async with office.db.session() as session:
            contact = await session.get_one(Contact, contact_id, with_for_update=True)
            contact.state = "active"
            act = InboundMessage(
                id=new_id(), account_id=contact.account_id, contact_id=contact_id, dedupe="m:1",
                kind=InboundKind.RETURN, text="", key="", at=now(), position=1,
            )  # fmt: skip
            session.add(act)
            await session.flush()
            stored.set()
            await refused.wait()
            await asyncio.sleep(0.5)

    coming: list[asyncio.Task[None]] = []
    office.channel.before = act
    await office.process().sender.deliver_due()
    await coming[0]
    assert (await office.row(Delivery, delivery)).state == State.ENDED
    assert (await office.row(Contact, contact_id)).state == "active"


async def test_a_retry_is_sent_when_its_time_has_come_and_fails_in_the_end(office: Office) -> None:
    [delivery] = await office.deliveries(office.release(), ["5"])
    office.channel.answers["5"] = Outcome(State.RETRYING, reason="服务出错")
    process = office.process()
    for _ in range(6):
        assert await process.sender.deliver_due() == 1
        async with office.db.session() as session:
            await session.execute(update(Delivery).values(next_at=None))
    assert (await office.row(Delivery, delivery)).state == State.FAILED


async def test_a_release_that_no_longer_holds_stops_the_push(office: Office) -> None:
    release = office.release()
    await office.deliveries(release, [str(number) for number in range(30)])
    office.refused[release.id] = ["内容被改动过"]
    await office.process().sender.deliver_due()
    assert office.channel.sent == []
    assert await _states(office) == {State.HELD: 30}


async def test_the_release_is_verified_again_while_a_push_runs(office: Office) -> None:
    release = office.release()
    await office.deliveries(release, [str(number) for number in range(30)])
    process = office.process()

    async def recall(address: str) -> None:
        if len(office.channel.sent) >= 6:
            office.refused[release.id] = ["已撤回"]
            process.recent._verified.clear()  # stands for the second that passes

    office.channel.before = recall
    await process.sender.deliver_due()
    states = await _states(office)
    assert states[State.HELD] >= 12
    assert states[State.PUBLISHED] + states[State.HELD] == 30


@pytest.mark.parametrize("name", ["all", "push"])
async def test_a_stop_switch_stops_the_push_and_resuming_sends_the_rest(
    office: Office, name: str
) -> None:
    await office.deliveries(office.release(), ["1", "2"])
    await _stop(office, name)
    process = office.process()
    assert await process.sender.deliver_due() == 0
    await _stop(office, name, stopped=False)
    assert await process.sender.deliver_due() == 2


async def test_stopping_one_account_leaves_its_rows_waiting(office: Office) -> None:
    await office.deliveries(office.release(), ["1"])
    await _stop(office, f"account:{office.account.id}")
    assert await office.process().sender.deliver_due() == 0
    assert await _states(office) == {State.CREATED: 1}


async def test_rows_of_a_dead_process_become_unknown_and_those_of_a_live_one_stay(
    office: Office,
) -> None:
    dead, alive = await office.deliveries(office.release(), ["1", "2"])
    living = office.process()
    await living.lease.start()
    async with office.db.session() as session:
        for key, owner in ((dead, "gone"), (alive, living.lease.owner)):
            await session.execute(
                update(Delivery).where(Delivery.id == key).values(state=State.SENDING, owner=owner)
            )
    next_one = office.process()
    assert await next_one.lease.start() == 1
    assert await next_one.sender.deliver_due() == 0
    assert (await office.row(Delivery, dead)).state == State.UNKNOWN
    assert (await office.row(Delivery, alive)).state == State.SENDING
    await living.lease.stop()
    await next_one.lease.stop()


async def test_a_process_killed_in_the_middle_loses_at_most_what_was_in_flight(
    office: Office,
) -> None:
    await office.deliveries(office.release(), [str(number) for number in range(40)])
    hang, hangs = asyncio.Event(), asyncio.Event()

    async def stuck(address: str) -> None:
        if len(office.channel.sent) >= 18:
            hangs.set()
            await hang.wait()

    office.channel.before = stuck
    killed = office.process()
    task = asyncio.create_task(killed.sender.deliver_due())
    await hangs.wait()
    await asyncio.sleep(0.05)
    for busy in killed.lease._busy:  # the kill: nothing of it writes any more
        busy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    before = list(office.channel.sent)
    office.channel.before = None
    successor = office.process()
    await successor.lease.start()
    await successor.sender.deliver_due()
    states = await _states(office)
    assert 1 <= states[State.UNKNOWN] <= 8
    assert states[State.PUBLISHED] + states[State.UNKNOWN] == 40
    sent = [address for address, _ in office.channel.sent]
    assert len(sent) == len(set(sent))
    assert len(before) >= 18
    await successor.lease.stop()


async def test_a_process_told_to_stop_begins_no_call_and_the_next_one_sends(
    office: Office,
) -> None:
    async with office.db.session() as session:
        contact = await office.contacts.upsert(session, office.account.id, "1", now())
    stopping = office.process()
    await stopping.lease.start()
    stopping.lease.halt()
    reply = parts(office.account.id, contact.id, "您好，已为您转人工。")
    assert (await stopping.sender.reply_now(reply, "in:1")).state is State.CREATED
    await stopping.lease.stop()
    assert office.channel.sent == []
    successor = office.process()
    await successor.lease.start()
    await successor.sender.deliver_due()
    assert await _states(office) == {State.PUBLISHED: 1}
    await successor.lease.stop()


async def test_an_account_level_refusal_holds_the_account_and_resume_sends_the_rest(
    office: Office,
) -> None:
    await office.deliveries(office.release(), [str(number) for number in range(20)])
    refusal = Outcome(State.HELD, reason="接口未授权", code="account", detail={"scope": "account"})
    for number in range(20):
        office.channel.answers[str(number)] = refusal
    process = office.process()
    assert await process.sender.deliver_due() <= 8
    assert await _states(office) == {State.HELD: 20}
    assert office.incidents[0][1] == f"account:{office.account.id}"
    office.channel.answers.clear()
    assert await process.sender.resume(office.account.id) == 20
    assert await process.sender.deliver_due() == 20


async def test_outside_the_window_a_message_waits_for_the_next_contact(office: Office) -> None:
    office.channel.window_seconds, office.channel.window_count = 48 * 3600.0, 5
    [delivery] = await office.deliveries(office.release(), ["1"])
    async with office.db.session() as session:
        await session.execute(update(Contact).values(last_inbound_at=now() - timedelta(hours=49)))
    process = office.process()
    await process.sender.deliver_due()
    assert (await office.row(Delivery, delivery)).state == State.HELD
    async with office.db.session() as session:
        contact = await office.contacts.upsert(session, office.account.id, "1", now())
    assert await process.sender.deliver_due() == 0  # it may be the message that leaves
    async with office.db.session() as session:
        await office.contacts.make_due(session, contact.id)
    assert await process.sender.deliver_due() == 1
    assert (await office.row(Delivery, delivery)).state == State.PUBLISHED


async def test_a_message_held_for_a_window_waits_for_whoever_is_just_opening_it(
    office: Office,
) -> None:
    """Their act is written while the hold is: whichever is first, the message goes out."""
    if office.db.is_sqlite:  # one writer at a time, as it is
        return
    office.channel.window_seconds, office.channel.window_count = 48 * 3600.0, 5
    [delivery] = await office.deliveries(office.release(), ["1"])
    async with office.db.session() as session:
        await session.execute(update(Contact).values(last_inbound_at=now() - timedelta(hours=49)))
    process = office.process()
    async with office.db.session() as session:
        contact = await office.contacts.upsert(session, office.account.id, "1", now())
        await session.flush()
        turn = asyncio.create_task(process.sender.deliver_due())
        await asyncio.sleep(0.5)
        await office.contacts.make_due(session, contact.id)
    await turn
    await process.sender.deliver_due()
    assert (await office.row(Delivery, delivery)).state == State.PUBLISHED
    assert (await office.row(Contact, contact.id)).paused_at is None


async def test_a_reply_with_one_key_is_sent_once(office: Office) -> None:
    async with office.db.session() as session:
        contact = await office.contacts.upsert(session, office.account.id, "1", now())
    reply = parts(office.account.id, contact.id, "您好，已为您转人工。")
    process = office.process()
    first = await process.sender.reply_now(reply, "ticket:1:1")
    second = await process.sender.reply_now(reply, "ticket:1:1")
    assert first.state is second.state is State.PUBLISHED
    assert len(office.channel.sent) == 1


async def test_stopped_answers_wait_but_a_person_and_a_number_to_call_go_out(
    office: Office,
) -> None:
    async with office.db.session() as session:
        contact = await office.contacts.upsert(session, office.account.id, "1", now())
    await _stop(office, "answers")
    process = office.process()
    robot = parts(office.account.id, contact.id, "条文", ReplyBasis.QUOTE)
    person = parts(office.account.id, contact.id, "值班人员答复", ReplyBasis.STAFF)
    assert (await process.sender.reply_now(robot, "a")).state is State.RETRYING
    assert (await process.sender.reply_now(person, "b")).state is State.PUBLISHED
    number = parts(office.account.id, contact.id, "请拨打 120", ReplyBasis.DANGER)
    assert (await process.sender.reply_now(number, "c")).state is State.PUBLISHED


# --- publications -----------------------------------------------------------------------------


async def test_a_due_publication_is_verified_published_and_announced(office: Office) -> None:
    release = office.release()
    key = await office.publication(release)
    office.channel.answers["timeline"] = Outcome(
        State.PUBLISHED, ref="9", detail={"url": "https://t.me/qinghe/9"}
    )
    process = office.process()
    assert await process.publisher.publish_due() == 1
    assert await process.publisher.publish_due() == 0
    row = await office.row(Publication, key)
    assert (row.state, row.url) == (State.PUBLISHED, "https://t.me/qinghe/9")
    assert office.verified == [release.id, release.id]  # before the uploads, and before the call
    assert office.news == [key]


async def test_numbers_of_many_messages_are_kept_whole_or_not(office: Office) -> None:
    key = await office.publication(office.release())
    numbers = [str(10_000_000 + number) for number in range(60)]
    office.channel.answers["timeline"] = Outcome(State.PUBLISHED, ref=",".join(numbers))
    await office.process().publisher.publish_due()
    kept = (await office.row(Publication, key)).ref.split(",")
    assert kept == numbers[: len(kept)]
    assert len(kept) > 20


async def test_a_changed_item_is_not_published(office: Office) -> None:
    release = office.release()
    key = await office.publication(release)
    office.refused[release.id] = ["稿件内容与审核通过的摘要不符"]
    await office.process().publisher.publish_due()
    row = await office.row(Publication, key)
    assert row.state == State.HELD
    assert "摘要不符" in row.reason
    assert office.channel.sent == []


async def test_a_publication_before_its_time_or_stopped_is_left_alone(office: Office) -> None:
    key = await office.publication(office.release())
    async with office.db.session() as session:
        (await session.get_one(Publication, key)).due_at = now() + timedelta(hours=1)
    process = office.process()
    assert await process.publisher.publish_due() == 0
    async with office.db.session() as session:
        (await session.get_one(Publication, key)).due_at = now()
    await _stop(office, "publishing")
    assert await process.publisher.publish_due() == 0
    assert (await office.row(Publication, key)).state == State.CREATED


async def test_no_answer_is_unknown_unless_the_platform_refuses_doubles(office: Office) -> None:
    office.channel.answers["timeline"] = Outcome(State.UNKNOWN, reason="无应答")
    first = await office.publication(office.release())
    await office.process().publisher.publish_due()
    assert (await office.row(Publication, first)).state == State.UNKNOWN
    office.channel.guarded = True
    second = await office.publication(office.release())
    await office.process().publisher.publish_due()
    assert (await office.row(Publication, second)).state == State.RETRYING


async def test_a_submitted_publication_is_settled_by_event_or_by_asking(office: Office) -> None:
    process = office.process()
    office.channel.answers["timeline"] = Outcome(State.SUBMITTED, ref="publish:7")
    by_event = await office.publication(office.release())
    await process.publisher.publish_due()
    event = Inbound(
        office.account.id, "telegram", "", InboundKind.RESULT, now(), "e", key="publish:7"
    )
    assert await process.publisher.on_result_event(event) is True
    assert (await office.row(Publication, by_event)).state == State.PUBLISHED
    office.channel.answers["timeline"] = Outcome(State.SUBMITTED, ref="publish:8")
    asked = await office.publication(office.release())
    await process.publisher.publish_due()
    async with office.db.session() as session:
        await session.execute(
            update(Publication).where(Publication.id == asked).values(next_at=now())
        )
    office.channel.answers["settle:publish:8"] = Outcome(State.FAILED, reason="平台审核不通过")
    assert await process.publisher.settle_due() == 1
    assert (await office.row(Publication, asked)).reason == "平台审核不通过"


async def test_an_unpaced_push_writes_many_rows_with_one_statement(office: Office) -> None:
    """Counted and not timed: seconds are the machine's."""
    await office.deliveries(office.release(), [str(number) for number in range(300)])
    written = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            written.append(statement)

    event.listen(office.db.engine.sync_engine, "before_cursor_execute", note)
    assert await office.process(in_flight=64).sender.deliver_due() == 300
    assert len(written) < 100
