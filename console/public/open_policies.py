"""The policies of the library as open data: what is in force whole, what ended as a tombstone."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from aiohttp import web
from sqlalchemy import select

from config.clock import beijing, now
from console.public.opened import (
    Closed,
    Feed,
    FeedItem,
    Spot,
    asked_of,
    broken,
    day_start,
    feed_fields,
    given,
    known_of,
    named,
    opened,
    page_of,
    too_many,
    unchanged,
)
from console.web.deps import DEPS, Deps
from console.web.interface import answers, filtered_by
from console.web.permissions import PUBLIC, needs
from facets.taxonomy import Taxonomy
from knowledge.forms import clauses_of
from knowledge.models import Clause, Policy
from knowledge.proof import SET, SignedPolicy, entries_of, fault_in, policies_in, tell_changed
from knowledge.validity import is_worded, policy_status
from ledger.verify import Broken, Entry
from staff.refusal import Refused

_NAME = "policies"
_GONE = "这份文件已经不在有效政策之列，正文不再提供"


class ClauseData(Closed):
    """One wording of one clause: `place` names the clause whose words it takes from a day."""

    number: int
    label: str
    heading: str
    text: str
    place: int | None
    effective_from: str | None
    replaced_on: str | None
    repealed_on: str | None


class PolicyData(Closed):
    """What JSON Feed has no word for; `state` is ended for a tombstone."""

    state: str
    validity: str
    doc_number: str
    issuer: str
    source_url: str
    issued_on: str | None
    effective_from: str | None
    effective_to: str | None
    amended_on: str | None
    repealed_on: str | None
    successor_id: str | None
    topics: list[str]
    text_sha256: str
    digest: str
    clauses: list[ClauseData]


class PolicyItem(FeedItem):
    """One policy."""

    data: PolicyData = named("_policy", "data")


class PolicyFeed(Feed):
    """A page of policies."""

    items: list[PolicyItem]


@needs(PUBLIC)
@answers(PolicyFeed)
@filtered_by("cursor", "limit", "updated_since")
async def open_policies(request: web.Request) -> web.StreamResponse:
    """Policies as JSON Feed 1.1, the oldest change first; what ended is a tombstone."""
    try:
        return await _policies(request)
    except Refused as refused:
        return too_many(request, refused)


async def _policies(request: web.Request) -> web.StreamResponse:
    deps = request.config_dict[DEPS]
    await opened(request, _NAME)
    asked = asked_of(request, _NAME)
    try:
        entries = await entries_of(deps.ledger)
    except Broken as error:
        raise broken(error) from error
    page, place = page_of(_spots(entries), asked)
    known = known_of(page, place, daily=True)
    if (same := unchanged(request, known)) is not None:
        return same
    signed = policies_in(entries)
    items = await _items(deps, page, signed)
    fields = feed_fields(request, asked, place, "政策")
    return given(PolicyFeed(**fields, items=items), known)


def _spots(entries: Sequence[Entry]) -> list[Spot]:
    last = {one.body["policy"]: one for one in entries if one.kind == SET}
    return [Spot(key, one.seq, datetime.fromisoformat(one.at)) for key, one in last.items()]


async def _items(
    deps: Deps, page: Sequence[Spot], signed: Mapping[str, SignedPolicy]
) -> list[PolicyItem]:
    keys, today = [one.key for one in page], beijing(now()).date()
    async with deps.db.session() as session:
        rows = await session.scalars(select(Policy).where(Policy.id.in_(keys)))
        policies = {row.id: row for row in rows}
        clauses = {key: await clauses_of(session, key) for key in keys}
    faults = {key: fault_in(signed[key], policies.get(key), clauses[key]) for key in keys}
    # A row that is not what was signed is told to staff and given to nobody as a policy in force.
    await tell_changed(deps.ledger, [one for one in faults.values() if one is not None])
    around = _Around(today, deps.settings.public_url, deps.taxonomy)
    return [
        _item(
            spot,
            signed[spot.key],
            _Rows(policies[spot.key].text, clauses[spot.key]) if faults[spot.key] is None else None,
            around,
        )
        for spot in page
    ]


@dataclass(frozen=True)
class _Around:
    """What a record is said with beside its policy."""

    today: date
    home: str
    taxonomy: Taxonomy


@dataclass(frozen=True)
class _Rows:
    """The words of a policy that are what was signed."""

    text: str
    clauses: Sequence[Clause]


def reads(text: str, clauses: Sequence[Clause], day: date) -> str:
    """A document as it reads on a day: amended clauses in their places, repealed ones left out."""
    first = [one for one in clauses if one.effective_from is None]
    whole = text[: min((one.start for one in clauses if one not in first), default=len(text))]
    whole = whole.rstrip()
    for one in sorted(first, key=lambda one: one.start, reverse=True):
        wordings = [one, *(row for row in clauses if row.place == one.number)]
        whole = whole[: one.start] + _worded(wordings, day) + whole[one.end :]
    added = [one for one in clauses if one not in first and one.place is None]
    for one in added:
        words = _worded([one, *(row for row in clauses if row.place == one.number)], day)
        whole += f"\n\n{words}" if words else ""
    return whole


def _worded(wordings: Sequence[Clause], day: date) -> str:
    """The words of one clause on a day; none when it is repealed by then."""
    ended = any(one.repealed_on is not None and one.repealed_on <= str(day) for one in wordings)
    return "" if ended else next((one.text for one in wordings if is_worded(one, day)), "")


def _item(spot: Spot, state: SignedPolicy, rows: _Rows | None, around: _Around) -> PolicyItem:
    validity = policy_status(state, around.today)
    alive = rows is not None and state.state == "active" and validity not in ("repealed", "expired")
    keys = [one for one in (state.topics or "").split(",") if one]
    shown = rows if alive and rows is not None else _Rows(_GONE, ())
    text = reads(shown.text, shown.clauses, around.today)
    return PolicyItem(
        id=state.id,
        url=state.url or f"{around.home.rstrip('/')}/",
        title=state.title,
        content_text=text,
        date_published=day_start(state.issued_on),
        date_modified=spot.at.isoformat(),
        tags=[around.taxonomy.label("topics", key) for key in keys],
        data=PolicyData(
            state="unproved" if rows is None else "open" if alive else "ended",
            validity=validity,
            doc_number=state.doc_number,
            issuer=state.issuer,
            source_url=state.url,
            issued_on=state.issued_on,
            effective_from=state.effective_from,
            effective_to=state.effective_to,
            amended_on=state.amended_on,
            repealed_on=state.repealed_on,
            successor_id=state.successor_id,
            topics=keys,
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            digest=state.digest,
            clauses=[
                ClauseData(**{n: getattr(one, n) for n in ClauseData.model_fields})
                for one in shown.clauses
            ],
        ),
    )


ROUTES = [web.get("/open/policies", open_policies)]
