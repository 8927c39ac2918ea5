"""Whether a clause is about what was asked: its scheme and its people, not only the asking. Pure.

`unheld(question, title, text, synonyms) -> float` is the share of what the question is about that
the clause does not name. Common words and words of asking say nothing of a subject, whatever policy
they stand in; what a clause wants to be brought along (持身份证) is not what it is about.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files

import jieba

from knowledge.speech import Synonyms

_COMMON = 5.0  # inverse document frequency (jieba's table) up to which a word is everybody's
_RARE = 12.0
_ACTS = frozenset(
    word
    for line in (
        "办理 申请 申领 申报 领取 发放 材料 资料 手续 流程 条件 要求 标准 时间 地点 地址 电话",
        "补贴 补助 资金 政策 规定 办法 措施 文件 咨询 查询 提交 提供 证明 证件 期限 金额 比例",
        "人员 部门 窗口 单位 网上 享受 报名 登记 缴纳 缴费 多少钱 去哪 最新 资格 对象 范围",
        "方式 内容 哪些 什么样 怎么样",
    )
    for word in line.split()
)
"""What one can do with, or ask of, any policy."""
_HOW_MANY = re.compile("几(?!何)|哪|多少|多久|多长")  # 几天, 哪里: asked for, never the subject
_PAPERS = re.compile(r"(?:持|凭|携带|带上|提交|提供|出示|填写|上传)[^，。；]*")
_GROUPS = tuple(
    re.compile(one)
    for one in (
        "毕业生|大学生|应届生",
        "灵活就业人员|自由职业",
        "退役军人|退伍|退役士兵|转业",
        "残疾",
        "农民工|务工人员|进城务工",
        "失业人员|下岗|失业的",
        "个体工商户|个体户",
        "老年人|老人|高龄",
        "妇女|女职工|孕产妇",
        "农牧民|农民|牧民|农户|种粮",
        "企业|公司",
        "低保|特困|困难群众|困难家庭",
        "骑手|外卖员|新就业形态|网约车",
        "消费者|市民",
        "在校生|中小学生|学生家长|幼儿",
    )
)

PLACES = re.compile(
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海"
    "|内蒙古|广西|西藏|宁夏|新疆|香港|澳门|台湾|广州|深圳|成都|杭州|南京|武汉|西安|苏州|郑州|长沙|沈阳|青岛|济南|大连|合肥|福州|厦门|昆明|太原|南昌|贵阳"
    "|南宁|兰州|海口|银川|西宁|拉萨|乌鲁木齐|石家庄|哈尔滨|长春|呼和浩特|包头|鄂尔多斯|赤峰|通辽|呼伦贝尔|乌兰察布|锡林郭勒|巴彦淖尔|乌海|阿拉善|兴安盟"
)


def unheld(question: str, title: str, text: str, synonyms: Synonyms) -> float:
    """0..1: how much of its subject the clause does not name; 0 for a question without one."""
    words = _words(question, synonyms)
    whole = sum(weight for _, weight in words)
    if whole <= 0:
        return 0.0
    said = f"{title}\n{_PAPERS.sub('', text)}".lower()
    return sum(weight for word, weight in words if not named(word, said, synonyms)) / whole


def other_people(question: str, title: str, text: str) -> bool:
    """Whether the question names people, and the clause only others."""
    asked = [one for one in _GROUPS if one.search(question)]
    clause = f"{title}\n{text}"
    if not asked or any(one.search(clause) for one in asked):
        return False
    return any(one.search(clause) for one in _GROUPS)


def other_place(question: str, title: str, text: str) -> bool:
    """Whether the question names a place, and the clause or its title only others."""
    asked = set(PLACES.findall(question))
    there = set(PLACES.findall(f"{title}\n{text}"))
    return bool(asked and there) and not asked & there


@lru_cache(maxsize=256)
def _words(question: str, synonyms: Synonyms) -> tuple[tuple[str, float], ...]:
    found = {}
    for word in jieba.cut(question.lower()):
        if len(word) < 2 or word in _ACTS or word in synonyms.asking or _HOW_MANY.match(word):
            continue
        weight = min(_rarity(word, _RARE if len(word) > 2 else 0.0), _RARE) - _COMMON
        if weight > 0:
            found[word] = weight
    return tuple(found.items())


def _rarity(word: str, unknown: float) -> float:
    held, begin = _rarities().get(word[0], bytearray()), f"\n{word} ".encode()
    at = held.find(begin)
    return unknown if at < 0 else float(held[at + len(begin) : held.index(b"\n", at + 1)])


@cache
def _rarities() -> Mapping[str, bytearray]:
    """jieba's table by the first character of its words, read at the first question.

    As lines it takes a fifth of the room of jieba.analyse, which also loads what tags words.
    """
    found: dict[str, bytearray] = {}
    with files("jieba").joinpath("analyse/idf.txt").open(encoding="utf-8") as table:
        for line in table:
            found.setdefault(line[0], bytearray(b"\n")).extend(f"{line.strip()}\n".encode())
    return found


def named(word: str, said: str, synonyms: Synonyms) -> bool:
    """Whether a text names this, in its own words or in those of a policy."""
    others = [
        written
        for spoken, listed in synonyms.written.items()
        if spoken in word or word in spoken
        for written in listed
    ]
    if word in said or any(other in said for other in others):
        return True
    held = [word[at : at + 2] in said for at in range(len(word) - 1)]
    return len(word) > 2 and 2 * sum(held) >= len(held)
