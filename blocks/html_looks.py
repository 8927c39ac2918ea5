"""How the words of an HTML element look, where they lead, and what of it is passed over."""

from dataclasses import dataclass, field
from typing import Any

from blocks.markup import HEADINGS, declared, is_bold, points
from blocks.spaces import Piece
from blocks.taken import LeftOut, safe_run

_SILENT = frozenset({"script", "style", "noscript", "template", "head", "meta", "link", "map"})
_MEDIA = "{} 处视频、音频或网页嵌入没有带过来：请在文中写明到哪里看"
_CONTROL = "{} 个表单控件没有带过来"
_CARD = "{} 个公众号组件（名片、小程序、投票、音乐）没有带过来：请在文中写明到哪里看"
_LOST = {
    "svg": "{} 张矢量图（SVG）没有带过来：请换成 PNG 或 JPG 图片",
    "math": "{} 个公式没有带过来：请做成图片",
    **dict.fromkeys(("iframe", "video", "audio", "object", "embed", "mpvoice", "canvas"), _MEDIA),
    **dict.fromkeys(("mp-common-videosnap", "mp-common-mpaudio", "mpvideosnap"), _MEDIA),
    **dict.fromkeys(("qqmusic", "mpcps", "mpvote", "mpprofile", "mpchecktext"), _CARD),
    **dict.fromkeys(("input", "select", "textarea", "button"), _CONTROL),
    "del": "{} 处已删除的文字（修订）没有带过来",
}
_HIDDEN = "{} 处看不见的文字没有带过来"
_COMMENTS = "{} 处批注没有带过来"
_UP = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_DOWN = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")


@dataclass
class Looks:
    """Reads style sheet, attributes and tags of one paste."""

    left_out: LeftOut
    sheet: dict[str, dict[str, str]] = field(default_factory=dict)

    def style(self, node: Any) -> dict[str, str]:
        """What style sheet and attribute say of an element."""
        found: dict[str, str] = {}
        if self.sheet:
            names = (node.get("class") or "").split()[:8]
            for selector in (node.tag, *(f".{one}" for one in names)):
                found |= self.sheet.get(selector, {})
            for one in names:
                found |= self.sheet.get(f"{node.tag}.{one}", {})
        if style := node.get("style"):
            found |= declared(style)
        return found

    def look(self, node: Any, above: Piece, style: dict[str, str]) -> Piece:
        """How words inside look; `above` is how those around it do."""
        bold, link, size = above.bold, above.link, above.size
        if node.tag in ("b", "strong"):
            bold = True
        elif node.tag in HEADINGS or node.tag == "th":
            bold = False
        if weight := style.get("font-weight"):
            bold = is_bold(weight)
        if given := style.get("font-size"):
            size = points(given, size)
        if node.tag == "a":
            link = self.link(node)
        kept = above.kept or node.tag == "pre"
        if space := style.get("white-space"):
            kept = space.startswith(("pre", "break-spaces")) and space != "pre-line"
        return Piece("", bold, link, size, kept)

    def link(self, node: Any) -> str:
        """Where it leads, when that may stand in a document; a place in the same text is none."""
        target = "".join((node.get("href") or "").split())
        if node.get("data-miniprogram-appid"):
            self.left_out.add("{} 个小程序链接没有带过来，文字还在")
            return ""
        if not target or target.startswith("#"):
            return ""
        return safe_run(target, target, self.left_out).link

    def unseen(self, node: Any, style: dict[str, str]) -> bool:
        """Whether an element is passed over; told when anything of it is lost."""
        tag = node.tag
        if tag in _SILENT:
            return True
        if words := _LOST.get(tag) or _card(node):
            if node.get("type") != "hidden" and (tag != "del" or _has_text(node)):
                self.left_out.add(words)
            return True
        hidden = style.get("display") == "none" or style.get("mso-hide") == "all"
        comment = "comment" in style.get("mso-element", "")
        if comment or "MsoCommentReference" in (node.get("class") or ""):
            self.left_out.add(_COMMENTS)
            return True
        if (hidden or node.get("hidden") is not None) and tag != "body":
            if _has_text(node):
                self.left_out.add(_HIDDEN)
            return True
        return False

    def script(self, text: str, which: str) -> str:
        """Raised or lowered figures as characters of their own."""
        changed = text.translate(_UP if which == "sup" else _DOWN)
        pairs = zip(text, changed, strict=True)
        if any(had == now and not had.isspace() for had, now in pairs):
            self.left_out.add("{} 处上标、下标没有保留，文字还在")
            return text
        return changed


def box_of(node: Any) -> str:
    """The box that a point of a list of tasks begins with, ticked or not; empty for no box."""
    if (node.get("type") or "").lower() != "checkbox":
        return ""
    return "☑ " if node.get("checked") is not None else "☐ "


def _card(node: Any) -> str:
    """What is told of a part that only a 公众号 article can hold; empty for another part."""
    tag = node.tag
    return _CARD if tag.startswith("mp-") and not tag.startswith("mp-style") else ""


def _has_text(node: Any) -> bool:
    return any(part.strip() for part in node.itertext())
