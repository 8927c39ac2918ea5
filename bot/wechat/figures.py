"""What readers did with the articles of a mass send, as WeChat counts it (W38)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.readings import Figure, NoFigures
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused

_URL = "https://api.weixin.qq.com/datacube/getarticletotal"


async def article_totals(client: AioWeChatClient, day: date) -> list[Figure]:
    """The mass sends of one day, with what was counted up to the end of each day since.

    Of one with several articles the first stands for all: it is the one that is opened. What fewer
    than three people did is not in the answer. Raises NoFigures.
    """
    asked = {"begin_date": day.isoformat(), "end_date": day.isoformat()}
    try:
        answer = await client.post(_URL, data=asked)
    except (WeChatRefused, NotSent, NoAnswer) as error:
        raise NoFigures(str(error)) from error
    return [
        _figure(number, told)
        for one in answer.get("list") or []
        for number, _, index in [str(one.get("msgid", "")).partition("_")]
        if index in ("", "1")
        for told in one.get("details") or []
    ]


def _figure(number: str, told: Mapping[str, Any]) -> Figure:
    return Figure(
        ref=f"mass:{number}",
        day=date.fromisoformat(str(told["stat_date"])),
        readers=int(told.get("int_page_read_user") or 0),
        reads=int(told.get("int_page_read_count") or 0),
        sharers=int(told.get("share_user") or 0),
        shares=int(told.get("share_count") or 0),
    )
