"""Words of withdrawal: whether somebody says that they want nothing more, of what, and until when.

Pure. A message is brought to one spelling and cut into clauses, a clause into the words below by
longest match; what is in no list and names no facet is a stranger. Only clauses without strangers
are believed, so 不要发票 and 取消婚姻登记 are nobody's withdrawal. A clause withdraws by one of
three forms: a word that means leaving (退订), something cut off with its object (关掉推送), or a
refusal of what we do (别再给我发了). A refusal of the cutting itself (不要停), a report
(他说, 已经) and a question withdraw nothing; who asks how is shown the list with its buttons.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from facets.taxonomy import Facet, Taxonomy
from gates.normalise import normalise
from handlers.days import day_meant, names_feast, says_feast_days, without_days
from handlers.leaving_words import CONSENT, GRAVE, LISTS
from handlers.rhythms import LESS
from handlers.spelling import mended
from handlers.wishes_words import PAID

LONGEST = 60
"""Signs of a message that is looked at: what is longer tells a story."""

_RHYTHM = re.compile(
    r"[一每]个?(?:天|日|周|星期|礼拜|月|季度|年)(?:给我)?(?:推送?|发)?一[次回趟遍]"
    r"|改[成为到]?[每一](?:天|日|周|星期|礼拜)"
)
"""How often is no day, and who says it wants to go on: 别每天发了，一周一次."""
_CONSENT = re.compile(CONSENT)
_GRAVE = re.compile(GRAVE)
_EXCEPT = re.compile(
    "除了|除外|以外|之外|只留|只保留|只要|保留|留着|留下"
    "|(?:不感兴趣|没兴趣|没用|无关|不相关|不喜欢|用不上)的(?=[就都别]|不[要用]|消息|内容)"
)
"""What is to stay beside what is to go: asked back, for nobody knows how much goes."""
_ANGRY = re.compile(
    r"(?:请?你们?)?(?:不要|不用|别|请勿)再?(?:来)?(?:联系|找)我(?:了|们|吧)*"
    r"|(?:我|本人)?(?:不再?|拒绝)(?:同意|接受)?(?:你们?的|新版?的?|这[个份]|最新的?)*(?:订阅)?"
    r"(?:告知|隐私政策|隐私条款|隐私协议|用户协议|协议|条款)"
    r"|再(?:给我)?(?:发|推送?)(?:消息)?.{0,3}就(?:举报|拉黑|投诉|屏蔽|取关|告|报警).{0,3}"
)
"""What ends no more than a talk, or threatens: 别再联系我, 再发我就投诉."""
_GOES_ON = re.compile("暂停(?:推送|订阅)?(?:取消|解除|结束)|(?:取消|解除|结束)暂停")
_ONE = re.compile(
    "(?:退订|退|取消|关|删)(?:掉|了)?(?:其中|这|那|上面|下面|最后|第)?的?"
    "[一二两三四五六七八九几][个项条类](?![都也不月星礼周小天])"
)
"""One or some of them, and nobody knows which: the list is shown."""
_BARE = 20
"""Signs of a message that refuses and does not say what."""

NAMED = ("topics", "groups", "regions", "industries")
STRANGER, _FACET = "?", "facet"
_SAYS = dict.fromkeys("“”\"'「」【】()（）《》/", "")
"""Marks that part nothing."""
_PARTS = "，,。.；;、！!？?～~…—\n\r\t "


def _table() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for kind, words in LISTS.items():
        for word in words.split():
            found.setdefault(word, set()).add(kind)
    return {word: frozenset(kinds) for word, kinds in found.items()}


_WORDS = _table()
_WIDEST = max(map(len, _WORDS))


class Act(StrEnum):
    """What is withdrawn: everything, what was named, all for a while; or only the way is asked."""

    ALL = "all"
    SOME = "some"
    PAUSE = "pause"
    LOOK = "look"


@dataclass(frozen=True)
class Leaving:
    """A withdrawal in one's own words; `until` is the day a pause ends, None where none is said."""

    act: Act
    facets: tuple[Facet, ...] = ()
    until: date | None = None
    sure: bool = True
    """Whether it says so whatever its speaker has: 退订就业, and not 别发就业了."""
    rest: bool = False
    """Whether something else by name was said beside it: 退订就业，订阅消费."""


