"""What of our articles is gone from the platform, as it says itself: asked seldom, told surely.

The list of publications marks what was deleted (W20); a mass send is in no list, so its page is
opened, which says that it was deleted. What the platform does not say is not concluded.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

from bot.takedown import Standing
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused

PAGES, PAGE = 2, 20
MOST_LOOKS, MOST_ASKED = 10, 2
MARK = "已被发布者删除"
"""What stands on the page of a deleted article; a page that asks for a captcha has it not."""
_DELETED_ALL = 5

Open = Callable[[str], Awaitable[str]]
"""An address in, its page out; empty when it cannot be opened."""


async def missing(
    client: AioWeChatClient, page: Open, standing: Sequence[Standing]
) -> list[Standing]:
    """Those that are surely gone."""
    listed = [one for one in standing if not one.ref.startswith("mass:")]
    sent = [one for one in standing if one.ref.startswith("mass:") and one.url]
    gone = await _of_list(client, listed) if listed else []
    for one in sent[:MOST_LOOKS]:
        if MARK in await page(one.url):
            gone.append(one)
    return gone


async def _of_list(client: AioWeChatClient, listed: Sequence[Standing]) -> list[Standing]:
    deleted: dict[str, bool] = {}
    since = float("inf")
    try:
        for number in range(PAGES):
            data = {"offset": number * PAGE, "count": PAGE, "no_content": 1}
            rows = (await client.post("freepublish/batchget", data=data)).get("item") or []
            for row, article in articles_of(rows):
                deleted[str(article.get("url", ""))] = bool(article.get("is_deleted"))
                since = min(since, float(row.get("update_time") or 0))
            if len(rows) < PAGE:
                since = 0.0  # that was all there is
                break
        gone = [one for one in listed if deleted.get(one.url)]
        # Published within what was listed, and not in it: only then is a further call spent.
        doubtful = [one for one in listed if one.url not in deleted and one.at.timestamp() > since]
        gone += [one for one in doubtful[:MOST_ASKED] if await _all_deleted(client, one)]
    except (WeChatRefused, NotSent, NoAnswer):
        return []  # asked again in an hour
    return gone


async def _all_deleted(client: AioWeChatClient, one: Standing) -> bool:
    route, _, number = one.ref.partition(":")
    if route != "publish":
        return False
    told = await client.post("freepublish/get", data={"publish_id": number})
    return int(told.get("publish_status", 0)) == _DELETED_ALL


def articles_of(rows: Iterable[Any]) -> Iterable[tuple[Any, Any]]:
    """Each publication of a list with each of its articles."""
    for row in rows:
        for article in (row.get("content") or {}).get("news_item") or []:
            yield row, article
