"""WeChat's API calls: media, drafts, publishing, mass and customer messages, tags, users, menu."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.state import JSON, Citizen, Upload, iso
from sandbox.wechat_core import Call, WeChatError, callback, day, receive

MAX_ARTICLES = 8
MASS_A_MONTH = 4


def _file(call: Call) -> Upload:
    upload = call.files.get("media")
    if upload is None or not upload.data:
        raise WeChatError(41005)
    return upload


def _image_type(data: bytes) -> str:
    if data.startswith(b"\x89PNG"):
        return "image/png"
    if data.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if data.startswith(b"GIF8"):
        return "image/gif"
    return ""


# --- media ----------------------------------------------------------------------------------


def upload_img(call: Call) -> JSON:
    """media/uploadimg: jpg or png under 1 MB, for use inside article bodies."""
    upload = _file(call)
    kind = _image_type(upload.data)
    if kind not in ("image/png", "image/jpeg"):
        raise WeChatError(40005)
    if len(upload.data) >= 1024 * 1024:
        raise WeChatError(40009)
    return {"url": _keep(call, kind, upload.data)}


def _keep(call: Call, kind: str, data: bytes) -> str:
    key = hashlib.sha256(data).hexdigest()[:32]
    call.state.keep_media(key, kind, data)
    return f"{call.base}/wechat/media/{key}"


def add_material(call: Call) -> JSON:
    """material/add_material: a permanent image (10 MB) or thumb (64 KB)."""
    kind, upload = call.query.get("type"), _file(call)
    if kind not in ("image", "thumb", "voice", "video"):
        raise WeChatError(40004)
    found = _image_type(upload.data)
    if kind in ("image", "thumb") and not found:
        raise WeChatError(40005)
    if len(upload.data) > (64 * 1024 if kind == "thumb" else 10 * 1024 * 1024):
        raise WeChatError(45001)
    media_id = "M" + secrets.token_urlsafe(32)
    url = _keep(call, found or upload.content_type, upload.data)
    call.account.materials[media_id] = {"type": kind, "url": url, "name": upload.filename}
    return {"media_id": media_id, "url": url}


def upload_media(call: Call) -> JSON:
    """media/upload: a temporary file, gone after three days."""
    upload = _file(call)
    media_id = "T" + secrets.token_urlsafe(32)
    url = _keep(call, _image_type(upload.data) or upload.content_type, upload.data)
    until = call.now + 3 * 86_400
    call.account.materials[media_id] = {"type": "temporary", "url": url, "until": until}
    return {"type": call.query.get("type", "image"), "media_id": media_id,
            "created_at": int(call.now)}  # fmt: skip


def del_material(call: Call) -> JSON:
    """material/del_material."""
    if call.account.materials.pop(call.text("media_id"), None) is None:
        raise WeChatError(40007)
    return {}


def _material(call: Call, media_id: Any) -> JSON:
    found = call.account.materials.get(str(media_id or ""))
    if found is None or found.get("until", call.now + 1) <= call.now:
        raise WeChatError(40007)
    return found


# --- drafts ---------------------------------------------------------------------------------

_SCRIPT = re.compile(r"<script\b.*?(</script\s*>|$)", re.I | re.S)
_HANDLER = re.compile(r"\son\w+\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.I)
_IMAGE = re.compile(r"<img\b[^>]*?\ssrc\s*=\s*[\"']?([^\"'\s>]*)[^>]*>", re.I)


def filtered(call: Call, content: str) -> str:
    """Strip scripts, and pictures that were not uploaded here, as the platform does."""
    content = _HANDLER.sub("", _SCRIPT.sub("", content))
    own = f"{call.base}/wechat/media/"
    return _IMAGE.sub(lambda m: m.group(0) if m.group(1).startswith(own) else "", content)


def checked_article(call: Call, article: JSON) -> JSON:
    """Return one article after the platform's field limits."""
    title, content = str(article.get("title") or ""), str(article.get("content") or "")
    if not title or len(title) > 32:
        raise WeChatError(45003)
    if len(str(article.get("author") or "")) > 16:
        raise WeChatError(45110)
    if len(str(article.get("digest") or "")) > 128:
        raise WeChatError(45004)
    if not content:
        raise WeChatError(44004)
    if len(content) >= 20_000 or len(content.encode()) >= 1024 * 1024:
        raise WeChatError(45002)
    if len(str(article.get("content_source_url") or "").encode()) > 1024:
        raise WeChatError(45005)
    cover = _material(call, article.get("thumb_media_id"))
    if cover["type"] == "temporary":
        raise WeChatError(40007)
    plain = re.sub(r"<[^>]+>|\s+", "", content)
    return article | {
        "content": filtered(call, content),
        "digest": article.get("digest") or plain[:54],
        "thumb_url": cover["url"],
        "url": "",
    }


