"""What is asked often, remembered shortly: verified releases, opened accounts, stop switches."""

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from typing import TypeVar

from sqlalchemy import select

from bot.contract import AccountView, NotReleased, Outcome, Release, State, Still, Withheld
from bot.delivery.massed import to_everybody
from bot.delivery.mended import Going, going, halted
from bot.delivery.once import OVER, RELEASE_HOLD, recalled, told_of
from bot.delivery.spent import full_calls
from bot.delivery.wiring import Wiring
from bot.models import Account, Publication
from bot.noticing import Noticing, notices
from ledger.changed import row_changed
from ledger.stops import stopped_in, stopped_now, switches
from ledger.verify import Broken
from storage.switches import Switch

VERIFY_FOR = 1.0  # seconds one verification serves the same push, if nothing is signed meanwhile
ELSEWHERE = 0.1
"""Seconds within which what another process signed is seen; our own counts at once."""
FULL_FOR = 5.0  # seconds for which a count of the day is good: a tenth of it is kept free
NAMES_FOR = 5.0  # seconds for which the list of accounts, and with it of their switches, is good
SWITCHES = ("publishing", "push", "answers")
Known = TypeVar("Known")


class Recent:
    """One a process, given to whoever publishes and to whoever sends."""

    def __init__(self, wiring: Wiring) -> None:
        """Nothing is known yet."""
        self._w = wiring
        self._verifying = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._verified: dict[str, tuple[float, int, Release | NotReleased]] = {}
        self._opened: dict[str, tuple[float, AccountView | str]] = {}
        self._finished: dict[str, tuple[float, bool]] = {}
        self._names: tuple[float, list[str]] = (0.0, [])
        self._may_go: dict[tuple[str, str], tuple[int, float]] = {}
        self._massed: dict[str, tuple[float, bool]] = {}
        self._full: dict[str, tuple[float, frozenset[str]]] = {}

    async def by_mass(self, channel: Noticing, publication_id: str | None) -> bool:
        """Whether this publication went to everybody by a mass send; what stood stands."""
        if not publication_id:
            return False
        if (known := _fresh(self._massed, publication_id)) is not None:
            return known
        async with self._w.db.session() as session:
            query = select(Publication.item_id).where(Publication.id == publication_id)
            item_id = await session.scalar(query)
        try:
            entries = await self._w.ledger.facts(f"item:{item_id}", age=ELSEWHERE)
        except Broken:  # then no release verifies, and nothing is sent
            return False
        found = to_everybody(entries, publication_id, channel.by_mass)
        self._massed[publication_id] = (math.inf, found)
        return found

    async def full(self, channel: Noticing, account: AccountView) -> frozenset[str]:
        """Which ways of reaching a person have no room today."""
        if (known := _fresh(self._full, account.id)) is not None:
            return known
        found = frozenset(await full_calls(self._w, account, channel.calls))
        self._full[account.id] = (time.monotonic() + FULL_FOR, found)
        return found

    async def release(self, release_id: str) -> Release | NotReleased:
        """Verified at most VERIFY_FOR seconds ago, and nothing signed about its item since."""
        if (known := await self._verified_of(release_id)) is not None:
            return known
        # One lock for all: eight messages of one push would otherwise verify it eight times.
        async with self._verifying:
            if (known := await self._verified_of(release_id)) is not None:
                return known
            proof: Release | NotReleased
            try:
                proof = await self._w.verify(release_id)
            except NotReleased as refused:
                proof = refused
            if isinstance(proof, Release) and await self.recalled(proof.item_id):
                proof = NotReleased(["这一稿件已被撤回"])  # while it was being proved
            signed = await self._signed(proof)
            self._verified[release_id] = (time.monotonic() + VERIFY_FOR, signed, proof)
        return proof

    async def _verified_of(self, release_id: str) -> Release | NotReleased | None:
        found = self._verified.get(release_id)
        if found is None or found[0] < time.monotonic():
            return None
        return found[2] if found[1] == await self._signed(found[2]) else None

    async def _signed(self, proof: Release | NotReleased) -> int:
        """How many entries stand about the item of a release."""
        if isinstance(proof, NotReleased):
            return 0
        try:
            return len(await self._w.ledger.facts(f"item:{proof.item_id}", age=ELSEWHERE))
        except Broken:
            return -1

    def still(self, release: Release, account_id: str) -> Still:
        """What is asked directly before a message of this release leaves through this account."""

        async def still() -> None:
            seen = self._seen(release.id)
            if seen is not None and self._may_go.get((release.id, account_id)) == seen:
                return  # nothing at all was signed since it was asked, and the proof is as fresh
            mine = ("push", f"account:{account_id}")
            if await stopped_now(self._w.ledger, *mine, age=ELSEWHERE):
                words = "已按开关停止推送"
                raise Withheld(Outcome(State.RETRYING, reason=words, retry_after=30.0))
            proof = await self.release(release.id)
            if isinstance(proof, NotReleased):
                raise Withheld(not_released(proof))
            if stop := halted(await self.going(release.item_id, account_id)):
                raise Withheld(stop)
            if seen is not None:  # as it was before the questions
                self._may_go[release.id, account_id] = seen

        return still

    def _seen(self, release_id: str) -> tuple[int, float] | None:
        """Up to which entry was read, and until when this release is verified; None: it is not."""
        proof, entry = self._verified.get(release_id), self._w.ledger.seen(ELSEWHERE)
        if proof is None or entry is None or proof[0] < time.monotonic():
            return None
        return entry, proof[0]

    async def going(self, item_id: str, account_id: str) -> Going:
        """How far the push of an item through an account may go, by what is signed."""
        try:
            return going(await self._w.ledger.facts(f"item:{item_id}", age=ELSEWHERE), account_id)
        except Broken:  # then no release verifies either
            return Going.PAUSED

    async def recalled(self, item_id: str) -> bool:
        """Whether a signed recall stands, as far as this process knows."""
        try:
            return recalled(await self._w.ledger.facts(f"item:{item_id}", age=ELSEWHERE))
        except Broken:
            return False

    async def link(self, item_id: str, publication_id: str) -> str:
        """The address of what was published, as it was signed, or empty."""
        try:
            told = told_of(await self._w.ledger.facts(f"item:{item_id}", age=ELSEWHERE))
        except Broken:
            return ""
        return told[publication_id].url if publication_id in told else ""

    async def finished(self, publication_id: str) -> bool:
        """Whether the signed end of this push stands; what stood once stands for ever."""
        if (known := _fresh(self._finished, publication_id)) is not None:
            return known
        async with self._verifying:
            if (known := _fresh(self._finished, publication_id)) is not None:
                return known
            found = await self._w.finished(publication_id)
            until = math.inf if found else time.monotonic() + VERIFY_FOR
            self._finished[publication_id] = (until, found)
        return found

    async def account(self, account_id: str) -> AccountView | str:
        """The opened account, or why it cannot be used."""
        if (known := _fresh(self._opened, account_id)) is not None:
            return known
        # One lock here too: a batch of one push would otherwise open it once a message.
        async with self._opening:
            if (known := _fresh(self._opened, account_id)) is not None:
                return known
            try:
                view: AccountView | str = await self._w.open_account(account_id)
            except (LookupError, ValueError) as error:
                view = str(error)
            self._opened[account_id] = (time.monotonic() + VERIFY_FOR, view)
        return view

    async def stops(self) -> frozenset[str]:
        """Names of the switches that are off, by the newest signed entry of each."""
        if self._names[0] < time.monotonic():
            self._names = (time.monotonic() + NAMES_FOR, await self._look_at_table())
        return await stopped_now(self._w.ledger, *self._names[1], age=ELSEWHERE)

    async def _look_at_table(self) -> list[str]:
        """Every switch there can be; one whose row says something else opens an incident."""
        async with self._w.db.session() as session:
            accounts = (await session.scalars(select(Account.id))).all()
            query = select(Switch.name, Switch.stopped)
            rows = {row.name: row.stopped for row in (await session.execute(query)).all()}
        names = [*SWITCHES, *(f"account:{one}" for one in accounts)]
        # After the rows: a switch that was turned in between is signed by now.
        try:
            off = stopped_in(await self._w.ledger.facts_of(switches([*names, *rows])))
            for name in {"all", *names, *rows}:
                if rows.get(name, False) != (name in off):
                    await self._differs(name)
        except Broken:  # then the ledger's own incident says what is wrong
            pass
        return names

    async def _differs(self, name: str) -> None:
        """Asked once more, entry and row: one may have been on its way a moment ago."""
        off = name in stopped_in(await self._w.ledger.facts_of(switches([name])))
        async with self._w.db.session() as session:
            row = await session.get(Switch, name)
        if (row is not None and row.stopped) != off:
            await row_changed(self._w.ledger, "switch", name)

    def has_notices(self, account_id: str) -> bool:
        """Whether an account may send notices: its platform never changes, once it is known."""
        known = self._opened.get(account_id)
        view = known[1] if known is not None else None
        return not isinstance(view, AccountView) or notices(self._w.channels[view.platform])

    def forget_account(self, account_id: str) -> None:
        """Open it anew, and at once."""
        self._opened.pop(account_id, None)


def not_released(refused: NotReleased) -> Outcome:
    """What a message comes to whose release is not proved now: held for a person, or too late."""
    if refused.over:
        words = "推送时限在对方选定的时间以前结束，没有发送"
        return Outcome(State.ENDED, reason=words, code=OVER)
    return Outcome(State.HELD, reason="；".join(refused.reasons), code=RELEASE_HOLD)


def _fresh(known: Mapping[str, tuple[float, Known]], key: str) -> Known | None:
    found = known.get(key)
    return None if found is None or found[0] < time.monotonic() else found[1]


def stopped_accounts(stops: Iterable[str]) -> list[str]:
    """Ids of the accounts that are stopped one by one."""
    return [name.removeprefix("account:") for name in stops if name.startswith("account:")]
