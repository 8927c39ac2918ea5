"""Subscriptions follow a changed taxonomy: once, whole, and whatever is killed meanwhile."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import yaml
from sqlalchemy import delete, insert, select

import subscriptions.moving as moving
from bot.models import Contact, Delivery
from config.settings import CONFIG
from facets.taxonomy import parse_taxonomy
from staff.proposals import INIT, Approval
from staff.settings import Part, SignedSettings, store_setting
from storage.database import Database, new_id
from subscriptions.matching import Matching
from subscriptions.models import Subscription
from subscriptions.moving import FINISHED, MOVED, SUBJECT, move_due
from subscriptions.subscribers import CONSENT_VERSION, Subscribers, Wish
from tests.subscriptions.conftest import Town
from tests.subscriptions.test_proof import WISHES, row_of
from tests.subscriptions.test_push import publication, released

STARTING = yaml.safe_load((CONFIG / "taxonomy.yaml").read_text(encoding="utf-8"))


def text_with(changes: Mapping[str, dict[str, Any]]) -> str:
    """The starting taxonomy without the topics these carry on, and with them."""
    gone = {old for value in changes.values() for old in value["was"]}
    whole = yaml.safe_load(yaml.safe_dump(STARTING))
    topics = whole["dimensions"]["topics"]["values"]
    whole["dimensions"]["topics"]["values"] = {
        **{key: value for key, value in topics.items() if key not in gone},
        **changes,
    }
    return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False)


RENAMED = {"skills": {"label": "技能提升", "parent": "employment", "was": ["job_training"]}}
MERGED = {
    "work": {"label": "培训招聘", "parent": "employment", "was": ["job_training", "recruitment"]}
}
SPLIT = {
    "online": {"label": "网上培训", "parent": "employment", "was": ["job_training"]},
    "class": {"label": "培训班", "parent": "employment", "was": ["job_training"]},
}


class Changing:
    """A town whose taxonomy two people change."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.signed = SignedSettings(
            town.ledger, [Part("taxonomy", "分类", parse_taxonomy, "暂停订阅")]
        )

    async def approve(self, changes: Mapping[str, dict[str, Any]], version: int = 1) -> None:
        async with self.town.ledger.transaction() as tx:
            approval = Approval(0, None, INIT, INIT)
            await store_setting(tx, "taxonomy", version, text_with(changes), approval)
        await self.signed.refresh()

    async def move(self) -> int:
        return await move_due(self.town.ledger, self.signed)

    async def reached(self, topic: str) -> set[str]:
        """Who gets a row of a push that is approved for a topic, and each of them one."""
        key = new_id()
        out = await publication(self.town, release=key)
        matching = Matching(self.signed.held("taxonomy"))
        await matching.create_deliveries(self.town.db, out, released({"topics": [topic]}, key))
        async with self.town.db.session() as session:
            query = select(Delivery.contact_id).where(Delivery.release_id == key)
            found = (await session.scalars(query)).all()
        assert len(found) == len(set(found))
        return set(found)

    async def own(self, contact: Contact) -> list[str]:
        """What the citizen sees of theirs."""
        subs = Subscribers(self.signed.held("taxonomy"))
        async with self.town.db.session() as session:
            return [subs.words(row) for row in await subs.list(session, contact.id)]

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        return [(one.kind, one.body) for one in await self.town.ledger.facts(SUBJECT)]


@pytest.fixture
async def place(database: Database, monkeypatch: pytest.MonkeyPatch) -> Changing:
    monkeypatch.setattr(moving, "SETTLED", timedelta(0))
    return Changing(await Town(database).open())


async def test_a_renamed_topic_takes_its_subscriptions_along(place: Changing) -> None:
    trains = await place.town.citizen(Wish("job_training", frequency="weekly"))
    buys = await place.town.citizen(Wish("consumption"))
    await place.approve(RENAMED)
    # From the moment it is in force nobody misses anything, under either name.
    assert await place.reached("skills") == {trains.id}
    assert await place.move() == 1
    assert (await row_of(place.town, trains))["topic"] == "skills"
    assert await place.own(trains) == ["技能提升（每周）"]
    assert await place.own(buys) == ["促进消费（即时）"]
    assert await place.reached("skills") == await place.reached("job_training") == {trains.id}
    body = {"version": 1, "people": 1, "rows": 1, "joined": 0}
    assert await place.told() == [(MOVED, body), (FINISHED, body)]
    assert await place.move() == 0
    assert len(await place.told()) == 2


