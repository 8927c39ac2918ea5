"""Cut a policy into addressable clauses. Pure: text[clause.start:clause.end] == clause.text."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

_NUM = "零〇一二三四五六七八九十百千两"
_PAD = r"[ \t\u3000\xa0]*(?:\[bookmark:[^\]\n]*\][ \t\u3000\xa0]*)?"
_LINE = re.compile(r"[^\n]+")
_PART = re.compile(rf"{_PAD}(第[{_NUM}\d]+[编章节])(?![条款])")
_ARTICLE = re.compile(
    rf"{_PAD}(第[{_NUM}\d]+条(?:之[{_NUM}]+)?)(?=[\s\u3000：:]|[^\d{_NUM}的规、，])"
)
_POINT = re.compile(rf"{_PAD}([（(][{_NUM}]+[）)])")
_HEADING = re.compile(rf"{_PAD}([{_NUM}]+、)")
_DOTTED = re.compile(rf"{_PAD}(\d{{1,2}}[.．、])(?!\d)")
_TAIL = re.compile(
    r"[ \t\u3000\xa0]*(?:附件[：:\d一二三四五]|（此件|\d{4}年\d{1,2}月\d{1,2}日[ \t\u3000\xa0]*$)"
)
_LIST = re.compile(rf"{_PAD}附[件表][ \t\u3000]*[：:]")
_IS_ANNEX = re.compile(rf"{_PAD}附[件表录][ \t\u3000]*[\d{_NUM}]{{0,3}}(?![\d{_NUM}])")
_ANNEX_HEAD = re.compile(
    rf"{_PAD}附[件表录][ \t\u3000]*[\d{_NUM}]{{0,3}}[ \t\u3000]*[：:]?[ \t\u3000]*"
)
_FIRST = re.compile(rf"{_PAD}第(?:一|1)条")
_BEGINS = re.compile(rf"[^\n\t]*\S\t+\S|{_PAD}(?:第(?:一|1)[章条]|一、|[（(]一[）)])")
_YEARS = "(?:(?:19|20)\\d{2}|[〇零○一二三四五六七八九]{4})"
_IS_DAY = re.compile(
    rf"(?:[^。；，：]{{2,40}}[ \u3000])?[（(]?{_YEARS}\s?年\s?[\d{_NUM}]{{1,3}}\s?月"
    rf"\s?[\d{_NUM}]{{1,3}}\s?日[）)]?"
)
_IS_NAME = re.compile(
    r"[（(]?[^。；，：、\d]{2,40}(?:局|厅|部|委|府|室|会|署|院|行|社|中心|公司|大队|支队)[）)]?"
)
_MAX_PARAGRAPH = 400  # paragraphs shorter than this are joined into one clause when unnumbered
_MIN_PARAGRAPH = 60


@dataclass(frozen=True)
class Clause:
    """One clause: its label as printed (（五）, 第三条, 第4段), the headings above, exact span."""

    number: int  # 1, 2, 3 ... in the order of the text
    label: str
    heading: tuple[str, ...]
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Line:
    start: int
    end: int
    text: str


@dataclass
class _Open:
    label: str
    heading: tuple[str, ...]
    start: int
    end: int
    says_something: bool = True  # False for a heading until a body follows


def cut(text: str) -> list[Clause]:
    """The clauses of `text`: of the document, of what it puts into force, of each annex.

    Each by the strongest numbering it uses: 第X条; else （一） under 一、 headings; else 一、; else
    paragraphs. At least two of a kind are needed; orders of a notice above what it brings may be
    numbered 1. too. What stands before the first number (印发通知的话) is no clause, nor is a
    signature.
    """
    lines = [
        _Line(m.start(), m.end(), m.group()) for m in _LINE.finditer(text) if m.group().strip()
    ]
    found: list[_Open] = []
    whole = list(parted(lines))
    for head, some in whole:
        parts = _section(text, some, alone=len(whole) == 1)
        found += [replace(one, heading=(*head, *one.heading)) for one in parts]
    return [
        Clause(number, part.label, part.heading, text[part.start : part.end], part.start, part.end)
        for number, part in enumerate(found, start=1)
    ]


def _section(text: str, lines: list[_Line], *, alone: bool) -> list[_Open]:
    for marker in (_ARTICLE, _POINT, _HEADING):
        if _counts(lines, marker):
            return list(_numbered(text, lines, marker))
    # The words of a notice that only brings an annex are no clause; those of an annex are.
    if not alone and not _IS_ANNEX.match(lines[0].text):
        own = _above_the_list(lines)
        return list(_numbered(text, own, _DOTTED)) if _counts(own, _DOTTED) else []
    own = lines if alone or len(lines) == 1 else lines[1:]
    return list(_paragraphs(text, own))


def parted(lines: list[_Line]) -> Iterator[tuple[tuple[str, ...], list[_Line]]]:
    """The parts of a document with the name of each annex, signatures left out."""
    signed = _signature_lines([line.text.strip() for line in lines])
    head: tuple[str, ...] = ()
    some: list[_Line] = []
    articles = False  # whether this part has come to its first article
    for at, line in enumerate(lines):
        following = lines[at + 1].text if at + 1 < len(lines) else ""
        annex = _is_annex(line.text, following, after_signature=at - 1 in signed)
        begins = _FIRST.match(line.text) is not None and _orders(some)
        if annex or (begins and not articles and len(some) > 1):
            # The title of what is put into force stands above its first article.
            title = [] if annex else _title_above(some)
            kept = some[: len(some) - len(title)]
            if kept:
                yield head, kept
            head = (_clean(line.text),) if annex else tuple(_clean(one.text) for one in title[:1])
            some, articles = title, False
        articles = articles or _FIRST.match(line.text) is not None
        if at not in signed:
            some.append(line)
    if some:
        yield head, some


def _is_annex(line: str, following: str, *, after_signature: bool) -> bool:
    """Whether 附件 heads a part: alone or with its number, and not a list below a notice."""
    if _IS_ANNEX.match(line) is None:
        return False
    listed = "：" in line and re.match(rf"{_PAD}\d{{1,2}}[.．、]", following) is not None
    # With its title in the same line, it heads what begins right below: a table, a row of numbers.
    begins = "。" not in line and _BEGINS.match(following) is not None
    return after_signature or begins or (_ANNEX_HEAD.fullmatch(line) is not None and not listed)


def _orders(lines: list[_Line]) -> bool:
    """Whether a notice has numbered orders of its own."""
    own = _above_the_list(lines)
    return any(_counts(own, marker) for marker in (_HEADING, _POINT, _DOTTED))


def _counts(lines: list[_Line], marker: re.Pattern[str]) -> bool:
    return sum(marker.match(line.text) is not None for line in lines) >= 2


def _above_the_list(lines: list[_Line]) -> list[_Line]:
    """The lines before the names of the annexes, which are numbered as orders are."""
    ends = (at for at, line in enumerate(lines) if at and _LIST.match(line.text))
    return lines[: next(ends, len(lines))]


def _title_above(lines: list[_Line]) -> list[_Line]:
    """The lines from the last short one without a full stop on: a title, or title and chapter."""
    at = len(lines)
    while at > 1 and at > len(lines) - 4 and not re.search("[。；：，]", lines[at - 1].text):
        at -= 1
    return lines[at:]


def _signature_lines(lines: list[str]) -> set[int]:
    """The places of names and days under a document."""
    found: set[int] = set()
    for at, line in enumerate(lines):
        if not _IS_DAY.fullmatch(line):
            continue
        found.add(at)
        for above in range(at - 1, max(at - 9, -1), -1):
            if not _IS_NAME.fullmatch(lines[above]):
                break
            found.add(above)
    return found


def _numbered(text: str, lines: list[_Line], marker: re.Pattern[str]) -> Iterator[_Open]:
    """Clauses opened by `marker`; headings close the clause and become the path of the next.

    A 一、 heading with a body of its own before the first （一） is a clause too.
    """
    headings: list[tuple[int, str]] = []
    current: _Open | None = None
    for line in lines:
        level = _heading_level(line.text, marker)
        match = marker.match(line.text)
        if not match and level is None and not _TAIL.match(line.text):
            if current is not None:
                current.end = line.start + len(line.text.rstrip())
                current.says_something = True
            continue
        if current is not None and current.says_something:
            yield current
        current = None
        if match:
            path = tuple(name for _, name in headings)
            current = _opened(match.group(1), path, line)
        elif level is not None:
            headings = [kept for kept in headings if kept[0] < level]
            if marker is _POINT:
                name = _HEADING.match(line.text)
                current = _opened(name.group(1) if name else "", (), line)
                current.says_something = "。" in line.text
            headings.append((level, _clean(line.text)))
    if current is not None and current.says_something:
        yield current


def _opened(label: str, path: tuple[str, ...], line: _Line) -> _Open:
    return _Open(label, path, line.start + _lead(line.text), line.start + len(line.text.rstrip()))


def _lead(line: str) -> int:
    """Characters before the label: indentation and a word processor's bookmark."""
    match = re.match(_PAD, line)
    return match.end() if match else 0


