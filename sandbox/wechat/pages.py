"""What the platform shows in a browser: article pages and uploaded pictures."""

import html

from aiohttp import web

from sandbox.state import STATE, beijing_words
from sandbox.wechat.account import Official
from sandbox.wechat.live_pictures import packed
from sandbox.wechat.newspic import is_newspic, shown


async def article_page(request: web.Request) -> web.Response:
    """Show a published article, or that it has been deleted."""
    state, key = request.app[STATE], request.match_info["article"]
    number = int(request.match_info["index"])
    for account in state.accounts.values():
        if not isinstance(account, Official):
            continue
        found = account.articles.get(key)
        if found is None or not 1 <= number <= len(found["items"]):
            continue
        item = found["items"][number - 1]
        # The address of a deleted article goes on to answer, as on the platform.
        if item.get("deleted"):
            page = ARTICLE.format(
                title="内容已被发布者删除", name="", date="", content="", source=""
            )
        else:
            source = item.get("content_source_url")
            link = f'<a class="source" href="{html.escape(source)}">阅读原文</a>' if source else ""
            page = ARTICLE.format(
                title=html.escape(item["title"]),
                name=html.escape(f"{item.get('author') or ''}　{account.name}".strip()),
                date=beijing_words(found["time"]),
                content=shown(account, item) if is_newspic(item) else item["content"],
                source=link,
            )
        return web.Response(text=page, content_type="text/html")
    raise web.HTTPNotFound


ARTICLE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title>
<link rel="stylesheet" href="/phone/static/article.css">
<main><h1 id="activity-name">{title}</h1><p class="by">{name} <time>{date}</time></p>
<article><div id="js_content">{content}</div></article>{source}</main></html>"""


async def media(request: web.Request) -> web.Response:
    """Return an uploaded picture."""
    found = request.app[STATE].media.get(request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found[1], content_type=found[0].partition(";")[0])


async def live_media(request: web.Request) -> web.Response:
    """Return a picture of an article as its readers get it."""
    found = request.app[STATE].media.get(request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    kind, data = packed(*found)
    return web.Response(body=data, content_type=kind.partition(";")[0])
