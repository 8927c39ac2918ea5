"""写新稿 and 修改稿件: the drafting form, and what happens when somebody else saved first."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import select

from blocks.document import Made
from blocks.editor import to_editor
from blocks.light import to_light
from blocks.text import from_plain
from bot.contract import Content
from bot.models import Account
from config.clock import now
from console.items import live, starts, working
from console.items.ahead import Ahead, ahead_of
from console.items.differences import Comparison, differences
from console.items.facts import ItemFacts, facts_of, read_facts
from console.items.forms import (
    Sent,
    changes_of,
    in_box,
    keep_same_minute,
    read_tree,
    sent_by,
    typed,
    typed_texts,
)
from console.items.limiting import active_people
from console.items.looks import words_of
from console.items.picturing import pressed, with_pictures
from console.items.progress import returned
from console.items.resting import rest_choices
from console.items.words import MADE
from console.web.deps import DEPS, Deps, visitor
from console.web.pages import form, many, page, see
from console.web.permissions import keeps_words, needs
from facets.criteria import current
from facets.suggesting import suggestions
from facets.taxonomy import DIMENSIONS
from review_queue import drafting, scope, submitting
from review_queue.canonical import KINDS, LIBRARY_KINDS, WRITTEN_KINDS, Draft
from review_queue.collisions import Kind
from review_queue.drafting import Origin
from review_queue.models import Item
from review_queue.neighbours import collisions_of
from staff.refusal import Reason, Refused, missing, refuse


async def draft_form(
    request: web.Request, draft: Draft, facts: ItemFacts | None, refused: Refused | None = None
) -> web.Response:
    """The drafting form with this draft in it, and why it was refused."""
    deps = request.config_dict[DEPS]
    sent: Sent = await sent_by(request) if request.method == "POST" else {}
    place = facts.item.id if facts else working.NEW
    version, copy = facts.item.version if facts else 0, None
    if request.method == "GET" or working.OFFERED in sent:
        copy = await working.kept(deps, visitor(request).staff_id, place)
        if copy is not None and request.method == "GET" and "restore" in request.query:
            # The version it was typed for: what somebody saved since is compared, not overwritten.
            sent, version = copy.sent, _version(copy.sent)
            draft, refused = restored(deps, draft, sent)
    async with deps.db.session() as session:
        query = select(Account).where(Account.enabled.is_(True)).order_by(Account.slug)
        accounts = (await session.scalars(query)).all()
        staff = [] if facts else await active_people(session)
    chosen = list(sent.get("people", ())) if not facts else []
    context = {
        "staff": staff,
        "chosen": chosen,
        "limited": bool(chosen) or "limit" in sent,
        "place": "items",
        "draft": draft,
        "f": facts,
        "item": facts.item if facts else None,
        "accounts": accounts,
        "kinds": [kind for kind in WRITTEN_KINDS if kind not in LIBRARY_KINDS],
        "classes": deps.queue.levels,
        "facets": {name: deps.facets.get(name, {}) for name in DIMENSIONS},
        "audience": current(deps.taxonomy, draft.audience or {}),
        "taxonomy_labels": deps.taxonomy.labels,
        "suggested": await asyncio.to_thread(
            suggestions, draft.title, draft.body, deps.taxonomy.itself
        ),
        "reasons": refused.reasons if refused else (),
        "back": returned(facts, {facts.revision.digest: (facts.draft.title, facts.draft.body)})
        if facts
        else None,
        "tree": _tree(sent, draft),
        "box": _box(sent, draft),
        "body_faults": [one for one in refused.reasons if one.rule == "body"] if refused else (),
        "version": version,
        "outlines": starts.OUTLINES,
        "copy": copy if not sent or working.OFFERED in sent else None,
        "place_of_copy": place,
        "filed": {name: values[0] for name, values in sent.items() if values},
        "made_words": MADE,
        "collisions": await collisions_of(
            deps.db, place, visitor(request).staff_id, quiet=deps.queue.quiet
        )
        if facts
        else (),
        "like": "".join(sent.get("like", ())) or request.query.get("like", ""),
        "clash": _clash(deps, facts, draft) if facts and _is_stale(refused) else None,
        # An empty form lacks everything, and what was refused may be nothing a channel can show.
        "rest_choices": await rest_choices(deps, draft),
        "ahead": await _ahead(request, draft, facts) if facts and not refused else None,
        "now": now(),
    }
    return page(request, "items/draft.html", context, refused.status if refused else 200)


async def _ahead(request: web.Request, draft: Draft, facts: ItemFacts) -> Ahead | None:
    """What lies before the text; nothing is said of one that holds files of others."""
    try:
        return await ahead_of(request.config_dict[DEPS], draft, facts, visitor(request).staff_id)
    except Refused:
        return None


def _tree(sent: Sent, draft: Draft) -> Any:
    """The text for the editor: what was typed, also when it is no document, else what is kept."""
    tree = read_tree("".join(sent.get("blocks", ())))
    if isinstance(tree, dict) and tree.get("type") == "doc":
        return tree
    return to_editor(draft.blocks or from_plain(draft.body))


def _box(sent: Sent, draft: Draft) -> str:
    """The text for the plain box: what was typed there, else the draft in light mark-up."""
    if "".join(sent.get("marks", ())) and not "".join(sent.get("blocks", ())) and "body" in sent:
        return "".join(sent["body"])
    return draft.body if draft.entry else to_light(in_box(draft))


def restored(deps: Deps, draft: Draft, sent: Sent) -> tuple[Draft, Refused | None]:
    """The draft with the words of a working copy; with the reason when one cannot be read."""
    try:
        return typed(draft, keep_same_minute(changes_of(sent, deps.facets, draft), draft)), None
    except Refused as refused:
        return typed_texts(draft, sent), refused


def _version(sent: Sent) -> int:
    """The version the form was filled for; one that fits none when it names none."""
    text = "".join(sent.get("version", ()))
    return int(text) if text.isdigit() and len(text) < 10 else -1


def _is_stale(refused: Refused | None) -> bool:
    return refused is not None and any(row.rule == "stale" for row in refused.reasons)


def _clash(deps: Deps, facts: ItemFacts, mine: Draft) -> Comparison:
    """What is stored by now against what was typed."""
    return differences(facts.draft, mine, words_of(deps, facts))


async def empty_draft(deps: Deps, name: str) -> Draft:
    """What a new form says: every account, the first class, and who writes."""
    async with deps.db.session() as session:
        query = select(Account.id).where(Account.enabled.is_(True)).order_by(Account.slug)
        accounts = tuple((await session.scalars(query)).all())
    moment = now()
    return Draft(
        kind=KINDS[0],
        klass=next(iter(deps.queue.levels)),
        title="",
        body="",
        accounts=accounts,
        not_before=moment,
        not_after=moment + await deps.queue.window(),
        attribution={"editor": name},
    )


@needs("items.write")
async def new(request: web.Request) -> web.StreamResponse:
    """A drafting form: empty, with an outline (`start`), or as an older item (`like`)."""
    deps, me = request.config_dict[DEPS], visitor(request)
    empty = await empty_draft(deps, me.name)
    if older := request.query.get("like", ""):
        draft = starts.like(empty, (await _older(deps, older, me.staff_id)).draft)
    else:
        draft = starts.from_outline(empty, request.query.get("start", ""))
    return await draft_form(request, draft, None)


async def _older(deps: Deps, item_id: str, staff_id: str) -> ItemFacts:
    """The item to copy, as 404 for whoever may not know of it; a limited one stays where it is."""
    facts = await facts_of(deps, item_id)
    if not facts.item.known_to(staff_id):
        raise missing("篇稿件")
    if facts.item.confined or facts.draft.entry or facts.draft.edition:
        why = "限定知悉范围的稿件、入库使用的稿件和组版不能照着另写一篇"
        raise Refused(409, [Reason("like", why)])
    return facts


async def _copied(deps: Deps, sent: Sent) -> ItemFacts | None:
    """The item the form was begun as a copy of, if this person may know of it."""
    async with deps.db.session() as session:
        row = await session.get(Item, "".join(sent.get("like", ())))
        return None if row is None or row.confined else await read_facts(session, row.id)


def _empty_faults(changes: Mapping[str, Any]) -> list[Reason]:
    faults = []
    if not changes["title"]:
        faults.append(Reason("title", "标题不能为空"))
    if not changes["body"]:
        faults.append(Reason("body", "正文不能为空"))
    return faults


async def _hidden_files(
    request: web.Request, said: Draft | None, changes: Mapping[str, Any]
) -> list[Reason]:
    blocks, cover = changes.get("blocks") or from_plain(changes["body"]), changes.get("cover", "")
    db, me = request.config_dict[DEPS].db, visitor(request).staff_id
    return await scope.hidden_files(db, said, blocks, cover, me)


@keeps_words(working.keep_after_the_end)
@needs("items.write")
async def create(request: web.Request) -> web.StreamResponse:
    """Make a new item from the form."""
    deps, me = request.config_dict[DEPS], visitor(request)
    empty = await empty_draft(deps, me.name)
    shown = empty
    try:
        sent = await sent_by(request)
        older = await _copied(deps, sent)
        # What the plain box cannot say of the older text stays as it is there.
        base = starts.like(empty, older.draft) if older is not None else None
        changes = changes_of(sent, deps.facets, base)
        shown = typed(empty, changes)
        changes = await with_pictures(request, sent, changes)
        refuse(_empty_faults(changes))
        refuse(await _hidden_files(request, None, changes))
        origin = Origin(
            editor_id=me.staff_id,
            klass=changes["klass"],
            audience=changes["audience"],
            accounts=changes["accounts"],
            like=older.item.id if older is not None else "",
        )
        content = Content(
            kind=changes["kind"],
            title=changes["title"],
            body=changes["body"],
            blocks=changes.get("blocks"),
            attribution=changes["attribution"],
            summary=changes.get("summary", ""),
            author=changes.get("author", ""),
            made=changes.get("made", Made.UNDECLARED),
            cover=changes.get("cover", ""),
            crops=changes.get("crops", {}),
            comments=changes.get("comments", False),
        )
        if (await form(request)).get("limit"):
            people = await many(request, "people")
            row = await scope.create_confined(deps.queue, content, origin, people)
        else:
            row = await drafting.create_item(deps.queue, content, origin)
    except Refused as refused:
        if shown is empty:
            shown = typed_texts(empty, await sent_by(request))
        return await draft_form(request, shown, None, refused)
    await working.saved(deps, me.staff_id, working.NEW, await sent_by(request))
    return see(f"/console/items/{row.id}/edit", "created")


@needs("items.write")
async def edit(request: web.Request) -> web.StreamResponse:
    """The drafting form of an item, findings beside it."""
    facts = await facts_of(request.config_dict[DEPS], request.match_info["item"])
    if facts.draft.edition:
        return see(f"/console/items/{facts.item.id}/edition")
    return await draft_form(request, facts.draft, facts)


async def _not_seen(deps: Deps, item_id: str, staff_id: str, sent: Sent) -> bool:
    """Whether the text just saved is in the way of an item that the form did not tell of."""
    met = await collisions_of(deps.db, item_id, staff_id, quiet=deps.queue.quiet)
    told = {one.mark for one in met if one.kind != Kind.BEGUN}
    return not told <= set(sent.get("seen", ()))


@keeps_words(working.keep_after_the_end)
@needs("items.write")
async def save(request: web.Request) -> web.StreamResponse:
    """Save a draft; with the second button also submit it."""
    deps, me = request.config_dict[DEPS], visitor(request)
    item_id = request.match_info["item"]
    facts = await facts_of(deps, item_id)
    shown = facts.draft
    sent = await sent_by(request)
    version = _version(sent)
    try:
        # Else a save without a change would be a new digest, and void every approval.
        changes = keep_same_minute(changes_of(sent, deps.facets, facts.draft), facts.draft)
        shown = typed(facts.draft, changes)
        changes = await with_pictures(request, sent, changes)
        refuse(await _hidden_files(request, facts.draft, changes))
        row = await drafting.edit(deps.queue, item_id, me.staff_id, version, changes)
        await working.saved(deps, me.staff_id, item_id, sent)
        if "submit" in sent.get("then", ()):
            if await _not_seen(deps, item_id, me.staff_id, sent):
                return see(f"/console/items/{item_id}/edit", "met", "#collisions")
            await submitting.submit(deps.queue, item_id, me.staff_id, row.version)
            await working.drop_mine(request)
            return see(f"/console/items/{item_id}", "submitted")
    except Refused as refused:
        # The form could not be read as a whole; the texts at least must not be lost.
        if shown is facts.draft:
            shown = typed_texts(facts.draft, await sent_by(request))
        return await draft_form(request, shown, await facts_of(deps, item_id), refused)
    done = "same" if row.version == version else "saved"
    return see(f"/console/items/{item_id}/edit", done, "#pictures" if pressed(sent) else "")


ROUTES = [
    *working.ROUTES,
    *live.ROUTES,
    web.get("/items/new", new),
    web.post("/items/new", create),
    web.get("/items/{item}/edit", edit),
    web.post("/items/{item}/edit", save),
]