def draft_add(call: Call) -> JSON:
    """draft/add: one to eight articles."""
    articles = call.params.get("articles")
    if not isinstance(articles, list) or not articles:
        raise WeChatError(44003)
    if len(articles) > MAX_ARTICLES:
        raise WeChatError(45008)
    items = [checked_article(call, article) for article in articles]
    media_id = "D" + secrets.token_urlsafe(32)
    call.account.drafts[media_id] = {"items": items, "time": call.now}
    return {"media_id": media_id}


def _draft(call: Call, media_id: str) -> JSON:
    draft = call.account.drafts.get(media_id)
    if draft is None:
        raise WeChatError(40007)
    return draft


def draft_get(call: Call) -> JSON:
    """draft/get: the articles as stored after filtering."""
    draft = _draft(call, call.text("media_id"))
    return {"news_item": draft["items"], "update_time": int(draft["time"])}


def draft_update(call: Call) -> JSON:
    """draft/update: replaces one article of a draft."""
    draft, index = _draft(call, call.text("media_id")), int(call.params.get("index") or 0)
    if not 0 <= index < len(draft["items"]):
        raise WeChatError(40035)
    draft["items"][index] = checked_article(call, dict(call.params.get("articles") or {}))
    draft["time"] = call.now
    return {}


def draft_delete(call: Call) -> JSON:
    """draft/delete: irreversible."""
    _draft(call, call.text("media_id"))
    del call.account.drafts[call.text("media_id")]
    return {}


def draft_count(call: Call) -> JSON:
    """draft/count."""
    return {"total_count": len(call.account.drafts)}


def draft_batchget(call: Call) -> JSON:
    """draft/batchget: at most twenty at a time."""
    return _page(
        call,
        [
            {"media_id": key, "content": {"news_item": d["items"]}, "update_time": int(d["time"])}
            for key, d in call.account.drafts.items()
        ],
    )


def _page(call: Call, rows: list[JSON]) -> JSON:
    offset, count = int(call.params.get("offset") or 0), int(call.params.get("count") or 20)
    if not 1 <= count <= 20:
        raise WeChatError(40035)
    chosen = rows[offset : offset + count]
    return {"total_count": len(rows), "item_count": len(chosen), "item": chosen}


# --- freepublish ----------------------------------------------------------------------------


def _allowed(call: Call, *, service: bool = False) -> None:
    if not call.account.verified or (service and call.account.kind != "service"):
        call.account.notice(call.now, "48001，账号没有这个接口的权限")
        raise WeChatError(48001)


def publish_submit(call: Call) -> JSON:
    """freepublish/submit: the result comes later, by get and by event."""
    _allowed(call)
    media_id = call.text("media_id")
    _draft(call, media_id)
    number = str(2_247_000_000 + next(call.account.numbers))
    job: JSON = {"publish_id": number, "publish_status": 1, "media_id": media_id}
    call.account.jobs[number] = job
    call.state.spawn(_finish_publish(call, job))
    return {"publish_id": number, "msg_data_id": number}


def _shown(call: Call, items: list[JSON], key: str, *, listed: bool) -> JSON:
    """Keep articles under an id with their addresses, and return the record."""
    shown = [{**item, "url": f"{call.base}/wechat/s/{key}/{n}"} for n, item in enumerate(items, 1)]
    call.account.articles[key] = {"items": shown, "time": iso(call.now), "listed": listed}
    return call.account.articles[key]


