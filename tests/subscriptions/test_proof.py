"""Which subscriptions stand, on both databases: one by one, and beside whole ones."""

from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from bot.models import Contact, Delivery
from facets.taxonomy import starting_taxonomy
from ledger.verify import Broken
from storage.database import Base, Database, new_id
from subscriptions.matching import Matching
from subscriptions.proof import COLUMNS, prove
from subscriptions.subscribers import CONSENT_VERSION, Wish
from tests.subscriptions.conftest import Town
from tests.subscriptions.test_push import publication, released

WISHES = Base.metadata.tables["subscription"]
JOBS = {"topics": ["employment"]}


@pytest.fixture
async def place(database: Database) -> Town:
    return await Town(database).open()


async def served(place: Town) -> tuple[set[str], list[tuple[str, str]]]:
    """Who gets a row of a new push, and which rows are told to staff."""
    told: list[tuple[str, str]] = []

    async def changed(table: str, row_id: str) -> None:
        told.append((table, row_id))

    key = new_id()
    matching = Matching(starting_taxonomy())
    out = await publication(place, release=key)
    await matching.create_deliveries(place.db, out, released(JOBS, key), changed)
    async with place.db.session() as session:
        query = select(Delivery.contact_id).where(Delivery.release_id == key)
        return set((await session.scalars(query)).all()), told


async def row_of(place: Town, contact: Contact) -> dict[str, Any]:
    async with place.db.session() as session:
        query = select(WISHES).where(WISHES.c.contact_id == contact.id)
        return (await session.execute(query)).one()._asdict()


async def test_forged_rows_are_left_out_the_first_is_named_and_whole_ones_are_served(
    place: Town,
) -> None:
    whole = await place.citizen(Wish("employment"))
    row = await row_of(place, whole)
    stranger, other = await place.citizen(), await place.citizen(Wish("consumption"))
    copy = row | {"id": new_id(), "contact_id": stranger.id}
    async with place.db.session() as session:
        await session.execute(insert(WISHES).values(copy))
        mine = WISHES.c.contact_id == other.id
        await session.execute(update(WISHES).where(mine).values(topic="employment"))
    wrong = min(copy["id"], (await row_of(place, other))["id"])
    assert await served(place) == ({whole.id}, [("subscription", wrong)])


@pytest.mark.parametrize("column", ["contact_id", "account_id", "topic", "grp", "region", "seal"])
async def test_a_row_changed_in_any_column_that_matters_stands_no_more(
    place: Town, column: str
) -> None:
    person = await place.citizen(Wish("employment", "graduates", "qinghe"))
    async with place.db.session() as session:
        await session.execute(update(WISHES).values({column: "x"}))
        rows = (await session.execute(select(*COLUMNS))).all()
        proved = await prove(session, rows)
        listed = await place.subscribers.list(session, person.id)
    assert (proved.rows, len(proved.wrong), listed) == ([], 1, [])


@pytest.mark.parametrize("act", ["leave", "leave_all", "narrow", "tags", "erase"])
async def test_an_older_row_of_somebody_who_left_or_narrowed_brings_nothing_back(
    place: Town, act: str
) -> None:
    person = await place.citizen(Wish("employment", "graduates"))
    before, subscribers = await row_of(place, person), place.subscribers
    async with place.ledger.transaction() as tx:
        if act == "leave":
            assert len(await subscribers.leave(tx, person.id, before["id"])) == 1
        elif act == "leave_all":
            assert await subscribers.leave_all(tx, person.id) == 1
        elif act == "narrow":
            wish = Wish("employment", "veterans")
            assert await subscribers.narrow(tx, person.id, before["id"], wish)
        elif act == "tags":
            assert await subscribers.delete_tags(tx, person.id) == 1
        else:
            await subscribers.erase(tx, person.id)
    async with place.db.session() as session:
        await session.execute(delete(WISHES).where(WISHES.c.contact_id == person.id))
        await session.execute(insert(WISHES).values(before))
    assert await served(place) == (set(), [("subscription", before["id"])])
    async with place.db.session() as session:
        assert await place.subscribers.list(session, person.id) == []


