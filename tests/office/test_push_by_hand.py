"""What a person decides about who lacks a push: in bulk, and never twice to who may have it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.models import Delivery, Publication
from demo.cast import TELEGRAM_ID
from staff.refusal import Refused
from subscriptions.again import (
    RISK,
    Choice,
    Decided,
    Ended,
    choose,
    people,
    send_to_lacking,
)
from tests.office.both import Both, both
from tests.office.pushed import readers, signed

TITLE = "周末招聘会安排"


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        await made.talk.post("limits", telegram=False)
        yield made


async def place_of(town: Both) -> Publication:
    """The publication on Telegram."""
    async with town.talk.shenfa.db.session() as session:
        query = select(Publication).join(Delivery, Delivery.publication_id == Publication.id)
        return (await session.scalars(query.limit(1))).one()


async def got(town: Both, citizens: list[str]) -> list[int]:
    """How often each of them has the push."""
    address = f"{town.talk.control}/messages?account={TELEGRAM_ID}&all=1"
    async with town.talk.http.get(address) as answer:
        rows = (await answer.json())["messages"]
    return [sum(TITLE in str(row["text"]) for row in rows.get(one, [])) for one in citizens]


async def reasons(town: Both, place: Publication) -> dict[tuple[str, str], int]:
    """State and code of everybody who has it not, counted."""
    async with town.talk.shenfa.db.session() as session:
        listed = await people(session, place.id)
    return {(one.ended.state, one.ended.code): one.count for one in listed}


async def test_a_push_that_failed_in_part_is_sent_to_who_lacks_it_and_twice_to_nobody(
    town: Both,
) -> None:
    citizens = await readers(town, 12)
    await town.publish(TITLE)
    shenfa, editor = town.talk.shenfa, town.talk.people["editor"]
    place = await place_of(town)
    for kind, count in (("refuse", 3), ("drop_answer", 2)):
        plan = {"platform": "telegram", "method": "sendMessage", "count": count}
        if kind == "refuse":
            plan |= {"code": 400, "description": "Bad Request: message is too long"}
        await town.talk.post("faults", kind=kind, **plan)
        await shenfa.sender.deliver_due(count)
    await town.deliver()
    await shenfa.pusher.finish_due()
    assert await reasons(town, place) == {("unknown", "no_answer"): 2, ("failed", "too_long"): 3}
    late = await readers(town, 1)  # subscribed afterwards: this one lacks nothing
    with pytest.raises(Refused, match="角色"):
        await send_to_lacking(
            shenfa.queue, shenfa.matching, place.id, town.talk.people["reviewer1"]
        )
    assert await send_to_lacking(shenfa.queue, shenfa.matching, place.id, editor) == 3
    await town.deliver()
    assert await got(town, [*citizens, *late]) == [1] * 12 + [0]
    assert await reasons(town, place) == {("unknown", "no_answer"): 2}
    with pytest.raises(Refused, match="没有还缺"):
        await send_to_lacking(shenfa.queue, shenfa.matching, place.id, editor)
    told = await signed(town, "push.again", f"item:{place.item_id}")
    assert [(one["which"], one["rows"]) for one in told] == [("lacking", 3)]
    assert {one["digest"] for one in told} == {place.digest}
    assert not [one for one in await town.talk.incidents() if one[0] == "row_changed"]


async def test_an_unknown_one_is_sent_again_only_by_who_says_that_somebody_may_get_it_twice(
    town: Both,
) -> None:
    citizens = await readers(town, 3)
    await town.publish(TITLE)
    shenfa, editor = town.talk.shenfa, town.talk.people["editor"]
    place = await place_of(town)
    plan = {"platform": "telegram", "method": "sendMessage", "kind": "drop_answer", "count": 2}
    await town.talk.post("faults", **plan)
    await town.deliver()
    await shenfa.pusher.finish_due()
    unknown = Ended("unknown", code="no_answer")
    for words in ("", "我已核对"):
        with pytest.raises(Refused, match="照抄"):
            await choose(shenfa.queue, place.id, editor, Decided(unknown, Choice.RISK, words))
    with pytest.raises(Refused, match="不能这样选"):
        await choose(shenfa.queue, place.id, editor, Decided(unknown, Choice.AGAIN))
    assert await choose(shenfa.queue, place.id, editor, Decided(unknown, Choice.LEAVE)) == 2
    assert await reasons(town, place) == {("unknown", "seen"): 2}
    seen = Ended("unknown", code="seen")
    assert await choose(shenfa.queue, place.id, editor, Decided(seen, Choice.RISK, RISK)) == 2
    await town.deliver()
    # They had it already: that is the risk somebody took, in words the ledger commits to.
    assert sorted(await got(town, citizens)) == [1, 2, 2]
    (told,) = await signed(town, "push.again", f"item:{place.item_id}")
    assert (told["which"], told["rows"], len(told["reason"])) == ("risk", 2, 64)
    assert RISK not in str(told)


async def test_what_is_held_is_sent_again_or_given_up_and_a_stop_still_holds(town: Both) -> None:
    citizens = await readers(town, 4)
    await town.publish(TITLE)
    shenfa, editor = town.talk.shenfa, town.talk.people["editor"]
    place = await place_of(town)
    async with shenfa.db.session() as session:
        for row in await session.scalars(
            select(Delivery).where(Delivery.publication_id == place.id)
        ):
            row.state, row.hold, row.code, row.why = "held", "release", "release", "核验没有通过"
    await shenfa.pusher.finish_due()
    held = Ended("held", "release", "release")
    assert await choose(shenfa.queue, place.id, editor, Decided(held, Choice.AGAIN)) == 4
    assert await shenfa.sender.deliver_due(2) == 2
    async with shenfa.db.session() as session:
        for row in await session.scalars(
            select(Delivery).where(Delivery.publication_id == place.id, Delivery.state == "created")
        ):
            row.state, row.hold, row.code, row.why = "held", "release", "release", "核验没有通过"
    with pytest.raises(Refused, match="写明"):
        await choose(shenfa.queue, place.id, editor, Decided(held, Choice.GIVE_UP))
    give_up = Decided(held, Choice.GIVE_UP, "时间已过")
    assert await choose(shenfa.queue, place.id, editor, give_up) == 2
    await town.deliver()
    assert sorted(await got(town, citizens)) == [0, 0, 1, 1]
    async with shenfa.db.session() as session:
        query = select(Delivery.state, func.count()).group_by(Delivery.state)
        found = dict((await session.execute(query)).all())
    assert found == {"published": 2, "ended": 2}
