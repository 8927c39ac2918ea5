"""Build gates/spelling.npz: counts, sounds and shapes of characters, learned weights.

    python scripts/build_spelling.py --counts laws.jsonl:text reports.jsonl:text \
        --weights notices.jsonl:text --font NotoSansCJK-Regular.ttc

`--counts` are official texts (statutes, judgments, work reports) and news of the state: only counts
of runs that come often are kept. `--weights` are further texts the network is trained on beside a
held-out part of the first; nothing of them is kept but the weights. Sounds come from pypinyin,
shapes from comparing drawn characters; with `--base MODEL` instead of `--font` both are taken from
an earlier model. Needs numpy, pypinyin and pillow beside the project's own requirements.
"""

import argparse
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from pypinyin import Style, pinyin

from gates.grams import count_grams, pack
from gates.language import Alphabet
from gates.spelling import MODEL, Speller

HELD_OUT = 24_000  # sentences kept out of the counts while the network learns
LEAST = {1: 1, 2: 2, 3: 4, 4: 6}  # rarer runs are dropped
SEED = 5


def _dice() -> random.Random:
    return random.Random(SEED)  # noqa: S311  a build that comes out the same each time


def sentences(sources: Sequence[str]) -> list[str]:
    """Distinct sentences of `file.jsonl:field` sources, shuffled."""
    found: dict[str, None] = {}
    for source in sources:
        name, field = source.rsplit(":", 1)
        for line in Path(name).read_text(encoding="utf-8").splitlines():
            for part in re.split(r"(?<=[。！？；\n])", str(json.loads(line).get(field) or "")):
                if len(part.strip()) >= 4:
                    found[part.strip()] = None
    rows = list(found)
    _dice().shuffle(rows)
    return rows


def common_characters() -> list[str]:
    """The 6,763 characters of GB 2312."""
    pairs = ((high, low) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    made = (bytes(pair).decode("gb2312", "ignore") for pair in pairs)
    return [char for char in made if char]


def alphabet_of(rows: Sequence[str]) -> str:
    """GB 2312, and whatever else the texts hold at least five times."""
    counts = Counter("".join(rows))
    common = common_characters()
    others = [
        char
        for char, number in counts.most_common()
        if number >= 5 and not char.isascii() and char not in "０１２３４５６７８９\n"
    ]
    return "".join(dict.fromkeys([*common, *others, *"，。、；：？！“”（）《》()%.,-:"]))[:8180]


def sounds_of(characters: str) -> list[str]:
    """Syllables with tone number for each character, every reading."""
    read_one = partial(
        pinyin, style=Style.TONE3, heteronym=True, errors="ignore", neutral_tone_with_five=True
    )
    rows = []
    for char in characters:
        read = read_one(char)
        rows.append(" ".join(read[0]) if read and read[0][0] else "")
    return rows


def shapes_of(font: Path, characters: list[str]) -> list[str]:
    """For every Han character the most alike common ones, by comparing drawn characters."""
    face = ImageFont.truetype(str(font), 40, index=2)
    every = [chr(code) for code in (*range(0x3400, 0x4DB6), *range(0x4E00, 0x9FA6))]
    drawn = np.stack([_draw(char, face) for char in every])
    known = [every.index(char) for char in characters]
    mean = drawn[known].mean(axis=0)
    drawn -= mean
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True) + 1e-6
    common, rows = drawn[known], []
    held = set(characters)
    for start in range(0, len(every), 2000):
        likeness = drawn[start : start + 2000] @ common.T
        for offset, row in enumerate(likeness):
            char = every[start + offset]
            most = 10 if char in held else 4
            best = np.argsort(-row)[: most + 1]
            pairs = [(characters[k], row[k]) for k in best if characters[k] != char]
            told = " ".join(f"{o} {round(100 * s)}" for o, s in pairs[:most] if s > 0.55)
            if told:
                rows.append(f"{char} {told}")
    return rows


def _draw(char: str, face: Any) -> Any:
    image = Image.new("L", (48, 48), 0)
    ImageDraw.Draw(image).text((4, -6), char, fill=255, font=face)
    small = image.filter(ImageFilter.GaussianBlur(1.6)).resize((24, 24))
    return np.asarray(small, dtype=np.float32).ravel()


