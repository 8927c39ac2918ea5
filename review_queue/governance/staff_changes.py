"""Who works here and may do what: changed by two people; what only takes away, by one at once."""

import asyncio
import re
import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account, Organisation
from ledger.append import Ledger, Transaction
from review_queue.governance.access import end_of
from review_queue.governance.handovers import sign_reset
from review_queue.governance.levels import ApprovedLevels
from review_queue.workflow import unfillable
from staff.access import PASSWORD_CHANGED
from staff.models import Staff
from staff.newest import newest_password, password_digest
from staff.passwords import password_faults
from staff.people import (
    Person,
    active_with,
    deactivate,
    hash_password,
    password_holds,
    person_with,
    set_staff,
)
from staff.proposals import APPROVERS, AboutPeople, Approval
from staff.refusal import Reason, Refused, refuse
from staff.roles import ROLES
from staff.sessions import end_access
from staff.standing import facts_or_refuse, standing_of

_LOGIN = re.compile(r"[a-z][a-z0-9_]{1,30}")
_TWO_ADMINS = "至少要留两位在用的管理员，否则以后任何变更都无人批准：请先增加一位管理员"


class StaffKind(AboutPeople):
    """{login, name, roles}: a new person, or the roles and name of one who is here."""

    label = "人员变更"
    proposers = frozenset({"admin"})

    def __init__(self, ledger: Ledger, levels: ApprovedLevels) -> None:
        """`levels` say which classes nobody could fill afterwards."""
        self._ledger = ledger
        self._levels = levels

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The person's id, never a name."""
        return f"staff:{payload['id'] or 'new'}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Login, name and roles in their final form, beside what they are now."""
        login = str(payload.get("login", "")).strip()
        if not _LOGIN.fullmatch(login):
            words = "登录名要以小写字母开头，只用小写字母、数字和下划线，2 到 31 个字"
            raise Refused(422, [Reason("login", words)])
        async with self._ledger.db.session() as session:
            row = (await session.scalars(select(Staff).where(Staff.login == login))).first()
            was = None if row is None else _state(row)
            name = str(payload.get("name") or (row.name if row else "")).strip()
            roles = _read_roles(payload.get("roles"))
            if not 0 < len(name) <= 60:
                raise Refused(422, [Reason("name", "请填写姓名，最多 60 个字")])
            if "was" in payload and payload["was"] != was:
                words = "这个人在提出之后又有变化：请收回后重新提出"
                raise Refused(409, [Reason("overtaken", words)])
            if was == {"name": name, "roles": roles, "active": True}:
                raise Refused(422, [Reason("roles", "姓名和角色都没有变化")])
            if "admin" not in roles:
                await _keep_two_admins(session, row)
        return {"id": row.id if row else "", "login": login, "name": name} | {
            "roles": roles,
            "was": was,
        }

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Roles that come and go, and which classes nobody could carry through."""
        was, roles = payload["was"], payload["roles"]
        held = was["roles"] if was and was["active"] else []
        who = f"{payload['name']}（{payload['login']}）"
        head = f"增加人员 {who}" if was is None else f"变更人员 {who}"
        if was and not was["active"]:
            head = f"重新启用 {who}"
        lines = [{"sign": "+" if was is None else "~", "text": head}]
        if was and was["name"] != payload["name"]:
            lines.append({"sign": "~", "text": f"姓名由“{was['name']}”改为“{payload['name']}”"})
        lines += [
            {"sign": "+", "text": f"增加{ROLES[role]}角色"} for role in roles if role not in held
        ]
        lines += [
            {"sign": "-", "text": f"去掉{ROLES[role]}角色"} for role in held if role not in roles
        ]
        await self._levels.refresh()
        query = select(Staff.login, Staff.roles).where(Staff.active.is_(True))
        async with self._ledger.db.session() as session:
            staff = {row.login: row.roles for row in (await session.execute(query)).all()}
        return {
            "changes": lines,
            "warnings": unfillable(self._levels, staff | {payload["login"]: roles}),
            "note": "批准后为新人员生成只显示一次的密码，由批准人当面交给本人。本人改密码，"
            "再由没有经手的人当面确认；确认之前只能查看。"
            if not was
            else "",
        }

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """Roles hold from the commit on; a new person's password is returned, once."""
        query = select(Staff).where(Staff.login == payload["login"])
        row = (await tx.session.scalars(query.execution_options(populate_existing=True))).first()
        if (None if row is None else _state(row)) != payload["was"]:
            raise Refused(409, [Reason("overtaken", "这个人刚刚有变化，请重新提出")])
        password = "" if row else secrets.token_urlsafe(9)
        stored = row.password_hash if row else await hash_password(password)
        person = Person(payload["login"], payload["name"], tuple(payload["roles"]), stored)
        made = await set_staff(tx, person, approval.approved_by)
        # Whoever approved sees the password: until somebody else confirms them, they only look.
        if password:
            await sign_reset(tx, made, approval)
        shown = {"staff": made.id, "login": made.login}
        return shown | ({"password": password} if password else {})


