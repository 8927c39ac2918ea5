"""What the gates say of an item now, kept as a run, with what somebody waived.

Findings are typed from gate to page; `to_json` and `from_json` stand at the table and in the API.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import beijing, now
from gates.engine import run_gates
from gates.finding import Facts, Finding, GateText
from gates.rules import RuleSet
from gates.spelling import Speller
from review_queue.canonical import Draft
from review_queue.chain import finding_place
from review_queue.desk import Queue, latest
from review_queue.governance.rulesets import RuleSets
from review_queue.models import GateRun, Item, Revision, Waiver
from staff.people import names
from staff.refusal import Reason, Refused
from storage.database import new_id


@dataclass(frozen=True)
class Waived:
    """Who lets a blocking finding stand, why, and when (ISO 8601)."""

    by: str
    staff: str
    reason: str
    at: str


@dataclass(frozen=True)
class RaisedFinding(Finding):
    """A finding on one revision of an item, with the waiver that covers it."""

    waived: Waived | None = None


Findings = Sequence[RaisedFinding]


def to_json(one: Finding) -> dict[str, object]:
    """A finding as the table and the API hold it; `waived` only where somebody did."""
    # JSON has no tuples; a row read back must equal the one written.
    row = asdict(one) | {"suggestions": list(one.suggestions)}
    if row.get("waived") is None:
        row.pop("waived", None)
    return row


def from_json(row: Mapping[str, Any]) -> RaisedFinding:
    """A finding read back; rows of an earlier version may lack what was added since."""
    # Unknown fields of a newer version are left out instead of failing a page.
    known = {name: row[name] for name in _FIELDS if name in row}
    known["suggestions"] = tuple(known.get("suggestions", ()))
    if waived := row.get("waived"):
        known["waived"] = Waived(**waived)
    return RaisedFinding(**known)


_FIELDS = tuple(one.name for one in fields(Finding))


@dataclass(frozen=True)
class Against:
    """What one check goes by: rules, what the library knows, and whether it is about to go."""

    rules: RuleSet
    facts: Facts
    sending: bool


Finder = Callable[[Draft, Against], Awaitable[Sequence[Finding]]]
"""Looks at something beside the words of a draft: its files, its links, where it comes from."""


class Checks:
    """The five gates and every finder over a draft, as the queue, the sender and a reply ask them.

    `facts` gives the library as it is now. `speller` may be set later: it only warns.
    """

    def __init__(
        self,
        rule_sets: RuleSets,
        facts: Callable[[], Awaitable[Facts]],
        finders: Sequence[Finder],
    ) -> None:
        """Rule set and facts are asked anew at every check."""
        self._rule_sets = rule_sets
        self._facts = facts
        self._finders = tuple(finders)
        self.speller: Speller | None = None

    async def check(self, draft: Draft) -> tuple[str, list[Finding]]:
        """For the queue: digest of the approved rule set, and the findings above a hint."""
        active = await self._rule_sets.active()
        return active.digest, await self._run(
            draft, Against(active.rules, await self._facts(), sending=False)
        )

    async def at_send(self, draft: Draft) -> list[Finding]:
        """For the sender: the same, with the stored rule set proved once more."""
        proved = await self._rule_sets.proved()
        return await self._run(draft, Against(proved.rules, await self._facts(), sending=True))

    async def check_text(self, text: str) -> list[Finding]:
        """For a staff reply: the same gates over a text without a title."""
        moment = now()
        return (await self.check(Draft("问答", "日常", "", text, (), moment, moment)))[1]

    async def _run(self, draft: Draft, against: Against) -> list[Finding]:
        text = GateText(
            title=draft.title, text=draft.body, kind=draft.kind, as_of=beijing(now()).date()
        )
        # Spelling only warns, and a warning does not hold what three people approved.
        speller = None if against.sending else self.speller
        # The gates take up to seconds of processor time on a long text: other requests go on
        # meanwhile.
        found = await asyncio.to_thread(
            run_gates, text, against.rules, against.facts, speller=speller
        )
        for look in self._finders:
            found += await look(draft, against)
        return found


async def findings_now(queue: Queue, item_id: str) -> tuple[str, Findings]:
    """Run the gates of now over the latest revision; digest of that revision and findings.

    One that somebody waived carries it as `waived`.
    """
    async with queue.db.session() as session:
        item = await session.get(Item, item_id)
        if item is None:
            raise Refused(404, [Reason("item", "没有这篇稿件")])
        revision = await latest(session, item)
        waivers = await waivers_of(session, item, revision)
        people = await names(session, {row.staff_id for row in waivers}) if waivers else {}
    ruleset, found = await queue.check(Draft.from_canonical(revision.canonical))
    raised = [_with_waiver(one, waivers, people) for one in found]
    async with queue.db.session() as session:
        # Kept as a run: what a reviewer saw can be shown years later, whatever the rules say then.
        session.add(
            GateRun(
                id=new_id(),
                item_id=item_id,
                digest=revision.digest,
                ruleset=ruleset,
                findings=[to_json(one) for one in raised],
                at=now(),
            )
        )
    return revision.digest, raised


async def waivers_of(session: AsyncSession, item: Item, revision: Revision) -> Sequence[Waiver]:
    """Waivers that hold for the latest revision: of its digest, and not older than it."""
    query = select(Waiver).where(
        Waiver.item_id == item.id,
        Waiver.digest == revision.digest,
        # Going back to an earlier wording gives the same digest; the consent of then is void all
        # the same.
        Waiver.at >= revision.created_at,
    )
    return (await session.scalars(query)).all()


def _with_waiver(
    finding: Finding, waivers: Sequence[Waiver], people: Mapping[str, str]
) -> RaisedFinding:
    place = finding_place(finding)
    waived = None
    for row in waivers:
        same = (row.gate, row.rule) == (finding.gate, finding.rule)
        where = [row.span[name] for name in ("field", "start", "end", "text")]
        # A rule that has become unwaivable since takes its waivers with it.
        if same and finding.waivable and where == place:
            by = people.get(row.staff_id, row.staff_id)
            waived = Waived(by, row.staff_id, row.reason, row.at.isoformat())
            break
    return RaisedFinding(**{name: getattr(finding, name) for name in _FIELDS}, waived=waived)
