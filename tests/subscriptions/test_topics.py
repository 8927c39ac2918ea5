"""Topics as numbers: reach, growth, silence and why people leave; lists that get nothing."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.models import Account, Contact, Delivery
from config.clock import now
from facets.taxonomy import parse_taxonomy, starting_taxonomy
from review_queue.models import Revision
from storage.database import Database, new_id
from subscriptions.audit import Fault, Found, audited
from subscriptions.departures import HOW, masked, note, said
from subscriptions.figures import Pushed, Topic, by_day, left_after, pushed, topics_of
from subscriptions.models import LeaveCount, Subscription
from subscriptions.subscribers import Wish
from tests.subscriptions.conftest import Town
from tests.subscriptions.test_push import publication


@pytest.fixture
async def place(database: Database) -> Town:
    return await Town(database).open()


async def push(place: Town, audience: dict[str, list[str]], days: int = 0) -> None:
    """A push of an approved text, so many days ago."""
    row, key = await publication(place, release=new_id()), new_id()
    async with place.db.session() as session:
        moment = now() - timedelta(days=days)
        held = await session.merge(row)
        held.digest, held.pushed_at = key, moment
        text = json.dumps({"audience": audience})
        session.add(
            Revision(
                id=new_id(), item_id=new_id(), number=1, digest=key, canonical=text, editor_id="e",
                created_at=moment,
            )
        )  # fmt: skip


async def topics(place: Town) -> dict[str, Topic]:
    async with place.db.session() as session:
        found = await topics_of(session, starting_taxonomy(), await pushed(session))
    return {one.key: one for one in found}


async def faults(place: Town, pushes: list[Pushed] | None = None) -> list[Found]:
    async with place.db.session() as session:
        found = await pushed(session) if pushes is None else pushes
        return await audited(session, starting_taxonomy(), found)


async def older(place: Town, days: int) -> None:
    async with place.db.session() as session:
        moment = now() - timedelta(days=days)
        await session.execute(update(Subscription).values(created_at=moment))


async def leave(place: Town, person: Contact, how: str) -> None:
    async with place.ledger.transaction() as tx:
        rows = await place.subscribers.list(tx.session, person.id)
        await place.subscribers.leave_all(tx, person.id)
        await note(tx.session, rows, how)


async def test_a_topic_has_its_people_its_growth_and_the_day_of_its_last_push(place: Town) -> None:
    await place.citizen(Wish("employment"), Wish("employment", "graduates"))
    await place.citizen(Wish("recruitment"), state="ended")
    gone = await place.citizen(Wish("employment"))
    await leave(place, gone, "many")
    await push(place, {"topics": ["recruitment"], "groups": ["graduates"]}, days=3)
    await push(place, {"topics": ["consumption"]}, days=91)
    found = await topics(place)
    jobs = found["employment"]
    assert (jobs.people, jobs.unreachable, jobs.began, jobs.left) == (1, 0, 3, 1)
    assert (jobs.silent, jobs.reasons) == (3, {"many": 1})
    assert (found["recruitment"].people, found["recruitment"].unreachable) == (0, 1)
    assert found["consumption"].silent is None
    assert "buyer_rights" not in found
    async with place.db.session() as session:
        days = await by_day(session)
    assert (len(days), days[-1].began, days[-1].left) == (30, 4, 1)
    assert sum(one.began for one in days) == 4


async def test_what_began_before_a_month_is_no_growth(place: Town) -> None:
    await place.citizen(Wish("employment"))
    await older(place, 31)
    found = await topics(place)
    assert (found["employment"].people, found["employment"].began) == (1, 0)


async def test_who_is_forgotten_is_counted_and_leaves_no_trace_of_themselves(place: Town) -> None:
    person = await place.citizen(Wish("employment"))
    async with place.ledger.transaction() as tx:
        await note(tx.session, await place.subscribers.list(tx.session, person.id), "forgotten")
        await place.subscribers.erase(tx, person.id)
    found = await topics(place)
    assert (found["employment"].left, found["employment"].reasons) == (1, {"forgotten": 1})
    async with place.db.session() as session:
        row = (await session.scalars(select(LeaveCount))).one()
    assert person.id not in str(vars(row))
    assert person.subject_ref not in str(vars(row))


async def test_leaving_after_a_push_is_counted_with_it_for_a_week(place: Town) -> None:
    soon, late = [await place.citizen(Wish("employment")) for _ in range(2)]
    out = await publication(place, release="r9")
    async with place.db.session() as session:
        for person, days in ((soon, 6), (late, 8)):
            session.add(
                Delivery(
                    id=new_id(), content_key="r9", release_id="r9", publication_id=out.id,
                    account_id="tg", contact_id=person.id, reason="", state="published",
                    created_at=now(), finished_at=now() - timedelta(days=days),
                )
            )  # fmt: skip
    await leave(place, soon, "disturbed")
    await leave(place, late, "useless")
    async with place.db.session() as session:
        assert await left_after(session, out.item_id) == {"disturbed": 1}


@pytest.mark.parametrize(
    ("words", "how"),
    [
        ("退订", "word"),
        ("别再发了，太烦人", "disturbed"),
        ("天天发，全部取消", "many"),
        ("没用，退订", "useless"),
    ],
)
def test_the_words_of_leaving_are_kept_as_one_of_a_few_kinds(words: str, how: str) -> None:
    assert said(words) == how
    assert how in HOW


def test_fewer_than_five_are_not_told_as_a_number() -> None:
    assert [masked(number) for number in (0, 1, 4, 5)] == ["0", "不足 5", "不足 5", "5"]


async def test_the_audit_names_what_can_never_come_and_what_has_long_been_silent(
    place: Town,
) -> None:
    await place.citizen(Wish("employment", "graduates"))
    await place.citizen(Wish("health"), account="wx")
    await place.citizen(Wish("housing"), state="ended")
    await place.citizen(Wish("culture"))
    await push(place, {"topics": ["employment"]})
    async with place.db.session() as session:
        held = await session.get_one(Account, "wx")
        held.settings = {"push": "mass"}
        await session.execute(
            update(Subscription).where(Subscription.topic == "culture").values(topic="no_more")
        )
    found = {one.asked: one for one in await faults(place)}
    assert {one.fault for one in found.values()} == {Fault.NEVER}
    assert {asked: one.why.split("：")[0] for asked, one in found.items()} == {
        "（已取消的选项）": "主题已不在分类里，没有稿件能标上它",
        "住房": "这些人都已取消关注或不能再联系",
        "医疗卫生": "这个账号用群发，不逐人推送",
    }


async def test_a_list_on_an_unused_facet_is_named_and_after_90_days_called_silent(
    place: Town,
) -> None:
    await place.citizen(Wish("employment", "veterans"), Wish("employment", "graduates"))
    await push(place, {"topics": ["employment"], "groups": ["graduates"]})
    (one,) = await faults(place)
    assert (one.fault, one.asked, one.people) == (Fault.UNUSED, "就业创业、人群 退役军人", 1)
    await older(place, 91)
    (one,) = await faults(place)
    assert one.fault is Fault.SILENT
    await push(place, {"topics": ["recruitment"], "groups": ["veterans"]})
    assert await faults(place) == []


async def test_a_list_whose_group_is_gone_gets_only_what_is_for_every_group(place: Town) -> None:
    await place.citizen(Wish("employment"))
    async with place.db.session() as session:
        await session.execute(update(Subscription).values(group="no_more"))
    (one,) = await faults(place, [Pushed("tg", now(), {"topics": ["employment"]})])
    assert (one.fault, one.asked) == (Fault.LESS, "就业创业、人群 （已取消的选项）")


async def test_a_renamed_topic_counts_as_what_it_is_now(place: Town) -> None:
    await place.citizen(Wish("employment"))
    values = {"work": {"label": "工作", "was": ["employment"]}}
    names = ("topics", "groups", "regions", "industries", "kinds")
    empty = {name: {"label": name, "values": {}} for name in names}
    now_is = parse_taxonomy({"dimensions": empty | {"topics": {"label": "主题", "values": values}}})
    async with place.db.session() as session:
        (one,) = await topics_of(session, now_is, [])
        assert (one.label, one.people) == ("工作", 1)
        push = Pushed("tg", now(), {"topics": ["employment"]})
        assert await audited(session, now_is, [push]) == []
