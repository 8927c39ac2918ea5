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

from bot.channels import CHANNELS
from bot.preview import Gauge, Message

MEDIA_PATH = "/console/media/"
_PLACED = re.compile(r'<img src="sha256:([0-9a-f]{64})"')
_TAGS = {
    "section", "p", "br", "b", "strong", "em", "i", "u", "s", "h1", "h2", "h3", "h4", "ul", "ol",
    "li", "blockquote", "img", "a", "span", "table", "thead", "tbody", "tr", "td", "th", "hr",
}  # fmt: skip
_LOOKS = {"l1", "l2", "l3", "l4", "end", "mid", "pic", "cap", "src"}  # of console.css
_NO_HTML = Markup("")


def safe_html(text: str) -> Markup:
    """A channel's HTML for our own page: allowed tags only, no styles, pictures from our store."""
    # Where it is a picture: among the words it is words, here as on the phone.
    local = _PLACED.sub(rf'<img src="{MEDIA_PATH}\1"', text)
    return Markup(  # noqa: S704  cleaned right here
        nh3.clean(
            local,
            tags=_TAGS,
            attributes={
                "img": {"src", "alt"},
                "a": {"href"},
                "td": {"colspan", "rowspan"},
                "th": {"colspan", "rowspan"},
            },
            allowed_classes={"p": _LOOKS, "table": {"t5"}},
            url_schemes={"http", "https"},
            link_rel="noopener noreferrer",
        )
    )


@dataclass(frozen=True)
class Bubble:
    """One message: its text in pieces (text, entity types), and its pictures' hex digests."""

    pieces: tuple[tuple[str, tuple[str, ...]], ...]
    gauge: Gauge | None
    photo: str = ""
    album: tuple[str, ...] = ()


@dataclass(frozen=True)
class Crop:
    """A part of the cover by its edges, each a share of a side; `name`: wide or square."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def box(self) -> str:
        """The part as a view box of a picture of one by one."""
        wide, high = self.right - self.left, self.bottom - self.top
        return f"{self.left:.6f} {self.top:.6f} {wide:.6f} {high:.6f}"


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
    crops: tuple[Crop, ...] = ()
    link: str = ""
    text: str = ""
    pictures: tuple[str, ...] = ()
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
    channel = CHANNELS.get(platform)
    shown = channel.shown(rendering) if channel else None
    if shown is None:
        return Preview(account, platform, raw=rendering)
    return Preview(
        account,
        platform,
        title=shown.title,
        author=shown.author,
        summary=shown.summary,
        html=safe_html(shown.html),
        cover=shown.cover,
        own_cover=shown.own_cover,
        crops=tuple(Crop(name, *edges) for name, edges in shown.crops.items()),
        link=shown.link,
        text=shown.text,
        pictures=shown.pictures,
        bubbles=tuple(_bubble(one) for one in shown.messages),
        push=pieces(shown.push.text, shown.push.entities),
        gauges=shown.gauges,
    )


def _bubble(message: Message) -> Bubble:
    return Bubble(
        pieces(message.text, message.entities), message.gauge, message.photo, message.album
    )


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
