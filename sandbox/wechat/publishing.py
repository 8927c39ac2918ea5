"""Publishing a draft, with a result that comes later."""

import asyncio
import secrets
from datetime import datetime

from sandbox.state import JSON, iso
from sandbox.wechat.account import Call, Official, WeChatError
from sandbox.wechat.callbacks import callback
from sandbox.wechat.drafts import draft_of, paged
from sandbox.wechat.live_pictures import served_anew
from sandbox.wechat.newspic import addresses, crop_of


def permitted(call: Call, *, service: bool = False) -> None:
    # Unverified accounts lost these calls in July 2025 (W23).
    if not call.account.verified or (service and call.account.kind != "service"):
        call.account.notice(call.now, "48001，账号没有这个接口的权限")
        raise WeChatError(48001)


def publish_submit(call: Call) -> JSON:
    """freepublish/submit: the result comes later, by get and by event."""
    permitted(call)
    media_id = call.text("media_id")
    draft_of(call, media_id)
    number = str(2_247_000_000 + next(call.account.numbers))
    job: JSON = {"publish_id": number, "publish_status": 1, "media_id": media_id}
    call.account.jobs[number] = job
    # Publishing is asynchronous: the answer says only that it was taken (W20).
    call.state.spawn(_finish_publish(call, job))
    return {"publish_id": number, "msg_data_id": number}


def keep_articles(call: Call, items: list[JSON], key: str, *, listed: bool) -> JSON:
    """Keep articles under an id with their addresses, and return the record."""
    shown = [
        {
            **item,
            "content": served_anew(call.base, str(item["content"])),
            "url": f"{call.base}/wechat/s/{key}/{n}",
        }
        for n, item in enumerate(items, 1)
    ]
    call.account.articles[key] = {"items": shown, "time": iso(call.now), "listed": listed}
    return call.account.articles[key]


async def _finish_publish(call: Call, job: JSON) -> None:
    # Real seconds and not the moved clock: a test may jump days while a job runs.
    await asyncio.sleep(call.state.limits.result_delay)
    account, state = call.account, call.state
    kinds = frozenset({"publish_status"})
    fault = state.take_fault("wechat", "freepublish/submit", account.id, kinds)
    draft = account.drafts.get(job["media_id"])
    status = int(fault.status or fault.code or 3) if fault else 0
    # Deleted between submitting and publishing: a general failure (W20).
    if draft is None:
        status = 3
    info: JSON = {"publish_id": job["publish_id"], "publish_status": status}
    if status == 0 and draft is not None:
        job["article_id"] = "A" + secrets.token_urlsafe(24)
        shown = keep_articles(call, draft["items"], job["article_id"], listed=True)
        job["urls"] = [item["url"] for item in shown["items"]]
        # A draft leaves the box once it is published (W18).
        del account.drafts[job["media_id"]]
        info["article_id"] = job["article_id"]
        info["article_detail"] = {
            "count": len(job["urls"]),
            "item": [{"idx": n, "article_url": u} for n, u in enumerate(job["urls"], 1)],
        }
    # Refused: the draft stays and the failing article is named by its number (W20).
    elif status in (2, 3, 4) and draft is not None:
        job["fail_idx"] = info["fail_idx"] = [fault.article if fault else 1]
        account.notice(call.now, f"发布未通过，平台状态 {status}")
    job["publish_status"] = status
    content = {"MsgType": "event", "Event": "PUBLISHJOBFINISH", "PublishEventInfo": info}
    await callback(state, account, None, content)


def publish_get(call: Call) -> JSON:
    """freepublish/get: 0 done, 1 running, 2..6 failed or withdrawn."""
    permitted(call)
    job = call.account.jobs.get(call.text("publish_id"))
    if job is None:
        raise WeChatError(40035)
    answer: JSON = {"publish_id": job["publish_id"], "publish_status": job["publish_status"]}
    answer["fail_idx"] = job.get("fail_idx", [])
    if "article_id" in job:
        items = call.account.articles[job["article_id"]]["items"]
        # Status 5: everything was deleted after it had been published (W20).
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
    # Articles of a mass send or a preview are no publications and cannot be asked for here (W22).
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
    permitted(call)
    rows = [
        {
            "article_id": key,
            "content": {"news_item": _news(found)},
            "update_time": int(datetime.fromisoformat(found["time"]).timestamp()),
        }
        for key, found in call.account.articles.items()
        if found["listed"]
    ]
    return paged(call, rows[::-1])


def publish_delete(call: Call) -> JSON:
    """freepublish/delete: one article by index from 1, or all with 0; irreversible."""
    items, index = _article(call)["items"], int(call.params.get("index") or 0)
    if not 0 <= index <= len(items):
        raise WeChatError(40035)
    # 0 means all; irreversible, and the address goes on to say that it was deleted.
    for item in items if index == 0 else [items[index - 1]]:
        item["deleted"] = True
    return {}


def cards(account: Official, items: list[JSON]) -> list[JSON]:
    """Return articles as the cards of a chat; `pictures` of a picture message, in order."""
    return [
        {
            "title": item["title"],
            "digest": item["digest"],
            "picture": item["thumb_url"],
            "url": item["url"],
            "crop": item.get("pic_crop_235_1", "") or crop_of(item, "2.35_1"),
            "pictures": addresses(account, item),
        }
        for item in items
    ]
