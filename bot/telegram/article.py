"""An article of blocks as messages for Telegram: texts with marks, and pictures in their places.

A part is {"text", "entities"}, and with "pictures" (markers, at most ten) a text below them. Pure.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from blocks.document import (
    Attachment,
    Block,
    Divider,
    Document,
    Heading,
    ListBlock,
    Paragraph,
    Picture,
    Quote,
    Run,
    Table,
)
from blocks.text import DIVIDER
from bot.contract import Content
from bot.picture_message import picture_lines, pictures_of
from bot.render import attachment_lines, attribution_lines, corrected_line, made_line
from bot.telegram.styled import (
    TELEGRAM_CAPTION,
    Fragment,
    fit,
    message,
    packed,
    writer,
)
from bot.wording import (
    Grid,
    address,
    block_name,
    grid_of,
    list_lines,
    rows_in_words,
)

MOST_PICTURES = 10  # of one message (#T7)
MOST_PARTS = 60
"""At twenty messages a minute (#T1) a longer article would keep its account for minutes."""
_NARROW, _LOW = 30, 30  # half-wide signs and rows that a phone shows as a table without breaking it


@dataclass
class _Segment:
    """Pictures, if any, and the text that stands below them until the next ones."""

    pictures: list[Picture] = field(default_factory=list)
    head: list[Fragment] = field(default_factory=list)
    body: list[Fragment] = field(default_factory=list)

    def takes(self, picture: Picture) -> bool:
        return not self.body and len(self.pictures) < MOST_PICTURES


def article_parts(content: Content, blocks: Document) -> list[dict[str, Any]]:
    """The messages of an article in order."""
    segments = [_Segment(head=list(_top(content)))]
    if content.cover and not any(
        isinstance(one, Picture) and one.media == content.cover for one in blocks.blocks
    ):
        segments[0].pictures.append(Picture(media=content.cover))
    for block in blocks.blocks:
        if not isinstance(block, Picture):
            segments[-1].body += _below(segments[-1].body, fragments(block))
            continue
        if not segments[-1].takes(block):
            segments.append(_Segment())
        segments[-1].pictures.append(block)
    tail = "\n".join(attribution_lines(content) + attachment_lines(content))
    if tail:
        segments[-1].body.append(Fragment(tail))
    return [part for one in segments for part in _parts(one)]


def message_parts(content: Content, blocks: Document) -> list[dict[str, Any]]:
    """The messages of 图片消息: albums in order, the text below the first one or before it.

    "lead": the text belongs to the first of the pictures, should they need several calls.
    """
    pictures = pictures_of(blocks)
    said = [*_top(content)]
    for block in blocks.blocks:
        if not isinstance(block, Picture):
            said += fragments(block)
    described = "\n".join(line for _, line in picture_lines(pictures))
    tail = "\n".join(attribution_lines(content) + attachment_lines(content))
    said = [one for one in (*said, Fragment(described), Fragment(tail)) if one.text]
    markers = [one.media for one in pictures]
    albums = [
        {"pictures": markers[at : at + MOST_PICTURES]}
        for at in range(0, len(markers), MOST_PICTURES)
    ]
    wordless = [one | message([]) for one in albums]
    if albums and fit(said, TELEGRAM_CAPTION):
        return [albums[0] | message(said) | {"lead": True}, *wordless[1:]]
    return [*map(message, packed(said)), *wordless]


def _below(above: Sequence[Fragment], more: Iterator[Fragment]) -> Iterator[Fragment]:
    """What follows; right below a heading it stands close to it."""
    close = bool(above) and above[-1].leads
    for one in more:
        yield replace(one, gap="\n") if close and not one.leads else one
        close = False


def _top(content: Content) -> Iterator[Fragment]:
    title = writer()
    title.say(content.title, "bold")
    made = title.fragment(leads=True)
    if made.text:
        yield made
    for line in filter(None, [corrected_line(content), made_line(content.made)]):
        yield Fragment(line)


def _parts(one: _Segment) -> Iterator[dict[str, Any]]:
    """One message when the text fits below the pictures, else the pictures and then the text."""
    body = [fragment for fragment in one.body if fragment.text]
    if not one.pictures:
        yield from map(message, packed([*one.head, *body]))
        return
    pictures = {"pictures": [picture.media for picture in one.pictures]}
    head = [*one.head, *_captions(one.pictures)]
    if fit([*head, *body], TELEGRAM_CAPTION):
        yield pictures | message([*head, *body])
    elif fit(head, TELEGRAM_CAPTION):
        yield pictures | message(head)
        yield from map(message, packed(body))
    else:
        yield pictures | message([])
        yield from map(message, packed([*head, *body]))


def _captions(pictures: Sequence[Picture]) -> Iterator[Fragment]:
    """A line for each picture that has words; with its number where there are several."""
    for number, line in picture_lines(pictures):
        yield Fragment(line, gap="\n" if number > 1 else "\n\n")


# --- one block --------------------------------------------------------------------------------


def fragments(block: Block) -> Iterator[Fragment]:
    """The fragments of a block that is no picture."""
    if isinstance(block, ListBlock):
        yield from _list(block)
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Divider):
        yield Fragment(DIVIDER)
    elif isinstance(block, Attachment):
        yield Fragment(f"附件：{block.name}")
    elif isinstance(block, Heading):
        yield _said(block.runs, around="bold", leads=True)
    elif isinstance(block, Quote):
        yield _said(block.runs, around="blockquote", whole=True)
    elif isinstance(block, Paragraph):
        yield _said(block.runs)


