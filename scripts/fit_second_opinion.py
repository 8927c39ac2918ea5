"""Fit gates/second.npz: the second opinion on swaps of characters.

    python scripts/fit_second_opinion.py --pairs slips.jsonl --judged texts.jsonl

`--pairs` are sentences with slips: `source`, and `target` of the same length; a swap there is right
when it writes what the target has. `--judged` are real texts: `text`, and `slips`, the places
in it that a person found wrong; any other swap that the network holds likely there is a false one.
Prints what tenfold cross-validation says of the bar, then writes the weights of all rows. Needs
numpy beside the project's own requirements.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gates.evidence import Repeats, sheltered
from gates.second import FLOOR, TOLD, WEIGHTS, Around, Second
from gates.spelling import Speller

REAL = 2.0  # weight of a row of real text
SHRINK = 3.0  # of the weights, so that few rows teach little
FOLDS = 10


def rows_of(speller: Speller, text: str) -> Iterator[tuple[int, str, Any]]:
    """Place, what would be written and the numbers of each likely swap in a text."""
    swaps = speller.swaps(text)
    if speller.net is None or not len(swaps.places):
        return
    sure = speller.net.certainty(swaps.features)
    safe, repeats, around = sheltered(text), Repeats(text), Around(text)
    for index in np.flatnonzero(sure >= FLOOR):
        place, features = int(swaps.places[index]), swaps.features[index]
        if safe[place] or repeats.clear(place, features, float(sure[index])):
            continue
        right = speller.alphabet.char(int(swaps.ids[index]))
        yield place, right, around.row_of(place, right, features, float(sure[index]))


def lines(path: Path) -> Iterator[Any]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def examples(speller: Speller, pairs: Path, judged: Path) -> tuple[Any, Any, Any]:
    """Numbers, whether the swap is right, and the weight of each row."""
    rows, labels, weights = [], [], []
    for one in lines(pairs):
        source, target = one["source"], one["target"] or ""
        if len(source) != len(target):
            continue
        for place, right, row in rows_of(speller, source):
            rows.append(row)
            labels.append(source[place] != target[place] == right)
            weights.append(1.0)
    for one in lines(judged):
        for place, _, row in rows_of(speller, one["text"]):
            rows.append(row)
            labels.append(place in one["slips"])
            weights.append(REAL)
    return np.array(rows), np.array(labels, float), np.array(weights)


def fitted(rows: Any, labels: Any, weights: Any) -> Second:
    """Newton's method on the regularised likelihood."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    data = np.c_[(rows - mean) / scale, np.ones(len(rows))]
    found = np.zeros(data.shape[1])
    for _ in range(30):
        sure = 1 / (1 + np.exp(-data @ found))
        slope = data.T @ (weights * (sure - labels)) + SHRINK * np.r_[found[:-1], 0]
        bend = (data * (weights * sure * (1 - sure))[:, None]).T @ data
        found -= np.linalg.solve(bend + SHRINK * np.eye(len(found)), slope)
    return Second(*(one.astype(np.float32) for one in (mean, scale, found)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--judged", type=Path, required=True)
    given = parser.parse_args()
    rows, labels, weights = examples(Speller.load(), given.pairs, given.judged)
    fold = np.random.default_rng(0).integers(0, FOLDS, len(rows))
    told = np.zeros(len(rows), bool)
    for one in range(FOLDS):
        kept = fold != one
        second = fitted(rows[kept], labels[kept], weights[kept])
        told[~kept] = second.probability(rows[~kept]) >= TOLD
    for name, some in (("pairs", weights == 1), ("real texts", weights == REAL)):
        right = int((told & some & (labels == 1)).sum())
        print(f"{name}: {int((told & some).sum())} told, {right} right")  # noqa: T201
    found = fitted(rows, labels, weights)
    np.savez(WEIGHTS, mean=found.mean, scale=found.scale, weights=found.weights)


if __name__ == "__main__":
    main()