async def test_merged_topics_are_one_subscription_served_as_the_soonest_was(
    place: Changing,
) -> None:
    both = await place.town.citizen(
        Wish("job_training", frequency="weekly"), Wish("recruitment"), Wish("consumption")
    )
    await place.approve(MERGED)
    assert await place.reached("work") == {both.id}
    assert await place.move() == 1
    assert await place.own(both) == ["培训招聘（即时）", "促进消费（即时）"]
    assert await place.reached("work") == {both.id}
    assert (await place.told())[-1][1] == {"version": 1, "people": 1, "rows": 2, "joined": 1}


async def test_a_split_topic_stays_whole_for_who_had_it_until_they_choose(place: Changing) -> None:
    person = await place.town.citizen(Wish("job_training", "graduates"))
    await place.approve(SPLIT)
    assert await place.move() == 0
    assert await place.own(person) == ["网上培训或培训班、人群 高校毕业生（即时）"]
    for topic in ("online", "class", "job_training", "employment"):
        assert await place.reached(topic) == {person.id}
    subs = Subscribers(place.signed.held("taxonomy"))
    async with place.town.ledger.transaction() as tx:
        (row,) = await subs.list(tx.session, person.id)
        await subs.narrow(tx, person.id, row.id, Wish("class", "graduates"))
    assert await place.reached("class") == {person.id}
    assert await place.reached("online") == set()


async def test_what_was_moved_brings_no_older_row_back_and_believes_no_forged_one(
    place: Changing,
) -> None:
    person, stranger = await place.town.citizen(Wish("job_training")), await place.town.citizen()
    before = await row_of(place.town, person)
    async with place.town.db.session() as session:
        forged = before | {"id": new_id(), "contact_id": stranger.id}
        await session.execute(insert(WISHES).values(forged))
    await place.approve(RENAMED)
    assert await place.move() == 1
    assert (await row_of(place.town, stranger))["topic"] == "job_training"
    assert await place.reached("skills") == {person.id}
    async with place.town.db.session() as session:
        await session.execute(delete(WISHES).where(WISHES.c.contact_id == person.id))
        await session.execute(insert(WISHES).values(before))
    assert await place.reached("skills") == set()


async def test_a_move_that_is_killed_goes_on_where_it_was_and_counts_everybody_once(
    place: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [await place.town.citizen(Wish("job_training"), Wish("recruitment")) for _ in range(5)]
    await place.approve(MERGED)
    monkeypatch.setattr(moving, "BATCH", 2)
    move, turns = moving._move, []

    async def dies(*args: Any) -> int:
        moved = await move(*args)
        turns.append(moved)
        if len(turns) == 2:  # after the rows of the second batch, before they are committed
            raise KeyboardInterrupt
        return moved

    monkeypatch.setattr(moving, "_move", dies)
    with pytest.raises(KeyboardInterrupt):
        await place.move()
    assert await place.reached("work") == {one.id for one in people}
    assert [kind for kind, _ in await place.told()] == [MOVED]
    assert await place.move() == 3
    assert (await place.told())[-1] == (
        FINISHED,
        {"version": 1, "people": 5, "rows": 10, "joined": 5},
    )
    for one in people:
        assert await place.own(one) == ["培训招聘（即时）"]
    assert await place.reached("work") == {one.id for one in people}


async def test_who_wishes_under_the_former_name_meanwhile_is_moved_as_well(
    place: Changing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process may offer it for a second: the end is signed when none can any more."""
    monkeypatch.setattr(moving, "SETTLED", timedelta(hours=1))
    await place.approve(RENAMED)
    assert await place.move() == 0
    late = await place.town.citizen(Wish("job_training"))
    assert await place.move() == 1
    assert await place.own(late) == ["技能提升（即时）"]
    assert [kind for kind, _ in await place.told()] == [MOVED]


async def test_the_same_wish_under_both_names_is_one(place: Changing) -> None:
    person = await place.town.citizen(Wish("job_training"))
    await place.approve(RENAMED)
    subs = Subscribers(place.signed.held("taxonomy"))
    async with place.town.ledger.transaction() as tx:
        await subs.subscribe(tx, person, Wish("skills", frequency="daily"), CONSENT_VERSION)
    await place.move()
    assert await place.own(person) == ["技能提升（每日）"]
    async with place.town.db.session() as session:
        assert len((await session.scalars(select(Subscription.id))).all()) == 1
