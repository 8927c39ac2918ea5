"""Paragraphs that may be headings by their size, points that lie loose: put in order at the end."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from blocks.document import Block, Paragraph, Run
from blocks.grid import without_bold
from blocks.taken import LeftOut, Point, Titled, listed

_LONGEST_HEADING, _LARGER, _MUCH_LARGER = 60, 1.15, 1.3


@dataclass
class Loose:
    """A paragraph whose size may show later that it is a heading."""

    runs: tuple[Run, ...]
    size: float
    bold: bool
    length: int


def settled(
    out: Iterable[Block | Titled | Loose | Point], left_out: LeftOut
) -> Iterator[Block | Titled]:
    """Loose paragraphs as paragraphs or headings, points in their lists."""
    found = list(out)
    sizes = Counter[float]()
    for one in found:
        if isinstance(one, Loose) and one.size:
            sizes[one.size] += one.length
    usual = sizes.most_common(1)[0][0] if sizes else 0.0
    for is_point, some in groupby(found, key=lambda one: isinstance(one, Point)):
        if is_point:
            yield from listed((one for one in some if isinstance(one, Point)), left_out)
            continue
        for one in some:
            if isinstance(one, Loose):
                yield _titled(one, usual)
            elif not isinstance(one, Point):
                yield one


def _titled(one: Loose, usual: float) -> Paragraph | Titled:
    words = "".join(run.text for run in one.runs)
    fits = one.length <= _LONGEST_HEADING and "\n" not in words
    if usual and fits and not words.rstrip().endswith(("。", "；", "，", "：", ";", ",", ".")):
        times = one.size / usual
        if times >= _MUCH_LARGER or (times >= _LARGER and one.bold):
            return Titled(1 if times >= _MUCH_LARGER else 2, without_bold(one.runs))
    return Paragraph(runs=one.runs)


def heading_runs(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """A heading that is bold as a whole is so without saying it."""
    bold = all(run.bold for run in runs if run.text.strip())
    return without_bold(runs) if bold else runs
