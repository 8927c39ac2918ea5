"""Pieces of text on a page put together by their place: to lines, and lines to paragraphs.

A line ends where the page ends, not where a sentence does: a number, a name or a title that is cut
there would be found by no check. What is joined has to be seen in the place of the lines: this one
reaches the edge where others end, the next one is not set in, no wider gap lies between them.
"""

import math
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

_ENDS = re.compile(r"[。！？；：!?;:…”）)》】]$")
_NUMBER = r"[\u4e00-\u9fff]{2,12}[〔\[（(【﹝](?:19|20)\d{2}[〕\]）)】﹞]\s?第?\d{1,5}\s?号$"
_DAY = r"(?:19|20)\d{2}\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?日"
# What begins a line of its own whatever stands above it; what ends one whatever follows.
_BEGINS = re.compile(
    r"[一二三四五六七八九十]+、|[（(][一二三四五六七八九十]+[）)]|\d{1,2}[.．、](?!\d)"
    rf"|第.{{1,5}}[章节条]|{_NUMBER}|{_DAY}$|附件[：:\d]|[—-]\s?\d{{1,3}}\s?[—-]$"
)
_CALLS = re.compile("[^，。；]{2,20}：$")  # 各区民政局：
_CLOSED = re.compile(rf"{_NUMBER}|.*(?:通知|意见|办法|公告|通告|公示|决定|方案|规定|文件)$")
_PAGE_NUMBER = re.compile(r"[-—–·\s]*\d{1,4}[-—–·\s]*|第\s?\d+\s?页(?:[，,/\s]*共\s?\d+\s?页)?")
_BLANK, _HAN = "[ \u00a0\u2000-\u200a\u202f\u205f\u3000]{1,2}", "[\u3400-\u9fff]"
_MARK = "[，。、；：！？“”（）〔〕《》]"
_LAID_OUT = re.compile(
    rf"(?<={_HAN}){_BLANK}(?=[0-9A-Za-z〔（《“])|(?<=[0-9A-Za-z〕）》”%]){_BLANK}(?={_HAN})"
    rf"|(?<={_MARK}){_BLANK}(?=[0-9A-Za-z])|(?<=[0-9A-Za-z]){_BLANK}(?={_MARK})"
    rf"|(?<={_MARK}){_BLANK}(?={_HAN})|(?<={_HAN}){_BLANK}(?={_MARK})"
)
_SPREAD = re.compile(rf"(?<={_HAN}|{_MARK}){_BLANK}(?={_HAN}|{_MARK})")
_ANY_BLANK = re.compile(r"\s")
_WORD = re.compile(f"{_HAN}|{_MARK}")
_CELLS = re.compile(rf"{_HAN} +{_HAN}.* |\d +\d")
_ADDRESS = re.compile(r"(?:[\w.+-]+@[\w.-]*|https?://\S*|www\.\S*)$", re.ASCII)
_WHOLE = (11, 16, 18, 19)  # figures of a mobile, of an identity number, of a bank card
_NARROW = 0.5
_UPRIGHT = {
    **{point: unicodedata.normalize("NFKC", chr(point)) for point in range(0xFE10, 0xFE49)},
    **dict(zip(range(0xFE10, 0xFE17), "，、。：；！？", strict=True)),
    **{0xFE35: "（", 0xFE36: "）"},
}


class Piece(NamedTuple):
    """A stretch of text as it was drawn; `base` grows down the page."""

    text: str
    left: float
    base: float
    size: float
    width: float


@dataclass(frozen=True)
class Line:
    """One line of a page; `cells` when wide gaps part it."""

    text: str
    left: float
    right: float
    base: float
    size: float
    cells: bool = False


def width_of(text: str, size: float) -> float:
    """About how wide a text is, where the file does not say: Han have three bytes, letters one."""
    return size * (_NARROW * len(text) + (len(text.encode("utf-8", "replace")) - len(text)) / 4)


