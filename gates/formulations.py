"""Fixed formulations: how many there are of what, and in which order they are named."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import config
from gates.finding import Context, Finding, Ground

TABLE = Path(config.__file__).parent / "rules" / "formulations.tsv"
_BASIS = "《中国共产党章程》（2022年修改）；党的二十大报告；党内法规和中央文件的固定表述"
_COUNT = "一二两三四五六七八九十"
_CLASSIFIERS = "个项种大条"
_ITEM = r"[\u4e00-\u9fff“”]{2,22}"
_LIST = re.compile(rf"{_ITEM}(?:、{_ITEM})+")
_TWO_PARTS = (
    # Formulations with two numbers: every form, and the one that is right.
    (re.compile(rf"([{_COUNT}])严([{_COUNT}])实"), "三严三实"),
    (re.compile(rf"([{_COUNT}])学([{_COUNT}])做"), "两学一做"),
    (re.compile(rf"([{_COUNT}])岗([{_COUNT}])责"), "一岗双责"),
    (re.compile(rf"([{_COUNT}])不([{_COUNT}])直"), "四不两直"),
    (re.compile(rf"([{_COUNT}])不愁([{_COUNT}])保障"), "两不愁三保障"),
    (re.compile(rf"([{_COUNT}])管([{_COUNT}])必须"), "三管三必须"),
    (re.compile(rf"([{_COUNT}])国([{_COUNT}])制(?![裁约度造订作定])"), "一国两制"),
    (re.compile(rf"([{_COUNT}])带([{_COUNT}])路"), "一带一路"),
    (re.compile(rf"([{_COUNT}])会([{_COUNT}])课"), "三会一课"),
    (re.compile(rf"([{_COUNT}])重([{_COUNT}])大(?=[”事决制问])"), "三重一大"),
)
# Where a noun is also said of other things: how the number and what is beside it must be.
_MEANT = {
    "项规定": re.compile("(?<=中央)|(?<=中央“)"),  # a province has rules of its own
    "个责任": re.compile(".个责任(?![人主单区田部书科])"),
    "个明确": re.compile("[六七九]"),  # a plan makes three or five things clear
}


class Formulation(NamedTuple):
    """How many (several numbers where the name grew), of what, beside which words, and what."""

    counts: tuple[str, ...]
    noun: str
    near: re.Pattern[str] | None
    members: tuple[str, ...]


def _read(table: str) -> list[Formulation]:
    rows = []
    for line in table.splitlines():
        counts, noun, near, members = line.split("\t")
        words = re.compile("|".join(map(re.escape, near.split()))) if near else None
        rows.append(Formulation(tuple(counts.split()), noun, words, tuple(members.split("、"))))
    return rows


FORMULATIONS = _read(TABLE.read_text(encoding="utf-8"))
_BY_NOUN = {
    noun: [one for one in FORMULATIONS if one.noun == noun]
    for noun in {one.noun for one in FORMULATIONS if one.noun}
}
_COUNTED = re.compile(
    rf"(?<![{_COUNT}\d第])([{_COUNT}])({'|'.join(sorted(_BY_NOUN, key=len, reverse=True))})"
)
# 四种意识, 两项维护: the right number beside the wrong classifier, in quotation marks.
_OTHER = {
    one.noun[1:]: one
    for one in FORMULATIONS
    if one.noun[:1] in _CLASSIFIERS and len(one.noun) > 2 and one.noun not in _MEANT
}
_NOUNS = "|".join(sorted(_OTHER, key=len, reverse=True))
_CLASSED = re.compile(rf"[“\"]([{_COUNT}])([{_CLASSIFIERS}类])({_NOUNS})[”\"]")
# “四个意思”: in quotation marks, with the right number, and one character off the noun.
_QUOTED = re.compile(rf"[“\"]([{_COUNT}])([{_CLASSIFIERS}][\u4e00-\u9fff]{{2,5}})[”\"]")
_BY_MEMBERS = {frozenset(one.members): one.members for one in FORMULATIONS if one.members[1:]}
_PARTS = frozenset(member for members in _BY_MEMBERS for member in members)


def find_formulations(ctx: Context) -> Iterator[Finding]:
    """Wrong numbers and a wrong order in one field."""
    text = ctx.dense.text
    for match in _COUNTED.finditer(text):
        yield from _counted(ctx, match)
    for match in _CLASSED.finditer(text):
        row = _OTHER[match[3]]
        known = match[2] + match[3] in _BY_NOUN
        near = row.near and row.near.search(ctx.around(*match.span()))
        if not known and near and match[1] in row.counts and _used(ctx, match):
            right = match[1] + row.noun
            span = (match.start(1), match.end(3))
            yield _told(ctx, span, f"固定提法是“{right}”", right)
    for match in _QUOTED.finditer(text):
        yield from _near_miss(ctx, match)
    for pattern, right in _TWO_PARTS:
        for match in pattern.finditer(text):
            if match[0] != right and _used(ctx, match):
                yield _told(ctx, match.span(), f"固定提法是“{right}”", right)
    for match in _LIST.finditer(text):
        yield from _ordered(ctx, match)


def _counted(ctx: Context, match: re.Match[str]) -> Iterator[Finding]:
    meant = _MEANT.get(match[2])
    if not _used(ctx, match) or (meant and not meant.match(ctx.dense.text, match.start())):
        return
    sentence = ctx.around(*match.span())
    alone = ctx.only_mentioned(*match.span()) and len(match[2]) > 1
    rows = [one for one in _BY_NOUN[match[2]] if one.near]
    beside = [one for one in rows if one.near and one.near.search(sentence)]
    known = beside or (rows if alone else [])
    if any(match[1] in one.counts for one in known):
        return
    # In quotation marks it is meant as the formulation; without them a word beside it tells.
    if known and (ctx.quoted(*match.span()) or len(match[2]) > 2):
        right = known[0].counts[0] + known[0].noun
        yield _told(ctx, match.span(), f"固定提法是“{right}”", right)


def _near_miss(ctx: Context, match: re.Match[str]) -> Iterator[Finding]:
    if match[2] in _BY_NOUN or not _used(ctx, match):
        return
    sentence = ctx.around(*match.span())
    rights = [
        one.counts[0] + one.noun
        for one in FORMULATIONS
        if match[1] in one.counts
        and one.near
        and one.near.search(sentence)
        and _one_off(match[2], one.noun)
        and match[1] + one.noun + "”" not in sentence
    ]
    if len(rights) == 1:
        yield _told(ctx, (match.start(1), match.end(2)), f"固定提法是“{rights[0]}”", rights[0])


def _one_off(said: str, noun: str) -> bool:
    if len(said) == len(noun):
        return sum(a != b for a, b in zip(noun[1:], said[1:], strict=True)) == 1
    return len(said) == len(noun) + 1 and said.startswith(noun)


def _used(ctx: Context, match: re.Match[str]) -> bool:
    return not ctx.titled(*match.span())


def _ordered(ctx: Context, match: re.Match[str]) -> Iterator[Finding]:
    """Members of one formulation, all of them, in another order than the fixed one."""
    items = match[0].split("、")
    if sum(item in _PARTS for item in items[1:-1]) < len(items) - 2:
        return
    # The first and the last may carry words before and behind them.
    first = next((part for part in _PARTS if items[0].endswith(part)), "")
    last = next((part for part in _PARTS if items[-1].startswith(part)), "")
    found = (first, *items[1:-1], last)
    right = _BY_MEMBERS.get(frozenset(found))
    if right and len(right) == len(found) and right != found:
        start = match.start() + len(items[0]) - len(first)
        said = "、".join(right)
        span = (start, start + len("、".join(found)))
        yield _told(ctx, span, f"固定的次序是“{said}”", said)


def _told(ctx: Context, span: tuple[int, int], said: str, right: str) -> Finding:
    ground = Ground("politics", "politics.formulation", "warn", f"{said}，请核对", _BASIS)
    return ctx.mark_dense(span, ground, [right])
