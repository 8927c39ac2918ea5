"""What WeChat says of an account itself: which events these are, and what staff do about them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.contract import Inbound
from config.clock import beijing

_LOGIN = "请账号管理员登录微信公众平台，"
NOTICES: Mapping[str, tuple[str, str]] = {
    "verify_expired": (
        "微信认证已过期{until}，群发、发布等接口随时可能停用",
        _LOGIN + "在“设置与开发 → 公众号设置 → 微信认证”里重新认证；办完以前发布可能失败",
    ),
    "annual_renew": (
        "微信认证快到期{until}，需要年审",
        _LOGIN + "在到期以前办好年审，否则发布接口会停用",
    ),
    "qualification_verify_success": (
        "微信资质认证通过{until}",
        "请核对接口权限已经开通，记下到期日；确认后关闭这个事件",
    ),
    "qualification_verify_fail": (
        "微信资质认证没有通过{reason}",
        _LOGIN + "按原因补正材料后重新提交",
    ),
    "naming_verify_success": (
        "微信名称认证通过{until}",
        "请核对账号名称与本系统“设置 → 账号”里的一致，不一致时提出账号变更；确认后关闭这个事件",
    ),
    "naming_verify_fail": (
        "微信名称认证没有通过{reason}",
        _LOGIN + "按原因修改名称后重新提交；这一步不影响已有的接口权限",
    ),
}
"""For each event what has happened, and what to do. Whoever is named as its sender is nobody."""


def notice_words(account: str, inbound: Inbound) -> str:
    """One sentence of what happened and one of what to do; empty for what is no notice."""
    if inbound.key not in NOTICES:
        return ""
    happened, remedy = NOTICES[inbound.key]
    told = happened.format(until=_until(inbound.raw), reason=_reason(inbound.raw))
    return f"公众号“{account}”的{told}：{remedy}"


def _until(raw: Mapping[str, Any]) -> str:
    try:
        moment = datetime.fromtimestamp(int(str(raw.get("ExpiredTime"))), UTC)
    except (ValueError, OverflowError, OSError):  # not said, or said in another form
        return ""
    return f"（到期日 {beijing(moment).date().isoformat()}）"


def _reason(raw: Mapping[str, Any]) -> str:
    words = " ".join(str(raw.get("FailReason") or "").split())[:120]
    return f"（平台说：{words}）" if words else ""
