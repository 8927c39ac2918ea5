"""The clause of the same policy that answers what is asked further of it. Pure.

`further(on, clauses) -> Further | None`: 那需要什么材料, after a clause on the loan was
quoted, is answered by the clause of that policy that names papers; 我是退伍军人呢 by the one that
names them. None when no clause of it does: then the whole library is asked.
"""

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import NamedTuple

from knowledge.answering import Hit, content
from knowledge.same_question import ACTS, meaning
from knowledge.search import wanted_in
from knowledge.speech import Speech, starting_speech
from knowledge.subject import named, other_people, unheld
from knowledge.validity import CITABLE

_MOST_UNHELD = 0.5  # share of the matter that a clause may leave unnamed
_LONGEST = 24  # characters of what adds to the question before it
_LIGHT = frozenset(
    word
    for line in (
        "钱 元 块 最高 最多 最低 最少 一共 总共 大概 一般 都 天 个月 年",
        "办好 办完 办下来 批下来 批 下来 到账 到手 发",
        "能办 能领 要办 办理 申请 能 带 交 拿 准备 提供 提交 具体 详细 还要 还需",
    )
    for word in line.split()
)
"""Words of asking on that name no matter."""
_WHERE_FROM = frozenset(["农村", "外地", "本地", "城镇", "城市", "农业", "外省", "外县", "外市"])
_OPENING = 14  # characters in which a clause says what it is about
_CIRCUMSTANCE = re.compile(
    r".{2,}(?:呢|吗|行不行|可不可以|能不能[领办申]?|怎么办|怎么算|咋办|咋算)$"
)
_OF_THEMSELVES = re.compile(
    r"^那?(?:如果|要是|假如)?(?:我们?|本人|他|她|家里|家人|孩子|老人)|^那?(?:如果|要是|假如|没有?|不是)"
)
_WIDE = re.compile(r"若干|措施|意见|要点|规划|方案|计划|条例|报告")
"""Titles of what holds several schemes: there a clause must name the one that was asked about."""


@dataclass(frozen=True)
class _Kind:
    """What may be wanted: how it is asked, how a clause begins that is on it, how it is said."""

    asked: re.Pattern[str]
    opening: re.Pattern[str]
    said: re.Pattern[str]


_NUMBER = r"(?:\d[\d.,]*|[一二三四五六七八九十百两]+)"
_KINDS = tuple(
    _Kind(
        re.compile(one[0]),
        re.compile(rf"(?:{one[1]})[^，：。]{{0,4}}(?:[：，]|为|是|按)"),
        re.compile(one[2]),
    )
    for one in (  # the first that is asked counts
        (
            r"电话|号码|热线",
            r"电话|咨询",
            r"\d{3,4}[-－—]\d{7,8}|(?<!\d)\d{7,11}(?!\d)|12\d{3}|96\d{3}",
        ),
        (
            r"材料|资料|证件|手续|带什么|带哪些|什么东西",
            r"材料|资料|手续|证件",
            r"材料|证件|身份证|复印件|申请表|证明|户口[簿本]|登记表|执照|[凭持]|提交|上传|毕业证|合同",
        ),
        (
            r"哪里|哪儿|在哪|去哪|到哪|地点|地址|什么地方|窗口",
            r"地点|地址|窗口|渠道|方式",
            r"窗口|大厅|中心|地址|社区|街道|苏木|乡镇|嘎查|网站|平台|小程序|公众号|app|现场|登录"
            r"|向[^，。；]{2,20}(?:部门|机构|局|所|银行)",
        ),
        (
            r"几天|几个工作日|多久能?[办批审到发下]|多长时间[办批审到发下]|什么时候[能会]?[批到发下]",
            r"时限|审核|发放|办理期限",
            rf"{_NUMBER}个?工作日|{_NUMBER}[日天]内|次月|按[月季年]|当日|当场",
        ),
        (
            r"什么时候|几时|何时|多久|多长|哪天|几号|截止|期限|时限|[几多少]+天|[几多少]+个月|[几多少]+年",
            r"时间|期限|时限|能领多久",
            rf"{_NUMBER}(?:个工作日|个月|日内|天|年)|\d月|截止|有效期|常年|全年|次月|每月|每年",
        ),
        (
            r"多少|几[元块钱万]|金额|额度|标准",
            r"标准|金额|额度|待遇",
            rf"{_NUMBER}(?:余|多)?(?:元|万元|亿元|%|％)|百分之{_NUMBER}|免费|不收",
        ),
        (
            r"谁能|谁可以|哪些人|什么人|对象|条件|资格",
            r"对象|条件|范围|资格",
            r"对象|符合|条件|以上|人员|毕业|年龄|登记|可以申[请领]|的，可",
        ),
        (
            r"怎么|如何|怎样|流程|程序|步骤|咋|申请|办理|领取",
            r"流程|程序|方式|步骤|申请|领取|申领",
            r"申请|申领|领取|抵扣|办理|报名|填写|提交|登录|网上|小程序|窗口|受理",
        ),
    )
)


