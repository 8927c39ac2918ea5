"""What an error of Telegram means for one message to one chat."""

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from bot.contract import Outcome, State
from bot.telegram.client import NotSent

NO_THREAD, TOO_OLD, NOT_THERE, SAME, NO_TEXT, FIXED = (
    *("thread", "too_old", "not_there", "same", "no_text", "fixed"),
)
_SAID = {
    "message can't be deleted": TOO_OLD,
    "message to delete not found": NOT_THERE,
    "message to edit not found": NOT_THERE,
    "message is not modified": SAME,
    "there is no text in the message to edit": NO_TEXT,
    "message can't be edited": FIXED,
    "there is no caption in the message to edit": FIXED,
}
"""What a 400 says about changing a message of our own, by its beginning."""
_GONE = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated")


def moved_words(new_chat: str) -> str:
    """The new number, and that two people decide whether it is ours."""
    return (
        f"群已升级为超级群，原群号失效，平台给的新群号是 {new_chat}："
        f"请管理员核对后在“设置 → 账号”提出变更（密钥一栏只写 chat={new_chat}），"
        "由另一位管理员确认；在此以前不向任何一个群发布"
    )


def outcome_of(error: TelegramError) -> Outcome:
    """What an error means for one message to one chat."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        seconds = wait if isinstance(wait, int | float) else wait.total_seconds()
        rest = {"rest": "account"}  # the bot is limited and not the message (T3)
        return Outcome(State.RETRYING, "", "平台限速，稍后再发", "429", float(seconds), rest)
    # Before the general cases: our own two errors say for sure what a network error only hints.
    if isinstance(error, NotSent):
        return Outcome(State.RETRYING, reason=error.message, code="not_sent")
    if isinstance(error, Forbidden):
        return Outcome(State.ENDED, reason="对方已停用或屏蔽本账号", code="403")
    if isinstance(error, ChatMigrated):
        return Outcome(State.HELD, reason=moved_words(str(error.new_chat_id)), code="migrated")
    if isinstance(error, InvalidToken):
        return Outcome(
            State.HELD,
            reason="账号凭证失效：请管理员更换 Telegram 凭证",
            code="401",
            detail={"scope": "account"},
        )
    # 400 is one number for two things, told apart by words alone: gone, or refused.
    if isinstance(error, BadRequest):
        if any(words in error.message.lower() for words in _GONE):
            return Outcome(State.ENDED, reason="找不到对方，无法送达", code="400")
        if "message thread not found" in error.message.lower():
            return Outcome(State.FAILED, reason="原来的话题已经不在", code=NO_THREAD)
        said = error.message.lower()
        code = next((code for words, code in _SAID.items() if said.startswith(words)), "400")
        return Outcome(State.FAILED, reason=f"平台拒收：{error.message}", code=code)
    return Outcome(State.UNKNOWN, reason="平台没有应答，不能确定是否送达", code="no_answer")