def lines_of(pieces: Iterable[Piece]) -> list[Line]:
    """The lines of a page in the order they were drawn, those written downwards among them."""
    found: list[Line] = []
    before: Piece | None = None
    for one in pieces:
        if not one.text or one == before:
            continue
        if found and before is not None and _same_line(before, one):
            found[-1] = _longer(found[-1], before, one)
        elif one.text.strip():
            right = one.left + one.width
            found.append(Line(one.text, one.left, right, one.base, one.size))
        before = one
    upright = list(_upright(found))
    if len(upright) < len(found):
        upright = list(_beside(upright))
    return [_settled(line) for line in upright if line.text.strip()]


def _same_line(before: Piece, one: Piece) -> bool:
    near = abs(one.base - before.base) < max(one.size, before.size) / 2
    return near and one.left >= before.left - one.size / 10


def _longer(line: Line, before: Piece, one: Piece) -> Line:
    gap = one.left - before.left - before.width
    # Letters and figures are a little wider in some fonts than it is reckoned here.
    doubt = sum(char.isascii() for char in before.text) * one.size * 0.12
    wide = gap > max(one.size, before.size) * 1.2 + doubt
    blank = " " if wide and not line.text.endswith(" ") else ""
    return replace(
        line,
        text=line.text + blank + one.text,
        right=max(line.right, one.left + one.width),
        size=max(line.size, one.size),
        cells=line.cells or gap > one.size * 2 + doubt,
    )


def _settled(line: Line) -> Line:
    text = line.text.strip()
    if _ANY_BLANK.search(text) is None:
        return line if text == line.text else replace(line, text=text)
    text = " ".join(text.split())
    # A line stretched to the edge has a blank after nearly every character.
    words = len(_WORD.findall(text))
    if not line.cells and words >= 4 and len(_SPREAD.findall(text)) * 2 >= words - 1:
        text = _SPREAD.sub("", text)
    plain = without_blanks(text)
    cells = line.cells or _CELLS.search(plain) is not None
    return replace(line, text=text if cells else plain, cells=cells)


def without_blanks(text: str) -> str:
    """The text without the blanks that layout puts between Han and figures or letters."""
    return _LAID_OUT.sub("", text) if _ANY_BLANK.search(text) else text


def _upright(lines: list[Line]) -> Iterator[Line]:
    """The lines, those of one character below the other put upright: what they say, to the left."""
    at = 0
    while at < len(lines):
        end = at + 1
        while end < len(lines) and _is_below(lines[end - 1], lines[end]):
            end += 1
        column = lines[at:end]
        words = "".join(one.text.strip() for one in column)
        if len(column) >= 4 and len(words) <= 2 * len(column):
            top, size = column[0].base - column[0].size, column[0].size
            yield Line(_horizontal(words), top, column[-1].base, -column[0].left, size)
        else:
            yield from column
        at = end


def _beside(lines: list[Line]) -> Iterator[Line]:
    """The lines of a page written downwards, what is laid in a column of it in its place."""
    before: Line | None = None
    for line in lines:
        if before is None:
            before = line
        elif abs(line.base - before.base) < line.size / 2 and line.left >= before.right - line.size:
            before = replace(before, text=before.text + line.text, right=line.right)
        else:
            yield before
            before = line
    if before is not None:
        yield before


def _is_below(above: Line, line: Line) -> bool:
    step = line.base - above.base
    narrow = len(above.text.strip()) <= 3 and len(line.text.strip()) <= 3
    same = abs(line.left - above.left) < line.size * 0.6
    return narrow and same and 0.3 * line.size < step < 1.5 * line.size


def _horizontal(text: str) -> str:
    """Marks of vertical writing as marks of a line."""
    return text.translate(_UPRIGHT)


