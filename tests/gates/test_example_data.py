"""Reach on the example data: false alarms on clean sentences, Xinhua's pairs, number shapes."""

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from review_queue.gates.engine import Draft, Finding, NoFacts, RuleSet, run_gates

DATA = Path(os.environ.get("SHENFA_TEST_DATA", "../shared/data"))
RULES = RuleSet.load()
NEAR = {
    "medical reports": "该药品治疗糖尿病{}，请患者放心。",
    "hostage reports": "人质被{}。",
    "Darfur": "达尔富尔的{}。",
}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="example data absent")


def _rows(name: str) -> Iterator[dict[str, Any]]:
    with (DATA / name).open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _found(text: str, *, hints: bool = False) -> list[Finding]:
    draft = Draft("", text, "原创", date(2026, 11, 24))
    return run_gates(draft, RULES, NoFacts(), include_hints=hints)


def test_clean_official_sentences_raise_few_alarms() -> None:
    found = [_found(row["text"]) for row in _rows("3_wording/clean_official_sentences.dev.jsonl")]
    blocked = sum(any(one.severity == "block" for one in each) for each in found)
    assert blocked <= 0.001 * len(found)
    assert sum(map(bool, found)) <= 0.01 * len(found)


def test_xinhua_forms_to_avoid_are_flagged_and_recommended_ones_are_not() -> None:
    flagged = []
    for row in _rows("3_wording/xinhua_pairs.dev.jsonl"):
        text = NEAR.get(row["context"], "近日，{}引起关注。").format(row["avoid"])
        flagged.append(
            any(row["avoid"] in one.text or one.text in row["avoid"] for one in _found(text))
        )
        assert all(not _found(f"近日，{use}到场。") for use in row["use"])
    assert sum(flagged) >= 0.95 * len(flagged)


def test_mobiles_and_mails_are_personal_and_office_numbers_are_not() -> None:
    personal, missed, wrong = 0, [], []
    for row in _rows("4_personal_data/number_shapes_in_gov_text.dev.jsonl"):
        found = [one for one in _found(row["text"], hints=True) if one.gate == "secrecy"]
        for span in row["spans"]:
            hit = any(one.start < span["end"] and span["start"] < one.end for one in found)
            if span["shape"] in ("mobile", "email"):
                personal += 1
                missed += [] if hit else [span["value"]]
            elif hit:
                wrong.append(span["value"])
    assert len(missed) <= 0.01 * personal
    assert wrong == []


def test_made_up_personal_data_is_found() -> None:
    fields = {"id_card": "id-card", "mobile": "mobile", "email": "e-mail"}
    rows = list(_rows("4_personal_data/faker_zh_values.dev.jsonl"))
    for field, rule in fields.items():
        hits = [
            any(one.rule == f"secrecy.{rule}" for one in _found(f"{row['name']}，{row[field]}。"))
            for row in rows
        ]
        assert sum(hits) >= 0.99 * len(hits)


def test_renamed_divisions_are_found() -> None:
    rows = list(_rows("3_wording/renamed_divisions.dev.jsonl"))
    hits = [
        bool(_found(f"{row['old_province']}{row['old_prefecture']}{row['old_county']}发布通知。"))
        for row in rows
    ]
    assert sum(hits) >= 0.9 * len(hits)
