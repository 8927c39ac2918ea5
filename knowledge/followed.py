"""What becomes of single policies: changed, ended, or an application that closes soon.

`await policies_now(ledger, ids, day)` says it of each from signed entries and compared rows alone;
`PolicyNames` knows their titles between turns of a conversation, for whoever names one.
"""

import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select

from gates.policies import title_key
from knowledge.models import Clause
from knowledge.proof import (
    CLAUSE_COLUMNS,
    SUBJECT,
    SignedPolicy,
    Verified,
    clause_hash,
    compared,
    policies_in,
    signed_policies,
    successor_of,
)
from knowledge.validity import CITABLE, day_after, life_of, policy_status
from ledger.append import Ledger
from ledger.verify import Broken

AMENDED, ENDED, CLOSING = "amended", "ended", "closing"
SOON = timedelta(days=3)
"""How long before its last day an application is told of."""
MOST_FOUND = 5
_WRITTEN = re.compile(r"(?:(\d{4})年)?(\d{1,2})月(\d{1,2})日")


@dataclass(frozen=True)
class PolicyNow:
    """One policy as it stands on a day; `events` are what is so of it, as amended:2026-05-01."""

    policy: SignedPolicy
    status: str
    ended_on: str
    successor: SignedPolicy | None
    events: tuple[str, ...]

    @property
    def citable(self) -> bool:
        """Whether it is in force."""
        return self.status in CITABLE


async def policies_now(ledger: Ledger, ids: Collection[str], day: date) -> dict[str, PolicyNow]:
    """Those of these policies whose rows are what was signed, by id. Raises Broken."""
    signed = await signed_policies(ledger)
    wanted = {one: signed[one] for one in ids if one in signed and signed[one].state == "active"}
    if not wanted:
        return {}
    library = replace(await compared(ledger, wanted), signed=signed)
    query = select(*CLAUSE_COLUMNS).where(Clause.policy_id.in_(wanted))
    rows = await ledger.db.read(lambda session: session.execute(query).all())
    true = [row for row in rows if library.clauses.get(row.id) == (row.policy_id, clause_hash(row))]
    return {
        one: _now(library, policy, [row for row in true if row.policy_id == one], day)
        for one, policy in library.policies.items()
    }


def _now(
    library: Verified, policy: SignedPolicy, clauses: Iterable[object], day: date
) -> PolicyNow:
    status = policy_status(policy, day)
    ended = _ended_on(policy, status)
    if status in CITABLE:
        events = [*_amended(policy, clauses, day), *_closing(library, policy, day)]
    else:
        events = [f"{ENDED}:{ended}"] if status in ("repealed", "expired") else []
    successor = successor_of(policy, library, day)
    return PolicyNow(policy, status, ended, successor, tuple(events))


def _ended_on(policy: SignedPolicy, status: str) -> str:
    """The first day without it, or an empty text where nobody wrote it down."""
    if status == "repealed":
        return policy.repealed_on or ""
    last = life_of(policy).effective_to
    gone = day_after(last) if last is not None and status == "expired" else None
    return gone.isoformat() if gone is not None else ""


def _amended(policy: SignedPolicy, clauses: Iterable[object], day: date) -> list[str]:
    names = ("effective_from", "repealed_on")
    days = {policy.amended_on, *(getattr(one, name) for one in clauses for name in names)}
    return [f"{AMENDED}:{one}" for one in sorted(filter(None, days)) if one <= day.isoformat()]


def _closing(library: Verified, policy: SignedPolicy, day: date) -> list[str]:
    said = [one for one in library.apply_by.get(policy.id, ()) if one.holds(day)]
    days = {one for each in said if (one := _last_day(each.written, policy)) is not None}
    return [f"{CLOSING}:{one}" for one in sorted(days) if day <= one <= day + SOON]


def _last_day(written: str, policy: SignedPolicy) -> date | None:
    """The day a policy writes; without a year the first such day from when it was issued."""
    found = _WRITTEN.fullmatch(written)
    issued = life_of(policy).issued_on
    if found is None or not (found[1] or issued):
        return None
    with suppress(ValueError):
        last = date(
            int(found[1]) if found[1] else issued.year,  # type: ignore[union-attr]  # asked above
            int(found[2]),
            int(found[3]),
        )
        if not found[1] and issued is not None and last < issued:
            last = last.replace(year=last.year + 1)
        return last
    return None


@dataclass(frozen=True)
class Shelf:
    """What belongs to a topic: what is tagged with it or a part of it.

    And what is tagged with a topic around it and named after it: most are tagged with the widest.
    """

    topics: Collection[str]
    around: Collection[str] = ()
    names: Collection[str] = ()

    def holds(self, policy: SignedPolicy) -> bool:
        """Whether it stands here."""
        tagged = set((policy.topics or "").split(","))
        if not tagged.isdisjoint(self.topics):
            return True
        return not tagged.isdisjoint(self.around) and any(one in policy.title for one in self.names)


class PolicyNames:
    """The titles of signed policies, for who names one and for what a list says of one."""

    def __init__(self, ledger: Ledger) -> None:
        """Nothing is known before the first `refresh`."""
        self.ledger = ledger
        self._seq = -1
        self._signed: dict[str, SignedPolicy] = {}

    async def refresh(self, age: float = 0.0) -> None:
        """Read what was signed since; with `age` unless it was just looked at."""
        with suppress(Broken):  # what was proved before stays true
            entries = await self.ledger.facts(SUBJECT, age=age)
            last = entries[-1].seq if entries else 0
            if last != self._seq:
                self._signed, self._seq = policies_in(entries), last

    def title(self, policy_id: str) -> str:
        """Its title without marks, or an empty text."""
        found = self._signed.get(policy_id)
        return found.title.strip("《》") if found is not None else ""

    def found(self, words: str, day: date) -> list[SignedPolicy]:
        """The policies somebody names: the one of exactly this title, else those that have it.

        What is in force comes first.
        """
        key = title_key(words)
        active = [one for one in self._signed.values() if one.state == "active"]
        exact = [one for one in active if title_key(one.title) == key]
        near = [one for one in active if len(key) > 3 and key in title_key(one.title)]
        return _first(exact or near, day)[:MOST_FOUND]

    def of_topics(self, shelf: "Shelf", day: date) -> list[SignedPolicy]:
        """Policies in force of one topic, the newest first."""
        return [
            one
            for one in _first(self._signed.values(), day)
            if one.state == "active" and policy_status(one, day) in CITABLE and shelf.holds(one)
        ]

    async def now(self, ids: Collection[str], day: date) -> dict[str, PolicyNow]:
        """How these stand, compared at this moment. Raises Broken."""
        return await policies_now(self.ledger, ids, day)


def _first(policies: Iterable[SignedPolicy], day: date) -> list[SignedPolicy]:
    """In force before ended, and the newest first."""
    newest = sorted(policies, key=lambda one: one.issued_on or "", reverse=True)
    return sorted(newest, key=lambda one: policy_status(one, day) not in CITABLE)
