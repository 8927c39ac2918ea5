"""Subscribing, changing, leaving and being forgotten."""

import pytest
from sqlalchemy import func, select

from subscriptions.models import Subscription
from subscriptions.subscribers import (
    CONSENT_VERSION,
    ConsentNeeded,
    SubscriptionError,
    Wish,
)


async def test_the_same_wish_twice_is_one_subscription_with_the_newer_frequency(town) -> None:
    person = await town.citizen(Wish("employment"), Wish("employment", frequency="weekly"))
    async with town.db.session() as session:
        rows = await town.subscribers.list(session, person.id)
    assert [(row.topic, row.frequency) for row in rows] == [("employment", "weekly")]
    assert town.subscribers.words(rows[0]) == "就业创业（每周）"


async def test_a_sensitive_group_needs_its_own_consent(town) -> None:
    person = await town.citizen()
    async with town.ledger.transaction() as tx:
        with pytest.raises(ConsentNeeded, match="失业人员"):
            await town.subscribers.subscribe(
                tx, person, Wish("employment", "unemployed"), CONSENT_VERSION
            )
        wish = Wish("employment", "unemployed", sensitive_consent=True)
        row = await town.subscribers.subscribe(tx, person, wish, CONSENT_VERSION)
    assert row.group == "unemployed"


@pytest.mark.parametrize("wish", [Wish("nonsense"), Wish(""), Wish("employment", "aliens")])
async def test_what_the_taxonomy_does_not_know_is_refused(town, wish) -> None:
    person = await town.citizen()
    async with town.ledger.transaction() as tx:
        with pytest.raises(SubscriptionError, match="请从列表中选择"):
            await town.subscribers.subscribe(tx, person, wish, CONSENT_VERSION)


async def test_nobody_leaves_or_changes_another_persons_subscription(town) -> None:
    mine, other = await town.citizen(Wish("employment")), await town.citizen()
    async with town.ledger.transaction() as tx:
        (row,) = await town.subscribers.list(tx.session, mine.id)
        assert not await town.subscribers.leave(tx, other.id, row.id)
        assert not await town.subscribers.change_frequency(tx, other.id, row.id, "daily")
        assert await town.subscribers.leave(tx, mine.id, row.id)
        assert await town.subscribers.list(tx.session, mine.id) == []


async def test_deleting_tags_keeps_the_topics_once(town) -> None:
    person = await town.citizen(
        Wish("employment", "graduates"), Wish("employment", "", "qinghe"), Wish("consumption")
    )
    async with town.ledger.transaction() as tx:
        assert await town.subscribers.delete_tags(tx, person.id) == 2
    async with town.db.session() as session:
        rows = await town.subscribers.list(session, person.id)
        assert [(row.topic, row.group, row.region) for row in rows] == [
            ("employment", "", ""),
            ("consumption", "", ""),
        ]
        tagged = select(func.count()).where(
            (Subscription.group != "") | (Subscription.region != "")
        )
        assert (await session.execute(tagged)).scalar_one() == 0


async def test_forgetting_leaves_no_subscription_row(town) -> None:
    person = await town.citizen(Wish("employment", "graduates"))
    async with town.ledger.transaction() as tx:
        await town.subscribers.erase(tx, person.id)
    async with town.db.session() as session:
        query = select(func.count()).where(Subscription.contact_id == person.id)
        assert (await session.execute(query)).scalar_one() == 0
