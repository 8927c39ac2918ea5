"""What went out as open data: the approved text of each item, and what became of it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web
from sqlalchemy import func, select

from bot.delivery import taken
from bot.delivery.once import FINISHED, RECALLED, SETTLED
from bot.models import Account, Publication
from console.public.opened import (
    Closed,
    Feed,
    FeedItem,
    Spot,
    asked_of,
    feed_fields,
    given,
    known_of,
    named,
    opened,
    page_of,
    too_many,
    unchanged,
)
from console.public.proof import Proof, prove
from console.web.deps import DEPS, Deps
from console.web.interface import answers, filtered_by
from console.web.permissions import PUBLIC, needs
from ledger.models import LedgerEntry
from review_queue.canonical import Draft
from review_queue.told import account_named, facts_about
from staff.refusal import Refused

_NAME = "items"
_KINDS = (
    FINISHED,
    SETTLED,
    RECALLED,
    taken.FINISHED,
    taken.SETTLED,
    taken.MISSING,
    taken.CORRECTED,
)
"""After which a reader has to be told something else of an item."""
_GONE = {
    "recalled": "这一条已经撤回",
    "corrected": "这一条已经更正",
    "removed": "这一条已经从发布的账号撤下",
    "unproved": "这一条暂时不能证明",
}
_MOST = 20
"""Records of a page at most: each is proved from the ledger when it is given."""


class PublicationData(Closed):
    """Where and when an item went out; `verify` is the page that proves it."""

    id: str
    account: str
    platform: str
    url: str
    published_at: str
    off_at: str | None
    verify: str


class AttributionData(Closed):
    """Where a repost is from."""

    source: str
    original_author: str
    original_title: str
    url: str


class CorrectsData(Closed):
    """The item that this one corrects, and the digest that had gone out of it."""

    item: str
    digest: str
    changes: str


class AttachedData(Closed):
    """A file by its name and the SHA-256 of its bytes."""

    name: str
    sha256: str


class ItemData(Closed):
    """What JSON Feed has no word for. A record whose state is not `open` is a tombstone."""

    state: str
    kind: str
    digest: str
    text_sha256: str
    attribution: AttributionData | None
    attachments: list[AttachedData]
    blocks: list[Any]
    corrects: CorrectsData | None
    corrected_by: list[str]
    recalled_at: str | None
    recall_class: str
    publications: list[PublicationData]


class OpenItem(FeedItem):
    """One released item."""

    data: ItemData = named("_item", "data")


class ItemFeed(Feed):
    """A page of released items."""

    items: list[OpenItem]


@dataclass(frozen=True)
class _Shown:
    """One publication with what the chain says of it."""

    row: Publication
    proof: Proof
    draft: Draft | None
    account: str
    platform: str


@needs(PUBLIC)
@answers(ItemFeed)
@filtered_by("cursor", "limit", "updated_since")
async def open_items(request: web.Request) -> web.StreamResponse:
    """Released items as JSON Feed 1.1, the oldest change first; recalled ones are tombstones."""
    try:
        return await _items(request)
    except Refused as refused:
        return too_many(request, refused)


async def _items(request: web.Request) -> web.StreamResponse:
    deps = request.config_dict[DEPS]
    await opened(request, _NAME)
    asked = asked_of(request, _NAME)
    asked = replace(asked, limit=min(asked.limit, _MOST))
    page, place = page_of(await _spots(deps), asked)
    known = known_of(page, place, daily=False)
    if (same := unchanged(request, known)) is not None:
        return same
    made = [await _item(deps, one) for one in page]
    fields = feed_fields(request, asked, place, "已发布的内容")
    return given(ItemFeed(**fields, items=[one for one in made if one is not None]), known)


async def _spots(deps: Deps) -> list[Spot]:
    """Every item that ever went out, and when something was last signed of it.

    The columns of the ledger only lead there: what is said of a record is proved from its chain.
    """
    entry = LedgerEntry
    newest = select(entry.subject, func.max(entry.seq), func.max(entry.at)).where(
        entry.kind.in_(_KINDS), entry.subject.startswith("item:")
    )
    async with deps.db.session() as session:
        rows = (await session.execute(newest.group_by(entry.subject))).all()
    return [Spot(row[0].removeprefix("item:"), row[1], row[2]) for row in rows]


async def _item(deps: Deps, spot: Spot) -> OpenItem | None:
    """The record of one item; None for what was never out, and for an edition as such."""
    async with deps.db.session() as session:
        query = select(Publication).where(Publication.item_id == spot.key).order_by(Publication.id)
        rows = (await session.scalars(query)).all()
        found = await session.scalars(
            select(Account).where(Account.id.in_([row.account_id for row in rows]))
        )
        accounts = {one.id: one for one in found}
    shown = []
    for row in rows:
        proof, draft = await prove(deps, row)
        named = await account_named(deps.ledger, accounts.get(row.account_id))
        if draft is not None and draft.edition:
            return None
        if proof.told is not None or (proof.problem and row.published_at is not None):
            shown.append(_Shown(row, proof, draft, named.name, named.platform))
    facts = await facts_about(deps.ledger, spot.key)
    by = [str(one.body["by"]) for one in facts if one.kind == taken.CORRECTED]
    return _record(deps, spot, shown, list(dict.fromkeys(by))) if shown else None


def _record(deps: Deps, spot: Spot, shown: Sequence[_Shown], corrected_by: list[str]) -> OpenItem:
    good = [one for one in shown if one.proof.told is not None and one.draft is not None]
    state = _state(good, corrected_by)
    home = deps.settings.public_url.rstrip("/")
    # The newest text that went out; every publication of an item has the same but for accidents.
    newest = max(good, key=lambda one: one.row.id) if good else None
    draft = newest.draft if newest is not None and state == "open" else None
    text = draft.body if draft is not None else _GONE[state]
    proof = newest.proof if newest is not None else shown[0].proof
    out = [_publication(one, home) for one in good]
    tags = [newest.draft.kind] if newest is not None and newest.draft is not None else []
    return OpenItem(
        id=spot.key,
        url=f"{home}/verify/{shown[0].row.id}",
        title=draft.title if draft is not None else _GONE[state],
        content_text=text,
        date_published=min((one.published_at for one in out), default=None),
        date_modified=spot.at.isoformat(),
        tags=tags,
        data=ItemData(
            state=state,
            kind=tags[0] if tags else "",
            digest=newest.row.digest if newest is not None else "",
            text_sha256=hashlib.sha256(text.encode()).hexdigest() if draft is not None else "",
            attribution=_attribution(draft),
            attachments=_attached(draft),
            blocks=draft.blocks.data() if draft is not None and draft.blocks is not None else [],
            corrects=_corrects(newest.draft if newest is not None else None),
            corrected_by=corrected_by,
            recalled_at=proof.recalled_at.isoformat() if proof.recalled_at else None,
            recall_class=proof.recall_class,
            publications=out,
        ),
    )


def _state(good: Sequence[_Shown], corrected_by: Sequence[str]) -> str:
    if not good:
        return "unproved"
    if any(one.proof.recalled_at is not None for one in good):
        return "recalled"
    if any(one.proof.off_at is None for one in good):
        return "open"
    return "corrected" if corrected_by else "removed"


def _publication(one: _Shown, home: str) -> PublicationData:
    told = one.proof.told
    assert told is not None  # noqa: S101  only what is told comes here
    return PublicationData(
        id=one.row.id,
        account=one.account,
        platform=one.platform,
        url=told.url,
        published_at=told.at.isoformat(),
        off_at=one.proof.off_at.isoformat() if one.proof.off_at else None,
        verify=f"{home}/verify/{one.row.id}",
    )


def _attribution(draft: Draft | None) -> AttributionData | None:
    """Where a repost is from; who edited it here is nobody's business outside."""
    if draft is None or not draft.attribution.get("source"):
        return None
    names = AttributionData.model_fields
    return AttributionData(**{name: draft.attribution.get(name, "") for name in names})


def _attached(draft: Draft | None) -> list[AttachedData]:
    parts = draft.attachments if draft is not None else ()
    return [
        AttachedData(name=one["name"], sha256=one["media"].removeprefix("sha256:")) for one in parts
    ]


def _corrects(draft: Draft | None) -> CorrectsData | None:
    if draft is None or draft.corrects is None:
        return None
    about = draft.corrects
    return CorrectsData(item=about.item, digest=about.digest, changes=about.changes)


ROUTES = [web.get("/open/items", open_items)]
