"""The calls about comments under a mass send (W42). Each made again changes nothing more."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.commenting import Act, Area, Doing, NotRead, Written
from bot.contract import Outcome, State
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused
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
WORDS = {
    88000: "账号没有留言权限：请管理员在公众平台核对",
    88001: "平台上没有这篇文章，或它已被删除",
    88002: "平台限制了这篇文章的留言",
    88003: "这篇文章的精选留言已满：请先取消一条精选",
    88004: "读者已删除这条留言，不能精选",
    88005: "这条留言已经有回复：请先删除原来的回复",
    88007: "回复太长或是空的：请改写",
    88008: "平台上已没有这条留言",
    88009: "平台上已没有这条回复",
}
_ALREADY = {Act.DELETE: 88008, Act.UNREPLY: 88009}
"""Codes that say what was wanted is so."""
REPLIED = 88005


async def comments_of(client: AioWeChatClient, area: Area) -> Sequence[Written]:
    """Every comment, in the platform's order; who wrote it is not looked at."""
    found: list[Written] = []
    while True:
        data = {**_place(area), "begin": len(found), "count": A_CALL, "type": 0}
        try:
            page = await client.post("comment/list", data=data)
        except (WeChatRefused, NotSent, NoAnswer) as error:
            raise NotRead(_refused(error).reason) from error
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
        if refused.code == _ALREADY.get(doing.act):
            return Outcome(State.PUBLISHED)
        if refused.code == REPLIED and await _is_ours(client, area, doing):
            return Outcome(State.PUBLISHED)
        return _refused(refused)
    except (NotSent, NoAnswer) as error:
        return outcome_of(error, irreversible=False)
    return Outcome(State.PUBLISHED)


async def _is_ours(client: AioWeChatClient, area: Area, doing: Doing) -> bool:
    """Whether the reply that stands there is the one that was wanted: our first call arrived."""
    try:
        found = await comments_of(client, area)
    except NotRead:
        return False
    return any(one.number == doing.number and one.reply == doing.words for one in found)


def _refused(error: Exception) -> Outcome:
    if isinstance(error, WeChatRefused) and error.code in WORDS:
        return Outcome(State.FAILED, reason=WORDS[error.code], code=str(error.code))
    return outcome_of(error, irreversible=False)


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
