"""How sure a swap has to be to be a warning, by what speaks for what stands there. Pure."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import config
from documents.persons import SURNAMES
from gates.grams import Real

WORDS = Path(config.__file__).parent / "rules" / "office-words.txt"
WARN = 0.90  # asked for as `least`: only what is told as a warning
IDIOM_SURE = 0.97  # to warn where a word of four characters comes of what is none
WORD_SURE = 0.7  # to warn where a word comes of what is part of none
_FOUR = 4
_COMES_BACK = 0.999  # to warn of what stands beside the same character elsewhere in the text
_TWICE_SURE = 0.9  # to warn of what comes again in the text
_BETWEEN = frozenset("虽均皆仍亦若尚")  # stand between any two words and are typed for no other
_ALONE = frozenset("省市县区旗乡镇村")  # stand alone in what an office writes of itself
# Words of law and administration that the dictionary lacks: what stands in one is right.
OFFICE_WORDS = frozenset(WORDS.read_text(encoding="utf-8").split())
_OFFICE = re.compile("|".join(sorted(map(re.escape, OFFICE_WORDS))))
# Who has a post before the name, or speaks behind it, may be called anything.
_POSTS = (
    "[局厅部县市区镇乡科处院校会队站所]长|主任|书记|经理|记者|委员|代表|干部|民警|医生|教授|老师|同志"
    "|支书|村委|专家|律师|法官|主席|[职村居学议]员"
)
_PERSON = re.compile(
    rf"(?:{_POSTS})[{SURNAMES}][\u4e00-\u9fff]{{1,2}}"
    rf"|[{SURNAMES}][\u4e00-\u9fff]{{1,2}}(?=表示|说[，：。]|指出|认为|介绍|强调|主持|出席|先生|女士|同志|一行)"
)
# Words of one character that stand beside anything: their neighbours say little about them.
EVERYDAY = frozenset(
    "使一了很是在有我你他她它这那就也都太把被让给向往到从对于与及和或并但而且不没还再又最更能会可要企东西位岗将为以其之所个各某该"
)
_OLD, _NEW = slice(11, 17), slice(17, 23)  # features: how often the runs around were seen, logs
_AROUND = 2  # of these: the run of three with the character in the middle
_LONGEST, _SOUNDS = [23, 25], slice(27, 30)  # the longest word over it, now and then; how alike
_NEAR = 300  # characters on each side
_COMMON = np.log1p(20)


def sheltered(text: str) -> NDArray[np.bool_]:
    """Which characters stand in a word of the office's or in somebody's name: they are right."""
    inside = np.array([char in _BETWEEN for char in text], bool)
    for words in (_OFFICE, _PERSON):
        for match in words.finditer(text):
            inside[match.start() : match.end()] = True
    return inside


def makes_idiom(features: Real) -> bool:
    """Whether a word of four characters comes of what is none, by a like sound or shape."""
    longest, alike = features[_LONGEST], features[_SOUNDS]
    return bool(longest[1] == _FOUR and longest[0] < _FOUR - 1 and alike.max() > 0)


def makes_word(features: Real) -> bool:
    """Whether a word comes of what is part of none."""
    longest = features[_LONGEST]
    return bool(longest[0] == 1 and longest[1] >= 2)


class Repeats:
    """What comes again in one text."""

    def __init__(self, text: str) -> None:
        """Count its runs of two and of three."""
        self._text = text
        self._two = Counter(text[at : at + 2] for at in range(len(text) - 1))
        self._three = Counter(text[at : at + 3] for at in range(len(text) - 2))

    def clear(self, place: int, features: Real, sure: float) -> bool:
        """Whether a character is right because it stands so elsewhere, or stands alone."""
        text = self._text
        around = text[max(place - 1, 0) : place + 2]
        # At an end of the text two characters stand for the three.
        again = (self._three if len(around) == 3 else self._two)[around]
        if text[place] in _ALONE or (again > 1 and not _slip_again(features, sure)):
            return True
        return sure < _COMES_BACK and self._pair_again(place)

    def only_here(self, place: int) -> bool:
        """Whether the character stands nowhere else near: what a text is about comes again."""
        near = self._text[max(place - _NEAR, 0) : place + _NEAR]
        return near.count(self._text[place]) == 1

    def _pair_again(self, place: int) -> bool:
        """Whether it stands beside one of its neighbours elsewhere too, as 网帖 may."""
        text = self._text
        pairs = (text[max(place - 1, 0) : place + 1], text[place : place + 2])
        return any(
            len(pair) == 2
            and all(map(is_han, pair))
            and EVERYDAY.isdisjoint(pair.replace(text[place], "", 1))
            and self._two[pair] > 1
            for pair in pairs
        )


def _slip_again(features: Real, sure: float) -> bool:
    """Whether it is a slip although it comes twice: never seen so, and often with the other one."""
    return (
        sure >= _TWICE_SURE
        and features[_OLD][_AROUND] == 0
        and float(features[_NEW][_AROUND]) >= _COMMON
    )


def is_han(char: str) -> bool:
    """Whether it is a Chinese character."""
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf"
