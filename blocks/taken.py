"""What is taken over from a file or the clipboard, and in words what is not."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from blocks.document import (
    DEEPEST,
    MOST_BLOCKS,
    Block,
    Document,
    Heading,
    ListBlock,
    Paragraph,
    Run,
    merged,
)

Keep = Callable[[bytes, str], str | None]
"""Keeps the bytes of a picture under a name; their marker, None when they are no usable picture."""

_LONGEST_TITLE = 100


@dataclass(frozen=True)
class Taken:
    """A document, the title when the source names one, and each thing that was left out."""

    document: Document
    left_out: tuple[str, ...] = ()
    title: str = ""


@dataclass
class LeftOut:
    """Counts what is not taken over, by its words; `{}` in the words is the number."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, words: str, count: int = 1) -> None:
        """One more of them."""
        self.counts[words] = self.counts.get(words, 0) + count

    def said(self) -> tuple[str, ...]:
        """One line each, in the order in which they were met."""
        return tuple(words.replace("{}", str(count)) for words, count in self.counts.items())


def safe_run(text: str, link: str, left_out: LeftOut, *, bold: bool = False) -> Run:
    """A run; a link that may not stand there is left out and its words stay."""
    try:
        return Run(text=text, bold=bold, link=link)
    except ValueError:
        left_out.add("{} 个链接没有带过来（地址不是网址、邮箱或电话），文字还在")
        return Run(text=text, bold=bold)


def document_of(blocks: Iterable[Block], left_out: LeftOut) -> Document:
    """The document of the blocks, cut where no more of them are taken."""
    found = [one for one in blocks if not _is_empty(one)]
    if len(found) > MOST_BLOCKS:
        words = f"{{}} 段没有带过来：正文最多 {MOST_BLOCKS} 段，请拆成几篇"
        left_out.add(words, len(found) - MOST_BLOCKS)
    return Document(blocks=tuple(found[:MOST_BLOCKS]))


def _is_empty(block: Block) -> bool:
    return isinstance(block, Paragraph | Heading) and not block.text.strip()


@dataclass(frozen=True)
class Titled:
    """A paragraph that is a heading of any depth; its two sizes are known at the end."""

    depth: int
    runs: tuple[Run, ...]


def with_sizes(blocks: Iterable[Block | Titled], left_out: LeftOut) -> list[Block]:
    """Headings of any depth as those of two sizes: the greatest that is there is the first."""
    listed = list(blocks)
    depths = sorted({one.depth for one in listed if isinstance(one, Titled)})
    first = 1 if not depths or 1 in depths or len(depths) == 1 else depths[0]
    if sum(depth > first for depth in depths) > 1:
        left_out.add("标题只有两级，更小的标题都作为第二级")
    return [
        Heading(level=1 if one.depth <= first else 2, runs=one.runs)
        if isinstance(one, Titled)
        else one
        for one in listed
    ]


_BETWEEN = re.compile(r"[_\-—–|｜－]+")  # between a title, its column and its site


def own_title(title: str, headings: Sequence[str]) -> str:
    """A page's title without the names of column and site, when its one largest heading says so."""
    own = " ".join(headings[0].split()) if len(headings) == 1 else ""
    rest = title.removeprefix(own).strip() if own and title.startswith(own) else ""
    # What is longer behind it is the title, and the heading the name of the site.
    parts = _BETWEEN.split(rest)
    return own if len(parts) > 1 and not parts[0] and len(own) > max(map(len, parts)) else title


def below_title(blocks: Sequence[Block | Titled], title: str) -> list[Block | Titled]:
    """The blocks of a page without its title, when its first heading says that once more."""
    first = blocks[0] if blocks else None
    if not isinstance(first, Titled) or "".join(run.text for run in first.runs).strip() != title:
        return list(blocks)
    # The headings below begin one size deeper.
    return [
        replace(one, depth=max(one.depth - 1, 1)) if isinstance(one, Titled) else one
        for one in blocks[1:]
    ]


