"""One parsed page: its meta tags, its visible pieces of text, what a column's selectors chose."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from gne import GeneralNewsExtractor
from gne.exceptions import NoContentException
from lxml import etree
from lxml.cssselect import CSSSelector, SelectorError
from lxml.html import HtmlElement, document_fromstring

from blocks.markup import without_swollen_tags
from documents.pages.blocks import SILENT, clean
from documents.pages.policy_info import NUMBER, PolicyInfo, read_info

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_IN_FORM = 100  # characters outside links, which no form to fill in has
_GNE_LONGEST = 500_000  # characters; gne's time grows faster than the page


class Sheet:
    """One parsed page and what was found out about it so far."""

    def __init__(self, html: str, url: str, selectors: Mapping[str, Any]) -> None:
        whole = re.sub(r"^\s*<\?xml[^>]*\?>", "", _CONTROL.sub("", html))
        self.html = without_swollen_tags(whole)
        self.url = url
        try:
            self.tree: HtmlElement = document_fromstring(self.html)
        except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
            raise ValueError("网页无法解析：内容不是 HTML 或者为空") from error
        _open_forms(self.tree)
        self.chosen = _chosen(self.tree, selectors)
        self.meta = _meta(self.tree) | {
            name: clean(one.text_content()) for name, one in self.chosen.items()
        }
        self.tokens = _tokens(self.tree)
        self.head = " ".join(self.tokens)

    @cached_property
    def guess(self) -> Mapping[str, object]:
        """gne's reading; empty for a very long page, for no article, or where gne stumbles."""
        if len(self.html) > _GNE_LONGEST:
            return {}
        try:
            return dict(GeneralNewsExtractor().extract(self.html, with_body_html=True))
        except (NoContentException, etree.LxmlError, ValueError, IndexError, KeyError):
            return {}
        # gne takes attributes of what it did not find, and recurses: its faults, not the page's
        except (AttributeError, TypeError, RecursionError):
            return {}

    @cached_property
    def info(self) -> PolicyInfo:
        """The information box of a policy page."""
        known = {
            "doc_number": number_in(first_of(self.meta, "docnumber", "filenum", "wenhao")),
            "index_number": first_of(self.meta, "indexnumber", "indexno"),
        }
        given = {name: value for name, value in known.items() if value}
        return read_info(self.tokens, given)


def _open_forms(tree: HtmlElement) -> None:
    """A form around the article (ASP.NET has one around the page) is no form to a reader."""
    for form in tree.iter("form"):
        words = form.xpath(".//text()[not(ancestor::script or ancestor::select or ancestor::a)]")
        if sum(len(clean(str(one))) for one in words) >= _IN_FORM:
            form.tag = "div"


def _meta(tree: HtmlElement) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in tree.iter("meta"):
        name = (tag.get("name") or tag.get("property") or tag.get("itemprop") or "").strip().lower()
        if name and clean(tag.get("content")):
            found.setdefault(name, clean(tag.get("content")))
    return found


def first_of(meta: Mapping[str, str], *names: str) -> str:
    """The value of the first of these tags that says something."""
    return next((meta[name] for name in names if meta.get(name)), "")


def _chosen(tree: HtmlElement, selectors: Mapping[str, Any]) -> dict[str, HtmlElement]:
    """The first element of each selector that matches; keys are body and `:title`, `:date` ..."""
    found: dict[str, HtmlElement] = {}
    for name in ("title", "date", "source", "author", "body"):
        selector = str(selectors.get(name) or "")
        try:
            match: Any = CSSSelector(selector, translator="html") if selector else None
            nodes = match(tree) if match else []
        except SelectorError as error:
            raise ValueError(f"栏目的选择器 {name} 写错了：{selector}") from error
        if nodes:
            found[name if name == "body" else f":{name}"] = nodes[0]
    return found


def _tokens(tree: HtmlElement) -> list[str]:
    """The visible pieces of text of the page in order; a colon belongs to what is before it."""
    found: list[str] = []
    stack: list[HtmlElement | str] = [tree]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            _add_token(found, clean(one))
        elif isinstance(one.tag, str) and one.tag not in SILENT:
            _add_token(found, clean(one.text))
            for child in reversed(one):
                if child.tail:
                    stack.append(child.tail)
                stack.append(child)
    return found


def _add_token(found: list[str], piece: str) -> None:
    if piece and found and piece[0] in ":：" and len(found[-1]) <= 12:
        found[-1] += piece
    elif piece:
        found.append(piece)


def number_in(text: str) -> str:
    """The first 文号 in a text, without space; empty when there is none."""
    match = NUMBER.search(text)
    return re.sub(r"\s", "", match[0]) if match else ""
