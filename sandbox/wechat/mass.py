"""Mass messages, their quotas and their result."""

import asyncio
from datetime import UTC, datetime, timedelta

from sandbox.state import JSON, Citizen, iso
from sandbox.wechat.account import Call, Official, WeChatError, day
from sandbox.wechat.callbacks import callback
from sandbox.wechat.drafts import draft_of
from sandbox.wechat.media import material
from sandbox.wechat.publishing import cards, keep_articles, permitted

MASS_A_MONTH = 4
CONFIRM_WITHIN = 30 * 60.0
"""Seconds an administrator has where 群发保护 is on (W15)."""
DENIED, TIMED_OUT = "err(40001)", "err(40002)"


def _mass_content(call: Call) -> JSON:
    kind = call.text("msgtype")
    given = call.params.get(kind) or {}
    if kind == "mpnews":
        draft = draft_of(call, str(given.get("media_id") or ""))
        return {"kind": "news", "items": draft["items"], "media_id": given["media_id"]}
    if kind == "text":
        if not given.get("content"):
            raise WeChatError(44004)
        return {"kind": "text", "text": str(given["content"])}
    if kind == "image":
        media_id = given.get("media_id") or (given.get("media_ids") or [""])[0]
        return {"kind": "image", "picture": material(call, media_id)["url"]}
    raise WeChatError(40008)


def month_of(at: float) -> str:
    return (datetime.fromtimestamp(at, UTC) + timedelta(hours=8)).strftime("%Y-%m")


def _once_only(call: Call) -> None:
    name = call.text("clientmsgid")
    if len(name.encode()) > 64:
        raise WeChatError(45067)
    for number, job in call.account.mass.items():
        # Compared for 24 hours: a send repeated after a crash is told apart from a new one, and the
        # first one's number comes back (W13).
        if name and job["clientmsgid"] == name and call.now - job["at"] < 86_400:
            call.account.notice(call.now, "45065，同一 clientmsgid 已有群发")
            raise WeChatError(45065, msg_id=number, msg_data_id=number)


def mass_sendall(call: Call) -> JSON:
    """message/mass/sendall: to everyone, or to one tag."""
    permitted(call)
    choice = call.params.get("filter") or {}
    everyone = bool(choice.get("is_to_all"))
    # Before the quota: a repeat of what went must be told so, even when the day is used up.
    _once_only(call)
    _mass_quota(call, everyone=everyone)
    people = [c for c in call.account.citizens.values() if c.following]
    if not everyone:
        tag = int(choice.get("tag_id") or choice.get("group_id") or 0)
        if tag not in call.account.tags:
            raise WeChatError(45159)
        people = [c for c in people if tag in c.tags]
        if not people:
            raise WeChatError(40003)
    return _begin_mass(call, people, everyone=everyone)


def mass_send(call: Call) -> JSON:
    """message/mass/send: to 2..10,000 openids, verified service accounts only."""
    permitted(call, service=True)
    openids = call.params.get("touser")
    if not isinstance(openids, list) or len(openids) < 2:
        raise WeChatError(40130)
    # 2 to 10,000 people (W12).
    if len(openids) > 10_000:
        raise WeChatError(40032)
    _once_only(call)
    _mass_quota(call, everyone=False)
    known, named = call.account.citizens, dict.fromkeys(openids)
    people = [known[o] for o in named if o in known and known[o].following]
    if not people:
        raise WeChatError(40003)
    # Who follows no more is left out without an error, and counted (W16).
    return _begin_mass(call, people, everyone=False, named=len(named))


def _mass_quota(call: Call, *, everyone: bool) -> None:
    if not call.state.limits.wechat:
        return
    account = call.account
    # A failed send gives its place back.
    sent = [job for job in account.mass.values() if job["msg_status"] != "SEND_FAIL"]
    today = [job for job in sent if day(job["at"]) == day(call.now)]
    # A subscription account sends once a day; of a service account one send to everybody a day
    # counts, and four a calendar month (W10, W11).
    full = account.kind == "subscription" and today
    if full or (everyone and any(job["everyone"] for job in today)):
        account.notice(call.now, "45028，今日群发次数已用完")
        raise WeChatError(45028)
    month = month_of(call.now)
    whole = [job for job in sent if job["everyone"] and month_of(job["at"]) == month]
    if everyone and account.kind == "service" and len(whole) >= MASS_A_MONTH:
        account.notice(call.now, "45028，本月群发次数已用完")
        raise WeChatError(45028)


def _begin_mass(call: Call, people: list[Citizen], *, everyone: bool, named: int = 0) -> JSON:
    content = _mass_content(call)
    number = 3_147_000_000 + next(call.account.numbers)
    job: JSON = {
        "at": call.now,
        "clientmsgid": call.text("clientmsgid"),
        "everyone": everyone,
        "named": named or len(people),
        "msg_status": "SENDING",
        "content": content,
        # None while the administrator has not answered; nobody is asked where 群发保护 is off.
        "confirmed": None if call.account.protected else True,
    }
    call.account.mass[number] = job
    # Sent drafts leave the box at once, before the result is known (W18).
    call.account.drafts.pop(content.get("media_id", ""), None)
    call.state.spawn(_finish_mass(call, number, job, people))
    return {"msg_id": number, "msg_data_id": number, "errmsg": "send job submission success"}


async def _confirmed(call: Call, job: JSON) -> str:
    """Wait for the administrator; the status of a send that was not let go, else empty (W15)."""
    while job["confirmed"] is None:
        # By the platform's clock, which a test may move.
        if call.now - job["at"] >= CONFIRM_WITHIN:
            return TIMED_OUT
        await asyncio.sleep(0.02)
    return "" if job["confirmed"] else DENIED


