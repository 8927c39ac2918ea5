"""Off a Telegram channel: deleted within two days, later edited to a notice (T11)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from telegram import Bot, ReplyParameters

from bot.contract import UNLISTED, Outcome, State
from bot.takedown import Notice, Result, Standing, Took
from bot.telegram.client import BotCall
from bot.telegram.codes import FIXED, NO_TEXT, NOT_THERE, SAME, TOO_OLD
from config.clock import now

DELETED_WITHIN = timedelta(hours=48)
MOST_AT_ONCE = 100
_CUT = 180  # characters of numbers: a longer post may have messages whose number was not kept
BY_HAND = "请频道管理员在频道里长按这一篇的消息删除"

Make = Callable[[BotCall], Awaitable[Outcome]]
"""One call to the bot, with what is asked before it and what its error means."""


async def remove(make: Make, chat: str, standing: Standing, notice: Notice) -> Took:
    """Take one post off; every message of it, as far as the platform lets us."""
    numbers = [int(one) for one in standing.ref.split(",") if one.isdecimal()]
    if not numbers:
        return Took(Result.BY_HAND, f"没有留下消息编号：{BY_HAND}")
    young = now() - standing.at < DELETED_WITHIN
    if young and not notice.points:
        outcome = await _delete(make, chat, numbers)
        if outcome.state is State.PUBLISHED:
            return _whole(standing, Took(Result.DELETED))
        if outcome.code != TOO_OLD:
            return _took(outcome)
    return _whole(standing, await _edit_all(make, chat, numbers, notice))


def _whole(standing: Standing, took: Took) -> Took:
    """A very long post may have messages that nobody numbered."""
    if len(standing.ref) < _CUT or took.result not in (Result.DELETED, Result.EDITED):
        return took
    words = "前面的消息已处理；这一篇很长，后面的消息没有留下编号"
    return Took(Result.BY_HAND, f"{words}：{BY_HAND}")


async def _delete(make: Make, chat: str, numbers: Sequence[int]) -> Outcome:
    outcome = Outcome(State.PUBLISHED)
    for first in range(0, len(numbers), MOST_AT_ONCE):
        some = numbers[first : first + MOST_AT_ONCE]

        async def call(bot: Bot, some: Sequence[int] = some) -> Any:
            return await bot.delete_messages(chat, some)

        outcome = await make(call)
        if outcome.state is not State.PUBLISHED:
            break
    return outcome


async def _edit_all(make: Make, chat: str, numbers: Sequence[int], notice: Notice) -> Took:
    edited, pictures = 0, 0
    for place, number in enumerate(numbers):
        outcome, picture = await _edit(make, chat, number, notice.more if place else notice.text)
        if outcome.code == FIXED and notice.points and not place:
            return await _answer(make, chat, number, notice)
        if outcome.state is State.PUBLISHED or outcome.code == SAME:
            edited, pictures = edited + 1, pictures + picture
        elif outcome.code != NOT_THERE:
            return _took(outcome)
    if not edited:
        return Took(Result.GONE, "频道里已经没有这一篇")
    if not pictures:
        return Took(Result.EDITED)
    words = f"文字已改，{pictures} 张图片平台不让删"
    # What is corrected may keep its pictures; what is withdrawn may not.
    if notice.points:
        return Took(Result.EDITED, f"{words}，还留在原处")
    return Took(Result.BY_HAND, f"{words}：{BY_HAND}")


async def _edit(make: Make, chat: str, number: int, text: str) -> tuple[Outcome, bool]:
    """What came of it, and whether it is a picture or file, which stays under its new caption."""

    async def words(bot: Bot) -> Any:
        return await bot.edit_message_text(text, chat, number)

    async def caption(bot: Bot) -> Any:
        return await bot.edit_message_caption(chat, number, caption=text)

    outcome = await make(words)
    if outcome.code != NO_TEXT:
        return outcome, False
    return await make(caption), True


async def _answer(make: Make, chat: str, number: int, notice: Notice) -> Took:
    async def call(bot: Bot) -> Any:
        return await bot.send_message(chat, notice.text, reply_parameters=ReplyParameters(number))

    outcome = await make(call)
    return Took(Result.REPLIED) if outcome.state is State.PUBLISHED else _took(outcome)


def _took(outcome: Outcome) -> Took:
    """A refusal, in what it means for taking down."""
    if outcome.state is State.RETRYING:
        return Took(Result.RETRY, outcome.reason, outcome.code, outcome.retry_after)
    if UNLISTED in outcome.detail:
        words = f"平台返回没有列出的代码 {outcome.code}，不能确定是否已经撤下：{BY_HAND}"
        return Took(Result.UNKNOWN, words, outcome.code)
    if outcome.state is State.UNKNOWN:
        words = f"平台没有应答，不能确定是否已经撤下：请到频道里看，还在就删除。{BY_HAND}"
        return Took(Result.UNKNOWN, words, outcome.code)
    words = "机器人不在频道中或没有权限" if outcome.state is State.ENDED else outcome.reason
    return Took(Result.BY_HAND, f"{words}：{BY_HAND}", outcome.code)
