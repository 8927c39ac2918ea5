"""The calls about comments under a mass send (W42). Each made again changes nothing more."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.codes import At
from bot.commenting import Act, Area, Doing, NotRead, Written
from bot.contract import Outcome, State
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused
from bot.wechat.codes import NO_COMMENT, NO_REPLY, REPLIED, hinted
from bot.wechat.errors import outcome_of

A_CALL = 49  # fifty are refused
_CALLS = {
    Act.FEATURE: "comment/markelect",
    Act.UNFEATURE: "comment/unmarkelect",
    Act.REPLY: "comment/reply/add",
    Act.UNREPLY: "comment/reply/delete",
    Act.DELETE: "comment/delete",
    Act.CLOSE: "comment/close",
    Act.OPEN: "comment/open",
}
_ALREADY = {Act.DELETE: NO_COMMENT, Act.UNREPLY: NO_REPLY}
"""Hints of codes that say what was wanted is so."""


async def comments_of(client: AioWeChatClient, area: Area) -> Sequence[Written]:
    """Every comment, in the platform's order; who wrote it is not looked at."""
    found: list[Written] = []
    while True:
        data = {**_place(area), "begin": len(found), "count": A_CALL, "type": 0}
        try:
            page = await client.post("comment/list", data=data)
        except (WeChatRefused, NotSent, NoAnswer) as error:
            raise NotRead(outcome_of(error, At.PREPARING).reason) from error
        rows = page.get("comment") or []
        found += [_written(one) for one in rows]
        if not rows or len(found) >= int(page.get("total") or 0):
            return found


async def done(
    client: AioWeChatClient, calls: AioWeChatClient, area: Area, doing: Doing
) -> Outcome:
    """One act. Without an answer it is made again: the platform keeps one state of each comment."""
    data: dict[str, Any] = _place(area)
    if doing.number:
        data["user_comment_id"] = doing.number
    if doing.act is Act.REPLY:
        data["content"] = doing.words
    try:
        await calls.post(_CALLS[doing.act], data=data)
    except WeChatRefused as refused:
        hint = hinted(refused.code)
        if hint and hint == _ALREADY.get(doing.act):
            return Outcome(State.PUBLISHED)
        if hint == REPLIED and await _is_ours(client, area, doing):
            return Outcome(State.PUBLISHED)
        return outcome_of(refused, At.PREPARING)
    except (NotSent, NoAnswer) as error:
        return outcome_of(error, At.PREPARING)
    return Outcome(State.PUBLISHED)


async def _is_ours(client: AioWeChatClient, area: Area, doing: Doing) -> bool:
    """Whether the reply that stands there is the one that was wanted: our first call arrived."""
    try:
        found = await comments_of(client, area)
    except NotRead:
        return False
    return any(one.number == doing.number and one.reply == doing.words for one in found)


def _place(area: Area) -> dict[str, Any]:
    return {"msg_data_id": int(area.data), "index": area.index}


def _written(row: Any) -> Written:
    return Written(
        number=int(row["user_comment_id"]),
        text=str(row.get("content") or ""),
        at=datetime.fromtimestamp(int(row.get("create_time") or 0), UTC),
        featured=bool(row.get("comment_type")),
        reply=str((row.get("reply") or {}).get("content") or ""),
    )
