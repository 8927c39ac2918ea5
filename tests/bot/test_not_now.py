"""Numbers that are used up and days of silence: held before the call, and let go by themselves."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.account_entries import sign_account
from bot.contract import Release, State
from bot.delivery.confirming import waiting_for
from bot.delivery.not_now import no_room
from bot.delivery.settling import settle_publication
from bot.delivery.spent import spent
from bot.delivery.wiring import Wiring
from bot.models import Account, CallCount, Delivery, Publication
from bot.silence import Silence, Stop
from bot.wechat.channel import WeChatChannel
from config.clock import now, use_clock_file
from staff.people import Person, set_staff
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Database
from tests.bot.conftest import AES_KEY, Office, Platforms, Process

SECRETS = {"appid": "wxqinghe", "secret": "s", "token": "t", "aes_key": AES_KEY}
MORNING = datetime(2027, 3, 2, 2, tzinfo=UTC)  # ten o'clock in Beijing


def move(clock: Path, moment: datetime) -> float:
    """Set the office's clock; the seconds it is ahead of the machine's."""
    seconds = (moment - datetime.now(UTC)).total_seconds()
    clock.write_text(str(seconds), encoding="ascii")
    return seconds


class Bureau:
    """A service account that sends to all, with one clock for the office and its platform."""

    def __init__(self, office: Office, platforms: Platforms, clock: Path) -> None:
        self.office, self.platforms, self.clock = office, platforms, clock
        self.quiet = Silence()

    async def at(self, moment: datetime) -> None:
        seconds = move(self.clock, moment)
        await self.platforms.control("clock", offset_seconds=seconds)

    def process(self) -> Process:
        office = self.office

        async def quiet() -> Silence:
            return self.quiet

        return Process(
            Wiring(
                office.db,
                office.ledger,
                office.contacts,
                {office.channel.platform: office.channel},
                office.verify,
                office.accounts.open,
                on_incident=office.incident,
                load_media=no_pictures,
                quiet=quiet,
            )
        )

    def release(self, **changes: Any) -> Release:
        made = replace(self.office.release(title=str(len(self.office.releases))), **changes)
        self.office.releases[made.id] = made
        return made

    async def planned(self, **changes: Any) -> str:
        return await self.office.publication(self.release(**changes))

    async def row(self, key: str) -> Publication:
        row: Publication = await self.office.row(Publication, key)
        return row

    async def sent(self, key: str, process: Process | None = None) -> Publication:
        """The row after one turn, and after the platform has told its end."""
        own = process or self.process()
        await own.publisher.publish_due()
        for _ in range(1000):
            row = await self.row(key)
            if row.state != State.SUBMITTED:
                return row
            await own.publisher.settle_due()
            async with self.office.db.session() as session:
                (await session.get_one(Publication, key)).next_at = now()
            await asyncio.sleep(0.02)
        return await self.row(key)

    async def calls(self, method: str) -> int:
        found = await self.platforms.seen("requests", method=method, count="1")
        return int(found["count"])


async def no_pictures(marker: str) -> tuple[bytes, str]:
    raise LookupError(marker)


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "clock"
    use_clock_file(file)
    yield file
    use_clock_file(None)


@pytest.fixture
async def bureau(db: Database, crypt: DataKey, platforms: Platforms, clock: Path) -> Bureau:
    channel = WeChatChannel(MemoryCache(), platforms.hosts)
    office = Office(db, crypt, channel, platforms.hosts)
    made = Bureau(office, platforms, clock)
    await made.at(MORNING)
    base = f"{platforms.url}/wechat"
    await office.open("wechat", base, SECRETS, settings={"push": "mass", "kind": "service"})
    await platforms.control("accounts", platform="wechat", kind="service", **SECRETS)
    await platforms.control("limits", result_delay=0.01)
    return made


async def test_the_fifth_of_a_month_is_held_before_the_call_and_goes_with_the_next_month(
    bureau: Bureau,
) -> None:
    for day in range(4):
        await bureau.at(MORNING + timedelta(days=day))
        assert (await bureau.sent(await bureau.planned())).state == State.PUBLISHED
    await bureau.at(MORNING + timedelta(days=4))
    fifth = await bureau.planned(not_after=MORNING + timedelta(days=60))
    row = await bureau.sent(fifth)
    assert (row.state, row.attempts) == (State.CREATED, 0)
    assert row.reason == "本月群发 4 次已用完，最早 4月1日 00:00 再发"
    assert row.next_at is not None
    first = datetime(2027, 3, 31, 16, tzinfo=UTC)
    assert first <= row.next_at <= first + timedelta(seconds=2)
    assert await bureau.calls("message/mass/sendall") == 4
    assert bureau.office.incidents == []
    await bureau.at(first + timedelta(hours=9))
    assert (await bureau.sent(fifth)).state == State.PUBLISHED


async def test_what_has_no_place_before_its_window_ends_asks_its_editor(bureau: Bureau) -> None:
    assert (await bureau.sent(await bureau.planned())).state == State.PUBLISHED
    second = await bureau.planned()
    row = await bureau.sent(second)
    assert row.state == State.HELD
    assert "今天群发 1 次已用完" in row.reason
    assert "晚于审核通过的最晚发布时间" in row.reason
    [(kind, _, message)] = bureau.office.incidents
    assert kind == "publication_failed"
    assert "改期后重新送审" in message


async def test_a_refused_send_gives_its_place_back_and_an_unknown_one_keeps_it(
    bureau: Bureau,
) -> None:
    account = bureau.office.account
    await bureau.platforms.control(
        "faults", platform="wechat", kind="mass_status", status="err(20013)"
    )
    failed = await bureau.sent(await bureau.planned())
    assert failed.state == State.FAILED
    assert await spent(bureau.office.ledger, account.id) == []
    await bureau.platforms.control(
        "faults", platform="wechat", kind="error500", method="message/mass/sendall", count=9
    )
    unsure = await bureau.planned(not_after=MORNING + timedelta(days=9))
    row = await bureau.sent(unsure)
    assert (row.state, row.attempts) == (State.RETRYING, 1)
    assert len(await spent(bureau.office.ledger, account.id)) == 1
    other = await bureau.sent(await bureau.planned(not_after=MORNING + timedelta(days=9)))
    assert other.state == State.CREATED
    assert "今天群发 1 次已用完" in other.reason
    # Its own place it does not wait for.
    await bureau.platforms.http.delete(f"{bureau.platforms.url}/_control/faults")
    await bureau.at(MORNING + timedelta(minutes=5))
    assert (await bureau.sent(unsure)).state == State.PUBLISHED


async def test_a_person_who_saw_that_it_is_not_out_gives_the_place_back(bureau: Bureau) -> None:
    office = bureau.office
    release = bureau.release()
    key = await office.publication(release)
    names = {"publication": key, "release": release.id, "account": office.account.id}
    async with office.ledger.transaction() as tx:
        me = await set_staff(tx, Person("bianji", "李雪", ("editor",), "-"), "init")
        body = {**names, "digest": release.digest, "guarded": False}
        subject = f"item:{release.item_id}"
        await tx.append("publication.submitted", subject=subject, actor="system", body=body)
        (await tx.session.get_one(Publication, key)).state = State.UNKNOWN
    assert len(await spent(office.ledger, office.account.id)) == 1

    async def nobody(publication_id: str) -> None:
        return None

    await settle_publication(office.ledger, key, me.id, "no", on_publication=nobody)
    assert await spent(office.ledger, office.account.id) == []


async def test_two_that_want_the_last_place_at_once_get_one(bureau: Bureau) -> None:
    keys = [await bureau.planned(not_after=MORNING + timedelta(days=9)) for _ in range(2)]
    processes = [bureau.process(), bureau.process()]
    await asyncio.gather(*(one.publisher.publish_due() for one in processes))
    states = sorted([(await bureau.row(key)).state for key in keys])
    assert states == [State.CREATED, State.SUBMITTED]
    assert await bureau.calls("message/mass/sendall") == 1


async def test_calls_are_counted_by_name_and_the_last_of_a_day_holds_the_next(
    bureau: Bureau,
) -> None:
    office = bureau.office
    assert (await bureau.sent(await bureau.planned())).state == State.PUBLISHED
    async with office.db.session() as session:
        row = await session.get_one(CallCount, (office.account.id, "2027-03-02", "draft/add"))
        assert row.count == await bureau.calls("draft/add") == 1
        row.count = 1000
    await bureau.at(MORNING + timedelta(hours=2))
    view = await office.accounts.open(office.account.id)
    shut = await no_room(bureau.process().publisher._w, view)
    assert shut is not None
    assert shut.limit.call in ("draft/add", "send")
    await bureau.at(MORNING + timedelta(days=1))
    async with office.db.session() as session:
        session.add(CallCount(account_id=office.account.id, day="2027-03-03", call="draft/add"))
        if office.db.engine.dialect.name == "sqlite":  # what it takes for a number, others refuse
            await session.flush()
            await session.execute(text("UPDATE call_count SET count = '很多'"))
    assert (await bureau.sent(await bureau.planned())).state == State.PUBLISHED


async def test_nobody_asks_a_ninety_first_time_what_became_of_a_publication(
    db: Database, crypt: DataKey, platforms: Platforms, clock: Path
) -> None:
    channel = WeChatChannel(MemoryCache(), platforms.hosts)
    office = Office(db, crypt, channel, platforms.hosts)
    bureau = Bureau(office, platforms, clock)
    await bureau.at(MORNING)
    await office.open("wechat", f"{platforms.url}/wechat", SECRETS)
    await platforms.control("accounts", platform="wechat", kind="service", **SECRETS)
    await platforms.control("limits", result_delay=600)
    key = await bureau.planned()
    process = bureau.process()
    await process.publisher.publish_due()
    async with db.session() as session:
        row = CallCount(account_id=office.account.id, day="2027-03-02", call="freepublish/get")
        row.count = 90
        session.add(row)
        (await session.get_one(Publication, key)).next_at = now()
    await process.publisher.settle_due()
    assert await bureau.calls("freepublish/get") == 0
    row_now = await bureau.row(key)
    assert row_now.next_at == datetime(2027, 3, 2, 16, tzinfo=UTC)


# --- silence ------------------------------------------------------------------------------

ALL_DAY = Stop(MORNING - timedelta(hours=10), MORNING + timedelta(hours=14), "国家公祭日")


async def test_a_day_of_silence_holds_what_was_planned_and_lets_it_go_after(
    bureau: Bureau,
) -> None:
    bureau.quiet = Silence((ALL_DAY,))
    key = await bureau.planned(not_after=MORNING + timedelta(days=3))
    row = await bureau.sent(key)
    assert (row.state, row.attempts) == (State.CREATED, 0)
    assert row.reason == "静默时段（国家公祭日）到 3月3日 00:00，到时再发"
    assert await bureau.calls("draft/add") == 0
    urgent = await bureau.sent(await bureau.planned(urgent=True))
    assert urgent.state == State.PUBLISHED
    await bureau.at(ALL_DAY.end + timedelta(hours=9))
    assert (await bureau.sent(key)).state == State.PUBLISHED


async def test_a_push_waits_out_the_silence_and_every_message_goes_once(
    office: Office, clock: Path
) -> None:
    move(clock, MORNING)
    quiet = Silence((ALL_DAY,))

    async def in_force() -> Silence:
        return quiet

    process = office.process()
    wiring = replace(process.publisher._w, quiet=in_force)
    process = Process(wiring)
    release = office.release()
    office.releases[release.id] = replace(release, not_after=MORNING + timedelta(days=3))
    [key] = await office.deliveries(release, ["7"])
    await process.sender.deliver_due()
    row = await office.row(Delivery, key)
    assert (row.state, row.attempts) == (State.RETRYING, 0)
    assert row.why == "静默时段（国家公祭日）到 3月3日 00:00，到时再推送"
    assert row.next_at >= ALL_DAY.end
    assert office.channel.calls == 0
    urgent = replace(office.release(), urgent=True)
    office.releases[urgent.id] = urgent
    await office.deliveries(urgent, ["8"])
    await process.sender.deliver_due()
    assert [address for address, _ in office.channel.sent] == ["8"]
    move(clock, ALL_DAY.end + timedelta(hours=9))
    process = Process(wiring)
    await process.sender.deliver_due()
    assert [address for address, _ in office.channel.sent] == ["8", "7"]
    assert (await office.row(Delivery, key)).state == State.PUBLISHED


def test_whom_the_platform_asks_is_said_by_the_account() -> None:
    told = WeChatChannel.confirmed_by
    assert told({"push": "mass", "protected": "王主任，内线 6012"}) == "王主任，内线 6012"
    assert told({"push": "mass", "protected": True}) == "公众号管理员"
    assert told({"push": "mass"}) == told({"protected": True}) == ""


# --- 群发保护 -----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["yes", "no", "nobody"])
async def test_a_protected_send_waits_for_its_administrator_and_ends_as_the_platform_says(
    bureau: Bureau, answer: str
) -> None:
    office = bureau.office
    await bureau.platforms.control("confirm_mass", account="wxqinghe", protected=True)
    async with office.ledger.transaction() as tx:
        row = await tx.session.get_one(Account, office.account.id)
        row.settings = {**row.settings, "protected": "王主任，内线 6012"}
        await tx.session.flush()
        await sign_account(tx, row, "init")
    key = await bureau.planned(not_after=MORNING + timedelta(days=9))
    process = bureau.process()
    await process.publisher.publish_due()
    sent = await bureau.row(key)
    told = waiting_for(sent, "wechat", row.settings)
    assert told is not None
    assert told.who == "王主任，内线 6012"
    assert timedelta(minutes=29) < told.until - MORNING < timedelta(minutes=31)
    assert await spent(office.ledger, office.account.id), "it has its place while it waits"
    if answer == "nobody":
        # Asked the last time long before, it is asked again as soon as the time is over.
        await bureau.at(MORNING + timedelta(minutes=20))
        await process.publisher.settle_due()
        next_at = (await bureau.row(key)).next_at
        assert next_at is not None
        assert next_at <= told.until + timedelta(seconds=5)
        await bureau.at(told.until + timedelta(minutes=1))
        await asyncio.sleep(0.2)
    else:
        allowed = answer == "yes"
        await bureau.platforms.control("confirm_mass", account="wxqinghe", allowed=allowed)
    ended = await bureau.sent(key, process)
    if answer == "yes":
        assert ended.state == State.PUBLISHED
        return
    assert ended.state == State.FAILED
    assert not await spent(office.ledger, office.account.id)
    [(kind, _, message)] = office.incidents
    assert kind == "publication_failed"
    if answer == "nobody":
        assert "王主任，内线 6012 30 分钟内没有确认。请约好时间后重新发送" in message
