"""What a WeChat account is here, its refusals, and the encrypted callbacks it sends."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError

import aiohttp
import defusedxml.ElementTree as Xml
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatException

from sandbox.state import JSON, Account, Citizen, State, Upload, iso

DAY = 86_400
BEIJING = 8 * 3600
PASSIVE_BYTES = 2048
TRIES = 3
BROKEN = "该公众号提供的服务出现故障，请稍后再试"

MESSAGES = {
    -1: "system error", 40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid", 40004: "invalid media type", 40005: "invalid file type",
    40007: "invalid media_id", 40008: "invalid message type", 40009: "invalid image size",
    40013: "invalid appid", 40014: "invalid access_token", 40015: "invalid menu type",
    40016: "invalid button size", 40017: "invalid button type", 40018: "invalid button name size",
    40019: "invalid button key size", 40032: "invalid openid list size", 40035: "invalid argument",
    40037: "invalid template_id", 40059: "invalid msg id", 40066: "invalid url",
    40125: "invalid appsecret", 40130: "invalid openid list size, at least two openid",
    40164: "invalid ip, not in whitelist", 41001: "access_token missing",
    41005: "media data missing", 42001: "access_token expired", 43002: "require POST method",
    43004: "require subscribe", 43101: "user refuse to accept the msg",
    44002: "empty post data", 44003: "empty news data", 44004: "empty content",
    45001: "media size out of limit", 45002: "content size out of limit",
    45003: "title size out of limit", 45004: "description size out of limit",
    45005: "url size out of limit", 45008: "article size out of limit",
    45009: "reach max api daily quota limit", 45011: "api minute-quota reach limit, must slower",
    45015: "response out of time limit or subscription is canceled", 45028: "has no masssend quota",
    45047: "out of response count limit", 45056: "too many tag now, no need to add new",
    45058: "can't modify sys tag", 45059: "can not tagging one user too much",
    45064: "no permission to use weapp in menu", 45065: "clientmsgid exist",
    45066: "same clientmsgid retry too fast", 45067: "clientmsgid size out of limit",
    45110: "author size out of limit", 45157: "invalid tag name",
    45158: "tag name too long", 45159: "invalid tag id", 46003: "menu no exist",
    47001: "data format error", 48001: "api unauthorized", 48006: "forbid to clear quota",
    53600: "Article ID invalid",
}  # fmt: skip


class WeChatError(Exception):
    """A refusal: errcode and errmsg, with further fields of the answer."""

    def __init__(self, code: int, message: str = "", **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.body: JSON = {"errcode": code, "errmsg": message or MESSAGES.get(code, "error")} | more


@dataclass(slots=True)
class Token:
    """One issued access token; `ends` and `expires` are Unix times."""

    value: str
    expires: float
    ends: float


@dataclass(slots=True)
class Official(Account):
    """One WeChat account with everything the platform keeps for it."""

    secret: str = ""
    token: str = ""
    aes_key: str = ""
    kind: str = "service"
    verified: bool = True
    webhook: str = ""
    templates: list[JSON] = field(default_factory=list)
    tokens: dict[str, Token] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    latest: str = ""
    stable: str = ""
    forced_at: float = 0.0
    issued: dict[str, int] = field(default_factory=dict)
    used: dict[tuple[int, str], int] = field(default_factory=dict)
    minute: list[float] = field(default_factory=list)
    materials: dict[str, JSON] = field(default_factory=dict)
    drafts: dict[str, JSON] = field(default_factory=dict)
    jobs: dict[str, JSON] = field(default_factory=dict)
    articles: dict[str, JSON] = field(default_factory=dict)
    mass: dict[int, JSON] = field(default_factory=dict)
    menu: JSON = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)

    @property
    def original(self) -> str:
        """Return the account's gh_ id, the ToUserName of its callbacks."""
        return "gh_" + hashlib.sha256(self.id.encode()).hexdigest()[:12]

    def crypto(self) -> Any:
        """Return the cipher of this account's callbacks."""
        return WeChatCrypto(self.token, self.aes_key, self.id)


