"""The end of a mass send in words: every status the platform lists, and those it does not (W16)."""

import re
from collections.abc import Mapping
from typing import Any

from bot.contract import Outcome, State

_RISKY = "请按原因修改稿件，重新送审"
_ASK = "请登录微信公众平台核对"
STATUSES = {
    "10001": ("平台认为涉嫌广告", _RISKY),
    "20001": ("平台认为涉嫌政治", _RISKY),
    "20002": ("平台认为涉嫌色情", _RISKY),
    "20004": ("平台认为涉嫌社会类违规", _RISKY),
    "20006": ("平台认为涉嫌违法犯罪", _RISKY),
    "20008": ("平台认为涉嫌欺诈", _RISKY),
    "20013": ("平台认为涉嫌版权", _RISKY),
    "21000": ("平台认为涉嫌其他违规", _RISKY),
    "22000": ("平台认为涉嫌互推（互相宣传）", _RISKY),
    "30001": ("原创校验出现系统错误，且设置为判为转载就不群发", "请稍后重新发送"),
    "30002": ("原创校验判定不能群发", "请取得原作者授权或改用转载，修改后重新送审"),
    "30003": ("原创校验判定为转载，且设置为判为转载就不群发", "请按转载补齐来源，修改后重新送审"),
    "40001": ("公众号管理员拒绝了这次群发", "请与管理员核对后重新发送"),
    "40002": ("公众号管理员 30 分钟内没有确认，群发超时", "请约好管理员后重新发送"),
}
"""Number in `err(n)`: what it means, and what is to be done."""
MENDED = frozenset(STATUSES) - {"30001", "40001", "40002"}
"""Those that lie in the text: it goes back to its editor."""


def reached_words(raw: Mapping[str, Any]) -> str:
    """How many a send reached, as its event counts them; empty where it counts nothing.

    The platform names nobody: who was left out is known to it alone.
    """
    total, ready, sent, failed = (
        int(text) if (text := str(raw.get(name, ""))).isdecimal() else 0
        for name in ("TotalCount", "FilterCount", "SentCount", "ErrorCount")
    )
    if not total:
        return ""
    if sent >= total:
        return f"平台报告：{total} 人都已送达"
    words = f"平台报告：{total} 人里送达 {sent} 人，过滤 {max(0, total - ready)} 人"
    return f"{words}，失败 {failed} 人；平台没有说明是哪些人"


def mass_outcome(ref: str, status: str, told: Mapping[str, Any] | None = None) -> Outcome:
    """What a status of a mass send comes to; only the platform's own success is one.

    `told` is the detail of a success: where its articles are.
    """
    words = status.strip().lower().replace("_", " ")
    if words == "send success":
        return Outcome(State.PUBLISHED, ref=ref, detail=told or {})
    if words in ("sending", ""):
        return Outcome(State.SUBMITTED, ref=ref)
    found = re.fullmatch(r"err\s*\(?\s*(\d+)\s*\)?", words)
    number = found[1] if found else ""
    if words == "send fail":
        why, remedy = "平台没有说明原因", f"{_ASK}原因，再决定修改或重新发送"
    elif words == "delete":
        why, remedy = "这次群发已在公众平台被删除", f"{_ASK}是谁删除的；需要更正时另写更正稿"
    elif number in STATUSES:
        why, remedy = STATUSES[number]
    else:
        why, remedy = f"平台返回没有列出的状态 {status[:40]}", f"{_ASK}原因，再由人决定"
    shown = f"{why}（{status[:40]}）" if number in STATUSES else why
    detail = {"mend": True} if number in MENDED else {}
    if words == "send fail":
        detail = {"unsaid": True}
    return Outcome(
        State.FAILED,
        ref=ref,
        reason=f"群发失败：{shown}。{remedy}",
        code=f"mass_{number or words.replace(' ', '_')}"[:40],
        detail=detail,
    )
