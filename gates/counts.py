"""How many points, places or parts are announced, and how many follow."""

import re
from collections.abc import Iterator

from gates.finding import Context, Finding, Ground
from gates.numbering import as_han, number_of

_HAN = "一二两三四五六七八九十"
_NUMBER = rf"([{_HAN}]{{1,2}}|\d{{1,2}})"
# 强调三点：一是…；二是…: the points follow in the same paragraph.
_POINTS = re.compile(
    rf"{_NUMBER}(?:点|个方面|方面|条|项|件事|个部分|个问题|个环节|个)”?(?:要求|意见|建议|措施|工作|任务|重点|原则)?[：:，,](?=一是|（一）|一、)([^\n]{{4,1500}})"
)
_POINT = re.compile(rf"(?:^|(?<=[；;。，,]))([{_HAN}]{{1,2}})是")
# 设3个服务点：甲镇、乙镇、丙镇: a plain list up to the stop.
_LIST = re.compile(
    rf"(?<![第近约余多超\d.—-]){_NUMBER}个(?:镇|乡|苏木|街道|社区|县|区|旗|村|嘎查|市|省|[\u4e00-\u9fff]{{0,4}}点|部门|单位|窗口|站点|[\u4e00-\u9fff]{{0,2}}学校|医院"
    r"|园区|企业|方面|环节|阶段|专班|工作组)"
    r"[：:]([\u4e00-\u9fff]{2,10}(?:、[\u4e00-\u9fff]{2,10})+)[。；;]"
)
# 以下三项材料：1.申请书；2.…: numbered by digits in the same line.
_NUMBERED = re.compile(
    rf"以下{_NUMBER}(?:项|种|类|份|个|条|方面)[\u4e00-\u9fff]{{0,6}}[：:](?=1[.．、])([^\n]{{4,800}})"
)
_DIGIT_MARK = re.compile(r"(?:^|(?<=[；;。，,、]))(\d{1,2})[.．、](?=[^\d\s])")
_MAY_LIST = re.compile("个[\u4e00-\u9fff]{1,8}[：:]")
_MORE = re.compile(r"[和与及]")
_OPEN = re.compile(r"[等其如]|以及|其中|分别|包括")
_WRONG = Ground(
    "wording", "wording.count", "warn", "所说的数目与后面列出的不符，请核对",
    "《党政机关公文处理工作条例》第十九条：内容、文字准确",
)  # fmt: skip


def find_counts(ctx: Context) -> Iterator[Finding]:
    """Findings of one field."""
    text = ctx.dense.text
    for match in _POINTS.finditer(text):
        said = [_value(one) for one in _POINT.findall(match[2])]
        # What goes on in the next paragraph, or begins anew, is not counted.
        runs = said == list(range(1, len(said) + 1))
        ends = len(said) > 1 and runs and not _goes_on(text, match.end(), len(said) + 1)
        if ends and _value(match[1]) != len(said):
            yield ctx.mark_dense(match.span(1), _WRONG, _written(match[1], len(said)))
    yield from _numbered(ctx)
    for match in _LIST.finditer(text) if _MAY_LIST.search(text) else ():
        least = match[2].count("、") + 1
        most = least + len(_MORE.findall(match[2]))
        if not _OPEN.search(match[2]) and not least <= _value(match[1]) <= most:
            yield ctx.mark_dense(match.span(1), _WRONG)


def _numbered(ctx: Context) -> Iterator[Finding]:
    for match in _NUMBERED.finditer(ctx.dense.text):
        said = [int(one) for one in _DIGIT_MARK.findall(match[2])]
        runs = len(said) > 1 and said == list(range(1, len(said) + 1))
        more = ctx.dense.text[match.end() + 1 : match.end() + 3].startswith(str(len(said) + 1))
        if runs and not more and _value(match[1]) != len(said):
            yield ctx.mark_dense(match.span(1), _WRONG, _written(match[1], len(said)))


def _goes_on(text: str, end: int, number: int) -> bool:
    return text[end : end + 1] == "\n" and text.startswith(f"{as_han(number)}是", end + 1)


def _value(number: str) -> int:
    return number_of(number.replace("两", "二"))


def _written(said: str, number: int) -> list[str]:
    if said.isdigit():
        return [str(number)]
    return ["两" if number == 2 else as_han(number)]
