"""Audiences, delivery rows and the sealed push."""

import re
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType

import pytest
from sqlalchemy import delete, select, text, update

from bot.contract import NotReleased, Release
from bot.models import Account, Delivery, Publication
from config.clock import now
from facets.taxonomy import Taxonomy, starting_taxonomy
from ledger.append import Ledger, load_signing_key
from ledger.models import Incident, LedgerEntry
from storage.database import new_id
from subscriptions.hours import PushHours, next_at
from subscriptions.matching import Matching, Window
from subscriptions.models import Subscription
from subscriptions.push import Pusher, merkle_root, push_finished
from subscriptions.subscribers import Wish
from tests.made import signed_out, turn


def all_day() -> PushHours:
    """No quiet hours: a test may run at night."""
    return PushHours(time(0), time(0))


JOBS = {"topics": ["employment"], "groups": ["graduates"], "regions": ["ulanqab"]}


def released(audience, key: str = "r1") -> Release:
    moment = now()
    return Release(
        key, "i1", "d", "题", MappingProxyType({}), audience, moment, moment + timedelta(days=1)
    )


@pytest.fixture
def matching() -> Matching:
    return Matching(starting_taxonomy(), all_day)


async def publication(town, account: str = "tg", release: str = "r1", ref: str = "") -> Publication:
    row = Publication(
        id=new_id(),
        release_id=release,
        item_id="i1",
        account_id=account,
        digest="d",
        state="published",
        due_at=now(),
        ref=ref,
    )
    async with town.db.session() as session:
        session.add(row)
    ledger = getattr(town, "ledger", None)
    if ledger is not None:
        await signed_out(ledger, row)
    return row


async def rows_of(town) -> list[Delivery]:
    async with town.db.session() as session:
        return [*(await session.scalars(select(Delivery).order_by(Delivery.contact_id))).all()]


async def test_a_county_subscriber_gets_its_leagues_items_and_a_neighbour_does_not(
    town, matching
) -> None:
    for wish in (
        Wish("employment"),
        Wish("employment", "graduates", "qinghe"),
        Wish("employment", "", "ulanqab"),
    ):
        await town.citizen(wish)
    for wish in (
        Wish("consumption"),
        Wish("employment", "veterans"),
        Wish("employment", "", "baotou"),
    ):
        await town.citizen(wish)
    await town.citizen(Wish("employment"), state="ended")
    async with town.db.session() as session:
        assert await matching.count(session, JOBS, ["tg", "wx"]) == 3
        assert await matching.count(session, JOBS, ["wx"]) == 0
        assert await matching.count(session, {"topics": ["employment"]}, ["tg"]) == 5
        assert await matching.count(session, {"topics": []}, ["tg"]) == 0
        sample = await matching.sample(session, JOBS, ["tg"], 2)
    assert len(sample) == 2
    assert all(
        person.who.startswith("订阅者 …") and "就业创业" in person.reason for person in sample
    )


async def test_several_matching_wishes_make_one_row_with_the_reason_in_words(town, matching):
    await town.citizen(
        Wish("employment"), Wish("employment", "graduates", "qinghe"), Wish("employment", "", "")
    )
    place = await publication(town)
    for expected in (1, 0):
        assert await matching.create_deliveries(town.db, place, released(JOBS)) == expected
    (row,) = await rows_of(town)
    assert row.reason == "您订阅了 就业创业、人群 高校毕业生、地区 青禾县"
    assert (row.content_key, row.release_id, row.state, row.reply, len(row.id)) == (
        "r1",
        "r1",
        "created",
        None,
        26,
    )


async def test_rows_are_made_in_batches_and_each_contact_once(town, matching, monkeypatch):
    monkeypatch.setattr("subscriptions.matching.BATCH", 3)
    people = [await town.citizen(Wish("employment")) for _ in range(8)]
    await town.citizen(Wish("employment"), account="wx")
    place = await publication(town)
    assert (
        await matching.create_deliveries(town.db, place, released({"topics": ["employment"]})) == 8
    )
    assert {row.contact_id for row in await rows_of(town)} == {person.id for person in people}


