"""What became of a call is written once, by whose row it is, whatever fails beside it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from redis.exceptions import ConnectionError as ConnectionLost
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from bot.contract import Outcome, ReplyBasis, State
from bot.delivery import rests, sending, turned
from bot.delivery.outbox import queue_reply
from bot.models import AccountRest, Contact, Delivery, Publication
from bot.sealing import rewrite
from config.clock import now
from storage.away import gone
from storage.database import Database
from tests.bot.conftest import Office, parts
from tests.bot.test_away import LIMITED, REFUSED
from tests.made import SEALS

AWAY = ConnectionLost("the neighbour is away")
REJECTED = Outcome(State.FAILED, reason="平台拒收")


async def states(office: Office) -> dict[str, int]:
    async with office.db.session() as session:
        query = select(Delivery.state, func.count()).group_by(Delivery.state)
        return dict((await session.execute(query)).all())


async def used(office: Office) -> set[int]:
    async with office.db.session() as session:
        return set(await session.scalars(select(Contact.window_used)))


# --- two processes ----------------------------------------------------------------------------


async def test_two_processes_told_to_wait_at_once_both_write_what_came(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first rest of an account: neither sees the other's row before it stands."""
    both, rest = asyncio.Barrier(2), rests.rest
    rows = await office.deliveries(office.release(), ["1", "2"])
    office.channel.answers = {"1": LIMITED, "2": LIMITED}

    async def at_once(address: str) -> None:
        await both.wait()

    async def slow(session: AsyncSession, account_id: str, outcome: Outcome) -> None:
        await rest(session, account_id, outcome)
        await asyncio.sleep(0.2)

    office.channel.before = at_once
    monkeypatch.setattr(turned, "rest", slow)
    processes = [office.process(), office.process()]
    await asyncio.gather(
        *(one.sender.send_row(row) for one, row in zip(processes, rows, strict=True))
    )
    assert await states(office) == {State.RETRYING: 2}
    assert [one.lease._hands for one in processes] == [set(), set()]
    async with office.db.session() as session:
        assert len((await session.scalars(select(AccountRest))).all()) == 1


@pytest.mark.parametrize(
    ("owner", "state"), [("another", State.SENDING), ("", State.PUBLISHED), ("", State.RETRYING)]
)
async def test_a_row_that_another_process_or_a_person_has_taken_up_is_left_to_them(
    office: Office, owner: str, state: State
) -> None:
    """This process was thought dead while its call was on its way."""
    [row] = await office.deliveries(office.release(), ["1"])
    office.channel.answers["1"] = Outcome(State.RETRYING, reason="服务出错")

    async def swept(address: str) -> None:
        async with office.db.session() as session:
            await rewrite(session, Delivery.id == row, state=state, why="theirs")
            if owner:
                await session.execute(update(Delivery).values(owner=owner))

    office.channel.before = swept
    process = office.process()
    await process.sender.send_row(row)
    found = await office.row(Delivery, row)
    assert (found.state, found.why) == (state, "theirs")


async def test_what_came_after_a_process_was_thought_dead_is_written(office: Office) -> None:
    [row] = await office.deliveries(office.release(), ["1"])

    async def swept(address: str) -> None:
        async with office.db.session() as session:
            await rewrite(session, Delivery.id == row, state=State.UNKNOWN)

    office.channel.before = swept
    await office.process().sender.send_row(row)
    assert await states(office) == {State.PUBLISHED: 1}


# --- what follows an outcome fails --------------------------------------------------------------


def failing(office: Office, *errors: Exception) -> None:
    """Telling staff fails so often, and works then."""
    left, tell = list(errors), office.incident

    async def incident(kind: str, subject: str, message: str) -> None:
        if left:
            raise left.pop(0)
        await tell(kind, subject, message)

    office.incident = incident  # type: ignore[method-assign]


async def people(office: Office, count: int) -> list[str]:
    """So many who wait for a push; the first of them is refused."""
    office.channel.window_seconds, office.channel.window_count = 48 * 3600.0, 50
    office.channel.answers["0"] = REJECTED
    return await office.deliveries(office.release(), [str(number) for number in range(count)])


async def test_a_fault_while_staff_are_told_strands_no_row_and_sends_none_twice(
    office: Office,
) -> None:
    await people(office, 30)
    failing(office, RuntimeError("the ledger is broken"))
    process = office.process(in_flight=4)
    with pytest.raises(RuntimeError, match="broken"):
        await process.sender.deliver_due()
    assert process.lease._hands == set()
    async with office.db.session() as session:
        await session.execute(
            update(Delivery)
            .where(Delivery.state == State.SENDING)
            .values(sending_since=now() - timedelta(seconds=90))
        )
    assert await process.lease.sweep() > 0
    await process.sender.deliver_due()
    assert await states(office) == {State.FAILED: 1, State.PUBLISHED: 29}
    assert len(office.channel.sent) == len(set(office.channel.sent)) == 29


async def test_staff_are_told_when_the_neighbour_is_back_and_nothing_else_is_done_again(
    office: Office,
) -> None:
    await people(office, 20)
    failing(office, AWAY, AWAY)
    process = office.process(in_flight=4)
    assert await process.sender.deliver_due() == 20
    assert await states(office) == {State.FAILED: 1, State.PUBLISHED: 19}
    assert [kind for kind, *_ in office.incidents] == ["delivery_failed"]
    assert process.lease._hands == set()
    assert await used(office) == {0, 1}


