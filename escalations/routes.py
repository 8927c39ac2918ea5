"""The ways a person is alarmed by, in their order: checked, encrypted, signed, read back.

`staff.alarms` (about the person) names the rows that count, and their order: a row that somebody
put back, led elsewhere, deleted or made unreadable is a way that does not work, and says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.addresses import is_plain
from bot.channels import CHANNELS
from bot.http import check_api_base
from bot.models import Account
from config.clock import now
from escalations.roster import roster_now
from ledger.append import Transaction, signed_facts
from ledger.verify import Entry
from staff.models import AlarmRoute, Staff
from staff.people import ALARMS, person_with, read_person
from staff.refusal import Reason, Refused, missing
from staff.standing import all_facts_or_refuse
from storage.crypt import DataKey, place_of
from storage.database import new_id, rows_of

WEBHOOK, MAIL = "webhook", "mail"
KINDS: Mapping[str, str] = {
    **{platform: channel.label for platform, channel in CHANNELS.items()},
    WEBHOOK: "网址（webhook）",
    MAIL: "邮件",
}
"""Every kind of way, and what people call it."""
MOST = 6
CHANGED = "这条记录被绕过本系统改动或删去，不能用：请重新填写"
_LONGEST = 500
_MAILBOX = re.compile(r"[^@\s<>(),;:\"\\]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)
_CHAT = re.compile(r"[A-Za-z0-9_@.-]{1,64}", re.ASCII)


@dataclass(frozen=True)
class Line:
    """One way as somebody writes it; `account` is a slug, "" for the first account of its kind."""

    kind: str
    address: str = field(repr=False)
    account: str = ""


@dataclass(frozen=True)
class Way:
    """One way as it is stored. `fault` says why it cannot be used at all, and is empty otherwise.

    `worked` is None while nobody was alarmed by it; `why` belongs to its last use.
    """

    id: str
    line: Line
    fault: str = ""
    used_at: datetime | None = None
    worked: bool | None = None
    why: str = ""


def line_of(written: Mapping[str, object], number: int) -> Line:
    """A line of a setup file: one kind with its address, and `account` if it is named."""
    kinds = [name for name in written if name != "account"]
    if len(kinds) != 1:
        raise Refused(422, [_fault(number, f"一行只写一种方式：{'、'.join(KINDS)}")])
    address, account = str(written[kinds[0]]), str(written.get("account", ""))
    return Line(kinds[0], address.strip(), account.strip())


class Routes:
    """Keeps and reads the ways of people, in the caller's transaction."""

    def __init__(self, crypt: DataKey, allowed_private: frozenset[str] = frozenset()) -> None:
        """`allowed_private`: the `host:port` pairs development may reach."""
        self._crypt = crypt
        self._allowed = allowed_private

    async def put(self, tx: Transaction, staff_id: str, lines: Sequence[Line], actor: str) -> None:
        """These ways and no others, in this order; Refused with every fault (422).

        What is as it was keeps its row, and what came of its last use. Does not ask who may: see
        `change`.
        """
        if faults := await self._faults(tx.session, lines):
            raise Refused(422, faults)
        known = {way.line: way.id for way in await self.read(tx.session, staff_id) if not way.fault}
        kept = {line: known[line] for line in lines if line in known}
        mine = (AlarmRoute.staff_id == staff_id, AlarmRoute.id.not_in(kept.values()))
        await tx.session.execute(delete(AlarmRoute).where(*mine))
        said: list[dict[str, str]] = []
        for line in lines:
            row_id = kept.get(line) or self._add(tx.session, staff_id, line)
            said.append({"id": row_id, "kind": line.kind})
        await tx.session.flush()
        body = {"staff": staff_id, "routes": said}
        await tx.append(ALARMS, subject=f"staff:{staff_id}", actor=actor, body=body)

    async def change(
        self, tx: Transaction, staff_id: str, lines: Sequence[Line], actor: str
    ) -> None:
        """The same by the person themself, or by an admin; else Refused (403)."""
        await allowed(tx.session, staff_id, actor)
        await self.put(tx, staff_id, lines, actor)

    async def read(self, session: AsyncSession, staff_id: str) -> list[Way]:
        """What is signed of this person's ways, each with its row. Raises Broken."""
        subject = f"staff:{staff_id}"
        entries = (await signed_facts(session, [subject]))[subject]
        said = _said(entries)
        rows = await rows_of(session, AlarmRoute, [str(one["id"]) for one in said])
        return [self._way(staff_id, one, rows.get(str(one["id"]))) for one in said]

    def _way(self, staff_id: str, said: Mapping[str, Any], row: AlarmRoute | None) -> Way:
        empty = Line(str(said["kind"]), "")
        if row is None or not row.whole or (row.staff_id, row.kind) != (staff_id, empty.kind):
            return Way(str(said["id"]), empty, CHANGED)
        try:
            address = self._crypt.decrypt(row.address, _place(row.id))
        except ValueError as error:
            return Way(row.id, empty, str(error))
        why = row.why if isinstance(row.why, str) else ""
        used_at = row.used_at if isinstance(row.used_at, datetime) else None
        line = Line(row.kind, address, row.account)
        return Way(row.id, line, used_at=used_at, worked=row.worked, why=why)

    def _add(self, session: AsyncSession, staff_id: str, line: Line) -> str:
        row_id = new_id()
        session.add(
            AlarmRoute(
                id=row_id,
                staff_id=staff_id,
                kind=line.kind,
                account=line.account,
                address=self._crypt.encrypt(line.address, _place(row_id)),
            )
        )
        return row_id

    async def _faults(self, session: AsyncSession, lines: Sequence[Line]) -> list[Reason]:
        if len(lines) > MOST:
            return [Reason("alarm", f"提醒方式最多 {MOST} 种：请去掉几种")]
        if len(set(lines)) < len(lines):
            return [Reason("alarm", "同一种方式写了两次：请去掉一次")]
        query = select(Account.slug, Account.platform).where(Account.enabled.is_(True))
        accounts = {str(row[0]): str(row[1]) for row in await session.execute(query)}
        said = [line_problem(line, accounts, self._allowed) for line in lines]
        return [_fault(number, words) for number, words in enumerate(said, 1) if words]