async def _finish_publish(call: Call, job: JSON) -> None:
    await asyncio.sleep(call.state.limits.result_delay)
    account, state = call.account, call.state
    kinds = frozenset({"publish_status"})
    fault = state.take_fault("wechat", "freepublish/submit", account.id, kinds)
    draft = account.drafts.get(job["media_id"])
    status = int(fault.status or fault.code or 3) if fault else 0
    if draft is None:
        status = 3
    info: JSON = {"publish_id": job["publish_id"], "publish_status": status}
    if status == 0 and draft is not None:
        job["article_id"] = "A" + secrets.token_urlsafe(24)
        shown = _shown(call, draft["items"], job["article_id"], listed=True)
        job["urls"] = [item["url"] for item in shown["items"]]
        del account.drafts[job["media_id"]]
        info["article_id"] = job["article_id"]
        info["article_detail"] = {
            "count": len(job["urls"]),
            "item": [{"idx": n, "article_url": u} for n, u in enumerate(job["urls"], 1)],
        }
    elif status in (2, 3, 4) and draft is not None:
        job["fail_idx"] = info["fail_idx"] = [1]
        account.notice(call.now, f"发布未通过，平台状态 {status}")
    job["publish_status"] = status
    content = {"MsgType": "event", "Event": "PUBLISHJOBFINISH", "PublishEventInfo": info}
    await callback(state, account, None, content)


def publish_get(call: Call) -> JSON:
    """freepublish/get: 0 done, 1 running, 2..6 failed or withdrawn."""
    _allowed(call)
    job = call.account.jobs.get(call.text("publish_id"))
    if job is None:
        raise WeChatError(40035)
    answer: JSON = {"publish_id": job["publish_id"], "publish_status": job["publish_status"]}
    answer["fail_idx"] = job.get("fail_idx", [])
    if "article_id" in job:
        items = call.account.articles[job["article_id"]]["items"]
        if all(item.get("deleted") for item in items):
            answer["publish_status"] = 5
        answer["article_id"] = job["article_id"]
        answer["article_detail"] = {
            "count": len(job["urls"]),
            "item": [{"idx": n, "article_url": u} for n, u in enumerate(job["urls"], 1)],
        }
    return answer


def _article(call: Call) -> JSON:
    found = call.account.articles.get(call.text("article_id"))
    if found is None or not found["listed"]:
        raise WeChatError(53600)
    return found


def _news(found: JSON) -> list[JSON]:
    return [{"is_deleted": bool(item.get("deleted")), **item} for item in found["items"]]


def publish_article(call: Call) -> JSON:
    """freepublish/getarticle."""
    return {"news_item": _news(_article(call))}


def publish_batchget(call: Call) -> JSON:
    """freepublish/batchget: what has been published, at most twenty at a time."""
    _allowed(call)
    rows = [
        {
            "article_id": key,
            "content": {"news_item": _news(found)},
            "update_time": int(datetime.fromisoformat(found["time"]).timestamp()),
        }
        for key, found in call.account.articles.items()
        if found["listed"]
    ]
    return _page(call, rows[::-1])


def publish_delete(call: Call) -> JSON:
    """freepublish/delete: one article by index from 1, or all with 0; irreversible."""
    items, index = _article(call)["items"], int(call.params.get("index") or 0)
    if index > len(items):
        raise WeChatError(40035)
    for item in items if index == 0 else [items[index - 1]]:
        item["deleted"] = True
    return {}


# --- mass messages --------------------------------------------------------------------------


def _mass_content(call: Call) -> JSON:
    kind = call.text("msgtype")
    given = call.params.get(kind) or {}
    if kind == "mpnews":
        draft = _draft(call, str(given.get("media_id") or ""))
        return {"kind": "news", "items": draft["items"], "media_id": given["media_id"]}
    if kind == "text":
        if not given.get("content"):
            raise WeChatError(44004)
        return {"kind": "text", "text": str(given["content"])}
    if kind == "image":
        media_id = given.get("media_id") or (given.get("media_ids") or [""])[0]
        return {"kind": "image", "picture": _material(call, media_id)["url"]}
    raise WeChatError(40008)


def _month(at: float) -> str:
    return (datetime.fromtimestamp(at, UTC) + timedelta(hours=8)).strftime("%Y-%m")