async def test_daily_and_weekly_subscribers_wait_for_their_hour(town, matching) -> None:
    await town.citizen(Wish("employment", frequency="weekly"))
    await town.citizen(Wish("employment", frequency="daily"))
    await town.citizen(Wish("employment", "", "", "weekly"), Wish("employment", "graduates"))
    place = await publication(town)
    await matching.create_deliveries(town.db, place, released({"topics": ["employment"]}))
    weekly, daily, mixed = [row.next_at or now() for row in await rows_of(town)]
    assert (daily.hour, weekly.hour, weekly.weekday()) == (1, 1, 0)
    assert mixed <= now() < daily <= weekly


async def test_moments_of_a_push_are_written_as_every_other_moment_is(town, matching) -> None:
    """Past the ORM, and still as the column writes them: the driver has a form of its own."""
    await town.citizen(Wish("employment"))
    place = await publication(town)
    await matching.create_deliveries(town.db, place, released({"topics": ["employment"]}))
    async with town.db.session() as session:
        (told,) = (await session.execute(text("SELECT created_at, next_at FROM delivery"))).all()
    if town.db.is_sqlite:
        assert all(re.fullmatch(r"[\d-]{10} [\d:]{8}\.\d{6}", str(one)) for one in told)


def test_the_next_nine_o_clock_is_today_before_nine_and_tomorrow_after() -> None:
    assert next_at(datetime(2026, 11, 24, 0, 30, tzinfo=UTC), 9).isoformat()[:13] == "2026-11-24T09"
    assert next_at(datetime(2026, 11, 24, 1, 30, tzinfo=UTC), 9).isoformat()[:13] == "2026-11-25T09"


@pytest.fixture
async def pusher(town, tmp_path, matching):
    ledger = town.ledger = Ledger(town.db, load_signing_key(tmp_path / "k"), tmp_path / "anchors")
    asked: list[str] = []

    async def verify(release_id: str, account_id: str = "") -> Release:
        asked.append(release_id)
        if release_id == "forged":
            raise NotReleased(["第 2 级签名不符"])
        return released({"topics": ["employment"]})

    made = Pusher(town.db, ledger, verify, matching)
    vars(made)["asked"] = asked
    return made


async def test_a_push_is_created_once_and_sealed_when_nothing_moves(town, pusher) -> None:
    for _ in range(3):
        await town.citizen(Wish("employment"))
    place = await publication(town)
    assert [await pusher.create_due(), await pusher.create_due()] == [3, 0]
    assert await pusher.finish_due() == 0
    async with town.db.session() as session:
        for row in (await session.scalars(select(Delivery))).all():
            row.state = "published"
    assert [await pusher.finish_due(), await pusher.finish_due()] == [1, 0]
    async with town.db.session() as session:
        query = select(LedgerEntry).where(LedgerEntry.kind == "push.finished")
        (entry,) = (await session.scalars(query)).all()
    assert entry.subject == f"publication:{place.id}"
    assert '"counts":{"published":3}' in entry.preimage
    assert entry.signature


async def test_a_sealed_push_is_not_sealed_again_though_a_column_hides_its_entry(
    town, pusher
) -> None:
    await town.citizen(Wish("employment"))
    await publication(town)
    await pusher.create_due()
    async with town.db.session() as session:
        for row in (await session.scalars(select(Delivery))).all():
            row.state = "published"
    await pusher.finish_due()
    async with town.db.session() as session:
        hidden = update(LedgerEntry).where(LedgerEntry.kind == "push.finished")
        await session.execute(hidden.values(subject="x", kind="x"))
    await pusher.finish_due()
    async with town.db.session() as session:
        texts = (await session.scalars(select(LedgerEntry.preimage))).all()
    assert sum('"kind":"push.finished"' in preimage for preimage in texts) == 1


async def test_every_row_of_a_push_is_sealed_and_says_what_the_seal_says(town, matching) -> None:
    for wish in (Wish("employment"), Wish("employment", "graduates"), Wish("employment")):
        await town.citizen(wish)
    await matching.create_deliveries(
        town.db, await publication(town), released({"topics": ["employment"]})
    )
    rows = await rows_of(town)
    assert [row.whole for row in rows] == [True] * 3
    assert len({row.seal for row in rows}) == 3


