"""The two doors to the platforms, with bodies nobody agreed on: proved or not, they end in words.

What was proved is the platform's own and may be of any form: it is heard, or named unreadable with
one line. Nothing else may come out. SHENFA_FUZZ=100 tries a hundred times as many.
"""

import asyncio
import json
import os
from collections import Counter
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.channel import Call, Heard
from bot.contract import AccountView, Forged, Inbound, InboundKind, Unreadable
from bot.telegram import inbound as telegram
from bot.wechat import inbound as wechat
from config.clock import now
from storage.cache import MemoryCache

MANY = int(os.environ.get("SHENFA_FUZZ", "1"))
CASES = 200 * MANY
SECRETS = {
    "token": "t0",
    "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
    "appid": "wxqinghe",
    "webhook_secret": "hush",
}
ACCOUNT = AccountView("a1", "wechat", "青禾发布", "https://platform.example", SECRETS, {})
seeded = settings(
    max_examples=CASES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
HOSTILE = [
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><Content>&b;</Content></xml>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x"><xml/>',
    "<xml>" * 3000 + "</xml>" * 3000,
    "<xml><MsgType><a/><a/></MsgType></xml>",
    "<xml/>",
    "",
]
TAGS = [
    *("ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Content", "Event"),
    *("EventKey", "Ticket", "PicUrl", "MediaId", "Recognition", "Location_X", "ScanCodeInfo"),
    *("ArticleIdx", "publish_id", "CopyrightCheckResult", "OpenID", "RevokeInfo", "ErrorCount"),
]
WORDS = st.one_of(
    st.sampled_from(["text", "event", "image", "voice", "location", "link", "CLICK", "SCAN"]),
    st.sampled_from(["subscribe", "unsubscribe", "MASSSENDJOBFINISH", "PUBLISHJOBFINISH", "1e99"]),
    st.sampled_from(
        ["1764460800", "-1", "0", "９", "9" * 40, "求职补贴怎么领", "qrscene_", "", " "]
    ),
    st.text(st.characters(codec="utf-8"), max_size=12),
)


@st.composite
def messages(draw: st.DrawFn) -> str:
    """Something like a message of WeChat: fields missing, twice, nested, in any order."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(HOSTILE))
    fields = draw(st.lists(st.tuples(st.sampled_from(TAGS), WORDS), max_size=6))
    head = {"FromUserName": "o1", "CreateTime": "1764460800", "MsgType": "text"}
    if draw(st.integers(0, 4)):  # the head that lets the rest be read, each field once
        fields = list((dict(fields) | head).items())
    body = "".join(f"<{tag}>{_wrapped(draw, word)}</{tag}>" for tag, word in fields)
    text = f"<xml>{body}</xml>"
    if draw(st.integers(0, 4)):
        return text
    cut = draw(st.integers(0, len(text) - 1))
    return text[:cut] + text[cut + 1 :]


def _wrapped(draw: st.DrawFn, word: str) -> str:
    form = draw(st.integers(0, 19))
    if form > 9:
        return f"<![CDATA[{word}]]>"
    return f"<item>{escape(word)}</item>" if form == 1 else escape(word)


def fits(inbound: Inbound) -> None:
    """What was heard has the types and sizes of the table that keeps it."""
    assert inbound.kind in InboundKind
    assert len(inbound.dedupe) <= 120
    assert len(inbound.album) <= 80
    assert len(inbound.key) <= 128
    assert all(-(2**63) <= one < 2**63 for one in (inbound.position, inbound.place))
    words = (inbound.text, inbound.key, inbound.address, inbound.callback_id, inbound.thread)
    assert all(isinstance(one, str) for one in words)
    assert not inbound.address.startswith(("[", "{"))


def body_of(data: bytes) -> Any:
    async def read() -> bytes:
        return data

    return read


async def heard_by_wechat(plain: str, nonce: str) -> Heard:
    """Encrypted and signed as the platform does, so that it comes as far as the parser."""
    stamp = str(int(now().timestamp()))
    sealed = wechat.crypto_of(ACCOUNT).encrypt_message(plain, nonce, stamp)
    signature = sealed.partition("<MsgSignature><![CDATA[")[2].partition("]]>")[0]
    query = {"encrypt_type": "aes", "msg_signature": signature, "timestamp": stamp, "nonce": nonce}
    return await wechat.hear(ACCOUNT, Call(query, {}, body_of(sealed.encode())), MemoryCache())


def test_whatever_wechat_sends_under_its_seal_is_heard_or_named_unreadable() -> None:
    came: Counter[str] = Counter()
    with asyncio.Runner() as runner:

        @seeded
        @given(messages(), st.text("0123456789", min_size=1, max_size=8))
        def one(plain: str, nonce: str) -> None:
            try:
                heard = runner.run(heard_by_wechat(plain, nonce))
            except (Unreadable, Forged) as fault:
                came[type(fault).__name__] += 1
                return
            came["heard"] += 1
            fits(heard.inbound)

        one()
    assert came.total() >= CASES
    assert came["heard"] > CASES // 5
    assert came["Unreadable"] > CASES // 20


@seeded
@given(
    st.one_of(st.binary(max_size=200), messages().map(str.encode)),
    st.dictionaries(
        st.sampled_from(["encrypt_type", "msg_signature", "timestamp", "nonce", "signature"]),
        st.one_of(WORDS, st.just("aes")),
    ),
)
def test_what_carries_no_proof_is_refused_in_words(data: bytes, query: dict[str, str]) -> None:
    call = Call({"encrypt_type": "aes", **query}, {}, body_of(data))
    with pytest.raises((Forged, Unreadable)):
        asyncio.run(wechat.hear(ACCOUNT, call, MemoryCache()))


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), WORDS,
    st.sampled_from(["private", "group", "channel", "menu:1", "kicked", "member"]),
)  # fmt: skip
NAMES = st.sampled_from([
    *("update_id", "message", "edited_message", "callback_query", "my_chat_member", "chat", "from"),
    *("id", "type", "date", "text", "data", "message_id", "is_bot", "first_name", "entities"),
    *("new_chat_member", "old_chat_member", "status", "media_group_id", "photo", "sticker", "x"),
])  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=6)),
    max_leaves=14,
)
PERSON = {"id": 7, "is_bot": False, "first_name": "林"}
UPDATE: dict[str, Any] = {
    "update_id": 11,
    "message": {
        "message_id": 3,
        "date": 1764460800,
        "chat": {"id": 7, "type": "private"},
        "from": PERSON,
        "text": "求职补贴怎么领",
    },
    "callback_query": {"id": "5", "from": PERSON, "chat_instance": "1", "data": "menu:1"},
}


@st.composite
def updates(draw: st.DrawFn) -> bytes:
    """An update with one place of it replaced by anything, or no update at all."""
    whole: dict[str, Any] = json.loads(json.dumps(UPDATE))
    del whole[draw(st.sampled_from(["message", "callback_query"]))]
    match draw(st.integers(0, 9)):
        case 0:
            return draw(st.binary(max_size=60))
        case 1:
            return json.dumps(draw(TREES)).encode()
        case 2:
            return b"[" * 100_000
        case 3:
            return json.dumps(whole).encode()
    inside = draw(
        st.sampled_from([whole, *(one for one in whole.values() if isinstance(one, dict))])
    )
    inside[draw(st.one_of(st.sampled_from(sorted(inside)), NAMES))] = draw(TREES)
    return json.dumps(whole).encode()


def test_whatever_telegram_sends_is_heard_or_named_unreadable() -> None:
    came: Counter[str] = Counter()

    @seeded
    @given(updates())
    def one(data: bytes) -> None:
        try:
            inbound = telegram.telegram_inbound(ACCOUNT, data)
        except Unreadable:
            came["Unreadable"] += 1
            return
        came["heard"] += 1
        fits(inbound)

    one()
    assert came.total() >= CASES
    assert min(came["heard"], came["Unreadable"]) > CASES // 10
