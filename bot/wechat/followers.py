"""The followers of an account, 10,000 a page, and since when some of them follow (W31)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.codes import At
from bot.listing import Listed, NotListed
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused
from bot.wechat.errors import outcome_of

A_CALL = 100  # people in one call for their particulars


async def follower_page(client: AioWeChatClient, after: str) -> Listed:
    """The page behind this person."""
    page = await _asked(client.get("user/get", params={"next_openid": after} if after else {}))
    people = (page.get("data") or {}).get("openid") or []
    return Listed([str(one) for one in people], int(page.get("total") or 0))


async def followed_at(client: AioWeChatClient, people: Sequence[str]) -> Mapping[str, datetime]:
    """When each of these followed last; the platform's words for who left have no such moment."""
    found: dict[str, datetime] = {}
    for start in range(0, len(people), A_CALL):
        wanted = [{"openid": one} for one in people[start : start + A_CALL]]
        told = await _asked(client.post("user/info/batchget", data={"user_list": wanted}))
        for one in told.get("user_info_list") or []:
            if one.get("subscribe") and one.get("subscribe_time"):
                moment = datetime.fromtimestamp(int(one["subscribe_time"]), UTC)
                found[str(one["openid"])] = moment
    return found


async def _asked(call: Any) -> Any:
    try:
        return await call
    except (WeChatRefused, NotSent, NoAnswer) as error:
        raise NotListed(outcome_of(error, At.PREPARING).reason) from error
