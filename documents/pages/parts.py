"""An article whose page holds only a part of it: which further pages there are. Pure."""

import re
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from documents.pages.blocks import join, short_text

_PAGE = re.compile(r"(?:p|pn|page|pageno|pageindex)=\d{1,2}")
MOST = 20  # further pages of one article
_NUMBER = re.compile(r"[【\[（(第\s]*(\d{1,2})[】\]）)页\s]*")
_NEXT = re.compile(r"[【\[（(\s]*下(?:一)?页\s*[>›»]*[】\]）)\s]*")
_NUMBERED = re.compile(r"(?:【\s*\d{1,2}\s*】\s*){2,}|(?:\[\s*\d{1,2}\s*\]\s*){2,}")


def further_parts(tree: HtmlElement, url: str) -> tuple[str, ...]:
    """The addresses of the other pages of this article, in their order, without this one."""
    found: dict[str, int] = {}
    for link in tree.iter("a"):
        text = short_text(link, 12)
        target = join(url, (link.get("href") or "").strip()).partition("#")[0]
        if target == url or not _is_part(url, target):
            continue
        if match := _NUMBER.fullmatch(text):
            found.setdefault(target, int(match[1]))
        elif _NEXT.fullmatch(text):
            found.setdefault(target, _number_of(target))
    return tuple(sorted(found, key=lambda one: (found[one], one)))[:MOST]


def continues(tokens: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the article goes on elsewhere, be it that nobody says where."""
    return bool(parts) or any(
        _NUMBERED.fullmatch(one) for one in (*tokens, *map("".join, pairwise(tokens)))
    )


def _is_part(url: str, target: str) -> bool:
    """Whether an address is that of another part: the same one with a number at its end."""
    try:
        here, there = urlsplit(url), urlsplit(target)
    except ValueError:
        return False
    if (here.scheme, here.netloc) != (there.scheme, there.netloc):
        return False
    if here.path != there.path:
        return here.query == there.query and _stem(here.path) == _stem(there.path, numbered=True)
    asked = _asked(there.query) - _asked(here.query)
    return len(asked) == 1 and all(map(_PAGE.fullmatch, asked))


def _asked(query: str) -> set[str]:
    return {one.lower() for one in query.split("&") if one}


def _stem(path: str, *, numbered: bool = False) -> str:
    """The path without its ending, and without the number of a part where it must have one."""
    stem = re.sub(r"\.\w{2,5}$", "", path)
    bare = re.sub(r"[_-]\d{1,2}$", "", stem)
    if numbered and bare == stem:
        return ""
    return bare


def _number_of(target: str) -> int:
    numbers = re.findall(r"\d{1,2}(?=\.\w{2,5}$|$)", target)
    return int(numbers[-1]) if numbers else 0
