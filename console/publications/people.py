"""推送: who lacks a push and why, what is chosen for them, and a pause to mend its text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import func, select

from bot.channels import CHANNELS
from bot.contract import State
from bot.delivery.massed import to_everybody
from bot.delivery.mended import Going, going
from bot.models import Account, Delivery, Publication
from bot.noticing import Noticing
from console.publications.pace import Pace, pace_of
from console.publications.routed import Routed, routes_of
from console.web.deps import DEPS, found, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from ledger.verify import Broken
from review_queue.desk import read_item
from review_queue.models import Item
from review_queue.told import approved_draft
from staff.refusal import Reason, Refused
from subscriptions.again import (
    RISK,
    Choice,
    Decided,
    Ended,
    People,
    choose,
    people,
    send_to_lacking,
)
from subscriptions.matching import Matching
from subscriptions.mending import drop, pause, resume
from subscriptions.reach import Held, held_by, reaches, send_anyway, send_nothing
from subscriptions.report import Report, report
from subscriptions.urgent import Arrival, arrived, is_urgent

ACTS = {"pause": pause, "resume": resume, "drop": drop}
HELD_ACTS = {"send": send_anyway, "stop": send_nothing}


@dataclass(frozen=True)
class Push:
    """One push as it stands; `correction` is the newest item begun to correct it.

    `held`: it did not begin, and why; `reaches`: how many people it would reach at this moment.
    `arrival`: of an urgent one, how many are proved to have it.
    """

    row: Publication
    item: Item
    account: Account | None
    counts: Mapping[str, int]
    people: list[People]
    stand: Going
    pace: Pace
    correction: Item | None
    report: Report
    routes: Mapping[str, Routed]
    by_mass: bool = False
    """Whether it went to everybody at once, and so to nobody apart."""
    held: Held | None = None
    reaches: int = 0
    arrival: Arrival | None = None

    @property
    def waiting(self) -> int:
        """Messages that have not gone out and may yet."""
        return sum(self.counts.get(state, 0) for state in WAITING)


WAITING = (State.CREATED, State.RETRYING, State.SENDING, State.HELD)


async def push_of(request: web.Request) -> Push:
    """What is known of the push of the address; Refused 404 also for who may not read its item."""
    deps = request.config_dict[DEPS]
    async with deps.db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
        item = await read_item(session, row.item_id)
        query = (
            select(Delivery.state, func.count())
            .where(Delivery.publication_id == row.id)
            .group_by(Delivery.state)
        )
        counts = dict((await session.execute(query)).all())
        listed = await people(session, row.id)
        routes = await routes_of(session, row.id)
        pace = await pace_of(session, row.id)
        told = await report(session, row)
        account = await session.get(Account, row.account_id)
        arrival = await arrived(session, row.id)
    draft = await approved_draft(deps.ledger, row.item_id, row.digest)
    proof = arrival if draft is not None and is_urgent(draft) else None
    try:
        entries = await deps.ledger.facts(f"item:{row.item_id}")
    except Broken:  # nothing is sent, and the page of incidents says why
        entries = []
    begun = [str(one.body["by"]) for one in entries if one.kind == "correction.begun"]
    async with deps.db.session() as session:
        correction = await session.get(Item, begun[-1]) if begun else None
    stand, held = going(entries, row.account_id), held_by(entries, row)
    people_now = await reaches(deps.ledger, deps.matching, row) if held is not None else 0
    channel = CHANNELS.get(account.platform) if account else None
    by_mass = isinstance(channel, Noticing) and to_everybody(entries, row.id, channel.by_mass)
    known = (counts, listed, stand, pace, correction, told, routes, by_mass, held, people_now)
    return Push(row, item, account, *known, arrival=proof)


async def _show(request: web.Request, refused: Refused | None = None) -> web.Response:
    push = await push_of(request)
    context = {
        "place": "publications",
        "push": push,
        "risk": RISK,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "publications/push.html", context, refused.status if refused else 200)


@needs("publications.read")
async def push(request: web.Request) -> web.StreamResponse:
    """One push: how far it is, who lacks it and why."""
    return await _show(request)


def ended_of(fields: Mapping[str, str]) -> Ended:
    """The end that a form or a body speaks of."""
    state, hold, code, why = (fields.get(name, "") for name in ("state", "hold", "code", "why"))
    return Ended(state, hold, code, why)


def choice_of(text: str) -> Choice:
    """The choice of a form; Refused (422) for none of them."""
    if text not in set(Choice):
        raise Refused(422, [Reason("choice", "请选择怎样处理")])
    return Choice(text)


async def decided(request: web.Request, fields: Mapping[str, str]) -> int:
    """Do what was chosen for all who came to one end; how many people."""
    what = Decided(ended_of(fields), choice_of(fields.get("choice", "")), fields.get("words", ""))
    queue, staff_id = request.config_dict[DEPS].queue, visitor(request).staff_id
    return await choose(queue, request.match_info["publication"], staff_id, what)


async def sent_to_lacking(request: web.Request) -> int:
    """Send the push to whoever lacks it; how many people."""
    deps = request.config_dict[DEPS]
    publication_id, staff_id = request.match_info["publication"], visitor(request).staff_id
    return await send_to_lacking(deps.queue, Matching(deps.taxonomy), publication_id, staff_id)


async def mended(request: web.Request, fields: Mapping[str, str]) -> int:
    """Pause the pushes of an item, go on with the text, or drop the rest; how many messages.

    Of a push that was held for its number: send it anyway or not at all; how many people.
    """
    name, deps = fields.get("act", ""), request.config_dict[DEPS]
    staff_id, reason = visitor(request).staff_id, fields.get("reason", "")
    if held := HELD_ACTS.get(name):
        publication = request.match_info["publication"]
        return await held(deps.ledger, deps.matching, publication, staff_id, reason)
    act = ACTS.get(name)
    if act is None:
        raise Refused(422, [Reason("act", "请选择：暂停、用原文继续或不再发送")])
    async with deps.db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
    return await act(deps.ledger, row.item_id, staff_id, reason)


async def _do(request: web.Request, act: Any, done: str) -> web.StreamResponse:
    try:
        await act
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _show(request, refused)
    return see(f"/console/publications/{request.match_info['publication']}/push", done)


@needs("pushes.decide")
async def choose_for(request: web.Request) -> web.StreamResponse:
    """Again, leave, or give up: for all who came to one end."""
    return await _do(request, decided(request, await form(request)), "push_chosen")


@needs("pushes.decide")
async def lacking(request: web.Request) -> web.StreamResponse:
    """只发给没收到的."""
    return await _do(request, sent_to_lacking(request), "push_lacking")


@needs("pushes.pause")
async def mend(request: web.Request) -> web.StreamResponse:
    """Pause, go on, or drop; the last two ask for their own role."""
    fields = await form(request)
    return await _do(request, mended(request, fields), f"push_{fields.get('act', '')}")


ROUTES = [
    web.get("/publications/{publication}/push", push),
    web.post("/publications/{publication}/push/choose", choose_for),
    web.post("/publications/{publication}/push/lacking", lacking),
    web.post("/publications/{publication}/push/mend", mend),
]
