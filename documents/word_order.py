"""Parts of a Word document put in order: captions, lists, lines of a quote."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from blocks.document import Block, Paragraph, Picture, Quote, Run
from blocks.taken import LeftOut, Point, Titled, listed

_LONGEST = 300


class Caption(NamedTuple):
    """Words under a picture."""

    runs: tuple[Run, ...]


def captioned(parts: list[Any]) -> list[Any]:
    """Captions at the picture before them; others are paragraphs."""
    found: list[Any] = []
    for one in parts:
        if not isinstance(one, Caption):
            found.append(one)
            continue
        words = " ".join("".join(run.text for run in one.runs).split())
        last = found[-1] if found else None
        if isinstance(last, Picture) and not last.caption and len(words) <= _LONGEST:
            found[-1] = last.model_copy(update={"caption": words})
        else:
            found.append(Paragraph(runs=one.runs))
    return found


def gathered(parts: list[Any], left_out: LeftOut) -> Iterator[Block | Titled]:
    """Points in their lists, lines of a quote in one."""
    for kind, some in groupby(parts, key=lambda one: type(one).__name__):
        same = list(some)
        if kind == "Point":
            yield from listed(same, left_out)
        elif kind == "Quote":
            runs = [run for one in same for run in (Run(text="\n"), *one.runs)]
            yield Quote(runs=tuple(runs[1:]))
        else:
            yield from same


def words_of(one: Any) -> list[Run]:
    """The words of a block that stands where only words can."""
    if isinstance(one, Point):
        mark = one.mark or (f"{one.number}. " if one.number is not None else "• ")
        return [Run(text=mark), *one.runs]
    if hasattr(one, "rows"):
        cells = [cell for row in one.rows for cell in row.cells]
        return [run for cell in cells for run in (*cell.runs, Run(text=" "))]
    return list(getattr(one, "runs", ()))


def stripped(runs: tuple[Run, ...]) -> tuple[Run, ...]:
    """Without the spaces at both ends that only move the words."""
    listed_ = [run.text for run in runs]
    while listed_ and not listed_[0].strip():
        listed_.pop(0)
        runs = runs[1:]
    while listed_ and not listed_[-1].strip():
        listed_.pop()
        runs = runs[:-1]
    if not listed_:
        return ()
    listed_[0] = listed_[0].lstrip()
    listed_[-1] = listed_[-1].rstrip()
    return tuple(
        run.model_copy(update={"text": text}) for run, text in zip(runs, listed_, strict=True)
    )
