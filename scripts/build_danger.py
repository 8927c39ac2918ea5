"""Fit knowledge/danger.npz to the sentences of scripts/danger.jsonl (a minute, one core).

A line is {"text": ..., "class": one of knowledge.danger.CLASSES or "none"}. All of them were
written for this: none was said by a citizen. Softmax regression with a penalty, full batches, Adam
(Kingma and Ba 2015). What it is worth on sentences it has not seen says
tests/knowledge/test_danger.py.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from knowledge.danger import CLASSES, MODEL, runs

SENTENCES = Path(__file__).parent / "danger.jsonl"
ROUNDS, STEP, PENALTY = 200, 0.05, 0.1
SEEN = 2  # sentences in which a run is to stand to count


def main() -> None:
    """Read, fit, write; say how many sentences and runs there are."""
    rows = [json.loads(line) for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    named = ("none", *CLASSES)
    wanted = np.eye(len(named))[[named.index(row["class"]) for row in rows]]
    keys, weights = fit([runs(row["text"]) for row in rows], wanted)
    np.savez_compressed(MODEL, keys=keys, weights=weights.astype(np.float16))
    size = MODEL.stat().st_size
    sys.stdout.write(f"{len(rows)} sentences, {len(keys)} runs, {size} bytes\n")


def fit(said: list[set[int]], wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted keys, and a row of weights for each with the constant ones last."""
    counted = Counter(key for one in said for key in one)
    keys = np.array(sorted(key for key, times in counted.items() if times >= SEEN), np.uint32)
    found = [np.flatnonzero(np.isin(keys, list(one))) for one in said]
    lengths = np.array([max(len(one), 1) for one in found])
    place = np.concatenate(found)
    row = np.repeat(np.arange(len(said)), [len(one) for one in found])
    value = (1 / np.sqrt(lengths))[row]
    weights = np.zeros((len(keys) + 1, wanted.shape[1]))
    mean, spread = np.zeros_like(weights), np.zeros_like(weights)
    for at in range(1, ROUNDS + 1):
        told = weights[-1] + _summed(row, weights[place] * value[:, None], len(said))
        shares = np.exp(told - told.max(axis=1, keepdims=True))
        missed = (shares / shares.sum(axis=1, keepdims=True) - wanted) / len(said)
        slope = PENALTY / len(said) * weights
        slope[:-1] += _summed(place, missed[row] * value[:, None], len(keys))
        slope[-1] = missed.sum(axis=0)
        mean, spread = 0.9 * mean + 0.1 * slope, 0.99 * spread + 0.01 * slope**2
        weights -= STEP * (mean / (1 - 0.9**at)) / (np.sqrt(spread / (1 - 0.99**at)) + 1e-8)
    return keys, weights


def _summed(at: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    columns = [np.bincount(at, weights=column, minlength=size) for column in values.T]
    return np.stack(columns, axis=1)


if __name__ == "__main__":
    main()
