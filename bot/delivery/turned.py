"""What one turn of the sender did, so that what follows it is done once and strands nothing."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.delivery.digested import note_digests
from bot.delivery.failures import tell_failures
from bot.delivery.notifying import settle
from bot.delivery.outbox import Work, Wrong, write_outcomes
from bot.delivery.rests import rest, tells_rest
from bot.delivery.spent import note_messages
from bot.delivery.wiring import Wiring
from bot.models import Attempt
from storage.away import surely
from storage.database import Database


@dataclass
class Turned:
    """What a turn of the sender claimed, and what staff hear of it once it stands."""

    claimed: list[Work] = field(default_factory=list)
    tells: list[Callable[[], Awaitable[object]]] = field(default_factory=list)
    again: bool = False
    """Whether it is tried once more: what it wrote may stand already."""
    apart: bool = False
    """Whether one row is claimed after the other, because one of them cannot be read."""

    def add_paused(self, wiring: Wiring, news: Iterable[tuple[str, str, str]]) -> None:
        """To be told: notice templates that were refused to everybody."""
        for account_id, template, words in news:
            subject = f"account:{account_id}:{template}"
            told = f"订阅通知模板 {template} 停用：{words}。这期间改用别的送达方式"
            self.tells.append(partial(wiring.on_incident, "notice_template", subject, told))

    def add(
        self,
        wiring: Wiring,
        finished: Sequence[Work],
        wrong: Iterable[Wrong],
        refused: Mapping[str, str],
    ) -> None:
        """To be told: rows written past this program, failures, and accounts refused."""
        self.tells += [partial(wiring.on_changed, one.table, one.id) for one in wrong]
        self.tells.append(partial(tell_failures, wiring, finished))
        self.tells += [
            partial(wiring.on_incident, "account_refused", f"account:{account_id}", reason)
            for account_id, reason in refused.items()
        ]

    async def tell(self) -> None:
        """Apart from what stands: while a neighbour is away only this is tried again."""
        while self.tells:
            await surely(self.tells[0])
            del self.tells[0]


async def unwritten(session: AsyncSession, finished: Sequence[Work]) -> list[Work]:
    """Those whose outcome does not stand: the answer to a commit may be lost, and not the commit.

    A row whose outcome stands may be on its way again, and its window has counted it.
    """
    query = select(Attempt.id).where(
        Attempt.id.in_([one.attempt_id for one in finished]),
        Attempt.state.not_in((State.SENDING, State.UNKNOWN)),
    )
    stand = set(await session.scalars(query))
    return [one for one in finished if one.attempt_id not in stand]


def begin(
    db: Database, finished: Sequence[Work]
) -> AbstractAsyncContextManager[AsyncSession, bool | None]:
    """The transaction of a turn; under the write lock when an account was told to wait."""
    told = any(tells_rest(one.outcome) for one in finished)
    return db.writing() if told else db.session()


async def write(
    session: AsyncSession, wiring: Wiring, finished: Sequence[Work], owner: str
) -> list[tuple[str, str, str]]:
    """What became of each call, and how long their accounts rest.

    Notice templates that nobody is sent from now on: account, template, why.
    """
    if not finished:
        return []
    news = await settle(session, finished)
    await write_outcomes(session, finished, wiring.contacts, owner)
    await note_messages(session, wiring, [(one.account_id, one.call) for one in finished])
    await note_digests(session, finished)
    for work in finished:
        await rest(session, work.account_id, work.outcome)
    return news
