"""试一下: an account tried as it stands, what came of it signed, and a message to oneself.

The entry `account.tested` names the parts that did not work and holds none of their words.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bot.models import Account
from bot.trial import Look
from ledger.append import Ledger
from ledger.verify import Entry
from staff.refusal import Reason, Refused, missing
from storage.cache import Cache
from storage.database import Database
from supervision.road import UNUSABLE, Road
from supervision.selftest import Answered, SelfTest, speak

TESTED = "account.tested"
ONESELF = "给自己发一条"
_TRIES, _TRIES_IN = 10, 600

ToOneself = Callable[[str, Account], Awaitable[str]]
"""Sends the person a message by the account; why it did not arrive, or an empty text."""


@dataclass(frozen=True)
class Tested:
    """The last time somebody tried an account: when, who, and which parts did not work."""

    at: datetime
    by: str
    faults: Sequence[str]


def last_test(told: Sequence[Entry]) -> Tested | None:
    """From the signed entries about one account; None when nobody ever tried it."""
    for one in reversed(told):
        if one.kind == TESTED:
            faults = [str(name) for name in one.body["faults"]]
            return Tested(datetime.fromisoformat(str(one.at)), one.actor, faults)
    return None


class Trials:
    """Tries accounts for people who may."""

    def __init__(self, ledger: Ledger, cache: Cache, road: Road, to_oneself: ToOneself) -> None:
        """`cache` counts how often; `to_oneself` sends by the ways a person entered."""
        self._ledger = ledger
        self._cache = cache
        self._road = road
        self._to_oneself = to_oneself

    @property
    def selftest(self) -> SelfTest:
        """What speaks to the accounts every day."""
        return SelfTest(self._ledger, self._road)

    async def selftest_now(self, slug: str) -> Answered:
        """One account at the asking of a person; Refused 404, or 429 when too often."""
        await self._not_too_often(slug)
        account = await account_of(self._ledger.db, slug)
        found = await self.selftest.run([slug])
        return found[0] if found else Answered(account.id, account.name, problem="账号已停用")

    async def _not_too_often(self, slug: str) -> None:
        if await self._cache.count(f"account-test:{slug}", _TRIES_IN) > _TRIES:
            words = f"{_TRIES_IN // 60} 分钟内最多试 {_TRIES} 次，请稍后再试"
            raise Refused(429, [Reason("wait", words)])

    async def try_now(self, slug: str, by: str) -> list[Look]:
        """Every part, and a message to whoever asks; signed. Refused 404, or 429 when too often."""
        await self._not_too_often(slug)
        account = await account_of(self._ledger.db, slug)
        found = await self._road.looks(account)
        if found[0].name != UNUSABLE:
            found.append((await speak(self._road, account)).look)
            why = await self._to_oneself(by, account)
            found.append(Look(ONESELF, ok=not why, words=why or "已发出，请在手机上看"))
        faults = [one.name for one in found if not one.ok]
        body = {"account": account.id, "slug": slug, "faults": faults}
        async with self._ledger.transaction() as tx:
            await tx.append(TESTED, subject=f"account:{account.id}", actor=by, body=body)
        return found


async def account_of(db: Database, slug: str) -> Account:
    """The account of that name; Refused 404."""
    async with db.session() as session:
        row = (await session.scalars(select(Account).where(Account.slug == slug))).first()
    if row is None:
        raise missing("个账号")
    return row
