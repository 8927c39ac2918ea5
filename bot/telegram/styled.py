"""Texts with marks, packed into messages within Telegram's limits. Pure.

A `Fragment` is what stands together; between two of them a message may end. Marks are kept in
characters and become entities, with offsets in UTF-16 units, when a message is made.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.render import units, whole_before

TELEGRAM_TEXT = 4096  # UTF-16 units of one message (docs/platforms.md#T5)
TELEGRAM_CAPTION = 1024
MOST_ENTITIES = 100
_HEADS = TELEGRAM_TEXT // 4  # of the headings that go on to the next message with what they head
_BEYOND = 700  # characters behind a cut that say whether it lies inside a document number
Entity = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` look like `kind`, one of Telegram's; `url` of a text_link."""

    start: int
    end: int
    kind: str
    url: str = ""


@dataclass(frozen=True)
class Fragment:
    """A text that is not parted, or only where a sentence ends.

    `whole`: never parted. `leads`: never the last of a message, as a heading. `gap`: what stands
    before it when something does.
    """

    text: str
    spans: tuple[Span, ...] = ()
    gap: str = "\n\n"
    whole: bool = False
    leads: bool = False

    @property
    def fits(self) -> bool:
        """Whether one message holds it."""
        if len(self.text) * 2 <= TELEGRAM_TEXT and len(self.spans) <= MOST_ENTITIES:
            return True  # however wide its characters are
        return units(self.text) <= TELEGRAM_TEXT and len(self.spans) <= MOST_ENTITIES

    def trimmed(self) -> "Fragment":
        """Without the blanks at both ends, which the platform drops."""
        text = self.text.strip()
        if text == self.text:
            return self
        before = len(self.text) - len(self.text.lstrip())
        return replace(self, text=text, spans=tuple(_moved(self.spans, -before, len(text))))


def _moved(spans: Iterable[Span], by: int, length: int) -> Iterator[Span]:
    for one in spans:
        start, end = max(one.start + by, 0), min(one.end + by, length)
        if start < end:
            yield replace(one, start=start, end=end)


@dataclass
class _Writer:
    """A fragment while it is written."""

    parts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    at: int = 0

    def say(self, text: str, kind: str = "", url: str = "") -> None:
        self.parts.append(text)
        self.at += len(text)
        if kind and text:
            self.spans.append(Span(self.at - len(text), self.at, kind, url))

    def mark(self, start: int, kind: str, url: str = "") -> None:
        """What was said since `start` looks like `kind`."""
        if start < self.at:
            self.spans.append(Span(start, self.at, kind, url))

    def fragment(self, **how: Any) -> Fragment:
        return Fragment("".join(self.parts), tuple(self.spans), **how).trimmed()


def writer() -> _Writer:
    """An empty one."""
    return _Writer()


def message(fragments: Sequence[Fragment]) -> dict[str, Any]:
    """{"text", "entities"} of fragments one after the other."""
    parts: list[str] = []
    entities: list[Entity] = []
    at = 0
    for one in fragments:
        gap = one.gap if parts else ""
        at += units(gap)
        entities += _entities(one, at)
        parts += [gap, one.text]
        at += units(one.text)
    return {"text": "".join(parts), "entities": entities}


def _entities(one: Fragment, at: int) -> Iterator[Entity]:
    for span in sorted(one.spans, key=lambda span: (span.start, -span.end)):
        start = units(one.text[: span.start])
        entity: Entity = {
            "type": span.kind,
            "offset": at + start,
            "length": units(one.text[span.start : span.end]),
        }
        yield entity | ({"url": span.url} if span.url else {})


def size(fragments: Sequence[Fragment]) -> tuple[int, int]:
    """UTF-16 units and entities of one message of these."""
    gaps = sum(units(one.gap) for one in fragments[1:])
    return gaps + sum(units(one.text) for one in fragments), sum(
        len(one.spans) for one in fragments
    )


def fit(fragments: Sequence[Fragment], limit: int) -> bool:
    """Whether one message of `limit` units holds them all."""
    text, entities = size(fragments)
    return text <= limit and entities <= MOST_ENTITIES