def _once_only(call: Call) -> None:
    name = call.text("clientmsgid")
    if len(name.encode()) > 64:
        raise WeChatError(45067)
    for number, job in call.account.mass.items():
        if name and job["clientmsgid"] == name and call.now - job["at"] < 86_400:
            call.account.notice(call.now, "45065，同一 clientmsgid 已有群发")
            raise WeChatError(45065, msg_id=number, msg_data_id=number)


def mass_sendall(call: Call) -> JSON:
    """message/mass/sendall: to everyone, or to one tag."""
    _allowed(call)
    choice = call.params.get("filter") or {}
    everyone = bool(choice.get("is_to_all"))
    _once_only(call)
    _mass_quota(call, everyone=everyone)
    people = [c for c in call.account.citizens.values() if c.following]
    if not everyone:
        tag = int(choice.get("tag_id") or choice.get("group_id") or 0)
        if tag not in call.account.tags:
            raise WeChatError(45159)
        people = [c for c in people if tag in c.tags]
    return _begin_mass(call, people, everyone=everyone)


def mass_send(call: Call) -> JSON:
    """message/mass/send: to 2..10,000 openids, verified service accounts only."""
    _allowed(call, service=True)
    openids = call.params.get("touser")
    if not isinstance(openids, list) or len(openids) < 2:
        raise WeChatError(40130)
    if len(openids) > 10_000:
        raise WeChatError(40032)
    _once_only(call)
    known = call.account.citizens
    people = [known[o] for o in dict.fromkeys(openids) if o in known and known[o].following]
    if not people:
        raise WeChatError(40003)
    return _begin_mass(call, people, everyone=False)


def _mass_quota(call: Call, *, everyone: bool) -> None:
    if not call.state.limits.wechat:
        return
    account = call.account
    today = [
        job
        for job in account.mass.values()
        if day(job["at"]) == day(call.now) and job["msg_status"] != "SEND_FAIL"
    ]
    full = account.kind == "subscription" and today
    if full or (everyone and any(job["everyone"] for job in today)):
        account.notice(call.now, "45028，今日群发次数已用完")
        raise WeChatError(45028)


def _begin_mass(call: Call, people: list[Citizen], *, everyone: bool) -> JSON:
    content = _mass_content(call)
    number = 3_147_000_000 + next(call.account.numbers)
    job: JSON = {
        "at": call.now,
        "clientmsgid": call.text("clientmsgid"),
        "everyone": everyone,
        "msg_status": "SENDING",
        "content": content,
    }
    call.account.mass[number] = job
    call.account.drafts.pop(content.get("media_id", ""), None)
    call.state.spawn(_finish_mass(call, number, job, people))
    return {"msg_id": number, "msg_data_id": number, "errmsg": "send job submission success"}


async def _finish_mass(call: Call, number: int, job: JSON, people: list[Citizen]) -> None:
    await asyncio.sleep(call.state.limits.result_delay)
    account, state = call.account, call.state
    kinds = frozenset({"mass_status"})
    fault = state.take_fault("wechat", "message/mass/sendall", account.id, kinds)
    status = (fault.status or "err(10001)") if fault else "send success"
    reached: list[Citizen] = []
    urls: list[str] = []
    if fault:
        account.notice(call.now, f"群发未成功，平台状态 {status}")
    else:
        reached = _within_month(call, people)
        urls = _hand_out(call, number, job["content"], reached)
    job["msg_status"] = "SEND_FAIL" if fault else "SEND_SUCCESS"
    content: JSON = {
        "MsgType": "event",
        "Event": "MASSSENDJOBFINISH",
        "MsgID": number,
        "Status": status,
        "TotalCount": len(people),
        "FilterCount": len(reached),
        "SentCount": len(reached),
        "ErrorCount": 0,
        "CopyrightCheckResult": {"Count": 0, "ResultList": "", "CheckState": 1 if fault else 2},
        "ArticleUrlResult": {
            "Count": len(urls),
            "ResultList": {
                "item": [{"ArticleIdx": n, "ArticleUrl": u} for n, u in enumerate(urls, 1)]
            },
        },
    }
    await callback(state, account, None, content)


def _within_month(call: Call, people: list[Citizen]) -> list[Citizen]:
    """Leave out who already had four mass messages this month (service accounts)."""
    month = _month(call.now)
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
        items = _shown(call, content["items"], str(number), listed=False)["items"]
        urls = [item["url"] for item in items]
        message["articles"] = cards(items)
    else:
        message |= {name: content[name] for name in ("text", "picture") if name in content}
    for citizen in people:
        citizen.received.append(message)
    return urls


