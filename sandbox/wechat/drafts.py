"""Drafts of articles, with the platform's limits and filters."""

import re
import secrets

from sandbox.state import JSON
from sandbox.wechat.account import Call, Official, WeChatError
from sandbox.wechat.media import material
from sandbox.wechat.newspic import NEWSPIC, checked_newspic, is_newspic
from sandbox.wechat.saved import filtered, saved_again

MAX_ARTICLES = 8

_CROPS = ("pic_crop_235_1", "pic_crop_1_1")
_CROP = re.compile(r"(?:0(?:\.\d{1,6})?|1(?:\.0{1,6})?)(?:_(?:0(?:\.\d{1,6})?|1(?:\.0{1,6})?)){3}")


_BAD_ADDRESS = re.compile(r"""\s(?:href|src)\s*=\s*["']?(?:weixin|javascript):""", re.I)


def _checked_crop(value: str) -> None:
    """X1_Y1_X2_Y2, parts of the cover's sides with at most six decimals (W18)."""
    if not _CROP.fullmatch(value):
        raise WeChatError(40035)
    left, top, right, bottom = map(float, value.split("_"))
    if left >= right or top >= bottom:
        raise WeChatError(40035)


def _checked_content(content: str) -> None:
    if not content:
        raise WeChatError(44004)
    # Both limits hold: signs and bytes (W18).
    if len(content) >= 20_000 or len(content.encode()) >= 1024 * 1024:
        raise WeChatError(45002)
    # Addresses of the app and of scripts are refused, and the answer does not say where.
    if _BAD_ADDRESS.search(content):
        raise WeChatError(45166)


def commentable(call: Call, article: JSON) -> None:
    """Refuse an article with comments from an account that has none (W42)."""
    if article.get("need_open_comment") and not call.account.commenting:
        raise WeChatError(88000)


def checked_article(call: Call, article: JSON) -> JSON:
    """Return one article after the platform's field limits."""
    kind = article.get("article_type") or "news"
    if kind == NEWSPIC:
        commentable(call, article)
        return checked_newspic(call, article)
    if kind != "news":
        raise WeChatError(40035)
    commentable(call, article)
    title, content = str(article.get("title") or ""), str(article.get("content") or "")
    # The limits of a draft, each with the code the platform answers (W18).
    if not title or len(title) > 32:
        raise WeChatError(45003)
    if len(str(article.get("author") or "")) > 16:
        raise WeChatError(45110)
    if len(str(article.get("digest") or "")) > 128:
        raise WeChatError(45004)
    _checked_content(content)
    if len(str(article.get("content_source_url") or "").encode()) > 1024:
        raise WeChatError(45005)
    # A cover must be permanent material: a temporary one would vanish under the article (W18).
    cover = material(call, article.get("thumb_media_id"))
    if cover["type"] == "temporary":
        raise WeChatError(40007)
    for name in _CROPS:
        if article.get(name):
            _checked_crop(str(article[name]))
    plain = re.sub(r"<[^>]+>|\s+", "", content)
    return article | {
        "content": filtered(call.base, content, call.state.media),
        # Without a digest the platform takes the first 54 signs (W18).
        "digest": article.get("digest") or plain[:54],
        "thumb_url": cover["url"],
        "url": "",
    }


def draft_add(call: Call) -> JSON:
    """draft/add: one to eight articles."""
    articles = call.params.get("articles")
    if not isinstance(articles, list) or not articles:
        raise WeChatError(44003)
    # Eight articles in one message, as in the web page (W19).
    if len(articles) > MAX_ARTICLES:
        raise WeChatError(45008)
    items = [checked_article(call, article) for article in articles]
    media_id = "D" + secrets.token_urlsafe(32)
    call.account.drafts[media_id] = {"items": items, "time": call.now}
    return {"media_id": media_id}


def draft_of(call: Call, media_id: str) -> JSON:
    draft = call.account.drafts.get(media_id)
    if draft is None:
        raise WeChatError(40007)
    return draft


def draft_get(call: Call) -> JSON:
    """draft/get: the articles as stored after filtering."""
    draft = draft_of(call, call.text("media_id"))
    return {"news_item": draft["items"], "update_time": int(draft["time"])}


def draft_update(call: Call) -> JSON:
    """draft/update: replaces one article of a draft."""
    draft, index = draft_of(call, call.text("media_id")), int(call.params.get("index") or 0)
    if not 0 <= index < len(draft["items"]):
        raise WeChatError(40035)
    draft["items"][index] = checked_article(call, dict(call.params.get("articles") or {}))
    draft["time"] = call.now
    return {}


def save_again(account: Official) -> list[JSON]:
    """Somebody opens every draft in the back office and saves it; the articles as they are then."""
    articles = [item for draft in account.drafts.values() for item in draft["items"]]
    for article in articles:
        if is_newspic(article):
            continue
        article["content"] = saved_again(article["content"])
    return articles


def draft_delete(call: Call) -> JSON:
    """draft/delete: irreversible."""
    draft_of(call, call.text("media_id"))
    del call.account.drafts[call.text("media_id")]
    return {}


def draft_count(call: Call) -> JSON:
    """draft/count."""
    return {"total_count": len(call.account.drafts)}


def draft_batchget(call: Call) -> JSON:
    """draft/batchget: at most twenty at a time."""
    return paged(
        call,
        [
            {"media_id": key, "content": {"news_item": d["items"]}, "update_time": int(d["time"])}
            for key, d in call.account.drafts.items()
        ],
    )


def paged(call: Call, rows: list[JSON]) -> JSON:
    offset, count = int(call.params.get("offset") or 0), int(call.params.get("count") or 20)
    # The platform hands out at most twenty rows at a time and refuses to be asked for more.
    if not 1 <= count <= 20:
        raise WeChatError(40035)
    chosen = rows[offset : offset + count]
    return {"total_count": len(rows), "item_count": len(chosen), "item": chosen}