def counted(rows: Sequence[str], characters: str) -> dict[str, Any]:
    """Packed counts of the four orders."""
    alphabet = Alphabet(characters)
    ids = [(alphabet.ids(f"\n\n{row}\n\n"), 1.0) for row in rows]
    model = {}
    for order, least in LEAST.items():
        keys, values = count_grams(ids, order)
        kept = values >= least
        model[f"keys{order}"] = pack(keys[kept])
        model[f"counts{order}"] = np.minimum(values[kept], 65000).astype(np.uint16)
    return model


@dataclass
class Spoiler:
    """Makes the mistakes people make: wrong homophones most of all, then look-alikes."""

    speller: Speller
    dice: random.Random

    def spoil(self, text: str, number: int) -> tuple[str, dict[int, str]]:
        """The text with up to `number` characters swapped, and what stood there."""
        chars, truth = list(text), {}
        places = [i for i, c in enumerate(text) if self._often(c) > 2 and c >= "\u4e00"]
        for place in self.dice.sample(places, min(number, len(places))):
            wrong = self._wrong(text, place)
            if wrong and wrong != text[place]:
                truth[place] = text[place]
                chars[place] = wrong
        return "".join(chars), truth

    def _often(self, char: str) -> float:
        return float(self.speller.language.single[int(self.speller.alphabet.ids(char)[0])])

    def _wrong(self, text: str, place: int) -> str:
        similar = self.speller.confusions.of(text[place])
        by_sound = self.dice.random() < 0.68
        pool = []
        for number, alike in zip(similar.ids, similar.alike, strict=True):
            other = self.speller.alphabet.char(int(number))
            often = self._often(other)
            if by_sound and alike[2]:
                weight = (often**0.6 + 0.5) * (5 if alike[1] else 1)
                if self._is_word(text[max(0, place - 1) : place] + other) or self._is_word(
                    other + text[place + 1 : place + 2]
                ):
                    weight *= 6
                pool.append((other, weight))
            elif not by_sound and alike[3] > 0.6:
                pool.append((other, float(alike[3]) ** 6 * (often**0.3 + 0.3)))
        if not pool:
            return ""
        return self.dice.choices([o for o, _ in pool], [w for _, w in pool])[0]

    def _is_word(self, pair: str) -> bool:
        if len(pair) != 2:
            return False
        one, two = self.speller.alphabet.ids(pair)
        key = np.array([(int(one) << 13) | int(two)], np.uint64)
        return bool(self.speller.words.grams[0].count(key)[0] > 0)


def examples(speller: Speller, rows: Sequence[str]) -> tuple[Any, Any]:
    """Features and labels of the best swaps in spoiled and in clean sentences."""
    dice = _dice()
    spoiler = Spoiler(speller, dice)
    features, labels = [], []
    for number, row in enumerate(rows):
        text, truth = spoiler.spoil(row, dice.choice([0, 0, 0, 1, 1, 2]))
        swaps = speller.swaps(text)
        if len(swaps.places):
            features.append(swaps.features)
        for place, found in zip(swaps.places, swaps.ids, strict=True):
            labels.append(truth.get(int(place)) == speller.alphabet.char(int(found)))
        if number % 2000 == 0:
            sys.stderr.write(f"examples {number}/{len(rows)}\n")
    return np.concatenate(features), np.array(labels, np.float32)


