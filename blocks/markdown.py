"""Markdown, the light mark-up of the plain box and of .md files, to blocks and back.

What Markdown cannot say: a caption is the title of a picture, `![alt](sha256:... "caption")`; where
it comes from and what it may be used for stay with the picture of the same marker (`kept`). Spans
of a table are empty fields, fields of one line. A table has a head; without one the first line is
read as head.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from blocks.document import (
    MARKER,
    Attachment,
    Block,
    Cell,
    Divider,
    Document,
    Heading,
    ListBlock,
    Paragraph,
    Picture,
    Quote,
    Run,
    Table,
    merged,
)
from blocks.grid import table_of
from blocks.taken import LeftOut, Point, Taken, Titled, document_of, listed, safe_run, with_sizes

_READER = MarkdownIt("commonmark", {"html": False, "maxNesting": 40}).enable("table")
# Marks of emphasis are read here: the rules of CommonMark know no Chinese punctuation beside them.
_OFF = ["code", "html_block", "html_inline", "lheading", "reference", "emphasis", "text_join"]
_READER.disable(_OFF)
_LEANING = re.compile(
    r"(?<![*\\])\*(?![\s*])([^*\n]+?)(?<!\s)\*(?!\*)|(?<![\w_])_([^_\n]+)_(?![\w_])"
)
_LARGEST = 400_000  # characters
_ELSEWHERE = "{} 张图片没有带过来：请把图片文件拖进来"
_SPECIAL = re.compile(r"([\\`*_\[\]<>&!|~])")
_BEGINS = re.compile(r"^(\s*)([#+=-]|\d{1,9}[.)])")


@dataclass
class _Reader:
    tokens: list[Token]
    left_out: LeftOut
    out: list[Block | Titled] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    lists: list[list[int | None]] = field(default_factory=list)
    quotes: int = 0
    quoted: list[Run] = field(default_factory=list)
    said: bool = False  # the point that is open has its words
    depth: int = 0
    rows: list[list[Cell]] = field(default_factory=list)

    def read(self) -> list[Block | Titled]:
        for token in self.tokens:
            if act := getattr(self, f"on_{token.type}", None):
                act(token)
            elif token.type in ("fence", "code_block"):
                self.put(Paragraph(runs=(Run(text=token.content.rstrip("\n")),)))
        self.end_lists()
        return self.out

    def put(self, block: Block | Titled) -> None:
        self.end_lists()
        self.out.append(block)

    def end_lists(self) -> None:
        points, self.points = self.points, []
        self.out += listed(points, self.left_out)

    def on_heading_open(self, token: Token) -> None:
        self.depth = int(token.tag[1])

    def on_heading_close(self, token: Token) -> None:
        self.depth = 0

    def on_hr(self, token: Token) -> None:
        self.put(Divider())

    def on_blockquote_open(self, token: Token) -> None:
        self.quotes += 1

    def on_blockquote_close(self, token: Token) -> None:
        self.quotes -= 1
        if not self.quotes and self.quoted:
            runs, self.quoted = self.quoted, []
            self.put(Quote(runs=tuple(runs)))

    def on_bullet_list_open(self, token: Token) -> None:
        self.lists.append([None])

    def on_ordered_list_open(self, token: Token) -> None:
        self.lists.append([int(token.attrs.get("start", 1))])

    def on_bullet_list_close(self, token: Token) -> None:
        self.lists.pop()
        if not self.lists:
            self.end_lists()

    on_ordered_list_close = on_bullet_list_close

    def on_list_item_open(self, token: Token) -> None:
        self.said = False

    def on_list_item_close(self, token: Token) -> None:
        number = self.lists[-1][0]
        if number is not None:
            self.lists[-1][0] = number + 1

    def on_table_close(self, token: Token) -> None:
        rows, self.rows = self.rows, []
        if found := table_of(rows, self.left_out, guess=False):
            self.put(found)

    def on_tr_open(self, token: Token) -> None:
        self.rows.append([])

    def on_inline(self, token: Token) -> None:
        parts = list(_inline(token.children or (), self.left_out))
        runs = merged(one for one in parts if isinstance(one, Run))
        pictures = [one for one in parts if isinstance(one, Picture)]
        if self.rows:
            self.rows[-1].append(Cell(runs=runs, head=token.meta.get("head", False)))
        elif self.quotes:
            self.quoted += [Run(text="\n"), *runs] if self.quoted else runs
        elif self.lists and not self.said and runs:
            self.said = True
            number = self.lists[-1][0]
            self.points.append(Point(len(self.lists) - 1, runs, number))
        elif self.lists and self.points and runs:
            last = self.points[-1]
            more = (*last.runs, Run(text="\n"), *runs)
            self.points[-1] = Point(last.depth, merged(more), last.number)
        elif self.depth:
            self.put(Titled(self.depth, runs))
        elif runs and "".join(run.text for run in runs).strip():
            self.put(Paragraph(runs=runs))
        for one in pictures:
            self.put(one)


def _inline(children: Sequence[Token], left_out: LeftOut) -> Iterator[Run | Picture]:
    links = [""]
    bold, marks = False, sum(one.content.count("**") for one in children if one.type == "text")
    for one in children:
        if one.type == "link_open":
            links.append(str(one.attrs.get("href", "")))
        elif one.type == "link_close":
            links.pop()
        elif one.type in ("softbreak", "hardbreak"):
            yield Run(text="\n", bold=bold)
        elif one.type == "image":
            media = str(one.attrs.get("src", ""))
            if MARKER.fullmatch(media):
                alt = "".join(each.content for each in one.children or ())[:300]
                caption = str(one.attrs.get("title", ""))[:300]
                yield Picture(media=media, alt=alt, caption=caption)
            else:
                left_out.add(_ELSEWHERE)
        elif one.type == "text":
            first, *others = one.content.split("**")
            yield safe_run(_upright(first), links[-1], left_out, bold=bold)
            for text in others:
                marks -= 1
                # One that is left over ends nothing: it is two stars.
                stars = "**" if not marks and not bold else ""
                bold = not bold and not stars
                yield safe_run(stars + _upright(text), links[-1], left_out, bold=bold)
        elif one.content:
            yield safe_run(one.content, links[-1], left_out, bold=bold)


def _upright(text: str) -> str:
    return _LEANING.sub(lambda found: found[1] or found[2], text)


def from_markdown(text: str, kept: Document | None = None) -> Taken:
    """The document of Markdown; pictures and files take what `kept` knows of the same marker."""
    left_out = LeftOut()
    if len(text) > _LARGEST:
        left_out.add("文字太长，后面的没有带过来：请拆成几篇")
    tokens = _READER.parse(text[:_LARGEST])
    in_head = False
    for token in tokens:
        if token.type in ("th_open", "td_open"):
            in_head = token.type == "th_open"
        elif token.type == "inline" and in_head:
            token.meta["head"] = True
        elif token.type in ("th_close", "td_close"):
            in_head = False
    blocks = with_sizes(_Reader(tokens, left_out).read(), left_out)
    known = {one.media: one for one in kept.blocks if isinstance(one, Picture)} if kept else {}
    files = {one.media: one for one in kept.blocks if isinstance(one, Attachment)} if kept else {}
    return Taken(
        document_of((_with_known(one, known, files) for one in blocks), left_out), left_out.said()
    )


def _with_known(block: Block, known: dict[str, Picture], files: dict[str, Attachment]) -> Block:
    if not isinstance(block, Picture):
        return block
    if block.media in files:
        return files[block.media]
    if block.media in known:
        more = known[block.media]
        told = {"origin": more.origin, "licence": more.licence, "made": more.made}
        return block.model_copy(update=told)
    return block


# --- out again --------------------------------------------------------------------------------


def to_markdown(document: Document) -> str:
    """The document as Markdown."""
    return "\n\n".join(_said(block) for block in document.blocks) + "\n"


def _said(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_runs(block.runs)}"
    if isinstance(block, ListBlock):
        return "\n".join(_points(block, ""))
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Quote):
        return "\n".join(f"> {line}" for line in _runs(block.runs).split("\n"))
    if isinstance(block, Picture):
        caption = block.caption.replace("\\", "\\\\").replace('"', '\\"')
        title = f' "{caption}"' if block.caption else ""
        return f"![{_escaped(block.alt)}]({block.media}{title})"
    if isinstance(block, Attachment):
        return f"![{_escaped(block.name)}]({block.media})"
    return "---" if isinstance(block, Divider) else _runs(block.runs)


def _runs(runs: Sequence[Run]) -> str:
    return "\n".join(_line_start(line) for line in "".join(_run(run) for run in runs).split("\n"))


def _run(run: Run) -> str:
    text = _escaped(run.text)
    if run.bold and run.text.strip():
        text = f"**{text}**"
    return f"[{text}](<{run.link}>)" if run.link else text


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _line_start(line: str) -> str:
    found = _BEGINS.match(line)
    if not found:
        return line
    mark = found[2]
    kept = f"{mark[:-1]}\\{mark[-1]}" if mark[0].isdigit() else f"\\{mark}"
    return found[1] + kept + line[found.end() :]


def _points(block: ListBlock, indent: str) -> Iterator[str]:
    for index, item in enumerate(block.items):
        mark = f"{block.start + index}. " if block.ordered else "- "
        inner = indent + " " * len(mark)
        first, *more = _runs(item.runs).split("\n")
        yield f"{indent}{mark}{first}"
        yield from (f"{inner}{line}" for line in more)
        if item.below is not None:
            yield from _points(item.below, inner)


def _table(table: Table) -> str:
    width = sum(cell.colspan for cell in table.rows[0].cells)
    rows = []
    for row in table.rows:
        cells: list[str] = []
        for cell in row.cells:
            cells += [_runs(cell.runs).replace("\n", " "), *[""] * (cell.colspan - 1)]
        rows.append(cells + [""] * (width - len(cells)))
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])