async def test_a_group_or_topic_written_past_us_is_no_word_of_a_reason(town, matching) -> None:
    await town.citizen(Wish("employment"))
    async with town.db.session() as session:
        await session.execute(update(Subscription).values(group="请加微信", region="请加微信"))
    audience = {"topics": ["employment"], "groups": ["请加微信"]}
    await matching.create_deliveries(town.db, await publication(town), released(audience))
    assert await rows_of(town) == []


async def test_a_group_the_taxonomy_has_no_more_is_no_word_of_a_reason(town) -> None:
    await town.citizen(Wish("employment", "graduates"))
    whole = starting_taxonomy()
    groups = {key: one for key, one in whole.facets["groups"].items() if key != "graduates"}
    later = Taxonomy(whole.labels, {**whole.facets, "groups": groups})
    await Matching(later, all_day).create_deliveries(
        town.db, await publication(town), released({"topics": ["employment"]})
    )
    (row,) = await rows_of(town)
    assert row.reason == "您订阅了 就业创业"


async def test_what_is_still_held_is_marked_before_its_push_is_sealed(town, pusher) -> None:
    for _ in range(2):
        await town.citizen(Wish("employment"))
    await publication(town)
    await pusher.create_due()
    held, sent = await rows_of(town)
    async with town.db.session() as session:
        for row in (held, sent):
            row.state = "held" if row is held else "published"
            await session.merge(row)
    assert await pusher.finish_due() == 1
    assert {row.id: (row.late, row.whole) for row in await rows_of(town)} == {
        held.id: (True, True),
        sent.id: (False, True),
    }
    assert await push_finished(pusher._ledger, str(sent.publication_id))


async def test_rows_written_past_us_are_not_counted_in_a_push(town, pusher) -> None:
    for _ in range(2):
        await town.citizen(Wish("employment"))
    await publication(town)
    await pusher.create_due()
    forged, sent = await rows_of(town)
    async with town.db.session() as session:
        sent.state = "published"
        await session.merge(sent)
    async with town.db.session() as session:
        await session.execute(
            update(Delivery).where(Delivery.id == forged.id).values(state="published")
        )
    await pusher.finish_due()
    async with town.db.session() as session:
        finished = select(LedgerEntry).where(LedgerEntry.kind == "push.finished")
        (entry,) = (await session.scalars(finished)).all()
        (incident,) = (await session.scalars(select(Incident))).all()
    assert '"counts":{"published":1}' in entry.preimage
    assert (incident.kind, incident.subject) == ("row_changed", f"delivery:{forged.id}")


async def test_an_older_row_put_back_as_ended_and_a_deleted_one_are_no_signed_count(
    town, pusher
) -> None:
    for _ in range(3):
        await town.citizen(Wish("employment"))
    place = await publication(town)
    await pusher.create_due()
    ended, gone, sent = await rows_of(town)
    older = ended.seal
    async with town.db.session() as session:
        for row in (ended, gone, sent):
            row.state = "published"
            await session.merge(row)
    async with town.db.session() as session:
        values = {"state": "ended", "why": "已撤回", "seal": older}
        await session.execute(update(Delivery).where(Delivery.id == ended.id).values(**values))
        await session.execute(delete(Delivery).where(Delivery.id == gone.id))
    await pusher.finish_due()
    (entry,) = [
        one
        for one in await pusher._ledger.facts(f"publication:{place.id}")
        if one.kind == "push.finished"
    ]
    assert (entry.body["counts"], entry.body["missing"]) == ({"published": 1}, 1)
    async with town.db.session() as session:
        told = (await session.scalars(select(Incident))).all()
    assert {(one.kind, one.subject) for one in told} == {
        ("row_changed", f"delivery:{ended.id}"),
        ("push.incomplete", f"publication:{place.id}"),
    }


