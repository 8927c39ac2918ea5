"""What the platform makes of an article: when it takes a draft, and when somebody saves it there.

Taking a draft drops what could run or lead elsewhere. Saving it in the back office goes through
that page's own editor, which also loses boxes, marks of lists, backgrounds and positions: measured
by people who run accounts, and therefore a list that grows.
"""

import re
from collections.abc import Container
from urllib.parse import urlsplit

_DEAD = "script|style|iframe|form|object|embed|svg|video|audio|noscript"
_WITH_CONTENT = re.compile(
    rf"<({_DEAD})\b.*?(?:</\1\s*>|$)|<(?:input|button|link|meta|base)\b[^>]*>", re.I | re.S
)
_TAG = re.compile(r"<([a-zA-Z][\w-]*)((?:\"[^\"]*\"|'[^']*'|[^'\">])*)>")
_ATTRIBUTE = re.compile(r"\s+([^\s=>\"']+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>\"']+))?")
_DROPPED = re.compile(r"class|id|on\w+|data-[\w-]+|contenteditable", re.I)
_LINKED = re.compile(r"<a\b([^>]*)>(.*?)</a\s*>", re.I | re.S)
_HREF = re.compile(r"\shref\s*=\s*[\"']?([^\"'\s>]*)", re.I)
_SRC = re.compile(r"\ssrc\s*=\s*[\"']?([^\"'\s>]*)", re.I)
_STYLE = re.compile(r'( style=")([^"]*)(")')
_CELLS = frozenset({"table", "td", "th", "tr", "tbody", "thead"})
_LOST = re.compile(
    r"background[\w-]*|position|top|right|bottom|left|float|z-index|transform|box-shadow|list-style"
    r"[\w-]*|display|overflow[\w-]*|filter|opacity|animation[\w-]*",
    re.I,
)
_BOXES = re.compile(r"border[\w-]*|outline[\w-]*|padding[\w-]*|border-radius", re.I)


def filtered(base: str, content: str, kept: Container[str]) -> str:
    """Without what could run, names of parts, links of elsewhere, pictures that are not `kept`."""
    # Dropped without a word, as the platform does: only reading the draft back shows it (W18).
    content = _WITH_CONTENT.sub("", content)
    content = _TAG.sub(lambda found: _with_own(base, found, kept), content)
    return _LINKED.sub(lambda found: _led(base, found), content)


def _with_own(base: str, found: re.Match[str], kept: Container[str]) -> str:
    name, rest = found[1], found[2]
    if name.lower() == "img":
        source = _SRC.search(rest)
        before, own, key = (source[1] if source else "").partition("/wechat/media/")
        if before != base or not own or key not in kept:
            return ""
    left = _ATTRIBUTE.sub(lambda one: "" if _DROPPED.fullmatch(one[1]) else one[0], rest)
    return f"<{name}{left}>"


def _led(base: str, found: re.Match[str]) -> str:
    """A link that leads to an article of the platform, else only its words."""
    link = _HREF.search(found[1])
    address = link[1] if link else ""
    own = address.startswith(f"{base}/wechat/s/")
    return found[0] if own or urlsplit(address).hostname == "mp.weixin.qq.com" else found[2]


def saved_again(content: str) -> str:
    """What is left after somebody opened the draft in the back office and saved it."""
    content = re.sub(r"<li\b[^>]*>", "<p>", content, flags=re.I)
    content = re.sub(r"</li\s*>", "</p>", content, flags=re.I)
    content = re.sub(r"</?(?:ul|ol|div)\b[^>]*>", "", content, flags=re.I)
    return _TAG.sub(_unboxed, content)


def _unboxed(found: re.Match[str]) -> str:
    name, rest = found[1], found[2]
    cell = name.lower() in _CELLS

    def kept(style: re.Match[str]) -> str:
        rules = [rule for rule in style[2].split(";") if rule.strip()]
        left = [rule for rule in rules if _stays(rule.partition(":")[0].strip(), cell=cell)]
        if len(left) == len(rules):
            return style[0]
        return f"{style[1]}{';'.join(left)};{style[3]}" if left else ""

    return f"<{name}{_STYLE.sub(kept, rest)}>"


def _stays(name: str, *, cell: bool) -> bool:
    return not _LOST.fullmatch(name) and (cell or not _BOXES.fullmatch(name))