@dataclass(frozen=True)
class Word:
    text: str
    kinds: frozenset[str]
    facets: tuple[Facet, ...] = ()

    def any(self, *kinds: str) -> bool:
        return not self.kinds.isdisjoint(kinds)


def leaving(text: str, today: date, taxonomy: Taxonomy | None = None) -> Leaving | None:
    """What `text` withdraws, or None; without a taxonomy no facet is known by name."""
    plain = plain_of(text)
    if len(plain) > LONGEST or _EXCEPT.search(plain) or _GOES_ON.search(plain):
        return None
    said = LESS.sub("", _RHYTHM.sub("", plain))
    until = day_meant(said, today)
    clauses = [Clause(cut(part, taxonomy)) for part in parts_of(without_days(said))]
    if said != plain and not any(one.has("leave", "cut") for one in clauses):
        return None
    found = [(one, withdrawn(one, dated=until is not None)) for one in clauses]
    acts = [act for _, act in found if act is not None]
    if taxonomy is None and any(one.has(STRANGER) for one, act in found if act is not None):
        return None  # what is left by name is told by who knows the names
    if not acts or any(one.keeps or one.pays for one in clauses):
        return None
    clear = all(one.explicit for one, act in found if act is not None)
    if not all(_beside(one, clear=clear) for one, act in found if act is None):
        return None
    rest = any(one.facets for one, act in found if act is None)
    meant = replace(_together(acts, until), rest=rest)
    paused = meant.act is Act.PAUSE and names_feast(said)
    if until is None and (paused or says_feast_days(said)):
        return Leaving(Act.LOOK)  # nobody can begin a pause on a day to come
    return Leaving(Act.LOOK) if not meant.facets and _ONE.search(said) else meant


def may_leave(text: str, taxonomy: Taxonomy | None = None) -> bool:
    """Whether it may mean leaving, and is not clear: 我要退出, 都不要了, 就业的不要了, 消息太多了.

    Nothing ends by it: whoever has subscriptions is asked whether they mean those.
    """
    plain = plain_of(text)
    if len(plain) > _BARE:
        return False
    if _ANGRY.fullmatch(plain.strip("，。,. ")):
        return True
    clauses = [Clause(cut(part, taxonomy)) for part in parts_of(plain)]
    if _EXCEPT.search(plain):
        return any(one.has("leave") for one in clauses)
    if any(one.has(STRANGER, "told", "past") or one.keeps or one.pays for one in clauses):
        return False
    if any(one.benefit or (one.facets and one.has("how", "ask", "may")) for one in clauses):
        return False  # 能不能退出社保 asks about what has that name
    return any(one.bare for one in clauses)


def grave(plain: str) -> bool:
    """Whether words of leaving in it may mean a life: 我想结束一切, 我不行了."""
    return _GRAVE.search(plain) is not None


def only_leaves(text: str, today: date) -> bool:
    """Whether it says that somebody leaves or pauses, and not a word that we do not know."""
    if leaving(text, today) is None or grave(plain_of(text)):
        return False
    clauses = [Clause(cut(part, None)) for part in parts_of(without_days(plain_of(text)))]
    return not any(one.has(STRANGER) for one in clauses)


def _together(acts: Iterable[Leaving], until: date | None) -> Leaving:
    """Several clauses: a pause before an end, what is named before everything."""
    order = (Act.PAUSE, Act.SOME, Act.ALL, Act.LOOK)
    rows = sorted(acts, key=lambda one: order.index(one.act))
    facets = tuple(dict.fromkeys(facet for row in rows for facet in row.facets))
    act = rows[0].act
    return Leaving(act, facets, until if act is Act.PAUSE else None, all(row.sure for row in rows))


