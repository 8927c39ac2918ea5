"""The page of one item, and a refused form shown on it with what was typed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Publication
from config.clock import now
from console.items.blocks import shown_blocks
from console.items.editions import shown_edition
from console.items.facts import ItemFacts, read_facts
from console.items.looks import add_note, changes, last_look, record_look
from console.items.marks import Marked, Passage, mark, paragraphs
from console.items.models import ItemView
from console.items.progress import (
    Progress,
    Returned,
    names_of_deciders,
    open_lane,
    progress_of,
    returned,
)
from console.items.reach import reach_of, too_late
from console.items.resting import rests_of, told_count
from console.items.taken import Down, downs_of
from console.items.timeline import Records, records_of, steps
from console.web.deps import DEPS, Deps, visitor
from console.web.pages import form, page, see
from console.web.permissions import may, needs
from review_queue.canonical import Draft
from review_queue.desk import looked_at
from review_queue.expert_models import ExpertLink
from review_queue.experts import links_of, state_of
from review_queue.findings import Findings, findings_now
from review_queue.forms import content_faults
from review_queue.models import Revision
from review_queue.neighbours import Collision, Quiet, collisions_in
from review_queue.publishing import open_accounts
from review_queue.recalling import WHY
from review_queue.rounds import seated
from review_queue.states import ItemState
from review_queue.workflow import GATE_NAMES, OVERDUE
from staff.people import names
from staff.refusal import Reason, Refused
from staff.sessions import Visitor
from subscriptions.matching import Reach

_BEFORE_PUSH = (
    *(ItemState.DRAFT, ItemState.REVIEW, ItemState.REFERRED),
    *(ItemState.APPROVED, ItemState.SCHEDULED),
)
_TYPED = (("mark_text", "标出的文字"), ("department", "转请部门"))


@dataclass(frozen=True)
class Typed:
    """A refused form: its reasons and what was typed, to be shown again.

    `stale` is the digest the form was filled for, when the item has another one by now.
    """

    reasons: Sequence[Reason] = ()
    gates: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    status: int = 200
    stale: str = ""
    remark: str = ""
    proof: bool = False
    attachments: Mapping[str, bool] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    box: Mapping[str, str] = field(default_factory=dict)
    """What was typed in a box of its own, and that box by `name`: it is shown open."""

    @property
    def words(self) -> list[tuple[str, str]]:
        """Everything that was written, by the name of its field."""
        written = [(GATE_NAMES[gate], answer["note"]) for gate, answer in self.gates.items()]
        written += [(label, self.fields.get(name, "")) for name, label in _TYPED]
        return [(name, text) for name, text in [*written, ("意见", self.note)] if text]


@dataclass(frozen=True)
class Shown:
    """What one look at an item reads: all of it in one session.

    `blockers` are the findings that stand against approval, `deciders` whom it waits for.
    """

    facts: ItemFacts
    progress: Progress
    blockers: Sequence[Reason]
    publications: Sequence[Publication]
    look: ItemView | None
    records: Records
    links: Sequence[ExpertLink]
    deciders: str
    place_name: str
    collisions: Sequence[Collision]
    edition: Mapping[str, Any] | None
    open_to: Collection[str]
    too_late: int = 0
    reach: Reach | None = None
    downs: Sequence[Down] = ()
    told: int | None = None


async def _shown(deps: Deps, item_id: str, me: Visitor) -> Shown:
    """The item as this person sees it; who reviews sees what the gates say at this moment."""
    digest, found = "", None
    reviews = may(me.roles, "items.review")
    if reviews:
        digest, found = await findings_now(deps.queue, item_id)
    async with deps.db.session() as session:
        shown = await _read(session, item_id, me, found, deps.queue.quiet)
        late = await too_late(deps, session, shown.facts.draft)
        reach = await reach_of(deps, session, shown.facts.draft) if _ahead(shown.facts) else None
        told = await told_count(session, shown.facts.draft)
    downs = await downs_of(deps, item_id) if shown.publications else ()
    shown = replace(shown, too_late=late, reach=reach, downs=downs, told=told)
    facts = shown.facts
    # A text just saved may have been checked by nobody yet, or be another one than a moment ago.
    if digest != facts.revision.digest and (reviews or not facts.checked):
        digest, found = await findings_now(deps.queue, item_id)
    # Who looks changes nothing: what the gates said is shown and not kept.
    return shown if found is None else replace(shown, facts=replace(facts, findings=found))


def _ahead(facts: ItemFacts) -> bool:
    """Whether its push has not begun: afterwards who it went to stands on the page of the push."""
    return facts.item.state in _BEFORE_PUSH


async def _read(
    session: AsyncSession, item_id: str, me: Visitor, found: Findings | None, quiet: Quiet
) -> Shown:
    one = await looked_at(session, item_id, me.staff_id)
    round_, seat = await seated(session, one.item, one.person)
    facts = await read_facts(session, item_id)
    progress = progress_of(facts.item, round_, seat)
    reasons = content_faults(round_, seat, one.draft, found or (), None)
    query = select(Publication).where(Publication.item_id == item_id)
    watching = progress.level and (progress.faults or found is None)
    return Shown(
        facts=facts,
        progress=progress,
        blockers=[row for row in reasons if row.rule == "finding"],
        publications=(await session.scalars(query.order_by(Publication.due_at))).all(),
        look=await last_look(session, facts, me.staff_id),
        records=await records_of(session, item_id),
        links=await links_of(session, item_id),
        deciders=await names_of_deciders(session, facts.item) if watching else "",
        place_name=await _place_name(session, progress.place),
        # Both before the collisions, which read what is hidden from this person.
        edition=await shown_edition(session, facts.draft, facts.revisions),
        open_to=await open_accounts(session, facts.item, facts.draft),
        collisions=await collisions_in(session, item_id, me.staff_id, quiet=quiet),
    )


def _marked(facts: ItemFacts, back: Returned | None) -> list[Marked]:
    """The findings, and behind them the passage that was marked when this text was returned."""
    if back is None or back.here is None:
        return list(facts.findings)
    gate = back.decision.gate or "wording"
    here = back.here
    passage = Passage(here["field"], here["start"], here["end"], gate)
    return [*facts.findings, passage]


async def show_item(request: web.Request, item_id: str, again: Typed | None = None) -> web.Response:
    """The page of one item; `again` is a refused form, shown with what was typed."""
    deps, again = request.config_dict[DEPS], again or Typed()
    me = visitor(request)
    shown = await _shown(deps, item_id, me)
    facts, look, records = shown.facts, shown.look, shown.records
    back = returned(facts, {row.digest: _texts(row) for row in facts.revisions})
    marks = _marked(facts, back)
    # A claim that ran out is none, though its row still names the holder.
    held = facts.item.claimed_until is not None and facts.item.claimed_until > now()
    context = {
        "place": "items",
        "f": facts,
        "item": facts.item,
        "draft": facts.draft,
        "title_pieces": mark(facts.draft.title, marks, "title"),
        "paragraphs": paragraphs(facts.draft.body, marks),
        "blocks": shown_blocks(facts.draft.blocks, marks)
        if facts.draft.blocks is not None
        else None,
        "marks": marks,
        "seat": shown.progress,
        "place_name": shown.place_name,
        "back": back,
        "fast": open_lane(records.emergencies),
        "referral": records.referral,
        "opinions": [(one, state_of(one, facts.revision.digest)) for one in shown.links],
        "changes": changes(deps, facts, look, {**request.query, "stale": again.stale}),
        "look": look,
        "asked": "since" in request.query or bool(again.stale),
        "steps": steps(facts, shown.publications, records.words),
        "deciders": shown.deciders,
        "blockers": shown.blockers,
        "collisions": shown.collisions,
        "edition": shown.edition,
        "rests": await rests_of(deps, facts.draft),
        "told": shown.told,
        "open_to": shown.open_to,
        "again": again,
        "reasons": again.reasons,
        "publications": shown.publications,
        "downs": shown.downs,
        "recall_classes": WHY,
        "held": held,
        "mine": held and facts.item.claimed_by == me.staff_id,
        "facets": deps.facets,
        "too_late": shown.too_late,
        "reach": shown.reach,
        "names": {row.id: row.name for row in facts.accounts.values()},
        "can_recall": may(me.roles, "items.recall")
        and facts.item.state not in ("draft", "recalled"),
        "now": now(),
    }
    # Remembered only after the page could be made: what failed to show was not seen.
    response = page(request, "items/page.html", context, again.status)
    await record_look(deps.db, item_id, me.staff_id, facts.revision.digest)
    return response


def _texts(row: Revision) -> tuple[str, str]:
    draft = Draft.from_canonical(row.canonical)
    return draft.title, draft.body


async def _place_name(session: AsyncSession, place: str) -> str:
    """In whose place somebody would decide, in words."""
    if place == OVERDUE:
        return "已超时，由您接着审"
    if not place:
        return ""
    people = await names(session, {place})
    return f"代{people.get(place, '外出的同事')}审核"


@needs("items.note")
async def note(request: web.Request) -> web.StreamResponse:
    """A remark for colleagues; it changes nothing about the item."""
    deps, item_id = request.config_dict[DEPS], request.match_info["item"]
    text = (await form(request)).get("text", "")
    try:
        await add_note(deps.db, item_id, visitor(request).staff_id, text)
    except Refused as refused:
        if refused.status == 404:
            raise
        again = Typed(refused.reasons, status=refused.status, remark=text)
        return await show_item(request, item_id, again)
    return see(f"/console/items/{item_id}", "noted", "#history")
