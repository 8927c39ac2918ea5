"""Fit knowledge/ranking.npz to labelled questions: `build_ranking.py FOLDER` (minutes, one core).

FOLDER holds the sets of `shenfa eval answers`. Each question is asked of its whole pool and of a
part of it, as a county begins with few documents. A listwise softmax over the candidates, one
hidden layer, Adam, a penalty on weights (Kingma and Ba 2015). How sure an answer is follows from
the margins and the coverage of the first, a logistic line fitted to questions of each fifth as the
model of the other four ranks them, with and without their document. Said at the end: right first,
and of those surest which are right, all on questions not seen.
"""

import json
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.answering import ALONE, FAR
from knowledge.clauses import spans
from knowledge.marks import Rows
from knowledge.ranking import COVERAGE, MODEL, Ranker, table
from knowledge.search import Doc, Index

FOLDS, PARTS = 5, 20
HIDDEN, ROUNDS, BATCH, STEP, PENALTY, MODELS = 12, 25, 64, 0.01, 9e-3, 4
SHARES = (0.4, 0.45, 0.5, 0.55)


@dataclass(frozen=True)
class Case:
    """A question of `name`, its candidates as features, and which of them are right."""

    name: str
    fold: int
    rows: Rows
    right: np.ndarray
    weight: float
    groups: Sequence[str]


def main(folder: Path) -> None:
    """Ask, fit, write; say what it is worth on questions it has not seen."""
    cases = list(_cases(folder))
    looked: list[tuple[Case, list[float]]] = []
    for fold in range(FOLDS):
        model = Ranker(fit([one for one in cases if one.fold != fold]))
        held = [one for one in cases if one.fold == fold]
        looked += [(one, _look(model, one)) for one in held]
    told: dict[str, list[bool]] = {}
    for case, look in looked:
        told.setdefault(case.name, []).append(bool(look[-1]))
    sys.stdout.writelines(f"{k}: {len(v)} right first {np.mean(v):.3f}\n" for k, v in told.items())
    sure = fit_sure(looked)
    _tell_sure(looked, sure)
    whole = fit(cases) | {"sure": sure}
    np.savez_compressed(
        MODEL, allow_pickle=False, **{k: v.astype(np.float32) for k, v in whole.items()}
    )
    sys.stdout.write(f"{len(cases)} questions, {MODEL.stat().st_size} bytes\n")


def _look(model: Ranker, case: Case) -> list[float]:
    """What confidence is read from (answering.py), and whether the first is right."""
    values = model.values(case.rows)
    order = np.argsort(-values, kind="stable")
    first = order[0]
    other = [at for at in order[1:] if case.groups[at] != case.groups[first]]
    margin = min(values[first] - values[order[1]], FAR) if len(order) > 1 else ALONE
    apart = min(values[first] - values[other[0]], FAR) if other else ALONE
    covered = float(case.rows[first, COVERAGE])
    return [1.0, covered, margin, apart, max(0.0, covered - 0.8), float(case.right[first])]


def fit_sure(looked: Sequence[tuple[Case, list[float]]]) -> np.ndarray:
    """Weights of a logistic line, by Newton's steps."""
    rows = np.array([look for case, look in looked if case.name.startswith("passages")])
    x, right = rows[:, :-1], rows[:, -1]
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        share = 1 / (1 + np.exp(-x @ weights))
        bent = x.T @ (x * (share * (1 - share))[:, None]) + np.eye(len(weights))
        weights += np.linalg.solve(bent, x.T @ (right - share) - weights)
    return weights


def _tell_sure(looked: Sequence[tuple[Case, list[float]]], weights: np.ndarray) -> None:
    sure = {
        name: np.array(
            [
                (1 / (1 + np.exp(-np.dot(weights, look[:-1]))), look[-1])
                for case, look in looked
                if case.name == name
            ]
        )
        for name in dict.fromkeys(case.name for case, _ in looked)
    }
    for share in SHARES:
        limit = np.quantile(sure["passages"][:, 0], 1 - share)
        told = [
            f"{name} {len(said) / len(rows):.3f}/{sum(said) / max(len(said), 1):.3f}"
            for name, rows in sure.items()
            for said in [rows[rows[:, 0] >= limit, 1]]
        ]
        sys.stdout.write(f"from {limit:.3f} answered/right: {', '.join(told)}\n")


def _read(folder: Path, name: str) -> list[Mapping[str, Any]]:
    rows: list[Mapping[str, Any]] = []
    for path in sorted(folder.glob(f"{name}.*jsonl")):
        rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return rows


def _cases(folder: Path) -> Iterator[Case]:
    titles = {row["docid"]: row.get("title_guess") or "" for row in _read(folder, "ncp_docs")}
    passages = [
        Doc(row["pid"], titles.get(row["docid"], ""), row["text"], row["docid"])
        for row in _read(folder, "ncp_passages")
    ]
    asked = [
        (row["question"], row["gold_passages"], row["gold_docid"])
        for row in _read(folder, "ncp_questions")
        if row.get("gold_passages")
    ]
    yield from _whole_and_parts("passages", passages, asked, (1.0, 0.3))
    letters = _read(folder, "gov_letters")
    replies = [Doc(str(row["id"]), "", row["reply"], str(row["id"])) for row in letters]
    titled = [(row["title"], [str(row["id"])], str(row["id"])) for row in letters]
    yield from _whole_and_parts("letters", replies, titled, (0.7, 0.0))
    articles = [
        Doc(row["id"], row["law"], row["text"], row["law"]) for row in _read(folder, "law_articles")
    ]
    laws = {one.key: one.group for one in articles}
    of_law = [
        (row["question"], row["gold_ids"], laws[row["gold_ids"][0]])
        for row in _read(folder, "law_questions")
    ]
    yield from _whole_and_parts("law", articles, of_law, (1.0, 0.5))


