"""Every code of a platform, met by a running office: row, contact, account, item and incident.

What each meaning comes to stands here in plain words and is not asked of the product.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import delete, select, update

from bot.channels import CHANNELS
from bot.contract import Content, State
from bot.delivery.settling import settle_publication
from bot.meaning import Meaning
from bot.models import Account, AccountRest, Attempt, Contact, Delivery, Publication
from config.clock import now
from ledger.models import Incident
from review_queue import drafting, publishing
from review_queue.models import Item
from storage.database import new_id
from subscriptions.subscribers import CONSENT_VERSION, Subscribers, Wish
from tests.office.both import SLUGS, Both, both, home_made_once, until

TITLE = "周末招聘会安排"
TELEGRAM: dict[str, dict[str, Any]] = {
    "429": {"code": 429, "seconds": 7},
    "401": {"kind": "invalidate_token"},
    "403": {"code": 403},
    "kicked": {"code": 403, "description": "Forbidden: bot was kicked from the supergroup chat"},
    "no_start": {
        "code": 403,
        "description": "Forbidden: bot can't initiate conversation with a user",
    },
    "no_chat": {"description": "Bad Request: chat not found"},
    "no_rights": {
        "description": "Bad Request: not enough rights to send text messages to the chat"
    },
    "thread": {"description": "Bad Request: message thread not found"},
    "too_long": {"description": "Bad Request: message is too long"},
    "empty": {"description": "Bad Request: message text is empty"},
    "picture": {"description": "Bad Request: PHOTO_INVALID_DIMENSIONS"},
    "entities": {"description": "Bad Request: can't parse entities: unexpected end"},
    "too_old": {"description": "Bad Request: message can't be deleted"},
    "not_there": {"description": "Bad Request: message to edit not found"},
    "same": {"description": "Bad Request: message is not modified"},
    "no_text": {"description": "Bad Request: there is no text in the message to edit"},
    "fixed": {"description": "Bad Request: message can't be edited"},
    "not_sent": {"kind": "error500"},
    "no_answer": {"kind": "drop_answer"},
}
"""How the platform says each code of its table."""
ELSEWHERE = {"telegram": {"migrated"}, "wechat": {"not_sent"}}
"""Told by a group that moved (tests/bot/test_telegram.py), and by no platform at all."""
METHOD = {"telegram": "sendMessage", "wechat": "message/custom/send"}
OF_A_READER = {
    Meaning.RETRY: ("retrying", ""),
    Meaning.BACK_OFF: ("retrying", ""),
    Meaning.WAIT: ("held", "window"),
    Meaning.DROP: ("ended", ""),
    Meaning.MUTE: ("ended", ""),
    Meaning.STOP: ("held", "account"),
    Meaning.REVIEW: ("failed", ""),
    Meaning.PERSON: ("held", "person"),
    Meaning.UNKNOWN: ("unknown", ""),
}
OF_A_TIMELINE = {
    **OF_A_READER,
    Meaning.WAIT: ("failed", ""),
    Meaning.DROP: ("failed", ""),
    Meaning.MUTE: ("failed", ""),
}
CALLS = [
    (platform, code)
    for platform in ("wechat", "telegram")
    for code in CHANNELS[platform].codes
    if code not in ELSEWHERE[platform] and not code.startswith(("mass_", "publish_"))
]
REFUSED_TEXTS = ["87014", "45003", "53503", "publish_status_2", "publish_status_4"]


def fault_of(platform: str, code: str) -> dict[str, Any]:
    """What the sandbox is told, to answer with this code."""
    if platform == "telegram":
        return {"kind": "refuse", "code": 400, **TELEGRAM[code]}
    if code == "no_answer":
        return {"kind": "drop_answer"}
    # Three: a token that is refused is renewed, and the call made once more.
    return {"kind": "refuse", "code": int(code), "count": 3}


@dataclass
class Met:
    """One office for all codes, with a push that is out on both platforms."""

    town: Both
    places: dict[str, Publication]
    accounts: dict[str, str]
    number: int = 0
    moved: float = 0.0

    @property
    def shenfa(self) -> Any:
        return self.town.talk.shenfa

    async def message(self, platform: str) -> Delivery:
        """A message of the push that is out, due to a new citizen who wants it."""
        self.number += 1
        citizen = await self.town.citizen(platform, f"读者{self.number}-")
        place, account = self.places[platform], self.accounts[platform]
        async with self.shenfa.ledger.transaction() as tx:
            person = await self.shenfa.contacts.upsert(tx.session, account, citizen, now())
            wish = Wish("employment", frequency="immediate")
            await Subscribers(self.shenfa.taxonomy).subscribe(tx, person, wish, CONSENT_VERSION)
            row = Delivery(
                id=new_id(), content_key=f"{place.release_id}+t{self.number}", late=True,
                release_id=place.release_id, publication_id=place.id, account_id=account,
                contact_id=person.id, reason="就业创业", state=State.CREATED, created_at=now(),
            )  # fmt: skip
            tx.session.add(row)
        return row

    async def row(self, model: Any, key: str) -> Any:
        async with self.shenfa.db.session() as session:
            return await session.get(model, key)

    async def rest(self, account: str) -> datetime | None:
        """Until when the account rests."""
        found = await self.row(AccountRest, account)
        return found.until if found is not None else None

    async def incidents(self) -> dict[tuple[str, str], str]:
        query = select(Incident.kind, Incident.subject, Incident.message)
        async with self.shenfa.db.session() as session:
            return {(kind, about): words for kind, about, words in await session.execute(query)}

    async def fault(self, platform: str, method: str, **fault: Any) -> None:
        await self.town.talk.post("faults", platform=platform, method=method, **fault)

    async def later(self, code: str) -> None:
        """A token may be forced anew twice a minute at most (W33)."""
        if code in ("40001", "40014", "42001"):
            self.moved += 40
            await self.town.move(self.moved)

    async def forget(self) -> None:
        """No fault, no rest, nothing that waits."""
        await self.town.talk.post("faults")
        async with self.shenfa.db.session() as session:
            await session.execute(delete(AccountRest))
            waits = Delivery.state.in_(("created", "retrying", "held"))
            await session.execute(update(Delivery).where(waits).values(state="ended"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Met]:
    home = await asyncio.to_thread(home_made_once)
    async with both(home, tmp_path_factory.mktemp("office")) as town:
        await town.talk.post("limits", telegram=False, wechat=False, result_delay=0.01)
        await town.publish(TITLE)
        async with town.talk.shenfa.db.session() as session:
            accounts = {
                platform: str(await session.scalar(select(Account.id).where(Account.slug == slug)))
                for platform, slug in SLUGS.items()
            }
            rows = {row.account_id: row for row in await session.scalars(select(Publication))}
        yield Met(town, {name: rows[key] for name, key in accounts.items()}, accounts)


def test_every_code_of_both_tables_is_met_here_or_elsewhere() -> None:
    assert set(TELEGRAM) | ELSEWHERE["telegram"] == set(CHANNELS["telegram"].codes)
    numbers = {code for code in CHANNELS["wechat"].codes if code.lstrip("-").isdecimal()}
    ends = {code for code in CHANNELS["wechat"].codes if code.startswith(("mass_", "publish_"))}
    named = {"no_answer"} | ELSEWHERE["wechat"]
    assert numbers | ends | named == set(CHANNELS["wechat"].codes)
    assert set(OF_A_READER) == set(Meaning)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("platform", "code"), CALLS)
async def test_a_message_refused_with_a_code_comes_to_what_the_table_says(
    office: Met, platform: str, code: str
) -> None:
    listed = CHANNELS[platform].codes[code]
    account = office.accounts[platform]
    await office.later(code)
    row, other = await office.message(platform), await office.message(platform)
    before, moment = await office.incidents(), now()
    await office.fault(platform, METHOD[platform], **fault_of(platform, code))
    try:
        assert await office.shenfa.sender.send_row(row.id) is not None
        done = await office.row(Delivery, row.id)
        assert (done.state, done.hold) == OF_A_READER[listed.meaning]
        assert (done.code, done.why) == (code, listed.words)
        assert (done.next_at is not None) is (done.state == "retrying")
        assert done.attempts == (0 if listed.meaning is Meaning.BACK_OFF else 1)
        async with office.shenfa.db.session() as session:
            query = select(Attempt.code).where(Attempt.delivery_id == row.id)
            assert [*(await session.scalars(query))] == [code]
        contact = await office.row(Contact, row.contact_id)
        assert (contact.state == "ended") is (listed.meaning is Meaning.DROP)
        assert (contact.refused_at is not None) is (listed.meaning is Meaning.MUTE)
        waits = await office.row(Delivery, other.id)
        stopped = listed.meaning is Meaning.STOP
        assert (waits.state, waits.hold) == (("held", "account") if stopped else ("created", ""))
        until_ = await office.rest(account)
        assert (until_ is not None and until_ > moment) is (listed.meaning is Meaning.BACK_OFF)
        told = {
            Meaning.STOP: ("account_refused", f"account:{account}"),
            Meaning.REVIEW: ("delivery_failed", f"publication:{row.publication_id}:{code}"),
            Meaning.PERSON: ("delivery_failed", f"publication:{row.publication_id}:{code}"),
        }
        wanted = {told[listed.meaning]} if listed.meaning in told else set()
        after = await office.incidents()
        assert after.keys() - before.keys() <= wanted <= after.keys()
    finally:
        await office.forget()
    # Nothing is sent a second time by itself, whatever the code.
    if OF_A_READER[listed.meaning][0] not in ("retrying", "held"):
        assert await office.shenfa.sender.send_row(row.id) is None


TIMELINE = [
    code
    for code, listed in CHANNELS["wechat"].codes.items()
    if code.lstrip("-").isdecimal() and listed.meaning is not Meaning.REVIEW
]


async def approved(office: Met, title: str) -> tuple[str, Publication]:
    """An item for WeChat alone, approved and due: its id and its publication."""
    talk, account = office.town.talk, office.accounts["wechat"]
    item = await drafting.create_item(
        office.shenfa.queue,
        Content("原创", title, "地点在县体育馆，请带身份证件。"),
        drafting.Origin(talk.people["editor"], "日常", accounts=(account,)),
    )
    item = await talk.approve(await talk.submitted(item), "reviewer1", "reviewer3")
    await publishing.schedule(office.shenfa.queue, item.id, talk.people["editor"])
    async with office.shenfa.db.session() as session:
        query = select(Publication).where(Publication.item_id == item.id)
        return item.id, (await session.scalars(query)).one()


async def due_again(office: Met, row: Publication) -> None:
    """What a person decides about it, so that it is called once more."""
    answers = {"held": "retry", "failed": "retry", "unknown": "no"}
    if (answer := answers.get(row.state)) is not None:
        await settle_publication(
            office.shenfa.ledger,
            row.id,
            office.town.talk.people["editor"],
            answer,
            on_publication=_nothing_more,
        )
    async with office.shenfa.db.session() as session:
        change = update(Publication).where(Publication.id == row.id)
        await session.execute(change.values(attempts=0, next_at=None))


async def _nothing_more(publication_id: str) -> None:
    """The item's own state is another test's."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scheduled(office: Met) -> AsyncIterator[Publication]:
    """One publication that every code keeps from going out."""
    _, row = await approved(office, "招聘会交通提示")
    yield row


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("code", TIMELINE)
async def test_a_publication_refused_with_a_code_comes_to_what_the_table_says(
    office: Met, scheduled: Publication, code: str
) -> None:
    listed = CHANNELS["wechat"].codes[code]
    account = office.accounts["wechat"]
    await office.later(code)
    other = await office.message("wechat")
    await due_again(office, await office.row(Publication, scheduled.id))
    await office.fault("wechat", "freepublish/submit", **fault_of("wechat", code))
    try:
        assert await office.shenfa.publisher.publish_due() == 1
        row = await office.row(Publication, scheduled.id)
        assert row.state == OF_A_TIMELINE[listed.meaning][0]
        assert row.reason == listed.words
        waits = await office.row(Delivery, other.id)
        stopped = listed.meaning is Meaning.STOP
        assert (waits.state, waits.hold) == (("held", "account") if stopped else ("created", ""))
        told = ("publication_failed", f"publication:{row.id}:{code}")
        after = await office.incidents()
        if stopped:
            assert ("account_refused", f"account:{account}") in after
        assert (told in after) is (row.state != "retrying" and not stopped)
        if row.state in ("held", "failed", "unknown"):
            assert await office.shenfa.publisher.publish_due() == 0
    finally:
        await office.forget()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("code", REFUSED_TEXTS)
