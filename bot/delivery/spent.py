"""What an account has spent: publications by signed entries, other calls by a count a day.

An entry that a call was made and none that it came to nothing is spent, also while nobody knows its
end: the platform may have taken it. No row of a table gives a place back.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from bot.calling import Call
from bot.contract import AccountView
from bot.delivery.once import FINISHED, SETTLED, SUBMITTED
from bot.delivery.wiring import Wiring
from bot.models import CallCount
from bot.noticing import Noticing
from bot.quota import SEND, Act, Use, begins, day_of, standing
from config.clock import now
from ledger.append import Ledger
from ledger.verify import Entry


class Sent:
    """The publications of every account, as the chain tells them (ledger/open_subjects.py)."""

    def __init__(self) -> None:
        """Nothing was read yet."""
        self._at: dict[tuple[str, str], datetime] = {}
        self._out: set[tuple[str, str]] = set()
        self._of: dict[str, set[str]] = {}
        self._apart: set[tuple[str, str]] = set()

    def take(self, entry: Entry) -> None:
        """The next entry; what is out stays out, whatever is said later."""
        # An article of an edition goes out with it: they are one send.
        if entry.kind not in (SUBMITTED, FINISHED, SETTLED) or entry.body.get("edition"):
            return
        release, account = str(entry.body["release"]), str(entry.body["account"])
        key = (account, release)
        if key in self._out:
            return
        if entry.body.get("place") is False:
            self._apart.add(key)
        out = entry.body.get("result") == "published" or entry.body.get("sent") is True
        if out or entry.kind == SUBMITTED:
            self._at.setdefault(key, datetime.fromisoformat(entry.at))
            self._of.setdefault(account, set()).add(release)
            if out:
                self._out.add(key)
        else:
            self._at.pop(key, None)
            self._of.get(account, set()).discard(release)

    def has(self, account_id: str, release_id: str) -> bool:
        """Whether this release has spent a send of the account, as far as anybody knows."""
        return release_id in self._of.get(account_id, ())

    def uses(self, account_id: str, besides: str = "") -> list[Use]:
        """What this account has spent; `besides` is a release that is not counted.

        Nor is what went to some of its people alone, where the platform counts for each of them.
        """
        releases = self._of.get(account_id, set()) - {besides}
        keys = {(account_id, one) for one in releases} - self._apart
        return [Use(SEND, self._at[key]) for key in keys]


async def spent(ledger: Ledger, account_id: str, besides: str = "", age: float = 0.0) -> list[Use]:
    """The publications this account has spent. Raises Broken."""
    return (await ledger.following(Sent, age=age)).uses(account_id, besides)


async def called(
    session: AsyncSession, account_ids: Collection[str], moment: datetime
) -> dict[str, list[Use]]:
    """The other calls of each account on the Beijing day of a moment."""
    day = day_of(moment)
    query = select(CallCount).where(
        CallCount.account_id.in_(account_ids), CallCount.day == day.isoformat()
    )
    found: dict[str, list[Use]] = {one: [] for one in account_ids}
    for row in (await session.scalars(query)).all():
        found[row.account_id].append(Use(row.call, begins(day), _number(row.count)))
    return found


async def note_calls(wiring: Wiring, account: AccountView | str, call: Call) -> None:
    """Count for its Beijing day what an act called, whatever the platform answered (W35)."""
    if not call.made or not isinstance(account, AccountView):
        return
    counted = {one.call for one in wiring.channels[account.platform].limits(account.settings)}
    made = sorted((name, count) for name, count in call.made.items() if name in counted)
    if not made:
        return
    day = day_of(now()).isoformat()
    async with wiring.db.writing() as session:
        for name, count in made:
            row = await session.get(CallCount, (account.id, day, name))
            if row is None:
                session.add(CallCount(account_id=account.id, day=day, call=name, count=count))
            else:
                row.count = _number(row.count) + count


async def note_messages(
    session: AsyncSession, wiring: Wiring, finished: Iterable[tuple[str, Call]]
) -> None:
    """Count for their day the messages to people that a turn called, in its own transaction."""
    counted = {
        name
        for channel in wiring.channels.values()
        if isinstance(channel, Noticing)
        for name in channel.calls
    }
    made: Counter[tuple[str, str]] = Counter()
    # The rows of a digest share one call.
    for account_id, call in {id(one[1]): one for one in finished}.values():
        for name in counted & call.made.keys():
            made[account_id, name] += call.made[name]
    day = day_of(now()).isoformat()
    kind: Any = sqlite if wiring.db.is_sqlite else postgresql
    for (account_id, name), count in sorted(made.items()):
        insert = kind.insert(CallCount).values(
            account_id=account_id, day=day, call=name, count=count
        )
        await session.execute(
            insert.on_conflict_do_update(
                index_elements=["account_id", "day", "call"],
                set_={"count": CallCount.count + insert.excluded.count},
            )
        )


async def full_calls(wiring: Wiring, account: AccountView, calls: Mapping[str, str]) -> set[str]:
    """Which ways of reaching a person have used up their day; a tenth is kept for answers (W35)."""
    limits = wiring.channels[account.platform].limits(account.settings)
    told = [one for one in limits if one.act is Act.MESSAGE]
    asked = [replace(one, most=one.most - one.most // 10) for one in told]
    if not asked:
        return set()
    moment = now()
    async with wiring.db.session() as session:
        used = (await called(session, [account.id], moment))[account.id]
    return {calls[one.limit.call] for one in standing(asked, used, moment) if not one.left}


def _number(count: object) -> int:
    """What somebody wrote there past this program, and is no number, keeps nobody waiting."""
    return count if isinstance(count, int) else 0
