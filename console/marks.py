"""Text with its findings marked, channel previews, and differences between revisions. Pure."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import nh3
from markupsafe import Markup

from bot.render import PICTURE, fill_reason

MEDIA_PATH = "/console/media/"
_MARKER = re.compile(r"sha256:([0-9a-f]{64})")
_TAGS = {
    "section", "p", "br", "b", "strong", "em", "i", "u", "s", "h1", "h2", "h3", "h4", "ul", "ol",
    "li", "blockquote", "img", "a", "span", "table", "thead", "tbody", "tr", "td", "th", "hr",
}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A stretch of text: plain, or under the findings with these indexes.

    `ends` are the findings whose last character this is: their gate letter stands behind it.
    """

    text: str
    findings: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()


@dataclass(frozen=True)
class Paragraph:
    """One line of the body: a picture (media, alt), or pieces of text."""

    pieces: tuple[Piece, ...] = ()
    media: str = ""
    alt: str = ""


def mark(text: str, findings: Sequence[Mapping[str, Any]], place: str) -> list[Piece]:
    """Cut one field's text at the edges of its findings (code point offsets).

    `place` is the finding's field, title or text. A span that no longer fits is left out.
    """
    spans = [
        (row["start"], row["end"], index)
        for index, row in enumerate(findings)
        if row.get("field", "text") == place and 0 <= row["start"] < row["end"] <= len(text)
    ]
    edges = sorted({0, len(text), *(s for s, _, _ in spans), *(e for _, e, _ in spans)})
    return [
        Piece(
            text[left:right],
            tuple(index for start, end, index in spans if start <= left and right <= end),
            tuple(index for _, end, index in spans if end == right),
        )
        for left, right in pairwise(edges)
    ]


def paragraphs(body: str, findings: Sequence[Mapping[str, Any]]) -> list[Paragraph]:
    """The body line by line, with findings marked and pictures in their place."""
    result = []
    lines: list[list[Piece]] = [[]]
    for piece in mark(body, findings, "text"):
        parts = piece.text.split("\n")
        for number, part in enumerate(parts):
            if number:
                lines.append([])
            last = number == len(parts) - 1
            lines[-1].append(Piece(part, piece.findings, piece.ends if last else ()))
    for line in lines:
        whole = "".join(piece.text for piece in line).strip()
        picture = PICTURE.match(whole)
        if picture:
            result.append(Paragraph(media=picture["media"][7:], alt=picture["alt"]))
        elif whole:
            result.append(Paragraph(pieces=tuple(line)))
    return result


def safe_html(text: str) -> Markup:
    """A channel's HTML for our own page: allowed tags only, no styles, pictures from our store."""
    local = _MARKER.sub(lambda match: MEDIA_PATH + match[1], text)
    return Markup(  # noqa: S704  cleaned right here
        nh3.clean(
            local,
            tags=_TAGS,
            attributes={"img": {"src", "alt"}, "a": {"href"}, "td": {"colspan", "rowspan"}},
            url_schemes={"http", "https"},
            link_rel="noopener noreferrer",
        )
    )


_NO_HTML = Markup("")


@dataclass(frozen=True)
class Preview:
    """How one account will show the item. `parts` are Telegram messages: (bold, rest) texts."""

    account: str
    platform: str
    title: str = ""
    author: str = ""
    summary: str = ""
    html: Markup = _NO_HTML
    cover: str = ""
    parts: tuple[tuple[str, str], ...] = ()
    push: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)


def _media_of(marker: str) -> str:
    return marker.removeprefix("sha256:")


def preview(account: str, platform: str, rendering: Mapping[str, Any]) -> Preview:
    """Read one rendering for display; an unknown platform is shown as its fields."""
    push = fill_reason(str(rendering.get("push", {}).get("text", "")), "（订阅的主题）")
    if platform == "wechat" and "article" in rendering:
        article = rendering["article"]
        return Preview(
            account,
            platform,
            title=article["title"],
            author=article["author"],
            summary=article["digest"],
            html=safe_html(article["content"]),
            cover=_media_of(article["thumb"]),
            push=push,
        )
    if platform == "telegram" and "parts" in rendering:
        return Preview(
            account,
            platform,
            parts=tuple(_bold_split(part) for part in rendering["parts"]),
            cover=_media_of(rendering["photo"]),
            push=push,
        )
    return Preview(account, platform, raw=rendering)


def _bold_split(part: Mapping[str, Any]) -> tuple[str, str]:
    """The bold beginning (UTF-16 length) and the rest of one Telegram message."""
    bold = next((e for e in part.get("entities", ()) if e["type"] == "bold"), None)
    if bold is None or bold["offset"] != 0:
        return "", part["text"]
    raw = part["text"].encode("utf-16-le")
    cut = int(bold["length"]) * 2
    return raw[:cut].decode("utf-16-le"), raw[cut:].decode("utf-16-le")


@dataclass(frozen=True)
class Change:
    """A stretch of a comparison: same, added or removed."""

    kind: str
    text: str


def compare(old: str, new: str) -> list[list[Change]]:
    """Line by line, changed lines by characters; equal lines stay as they are."""
    before, after = old.split("\n"), new.split("\n")
    lines: list[list[Change]] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, left, left_end, right, right_end in matcher.get_opcodes():
        if tag == "equal":
            lines += [[Change("same", text)] for text in before[left:left_end]]
            continue
        pair = "\n".join(before[left:left_end]), "\n".join(after[right:right_end])
        lines.append(_by_characters(*pair))
    return lines


def _by_characters(old: str, new: str) -> list[Change]:
    if len(old) * len(new) > 4_000_000:  # two whole long texts: shown as one replaced by the other
        return [Change("removed", old), Change("added", new)]
    changes = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, left, left_end, right, right_end in matcher.get_opcodes():
        if tag == "equal":
            changes.append(Change("same", old[left:left_end]))
            continue
        changes.append(Change("removed", old[left:left_end]))
        changes.append(Change("added", new[right:right_end]))
    return [change for change in changes if change.text]