def cards(items: list[JSON]) -> list[JSON]:
    """Return articles as the cards of a chat."""
    return [
        {
            "title": item["title"],
            "digest": item["digest"],
            "picture": item["thumb_url"],
            "url": item["url"],
        }
        for item in items
    ]


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
    if job is None or job["content"]["kind"] != "news":
        raise WeChatError(40059)
    index = int(call.params.get("article_idx") or 0)
    items = call.account.articles.get(str(number), {"items": []})["items"]
    for n, item in enumerate(items, 1):
        if index in (0, n):
            item["deleted"] = True
    if all(item.get("deleted") for item in items):
        job["msg_status"] = "DELETE"
    return {}


def mass_preview(call: Call) -> JSON:
    """message/mass/preview: to one follower, a draft stays in the box."""
    _allowed(call)
    content, citizen = _mass_content(call), call.follower(call.params.get("touser"))
    number = 3_147_000_000 + next(call.account.numbers)
    _hand_out(call, number, content, [citizen])
    return {"msg_id": number}


# --- customer messages, subscription notices ------------------------------------------------


def _window(call: Call, citizen: Citizen) -> list[float]:
    """Return the window a customer message uses up: 45015 outside, 45047 when counted out."""
    if not citizen.following:
        raise WeChatError(45015)
    windows = [w for w in citizen.windows.values() if w[0] > call.now]
    if not windows:
        call.account.notice(call.now, "45015，48 小时内没有互动，未送达", citizen.id)
        raise WeChatError(45015)
    usable = [w for w in windows if w[1] > 0]
    if not usable:
        call.account.notice(call.now, "45047，客服消息条数已用完", citizen.id)
        raise WeChatError(45047)
    return min(usable)


def custom_send(call: Call) -> JSON:
    """message/custom/send: inside the window and count that the citizen's last act opened."""
    _allowed(call)
    citizen = call.follower(call.params.get("touser"))
    content = _custom_content(call)
    window = _window(call, citizen)
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
        return {"kind": "image", "picture": _material(call, given.get("media_id"))["url"]}
    raise WeChatError(40008)


def _text(value: Any) -> str:
    text = str(value or "")
    if not text:
        raise WeChatError(44004)
    if len(text.encode()) > 2048:
        raise WeChatError(45002)
    return text


def _one_card(articles: list[JSON]) -> list[JSON]:
    if not articles:
        raise WeChatError(44003)
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
        items = _draft(call, str(given.get("media_id") or ""))["items"]
        return cards(_shown(call, items, key, listed=False)["items"])
    found = call.account.articles.get(str(given.get("article_id") or ""))
    if found is None:
        raise WeChatError(53600)
    return cards(found["items"])


def custom_typing(call: Call) -> JSON:
    """message/custom/typing: accepted for known citizens."""
    call.follower(call.params.get("touser"))
    return {}


def subscribe_send(call: Call) -> JSON:
    """message/subscribe/bizsend: one message per consent, or as often as wanted if long-term."""
    _allowed(call, service=True)
    citizen, name = call.follower(call.params.get("touser")), call.text("template_id")
    template = next((t for t in call.account.templates if t["id"] == name), None)
    if template is None:
        raise WeChatError(40037)
    left = citizen.consents.get(name, 0)
    if left == 0 or not citizen.following:
        call.account.notice(call.now, "43101，市民没有同意或已拒收订阅通知", citizen.id)
        raise WeChatError(43101)
    if left > 0:
        citizen.consents[name] = left - 1
    data = {k: str(v.get("value", "")) for k, v in (call.params.get("data") or {}).items()}
    content: JSON = {"kind": "notice", "title": template.get("title", ""), "data": data}
    message = receive(citizen, call.account, call.now, content | {"url": call.text("page")})
    call.state.spawn(_notice_sent(call, citizen, name, message["message_id"]))
    return {"msgid": message["message_id"]}


