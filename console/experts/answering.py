"""The expert's side of a one-time link, without an account: the text, the form, the one answer."""

from aiohttp import web

from console.items.marks import paragraphs
from console.web.deps import DEPS, found
from console.web.guard import same_origin
from console.web.pages import form, page
from console.web.permissions import PUBLIC, needs
from review_queue import referrals
from review_queue.canonical import Draft
from review_queue.experts import Experts, Opened, Opinion
from review_queue.scope import file_visible
from staff.refusal import Reason, Refused
from storage.media import load


def _expert_page(
    request: web.Request, opened: Opened, refused: Refused | None = None, typed: object = None
) -> web.Response:
    draft = Draft.from_canonical(opened.canonical)
    context = {
        "person": None,  # the same page for everybody
        "link": opened.link,
        "draft": draft,
        "paragraphs": paragraphs(draft.body, ()),
        "base": request.path.rstrip("/"),
        "typed": typed or {},
        "reasons": refused.reasons if refused else (),
    }
    return page(request, "experts/answer.html", context, refused.status if refused else 200)


@needs(PUBLIC)
async def look(request: web.Request) -> web.StreamResponse:
    """The text as it stands, and the form; a link that is over says why."""
    experts = Experts(request.config_dict[DEPS].ledger)
    return _expert_page(request, await experts.look(request.match_info["token"]))


@needs(PUBLIC)
async def give_opinion(request: web.Request) -> web.StreamResponse:
    """Take the one answer. The address itself is the key; the form must be of this page."""
    # No session, hence no form token: the address is the key, and the browser says the rest.
    if not same_origin(request):
        raise Refused(403, [Reason("origin", "表单不是从本站页面提交的，已拒绝：请打开链接填写")])
    fields, token = await form(request), request.match_info["token"]
    experts = Experts(request.config_dict[DEPS].ledger)
    opinion = Opinion(
        digest=fields.get("digest", ""),
        verdict="problem" if fields.get("verdict") == "problem" else "agree",
        name=fields.get("name", ""),
        text=fields.get("text", ""),
    )
    try:
        if fields.get("verdict") not in ("agree", "problem"):
            raise Refused(422, [Reason("verdict", "请选择“没有问题”或“有问题”")])
        link = await experts.answer(token, opinion)
        await referrals.hear_expert(request.config_dict[DEPS].queue, link)
    except Refused as refused:
        # A link that is over has no form to come back to.
        if refused.status != 422:
            raise
        return _expert_page(request, await experts.look(token), refused, fields)
    return page(request, "experts/answered.html", {"person": None, "link": link})


@needs(PUBLIC)
async def attachment(request: web.Request) -> web.StreamResponse:
    """A picture or attachment of the text the link is about, and nothing else."""
    deps = request.config_dict[DEPS]
    opened = await Experts(deps.ledger).look(request.match_info["token"])
    name = f"sha256:{request.match_info['sha256']}"
    # A link opens the files of its own text and no others, whatever hash is asked for.
    if name not in opened.canonical:
        raise Refused(404, [Reason("media", "这份文稿里没有这个文件")])
    # Nor what its asker may not see: a digest written into a text opens no limited file.
    if not await file_visible(deps.db, name, opened.link.asked_by):
        raise Refused(404, [Reason("media", "这份文稿里没有这个文件")])
    async with deps.db.session() as session:
        body, mime = found(await load(session, name), "个文件")
    shown = mime if mime.startswith("image/") and mime != "image/svg+xml" else ""
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    if not shown:
        headers["Content-Disposition"] = "attachment"
    mime = shown or "application/octet-stream"
    return web.Response(body=body, content_type=mime, headers=headers)


ROUTES = [
    web.get("/{token}", look),
    web.post("/{token}", give_opinion),
    web.get("/{token}/media/{sha256:[0-9a-f]{64}}", attachment),
]
