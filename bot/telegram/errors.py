"""What an error of Telegram comes to, by its table of codes."""

import re
from dataclasses import replace

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from bot.codes import NO_ANSWER, NOT_SENT, At, came_to
from bot.contract import Outcome
from bot.telegram.client import NoAnswer, NotSent
from bot.telegram.codes import BLOCKED, CODES, LIMITED, MIGRATED, UNAUTHORISED, code_of

_NUMBER = re.compile(r"\((\d{3})\)$")
"""How python-telegram-bot says the number of an error it has no class for."""


def moved_words(new_chat: str) -> str:
    """The new number, and that two people decide whether it is ours."""
    return (
        f"群已升级为超级群，原群号失效，平台给的新群号是 {new_chat}："
        f"请管理员核对后在“设置 → 账号”提出变更（密钥一栏只写 chat={new_chat}），"
        "由另一位管理员确认；在此以前不向任何一个群发布"
    )


def outcome_of(error: TelegramError, at: At = At.READER) -> Outcome:
    """What it means where it was met."""
    code = _code(error)
    outcome = came_to(code, CODES.get(code), at, error.message)
    if isinstance(error, ChatMigrated):
        return replace(outcome, reason=moved_words(str(error.new_chat_id)))
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        seconds = wait if isinstance(wait, int | float) else wait.total_seconds()
        return replace(outcome, retry_after=float(seconds))
    return outcome


def what_of(error: TelegramError) -> str:
    """What happened, for whoever is told what to do beside it."""
    found = CODES.get(_code(error))
    return found.what if found is not None else error.message


def _code(error: TelegramError) -> str:
    # Before the general cases: our own two errors say for sure what a network error only hints.
    if isinstance(error, NotSent):
        return NOT_SENT
    if isinstance(error, NoAnswer):
        return NO_ANSWER
    for kind, code in (
        (RetryAfter, LIMITED),
        (ChatMigrated, MIGRATED),
        (InvalidToken, UNAUTHORISED),
    ):
        if isinstance(error, kind):
            return code
    if isinstance(error, Forbidden):
        return code_of(BLOCKED, error.message)
    # 400 is one number for many things, told apart by words alone.
    if isinstance(error, BadRequest):
        return code_of("400", error.message)
    if number := _NUMBER.search(error.message):
        return code_of(number[1], error.message[: number.start()])
    return NO_ANSWER