async def test_a_text_at_fault_goes_back_to_its_editor_with_the_reason(
    office: Met, code: str
) -> None:
    item_id, row = await approved(office, f"招聘会提示 {code}")
    status = code.removeprefix("publish_status_")
    fault = (
        fault_of("wechat", code) if status == code else {"kind": "publish_status", "status": status}
    )
    await office.fault("wechat", "freepublish/submit", **fault)

    async def returned() -> bool:
        await office.shenfa.publisher.settle_due()
        return bool((await office.row(Item, item_id)).state == "draft")

    try:
        await office.shenfa.publisher.publish_due()
        async with office.shenfa.db.session() as session:
            await session.execute(update(Publication).values(next_at=now()))
        assert await until(returned, 15)
        item = await office.row(Item, item_id)
        assert (await office.row(Publication, row.id)).state == "failed"
        assert CHANNELS["wechat"].codes[code].what in item.return_reason
        words = (await office.incidents())["publication_failed", f"publication:{row.id}:{code}"]
        assert "稿件已退回编辑" in words
    finally:
        await office.forget()


@pytest.mark.asyncio(loop_scope="module")
async def test_a_code_nobody_listed_is_unknown_once_told_and_never_repeated(office: Met) -> None:
    rows = [await office.message("wechat") for _ in range(3)]
    await office.fault("wechat", "message/custom/send", kind="refuse", code=90001, count=3)
    for row in rows:
        assert await office.shenfa.sender.send_row(row.id) is not None
    done = [await office.row(Delivery, row.id) for row in rows]
    assert {(row.state, row.code) for row in done} == {("unknown", "90001")}
    told = [key for key in await office.incidents() if key[0] == "code_unlisted"]
    assert told == [("code_unlisted", f"account:{office.accounts['wechat']}:90001")]
    words = (await office.incidents())[told[0]]
    assert "没有列出的代码 90001" in words
    assert not [about for kind, about in await office.incidents() if "90001" in about[30:80]
                and kind == "delivery_failed"]  # fmt: skip
    for row in rows:
        assert await office.shenfa.sender.send_row(row.id) is None
    await office.forget()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("method", "state"), [("draft/add", "held"), ("freepublish/submit", "unknown")]
)
async def test_a_publication_that_meets_an_unlisted_code_waits_for_a_person(
    office: Met, scheduled: Publication, method: str, state: str
) -> None:
    await due_again(office, await office.row(Publication, scheduled.id))
    await office.fault("wechat", method, kind="refuse", code=90002)
    assert await office.shenfa.publisher.publish_due() == 1
    row = await office.row(Publication, scheduled.id)
    assert row.state == state
    assert "没有列出的代码 90002" in row.reason
    assert await office.shenfa.publisher.publish_due() == 0
    told = await office.incidents()
    assert ("code_unlisted", f"account:{office.accounts['wechat']}:90002") in told
    assert ("publication_failed", f"publication:{row.id}:90002") in told
    await office.forget()
