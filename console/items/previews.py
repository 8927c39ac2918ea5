"""How each channel will show a revision, read from its stored rendering. Pure.

What is shown here is what the digest covers and what will be sent: lengths stand beside limits.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import nh3
from markupsafe import Markup

from bot.render import (
    DEFAULT_COVER,
    TELEGRAM_CAPTION,
    TELEGRAM_TEXT,
    WECHAT_AUTHOR,
    WECHAT_CONTENT_CHARS,
    WECHAT_DIGEST,
    WECHAT_TEXT_BYTES,
    WECHAT_TITLE,
    fill_reason,
    units,
)

MEDIA_PATH = "/console/media/"
_MARKER = re.compile(r"sha256:([0-9a-f]{64})")
_TAGS = {
    "section", "p", "br", "b", "strong", "em", "i", "u", "s", "h1", "h2", "h3", "h4", "ul", "ol",
    "li", "blockquote", "img", "a", "span", "table", "thead", "tbody", "tr", "td", "th", "hr",
}  # fmt: skip
_NO_HTML = Markup("")


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


@dataclass(frozen=True)
class Gauge:
    """How much of a platform's limit one part takes."""

    label: str
    used: int
    limit: int
    unit: str = "字"

    @property
    def over(self) -> bool:
        """Whether the platform would refuse it."""
        return self.used > self.limit


@dataclass(frozen=True)
class Bubble:
    """One Telegram message: its text in pieces (text, entity types), and its photo's hex digest."""

    pieces: tuple[tuple[str, tuple[str, ...]], ...]
    gauge: Gauge | None
    photo: str = ""


@dataclass(frozen=True)
class Preview:
    """How one account will show the item; an unknown platform is shown as its `raw` fields."""

    account: str
    platform: str
    title: str = ""
    author: str = ""
    summary: str = ""
    html: Markup = _NO_HTML
    cover: str = ""
    own_cover: bool = True
    link: str = ""
    bubbles: tuple[Bubble, ...] = ()
    push: tuple[tuple[str, tuple[str, ...]], ...] = ()
    gauges: tuple[Gauge, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether any limit is broken."""
        return any(gauge.over for gauge in self.gauges)


def preview(account: str, platform: str, rendering: Mapping[str, Any]) -> Preview:
    """Read one stored rendering for display."""
    if platform == "wechat" and "article" in rendering:
        return _wechat(account, rendering)
    if platform == "telegram" and "parts" in rendering:
        return _telegram(account, rendering)
    return Preview(account, platform, raw=rendering)


def _wechat(account: str, rendering: Mapping[str, Any]) -> Preview:
    article = rendering["article"]
    push = _push_text(rendering)
    return Preview(
        account,
        "wechat",
        title=article["title"],
        author=article["author"],
        summary=article["digest"],
        html=safe_html(article["content"]),
        cover=article["thumb"].removeprefix("sha256:"),
        own_cover=article["thumb"] != DEFAULT_COVER,
        link=article["content_source_url"],
        push=pieces(push, ()),
        gauges=(
            Gauge("标题", len(article["title"]), WECHAT_TITLE),
            Gauge("作者", len(article["author"]), WECHAT_AUTHOR),
            Gauge("摘要", len(article["digest"]), WECHAT_DIGEST),
            Gauge("正文（含排版）", len(article["content"]), WECHAT_CONTENT_CHARS - 1),
            Gauge("推送文字", len(push.encode()), WECHAT_TEXT_BYTES, "字节"),
        ),
    )


def _telegram(account: str, rendering: Mapping[str, Any]) -> Preview:
    bubbles = list(_bubbles(rendering))
    push = _push_text(rendering)
    gauges = [one.gauge for one in bubbles if one.gauge is not None]
    return Preview(
        account,
        "telegram",
        cover=rendering["photo"].removeprefix("sha256:"),
        bubbles=tuple(bubbles),
        push=pieces(push, rendering["push"].get("entities", ())),
        gauges=(*gauges, Gauge("推送文字", units(push), TELEGRAM_TEXT)),
    )


def _push_text(rendering: Mapping[str, Any]) -> str:
    return fill_reason(str(rendering.get("push", {}).get("text", "")), "（订阅的主题）")


def _bubbles(rendering: Mapping[str, Any]) -> Sequence[Bubble]:
    """The messages as they will be posted: the photo carries the first text when that fits."""
    parts, photo = list(rendering["parts"]), rendering["photo"].removeprefix("sha256:")
    made = []
    if photo:
        captioned = bool(parts) and units(parts[0]["text"]) <= TELEGRAM_CAPTION
        first = parts.pop(0) if captioned else None
        made.append(_bubble(first, "图片说明", TELEGRAM_CAPTION, photo))
    made += [
        _bubble(part, f"第 {number} 条", TELEGRAM_TEXT, "") for number, part in enumerate(parts, 1)
    ]
    return made


def _bubble(part: Mapping[str, Any] | None, label: str, limit: int, photo: str) -> Bubble:
    if part is None:
        return Bubble((), None, photo)
    gauge = Gauge(label, units(part["text"]), limit)
    return Bubble(pieces(part["text"], part["entities"]), gauge, photo)


def pieces(
    text: str, entities: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A text cut at the edges of its entities (UTF-16 offsets), each piece with their types."""
    raw = text.encode("utf-16-le")
    spans = [(one["offset"], one["offset"] + one["length"], str(one["type"])) for one in entities]
    whole = len(raw) // 2
    inside = {edge for start, end, _ in spans for edge in (start, end) if 0 < edge < whole}
    return tuple(
        (
            raw[left * 2 : right * 2].decode("utf-16-le", "replace"),
            tuple(kind for start, end, kind in spans if start <= left and right <= end),
        )
        for left, right in pairwise(sorted({0, whole} | inside))
    )