# --- paragraphs -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Page:
    lines: Sequence[Line]
    least: float = math.inf  # where lines of the pages before begin
    edges: dict[float, tuple[float, bool]] = field(default_factory=dict)
    margins: dict[float, float] = field(default_factory=dict)

    @cached_property
    def body(self) -> float:
        """The size most characters have."""
        sizes: dict[float, int] = {}
        for line in self.lines:
            sizes[round(line.size, 1)] = sizes.get(round(line.size, 1), 0) + len(line.text)
        return max(sizes, key=lambda size: sizes[size]) if sizes else 0.0

    @cached_property
    def gap(self) -> float:
        """The usual step from line to line; 0 when there are too few to tell."""
        steps = sorted(
            step for one, two in pairwise(self.lines) if (step := two.base - one.base) > 0
        )
        return steps[len(steps) // 4] if len(steps) >= 3 else 0.0

    @cached_property
    def sets_in(self) -> bool:
        """Whether paragraphs begin two characters in, so that other lines go on."""
        steps = (one.left - two.left for one, two in pairwise(self.lines))
        sizes = (one.size for one in self.lines)
        return sum(1.5 < step / size < 2.6 for step, size in zip(steps, sizes, strict=False)) >= 2

    def edge(self, size: float) -> tuple[float, bool]:
        """Where lines of a size end, and whether more than one does."""
        key = round(size, 1)
        if key not in self.edges:
            self.edges[key] = self._edge(size)
        return self.edges[key]

    def _edge(self, size: float) -> tuple[float, bool]:
        left = self.margin(size)
        # A name and a day below a document stand where their writer put them.
        like = (
            one for one in self._like(size) if one.left - left < 6 * size or len(one.text) >= 20
        )
        rights = sorted((line.right for line in like), reverse=True)
        if not rights:
            return 0.0, False
        falling = [-one for one in rights]
        ends: list[tuple[int, float]] = []  # how many lines end about there
        for at, first in enumerate(rights):
            if first - left < 0.8 * (rights[0] - left):
                break
            # Short lines may end at one place by chance.
            chance = size if first - left > 15 * size else size / 6
            ends.append((bisect_right(falling, chance - first) - at, first))
        most = max((count for count, _ in ends), default=0)
        if most < 2:
            return rights[0], False
        # Nor are one or two lines that hang over the margin where lines end.
        return next(first for count, first in ends if count >= max(2, most / 5)), True

    def margin(self, size: float) -> float:
        """Where lines of a size begin that are not set in."""
        key = round(size, 1)
        if key not in self.margins:
            self.margins[key] = min((line.left for line in self._like(size)), default=0.0)
        return self.margins[key]

    @cached_property
    def leftmost(self) -> float:
        """Where the lines of this page and of those before begin."""
        return min((line.left for line in self.lines if not line.cells), default=self.least)

    def _like(self, size: float) -> Iterator[Line]:
        near = (one for one in self.lines if abs(one.size - size) < size / 10)
        return (one for one in near if not one.cells)


def paragraphs(pages: Iterable[tuple[int, Sequence[Line]]]) -> Iterator[tuple[int, str]]:
    """Whole paragraphs, each with the page it begins on; page numbers and repeated heads go."""
    number, text = 0, ""
    before: Line | None = None
    sheet = _Page(())
    head = ""
    for at, lines in pages:
        kept = _without_running(lines, head)
        head = lines[0].text if lines else head
        page = _Page(kept, min(sheet.least, sheet.leftmost))
        for line in kept:
            between = None if before is None else _between(before, line, sheet, page)
            if between is None:
                if text:
                    yield number, text
                number, text = at, line.text
            else:
                text += between + line.text
            before, sheet = line, page
    if text:
        yield number, text


def _without_running(lines: Sequence[Line], head: str) -> list[Line]:
    """Without the number of the page, and without a head that the page before has too."""
    kept = list(lines)
    if len(kept) > 1 and kept[0].text == head:
        del kept[0]
    for at in (0, -1):
        if len(kept) > 1 and _PAGE_NUMBER.fullmatch(kept[at].text):
            del kept[at]
    return kept


def _between(above: Line, line: Line, sheet: _Page, page: _Page) -> str | None:
    """What stands between two lines of one paragraph; None when a new one begins."""
    if above.cells or line.cells:
        return "" if _is_cut(above, line) else None
    begins = _BEGINS.match(line.text) or re.fullmatch(_NUMBER, above.text)
    if begins and not _is_cut(above, line):
        return None
    if _is_title(above, line, page):
        return _glue(above.text, line.text)
    if abs(line.size - above.size) > line.size / 10 or _is_apart(above, line, sheet, page):
        return None
    if _is_cut(above, line):
        return ""
    # Figures below figures are a column.
    if above.text[-1].isdigit() and line.text[0].isdigit():
        return None
    return _glue(above.text, line.text) if _is_full(above, line, sheet, page) else None


def _is_cut(above: Line, line: Line) -> bool:
    """Whether the end of a line cut a number or an address in two."""
    start, end = re.search(r"\d+$", above.text), re.match(r"\d+[Xx]?(?![\dA-Za-z])", line.text)
    if start is not None and end is not None:
        whole = len(start[0] + end[0])
        return whole in _WHOLE and len(start[0]) not in _WHOLE and len(end[0]) not in _WHOLE
    return False


def _glue(above: str, line: str) -> str:
    both = above[-1].isascii() and line[0].isascii() and above[-1].isalnum() and line[0].isalnum()
    return " " if both and not _ADDRESS.search(above) else ""


def _is_title(above: Line, line: Line, page: _Page) -> bool:
    """Whether both are lines of one title: larger than the rest, each below the other's middle."""
    if min(above.size, line.size) < page.body * 1.1 or abs(above.size - line.size) > line.size / 20:
        return False
    middle = abs(above.left + above.right - line.left - line.right) / 2
    near = 0 < line.base - above.base < 3 * line.size
    return near and middle < line.size * 1.5 and re.fullmatch(_NUMBER, above.text) is None


def _is_apart(above: Line, line: Line, sheet: _Page, page: _Page) -> bool:
    """Whether a gap or the beginning of the line shows a new paragraph."""
    step = line.base - above.base
    if sheet is page:
        usual = page.gap * 1.35 if page.gap else line.size * 2.3
        if step <= 0 or step > max(usual, line.size * 1.2):
            return True
    # What is short and stands far to the right is a signature or a date.
    far = above.left - min(sheet.least, sheet.leftmost) > 6 * line.size
    if far and len(above.text) < 20:
        return True
    inset = line.left - page.margin(line.size)
    first = 1.5 * line.size < inset < 2.6 * line.size
    return first or line.left > above.left + line.size / 2


def _is_full(above: Line, line: Line, sheet: _Page, page: _Page) -> bool:
    """Whether the line above had no room for what the next one begins with."""
    edge, sure = sheet.edge(above.size)
    room = edge - above.right
    hangs = line.left < above.left - above.size
    # A word or number of letters and figures is moved whole to the next line.
    word = re.match(r"[!-~]+|.[，。、；：！？”）》]*", line.text)
    needed = width_of(word[0], above.size) if word is not None else above.size
    if room > needed + above.size * 0.6:
        return False
    if re.search("[：:]$", above.text) and re.match(r"[\d(（+]{5}", line.text):
        return True
    if sure and page.sets_in and line.left - page.margin(line.size) < line.size / 2:
        return True
    if _ENDS.search(above.text) and not hangs:
        return sure and above.text[-1] not in "。：:；;"
    if sure or hangs:
        return True
    return len(above.text) >= 8 and not (_CLOSED.match(above.text) or _CALLS.match(line.text))


def in_order(lines: Sequence[Line]) -> list[Line]:
    """The lines of a page from top to bottom, those of one height together from the left."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: one.base):
        if rows and line.base - rows[-1][-1].base < line.size / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [_row(sorted(row, key=lambda one: one.left)) for row in rows]


def _row(row: list[Line]) -> Line:
    first, last = row[0], row[-1]
    if len(row) == 1:
        return first
    gaps = [after.left - before.right for before, after in pairwise(row)]
    text = first.text
    for gap, one in zip(gaps, row[1:], strict=True):
        text += (" " if gap > one.size * 1.2 else "") + one.text
    cells = any(line.cells for line in row) or max(gaps) > first.size * 2
    return replace(first, text=text, right=last.right, cells=cells)