def line_problem(
    line: Line, accounts: Mapping[str, str], allowed_private: frozenset[str] = frozenset()
) -> str:
    """What is wrong with one way and how to mend it; empty when it can be used.

    `accounts` are the enabled ones, slug to platform.
    """
    if line.kind not in KINDS:
        return f"不认识的方式“{line.kind[:20]}”，只能是 {'、'.join(KINDS)}"
    if not line.address or len(line.address) > _LONGEST:
        return f"{KINDS[line.kind]} 的地址没有填，或超过 {_LONGEST} 个字符：请填写"
    if line.kind == WEBHOOK:
        return webhook_problem(line.address, allowed_private)
    if line.kind == MAIL:
        fits = _MAILBOX.fullmatch(line.address)
        return "" if fits else "邮件地址 mail 不像邮箱：请写成 名字@域名，一行一个"
    return _chat_problem(line, accounts)


def _chat_problem(line: Line, accounts: Mapping[str, str]) -> str:
    if not _CHAT.fullmatch(line.address):
        return f"{KINDS[line.kind]} 的地址只能是对方在平台上的编号（字母、数字、_@.-）"
    if line.account and accounts.get(line.account) != line.kind:
        return f"没有启用的账号 {line.account[:40]}，或它不是 {KINDS[line.kind]} 账号"
    if line.kind not in accounts.values():
        return f"没有启用的 {KINDS[line.kind]} 账号：请先登记账号，或换一种方式"
    return ""


def webhook_problem(url: str, allowed_private: frozenset[str] = frozenset()) -> str:
    """Why an address may not be posted to, in Chinese; empty when it may.

    A query may stand there: chat rooms of offices carry their key in it.
    """
    name = "地址 webhook"
    try:
        parts = urlsplit(url)
        check_api_base(parts._replace(query="").geturl(), allowed_private, name)
    except ValueError as error:
        words = str(error)
        return words if words.startswith(name) else f"{name} 不是网址：请以 https:// 开头写全"
    # Some programs read 127.1 or 0x7f000001 as an address of the machine itself.
    return "" if is_plain(parts.hostname or "") else f"{name} 的主机是变了写法的数字地址：请写域名"


async def without_ways(session: AsyncSession) -> list[str]:
    """Who is on the roster in force and has no way to be alarmed by. Refused (409) as it says."""
    people = [*dict.fromkeys(line.staff for line in await roster_now(session))]
    told = await all_facts_or_refuse(session, [f"staff:{one}" for one in people]) if people else {}
    return [one for one in people if not _said(told[f"staff:{one}"])]


async def allowed(session: AsyncSession, staff_id: str, actor: str) -> None:
    """Whoever looks after a person's ways: themself, or an admin; else Refused (403)."""
    if actor == staff_id:
        await read_person(session, actor)
    else:
        await person_with(session, actor, {"admin"})
    if await session.get(Staff, staff_id) is None:
        raise missing("个人员")


async def note_use(session: AsyncSession, way: Way, why: str) -> None:
    """Keep what came of using a way; `why` is empty when it worked."""
    values = {"used_at": now(), "worked": not why, "why": why[:_LONGEST]}
    await session.execute(update(AlarmRoute).where(AlarmRoute.id == way.id).values(**values))


def _said(entries: Sequence[Entry]) -> Sequence[Mapping[str, Any]]:
    """The ways that the newest word about a person names."""
    lists = [one.body["routes"] for one in entries if one.kind == ALARMS]
    return lists[-1] if lists else ()


def _fault(number: int, words: str) -> Reason:
    return Reason(f"alarm-{number}", f"第 {number} 种提醒方式：{words}")


def _place(row_id: str) -> str:
    return place_of(AlarmRoute.__tablename__, row_id, "address")
