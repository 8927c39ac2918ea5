"""互动自测: every day each account is spoken to by the road of its platform, menu entry by entry.

The call is signed as the platform signs it and goes to the address the platform knows, through
whatever proxy stands before it; the answer is made as for a citizen and kept nowhere (C5).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import aiohttp
from sqlalchemy import select

from bot.channel import Menu
from bot.contract import AccountView
from bot.models import Account
from bot.trial import Look, ask_own, fine, wrong
from config.clock import now
from ledger.append import Ledger
from supervision.models import AccountWatch
from supervision.road import Road

PROBED = "accounts.probed"
RED = "account_selftest"
NAME = "互动"
_UNTRIED = frozenset({"person", "leave:all", "tags"})
"""They open a ticket, or end something: nobody does that every day."""


@dataclass(frozen=True)
class Answered:
    """One account: the menu entries that gave no answer, or why none could be asked."""

    account_id: str
    name: str
    faults: Sequence[str] = ()
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether every entry that was tried was answered."""
        return not (self.faults or self.problem)

    @property
    def words(self) -> str:
        """For staff, with what to do."""
        if self.problem:
            return self.problem
        if self.faults:
            remedy = "请核对停发开关、运行设置和回复模板"
            return f"菜单“{'”“'.join(self.faults)}”没有应答：{remedy}"
        return "菜单各项都有应答"

    @property
    def look(self) -> Look:
        """As a part of 试一下."""
        return fine(NAME, self.words) if self.ok else wrong(NAME, self.words)


def entries_of(menu: Menu) -> list[tuple[str, str]]:
    """Label and key of what is tried."""
    return [one for _, inner in menu.groups for one in inner if one[1] not in _UNTRIED]


async def speak(road: Road, account: Account) -> Answered:
    """Press every entry of the menu once."""
    try:
        view = await road.accounts.open(account.id)
    except (LookupError, ValueError) as error:
        return Answered(account.id, account.name, problem=str(error)[:300])
    faults: list[str] = []
    for label, key in entries_of(road.menu):
        try:
            said = await _pressed(road, account, view, key)
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            words = f"回调地址没有应答（{type(error).__name__}）：请核对审发是否在运行，和公网地址"
            return Answered(account.id, account.name, faults, words)
        if not said:
            faults.append(label)
    return Answered(account.id, account.name, faults)


async def _pressed(road: Road, account: Account, view: AccountView, key: str) -> str:
    channel = road.channels[account.platform]
    status, text = await ask_own("POST", road.callback(account), **channel.press(view, key))
    return channel.pressed(view, text) if status == 200 else ""


class SelfTest:
    """Speaks to the accounts in use, notes what came of it, and tells staff of what is silent."""

    def __init__(self, ledger: Ledger, road: Road) -> None:
        """The road is the platforms' own."""
        self._ledger = ledger
        self._road = road

    async def run(self, slugs: Iterable[str] = ()) -> list[Answered]:
        """Those accounts, or all in use.

        1. speak to each; 2. note what came of it, one signed entry for all; 3. an incident for
        each that is silent.
        """
        named = list(slugs)
        async with self._ledger.db.session() as session:
            query = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
            rows = (
                await session.scalars(query.where(Account.slug.in_(named)) if named else query)
            ).all()
        found = [await speak(self._road, row) for row in rows]
        if found:
            await self._note(found)
        for one in found:
            if not one.ok:
                await self._ledger.open_incident(
                    RED,
                    subject=f"account:{one.account_id}",
                    message=f"账号“{one.name}”的互动自测没有通过：{one.words}",
                    detail={},
                )
        return found

    async def _note(self, found: Sequence[Answered]) -> None:
        moment = now()
        async with self._ledger.transaction() as tx:
            for one in found:
                row = await tx.session.get(AccountWatch, one.account_id)
                if row is None:
                    row = AccountWatch(account_id=one.account_id)
                    tx.session.add(row)
                row.tested_at, row.faults, row.problem = moment, list(one.faults), one.problem
                row.red_since = None if one.ok else row.red_since or moment
            silent = {one.account_id: list(one.faults) for one in found if not one.ok}
            body = {"tested": len(found), "silent": silent}
            await tx.append(PROBED, subject="accounts", actor="system", body=body)
