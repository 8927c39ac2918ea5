"""Attachments of a draft from its form: the words that came along are kept and shown again."""

from aiohttp import web

from console.items import working
from console.items.drafting import draft_form, restored
from console.items.facts import facts_of
from console.items.forms import Sent, sent_by
from console.items.mending import attached, number_of
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
        done = await attached(request)
    except Refused as refused:
        return await _again(request, refused)
    return await _back(request, done.item, "picture_brought" if done.notes else "saved")


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
    return await _back(request, row, "saved")


async def _again(request: web.Request, refused: Refused) -> web.StreamResponse:
    """The drafting form with everything that was typed, and why the file was not taken."""
    sent, deps = await sent_by(request), request.config_dict[DEPS]
    if "title" not in sent or refused.status == 404:
        raise refused
    facts = await facts_of(deps, request.match_info["item"])
    return await draft_form(request, restored(deps, facts.draft, sent)[0], facts, refused)


async def _back(request: web.Request, row: Item, done: str) -> web.StreamResponse:
    """To the form, with the words that are not saved where there are any."""
    deps, path = request.config_dict[DEPS], f"/console/items/{row.id}/edit"
    words = {k: v for k, v in (await sent_by(request)).items() if k not in _OF_THE_BUTTON}
    if not await _says_more(request, row.id, words):
        return see(path, done, "#attachments")
    # They were typed for the text of before the file, which is the text of now.
    words["version"] = [str(row.version)]
    await working.keep(deps, visitor(request).staff_id, row.id, words)
    return see(f"{path}?restore=1", "filed", "#attachments")


async def _says_more(request: web.Request, item_id: str, words: Sent) -> bool:
    """Whether the form says something that is not saved."""
    if "title" not in words:
        return False
    deps = request.config_dict[DEPS]
    stored = (await facts_of(deps, item_id)).draft
    typed, refused = restored(deps, stored, words)
    return refused is not None or not typed.says_as(stored)


ROUTES = [
    web.post("/items/{item}/attachments", add_file),
    web.post("/items/{item}/attachments/drop", drop_file),
]
