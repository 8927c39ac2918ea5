"""Policy gate: every cited 文号 and 《title》 looked up in the library the office keeps."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from documents.parts import Severity
from gates.bodies import find_bodies
from gates.finding import Context, Finding, Ground, PolicyFact
from gates.policies import deadlines, number_key, same_day, title_key

_BASIS = "《优化营商环境条例》第六十四条；年度政务公开工作要点：集中公开和引用现行有效文件"
_OPEN, _CLOSE = "〔[［（(【﹝", "〕]］）)】﹞"
NUMBER = re.compile(
    rf"[\u4e00-\u9fff]{{2,12}}?[{re.escape(_OPEN)}]((?:19|20)\d\d)[{re.escape(_CLOSE)}]第?0*(\d{{1,5}})号"
)
_TITLE = re.compile(r"《([^《》\n]{6,100})》")
_ISSUED = re.compile(
    r"(?:通知|意见|办法|规定|条例|方案|细则|公告|决定|措施|规划|要点|规则|通告)(?:[（(].{1,8}[）)])?$"
)
_REST_BLANK = re.compile(r"[^\S\n]*(?:\n|\Z)")
_SPEAKS_OF_END = re.compile(r"废止|失效|停止执行|不再执行|修订|修改|已被|代替|替代")
_LEAD = re.compile(
    r"^.*(?:根据|按照|依据|依照|贯彻|落实|执行|印发|转发|见|和|与|及|的|以|文件|通知)"
)


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Former bodies; numbers and titles looked up, of which nothing is said without a library."""
    yield from find_bodies(ctx)
    if not ctx.facts.knows_policies():
        return
    numbers = list(_numbers(ctx))
    titles = list(_titles(ctx))
    yield from _mismatched(ctx, titles, numbers)  # first: it says more than "unknown" does
    for cite in numbers:
        yield from _tell(ctx, cite, "warn")
    for cite in titles:
        yield from _tell(ctx, cite, "hint")
    yield from _dates(ctx, titles + numbers)


class _Cite(NamedTuple):
    """A cited number or title: its span in the dense text, as written, and what is known."""

    start: int
    end: int
    text: str
    fact: PolicyFact | None


def _numbers(ctx: Context) -> Iterator[_Cite]:
    dense = ctx.dense.text
    for match in NUMBER.finditer(dense):
        # What is published for the first time cannot be in the library yet.
        if not _own_number(dense, *match.span()):
            (start, end), fact = _look_up(ctx, match)
            yield _Cite(start, end, dense[start:end], fact)


def _titles(ctx: Context) -> Iterator[_Cite]:
    for match in _TITLE.finditer(ctx.dense.text):
        fact = ctx.facts.policy(match[1], ctx.as_of)
        # Book-title marks hold books and forms as well; only what looks like an issued paper is
        # looked up.
        if fact or _ISSUED.search(match[1]) or ctx.facts.nearest(match[1], ctx.as_of):
            yield _Cite(*match.span(), match[1], fact)


def _own_number(dense: str, start: int, end: int) -> bool:
    """A number alone on its line is the document's own."""
    while start and dense[start - 1] != "\n" and dense[start - 1].isspace():
        start -= 1
    begins = not start or dense[start - 1] == "\n"
    return begins and _REST_BLANK.match(dense, end) is not None


def _look_up(ctx: Context, match: re.Match[str]) -> tuple[tuple[int, int], PolicyFact | None]:
    """The longest ending of the Han run before the bracket that the library knows, else a guess."""
    bracket = match.start(1) - 1
    # Chinese has no spaces: 根据国办发 begins with a word that is not part of the number.
    for start in range(match.start(), bracket):
        fact = ctx.facts.policy(ctx.dense.text[start : match.end()], ctx.as_of)
        if fact is not None:
            return (start, match.end()), fact
    lead = _LEAD.match(ctx.dense.text[match.start() : bracket])
    start = match.start() + (lead.end() if lead and lead.end() < bracket - match.start() else 0)
    return (start, match.end()), None


def _ground(rule: str, severity: Severity, reason: str) -> Ground:
    return Ground("policy", f"policy.{rule}", severity, reason, _BASIS)


