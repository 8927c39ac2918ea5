"""Off a WeChat account: one article of a send or of a publication (W17, W20).

A page that is deleted says so to whoever opens it; cards and links that were handed out stay. The
number of the article is always given: without it the platform deletes every article of the send.
"""

from bot.codes import At
from bot.contract import UNLISTED, State
from bot.takedown import SPENT, Result, Standing, Took
from bot.wechat.client import AioWeChatClient, NoAnswer, NotSent, WeChatRefused
from bot.wechat.codes import DAY, NONE, hinted, listed
from bot.wechat.errors import outcome_of

BY_HAND = "请登录微信公众平台，在“发表记录”里删除这一篇"
DELETIONS_A_DAY = 10
_DELETED_ALL = 5


async def remove(look: AioWeChatClient, act: AioWeChatClient, standing: Standing) -> Took:
    """`look` asks, `act` deletes, which cannot be taken back."""
    route, _, number = standing.ref.partition(":")
    try:
        if route == "mass":
            send = {"msg_id": int(number), "article_idx": standing.article_idx}
            await act.post("message/mass/delete", data=send)
            return Took(Result.DEAD)
        if route == "publish":
            told = await look.post("freepublish/get", data={"publish_id": number})
            if int(told.get("publish_status", 0)) == _DELETED_ALL:
                return Took(Result.GONE, "平台上已被人删除")
            number = str(told.get("article_id") or "")
        elif route != "article":
            number = ""
        if not number:
            return Took(Result.BY_HAND, f"平台没有给出这一篇的编号：{BY_HAND}")
        data = {"article_id": number, "index": standing.article_idx}
        await act.post("freepublish/delete", data=data)
    except (WeChatRefused, NotSent, NoAnswer) as error:
        return _took(error)
    return Took(Result.DELETED)


def _took(error: WeChatRefused | NotSent | NoAnswer) -> Took:
    hint = hinted(error.code) if isinstance(error, WeChatRefused) else ""
    if hint == DAY:
        return Took(Result.RETRY, "平台今天的删除次数已用完", SPENT)
    if hint == NONE and isinstance(error, WeChatRefused):
        found = listed(error.code)
        words = f"{found.brief}，还在就删除" if found else ""
        return Took(Result.BY_HAND, words, str(error.code))
    outcome = outcome_of(error, At.TIMELINE)
    if outcome.state is State.RETRYING:
        return Took(Result.RETRY, outcome.reason, outcome.code, outcome.retry_after)
    if UNLISTED in outcome.detail and isinstance(error, WeChatRefused):
        words = f"平台返回没有列出的代码 {error.code}，不能确定是否已经删除：{BY_HAND}"
        return Took(Result.UNKNOWN, words, outcome.code)
    if outcome.state is State.UNKNOWN:
        words = f"平台没有应答，不能确定是否已经删除：{BY_HAND}，已不在就点“已处理”"
        return Took(Result.UNKNOWN, words, outcome.code)
    return Took(Result.BY_HAND, f"{outcome.reason.rstrip('。')}。{BY_HAND}", outcome.code)
