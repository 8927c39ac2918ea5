"""Five-year plans, quarters and halves of a year against the years and months beside them."""

import re
from collections.abc import Iterator

from gates.finding import Context, Finding, Ground

_NAMES = {f"十{number}五": 2006 + 5 * at for at, number in enumerate("一二三四五六")}
_PLAN = r"[“\"]?(十[一二三四五六]五)[”\"]?"
_FIRST, _LAST = "开局|起步|第一|首", "收官|最后一|收尾"
_YEAR = re.compile(
    rf"((?:19|20)\d\d)年?(?:既?是|为|作为|系)[^，。；\d“”\"]{{0,6}}{_PLAN}(?:规划|时期|期间)?(?:的|实施的|规划实施的)?"
    rf"({_FIRST}|{_LAST})(?:之)?年"
)
_SPAN = re.compile(
    rf"{_PLAN}(?:时期|期间|规划)?[（(]((?:19|20)\d\d)年?(?:-|—{{1,2}}|－|～|~|至|到)((?:19|20)\d\d)年?[）)]"
)
_PARTS = {"一季度": 1, "二季度": 4, "三季度": 7, "四季度": 10, "上半年": 1, "下半年": 7}
_PART = re.compile(
    r"([一二三四]季度|[上下]半年)[（(](\d{1,2})月?(?:-|—{1,2}|－|～|~|至|到)(\d{1,2})月(?:份)?[）)]"
)
_WRONG = Ground(
    "wording", "wording.plan-years", "warn", "年份与五年规划的起止不符，请核对",
    "历次国民经济和社会发展五年规划纲要（“十一五”为2006年至2010年，以后每五年一期）",
)  # fmt: skip


_MONTHS = _WRONG._replace(
    rule="wording.quarter-months",
    reason="季度或者半年与括号里的月份不符，请核对",
    basis="《统计法》第六条：统计数据真实、准确",
)


def find_plans(ctx: Context) -> Iterator[Finding]:
    """Findings of one field."""
    text = ctx.dense.text
    for match in _PART.finditer(text):
        first = _PARTS[match[1]]
        last = first + (2 if match[1].endswith("季度") else 5)
        if (int(match[2]), int(match[3])) != (first, last):
            span = (match.start(2), match.end(3))
            yield ctx.mark_dense(span, _MONTHS, [f"{first}月至{last}"])
    if "五" not in text:
        return
    for match in _YEAR.finditer(text):
        year, began = int(match[1]), _NAMES[match[2]]
        right = began if re.fullmatch(_FIRST, match[3]) else began + 4
        if year != right:
            meant = [name for name, start in _NAMES.items() if year - start == right - began]
            yield ctx.mark_dense(match.span(2), _WRONG, meant)
    for match in _SPAN.finditer(text):
        began = _NAMES[match[1]]
        if (int(match[2]), int(match[3])) != (began, began + 4):
            yield ctx.mark_dense((match.start(2), match.end(3)), _WRONG, [f"{began}—{began + 4}"])
