"""Fetched policy pages that wait for an editor, who reads them and proposes them or not."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from console.web.deps import DEPS, found, visitor
from console.web.pages import form, page, see
from console.web.permissions import needs
from content_sources.models import Article
from knowledge.changes import rows_of
from knowledge.documents import PolicyDraft, PolicyPage, page_draft
from knowledge.forms import IMPORT
from knowledge.library import PolicyLibrary, import_payload
from staff.refusal import Refused

_MOST = 100
_REASON = "抓取的政策文件，已对照原文核对"
_CHANGED = "上级政策库的变更，已对照原文核对"
CHANGE = "change"
"""Where a record of another office says what it would change of a policy that stands here."""
RETURNED = "returned"
"""Where a page's information says why it was not let in when it was proposed before."""


def policy_draft(article: Article) -> PolicyDraft | None:
    """What a fetched policy page says of itself; None for one that is no longer in force."""
    info = article.policy
    # The publisher's page says that it is no longer in force: nobody must be asked to approve it.
    if info.get("validity") in ("废止", "失效"):
        return None
    said = info | {"url": info.get("url") or article.url}
    published = article.published_on or ""
    return page_draft(PolicyPage(article.title, article.text, said, published, article.source_name))


async def offered(session: AsyncSession) -> list[Article]:
    """The pages that nobody has proposed or put away yet, newest first."""
    query = select(Article).where(Article.library == "offered").order_by(Article.fetched_at.desc())
    return list((await session.scalars(query.limit(_MOST))).all())


async def _show(request: web.Request, refused: Refused | None = None) -> web.Response:
    """The page as it would come in, with what the gates say, before anybody proposes it."""
    deps, me = request.config_dict[DEPS], visitor(request)
    article = await _article(request)
    kind, form = _wanted(article)
    rows, effect = None, None
    if form is not None and refused is None:
        try:
            payload, effect = await deps.governance.proposals.draft(kind, form, me.staff_id)
            rows = rows_of(payload, me.staff_id) if kind == IMPORT else None
        except Refused as fault:
            refused = fault
    context = {
        "place": "policies",
        "article": article,
        "fit": effect is not None,
        "change": kind != IMPORT,
        "clauses": rows[1] if rows is not None else (),
        "effect": effect,
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "policies/fetched.html", context, refused.status if refused else 200)


def _wanted(article: Article) -> tuple[str, Mapping[str, Any] | None]:
    """The kind of change a page asks for, and what would be proposed; None for nothing."""
    if (change := article.policy.get(CHANGE)) is not None:
        return change["kind"], change["payload"]
    draft = policy_draft(article)
    return IMPORT, import_payload(draft) if draft is not None else None


async def _article(request: web.Request) -> Article:
    async with request.config_dict[DEPS].db.session() as session:
        row = await session.get(Article, request.match_info["article"])
    return found(row if row is not None and row.library == "offered" else None, "份抓取的政策")


@needs("policies.propose")
async def fetched(request: web.Request) -> web.StreamResponse:
    """One fetched page, clause by clause."""
    return await _show(request)


@needs("policies.propose")
async def propose(request: web.Request) -> web.StreamResponse:
    """提出入库 or 不入库: an editor's own act, which another person must approve."""
    deps, me = request.config_dict[DEPS], visitor(request)
    article, fields = await _article(request), await form(request)
    if fields.get("verdict") != "propose":
        await _leave(request, "ended")
        return see("/console/policies", "policy_put_away")
    library = PolicyLibrary(deps.governance.proposals)
    if (change := article.policy.get(CHANGE)) is not None:
        return await _propose_change(request, library, change)
    draft = found(policy_draft(article), "份有效的政策")
    try:
        (made,) = await library.propose_import([draft], me.staff_id, _REASON)
    except Refused as refused:
        return await _show(request, refused)
    await _leave(request, "proposed")
    return see(f"/console/policies/{made.policy_id}", "policy_proposed")


async def _propose_change(
    request: web.Request, library: PolicyLibrary, change: Mapping[str, Any]
) -> web.StreamResponse:
    """A change of a policy that stands; what else its record says comes after this one."""
    payload, me = change["payload"], visitor(request)
    try:
        await library.propose(change["kind"], payload, me.staff_id, _CHANGED)
    except Refused as refused:
        return await _show(request, refused)
    await _leave(request, change["then"])
    return see(f"/console/policies/{payload['policy_id']}", "policy_change_proposed")


async def _leave(request: web.Request, state: str) -> None:
    """The page is off the editor's list."""
    gone = update(Article).where(Article.id == request.match_info["article"])
    async with request.config_dict[DEPS].db.session() as session:
        await session.execute(gone.values(library=state))


ROUTES = [
    web.get("/policies/fetched/{article}", fetched),
    web.post("/policies/fetched/{article}", propose),
]