async def _notice_sent(call: Call, citizen: Citizen, template: str, number: int) -> None:
    await asyncio.sleep(call.state.limits.result_delay)
    detail = {"TemplateId": template, "MsgID": number, "ErrorCode": 0, "ErrorStatus": "success"}
    content = {
        "MsgType": "event",
        "Event": "subscribe_msg_sent_event",
        "SubscribeMsgSentEvent": {"List": detail},
    }
    await callback(call.state, call.account, citizen, content)


def templates(call: Call) -> JSON:
    """wxaapi/newtmpl/gettemplate: the account's notice templates."""
    return {
        "data": [
            {"priTmplId": t["id"], "title": t.get("title", ""), "type": 3 if t.get("long_term")
             else 2}
            for t in call.account.templates
        ]
    }  # fmt: skip


# --- tags, users, menu ----------------------------------------------------------------------


def _tag(call: Call, given: Any) -> int:
    number = int(given or 0)
    if number not in call.account.tags:
        raise WeChatError(45159)
    return number


def _tag_name(call: Call) -> str:
    name = str((call.params.get("tag") or {}).get("name") or "")
    if len(name) > 30:
        raise WeChatError(45158)
    if not name or name in call.account.tags.values():
        raise WeChatError(45157)
    return name


def tag_create(call: Call) -> JSON:
    """tags/create: at most 100, names of 30 characters; 0, 1 and 2 are the platform's."""
    if len(call.account.tags) >= 100:
        raise WeChatError(45056)
    number = max(call.account.tags, default=99) + 1
    call.account.tags[number] = _tag_name(call)
    return {"tag": {"id": number, "name": call.account.tags[number]}}


def tag_get(call: Call) -> JSON:
    """tags/get: all tags with their counts."""
    people = call.account.citizens.values()
    return {
        "tags": [
            {"id": number, "name": name, "count": sum(number in c.tags for c in people)}
            for number, name in call.account.tags.items()
        ]
    }


def tag_change(call: Call) -> JSON:
    """tags/update: a new name."""
    given = call.params.get("tag") or {}
    if given.get("id") in (0, 1, 2):
        raise WeChatError(45058)
    call.account.tags[_tag(call, given.get("id"))] = _tag_name(call)
    return {}


def tag_delete(call: Call) -> JSON:
    """tags/delete."""
    given = call.params.get("tag") or {}
    if given.get("id") in (0, 1, 2):
        raise WeChatError(45058)
    number = _tag(call, given.get("id"))
    del call.account.tags[number]
    for citizen in call.account.citizens.values():
        citizen.tags.discard(number)
    return {}


def tag_members(call: Call) -> JSON:
    """tags/members/batchtagging: at most 50 people, 20 tags each."""
    number, people = _tag(call, call.params.get("tagid")), _batch(call)
    if any(len(c.tags | {number}) > 20 for c in people):
        raise WeChatError(45059)
    for citizen in people:
        citizen.tags.add(number)
    return {}


def untag_members(call: Call) -> JSON:
    """tags/members/batchuntagging."""
    number = _tag(call, call.params.get("tagid"))
    for citizen in _batch(call):
        citizen.tags.discard(number)
    return {}


def _batch(call: Call) -> list[Citizen]:
    openids = call.params.get("openid_list") or []
    if not 1 <= len(openids) <= 50:
        raise WeChatError(40032)
    return [call.follower(openid) for openid in openids]


def tags_of(call: Call) -> JSON:
    """tags/getidlist: one citizen's tags."""
    return {"tagid_list": sorted(call.follower(call.params.get("openid")).tags)}


def tag_users(call: Call) -> JSON:
    """user/tag/get: who has a tag."""
    number = _tag(call, call.params.get("tagid"))
    people = [c.id for c in call.account.citizens.values() if number in c.tags]
    return {"count": len(people), "data": {"openid": people}, "next_openid": ""}


def user_get(call: Call) -> JSON:
    """user/get: followers, 10,000 a page."""
    people = [c.id for c in call.account.citizens.values() if c.following]
    after = call.query.get("next_openid")
    start = people.index(after) + 1 if after in people else 0
    page = people[start : start + 10_000]
    answer: JSON = {"total": len(people), "count": len(page)}
    if page:
        answer["data"] = {"openid": page}
    return answer | {"next_openid": page[-1] if page else ""}