def train(features: Any, labels: Any, sizes: tuple[int, ...] = (40, 20)) -> dict[str, Any]:
    """Logistic loss, Adam, weight decay; the best of the epochs on a tenth held out."""
    dice = np.random.default_rng(SEED)
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-3
    data = ((features - mean) / scale).astype(np.float32)
    held = np.arange(len(data)) % 10 == 0
    shape = [data.shape[1], *sizes, 1]
    weights = [
        [dice.normal(0, (2 / a) ** 0.5, (a, b)).astype(np.float32), np.zeros(b, np.float32)]
        for a, b in pairwise(shape)
    ]
    moments = [[(np.zeros_like(p), np.zeros_like(p)) for p in layer] for layer in weights]
    best, chosen, step = 1e9, weights, 0
    for epoch in range(40):
        order = dice.permutation(np.flatnonzero(~held))
        for batch in np.array_split(order, max(1, len(order) // 512)):
            step += 1
            _learn(weights, moments, data[batch], labels[batch], step)
        chance = np.clip(_forward(weights, data[held])[-1][:, 0], 1e-6, 1 - 1e-6)
        y = labels[held]
        loss = -float(np.mean(y * np.log(chance) + (1 - y) * np.log(1 - chance)))
        if loss < best:
            best, chosen = loss, [[p.copy() for p in layer] for layer in weights]
        sys.stderr.write(f"epoch {epoch} loss {loss:.5f} best {best:.5f}\n")
    model = {"mean": mean.astype(np.float32), "scale": scale.astype(np.float32)}
    for number, (matrix, bias) in enumerate(chosen):
        model |= {f"weights{number}": matrix, f"bias{number}": bias}
    return model


def _forward(weights: Any, data: Any) -> list[Any]:
    values = [data]
    for matrix, bias in weights[:-1]:
        values.append(np.maximum(values[-1] @ matrix + bias, 0))
    matrix, bias = weights[-1]
    values.append(1 / (1 + np.exp(-(values[-1] @ matrix + bias))))
    return values


def _learn(weights: Any, moments: Any, data: Any, labels: Any, step: int) -> None:
    values = _forward(weights, data)
    slope = (values[-1] - labels[:, None]) / len(data)
    for number in range(len(weights) - 1, -1, -1):
        matrix, _ = weights[number]
        slopes = [values[number].T @ slope + 1e-5 * matrix, slope.sum(axis=0)]
        if number:
            slope = (slope @ matrix.T) * (values[number] > 0)
        for place in (0, 1):
            first, second = moments[number][place]
            first += 0.1 * (slopes[place] - first)
            second += 0.001 * (slopes[place] ** 2 - second)
            size = 2e-3 * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
            weights[number][place] -= size * first / (second**0.5 + 1e-8)


def drawn(rows: Sequence[str], font: Path) -> dict[str, Any]:
    """The alphabet of the texts with its sounds and shapes."""
    characters = alphabet_of(rows)
    return {
        "characters": np.array(characters),
        "sounds": np.array("\n".join(sounds_of(characters))),
        "shapes": np.array("\n".join(shapes_of(font, common_characters()))),
    }


def taken(base: Path) -> dict[str, Any]:
    """The alphabet, sounds and shapes of an earlier model: only counts and weights change."""
    with np.load(base, allow_pickle=False) as model:
        return {name: model[name] for name in ("characters", "sounds", "shapes")}


def middling(rows: Sequence[str]) -> Iterator[str]:
    """Sentences of a length people write."""
    return (row for row in rows if 10 <= len(row) <= 90)


def main() -> None:
    """Count, draw, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", nargs="+", required=True)
    parser.add_argument("--weights", nargs="*", default=[])
    alike = parser.add_mutually_exclusive_group(required=True)
    alike.add_argument("--font", type=Path)
    alike.add_argument("--base", type=Path)
    parser.add_argument("--out", type=Path, default=MODEL)
    chosen = parser.parse_args()
    rows = sentences(chosen.counts)
    fixed = drawn(rows, chosen.font) if chosen.font else taken(chosen.base)
    characters = str(fixed["characters"])
    sys.stderr.write(f"{len(rows)} sentences, {len(characters)} characters\n")
    learner = Speller(fixed | counted(rows[HELD_OUT:], characters))
    mixed = [
        *list(middling(rows[:HELD_OUT]))[:14_000],
        *list(middling(sentences(chosen.weights)))[:12_000],
    ]
    _dice().shuffle(mixed)
    weights = train(*examples(learner, mixed))
    model: dict[str, Any] = fixed | counted(rows, characters) | weights
    np.savez_compressed(chosen.out, **model)
    sys.stderr.write(f"{chosen.out.name}: {chosen.out.stat().st_size / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