@dataclass(frozen=True)
class On:
    """What is asked on: the question `before`, the clause quoted `last` for it, and the `words`."""

    before: str
    last: str
    words: str


_WHO = next(one for one in _KINDS if one.asked.match("条件"))


class Beside(NamedTuple):
    """A clause of the policy that was quoted, with the heading it stands under."""

    heading: str
    hit: Hit


class Further(NamedTuple):
    """Clauses of one policy, the best first; `sure` when the first of them says it."""

    hits: Sequence[Hit]
    sure: bool


def further(on: On, clauses: Sequence[Beside], speech: Speech | None = None) -> Further | None:
    """What of these (one policy, in its order) answers the words that are asked on.

    Of somebody's own case that no clause names the conditions are not sure to answer. Without
    words it is the clause quoted last, or chosen.
    """
    said, bare = speech or starting_speech(), _bare(on.words)
    ours = [one for one in clauses if one.hit.validity in CITABLE]
    last = next((one.hit for one in ours if one.hit.key == on.last), None)
    if last is None or len(bare) > _LONGEST:
        return None
    if not bare:
        return Further([last], sure=True)
    words = _own(bare, said)
    if own := {word for word in words if word not in on.before}:
        return _of_case(own, on, ours, said) if _CIRCUMSTANCE.match(bare) else None
    if words:  # a part of the matter (消费券在哪领), and no other
        on = replace(on, before=" ".join(sorted(words)))
    kind = next((one for one in _KINDS if one.asked.search(bare)), None)
    found = _saying(kind, on, ours, said) if kind is not None else []
    return Further(found[:1], sure=True) if found else None


def _of_case(own: Set[str], on: On, clauses: Sequence[Beside], speech: Speech) -> Further | None:
    if (naming := _naming(own, clauses, speech)) is not None:
        return Further([naming], sure=True)
    if not _OF_THEMSELVES.match(_bare(on.words)):
        return None
    found = _saying(_WHO, on, clauses, speech)
    return Further(found, sure=False) if found else None


def _saying(kind: _Kind, on: On, clauses: Sequence[Beside], speech: Speech) -> list[Hit]:
    """Those that say what is wanted of the matter asked about, the best first."""
    matter = [one for one in clauses if one.hit.key == on.last or _about(on.before, one, speech)]
    worth = [(_worth(kind, on, one, speech), one.hit) for one in matter]
    best = sorted(worth, key=lambda pair: -pair[0])
    return [hit for value, hit in best if value >= 1]


def _bare(words: str) -> str:
    return words.strip().rstrip("？?。.！!~ ").strip()


def _own(words: str, speech: Speech) -> frozenset[str]:
    """What is left beside the asking (需要什么材料, 多少钱, 在哪办): another matter, or a case."""
    for one in _KINDS:
        words = one.asked.sub(" ", words)
    return meaning(words, speech) - ACTS - _LIGHT


def _naming(own: Set[str], clauses: Sequence[Beside], speech: Speech) -> Hit | None:
    """The first clause that names all of what somebody says of themselves.

    Of a 户口 where it is says less than that a clause speaks of it: 不受户籍限制.
    """
    for words in (own, own - _WHERE_FROM):
        for one in clauses if words else ():
            text = f"{one.heading}\n{one.hit.text}".lower()
            if all(named(word, text, speech.synonyms) for word in words):
                return one.hit
    return None


def _about(before: str, one: Beside, speech: Speech) -> bool:
    """Whether a clause is on the scheme asked about before: many policies hold several."""
    title, text = f"{one.hit.title} {one.heading}", one.hit.text
    if other_people(before, title, text):
        return False
    if not _WIDE.search(one.hit.title):
        return True
    return unheld(content(before, speech), title, text, speech.synonyms) <= _MOST_UNHELD


def _worth(kind: _Kind, on: On, one: Beside, speech: Speech) -> float:
    """Below 1 for a clause that does not say what is wanted."""
    opening = f"{one.heading}：{one.hit.text[:_OPENING]}"
    there = len({found[0] for found in kind.said.finditer(one.hit.text.lower())})
    if not there:
        return 0.0
    telling = sum(wanted_in(on.before, on.before, speech.synonyms).values()) or 1.0
    covered = sum(wanted_in(on.before, one.hit.text, speech.synonyms).values()) / telling
    stays = 0.25 * (one.hit.key == on.last)
    return 1 + 2 * bool(kind.opening.search(opening)) + 0.4 * min(there, 3) + covered + stays
