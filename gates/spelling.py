"""Real spelling errors: a character language model with pronunciation and shape confusions.

For each Han character that its neighbours make surprising, the model asks which similar character
(same or near pronunciation, near shape) would fit, and a small learned network judges the swap
from both-side context, words and names. Counts come from statutes, judgments, reports and news
(`scripts/build_spelling.py`), words from jieba's dictionary, and what an office published itself
can be added. The language model is an interpolated 4-gram with absolute discounting
(Ney, Essen, Kneser 1994); the network has two hidden layers.
"""

import io
import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import jieba
import numpy as np
from numpy.typing import NDArray

from documents.parts import Severity
from gates.confusions import Confusions
from gates.evidence import (
    EVERYDAY,
    IDIOM_SURE,
    OFFICE_WORDS,
    WARN,
    WORD_SURE,
    Repeats,
    is_han,
    makes_idiom,
    makes_word,
    sheltered,
)
from gates.finding import Context, Finding, Ground
from gates.grams import (
    NO_IDS,
    NO_VALUES,
    Ids,
    Real,
    count_grams,
    key_of,
    merge,
    unpack,
)
from gates.idioms import Idioms
from gates.language import EDGE, Alphabet, Language
from gates.memory import give_back
from gates.net import Net
from gates.phrases import SHORTEST, Phrases, read_phrases
from gates.places import DIVISIONS
from gates.second import FLOOR, TOLD, TOLD_BY_WORD, Around, Second
from gates.statutes import STATE, STATUTES
from gates.wordlist import Listed, Words