def _state(row: Staff) -> dict[str, object]:
    return {"name": row.name, "roles": sorted(row.roles), "active": row.active}


def _read_roles(value: Any) -> list[str]:
    if not isinstance(value, list) or not value:
        raise Refused(422, [Reason("roles", "请至少选一个角色；要停用一个人请用“停用”")])
    if unknown := {str(role) for role in value} - set(ROLES):
        known = "、".join(ROLES)
        words = f"不认识的角色：{'、'.join(sorted(unknown))}；只能是 {known}"
        raise Refused(422, [Reason("roles", words)])
    return sorted(set(value))


async def _keep_two_admins(session: AsyncSession, leaving: Staff | None) -> None:
    if leaving is None or "admin" not in (await standing_of(session, leaving.id)).held:
        return
    if len(set(await active_with(session, APPROVERS)) - {leaving.id}) < 2:
        raise Refused(422, [Reason("two_admins", _TWO_ADMINS)])


async def deactivate_now(ledger: Ledger, login: str, by: str) -> None:
    """Take every right from a person at once; one admin is enough, since nothing is given.

    Sessions and tokens of the person end with it. Refused 403, 404, 409, 422.
    """
    async with ledger.transaction() as tx:
        await deactivate_in(tx, await _person(tx.session, login), by)


async def deactivate_in(tx: Transaction, row: Staff, by: str) -> None:
    """The same beside other entries of the caller's transaction."""
    await person_with(tx.session, by, APPROVERS)
    if row.id == by:
        raise Refused(403, [Reason("self", "不能停用自己，请另一位管理员操作")])
    if not (await standing_of(tx.session, row.id)).active:
        raise Refused(409, [Reason("state", "这个人已经停用")])
    await _keep_two_admins(tx.session, row)
    await deactivate(tx, row, by)
    await end_of(tx.session, row.id)


async def change_password(
    ledger: Ledger, staff_id: str, old: str, new: str, *, kept: str = ""
) -> None:
    """A person's own new password, with the old one as proof; signed. Refused 403, 409, 422.

    Every session but the one `kept` and every token ends with it.
    """
    async with ledger.db.session() as session:
        row = await session.get(Staff, staff_id)
        ours = await _names_of_office(session)
    if row is None or not await password_holds(row.password_hash, old):
        raise Refused(403, [Reason("password", "现在的密码不对，密码没有改变")])
    if old == new:
        raise Refused(422, [Reason("password", "新密码和现在的一样，请换一个")])
    refuse(await asyncio.to_thread(password_faults, new, (row.login, row.name, *ours)))
    stored = await hash_password(new)
    async with ledger.transaction() as tx:
        held = await tx.session.get(Staff, staff_id, populate_existing=True)
        if held is None or held.password_hash != row.password_hash:
            raise Refused(409, [Reason("stale", "密码刚刚在别处改过，请用新的密码登录后再改")])
        subject = f"staff:{staff_id}"
        # Or a row put back would become the newest by being changed.
        if not held.whole or not newest_password(held, await facts_or_refuse(tx.session, subject)):
            words = "人员记录被绕过本系统改动，不能改密码：请管理员查明后重设您的密码"
            raise Refused(403, [Reason("staff", words)])
        held.password_hash = stored
        await end_access(tx.session, staff_id, kept=kept)
        body = {"staff": staff_id, "password_digest": password_digest(staff_id, stored)}
        if kept:
            body["kept"] = kept
        await tx.append(PASSWORD_CHANGED, subject=subject, actor=staff_id, body=body)


async def _names_of_office(session: AsyncSession) -> list[str]:
    """The names of its bodies and accounts: who guesses knows them."""
    bodies = (await session.scalars(select(Organisation.name))).all()
    accounts = (await session.execute(select(Account.name, Account.slug))).all()
    return [*bodies, *(word for row in accounts for word in row)]


async def _person(session: AsyncSession, login: str) -> Staff:
    row = (await session.scalars(select(Staff).where(Staff.login == login))).first()
    if row is None:
        raise Refused(404, [Reason("login", f"没有登录名为 {login} 的人员")])
    return row
