"""What an errcode of WeChat means: one table."""

from dataclasses import dataclass

from bot.contract import MEND, REFUSED, Outcome, State
from bot.wechat.client import NoAnswer, WeChatRefused


@dataclass(frozen=True)
class _Meaning:
    state: State
    reason: str
    hold: str = ""
    retry_after: float = 0.0
    rest: bool = False
    """Whether it says nothing of the message: whatever this account sends would meet it now."""
    route: bool = False
    """Whether it ends the pushes to this person alone (W28): they can still be answered."""


_CREDENTIAL = _Meaning(State.HELD, "账号凭证失效：请管理员核对 AppID 和密钥", "account")
_UNAUTHORISED = _Meaning(State.HELD, "账号没有这个接口的权限：请管理员在公众平台核对", "account")
_LIMITED = _Meaning(State.HELD, "账号功能被平台限制：请管理员登录公众平台处理", "account")
_WINDOW = _Meaning(State.HELD, "不在平台允许的时限或条数内，等对方下次来信", "window")
ERRORS: dict[int, _Meaning] = {  # docs/platforms.md#W40, plus what our calls can meet
    -1: _Meaning(State.RETRYING, "微信系统繁忙"),
    40001: _CREDENTIAL,
    40014: _CREDENTIAL,
    42001: _CREDENTIAL,
    40013: _CREDENTIAL,
    40125: _CREDENTIAL,
    40164: _Meaning(State.HELD, "服务器地址不在白名单：请管理员在公众平台添加", "account"),
    40007: _Meaning(State.RETRYING, "平台上的草稿或素材已被删除，重新上传后再发", retry_after=5.0),
    40003: _Meaning(State.ENDED, "找不到对方，无法送达"),
    43004: _Meaning(State.ENDED, "对方没有关注本账号"),
    43101: _Meaning(State.ENDED, "对方在微信里拒收推送", route=True),
    48002: _Meaning(State.ENDED, "对方关闭了接收消息"),
    45009: _Meaning(State.RETRYING, "当日接口次数已用完", retry_after=3600.0, rest=True),
    45011: _Meaning(State.RETRYING, "接口调用太频繁", retry_after=60.0, rest=True),
    45066: _Meaning(State.RETRYING, "群发重试太快", retry_after=60.0),
    45015: _WINDOW,
    45047: _WINDOW,
    45028: _Meaning(State.HELD, "群发次数已用完：请改期或由管理员调整", "quota"),
    48001: _UNAUTHORISED,
    48003: _UNAUTHORISED,
    48004: _LIMITED,
    50002: _LIMITED,
    53500: _LIMITED,
    53501: _LIMITED,
    87014: _Meaning(State.FAILED, "平台认为内容有风险：请退回重新审核"),
}


def outcome_of(error: Exception, *, irreversible: bool) -> Outcome:
    """What a failed call means. `irreversible`: the call itself publishes or sends."""
    if isinstance(error, WeChatRefused):
        found = ERRORS.get(error.code)
        if found is None:  # a code nobody listed is for a person: neither dropped nor sent again
            words = str(error.body.get("errmsg", ""))[:120]
            return Outcome(
                State.FAILED,
                reason=f"平台拒收，返回没有列出的代码 {error.code}：{words}。请登录公众平台核对",
                code=str(error.code),
            )
        detail: dict[str, object] = {"errcode": error.code}
        if found.hold == "account":
            detail["scope"] = "account"
        if found.rest:  # each interface has a count of its own (W35): others may still be called
            detail["rest"] = "messages"
        if found.state is State.FAILED:
            detail |= MEND
        if found.route:
            detail |= {REFUSED: True}
        code = found.hold or str(error.code)
        return Outcome(found.state, "", found.reason, code, found.retry_after, detail)
    # Without an answer a preparing call is simply made again; one that sends might be sent twice.
    if isinstance(error, NoAnswer) and irreversible:
        return Outcome(State.UNKNOWN, reason="平台没有应答，不能确定是否成功", code="no_answer")
    return Outcome(State.RETRYING, reason=str(error) or "没有连上微信接口", code="not_sent")
