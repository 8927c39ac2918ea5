"""Real spelling errors: a character language model with pronunciation and shape confusions.

For each Han character that its neighbours make surprising, the model asks which similar character
(same or near pronunciation, near shape) would fit, and a small learned network judges the swap
from both-side context, words and names. Counts come from official texts without copyright
(`scripts/build_spelling.py`), words from jieba's dictionary, and what an office published itself
can be added. The language model is an interpolated 4-gram with absolute discounting
(Ney, Essen, Kneser 1994); the network has two hidden layers.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jieba
import numpy as np
from numpy.typing import NDArray

from documents.parts import Severity
from gates.finding import Context, Finding, Ground
from gates.places import DIVISIONS

Ids = NDArray[np.uint64]
Real = NDArray[np.float32]

MODEL = Path(__file__).parent / "spelling.npz"
WARN, HINT = 0.82, 0.12  # at least this sure to warn, to hint
_BITS = np.uint64(13)  # a character id has 13 bits, so four fit into one key
_OTHER, _EDGE = 0, 1  # ids of a character outside the vocabulary, and of the text's edge
_PAD = 3
_DISCOUNT = 0.75
_CALM = -17.0  # log probability of four characters above which nothing is asked
_ROW = np.arange(-_PAD, _PAD + 1)
_BASIS = "按上下文推断：法律法规和工作报告中的用字统计、常用词和音形相近字；不是规定，请人判断"
_ALONE = frozenset("省市县区旗乡镇村")  # stand alone in what an office writes of itself
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


def spelling_findings(ctx: Context, speller: "Speller") -> list[Finding]:
    """Warnings, and hints for what is less sure; titles of documents are left alone."""
    found = []
    for one in speller.find(ctx.text, HINT):
        span = (one.start, one.start + 1)
        if any(left <= one.start < right for left, right in _titles(ctx.text)):
            continue
        severity: Severity = "warn" if one.certainty >= WARN else "hint"
        words = ctx.text[max(0, one.start - 3) : one.start + 4].replace("\n", " ")
        reason = f"“{words}”中的“{one.wrong}”可能是错字，似应为“{one.right}”，请核对"
        ground = Ground("wording", "wording.spelling", severity, reason, _BASIS)
        found.append(ctx.mark(span, ground, (one.right,)))
    return found


def _titles(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _TITLE.finditer(text)] if "《" in text else []


class Grams:
    """Counts of one order: sorted keys with their values; what is not there counts zero."""

    def __init__(self, keys: Ids, values: Real) -> None:
        """`keys` are sorted and distinct."""
        self.keys, self.values = keys, values

    def find(self, keys: Ids) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where the keys stand, and which of them are there at all."""
        place = np.searchsorted(self.keys, keys)
        place[place == len(self.keys)] = 0
        return place, self.keys[place] == keys

    def count(self, keys: Ids) -> Real:
        """The value of each key."""
        place, held = self.find(keys)
        return np.where(held, self.values[place], np.float32(0))


def _key(columns: Sequence[Ids]) -> Ids:
    key = columns[0]
    for column in columns[1:]:
        key = (key << _BITS) | column
    return key


def count_grams(rows: Iterable[tuple[Ids, float]], order: int) -> tuple[Ids, Real]:
    """Sorted keys of every run of `order` ids and their weighted counts."""
    keys, weights = [], []
    for ids, weight in rows:
        if len(ids) >= order:
            size = len(ids) - order + 1
            keys.append(_key([ids[start : start + size] for start in range(order)]))
            weights.append(np.full(size, weight, np.float32))
    return merge(np.concatenate(keys), np.concatenate(weights)) if keys else (_NONE, _ZERO)


_NONE: Ids = np.zeros(0, np.uint64)
_ZERO: Real = np.zeros(0, np.float32)


def merge(keys: Ids, values: Real) -> tuple[Ids, Real]:
    """Sort keys and add up the values of equal ones."""
    if not len(keys):
        return keys, values
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    first = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])
    return keys[first], np.add.reduceat(values, first).astype(np.float32)