def commit_unheard(monkeypatch: pytest.MonkeyPatch, follows: Callable[[], Any]) -> None:
    """The first commit of outcomes stands, and its answer is lost with the connection."""
    left, begin = [AWAY], turned.begin

    @asynccontextmanager
    async def lost(db: Database, finished: Sequence[Any]) -> AsyncIterator[AsyncSession]:
        async with begin(db, finished) as session:
            yield session
        if finished and left:
            await follows()
            raise left.pop()

    monkeypatch.setattr(sending, "begin", lost)


async def test_an_outcome_whose_commit_was_not_heard_of_counts_once_and_takes_no_row_back(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, again = (await people(office, 3))[1:]
    office.channel.answers["2"] = Outcome(State.RETRYING, reason="服务出错")

    async def taken_up() -> None:
        """What is due again is claimed at once."""
        claimed = update(Delivery).where(Delivery.state == State.RETRYING)
        async with office.db.session() as session:
            await session.execute(claimed.values(state=State.SENDING))

    commit_unheard(monkeypatch, taken_up)
    process = office.process()
    with capture_logs():
        await process.sender.deliver_due()
    assert (await office.row(Delivery, sent)).state == State.PUBLISHED
    assert (await office.row(Delivery, again)).state == State.SENDING
    assert await used(office) == {0, 1}
    assert process.lease._hands == set()
    assert [kind for kind, *_ in office.incidents] == ["delivery_failed"]


async def test_a_refused_account_is_told_of_though_its_commit_was_not_heard_of(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    [row] = await office.deliveries(office.release(), ["1"])
    office.channel.answers["1"] = REFUSED

    async def nothing() -> None:
        return

    commit_unheard(monkeypatch, nothing)
    with capture_logs():
        await office.process().sender.send_row(row)
    assert [kind for kind, *_ in office.incidents] == ["account_refused"]


async def test_a_publication_put_off_gives_its_attempt_back_once(office: Office) -> None:
    """Its outcome is written as soon as the neighbour is there, however often that is tried."""
    key = await office.publication(office.release())
    office.channel.answers["timeline"] = LIMITED
    process = office.process()
    left, facts = [AWAY, AWAY], process.publisher._facts

    async def away(publication: Publication) -> Any:
        if left:
            raise left.pop()
        return await facts(publication)

    process.publisher._facts = away  # type: ignore[method-assign]
    await process.publisher.publish_due()
    row = await office.row(Publication, key)
    assert (row.state, row.attempts) == (State.RETRYING, 0)


def away_after(office: Office, act: Callable[..., Any]) -> Callable[..., Any]:
    """What a neighbour makes of it that goes away once the platform has taken a message."""
    left = [AWAY]

    async def called(*given: Any) -> Any:
        if left and office.channel.sent:
            raise left.pop()
        return await act(*given)

    return called


async def test_what_arrived_is_no_unknown_because_a_neighbour_goes_away_after_the_call(
    office: Office,
) -> None:
    """A recall is looked for, and a person's answer signed, once the platform has taken it."""
    [push] = await office.deliveries(office.release(), ["5"])
    office.is_answered = away_after(office, office.is_answered)  # type: ignore[method-assign]
    process = office.process()
    recalled = away_after(office, process.recent.recalled)
    process.recent.recalled = recalled  # type: ignore[method-assign]
    for row in (push, await _queued(office, ReplyBasis.STAFF)):
        await process.sender.send_row(row)
    assert await states(office) == {State.PUBLISHED: 2}
    assert office.answered == [State.PUBLISHED]


# --- at once ----------------------------------------------------------------------------------


async def _queued(office: Office, basis: ReplyBasis = ReplyBasis.TEMPLATE) -> str:
    async with office.db.session() as session:
        contact = await office.contacts.upsert(session, office.account.id, "1", now())
    said = parts(office.account.id, contact.id, "好", basis)
    return await queue_reply(office.db, said, "ticket:1")


async def test_a_fault_while_a_queued_answer_is_sent_at_once_does_not_reach_who_wrote_it(
    office: Office,
) -> None:
    row, process = await _queued(office), office.process()
    stops = process.recent.stops

    async def broken() -> frozenset[str]:
        raise RuntimeError("a fault of ours")

    process.recent.stops = broken  # type: ignore[method-assign]
    with capture_logs() as logs:
        await process.sender.send_soon(row)
    assert [(one["event"], one["delivery"]) for one in logs] == [("send_soon_failed", row)]
    process.recent.stops = stops  # type: ignore[method-assign]
    assert await process.sender.deliver_due() == 1
    assert await states(office) == {State.PUBLISHED: 1}


# --- what counts as a neighbour that is away --------------------------------------------------


async def raised(db: Database, *statements: str, met: asyncio.Barrier | None = None) -> Any:
    """What the statements of one transaction raised; after the first it waits for the others."""
    try:
        async with db.session() as session:
            for number, statement in enumerate(statements):
                if number == 1 and met is not None:
                    await met.wait()
                await session.execute(text(statement))
    except DBAPIError as error:
        return error
    return None


@pytest.mark.servers
async def test_a_deadlock_and_a_server_that_only_reads_pass_and_a_wrong_statement_does_not(
    postgres_url: str,
) -> None:
    db = Database(postgres_url, SEALS)
    locks = [f"SELECT pg_advisory_xact_lock({number})" for number in (71, 72)]
    met = asyncio.Barrier(2)  # both hold one lock before either asks for the other
    ends = await asyncio.gather(raised(db, *locks, met=met), raised(db, *reversed(locks), met=met))
    [ended] = [one for one in ends if one is not None]
    reads = await raised(db, "SET TRANSACTION READ ONLY", "CREATE TABLE refused (id int)")
    wrong = await raised(db, "SELECT nothing FROM nowhere")
    await db.close()
    assert (gone(ended), reads is not None and gone(reads)) == (True, True)
    assert wrong is not None
    assert not gone(wrong)
