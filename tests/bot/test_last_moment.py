"""Directly before each message of a push: stops and recalls of this process and of others."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select, update

from bot.contract import AccountView, Outcome, State, Withheld
from bot.delivery.once import SUBMITTED, sign_submitted
from bot.delivery.recent import ELSEWHERE
from bot.models import Delivery, Publication
from bot.wechat.channel import WeChatChannel
from config.clock import now
from ledger.append import Ledger, load_signing_key
from storage.cache import RedisCache
from storage.seals import Seals
from storage.switches import Switch
from tests.bot.conftest import AES_KEY, Office, Platforms, content, free, no_media
from tests.made import turn


async def recall(ledger: Ledger, item_id: str) -> None:
    async with ledger.transaction() as tx:
        await tx.append("item.recalled", subject=f"item:{item_id}", actor="editor", body={})


def elsewhere(office: Office) -> Ledger:
    """The same ledger in another process."""
    home = Path(office.home.name)
    return Ledger(office.db, load_signing_key(home / "key"), home / "anchors.jsonl")


async def states(office: Office) -> dict[str, int]:
    async with office.db.session() as session:
        query = select(Delivery.state, func.count()).group_by(Delivery.state)
        return dict((await session.execute(query)).all())


async def test_a_recall_stops_the_very_next_message(office: Office) -> None:
    release = office.release()
    await office.deliveries(release, [str(number) for number in range(12)])

    async def third(_: str) -> None:
        if len(office.channel.sent) == 2:
            await recall(office.ledger, release.item_id)

    office.channel.before = third
    await office.process(in_flight=2).sender.deliver_due()
    assert await states(office) == {State.PUBLISHED: 3, State.HELD: 9}
    (incident,) = office.incidents
    assert incident[:2] == ("recalled_late", f"item:{release.item_id}")


async def test_a_recall_while_a_message_waits_for_its_turn_keeps_it_back(office: Office) -> None:
    release = office.release()
    await office.deliveries(release, ["1"])
    process = office.process()
    proof = await process.recent.release(release.id)
    assert proof == release
    still = process.recent.still(release, office.account.id)
    await still()
    await recall(office.ledger, release.item_id)
    with pytest.raises(Withheld, match="已被撤回"):
        await still()


@pytest.mark.parametrize("name", ["all", "push", "account"])
async def test_a_stop_counts_at_once_here_and_soon_elsewhere(
    office: Office, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = office.release()
    name = f"account:{office.account.id}" if name == "account" else name
    process = office.process()
    still = process.recent.still(release, office.account.id)
    await still()
    await turn(office.ledger, name)
    with pytest.raises(Withheld, match="停止推送"):
        await still()
    await turn(office.ledger, name, stopped=False)
    await still()
    await turn(elsewhere(office), name)
    later = time.monotonic() + ELSEWHERE
    monkeypatch.setattr("ledger.append.time", SimpleNamespace(monotonic=lambda: later))
    with pytest.raises(Withheld, match="停止推送"):
        await still()


async def test_a_stop_lifted_by_sql_stops_pushes_all_the_same(office: Office) -> None:
    await office.deliveries(office.release(), ["1", "2"])
    await turn(office.ledger, "push")
    async with office.db.session() as session:
        await session.execute(update(Switch).values(stopped=False))
    assert await office.process().sender.deliver_due() == 0
    assert office.channel.sent == []


async def test_a_dead_process_leaves_a_sealed_row(office: Office) -> None:
    """What the sweep writes is the row's own state, and not a change by somebody else."""
    key = await office.publication(office.release())
    async with office.db.session() as session:
        row = await session.get_one(Publication, key)
        row.state, row.owner, row.claimed_until = State.SENDING, "dead", now() - timedelta(hours=1)
    assert await office.process().lease.sweep() == 1
    found = await office.row(Publication, key)
    assert (found.state, found.whole) == (State.UNKNOWN, True)


@pytest.mark.servers
async def test_a_picture_exchanged_in_redis_is_uploaded_anew(
    platforms: Platforms, redis_url: str
) -> None:
    made = {"appid": "wxqinghe", "secret": "s3", "token": "t0", "aes_key": AES_KEY}
    await platforms.control("accounts", platform="wechat", name="青禾", kind="service", **made)
    cache = RedisCache(redis_url, Seals(b"k" * 32))
    channel = WeChatChannel(cache, platforms.hosts)
    account = AccountView("w1", "wechat", "x", f"{platforms.url}/wechat", made, {})
    rendering = channel.render(content())

    async def uploads() -> int:
        return int((await platforms.seen("requests", method="material/add_material"))["count"])

    async def thumb() -> str:
        found = await platforms.seen("requests", method="draft/add")
        return str(found["requests"][-1]["parsed"]["articles"][0]["thumb_media_id"])

    for _ in range(2):
        outcome: Outcome = await channel.publish(account, rendering, no_media, free)
        assert outcome.state is State.SUBMITTED
    assert await uploads() == 1
    own, redis = await thumb(), Redis.from_url(redis_url, decode_responses=True)
    (name,) = [key async for key in redis.scan_iter("wechat:media:w1:*")]
    value = str(await redis.get(name))
    for forged in ("somebody-elses", "1234567", value.replace(own, "somebody-elses"), own):
        await redis.set(name, forged)
        await channel.publish(account, rendering, no_media, free)
        assert await thumb() not in ("somebody-elses", "1234567")
    # Copied from another key, its seal and all.
    await cache.set("wechat:media:w1:media_id:other", "somebody-elses", 60)
    await redis.set(name, str(await redis.get("wechat:media:w1:media_id:other")))
    await channel.publish(account, rendering, no_media, free)
    assert await thumb() != "somebody-elses"
    assert await uploads() == 6
    await redis.aclose()
    await channel.close()
    await cache.close()


async def test_of_two_processes_that_both_looked_one_alone_may_call(office: Office) -> None:
    row = await office.row(Publication, await office.publication(office.release()))
    ledgers = [office.ledger, *(elsewhere(office) for _ in range(5))]
    signing = [sign_submitted(ledger, row, now(), guarded=False) for ledger in ledgers]
    done = await asyncio.gather(*signing, return_exceptions=True)
    assert [type(one) for one in done if one is not None] == [Withheld] * 5
    facts = await office.ledger.facts(f"item:{row.item_id}")
    assert [entry.kind for entry in facts] == [SUBMITTED]
