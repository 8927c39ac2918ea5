"""The answers are measured on labelled questions, and what is measured is what was answered."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from knowledge.evaluation import evaluate

TEXTS = {
    "a#0": "高校毕业生首次创业的，给予一次性创业补贴五千元。",
    "b#0": "个人消费者购买冰箱的，按照成交价格的百分之二十给予补贴。",
}
QUESTIONS = {"高校毕业生首次创业给多少补贴": "a#0", "消费者购买冰箱补贴多少": "b#0"}


def write(folder: Path, name: str, rows: Sequence[dict[str, Any]]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")


def passages(folder: Path, questions: dict[str, str]) -> dict[str, float]:
    rows = [{"pid": pid, "docid": pid[0], "text": text} for pid, text in TEXTS.items()]
    write(folder, "ncp_passages.pool", rows)
    asked = [
        {"question": one, "gold_passages": [gold], "gold_docid": gold[0]}
        for one, gold in questions.items()
    ]
    write(folder, "ncp_questions.kept", asked)
    return {one.name: one.value for one in evaluate(folder)}


def test_right_and_wrong_answers_are_told_apart(tmp_path: Path) -> None:
    right = passages(tmp_path, QUESTIONS)
    assert right["passages hit@1"] == right["answered right"] == right["answered"] == 1
    swapped = dict(zip(QUESTIONS, reversed(QUESTIONS.values()), strict=True))
    wrong = passages(tmp_path, swapped)
    assert (wrong["passages hit@1"], wrong["answered right"], wrong["answered"]) == (0, 0, 1)


def test_what_is_answered_from_another_document_than_the_one_taken_out_is_false(
    tmp_path: Path,
) -> None:
    assert passages(tmp_path, QUESTIONS)["answered though taken out"] == 0
    twice = {"b#0": TEXTS["a#0"]}
    rows = [{"pid": pid, "docid": pid[0], "text": text} for pid, text in (TEXTS | twice).items()]
    write(tmp_path, "ncp_passages.pool", rows)
    told = {one.name: one.value for one in evaluate(tmp_path)}
    assert told["answered though taken out"] == told["answered otherwise though taken out"] == 1
    asked = [
        {"question": one, "gold_passages": [gold], "gold_docid": gold[0], "answer": "五千元"}
        for one, gold in QUESTIONS.items()
    ]
    write(tmp_path, "ncp_questions.kept", asked)
    told = {one.name: one.value for one in evaluate(tmp_path)}
    assert told["answered though taken out"] == 1
    assert told["answered otherwise though taken out"] == 0  # another office printed the same


def test_sets_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    assert evaluate(tmp_path) == []
    write(
        tmp_path, "gov_letters.dev", [{"id": 1, "title": "盼望安装电梯", "reply": "电梯已安装。"}]
    )
    assert [(one.name, one.value) for one in evaluate(tmp_path)] == [
        ("letters hit@1", 1.0),
        ("letters hit@5", 1.0),
    ]
