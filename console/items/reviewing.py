"""Around a decision: take over, waive a finding, refer, emergency, class."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from console.items import working
from console.items.looks import add_note
from console.items.view import Typed, show_item
from console.web.deps import DEPS, acting, visitor
from console.web.pages import form, see
from console.web.permissions import needs
from review_queue import claims, drafting, emergencies, referrals, waivers
from review_queue.findings import check_and_keep
from staff.refusal import Reason, Refused


def _whole(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else -1


async def _do(
    request: web.Request, act: Callable[[], Awaitable[object]], done: str, box: str = ""
) -> web.Response:
    """Act, then back to the item; a refusal shows the item with every reason, its box open."""
    item_id = request.match_info["item"]
    try:
        await act()
    except Refused as refused:
        if refused.status == 404:
            raise
        fields = await form(request)
        again = Typed(
            refused.reasons,
            note="" if box else fields.get("reason", "") or fields.get("text", ""),
            status=refused.status,
            box={**fields, "name": box} if box else {},
        )
        return await show_item(request, item_id, again)
    return see(f"/console/items/{item_id}", done, "#main")


@needs("items.takeover")
async def take_over(request: web.Request) -> web.StreamResponse:
    """Take a held item from its holder; the reason stands in the timeline for everybody."""
    deps, fields = request.config_dict[DEPS], await form(request)
    item_id, me = request.match_info["item"], visitor(request)
    reason = fields.get("reason", "")

    async def act() -> None:
        if not reason:
            raise Refused(422, [Reason("reason", "接手要写明理由，原来的审核人会看到")])
        await claims.take_over(deps.queue, item_id, me.staff_id)
        # After the act: a take-over that was refused leaves no note behind.
        await add_note(deps.db, item_id, me.staff_id, f"接手审核的理由：{reason}")

    return await _do(request, act, "taken_over")


@needs("items.review")
async def waive(request: web.Request) -> web.StreamResponse:
    """Let one blocking finding of this very text stand, with a reason."""
    deps, fields = request.config_dict[DEPS], await form(request)
    item_id = request.match_info["item"]
    finding = {name: fields.get(name, "") for name in ("gate", "rule", "field")} | {
        name: _whole(fields.get(name, "")) for name in ("start", "end")
    }

    async def act() -> None:
        reason = fields.get("reason", "")
        await waivers.waive(*acting(request), finding, reason)
        # The next look at the item should already show the finding as waived.
        await check_and_keep(deps.queue, item_id)

    return await _do(request, act, "waived")


@needs("items.review")
async def answer_referral(request: web.Request) -> web.StreamResponse:
    """Write down what the department answered; the same level waits again."""
    fields = await form(request)

    async def act() -> None:
        await referrals.answer_referral(*acting(request), fields.get("text", ""))

    return await _do(request, act, "referral_answered")


@needs("items.write")
async def emergency(request: web.Request) -> web.StreamResponse:
    """Send a draft to the two levels of 应急 at once."""
    fields = await form(request)

    async def act() -> None:
        await emergencies.submit_emergency(
            *acting(request), _whole(fields.get("version", "")), fields.get("reason", "")
        )
        await working.drop_mine(request)

    return await _do(request, act, "emergency", "emergency")


@needs("items.review")
async def lower_class(request: web.Request) -> web.StreamResponse:
    """Lower an item's class, with a reason; a running review begins again."""
    fields = await form(request)

    async def act() -> None:
        await drafting.lower_class(*acting(request), fields.get("to", ""), fields.get("reason", ""))

    return await _do(request, act, "class_lowered", "class")


ROUTES = [
    web.post("/items/{item}/takeover", take_over),
    web.post("/items/{item}/waive", waive),
    web.post("/items/{item}/referral", answer_referral),
    web.post("/items/{item}/emergency", emergency),
    web.post("/items/{item}/class", lower_class),
]
