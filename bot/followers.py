"""Contacts held against the platform's list of followers: page by page, on from where it stopped.

An event that never came is made good: who follows is a contact, and who is not in the whole list
any more has left, with the day. Nobody's window opens by it, and nobody is written to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import func, or_, select, update

from bot.calling import watch
from bot.contacts import ERASED, UNFOLLOWED
from bot.contract import AccountView
from bot.delivery.spent import called, note_calls
from bot.delivery.wiring import Wiring
from bot.listing import Listed, Listing, NotListed
from bot.models import Account, Contact, FollowerRun
from bot.quota import Act, full, used_up
from config.clock import beijing, now

COMPARED = "followers.compared"
"""The entry at the end of a run: counts, and nobody's name."""
FROM = time(3)
"""When the day's run may begin, in Beijing."""
AGAIN = timedelta(hours=1)
"""After a refusal of the platform."""
A_STEP = 500
"""People in one transaction; the run goes on behind the last of them."""
A_TURN = 5
"""Pages of one account in a turn of the job: the other accounts have theirs."""
ALL_PAGES = 10_000
NEARLY = 0.99
"""Of the platform's own total so many must have been read before anybody is called gone."""
GONE = "平台的关注名单里已没有对方（{day}核对）"
_NO_LIST = "这个平台不提供关注名单"
_SHORT = "平台说有 {total} 人关注，名单只读到 {listed} 人：这次没有把任何人记为离开，明天再读"


@dataclass(frozen=True)
class Compared:
    """How far a run came, in counts; `ended` when the whole list was read."""

    listed: int = 0
    made: int = 0
    back: int = 0
    gone: int = 0
    ended: bool = False
    problem: str = ""

    @property
    def words(self) -> str:
        """One line for a person."""
        counts = f"名单 {self.listed} 人，新增 {self.made}，恢复 {self.back}，离开 {self.gone}"
        state = "" if self.ended else "；还没有读完，下次从停下的地方继续"
        return f"{counts}{state}" + (f"。{self.problem}" if self.problem else "")


@dataclass(frozen=True)
class _Known:
    """Whom a step may add: who was forgotten at their wish is not made again by a list."""

    erased: datetime | None
    since: Mapping[str, datetime]

    def may_be_made(self, address: str) -> bool:
        if self.erased is None:
            return True
        followed = self.since.get(address)
        return followed is not None and followed > self.erased


