"""Policy gate: every cited 文号 and 《title》 looked up in the library the office keeps."""

import re
from collections.abc import Iterator

from review_queue.gates.finding import Context, Finding, Ground, PolicyFact

_BASIS = "《优化营商环境条例》第六十四条；年度政务公开工作要点：集中公开和引用现行有效文件"
_OPEN, _CLOSE = "〔[［（(【﹝", "〕]］）)】﹞"
NUMBER = re.compile(
    rf"[\u4e00-\u9fff]{{2,12}}?[{re.escape(_OPEN)}]((?:19|20)\d\d)[{re.escape(_CLOSE)}]第?0*(\d{{1,5}})号"
)
_TITLE = re.compile(r"《([^《》\n]{6,100})》")
_ISSUED = re.compile(
    r"(?:通知|意见|办法|规定|条例|方案|细则|公告|决定|措施|规划|要点|规则|通告)(?:[（(].{1,8}[）)])?$"
)
_SPEAKS_OF_END = re.compile(r"废止|失效|停止执行|不再执行|修订|修改|已被|代替|替代")
_KEY = re.compile(r"([\u4e00-\u9fff]{1,12})\W((?:19|20)\d\d)\W第?0*(\d+)号?")
_LEAD = re.compile(
    r"^.*(?:根据|按照|依据|依照|贯彻|落实|执行|印发|转发|见|和|与|及|的|以|文件|通知)"
)


def number_key(number: str) -> str:
    """A 文号 whatever its brackets and zeros: 机关代字|year|number; empty when it is not one."""
    match = _KEY.search(number)
    return f"{match[1]}|{match[2]}|{match[3]}" if match else ""


def title_key(title: str) -> str:
    """A title whatever its marks and spaces."""
    return re.sub(r"[\s《》〈〉“”\"]", "", title)


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Look up numbers and titles; without a library there is nothing to say."""
    if not ctx.facts.knows_policies():
        return
    dense = ctx.dense.text
    for match in NUMBER.finditer(dense):
        if not _own_number(dense, *match.span()):
            span, fact = _look_up(ctx, match)
            yield from _tell(ctx, span, fact, "warn")
    for match in _TITLE.finditer(dense):
        if _ISSUED.search(match[1]):
            yield from _tell(ctx, match.span(), ctx.facts.policy(match[1], ctx.as_of), "hint")


def _own_number(dense: str, start: int, end: int) -> bool:
    """A number alone on its line is the document's own."""
    before = dense[dense.rfind("\n", 0, start) + 1 : start].strip()
    after = dense[end:].split("\n", 1)[0].strip()
    return not before and not after


def _look_up(ctx: Context, match: re.Match[str]) -> tuple[tuple[int, int], PolicyFact | None]:
    """The longest ending of the Han run before the bracket that the library knows, else a guess."""
    bracket = match.start(1) - 1
    for start in range(match.start(), bracket):
        fact = ctx.facts.policy(ctx.dense.text[start : match.end()], ctx.as_of)
        if fact is not None:
            return (start, match.end()), fact
    lead = _LEAD.match(ctx.dense.text[match.start() : bracket])
    start = match.start() + (lead.end() if lead and lead.end() < bracket - match.start() else 0)
    return (start, match.end()), None


def _tell(
    ctx: Context, span: tuple[int, int], fact: PolicyFact | None, unknown: str
) -> Iterator[Finding]:
    if fact is None:
        reason = "政策库中没有这份文件，请核对文号和标题，或先把文件录入政策库"
        severity = "warn" if unknown == "warn" else "hint"
        yield ctx.mark_dense(span, Ground("policy", "policy.unknown", severity, reason, _BASIS))  # type: ignore[arg-type]
        return
    ended = {"repealed": "已废止", "expired": "已失效"}.get(fact.status)
    if ended and not _SPEAKS_OF_END.search(ctx.around(*span)):
        follow = f"，现行文件为{fact.successor}" if fact.successor else "，请改引现行有效的文件"
        ground = Ground(
            "policy", f"policy.{fact.status}", "block", f"所引文件{ended}{follow}", _BASIS
        )
        yield ctx.mark_dense(span, ground, [fact.successor] if fact.successor else ())
    elif fact.status == "not_yet":
        ground = Ground(
            "policy", "policy.not-yet", "warn", "所引文件尚未施行，请写明施行日期", _BASIS
        )
        yield ctx.mark_dense(span, ground)
    elif fact.status == "amended":
        ground = Ground(
            "policy", "policy.amended", "hint", "所引文件已修改，请核对所引条款", _BASIS
        )
        yield ctx.mark_dense(span, ground)