def plain_of(text: str) -> str:
    """One spelling: half width, lower case, simplified, a mark for whatever parts."""
    folded = mended(normalise(text).text.lower())
    said = "".join(
        sign if sign.isalnum() or sign in _PARTS else _SAYS.get(sign, ",") for sign in folded
    )
    return _CONSENT.sub("撤回同意", said)


def parts_of(plain: str) -> list[str]:
    for mark in _PARTS[1:]:
        plain = plain.replace(mark, _PARTS[0])
    return [part for part in plain.split(_PARTS[0]) if part]


def cut(clause: str, taxonomy: Taxonomy | None) -> list[Word]:
    """The words of a clause, longest first at each place; strangers sign by sign."""
    named = taxonomy.spans(clause, NAMED) if taxonomy is not None else {}
    words: list[Word] = []
    at = 0
    while at < len(clause):
        size = next((n for n in range(_WIDEST, 0, -1) if clause[at : at + n] in _WORDS), 1)
        name, facets = named.get(at, ("", ()))
        if len(name) > (size if clause[at : at + size] in _WORDS else 0):
            words.append(Word(name, frozenset([_FACET]), tuple(facets)))
            at += len(name)
            continue
        text = clause[at : at + size]
        words.append(Word(text, _WORDS.get(text, frozenset([STRANGER]))))
        at += len(text)
    return words


