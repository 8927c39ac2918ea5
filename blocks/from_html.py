"""HTML of the clipboard or of a file to a document: Word, WPS, Excel, Writer, web pages, 公众号.

What a document cannot hold is told in words; nothing is left out in silence but scripts and looks.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree
from lxml.html import HTMLParser, document_fromstring

from blocks.document import Block, Divider, Paragraph, Picture, Quote, Run, merged
from blocks.grid import table_of
from blocks.html_looks import Looks, box_of
from blocks.html_pictures import Pictures, with_caption
from blocks.html_tables import Fields, for_layout
from blocks.loose import Loose, heading_runs, settled
from blocks.markup import (
    BLOCKS,
    HEADINGS,
    sheet_of,
    without_swollen_tags,
)
from blocks.numbers import number_words, point_of, says_digits
from blocks.spaces import Piece, broken, lines_of, runs_from
from blocks.taken import (
    Keep,
    LeftOut,
    Point,
    Taken,
    Titled,
    below_title,
    document_of,
    own_title,
    with_sizes,
)

_LARGEST = 2_000_000  # characters, pictures not counted
_DEEPEST = 2_000  # the parser drops what lies deeper
_MOST_ELEMENTS = 60_000  # far more than any article; a paste of nothing but tags costs seconds
_HALVES = re.compile("[\ud800-\udfff]")  # of a picture sign that was cut: the parser ends there
_TITLES = {"MsoTitle": 0, "MsoSubtitle": 2}


@dataclass
class _Holder:
    """What the words at this place become: flow, heading, point, quote, cell or caption."""

    kind: str = "flow"
    depth: int = 0
    point: Point | None = None
    mark: str | None = None  # of a list paragraph of Word, as it is read
    said: bool = False


@dataclass
class _List:
    ordered: bool
    kind: str
    next: int
    depth: int


@dataclass
class _Frame:
    """What holds inside one element."""

    look: Piece
    holder: _Holder
    block: bool
    script: str = ""  # sup, sub
    ignored: bool = False  # the number that Word writes before a point
    skipped: bool = False
    list: _List | None = None


@dataclass
class _Reader:
    keep: Pictures
    left_out: LeftOut
    looks: Looks
    layout: set[Any] = field(default_factory=set)
    out: list[Block | Titled | Loose | Point] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    frames: list[_Frame] = field(
        default_factory=lambda: [_Frame(Piece(""), _Holder(), block=False)]
    )
    tables: list[Fields] = field(default_factory=list)
    entered: int = 0

    # --- walking ------------------------------------------------------------------------------

    def walk(self, root: Any) -> None:
        """Every element once, without recursion."""
        walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, node in walker:
            if event == "start":
                self.enter(node)
                if self.frames[-1].skipped:
                    walker.skip_subtree()
                elif node.text:
                    self.say(node.text)
                if len(self.frames) == _DEEPEST:
                    self.left_out.add("内容嵌套得太深，最里层的可能没有带过来")
                continue
            if event == "end":
                self.leave(node)
            if node.tail and node is not root:
                self.say(node.tail)
        self.end()
        if self.entered > _MOST_ELEMENTS:
            self.left_out.add("内容太多，后面的没有带过来：请分几次粘贴，或导入文件")

    def enter(self, node: Any) -> None:
        parent = self.frames[-1]
        self.entered += 1
        style = self.looks.style(node)
        if node.tag == "input" and parent.holder.kind == "point" and (box := box_of(node)):
            self.pieces.append(replace(parent.look, text=box, kept=True))
            self.frames.append(replace(parent, block=False, skipped=True))
            return
        over = node.tag in ("td", "th") and bool(self.tables) and self.tables[-1].is_full()
        if over or self.entered > _MOST_ELEMENTS or self.looks.unseen(node, style):
            if node.tag == "tr" and self.tables:
                self.tables[-1].hidden_row()
            self.frames.append(replace(parent, block=False, skipped=True))
            return
        tag = node.tag
        block = tag in BLOCKS or style.get("display", "").startswith(("block", "flex", "table-row"))
        look = self.looks.look(node, parent.look, style)
        frame = _Frame(look, parent.holder, block, parent.script, parent.ignored, list=parent.list)
        if block and tag != "br":
            self.border()
        self.frames.append(frame)
        self.place(node, frame, style)
        if tag == "sup" or style.get("vertical-align") == "super":
            frame.script = "sup"
        elif tag == "sub" or style.get("vertical-align") == "sub":
            frame.script = "sub"
        if tag in ("s", "strike") or "line-through" in style.get("text-decoration", ""):
            self.left_out.add("{} 处删除线没有保留，文字还在")

    def leave(self, node: Any) -> None:
        frame = self.frames.pop()
        if frame.skipped:
            return
        above = self.frames[-1]
        table = self.tables[-1] if self.tables else None
        if frame.holder is not above.holder:
            self.end(frame.holder)
        elif frame.block and node.tag != "br":
            self.border()
        if frame.ignored and not above.ignored and frame.holder.mark is not None:
            self.numbered(frame)
        if table is not None and node is table.node:
            self.tables.pop()
            self.table(table)
        elif table is not None and node.tag == "tr":
            table.end_row()

    # --- what stands where --------------------------------------------------------------------

    def place(self, node: Any, frame: _Frame, style: dict[str, str]) -> None:
        tag, kind = node.tag, frame.holder.kind
        if tag == "img":
            self.picture(node)
        elif tag == "br":
            self.pieces.append(broken(frame.look))
        elif tag == "hr" and kind != "cell":
            self.end(frame.holder)
            self.out.append(Divider())
        elif tag in ("ul", "ol"):
            self.begin_list(node, frame, style)
        elif tag in ("td", "th", "thead") and self.tables:
            self.field(node, frame)
        elif style.get("mso-list") == "ignore":
            frame.ignored = True
        elif kind != "cell":
            self.block(node, frame, style)
        elif tag == "li":
            self.pieces.append(replace(frame.look, text=_cell_mark(frame.list), kept=True))

    def block(self, node: Any, frame: _Frame, style: dict[str, str]) -> None:
        """A table, a point or a paragraph of some kind begins."""
        if node.tag == "table" and node not in self.layout:
            self.end(frame.holder)
            self.tables.append(Fields(node))
        elif node.tag == "li":
            self.hold(frame, self.list_point(node, frame, style.get("list-style-type", "")))
        elif "level" in style.get("mso-list", "") and node.tag not in HEADINGS:
            depth = _digit(style["mso-list"].partition("level")[2]) - 1
            self.hold(frame, _Holder("point", max(depth, 0), mark=""))
        elif frame.holder.kind == "flow":
            self.flow(node, frame, style)

    def flow(self, node: Any, frame: _Frame, style: dict[str, str]) -> None:
        tag, names = node.tag, (node.get("class") or "").split()
        outline = style.get("mso-outline-level", "")
        titled = [_TITLES[one] for one in names if one in _TITLES]
        if node.get("role") == "heading":  # Word in the browser
            outline = node.get("aria-level") or "1"
        if tag in HEADINGS or titled or outline.isdigit():
            depth = HEADINGS.get(tag) or (titled[0] if titled else _digit(outline))
            self.hold(frame, _Holder("heading", depth, mark="" if "mso-list" in style else None))
        elif tag == "blockquote" or "MsoQuote" in names or "MsoIntenseQuote" in names:
            self.hold(frame, _Holder("quote"))
        elif tag == "figcaption" or "MsoCaption" in names:
            self.hold(frame, _Holder("caption"))

    def hold(self, frame: _Frame, holder: _Holder) -> None:
        """From here on the words belong to something of their own."""
        self.end(frame.holder)
        frame.holder = holder

    def field(self, node: Any, frame: _Frame) -> None:
        table = self.tables[-1]
        if node.tag == "thead":
            table.head = node
            return
        frame.holder = _Holder("cell")
        table.cell = node
        self.pieces = []

    def begin_list(self, node: Any, frame: _Frame, style: dict[str, str]) -> None:
        given = style.get("list-style-type") or style.get("list-style") or node.get("type") or ""
        ordered = node.tag == "ol" if given not in ("decimal", "disc") else given == "decimal"
        start = _digit(node.get("start") or "1") if ordered else 1
        depth = frame.list.depth + 1 if frame.list else 0
        if frame.holder.kind == "point":
            self.end(frame.holder)
        frame.list = _List(ordered, given, start, depth)

    def list_point(self, node: Any, frame: _Frame, own: str) -> _Holder:
        above = frame.list or _List(ordered=False, kind="", next=1, depth=0)
        # Some programs write the kind of number at each point.
        kind = own or above.kind
        if not above.ordered:
            return _Holder("point", point=Point(above.depth, ()))
        if value := node.get("value"):
            above.next = _digit(value)
        number = above.next
        above.next += 1
        if says_digits(kind):
            return _Holder("point", point=Point(above.depth, (), number=number))
        words = number_words(number, kind)
        mark = f"{words}. " if words.isascii() else f"{words}、"
        return _Holder("point", point=Point(above.depth, (), mark=mark))

    # --- words --------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        frame = self.frames[-1]
        if self.entered > _MOST_ELEMENTS:
            return
        if frame.skipped or (self.tables and frame.holder.kind != "cell"):
            if self.tables and text.strip() and not frame.skipped:
                self.tables[-1].caption += text
            return
        if frame.ignored and frame.holder.mark is not None:
            frame.holder.mark += text
            return
        if frame.script and not frame.look.link and text.strip():
            text = self.looks.script(text, frame.script)
        self.pieces.append(replace(frame.look, text=text))

    def numbered(self, frame: _Frame) -> None:
        """The number before a point of Word has been read."""
        holder = frame.holder
        mark = " ".join((holder.mark or "").split())
        if holder.kind == "heading":
            gap = "" if mark.endswith(("、", "）", "．")) else " "
            said = f"{mark}{gap}" if mark else ""
            self.pieces.append(replace(frame.look, text=said, kept=True))
        else:
            holder.point = point_of(holder.depth, mark) if mark else None

    def border(self) -> None:
        """A line ends here."""
        holder = self.frames[-1].holder
        if holder.kind == "flow":
            self.end(holder)
        elif self.pieces:
            self.pieces.append(broken(self.frames[-1].look))

    def end(self, holder: _Holder | None = None) -> None:
        """What was collected becomes a block of the kind of its holder."""
        holder = holder or self.frames[-1].holder
        pieces, self.pieces = self.pieces, []
        parts = list(lines_of(pieces))
        if holder.kind == "cell":
            table = self.tables[-1]
            table.end_cell(self.joined(parts))
            return
        if not parts:
            return
        if holder.kind == "flow":
            self.out += [self.loose(part) for part in parts]
            return
        runs = self.joined(parts)
        if holder.kind == "heading":
            self.out.append(Titled(holder.depth, heading_runs(runs)))
        elif holder.kind == "quote":
            self.out.append(Quote(runs=runs))
        elif holder.kind == "caption":
            self.caption(runs)
        elif holder.point is None or holder.said:
            self.out.append(Paragraph(runs=runs))
        else:
            self.out.append(replace(holder.point, runs=runs))
        holder.said = True

    def joined(self, parts: list[list[Piece]]) -> tuple[Run, ...]:
        runs: list[Run] = []
        for part in parts:
            runs += [Run(text="\n")] if runs else []
            runs += runs_from(part, self.left_out)
        return merged(runs)

    def loose(self, part: list[Piece]) -> Loose:
        seen = [one for one in part if one.text.strip()]
        return Loose(
            merged(runs_from(part, self.left_out)),
            min(one.size for one in seen),
            all(one.bold for one in seen),
            sum(len(one.text) for one in seen),
        )

    def caption(self, runs: tuple[Run, ...]) -> None:
        words = " ".join("".join(run.text for run in runs).split())
        last = self.out[-1] if self.out else None
        found = with_caption(last, words) if isinstance(last, Picture) else None
        if found is not None:
            self.out[-1] = found
        else:
            self.out.append(Paragraph(runs=runs))

    def picture(self, node: Any) -> None:
        holder = self.frames[-1].holder
        before = "".join(one.text for one in self.pieces[-4:]) or _words(self.out[-1:])
        found = self.keep.picture(node, self.looks.style(node), before)
        if found is None:
            return
        if self.tables:
            self.tables[-1].pictures.append(found)
            return
        self.end(holder)
        self.out.append(found)

    def table(self, table: Fields) -> None:
        if words := " ".join(table.caption.split()):
            self.out.append(Paragraph(runs=(Run(text=words),)))
        found = table_of(table.lines(), self.left_out, guess=True)
        self.out += [found] if found else []
        if table.pictures and found:
            self.left_out.add("表格里的 {} 张图片移到了表格后面", len(table.pictures))
        self.out += table.pictures


def from_html(html: str, keep: Keep, *, page: bool = False) -> Taken:
    """The blocks of HTML; pictures in it are given to `keep`. Never raises for what is in it.

    `page`: a whole page, whose title is not said once more as its first heading.
    """
    left_out = LeftOut()
    pictures = Pictures(keep, left_out)
    html = pictures.aside(html)
    if len(html) > _LARGEST:
        left_out.add("内容超过 2 MB，后面的没有带过来：请分几次粘贴，或导入文件")
    html = without_swollen_tags(_HALVES.sub("\ufffd", html[:_LARGEST].replace("\x00", "")))
    try:
        # As bytes: a text that begins with an XML declaration is refused, and half a surrogate.
        content = html.encode("utf-8", "ignore")
        root = document_fromstring(content, parser=HTMLParser(huge_tree=True, encoding="utf-8"))
    except (etree.LxmlError, ValueError, AssertionError):
        return Taken(document_of((), left_out), left_out.said())
    sheet = sheet_of("".join(one.text or "" for one in root.iter("style")))
    reader = _Reader(pictures, left_out, Looks(left_out, sheet), for_layout(root))
    reader.walk(root)
    title = " ".join(next((one.text or "" for one in root.iter("title")), "").split())
    parts = list(settled(reader.out, left_out))
    if page:
        title = own_title(title, [" ".join(map(str, one.itertext())) for one in root.iter("h1")])
        parts = below_title(parts, title)
    document = document_of(with_sizes(parts, left_out), left_out)
    return Taken(document, (*pictures.said(), *left_out.said()), title)


def _digit(text: str) -> int:
    digits = "".join(char for char in text.strip()[:5] if char in "0123456789")[:4]
    return int(digits) if digits else 1


def _cell_mark(above: _List | None) -> str:
    if above is None or not above.ordered:
        return "• "
    above.next += 1
    return f"{number_words(above.next - 1, above.kind)}. "


def _words(blocks: list[Any]) -> str:
    runs = [run for one in blocks for run in getattr(one, "runs", ())]
    return "".join(run.text for run in runs)