class Alphabet:
    """Characters to ids: digits are one, letters are one, what is unknown is one."""

    def __init__(self, characters: str) -> None:
        """`characters` have the ids from 4 on."""
        self.characters = characters
        table = np.zeros(0x10000, np.uint64)
        for number, char in enumerate(characters):
            table[ord(char)] = number + 4
        for char in "0123456789０１２３４５６７８９":
            table[ord(char)] = 2
        for code in (*range(ord("a"), ord("z") + 1), *range(ord("A"), ord("Z") + 1)):
            table[code] = 3
        table[ord("\n")] = _EDGE
        self._table = table

    def __len__(self) -> int:
        """How many ids there are."""
        return len(self.characters) + 4

    def ids(self, text: str) -> Ids:
        """One id a code point."""
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        return self._table[np.where(codes < 0x10000, codes, 0)]

    def char(self, number: int) -> str:
        """The character of an id from 4 on."""
        return self.characters[number - 4]


class Language:
    """Interpolated 4-gram probabilities over ids, and the words of a dictionary."""

    def __init__(self, alphabet: Alphabet, grams: Sequence[tuple[Ids, Real]]) -> None:
        """`grams` are the counts of orders 1 to 4."""
        self.alphabet = alphabet
        self.single = np.zeros(len(alphabet), np.float32)
        keys, values = grams[0]
        self.single[keys.astype(np.intp)] = values
        self._base = ((self.single + 0.5) / (self.single.sum() + 4000)).astype(np.float32)
        self.grams = [Grams(*pair) for pair in grams[1:]]
        every = np.arange(len(alphabet), dtype=np.uint64)
        holders = [Grams(every, self.single), *self.grams[:2]]
        self._context = [
            _contexts(holder.keys, longer)
            for holder, longer in zip(holders, self.grams, strict=True)
        ]

    def log(self, columns: Sequence[Ids]) -> Real:
        """Log probability of the last of four columns after the three before it."""
        chance = self._base[columns[-1].astype(np.intp)]
        for order in (2, 3, 4):
            held = self.grams[order - 2].count(_key(columns[-order:]))
            total, kinds = self._after(order, columns[-order:-1])
            known = total > 0
            safe = np.where(known, total, 1)
            share = np.maximum(held - _DISCOUNT, 0) / safe
            rest = np.minimum(1, _DISCOUNT * kinds / safe)
            chance = np.where(known, share + rest * chance, chance)
        logs: Real = np.log(chance)
        return logs

    def _after(self, order: int, columns: Sequence[Ids]) -> tuple[Real, Real]:
        total, kinds = self._context[order - 2]
        if order == 2:
            place = columns[0].astype(np.intp)
            return total[place], kinds[place]
        place, held = self.grams[order - 3].find(_key(columns))
        return np.where(held, total[place], 0), np.where(held, kinds[place], 0)

    def window(self, rows: Ids) -> Real:
        """Log probabilities of the middle and the three after it; `rows` are 7 ids wide."""
        columns = [rows[:, index] for index in range(7)]
        return np.stack([self.log(columns[step : step + 4]) for step in range(4)], axis=1)

    def support(self, rows: Ids) -> Real:
        """How often the runs around the middle were seen: 2 pairs, 3 triples, the best four."""
        columns = [rows[:, index] for index in range(7)]
        two, three, four = (grams.count for grams in self.grams)
        seen = [
            two(_key(columns[2:4])),
            two(_key(columns[3:5])),
            three(_key(columns[2:5])),
            three(_key(columns[1:4])),
            three(_key(columns[3:6])),
            np.max([four(_key(columns[start : start + 4])) for start in range(4)], axis=0),
        ]
        support: Real = np.log1p(np.stack(seen, axis=1))
        return support


def _contexts(keys: Ids, longer: Grams) -> tuple[Real, Real]:
    """For each key: the sum and the number of what follows it, seen in the longer grams."""
    total, kinds = np.zeros(len(keys), np.float32), np.zeros(len(keys), np.float32)
    heads = longer.keys >> _BITS
    if len(heads):
        first = np.flatnonzero(np.r_[True, heads[1:] != heads[:-1]])
        place = np.searchsorted(keys, heads[first])
        place[place == len(keys)] = 0
        held = keys[place] == heads[first]
        total[place[held]] = np.add.reduceat(longer.values, first)[held]
        kinds[place[held]] = np.diff(np.r_[first, len(heads)])[held]
    return total, kinds


