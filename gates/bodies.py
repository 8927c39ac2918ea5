"""Public bodies that ended, or whose name is miswritten, with the name of now."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import config
from gates.finding import Context, Finding, Ground

TABLE = Path(config.__file__).parent / "rules" / "bodies.tsv"
_REFORMS = "《国务院机构改革方案》（2018年）；《党和国家机构改革方案》（2023年）；现行机构名称"
# "原", "时任" and what is said of the change itself: the old name is right there.
_FORMER = re.compile(r"(?:原|时任|曾任|历任|前身|旧称|撤销|不再保留)[^，。；\n]{0,14}$")
_CHANGE = re.compile(
    r"更名|改名|改称|合并|整合|组建|不再保留|撤销|划入|划转|划归|职责|机构改革|前身|挂牌|成立于"
    r"|第\d{1,4}号令|令第\d|号公告|制定|联合发布|联合印发"
)
# 国家税务总局公告2026年第5号 bears the name of then; a body that 发布公告 is a body.
_NUMBERED = re.compile(r"[（(]?[\u4e00-\u9fff]{0,6}(?:令|公告)[（(〔]?(?:第|\d)|[〔\[]")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!年?(?:以来|至今|起))")
# Names of bodies of then that are no faults by themselves: beside them another is of then as well.
_THEN_TOO = re.compile(
    r"交通部(?!门)|国家计委|国家经贸委|外经贸部|粮食部|人事部(?!门)|劳动部(?!门)|国家农委|电监会|国务院体改办"
    r"|(?<!国家)(?:工商|质检|环保|食品药品监管|新闻出版)总局|中国铁路总公司|国家环保总局"
)
_CLOSE = re.compile("[）)]")
_REACH = 160
_POVERTY = re.compile(r"贫困|消费扶贫|扶贫(?![办开])|脱贫")
# What stands before a local body: a level, or nothing of its name.
_BEFORE = re.compile(
    r"(?:[省市县区旗盟州镇级局厅委院处办管]|(?:^|[^\u4e00-\u9fff])|[向到由往去对请经和与及同的、各该本我至为是照据]"
    r"|联系|咨询|有关|相关|当地|地方|各地|属地|本地|所在地)$"
)
_WITH_CULTURE = re.compile(r"文[化体广旅][\u4e00-\u9fff]{0,10}$")
# 农业部门, 建设部分, 卫生部位: no body; 农业部分别印发 and 旅游局位于 are.
_WORD_GOES_ON = re.compile(r"[门队署长]|(?<=部)(?:分(?![别管设批])|位(?!于)|件)|委员会|和草原|机关")


class Body(NamedTuple):
    """A name, its last day (None for a name that never was right) and the name of now."""

    name: str
    ended: date | None
    now: str


def _read(table: str) -> dict[str, Body]:
    bodies = {}
    for line in table.splitlines():
        name, ended, now = line.split("\t")
        bodies[name] = Body(name, date.fromisoformat(ended) if ended else None, now)
    return bodies


def _gapped(names: Sequence[str]) -> dict[str, Body]:
    """Long names with one character left out; 和 may be, as people shorten."""
    return {
        name[:at] + name[at + 1 :]: Body(name[:at] + name[at + 1 :], None, name)
        for name in names
        for at in range(1, len(name) - 1)
        if name[at] != "和" and name[:at] + name[at + 1 :] not in _OTHER_WORDS
    }


_OTHER_WORDS = {"市监督管理局", "国家市场监督管理局"}
_WHOLE = (
    "国务院国有资产监督管理委员会", "国家市场监督管理总局", "市场监督管理局",
    "人力资源和社会保障局", "人力资源和社会保障厅", "人力资源和社会保障部",
    "住房和城乡建设局", "住房和城乡建设厅", "住房和城乡建设部",
    "工业和信息化局", "工业和信息化厅", "工业和信息化部",
    "国家发展和改革委员会", "卫生健康委员会", "退役军人事务局", "国家金融监督管理总局",
    "国家林业和草原局", "国家粮食和物资储备局", "人民代表大会常务委员会",
    "中央纪律检查委员会", "中国人民政治协商会议", "综合行政执法局",
)  # fmt: skip
BODIES = _gapped(_WHOLE) | _read(TABLE.read_text(encoding="utf-8"))
_STATE = ("国家", "国务院", "中国", "全国")
# Names of now that hold an old one: 文化和旅游局 is no 旅游局 behind 和.
_RIGHT = {
    old: [now for body in BODIES.values() for now in body.now.split("、") if old in now]
    for old in BODIES
}
_NAMES = re.compile("|".join(sorted(map(re.escape, BODIES), key=len, reverse=True)))


def find_bodies(ctx: Context) -> Iterator[Finding]:
    """Findings of one field."""
    for match in _NAMES.finditer(ctx.dense.text):
        body = BODIES[match[0]]
        if ctx.titled(*match.span()) or ctx.only_mentioned(*match.span()):
            continue
        if body.ended is None:
            yield _told(ctx, match.span(), body, f"机构名称应为“{body.now}”")
        elif body.ended < ctx.as_of and not _of_then(ctx, match, body.ended):
            told = _told(ctx, match.span(), body, f"这个机构已经撤销，现为{body.now}")
            yield replace(told, severity="hint") if _among_its_like(ctx, match) else told


def _told(ctx: Context, span: tuple[int, int], body: Body, said: str) -> Finding:
    ground = Ground("policy", "policy.former-body", "warn", f"{said}，请核对", _REFORMS)
    return ctx.mark_dense(
        span, ground, [body.now] if "、" not in body.now else body.now.split("、")
    )


def _among_its_like(ctx: Context, match: re.Match[str]) -> bool:
    """Whether the sentence names several bodies of then: a list of that time, shown again."""
    begin, stop = ctx.sentence(*match.span())
    sentence = ctx.dense.text[begin:stop]
    if match[0].endswith("扶贫办") and _POVERTY.search(sentence):
        return True
    if not _of_state(match[0]):
        return False
    if _in_charge(ctx.dense.text, match):
        return True
    others = {one for one in _NAMES.findall(sentence) if BODIES[one].ended and _of_state(one)}
    ends = {BODIES[one].ended for one in others}
    return len(others) > 2 or len(ends) > 1 or bool(_THEN_TOO.search(sentence))


def _in_charge(text: str, match: re.Match[str]) -> bool:
    """（财政部、银保监会负责）: orders to ministries come from above and are printed as issued."""
    opened = max(text.rfind(mark, max(0, match.start() - _REACH), match.start()) for mark in "（(")
    closed = _CLOSE.search(text, match.end(), match.end() + _REACH)
    inside = text[opened + 1 : closed.start()] if opened >= 0 and closed else ""
    return "负责" in inside and not _CLOSE.search(inside)


def _of_state(name: str) -> bool:
    return name.startswith(_STATE) or name.endswith(("部", "银保监会", "扶贫办"))


def _of_then(ctx: Context, match: re.Match[str], ended: date) -> bool:
    """Whether the sentence speaks of the time in which the body was there."""
    text, (start, end) = ctx.dense.text, match.span()
    before = text[max(0, start - 20) : start]
    if _FORMER.search(before) or _WORD_GOES_ON.match(text, end):
        return True
    # 文化体育广电和旅游局 is a body of now that also holds the word 旅游局.
    if match[0].startswith("旅游") and _WITH_CULTURE.search(before):
        return True
    if not (match[0].startswith(_STATE) or _BEFORE.search(before)):
        return True
    if any(text.startswith(now, start - now.index(match[0])) for now in _RIGHT[match[0]]):
        return True
    if _NUMBERED.match(text, end):
        return True
    sentence = ctx.around(start, end)
    if _CHANGE.search(sentence) or ctx.of_then(ended):
        return True
    return max(map(int, _YEAR.findall(sentence)), default=9999) <= ended.year
