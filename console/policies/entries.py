"""问答: reviewed questions and answers, what each rests on, a new one begun, one taken back."""

from aiohttp import web

from console.policies.notices import entry_notice
from console.web.deps import DEPS, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from knowledge.told import counts_of, of_entry
from knowledge.validity import CITABLE
from review_queue import shelving
from review_queue.canonical import QA
from review_queue.shelf import ShelfEntry
from staff.refusal import Refused

PLACE = "/console/policies/entries"
STATES = {
    "in_use": ("使用中", "good"),
    "withdrawn": ("已停用", "stop"),
    "lapsed": ("依据已失效，已停用", "stop"),
    "expired": ("已过使用期", "warn"),
    "changed": ("不能确认，已停用", "stop"),
}


@needs("policies.read")
async def entries(request: web.Request) -> web.StreamResponse:
    """Every entry, those to look after first."""
    return await _entries(request)


async def _entries(request: web.Request, refused: Refused | None = None) -> web.Response:
    deps = request.config_dict[DEPS]
    shelf = deps.queue.library.get(QA)
    rows = sorted(await shelf.entries() if shelf else [], key=lambda one: one.state == "in_use")
    async with deps.db.session() as session:
        told = await counts_of(session, [of_entry(one.key) for one in rows])
    context = {
        "place": "policies",
        "told": {one.key: told.get(of_entry(one.key), 0) for one in rows},
        "rows": [(one, await _rests(request, one)) for one in rows],
        "entry_states": STATES,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "policies/entries.html", context, refused.status if refused else 200)


async def _rests(request: web.Request, one: ShelfEntry) -> list[tuple[str, bool, str]]:
    """Name, whether in force, and policy of each clause it rests on."""
    clauses = await request.config_dict[DEPS].recall.clauses(one.rests)
    return [
        (f"《{hit.title.strip('《》')}》{hit.label}", hit.validity in CITABLE, hit.policy_id)
        if hit is not None
        else ("一条已不在政策库里的条文", False, "")
        for _, hit in clauses
    ]


@needs("items.write")
async def begin(request: web.Request) -> web.StreamResponse:
    """Start an entry that the library does not hold yet."""
    deps, question = request.config_dict[DEPS], (await form(request)).get("question", "")
    try:
        item = await shelving.new_entry(deps.queue, question, visitor(request).staff_id)
    except Refused as refused:
        return await _entries(request, refused)
    return see(f"/console/items/{item.id}/edit", "created")


@needs("items.write")
async def again(request: web.Request) -> web.StreamResponse:
    """Start a new text for an entry, as an item that goes through review."""
    queue, key = request.config_dict[DEPS].queue, request.match_info["key"]
    item = await shelving.draft_for(queue, QA, key, visitor(request).staff_id)
    return see(f"/console/items/{item.id}/edit", "created")


@needs("items.recall")
async def withdraw(request: web.Request) -> web.StreamResponse:
    """Stop using an entry at once; the reason is required."""
    queue, key = request.config_dict[DEPS].queue, request.match_info["key"]
    reason = (await form(request)).get("reason", "")
    try:
        await shelving.withdraw(queue, QA, key, visitor(request).staff_id, reason)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _entries(request, refused)
    return see(PLACE, "entry_withdrawn")


@needs("items.write")
async def notice(request: web.Request) -> web.StreamResponse:
    """Start a notice of correction for whoever was told this answer."""
    queue, key = request.config_dict[DEPS].queue, request.match_info["key"]
    item = await entry_notice(queue, key, visitor(request).staff_id)
    return see(f"/console/items/{item.id}/edit", "created")


ROUTES = [
    web.get("/policies/entries", entries),
    web.post("/policies/entries", begin),
    web.post("/policies/entries/{key}/draft", again),
    web.post("/policies/entries/{key}/withdraw", withdraw),
    web.post("/policies/entries/{key}/notice", notice),
]
