"""Working copies of the drafting form: kept while somebody types, offered again, gone once saved.

They are no revisions: nobody else reads them, no digest is of them. The fields are encrypted and
bound to their person and place.
"""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web
from pydantic import Field
from sqlalchemy import delete

from config.clock import now
from console.items.forms import Sent, sent_by
from console.items.models import WorkingCopy
from console.web.deps import DEPS, Deps, visitor
from console.web.guard import COOKIE
from console.web.interface import Strict, as_json, problem_json, read
from console.web.permissions import needs
from staff.refusal import Reason, Refused
from staff.sessions import timed_out_session
from storage.crypt import place_of
from storage.database import Database

NEW = "new"
"""The place of a form that is no item yet."""
OFFERED = "offered"
"""The field of a form beside which older words were offered: they are not its own."""
LONGEST = 1_000_000
"""Characters of a form that are kept: more than any article has."""
_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Kept:
    """A form as it was typed, and when."""

    sent: Sent
    at: datetime


class CopyBody(Strict):
    """The form as it stands: every field with its values."""

    place: str = Field(pattern=r"^\w{1,26}$")
    fields: dict[str, list[str]]


def _bound(staff_id: str, place: str) -> str:
    return place_of("working_copy", f"{staff_id}:{place}", "fields")


async def keep(deps: Deps, staff_id: str, place: str, sent: Sent) -> datetime:
    """Keep the form for this person; the one of the same place before it goes."""
    text = json.dumps({name: list(sent[name]) for name in sent}, ensure_ascii=False)
    if len(text) > LONGEST:
        raise Refused(422, [Reason("size", "内容太长，没有暂存：请先保存，或拆成几篇")])
    sealed, moment = deps.door.crypt.encrypt(text, _bound(staff_id, place)), now()
    async with deps.db.session() as session:
        row = WorkingCopy(staff_id=staff_id, place=place, fields=sealed, at=moment)
        await session.merge(row)
        await session.commit()
    return moment


async def kept(deps: Deps, staff_id: str, place: str) -> Kept | None:
    """What this person typed there and did not save."""
    async with deps.db.session() as session:
        row = await session.get(WorkingCopy, (staff_id, place))
    if row is None:
        return None
    try:
        text = deps.door.crypt.decrypt(row.fields, _bound(staff_id, place))
    except ValueError:  # another key, or a row that was moved: nobody's words
        return None
    return Kept(json.loads(text), row.at)


async def saved(deps: Deps, staff_id: str, place: str, sent: Sent) -> None:
    """The form was saved: its words are no copy any more; others that were offered stay."""
    if OFFERED not in sent:
        await drop(deps, staff_id, place)


async def drop(deps: Deps, staff_id: str, place: str) -> None:
    """They are not wanted any more."""
    async with deps.db.session() as session:
        mine = (WorkingCopy.staff_id == staff_id, WorkingCopy.place == place)
        await session.execute(delete(WorkingCopy).where(*mine))
        await session.commit()


async def drop_mine(request: web.Request) -> None:
    """The item was submitted: what was typed of it and not saved is wanted no more."""
    await drop(request.config_dict[DEPS], visitor(request).staff_id, request.match_info["item"])


async def drop_old(db: Database) -> None:
    """Words that nobody came back to for 30 days go, whoever typed them."""
    async with db.session() as session:
        await session.execute(delete(WorkingCopy).where(WorkingCopy.at < now() - _KEPT))


async def keep_after_the_end(request: web.Request) -> None:
    """Keep a form that was posted after its session had run out, for whoever the session was of.

    The form token must be that session's: who has only found the cookie plants no words.
    """
    deps, sent = request.config_dict[DEPS], await sent_by(request)
    session = await timed_out_session(deps.db, request.cookies.get(COOKIE, ""))
    token = "".join(sent.pop("csrf", []))
    if session is None or not hmac.compare_digest(session.csrf.encode(), token.encode()):
        return
    for name in ("then", OFFERED):
        sent.pop(name, None)
    try:
        await keep(deps, session.staff_id, request.match_info.get("item", NEW), sent)
    except Refused:
        return  # longer than anything real


@needs("items.write")
async def keep_copy(request: web.Request) -> web.StreamResponse:
    """Keep what was typed so far; asked by the page every few seconds while somebody types."""
    try:
        body = await read(request, CopyBody)
        moment = await keep(
            request.config_dict[DEPS], visitor(request).staff_id, body.place, body.fields
        )
    except Refused as refused:
        return problem_json(request, refused)
    return as_json({"at": moment})


@needs("items.write")
async def drop_copy(request: web.Request) -> web.StreamResponse:
    """Throw the kept words away."""
    place = request.match_info["place"]
    await drop(request.config_dict[DEPS], visitor(request).staff_id, place)
    path = "/console/items/new" if place == NEW else f"/console/items/{place}/edit"
    return web.Response(status=303, headers={"Location": path})


ROUTES = [
    web.post("/items/working", keep_copy),
    web.post("/items/working/{place:\\w{1,26}}/drop", drop_copy),
]
