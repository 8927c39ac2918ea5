"""Who is active with which roles now: asked of signed entries, wherever somebody acts.

Tables serve lists. A role written into a row past this program counts for nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from ledger.append import Ledger, signed_facts
from ledger.verify import Broken, Entry
from staff.refusal import Reason, Refused

FRESH = 1.0
"""Seconds for which a page believes what it read of somebody's standing; acts ask anew."""
RESET = "staff.reset"
CONFIRMED = "staff.confirmed"
WAITING = Reason(
    "unconfirmed",
    "您的登录是别人新给的，本人身份还没有确认：请先改成自己的密码，再请另一位管理员当面确认",
)


@dataclass(frozen=True)
class Standing:
    """Whether somebody works here now, and what they may do.

    `held` are the roles given to them. While `waiting` (a login somebody else made for them, not
    yet confirmed in person) none of these counts: they may look, and not act.
    """

    active: bool = False
    held: frozenset[str] = frozenset()
    waiting: bool = False

    @property
    def roles(self) -> frozenset[str]:
        """The roles that count for what this person does now."""
        return frozenset() if self.waiting else self.held


NOBODY = Standing()


@dataclass(frozen=True)
class Handover:
    """Who made a login for somebody: they know or knew part of it, so they confirm nobody with it.

    `givers` proposed and approved it; `settled` says that it was confirmed since, `changed` that
    the person has set a password of their own since.
    """

    seq: int
    approved_by: str
    givers: frozenset[str] = field(default_factory=frozenset)
    changed: bool = False
    settled: bool = False


def handover_in(entries: Iterable[Entry], before: int | None = None) -> Handover | None:
    """The last login made for the person of these entries, as it stood at entry `before`."""
    found: Handover | None = None
    for entry in entries:
        if before is not None and entry.seq >= before:
            break
        if entry.kind == RESET:
            given = frozenset({entry.actor, str(entry.body["proposed_by"])})
            found = Handover(entry.seq, entry.actor, given)
        elif found is not None:
            found = _followed(found, entry)
    return found


def _followed(one: Handover, entry: Entry) -> Handover:
    owner = entry.subject.removeprefix("staff:")
    changed = one.changed or (entry.kind == "staff.password_changed" and entry.actor == owner)
    # Neither the person nor who handed the login over can say that it is in the right hands.
    said = entry.kind == CONFIRMED and entry.actor not in (owner, one.approved_by)
    return Handover(one.seq, one.approved_by, one.givers, changed, one.settled or said)


def standing_in(entries: Sequence[Entry], before: int | None = None) -> Standing:
    """The standing that the last signed word about a person gave them at entry `before` (now)."""
    told = [
        entry
        for entry in entries
        if entry.kind == "staff.set" and (before is None or entry.seq < before)
    ]
    # The last word before the moment counts: rights given later heal nothing done without them.
    if not told or not told[-1].body["active"]:
        return NOBODY
    handed = handover_in(entries, before)
    waiting = handed is not None and not handed.settled
    return Standing(active=True, held=frozenset(told[-1].body["roles"]), waiting=waiting)


def roles_at(entries: Sequence[Entry], seq: int) -> frozenset[str]:
    """The roles that counted for a person when entry `seq` was written, from signed entries."""
    return standing_in(entries, seq).roles


async def standing(ledger: Ledger, staff_id: str, *, age: float = 0.0) -> Standing:
    """Somebody's standing from the signed ledger; nobody's for an unknown id. Raises Broken."""
    return standing_in(await ledger.facts(f"staff:{staff_id}", age=age))


async def standing_of(session: AsyncSession, staff_id: str) -> Standing:
    """The same inside a transaction, as every act asks it; Refused (409) when the chain breaks."""
    return standing_in(await facts_or_refuse(session, f"staff:{staff_id}"))


async def facts_or_refuse(session: AsyncSession, subject: str) -> list[Entry]:
    """The signed entries about `subject`; Refused (409) when the ledger does not hold."""
    return (await all_facts_or_refuse(session, [subject]))[subject]


async def all_facts_or_refuse(
    session: AsyncSession, subjects: Sequence[str]
) -> dict[str, list[Entry]]:
    """The same about several subjects, with one query."""
    try:
        return await signed_facts(session, subjects)
    except Broken as broken:
        words = f"台账核验不通过，暂时不能办理：{broken}"
        raise Refused(409, [Reason("ledger", words)]) from broken
