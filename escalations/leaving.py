"""离岗: nobody leaves before each thing they hold is done or handed over; every step signed.

Taking somebody's rights away (停用) never waits; the list stays open until it is done.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.account_entries import account_digest, newest_of
from bot.models import Account
from config.clock import now
from escalations.models import Ticket
from escalations.roster import roster_now
from ledger.append import Ledger, Transaction
from ledger.verify import Entry
from review_queue.governance.staff_changes import deactivate_in
from review_queue.models import Item
from staff.models import Absence, ApiToken, Staff, Task
from staff.people import names, person_with, read_person
from staff.proposals import APPROVERS
from staff.refusal import Reason, Refused, missing
from staff.standing import all_facts_or_refuse, facts_or_refuse, standing_in
from storage.database import Base

BEGUN, HANDED, LEFT = "staff.leaving", "staff.handed_over", "staff.left"
ROSTER, KEYS = "roster", "keys:"


@dataclass(frozen=True)
class Line:
    """One thing somebody holds. `open` says what is left to do; `to` who took it over."""

    name: str
    label: str
    open: str = ""
    to: str = ""

    @property
    def done(self) -> bool:
        """Whether it keeps nobody."""
        return not self.open or bool(self.to)


@dataclass(frozen=True)
class Leaving:
    """How far somebody is: `begun` and `left` by signed entry, and every line of the list."""

    staff_id: str
    login: str
    name: str
    active: bool
    begun: bool
    left: bool
    lines: Sequence[Line] = ()

    @property
    def waits(self) -> list[Line]:
        """What still keeps them."""
        return [line for line in self.lines if not line.done]


async def leaving_of(session: AsyncSession, login: str) -> Leaving:
    """How far the leaving of this person is; Refused 404 for an unknown login."""
    row = await _by_login(session, login)
    told = await _since(session, row.id)
    stands = standing_in(await facts_or_refuse(session, f"staff:{row.id}"))
    begun = any(entry.kind == BEGUN for entry in told)
    left = any(entry.kind == LEFT for entry in told) and not stands.active
    handed = {str(one.body["line"]): str(one.body["to"]) for one in told if one.kind == HANDED}
    known = await names(session, set(handed.values()))
    lines = [
        Line(name, label, words, known.get(handed.get(name, ""), ""))
        async for name, label, words in _lines(session, row.id, told)
    ]
    return Leaving(row.id, row.login, row.name, stands.active, begun, left, lines)


async def unfinished(session: AsyncSession) -> list[str]:
    """Logins of who was stopped, or began to leave, and has not handed everything over yet."""
    rows = (await session.scalars(select(Staff).order_by(Staff.login))).all()
    subjects = [f"{word}:{row.id}" for row in rows for word in ("staff", "leaving")]
    told = await all_facts_or_refuse(session, subjects) if rows else {}
    found = []
    for row in rows:
        active = standing_in(told[f"staff:{row.id}"]).active
        last = next(reversed(told[f"leaving:{row.id}"]), None)
        gone = last is not None and last.kind == LEFT
        if (not active and not gone) or (active and last is not None and not gone):
            found.append(row.login)
    return found


async def begin_leaving(ledger: Ledger, login: str, by: str) -> None:
    """Sign that somebody leaves, and which platform keys they knew then."""
    async with ledger.transaction() as tx:
        row, _ = await _allowed(tx, login, by)
        if (await leaving_of(tx.session, login)).begun:
            raise Refused(409, [Reason("state", "离岗交接已经开始")])
        accounts = (await tx.session.scalars(select(Account))).all()
        keys = {one.id: _secrets(one) for one in accounts if one.enabled}
        body: dict[str, Any] = {"staff": row.id, "keys": keys}
        await tx.append(BEGUN, subject=f"leaving:{row.id}", actor=by, body=body)


async def hand_over(ledger: Ledger, login: str, line: str, to: str, by: str) -> None:
    """Sign that `to` (a login) took a line over; an admin's word, not the leaver's own."""
    async with ledger.transaction() as tx:
        row, found = await _allowed(tx, login, by)
        heir = await _by_login(tx.session, to)
        if not found.begun:
            raise Refused(409, [Reason("state", "还没有开始离岗交接：请先开始")])
        if line not in {one.name for one in found.lines if one.open}:
            waits = "、".join(one.name for one in found.waits) or "没有要交接的"
            raise Refused(422, [Reason("line", f"没有“{line}”这一项要交接，还差：{waits}")])
        if heir.id == row.id:
            raise Refused(422, [Reason("to", "不能交给离岗的本人，请写接手人的登录名")])
        if line == ROSTER:  # or nobody would be called in their place
            raise Refused(422, [Reason("line", "值班表不能只交接：请提出新的值班表，由另一人批准")])
        await read_person(tx.session, heir.id)
        body = {"staff": row.id, "line": line, "to": heir.id}
        await tx.append(HANDED, subject=f"leaving:{row.id}", actor=by, body=body)


async def leave(ledger: Ledger, login: str, by: str) -> None:
    """Sign that everything is done or handed over, and take every right; or Refused."""
    async with ledger.transaction() as tx:
        row, found = await _allowed(tx, login, by)
        if not found.begun:
            raise Refused(409, [Reason("state", "还没有开始离岗交接：请先开始")])
        if found.left:
            raise Refused(409, [Reason("state", "这个人已经办完离岗")])
        if found.waits:
            reasons = [Reason("line", f"{line.label}：{line.open}") for line in found.waits]
            raise Refused(422, reasons)
        if found.active:
            await deactivate_in(tx, row, by)
        how = {line.name: "handed" if line.open else "done" for line in found.lines}
        body: dict[str, Any] = {"staff": row.id, "lines": how}
        await tx.append(LEFT, subject=f"leaving:{row.id}", actor=by, body=body)


async def _allowed(tx: Transaction, login: str, by: str) -> tuple[Staff, Leaving]:
    await person_with(tx.session, by, APPROVERS)
    row = await _by_login(tx.session, login)
    if row.id == by:
        raise Refused(403, [Reason("self", "自己的离岗交接要由另一位管理员办理")])
    return row, await leaving_of(tx.session, login)


async def _by_login(session: AsyncSession, login: str) -> Staff:
    row = (await session.scalars(select(Staff).where(Staff.login == login))).first()
    if row is None:
        raise missing("个人员")
    return row


async def _since(session: AsyncSession, staff_id: str) -> list[Entry]:
    """The entries of the leaving under way, or of the last one: who came back begins anew."""
    told = await facts_or_refuse(session, f"leaving:{staff_id}")
    starts = [at for at, entry in enumerate(told) if entry.kind == BEGUN]
    if not starts:
        return []
    stood = standing_in(await facts_or_refuse(session, f"staff:{staff_id}"))
    last = told[starts[-1] :]
    over = any(entry.kind == LEFT for entry in last)
    return [] if over and stood.active else last


# --- the list -----------------------------------------------------------------------------


async def _lines(
    session: AsyncSession, staff_id: str, told: Sequence[Entry]
) -> AsyncIterator[tuple[str, str, str]]:
    """Name, label and what is still to be done of each thing that somebody can hold."""
    moment = now()
    on_duty = staff_id in {line.staff for line in await roster_now(session)}
    yield ROSTER, "值班表", "还在值班表上：请提出新的值班表" if on_duty else ""
    sits = await _count(
        session, Absence, Absence.substitute_id == staff_id, Absence.ends_at > moment
    )
    yield "substitute", "代理", f"还在代理 {sits} 人" if sits else ""
    held = (Item.claimed_by == staff_id, Item.claimed_until > moment)
    claims = await _count(session, Item, *held)
    yield "claims", "领取的审核", f"正领着 {claims} 篇：请放开或由别人接手" if claims else ""
    mine = (Ticket.claimed_by == staff_id, Ticket.state.in_(("open", "claimed", "replied")))
    tickets = await _count(session, Ticket, *mine)
    yield "tickets", "认领的咨询", f"还有 {tickets} 个没有办完" if tickets else ""
    tasks = await _count(session, Task, Task.assignee == staff_id, Task.state == "open")
    yield "tasks", "任务", f"还有 {tasks} 项没有办完" if tasks else ""
    live = (ApiToken.revoked_at.is_(None), ApiToken.expires_at > moment)
    tokens = await _count(session, ApiToken, ApiToken.staff_id == staff_id, *live)
    words = f"还有 {tokens} 个有效：用它们的程序要换成接手人的令牌，本人再全部作废"
    yield "tokens", "接口令牌", words if tokens else ""
    if await _was_admin(session, staff_id):
        async for line in _keys(session, told):
            yield line


async def _keys(
    session: AsyncSession, told: Sequence[Entry]
) -> AsyncIterator[tuple[str, str, str]]:
    """An admin saw the keys of each account: they are changed, or somebody answers for them."""
    knew: Mapping[str, str] = next((one.body["keys"] for one in told if one.kind == BEGUN), {})
    query = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
    for row in (await session.scalars(query)).all():
        newest = newest_of(await facts_or_refuse(session, f"account:{row.id}"))
        stands = row.whole and newest is not None and newest.body["digest"] == account_digest(row)
        changed = stands and row.id in knew and knew[row.id] != _secrets(row)
        words = f"请在平台上换新密钥，再运行 shenfa account secrets {row.slug}"
        yield f"{KEYS}{row.slug}", f"平台密钥：{row.name}", "" if changed else words


def _secrets(row: Account) -> str:
    return hashlib.sha256(row.secrets.encode()).hexdigest()


async def _was_admin(session: AsyncSession, staff_id: str) -> bool:
    told = await facts_or_refuse(session, f"staff:{staff_id}")
    return any("admin" in entry.body["roles"] for entry in told if entry.kind == "staff.set")


async def _count(session: AsyncSession, table: type[Base], *which: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(table).where(*which)
    return (await session.scalars(query)).one()
