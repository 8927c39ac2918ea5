"""A .docx as blocks: what a reader of the printed text sees, and in words what was left out."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from blocks.document import Cell, Divider, Paragraph, Picture, Quote, Run, merged
from blocks.grid import table_of
from blocks.html_looks import Looks
from blocks.loose import heading_runs
from blocks.taken import (
    Keep,
    LeftOut,
    Point,
    Taken,
    Titled,
    document_of,
    safe_run,
    with_sizes,
)
from documents.beside import field_words
from documents.parts import Archive, Unreadable, attribute, local, named
from documents.word_marks import box, characters, readable, tell_running
from documents.word_order import Caption, captioned, gathered, stripped, words_of
from documents.word_parts import WordParts
from documents.word_styles import (
    Numbers,
    Style,
    Styles,
    child,
    counted,
    depth_of,
    is_on,
    value,
    whole,
)

_INSERTED = "{} 处修订插入的文字按接受处理，已带过来，请核对"
_DELETED = "{} 处修订删除的文字没有带过来，请核对"
_HIDDEN = "{} 处隐藏文字没有带过来"
_BOXES = "{} 个文本框的文字放在了所在段落的后面"
_OBJECTS = "{} 个嵌入的对象（图表、公式、文件）没有带过来：请做成图片或附件"
_CHUNKS = "{} 处插入的其他文件没有带过来：请在 Word 里打开这个文件，另存后再导入"
_DRAWN = frozenset({"chart", "relIds", "lockedCanvas", "contentPart", "oleObject", "OLEObject"})
_OPENED = frozenset({"sdt", "sdtContent", "body", "ins", "moveTo", "customXml", "smartTag",
                     "AlternateContent", "Choice"})  # fmt: skip
_BAD_PICTURE = "{} 张图片没有带过来：打不开或不是 PNG、JPG、GIF、WebP，请另存后拖进来"
_QUOTES = frozenset({"quote", "intense quote", "引用", "明显引用", "quotations"})
_HEADS = frozenset({"table heading", "表头"})
_ORIGIN = re.compile(r"来源：(?P<origin>.*?)；授权：(?P<licence>.*)", re.DOTALL)
_LINK = re.compile(r'HYPERLINK\s+"([^"]+)"')
_LONGEST = 300


class _Look(NamedTuple):
    """How the words of a run look."""

    bold: bool = False
    link: str = ""
    heading: bool = False


@dataclass
class _Line:
    """A paragraph as it is read: words, and pictures and boxes where they stand."""

    runs: list[Run] = field(default_factory=list)
    parts: list[Any] = field(default_factory=list)

    def cut(self, part: Any) -> None:
        """Something that is no word stands here."""
        self.parts += [merged(self.runs), part]
        self.runs = []

    def done(self) -> list[Any]:
        """Words and other parts in their order."""
        # Runs may be none; a node says nothing by being empty.
        parts = (*self.parts, merged(self.runs))
        return [one for one in parts if not isinstance(one, tuple) or one]


@dataclass
class _Word:
    parts: WordParts
    keep: Keep
    left_out: LeftOut
    styles: Styles
    numbers: Numbers
    notes: list[tuple[str, str]] = field(default_factory=list)
    fields: list[list[str]] = field(default_factory=list)
    dropped: list[Run] = field(default_factory=list)  # a first letter over several lines

    # --- blocks -------------------------------------------------------------------------------

    def blocks(self, node: Any) -> Iterator[Any]:
        """Paragraphs and tables in the order of the text, content controls opened."""
        for one in node:
            name = local(one)
            if name == "p":
                yield from self.paragraph(one)
            elif name == "tbl":
                yield from self.table(one)
            elif name in _OPENED:
                yield from self.blocks(one)
            elif name == "altChunk":
                self.left_out.add(_CHUNKS)
            elif name in ("del", "moveFrom"):
                self.left_out.add(_DELETED)

    def paragraph(self, node: Any) -> Iterator[Any]:
        properties = child(node, "pPr")
        style = self.styles.of(value(properties, "pStyle"))
        depth = depth_of(properties)
        depth = style.depth if depth is None else depth
        titled = depth is not None and depth < 10
        point = counted(properties, style, self.numbers)
        look = _Look(bold=style.bold and not titled, heading=titled)
        line = _Line(self.dropped)
        self.dropped = []
        self.words(node, look, line)
        frame = child(properties, "framePr")
        if frame is not None and attribute(frame, "dropCap") in ("drop", "margin"):
            self.dropped = line.runs
            return
        first, parts = True, line.done()
        for part in parts:
            if isinstance(part, Picture):
                yield part
            elif not isinstance(part, tuple):
                self.left_out.add(_BOXES)
                yield from self.blocks(part)
            elif runs := stripped(part):
                yield self.block(runs, style, depth if titled else None, point if first else None)
                first = False
        if not parts and child(child(properties, "pBdr"), "bottom") is not None:
            yield Divider()

    def block(
        self, runs: tuple[Run, ...], style: Style, depth: int | None, point: Point | None
    ) -> Any:
        if depth is not None:
            if point is not None and (point.mark or point.number is not None):
                runs = merged((Run(text=point.mark or f"{point.number}. "), *runs))
            return Titled(depth, heading_runs(runs) if style.depth is None else runs)
        if point is not None:
            return Point(point.depth, runs, point.number, point.mark)
        if style.name in _QUOTES:
            return Quote(runs=runs)
        if style.name in ("caption", "题注"):
            return Caption(runs)
        return Paragraph(runs=runs)

    def table(self, node: Any) -> Iterator[Any]:
        rows: list[list[Cell]] = []
        above: dict[int, tuple[int, int]] = {}
        pictures: list[Any] = []
        ours = value(child(node, "tblPr"), "tblCaption") == "审发"
        for row in _under(node, "tr"):
            cells: list[Cell] = []
            if child(child(row, "trPr"), "del") is not None:
                self.left_out.add(_DELETED)
                continue
            at = whole(value(child(row, "trPr"), "gridBefore"), 0)
            cells += [Cell()] * min(at, 1)
            head = child(child(row, "trPr"), "tblHeader") is not None and not ours
            for one in _under(row, "tc"):
                properties = child(one, "tcPr")
                wide = max(whole(value(properties, "gridSpan"), 1), 1)
                merge = child(properties, "vMerge")
                goes_on = merge is not None and attribute(merge, "val") != "restart"
                if goes_on and at in above:
                    line, place = above[at]
                    top = rows[line][place]
                    down = min(len(rows) - line + 1, 500)
                    rows[line][place] = top.model_copy(update={"rowspan": down})
                else:
                    runs, is_head = self.cell(one, pictures)
                    above[at] = (len(rows), len(cells))
                    span = min(wide, 40)
                    cells.append(Cell(runs=runs, head=head or is_head, colspan=span))
                    if merge is None:
                        del above[at]
                at += wide
            rows.append(cells)
        found = table_of(rows, self.left_out, guess=not ours)
        yield from [found] if found else []
        if pictures and found:
            self.left_out.add("表格里的 {} 张图片移到了表格后面", len(pictures))
        yield from pictures

    def cell(self, node: Any, pictures: list[Any]) -> tuple[tuple[Run, ...], bool]:
        """The words of a field, a line a paragraph; its pictures are put aside."""
        runs: list[Run] = []
        head = False
        for paragraph in named(node, "pStyle"):
            head = head or self.styles.of(attribute(paragraph, "val")).name in _HEADS
        for one in self.blocks(node):
            if isinstance(one, Picture):
                pictures.append(one)
                continue
            said = words_of(one)
            runs += [Run(text="\n"), *said] if runs else said
        return merged(runs), head

    # --- words --------------------------------------------------------------------------------

    def words(self, node: Any, look: _Look, line: _Line) -> None:
        for one in node:
            name = local(one)
            if name == "r":
                self.run(one, look, line)
            elif name == "hyperlink":
                target = self.parts.target(attribute(one, "id"))
                self.words(one, look._replace(link=target), line)
            elif name in ("ins", "moveTo"):
                self.left_out.add(_INSERTED)
                self.words(one, look, line)
            elif name in ("del", "moveFrom"):
                self.left_out.add(_DELETED)
            elif name == "fldSimple":
                found = _LINK.search(attribute(one, "instr"))
                self.words(one, look._replace(link=found[1]) if found else look, line)
            elif name in _OPENED or name in ("dir", "bdo"):
                self.words(one, look, line)
            elif name in ("oMath", "oMathPara"):
                self.left_out.add(_OBJECTS)

    def run(self, node: Any, look: _Look, line: _Line) -> None:
        properties = child(node, "rPr")
        style = self.styles.of(value(properties, "rStyle"))
        vanish, bold = child(properties, "vanish"), child(properties, "b")
        if style.hidden or (vanish is not None and is_on(vanish)):
            if any(True for one in named(node, "t") if (one.text or "").strip()):
                self.left_out.add(_HIDDEN)
            return
        plain = is_on(bold) if bold is not None else look.bold or (style.bold and not look.heading)
        link = look.link or next((one[1] for one in reversed(self.fields) if one[1]), "")
        raised = value(properties, "vertAlign")
        if any(map(is_on, _under(properties, "strike", "dstrike"))):
            self.left_out.add("{} 处删除线没有保留，文字还在")
        for one in node:
            text = readable(self.text(one, line), properties, self.left_out)
            if text and raised in ("superscript", "subscript"):
                text = Looks(self.left_out).script(text, raised[:3])
            if text:
                line.runs.append(safe_run(text, link, self.left_out, bold=plain))

    def text(self, node: Any, line: _Line) -> str:
        """The characters of one part of a run; what is no character goes into the line."""
        name = local(node)
        if name == "fldChar":
            return self.field(attribute(node, "fldCharType")) or box(node)
        if name == "instrText" and self.fields:
            self.fields[-1][0] += node.text or ""
        if self.fields and self.fields[-1][2] == "code":
            return ""
        if name in ("footnoteReference", "endnoteReference"):
            self.notes.append((name.removesuffix("Reference"), attribute(node, "id")))
            return f"[{len(self.notes)}]"
        if name in ("drawing", "pict", "object", "AlternateContent"):
            self.drawn(node, line)
        return characters(node, self.left_out)

    def field(self, kind: str) -> str:
        """A field begins, shows its result, or ends: a link may be written as one.

        What it says when it has no result: a circled character, a text to click.
        """
        if kind == "begin":
            self.fields.append(["", "", "code"])
        elif kind == "separate" and self.fields:
            found = _LINK.search(self.fields[-1][0])
            self.fields[-1][1:] = [found[1] if found else "", "shown"]
        elif kind == "end" and self.fields:
            code, _, state = self.fields.pop()
            return field_words(code) if state == "code" else ""
        return ""

    def drawn(self, node: Any, line: _Line) -> None:
        """Pictures and text boxes of a drawing, each once (not its copy for old programs)."""
        before, drawn = len(line.parts), False
        words: dict[str, str] = {}
        waiting = [node]
        while waiting:
            one = waiting.pop()
            name = local(one)
            drawn = drawn or name in _DRAWN
            if name == "docPr":
                words = {key: attribute(one, key)[:_LONGEST] for key in ("descr", "title")}
            elif name in ("blip", "imagedata"):
                key = attribute(one, "embed") or attribute(one, "id")
                if picture := self.picture(key, words):
                    line.cut(picture)
                elif local(node) != "object":
                    self.left_out.add(_BAD_PICTURE)
            elif name == "txbxContent":
                line.cut(one)
                continue
            if name != "Fallback":
                waiting += reversed(list(one))
        if len(line.parts) == before and (drawn or local(node) == "object"):
            self.left_out.add(_OBJECTS)

    def picture(self, key: str, words: dict[str, str]) -> Picture | None:
        """The picture of a relationship when it lies in the file and can be used."""
        name = self.parts.place(key)
        content = self.parts.archive.bytes(name) if name else b""
        marker = self.keep(content, posixpath.basename(name)) if content else None
        if marker is None:
            return None
        told = _ORIGIN.fullmatch(words.get("title", ""))
        return Picture(
            media=marker,
            alt=words.get("descr", ""),
            origin=told["origin"] if told else "",
            licence=told["licence"] if told else "",
        )

    def noted(self) -> Iterator[Any]:
        """Footnotes and endnotes under the text, in the order of their marks."""
        roots = {kind: self.parts.xml(f"{kind}s") for kind in ("footnote", "endnote")}
        if self.notes:
            yield Divider()
        for at, (kind, key) in enumerate(list(self.notes), 1):
            for node in named(roots[kind], kind) if roots[kind] is not None else ():
                if attribute(node, "id") == key:
                    said = [run for one in self.blocks(node) for run in words_of(one)]
                    yield Paragraph(runs=merged((Run(text=f"[{at}] "), *said)))


def word_blocks(archive: Archive, keep: Keep) -> Taken:
    """The blocks of a .docx; tracked changes are read as accepted, and told."""
    left_out = LeftOut()
    file = WordParts(archive)
    root = file.text()
    if root is None:
        raise Unreadable(
            "broken", "block", "文件里没有 Word 正文，可能改过后缀，请另存为 .docx 再导入"
        )
    word = _Word(file, keep, left_out, Styles(file), Numbers(file))
    parts = [*word.blocks(root), *word.noted()]
    tell_running(file, left_out)
    comments = file.xml("comments")
    if count := sum(1 for _ in named(comments, "comment")) if comments is not None else 0:
        left_out.add("{} 条批注没有带过来", count)
    title = ""
    if parts and isinstance(parts[0], Titled) and parts[0].depth == 0:
        title = "".join(run.text for run in parts.pop(0).runs).strip()
    settled = with_sizes(gathered(captioned(parts), left_out), left_out)
    return Taken(document_of(settled, left_out), left_out.said(), title)


def _under(node: Any, *names: str) -> Iterator[Any]:
    """The children of these names, content controls and tracked rows opened."""
    for one in node if node is not None else ():
        if local(one) in names:
            yield one
        elif local(one) in ("sdt", "sdtContent", "ins", "customXml"):
            yield from _under(one, *names)
