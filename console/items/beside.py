"""What the drafting page shows beside a text while somebody types; nothing of it is kept."""

from aiohttp import web

from config.clock import now
from console.items.ahead import ahead_of
from console.items.drafting import empty_draft
from console.items.facts import ItemFacts, facts_of
from console.items.forms import Sent, changes_of, keep_same_minute
from console.items.turns import in_turn
from console.items.working import LONGEST, NEW, CopyBody
from console.web.deps import DEPS, Deps, visitor
from console.web.interface import as_json, problem_json, read
from console.web.pages import fragment
from console.web.permissions import needs
from review_queue.canonical import Draft
from review_queue.drafting import Origin, written_faults
from staff.refusal import Reason, Refused, refuse
from staff.sessions import Visitor


@needs("items.write")
@in_turn
async def beside(request: web.Request) -> web.StreamResponse:
    """A form as it stands (fields, as a working copy has them) as each channel would show it.

    With what its reviewers would meet and how many people its push reaches. Keeps nothing.
    """
    deps, me = request.config_dict[DEPS], visitor(request)
    try:
        body = await read(request, CopyBody)
        # Whoever may not know of the item is told there is none, as on its page.
        facts = None if body.place == NEW else await facts_of(deps, body.place)
        draft = await _as_typed(deps, me, body.fields, facts)
        ahead = await ahead_of(deps, draft, facts, me.staff_id)
    except Refused as refused:
        return problem_json(request, refused)
    shown = {"ahead": ahead, "draft": draft, "now": now()}
    shown |= {"reach": ahead.reach, "names": ahead.names}
    parts = {
        "before": "items/before.html",
        "sum": "items/before_sum.html",
        "reach": "items/reach.html",
        "previews": "items/previews.html",
    }
    return as_json({name: fragment(request, file, shown) for name, file in parts.items()})


async def _as_typed(deps: Deps, me: Visitor, sent: Sent, facts: ItemFacts | None) -> Draft:
    """The draft that saving this form would make; Refused (422) where it would be refused."""
    if sum(len(value) for values in sent.values() for value in values) > LONGEST:
        raise Refused(422, [Reason("size", "内容太长，没有预览：请先保存，或拆成几篇")])
    stored = facts.draft if facts is not None else await empty_draft(deps, me.name)
    changes = changes_of(sent, deps.facets, stored)
    if facts is not None:
        changes = keep_same_minute(changes, stored)
    draft = stored.changed(changes)
    origin = Origin(me.staff_id, audience=draft.audience, accounts=draft.accounts)
    if draft.blocks is not None:
        refuse(written_faults(draft.content, origin))
    return draft


ROUTES = [web.post("/items/beside", beside)]
