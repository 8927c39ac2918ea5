"""留言: what readers wrote under a send, and what is done about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.comment_models import Comment, CommentAct, CommentArea
from bot.commenting import Act
from bot.models import Publication
from console.web.deps import DEPS, found, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from review_queue.comments import MOST_REPLY, MOST_WHY, Asking
from review_queue.models import Item
from staff.people import names
from staff.refusal import Reason, Refused

_SHOWN = 200


@dataclass(frozen=True)
class Shown:
    """One area with its newest comments and the acts about each, by comment; 0: about all."""

    area: CommentArea
    comments: Sequence[Comment] = ()
    acts: Mapping[int, Sequence[CommentAct]] = field(default_factory=dict)


async def areas_of(session: AsyncSession, row: Publication) -> Sequence[CommentArea]:
    """Where readers write under this publication; of an article of an edition its own place."""
    mine = CommentArea.publication_id == row.id
    if row.edition_id:
        place = CommentArea.place == row.article_index - 1
        mine = or_(mine, and_(CommentArea.publication_id == row.edition_id, place))
    query = select(CommentArea).where(mine).order_by(CommentArea.place)
    return (await session.scalars(query)).all()


async def shown_of(session: AsyncSession, row: Publication) -> list[Shown]:
    """Every area of a publication with what stands there."""
    shown = []
    for area in await areas_of(session, row):
        mine = select(Comment).where(Comment.area_id == area.id, Comment.gone.is_(False))
        rows = (await session.scalars(mine.order_by(Comment.at.desc()).limit(_SHOWN))).all()
        asked = select(CommentAct).where(CommentAct.area_id == area.id)
        acts: dict[int, list[CommentAct]] = {}
        for one in await session.scalars(asked.order_by(CommentAct.asked_at.desc())):
            acts.setdefault(one.number, []).append(one)
        shown.append(Shown(area, rows, acts))
    return shown


def asking_of(fields: Mapping[str, str]) -> Asking:
    """What a form or a body asks; Refused (422) for what is no act."""
    number = fields.get("number", "0")
    if fields.get("act") not in set(Act) or not number.isdecimal() or len(number) > 18:
        raise Refused(422, [Reason("act", "请在页面上选择怎样处理")])
    return Asking(Act(fields["act"]), int(number), fields.get("words", ""))


async def _show(request: web.Request, refused: Refused | None = None) -> web.Response:
    async with request.config_dict[DEPS].db.session() as session:
        row = found(await session.get(Publication, request.match_info["publication"]), "次发布")
        shown = await shown_of(session, row)
        acts = [act for one in shown for of_one in one.acts.values() for act in of_one]
        items = select(Item).where(Item.id.in_({one.area.item_id for one in shown}))
        context = {
            "place": "publications",
            "row": row,
            "shown": shown,
            "items": {one.id: one for one in await session.scalars(items)},
            "people": await names(session, {one.by for one in acts}),
            "most": {"reply": MOST_REPLY, "why": MOST_WHY},
            "reasons": refused.reasons if refused else (),
        }
    return page(request, "publications/comments.html", context, refused.status if refused else 200)


@needs("publications.read")
async def comments(request: web.Request) -> web.StreamResponse:
    """What readers wrote, personal data masked."""
    return await _show(request)


@needs("comments.ask")
async def ask(request: web.Request) -> web.StreamResponse:
    """Ask for one act about a comment, or about all of them."""
    fields = await form(request)
    try:
        me = visitor(request).staff_id
        acts = request.config_dict[DEPS].comments
        await acts.ask(fields.get("area", ""), me, asking_of(fields))
    except Refused as refused:
        return await _show(request, refused)
    return see(_address(request), "comment_asked")


@needs("comments.decide")
async def decide(request: web.Request) -> web.StreamResponse:
    """Let an act go that somebody else asked for, or drop it."""
    fields = await form(request)
    try:
        me, acts = visitor(request).staff_id, request.config_dict[DEPS].comments
        approved = fields.get("approved") == "yes"
        await acts.decide(fields.get("asked", ""), me, approved=approved)
    except Refused as refused:
        return await _show(request, refused)
    return see(_address(request), "comment_decided")


def _address(request: web.Request) -> str:
    return f"/console/publications/{request.match_info['publication']}/comments"


ROUTES = [
    web.get("/publications/{publication}/comments", comments),
    web.post("/publications/{publication}/comments", ask),
    web.post("/publications/{publication}/comments/decide", decide),
]
