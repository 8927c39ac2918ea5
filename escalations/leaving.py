"""离岗: nobody leaves before each thing they hold is done or handed over; every step signed.

Taking somebody's rights away (停用) never waits; the list stays open until it is done.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from bot.account_entries import account_digest, newest_of, secrets_digest
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
from staff.standing import all_facts_or_refuse, standing_in

BEGUN, HANDED, LEFT = "staff.leaving", "staff.handed_over", "staff.left"
STAYED = "staff.stayed"
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


@dataclass(frozen=True)
class Goer:
    """Somebody whose list it is, with the entries about them and about this leaving."""

    row: Staff
    about: Sequence[Entry]
    since: Sequence[Entry]

    @property
    def handed(self) -> Mapping[str, str]:
        """Line -> id of who took it over."""
        return {
            str(one.body["line"]): str(one.body["to"]) for one in self.since if one.kind == HANDED
        }

    @property
    def was_admin(self) -> bool:
        """Whether they were ever shown the keys of accounts."""
        return any("admin" in one.body["roles"] for one in self.about if one.kind == "staff.set")

    @property
    def gone_at(self) -> int:
        """The entry that took their rights; none of an account made later is known to them."""
        last = next((one for one in reversed(self.about) if one.kind == "staff.set"), None)
        return last.seq if last and not last.body["active"] else sys.maxsize


async def leaving_of(session: AsyncSession, login: str) -> Leaving:
    """How far the leaving of this person is; Refused 404 for an unknown login."""
    row = await _by_login(session, login)
    subjects = [f"staff:{row.id}", f"leaving:{row.id}"]
    about, leaving = (await all_facts_or_refuse(session, subjects)).values()
    goer = Goer(row, about, _since(about, leaving))
    begun, left = (any(one.kind == kind for one in goer.since) for kind in (BEGUN, LEFT))
    heirs = await names(session, set(goer.handed.values()))
    kept = await _kept(session, [goer])
    lines = [replace(line, to=heirs.get(line.to, "")) for line in kept.lines(goer)]
    active = standing_in(about).active
    return Leaving(row.id, row.login, row.name, active, begun, left, lines)


async def unfinished(session: AsyncSession) -> list[str]:
    """Logins of who began to leave, or was stopped, and still holds something of the list."""
    rows = (await session.scalars(select(Staff).order_by(Staff.login))).all()
    subjects = [f"{word}:{row.id}" for row in rows for word in ("staff", "leaving")]
    told = await all_facts_or_refuse(session, subjects) if rows else {}
    begun, stopped = set(), []
    for row in rows:
        about = told[f"staff:{row.id}"]
        since = _since(about, told[f"leaving:{row.id}"])
        if standing_in(about).active:
            begun |= {row.id} if since else set()
        elif not any(entry.kind == LEFT for entry in since):
            stopped.append(Goer(row, about, since))
    held = await _held_by(session, stopped) if stopped else {}
    return [row.login for row in rows if row.id in begun or held.get(row.id)]


async def _held_by(session: AsyncSession, goers: Sequence[Goer]) -> dict[str, bool]:
    """Whether each of them still holds anything nobody took over."""
    kept = await _kept(session, goers)
    return {one.row.id: any(not line.done for line in kept.lines(one)) for one in goers}


async def begin_leaving(ledger: Ledger, login: str, by: str) -> None:
    """Sign that somebody leaves, and which platform keys they knew then."""
    async with ledger.transaction() as tx:
        row, _ = await _allowed(tx, login, by)
        if (await leaving_of(tx.session, login)).begun:
            raise Refused(409, [Reason("state", "离岗交接已经开始")])
        accounts = (await tx.session.scalars(select(Account))).all()
        keys = {one.id: secrets_digest(one) for one in accounts if one.enabled}
        body: dict[str, Any] = {"staff": row.id, "keys": keys}
        await tx.append(BEGUN, subject=f"leaving:{row.id}", actor=by, body=body)


async def stay(ledger: Ledger, login: str, by: str) -> None:
    """Sign that somebody stays after all: what was handed over counts no more, and is held again.

    What was changed elsewhere (a roster, an account's owner) stays as it was changed.
    """
    async with ledger.transaction() as tx:
        row, found = await _allowed(tx, login, by)
        if not found.begun:
            raise Refused(409, [Reason("state", "还没有开始离岗交接，不用收回")])
        if found.left or not found.active:
            words = "已经停用或办完离岗，不能收回：要回来的请重新增加"
            raise Refused(409, [Reason("state", words)])
        await tx.append(STAYED, subject=f"leaving:{row.id}", actor=by, body={"staff": row.id})


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


def _since(about: Sequence[Entry], leaving: Sequence[Entry]) -> list[Entry]:
    """The entries of the leaving since somebody last came here: who comes back begins anew.

    So does who stayed after all.
    """
    came, active = max((one.seq for one in leaving if one.kind == STAYED), default=0), False
    for entry in about:
        if entry.kind == "staff.set":
            came = max(came, entry.seq) if entry.body["active"] and not active else came
            active = entry.body["active"]
    return [entry for entry in leaving if entry.seq > came]


# --- the list -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kept:
    """What all of them hold: counts by name of the line and person, and the enabled accounts."""

    counts: Mapping[str, Mapping[str, int]]
    accounts: Sequence[tuple[Account, Sequence[Entry]]]

    def lines(self, goer: Goer) -> Iterator[Line]:
        """Each thing that somebody can hold; `to` is the id of who took it over."""
        handed = goer.handed
        for name, (label, words) in _LINES.items():
            number = self.counts[name].get(goer.row.id, 0)
            yield Line(name, label, words.format(number) if number else "", handed.get(name, ""))
        for row, told in self.accounts if goer.was_admin else ():
            name = f"{KEYS}{row.slug}"
            if told and told[0].seq > goer.gone_at:
                continue  # registered after they had gone
            words = f"请在平台上换新密钥，再运行 shenfa account secrets {row.slug}"
            open_ = "" if _was_changed(row, told, goer) else words
            yield Line(name, f"平台密钥：{row.name}", open_, handed.get(name, ""))


_LINES = {
    ROSTER: ("值班表", "还在值班表上：请提出新的值班表"),
    "substitute": ("代理", "还在代理 {} 人"),
    "claims": ("领取的审核", "正领着 {} 篇：请放开或由别人接手"),
    "tickets": ("认领的咨询", "还有 {} 个没有办完"),
    "tasks": ("任务", "还有 {} 项没有办完"),
    "accounts": ("负责的账号", "还是 {} 个账号的负责人：请提出换人"),
    "tokens": ("接口令牌", "还有 {} 个有效：用它们的程序要换成接手人的令牌，本人再全部作废"),
}
"""Line -> what it is called, and what is left to do."""


async def _kept(session: AsyncSession, goers: Sequence[Goer]) -> _Kept:
    moment, ids = now(), [one.row.id for one in goers]

    async def by(
        person: InstrumentedAttribute[Any], *which: ColumnElement[bool]
    ) -> Mapping[str, int]:
        query = select(person, func.count()).where(person.in_(ids), *which).group_by(person)
        return {row[0]: row[1] for row in await session.execute(query)}

    enabled = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
    accounts = (await session.scalars(enabled)).all()
    told = await all_facts_or_refuse(session, [f"account:{row.id}" for row in accounts])
    owners = Counter(row.owner for row in accounts if row.owner)
    live = (ApiToken.revoked_at.is_(None), ApiToken.expires_at > moment)
    unsettled = Ticket.state.in_(("open", "claimed", "replied"))
    counts: dict[str, Mapping[str, int]] = {
        ROSTER: Counter(line.staff for line in await roster_now(session)),
        "substitute": await by(Absence.substitute_id, Absence.ends_at > moment),
        "claims": await by(Item.claimed_by, Item.claimed_until > moment),
        "tickets": await by(Ticket.claimed_by, unsettled),
        "tasks": await by(Task.assignee, Task.state == "open"),
        "accounts": {one.row.id: owners[one.row.login] for one in goers},
        "tokens": await by(ApiToken.staff_id, *live),
    }
    return _Kept(counts, [(row, told[f"account:{row.id}"]) for row in accounts])


def _was_changed(row: Account, told: Sequence[Entry], goer: Goer) -> bool:
    """Whether the keys an admin saw are others now, by signed entries and by the row."""
    newest = newest_of(told)
    stands = row.whole and newest is not None and newest.body["digest"] == account_digest(row)
    knew = _knew(row, told, goer)
    return stands and knew is not None and knew != secrets_digest(row)


def _knew(row: Account, told: Sequence[Entry], goer: Goer) -> str | None:
    """Which keys they knew last; None where no entry of that time says (earlier versions)."""
    begun = next((one for one in goer.since if one.kind == BEGUN), None)
    until = min(goer.gone_at, begun.seq) if begun else goer.gone_at
    before = [one for one in told if one.seq < until and "secrets" in one.body]
    if before:
        return str(before[-1].body["secrets"])
    found: str | None = begun.body["keys"].get(row.id) if begun else None
    return found