class Words:
    """Dictionary words of two to four characters, by their ids."""

    def __init__(self, alphabet: Alphabet, frequencies: Iterable[tuple[str, int]]) -> None:
        """Words with a character outside the alphabet are left out."""
        self.grams: list[Grams] = []
        by_length: dict[int, list[tuple[str, int]]] = {2: [], 3: [], 4: []}
        for word, often in frequencies:
            if often >= 3 and len(word) in by_length:
                by_length[len(word)].append((word, often))
        for length, pairs in by_length.items():
            ids = alphabet.ids("".join(word for word, _ in pairs)).reshape(-1, length)
            seen = np.array([number for _, number in pairs], np.float32)
            whole = (ids >= 4).all(axis=1) if len(ids) else np.zeros(0, bool)
            ids, seen = ids[whole], seen[whole]
            keys, values = merge(_key([ids[:, k] for k in range(length)]), np.log10(seen + 1))
            self.grams.append(Grams(keys, values))

    def pseudo_counts(self, order: int) -> tuple[Ids, Real]:
        """Runs of ids inside the words, each weighted by how common the word is (at most 2)."""
        keys, values = [], []
        for length, grams in zip((2, 3, 4), self.grams, strict=True):
            weight = np.minimum(np.float32(2), np.float32(0.35) * grams.values)
            for start in range(length - order + 1):
                shift = np.uint64(13 * (length - order - start))
                keys.append((grams.keys >> shift) & np.uint64((1 << 13 * order) - 1))
                values.append(weight)
        return merge(np.concatenate(keys), np.concatenate(values)) if keys else (_NONE, _ZERO)

    def cover(self, rows: Ids) -> Real:
        """Length and log frequency of the longest word over the middle; 1 and 0 for none."""
        best = np.tile(np.array([1, 0], np.float32), (len(rows), 1))
        for length, grams in zip((2, 3, 4), self.grams, strict=True):
            if not len(grams.keys):
                continue
            over = np.zeros(len(rows), np.float32)
            for start in range(4 - length, 4):
                columns = [rows[:, start + k] for k in range(length)]
                over = np.maximum(over, grams.count(_key(columns)))
            best[over > 0] = np.stack([np.full(len(rows), length), over], axis=1)[over > 0]
        return best


@dataclass(frozen=True)
class Similar:
    """Characters that may be meant: ids, and how they are alike (tone, syllable, near, shape)."""

    ids: Ids
    alike: Real


class Confusions:
    """What each character may have been mistaken for."""

    def __init__(self, alphabet: Alphabet, sounds: Sequence[str], shapes: Sequence[str]) -> None:
        """`sounds`: for each character of the alphabet its syllables with tone, space between.

        `shapes`: rows `character neighbour score neighbour score ...`, scores in hundredths.
        """
        self._alphabet = alphabet
        self._sounds = {
            char: tuple(row.split())
            for char, row in zip(alphabet.characters, sounds, strict=True)
            if row
        }
        self._near: dict[str, list[str]] = {}
        for char, syllables in self._sounds.items():
            for sound in {near_sound(one) for one in syllables}:
                self._near.setdefault(sound, []).append(char)
        self._shapes: dict[str, dict[str, float]] = {}
        for row in shapes:
            char, *rest = row.split()
            pairs = zip(rest[::2], rest[1::2], strict=True)
            self._shapes[char] = {other: int(score) / 100 for other, score in pairs}
        self._made: dict[str, Similar] = {}

    def of(self, char: str) -> Similar:
        """The similar characters, made once for each character that is asked about."""
        found = self._made.get(char)
        if found is None:
            found = self._made[char] = self._make(char)
        return found

    def _make(self, char: str) -> Similar:
        tones = set(self._sounds.get(char, ()))
        plain = {sound[:-1] for sound in tones}
        alike: dict[str, list[float]] = {}
        for sound in {near_sound(one) for one in tones}:
            for other in self._near.get(sound, ()):
                theirs = set(self._sounds[other])
                same = bool(plain & {one[:-1] for one in theirs})
                alike[other] = [float(bool(tones & theirs)), float(same), 1.0, 0.0]
        for other, score in self._shapes.get(char, {}).items():
            alike.setdefault(other, [0.0, 0.0, 0.0, 0.0])[3] = score
        alike.pop(char, None)
        others = "".join(alike)
        ids = self._alphabet.ids(others) if others else _NONE
        known = ids >= 4
        table = np.array(list(alike.values()), np.float32).reshape(-1, 4)
        return Similar(ids[known], table[known])


