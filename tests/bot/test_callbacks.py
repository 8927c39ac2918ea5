"""Callbacks: proved, parsed, stored once, answered once; sent by the sandbox over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import xmltodict
from aiohttp import web
from sqlalchemy import select
from wechatpy.crypto import WeChatCrypto

from bot.account_entries import sign_account
from bot.accounts import NewAccount
from bot.callbacks import Callbacks, add_routes
from bot.contract import Inbound, InboundKind, Reply, State
from bot.delivery.sending import Sender
from bot.delivery.wiring import Wiring
from bot.met import Met
from bot.models import Account, AccountAbility, Contact, InboundMessage, Publication
from bot.probing import MESSAGES
from bot.replies import Filled, Parts, said
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel
from bot.wiring import CallbackWiring
from config.clock import now
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Database, new_id
from tests.bot.conftest import (
    AES_KEY,
    Office,
    Platforms,
    Process,
    RecordingChannel,
    in_words,
    no_media,
    parts,
)
from tests.waiting import until

SECRETS = {"appid": "wxqinghe", "secret": "s3", "token": "t0", "aes_key": AES_KEY}


class House:
    """The callback server with both accounts registered at the sandbox."""

    def __init__(self, office: Office, url: str, platforms: Platforms) -> None:
        self.office, self.url, self.platforms = office, url, platforms
        self.heard: list[Inbound] = []
        self.cache = MemoryCache()
        self.answer: Callable[[Inbound], Awaitable[str | None]] = self.echo
        self.ids: dict[str, str] = {}
        self.channels: dict[str, Any] = {}
        self.sender: Sender
        self.callbacks: Callbacks
        self.incidents: list[tuple[str, str, str]] = []

    async def on_incident(self, kind: str, subject: str, message: str) -> None:
        self.incidents.append((kind, subject, message))

    async def contacts(self) -> list[str]:
        """The state of every contact there is."""
        async with self.office.db.session() as session:
            return list(await session.scalars(select(Contact.state).order_by(Contact.id)))

    async def echo(self, inbound: Inbound) -> str | None:
        return f"收到：{inbound.text}" if inbound.text else None

    async def on_inbound(self, inbound: Inbound, contact: Contact) -> Parts | None:
        self.heard.append(inbound)
        text = await self.answer(inbound)
        if text is None:
            return None
        return replace(parts(inbound.account_id, contact.id, text), thread=inbound.thread)

    async def stored(self) -> list[InboundMessage]:
        async with self.office.db.session() as session:
            return list(await session.scalars(select(InboundMessage)))


HURRIED = pytest.mark.parametrize("patience", [0.15])
"""For what comes too late for its call."""


async def takes_its_time(house: House, seconds: float = 30.0) -> None:
    """From here on the platform waits: what comes in its call must not hang on this machine."""
    async with house.office.ledger.transaction() as tx:
        row = await tx.session.get_one(Account, house.ids["wechat"])
        row.settings = {**row.settings, "passive_seconds": seconds}
        await tx.session.flush()
        await sign_account(tx, row, "init")
    house.callbacks._known.clear()  # stands for the seconds that pass


@pytest.fixture
def patience() -> float:
    """Seconds within which WeChat wants its answer: a busy machine takes its time."""
    return 30.0


@pytest.fixture
async def house(
    platforms: Platforms, db: Database, crypt: DataKey, patience: float
) -> AsyncIterator[House]:
    office = Office(db, crypt, RecordingChannel(), platforms.hosts)
    made = House(office, "", platforms)
    cache = made.cache
    channels: dict[str, Any] = {
        "wechat": WeChatChannel(cache, platforms.hosts),
        "telegram": TelegramChannel(cache, platforms.hosts),
    }
    process = Process(
        Wiring(
            db,
            office.ledger,
            office.contacts,
            channels,
            office.verify,
            office.accounts.open,
            no_media,
            on_changed=office.row_changed,
            build=in_words,
        )
    )
    made.channels, made.sender = channels, process.sender
    app = web.Application()
    wiring = CallbackWiring(
        db,
        cache,
        office.accounts,
        office.contacts,
        process.publisher,
        process.sender,
        channels,
        made.on_inbound,
        lambda text: text.replace("13800000000", "【电话】"),
        made.on_incident,
    )
    made.callbacks = add_routes(app, wiring)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with office.ledger.transaction() as tx:
        for platform, secrets, settings in (
            ("wechat", SECRETS, {"passive_seconds": patience}),
            (
                "telegram",
                {"token": "7:abc", "webhook_secret": "hush", "chat": "@q"},
                {"per_second": 0},
            ),
        ):
            row = await office.accounts.create(
                tx,
                NewAccount(
                    platform,
                    new_id(),
                    platform,
                    "青禾发布",
                    f"{platforms.url}/{platform}",
                    secrets,
                    settings,
                    assessment_ref="DEMO",
                ),
                "init",
            )
            made.ids[platform] = row.id
    await platforms.control(
        "accounts",
        platform="wechat",
        name="青禾",
        callback_url=f"{made.url}/wechat/wechat",
        **SECRETS,
    )
    await platforms.control(
        "accounts",
        platform="telegram",
        token="7:abc",
        name="青禾",
        secret="hush",
        callback_url=f"{made.url}/telegram/telegram",
    )
    for account in ("wxqinghe", "7"):
        await platforms.control("citizens", account=account, count=1, prefix="c")
    await platforms.control("limits", callback_timeout=60)
    yield made
    await runner.cleanup()
    for channel in channels.values():
        await channel.close()


async def _citizen(house: House, account: str) -> str:
    found = (await house.platforms.seen("citizens", account=account))["citizens"]
    return str(found[0]["citizen"])


async def _say(house: House, account: str, text: str) -> Any:
    return await house.platforms.control(
        "say", account=account, citizen=await _citizen(house, account), text=text
    )


async def _received(house: House, account: str, count: int) -> list[Any]:
    citizen = await _citizen(house, account)
    for _ in range(500):
        found = await house.platforms.seen("messages", account=account, citizen=citizen)
        if len(found["messages"]) >= count:
            return list(found["messages"])
        await asyncio.sleep(0.02)
    raise AssertionError("the message did not arrive")


async def test_wechat_verifies_our_address(house: House) -> None:
    assert (await house.platforms.control("verify", account="wxqinghe"))["ok"] is True


async def test_a_wechat_text_is_answered_passively_and_stored_masked(house: House) -> None:
    answer = await _say(house, "wxqinghe", "我的电话13800000000 ]]> 完")
    assert answer["reply"]["Content"] == "收到：我的电话13800000000 ]]> 完"
    [row] = await house.stored()
    assert row.text == "我的电话【电话】 ]]> 完"
    assert house.heard[0].kind is InboundKind.TEXT
    assert (row.met, row.took is not None and row.took < 5000) == (Met.OTHER, True)


@HURRIED
async def test_a_slow_answer_follows_as_a_customer_message_once(house: House) -> None:
    async def slow(inbound: Inbound) -> str | None:
        await asyncio.sleep(0.2)
        return "稍后的答复"

    house.answer = slow
    answer = await _say(house, "wxqinghe", "补贴怎么领")
    assert answer["body"] == "success"
    [message] = await _received(house, "wxqinghe", 1)
    assert message["text"] == "稍后的答复"
    await house.callbacks.drain()
    [row] = await house.stored()
    assert row.met == Met.OTHER
    assert row.took is not None
    assert row.took >= 150


@HURRIED
async def test_eight_seconds_and_three_deliveries_are_one_word_one_answer_and_one_record(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scale of fifty: eight seconds are .16, and the platform's five are .1."""
    release = asyncio.Event()

    async def slow(inbound: Inbound) -> str | None:
        await release.wait()
        return "补贴的条文"

    async def words(given: Parts, platform: str) -> Reply:
        filled = [one for one in given.pieces if isinstance(one, Filled)]
        return said(given, "".join(one.fields.get("text", "正在查询") for one in filled))

    async def nothing(inbound: Inbound) -> str | None:
        return None

    house.answer = nothing
    await _say(house, "wxqinghe", "您好")  # opens the window at the platform
    await house.callbacks.drain()
    house.answer = slow
    wiring = house.callbacks._w
    monkeypatch.setattr(house.callbacks, "_w", replace(wiring, wait=lambda: "looking"))
    monkeypatch.setattr(wiring.sender, "build", words)
    citizen = await _citizen(house, "wxqinghe")
    body = _text_xml(7).replace("o123", citizen).replace("<Content>问", "<Content>补贴怎么领")
    stamp = int(now().timestamp())
    first = await _post(house, *_signed_body(stamp, "n1", body))
    again = [await _post(house, *_signed_body(stamp, f"n{n}", body)) for n in (2, 3)]
    assert {status for status, _ in (first, *again)} == {200}
    crypto = WeChatCrypto(SECRETS["token"], AES_KEY, SECRETS["appid"])
    assert "正在查询" in _opened(crypto, first[1])
    assert [text for _, text in again] == ["success", "success"]
    release.set()
    [message] = await _received(house, "wxqinghe", 1)
    assert message["text"] == "补贴的条文"
    await house.callbacks.drain()
    assert len(await _received(house, "wxqinghe", 1)) == 1
    assert [one.text for one in house.heard] == ["您好", "补贴怎么领"]
    assert sorted(row.text for row in await house.stored()) == ["您好", "补贴怎么领"]


