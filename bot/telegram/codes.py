"""Telegram's codes: an error has one number for many things, told apart by its description.

The code of a row is our own short word for the description; no other file reads descriptions.
"""

import re
from collections.abc import Mapping

from bot.codes import NO_ANSWER, NOT_SENT
from bot.meaning import Listed, Meaning

TOO_OLD, NOT_THERE, SAME, NO_TEXT, FIXED = "too_old", "not_there", "same", "no_text", "fixed"
NO_THREAD, MIGRATED, BLOCKED, LIMITED, UNAUTHORISED = "thread", "migrated", "403", "429", "401"

_RETRY, _BACK_OFF, _WAIT, _DROP, _MUTE, _STOP, _REVIEW, _PERSON, _UNKNOWN = Meaning
_BY_HAND = "请频道管理员在频道里处理"
_RIGHTS = "请在频道里把它加为管理员，并允许发消息"
_OURS = "请把代码告诉系统维护人员，改好后再发"

CODES: Mapping[str, Listed] = {
    NOT_SENT: Listed(
        _RETRY, "Telegram 没有收下", "没有连上，或它自己出错", "会自动再试，一直不通请查网络"
    ),
    NO_ANSWER: Listed(
        _UNKNOWN,
        "平台没有应答，不能确定是否送达",
        "已经发给平台，回答没有传回来",
        "请到 Telegram 里核对",
    ),
    LIMITED: Listed(
        _BACK_OFF,
        "平台限速，稍后再发",
        "发得太快，平台说了要等几秒",
        "不用处理，到时自动再试",
        whole=True,
    ),
    UNAUTHORISED: Listed(
        _STOP, "账号凭证失效", "令牌抄错，或被 BotFather 换掉", "请管理员更换 Telegram 凭证"
    ),
    BLOCKED: Listed(_DROP, "对方已停用或屏蔽本账号", "对方自己屏蔽或删掉了会话", "不用处理"),
    "kicked": Listed(
        _DROP, "机器人已被移出这个群或频道", "群管理员移出了它", "要恢复请群管理员重新加入"
    ),
    "no_start": Listed(_DROP, "对方没有先找过机器人", "机器人不能主动找人", "不用处理"),
    "no_chat": Listed(_DROP, "找不到对方，无法送达", "对方的账号或会话已不存在", "不用处理"),
    "no_rights": Listed(
        _PERSON, "机器人在这里没有发消息的权限", "它不是管理员，或被限制发言", _RIGHTS
    ),
    MIGRATED: Listed(
        _PERSON, "群已升级为超级群", "原群号失效，平台给了新群号", "请管理员核对后提出账号变更"
    ),
    NO_THREAD: Listed(_PERSON, "原来的话题已经不在", "群管理员删了这个话题", "请在群里另发"),
    "too_long": Listed(_REVIEW, "文字太长", "超过平台一条消息的长度", "请改短，重新送审"),
    "empty": Listed(_REVIEW, "消息没有文字", "平台不收空的消息", "请补上文字，重新送审"),
    "picture": Listed(
        _REVIEW, "平台不收这张图片", "格式、大小或长宽不合平台的规定", "请换一张图片，重新送审"
    ),
    "entities": Listed(
        _PERSON, "平台看不懂文字的格式", "多半是本系统的毛病，不是稿件的问题", _OURS
    ),
    # of changing a message of our own, when it is taken down
    TOO_OLD: Listed(_PERSON, "这条消息平台不让删了", "发出超过 48 小时", _BY_HAND),
    NOT_THERE: Listed(_PERSON, "这条消息已经不在", "有人在频道里删了", "不用处理"),
    SAME: Listed(_PERSON, "这条消息已经是这样", "改前改后相同", "不用处理"),
    NO_TEXT: Listed(_PERSON, "这条消息没有文字可改", "它是图片或文件", _BY_HAND),
    FIXED: Listed(_PERSON, "这条消息平台不让改", "类型或时间不许改", _BY_HAND),
}

_SAID: Mapping[str, tuple[str, ...]] = {
    "no_chat": ("chat not found", "user not found", "peer_id_invalid", "user is deactivated"),
    "kicked": ("bot was kicked", "bot is not a member"),
    "no_start": ("bot can't initiate conversation",),
    "no_rights": (
        *("need administrator rights", "not enough rights", "have no rights to send"),
        *("chat_write_forbidden", "chat_admin_required"),
    ),
    NO_THREAD: ("message thread not found",),
    "too_long": (
        *("message is too long", "message_too_long", "message caption is too long"),
        "media_caption_too_long",
    ),
    "empty": ("message text is empty", "text must be non-empty"),
    "picture": (
        *("image_process_failed", "photo_invalid_dimensions", "file is too big"),
        *("wrong type of the file", "file must be non-empty", "request entity too large"),
        "photo_save_file_invalid",
    ),
    "entities": ("can't parse entities",),
    TOO_OLD: ("message can't be deleted",),
    NOT_THERE: ("message to delete not found", "message to edit not found"),
    SAME: ("message is not modified",),
    NO_TEXT: ("there is no text in the message to edit",),
    FIXED: ("message can't be edited", "there is no caption in the message to edit"),
}
"""What a description says somewhere, in small letters, by the code of its row."""
_CHANGES = re.compile(r"[^a-z_' ].*")


def code_of(number: str, said: str) -> str:
    """The code of an error; for a description nobody listed its number and first words."""
    low = said.lower()
    for code, parts in _SAID.items():
        if any(part in low for part in parts):
            return code
    if number in CODES:
        return number
    words = _CHANGES.sub("", low.removeprefix("bad request: ").removeprefix("forbidden: "))
    return f"{number} {words.strip()}".strip()[:40]