async def test_what_a_signed_recall_ended_is_counted_as_ended(town, pusher) -> None:
    await town.citizen(Wish("employment"))
    place = await publication(town)
    await pusher.create_due()
    async with pusher._ledger.transaction() as tx:
        await tx.append("item.recalled", subject="item:i1", actor="x", body={})
        await tx.session.execute(update(Delivery).values(state="ended", why="已撤回"))
    await pusher.finish_due()
    told = {one.kind: one.body for one in await pusher._ledger.facts(f"publication:{place.id}")}
    assert told["push.finished"]["counts"] == {"ended": 1}
    assert "missing" not in told["push.finished"]
    async with town.db.session() as session:
        assert (await session.scalars(select(Incident))).all() == []


@pytest.mark.parametrize("said", ["reply = '{'", "reply = x'ff'", "reason = CAST(x'ff' AS TEXT)"])
async def test_a_row_that_cannot_be_read_keeps_no_push_open(town, pusher, said: str) -> None:
    for _ in range(2):
        await town.citizen(Wish("employment"))
    place = await publication(town)
    await pusher.create_due()
    wrong, sent = await rows_of(town)
    async with town.db.session() as session:
        sent.state = "published"
        await session.merge(sent)
        await session.execute(text(f"UPDATE delivery SET {said} WHERE id = :id"), {"id": wrong.id})
    assert await pusher.finish_due() == 1
    told = {one.kind: one.body for one in await pusher._ledger.facts(f"publication:{place.id}")}
    assert told["push.finished"]["counts"] == {"published": 1}
    async with town.db.session() as session:
        (incident,) = (await session.scalars(select(Incident))).all()
    assert (incident.kind, incident.subject) == ("row_changed", f"delivery:{wrong.id}")


async def put_back(town, place: Publication) -> None:
    """The older copy of a publication, from before its push, and none of the rows it made."""
    old = {"pushed_at": None, "seal": place.seal}
    async with town.db.session() as session:
        await session.execute(delete(Delivery))
        await session.execute(update(Publication).values(old))


@pytest.mark.parametrize("again", [timedelta(), timedelta(hours=2)])
async def test_a_publication_put_back_is_not_pushed_again(
    town, pusher, monkeypatch, again: timedelta
) -> None:
    await town.citizen(Wish("employment"))
    place = await publication(town)
    assert await pusher.create_due() == 1
    moment = now() + again
    monkeypatch.setattr("subscriptions.push.now", lambda: moment)
    await put_back(town, place)
    assert (await pusher.create_due(), await rows_of(town)) == (0, [])
    async with town.db.session() as session:
        subjects = [one.subject for one in (await session.scalars(select(Incident))).all()]
    assert subjects == ([f"publication:{place.id}"] if again else [])


@pytest.mark.parametrize(("later", "made"), [(timedelta(minutes=30), 1), (timedelta(hours=2), 0)])
async def test_a_push_that_was_cut_short_is_completed_within_the_hour(
    town, pusher, monkeypatch, later: timedelta, made: int
) -> None:
    await town.citizen(Wish("employment"))
    await publication(town)
    whole = pusher._matching.create_deliveries

    async def cut_short(*given) -> int:
        await whole(*given)
        raise OSError("the process died")

    monkeypatch.setattr(pusher._matching, "create_deliveries", cut_short)
    with pytest.raises(OSError, match="died"):
        await pusher.create_due()
    monkeypatch.setattr(pusher._matching, "create_deliveries", whole)
    await town.citizen(Wish("employment"))  # whom it had not come to
    moment = now() + later
    monkeypatch.setattr("subscriptions.push.now", lambda: moment)
    assert await pusher.create_due() == made
    assert len(await rows_of(town)) == 1 + made
    async with town.db.session() as session:
        told = [one.kind for one in (await session.scalars(select(Incident))).all()]
    assert told == ([] if made else ["push.refused"])


async def test_a_row_written_past_us_keeps_no_push_open(town, pusher) -> None:
    for _ in range(2):
        await town.citizen(Wish("employment"))
    place = await publication(town)
    await pusher.create_due()
    forged, sent = await rows_of(town)
    async with town.db.session() as session:
        await session.execute(
            update(Delivery).where(Delivery.id == forged.id).values(seal="", reason="请加微信")
        )
    assert await pusher.finish_due() == 0  # the other one moves
    async with town.db.session() as session:
        sent.state = "published"
        await session.merge(sent)
    assert await pusher.finish_due() == 1
    assert await push_finished(pusher._ledger, place.id)


