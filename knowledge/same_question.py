"""Whether two questions ask the very same, in other order and with other small words. Pure.

An answer that was reviewed for one question is said to another only when every word that carries
meaning stands in both, they want the same kind of thing (a day, a place, a sum), and about the same
people. What is merely near is no answer: 怎么申请 is not 什么时候申请, nor 怎么还款.
"""

import re
from functools import lru_cache

import jieba

from knowledge.answering import content
from knowledge.speech import Speech, starting_speech

_KINDS = {
    "when": r"什么时候|几时|何时|多久|多长时间|哪天|几号|截止",
    "much": r"多少|几[元块钱万]|金额|额度|标准",
    "where": r"哪里|哪儿|去哪|在哪|地点|地址|什么地方",
    "who": r"谁能|谁可以|哪些人|什么人|对象|条件",
    "papers": r"材料|资料|证件|带什么|带哪些",
    "why": r"为什么|为何|凭什么",
    "phone": r"电话|号码",
}
_WANTS = {name: re.compile(words) for name, words in _KINDS.items()}
ACTS = frozenset(
    {*("申请", "办理", "申领", "领取", "申报"), *("去办", "要办", "办", "领", "拿到", "享受")}
)
"""Ways of saying that somebody wants it."""
_SMALL = frozenset(
    "的了在是我你他带她它们和与及或到要想会去给把被就都也还吗呢吧啊呀哦嗯下个这那该得着过对于请问说讲有可以能"
)
_LIGHT = frozenset(
    {
        *("我们", "你们", "现在", "目前", "这个", "那个", "应该"),
        *("需要", "具体", "一个", "本地", "我想", "想要", "情况"),
    }
)
_ACT = re.compile("|".join(sorted(ACTS, key=len, reverse=True)))
_LEAD = re.compile(r"^(?:那么|那|还有|另外|然后|再问一下|请问|，|,|\s)+")
_ASKS = re.compile(r"怎么|如何|怎样|办理|申请|领|可以吗|行吗")
_SHORT = 16  # characters of a question that leans on the one before
_MOST = 120  # characters: a longer message asks more than one thing
_APART = re.compile(r"[？?；;\n]+")
_PART = re.compile(r"([^？?；;\n]+)([？?；;\n]*)")
_MARK = frozenset("？?")
_QUERY = re.compile(r"什么|哪|谁|几|吗|呢|么$|能不能|能否|可不可以|可否|是不是|是否|有没有|要不要")


def questions_in(title: str) -> list[str]:
    """The ways of asking that an entry names, one after the other."""
    return [one.strip() for one in _APART.split(title) if one.strip()]


def same_question(asked: str, written: str, speech: Speech | None = None) -> bool:
    """Whether `written` is what `asked` asks."""
    if len(asked) > _MOST or _wants(asked) != _wants(written):
        return False
    said = speech or starting_speech()
    forms = (_written(asked, said), _written(written, said))
    return _alike(asked, written, said) or _alike(*forms, said)


def _alike(one: str, other: str, speech: Speech) -> bool:
    ours, theirs = meaning(one, speech), meaning(other, speech)
    if not ours or not theirs:
        return False
    return _held(ours, theirs, other, speech) and _held(theirs, ours, one, speech)


def _written(question: str, speech: Speech) -> str:
    """The question with what people say put as policies put it."""
    return _spoken(speech).sub(lambda one: speech.synonyms.written[one[0]][0], question)


@lru_cache(maxsize=4)
def _spoken(speech: Speech) -> re.Pattern[str]:
    words = sorted((one for one, listed in speech.synonyms.written.items() if listed), key=len)
    return re.compile("|".join(map(re.escape, reversed(words))) or r"(?!)")


def followed(before: str, asked: str, speech: Speech | None = None) -> str:
    """What `asked` asks about the matter of the question before it; "" when it names its own.

    那需要什么材料 says nothing of a matter: it is that of 创业担保贷款的额度.
    """
    said = speech or starting_speech()
    words = _LEAD.sub("", asked.strip())
    if not before or not 0 < len(words) <= _SHORT or meaning(words, said) - ACTS:
        return ""
    if not (_wants(words) or _ASKS.search(words)):
        return ""
    matter = content(_LEAD.sub("", before), said)
    for one in _WANTS.values():
        matter = one.sub(" ", matter)
    matter = "".join(sign for sign in _ACT.sub(" ", matter) if sign.isalnum()).strip("的了是")
    return f"{matter}{words}" if len(matter) > 1 else ""


def apart(message: str) -> list[str]:
    """The questions of one message: each ends with its mark or its line; one when there is one.

    A line that asks nothing (你好, 我是外地户口) is none.
    """
    parts = ((one[1].strip(" 　，,。.、"), one[2]) for one in _PART.finditer(message))
    asked = [part for part, mark in parts if len(part) > 1 and (_MARK & {*mark} or asks(part))]
    return asked if len(asked) > 1 else [message]


def asks(words: str) -> bool:
    """Whether these words ask something, with or without a mark."""
    return bool(_wants(words) or _ASKS.search(words) or _QUERY.search(words))


def _wants(question: str) -> frozenset[str]:
    return frozenset(name for name, words in _WANTS.items() if words.search(question))


@lru_cache(maxsize=1024)
def meaning(question: str, speech: Speech) -> frozenset[str]:
    """What carries meaning; a way of wanting it is none when anything else is said."""
    bare = content(question, speech)
    for words in _WANTS.values():
        bare = words.sub(" ", bare)
    found = {one for one in jieba.cut(bare.lower()) if _means(one)}
    return frozenset(found - ACTS or found)


def _means(word: str) -> bool:
    if not any(sign.isalnum() for sign in word) or word in _LIGHT:
        return False
    return not all(sign in _SMALL for sign in word)


def _held(words: frozenset[str], others: frozenset[str], text: str, speech: Speech) -> bool:
    return all(one in others or one in text or _otherwise(one, text, speech) for one in words)


def _otherwise(word: str, text: str, speech: Speech) -> bool:
    """Whether the other question says it as people, or as policies, do."""
    for spoken, written in speech.synonyms.written.items():
        same = (spoken, *written)
        if word in same and any(one in text for one in same):
            return True
    return False