def _user(citizen: Citizen | None, openid: str) -> JSON:
    if citizen is None or not citizen.following:
        return {"subscribe": 0, "openid": openid}
    return {
        "subscribe": 1,
        "openid": openid,
        "language": "zh_CN",
        "subscribe_time": int(citizen.since),
        "tagid_list": sorted(citizen.tags),
        "subscribe_scene": "ADD_SCENE_SEARCH",
    }


def user_info(call: Call) -> JSON:
    """user/info: one person."""
    openid = str(call.query.get("openid") or "")
    return _user(call.follower(openid), openid)


def users_info(call: Call) -> JSON:
    """user/info/batchget: at most 100 people."""
    wanted = [str(u.get("openid")) for u in call.params.get("user_list") or []]
    if not 1 <= len(wanted) <= 100:
        raise WeChatError(40032)
    return {"user_info_list": [_user(call.account.citizens.get(o), o) for o in wanted]}


def menu_create(call: Call) -> JSON:
    """menu/create: three entries of at most five; names of 16 and 60 bytes, keys of 128."""
    buttons = call.params.get("button")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
        raise WeChatError(40016)
    for button in buttons:
        _check_name(button, 16)
        subs = button.get("sub_button") or []
        if len(subs) > 5:
            raise WeChatError(40016)
        for one in subs:
            _check_name(one, 60)
        for one in subs or [button]:
            _check_entry(one)
    call.account.menu = {"button": buttons}
    return {}


def _check_name(button: JSON, limit: int) -> None:
    if not 1 <= len(str(button.get("name") or "").encode()) <= limit:
        raise WeChatError(40018)


def _check_entry(button: JSON) -> None:
    if button.get("type") == "click":
        if not 1 <= len(str(button.get("key") or "").encode()) <= 128:
            raise WeChatError(40019)
    elif button.get("type") == "view":
        if not str(button.get("url") or "").startswith(("http://", "https://")):
            raise WeChatError(40066)
    else:
        raise WeChatError(40017)


def menu_get(call: Call) -> JSON:
    """menu/get: the menu as created."""
    if not call.account.menu:
        raise WeChatError(46003)
    return {"menu": call.account.menu}


def menu_delete(call: Call) -> JSON:
    """menu/delete."""
    call.account.menu = {}
    return {}


def clear_quota(call: Call) -> JSON:
    """clear_quota: at most ten a month."""
    key = (int(_month(call.now).replace("-", "")), "clear_quota")
    count = call.account.used.get(key, 0) + 1
    if count > 10:
        raise WeChatError(48006)
    call.account.used.clear()
    call.account.used[key] = count
    return {}


def callback_ips(_call: Call) -> JSON:
    """getcallbackip: where callbacks come from."""
    return {"ip_list": ["127.0.0.1"]}


METHODS: dict[str, Callable[[Call], JSON]] = {
    "media/uploadimg": upload_img, "media/upload": upload_media,
    "material/add_material": add_material, "material/del_material": del_material,
    "draft/add": draft_add, "draft/get": draft_get, "draft/update": draft_update,
    "draft/delete": draft_delete, "draft/count": draft_count, "draft/batchget": draft_batchget,
    "freepublish/submit": publish_submit, "freepublish/get": publish_get,
    "freepublish/getarticle": publish_article, "freepublish/batchget": publish_batchget,
    "freepublish/delete": publish_delete, "message/mass/sendall": mass_sendall,
    "message/mass/send": mass_send, "message/mass/get": mass_get,
    "message/mass/delete": mass_delete, "message/mass/preview": mass_preview,
    "message/custom/send": custom_send, "message/custom/typing": custom_typing,
    "message/subscribe/bizsend": subscribe_send, "wxaapi/newtmpl/gettemplate": templates,
    "tags/create": tag_create, "tags/get": tag_get, "tags/update": tag_change,
    "tags/delete": tag_delete, "tags/members/batchtagging": tag_members,
    "tags/members/batchuntagging": untag_members, "tags/getidlist": tags_of,
    "user/tag/get": tag_users, "user/get": user_get, "user/info": user_info,
    "user/info/batchget": users_info, "menu/create": menu_create, "menu/get": menu_get,
    "menu/delete": menu_delete, "clear_quota": clear_quota, "getcallbackip": callback_ips,
}  # fmt: skip