async def test_no_row_without_proof_and_none_while_push_is_stopped(town, pusher) -> None:
    await town.citizen(Wish("employment"))
    place = await publication(town)
    await turn(pusher._ledger, "push")
    assert (await pusher.create_due(), pusher.asked) == (0, [])
    await turn(pusher._ledger, "push", stopped=False)
    async with town.db.session() as session:
        await session.delete(await session.get_one(Publication, place.id))
    await publication(town, release="forged")
    assert (await pusher.create_due(), await rows_of(town)) == (0, [])
    async with town.db.session() as session:
        (incident,) = (await session.scalars(select(Incident))).all()
    assert "签名不符" in incident.message


@pytest.mark.parametrize("how", ["row", "entry"])
async def test_what_no_signed_entry_says_is_out_is_pushed_to_nobody(town, pusher, how) -> None:
    await town.citizen(Wish("employment"))
    if how == "row":  # not out yet, and dressed up as published
        place = await publication(town)
        async with town.db.session() as session:
            await session.execute(update(Publication).values(url="https://other.example/"))
    else:
        del town.ledger
        place = await publication(town)
    assert (await pusher.create_due(), await rows_of(town), pusher.asked) == (0, [], [])
    async with town.db.session() as session:
        (incident,) = (await session.scalars(select(Incident))).all()
    assert (incident.kind, incident.subject) == ("row_changed", f"publication:{place.id}")


async def test_an_account_on_the_mass_route_gets_no_personal_push(town, pusher) -> None:
    await town.citizen(Wish("employment"))
    await publication(town)
    async with town.db.session() as session:
        for account in (await session.scalars(select(Account))).all():
            account.settings = {"push": "mass"}
    assert await pusher.create_due() == 0


@pytest.mark.parametrize(("ref", "people"), [("mass:12", 0), ("publish:12", 1)])
async def test_what_went_by_mass_is_not_pushed_personally_when_the_account_is_set_otherwise_since(
    town, pusher, ref: str, people: int
) -> None:
    await town.citizen(Wish("employment"), account="wx")
    await publication(town, "wx", ref=ref)
    assert await pusher.create_due() == people
    assert len(await rows_of(town)) == people


async def test_the_end_of_a_push_says_how_many_went_by_which_way(town, pusher) -> None:
    for _ in range(3):
        await town.citizen(Wish("employment"))
    place = await publication(town)
    await pusher.create_due()
    rows = await rows_of(town)
    async with town.db.session() as session:
        for row, route in zip(rows, ("long", "message", "hold"), strict=True):
            row.route, row.state = route, "ended" if route == "hold" else "published"
            await session.merge(row)
    await pusher.finish_due()
    facts = await pusher._ledger.facts(f"publication:{place.id}")
    [entry] = [one for one in facts if one.kind == "push.finished"]
    assert entry.body["routes"] == {"long": 1, "message": 1}


def test_the_merkle_root_changes_with_any_leaf_and_with_order() -> None:
    leaves = [bytes([n]) * 32 for n in range(5)]
    root = merkle_root(leaves)
    assert merkle_root([]) == ""
    assert len({root, merkle_root(leaves[:4]), merkle_root(leaves[::-1])}) == 3


async def test_who_chose_an_hour_after_the_window_is_counted_beforehand(town, matching) -> None:
    """A daily and a weekly reader are too late for two hours; who also wants it at once is not."""
    await town.citizen(Wish("employment"))
    await town.citizen(Wish("employment", frequency="daily"))
    await town.citizen(Wish("employment", frequency="weekly"))
    await town.citizen(
        Wish("employment", frequency="daily"), Wish("employment", "graduates", frequency="weekly")
    )
    topic, begins = {"topics": ["employment"]}, next_at(now(), 10)
    begins += timedelta(days=(1 - begins.weekday()) % 7)  # a Tuesday: the weekly hour is days away
    async with town.db.session() as session:
        for hours, late in ((2, 3), (24, 1), (8 * 24, 0)):
            window = Window(begins, begins + timedelta(hours=hours))
            assert await matching.too_late(session, topic, ["tg"], window) == late
