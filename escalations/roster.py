"""Who is called for a question, in which order: signed, and changed by two people.

The newest signed roster is the one in force; the table beside it serves lists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from escalations.models import RosterEntry
from facets.taxonomy import Taxonomy
from ledger.append import Ledger, Transaction
from staff.models import Staff
from staff.people import names, read_person
from staff.proposals import AboutPeople, Approval
from staff.refusal import Reason, Refused
from staff.standing import facts_or_refuse
from storage.database import new_id

SUBJECT = "roster"
SET = "roster.set"
_MOST = 200  # lines; an office has some dozen people
_TIERS = 9


@dataclass(frozen=True)
class DutyLine:
    """One line: who is called for a topic ("" is every topic), and at which tier."""

    topic: str
    tier: int
    staff: str


async def set_roster(
    tx: Transaction, lines: Sequence[DutyLine], actor: str, said: Mapping[str, Any] | None = None
) -> None:
    """Replace the whole roster, as one signed entry; `said` names the proposal behind it."""
    await tx.session.execute(delete(RosterEntry))
    for position, line in enumerate(lines):
        tx.session.add(
            RosterEntry(
                id=new_id(),
                topic=line.topic,
                tier=line.tier,
                position=position,
                staff_id=line.staff,
            )
        )
    await sign_roster(tx, lines, actor, said)


async def sign_roster(
    tx: Transaction, lines: Sequence[DutyLine], actor: str, said: Mapping[str, Any] | None = None
) -> None:
    """Sign these lines as the roster in force."""
    body = {"lines": [asdict(line) for line in lines], **(said or {})}
    await tx.append(SET, subject=SUBJECT, actor=actor, body=body)


async def roster_now(session: AsyncSession) -> list[DutyLine]:
    """The roster in force, in its order; empty where none was signed."""
    for entry in reversed(await facts_or_refuse(session, SUBJECT)):
        if entry.kind == SET:
            return [DutyLine(**line) for line in entry.body["lines"]]
    return []


class RosterKind(AboutPeople):
    """{lines: [{login, topic, tier}]}: the whole roster, in the order people are called."""

    label = "值班表变更"
    proposers = frozenset({"admin", "supervisor"})

    def __init__(self, ledger: Ledger, taxonomy: Taxonomy) -> None:
        """The topics are those of `taxonomy` at the moment of asking: it is a setting."""
        self._ledger = ledger
        self._taxonomy = taxonomy

    @property
    def _topics(self) -> Mapping[str, str]:
        return self._taxonomy.names("topics")

    def subject(self, payload: Mapping[str, Any]) -> str:
        """There is one roster."""
        return SUBJECT

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Each line with its person's id, beside the roster it replaces."""
        given = payload.get("lines")
        if not isinstance(given, list) or len(given) > _MOST:
            words = f"lines 要写值班表的各行（最多 {_MOST} 行），每行有 login、topic、tier"
            raise Refused(422, [Reason("lines", words)])
        async with self._ledger.db.session() as session:
            lines = [await self._line(session, line) for line in given]
            was = [asdict(line) for line in await roster_now(session)]
        if payload.get("was", was) != was:
            words = "值班表在提出之后又有变化：请收回后重新提出"
            raise Refused(409, [Reason("overtaken", words)])
        if [_signed(line) for line in lines] == was:
            raise Refused(422, [Reason("lines", "值班表没有变化")])
        return {"lines": lines, "was": was}

    async def _line(self, session: AsyncSession, line: Any) -> dict[str, object]:
        row = line if isinstance(line, dict) else {}
        login, topic = str(row.get("login", "")), str(row.get("topic", ""))
        tier = row.get("tier", 0)
        staff_id = await session.scalar(select(Staff.id).where(Staff.login == login))
        if staff_id is None:
            raise Refused(422, [Reason("login", f"值班表里没有登录名为 {login} 的人员，请先增加")])
        await read_person(session, staff_id)
        if topic and topic not in self._topics:
            known = "、".join(self._topics)
            raise Refused(422, [Reason("topic", f"没有主题“{topic}”，只能是：{known}")])
        if not isinstance(tier, int) or isinstance(tier, bool) or not 0 <= tier <= _TIERS:
            raise Refused(422, [Reason("tier", f"梯次 tier 只能是 0 到 {_TIERS} 的整数")])
        return {"login": login, "topic": topic, "tier": tier, "staff": staff_id}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Lines that come and go."""
        new = [DutyLine(**_signed(line)) for line in payload["lines"]]
        old = [DutyLine(**line) for line in payload["was"]]
        async with self._ledger.db.session() as session:
            known = await names(session, {line.staff for line in (*old, *new)})
        head = {"sign": "~", "text": f"值班表改为 {len(new)} 行"}
        gone = [{"sign": "-", "text": self._words(x, known)} for x in old if x not in new]
        come = [{"sign": "+", "text": self._words(x, known)} for x in new if x not in old]
        warnings = [] if new else ["值班表空了：咨询单只通知监督人员"]
        return {"changes": [head, *gone, *come], "warnings": warnings, "note": ""}

    def _words(self, line: DutyLine, known: Mapping[str, str]) -> str:
        topic = self._topics.get(line.topic, "各主题") if line.topic else "各主题"
        return f"{topic}，第 {line.tier + 1} 梯次：{known.get(line.staff, line.staff)}"

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """The next question is told to these people."""
        lines = [DutyLine(**_signed(line)) for line in payload["lines"]]
        said = {"proposal": approval.proposal_id, "proposed_by": approval.proposed_by}
        await set_roster(tx, lines, approval.approved_by, said)
        return {"lines": len(lines)}


def _signed(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("topic", "tier", "staff")}
