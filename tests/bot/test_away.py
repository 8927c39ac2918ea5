"""A neighbour goes away in the middle: what was not called is sent later, nothing is unknown."""

import asyncio
import re
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from redis.exceptions import ConnectionError as ConnectionLost
from sqlalchemy import func, select, text, update
from structlog.testing import capture_logs

from bot.accounts import NewAccount
from bot.contract import Outcome, State
from bot.delivery import processes
from bot.delivery.processes import engine_fault, place
from bot.delivery.refused import try_refused
from bot.models import Account, AccountRest, Delivery, Process, Publication
from config.clock import now
from storage.database import Database, new_id
from tests.bot.conftest import Office, RecordingChannel


async def _states(office: Office) -> dict[str, int]:
    async with office.db.session() as session:
        query = select(Delivery.state, func.count()).group_by(Delivery.state)
        return dict((await session.execute(query)).all())


async def _due_now(office: Office) -> None:
    async with office.db.session() as session:
        await session.execute(update(Delivery).values(next_at=None))


class Unprepared(RecordingChannel):
    """A channel that fails before its wire is reached, as one without its pacing or token does."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error: Exception | None = error

    async def _answer(self, address: str, text: str) -> Outcome:
        if self.error is not None:
            raise self.error
        return await super()._answer(address, text)


async def test_what_fails_before_the_call_for_want_of_a_neighbour_costs_no_attempt(
    office: Office,
) -> None:
    office.channel = Unprepared(ConnectionLost("redis is away"))
    release = office.release()
    [delivery] = await office.deliveries(release, ["5"])
    publication = await office.publication(release)
    process = office.process()
    for _ in range(8):
        await process.sender.deliver_due()
        await process.publisher.publish_due()
        await _due_now(office)
        async with office.db.session() as session:
            (await session.get_one(Publication, publication)).next_at = None
    row = await office.row(Delivery, delivery)
    out = await office.row(Publication, publication)
    assert (row.state, row.attempts) == (State.RETRYING, 0)
    assert (out.state, out.attempts) == (State.RETRYING, 0)
    office.channel.error = None
    await process.sender.deliver_due()
    await process.publisher.publish_due()
    assert (await office.row(Delivery, delivery)).state == State.PUBLISHED
    assert (await office.row(Publication, publication)).state == State.PUBLISHED
    assert len(office.channel.sent) == 2


async def test_a_fault_of_ours_before_the_call_is_no_unknown_and_fails_in_the_end(
    office: Office,
) -> None:
    office.channel = Unprepared(RuntimeError("a fault of ours"))
    [delivery] = await office.deliveries(office.release(), ["5"])
    process = office.process()
    seen = []
    with capture_logs() as logs:
        for _ in range(6):
            await process.sender.deliver_due()
            seen.append((await office.row(Delivery, delivery)).state)
            await _due_now(office)
    assert [one["event"] for one in logs].count("send_failed") == 6
    assert seen == [State.RETRYING] * 5 + [State.FAILED]


async def test_a_publication_that_fails_in_its_call_is_unknown_and_not_left_sending(
    office: Office,
) -> None:
    publication = await office.publication(office.release())
    office.channel.answers["timeline"] = RuntimeError("the answer could not be read")
    with capture_logs():
        await office.process().publisher.publish_due()
    assert (await office.row(Publication, publication)).state == State.UNKNOWN


# --- the database -----------------------------------------------------------------------------


async def _cut_every_connection(db: Database) -> None:
    """As a server that is begun anew does; SQLite has none."""
    if db.is_sqlite:
        return
    async with db.engine.connect() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


async def test_connections_cut_during_a_push_lose_and_double_nobody(office: Office) -> None:
    people = [str(number) for number in range(60)]
    await office.deliveries(office.release(), people)
    cut = {20, 21, 40}

    async def sometimes(address: str) -> None:
        if len(office.channel.sent) in cut:
            cut.discard(len(office.channel.sent))
            await _cut_every_connection(office.db)

    office.channel.before = sometimes
    process = office.process()
    for _ in range(10):
        try:
            await _due_now(office)  # what was put off before its call has waited its seconds
            await process.sender.deliver_due()
        except Exception:  # noqa: BLE001  the job fails, and the clock asks again
            await asyncio.sleep(0.2)
    process.lease._hands.clear()
    assert sorted(address for address, _ in office.channel.sent) == sorted(people)
    assert await _states(office) == {State.PUBLISHED: 60}


async def test_a_claim_whose_answer_was_lost_is_sent_by_the_same_process(office: Office) -> None:
    lost, busy = await office.deliveries(office.release(), ["1", "2"])
    process = office.process()
    async with office.db.session() as session:
        await session.execute(
            update(Delivery).values(
                state=State.SENDING,
                owner=process.lease.owner,
                sending_since=now() - timedelta(seconds=90),
            )
        )
    process.lease.took([busy])
    assert await process.lease.sweep() == 1
    await process.sender.deliver_due()
    assert (await office.row(Delivery, lost)).state == State.PUBLISHED
    assert (await office.row(Delivery, busy)).state == State.SENDING


# --- signs of life ----------------------------------------------------------------------------


async def _sending(office: Office, owner: str) -> str:
    [delivery] = await office.deliveries(office.release(), [owner])
    async with office.db.session() as session:
        await session.execute(
            update(Delivery).where(Delivery.id == delivery).values(state=State.SENDING, owner=owner)
        )
    return delivery


async def test_who_is_alive_is_told_by_the_database(office: Office) -> None:
    living, other = office.process(), office.process()
    await living.lease.start()
    delivery = await _sending(office, living.lease.owner)
    assert await other.lease.start() == 0
    assert (await office.row(Delivery, delivery)).state == State.SENDING
    async with office.db.session() as session:
        await session.execute(
            update(Process).where(Process.id == living.lease.owner).values(until=1.0, place="")
        )
    assert await other.lease.sweep() == 1
    assert (await office.row(Delivery, delivery)).state == State.UNKNOWN
    for one in (living, other):
        await one.lease.stop()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="told by /proc")
async def test_a_process_of_this_machine_that_has_ended_is_seen_at_once(office: Office) -> None:
    run = asyncio.create_subprocess_exec
    ended = await run(sys.executable, "-c", "input()", stdin=subprocess.PIPE)
    head = place().rsplit("/", 2)[0]
    where = f"{head}/{ended.pid}/{processes._began(ended.pid)}"
    assert not processes.ended(where)
    assert not processes.ended(place())
    await ended.communicate(b"\n")
    assert processes.ended(where)
    assert not processes.ended(f"another-machine/pid:[1]/{ended.pid}/1")
    delivery = await _sending(office, "gone")
    async with office.db.session() as session:
        session.add(Process(id="gone", place=where, since=1.0, until=9e9))
    process = office.process()
    assert await process.lease.start() == 1
    assert (await office.row(Delivery, delivery)).state == State.UNKNOWN
    await process.lease.stop()


async def _silent(db: Database) -> int:
    """For how many seconds the engine is told to have done nothing: these lines take theirs."""
    found = re.search(r"任务引擎已有 (\d+) 秒没有动静", await engine_fault(db))
    assert found is not None
    return int(found[1])


async def test_nobody_is_thought_dead_after_the_database_itself_was_away(office: Office) -> None:
    await _sending(office, "another machine")
    process = office.process()
    await process.lease.start()
    process.lease._blind_until = asyncio.get_running_loop().time() + 60
    await _sending(office, "a second one")
    assert await process.lease.sweep() == 0
    await process.lease.stop()


async def test_an_engine_that_did_nothing_for_a_minute_has_stopped(office: Office) -> None:
    assert await engine_fault(office.db) == ""
    process = office.process()
    await process.lease.start()
    await process.lease.pulse()
    assert await engine_fault(office.db) == ""
    async with office.db.session() as session:
        await session.execute(update(Process).values(worked=Process.worked - 90))
    assert 90 <= await _silent(office.db) < 600
    await process.lease.pulse()
    assert await engine_fault(office.db) == ""
    await process.lease.stop()
    assert await engine_fault(office.db) == ""


@pytest.mark.parametrize("until", [1e12, 9e9])
async def test_a_sign_of_life_for_ages_holds_for_one_lease(office: Office, until: float) -> None:
    """Written by hand, or signed before a clock was set back."""
    delivery, process = await _sending(office, "gone"), office.process()
    async with office.db.session() as session:
        session.add(Process(id="gone", place="", since=1.0, until=until))
    assert await process.lease.start() == 0
    assert (await office.row(Process, "gone")).until < time.time() + 2 * processes.LEASE
    async with office.db.session() as session:
        await session.execute(
            update(Process)
            .where(Process.id == "gone")
            .values(until=Process.until - processes.LEASE - 1)
        )
    assert await process.lease.sweep() == 1
    assert (await office.row(Delivery, delivery)).state == State.UNKNOWN
    await process.lease.stop()


async def test_a_moment_to_come_hides_no_silence_of_the_engine(office: Office) -> None:
    process = office.process()
    await process.lease.start()
    await process.lease.pulse()
    async with office.db.session() as session:
        await session.execute(update(Process).values(worked=1e12, since=Process.since - 90))
    assert 90 <= await _silent(office.db) < 600
    async with office.db.session() as session:
        await session.execute(update(Process).values(since=1e12))
    assert await engine_fault(office.db) == ""  # then nothing at all is known of it
    await process.lease.pulse()
    assert await engine_fault(office.db) == ""
    await process.lease.stop()


# --- the platform's limits --------------------------------------------------------------------

LIMITED = Outcome(
    State.RETRYING, reason="平台限速", code="429", retry_after=30, detail={"rest": "account"}
)


async def test_a_limit_of_the_platform_costs_no_attempt_and_fails_nobody(office: Office) -> None:
    people = [str(number) for number in range(20)]
    await office.deliveries(office.release(), people)
    process = office.process()
    for _ in range(9):
        office.channel.answers = dict.fromkeys(people, LIMITED)
        assert await process.sender.deliver_due() <= 6
        await _due_now(office)
        async with office.db.session() as session:
            await session.execute(update(AccountRest).values(until=now()))
    office.channel.answers.clear()
    assert await process.sender.deliver_due() == 20
    assert await _states(office) == {State.PUBLISHED: 20}


async def test_the_rest_of_an_account_is_known_to_every_process(office: Office) -> None:
    release = office.release()
    people = [str(number) for number in range(12)]
    await office.deliveries(release, people)
    await office.publication(release)
    office.channel.answers = dict.fromkeys(people, LIMITED)
    first, second = office.process(), office.process()
    await first.sender.deliver_due()
    office.channel.answers.clear()
    await _due_now(office)
    assert await second.sender.deliver_due() == 0
    assert await second.publisher.publish_due() == 0
    async with office.db.session() as session:
        await session.execute(update(AccountRest).values(until=now()))
    assert await second.sender.deliver_due() == 12


async def test_a_rest_written_for_a_year_silences_nobody(office: Office) -> None:
    await office.deliveries(office.release(), ["1"])
    async with office.db.session() as session:
        until = now() + timedelta(days=365)
        session.add(AccountRest(account_id=office.account.id, scope="account", until=until))
    assert await office.process().sender.deliver_due() == 1


# --- fair queues, and accounts that work again ------------------------------------------------


async def _second_account(office: Office) -> str:
    async with office.ledger.transaction() as tx:
        secrets_ = {"token": "2:y", "webhook_secret": "s", "chat": "@other"}
        row = await office.accounts.create(
            tx,
            NewAccount(
                slug="slow",
                organisation_id=new_id(),
                platform="telegram",
                name="慢的账号",
                api_base="https://api.telegram.org",
                secrets=secrets_,
                settings={},
                assessment_ref="DEMO",
            ),
            "init",
        )
    return row.id


async def test_a_slow_account_delays_no_other(office: Office) -> None:
    fast = office.account
    slow = await _second_account(office)
    async with office.db.session() as session:
        office.account = await session.get_one(Account, slow)
    await office.deliveries(office.release(), [f"slow{number}" for number in range(60)])
    office.account = fast
    await office.deliveries(office.release(), [f"fast{number}" for number in range(20)])
    gate = asyncio.Event()

    async def wait(address: str) -> None:
        if address.startswith("slow"):
            await gate.wait()

    office.channel.before = wait
    process = office.process(in_flight=8)
    turn = asyncio.create_task(process.sender.deliver_due())

    def through() -> int:
        return sum(address.startswith("fast") for address, _ in office.channel.sent)

    async with asyncio.timeout(15):
        while through() < 20:  # noqa: ASYNC110  counted by the channel
            await asyncio.sleep(0.02)
        # What comes for the fast one while the slow one still hangs is sent as well.
        await office.deliveries(office.release(), ["fast again"])
        while through() < 21:  # noqa: ASYNC110  counted by the channel
            await asyncio.sleep(0.02)
    assert office.channel.most_open <= 8
    gate.set()
    assert await turn == 81
    assert await _states(office) == {State.PUBLISHED: 81}


async def test_more_accounts_than_places_all_get_their_turn(office: Office) -> None:
    first = office.account
    for number in range(3):
        await office.deliveries(office.release(), [f"{number}"])
    slow = await _second_account(office)
    async with office.db.session() as session:
        office.account = await session.get_one(Account, slow)
    await office.deliveries(office.release(), [f"slow{number}" for number in range(30)])
    office.account = first

    async def wait(address: str) -> None:
        await asyncio.sleep(0.02 if address.startswith("slow") else 0)

    office.channel.before = wait
    assert await office.process(in_flight=2).sender.deliver_due() == 33
    order = [address for address, _ in office.channel.sent]
    assert max(order.index(str(number)) for number in range(3)) < 12
    assert office.channel.most_open <= 2


REFUSED = Outcome(State.HELD, reason="账号凭证失效", code="401", detail={"scope": "account"})


async def test_what_a_refused_credential_held_goes_out_when_the_account_works_again(
    office: Office,
) -> None:
    people = [str(number) for number in range(20)]
    await office.deliveries(office.release(), people)
    office.channel.answers = dict.fromkeys(people, REFUSED)
    process = office.process()
    await process.sender.deliver_due()
    assert await _states(office) == {State.HELD: 20}

    async def again() -> int:
        return await try_refused(office.db, process.sender.send_row, process.sender.resume)

    before = office.channel.calls
    assert await again() == 0  # it is still refused, and was asked once
    assert office.channel.calls == before + 1
    assert await _states(office) == {State.HELD: 20}
    assert len({subject for _, subject, _ in office.incidents}) == 1
    office.channel.answers.clear()
    assert await again() == 19
    assert await process.sender.deliver_due() == 19
    assert await _states(office) == {State.PUBLISHED: 20}
    assert await again() == 0
