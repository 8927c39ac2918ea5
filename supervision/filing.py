"""备案: an account is filed within five working days of its opening, and again of its end (B6).

The clock begins with the signed entry that opened or ended it. What an office began with was filed
before it came here: nobody is called late for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from bot.account_entries import SET
from bot.models import Account
from config.clock import beijing, now
from ledger.append import Ledger
from ledger.verify import Entry
from review_queue.governance.account_closing import CANCELLED, CLOSING, NUMBER, STEPS
from review_queue.governance.account_closing import FILED as CLOSING_FILED
from staff.incidents import settled
from staff.people import person_with
from staff.proposals import APPROVERS
from staff.refusal import Reason, Refused, missing
from staff.standing import all_facts_or_refuse

FILED = "account.filed"
OVERDUE = "filing_overdue"
WITHIN = 5  # working days
OPENING, ENDING = "开办备案", STEPS[CLOSING_FILED]

WorkingDay = Callable[[date], bool]


@dataclass(frozen=True)
class Filing:
    """One filing that is owed or done; `number` is empty until it is done."""

    what: str
    due: date
    number: str = ""

    def late(self, today: date) -> bool:
        """Whether it should have been done before today."""
        return not self.number and today > self.due

    def words(self, today: date) -> str:
        """How it stands, in Chinese."""
        if self.number:
            return f"{self.what} {self.number}"
        limit = f"{self.due.month}月{self.due.day}日"
        return f"{self.what}应在 {limit}前办完，{'已超时' if self.late(today) else '还没有登记'}"


def filings(told: Sequence[Entry], working: WorkingDay) -> list[Filing]:
    """What is owed and done, from the signed entries about one account."""
    found = []
    number = next((str(one.body["number"]) for one in reversed(told) if one.kind == FILED), "")
    first = next((one for one in told if one.kind == SET), None)
    if first is not None and (number or "proposal" in first.body):
        found.append(Filing(OPENING, due_after(_day(first), working), number))
    steps = {str(one.body["step"]): one for one in told if one.kind == CLOSING}
    if CANCELLED in steps:
        proof = str(steps[CLOSING_FILED].body["proof"]) if CLOSING_FILED in steps else ""
        cancelled = date.fromisoformat(str(steps[CANCELLED].body["proof"]))
        found.append(Filing(ENDING, due_after(cancelled, working), proof))
    return found


def due_after(day: date, working: WorkingDay) -> date:
    """The last of the working days that follow a day."""
    left = WITHIN
    while left:
        day += timedelta(days=1)
        left -= working(day)
    return day


def _day(entry: Entry) -> date:
    return beijing(datetime.fromisoformat(entry.at)).date()


def filing_words(told: Sequence[Entry], working: WorkingDay) -> str:
    """How the filings of an account stand; empty when none is owed."""
    today = beijing(now()).date()
    return "；".join(one.words(today) for one in filings(told, working))


async def file_account(ledger: Ledger, slug: str, number: str, by: str) -> None:
    """Sign the number under which an account is filed; the newest counts. Refused 403, 404, 422."""
    async with ledger.transaction() as tx:
        await person_with(tx.session, by, APPROVERS)
        found = select(Account.id).where(Account.slug == slug)
        account_id = (await tx.session.scalars(found)).first()
        if account_id is None:
            raise missing("个账号")
        if not NUMBER.fullmatch(number.strip()):
            words = "请写开办备案的编号，2 到 40 个字，不写姓名和电话"
            raise Refused(422, [Reason("number", words)])
        told = (await all_facts_or_refuse(tx.session, [f"account:{account_id}"])).popitem()[1]
        body = {"account": account_id, "slug": slug, "number": number.strip()}
        subject = f"account:{account_id}"
        await tx.append(FILED, subject=subject, actor=by, body=body)
        steps = {one.body["step"] for one in told if one.kind == CLOSING}
        if CANCELLED not in steps or CLOSING_FILED in steps:
            words = f"已登记备案编号 {number.strip()}"
            await settled(tx, OVERDUE, subject=subject, by=by, words=words)


async def tell_late(ledger: Ledger, working: WorkingDay) -> int:
    """Tell of each filing that is overdue; how many are. What is mended closes by itself."""
    today, late = beijing(now()).date(), 0
    async with ledger.db.session() as session:
        rows = (await session.scalars(select(Account).order_by(Account.slug))).all()
        told = await all_facts_or_refuse(session, [f"account:{row.id}" for row in rows])
    for row in rows:
        subject = f"account:{row.id}"
        owed = [one for one in filings(told[subject], working) if one.late(today)]
        for one in owed:
            late += 1
            words = f"账号“{row.name}”{one.words(today)}：请办理，再登记编号，登记后自动关闭"
            await ledger.open_incident(OVERDUE, subject=subject, message=words, detail={})
        if not owed and (await ledger.incidents()).find((OVERDUE, subject)) is not None:
            async with ledger.transaction() as tx:
                await settled(tx, OVERDUE, subject=subject, by="system", words="备案编号已登记")
    return late