SPELLING = "wording.spelling"  # how the rules of the model begin
MODEL = Path(__file__).parent / "spelling.npz"
HINT = 0.12  # at least this sure to hint
CERTAIN = 0.985  # to warn inside the title of a book or a film
_PAD = 3
_CALM = -17.0  # log probability of four characters above which nothing is asked
_MOST_ASKED = 24_000  # surprising places in one text; 50,000 characters of real text have 14,000
_AT_ONCE = 2_000
_MOST_LIKELY = 4  # candidates of one place that are weighed
_WORSE = 1.0  # how much worse than what stands there a candidate may fit
_ROW = np.arange(-_PAD, _PAD + 1)
_BASIS = "按上下文推断：法律法规和工作报告中的用字统计、常用词和音形相近字；不是规定，请人判断"
_PAPERS = re.compile(
    r"(?:法|条例|办法|规定|细则|规则|通知|意见|方案|公告|决定|通告|规划|要点|措施|纲要|预案|标准|目录|指南|制度|协议|合同"
    r"|报告|计划)(?:[（(][^（）()]{1,10}[）)])?》"
)
_TITLE = re.compile(r"《[^《》\n]*》")
_SURNAMES = frozenset(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方"
    "石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)


@dataclass(frozen=True)
class Misspelling:
    """One character that is probably wrong: its place, what stands there, what should."""

    start: int
    wrong: str
    right: str
    certainty: float
    told: bool = True  # as a warning, not as a hint


def spelling_findings(ctx: Context, speller: "Speller") -> list[Finding]:
    """Warnings, and hints for what is less sure; titles of documents are left alone."""
    found = []
    titles = _titles(ctx.text)
    misspelt, stopped = speller.read(ctx.text, HINT)
    for one in misspelt:
        span = (one.start, one.start + 1)
        at = bisect_left(titles, (one.start + 1,)) - 1
        inside = ctx.text[slice(*titles[at])] if at >= 0 and one.start < titles[at][1] else ""
        # Films and books are named as they like, and what is known by its title is right.
        sure = one.told and (bool(_PAPERS.search(inside)) or one.certainty >= CERTAIN)
        if inside and (not sure or _known(ctx, inside)):
            continue
        severity: Severity = "warn" if one.told else "hint"
        words = ctx.text[max(0, one.start - 3) : one.start + 4].replace("\n", " ")
        reason = f"“{words}”中的“{one.wrong}”可能是错字，似应为“{one.right}”，请核对"
        ground = Ground("wording", SPELLING, severity, reason, _BASIS)
        found.append(ctx.mark(span, ground, (one.right,)))
    if stopped is not None:
        reason = f"不像通顺的文字，从第 {stopped + 1} 字起没有检查错字，请自己通读"
        ground = Ground("wording", f"{SPELLING}-stopped", "warn", reason, _BASIS)
        found.append(ctx.mark((stopped, stopped + 1), ground))
    return found


def _known(ctx: Context, title: str) -> bool:
    """Whether a title in its marks is that of a law or of a policy in the library."""
    plain = title[1:-1].removeprefix(STATE)
    return plain in STATUTES.known or (
        ctx.facts.knows_policies() and ctx.facts.policy(title[1:-1], ctx.as_of) is not None
    )


def _titles(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _TITLE.finditer(text)] if "《" in text else []


@dataclass(frozen=True)
class Swaps:
    """The best swap at each surprising place: index in the text, id, and what speaks for it.

    `stopped` is the first surprising place that was not asked, in a text that has too many.
    """

    places: NDArray[np.intp]
    ids: Ids
    features: Real
    stopped: int | None = None


@dataclass(frozen=True)
class _Swap:
    """The ids around each place as they stand and as they would, and how likely each reads."""

    old: Ids
    new: Ids
    before: Real
    after: Real


class Speller:
    """Finds misspellings; made once (a third of a second), then used from any thread."""

    def __init__(self, model: Any, own_texts: Iterable[str] = ()) -> None:
        """`model` maps names to arrays (see scripts/build_spelling.py); see `load`."""
        self.alphabet = Alphabet(str(model["characters"]))
        with jieba.dt.get_dict_file() as file:  # the list, not jieba's own much larger tables
            listed = Listed(self.alphabet, file.read().decode())
        self.words = Words(self.alphabet, listed, DIVISIONS.names | OFFICE_WORDS)
        own = [(self.alphabet.ids(f"\n{text}\n"), 1.0) for text in own_texts]
        grams = []
        for order in (1, 2, 3, 4):
            parts = [(unpack(model[f"keys{order}"]), model[f"counts{order}"].astype(np.float32))]
            parts.append(self.words.pseudo_counts(order))
            if own:
                parts.append(count_grams(own, order))
            keys = np.concatenate([part[0] for part in parts])
            grams.append(merge(keys, np.concatenate([part[1] for part in parts])))
        self.language = Language(self.alphabet, grams)
        self.confusions = Confusions(
            self.alphabet, str(model["sounds"]).split("\n"), str(model["shapes"]).split("\n")
        )
        phrases = read_phrases()
        short = self.alphabet.ids("".join(one for one in phrases if len(one) == SHORTEST))
        idioms = np.unique(np.r_[listed.idioms(), short.reshape(-1, SHORTEST)], axis=0)
        self._idioms = Idioms(self.alphabet, idioms, self.words, self.confusions)
        self._phrases = Phrases(phrases, self.alphabet, self.confusions)
        every = np.arange(len(self.alphabet))
        self._surnames = np.isin(every, self.alphabet.ids("".join(sorted(_SURNAMES))))
        self._everyday = np.isin(every, self.alphabet.ids("".join(sorted(EVERYDAY))))
        self.net = Net.read(model) if "mean" in model else None
        self._second = Second.load()

    @classmethod
    def load(cls, path: Path = MODEL, own_texts: Iterable[str] = ()) -> "Speller":
        """Read the model file; `own_texts` are the office's own published texts."""
        # An array is unpacked when it is asked for: all at once would be the peak of the memory.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as model:
            made = cls(model, own_texts)
        give_back()
        return made

    def find(self, text: str, least: float = WARN) -> list[Misspelling]:
        """Probable misspellings in reading order, each at least as certain as `least`."""
        return self.read(text, least)[0]

    def read(self, text: str, least: float) -> tuple[list[Misspelling], int | None]:
        """The same, and the place from which on nothing was asked; None when all was read."""
        if self.net is None or not text:
            return [], None
        swaps = self.swaps(text)
        if not len(swaps.places):
            return [], swaps.stopped
        sure = self.net.certainty(swaps.features)
        safe, repeats, around = sheltered(text), Repeats(text), Around(text)
        found = []
        for index in np.flatnonzero(sure >= min(least, FLOOR)):
            place, features = int(swaps.places[index]), swaps.features[index]
            certainty = float(sure[index])
            if safe[place] or repeats.clear(place, features, certainty):
                continue  # what comes back is a name or a term
            right = self.alphabet.char(int(swaps.ids[index]))
            told = certainty >= FLOOR
            if told:
                row = around.row_of(place, right, features, certainty)
                probable = float(self._second.probability(row))
                told = (
                    probable >= TOLD
                    or (certainty >= IDIOM_SURE and makes_idiom(features))
                    or (
                        probable >= TOLD_BY_WORD
                        and certainty >= WORD_SURE
                        and makes_word(features)
                        and repeats.only_here(place)
                    )
                )
            if told or least < WARN:
                found.append(Misspelling(place, text[place], right, certainty, told))
        taken = {one.start for one in found if one.told}
        idioms = self._idioms.slips(text, self.alphabet.ids(text), self.language)
        for slip in chain(self._phrases.slips(text, self.words), idioms):
            if slip.start not in taken:
                taken.add(slip.start)
                found.append(Misspelling(slip.start, slip.wrong, slip.right, 1.0))
        return _apart(sorted(found, key=lambda one: one.start)), swaps.stopped

    def swaps(self, text: str) -> Swaps:
        """The best swap at the places that are surprising enough to ask, _MOST_ASKED at most."""
        ids = np.r_[np.full(_PAD, EDGE, np.uint64), self.alphabet.ids(text)]
        ids = np.r_[ids, np.full(_PAD, EDGE, np.uint64)]
        han = np.array([is_han(char) for char in text], bool)
        places = np.flatnonzero(han)
        if not len(places):
            return Swaps(places, NO_IDS, NO_VALUES.reshape(0, 0))
        rows = ids[(places + _PAD)[:, None] + _ROW]
        size = len(ids) - _PAD
        each = self.language.log([ids[start : start + size] for start in range(_PAD + 1)])
        before = each[places[:, None] + np.arange(_PAD + 1)]
        asked = np.flatnonzero(before.sum(axis=1) < _CALM)
        stopped = int(places[asked[_MOST_ASKED]]) if len(asked) > _MOST_ASKED else None
        asked = asked[:_MOST_ASKED]
        # A few at a time: the similar characters of all at once would fill the memory.
        parts = [
            self._best(text, places[some], rows[some], before[some])
            for some in np.split(asked, range(_AT_ONCE, len(asked), _AT_ONCE))
        ]
        return replace(
            _joined([one for one in parts if len(one.places)] or parts[:1]), stopped=stopped
        )

    def _best(self, text: str, places: NDArray[np.intp], rows: Ids, before: Real) -> Swaps:
        owner, ids, alike = self._candidates([text[place] for place in places], rows)
        if not len(owner):
            return Swaps(places[:0], NO_IDS, NO_VALUES.reshape(0, 0))
        swapped = rows[owner]
        swapped[:, _PAD] = ids
        after = self.language.window(swapped)
        gain = after.sum(axis=1) - before[owner].sum(axis=1)
        order = np.lexsort((-gain, owner))
        owner, gain = owner[order], gain[order]
        first = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        size = np.diff(np.r_[first, len(owner)])
        second = np.where(size > 1, gain[np.minimum(first + 1, len(gain) - 1)], -20)
        best, place = order[first], owner[first]
        features = self._features(
            _Swap(rows[place], swapped[best], before[place], after[best]),
            np.stack([gain[first], np.maximum(gain[first] - second, -20), np.log1p(size)], axis=1),
            alike[best],
        )
        return Swaps(places[place], ids[best], features)

    def _candidates(self, chars: Sequence[str], rows: Ids) -> tuple[NDArray[np.intp], Ids, Real]:
        """Row numbers, ids and likeness: similar characters that fit a neighbour."""
        if not chars:
            return np.zeros(0, np.intp), NO_IDS, NO_VALUES.reshape(0, 4)
        similar = [self.confusions.of(char) for char in chars]
        owner = np.repeat(np.arange(len(chars)), [len(one.ids) for one in similar])
        ids = np.concatenate([one.ids for one in similar])
        alike = np.concatenate([one.alike for one in similar])
        left, right = rows[owner, _PAD - 1], rows[owner, _PAD + 1]
        seen = self.language.pair_seen
        fits = np.flatnonzero(seen(left, ids) | seen(ids, right))
        owner, ids, alike = owner[fits], ids[fits], alike[fits]
        kept = self._likely(rows[owner], ids, owner)
        return owner[kept], ids[kept], alike[kept]

    def _likely(self, rows: Ids, ids: Ids, owner: NDArray[np.intp]) -> NDArray[np.intp]:
        """The few candidates of each place that fit about as well as what stands there."""
        if not len(owner):
            return np.zeros(0, np.intp)
        fit = self._fit(rows, ids)
        mine = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]])
        own = np.zeros(int(owner[-1]) + 1, np.float32)
        own[owner[mine]] = self._fit(rows[mine], rows[mine, _PAD])
        near = np.flatnonzero(fit >= own[owner] - _WORSE)
        order = near[np.lexsort((-fit[near], owner[near]))]
        first = np.flatnonzero(np.r_[True, owner[order][1:] != owner[order][:-1]])
        rank = np.arange(len(order)) - np.repeat(first, np.diff(np.r_[first, len(order)]))
        kept: NDArray[np.intp] = np.sort(order[rank < _MOST_LIKELY])
        return kept

    def _fit(self, rows: Ids, middle: Ids) -> Real:
        """How often the pairs and threes around the middle were seen, logs added."""
        two, three = (grams.count for grams in self.language.grams[:2])
        before, left = rows[:, _PAD - 2], rows[:, _PAD - 1]
        right, after = rows[:, _PAD + 1], rows[:, _PAD + 2]
        fit = np.log1p(two(key_of([left, middle]))) + np.log1p(two(key_of([middle, right])))
        fit += 2 * np.log1p(three(key_of([left, middle, right])))
        fit += np.log1p(three(key_of([before, left, middle])))
        fit += np.log1p(three(key_of([middle, right, after])))
        return fit

    def _features(self, swap: _Swap, gain: Real, alike: Real) -> Real:
        old, new = swap.old, swap.new
        single = self.language.single
        middle = [np.log1p(single[row[:, _PAD].astype(np.intp)]) for row in (old, new)]
        left, right = old[:, _PAD - 1], old[:, _PAD + 1]
        name = self._surnames[left.astype(np.intp)] | self._surnames[old[:, 1].astype(np.intp)]
        marks = [
            name,
            (old[:, _PAD] == left) | (old[:, _PAD] == right),
            (new[:, _PAD] == left) | (new[:, _PAD] == right),
            left < 4,
            right < 4,
            old[:, _PAD] < 4,
            self._everyday[old[:, _PAD].astype(np.intp)],
            self._everyday[new[:, _PAD].astype(np.intp)],
        ]
        return np.concatenate(
            [
                gain,
                swap.before,
                swap.after,
                self.language.support(old),
                self.language.support(new),
                self.words.cover(old),
                self.words.cover(new),
                alike,
                np.stack([*middle, *marks], axis=1),
            ],
            axis=1,
        ).astype(np.float32)


def _joined(parts: Sequence[Swaps]) -> Swaps:
    return Swaps(
        np.concatenate([one.places for one in parts]),
        np.concatenate([one.ids for one in parts]),
        np.concatenate([one.features for one in parts]),
    )


def _apart(found: list[Misspelling]) -> list[Misspelling]:
    """Of two findings side by side, the surer: a swap often explains its neighbour's surprise."""
    kept: list[Misspelling] = []
    for one in found:
        if kept and one.start - kept[-1].start == 1:
            if one.certainty > kept[-1].certainty:
                kept[-1] = one
        else:
            kept.append(one)
    return kept
