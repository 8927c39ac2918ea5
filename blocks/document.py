"""A body as a list of blocks: plain frozen data, without any markup.

Equal documents have equal data: runs that say the same are one run, rows of a table have the same
width, no text holds what cannot be seen. `read_document(data)` is the one door for data of others.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

MOST_BLOCKS = 2_000
"""Of what somebody writes; a fetched page is kept as long as it is, and cut before review."""
MOST_ROWS, MOST_COLUMNS = 500, 40
DEEPEST = 4  # lists inside lists: more cannot be read on a phone
MARKER = re.compile(r"sha256:[0-9a-f]{64}")
_LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_BREAKS = re.compile(r"\r\n?|[\u2028\u2029\v\f\x85]")
_LONGEST_LINK, _LONGEST_NAME = 2_000, 300


class Made(StrEnum):
    """Who made a text or a picture, as 《人工智能生成合成内容标识办法》 has it declared."""

    UNDECLARED = ""
    HUMAN = "human"
    ASSISTED = "assisted"
    GENERATED = "generated"


class BlockFault(ValueError):
    """Data that is no document; the text says where and what to do, `where` is the path in it."""

    def __init__(self, message: str, where: str = "") -> None:
        """`where`: blocks.3.rows.2, or empty for the whole."""
        super().__init__(message)
        self.where = where


def seen(text: str) -> str:
    """The text without control characters, other kinds of line ends as a newline."""
    return "".join(
        char
        for char in _BREAKS.sub("\n", text)
        if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs")
    )


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Run(_Part):
    """Characters that look the same; a newline is a line break. `link` is an address or empty."""

    text: str
    bold: bool = False
    link: str = Field(default="", max_length=_LONGEST_LINK)

    @field_validator("text")
    @classmethod
    def _seen(cls, text: str) -> str:
        return seen(text)

    @field_validator("link")
    @classmethod
    def _leads_somewhere(cls, link: str) -> str:
        if not link:
            return ""
        try:
            parts = urlsplit(link)
        except ValueError as error:
            raise ValueError("链接写得不对，请重新粘贴网址") from error
        named = bool(parts.netloc) if parts.scheme in ("http", "https") else bool(parts.path)
        odd = seen(link) != link or any(map(str.isspace, link))
        if parts.scheme not in _LINK_SCHEMES or not named or odd:
            raise ValueError("链接只能是网址（http、https）、邮箱或电话")
        return link


def merged(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Neighbours that look the same as one run, without empty ones."""
    found: list[Run] = []
    for (bold, link), same in groupby(
        (run for run in runs if run.text), key=lambda run: (run.bold, run.link)
    ):
        first, *more = same
        # Joined once: a run made anew at each neighbour would cost their square.
        text = "".join(run.text for run in (first, *more))
        found.append(Run(text=text, bold=bold, link=link) if more else first)
    return tuple(found)


def plain(text: str) -> tuple[Run, ...]:
    """The text as runs without any look."""
    return merged([Run(text=text)])


