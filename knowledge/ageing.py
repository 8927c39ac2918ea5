"""What carries most answers and was longest unconfirmed comes first: clauses by damage (row 82).

Confirmed is a clause when two people put its policy in as it stands, or when one person says by a
signed entry that it still holds. What ended is nobody's to confirm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from config.clock import beijing, now
from knowledge.models import Clause, Told
from knowledge.proof import SET, whole_clauses
from ledger.append import Ledger
from ledger.verify import Entry
from staff.refusal import Reason, Refused
from staff.rights import entitled

CONFIRMED = "clause.confirmed"
RIGHT = "policies.propose"
_LOOKED_AT = 200  # clauses with most answers; what carries few does little damage
_SHOWN = 50
_FRESH = 5.0


class Confirmed:
    """When each policy was put in last, and each clause confirmed, by signed entries."""

    def __init__(self) -> None:
        """A ledger tells each entry once."""
        self.policies: dict[str, datetime] = {}
        self.clauses: dict[str, tuple[datetime, str]] = {}

    def take(self, entry: Entry) -> None:
        """The next signed entry of the chain."""
        at = datetime.fromisoformat(entry.at)
        if entry.kind == SET:
            self.policies[str(entry.body.get("policy", ""))] = at
        elif entry.kind == CONFIRMED:
            self.clauses[entry.subject.partition(":")[2]] = at, entry.actor


@dataclass(frozen=True)
class Aged:
    """One clause: how often it was told, since when nobody confirmed it, and by whom it was."""

    clause: str
    policy: str
    title: str
    label: str
    text: str
    answers: int
    since: datetime
    by: str

    @property
    def days(self) -> int:
        """Days since it was confirmed last."""
        return max((now() - self.since).days, 0)

    @property
    def damage(self) -> int:
        """What it would do if it no longer held."""
        return self.answers * (self.days + 1)


async def ageing(ledger: Ledger) -> list[Aged]:
    """The clauses in force that were told, the most damaging first. Raises Broken."""
    told = select(Told.clause_id, func.count()).group_by(Told.clause_id)
    told = told.order_by(func.count().desc()).limit(_LOOKED_AT)
    async with ledger.db.session() as session:
        counts: Mapping[str, int] = {row[0]: row[1] for row in await session.execute(told)}
        labels = select(Clause.id, Clause.label).where(Clause.id.in_(counts))
        named = {row[0]: row[1] for row in await session.execute(labels)}
    known = await ledger.following(Confirmed, age=_FRESH)
    today = beijing(now()).date()
    found = []
    for clause_id, whole in (await whole_clauses(ledger, set(counts))).items():
        if not whole.citable(today):
            continue
        policy = whole.policy
        since, by = known.clauses.get(clause_id, (now(), ""))
        put_in = known.policies.get(policy.id, since)
        if not by or put_in > since:
            since, by = put_in, ""
        found.append(
            Aged(
                clause_id, policy.id, policy.title, named[clause_id], whole.text,
                counts[clause_id], since, by,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: -one.damage)[:_SHOWN]


async def confirm(ledger: Ledger, clause_id: str, by: str) -> None:
    """Sign that this clause still holds as it stands. Refused 403, and 409 where it does not."""
    whole = (await whole_clauses(ledger, {clause_id})).get(clause_id)
    if whole is None or not whole.citable(beijing(now()).date()):
        raise Refused(409, [Reason("clause", "这一条已不是现行有效的条文，不能确认")])
    async with ledger.transaction() as tx:
        await entitled(tx.session, by, RIGHT)
        body = {"policy": whole.policy.id, "digest": whole.policy.digest}
        await tx.append(CONFIRMED, subject=f"clause:{clause_id}", actor=by, body=body)


def people_in(rows: Sequence[Aged]) -> set[str]:
    """Who confirmed them."""
    return {one.by for one in rows if one.by}