@dataclass(slots=True)
class Call:
    """One API call on its way through its handler."""

    state: State
    account: Official
    params: JSON
    query: JSON
    files: dict[str, Upload]
    base: str

    @property
    def now(self) -> float:
        """Return the platform's present."""
        return self.state.clock.now()

    def text(self, name: str) -> str:
        """Return a text parameter, or an empty text."""
        return str(self.params.get(name) or "")

    def follower(self, openid: Any) -> Citizen:
        """Return a citizen who has ever met this account; 40003 otherwise."""
        citizen = self.account.citizens.get(str(openid or ""))
        if citizen is None:
            raise WeChatError(40003)
        return citizen


def day(at: float) -> int:
    """Return the number of the Beijing day of a Unix time."""
    return int((at + BEIJING) // DAY)


def receive(citizen: Citizen, account: Official, at: float, content: JSON) -> JSON:
    """Put a message on a citizen's phone and return it."""
    message = {"message_id": next(account.numbers), "time": iso(at), **content}
    citizen.received.append(message)
    return message


def xml(fields: JSON) -> str:
    """Return a callback's XML: text in CDATA, numbers bare, nested objects and lists inside."""
    return f"<xml>{_inner(fields)}</xml>"


def _inner(fields: JSON) -> str:
    return "".join(
        _element(name, one)
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
    )


def _element(name: str, value: Any) -> str:
    if isinstance(value, dict):
        inner = _inner(value)
    elif isinstance(value, int):
        inner = str(value)
    else:
        inner = f"<![CDATA[{str(value).replace(']]>', ']]]]><![CDATA[>')}]]>"
    return f"<{name}>{inner}</{name}>"


def read_xml(text: str) -> JSON:
    """Return a flat or nested XML reply as a dictionary; raises ValueError."""
    try:
        found = _node(Xml.fromstring(text))
    except (Xml.ParseError, ExpatError) as problem:
        raise ValueError(str(problem)) from problem
    if not isinstance(found, dict):
        raise ValueError("empty reply")
    return found


def _node(node: Any) -> Any:
    if len(node) == 0:
        return node.text or ""
    found: JSON = {}
    for child in node:
        value = _node(child)
        if child.tag in found:
            known = found[child.tag]
            found[child.tag] = [*known, value] if isinstance(known, list) else [known, value]
        else:
            found[child.tag] = value
    return found


def signed(account: Official, at: float, encrypted: str = "") -> dict[str, str]:
    """Return the query parameters that prove a callback."""
    stamp, nonce = str(int(at)), str(secrets.randbelow(10**10))
    proof = {"signature": _sha(account.token, stamp, nonce), "timestamp": stamp, "nonce": nonce}
    if encrypted:
        proof["encrypt_type"] = "aes"
        proof["msg_signature"] = _sha(account.token, stamp, nonce, encrypted)
    return proof


def _sha(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def encrypted(account: Official, content: JSON) -> str:
    """Return the Encrypt value of a callback."""
    whole = account.crypto().encrypt_message(xml(content), "0", "0")
    found = re.search(r"<Encrypt><!\[CDATA\[(.*?)\]\]></Encrypt>", whole)
    return found.group(1) if found else ""


async def callback(state: State, account: Official, citizen: Citizen | None, content: JSON) -> JSON:
    """Send one callback, three tries of five seconds each; return the answer.

    Gives {"status", "body", "tries", "reply"}; reply is the decrypted passive answer or None.
    """
    answer: JSON = {"status": 0, "body": "", "tries": 0, "reply": None, "error": ""}
    if not account.webhook:
        return answer | {"error": "这个账号没有登记回调地址"}
    whole = {
        "ToUserName": account.original,
        "FromUserName": citizen.id if citizen else account.original,
        "CreateTime": int(state.clock.now()),
        **content,
    }
    who = citizen.id if citizen else ""
    account.in_flight[who] = account.in_flight.get(who, 0) + 1
    try:
        while answer["tries"] < TRIES:
            answer["tries"] += 1
            await _try(state, account, whole, answer)
            if answer["status"] == 200:
                break
            _note_failure(state, account, answer, who)
    finally:
        account.in_flight[who] -= 1
    state.deliveries.append(
        {"platform": "wechat", "account": account.id, "content": whole}
        | {name: answer[name] for name in ("status", "tries", "body", "error")}
    )
    talks = citizen is not None and (content["MsgType"] != "event" or content["Event"] == "CLICK")
    _take_reply(state, account, citizen, answer, talks=talks)
    return answer


async def _try(state: State, account: Official, whole: JSON, answer: JSON) -> None:
    cipher = encrypted(account, whole)
    body = xml({"ToUserName": account.original, "Encrypt": cipher})
    proof = signed(account, state.clock.now(), cipher) | {"openid": whole["FromUserName"]}
    answer["status"], answer["body"], answer["error"] = 0, "", ""
    try:
        if state.http is None:
            raise aiohttp.ClientError("sandbox is stopping")
        async with (
            asyncio.timeout(state.limits.callback_timeout),
            state.http.post(
                account.webhook,
                params=proof,
                data=body.encode(),
                headers={"Content-Type": "text/xml"},
            ) as response,
        ):
            answer["body"] = await response.text()
            answer["status"] = response.status
    except TimeoutError:
        answer["error"] = "timeout"
    except aiohttp.ClientError as problem:
        answer["error"] = str(problem) or type(problem).__name__


def _note_failure(state: State, account: Official, answer: JSON, who: str) -> None:
    seconds = f"{state.limits.callback_timeout:g}"
    what = f"{seconds} 秒未应答" if answer["error"] == "timeout" else "回调未成功"
    if answer["status"]:
        what = f"回调返回 {answer['status']}"
    then = f"第 {answer['tries'] + 1} 次推送" if answer["tries"] < TRIES else "不再推送"
    account.notice(state.clock.now(), f"{what}，{then}", who)


def _take_reply(
    state: State, account: Official, citizen: Citizen | None, answer: JSON, *, talks: bool
) -> None:
    """Read the passive reply and put it, or the platform's fault notice, on the phone."""
    broken = answer["status"] != 200
    if not broken and answer["body"].strip() not in ("", "success"):
        try:
            answer["reply"] = open_reply(account, answer["body"])
        except (ValueError, KeyError, WeChatException) as problem:
            broken, answer["error"] = True, f"unreadable reply: {problem}"
    reply = answer["reply"]
    if citizen is None:
        return
    if reply and len(str(reply.get("Content") or "").encode()) > PASSIVE_BYTES:
        broken = True
        answer["error"] = f"passive text over {PASSIVE_BYTES} bytes"
    if broken and talks:
        why = "被动回复不合规定" if answer["status"] == 200 else f"{answer['tries']} 次推送都未成功"
        account.notice(state.clock.now(), f"{why}，市民看到故障提示", citizen.id)
        receive(citizen, account, state.clock.now(), {"kind": "system", "text": BROKEN})
    elif reply and not broken:
        receive(citizen, account, state.clock.now(), passive_message(reply))


def open_reply(account: Official, body: str) -> JSON:
    """Decrypt a passive reply; raises ValueError or a wechatpy error."""
    outer = read_xml(body)
    if "Encrypt" not in outer:
        return outer
    plain = account.crypto().decrypt_message(
        body, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"]
    )
    return read_xml(plain if isinstance(plain, str) else plain.decode())


def passive_message(reply: JSON) -> JSON:
    """Return a passive reply as a phone message."""
    kind = str(reply.get("MsgType") or "text")
    message: JSON = {"kind": kind, "passive": True}
    if kind == "news":
        items = reply.get("Articles", {}).get("item", [])
        message["articles"] = [
            {
                "title": item.get("Title", ""),
                "digest": item.get("Description", ""),
                "picture": item.get("PicUrl", ""),
                "url": item.get("Url", ""),
            }
            for item in (items if isinstance(items, list) else [items])
        ]
    else:
        message["text"] = str(reply.get("Content") or "")
    return message
