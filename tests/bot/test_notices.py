"""Four people, four ways: over the platform's sandbox, each item to each person once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.accounts import NewAccount
from bot.contract import Inbound, Outcome, Release, ReplyBasis, State
from bot.delivery.choosing import Via
from bot.delivery.outbox import queue_reply
from bot.delivery.preparing import CAME, NOT_AGREED
from bot.models import CallCount, Contact, Delivery, Publication
from bot.notice_models import NoticeConsent, NoticeEvent, NoticePause
from bot.noticing import Did
from bot.unreachable import Scope, causes, people
from config.clock import now
from storage.database import new_id
from tests.bot.conftest import AES_KEY, parts
from tests.bot.test_callbacks import House, house, patience
from tests.made import signed_out

__all__ = ["house", "patience"]
WX = "wxnotices"
KEYS = {"appid": WX, "secret": "s3", "token": "t0", "aes_key": AES_KEY}
FIELDS = {"thing1": "title", "thing2": "reason", "date3": "date"}
LONG = {"id": "TL", "title": "政策提醒", "long_term": True, "fields": list(FIELDS)}
ONCE = {"id": "TO", "title": "政策提醒", "long_term": False, "fields": list(FIELDS)}
ANSWER = {"id": "TA", "title": "咨询答复", "long_term": False, "fields": ["thing1", "thing2"]}
PAGE = "https://qinghe.example.gov.cn/agree"
SETTINGS = {
    "kind": "service",
    "passive_seconds": 30.0,
    "notices": [
        {"template": one["id"], "long_term": one["long_term"], "fields": FIELDS}
        for one in (LONG, ONCE)
    ]
    + [
        {
            "template": "TA",
            "long_term": False,
            "fields": {"thing1": "title", "thing2": "reason"},
            "answers": PAGE,
        }
    ],
}


async def silent(inbound: Inbound) -> None:
    """Nothing is answered: what reaches a phone is a push."""


class Town:
    """The house with a service account that has notices, and people who follow it."""

    def __init__(self, house: House) -> None:
        self.house, self.db, self.sender = house, house.office.db, house.sender

    async def templates(self, *templates: Any) -> None:
        await self.house.platforms.control(
            "accounts", platform="wechat", name="青禾", templates=list(templates),
            callback_url=f"{self.house.url}/wechat/notices", **KEYS,
        )  # fmt: skip

    async def person(self, number: int) -> str:
        found = (await self.house.platforms.seen("citizens", account=WX))["citizens"]
        return str(found[number]["citizen"])

    async def tap(self, number: int, event: str, **more: Any) -> Any:
        citizen = await self.person(number)
        return await self.house.platforms.control(
            "tap", account=WX, citizen=citizen, event=event, **more
        )

    async def say(self, number: int, text: str = "在吗") -> None:
        citizen = await self.person(number)
        await self.house.platforms.control("say", account=WX, citizen=citizen, text=text)

    async def event(self, number: int, fields: dict[str, Any], times: int = 1) -> None:
        citizen = await self.person(number)
        fields = {"MsgType": "event"} | fields
        await self.house.platforms.control(
            "send", account=WX, citizen=citizen, fields=fields, times=times
        )

    async def got(self, number: int) -> list[Any]:
        """What reached the phone outside of calls."""
        citizen = await self.person(number)
        answer = await self.house.platforms.seen("messages", account=WX, citizen=citizen)
        return [one for one in answer["messages"] if not one.get("passive")]

    async def contact(self, number: int) -> Contact:
        citizen = await self.person(number)
        async with self.db.session() as session:
            found = await self.house.office.contacts.find(
                session, self.house.office.account.id, citizen
            )
        assert found is not None
        return found

    async def long_ago(self) -> None:
        """No window of anybody is open any more."""
        past = now() - timedelta(days=3)
        async with self.db.session() as session:
            values = {"last_inbound_at": past, "brief_at": past}
            await session.execute(update(Contact).values(**values))

    async def push(self, *numbers: int, release: Release | None = None) -> list[str]:
        """Rows of one item for these people."""
        release = release or self.house.office.release()
        rows = []
        for number in numbers:
            contact = await self.contact(number)
            row = Delivery(
                id=new_id(), content_key=release.id, release_id=release.id,
                account_id=contact.account_id, contact_id=contact.id,
                reason="您订阅了 就业创业、人群 高校毕业生", state=State.CREATED, created_at=now(),
            )  # fmt: skip
            async with self.db.session() as session:
                session.add(row)
            rows.append(row.id)
        return rows

    async def rows(self, keys: list[str]) -> list[Delivery]:
        return [await self.house.office.row(Delivery, key) for key in keys]

    async def all(self, model: Any) -> list[Any]:
        async with self.db.session() as session:
            return list((await session.scalars(select(model))).all())

    async def left(self) -> dict[str, int]:
        return {one.template: one.left for one in await self.all(NoticeConsent)}

    async def calls(self, method: str) -> int:
        told = await self.house.platforms.seen("requests", method=method, account=WX)
        return int(told["count"])


@pytest.fixture
async def town(house: House) -> Town:
    office, platforms = house.office, house.platforms
    office.channel = house.channels["wechat"]
    async with office.ledger.transaction() as tx:
        base = f"{platforms.url}/wechat"
        new = NewAccount("notices", new_id(), "wechat", "青禾发布", base, KEYS, SETTINGS)
        office.account = await office.accounts.create(tx, new, "init")
    house.answer = silent
    made = Town(house)
    await made.templates(LONG, ONCE, ANSWER)
    await platforms.control("citizens", account=WX, count=4, prefix="n")
    await platforms.control("limits", result_delay=0.01)
    return made


async def test_four_people_are_served_by_four_ways_and_the_held_one_on_their_next_message(
    town: Town,
) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TL")
    await town.say(1)
    await town.tap(2, "subscribe_msg_popup", template="TO")
    await town.tap(3, "follow")
    async with town.db.session() as session:  # their minute is long over
        fourth = (await town.contact(3)).id
        past = {"brief_at": now() - timedelta(days=1)}
        await session.execute(update(Contact).where(Contact.id == fourth).values(**past))
    keys = await town.push(0, 1, 2, 3)
    assert await town.sender.deliver_due() == 4
    rows = await town.rows(keys)
    assert [one.route for one in rows] == [
        Via.LONG_NOTICE, Via.MESSAGE, Via.ONE_NOTICE, Via.HOLD,
    ]  # fmt: skip
    assert [one.state for one in rows] == [State.PUBLISHED] * 3 + [State.HELD]
    assert all(one.whole for one in rows)
    kinds = [[one["kind"] for one in await town.got(number)] for number in range(4)]
    assert kinds == [["notice"], ["text"], ["notice"], []]
    [notice] = await town.got(0)
    assert notice["data"]["thing1"] == "青禾县高校毕业生就业补贴申领指南"
    assert notice["data"]["thing2"].endswith("（回复退订可停）")
    assert await town.left() == {"TL": 1, "TO": 0}
    waiting = await town.contact(3)
    assert waiting.paused_at is not None

    await town.say(3)
    assert await town.sender.deliver_due() == 1
    assert await town.sender.deliver_due() == 0
    await town.say(3, "还在吗")
    assert await town.sender.deliver_due() == 0
    [held] = await town.rows(keys[3:])
    assert (held.state, held.route, held.whole) == (State.PUBLISHED, Via.MESSAGE, True)
    assert [len(await town.got(number)) for number in range(4)] == [1, 1, 1, 1]
    assert (await town.contact(3)).paused_at is None


async def test_a_one_time_agreement_is_one_notice_and_the_next_item_waits_for_a_new_one(
    town: Town,
) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TO")
    keys = await town.push(0) + await town.push(0)
    await town.sender.deliver_due()
    await town.sender.deliver_due()
    # The one that found its agreement used chooses anew; and what comes in one second is one event.
    await asyncio.sleep(1.1)
    await town.sender.deliver_due()
    assert sorted(one.route for one in await town.rows(keys)) == [Via.HOLD, Via.ONE_NOTICE]
    assert len(await town.got(0)) == 1
    assert await town.calls("message/subscribe/bizsend") == 1  # nobody asks what is used up
    await town.tap(0, "subscribe_msg_popup", template="TO")
    assert await town.sender.deliver_due() == 1
    assert {one.route for one in await town.rows(keys)} == {Via.ONE_NOTICE}
    assert len(await town.got(0)) == 2
    assert await town.left() == {"TO": 0}


async def test_a_refusal_ends_that_template_alone_and_the_item_goes_another_way(
    town: Town,
) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TL")
    await town.say(0)
    refuse = {"kind": "refuse", "method": "message/subscribe/bizsend", "code": 43101}
    await town.house.platforms.control("faults", platform="wechat", **refuse)
    [key] = await town.push(0)
    await town.sender.deliver_due()
    await asyncio.sleep(0.6)
    await town.sender.deliver_due()
    [row] = await town.rows([key])
    assert (row.state, row.route) == (State.PUBLISHED, Via.MESSAGE)
    [consent] = await town.all(NoticeConsent)
    assert (consent.left, consent.why) == (0, Did.REFUSED)
    assert consent.ended_at is not None
    person = await town.contact(0)
    assert (person.state, person.refused_at) == ("active", None)


async def test_a_template_that_is_gone_is_told_once_and_called_for_nobody_else(town: Town) -> None:
    for number in range(3):
        await town.tap(number, "subscribe_msg_popup", template="TL")
    await town.templates({**ONCE})
    [first] = await town.push(0)
    await town.sender.deliver_due()
    await town.push(1, 2)
    await asyncio.sleep(0.6)
    await town.sender.deliver_due()
    assert await town.calls("message/subscribe/bizsend") == 1
    [row] = await town.rows([first])
    assert (row.state, row.route) == (State.HELD, Via.HOLD)
    [pause] = await town.all(NoticePause)
    assert (pause.template, pause.code) == ("TL", "40037")
    assert await town.left() == {"TL": 1}  # nobody took anything back


async def test_wrong_fields_are_refused_for_everybody_and_used_agreements_come_back(
    town: Town,
) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TO")
    await town.templates({**ONCE, "fields": ["thing1", "thing9"]})
    await town.push(0)
    await town.sender.deliver_due()
    [pause] = await town.all(NoticePause)
    assert pause.code == "47003"
    assert await town.left() == {"TO": 1}


async def test_what_went_by_a_mass_send_reaches_nobody_a_second_time(town: Town) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TL")
    release = town.house.office.release()
    place = await town.house.office.publication(release)
    [key] = await town.push(0, release=release)
    async with town.db.session() as session:
        out = await session.get_one(Publication, place)
        out.ref = "mass:12"
        (await session.get_one(Delivery, key)).publication_id = place
    await signed_out(town.house.office.ledger, out)
    await town.sender.deliver_due()
    [row] = await town.rows([key])
    assert (row.state, row.route) == (State.ENDED, Via.MASS)
    assert await town.got(0) == []
    assert (await town.contact(0)).state == "active"


async def test_a_day_that_is_used_up_leads_to_the_next_way(town: Town) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TL")
    await town.say(0)
    refuse = {"kind": "refuse", "method": "message/subscribe/bizsend", "code": 45009}
    await town.house.platforms.control("faults", platform="wechat", **refuse)
    [key] = await town.push(0)
    await town.sender.deliver_due()
    await asyncio.sleep(0.6)
    await town.sender.deliver_due()
    [row] = await town.rows([key])
    assert (row.state, row.route) == (State.PUBLISHED, Via.MESSAGE)
    await town.long_ago()
    [waits] = await town.rows(await town.push(0))
    await town.sender.deliver_due()
    [waits] = await town.rows([waits.id])
    # The agreement still stands: it goes by itself when the platform counts anew.
    assert (waits.state, waits.route, waits.code) == (State.RETRYING, Via.HOLD, "no_room")
    assert waits.next_at is not None
    assert await town.left() == {"TL": 1}
    used = {one.call: one.count for one in await town.all(CallCount)}
    assert used == {"message/custom/send": 1, "message/subscribe/bizsend": 1}


async def test_a_notice_whose_answer_is_lost_has_used_its_agreement_and_is_not_sent_again(
    town: Town,
) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TO")
    lost = {"kind": "drop_answer", "method": "message/subscribe/bizsend"}
    await town.house.platforms.control("faults", platform="wechat", **lost)
    [key] = await town.push(0)
    await town.sender.deliver_due()
    await town.sender.deliver_due()
    [row] = await town.rows([key])
    assert (row.state, row.route) == (State.UNKNOWN, Via.ONE_NOTICE)
    assert await town.left() == {"TO": 0}
    assert len(await town.got(0)) == 1


async def test_what_breaks_before_the_call_gives_the_agreement_back(town: Town) -> None:
    async def broken(*_: Any) -> Outcome:
        raise RuntimeError("before the call")

    await town.tap(0, "subscribe_msg_popup", template="TO")
    town.house.channels["wechat"].notify = broken
    [key] = await town.push(0)
    await town.sender.deliver_due()
    [row] = await town.rows([key])
    assert (row.state, row.route) == (State.RETRYING, Via.ONE_NOTICE)
    assert await town.left() == {"TO": 1}
    assert Did.BACK in {one.did for one in await town.all(NoticeEvent)}


async def test_an_event_that_comes_twice_is_one_agreement(town: Town) -> None:
    detail = {"TemplateId": "TO", "SubscribeStatusString": "accept", "PopupScene": "2"}
    fields = {
        "Event": "subscribe_msg_popup_event",
        "SubscribeMsgPopupEvent": {"List": detail},
    }
    await town.event(0, fields, times=3)
    assert await town.left() == {"TO": 1}
    sent = {"TemplateId": "TO", "MsgID": "99", "ErrorCode": "0", "ErrorStatus": "success"}
    await town.event(
        0, {"Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": {"List": sent}}, times=2
    )
    assert await town.left() == {"TO": 0}  # of a notice somebody else sent: used up once
    assert len(await town.all(NoticeEvent)) == 2


async def test_our_own_notice_is_not_counted_again_by_its_event(town: Town) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TO")
    [key] = await town.push(0)
    await town.sender.deliver_due()
    for _ in range(1000):
        told = await town.house.platforms.seen("deliveries", account=WX)
        if "subscribe_msg_sent_event" in str(told):
            break
        await asyncio.sleep(0.02)
    await town.house.callbacks.drain()
    [row] = await town.rows([key])
    _, used = sorted(await town.all(NoticeEvent), key=lambda one: one.id)
    assert (used.did, used.message) == (Did.USED, row.ref)
    assert row.ref


async def test_an_agreement_to_a_template_nobody_named_is_kept_and_told(town: Town) -> None:
    detail = {"TemplateId": "TX", "SubscribeStatusString": "accept"}
    await town.event(
        0, {"Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": {"List": [detail]}}
    )
    assert await town.left() == {"TX": 1}
    assert [kind for kind, _, _ in town.house.incidents] == ["notice_template"]
    await town.push(0)
    await town.sender.deliver_due()
    assert await town.calls("message/subscribe/bizsend") == 0


async def test_what_a_person_takes_back_ends_it_and_a_stranger_who_refuses_is_not_kept(
    town: Town,
) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TL")
    later = {"TemplateId": "TL", "SubscribeStatusString": "reject"}
    await town.event(
        0, {"Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": {"List": later}}
    )
    await town.event(
        1, {"Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": {"List": later}}
    )
    [consent] = await town.all(NoticeConsent)
    assert (consent.left, consent.why) == (0, Did.REJECTED)
    assert len(await town.all(Contact)) == 1


@pytest.mark.parametrize(
    ("code", "scope", "restored"),
    [
        (43004, Scope.ALL, "follow"),
        (48002, Scope.ALL, "follow"),
        (40003, Scope.ALL, "follow"),
        (43101, Scope.PUSHES, "subscribe_msg_popup"),
        (45015, Scope.MESSAGES, "follow"),
        (45047, Scope.MESSAGES, "subscribe_msg_popup"),
    ],
)
async def test_whoever_is_out_of_reach_is_listed_with_day_and_reason_and_comes_back_by_rule(
    town: Town, code: int, scope: Scope, restored: str
) -> None:
    await town.say(0)
    refuse = {"kind": "refuse", "method": "message/custom/send", "code": code}
    await town.house.platforms.control("faults", platform="wechat", **refuse)
    await town.push(0)
    await town.sender.deliver_due()
    assert await town.calls("message/custom/send") == 1
    async with town.db.session() as session:
        [cause] = await causes(session)
        [person] = await people(session, cause)
    reference = (await town.contact(0)).subject_ref
    assert (cause.scope, cause.count, person.who) == (scope, 1, f"订阅者 …{reference[-4:]}")
    assert cause.words
    assert cause.since is not None
    if scope == Scope.MESSAGES:
        assert cause.code == str(code)
    await town.push(0)
    await town.sender.deliver_due()
    assert await town.calls("message/custom/send") == 1  # who is out of reach is not called
    await town.tap(0, restored, template="TO")
    await town.sender.deliver_due()
    async with town.db.session() as session:
        left = [one for one in await causes(session) if one.scope == scope]
    contact = await town.contact(0)
    assert (contact.state, contact.refused_at) == ("active", None)
    # One agreement frees one of the two that wait; a window frees both.
    assert left == [] or (scope == Scope.MESSAGES and restored == "subscribe_msg_popup")


async def test_an_ended_template_is_listed_until_it_is_agreed_to_anew(town: Town) -> None:
    for ago, answer in ((10, "accept"), (5, "reject")):
        said = {"TemplateId": "TL", "SubscribeStatusString": answer}
        at = int(now().timestamp()) - ago
        fields = {"Event": "subscribe_msg_popup_event", "CreateTime": at}
        await town.event(0, fields | {"SubscribeMsgPopupEvent": {"List": said}})
    async with town.db.session() as session:
        [cause] = await causes(session)
    assert (cause.scope, cause.code, cause.words) == (
        Scope.NOTICE, "TL", "对方在微信里选择了不再接收",
    )  # fmt: skip
    await town.tap(0, "subscribe_msg_popup", template="TL")
    async with town.db.session() as session:
        assert await causes(session) == []


async def test_whoever_asks_to_be_forgotten_leaves_no_agreement(town: Town) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TL")
    contact = await town.contact(0)
    async with town.db.session() as session:
        await town.house.office.contacts.erase(session, contact.id)
    assert await town.all(NoticeConsent) == []
    assert await town.all(NoticeEvent) == []


async def test_that_an_answer_waits_goes_once_by_its_own_notice_and_no_push_uses_it(
    town: Town,
) -> None:
    await town.tap(0, "subscribe_msg_popup", template="TA")
    await town.long_ago()
    one = await town.contact(0)
    words = "咨询单ABC123有答复，来信即可看"

    async def tell(key: str) -> Delivery:
        told = parts(one.account_id, one.id, words, ReplyBasis.WAITS)
        row_id = await queue_reply(town.db, told, f"told:{key}")
        await town.sender.deliver_due()
        return (await town.rows([row_id]))[0]

    [held] = await town.push(0)
    await town.sender.deliver_due()
    assert (await town.rows([held]))[0].route == Via.HOLD
    first, again = await tell("a"), await tell("b")
    assert (first.state, first.route, first.whole) == (State.PUBLISHED, Via.ONE_NOTICE, True)
    assert (again.state, again.why) == (State.ENDED, NOT_AGREED)
    [notice] = await town.got(0)
    assert notice["data"]["thing1"] == words
    assert "退订" not in str(notice["data"])
    assert await town.left() == {"TA": 0}
    await town.say(0)
    assert (await tell("c")).why == CAME
