"""How one account will show a rendering, as plain data: every part beside its platform's limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


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
class Message:
    """One message as it will be sent; `entities` are the platform's own, with UTF-16 offsets.

    `album`: further pictures that stand beside the photo.
    """

    text: str = ""
    entities: Sequence[Mapping[str, Any]] = ()
    photo: str = ""
    gauge: Gauge | None = None
    album: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shown:
    """An article or a row of messages, and the push. Pictures are hex digests without `sha256:`.

    `crops` are the parts of the cover that are shown, left, top, right, bottom of its sides;
    `html` is the channel's own with its looks as classes, not yet cleaned: whoever shows it does.
    A picture message has `pictures` in their order and a `text` instead.
    """

    push: Message
    gauges: tuple[Gauge, ...]
    title: str = ""
    author: str = ""
    summary: str = ""
    html: str = ""
    cover: str = ""
    own_cover: bool = True
    crops: Mapping[str, Sequence[float]] = field(default_factory=dict)
    link: str = ""
    text: str = ""
    pictures: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()


SAMPLE_LINK = "（发布后的文章链接）"
"""Stands in a preview where the address of the released article will be."""
SAMPLE_REASON = "（订阅的主题）"
"""Stands in a preview where each subscriber will read a reason of their own."""
