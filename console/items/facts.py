"""One item's facts for its pages, and the drafting form: fields in, changes out."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account
from console.items.boxes import Boxed, boxed_in
from console.items.differences import Line, compare
from console.items.models import ItemNote
from console.items.previews import Preview, preview
from console.web.deps import Deps, found
from console.web.words import roles_words
from content_sources.models import Article, Source
from content_sources.provenance import plain_text
from gates.finding import Finding
from ledger.models import Incident, LedgerEntry
from ledger.reopening import open_incidents
from review_queue.canonical import Draft, digest
from review_queue.desk import latest
from review_queue.findings import Findings, RaisedFinding, findings_now, from_json
from review_queue.forms import flagged_gates
from review_queue.models import Decision, GateRun, Item, Revision
from review_queue.workflow import GATES
from staff.models import Staff


@dataclass(frozen=True)
class ItemFacts:
    """Everything an item's page shows. `findings` belong to the latest revision.

    `people` are names by staff id, `posts` their roles in words.
    """

    item: Item
    revisions: Sequence[Revision]
    draft: Draft
    decisions: Sequence[Decision]
    accounts: Mapping[str, Account]
    previews: Sequence[Preview]
    article: Article | None
    alike: Article | None  # the earlier article that this one repeats in part
    copies: Sequence[Article]  # the same news by other routes
    source: Source | None
    people: Mapping[str, str]
    posts: Mapping[str, str]
    notes: Sequence[ItemNote]
    entries: Sequence[LedgerEntry]
    findings: Findings
    checked: bool  # whether an act kept what the gates said of this very text
    incidents: Sequence[Incident]
    corrected: Item | None  # what a 更正 is about, where this person may know of it

    @property
    def revision(self) -> Revision:
        """The latest version."""
        return self.revisions[-1]

    def boxed(self, finding: Finding) -> Boxed | None:
        """Where a finding stands in a picture of this text; None when it is in none."""
        return boxed_in(self.draft, finding)

    @property
    def to_source(self) -> list[Line]:
        """Paragraphs that differ from the fetched original, title first; pictures aside."""
        if self.article is None:
            return []
        old = f"{self.article.title}\n{self.article.text}"
        lines = compare(old, f"{self.draft.title}\n{plain_text(self.draft.body)}")
        return [line for line in lines if line.kind != "same"]

    @property
    def to_alike(self) -> list[Line]:
        """Paragraphs in which the fetched original differs from the earlier one it is like."""
        if self.article is None or self.alike is None:
            return []
        return [line for line in compare(self.alike.text, self.article.text) if line.kind != "same"]

    @property
    def untouched(self) -> bool:
        """Whether the stored text still is what its digest says."""
        return digest(self.revision.canonical) == self.revision.digest

    @property
    def submissions(self) -> list[str]:
        """The digests that were submitted for review, oldest first."""
        sent = [entry for entry in self.entries if entry.kind == "item.submitted"]
        return [json.loads(entry.preimage)["body"]["digest"] for entry in reversed(sent)]

    @property
    def level(self) -> Mapping[str, Any] | None:
        """The level that waits, as frozen into the run."""
        flow = self.item.workflow
        if flow is None or self.item.state != "review" or self.item.level >= len(flow["levels"]):
            return None
        level: Mapping[str, Any] = flow["levels"][self.item.level]
        return level

    @property
    def flagged(self) -> set[str]:
        """Gates with a finding that asks for a note."""
        return flagged_gates(self.findings)

    @property
    def by_gate(self) -> dict[str, list[tuple[int, RaisedFinding]]]:
        """Findings with their index, gate by gate in the order of review."""
        groups: dict[str, list[tuple[int, RaisedFinding]]] = {gate: [] for gate in GATES}
        for index, row in enumerate(self.findings):
            groups[row.gate].append((index, row))
        return groups


async def facts_of(deps: Deps, item_id: str) -> ItemFacts:
    """Read one item whole; 404 when there is none. Asks the gates where no act rested on them."""
    async with deps.db.session() as session:
        facts = await read_facts(session, item_id)
    if facts.checked:
        return facts
    digest, found = await findings_now(deps.queue, item_id)
    if digest == facts.revision.digest:
        return replace(facts, findings=found)
    # Saved by somebody else a moment ago: the new text is shown with what is said of it.
    return await facts_of(deps, item_id)


async def latest_draft(session: AsyncSession, item_id: str) -> Draft:
    """What an item says now, for who needs no more of it."""
    item = found(await session.get(Item, item_id), "篇稿件")
    return Draft.from_canonical((await latest(session, item)).canonical)


async def read_facts(session: AsyncSession, item_id: str) -> ItemFacts:
    """The same in a session of the caller's, as the gates said last; see `checked`."""
    item = found(await session.get(Item, item_id), "篇稿件")
    query = select(Revision).where(Revision.item_id == item_id).order_by(Revision.number)
    revisions = (await session.scalars(query)).all()
    draft = Draft.from_canonical(revisions[-1].canonical)
    decided = select(Decision).where(Decision.item_id == item_id).order_by(Decision.ledger_seq)
    decisions = (await session.scalars(decided)).all()
    accounts = {row.id: row for row in (await session.scalars(select(Account))).all()}
    article = await session.get(Article, item.article_id) if item.article_id else None
    source = await session.get(Source, article.source_id) if article else None
    alike = await session.get(Article, article.duplicate_of or "") if article else None
    copies: Sequence[Article] = ()
    if article:
        routes = select(Article).where(Article.duplicate_of == article.id)
        copies = (await session.scalars(routes.order_by(Article.fetched_at))).all()
    subject = select(LedgerEntry).where(LedgerEntry.subject == f"item:{item_id}")
    entries = (await session.scalars(subject.order_by(LedgerEntry.seq.desc()))).all()
    runs = select(GateRun.findings).where(
        GateRun.item_id == item_id, GateRun.digest == revisions[-1].digest
    )
    newest = (await session.scalars(runs.order_by(GateRun.at.desc()).limit(1))).first()
    noted = select(ItemNote).where(ItemNote.item_id == item_id)
    notes = (await session.scalars(noted.order_by(ItemNote.at, ItemNote.id))).all()
    ids = {item.author_id, item.last_editor_id, item.claimed_by or "system"}
    ids |= (
        {row.in_place_of for row in decisions}
        | {row.staff_id for row in decisions}
        | {row.editor_id for row in revisions}
    )
    ids |= {row.actor for row in entries} | {row.staff_id for row in notes}
    people, posts = await _people(session, ids)
    # The stored renderings, never made anew: what is shown is what the digest covers.
    renderings = json.loads(revisions[-1].canonical)["renderings"]
    return ItemFacts(
        item=item,
        revisions=revisions,
        draft=draft,
        decisions=decisions,
        accounts=accounts,
        previews=[
            preview(accounts[key].name, accounts[key].platform, renderings[key])
            for key in draft.accounts
            if key in accounts
        ],
        article=article,
        alike=alike,
        copies=copies,
        source=source,
        people=people,
        posts=posts,
        notes=notes,
        entries=entries,
        findings=[from_json(row) for row in newest or ()],
        checked=newest is not None,
        incidents=await open_incidents(session, subject=f"item:{item_id}"),
        corrected=await session.get(Item, draft.corrects.item) if draft.corrects else None,
    )


async def _people(
    session: AsyncSession, ids: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Names, and roles in words, by staff id."""
    query = select(Staff.id, Staff.name, Staff.roles).where(Staff.id.in_(ids))
    rows = (await session.execute(query)).all()
    # Whoever left keeps their name here: the record of what they did stays readable.
    people = {key: name for key, name, _ in rows} | {"robot": "抓取程序", "system": "系统"}
    return people, {key: roles_words(roles) for key, _, roles in rows if roles}
