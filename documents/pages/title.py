"""The title of an article, by the page's own word, its visible lines, its title tag."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from lxml.html import HtmlElement

from blocks.markup import HEADINGS
from documents.pages.blocks import clean, short_text
from documents.pages.sheet import Sheet, first_of

_SITE = re.compile(r"(?:政府|网|网站|门户|委员会|局|厅|首页|详情|正文|内容|新闻|公众平台)$")

# What a list of articles is called; no article is.
_COLUMN = re.compile(
    r"(?:(?:新闻|工作|部门|基层|通知|政务|政策|图片|媒体|行业|党建|时政|本地|综合|学会|协会|机关|公司|国内|国际|社会|民生|热点|最新|"
    r"重要|财经|教育|科技|文化|法规|法律|规划|人事|招聘|招标|采购|公示|公告|通告|信息|文件|学习|理论|专题|会议|领导|活动|"
    r"解读|视频|头条|要闻|动态|公开|资讯|速递|专栏|专题|栏目|中心|列表|快讯|速报|报道|聚焦|播报|内容|正文|详情|展示|页面?|"
    r"首页|关于我们|政府|查看|详细|阅读|网站|文章|政民互动|办事|服务|发布|指南|目录|机构|简介|其他|县区|乡镇|、|与|和)){1,4}"
)
_SUFFIX = re.compile(r"\s*[-–—_|｜·]+\s*([^-–—_|｜·]{2,24})$")
_MEDIUM = re.compile(
    r"(?:网|网站|政府|门户|平台|客户端|频道|在线|日报|晚报|新闻|新华社|中心|委员会|局|厅)$"
)
_HIDDEN_CLASS = re.compile(
    r"(?:^|[-_ ])(?:share|hidden|hide|sr-only|visually-hidden)(?:$|[-_ ])", re.I
)

_TITLE_CLASS = re.compile(
    r"(?:^|[-_ ])(?:title|tit|bt|biaoti|headline|arttitle)(?:$|[-_ \d])", re.I
)

_LEAST = 6  # characters of a title that a class or a heading names
_INLINE_TITLES = ("h1", "h2", "h3", "h4", "div", "p", "span", "td", "strong", "b", "font", "center")


def title_of(sheet: Sheet) -> str:
    """The page's own tag, else a visible line its <title> begins with, else the best guess."""
    return _without_site(_title_of(sheet))


def _title_of(sheet: Sheet) -> str:
    if given := first_of(sheet.meta, ":title", "articletitle"):
        return given
    page = clean(" ".join(sheet.tree.xpath("//title/text()")[:1]))
    whole = [part for part in re.split(r"\s*[_|｜]\s*|\s+[-–—]+\s+|--+|\s*>>?\s*", page) if part]
    if whole and _is_column(whole[0]) and (given := _headline(sheet)):
        return given
    visible = list(_visible_titles(sheet.tree, page, whole))
    if visible:
        return max(visible, key=len)
    if given := first_of(sheet.meta, "og:title", "twitter:title"):
        return given
    main = {clean(one.text_content()) for one in sheet.tree.xpath("//h1")} - {""}
    if len(main) == 1 and (not whole or _SITE.search(whole[0])):
        alone = main.pop()
        return alone if not whole or len(alone) > len(whole[0]) else whole[0]
    other = (sheet.info.title if sheet.info.is_policy else "") or _marked_title(sheet.tree)
    if len(other) >= 6 and (not whole or _SITE.search(whole[0])):
        return other
    other = clean(str(sheet.guess.get("title", "")))
    if whole and len(other) >= 8 and other in whole[0]:
        return other
    return whole[0] if whole else other


def _is_column(text: str) -> bool:
    """Whether a title tag begins with the list the article stands in."""
    return len(text) <= 10 and bool(_COLUMN.fullmatch(text))


def _headline(sheet: Sheet) -> str:
    """What a page heads its article with, where its title tag only names the column."""
    given = first_of(sheet.meta, "og:title", "twitter:title")
    named = [given, sheet.info.title if sheet.info.is_policy else ""]
    named.append(_marked_title(sheet.tree))
    for level in HEADINGS:
        named += [
            short_text(one, 120)
            for one in sheet.tree.iter(level)
            if not hidden(one) and next(one.iterancestors("a", "li"), None) is None
        ]
    fits = [one for one in named if len(one) >= _LEAST and not _is_column(one)]
    return next((one for one in fits if not _SITE.search(one)), "")


def _without_site(title: str) -> str:
    """The title without the site's name that a page hangs on it."""
    match = _SUFFIX.search(title)
    if match and match.start() >= _LEAST and _MEDIUM.search(match[1]):
        return title[: match.start()]
    return title


def hidden(node: HtmlElement) -> bool:
    """Whether a reader sees nothing of an element: hidden, or laid out for a share button."""
    return any(
        "display:none" in (one.get("style") or "").replace(" ", "").lower()
        or one.get("hidden") is not None
        or bool(_HIDDEN_CLASS.search(f"{one.get('class', '')} {one.get('id', '')}"))
        for one in (node, *islice(node.iterancestors(), 3))
    )


def _marked_title(tree: HtmlElement) -> str:
    """The longest line that the page itself calls its title."""
    found = [
        short_text(node, 80)
        for node in tree.iter("h1", "h2", "h3", "div", "p", "span", "td")
        if len(node) <= 2
        and not hidden(node)
        and _TITLE_CLASS.search(f"{node.get('class', '')} {node.get('id', '')}")
    ]
    return max((one for one in found if len(one) >= _LEAST), key=len, default="")


def _visible_titles(tree: HtmlElement, page: str, whole: Sequence[str]) -> Iterator[str]:
    """Lines of the page that its <title> begins with or, for headings, contains."""
    for node in tree.iter(*_INLINE_TITLES):
        if len(node) > 4 and node.tag not in HEADINGS:
            continue
        text = short_text(node, 200)
        if not len(text) >= 5 or text not in page or text in whole[1:]:
            continue
        if hidden(node):
            continue
        if node.tag in ("h1", "h2", "h3") or (page.startswith(text) and _ends(page, text)):
            yield text


def _ends(page: str, text: str) -> bool:
    """Whether the page's title ends after `text`, or goes on with a separator and a site's name."""
    rest = page[len(text) :]
    return not rest or rest[0] in " _-–—|｜>,，·" or (len(rest) < 16 and bool(_SITE.search(rest)))
