"""How well a clause fits a question: counted features of both, weighed by a small fitted model.

`Ranker.judge(asked, candidates) -> list[Judged]`, in the order of the candidates. The model
(`ranking.npz`) was fitted by scripts/build_ranking.py and holds weights only, no text.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from knowledge.among import among
from knowledge.marks import Asked, Candidate, Marked, Rows, marked

MODEL = Path(__file__).parent / "ranking.npz"
_ASKS_NUMBER = re.compile(r"多少|几|何时|时间|什么时候|多长|多久|电话|日期|比例|金额|号码")
_WANTED = tuple(
    (re.compile(asked), re.compile(said))
    for asked, said in (  # what is asked for, and how a text looks that says it
        (
            r"何时|时间|什么时候|多久|多长|期限|日期|几[点月号日天年]",
            r"\d+[年月日时天]|工作日|之日起",
        ),
        (
            r"电话|号码|热线|联系方式|网址|网站|邮箱|平台|公众号|小程序",
            r"\d{7,}|\d{3,4}-\d{7}|123\d\d|www|http|[“《].{2,12}[”》]",
        ),
        (r"谁|部门|单位|机构|哪家|哪个", r"[部局委厅院司办会]|公司|中心"),
        (
            r"哪些|什么要求|措施|要求|规定|如何|怎么|怎样",
            r"[一二三四五]是|[（(][一二三四五\d]|\d[.．、]|；.*；",
        ),
        (
            r"多少|比例|金额|标准|几|额度|收费|价格",
            r"\d[\d.,]*(?:%|元|万|亿|倍|人|个|名|家|项|吨)|百分之",
        ),
    )
)
_ASKS_WAY = re.compile(r"(?:怎么|如何|怎样|咋|去哪里?|在哪里?)[^，。？]{0,2}[领办申报缴交取提补]")
_WAY = re.compile(r"方式|流程|程序|渠道|窗口|小程序|填写|提交|提出申请|登录|网上|现场|受理")
_WAY_WORTH = 0.75  # of clauses that say as much of the matter, the one that says how; less than
# one that says more of it is ahead by
_SAME_START = 8  # characters in which a text repeats its title before it begins
_K1, _B = 1.2, 0.75
_LONGEST = 12.0
_MOST = 50.0


@dataclass(frozen=True)
class Judged:
    """`score`: above 0, the higher the better among these. `coverage`: 0..1 of the question."""

    score: float
    coverage: float


class Ranker:
    """One hidden layer beside a straight line, over features brought to one scale."""

    def __init__(self, weights: Mapping[str, Rows]) -> None:
        """`weights`: mean, spread, hidden, bias, out, straight, as the model file names them.

        `sure`: of a logistic line for how sure an answer is, see answering.py.
        """
        self._w = {name: np.asarray(rows, np.float32) for name, rows in weights.items()}
        self.sure = tuple(float(one) for one in self._w.pop("sure", ()))

    def judge(self, asked: Asked, candidates: Sequence[Candidate]) -> list[Judged]:
        """How well each fits, in the order of the candidates (best of the index first)."""
        rows = table(asked, candidates)
        values = self.values(rows)
        if _ASKS_WAY.search(asked.text):
            ways = [bool(_WAY.search(one.text)) for one in candidates]
            values = values + np.float32(_WAY_WORTH) * np.array(ways, np.float32)
        return [
            Judged(math.exp(min(float(value), _MOST)), float(row[COVERAGE]))
            for value, row in zip(values, rows, strict=True)
        ]

    def values(self, rows: Rows) -> Rows:
        """The value of each row; differences count, not the height."""
        w = self._w
        scaled = (rows - w["mean"]) / w["spread"]
        hidden = np.maximum(scaled @ w["hidden"] + w["bias"], 0)
        return np.asarray(hidden @ w["out"] + scaled @ w["straight"], np.float32)


@cache
def ranker() -> Ranker:
    """The fitted model of the program."""
    with np.load(MODEL) as held:
        return Ranker(dict(held))


def table(asked: Asked, candidates: Sequence[Candidate]) -> Rows:
    """The features of each candidate, a row each; the columns are those of the model."""
    counts = _Counts(asked, candidates)
    marks = marked(asked, candidates)
    each = zip(candidates, marks, strict=True)
    own = np.array([_own(asked, one, there) for one, there in each], np.float32)
    rank = np.arange(len(candidates))
    groups: dict[str, list[int]] = {}
    for place, one in enumerate(candidates):
        groups.setdefault(one.group, []).append(place)
    together = [groups[one.group] for one in candidates]
    best = max(candidates[0].score, 1e-9)
    columns = [
        np.array([one.score for one in candidates]) / best,
        *counts.relative,
        counts.ideal,
        1 / (rank + 1),
        np.array([len(one) for one in together]) / len(candidates),
        np.array([one[0] == place for place, one in enumerate(together)]),
        1 / (np.array([one[0] for one in together]) + 1),
        np.full(len(candidates), float(bool(_ASKS_NUMBER.search(asked.text)))),
        np.full(len(candidates), min(len(asked.words), 10) / 10),
    ]
    shared = np.stack(columns, axis=1)
    compared = own[:, :_COMPARED] - own[:, :_COMPARED].max(axis=0, initial=0.0)
    looks, beside = _looks(asked, candidates), among(asked, candidates, marks)
    return np.asarray(np.hstack([shared, own, looks, compared, beside]), np.float32)


class _Counts:
    """BM25 over pairs, characters, words and runs of three, of the candidates only."""

    def __init__(self, asked: Asked, candidates: Sequence[Candidate]) -> None:
        length = np.array([len(one.title) + 1 + len(one.text) for one in candidates], np.float32)
        damp = (_K1 * (1 - _B + _B * length / max(float(length.mean()), 1.0)))[:, None]
        weighed = {term.text: term.weight for term in asked.pairs}
        sums, alone = [], []
        for terms in (weighed, asked.characters, asked.words, _threes(asked)):
            weights = np.array(list(terms.values()), np.float32)
            bodies = _seen(terms, [one.text for one in candidates])
            titles = _seen(terms, [one.title for one in candidates])
            sums.append(_bm25(bodies + titles, damp, weights))
            if terms is weighed:
                alone = [_bm25(bodies, damp, weights), _bm25(titles, damp, weights)]
        self.relative = [one / max(float(one.max(initial=0.0)), 1e-9) for one in (*sums, *alone)]
        self.ideal = sums[0] / max(sum(weighed.values()) * (_K1 + 1), 1e-9)


def _threes(asked: Asked) -> dict[str, float]:
    """Runs of three characters, as rare as the pairs they are made of together."""
    return {
        one.text + two.text[-1]: one.weight + two.weight
        for one, two in pairwise(asked.pairs)
        if len(one.text) == len(two.text) == 2 and one.text[1] == two.text[0]
    }


def _seen(terms: Mapping[str, float], texts: Sequence[str]) -> Rows:
    """How often each term stands in each text; a text that comes again is counted once."""
    rows = {text: [text.count(term) for term in terms] for text in dict.fromkeys(texts)}
    return np.array([rows[text] for text in texts], np.float32)


def _bm25(seen: Rows, damp: Rows, weights: Rows) -> Rows:
    return np.asarray((seen * (_K1 + 1) / (seen + damp)) @ weights, np.float32)


COVERAGE = 17  # column of what the best two sentences cover together with the title
_COMPARED = 7  # the first of a candidate's own features, seen beside the best of all


def _own(asked: Asked, one: Candidate, marks: Marked) -> list[float]:
    """Of one candidate alone: coverage by whole, sentence and window; words; runs; form."""
    rare, head, body, parts, held = asked.rare, marks.head, marks.body, marks.parts, marks.held
    whole = float(rare.sum()) or 1.0
    sums = held @ rare
    densest = int(sums.argmax())
    beside = held[:-1] | held[1:] if len(parts) > 1 else held
    about = sum(asked.words.values()) or 1.0
    named = {word: rare for word, rare in asked.words.items() if word in one.text}
    told = max(sum(rare for word, rare in named.items() if word in part) for part in parts)
    said = named | {word: rare for word, rare in asked.words.items() if word in one.title}
    last = [*asked.words, ""][max(len(asked.words) - 1, 0)]
    digits = sum(map(str.isdigit, one.text))
    return [
        float((head | body) @ rare) / whole,
        float(sums[densest]) / whole,
        float(((held | head) @ rare).max()) / whole,
        float(((beside | head) @ rare).max()) / whole,
        sum(said.values()) / about,
        told / about,
        min(_run(asked.text, one.text), _LONGEST) / _LONGEST,
        float(head @ rare) / whole,
        float(body @ rare) / whole,
        float(sums[densest]) / (len(parts[densest]) + 8.0),
        max((rare for word, rare in asked.words.items() if word not in said), default=0) / 10,
        float(last in one.text),
        math.log(len(one.text) + 1.0) / 5,
        math.log(len(parts)) / 3,
        digits / max(len(one.text), 1),
        float(one.text.rstrip()[-1:] in "。；！？;"),
    ]


def _looks(asked: Asked, candidates: Sequence[Candidate]) -> Rows:
    """Whether each looks like what is asked for: a time, a number to call, an office, a list."""
    wanted = [(at, said) for at, (what, said) in enumerate(_WANTED) if what.search(asked.text)]
    rows = np.zeros((len(candidates), len(_WANTED)), np.float32)
    for at, said in wanted:
        rows[:, at] = [bool(said.search(one.text)) for one in candidates]
    return rows


def without_title(title: str, text: str) -> str:
    """What a text says after its title, where it begins by repeating it."""
    both = enumerate(zip(title, text, strict=False))
    same = next((at for at, (a, b) in both if a != b), len(title))
    return text[same:] if _SAME_START <= same < len(text) else text


def _run(question: str, text: str) -> int:
    """Characters of the longest piece of the question that stands in the text."""
    longest = 1  # shorter says nothing
    for at in range(len(question)):
        while at + longest < len(question) and question[at : at + longest + 1] in text:
            longest += 1
    return longest