def _said(runs: Sequence[Run], around: str = "", before: str = "", **how: Any) -> Fragment:
    said = writer()
    said.say(before)
    for run in runs:
        start = said.at
        said.say(run.text)
        if run.bold and around != "bold":
            said.mark(start, "bold")
        if urlsplit(run.link).scheme in ("http", "https"):
            said.mark(start, "text_link", run.link)
        else:  # the platform makes no link of an address of mail or a number
            said.say(address(run))
    if around:
        said.mark(0, around)
    return said.fragment(**how)


def _list(block: ListBlock) -> Iterator[Fragment]:
    for number, (depth, mark, item) in enumerate(list_lines(block)):
        # In the gap, for the platform drops the blanks that a message begins with.
        gap = "\n" + "\u3000" * (depth - 1) if number else "\n\n"
        yield _said(item.runs, before=mark, gap=gap)


def _table(block: Table) -> Iterator[Fragment]:
    grid = grid_of(block)
    if lines := _aligned(block, grid):
        table = writer()
        table.say("\n".join(lines), "pre")
        yield table.fragment(whole=True)
        return
    if grid.head:
        for row in rows_in_words(grid):
            yield _row([(one.label, one.runs) for one in row], "\n")
        return
    for number, cells in enumerate(row.cells for row in block.rows):
        gap = "\n" if number else "\n\n"
        yield _row([("", cell.runs) for cell in cells if cell.text.strip()], " ｜ ", gap)


def _row(fields: Sequence[tuple[str, Sequence[Run]]], between: str, gap: str = "\n\n") -> Fragment:
    said = writer()
    for number, (label, runs) in enumerate(fields):
        said.say((between if number else "") + (f"{label}：" if label else ""))
        one = _said(runs)
        start = said.at
        said.say(one.text)
        for span in one.spans:
            said.spans.append(type(span)(start + span.start, start + span.end, span.kind, span.url))
    return said.fragment(gap=gap)


def _aligned(block: Table, grid: Grid) -> list[str]:
    """Columns below each other, when a phone shows them so; nothing when it would break them."""
    cells = [cell for row in block.rows for cell in row.cells]
    plain = all(
        cell.colspan == cell.rowspan == 1
        and "\n" not in cell.text
        and not any(run.link for run in cell.runs)
        for cell in cells
    )
    if not plain or len(block.rows) > _LOW or grid.width < 2:
        return []
    texts = [[cell.text.strip() for cell in row.cells] for row in block.rows]
    widths = [max(map(_width, column)) for column in zip(*texts, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > _NARROW:
        return []
    return [
        "  ".join(
            text + " " * (wide - _width(text)) for text, wide in zip(line, widths, strict=True)
        ).rstrip()
        for line in texts
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


# --- what cannot be shown ---------------------------------------------------------------------


def problems_of(blocks: Document) -> list[str]:
    """The blocks that no message can hold, by name."""
    return [
        f"Telegram {block_name(at, block)}超过一条消息能放下的长度，又不能从中间断开：请分成几段"
        for at, block in enumerate(blocks.blocks)
        if any(one.whole and not one.fits for one in fragments(block))
    ]