@HURRIED
async def test_an_account_that_may_send_nothing_promises_nothing_and_answers_the_second_asking(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = asyncio.Event()

    async def slow(inbound: Inbound) -> str | None:
        await release.wait()
        return "补贴的条文"

    async def words(given: Parts, platform: str) -> Reply:
        filled = [one for one in given.pieces if isinstance(one, Filled)]
        return said(given, "".join(one.fields.get("text", one.name) for one in filled))

    house.answer = slow
    wiring = house.callbacks._w
    waits = replace(wiring, wait=lambda: "looking", wait_mute=lambda: "looking_mute")
    monkeypatch.setattr(house.callbacks, "_w", waits)
    monkeypatch.setattr(wiring.sender, "build", words)
    async with house.office.db.session() as session:
        for account_id in house.ids.values():
            session.add(
                AccountAbility(
                    account_id=account_id, name=MESSAGES, number=1, label="", able=False,
                    needed=True, words="", at=now(),
                )
            )  # fmt: skip
    await _say(house, "wxqinghe", "补贴怎么领")
    release.set()
    await house.callbacks.drain()
    await takes_its_time(house)
    await _say(house, "wxqinghe", "补贴怎么领")
    assert [one.text for one in house.heard] == ["补贴怎么领"]
    await _say(house, "wxqinghe", "还有别的吗")
    assert len(house.heard) == 2
    got = await _received(house, "wxqinghe", 3)
    assert [one["text"] for one in got] == ["looking_mute", "补贴的条文", "补贴的条文"]
    assert all(one["passive"] for one in got)


def _opened(crypto: WeChatCrypto, body: str) -> str:
    """What a passive answer says, as the platform opens it."""
    found = xmltodict.parse(body)["xml"]
    return str(
        crypto.decrypt_message(body, found["MsgSignature"], found["TimeStamp"], found["Nonce"])
    )


async def test_an_answer_too_long_to_be_passive_follows_whole(house: House) -> None:
    async def long(inbound: Inbound) -> str | None:
        return "条文。\n" * 300

    house.answer = long
    assert (await _say(house, "wxqinghe", "全文"))["body"] == "success"
    assert len(await _received(house, "wxqinghe", 2)) == 2


async def test_menu_follow_and_leaving_are_told_apart(house: House) -> None:
    citizen = await _citizen(house, "wxqinghe")
    for event in ("unfollow", "follow"):
        await house.platforms.control("tap", account="wxqinghe", citizen=citizen, event=event)
    kinds = [inbound.kind for inbound in house.heard]
    assert kinds == [InboundKind.UNFOLLOW, InboundKind.FOLLOW]
    async with house.office.db.session() as session:
        contact = (await session.scalars(select(Contact))).one()
    assert contact.state == "active"


def _signed_body(stamp: int, nonce: str, inner: str) -> tuple[dict[str, str], str]:
    crypto = WeChatCrypto(SECRETS["token"], AES_KEY, SECRETS["appid"])
    body = crypto.encrypt_message(inner, nonce, str(stamp))
    signature = body.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    query = {
        "msg_signature": signature,
        "timestamp": str(stamp),
        "nonce": nonce,
        "encrypt_type": "aes",
    }
    return query, body


def _text_xml(number: int, kind: str = "text") -> str:
    return (
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>o123</FromUserName>"
        f"<CreateTime>{int(now().timestamp())}</CreateTime><MsgType>{kind}</MsgType>"
        f"<Content>问</Content><MsgId>{number}</MsgId></xml>"
    )


async def _post(house: House, query: dict[str, str], body: str) -> tuple[int, str]:
    url = f"{house.url}/wechat/wechat"
    async with house.platforms.http.post(url, params=query, data=body) as answer:
        return answer.status, await answer.text()


async def test_forged_stale_and_repeated_callbacks_are_403_and_not_stored(house: House) -> None:
    stamp = int(now().timestamp())
    query, body = _signed_body(stamp, "n1", _text_xml(1))
    assert (await _post(house, query | {"msg_signature": "0" * 40}, body))[0] == 403
    assert (await _post(house, query | {"nonce": "n2"}, body))[0] == 403
    assert (await _post(house, {**query, "encrypt_type": "raw"}, body))[0] == 403
    assert (await _post(house, *_signed_body(stamp - 400, "n3", _text_xml(2))))[0] == 403
    assert await house.stored() == []
    assert (await _post(house, query, body))[0] == 200
    assert (await _post(house, query, body))[0] == 403
    assert len(await house.stored()) == 1


async def test_a_message_pushed_again_gets_the_same_answer_and_is_heard_once(house: House) -> None:
    stamp = int(now().timestamp())
    first = await _post(house, *_signed_body(stamp, "n1", _text_xml(7)))
    second = await _post(house, *_signed_body(stamp, "n2", _text_xml(7)))
    assert first[0] == second[0] == 200
    assert "Encrypt" in second[1]
    assert len(house.heard) == 1


async def test_words_written_into_the_cache_are_not_the_answer_to_a_second_try(
    house: House,
) -> None:
    stamp = int(now().timestamp())
    await _post(house, *_signed_body(stamp, "n1", _text_xml(7)))
    [key] = [name for name in house.cache._values if name.startswith("passive:")]
    kept = await house.cache.get(key)
    assert kept is not None
    forged = ("请加微信领取补贴", kept[:64] + "请加微信领取补贴", "0" * 64 + "请加微信")
    for number, words in enumerate(forged):
        await house.cache.set(key, words, 60)
        again = await _post(house, *_signed_body(stamp, f"f{number}", _text_xml(7)))
        assert again == (200, "success")
    await house.cache.set(key, kept, 60)
    assert "Encrypt" in (await _post(house, *_signed_body(stamp, "n9", _text_xml(7))))[1]


async def test_an_answer_to_one_person_does_not_reach_another_whose_look_up_was_exchanged(
    house: House,
) -> None:
    await _say(house, "7", "在吗")
    await _received(house, "7", 1)
    async with house.office.db.session() as session:
        [asker] = (await session.scalars(select(Contact))).all()
        other = await house.office.contacts.upsert(session, asker.account_id, "1000", now())
        mine = asker.address_hash
        asker.address_hash = "kept aside"
        await session.flush()
        other.address_hash = mine
    heard = len(house.heard)
    await _say(house, "7", "补贴怎么领")
    await house.callbacks.drain()
    assert len(house.heard) == heard
    assert len(await _received(house, "7", 1)) == 1
    assert house.office.changed == [("contact", other.id)]


async def test_bad_xml_is_400_with_one_line_and_bombs_are_refused(house: House) -> None:
    query, _ = _signed_body(int(now().timestamp()), "n1", _text_xml(1))
    bomb = '<!DOCTYPE x [<!ENTITY a "aa">]><xml><Encrypt>&a;</Encrypt></xml>'
    for body in ("<xml><Encrypt>", bomb, "<xml></xml>"):
        status, text = await _post(house, query, body)
        assert status == 400
        assert "XML" in text
        assert "\n" not in text
    inner = await _post(house, *_signed_body(int(now().timestamp()), "n5", "<xml><broken>"))
    assert inner[0] == 400


async def test_an_unknown_message_kind_is_acknowledged(house: House) -> None:
    stamp = int(now().timestamp())
    status, text = await _post(house, *_signed_body(stamp, "n1", _text_xml(9, "hologram")))
    assert (status, text) == (200, "success")
    assert (house.heard[0].kind, house.heard[0].key) == (InboundKind.MEDIA, "other")


async def test_a_publish_event_settles_the_publication(house: House) -> None:
    row = Publication(
        id=new_id(),
        release_id=new_id(),
        item_id=new_id(),
        account_id=house.ids["wechat"],
        digest="d",
        state=State.SUBMITTED,
        ref="publish:77",
        due_at=now(),
    )
    async with house.office.db.session() as session:
        session.add(row)
    inner = (
        "<xml><ToUserName>gh_1</ToUserName><FromUserName>gh_1</FromUserName>"
        f"<CreateTime>{int(now().timestamp())}</CreateTime><MsgType>event</MsgType>"
        "<Event>PUBLISHJOBFINISH</Event><PublishEventInfo><publish_id>77</publish_id>"
        "<publish_status>0</publish_status><article_detail><count>1</count><item><idx>1</idx>"
        "<article_url>https://mp.example/s/1</article_url></item></article_detail>"
        "</PublishEventInfo></xml>"
    )
    assert (await _post(house, *_signed_body(int(now().timestamp()), "n1", inner)))[0] == 200
    found = await house.office.row(Publication, row.id)
    assert (found.state, found.url) == (State.PUBLISHED, "https://mp.example/s/1")


async def test_a_telegram_text_is_answered_by_a_message(house: House) -> None:
    await _say(house, "7", "补贴怎么领")
    [message] = await _received(house, "7", 1)
    assert message["text"] == "收到：补贴怎么领"


@pytest.mark.parametrize("account", ["7", "wxqinghe"])
async def test_who_comes_while_too_much_is_under_way_is_told_to_come_again(
    house: House, monkeypatch: pytest.MonkeyPatch, account: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("bot.callbacks.MOST_UNDER_WAY", 0)
        assert (await _say(house, account, "就业补贴"))["status"] == 503
        assert await house.stored() == []
    assert (await _say(house, account, "就业补贴"))["status"] == 200
    assert len(await house.stored()) == 1


async def test_telegram_start_and_leaving_are_told_apart(house: House) -> None:
    await _say(house, "7", "/start")
    citizen = await _citizen(house, "7")
    await house.platforms.control("tap", account="7", citizen=citizen, event="block")
    for _ in range(500):
        if len(house.heard) >= 2:
            break
        await asyncio.sleep(0.02)
    assert [inbound.kind for inbound in house.heard] == [InboundKind.FOLLOW, InboundKind.UNFOLLOW]
    async with house.office.db.session() as session:
        assert (await session.scalars(select(Contact))).one().state == "ended"


@pytest.mark.parametrize(
    ("secret", "body", "status"),
    [
        ("wrong", '{"update_id": 1}', 403),
        ("hush", "{broken", 400),
        ("hush", "[1]", 400),
        ("hush", '{"update_id": 5, "something_new": {}}', 200),
    ],
)
async def test_telegram_updates_are_proved_by_the_secret(
    house: House, secret: str, body: str, status: int
) -> None:
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
    url = f"{house.url}/telegram/telegram"
    async with house.platforms.http.post(url, data=body, headers=headers) as answer:
        assert answer.status == status
    assert house.heard == []


async def test_an_unknown_account_is_403(house: House) -> None:
    async with house.platforms.http.post(f"{house.url}/telegram/nobody", data="{}") as answer:
        assert answer.status == 403


# --- what is no typed text, and who is no citizen ------------------------------------------


async def _send(house: House, account: str, /, **given: Any) -> Any:
    return await house.platforms.control("send", account=account, **given)


async def test_an_album_is_heard_once_and_by_its_words(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def wait(_seconds: float) -> None:
        await over.wait()

    monkeypatch.setattr("bot.albums.asyncio", SimpleNamespace(sleep=wait))
    house.answer = _by_kind
    await house.platforms.control("limits", telegram=False)
    citizen = await _citizen(house, "7")
    photo = [{"file_id": "a", "file_unique_id": "b", "width": 9, "height": 9}]
    for caption in ({}, {"caption": "怎么申请补贴"}, {}):
        fields = {"photo": photo, "media_group_id": "77", **caption}
        await _send(house, "7", citizen=citizen, fields=fields)

    async def words_came() -> bool:
        return any(key.endswith(":words") for key in house.cache._values)

    await until(words_came)
    over.set()
    await house.callbacks.drain()
    [message] = await _received(house, "7", 1)
    assert message["text"] == "text:怎么申请补贴"
    over.clear()
    for _ in range(3):
        await _send(
            house, "7", citizen=citizen, fields={"photo": photo, "media_group_id": "78"}, times=2
        )
    over.set()
    await house.callbacks.drain()
    assert [one["text"] for one in await _received(house, "7", 2)][1:] == ["media:picture"]


async def _by_kind(inbound: Inbound) -> str | None:
    return f"{inbound.kind}:{inbound.text or inbound.key}"


async def test_an_edit_is_heard_when_it_changes_words_and_only_then(house: House) -> None:
    house.answer = _by_kind
    await house.platforms.control("limits", telegram=False)
    citizen = await _citizen(house, "7")
    moment = int(now().timestamp())
    sent = await _send(house, "7", citizen=citizen, fields={"text": "就业补贴", "date": moment})
    first = {"message_id": sent["message_id"], "date": moment}
    await _received(house, "7", 1)
    for text in ("就业补贴", "创业补贴", "创业补贴"):
        edited = {**first, "text": text}
        await _send(house, "7", citizen=citizen, fields=edited, **{"as": "edited_message"})
    place = {**first, "location": {"latitude": 40, "longitude": 111, "live_period": 60}}
    await _send(house, "7", citizen=citizen, fields=place, **{"as": "edited_message"})
    await _received(house, "7", 2)
    assert [one.text for one in house.heard] == ["就业补贴", "创业补贴"]


async def test_a_service_message_is_answered_with_silence_and_makes_nobody(house: House) -> None:
    citizen = await _citizen(house, "7")
    services: tuple[dict[str, Any], ...] = (
        {"pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}},
        {"message_auto_delete_timer_changed": {"message_auto_delete_time": 60}},
        {"write_access_allowed": {}},
    )
    for fields in services:
        answer = await _send(house, "7", citizen=citizen, fields=fields)
        assert answer["status"] == 200
    assert (house.heard, await house.contacts()) == ([], [])


async def test_other_peoples_conversations_make_no_contact(house: House) -> None:
    citizen = await _citizen(house, "7")
    for kind in ("business_message", "edited_business_message", "guest_message", "channel_post"):
        answer = await _send(house, "7", citizen=citizen, fields={"text": "x"}, **{"as": kind})
        assert answer["status"] == 200
    bot = {"id": 5, "is_bot": True, "first_name": "机器"}
    await _send(house, "7", citizen=citizen, fields={"text": "x", "from": bot})
    business = {"text": "x", "business_connection_id": "b"}
    await _send(house, "7", citizen=citizen, fields=business)
    assert (house.heard, await house.contacts()) == ([], [])


async def test_what_the_platform_says_of_the_account_reaches_staff_and_is_nobody(
    house: House,
) -> None:
    for event in ("verify_expired", "annual_renew", "naming_verify_fail"):
        fields = {"MsgType": "event", "Event": event, "ExpiredTime": 1795000000}
        answer = await _send(
            house, "wxqinghe", fields={**fields, "FailReason": "名称重复"}, times=2
        )
        assert answer["body"] == "success"
    kinds = {kind for kind, _, _ in house.incidents}
    words = "\n".join(message for _, _, message in house.incidents)
    assert kinds == {"account_notice"}
    assert "2026-11-1" in words
    assert "名称重复" in words
    assert "重新认证" in words
    assert (house.heard, await house.contacts()) == ([], [])


async def test_an_older_unfollowing_ends_nobody_who_follows_again(house: House) -> None:
    citizen, moment = await _citizen(house, "wxqinghe"), int(now().timestamp())
    for event, at in (("subscribe", moment), ("unsubscribe", moment - 5)):
        fields = {"MsgType": "event", "Event": event, "EventKey": "", "CreateTime": at}
        await _send(house, "wxqinghe", citizen=citizen, fields=fields)
    assert await house.contacts() == ["active"]
    for event, at in (("unsubscribe", moment + 5), ("subscribe", moment + 1)):
        fields = {"MsgType": "event", "Event": event, "EventKey": "", "CreateTime": at}
        await _send(house, "wxqinghe", citizen=citizen, fields=fields)
    assert await house.contacts() == ["ended"]


async def test_only_acts_of_their_own_bring_somebody_back(house: House) -> None:
    citizen, moment = await _citizen(house, "wxqinghe"), int(now().timestamp())
    for event in ("subscribe", "unsubscribe", "VIEW", "LOCATION", "user_info_modified"):
        fields = {"MsgType": "event", "Event": event, "EventKey": "x", "CreateTime": moment + 1}
        await _send(house, "wxqinghe", citizen=citizen, fields=fields)
    assert await house.contacts() == ["ended"]
    reader = await _citizen(house, "7")
    for event, state in (("start", "active"), ("block", "ended"), ("unblock", "active")):
        await house.platforms.control("tap", account="7", citizen=reader, event=event)
        assert (await house.contacts())[1:] == [state]
    for _ in range(500):  # each is acted on when the answer to the one before is out
        if house.heard[-1].kind is InboundKind.RETURN:
            break
        await asyncio.sleep(0.02)
    assert [one.kind for one in house.heard[-3:]] == ["follow", "unfollow", "return"]


async def test_half_an_emoji_blanks_and_nul_are_taken(house: House) -> None:
    citizen = await _citizen(house, "7")
    for text in ("\ud83d", "\u00a0\u2003", "就业\u0000补贴", "\ud83d\ude00", "/start\ud83d"):
        answer = await _send(house, "7", citizen=citizen, fields={"text": text})
        assert answer["status"] == 200
    for _ in range(500):
        if len(house.heard) == 5:
            break
        await asyncio.sleep(0.02)
    assert sorted(one.text for one in house.heard) == ["", "", "/start", "就业补贴", "😀"]


async def test_the_answer_stands_in_the_topic_of_the_question(house: House) -> None:
    citizen = await _citizen(house, "7")
    await _send(house, "7", citizen=citizen, fields={"text": "补贴", "message_thread_id": 12})
    [message] = await _received(house, "7", 1)
    assert message["message_thread_id"] == 12
