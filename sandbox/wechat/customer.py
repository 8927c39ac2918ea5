"""Customer messages inside their window, and subscription notices."""

import asyncio
import secrets
from typing import Any

from sandbox.state import JSON, Citizen
from sandbox.wechat.account import Call, WeChatError, receive
from sandbox.wechat.callbacks import callback
from sandbox.wechat.drafts import draft_of
from sandbox.wechat.media import material
from sandbox.wechat.publishing import cards, keep_articles, permitted


def _window(call: Call, citizen: Citizen) -> list[float]:
    """Return the window a customer message uses up: 45015 outside, 45047 when counted out."""
    if not citizen.following:
        raise WeChatError(45015)
    windows = [w for w in citizen.windows.values() if w[0] > call.now]
    # Two refusals that ask for different things: 45015 wait for the person, 45047 the count is used
    # up (W9).
    if not windows:
        call.account.notice(call.now, "45015，48 小时内没有互动，未送达", citizen.id)
        raise WeChatError(45015)
    usable = [w for w in windows if w[1] > 0]
    if not usable:
        call.account.notice(call.now, "45047，客服消息条数已用完", citizen.id)
        raise WeChatError(45047)
    # The window that ends first is used up first.
    return min(usable)


def custom_send(call: Call) -> JSON:
    """message/custom/send: inside the window and count that the citizen's last act opened."""
    permitted(call)
    citizen = call.follower(call.params.get("touser"))
    content = _custom_content(call)
    window = _window(call, citizen)
    # Lifted limits let a test send on; outside the window it is refused all the same.
    if call.state.limits.wechat:
        window[1] -= 1
    receive(citizen, call.account, call.now, content)
    return {}


def _custom_content(call: Call) -> JSON:
    kind = call.text("msgtype")
    given = call.params.get(kind) or {}
    if kind == "text":
        return {"kind": "text", "text": _text(given.get("content"))}
    if kind == "msgmenu":
        options = [{"id": str(o["id"]), "text": str(o["content"])} for o in given.get("list", [])]
        return {"kind": "menu", "text": _text(given.get("head_content")), "options": options}
    if kind == "news":
        return {"kind": "news", "articles": _one_card(given.get("articles") or [])}
    if kind in ("mpnews", "mpnewsarticle"):
        return {"kind": "news", "articles": _published_card(call, kind, given)}
    if kind == "image":
        return {"kind": "image", "picture": material(call, given.get("media_id"))["url"]}
    raise WeChatError(40008)


def _text(value: Any) -> str:
    text = str(value or "")
    if not text:
        raise WeChatError(44004)
    # Bytes and not signs: about 680 Chinese characters (W4).
    if len(text.encode()) > 2048:
        raise WeChatError(45002)
    return text


def _one_card(articles: list[JSON]) -> list[JSON]:
    if not articles:
        raise WeChatError(44003)
    # One card in a customer message since 2018; the platform refuses more.
    if len(articles) > 1:
        raise WeChatError(45008)
    one = articles[0]
    return [
        {
            "title": str(one.get("title") or ""),
            "digest": str(one.get("description") or ""),
            "picture": str(one.get("picurl") or ""),
            "url": str(one.get("url") or ""),
        }
    ]


def _published_card(call: Call, kind: str, given: JSON) -> list[JSON]:
    if kind == "mpnews":
        key = "P" + secrets.token_urlsafe(16)
        # A draft shown as a card stays in the box: it is not published by this.
        items = draft_of(call, str(given.get("media_id") or ""))["items"]
        return cards(call.account, keep_articles(call, items, key, listed=False)["items"])
    found = call.account.articles.get(str(given.get("article_id") or ""))
    if found is None:
        raise WeChatError(53600)
    return cards(call.account, found["items"])


def custom_typing(call: Call) -> JSON:
    """message/custom/typing: accepted for known citizens."""
    call.follower(call.params.get("touser"))
    return {}


def subscribe_send(call: Call) -> JSON:
    """message/subscribe/bizsend: one message per consent, or as often as wanted if long-term."""
    permitted(call, service=True)
    citizen, name = call.follower(call.params.get("touser")), call.text("template_id")
    template = next((t for t in call.account.templates if t["id"] == name), None)
    if template is None:
        raise WeChatError(40037)
    data = _fields(call, template)
    left = citizen.consents.get(name, 0)
    # One message for each consent (W26); who refuses gives 43101 (W28).
    if left == 0 or not citizen.following:
        call.account.notice(call.now, "43101，市民没有同意或已拒收订阅通知", citizen.id)
        raise WeChatError(43101)
    # Below zero stands for a long-term consent, which is not used up.
    if left > 0:
        citizen.consents[name] = left - 1
    content: JSON = {"kind": "notice", "title": template.get("title", ""), "data": data}
    message = receive(citizen, call.account, call.now, content | {"url": call.text("page")})
    # Whether it arrived is told by an event later and not by this answer (W28).
    call.state.spawn(_notice_sent(call, citizen, name, message["message_id"]))
    return {"msgid": message["message_id"]}


ROOM = {
    "thing": 20, "phrase": 5, "name": 10, "character_string": 32, "date": 20, "time": 20,
}  # fmt: skip
"""How many characters a field of each type holds."""


def fields_of(template: JSON) -> list[str]:
    """The names of a template's fields."""
    return [str(name) for name in template.get("fields") or ["thing1"]]


def _fields(call: Call, template: JSON) -> dict[str, str]:
    """The fields of a notice; 47003 for another set of them, an empty or a too long one."""
    data = {k: str(v.get("value", "")) for k, v in (call.params.get("data") or {}).items()}
    for name in fields_of(template):
        text = data.get(name, "")
        room = ROOM.get(name.rstrip("0123456789"), 20)
        if not text or len(text) > room:
            raise WeChatError(47003, f"argument invalid! data.{name}.value invalid")
    if set(data) != set(fields_of(template)):
        raise WeChatError(47003)
    return data


async def _notice_sent(call: Call, citizen: Citizen, template: str, number: int) -> None:
    await asyncio.sleep(call.state.limits.result_delay)
    detail = {"TemplateId": template, "MsgID": number, "ErrorCode": 0, "ErrorStatus": "success"}
    content = {
        "MsgType": "event",
        "Event": "subscribe_msg_sent_event",
        "SubscribeMsgSentEvent": {"List": detail},
    }
    await callback(call.state, call.account, citizen, content)


def staff_list(call: Call) -> JSON:
    """customservice/getkflist: who answers in the platform's own console."""
    permitted(call)
    return {"kf_list": []}


def templates(call: Call) -> JSON:
    """wxaapi/newtmpl/gettemplate: the account's notice templates; a verified service account's."""
    permitted(call, service=True)
    return {
        "data": [
            {"priTmplId": t["id"], "title": t.get("title", ""), "type": 3 if t.get("long_term")
             else 2, "content": "".join(f"{{{{{name}.DATA}}}}\n" for name in fields_of(t))}
            for t in call.account.templates
        ]
    }  # fmt: skip
