"""The encrypted callbacks an account is sent, and the passive reply to them."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from typing import Any
from xml.parsers.expat import ExpatError

import aiohttp
import defusedxml.ElementTree as Xml
from wechatpy.exceptions import WeChatException

from sandbox.state import JSON, Citizen, State
from sandbox.wechat.account import Official, receive

PASSIVE_BYTES = 2048
TRIES = 3
BROKEN = "该公众号提供的服务出现故障，请稍后再试"


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
        # A reply without fields is no message; the platform shows its fault notice.
        raise ValueError("empty reply")
    return found


def _node(node: Any) -> Any:
    # A leaf: XML has no numbers, so all stay text.
    if len(node) == 0:
        return node.text or ""
    found: JSON = {}
    for child in node:
        value = _node(child)
        # Items of a list come as repeated elements.
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
    # wechatpy gives whole XML; the platform's envelope has other fields around the same cipher.
    return found.group(1) if found else ""


async def callback(state: State, account: Official, citizen: Citizen | None, content: JSON) -> JSON:
    """Send one callback, three tries of five seconds each; return the answer.

    Gives {"status", "body", "tries", "reply"}; reply is the decrypted passive answer or None.
    """
    answer: JSON = {"status": 0, "body": "", "tries": 0, "reply": None, "error": ""}
    # Nothing was registered: said to the tester instead of counted as a failure of the receiver.
    if not account.webhook:
        return answer | {"error": "这个账号没有登记回调地址"}
    whole = {
        "ToUserName": account.original,
        "FromUserName": citizen.id if citizen else account.original,
        "CreateTime": int(state.clock.now()),
        **content,
    }
    await state.hold_back("wechat", account.id)
    who = citizen.id if citizen else ""
    account.in_flight[who] = account.in_flight.get(who, 0) + 1
    try:
        while answer["tries"] < TRIES:
            answer["tries"] += 1
            await _try(state, account, whole, answer)
            # Any other answer counts as none, and the same message comes again (W1).
            if answer["status"] == 200:
                break
            _note_failure(state, account, answer, who)
    finally:
        # What the phone shows as "typing" ends however the call ended.
        account.in_flight[who] -= 1
    state.deliveries.append(
        {"platform": "wechat", "account": account.id, "content": whole}
        | {name: answer[name] for name in ("status", "tries", "body", "error")}
    )
    # A follow or a view shows no fault notice: only who typed or clicked waits for an answer.
    talks = citizen is not None and (content["MsgType"] != "event" or content["Event"] == "CLICK")
    _take_reply(state, account, citizen, answer, talks=talks)
    return answer


async def _try(state: State, account: Official, whole: JSON, answer: JSON) -> None:
    # Encrypted and signed anew at each try, with its own timestamp and nonce, as the platform does.
    cipher = encrypted(account, whole)
    body = xml({"ToUserName": account.original, "Encrypt": cipher})
    proof = signed(account, state.clock.now(), cipher) | {"openid": whole["FromUserName"]}
    answer["status"], answer["body"], answer["error"] = 0, "", ""
    try:
        if state.http is None:
            raise aiohttp.ClientError("sandbox is stopping")
        async with (
            # Five seconds for connection and whole body together (W1).
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
    # An empty body and `success` both mean that nothing is said (W3).
    if not broken and answer["body"].strip() not in ("", "success"):
        try:
            answer["reply"] = open_reply(account, answer["body"])
        except (ValueError, KeyError, WeChatException) as problem:
            broken, answer["error"] = True, f"unreadable reply: {problem}"
    reply = answer["reply"]
    if citizen is None:
        return
    # One passive text holds 2,048 bytes; what is longer never reaches the citizen (W4).
    if reply and len(str(reply.get("Content") or "").encode()) > PASSIVE_BYTES:
        broken = True
        answer["error"] = f"passive text over {PASSIVE_BYTES} bytes"
    # The platform's own words on the citizen's phone, which the house must never cause (W3).
    if broken and talks:
        why = "被动回复不合规定" if answer["status"] == 200 else f"{answer['tries']} 次推送都未成功"
        account.notice(state.clock.now(), f"{why}，市民看到故障提示", citizen.id)
        receive(citizen, account, state.clock.now(), {"kind": "system", "text": BROKEN})
    elif reply and not broken:
        receive(citizen, account, state.clock.now(), passive_message(reply))


def open_reply(account: Official, body: str) -> JSON:
    """Decrypt a passive reply; raises ValueError or a wechatpy error."""
    outer = read_xml(body)
    # A plain reply is read too, so that a test can see the platform's answer to it.
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