class Clause:
    """The words of one clause, and what they come to."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.words = words
        self.facets = tuple(dict.fromkeys(one for word in words for one in word.facets))

    def has(self, *kinds: str) -> bool:
        """Whether any word is of one of these kinds."""
        return any(word.any(*kinds) for word in self.words)

    def refused(self, at: int) -> bool:
        """Whether the word at this place is what a refusal before it is about."""
        for word in reversed(self.words[:at]):
            if word.any("no"):
                return True
            if not word.any(*_BETWEEN):
                return False
        return False

    def free(self, *kinds: str) -> list[Word]:
        """Words of these kinds that nothing before them refuses."""
        return [self.words[n] for n in self._places(*kinds) if not self.refused(n)]

    def _places(self, *kinds: str) -> list[int]:
        return [n for n, word in enumerate(self.words) if word.any(*kinds)]

    @property
    def apart(self) -> bool:
        """Whether something is said of one name and something of another: 不订就业了我订消费."""
        places = [n for n, word in enumerate(self.words) if word.facets]
        between = self.words[places[0] : places[-1]] if places else ()
        return any(word.any("leave", "cut", "no", "send", "get", "want") for word in between)

    @property
    def keeps(self) -> bool:
        """Whether it refuses the leaving itself: 不要停."""
        return any(self.refused(n) for n in self._places("leave", "cut", "pause"))

    @property
    def pays(self) -> bool:
        """Whether it is about money that is paid out: 别发失业金了."""
        sends = self.has("send") or any("发" in word.text for word in self.words)
        return sends and self.paid and not self.has("thing")

    @property
    def paid(self) -> bool:
        """Whether it names something that is paid out."""
        return any(word.facets and word.text[-1] in PAID for word in self.words)

    @property
    def benefit(self) -> bool:
        """Whether it may be about what somebody is paid or insured by: 医保停了, 低保给我取消了."""
        ours = self.has("thing", "leave", "send")
        return not ours and any(w.facets and w.text[-1] in f"{PAID}保险" for w in self.words)

    @property
    def declines(self) -> bool:
        """Whether it only says that it is not wanted: 就业的不要了."""
        return any(word.text in ("不要", "不需要", "不想要", "不用") for word in self.words)

    @property
    def explicit(self) -> bool:
        """Whether it says who gets nothing more, or what."""
        return self.has("me", "thing", "leave")

    @property
    def refuses(self) -> bool:
        """Whether it refuses what we do: 别再给我发了, 不想收到, 不要这些消息."""
        for at, word in enumerate(self.words):
            if not self.refused(at):
                continue
            hard = any(one.any("no") and one.text != "不" for one in self.words[:at])
            if word.any("get") or (word.any("send") and hard):
                return True
            if word.any("want") and (self.has("thing") or self._counted):
                return True
            if word.any("thing") and hard:
                return True
        return self._unwanted

    @property
    def _counted(self) -> bool:
        """Messages are counted by 条: 一条都不想看."""
        return any(word.text.startswith("一条") for word in self.words)

    @property
    def _unwanted(self) -> bool:
        """The thing first: 这些消息我不需要."""
        said = [word for word in self.words if not word.any("fill", "me", "all")]
        end = said[-1] if said else None
        return end is not None and end.any("no") and end.text != "不" and self.has("thing")

    @property
    def cuts(self) -> bool:
        """Whether it cuts off something of ours: 关掉推送, 全部取消."""
        ends = self.free("cut")
        whole = self.has("all") and any(word.text[0] not in _ERASES for word in ends)
        return bool(ends) and (self.has("thing", "send") or (whole and not self.facets))

    @property
    def bare(self) -> bool:
        """Whether it cuts off, refuses or is tired of something, and does not say of what."""
        asked = self.has("how", "ask")
        if self.has("tired") or (self.has("often") and self.has("send", "thing")):
            return not self.has("no") or not asked
        if self.has("may") and any(self.refused(n) for n in self._places("send", "get")):
            return True  # 可以不发了吗
        if asked:
            return False
        for at, word in enumerate(self.words):
            if word.any("no") and word.text not in _FAINT:
                return True
            if word.any("want") and (self.refused(at) or self.words[at - 1].text.endswith("都不")):
                return True
        forever = self.has("all") or any(word.text in _FOREVER for word in self.words)
        return bool(self.free("cut")) or (forever and self.has("no"))


_FAINT = frozenset(
    ("不", "别", "勿", "甭", "莫", "不用", "不必", "无需", "用不着", "不得", "不准", "不许", "不再")
)
"""Refusals that are as often a courtesy, or say nothing alone: 不用了谢谢."""
_FOREVER = frozenset(("以后", "今后", "往后", "从此", "再"))
_BETWEEN = ("me", "fill", "all", "awhile", "thing", "may", _FACET)
_ERASES = "删清移去"


def withdrawn(clause: Clause, *, dated: bool) -> Leaving | None:
    """What one clause withdraws."""
    left = bool(clause.free("leave"))
    if clause.has(STRANGER):
        return _strange(clause) if left else None
    ends = left or clause.cuts
    asked = clause.has("how", "ask")
    if clause.has("told"):
        return None
    if clause.has("past") or (asked and not clause.has("may")) or (ends and clause.has("may")):
        shown = ends or (clause.has("how") and clause.refuses)
        return Leaving(Act.LOOK) if shown and not clause.facets else None
    stops = bool(clause.free("pause")) or (dated and bool(clause.free("cut")))
    if not (ends or stops or clause.refuses) or (asked and clause.facets):
        return None
    if stops or (clause.has("awhile") and not left) or dated:
        return Leaving(Act.PAUSE, clause.facets, sure=ends or stops)
    if clause.apart or (clause.paid and not left):  # 消费券的消息别发了 names less than a topic
        return Leaving(Act.LOOK)
    if clause.facets:
        return Leaving(Act.SOME, clause.facets, sure=left)
    return Leaving(Act.ALL)


def _strange(clause: Clause) -> Leaving | None:
    """退订 and a word we do not know: nothing ends, and the list is shown."""
    first = next((word for word in clause.words if not word.any("me", "fill", "all")), None)
    if first is None or not first.any("leave") or clause.has("how", "ask", "told", "past", "may"):
        return None
    return Leaving(Act.SOME, clause.facets) if clause.facets else Leaving(Act.LOOK)


def _beside(clause: Clause, *, clear: bool) -> bool:
    """Whether a clause that withdraws nothing may stand beside one that does."""
    if clause.has("how", "ask"):  # why do you keep sending: no question of another matter
        return clause.has("send", "get", "thing") and not clause.has(STRANGER, _FACET)
    if clause.has(STRANGER, _FACET, "told"):
        return clear and not clause.has("told")
    return True
