"""One call to the people of an audience: each has a row, the call one attempt, nobody doubles."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import func, select, update

from bot.channel import Call
from bot.contract import InboundKind, State
from bot.delivery.once import SUBMITTED
from bot.delivery.settling import settle_publication
from bot.delivery.spent import spent
from bot.delivery.wiring import Wiring
from bot.models import Attempt, Delivery, Publication
from bot.wechat.channel import WeChatChannel
from config.clock import now
from facets.taxonomy import starting_taxonomy
from ledger.models import LedgerEntry
from review_queue.models import Item
from staff.people import Person, set_staff
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Base, Database, new_id
from subscriptions.calls import choose, rows_for_call
from subscriptions.hours import PushHours
from subscriptions.matching import Matching
from subscriptions.push import CREATED, Pusher
from subscriptions.push import FINISHED as PUSH_FINISHED
from subscriptions.reach import hold_back, nobody
from subscriptions.subscribers import CONSENT_VERSION, Subscribers, Wish
from tests.bot.conftest import AES_KEY, Office, Platforms, Process

SECRETS = {"appid": "wx-t", "secret": "s", "token": "k", "aes_key": AES_KEY}
LIST, ALL, TAGGING = "message/mass/send", "message/mass/sendall", "tags/members/batchtagging"
TOPIC: Mapping[str, Any] = {"topics": ["employment"]}


async def no_pictures(marker: str) -> tuple[bytes, str]:
    raise LookupError(marker)


class Desk:
    """An account that sends to the people of the audience, and its followers."""

    def __init__(self, office: Office, platforms: Platforms, matching: Matching) -> None:
        self.office, self.platforms, self.matching = office, platforms, matching
        self.tasks: list[asyncio.Task[bool]] = []
        self.process = self.new_process()

    def new_process(self) -> Process:
        office = self.office
        return Process(
            Wiring(
                office.db,
                office.ledger,
                office.contacts,
                {office.channel.platform: office.channel},
                office.verify,
                office.accounts.open,
                on_incident=office.incident,
                on_changed=office.row_changed,
                load_media=no_pictures,
                wants=self.matching.wants,
                choose=partial(
                    choose,
                    office.ledger,
                    partial(hold_back, office.ledger, self.matching, nobody),
                    partial(rows_for_call, office.db, office.ledger, self.matching),
                ),
            )
        )

    async def people(self, count: int, wish: str = "employment") -> list[str]:
        """Followers who subscribed; their openids."""
        made = await self.platforms.control("citizens", account="wx-t", count=count, prefix=wish)
        subscribers = Subscribers(starting_taxonomy())
        async with self.office.ledger.transaction() as tx:
            for openid in made["citizens"]:
                account = self.office.account.id
                contact = await self.office.contacts.upsert(tx.session, account, openid, now())
                await subscribers.subscribe(tx, contact, Wish(wish), CONSENT_VERSION)
        return list(made["citizens"])

    async def planned(self, audience: Mapping[str, Any] | None = TOPIC) -> str:
        release = self.office.release(title=f"就业补贴申领指南{len(self.office.releases)}")
        self.office.releases[release.id] = replace(release, audience=audience)
        return await self.office.publication(self.office.releases[release.id])

    async def turn(self, key: str, process: Process | None = None) -> Publication:
        """The row after one turn, and after the platform has told its end."""
        async with self.office.db.session() as session:
            (await session.get_one(Publication, key)).next_at = None
        await (process or self.process).publisher.publish_due()
        for _ in range(1000):
            row: Publication = await self.office.row(Publication, key)
            if row.state != State.SUBMITTED:
                break
            await asyncio.sleep(0.02)
        return row

    async def rows(self, key: str) -> dict[str, int]:
        """How many rows of a publication came to each state."""
        async with self.office.db.session() as session:
            query = select(Delivery.state, func.count()).where(Delivery.publication_id == key)
            return {row[0]: row[1] for row in await session.execute(query.group_by(Delivery.state))}

    async def words(self, key: str, state: State) -> set[str]:
        async with self.office.db.session() as session:
            query = select(Delivery.why).where(
                Delivery.publication_id == key, Delivery.state == state
            )
            return set(await session.scalars(query))

    async def calls(self, method: str) -> list[Any]:
        seen = await self.platforms.seen("requests", account="wx-t", method=method)
        return [one for one in seen["requests"] if one["outcome"] == "ok"]

    async def received(self, openid: str) -> int:
        seen = await self.platforms.seen("messages", account="wx-t", citizen=openid)
        return len(seen["messages"])

    async def editor(self) -> str:
        """Somebody who may settle what nobody knows."""
        async with self.office.ledger.transaction() as tx:
            me = await set_staff(tx, Person("bianji", "李雪", ("editor",), "-"), "init")
        return me.id

    async def submitted(self) -> list[dict[str, Any]]:
        async with self.office.db.session() as session:
            query = select(LedgerEntry.subject).where(LedgerEntry.kind == SUBMITTED)
            subjects = set(await session.scalars(query))
        found = [one for name in subjects for one in await self.office.ledger.facts(name)]
        return [dict(one.body) for one in found if one.kind == SUBMITTED]


async def _desk(
    db: Database, crypt: DataKey, platforms: Platforms, kind: str
) -> AsyncIterator[Desk]:
    channel = WeChatChannel(MemoryCache(), platforms.hosts)
    office = Office(db, crypt, channel, platforms.hosts)
    settings = {"push": "targeted", "kind": kind}
    await office.open("wechat", f"{platforms.url}/wechat", SECRETS, settings=settings)
    desk = Desk(office, platforms, Matching(starting_taxonomy()))

    async def act(inbound: Any) -> bool:
        for _ in range(1000):  # under load the event may be faster than the row of the answer
            if await desk.process.publisher.on_result_event(inbound):
                return True
            await asyncio.sleep(0.02)
        return False

    async def hear(request: web.Request) -> web.Response:
        call = Call(request.query, request.headers, request.read)
        told = await channel.hear(await office.accounts.open(office.account.id), call)
        if told.inbound.kind is InboundKind.RESULT:  # of who left nobody is told here
            desk.tasks.append(asyncio.create_task(act(told.inbound)))
        return web.Response(text="success")

    app = web.Application()
    app.router.add_post("/hook", hear)
    async with TestServer(app) as server:
        await platforms.control(
            "accounts", platform="wechat", kind=kind, verified=True, **SECRETS,
            callback_url=str(server.make_url("/hook")),
        )  # fmt: skip
        await platforms.control("limits", result_delay=0.02)
        yield desk
        await asyncio.gather(*desk.tasks)
    await channel.close()


@pytest.fixture
async def desk(db: Database, crypt: DataKey, platforms: Platforms) -> AsyncIterator[Desk]:
    """A service account: 服务号."""
    async for one in _desk(db, crypt, platforms, "service"):
        yield one


@pytest.fixture
async def paper(db: Database, crypt: DataKey, platforms: Platforms) -> AsyncIterator[Desk]:
    """A subscription account: 订阅号."""
    async for one in _desk(db, crypt, platforms, "subscription"):
        yield one


async def test_a_service_account_sends_to_its_audience_in_one_call_by_list(desk: Desk) -> None:
    wanted, others = await desk.people(3), await desk.people(2, "health")
    key = await desk.planned()
    row = await desk.turn(key)
    assert (row.state, row.ref[:5]) == (State.PUBLISHED, "mass:")
    [call] = await desk.calls(LIST)
    assert sorted(call["parsed"]["touser"]) == sorted(wanted)
    assert await desk.rows(key) == {State.PUBLISHED: 3}
    assert await desk.words(key, State.PUBLISHED) == {"平台报告：3 人都已送达"}
    assert [await desk.received(one) for one in (*wanted, *others)] == [1, 1, 1, 0, 0]
    async with desk.office.db.session() as session:
        assert await session.scalar(select(func.count()).select_from(Attempt)) == 1
    # Each of its people has months of their own: the account's day is not used up.
    [entry] = await desk.submitted()
    assert (entry["chosen"], entry["place"], entry["guarded"]) == (3, False, True)
    assert await spent(desk.office.ledger, desk.office.account.id) == []


async def test_its_push_is_told_and_sealed_like_every_other(desk: Desk) -> None:
    await desk.people(3)
    key = await desk.planned()
    await desk.turn(key)
    office = desk.office
    pusher = Pusher(office.db, office.ledger, office.verify, desk.matching)
    await pusher.create_due()
    await pusher.create_due()
    await pusher.finish_due()
    told = {one.kind: one.body for one in await office.ledger.facts(f"publication:{key}")}
    assert told[CREATED]["rows"] == 3
    assert told[PUSH_FINISHED]["counts"] == {State.PUBLISHED: 3}
    assert told[PUSH_FINISHED]["root"]
    await desk.process.sender.deliver_due()  # nobody is written to besides
    assert await desk.calls("message/custom/send") == []


async def test_who_unsubscribed_before_the_call_is_not_in_it(desk: Desk) -> None:
    first, *_ = await desk.people(3)
    office, key = desk.office, await desk.planned()
    fault = {"platform": "wechat", "kind": "refuse", "code": 45028}
    await desk.platforms.control("faults", **fault, method=LIST)
    assert (await desk.turn(key)).state == State.HELD
    assert await desk.rows(key) == {State.HELD: 3}
    async with office.ledger.transaction() as tx:
        gone = await office.contacts.find(tx.session, office.account.id, first)
        assert gone is not None
        await Subscribers(starting_taxonomy()).leave_all(tx, gone.id)
    editor = await desk.editor()
    await settle_publication(office.ledger, key, editor, "retry", on_publication=office.published)
    assert (await desk.turn(key)).state == State.PUBLISHED
    assert await desk.rows(key) == {State.PUBLISHED: 2, State.ENDED: 1}
    assert await desk.received(first) == 0


async def test_without_an_answer_the_same_people_are_asked_for_once_more_and_get_it_once(
    desk: Desk,
) -> None:
    wanted = await desk.people(3)
    key = await desk.planned()
    await desk.platforms.control(
        "faults", platform="wechat", kind="drop_answer", method=LIST, count=1
    )
    assert (await desk.turn(key)).state == State.RETRYING
    assert await desk.rows(key) == {State.SUBMITTED: 3}
    late = await desk.people(1)  # was not in the call that may have arrived
    row = await desk.turn(key, desk.new_process())
    assert row.state == State.PUBLISHED
    assert [await desk.received(one) for one in (*wanted, *late)] == [1, 1, 1, 0]
    assert await desk.rows(key) == {State.PUBLISHED: 3}
    assert [one["chosen"] for one in await desk.submitted()] == [3, 3]


async def test_who_left_while_nobody_knew_is_neither_asked_for_again_nor_called_unreached(
    desk: Desk,
) -> None:
    first, *others = await desk.people(3)
    office, key = desk.office, await desk.planned()
    await desk.platforms.control("faults", platform="wechat", kind="drop_answer", method=LIST)
    await desk.turn(key)
    async with office.ledger.transaction() as tx:
        gone = await office.contacts.find(tx.session, office.account.id, first)
        assert gone is not None
        await Subscribers(starting_taxonomy()).leave_all(tx, gone.id)
    assert (await desk.turn(key)).state == State.PUBLISHED
    assert await desk.rows(key) == {State.PUBLISHED: 2, State.UNKNOWN: 1}
    calls = (await desk.platforms.seen("requests", account="wx-t", method=LIST))["requests"]
    assert sorted(calls[-1]["parsed"]["touser"]) == sorted(others)


async def test_what_nobody_knows_is_unknown_for_everybody_until_a_person_says_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = await desk.people(2)
    office, key = desk.office, await desk.planned()
    monkeypatch.setattr(desk.office.channel, "resumable", lambda account: False)
    await desk.platforms.control("faults", platform="wechat", kind="drop_answer", method=LIST)
    assert (await desk.turn(key)).state == State.UNKNOWN
    assert await desk.rows(key) == {State.UNKNOWN: 2}
    await settle_publication(
        office.ledger, key, await desk.editor(), "yes", on_publication=office.published
    )
    assert await desk.rows(key) == {State.PUBLISHED: 2}
    assert [await desk.received(one) for one in wanted] == [1, 1]


async def test_a_refused_send_leaves_everybody_waiting_and_says_why(desk: Desk) -> None:
    await desk.people(2)
    key = await desk.planned()
    fault = {"platform": "wechat", "kind": "mass_status", "status": "err(20013)"}
    await desk.platforms.control("faults", **fault)
    assert (await desk.turn(key)).state == State.FAILED
    assert await desk.rows(key) == {State.HELD: 2}
    assert "涉嫌版权" in next(iter(await desk.words(key, State.HELD)))


async def test_a_list_with_somebody_who_follows_no_more_says_how_many_it_reached(
    desk: Desk,
) -> None:
    gone, *_ = await desk.people(3)
    await desk.platforms.control("tap", account="wx-t", citizen=gone, event="unfollow")
    key = await desk.planned()
    assert (await desk.turn(key)).state == State.PUBLISHED
    words = "平台报告：3 人里送达 2 人，过滤 1 人，失败 0 人；平台没有说明是哪些人"
    assert await desk.words(key, State.PUBLISHED) == {words}


async def test_a_subscription_account_sends_by_a_tag_that_holds_the_audience(paper: Desk) -> None:
    wanted, others = await paper.people(52), await paper.people(2, "health")
    key = await paper.planned()
    assert (await paper.turn(key)).state == State.PUBLISHED
    [call] = await paper.calls(ALL)
    assert call["parsed"]["filter"]["is_to_all"] is False
    assert [len(one["parsed"]["openid_list"]) for one in await paper.calls(TAGGING)] == [50, 2]
    assert await paper.rows(key) == {State.PUBLISHED: 52}
    assert [await paper.received(one) for one in (wanted[0], wanted[-1], *others)] == [1, 1, 0, 0]
    # Of it the day is used up, whoever it went to.
    [entry] = await paper.submitted()
    assert "place" not in entry
    assert len(await spent(paper.office.ledger, paper.office.account.id)) == 1
    second = await paper.turn(await paper.planned())
    assert "今天群发 1 次已用完" in second.reason
    assert len(await paper.calls(ALL)) == 1


async def test_whom_the_platform_does_not_let_have_the_tag_is_told_apart(paper: Desk) -> None:
    gone, *others = await paper.people(3)
    await paper.platforms.control("tap", account="wx-t", citizen=gone, event="unfollow")
    key = await paper.planned()
    assert (await paper.turn(key)).state == State.PUBLISHED
    assert await paper.rows(key) == {State.PUBLISHED: 2, State.ENDED: 1}
    assert "平台不能把对方列入" in next(iter(await paper.words(key, State.ENDED)))
    assert [await paper.received(one) for one in others] == [1, 1]


async def test_one_person_alone_goes_by_a_tag_and_nobody_is_no_call(desk: Desk) -> None:
    [only] = await desk.people(1)
    assert (await desk.turn(await desk.planned())).state == State.PUBLISHED
    assert (await desk.received(only), await desk.calls(LIST)) == (1, [])
    row = await desk.turn(await desk.planned({"topics": ["health"]}))
    assert row.state == State.HELD
    assert "没有可以群发的人" in row.reason
    assert len(await desk.calls(ALL)) == 1
    assert len(await desk.submitted()) == 1


async def test_what_has_no_audience_goes_to_all_and_takes_the_day(desk: Desk) -> None:
    await desk.people(2)
    assert (await desk.turn(await desk.planned(None))).state == State.PUBLISHED
    [call] = await desk.calls(ALL)
    assert call["parsed"]["filter"] == {"is_to_all": True}
    assert "chosen" not in (await desk.submitted())[0]
    assert "今天群发 1 次已用完" in (await desk.turn(await desk.planned(None))).reason
    # What goes to some has places of its own.
    assert (await desk.turn(await desk.planned())).state == State.PUBLISHED


async def test_the_fifth_of_a_month_leaves_out_who_had_four(desk: Desk) -> None:
    full = await desk.people(2)
    for _ in range(4):
        assert (await desk.turn(await desk.planned())).state == State.PUBLISHED
    fresh = await desk.people(2)
    key = await desk.planned()
    assert (await desk.turn(key)).state == State.PUBLISHED
    assert sorted((await desk.calls(LIST))[-1]["parsed"]["touser"]) == sorted(fresh)
    assert await desk.rows(key) == {State.PUBLISHED: 2, State.ENDED: 2}
    assert await desk.words(key, State.ENDED) == {"本月已收到 4 次群发，平台不再投递：这次没有列入"}
    assert [await desk.received(one) for one in full] == [4, 4]


async def test_a_row_made_due_past_this_program_is_sent_to_nobody_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PushHours, "quiet", lambda *_: False)  # tried at any hour of the day
    await desk.people(2)
    key = await desk.planned()
    fault = {"platform": "wechat", "kind": "refuse", "code": 45028}
    await desk.platforms.control("faults", **fault, method=LIST)
    await desk.turn(key)
    table = Base.metadata.tables["delivery"]
    async with desk.office.db.session() as session:
        await session.execute(update(table).values(state=State.CREATED, hold=""))
    await desk.process.sender.deliver_due()
    assert await desk.calls("message/custom/send") == []
    assert desk.office.changed


async def test_a_row_forged_into_a_send_is_not_in_its_call(desk: Desk) -> None:
    wanted, [other] = await desk.people(2), await desk.people(1, "health")
    office, key = desk.office, await desk.planned()
    fault = {"platform": "wechat", "kind": "refuse", "code": 45028}
    await desk.platforms.control("faults", **fault, method=LIST)
    await desk.turn(key)
    table = Base.metadata.tables["delivery"]
    async with office.db.session() as session:
        row = (await session.execute(select(table).limit(1))).one()._mapping
        theirs = await office.contacts.find(session, office.account.id, other)
        assert theirs is not None
        values = {**row, "id": new_id(), "contact_id": theirs.id}
        await session.execute(table.insert().values(**values))
    editor = await desk.editor()
    await settle_publication(office.ledger, key, editor, "retry", on_publication=office.published)
    await desk.turn(key)
    assert sorted((await desk.calls(LIST))[-1]["parsed"]["touser"]) == sorted(wanted)
    assert await desk.received(other) == 0
    assert ("delivery", values["id"]) in office.changed


@pytest.mark.parametrize("decision", ["push.resumed", "push.dropped"])
async def test_a_number_of_people_that_is_off_waits_for_a_person(desk: Desk, decision: str) -> None:
    await desk.people(9)
    office, key = desk.office, await desk.planned()
    release = next(iter(office.releases.values()))
    subject, account = f"item:{release.item_id}", office.account.id
    async with office.ledger.transaction() as tx:
        item = Item(
            id=release.item_id, kind="原创", klass="日常", state="scheduled", title="补贴",
            author_id="robot", last_editor_id="robot", created_at=now(), updated_at=now(),
        )  # fmt: skip
        tx.session.add(item)
        said = {"reach": {"accounts": {account: 2}, "sample": []}}
        decided = await tx.append("decision", subject=subject, actor="s", body=said)
        body = {"release": release.id, "last_decision": decided}
        await tx.append("release.created", subject=subject, actor="system", body=body)
    row = await desk.turn(key)
    assert (row.state, "人数" in row.reason) == (State.RETRYING, True)
    row = await desk.turn(key)
    assert (row.state, await desk.calls(LIST)) == (State.RETRYING, [])
    assert await desk.rows(key) == {}  # nobody has one until a person decides
    names = {"publication": key, "account": account, "digest": release.digest}
    async with office.ledger.transaction() as tx:
        await tx.append(decision, subject=subject, actor="s", body=names)
    if decision == "push.dropped":
        row = await desk.turn(key)
        assert (row.state, "不再发送" in row.reason) == (State.HELD, True)
        assert await desk.calls(LIST) == []
        return
    assert (await desk.turn(key)).state == State.PUBLISHED
    assert await desk.rows(key) == {State.PUBLISHED: 9}
