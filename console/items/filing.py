"""Attachments of a draft from its form: the words that came along are kept and shown again."""

from aiohttp import web

from console.items import working
from console.items.drafting import draft_form, restored
from console.items.facts import facts_of
from console.items.forms import Sent, changes_of, keep_same_minute, sent_by
from console.items.mending import attached, number_of
from console.items.turns import own_turn
from console.web.deps import DEPS, acting, visitor
from console.web.pages import see
from console.web.permissions import keeps_words, needs
from review_queue.models import Item
from review_queue.uploads import detach
from staff.refusal import Refused

_OF_THE_BUTTON = frozenset({"csrf", "then", "drop", "name", "upload", "origin", "licence"})


@keeps_words(working.keep_after_the_end)
@needs("items.write")
async def add_file(request: web.Request) -> web.StreamResponse:
    """Add or replace an attachment."""
    try:
        async with own_turn(request):
            done = await attached(request)
    except Refused as refused:
        return await _again(request, refused)
    path = f"/console/items/{done.item.id}/edit"
    if working.OFFERED in await sent_by(request):
        return await _shown(request, done.item.id)
    if await _kept(request, done.item):
        return see(f"{path}?restore=1", "filed", "#attachments")
    return see(path, "picture_brought" if done.notes else "saved", "#attachments")


@keeps_words(working.keep_after_the_end)
@needs("items.write")
async def drop_file(request: web.Request) -> web.StreamResponse:
    """Take an attachment off."""
    sent = await sent_by(request)
    name = "".join(sent.get("drop", sent.get("name", ())))
    try:
        row = await detach(*acting(request), number_of("".join(sent.get("version", ()))), name)
    except Refused as refused:
        return await _again(request, refused)
    path = f"/console/items/{row.id}/edit"
    if working.OFFERED in await sent_by(request):
        return await _shown(request, row.id)
    if await _kept(request, row):
        return see(f"{path}?restore=1", "filed", "#attachments")
    return see(path, "saved", "#attachments")


async def _again(request: web.Request, refused: Refused) -> web.StreamResponse:
    """The drafting form with everything that was typed, and why the file was not taken."""
    sent, deps = await sent_by(request), request.config_dict[DEPS]
    if "title" not in sent or refused.status == 404:
        raise refused
    facts = await facts_of(deps, request.match_info["item"])
    return await draft_form(request, restored(deps, facts.draft, sent)[0], facts, refused)


async def _shown(request: web.Request, item_id: str) -> web.StreamResponse:
    """The form as it was sent; kept, its words would take the place of those that are offered."""
    sent, deps = await sent_by(request), request.config_dict[DEPS]
    facts = await facts_of(deps, item_id)
    return await draft_form(request, restored(deps, facts.draft, sent)[0], facts)


async def _kept(request: web.Request, row: Item) -> bool:
    """Keep the words that came along, where they say something that is not saved."""
    words = {k: v for k, v in (await sent_by(request)).items() if k not in _OF_THE_BUTTON}
    if not await _says_more(request, row.id, words):
        return False
    # They were typed for the text of before the file, which is the text of now.
    words["version"] = [str(row.version)]
    deps = request.config_dict[DEPS]
    await working.keep(deps, visitor(request).staff_id, row.id, words)
    return True


async def _says_more(request: web.Request, item_id: str, words: Sent) -> bool:
    """Whether the form says something that is not saved."""
    if "title" not in words:
        return False
    deps = request.config_dict[DEPS]
    stored = (await facts_of(deps, item_id)).draft
    try:
        changes = keep_same_minute(changes_of(words, deps.facets, stored), stored)
    except Refused:  # words that cannot be read are words
        return True
    return not stored.changed(changes).says_as(stored)


ROUTES = [
    web.post("/items/{item}/attachments", add_file),
    web.post("/items/{item}/attachments/drop", drop_file),
]