@dataclass(frozen=True)
class Followers:
    """Reads the lists; any process may, and of two at once one reads each step."""

    wiring: Wiring

    async def compare_due(self) -> int:
        """Go on with runs that stopped, and begin those of the day; how many accounts."""
        async with self.wiring.db.session() as session:
            query = select(Account.id, Account.platform).where(Account.enabled.is_(True))
            rows = (await session.execute(query)).all()
            runs = {one.account_id: one for one in await session.scalars(select(FollowerRun))}
        due = [
            row.id
            for row in rows
            if isinstance(self.wiring.channels.get(row.platform), Listing)
            and _due(runs.get(row.id))
        ]
        for account_id in due:
            await self.compare(account_id, A_TURN)
        return len(due)

    async def compare(self, account_id: str, pages: int = ALL_PAGES) -> Compared:
        """Read on for so many pages, or to the end."""
        try:
            account = await self.wiring.open_account(account_id)
        except (LookupError, ValueError) as error:
            return Compared(problem=str(error))
        channel = self.wiring.channels[account.platform]
        if not isinstance(channel, Listing):
            return Compared(problem=_NO_LIST)
        await self._open(account_id)
        for _ in range(pages):
            if not await self._page(account, channel):
                break
        async with self.wiring.db.session() as session:
            run = await session.get_one(FollowerRun, account_id)
        counts = (run.listed, run.made, run.back, run.gone)
        return Compared(*counts, run.ended is not None, run.problem)

    async def _open(self, account_id: str) -> None:
        """A run that stopped goes on; after one that ended a new one begins."""
        async with self.wiring.db.writing() as session:
            run = await session.get(FollowerRun, account_id)
            if run is None:
                run = FollowerRun(account_id=account_id, began=now(), tried=now(), after="")
                session.add(run)
            broken = self._cursor(run) is None
            if run.ended is not None or broken:
                run.began, run.after, run.ended, run.total = now(), "", None, 0
                run.listed = run.made = run.back = run.gone = 0
            run.tried, run.problem = now(), ""

    def _cursor(self, run: FollowerRun) -> str | None:
        """Behind whom the run goes on; None when somebody wrote over it."""
        try:
            return self.wiring.contacts.open_cursor(run.account_id, run.after)
        except ValueError:
            return None

    async def _page(self, account: AccountView, channel: Listing) -> bool:
        """Read and keep one page; whether there may be another."""
        async with self.wiring.db.session() as session:
            run = await session.get_one(FollowerRun, account.id)
        after = self._cursor(run)
        call = watch()
        try:
            await self._room(account)
            page = await channel.followers(account, after or "")
            known = await self._since(account, channel, page.people)
        except NotListed as refused:
            await self._stopped(account.id, str(refused))
            return False
        finally:
            await note_calls(self.wiring, account, call)
        if not page.people:
            await self._end(run, page)
            return False
        for start in range(0, len(page.people), A_STEP):
            step = page.people[start : start + A_STEP]
            if not await self._step(run, step, known):
                return False
            async with self.wiring.db.session() as session:
                run = await session.get_one(FollowerRun, account.id)
        return True

    async def _room(self, account: AccountView) -> None:
        limits = self.wiring.channels[account.platform].limits(account.settings)
        asked = [one for one in limits if one.act is Act.LIST]
        async with self.wiring.db.session() as session:
            uses = (await called(session, [account.id], now()))[account.id]
        if (shut := full(asked, uses, now())) is not None:
            raise NotListed(f"{used_up(shut)}，明天接着读")

    async def _since(self, account: AccountView, channel: Listing, people: Sequence[str]) -> _Known:
        """Since when those follow whom nobody here knows, where somebody was ever forgotten."""
        async with self.wiring.db.session() as session:
            forgotten = (Contact.account_id == account.id, Contact.ended_reason == ERASED)
            query = select(func.count(), func.max(Contact.ended_at)).where(*forgotten)
            count, erased = (await session.execute(query)).one()
            if not count or not people:
                return _Known(None, {})
            hashes = await self.wiring.contacts.found(session, account.id, people)
        unknown = [one for one in people if one not in hashes]
        return _Known(erased or now(), await channel.followed_at(account, unknown))

    async def _stopped(self, account_id: str, problem: str) -> None:
        async with self.wiring.db.session() as session:
            mine = update(FollowerRun).where(FollowerRun.account_id == account_id)
            await session.execute(mine.values(problem=problem, tried=now()))

    async def _step(self, was: FollowerRun, people: Sequence[str], known: _Known) -> bool:
        """Keep some of a page; False when another process reads this list as well."""
        contacts = self.wiring.contacts
        async with self.wiring.db.writing() as session:
            run = await session.get_one(FollowerRun, was.account_id)
            if (run.after, run.began) != (was.after, was.began):
                return False
            there = await contacts.found(session, run.account_id, people)
            ids = [one.id for one in there.values()]
            seen = update(Contact).where(Contact.id.in_(ids)).values(listed_at=run.began)
            await session.execute(seen)
            back = [one.id for one in there.values() if _returned(one, run.began)]
            await contacts.back(session, back)
            new = [one for one in people if one not in there and known.may_be_made(one)]
            for address in new:
                made = contacts.new(run.account_id, address)
                made.listed_at = run.began
                session.add(made)
            run.listed += len(people)
            run.made, run.back = run.made + len(new), run.back + len(back)
            run.after = contacts.seal_cursor(run.account_id, people[-1])
        return True

    async def _end(self, was: FollowerRun, page: Listed) -> None:
        """The whole list was read: who is not in it has left."""
        short = was.listed < page.total * NEARLY
        while not short and await self._leave(was):
            pass
        async with self.wiring.ledger.transaction() as tx:
            run = await tx.session.get_one(FollowerRun, was.account_id)
            if run.ended is not None:
                return
            run.ended, run.total, run.after = now(), page.total, ""
            told = {"listed": run.listed, "made": run.made, "back": run.back, "gone": run.gone}
            if short:
                run.problem = _SHORT.format(total=page.total, listed=run.listed)
            body = {**told, "total": page.total}
            await tx.append(
                COMPARED, subject=f"account:{run.account_id}", actor="system", body=body
            )
        if short:
            subject = f"account:{was.account_id}:followers"
            await self.wiring.on_incident("account_notice", subject, run.problem)

    async def _leave(self, was: FollowerRun) -> int:
        """End some of those who are not in the list and did nothing since it was begun."""
        words = GONE.format(day=f"{beijing(now()):%Y年%m月%d日}")
        early = [
            or_(column.is_(None), column < was.began)
            for column in (Contact.listed_at, Contact.last_inbound_at, Contact.brief_at)
        ]
        async with self.wiring.db.writing() as session:
            query = select(Contact.id).where(
                Contact.account_id == was.account_id,
                Contact.state == "active",
                Contact.created_at < was.began,
                *early,
            )
            gone = (await session.scalars(query.limit(A_STEP))).all()
            for contact_id in gone:
                await self.wiring.contacts.end(session, contact_id, words)
            run = await session.get_one(FollowerRun, was.account_id)
            run.gone += len(gone)
        return len(gone)


def _returned(contact: Contact, began: datetime) -> bool:
    """Whether a contact that had left is back: it left before this list was begun."""
    left = contact.ended_reason == UNFOLLOWED or contact.ended_reason.startswith(GONE[:12])
    early = contact.ended_at is None or contact.ended_at < began
    return contact.state != "active" and left and early


def _due(run: FollowerRun | None) -> bool:
    moment = beijing(now())
    if run is None:
        return moment.time() >= FROM
    if run.ended is None:
        return not run.problem or now() >= run.tried + AGAIN
    return beijing(run.began).date() < moment.date() and moment.time() >= FROM
