"""A web page to an article: title, date, source, author, blocks, pictures, attachments.

Order of trust: a column's selectors, the government meta tags, the containers that government
site systems use, then readability, with gne for the title, time and source and for short notices
that fool readability. gne is asked only when something is still missing: it is the slowest.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml.html import HtmlElement

from documents.charset import decode
from documents.lines import without_blanks
from documents.no_article import why_no_article
from documents.own_number import own_number
from documents.pages.blocks import (
    Block,
    Link,
    is_file,
    links,
    plain,
    read_blocks,
)
from documents.pages.body import container, generic, trimmed
from documents.pages.origin import author_of, source_of
from documents.pages.parts import continues, further_parts
from documents.pages.policy_info import PolicyInfo
from documents.pages.published import day_of
from documents.pages.sheet import Sheet
from documents.pages.title import title_of


class NoArticle(ValueError):
    """A page that answers and is something else: an error, a captcha, a sign-in, a redirection."""

    def __init__(self, kind: str) -> None:
        """`kind` as why_no_article names it."""
        self.kind = kind
        super().__init__(f"这不是文章，是{kind}：请在浏览器里打开核对网址，稍后再试或换一个网址")


@dataclass(frozen=True)
class Page:
    """One article. `date` is YYYY-MM-DD or empty; `text` is paragraphs joined by newlines.

    `images` (their text is the alt text), `links` and `attachments` in the order of the page;
    `marked` is `text` with a line `![alt](url)` where each picture stands; `blocks` is the whole
    document; `policy` what the information box of a policy page says. `continued`: the article
    goes on elsewhere, at `parts` where the page says so.
    """

    title: str
    date: str
    source: str
    author: str
    text: str
    images: tuple[Link, ...]
    links: tuple[Link, ...]
    attachments: tuple[Link, ...]
    doc_number: str
    marked: str
    blocks: tuple[Block, ...] = ()
    policy: PolicyInfo = field(default_factory=PolicyInfo)
    parts: tuple[str, ...] = ()
    continued: bool = False


def extract_page(body: bytes | str, url: str, selectors: Mapping[str, Any] | None = None) -> Page:
    """Read one HTML page; ValueError in Chinese when it holds no article.

    `selectors` are CSS of a column whose pages need them: title, date, source, author, body (all
    optional); what they find goes before everything else.
    """
    html = decode(body) if isinstance(body, bytes) else body
    sheet = Sheet(html, url, selectors or {})
    node = sheet.chosen.get("body")
    if node is None:
        node = container(sheet.tree)
    known = node is not None
    if node is None:
        node = generic(sheet.tree, sheet.html, lambda: str(sheet.guess.get("body_html") or ""))
    if node is None:
        raise ValueError(_NO_BODY)
    title = plain(title_of(sheet))
    blocks = trimmed(read_blocks(node, url), title)
    lines = list(_lines(blocks))
    text = "\n".join(line for line in lines if not line.startswith("!["))
    if not text:
        raise ValueError(_NO_BODY)
    if kind := why_no_article(sheet.tree, title, text):
        raise NoArticle(kind)
    parts = further_parts(sheet.tree, url)
    found = tuple(links(node, url))
    source = plain(source_of(sheet))
    number = sheet.info.doc_number or _own_number(text, title)
    return Page(
        title=title,
        date=day_of(sheet, title),
        source=source,
        author=plain(author_of(sheet, source, text)),
        text=text,
        images=tuple(
            dict.fromkeys(Link(one.url, one.text) for one in blocks if one.kind == "image")
        ),
        links=found,
        attachments=tuple(_attachments(node, found, url, known=known)),
        doc_number=number,
        marked="\n".join(lines),
        blocks=tuple(blocks),
        policy=sheet.info,
        parts=parts,
        continued=continues(sheet.tokens, parts),
    )


_NO_BODY = "网页里找不到正文：请换一个文章页面，或为这个栏目设置选择器"


def _own_number(text: str, title: str) -> str:
    """The number of a document whose information box names none."""
    lines = (without_blanks(line.strip()) for line in text.split("\n"))
    return own_number([line for line in lines if line], title)


def _lines(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if block.kind == "image":
            yield f"![{block.text}]({block.url})"
        else:
            yield from block.text.split("\n")


def _attachments(
    node: HtmlElement, inside: Sequence[Link], url: str, *, known: bool
) -> Iterator[Link]:
    """Files linked in the body, and in what stands beside it on the page."""
    found = {target: text for target, text in inside if is_file(target)}
    parent = node.getparent() if known else None
    for _ in range(2):  # lists of files stand one or two elements further out, beside the body
        if parent is None or parent.tag in ("body", "html"):
            break
        for target, text in links(parent, url):
            if is_file(target):
                found.setdefault(target, text)
        parent = parent.getparent()
    yield from (Link(target, text) for target, text in found.items())
