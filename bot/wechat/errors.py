"""What a failed call to WeChat comes to, by its table of codes."""

from bot.codes import NO_ANSWER, NOT_SENT, At, came_to
from bot.contract import Outcome
from bot.wechat.client import NoAnswer, WeChatRefused
from bot.wechat.codes import CODES, listed


def outcome_of(error: Exception, at: At) -> Outcome:
    """What it means where it was met."""
    if isinstance(error, WeChatRefused):
        said = str(error.body.get("errmsg", ""))
        return came_to(str(error.code), listed(error.code), at, said)
    # Without an answer a preparing call is simply made again; one that sends might be sent twice.
    code = NO_ANSWER if isinstance(error, NoAnswer) and at is not At.PREPARING else NOT_SENT
    return came_to(code, CODES[code], at)
