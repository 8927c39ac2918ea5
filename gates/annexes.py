"""Numbers of annexes: one that a text never names between those it does."""

import re
from collections.abc import Iterator

from gates.finding import Context, Finding, Ground
from gates.numbering import JUMP, NUMBERS, as_han, judged, marks_in, number_of

_NUMBER = "(?:\\d{1,2}|十?[一二三四五六七八九]|十)"
_JOINT = r"[ ]?(?:[、,，和与及]|[-—－~～至到]{1,2})[ ]?"
# 附件1, 附件1至3, 附表一、二; not 附件10万字, 附件1.5.
_NAMED = re.compile(
    rf"附([件表图])[ \t\u3000]?({_NUMBER})((?:{_JOINT}(?:附[件表图])?{_NUMBER})*)"
    r"(?![\d%％年月日号份个页项条款张种类]|[.．]\d)"
)
_STEP = re.compile(rf"({_JOINT})(?:附[件表图])?({_NUMBER})")
_SPAN = re.compile(r"[-—－~～至到]")
# 附件：1.申请表 2.承诺书, and the lines below it.
_LIST = re.compile(r"附件[：:]\s{0,3}1[.．、]")
_ITEM = re.compile(r"(?:^|[\s：:；;])(\d{1,2})[.．、](?!\d)")
_HEADINGS = re.compile(r"^[ \t\u3000]*附件(\d{1,2})", re.MULTILINE)
_MOST = 20


def find_annexes(ctx: Context, text: str) -> Iterator[Finding]:
    """Gaps in the annexes that one field names, each kind of them (件, 表, 图) for itself."""
    if "附" not in text:
        return
    told = list(judged(ctx, marks_in(text, _HEADINGS), from_one=True))
    yield from told
    if told:
        return
    named: dict[str, dict[int, tuple[int, int]]] = {}
    for match in _NAMED.finditer(text):
        if not ctx.titled(*match.span()):
            places = named.setdefault(match[1], {})
            for number, span in _numbers(match):
                places.setdefault(number, span)
    listed = _listed(text)
    for kind, places in named.items():
        known = set(places) | (listed if kind == "件" else set())
        for number in sorted(places):
            # A text that begins with another number cites the annexes of another paper.
            if number - 1 in known or number <= 1 or 1 not in places or number > _MOST:
                continue
            span = places[number]
            write = str if text[span[0]].isascii() else as_han
            missing = write(number - 1)
            said = f"附{kind}序号不连续，缺“附{kind}{missing}”"
            yield ctx.mark(span, Ground("wording", JUMP, "warn", said, NUMBERS), [missing])
            break


def _numbers(match: re.Match[str]) -> Iterator[tuple[int, tuple[int, int]]]:
    """Each number that is named, those within a span too, and where."""
    last = number_of(match[2])
    yield last, match.span(2)
    for step in _STEP.finditer(match.string, *match.span(3)):
        number = number_of(step[2])
        between = range(last + 1, min(number, _MOST)) if _SPAN.search(step[1]) else ()
        yield from ((each, step.span(2)) for each in (*between, number))
        last = number


def _listed(text: str) -> set[int]:
    found = _LIST.search(text)
    return {int(one[1]) for one in _ITEM.finditer(text, found.start())} if found else set()