def near_sound(syllable: str) -> str:
    """A syllable without tone and without what speakers and keyboards confuse."""
    sound = syllable.rstrip("12345").replace("zh", "z").replace("ch", "c").replace("sh", "s")
    if sound.startswith("n"):
        sound = "l" + sound[1:]
    return sound[:-1] if sound.endswith("ng") else sound


@dataclass(frozen=True)
class Swaps:
    """The best swap at each surprising place: index in the text, id, and what speaks for it."""

    places: NDArray[np.intp]
    ids: Ids
    features: Real


class Speller:
    """Finds misspellings; made once (about a second), then used from any thread."""

    def __init__(self, model: Any, own_texts: Iterable[str] = ()) -> None:
        """`model` maps names to arrays (see scripts/build_spelling.py); see `load`."""
        self.alphabet = Alphabet(str(model["characters"]))
        self.words = Words(self.alphabet, _dictionary())
        own = [(self.alphabet.ids(f"\n{text}\n"), 1.0) for text in own_texts]
        grams = []
        for order in (1, 2, 3, 4):
            parts = [(_unpack(model[f"keys{order}"]), model[f"counts{order}"].astype(np.float32))]
            parts.append(self.words.pseudo_counts(order))
            if own:
                parts.append(count_grams(own, order))
            keys = np.concatenate([part[0] for part in parts])
            grams.append(merge(keys, np.concatenate([part[1] for part in parts])))
        self.language = Language(self.alphabet, grams)
        self.confusions = Confusions(
            self.alphabet, str(model["sounds"]).split("\n"), str(model["shapes"]).split("\n")
        )
        self._surnames = np.isin(
            np.arange(len(self.alphabet)), self.alphabet.ids("".join(sorted(_SURNAMES)))
        )
        self._net = _Net.read(model) if "mean" in model else None

    @classmethod
    def load(cls, path: Path = MODEL, own_texts: Iterable[str] = ()) -> "Speller":
        """Read the model file; `own_texts` are the office's own published texts."""
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as model:
            return cls(dict(model), own_texts)

    def find(self, text: str, least: float = WARN) -> list[Misspelling]:
        """Probable misspellings in reading order, each at least as certain as `least`."""
        if self._net is None or not text:
            return []
        swaps = self.swaps(text)
        if not len(swaps.places):
            return []
        sure = self._net.certainty(swaps.features)
        found = []
        for index in np.flatnonzero(sure >= least):
            place = int(swaps.places[index])
            if text[place] in _ALONE or text.count(text[max(0, place - 1) : place + 2]) > 1:
                continue  # what comes back is a name or a term
            right = self.alphabet.char(int(swaps.ids[index]))
            found.append(Misspelling(place, text[place], right, float(sure[index])))
        return _apart(found)

    def swaps(self, text: str) -> Swaps:
        """The best swap at every place that is surprising enough to ask."""
        ids = np.r_[np.full(_PAD, _EDGE, np.uint64), self.alphabet.ids(text)]
        ids = np.r_[ids, np.full(_PAD, _EDGE, np.uint64)]
        han = np.array([_is_han(char) for char in text], bool)
        places = np.flatnonzero(han)
        if not len(places):
            return Swaps(places, _NONE, _ZERO.reshape(0, 0))
        rows = ids[(places + _PAD)[:, None] + _ROW]
        size = len(ids) - _PAD
        each = self.language.log([ids[start : start + size] for start in range(_PAD + 1)])
        before = each[places[:, None] + np.arange(_PAD + 1)]
        asked = before.sum(axis=1) < _CALM
        return self._best(text, places[asked], rows[asked], before[asked])

    def _best(self, text: str, places: NDArray[np.intp], rows: Ids, before: Real) -> Swaps:
        owner, ids, alike = self._candidates([text[place] for place in places], rows)
        if not len(owner):
            return Swaps(places[:0], _NONE, _ZERO.reshape(0, 0))
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
            (rows[place], swapped[best]),
            (before[place], after[best]),
            np.stack([gain[first], np.maximum(gain[first] - second, -20), np.log1p(size)], axis=1),
            alike[best],
        )
        return Swaps(places[place], ids[best], features)

    def _candidates(self, chars: Sequence[str], rows: Ids) -> tuple[NDArray[np.intp], Ids, Real]:
        """Row numbers, ids and likeness: similar characters that fit a neighbour."""
        if not chars:
            return np.zeros(0, np.intp), _NONE, _ZERO.reshape(0, 4)
        similar = [self.confusions.of(char) for char in chars]
        owner = np.repeat(np.arange(len(chars)), [len(one.ids) for one in similar])
        ids = np.concatenate([one.ids for one in similar])
        alike = np.concatenate([one.alike for one in similar])
        pairs = self.language.grams[0].count
        left, right = rows[owner, _PAD - 1], rows[owner, _PAD + 1]
        fits = (pairs(_key([left, ids])) > 0) | (pairs(_key([ids, right])) > 0)
        return owner[fits], ids[fits], alike[fits]

    def _features(
        self, rows: tuple[Ids, Ids], logs: tuple[Real, Real], gain: Real, alike: Real
    ) -> Real:
        old, new = rows
        middle = [np.log1p(self.language.single[row[:, _PAD].astype(np.intp)]) for row in rows]
        left, right = old[:, _PAD - 1], old[:, _PAD + 1]
        name = self._surnames[left.astype(np.intp)] | self._surnames[old[:, 1].astype(np.intp)]
        marks = [
            name,
            (old[:, _PAD] == left) | (old[:, _PAD] == right),
            (new[:, _PAD] == left) | (new[:, _PAD] == right),
            left < 4,
            right < 4,
            old[:, _PAD] < 4,
        ]
        return np.concatenate(
            [
                gain,
                logs[0],
                logs[1],
                self.language.support(old),
                self.language.support(new),
                self.words.cover(old),
                self.words.cover(new),
                alike,
                np.stack([*middle, *marks], axis=1),
            ],
            axis=1,
        ).astype(np.float32)


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