async def test_what_is_kept_while_leaving_another_topic_stands(place: Town) -> None:
    person = await place.citizen(Wish("consumption"), Wish("employment"), Wish("health"))
    async with place.ledger.transaction() as tx:
        first, *_ = before = await place.subscribers.list(tx.session, person.id)
        await place.subscribers.leave(tx, person.id, first.id)
    async with place.db.session() as session:
        kept = await place.subscribers.list(session, person.id)
    assert [row.id for row in kept] == [row.id for row in before[1:]]  # in the same order
    assert await served(place) == ({person.id}, [])


async def test_who_subscribes_again_after_leaving_is_served_once(place: Town) -> None:
    person = await place.citizen(Wish("employment"))
    async with place.ledger.transaction() as tx:
        await place.subscribers.leave_all(tx, person.id)
    assert await served(place) == (set(), [])
    async with place.ledger.transaction() as tx:
        await place.subscribers.subscribe(tx, person, Wish("employment"), CONSENT_VERSION)
    assert await served(place) == ({person.id}, [])


async def test_a_contact_moved_or_called_back_by_sql_is_pushed_nothing(place: Town) -> None:
    elsewhere = await place.citizen(Wish("employment"), account="wx")
    stays = await place.citizen(Wish("employment"))
    gone = await place.citizen(Wish("employment"))
    async with place.ledger.transaction() as tx:
        await place.subscribers.erase(tx, gone.id)
        tx.session.add(ended := await tx.session.get_one(Contact, gone.id))
        ended.state = "ended"
    async with place.db.session() as session:
        await session.execute(update(Contact).values(account_id="tg", state="active"))
    assert await served(place) == ({stays.id}, [])
    async with place.db.session() as session:
        wants = await Matching(starting_taxonomy()).wants(session, [elsewhere.id, stays.id])
    assert wants.still("tg", stays.id, JOBS)
    assert not wants.still("tg", elsewhere.id, JOBS)


async def test_what_is_still_wanted_follows_topic_group_and_region(place: Town) -> None:
    person = await place.citizen(Wish("employment", "graduates", "qinghe"))
    async with place.db.session() as session:
        wants = await Matching(starting_taxonomy()).wants(session, [person.id])
    league = {"topics": ["employment"], "groups": ["graduates"], "regions": ["ulanqab"]}
    assert wants.still("tg", person.id, league)
    assert wants.still("tg", person.id, JOBS)
    for other in (
        {"topics": ["consumption"]},
        {"topics": ["employment"], "groups": ["veterans"]},
        {"topics": ["employment"], "regions": ["baotou"]},
        {},
    ):
        assert not wants.still("tg", person.id, other), other
    assert not wants.still("wx", person.id, JOBS)


async def test_without_a_whole_ledger_nobody_is_served_and_everybody_can_leave(town: Town) -> None:
    person = await town.citizen(Wish("employment"), Wish("consumption"))
    async with town.ledger.transaction() as tx:
        await town.subscribers.leave(tx, person.id)
    async with town.db.session() as session:
        await session.execute(text("UPDATE ledger_entry SET preimage = '{}'"))
    town.ledger = type(town.ledger)(town.db, town.ledger._key, town.ledger.anchor_path)
    with pytest.raises(Broken):
        await served(town)
    async with town.db.session() as session:
        wants = await Matching(starting_taxonomy()).wants(session, [person.id])
        assert not wants.still("tg", person.id, JOBS)
    async with town.ledger.transaction() as tx:
        assert await town.subscribers.leave_all(tx, person.id) == 2


async def test_bytes_or_a_hole_in_a_column_stop_no_other_row(town: Town) -> None:
    whole = await town.citizen(Wish("employment"))
    row = await row_of(town, whole)
    for number, (column, value) in enumerate(
        [("id", b"x"), ("consent_version", b"x"), ("consent_version", "\0"), ("after_end", b"1")]
    ):
        stranger = await town.citizen()
        forged = row | {"id": f"s{number}", "contact_id": stranger.id}
        async with town.db.session() as session:
            await session.execute(insert(WISHES).values(forged))
            await session.execute(
                text(f"UPDATE subscription SET {column} = :value WHERE id = :id"),
                {"value": value, "id": forged["id"]},
            )
    who, told = await served(town)
    assert (who, len(told)) == ({whole.id}, 1)
