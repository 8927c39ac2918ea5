"""Contacts against the platform's list of followers: nobody missed, and nobody made again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot import followers
from bot.contacts import UNFOLLOWED
from bot.followers import COMPARED, Compared, Followers
from bot.models import CallCount, Contact, FollowerRun
from bot.wechat.channel import WeChatChannel
from config.clock import now
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Database
from tests.bot.conftest import AES_KEY, Office, Platforms

SECRETS = {"appid": "wx-f", "secret": "s", "token": "k", "aes_key": AES_KEY}


class Town:
    """An account whose followers are at the sandbox."""

    def __init__(self, office: Office, platforms: Platforms) -> None:
        self.office, self.platforms = office, platforms
        self.followers = Followers(office.process().publisher._w)

    async def follow(self, count: int) -> list[str]:
        made = await self.platforms.control("citizens", account="wx-f", count=count, prefix="粉丝")
        return list(made["citizens"])

    async def unfollow(self, openid: str) -> None:
        await self.platforms.control("tap", account="wx-f", citizen=openid, event="unfollow")

    async def writes(self, openid: str) -> Contact:
        async with self.office.db.session() as session:
            contacts, account = self.office.contacts, self.office.account.id
            return await contacts.upsert(session, account, openid, now())

    async def compare(self, pages: int = 99) -> Compared:
        return await self.followers.compare(self.office.account.id, pages)

    async def contact(self, openid: str) -> Contact | None:
        async with self.office.db.session() as session:
            return await self.office.contacts.find(session, self.office.account.id, openid)

    async def run(self) -> FollowerRun:
        run: FollowerRun = await self.office.row(FollowerRun, self.office.account.id)
        return run

    async def calls(self, method: str = "user/get") -> list[Any]:
        seen = await self.platforms.seen("requests", account="wx-f", method=method)
        return list(seen["requests"])


@pytest.fixture
async def town(
    db: Database, crypt: DataKey, platforms: Platforms, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    monkeypatch.setattr("sandbox.wechat.users.PAGE", 4)
    monkeypatch.setattr(followers, "A_STEP", 2)
    channel = WeChatChannel(MemoryCache(), platforms.hosts)
    office = Office(db, crypt, channel, platforms.hosts)
    await office.open("wechat", f"{platforms.url}/wechat", SECRETS)
    await platforms.control("accounts", platform="wechat", kind="service", **SECRETS)
    yield Town(office, platforms)
    await channel.close()


async def test_who_follows_is_a_contact_that_may_not_be_written_to_yet(town: Town) -> None:
    people = await town.follow(7)
    known = await town.writes(people[0])
    assert await town.compare() == Compared(listed=7, made=6, ended=True)
    made = await town.contact(people[6])
    assert made is not None
    assert (made.state, made.last_inbound_at, made.brief_at) == ("active", None, None)
    again = await town.contact(people[0])
    assert again is not None
    assert again.last_inbound_at == known.last_inbound_at
    [entry] = [one for one in await town.office.ledger.facts(f"account:{made.account_id}")
               if one.kind == COMPARED]  # fmt: skip
    assert entry.body == {"listed": 7, "made": 6, "back": 0, "gone": 0, "total": 7}
    assert not any(openid in str(entry) for openid in people)
    assert await town.compare() == Compared(listed=7, ended=True)


async def test_who_left_unheard_is_ended_with_the_day_and_comes_back_unheard(town: Town) -> None:
    first, *_ = await town.follow(3)
    await town.compare()
    await town.unfollow(first)
    assert (await town.compare()).gone == 1
    gone = await town.contact(first)
    assert gone is not None
    assert (gone.state, gone.ended_at is not None) == ("ended", True)
    assert gone.ended_reason.startswith("平台的关注名单里已没有对方（20")
    await town.platforms.control("tap", account="wx-f", citizen=first, event="follow")
    assert (await town.compare()).back == 1
    there = await town.contact(first)
    assert there is not None
    assert (there.state, there.ended_at, there.last_inbound_at) == ("active", None, None)


async def test_a_run_that_is_cut_short_goes_on_behind_the_last_one_it_kept(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await town.follow(11)
    steps, whole = 0, Followers._step

    async def killed(self: Followers, *given: Any) -> bool:
        nonlocal steps
        steps += 1
        if steps == 4:
            raise KeyboardInterrupt
        return await whole(self, *given)

    monkeypatch.setattr(Followers, "_step", killed)
    with pytest.raises(KeyboardInterrupt):
        await town.compare()
    monkeypatch.setattr(Followers, "_step", whole)
    run = await town.run()
    assert (run.listed, run.ended) == (6, None)
    assert not any(openid in run.after for openid in people)
    assert await town.compare() == Compared(listed=11, made=11, ended=True)
    asked = [one["query"].get("next_openid", "") for one in await town.calls()]
    assert asked == ["", people[3], people[5], people[9], people[10]]


async def test_a_turn_reads_some_pages_and_the_next_ones_read_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.follow(9)
    monkeypatch.setattr(followers, "A_TURN", 1)
    monkeypatch.setattr(followers, "FROM", datetime.min.time())
    for listed in (4, 8, 9):
        assert await town.followers.compare_due() == 1
        assert (await town.run()).listed == listed
    assert await town.followers.compare_due() == 1
    assert (await town.run()).ended is not None
    assert await town.followers.compare_due() == 0  # once a day


async def test_nobody_is_called_gone_by_a_list_that_is_too_short(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = await town.follow(6)
    await town.compare()
    channel = town.office.channel
    whole = channel.followers

    async def short(account: Any, after: str) -> Any:
        page = await whole(account, after)
        return replace(page, people=page.people[:1] if not after else [])

    monkeypatch.setattr(channel, "followers", short)
    found = await town.compare()
    assert (found.gone, found.ended) == (0, True)
    assert "没有把任何人记为离开" in found.problem
    assert all([(await town.contact(one)).state == "active" for one in people])  # type: ignore[union-attr]
    assert [kind for kind, _, _ in town.office.incidents] == ["account_notice"]


async def test_who_acted_while_the_list_was_read_is_not_called_gone(town: Town) -> None:
    first, *_ = await town.follow(5)
    await town.compare()
    await town.compare(1)  # begun, and page one is read
    await town.unfollow(first)
    await town.writes(first)
    await town.follow(1)
    assert (await town.compare()).gone == 0


async def test_who_asked_to_be_forgotten_is_not_made_again_and_who_follows_later_is(
    town: Town,
) -> None:
    first, second = await town.follow(2)
    contact = await town.writes(first)
    async with town.office.db.session() as session:
        await town.office.contacts.erase(session, contact.id)
    assert (await town.compare()).made == 0
    assert (await town.contact(first), await town.contact(second)) == (None, None)
    await town.platforms.control("clock", offset_seconds=3600)
    [late] = await town.follow(1)
    assert (await town.compare()).made == 1
    assert await town.contact(late) is not None
    assert len(await town.calls("user/info/batchget")) == 2


async def test_a_refusal_and_a_used_up_day_stop_the_run_and_say_why(town: Town) -> None:
    await town.follow(5)
    fault = {"platform": "wechat", "kind": "refuse", "code": 48001, "method": "user/get"}
    await town.platforms.control("faults", **fault)
    found = await town.compare()
    assert not found.ended
    assert found.problem.startswith("账号没有这个接口的权限")
    account = town.office.account.id
    async with town.office.db.session() as session:
        await session.execute(update(CallCount).values(count=500))
        kept = await session.scalar(select(CallCount.call).where(CallCount.account_id == account))
    assert kept == "user/get"
    found = await town.compare()
    assert found.problem == "今天读取关注名单 500 次已用完，明天接着读"
    assert len(await town.calls()) == 1


async def test_an_older_leaving_than_the_list_is_made_good_and_a_newer_one_stands(
    town: Town,
) -> None:
    first, second = await town.follow(2)
    await town.compare()
    ends = town.office.contacts.end
    for openid, moment in (
        (first, now() - timedelta(hours=1)),
        (second, now() + timedelta(hours=1)),
    ):
        contact = await town.contact(openid)
        assert contact is not None
        async with town.office.db.session() as session:
            await ends(session, contact.id, UNFOLLOWED)
            own = update(Contact).where(Contact.id == contact.id)
            await session.execute(own.values(ended_at=moment))
    assert (await town.compare()).back == 1
    assert [(await town.contact(one)).state for one in (first, second)] == ["active", "ended"]  # type: ignore[union-attr]
