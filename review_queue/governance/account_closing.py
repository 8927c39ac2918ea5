"""How an account is closed (B6): announced, cancelled at the platform, filed; each by two people.

What was done is read from signed entries alone; the account's row only says that it is off.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select

from bot.account_entries import sign_account
from bot.delivery.once import recalled
from bot.delivery.taken import off
from bot.models import Account, Publication
from config.clock import beijing, now
from ledger.append import Ledger, Transaction
from ledger.verify import Entry
from review_queue.told import approved_draft, facts_about, told_as_row
from staff.proposals import AboutPeople, Approval
from staff.refusal import Reason, Refused, missing
from staff.standing import facts_or_refuse

CLOSING = "account.closing"
ANNOUNCED, CANCELLED, FILED = "announced", "cancelled", "filed"
STEPS: Mapping[str, str] = {
    ANNOUNCED: "发停更公告",
    CANCELLED: "在平台注销",
    FILED: "关停备案",
}
"""In their order; what proves each is a publication, a day, a number."""
_ENDS = re.compile("停更|停止(?:更新|运营|运行|使用)|不再更新|关停|关闭|注销")
_NOTICE = re.compile("公告|通告|通知|声明|告知|说明")
NUMBER = re.compile(r"[\w〔〕（）()./-]{2,40}")


def steps_done(told: Sequence[Entry]) -> list[str]:
    """The steps that are done, from the signed entries about one account."""
    return [str(one.body["step"]) for one in told if one.kind == CLOSING]


def closed(told: Sequence[Entry]) -> bool:
    """Whether the account is gone at its platform."""
    return CANCELLED in steps_done(told)


def closing_words(told: Sequence[Entry]) -> str:
    """How far the closing has come, in Chinese; empty when nobody began."""
    done = steps_done(told)
    if not done:
        return ""
    left = [label for step, label in STEPS.items() if step not in done]
    return f"关停中，还差：{'、'.join(left)}" if left else "已关停"


class AccountCloseKind(AboutPeople):
    """{slug, step, proof}: a step of closing, and the publication, day or number that proves it."""

    label = "账号关停"
    proposers = frozenset({"admin"})

    def __init__(self, ledger: Ledger) -> None:
        """The entries about the account say which step is next."""
        self._ledger = ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The account's id."""
        return f"account:{payload['id']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The step that comes next, with its proof in its form."""
        slug, step = str(payload.get("slug", "")), str(payload.get("step", ""))
        proof = str(payload.get("proof", "")).strip()
        async with self._ledger.db.session() as session:
            row = (await session.scalars(select(Account).where(Account.slug == slug))).first()
            if row is None:
                raise missing("个账号")
            done = steps_done(await facts_or_refuse(session, f"account:{row.id}"))
            notice = await session.get(Publication, proof) if step == ANNOUNCED else None
        following = next((one for one in STEPS if one not in done), None)
        if step not in STEPS or step != following:
            if following is None:
                raise Refused(422, [Reason("step", "这个账号已经办完关停")])
            words = f"关停要依次办理，下一步是“{STEPS[following]}”：请写 {following}"
            raise Refused(422, [Reason("step", words)])
        if step == ANNOUNCED:
            fault = await self._not_announced(row, notice)
        else:
            fault = _fault(step, proof)
        if fault:
            raise Refused(422, [Reason("proof", fault)])
        return {"id": row.id, "slug": slug, "step": step, "proof": proof}

    async def _not_announced(self, row: Account, notice: Publication | None) -> str:
        """Why this is no 停更公告 that citizens can read there; empty when it is one."""
        words = "停更公告要先从这个账号发出：请写它的发布编号（发布页地址的最后一段）"
        if notice is None or notice.account_id != row.id:
            return words
        facts = await facts_about(self._ledger, notice.item_id)
        told = await told_as_row(self._ledger, notice, facts)
        if told is None or told.account != row.id:
            return words
        if recalled(facts) or off(facts, notice.id) is not None:
            return "这一篇已撤回、更正或不在平台上：请写还看得到的停更公告的发布编号"
        draft = await approved_draft(self._ledger, notice.item_id, told.digest)
        if draft is None or not (_ENDS.search(draft.title) and _NOTICE.search(draft.title)):
            return (
                "这一篇不是停更公告：标题要写明停更（或停止更新、关停、注销）和公告（或通知、声明）"
            )
        return ""

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is written down, and what ends with it."""
        text = f"{payload['slug']} {STEPS[payload['step']]}：{payload['proof']}"
        ends = payload["step"] == CANCELLED
        warnings = (
            ["批准后停用，以后不能再启用；没有发出的稿件不会再从这个账号发出"] if ends else []
        )
        note = "关停备案要在 5 个工作日内办理。" if ends else ""
        return {"changes": [{"sign": "~", "text": text}], "warnings": warnings, "note": note}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """Sign the step; with the second one the account sends and hears nothing any more."""
        row = await tx.session.get_one(Account, payload["id"], populate_existing=True)
        said = {"proposal": approval.proposal_id, "proposed_by": approval.proposed_by}
        told = {name: payload[name] for name in ("slug", "step", "proof")}
        body = {"account": row.id, **told, **said}
        await tx.append(CLOSING, subject=f"account:{row.id}", actor=approval.approved_by, body=body)
        if payload["step"] == CANCELLED and row.whole:
            row.enabled = False
            await tx.session.flush()
            await sign_account(tx, row, approval.approved_by, said)
        return {"account": row.id, "step": payload["step"]}


def _fault(step: str, proof: str) -> str:
    """Why this does not prove a later step, and what does; empty when it does."""
    if step == CANCELLED:
        try:
            day = date.fromisoformat(proof)
        except ValueError:
            return "请写在平台注销的日期，例如 2026-12-01"
        return "" if day <= beijing(now()).date() else "注销日期还没有到：办完以后再登记"
    return "" if NUMBER.fullmatch(proof) else "请写关停备案的编号，2 到 40 个字，不写姓名和电话"
