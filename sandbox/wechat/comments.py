"""Comments under what was sent: read, shown, answered and deleted; written by citizens.

They belong to a mass send by its msg_data_id and the place of the article, from 0.
"""

from typing import Any

from sandbox.state import JSON, Citizen, State
from sandbox.wechat.account import Call, Official, WeChatError

MOST_LISTED = 50
MOST_ELECTED = 100
MOST_REPLY = 600
"""Of a reply; the platform has a limit and names none."""


def _allowed(call: Call) -> None:
    # Accounts opened since 2018 have no comments at all (W42).
    if not (call.account.verified and call.account.commenting):
        call.account.notice(call.now, "88000，账号没有留言权限")
        raise WeChatError(88000)


def _article(call: Call) -> JSON:
    _allowed(call)
    kept = call.account.articles.get(str(call.params.get("msg_data_id") or ""))
    index = int(call.params.get("index") or 0)
    if kept is None or kept["listed"] or not 0 <= index < len(kept["items"]):
        raise WeChatError(88001)
    article: JSON = kept["items"][index]
    if article.get("deleted"):
        raise WeChatError(88001)
    return article


def _comment(call: Call) -> JSON:
    article = _article(call)
    number = int(call.params.get("user_comment_id") or 0)
    found = next((one for one in written(article) if one["user_comment_id"] == number), None)
    if found is None:
        raise WeChatError(88008)
    return found


def written(article: JSON) -> list[JSON]:
    """What stands under an article."""
    kept: list[JSON] = article.setdefault("comments", [])
    return kept


def comment_open(call: Call) -> JSON:
    """comment/open: people may write from now on."""
    _article(call)["need_open_comment"] = 1
    return {}


def comment_close(call: Call) -> JSON:
    """comment/close: nobody may write any more; what stands there stays."""
    _article(call)["need_open_comment"] = 0
    return {}


def comment_list(call: Call) -> JSON:
    """comment/list: at most 50 a call, all of them (0), the plain (1) or the chosen (2)."""
    article = _article(call)
    begin, count = int(call.params.get("begin") or 0), int(call.params.get("count") or 0)
    if not 0 < count < MOST_LISTED:
        raise WeChatError(88010)
    kind = int(call.params.get("type") or 0)
    rows = [one for one in written(article) if kind == 0 or one["comment_type"] == kind - 1]
    page = rows[begin : begin + count]
    shown = [{name: value for name, value in one.items() if name != "gone"} for one in page]
    return {"total": len(rows), "comment": shown}


def comment_elect(call: Call) -> JSON:
    """comment/markelect: everybody sees it under the article."""
    comment = _comment(call)
    if comment.get("gone"):
        raise WeChatError(88004)
    elected = [one for one in written(_article(call)) if one["comment_type"]]
    if not comment["comment_type"] and len(elected) >= MOST_ELECTED:
        raise WeChatError(88003)
    comment["comment_type"] = 1
    return {}


def comment_unelect(call: Call) -> JSON:
    """comment/unmarkelect: nobody but its writer sees it any more."""
    _comment(call)["comment_type"] = 0
    return {}


def comment_delete(call: Call) -> JSON:
    """comment/delete."""
    comment = _comment(call)
    written(_article(call)).remove(comment)
    return {}


def reply_add(call: Call) -> JSON:
    """comment/reply/add: one reply to a comment."""
    comment, words = _comment(call), str(call.params.get("content") or "")
    if not 0 < len(words) <= MOST_REPLY:
        raise WeChatError(88007)
    if comment.get("reply"):
        raise WeChatError(88005)
    comment["reply"] = {"content": words, "create_time": int(call.now)}
    return {}


def reply_delete(call: Call) -> JSON:
    """comment/reply/delete."""
    if _comment(call).pop("reply", None) is None:
        raise WeChatError(88009)
    return {}


def write_comment(state: State, account: Official, citizen: Citizen, given: JSON) -> JSON:
    """A citizen writes under the newest article of this title; refused where it is closed."""
    title, words = str(given.get("title") or ""), str(given.get("text") or "")
    found = [
        item
        for kept in account.articles.values()
        for item in kept["items"]
        if item["title"] == title and not item.get("deleted")
    ]
    if not found or not found[-1].get("need_open_comment"):
        return {"error": "这篇没有开放留言"}
    comment: JSON = {
        "user_comment_id": len(written(found[-1])) + 1,
        "openid": citizen.id,
        "create_time": int(state.clock.now()),
        "content": words,
        "comment_type": 0,
    }
    written(found[-1]).append(comment)
    return comment


def withdraw(account: Official, number: Any) -> int:
    """A citizen takes their comment back: it is listed still, and cannot be chosen; how many."""
    found = [
        one
        for kept in account.articles.values()
        for item in kept["items"]
        for one in written(item)
        if one["user_comment_id"] == number
    ]
    for one in found:
        one["gone"] = True
    return len(found)
