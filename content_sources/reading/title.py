"""The title of an article, by the page's own word, its visible lines, its title tag."""

import re
from collections.abc import Iterator, Sequence

from lxml.html import HtmlElement

from blocks.markup import HEADINGS
from content_sources.reading.blocks import clean, short_text
from content_sources.reading.sheet import Sheet, first_of

_SITE = re.compile(r"(?:政府|网|网站|门户|委员会|局|厅|首页|详情|正文|内容|新闻|公众平台)$")

_TITLE_CLASS = re.compile(
    r"(?:^|[-_ ])(?:title|tit|bt|biaoti|headline|arttitle)(?:$|[-_ \d])", re.I
)

_INLINE_TITLES = ("h1", "h2", "h3", "h4", "div", "p", "span", "td", "strong", "b", "font", "center")


def title_of(sheet: Sheet) -> str:
    """The page's own tag, else a visible line its <title> begins with, else the best guess."""
    if given := first_of(sheet.meta, ":title", "articletitle"):
        return given
    page = clean(" ".join(sheet.tree.xpath("//title/text()")[:1]))
    whole = [part for part in re.split(r"\s*[_|｜]\s*|\s+[-–—]+\s+|--+|\s*>>?\s*", page) if part]
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


def _marked_title(tree: HtmlElement) -> str:
    """The longest line that the page itself calls its title."""
    found = [
        short_text(node, 80)
        for node in tree.iter("h1", "h2", "h3", "div", "p", "span", "td")
        if len(node) <= 2 and _TITLE_CLASS.search(f"{node.get('class', '')} {node.get('id', '')}")
    ]
    return max((one for one in found if len(one) >= 6), key=len, default="")


def _visible_titles(tree: HtmlElement, page: str, whole: Sequence[str]) -> Iterator[str]:
    """Lines of the page that its <title> begins with or, for headings, contains."""
    for node in tree.iter(*_INLINE_TITLES):
        if len(node) > 4 and node.tag not in HEADINGS:
            continue
        text = short_text(node, 200)
        if not len(text) >= 5 or text not in page or text in whole[1:]:
            continue
        if node.tag in ("h1", "h2", "h3") or (page.startswith(text) and _ends(page, text)):
            yield text


def _ends(page: str, text: str) -> bool:
    """Whether the page's title ends after `text`, or goes on with a separator and a site's name."""
    rest = page[len(text) :]
    return not rest or rest[0] in " _-–—|｜>,，·" or (len(rest) < 16 and bool(_SITE.search(rest)))
