"""Readers' comments in the JSON API: what they wrote, and what is done about it."""

from aiohttp import web

from bot.comment_models import CommentAct
from bot.commenting import Act
from bot.models import Publication
from console.publications.comments import shown_of
from console.web.deps import DEPS, found, visitor
from console.web.interface import Strict, as_json, picked, read, takes
from console.web.permissions import needs
from review_queue.comments import Asking

_OF_ACT = ("id", "act", "number", "state", "reason", "asked_at", "finished_at")


class ActBody(Strict):
    """One act: feature, unfeature, reply, unreply, delete; close and open are about all.

    `number` is the comment's; `words` the reply, else the reason.
    """

    area: str
    act: Act
    number: int = 0
    words: str = ""


class DecisionBody(Strict):
    """Whether an act that somebody else asked for goes."""

    approved: bool


@needs("publications.read")
async def comments(request: web.Request) -> web.StreamResponse:
    """What readers wrote under a publication, personal data masked, and what is done about it."""
    async with request.config_dict[DEPS].db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
        shown = await shown_of(session, row)
    names = ("number", "text", "at", "featured", "reply")
    areas = [
        {
            **{"area": one.area.id, "item": one.area.item_id, "closed": one.area.closed},
            "problem": one.area.problem,
            "comments": [picked(comment, names) for comment in one.comments],
            "acts": [picked(act, _OF_ACT) for acts in one.acts.values() for act in acts],
        }
        for one in shown
    ]
    return as_json({"publication": row.id, "areas": areas})


@needs("comments.ask")
@takes(ActBody)
async def ask(request: web.Request) -> web.StreamResponse:
    """Ask for one act; what shows more to readers waits for a second person."""
    body = await read(request, ActBody)
    acts, me = request.config_dict[DEPS].comments, visitor(request).staff_id
    asking = Asking(body.act, body.number, body.words)
    return _said(await acts.ask(body.area, me, asking))


@needs("comments.decide")
@takes(DecisionBody)
async def decide_comment(request: web.Request) -> web.StreamResponse:
    """Let an act go that somebody else asked for, or drop it."""
    body = await read(request, DecisionBody)
    acts, me = request.config_dict[DEPS].comments, visitor(request).staff_id
    act_id = request.match_info["act"]
    return _said(await acts.decide(act_id, me, approved=body.approved))


def _said(row: CommentAct) -> web.StreamResponse:
    return as_json(picked(row, _OF_ACT))


ROUTES = [
    web.get("/publications/{publication}/comments", comments),
    web.post("/comments/acts", ask),
    web.post("/comments/acts/{act}/decision", decide_comment),
]