def _is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" or "\u3400" <= char <= "\u4dbf"


def _dictionary() -> Iterable[tuple[str, int]]:
    """jieba's words with how often it saw them, and the names of divisions."""
    jieba.initialize()
    words: dict[str, int] = jieba.dt.FREQ
    return (words | dict.fromkeys(DIVISIONS.names, 50)).items()


def pack(keys: Ids) -> NDArray[np.uint64]:
    """Differences of sorted keys, which compress well."""
    return np.diff(keys, prepend=np.uint64(0))


def _unpack(steps: NDArray[np.uint64]) -> Ids:
    return np.cumsum(steps, dtype=np.uint64)


@dataclass(frozen=True)
class _Net:
    """Two hidden layers; features are centred and scaled first."""

    mean: Real
    scale: Real
    layers: tuple[tuple[Real, Real], ...]

    @classmethod
    def read(cls, model: Any) -> "_Net":
        layers = tuple((model[f"weights{k}"], model[f"bias{k}"]) for k in range(3))
        return cls(model["mean"], model["scale"], layers)

    def certainty(self, features: Real) -> Real:
        """Between 0 and 1: how sure it is that the swap is right."""
        value = (features - self.mean) / self.scale
        for weights, bias in self.layers[:-1]:
            value = np.maximum(value @ weights + bias, 0)
        weights, bias = self.layers[-1]
        out = 1 / (1 + np.exp(-(value @ weights + bias)[:, 0]))
        return out.astype(np.float32)
