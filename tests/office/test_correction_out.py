"""A correction from published to told: the old one gives way, and who was sent it hears once."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from app import build_site
from bot.contract import Content
from bot.delivery.taken import CORRECTED
from bot.models import Contact
from config.clock import now
from demo.cast import TELEGRAM_ID
from review_queue import deciding, drafting, publishing, submitting
from review_queue.correcting import Correction, correct
from review_queue.correcting_out import give_way
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item
from review_queue.told import latest_on
from review_queue.workflow import GATES
from subscriptions.hours import PushHours
from subscriptions.subscribers import CONSENT_VERSION, Subscribers, Wish
from tests.office.test_once import (  # noqa: F401  the office and its platforms
    BODY,
    TABLE,
    Office,
    home,
    office,
    platforms,
)
from tests.office.test_takedown import channel, page, results, settled, signed_accounts

JOBS = {"topics": ["employment"]}
TITLE = "更正：周末办理时间"
WORDS = "县图书馆周末照常开放，办理时间为上午九点到下午六点。"


async def reviewed(office: Office, item: Item) -> Item:  # noqa: F811
    queue, editor = office.shenfa.queue, office.people["editor"]
    item = await submitting.submit(queue, item.id, editor, item.version)
    for one in ("reviewer1", "reviewer2"):
        digest, _ = await findings_now(queue, item.id)
        gates = {gate: {"ok": True, "note": "已核对"} for gate in GATES}
        answer = ReviewForm("approve", digest, item.version, gates)
        item = await deciding.decide(queue, item.id, office.people[one], answer)
    item = await publishing.schedule(queue, item.id, editor)
    await office.publish()
    await settled(office)
    return item


async def pushed(office: Office) -> None:  # noqa: F811
    await office.shenfa.pusher.create_due()
    await office.shenfa.sender.deliver_due()


async def readers(office: Office, account_id: str) -> dict[str, Contact]:  # noqa: F811
    """Three people who subscribed 就业创业, by what they do later."""
    made = await office.platforms.control(
        "citizens", account=TELEGRAM_ID, count=3, prefix="市民", follow=True
    )
    people: dict[str, Contact] = {}
    subscribers = Subscribers(office.shenfa.taxonomy)
    for name, address in zip(("stays", "leaves_topic", "leaves"), made["citizens"], strict=True):
        async with office.shenfa.ledger.transaction() as tx:
            contact = await office.shenfa.contacts.upsert(tx.session, account_id, address, now())
            await subscribers.subscribe(tx, contact, Wish("employment"), CONSENT_VERSION)
            people[name] = contact
    return people


async def heard(office: Office, contact: Contact) -> list[str]:  # noqa: F811
    """What this person has on their phone."""
    address = office.shenfa.contacts.address(contact)
    query = {"account": TELEGRAM_ID, "citizen": address}
    async with office.platforms.http.get(
        f"{office.platforms.url}/_control/messages", params=query
    ) as answer:
        return [one["text"] for one in (await answer.json())["messages"]]


async def verified(office: Office, publication: str) -> str:  # noqa: F811
    """The public verify page."""
    async with TestClient(TestServer(build_site(office.shenfa))) as client:
        answer = await client.get(f"/verify/{publication}")
        assert answer.status == 200
        return await answer.text()


async def test_a_correction_from_published_to_told(
    office: Office,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(PushHours, "quiet", lambda *_: False)  # tried at any hour of the day
    await signed_accounts(office)
    await office.platforms.control("limits", result_delay=0.01)
    shenfa, editor = office.shenfa, office.people["editor"]
    content = Content(kind="原创", title="周末办理时间", body=BODY)
    origin = Origin(editor_id=editor, klass="日常", audience=JOBS)
    old = await reviewed(office, await drafting.create_item(shenfa.queue, content, origin))
    accounts: Mapping[str, str] = {
        (await shenfa.accounts.open(one)).platform: one for one in set(await _accounts(office, old))
    }
    telegram = accounts["telegram"]
    people = await readers(office, telegram)
    await pushed(office)
    assert {name: len(await heard(office, one)) for name, one in people.items()} == {
        "stays": 1,
        "leaves_topic": 1,
        "leaves": 1,
    }
    async with shenfa.ledger.transaction() as tx:
        subscribers = Subscribers(shenfa.taxonomy)
        await subscribers.subscribe(
            tx, people["leaves_topic"], Wish("consumption"), CONSENT_VERSION
        )
        own = await subscribers.list(tx.session, people["leaves_topic"].id)
        topic = [row.id for row in own if row.topic == "employment"]
        await subscribers.leave(tx, people["leaves_topic"].id, *topic)
        await subscribers.leave_all(tx, people["leaves"].id)

    made = await correct(shenfa.queue, old.id, editor, Correction(TITLE, WORDS))
    new = await reviewed(office, made)
    for _ in range(2):  # asked again, nothing is said or deleted twice
        await give_way(shenfa.queue)
        await shenfa.remover.remove_due()
        await pushed(office)

    # One chat is sent one message a second, so the second one may have to wait.
    wanted = [people["stays"], people["leaves_topic"]]
    while any([len(await heard(office, one)) < 2 for one in wanted]):
        await asyncio.sleep(0.2)
        await shenfa.sender.deliver_due()

    first, second = await channel(office)
    out = await office.row(new, telegram)
    assert first["text"].startswith("本条信息已经更正，请以更正后的为准")
    assert TITLE in first["text"]
    assert out.url in first["text"]
    assert "六点" in second["text"]
    assert await results(office, old) == {"telegram": "edited", "wechat": "deleted"}
    assert "已被发布者删除" in await page(office, old)
    assert "六点" in await page(office, new)

    stays, left = await heard(office, people["stays"]), await heard(office, people["leaves_topic"])
    assert (len(stays), len(left), len(await heard(office, people["leaves"]))) == (2, 2, 1)
    assert "为什么收到：您订阅了 就业创业" in stays[1]
    assert "为什么收到：您收到过《周末办理时间》，内容有更正，这里只说改了什么。" in left[1]
    assert "并已收到" not in left[1]

    facts = await shenfa.ledger.facts(f"item:{old.id}")
    ways = [one.body for one in facts if one.kind == CORRECTED]
    assert {one["account"] for one in ways} == set(accounts.values())
    was = await office.row(old, telegram)
    assert {(one["digest"], one["corrected"]) for one in ways} == {(was.digest, out.digest)}
    for account in accounts.values():
        assert [one.title for one in await latest_on(shenfa.ledger, account)] == [TITLE]
    old_page, new_page = await verified(office, was.id), await verified(office, out.id)
    assert "已被更正代替" in old_page
    assert out.digest[:16] in old_page
    assert was.digest[:16] in new_page
    assert "现在仍然有效" in new_page


async def _accounts(office: Office, item: Item) -> list[Any]:  # noqa: F811
    async with office.shenfa.db.session() as session:
        query = select(TABLE.c.account_id).where(TABLE.c.item_id == item.id)
        return list(await session.scalars(query))