def _heading_level(line: str, marker: re.Pattern[str]) -> int | None:
    part = _PART.match(line)
    if part and marker is _ARTICLE:
        return "编章节".index(part.group(1)[-1])
    if marker is _POINT and _HEADING.match(line):
        return 0
    return None


def _clean(line: str) -> str:
    return line[_lead(line) :].strip()[:120]


def _paragraphs(text: str, lines: list[_Line]) -> Iterator[_Open]:
    """Paragraphs; short ones are joined to the next so that a clause says something."""
    count = 0
    current: _Open | None = None
    for line in lines:
        start = line.start + len(line.text) - len(line.text.lstrip())
        end = line.start + len(line.text.rstrip())
        if (
            current
            and current.end - current.start < _MIN_PARAGRAPH
            and (end - current.start <= _MAX_PARAGRAPH)
        ):
            current.end = end
            continue
        if current:
            yield current
        count += 1
        current = _Open(f"第{count}段", (), start, end)
    if current:
        yield current


_MARKERS = (_ARTICLE, _POINT, _HEADING, _DOTTED)


def label_of(text: str) -> str:
    """The label that a clause begins with (第三条, （五）, 一、); empty when it has none."""
    found = next((m for m in (one.match(text) for one in _MARKERS) if m), None)
    return found.group(1)[:60] if found else ""