class _Worded(_Part):
    """A part with runs of text."""

    runs: tuple[Run, ...] = ()

    @field_validator("runs")
    @classmethod
    def _merged(cls, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        return merged(runs)

    @property
    def text(self) -> str:
        """The words alone."""
        return "".join(run.text for run in self.runs)


class Paragraph(_Worded):
    """Words under each other until the next block."""

    kind: Literal["paragraph"] = "paragraph"


class Heading(_Worded):
    """A heading of one of two sizes; one line."""

    kind: Literal["heading"] = "heading"
    level: Literal[1, 2] = 1

    @field_validator("runs")
    @classmethod
    def _one_line(cls, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        return merged(run.model_copy(update={"text": run.text.replace("\n", " ")}) for run in runs)


class ListItem(_Worded):
    """One point of a list, and the list below it."""

    below: "ListBlock | None" = None


class ListBlock(_Part):
    """Points in order, counted from `start`, or without numbers."""

    kind: Literal["list"] = "list"
    ordered: bool = False
    start: int = Field(default=1, ge=0, le=9_999)
    items: tuple[ListItem, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_number_without_order(self) -> Self:
        if not self.ordered and self.start != 1:
            raise ValueError("没有编号的列表不写起始编号")
        return self

    def mark(self, index: int) -> str:
        """What stands before point `index` in plain text."""
        return f"{self.start + index}. " if self.ordered else "• "


class Cell(_Worded):
    """One field of a table."""

    head: bool = False
    colspan: int = Field(default=1, ge=1, le=MOST_COLUMNS)
    rowspan: int = Field(default=1, ge=1, le=MOST_ROWS)


class Row(_Part):
    """One line of a table; a field that reaches down from above is not repeated."""

    cells: tuple[Cell, ...] = ()


class Table(_Part):
    """Rows of one width."""

    kind: Literal["table"] = "table"
    rows: tuple[Row, ...] = Field(min_length=1)

    @field_validator("rows", mode="before")
    @classmethod
    def _not_too_many(cls, rows: Any) -> Any:
        if isinstance(rows, list | tuple) and len(rows) > MOST_ROWS:
            raise ValueError(f"表格最多 {MOST_ROWS} 行，请拆开，或作为附件上传")
        return rows

    @field_validator("rows")
    @classmethod
    def _squared(cls, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        return squared(rows)


def squared(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows of the same width: short ones get empty fields, no field reaches below the last row."""
    if len(rows) > MOST_ROWS:
        raise ValueError(f"表格最多 {MOST_ROWS} 行，请拆开，或作为附件上传")
    kept = [
        [
            cell.model_copy(update={"rowspan": min(cell.rowspan, len(rows) - at)})
            for cell in row.cells
        ]
        for at, row in enumerate(rows)
    ]
    widths = _widths(kept)
    width = max(widths)
    if width > MOST_COLUMNS:
        raise ValueError(f"表格最多 {MOST_COLUMNS} 列，请拆开，或作为附件上传")
    if not width:
        raise ValueError("表格没有内容")
    return tuple(
        Row(cells=(*cells, *[Cell()] * (width - wide)))
        for cells, wide in zip(kept, widths, strict=True)
    )


def _widths(rows: Sequence[Sequence[Cell]]) -> list[int]:
    """How many columns each row fills, with what reaches down into it."""
    reaching = [0] * len(rows)
    widths = []
    for at, cells in enumerate(rows):
        for cell in cells:
            for below in range(at + 1, at + cell.rowspan):
                reaching[below] += cell.colspan
        widths.append(reaching[at] + sum(cell.colspan for cell in cells))
    return widths


class Picture(_Part):
    """A picture: the marker of its bytes, words for who cannot see it, and where it comes from."""

    kind: Literal["picture"] = "picture"
    media: str
    alt: str = Field(default="", max_length=_LONGEST_NAME)
    caption: str = Field(default="", max_length=_LONGEST_NAME)
    origin: str = Field(default="", max_length=_LONGEST_NAME)
    licence: str = Field(default="", max_length=_LONGEST_NAME)
    made: Made = Made.UNDECLARED

    @field_validator("media")
    @classmethod
    def _is_marker(cls, media: str) -> str:
        if not MARKER.fullmatch(media):
            raise ValueError("图片要先上传")
        return media

    @field_validator("alt", "caption", "origin", "licence")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return " ".join(seen(text).split())

    @field_validator("alt")
    @classmethod
    def _without_brackets(cls, text: str) -> str:
        return text.replace("[", "［").replace(
            "]", "］"
        )  # they end the text in a line of plain text


class Quote(_Worded):
    """Words of somebody else, paragraphs parted by line breaks."""

    kind: Literal["quote"] = "quote"


class Divider(_Part):
    """A line between two parts."""

    kind: Literal["divider"] = "divider"


class Attachment(_Part):
    """Where a file of the item stands in the text."""

    kind: Literal["attachment"] = "attachment"
    name: str = Field(min_length=1, max_length=_LONGEST_NAME)
    media: str

    @field_validator("media")
    @classmethod
    def _is_marker(cls, media: str) -> str:
        if not MARKER.fullmatch(media):
            raise ValueError("附件要先上传")
        return media

    @field_validator("name")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return " ".join(seen(text).split())


Block = Annotated[
    Paragraph | Heading | ListBlock | Table | Picture | Quote | Divider | Attachment,
    Field(discriminator="kind"),
]


class Document(_Part):
    """A whole body."""

    blocks: tuple[Block, ...] = ()

    @field_validator("blocks")
    @classmethod
    def _without_empty(cls, blocks: tuple[Block, ...]) -> tuple[Block, ...]:
        if any(_depth(one) > DEEPEST for one in blocks):
            raise ValueError(f"列表最多 {DEEPEST} 层，手机上看不清更多")
        return tuple(one for one in blocks if not _is_empty(one))

    def data(self) -> list[dict[str, Any]]:
        """Plain data for the canonical form and for JSON: every field of every block."""
        return [one.model_dump(mode="json") for one in self.blocks]


def runs_of(part: Block | ListItem) -> Iterator[Run]:
    """Every run of a block, in the order of its text."""
    if isinstance(part, Table):
        for row in part.rows:
            for cell in row.cells:
                yield from cell.runs
    elif isinstance(part, ListBlock):
        for item in part.items:
            yield from runs_of(item)
    elif isinstance(part, _Worded):
        yield from part.runs
        if isinstance(part, ListItem) and part.below is not None:
            yield from runs_of(part.below)


def _is_empty(block: Block) -> bool:
    return isinstance(block, Paragraph | Heading | Quote) and not block.text.strip()


def _depth(block: Block) -> int:
    if not isinstance(block, ListBlock):
        return 0
    return 1 + max(_depth(item.below) if item.below else 0 for item in block.items)


_documents = TypeAdapter(Document)


def schema() -> dict[str, Any]:
    """The JSON schema of a document."""
    return _documents.json_schema()


def read_document(blocks: Any) -> Document:
    """The document of a list of blocks as plain data; BlockFault says where it is none."""
    if _nested(blocks) > 6 * DEEPEST + 12:
        raise BlockFault(f"列表最多 {DEEPEST} 层，手机上看不清更多", "blocks")
    try:
        return _documents.validate_python({"blocks": blocks})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"] if part not in _KINDS)
        said = str(first["msg"]).removeprefix("Value error, ")
        words = said if first["type"] == "value_error" else f"写法不对（{said}）"
        if first["type"] == "string_too_long":
            words = (
                f"{_LONG_ONES.get(first['loc'][-1], '有一处')}最多 {first['ctx']['max_length']} 字"
            )
        raise BlockFault(f"正文{_place(first['loc'])}：{words}", where) from error


_LONG_ONES: dict[int | str, str] = {
    "alt": "图片的替代文字",
    "caption": "图片的说明",
    "origin": "图片的来源",
    "licence": "图片的授权",
    "name": "附件名",
    "link": "链接",
}
_KINDS = frozenset(
    {"paragraph", "heading", "list", "table", "picture", "quote", "divider", "attachment"}
)


def _place(where: Sequence[int | str]) -> str:
    return f"第 {where[1] + 1} 段" if len(where) > 1 and isinstance(where[1], int) else ""


def _nested(data: Any) -> int:
    """How deep lists and dictionaries lie in each other, without recursion."""
    deepest, waiting = 0, [(data, 1)]
    while waiting:
        one, depth = waiting.pop()
        deepest = max(deepest, depth)
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        waiting += [(part, depth + 1) for part in inner if isinstance(part, dict | list)]
    return deepest
