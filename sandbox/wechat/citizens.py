"""What citizens do: type, press, follow and consent; accounts made by control."""

import secrets

import aiohttp

from sandbox.state import JSON, Account, Citizen, State
from sandbox.wechat.account import Official
from sandbox.wechat.callbacks import callback, signed

SYSTEM = "oPlatformNotices000000000000"
"""Whom the platform names as sender of what it says itself: an openid like any other."""


def register(state: State, given: JSON) -> Official:
    """Make or change an account from control's JSON; raises KeyError or ValueError."""
    appid = str(given["appid"])
    known = state.accounts.get(appid)
    account = known if isinstance(known, Official) else Official("wechat", appid, appid)
    account.secret = str(given["secret"])
    account.token = str(given["token"])
    account.aes_key = str(given["aes_key"])
    # The key has 43 characters (W5); another length would break the cipher only at the first
    # callback.
    if len(account.aes_key) != 43:
        raise ValueError("aes_key")
    account.name = str(given.get("name") or account.name)
    account.kind = str(given.get("kind") or "service")
    # The two kinds differ in their mass quotas (W10).
    if account.kind not in ("service", "subscription"):
        raise ValueError("kind")
    account.verified = bool(given.get("verified", True))
    account.protected = bool(given.get("protected", account.protected))
    account.commenting = bool(given.get("commenting", account.commenting))
    account.webhook = str(given.get("callback_url") or account.webhook)
    account.templates = list(given.get("templates") or account.templates)
    state.accounts[appid] = account
    return account


def card(account: Official) -> JSON:
    """Return what control adds to the card of a WeChat account."""
    return {
        "kind": account.kind,
        "verified": account.verified,
        "protected": account.protected,
        "commenting": account.commenting,
        "original": account.original,
        "menu": account.menu,
        "tokens_issued": account.issued,
        "drafts": len(account.drafts),
        "templates": account.templates,
        "articles": [
            {"title": item["title"], "url": item["url"], "digest": item["digest"]}
            for job in account.articles.values()
            for item in job["items"]
            if job["listed"]
        ],
    }


def citizen_id(account: Official, number: int, given: JSON) -> str:
    """Return the openid of an account's next citizen."""
    if given.get("id"):
        return str(given["id"])
    return f"o{account.original[3:9]}{number:021d}"


def _opens(state: State, citizen: Citizen, kind: str) -> None:
    """Open the customer-message window that this act of a citizen gives."""
    # 48 hours and five messages after a text, one minute and three after a click or a follow (W7).
    seconds, count = (48 * 3600, 5) if kind == "text" else (60, 3)
    citizen.windows[kind] = [state.clock.now() + seconds, count]


def _message_id(account: Official) -> int:
    # As long as real MsgIds: more than a JavaScript number holds exactly (2 to the 53rd).
    return 24_000_000_000_000_000 + next(account.numbers)


async def say(state: State, account: Official, citizen: Citizen, text: str) -> JSON:
    """A citizen types a text; returns what the callback answered."""
    if not citizen.following:
        return {"error": "未关注的人不能发消息"}
    number = _message_id(account)
    citizen.said.append(_said(state, account, text))
    _opens(state, citizen, "text")
    content = {"MsgType": "text", "Content": text, "MsgId": number}
    return await callback(state, account, citizen, content)


async def send(state: State, account: Official, citizen: Citizen | None, given: JSON) -> JSON:
    """Anything but a typed text: the `fields` of the callback.

    Without a citizen it is the platform's own word. With `times` the same comes again, as after
    an answer that was lost.
    """
    content = {"CreateTime": int(state.clock.now()), **dict(given["fields"])}
    if content.get("MsgType") != "event":
        content.setdefault("MsgId", _message_id(account))
    if citizen is None:
        content.setdefault("FromUserName", SYSTEM)
    elif content.get("MsgType") != "event":
        _opens(state, citizen, "text")
    answer: JSON = {}
    for _ in range(int(given.get("times", 1))):
        answer = await callback(state, account, citizen, content)
    return answer


def _said(state: State, account: Official, text: str, kind: str = "text") -> JSON:
    number, at = next(account.numbers), state.clock.now()
    return {"message_id": number, "at": at, "kind": kind, "text": text}


