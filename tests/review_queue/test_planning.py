"""A day of an account: told before review, held from the approval on, given back by itself."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.contract import State
from bot.models import Account, Publication
from bot.silence import Silence, Stop
from config.clock import now, use_clock_file
from review_queue import drafting, emergencies, publishing, recalling, submitting
from review_queue.collisions import Kind
from review_queue.models import Item
from review_queue.neighbours import collisions_of
from staff.refusal import Refused
from storage.database import new_id
from tests.review_queue.conftest import Office

MORNING = datetime(2027, 3, 1, 2, tzinfo=UTC)  # ten o'clock in Beijing
Move = Callable[[datetime], None]


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Move]:
    file = tmp_path / "clock"

    def at(moment: datetime) -> None:
        file.write_text(str((moment - datetime.now(UTC)).total_seconds()), encoding="ascii")

    at(MORNING)
    use_clock_file(file)
    yield at
    use_clock_file(None)


@pytest.fixture
async def bureau(clock: Move, office: Office) -> Office:
    """Its WeChat account is a service account that sends to all."""
    async with office.queue.db.session() as session:
        row = await session.get_one(Account, "wx")
        row.platform, row.settings = "wechat", {"push": "mass", "kind": "service"}
        row.name = "青禾发布"
    return office


async def sent(office: Office, result: str = "published") -> None:
    """One send as the sender signs it: that it calls, and what came of it."""
    names = {"release": new_id(), "publication": new_id(), "account": "wx", "digest": "d" * 64}
    async with office.queue.ledger.transaction() as tx:
        for kind, more in (
            ("publication.submitted", {"guarded": True}),
            ("publication.finished", {"result": result, "ref": "", "url": ""}),
        ):
            await tx.append(kind, subject="item:other", actor="system", body={**names, **more})


async def hints(office: Office, item: Item, at: datetime | None = None) -> list[str]:
    told = await collisions_of(
        office.queue.db, item.id, office.people["editor"], at, office.queue.quiet
    )
    return [one.words for one in told if one.kind in (Kind.FULL, Kind.SILENT)]


async def window(office: Office, item: Item, start: datetime, end: datetime) -> Item:
    changes: dict[str, Any] = {"not_before": start, "not_after": end}
    me = office.people["editor"]
    return await drafting.edit(office.queue, item.id, me, item.version, changes)


async def refused(office: Office, item: Item, at: datetime | None) -> list[str]:
    with pytest.raises(Refused) as caught:
        await publishing.schedule(office.queue, item.id, office.people["editor"], at)
    return [one.message for one in caught.value.reasons]


async def test_the_fifth_of_a_month_is_warned_before_review_and_refused_at_approval(
    bureau: Office, clock: Move
) -> None:
    for day in range(3):
        clock(MORNING + timedelta(days=day))
        await sent(bureau)
    clock(MORNING + timedelta(days=9))
    free = await bureau.item()
    assert await hints(bureau, free) == []
    fourth = await bureau.approved()
    me = bureau.people["editor"]
    await publishing.schedule(bureau.queue, fourth.id, me, MORNING + timedelta(days=10))
    fifth = await bureau.submitted()
    [told] = await hints(bureau, fifth)
    assert "“青禾发布”在3月10日至3月13日没有群发名额（一天 1 次、一个月 4 次）" in told
    assert "当月已发 3 次、已排 1 次。最早可改到4月1日，请改期或组版合发" in told
    for who in ("reviewer1", "reviewer2"):
        fifth = await bureau.decide(fifth, who)
    with pytest.raises(Refused) as caught:
        await bureau.decide(fifth, "reviewer3")
    [reason] = caught.value.reasons
    assert (reason.rule, "最早可改到4月1日" in reason.message) == ("quota", True)
    async with bureau.queue.db.session() as session:
        assert (await session.get_one(Item, fifth.id)).state == "review"
    # Taken back, the fourth holds its place no longer.
    await recalling.recall(bureau.queue, fourth.id, me, "改为下月发")
    assert (await bureau.decide(fifth, "reviewer3")).state == "approved"


async def test_a_day_that_is_held_is_refused_to_a_second_with_the_next_one_free(
    bureau: Office,
) -> None:
    first, second = await bureau.approved(), await bureau.approved()
    noon = MORNING + timedelta(hours=2)
    me = bureau.people["editor"]
    await publishing.schedule(bureau.queue, first.id, me, noon)
    [told] = await refused(bureau, second, noon + timedelta(hours=3))
    assert "3月1日没有群发名额" in told
    assert "最早可改到3月2日" in told
    row = await publishing.schedule(bureau.queue, second.id, me, noon + timedelta(days=1))
    assert row.state == "scheduled"
    async with bureau.queue.db.session() as session:
        query = select(Publication).where(Publication.item_id == first.id)
        for one in (await session.scalars(query)).all():
            one.reason = "静默时段，到时再发"
    # The first may still be moved within its own day, and not to that of the second.
    await publishing.schedule(bureau.queue, first.id, me, noon + timedelta(hours=1))
    assert await refused(bureau, first, noon + timedelta(days=1))
    async with bureau.queue.db.session() as session:
        assert {one.reason for one in (await session.scalars(query)).all()} == {""}


async def test_what_is_out_elsewhere_holds_its_day_on_the_account_that_waits(
    bureau: Office,
) -> None:
    first, second = await bureau.approved(), await bureau.approved()
    noon, me = MORNING + timedelta(hours=2), bureau.people["editor"]
    await publishing.schedule(bureau.queue, first.id, me, noon)
    async with bureau.queue.db.session() as session:
        query = select(Publication).where(Publication.account_id == "tg")
        row = (await session.scalars(query)).one()
        row.state = State.PUBLISHED
    await publishing.note_publication(bureau.queue, row.id)
    async with bureau.queue.db.session() as session:
        assert (await session.get_one(Item, first.id)).state == "published"
    assert await refused(bureau, second, noon)


async def test_the_articles_of_a_day_hold_one_place_together_until_one_goes_by_itself(
    bureau: Office,
) -> None:
    me, evening = bureau.people["editor"], MORNING.replace(hour=15)
    async with bureau.queue.db.session() as session:
        (await session.get_one(Account, "wx")).settings = {"push": "mass"}
    items = [await window(bureau, await bureau.item(), now(), evening) for _ in range(3)]
    for number, item in enumerate(items):
        submitted = await submitting.submit(bureau.queue, item.id, me, item.version)
        if number == 2:  # before review its editor is told that the day is not its own
            assert "请改期或组版合发" in (await hints(bureau, submitted))[0]
        for who in ("reviewer1", "reviewer2", "reviewer3"):
            submitted = items[number] = await bureau.decide(submitted, who)
    assert [one.state for one in items] == ["approved"] * 3
    # Alone none of them may take the day of the others.
    assert "没有群发名额" in (await refused(bureau, items[0], None))[0]
    for other in items[1:]:
        await recalling.recall(bureau.queue, other.id, me, "不发了")
    await publishing.schedule(bureau.queue, items[0].id, me)


async def test_what_the_platform_refused_gives_its_day_back(bureau: Office) -> None:
    first, second = await bureau.approved(), await bureau.approved()
    noon, me = MORNING + timedelta(hours=2), bureau.people["editor"]
    await publishing.schedule(bureau.queue, first.id, me, noon)
    assert await refused(bureau, second, noon)
    async with bureau.queue.db.session() as session:
        query = select(Publication).where(Publication.account_id == "wx")
        for row in (await session.scalars(query)).all():
            row.state = State.FAILED
    await sent(bureau, "refused")
    await publishing.schedule(bureau.queue, second.id, me, noon)


async def test_an_answer_that_was_lost_keeps_its_day(bureau: Office) -> None:
    second = await bureau.approved()
    async with bureau.queue.ledger.transaction() as tx:
        names = {"release": "r", "publication": "p", "account": "wx", "digest": "d"}
        body = {**names, "guarded": True}
        await tx.append("publication.submitted", subject="item:x", actor="system", body=body)
    noon = MORNING + timedelta(hours=2)
    assert await refused(bureau, second, noon)
    assert not await hints(bureau, second, noon + timedelta(days=1))


async def test_what_is_in_review_is_told_and_holds_nothing(bureau: Office) -> None:
    day = MORNING.replace(hour=15)
    first = await window(bureau, await bureau.item(), now(), day)
    second = await window(bureau, await bureau.item(), now(), day)
    assert await hints(bureau, second) == []
    me = bureau.people["editor"]
    await submitting.submit(bureau.queue, first.id, me, first.version)
    [told] = await hints(bureau, second)
    assert "另有 1 篇在审核" in told


async def test_an_emergency_needs_no_free_day(bureau: Office) -> None:
    await sent(bureau)
    item = await window(bureau, await bureau.item(), now(), MORNING + timedelta(hours=5))
    assert await hints(bureau, item)
    me = bureau.people["editor"]
    item = await emergencies.submit_emergency(bureau.queue, item.id, me, item.version, "暴雨")
    for who in ("reviewer3", "reviewer1"):
        item = await bureau.decide(item, who)
    await publishing.schedule(bureau.queue, item.id, me, MORNING + timedelta(hours=1))


async def test_a_day_of_silence_is_told_before_review_and_nothing_is_planned_into_it(
    bureau: Office,
) -> None:
    stop = Stop(MORNING + timedelta(hours=14), MORNING + timedelta(hours=38), "国家公祭日")

    async def quiet() -> Silence:
        return Silence((stop,))

    bureau.queue = replace(bureau.queue, quiet=quiet)
    item = await bureau.approved()
    [told] = await hints(bureau, item)
    assert told == "发布时限内有静默时段（国家公祭日）到 3月3日 00:00，这段时间不发布"
    inside = stop.start + timedelta(hours=10)
    assert any("请改到这以后" in one for one in await refused(bureau, item, inside))
    assert any("请改到这以后" in one for one in await hints(bureau, item, inside))
    me = bureau.people["editor"]
    await publishing.schedule(bureau.queue, item.id, me, stop.end + timedelta(hours=9))
    short = await window(bureau, await bureau.item(), stop.start, stop.end - timedelta(hours=1))
    assert any("请把最晚发布时间改到这以后" in one for one in await hints(bureau, short))


async def test_a_limited_item_holds_its_day_and_is_not_named(bureau: Office) -> None:
    first, second = await bureau.approved(), await bureau.approved()
    noon = MORNING + timedelta(hours=2)
    await publishing.schedule(bureau.queue, first.id, bureau.people["editor"], noon)
    async with bureau.queue.db.session() as session:
        row = await session.get_one(Item, first.id)
        row.confined, row.scope = True, f" {bureau.people['reviewer1']} "
    told = await refused(bureau, second, noon)
    assert told
    assert not any(first.title in one for one in told)


@pytest.mark.parametrize(("kind", "free"), [("service", True), ("subscription", False)])
async def test_what_goes_to_an_audience_takes_a_day_of_a_subscription_account_alone(
    bureau: Office, kind: str, *, free: bool
) -> None:
    async with bureau.queue.db.session() as session:
        row = await session.get_one(Account, "wx")
        row.settings = {"push": "targeted", "kind": kind}
    await sent(bureau)
    start = MORNING + timedelta(hours=1)
    me = bureau.people["editor"]
    for audience, full in ((None, True), ({"topics": ["employment"]}, not free)):
        item = await window(bureau, await bureau.item("日常"), start, start + timedelta(hours=4))
        changes: dict[str, Any] = {"audience": audience}
        item = await drafting.edit(bureau.queue, item.id, me, item.version, changes)
        assert bool(await hints(bureau, item)) is full