def _tell(ctx: Context, cite: _Cite, unknown: Severity) -> Iterator[Finding]:
    span, fact = (cite.start, cite.end), cite.fact
    if fact is None:
        yield _unknown(ctx, cite, unknown)
        return
    ended = {"repealed": "已废止", "expired": "已失效"}.get(fact.status)
    rule: str = fact.status
    if fact.status == "in_force" and fact.successor:
        ended, rule = "已被新文件代替", "superseded"
    if ended and not _SPEAKS_OF_END.search(ctx.around(*span)):
        follow = f"，现行文件为{fact.successor}" if fact.successor else "，请改引现行有效的文件"
        ground = _ground(rule, "block", f"所引文件{ended}{follow}")
        yield ctx.mark_dense(span, ground, _replacement(cite, fact.successor))
    elif fact.status == "not_yet":
        yield ctx.mark_dense(span, _ground("not-yet", "warn", "所引文件尚未施行，请写明施行日期"))
    elif fact.status == "amended":
        yield ctx.mark_dense(span, _ground("amended", "hint", "所引文件已修改，请核对所引条款"))


def _replacement(cite: _Cite, name: str) -> list[str]:
    """A number or title in place of the cited one, in title marks where it needs them."""
    if not name:
        return []
    return [name if number_key(name) else f"《{title_key(name)}》"]


def _unknown(ctx: Context, cite: _Cite, severity: Severity) -> Finding:
    near = ctx.facts.nearest(cite.text, ctx.as_of)
    span = (cite.start, cite.end)
    if near is None:
        reason = "政策库中没有这份文件，请核对文号和标题，或先把文件录入政策库"
        return ctx.mark_dense(span, _ground("unknown", severity, reason))
    name = near.doc_number if number_key(cite.text) else near.title
    reason = f"政策库中没有这份文件，最接近的是{_named(near)}，请核对是否写错"
    return ctx.mark_dense(span, _ground("mistyped", "warn", reason), _replacement(cite, name))


def _named(fact: PolicyFact) -> str:
    return f"《{title_key(fact.title)}》{f'（{fact.doc_number}）' if fact.doc_number else ''}"


_BETWEEN = re.compile(r"[（(\[【]?")


def _mismatched(ctx: Context, titles: list[_Cite], numbers: list[_Cite]) -> Iterator[Finding]:
    """《title》（number) where the library has another number for that title."""
    begins = {number.start: number for number in numbers}
    for title in titles:
        for number in filter(None, (begins.get(title.end), begins.get(title.end + 1))):
            if not _BETWEEN.fullmatch(ctx.dense.text[title.end : number.start]):
                continue
            known = title.fact or number.fact
            if known is None or title.fact == number.fact:
                continue
            if title.fact and title.fact.doc_number:
                span, right = (number.start, number.end), [title.fact.doc_number]
            elif number.fact and not title.fact:
                span, right = (title.start, title.end), [f"《{title_key(number.fact.title)}》"]
            else:
                continue
            reason = f"标题和文号不是同一份文件，政策库中为{_named(known)}"
            yield ctx.mark_dense(span, _ground("mismatch", "warn", reason), right)


_STARTS = re.compile(r"自((?:19|20)\d\d年\d{1,2}月\d{1,2}日)起(?:施行|实施|执行)")
_ENDS = re.compile(
    r"(?:有效期(?:限)?(?:截止)?(?:至|到)|(?:执行|施行|实施)(?:期限)?(?:至|到))"
    r"((?:19|20)\d\d年\d{1,2}月\d{1,2}日)"
)


def _dates(ctx: Context, cites: list[_Cite]) -> Iterator[Finding]:
    """Days of force in the sentence that cites, and last days for applying in the whole text."""
    for cite in cites:
        if cite.fact is None:
            continue
        begin, stop = ctx.sentence(cite.start, cite.end)
        said = ((_STARTS, cite.fact.starts, "施行日期"), (_ENDS, cite.fact.ends, "有效期"))
        for pattern, day, word in said:
            for match in pattern.finditer(ctx.dense.text, begin, stop):
                yield from _other_day(ctx, match.span(1), [_day_words(day)] if day else [], word)
    facts = {cite.fact.title: cite.fact for cite in cites if cite.fact and cite.fact.apply_by}
    # With two policies in one text nobody can tell whose last day is meant.
    if len(facts) == 1:
        ((_, fact),) = facts.items()
        for start, end, _ in deadlines(ctx.dense.text):
            yield from _other_day(ctx, (start, end), fact.apply_by, "申请截止日期")


def _day_words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _other_day(
    ctx: Context, span: tuple[int, int], known: Sequence[str], word: str
) -> Iterator[Finding]:
    """A day that is none of those the library has."""
    if known and not any(same_day(ctx.dense.text[slice(*span)], day) for day in known):
        reason = f"{word}与政策库不符，政策库中为{'、'.join(known)}"
        yield ctx.mark_dense(span, _ground("date", "warn", reason), known)