def _menu_entry(account: Official, key: str) -> JSON | None:
    for entry in account.menu.get("button", []):
        for one in entry.get("sub_button") or [entry]:
            if one.get("key") == key or one.get("url") == key:
                return dict(one)
    return None


async def press(state: State, account: Official, citizen: Citizen, tap: JSON) -> JSON:
    """A citizen presses a menu entry by its key (CLICK) or address (VIEW)."""
    key = str(tap.get("key") or tap.get("data"))
    entry = _menu_entry(account, key)
    if entry is None:
        return {"error": "菜单里没有这一项"}
    if not citizen.following:
        return {"error": "未关注的人没有菜单"}
    citizen.said.append(_said(state, account, str(entry["name"]), "menu"))
    # Opening a page tells the account of it and opens no window.
    if entry["type"] == "view":
        return await event(state, account, citizen, "view", {"url": entry["url"]})
    _opens(state, citizen, "click")
    content = {"MsgType": "event", "Event": "CLICK", "EventKey": key}
    return await callback(state, account, citizen, content)


async def event(
    state: State, account: Official, citizen: Citizen, name: str, given: JSON | None = None
) -> JSON:
    """follow, unfollow, view, scan, location or a consent, with the event the platform sends."""
    more = given or {}
    if name in ("follow", "start", "unblock"):
        citizen.following, citizen.blocked = True, False
        citizen.since = state.clock.now()
        _opens(state, citizen, "follow")
        content: JSON = {"Event": "subscribe", "EventKey": ""}
    elif name in ("unfollow", "block"):
        citizen.following = False
        # Who left cannot be written to, and comes back without tags.
        citizen.windows.clear()
        citizen.tags.clear()
        content = {"Event": "unsubscribe", "EventKey": ""}
    elif name == "view":
        content = {"Event": "VIEW", "EventKey": str(more.get("url") or "")}
    elif name == "scan":
        # Of a follower; who does not follow yet is asked to, and then it is a follow.
        if not citizen.following:
            return {"error": "未关注的人扫码后先关注"}
        _opens(state, citizen, "scan")
        content = {"Event": "SCAN", "EventKey": str(more.get("scene") or "1"), "Ticket": "t"}
    elif name == "location":
        # The phone tells it by itself when a chat is opened; the citizen said nothing.
        content = {"Event": "LOCATION", "Latitude": "43.6", "Longitude": "122.2", "Precision": "65"}
    elif name in ("subscribe_msg_popup", "subscribe_msg_change"):
        asked = [one for one in account.templates if one["id"] == more.get("template")]
        if not asked or not account.verified or account.kind != "service":
            return {"error": "没有这个通知模板"}
        content = _consent(citizen, name, asked[0], more)
    else:
        return {"error": f"没有事件 {name}"}
    return await callback(state, account, citizen, {"MsgType": "event", **content})


def _consent(citizen: Citizen, name: str, asked: JSON, given: JSON) -> JSON:
    template = str(asked["id"])
    accepts = bool(given.get("accept", name == "subscribe_msg_popup"))
    if not accepts:
        citizen.consents.pop(template, None)
    elif asked.get("long_term"):
        # As its template says: long-term only for public services and medicine (W26).
        citizen.consents[template] = -1
    else:
        citizen.consents[template] = citizen.consents.get(template, 0) + 1
    detail: JSON = {
        "TemplateId": template,
        "SubscribeStatusString": "accept" if accepts else "reject",
    }
    # The two events differ in their element's name and in the place where the person was asked
    # (W28).
    if name == "subscribe_msg_popup":
        detail["PopupScene"] = "2"
        return {"Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": {"List": detail}}
    return {"Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": {"List": detail}}


async def verify(state: State, account: Account) -> JSON:
    """Ask the callback address for its echo, as when an address is saved on the platform."""
    if not isinstance(account, Official) or state.http is None:
        return {"ok": False, "status": 0}
    # A new one each time: a receiver that answers anything by heart is found out.
    echo = str(secrets.randbelow(10**18))
    query = signed(account, state.clock.now()) | {"echostr": echo}
    try:
        async with state.http.get(account.webhook, params=query) as response:
            body = await response.text()
            return {"ok": body == echo, "status": response.status, "body": body}
    except (aiohttp.ClientError, TimeoutError) as problem:
        return {"ok": False, "status": 0, "body": str(problem)}