def packed(fragments: Iterable[Fragment]) -> list[list[Fragment]]:
    """The fragments of each message, in order; what no message holds stands alone and too long."""
    found: list[list[Fragment]] = [[]]
    used = marks = 0
    rest = deque(piece for whole in fragments for piece in pieces(whole))
    while rest:
        one = rest.popleft()
        if found[-1] and not _room(one, used, marks):
            found.append(_heads_taken(found[-1]))
            used, marks = size(found[-1])
            if found[-1] and not _room(one, used, marks):
                one, more = _beside(found, one)
                rest.extendleft(more)
                used, marks = size(found[-1])
        found[-1].append(one)
        used, marks = used + units(one.gap) + units(one.text), marks + len(one.spans)
    return [part for part in found if part]


def _room(one: Fragment, used: int, marks: int) -> bool:
    """Whether it stands in a message that has so many units and entities already."""
    taken = used + units(one.gap) + units(one.text)
    return taken <= TELEGRAM_TEXT and marks + len(one.spans) <= MOST_ENTITIES


def _heads_taken(part: list[Fragment]) -> list[Fragment]:
    """The headings a message ends with, which go on to the next one with what they head."""
    at = len(part)
    while at > 1 and part[at - 1].leads and fit(part[at - 1 :], _HEADS):
        at -= 1
    taken = part[at:]
    del part[at:]
    return taken


def _beside(found: list[list[Fragment]], one: Fragment) -> tuple[Fragment, list[Fragment]]:
    """What of it stands below the headings of the last message, and the rest of it.

    Where it is not parted they go back to the message before.
    """
    used, marks = size(found[-1])
    units_left = TELEGRAM_TEXT - used - units(one.gap)
    place = _place(one, units_left, MOST_ENTITIES - marks)
    cut = 0 if one.whole else _outside(one, place)
    if not cut:
        heads = found.pop()
        found[-1] += heads
        found.append([])
        return one, []
    length = len(one.text)
    first, rest = _slice(one, 0, cut, one.spans), _slice(one, cut, length, one.spans)
    return first.trimmed(), [rest.trimmed()] if rest.text.strip() else []


def pieces(fragment: Fragment) -> list[Fragment]:
    """The fragment in parts that each fit into a message; itself when it must not be parted."""
    if fragment.whole or fragment.fits:
        return [fragment]
    found: list[Fragment] = []
    spans = sorted(fragment.spans, key=lambda one: one.start)
    start = first = 0
    while start < len(fragment.text):
        # Only what a message could reach is looked at: a text may have a hundred thousand marks.
        end = min(len(fragment.text), start + TELEGRAM_TEXT + _BEYOND)
        while first < len(spans) and spans[first].end <= start:
            first += 1
        last = bisect_left(spans, end, lo=first, key=lambda one: one.start)
        near = _slice(fragment, start, end, spans[first:last])
        cut = len(near.text) if end == len(fragment.text) and near.fits else _cut(near)
        found.append(_slice(near, 0, cut, near.spans).trimmed())
        start += cut
    return [one for one in found if one.text]


def _slice(one: Fragment, start: int, end: int, spans: Iterable[Span]) -> Fragment:
    return replace(one, text=one.text[start:end], spans=tuple(_moved(spans, -start, end - start)))


def _cut(one: Fragment) -> int:
    """Where the first part ends: in no document number and no link, unless one fills all of it."""
    place = _place(one)
    return _outside(one, place) or place or 1


def _place(one: Fragment, most: int = TELEGRAM_TEXT, marks: int = MOST_ENTITIES) -> int:
    """Where a first part of so many units and marks could end: after a line or a sentence."""
    room = fitting(one.text, most)
    if len(one.spans) > marks:
        room = min(room, sorted(span.start for span in one.spans)[marks])
    cut = one.text.rfind("\n", 0, room + 1)
    # A line's end in the first third is no place: the parts would be crumbs.
    if cut < room // 3:
        sentence = max(one.text.rfind(mark, 0, room) for mark in "。；！？")
        cut = sentence + 1 if sentence >= room // 3 else room
    return cut


def _outside(one: Fragment, cut: int) -> int:
    """The same place, or the nearest one before it that parts nothing; 0 where there is none."""
    links = [span for span in one.spans if span.kind == "text_link"]
    while True:
        inside = [span.start for span in links if span.start < cut < span.end]
        moved = whole_before(one.text, min([cut, *inside]))
        if moved == cut:
            return cut
        cut = moved


def fitting(text: str, limit: int) -> int:
    """How many characters of `text` fit into `limit` UTF-16 units."""
    used = 0
    for index, char in enumerate(text):
        used += 2 if ord(char) > 0xFFFF else 1
        if used > limit:
            return index
    return len(text)
