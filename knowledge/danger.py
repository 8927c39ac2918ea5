"""Whether somebody is in danger now, in whatever words a citizen says it: one of ten classes.

`danger(text) -> str` is one of CLASSES, or "". A linear model over runs of one to three characters
reads the message as a whole, and of a long one each sentence and each few clauses; it was fitted to
sentences that are kept beside `scripts/build_danger.py`, which also makes `danger.npz`. What only
sounds like danger (a bill, a drill, money after a fire) is among those sentences as well, and is
left to the answers.
What is said in other letters is read by danger_abroad.py.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import opencc
from numpy.typing import NDArray

from knowledge.danger_abroad import danger_abroad

CLASSES = (
    "self_harm",
    "fire",
    "gas",
    "electric",
    "water",
    "illness",
    "home",
    "missing",
    "threat",
    "fraud",
)
MODEL = Path(__file__).parent / "danger.npz"
LONGEST = 3  # characters of a run
SURE = 0.42  # from which share of all classes of danger together a message is one
_SURE_OF_CLAUSES = {1: 0.9, 2: 0.88, 3: 0.88}  # of so many that were taken out of their story
_SURE_OF_LAST = 0.86  # of its last one, with which people say what they came for
_SURE_OF_SENTENCE = 0.7  # of a whole sentence: it says more than its clauses
_SHORT = 10  # signs up to which a message is read as a whole only
_NUMBER = re.compile(r"[\d零〇一二两三四五六七八九十百千万几]+")
_HAN = re.compile(r"[\u3400-\u9fff]|^\W*\d{3,5}\W*$")  # or a number somebody calls for help
_REST = re.compile(r"[^\w]+")
_STOPS = re.compile(r"(?<=[。！？!?；;\n])")
_BY = (
    "公司|单位|学校|大学|学院|工厂|厂里|厂子|老板|领导|法院|银行|社区|村里|旗里|县里|企业|店里|饭店|工地|"
    "医院|保险公司|平台|中介|人社局|政府|用人单位|原单位|老师|系统|幼儿园|高中|职高|交警|城管|税务局"
)
_WHO = "儿子|女儿|孩子|老公|老婆|妈妈?|爸爸?|弟弟?|妹妹?|哥哥?|姐姐?|对象|朋友|同事"
_DEEDS = (
    "录取|录用|聘用|聘任|返聘|聘上|提拔|晋升|提名|表扬|表彰|评为先进|评上|选中|选上|抽中|保送|调剂|邀请|推荐|"
    "批准|认定|通过|接收|分配|分流|安排|派遣|借调|调走|调岗|转岗|辞退|开除|裁员|裁|裁掉|裁撤|优化|优化掉|解雇|"
    "解聘|炒鱿鱼|炒|劝退|除名|清退|退档|退回|淘汰|刷|刷掉|刷下来|降薪|降级|降职|停职|停岗|停薪|停保|断保|"
    "拒签|拒保|拒绝|拒|驳回|扣分|罚款|处罚|扣工资|拖欠工资|欠薪|起诉|限高|限制高消费|列入失信名单|"
    "封号|拉黑|征地|取消|取消资格|取消低保|遗漏|漏掉|漏发|点名"
)
_HARMLESS = re.compile(
    r"那?算了[吧呀]?|我?(?:都|也|真的?)?(?:不知道|不清楚|不明白|不太懂)[啊呀]?|"
    r"我?(?:已经|都)?(?:知道|明白|懂|清楚)了|我?(?:等不了|等不及)了?|"
    r"我?(?:就|先|也|再也)?不(?:办|问|去|领|交|等|用|需要|要|买|租|申请|报名|报|参加|看|订|说|聊)"
    r"了(?:谢谢)?|"
    r"我?不想(?:交(?:社保|医保)?|办|等|看|领|申请)了?|"
    rf"(?:请问|你好|您好)?(?:我们?|俺|本人|咱)?(?:家?的?(?:{_WHO}))?(?:今天|昨天|前天|上周|上个?月|今年|去年|刚刚?|已经|都|又|也|"
    rf"突然|无故|无缘无故|莫名其妙)*被(?:{_BY})*(?:给|无故|突然|违法|强制)?(?:{_DEEDS})了?"
    r"(?:怎么办|咋办|该怎么办|咋整)?(?:呀|啊|吗|呢)?"
    rf"|(?:{_BY})(?:无故|突然|要|想)*把我(?:给|们)?(?:{_DEEDS})了?(?:怎么办|咋办)?"
)
"""A courtesy, or a decision of an office, a school or an employer; the model knows 我被…了 and
我不…了 only of those in danger.
"""
_PLAINLY = (
    (
        re.compile(
            "生不如死|一死了之|(?:想|不如|要|真)一了百了|(?<![烦累吵困])死了(?:算了|干净)|死路一条"
            "|下辈子再(?:见|报答)|来世再(?:见|报答)"
        ),
        "self_harm",
    ),
    (re.compile("被(?:传销|骗子|坏人)(?:组织|团伙)?(?:控制|关着|关起来|困)"), "threat"),
    (re.compile("(?:吃|喝|误食|误喝).{1,6}中毒了?$"), "illness"),
)
"""What says it in words the model was fitted to too little."""
_TOLD = re.compile(
    "小说|电视|电影|歌|游戏|新闻|书|案例|去年|前年|以前|当年|如何|怎么(?:赔|报销|认定|预防)|政策|报销|[吗呢]"
)
"""What makes of such words a tale or a question."""
_ENDS = re.compile(r"(?<=[。！？!?；;\n])|(?<=[，,、 ])(?=\S{4})")

Keys = NDArray[np.uint32]


def danger(text: str, bar: float = 1.0) -> str:
    """The class of danger somebody speaks of, or an empty text; `bar` below 1 hears more."""
    if abroad := danger_abroad(text):
        return abroad
    if not _HAN.search(text):
        return ""
    if not _TOLD.search(text) and (plainly := _plainly(text)):
        return plainly
    heard = _heard(text, bar)
    rest = _without_harmless(text) if heard else text
    return heard if rest == text else _heard(rest, bar)


def _plainly(text: str) -> str:
    return next((kind for words, kind in _PLAINLY if words.search(text)), "")


def _heard(text: str, bar: float) -> str:
    for part, sure in _parts(text):
        shares = model().shares(part)
        if shares.sum() > sure * bar:
            return CLASSES[int(shares.argmax())]
    return ""


def _without_harmless(text: str) -> str:
    """Without clauses that say no more than a decision (我被录取了) or a courtesy (我知道了)."""
    clauses = [one for one in _ENDS.split(text) if one.strip()]
    said = [(one, _REST.sub("", one)) for one in clauses]
    return "".join(one for one, words in said if not _HARMLESS.fullmatch(words))


def _parts(text: str) -> Iterator[tuple[str, float]]:
    yield text, SURE
    if len(text) <= _SHORT:
        return
    clauses = [one for one in _ENDS.split(text) if one.strip()]
    for last in clauses[-1:]:
        yield last, _SURE_OF_LAST
    for together, sure in _SURE_OF_CLAUSES.items():
        for at in range(len(clauses) - together + 1):
            yield "".join(clauses[at : at + together]), sure
    for sentence in _STOPS.split(text):
        if len(sentence.strip()) > _SHORT:
            yield sentence, _SURE_OF_SENTENCE


class Model:
    """Keys of runs, sorted, with their weight for "no danger" and each class."""

    def __init__(self, keys: Keys, weights: NDArray[np.float32]) -> None:
        """`weights` has a row for each key and at last one for no key at all."""
        self._keys, self._weights = keys, weights

    def shares(self, text: str) -> NDArray[np.float32]:
        """How much speaks for each class, 0..1; what is left to 1 is for no danger."""
        found = np.fromiter(runs(text), np.uint32)
        place = np.searchsorted(self._keys, found)
        place[place == len(self._keys)] = 0
        place = place[self._keys[place] == found]
        told = self._weights[place].sum(axis=0) / np.sqrt(max(len(place), 1)) + self._weights[-1]
        shares = np.exp(told - told.max())
        return np.asarray(shares[1:] / shares.sum(), np.float32)


@cache
def model() -> Model:
    """The fitted model of the program."""
    with np.load(MODEL) as held:
        return Model(held["keys"], held["weights"].astype(np.float32))


def runs(text: str) -> set[int]:
    """A key for each run of one to LONGEST characters; a number is one sign, so are marks."""
    plain = _simplified().convert(unicodedata.normalize("NFKC", text).lower())
    said = f"^{_REST.sub('，', _NUMBER.sub('0', plain))}$"
    return {
        zlib.crc32(said[at : at + size].encode())
        for size in range(1, LONGEST + 1)
        for at in range(len(said) - size + 1)
    }


@cache
def _simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
