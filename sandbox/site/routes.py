"""The site's addresses: feed, list page, articles, picture, attachment.

Everything is written for this sandbox. The first article carries one fault for each gate, so that
an editor has something to correct; FAULTS holds what is wrong and what is right.
"""

from __future__ import annotations

import random
from dataclasses import replace
from html import escape

from aiohttp import web

from sandbox.site.articles import ARTICLES, PUBLISHER, Article
from sandbox.site.files import FORM, PICTURES
from sandbox.site.pages import COLUMNS, CSS, article_html, framed, list_html

_BY_SLUG = {article.slug: article for article in ARTICLES}
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_EDITS: web.AppKey[dict[str, tuple[str, ...]]] = web.AppKey("edits", dict)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _base(request: web.Request) -> str:
    return f"http://{request.host}"


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8")


def _rfc822(day: str) -> str:
    year, month, date = day.split("-")
    # Feeds name months in English whatever the machine's language, so strftime is no use.
    return f"{date} {_MONTHS[int(month) - 1]} {year} 09:00:00 +0800"


async def feed(request: web.Request) -> web.Response:
    """The news column as RSS 2.0; the first entry is the notice with the faults."""
    items = "\n".join(
        f"<item><title>{escape(one.title)}</title>"
        f"<link>{_base(request)}/site/news/{one.slug}.html</link>"
        f"<guid>{_base(request)}/site/news/{one.slug}.html</guid>"
        f"<pubDate>{_rfc822(one.day)}</pubDate></item>"
        for one in ARTICLES
        if one.column == "news"
    )
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{PUBLISHER} 新闻</title><link>{_base(request)}/site/</link>"
        f"<description>青禾县要闻和通知</description>\n{items}\n</channel></rss>\n"
    )
    return web.Response(text=text, content_type="application/rss+xml", charset="utf-8")


async def policy_list(_: web.Request) -> web.Response:
    """The policy column as a list page, the way county sites show it."""
    rows = list_html(one for one in ARTICLES if one.column == "policy")
    crumbs = '<p class="crumbs"><a href="/site/">首页</a> › 政策文件</p>'
    return _html(framed(f"政策文件_{PUBLISHER}", f"{crumbs}<h2>政策文件</h2>{rows}"))


async def article_page(request: web.Request) -> web.Response:
    """One article in its own column."""
    article = _BY_SLUG.get(request.match_info["slug"])
    # The same article under the other column's address would be a second article.
    if article is None or article.column != request.match_info["column"]:
        raise web.HTTPNotFound
    edited = request.app[_EDITS].get(request.path)
    return _html(article_html(replace(article, paragraphs=edited) if edited else article))


async def home(_: web.Request) -> web.Response:
    """The front page with both columns."""
    parts = (
        f"<h2>{name}</h2>{list_html(one for one in ARTICLES if one.column == column)}"
        for column, name in COLUMNS.items()
    )
    return _html(framed(PUBLISHER, "".join(parts)))


async def style(_: web.Request) -> web.Response:
    """The looks of every page of the site."""
    return web.Response(text=CSS, content_type="text/css", charset="utf-8")


async def picture(request: web.Request) -> web.Response:
    """One of the generated pictures."""
    found = PICTURES.get(request.match_info["name"] + ".png")
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found[1], content_type="image/png")


async def attachment(_: web.Request) -> web.Response:
    """The form behind the notice."""
    return web.Response(body=FORM, content_type=_WORD)


async def edit(request: web.Request) -> web.Response:
    """Control: `{"path", "text"}` changes an article's paragraphs; text null puts them back."""
    body = await request.json()
    path, text = body.get("path", ""), body.get("text")
    # Only what exists can be edited: an address mistyped in a test must fail there.
    known = {f"/site/{one.column}/{one.slug}.html" for one in ARTICLES}
    if path not in known or not (text is None or isinstance(text, str)):
        return web.json_response({"error": "path 须是文章地址，text 须是文字或 null"}, status=422)
    lines = tuple(line for line in (text or "").split("\n") if line.strip())
    # Back to the original first, so that an empty text undoes an edit.
    request.app[_EDITS].pop(path, None)
    if lines:
        request.app[_EDITS][path] = lines
    return web.json_response({"path": path, "changed": bool(lines)})


async def unlisted(_: web.Request) -> web.Response:
    """A page of a publisher that nobody determined as a source."""
    page = Article(
        "x",
        "news",
        "某资讯号转发的就业消息",
        "2026-11-21",
        "某资讯号",
        "佚名",
        ("这个页面不属于任何已确定的稿源单位，不能转载，也不能抓取。",),
    )
    return _html(article_html(page))


async def redirect(request: web.Request) -> web.Response:
    """Leave the listed host for another one."""
    port = f":{request.url.port}" if request.url.port else ""
    target = f"http://unlisted.localhost{port}/unlisted/news.html"
    raise web.HTTPFound(target)


MANY = 20  # entries of each of the many columns


async def many(request: web.Request) -> web.Response:
    """Column after column without end, for measuring: a list page, a feed, and their articles."""
    column, name = request.match_info["number"], request.match_info["name"]
    start, head = f"/site/many/{column}", f"青禾县第{column}栏第"
    rows = [(f"{start}/{n}.html", f"{head}{n}号惠民举措") for n in range(MANY)]
    if name == "list.html":
        lines = "".join(
            f'<li><a href="{url}">{title}</a><span>2026-11-20</span></li>' for url, title in rows
        )
        return _html(framed("栏目", f'<ul class="list">{lines}</ul>'))
    if name == "rss.xml":
        base = f"{request.scheme}://{request.host}"
        items = "".join(
            f"<item><title>{title}</title><link>{base}{url}</link></item>" for url, title in rows
        )
        feed_text = f'<rss version="2.0"><channel><title>栏目</title>{items}</channel></rss>'
        return web.Response(text=feed_text, content_type="application/rss+xml", charset="utf-8")
    # Seeded by the address: two measurements read the same texts.
    dice = random.Random(f"{column}/{name}")  # noqa: S311  words that are the same each time
    words = "".join(chr(dice.randrange(0x4E00, 0x7000)) for _ in range(400))
    article = Article(
        "many",
        "news",
        f"{head}{name.split('.')[0]}号惠民举措",
        "2026-11-20",
        PUBLISHER,
        "林青",
        tuple(words[at : at + 80] + "。" for at in range(0, 400, 80)),
    )
    return _html(article_html(article))


def add_site(app: web.Application) -> None:
    """Mount the site under /site/, the unlisted page beside it and the control that edits."""
    app[_EDITS] = {}
    app.router.add_get("/site/site.css", style)
    app.router.add_post("/_control/site", edit)
    app.router.add_get("/site/", home)
    app.router.add_get("/site/news/rss.xml", feed)
    app.router.add_get("/site/policy/", policy_list)
    app.router.add_get("/site/offsite-redirect", redirect)
    app.router.add_get("/site/files/butie-shenqing.docx", attachment)
    app.router.add_get("/site/{column:news|policy}/{slug}.html", article_page)
    app.router.add_get("/site/{name}.png", picture)
    app.router.add_get(r"/site/many/{number:\d+}/{name}", many)
    app.router.add_get("/unlisted/news.html", unlisted)
