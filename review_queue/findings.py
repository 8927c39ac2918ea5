"""What the gates say of an item now, with what somebody waived; kept as a run where somebody acts.

Findings are typed from gate to page; `to_json` and `from_json` stand at the table and in the API.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import rfc8785
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import beijing, now
from gates.engine import spelt_findings, text_findings
from gates.finding import Facts, Finding, GateText
from gates.limits import limited
from gates.results import Results, of_facts, of_rules, of_speller
from gates.rules import RuleSet
from gates.spelling import SPELLING
from gates.work import Held, Work
from review_queue.beside import Beside, beside, hidden_findings
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


def _placed(found: Sequence[Finding], there: Beside) -> list[Finding]:
    """Findings in words beside the text; names and addresses are not read for misspelling."""
    return [
        replace(one, field=there.field, reason=f"{there.label}：{one.reason}")
        for one in found
        if there.written or not one.rule.startswith(SPELLING)
    ]


def to_json(one: Finding) -> dict[str, object]:
    """A finding as the table and the API hold it; `waived` and `box` only where there is one."""
    # JSON has no tuples; a row read back must equal the one written.
    row = asdict(one) | {"suggestions": list(one.suggestions)}
    for name in ("waived", "box"):
        if row.get(name) is None:
            row.pop(name, None)
    if one.box is not None:
        row["box"] = list(one.box)
    return row


def from_json(row: Mapping[str, Any]) -> RaisedFinding:
    """A finding read back; rows of an earlier version may lack what was added since."""
    # Unknown fields of a newer version are left out instead of failing a page.
    known = {name: row[name] for name in _FIELDS if name in row}
    known["suggestions"] = tuple(known.get("suggestions", ()))
    if box := row.get("box"):
        known["box"] = tuple(box)
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

    `facts` gives the library as it is now. What the gates say of one text, rule set, library and
    day is found once, whoever asks.
    """

    def __init__(
        self,
        rule_sets: RuleSets,
        facts: Callable[[], Awaitable[Facts]],
        finders: Sequence[Finder],
        results: Results | None = None,
    ) -> None:
        """Rule set and facts are asked anew at every check."""
        self._rule_sets = rule_sets
        self._facts = facts
        self._finders = tuple(finders)
        self._results = results or Results()
        self._speller: Held | None = None

    def read_spelling(self, own_texts: Sequence[str]) -> None:
        """From now on texts are read for misspelt characters too; it only warns."""
        self._speller = of_speller(own_texts)

    async def close(self) -> None:
        """End what checks."""
        await self._results.close()

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
        found = list(await self._gates(text, against))
        for there in beside(draft):
            alone = GateText(title="", text=there.words, kind=draft.kind, as_of=text.as_of)
            found += _placed(await self._gates(alone, against), there)
        found += hidden_findings(draft)
        # Spelling only warns, and a warning does not hold what three people approved.
        if against.sending:
            found = [one for one in found if not one.rule.startswith(SPELLING)]
        for look in self._finders:
            found += await look(draft, against)
        return limited(found)

    async def _gates(self, text: GateText, against: Against) -> list[Finding]:
        plain = (of_rules(against.rules), of_facts(against.facts))
        words = hashlib.sha256(rfc8785.dumps([text.title, text.text, text.kind])).digest()

        def key(shared: tuple[Held, ...]) -> tuple[object, ...]:
            return ("text", words, text.as_of, *(one.key for one in shared))

        async def unspelt() -> Work:
            return Work(text_findings, (text,), plain)

        async def spelt() -> Work:
            return Work(spelt_findings, (text,), (*plain, *speller))

        speller = () if self._speller is None else (self._speller,)
        both = key((*plain, *speller))
        # A release must not hang on a model: the sender asks without it, unless all is known.
        if speller and (not against.sending or self._results.holds(both)):
            found = await self._results.of(both, spelt)
            if not any(one.rule == "secrecy.check-failed" for one in found):
                return found
        return await self._results.of(key(plain), unspelt)


@dataclass(frozen=True)
class Looked:
    """What the gates of now say of the latest revision, by its digest and their rule set's."""

    digest: str
    ruleset: str
    findings: Findings


def unwaived(found: Sequence[Finding]) -> Findings:
    """Findings of a text that is no revision yet: nobody can have waived them."""
    return [_with_waiver(one, (), {}) for one in found]


async def look_at(queue: Queue, item_id: str) -> Looked:
    """Ask the gates of now about the latest revision; what was waived says so. Keeps nothing."""
    async with queue.db.session() as session:
        item = await session.get(Item, item_id)
        if item is None:
            raise Refused(404, [Reason("item", "没有这篇稿件")])
        revision = await latest(session, item)
        waivers = await waivers_of(session, item, revision)
        people = await names(session, {row.staff_id for row in waivers}) if waivers else {}
    ruleset, found = await queue.check(Draft.from_canonical(revision.canonical))
    raised = [_with_waiver(one, waivers, people) for one in found]
    return Looked(revision.digest, ruleset, raised)


async def findings_now(queue: Queue, item_id: str) -> tuple[str, Findings]:
    """The same as digest and findings, for whoever only looks."""
    looked = await look_at(queue, item_id)
    return looked.digest, looked.findings


def keep_run(session: AsyncSession, item_id: str, looked: Looked) -> None:
    """Keep what an act rested on, in its own transaction.

    What somebody saw when they acted can be shown years later, whatever the rules say then.
    """
    session.add(
        GateRun(
            id=new_id(),
            item_id=item_id,
            digest=looked.digest,
            ruleset=looked.ruleset,
            findings=[to_json(one) for one in looked.findings],
            at=now(),
        )
    )


async def check_and_keep(queue: Queue, item_id: str) -> None:
    """Look once more after an act, and keep it for those who look at the item next."""
    looked = await look_at(queue, item_id)
    async with queue.db.session() as session:
        keep_run(session, item_id, looked)


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
