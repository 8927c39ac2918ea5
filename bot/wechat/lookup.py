"""A free publication whose answer was lost is looked up in the list of what is published.

The platform gives no name to a submission before it answers it (W20), so the article is found by
its title and the moment. Nobody is asked before the list was looked at for a while.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from bot.contract import Outcome, State
from bot.editions import URLS
from bot.wechat.client import AioWeChatClient
from config.clock import now

LOST = "lost"
LOOK_FOR = 15 * 60.0
"""Seconds in which an article that was taken appears; publishing takes minutes at most."""
SKEW = 60.0  # seconds by which the platform's clock and ours may differ
_PAGE = 20


def lost(title: str) -> Outcome:
    """What a submission without an answer comes to: asked after, as if it ran."""
    ref = f"{LOST}:{int(now().timestamp())}:{_short(title)}"
    words = "平台没有应答，正在到平台的已发布列表里核对"
    return Outcome(State.SUBMITTED, ref=ref, reason=words, code="no_answer")


async def looked_up(client: AioWeChatClient, ref: str) -> Outcome:
    """PUBLISHED when the list has it, SUBMITTED while it may still come, then UNKNOWN."""
    _, since, title = ref.split(":")
    data = {"offset": 0, "count": _PAGE, "no_content": 1}
    answer = await client.post("freepublish/batchget", data=data)
    found = [
        one
        for one in answer.get("item") or []
        if float(one.get("update_time") or 0) >= int(since) - SKEW and _titled(one, title)
    ]
    if len(found) == 1:
        urls = tuple(str(one.get("url", "")) for one in _articles(found[0]))
        detail = {"url": urls[0], URLS: urls}
        return Outcome(State.PUBLISHED, ref=f"article:{found[0]['article_id']}", detail=detail)
    if found:
        words = f"平台的已发布列表里有 {len(found)} 篇同名文章，不能确定是哪一篇，请人工核对"
        return Outcome(State.UNKNOWN, ref=ref, reason=words, code="no_answer")
    if now().timestamp() - int(since) < LOOK_FOR:
        return Outcome(State.SUBMITTED, ref=ref)
    words = "平台没有应答，15 分钟内已发布列表里也没有这一篇：多半没有发出，请到公众平台核对"
    return Outcome(State.UNKNOWN, ref=ref, reason=words, code="no_answer")


def _titled(one: Mapping[str, Any], title: str) -> bool:
    articles = _articles(one)
    return bool(articles) and _short(str(articles[0].get("title", ""))) == title


def _articles(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list((one.get("content") or {}).get("news_item") or [])


def _short(title: str) -> str:
    return hashlib.sha256(title.encode()).hexdigest()[:16]
