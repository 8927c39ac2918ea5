"""值班提醒: how somebody on duty is called, in order; their own page, and an admin's of anybody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy import select

from bot.channels import CHANNELS
from bot.models import Account
from console.web.deps import DEPS, found, visitor
from console.web.pages import many, page, see
from console.web.permissions import needs
from escalations.routes import KINDS, MOST, Line, Way, allowed
from ledger.verify import Broken
from staff.models import Staff
from staff.refusal import Reason, Refused

_SPARE = 2  # empty lines below those that are filled


@dataclass(frozen=True)
class _Page:
    """Whose page it is, what stands in their ways, and what may be chosen."""

    person: Staff
    ways: Sequence[Way]
    choices: Mapping[str, str]


async def _read(request: web.Request) -> _Page:
    deps, login = request.config_dict[DEPS], request.match_info["login"]
    async with deps.db.session() as session:
        query = select(Staff).where(Staff.login == login)
        person = found((await session.scalars(query)).first(), "个人员")
        await allowed(session, person.id, visitor(request).staff_id)
        ways = await _ways(request, person.id)
        accounts = select(Account).where(Account.enabled.is_(True)).order_by(Account.id)
        choices = _choices((await session.scalars(accounts)).all())
    return _Page(person, ways, choices)


async def _ways(request: web.Request, staff_id: str) -> list[Way]:
    deps = request.config_dict[DEPS]
    try:
        async with deps.db.session() as session:
            return await deps.alarms.routes.read(session, staff_id)
    except Broken as broken:
        words = f"台账核验不通过，暂时不能办理：{broken}"
        raise Refused(409, [Reason("ledger", words)]) from broken


def _choices(accounts: Sequence[Account]) -> dict[str, str]:
    """What a line may be, as the form says it: kind and account; the first of a kind unnamed."""
    found: dict[str, str] = {}
    for row in accounts:
        if row.platform in CHANNELS:
            first = _chosen(Line(row.platform, ""))
            key = _chosen(Line(row.platform, "", row.slug)) if first in found else first
            found[key] = f"{KINDS[row.platform]}：{row.name}"
    plain = (kind for kind in KINDS if kind not in CHANNELS)
    return found | {_chosen(Line(kind, "")): KINDS[kind] for kind in plain}


def _chosen(line: Line) -> str:
    return f"{line.kind}/{line.account}" if line.account else line.kind


async def _lines(request: web.Request) -> list[Line]:
    """The lines of the form that are not empty, in their order."""
    pairs = zip(await many(request, "kind"), await many(request, "address"), strict=False)
    lines = []
    for chosen, address in pairs:
        kind, _, account = chosen.partition("/")
        if kind or address.strip():
            lines.append(Line(kind, address.strip(), account))
    return lines


async def _show(
    request: web.Request, lines: Sequence[Line] | None = None, refused: Refused | None = None
) -> web.Response:
    one = await _read(request)
    filled = [way.line for way in one.ways] if lines is None else lines
    slots = [*filled, *[Line("", "")] * _SPARE][: max(MOST, len(filled))]
    own = one.person.id == visitor(request).staff_id
    context = {
        "place": "me" if own else "settings",
        "own": own,
        "whose": one.person,
        "ways": [
            (one.choices.get(_chosen(way.line), KINDS.get(way.line.kind, "")), way)
            for way in one.ways
        ],
        "choices": one.choices,
        "slots": [(_chosen(line), line.address) for line in slots],
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "me/alarms.html", context, refused.status if refused else 200)


@needs("alarms.set")
async def alarms(request: web.Request) -> web.StreamResponse:
    """How this person is called, and what came of it last."""
    return await _show(request)


@needs("alarms.set")
async def set_alarms(request: web.Request) -> web.StreamResponse:
    """Replace the ways of this person."""
    deps, lines = request.config_dict[DEPS], await _lines(request)
    person = (await _read(request)).person
    try:
        async with deps.ledger.transaction() as tx:
            await deps.alarms.routes.change(tx, person.id, lines, visitor(request).staff_id)
    except Refused as refused:
        return await _show(request, lines, refused)
    return see(f"/console/alarms/{person.login}", "alarms_set")


@needs("alarms.set")
async def try_alarms(request: web.Request) -> web.StreamResponse:
    """Send a test alarm by every way; the page says what came of each."""
    deps, person = request.config_dict[DEPS], (await _read(request)).person
    try:
        told = await deps.alarms.rehearse(deps.cache, person.id, visitor(request).staff_id)
    except Refused as refused:
        return await _show(request, refused=refused)
    done = "alarms_worked" if told and not told.failed else "alarms_failed"
    return see(f"/console/alarms/{person.login}", done)


ROUTES = [
    web.get("/alarms/{login}", alarms),
    web.post("/alarms/{login}", set_alarms),
    web.post("/alarms/{login}/test", try_alarms),
]
