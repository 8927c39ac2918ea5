"""What somebody is given or spared in another's name: a new login, an absence. Two people each."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import beijing
from ledger.append import Ledger, Transaction
from ledger.incidents import open_incident_in
from review_queue.governance.access import end_of
from staff.absence import Away, absence_faults, refuse_absence, set_absent_for
from staff.factors import factor_in
from staff.models import Proposal, Staff
from staff.newest import password_digest
from staff.people import Half, names, new_half, second_half
from staff.proposals import AboutPeople, Approval, Proposals
from staff.refusal import Reason, Refused
from staff.second_factor import reset_second_factor
from staff.standing import RESET, facts_or_refuse, standing_of
from storage.database import new_id

_KEPT = re.compile(r"[0-9a-f]{64}")


async def sign_reset(tx: Transaction, row: Staff, approval: Approval) -> None:
    """Sign that these two made a login for somebody, who decides nothing until confirmed."""
    body = {
        "staff": row.id,
        "proposal": approval.proposal_id,
        "proposed_by": approval.proposed_by,
        "password_digest": password_digest(row.id, row.password_hash),
    }
    await tx.append(RESET, subject=f"staff:{row.id}", actor=approval.approved_by, body=body)


async def ask_reset(made: Proposals, login: str, by: str, reason: str) -> tuple[Proposal, Half]:
    """Propose a new login for somebody; the first half of its code, told only now."""
    half = new_half()
    row = await made.propose("reset", {"login": login, "half": half.kept}, by, reason)
    return row, half


class ResetKind(AboutPeople):
    """{login, half}: a one-time code for somebody who cannot sign in.

    Proposer and approver are shown one half of it each, so that neither can sign in as that
    person; of the proposer's the payload holds a digest.
    """

    label = "重设密码"
    proposers = frozenset({"admin", "supervisor"})
    one_open = "这个人已有一项重设密码在等批准：请先批准、否决或收回那一项，再重新提出"

    def __init__(self, ledger: Ledger) -> None:
        """Rows and entries of one office."""
        self._ledger = ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The person's id."""
        return f"staff:{payload['id']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Whose login, and the digest of the proposer's half."""
        login, half = str(payload.get("login", "")).strip(), str(payload.get("half", ""))
        async with self._ledger.db.session() as session:
            row = await _by_login(session, login)
            if not (await standing_of(session, row.id)).active:
                words = "这个人已停用：请先提出重新启用"
                raise Refused(409, [Reason("state", words)])
        if not _KEPT.fullmatch(half):
            words = "half 要写您那一半口令的 SHA-256，64 位十六进制"
            raise Refused(422, [Reason("half", words)])
        return {"id": row.id, "login": row.login, "half": half}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who it is, and how the login is handed over."""
        async with self._ledger.db.session() as session:
            name = (await names(session, {payload["id"]})).get(payload["id"], "")
        return {
            "changes": [
                {"sign": "~", "text": f"重设 {name}（{payload['login']}）的密码和第二步验证"}
            ],
            "warnings": [],
            "note": "一次性口令分成两半：提出人和批准人各看到一半，各自当面交给本人。"
            "本人登录后改密码、重新设第二步验证，再由没有经手的人当面确认；确认之前，这个人的决定不算数。",
        }

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """The old password ends with every session; the approver's half is returned, once."""
        row = await _by_login(tx.session, payload["login"])
        shown, row.password_hash = await second_half(payload["half"])
        await end_of(tx.session, row.id)
        # Who cannot sign in may have lost the phone as well: both are set up anew.
        # By the signed entries: a row that somebody deleted must not shut its owner out for ever.
        if factor_in(await facts_or_refuse(tx.session, f"staff:{row.id}")) is not None:
            await reset_second_factor(tx, row.id, approval.approved_by)
        await sign_reset(tx, row, approval)
        await open_incident_in(
            tx,
            "password_reset",
            subject=f"staff:{row.id}",
            message=f"重设了{row.name}的密码：请与本人核实后关闭这一事件",
            detail={
                "by": approval.approved_by,
                "proposed_by": approval.proposed_by,
                "reset": new_id(),
            },
        )
        return {"staff": row.id, "login": row.login, "half": shown}


class AbsenceKind(AboutPeople):
    """{staff, starts, ends, substitute}: an absence that somebody else declares for a person."""

    label = "代人登记外出"
    proposers = frozenset({"admin"})

    def __init__(self, ledger: Ledger) -> None:
        """Rows and entries of one office."""
        self._ledger = ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The absent person's id."""
        return f"staff:{payload['staff']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ids, and moments as they are signed."""
        away = _away(payload)
        async with self._ledger.db.session() as session:
            refuse_absence(await absence_faults(session, away))
        return {
            "staff": away.staff_id,
            "starts": away.starts.isoformat(),
            "ends": away.ends.isoformat(),
            "substitute": away.substitute_id,
        }

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who is away, from when until when, and who sits in."""
        away = _away(payload)
        async with self._ledger.db.session() as session:
            known = await names(session, {away.staff_id, away.substitute_id})
        until = f"{beijing(away.starts):%m月%d日 %H:%M} 至 {beijing(away.ends):%m月%d日 %H:%M}"
        who, sits = known.get(away.staff_id, ""), known.get(away.substitute_id, "")
        words = f"{who}外出（{until}），由{sits}代理"
        return {"changes": [{"sign": "~", "text": words}], "warnings": [], "note": ""}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """The substitute sits in from the commit on."""
        row = await set_absent_for(tx, _away(payload), approval)
        return {"absence": row.id}


def _away(payload: Mapping[str, Any]) -> Away:
    return Away(
        str(payload.get("staff", "")),
        _moment(payload, "starts"),
        _moment(payload, "ends"),
        str(payload.get("substitute", "")),
    )


def _moment(payload: Mapping[str, Any], name: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(payload.get(name, "")))
    except ValueError as error:
        words = f"{name} 要写时间，例如 2026-12-01T09:00+08:00"
        raise Refused(422, [Reason(name, words)]) from error
    if found.tzinfo is None:
        raise Refused(422, [Reason(name, f"{name} 要带时区，例如 2026-12-01T09:00+08:00")])
    return found


async def _by_login(session: AsyncSession, login: str) -> Staff:
    row = (await session.scalars(select(Staff).where(Staff.login == login))).first()
    if row is None:
        raise Refused(404, [Reason("login", f"没有登录名为 {login} 的人员")])
    return row