def _whole_and_parts(
    name: str,
    docs: Sequence[Doc],
    asked: Sequence[tuple[str, Sequence[str], str]],
    weights: tuple[float, float],
) -> Iterator[Case]:
    docs = [part for one in docs for part in _parts(one)]
    yield from _of(name, Index.build(docs), asked, weights[0])
    for half in (0, 1):
        gone = [one for one in asked if _number(one[2]) % 2 == half]
        left = {one[2] for one in gone}
        rest = Index.build(one for one in docs if one.group not in left)
        yield from _of(f"{name} taken out", rest, gone, 0.0)
    for part in range(PARTS if weights[1] else 0):
        few = Index.build(one for one in docs if _number(one.group) % PARTS == part)
        mine = [one for one in asked if _number(one[2]) % PARTS == part]
        yield from _of(f"{name} of few", few, mine, weights[1])
        others = [one for one in asked if _number(one[2]) % PARTS == (part + 1) % PARTS]
        yield from _of(f"{name} of other few", few, others, 0.0)


def _parts(doc: Doc) -> Iterator[Doc]:
    """A text as a library holds it: cut into clauses, each under the key of the whole."""
    for start, end in spans(doc.text):
        yield Doc(doc.key, doc.title, doc.text[start:end], doc.group)


def _of(
    name: str, index: Index, asked: Sequence[tuple[str, Sequence[str], str]], weight: float
) -> Iterator[Case]:
    for question, gold, group in asked:
        parts, rows = index.candidates(question)
        right = np.array([doc.key in gold for doc, _ in rows])
        if rows:
            features = table(parts, [candidate for _, candidate in rows])
            groups = [candidate.group for _, candidate in rows]
            fold = _number(group) // PARTS % FOLDS
            yield Case(name, fold, features, right, weight * right.any(), groups)


def _number(words: str) -> int:
    return zlib.crc32(words.encode())


def fit(cases: Sequence[Case]) -> dict[str, np.ndarray]:
    """The weights of Ranker: the mean of some models, side by side in one hidden layer."""
    cases = [one for one in cases if one.weight]
    every = np.vstack([one.rows for one in cases])
    mean, spread = every.mean(axis=0), every.std(axis=0) + 1e-3
    each = [_fit(cases, mean, spread, seed) for seed in range(MODELS)]
    return {
        "mean": mean,
        "spread": spread,
        "hidden": np.hstack([one[0] for one in each]),
        "bias": np.concatenate([one[1] for one in each]),
        "out": np.concatenate([one[2] for one in each]) / MODELS,
        "straight": sum(one[3] for one in each) / MODELS,
    }


def _fit(cases: Sequence[Case], mean: Rows, spread: Rows, seed: int) -> list[np.ndarray]:
    random, most = np.random.default_rng(seed), max(len(one.right) for one in cases)
    width = len(mean)
    x = np.zeros((len(cases), most, width), np.float32)
    wanted, there = np.zeros(x.shape[:2], np.float32), np.zeros(x.shape[:2], bool)
    for at, one in enumerate(cases):
        size = len(one.right)
        x[at, :size], there[at, :size] = (one.rows - mean) / spread, True
        wanted[at, :size] = one.right / one.right.sum()
    weight = np.array([one.weight for one in cases])[:, None]
    model = [
        random.normal(size=(width, HIDDEN)) * np.sqrt(1 / width),
        np.zeros(HIDDEN),
        random.normal(size=HIDDEN) * 0.1,
        random.normal(size=width) * 0.01,
    ]
    moved, spent, step = [0.0 * one for one in model], [0.0 * one for one in model], 0
    for turn in range(ROUNDS):
        size = STEP * 0.5 * (1 + np.cos(np.pi * turn / ROUNDS))
        for part in np.array_split(random.permutation(len(cases)), max(1, len(cases) // BATCH)):
            step += 1
            slopes = _slopes(model, x[part], there[part], wanted[part], weight[part])
            for at, slope in enumerate(slopes):
                moved[at] = 0.9 * moved[at] + 0.1 * slope
                spent[at] = 0.999 * spent[at] + 0.001 * slope**2
                far = np.sqrt(spent[at] / (1 - 0.999**step)) + 1e-8
                model[at] = model[at] - size * moved[at] / (1 - 0.9**step) / far
    return model


def _slopes(
    model: Sequence[np.ndarray], x: Rows, there: Rows, wanted: Rows, weight: Rows
) -> list[np.ndarray]:
    hidden = np.maximum(x @ model[0] + model[1], 0)
    value = np.where(there, hidden @ model[2] + x @ model[3], -1e9)
    share = np.exp(value - value.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    missed = (share - wanted) * weight / len(x)
    inner = missed[..., None] * model[2] * (hidden > 0)
    return [
        np.einsum("bkn,bkh->nh", x, inner, optimize=True) + PENALTY * model[0],
        inner.sum(axis=(0, 1)),
        np.einsum("bk,bkh->h", missed, hidden) + PENALTY * model[2],
        np.einsum("bk,bkn->n", missed, x) + PENALTY * model[3],
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