def confirm_mass(account: Official, *, allowed: bool) -> int:
    """The administrator answers for every send that waits; how many."""
    waiting = [job for job in account.mass.values() if job["confirmed"] is None]
    for job in waiting:
        job["confirmed"] = allowed
    return len(waiting)


async def _finish_mass(call: Call, number: int, job: JSON, people: list[Citizen]) -> None:
    await asyncio.sleep(call.state.limits.result_delay)
    account, state = call.account, call.state
    refused = await _confirmed(call, job)
    kinds = frozenset({"mass_status"})
    fault = state.take_fault("wechat", "message/mass/sendall", account.id, kinds)
    if fault:
        refused = fault.status or "err(10001)"
    status = refused or "send success"
    reached: list[Citizen] = []
    urls: list[str] = []
    if refused:
        account.notice(call.now, f"群发未成功，平台状态 {status}")
    else:
        reached = _within_month(call, people)
        # Handed out before the event tells of it: phones have the message when the callback comes.
        urls = _hand_out(call, number, job["content"], reached)
    job["msg_status"] = "SEND_FAIL" if refused else "SEND_SUCCESS"
    job["reached"] = len(reached)
    content: JSON = {
        "MsgType": "event",
        "Event": "MASSSENDJOBFINISH",
        "MsgID": number,
        "Status": status,
        "TotalCount": job["named"],
        "FilterCount": len(reached),
        "SentCount": len(reached),
        "ErrorCount": 0,
        "CopyrightCheckResult": _originality(status, fault.article if fault else 0),
        "ArticleUrlResult": {
            "Count": len(urls),
            "ResultList": {
                "item": [{"ArticleIdx": n, "ArticleUrl": u} for n, u in enumerate(urls, 1)]
            },
        },
    }
    await callback(state, account, None, content)


def _originality(status: str, article: int) -> JSON:
    """What was found about originals; a send that is stopped for one names its article (W16)."""
    if status not in ("err(30002)", "err(30003)"):
        return {"Count": 0, "ResultList": "", "CheckState": 2 if status == "send success" else 1}
    row = {"ArticleIdx": article, "UserDeclareState": 0, "AuditState": 2, "CanReprint": 0}
    return {"Count": 1, "ResultList": {"item": [row]}, "CheckState": 3}


def _within_month(call: Call, people: list[Citizen]) -> list[Citizen]:
    """Leave out who already had four mass messages this month (service accounts)."""
    month = month_of(call.now)
    # Four a calendar month for each follower of a service account; who had them is left out without
    # an error (W10).
    if call.account.kind != "service" or not call.state.limits.wechat:
        return people
    open_to = [c for c in people if c.mass_by_month.get(month, 0) < MASS_A_MONTH]
    if len(open_to) < len(people):
        filtered_out = len(people) - len(open_to)
        call.account.notice(call.now, f"{filtered_out} 人本月已收 4 次群发，未再投递")
    for citizen in open_to:
        citizen.mass_by_month[month] = citizen.mass_by_month.get(month, 0) + 1
    return open_to


def _hand_out(call: Call, number: int, content: JSON, people: list[Citizen]) -> list[str]:
    message: JSON = {"message_id": number, "time": iso(call.now), "kind": content["kind"]}
    message["mass"] = number
    urls: list[str] = []
    if content["kind"] == "news":
        # Not listed: what was sent is no publication and never appears among them (W22).
        items = keep_articles(call, content["items"], str(number), listed=False)["items"]
        urls = [item["url"] for item in items]
        message["articles"] = cards(call.account, items)
    else:
        message |= {name: content[name] for name in ("text", "picture") if name in content}
    for citizen in people:
        citizen.received.append(message)
    return urls


def mass_speed(call: Call) -> JSON:
    """message/mass/speed/get: how fast a mass send goes out."""
    permitted(call)
    return {"speed": 3, "realspeed": 15}


def mass_get(call: Call) -> JSON:
    """message/mass/get: SENDING, SEND_SUCCESS, SEND_FAIL or DELETE."""
    number = int(call.params.get("msg_id") or 0)
    if number not in call.account.mass:
        raise WeChatError(40059)
    return {"msg_id": number, "msg_status": call.account.mass[number]["msg_status"]}


def mass_delete(call: Call) -> JSON:
    """message/mass/delete: the article goes, the card stays on the phones."""
    number = int(call.params.get("msg_id") or 0)
    job = call.account.mass.get(number)
    # Only articles can be taken back; a text stays where it is (W17).
    if job is None or job["content"]["kind"] != "news":
        raise WeChatError(40059)
    index = int(call.params.get("article_idx") or 0)
    items = call.account.articles.get(str(number), {"items": []})["items"]
    # 0 or nothing means all articles of the message, so that a number too high must not pass.
    if not 0 <= index <= len(items):
        raise WeChatError(40035)
    for n, item in enumerate(items, 1):
        if index in (0, n):
            item["deleted"] = True
    if all(item.get("deleted") for item in items):
        job["msg_status"] = "DELETE"
    return {}


def mass_preview(call: Call) -> JSON:
    """message/mass/preview: to one follower, a draft stays in the box."""
    permitted(call)
    content, citizen = _mass_content(call), call.follower(call.params.get("touser"))
    number = 3_147_000_000 + next(call.account.numbers)
    # A preview uses up no draft and no mass send.
    _hand_out(call, number, content, [citizen])
    return {"msg_id": number}
