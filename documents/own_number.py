"""The number a document bears itself (文号), by where it stands. Pure.

One it cites, builds on or ends is another's: those stand inside of sentences and titles.
"""

import re
from collections.abc import Sequence

_YEAR = r"[〔\[（(【﹝〖]((?:19|20)\d{2})[〕\]）)】﹞〗]"
_BRACKETED = rf"[\u4e00-\u9fff]{{1,14}}{_YEAR}\s?第?0*([1-9]\d{{0,4}})\s?号"
_ALONE = re.compile(
    rf"(?:(?:发文字号|文\s?号|发文号)[：:]\s*)?[（(]?(?P<name>{_BRACKETED})[）)]?"
    # A paper of two bodies has two numbers; it is known by the first.
    rf"(?:[ 、，,\u3000]{{1,4}}{_BRACKETED}[）)]?){{0,4}}"
    r"(?:\s*签发人.*|\s*(?:19|20)\d{2}[年-].*|\s*各.{2,80}[：:])?"
)
_BEHIND = re.compile(rf"[（(](?P<name>{_BRACKETED})[）)]$")
ORDER = re.compile(
    r"(?:(?P<who>[\u4e00-\u9fff 、]{2,40}?)?(?P<kind>令|公告|通告)[（(]?)?"
    r"(?P<year>(?:19|20)\d{2}年)?第?\s?0*(?P<number>[1-9]\d{0,4})\s?号[）)]?"
)
ORDER_HEAD = re.compile(r"[\u4e00-\u9fff 、]{2,60}(?:令|公告|通告)")
_CITES = re.compile("根据|依据|按照|依照|遵照|参照|执行|转发|废止")
_CALLS = re.compile("各|以下|下列|如下")
_STOPS = re.compile("[。；]")
_LONG = 60  # signs, from which on a line is a sentence
_HEAD = 30  # lines


def own_number(lines: Sequence[str], title: str) -> str:
    """The number on a line of its own at the head, else behind the title; empty for none."""
    title, behind = number_behind(title)
    for at, line in enumerate([] if behind else lines[:_HEAD]):
        if found := _named(line):
            return found
        if _begun(line):
            break
        if order := _order(lines, at):
            return order
    return _named(behind) or _order([title], 0)


def number_behind(title: str) -> tuple[str, str]:
    """A title without the number in brackets at its end, and that number."""
    found = _BEHIND.search(title)
    return (title[: found.start()].rstrip(), found["name"]) if found else (title, "")


def is_own_number(line: str) -> bool:
    """Whether a line is a number of a document and nothing else."""
    return _ALONE.fullmatch(line) is not None


def is_order_number(line: str) -> bool:
    """Whether a line is the number of an order that the line above names."""
    found = ORDER.fullmatch(line)
    return found is not None and found["who"] is None


def _begun(line: str) -> bool:
    """Whether the text begins: below its first sentence, and below whom it is sent to, only others
    are named.
    """
    if line.endswith(("。", "；")) or (len(line) >= _LONG and _STOPS.search(line)):
        return True
    return line.endswith(("：", ":")) and (len(line) > _LONG or _CALLS.search(line) is not None)


def _named(line: str) -> str:
    found = _ALONE.fullmatch(re.sub(r"\s+(?=[〔\[（(【\d号])", "", line))
    if found is None or _CITES.match(found["name"]):
        return ""
    name = re.match(r"[\u4e00-\u9fff]+", found["name"])
    what = name[0] if name else ""
    # An order keeps the 第 of its number: 政府令〔2010〕第15号.
    return f"{what}〔{found[2]}〕{'第' if what.endswith('令') else ''}{int(found[3])}号"


def _order(lines: Sequence[str], at: int) -> str:
    """The number of an order or announcement: 某县人民政府令第12号, …公告2026年第27号."""
    found = ORDER.fullmatch(lines[at])
    if found is None:
        return ""
    year, number = found["year"] or "", found["number"]
    if found["kind"]:
        return f"{(found['who'] or '').strip()}{found['kind']}{year}第{number}号"
    above = lines[at - 1] if at else ""
    if ORDER_HEAD.fullmatch(above):
        return f"{above.strip()}{year}第{number}号"
    return f"{year}第{number}号" if year and at <= 3 else ""
