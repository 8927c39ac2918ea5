"""Attachments and accepted suggestions in the JSON API."""

from aiohttp import web
from pydantic import Field

from console.items.mending import attached, number_of
from console.items.turns import in_turn
from console.items.words import BRIEF, item_json
from console.web.deps import acting
from console.web.interface import Strict, as_json, read, takes
from console.web.permissions import by_service, needs
from gates.redaction import profiles
from review_queue.suggestions import Choice, accept
from review_queue.uploads import detach
from staff.refusal import Reason, Refused


class AcceptBody(Strict):
    """One finding by rule, field and start, or all personal data at once."""

    version: int
    rule: str = ""
    field: str = "text"
    start: int = Field(default=0, ge=0)
    replacement: str = ""
    personal: bool = False
    profile: str = ""


@by_service
@needs("items.write")
@in_turn
async def upload_attachment(request: web.Request) -> web.StreamResponse:
    """Add or replace an attachment (multipart/form-data: file, version, origin, licence).

    A picture is kept as it will be sent; `notes` say what was done to it.
    """
    done = await attached(request)
    return as_json(item_json(done.item, BRIEF) | {"notes": list(done.notes)}, 201)


@by_service
@needs("items.write")
async def delete_attachment(request: web.Request) -> web.StreamResponse:
    """Take an attachment off; `version` is a query parameter."""
    row = await detach(
        *acting(request), number_of(request.query.get("version", "")), request.match_info["name"]
    )
    return as_json(item_json(row, BRIEF))


@needs("items.write")
@takes(AcceptBody)
async def accept_finding(request: web.Request) -> web.StreamResponse:
    """Accept one suggestion, or mask all personal data, as a new revision."""
    body = await read(request, AcceptBody)
    if bool(body.rule) == body.personal:
        reason = Reason("field", "字段 rule 和 personal 要写且只写一个")
        raise Refused(422, [reason])
    choice = Choice(body.rule, body.field, body.start, body.replacement, body.profile)
    row = await accept(*acting(request), body.version, choice)
    return as_json(item_json(row, BRIEF))


@needs("items.read")
async def redaction_profiles(_request: web.Request) -> web.StreamResponse:
    """How personal data may be masked; the profile in use first."""
    rows = [{"key": one.key, "label": one.label, "basis": one.basis} for one in profiles().values()]
    return as_json({"profiles": rows})


ROUTES = [
    web.post("/items/{item}/attachments", upload_attachment),
    web.delete("/items/{item}/attachments/{name}", delete_attachment),
    web.post("/items/{item}/accept", accept_finding),
    web.get("/redaction", redaction_profiles),
]