_SENTENCE = re.compile(r"[^。；！？!?;\n]+[。；！？!?;]*[”’」』）)]*")


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of `text`, without leading and trailing blanks, none empty."""
    spans = []
    for match in _SENTENCE.finditer(text):
        raw = match.group()
        start = match.start() + len(raw) - len(raw.lstrip())
        end = match.start() + len(raw.rstrip())
        if end > start:
            spans.append((start, end))
    return spans


def best_window(
    text: str, held: Callable[[str], Mapping[str, float]], limit: int
) -> tuple[int, int]:
    """The run of whole sentences within `limit` characters that holds most; all when short.

    `held` gives the wanted things a sentence holds, with their weights; each counts once. A
    single sentence longer than `limit` is given whole: a quote is never cut inside.
    """
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    if end - start <= limit:
        return start, max(start, end)
    spans = sentences(text)
    have = [held(text[first:last]) for first, last in spans]
    best, best_score = spans[0] if spans else (start, end), float("-inf")
    for first in range(len(spans)):
        together: dict[str, float] = {}
        for last in range(first, len(spans)):
            if last > first and spans[last][1] - spans[first][0] > limit:
                break
            together.update(have[last])
            value = sum(together.values())
            if value > best_score + 1e-9:
                best, best_score = (spans[first][0], spans[last][1]), value
    return best


def spans(text: str, limit: int = 600) -> list[tuple[int, int]]:
    """The whole of `text` as parts for the index: clauses, and what lies between them.

    A part longer than `limit` is divided between sentences. No character is lost but blanks.
    """
    if len(text) <= limit:
        return [(0, len(text))] if text.strip() else []
    edges = sorted({0, len(text)} | {edge for c in cut(text) for edge in (c.start, c.end)})
    parts: list[tuple[int, int]] = []
    for start, end in pairwise(edges):
        parts += _divided(text, start, end, limit)
    return [(start, end) for start, end in parts if text[start:end].strip()]


def _divided(text: str, start: int, end: int, limit: int) -> list[tuple[int, int]]:
    if end - start <= limit:
        return [(start, end)]
    parts, opened = [], start
    for _, stop in sentences(text[start:end]):
        if start + stop - opened >= limit // 2:
            parts.append((opened, start + stop))
            opened = start + stop
    if opened < end:
        parts.append((opened, end))
    return parts