def split_title(taken: Taken) -> Taken:
    """The same with its title apart: a first heading that is the only one of its size."""
    blocks = taken.document.blocks
    if taken.title or not blocks or not isinstance(blocks[0], Heading):
        return taken
    top = [one for one in blocks if isinstance(one, Heading) and one.level == 1]
    if top != [blocks[0]] or len(blocks[0].text) > _LONGEST_TITLE:
        return taken
    return Taken(Document(blocks=blocks[1:]), taken.left_out, blocks[0].text.strip())


# --- lists ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """A point of a list as it stands in the source.

    `mark` is what stands before it when no list can say that: （一）, a), 第一条. `number` counts
    where there is none.
    """

    depth: int
    runs: tuple[Run, ...]
    number: int | None = None
    mark: str = ""


@dataclass
class _Said:
    """One point that is being filled."""

    runs: list[Run]
    below: "_Level | None" = None


@dataclass
class _Level:
    """A list that is being filled."""

    depth: int
    ordered: bool
    start: int
    items: list["_Said"] = field(default_factory=list)

    def takes(self, point: Point) -> bool:
        if point.mark or self.ordered != (point.number is not None):
            return False
        return point.number is None or point.number == self.start + len(self.items)

    def add(self, point: Point) -> None:
        self.items.append(_Said(list(point.runs)))

    def more(self, words: tuple[Run, ...]) -> None:
        """Further lines of the last point."""
        self.items[-1].runs += (Run(text="\n"), *words)

    def block(self) -> ListBlock:
        items = [
            {"runs": one.runs, "below": one.below.block() if one.below else None}
            for one in self.items
        ]
        return ListBlock.model_validate(
            {"ordered": self.ordered, "start": self.start if self.ordered else 1, "items": items}
        )


def marked(point: Point) -> tuple[Run, ...]:
    """The words of a point with what stands before it."""
    mark = point.mark or (f"{point.number}. " if point.number is not None else "• ")
    return merged((Run(text=mark), *point.runs))


def listed(points: Iterable[Point], left_out: LeftOut) -> list[Block]:
    """Points that follow each other as lists and, where no list can say their mark, paragraphs."""
    found: list[Block | _Level] = []
    open_: list[_Level] = []
    for point in points:
        while open_ and open_[-1].depth > point.depth:
            open_.pop()
        if not open_:
            _begin(point, found, open_)
        elif open_[-1].depth == point.depth:
            _beside(point, found, open_)
        else:
            _below(point, open_, left_out)
    return [one.block() if isinstance(one, _Level) else one for one in found]


def _begin(point: Point, found: list[Block | _Level], open_: list[_Level]) -> None:
    if point.mark or (point.number or 0) > 9_999:
        found.append(Paragraph(runs=marked(point)))
        return
    level = _level(point)
    found.append(level)
    open_.append(level)


def _beside(point: Point, found: list[Block | _Level], open_: list[_Level]) -> None:
    top = open_[-1]
    if top.takes(point):
        top.add(point)
        return
    open_.pop()
    if not open_:
        _begin(point, found, open_)
    else:
        # A second list below the same point: its own numbers stay as words of that point.
        open_[-1].more(marked(point))
        open_.append(top)


def _below(point: Point, open_: list[_Level], left_out: LeftOut) -> None:
    top = open_[-1]
    below = top.items[-1].below
    if below is not None and below.takes(point):
        below.add(point)
        open_.append(below)
    elif below is not None or point.mark or (point.number or 0) > 9_999:
        top.more(marked(point))
    elif len(open_) >= DEEPEST:
        left_out.add(f"列表最多 {DEEPEST} 层，更深的 {{}} 项并入了上一项")
        top.more(marked(point))
    else:
        level = _level(point)
        top.items[-1].below = level
        open_.append(level)


def _level(point: Point) -> _Level:
    level = _Level(point.depth, point.number is not None, point.number or 0)
    level.add(point)
    return level
