"""What the gates are given of this office: its own words, texts to try rules on, other looks."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from bot.channel import Channel
from bot.contract import Content, Rendering
from bot.models import Account, Organisation
from config.clock import beijing, now
from content_sources.models import Source
from content_sources.reposts import Reposts
from gates.engine import RuleSet, run_gates
from gates.finding import Finding, GateText, NoFacts
from knowledge.forms import MET, Gates
from knowledge.models import Clause
from review_queue.canonical import Draft
from review_queue.desk import Render
from review_queue.files import Files
from review_queue.findings import Against, Finder
from review_queue.governance.rulesets import RuleSets
from review_queue.links import Links
from review_queue.picture_messages import PictureMessages
from storage.database import Database


async def own_texts(db: Database) -> list[str]:
    """The words and names of this office, which spelling must know."""
    async with db.session() as session:
        names = [
            *(await session.scalars(select(Organisation.name))).all(),
            *(await session.scalars(select(Account.name))).all(),
            *(await session.scalars(select(Source.organisation))).all(),
        ]
    return [*(await clauses(db)), *names * 20]  # a name is met more often than it is stored


def finders_of(
    files: Files, links: Links, reposts: Reposts, messages: PictureMessages
) -> tuple[Finder, ...]:
    """What else is looked at beside the words of a draft: its files, links, source, pictures."""

    async def in_files(draft: Draft, against: Against) -> Sequence[Finding]:
        return await files.findings(draft, against.rules, against.facts)

    async def in_links(draft: Draft, against: Against) -> Sequence[Finding]:
        return await links.findings(draft, sending=against.sending)

    async def in_source(draft: Draft, _: Against) -> Sequence[Finding]:
        return await reposts.findings(draft)

    async def in_pictures(draft: Draft, _: Against) -> Sequence[Finding]:
        return await messages.findings(draft)

    return in_files, in_links, in_source, in_pictures


def policy_gates(rule_sets: RuleSets) -> Gates:
    """What the secrecy and law gates say of a policy; asked several times, looked at once."""
    kept: OrderedDict[tuple[str, str, str], Sequence[Finding]] = OrderedDict()

    async def look(title: str, text: str) -> Sequence[Finding]:
        active = await rule_sets.active()
        key = (active.digest, title, text)
        if key not in kept:
            kept[key] = await asyncio.to_thread(policy_findings, title, text, active.rules)
            if len(kept) > _KEPT:
                kept.popitem(last=False)
        return kept[key]

    return look


def policy_findings(title: str, text: str, rules: RuleSet) -> Sequence[Finding]:
    """What the secrecy and law gates say of a policy, by these rules."""
    found: list[Finding] = []
    for number, part in enumerate(_parts(text)):
        draft = GateText(title if number == 0 else "", part, "", beijing(now()).date())
        found += [one for one in run_gates(draft, rules, NoFacts()) if one.gate in MET]
    return found


_KEPT = 8
_PART = 20_000  # characters read in one go: a document may have two million of them
_OVERLAP = 200  # no word, number or phrase that a rule names is longer


def _parts(text: str) -> list[str]:
    starts = range(0, max(len(text), 1), _PART)
    return [text[max(0, start - _OVERLAP) : start + _PART] for start in starts]


async def clauses(db: Database) -> Sequence[str]:
    """Texts of the library on which a change of rules is tried."""
    async with db.session() as session:
        # A bound: a preview of a rule change must answer while somebody waits.
        return (await session.scalars(select(Clause.text).limit(2000))).all()


def renderer_over(channels: Mapping[str, Channel]) -> Render:
    def render(
        accounts: Sequence[Account], content: Content
    ) -> tuple[dict[str, Rendering], list[str]]:
        renderings = {row.id: channels[row.platform].render(content) for row in accounts}
        problems = [
            f"{row.name}：{problem}"
            for row in accounts
            for problem in channels[row.platform].problems(renderings[row.id], content)
        ]
        return renderings, problems

    return render
