"""No failure stays in a table: each is an incident in words, and a text at fault goes back."""

from collections.abc import Iterable, Mapping

from bot.codes import PERSON_HOLD
from bot.contract import UNLISTED, Outcome, State
from bot.delivery.once import RELEASE_HOLD
from bot.delivery.outbox import Work
from bot.delivery.wiring import Wiring
from bot.models import Account, Publication

REMEDIES: Mapping[State, str] = {
    State.FAILED: "请在“发布”页看过原因，再选“重新发送”，或修改稿件重新送审",
    State.UNKNOWN: "请到平台后台核对，再在“发布”页选“已发出”或“未发出”",
    State.HELD: "请处理后在“发布”页选“重新发送”",
}
RETURNED = "稿件已退回编辑，请修改后重新送审"
MISSED = "missed"
LATE = "请编辑决定：改期后重新送审，或不再发布"
CODE_UNLISTED = "code_unlisted"
_TOLD_ELSEWHERE = frozenset({RELEASE_HOLD, "account"})
"""Held for a proof that does not hold, or with the whole account: each has its own incident."""


async def tell_failure(wiring: Wiring, publication: Publication, outcome: Outcome) -> None:
    """An incident for a publication that did not go out, or of which nobody knows."""
    await _tell_unlisted(wiring, publication.account_id, outcome)
    if outcome.state not in REMEDIES or outcome.held_by in _TOLD_ELSEWHERE:
        return
    remedy = REMEDIES[outcome.state]
    if outcome.code == MISSED:
        remedy = LATE
    mend = outcome.state is State.FAILED and outcome.detail.get("mend")
    if mend and await wiring.on_refused(publication.id, outcome.reason):
        remedy = RETURNED
    where = await _named(wiring, publication.account_id)
    reason = outcome.reason.rstrip("。") or "平台没有说明原因"
    await wiring.on_incident(
        "publication_failed",
        f"publication:{publication.id}:{outcome.code}"[:80],
        f"{where}的一次发布没有完成：{reason}。{remedy}",
    )


async def tell_failures(wiring: Wiring, finished: Iterable[Work]) -> None:
    """One incident for each push or account and each reason, however many people it concerns."""
    told: dict[str, str] = {}
    unlisted: dict[tuple[str, str], Outcome] = {}
    for one in finished:
        outcome = one.outcome
        if UNLISTED in outcome.detail:
            unlisted.setdefault((one.account_id, outcome.code), outcome)
        elif outcome.state is State.FAILED or outcome.held_by == PERSON_HOLD:
            push = one.publication_id
            about = f"publication:{push}" if push else f"account:{one.account_id}"
            told[f"{about}:{outcome.code}"[:80]] = outcome.reason
    for (account_id, _), outcome in unlisted.items():
        await _tell_unlisted(wiring, account_id, outcome)
    for subject, reason in told.items():
        words = f"有消息没有送达：{reason.rstrip('。')}。请在“发布”或“咨询”页看是哪些，处理后再决定"
        await wiring.on_incident("delivery_failed", subject, words)


async def _tell_unlisted(wiring: Wiring, account_id: str, outcome: Outcome) -> None:
    """One incident for a code and an account, however many messages met it."""
    if UNLISTED not in outcome.detail:
        return
    where = await _named(wiring, account_id)
    words = (
        f"{where}：{outcome.reason.rstrip('。')}。"
        "同一代码的消息不再逐条提醒，人数和原因在“发布 → 推送”；"
        "请把代码告诉系统维护人员，补进代码表"
    )
    subject = f"account:{account_id}:{outcome.code}"[:80]
    await wiring.on_incident(CODE_UNLISTED, subject, words)


async def _named(wiring: Wiring, account_id: str) -> str:
    async with wiring.db.session() as session:
        account = await session.get(Account, account_id)
    return f"账号“{account.name}”" if account is not None else "账号"
