"""`shenfa eval tags`: counted right on a few texts, and on the example data where it is."""

import json
from pathlib import Path

import pytest

from facets.evaluation import count_texts, evaluate
from facets.taxonomy import starting_taxonomy
from gates.evaluation.run import default_data

JOBS = "发放就业补贴和稳岗返还，促进就业创业，举办招聘会。"
SHOPS = "发放消费券，开展家电下乡和以旧换新，保护消费者权益。"


def rows(folder: Path, name: str, *given: dict[str, str]) -> None:
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in given)
    (folder / f"{name}.dev.jsonl").write_text(lines, encoding="utf-8")


def test_precision_recall_and_the_top_topic_are_counted_as_people_would(tmp_path: Path) -> None:
    rows(
        tmp_path,
        "policy_docs_title_labelled",
        {"label": "employment", "text_without_title": JOBS},
        {"label": "employment", "text_without_title": SHOPS},
        {"label": "consumption", "text_without_title": SHOPS},
        {"label": "health", "text_without_title": "医疗机构和医务人员做好诊疗。"},
    )
    rows(
        tmp_path,
        "letters_labelled_raw",
        {"label": "商贸旅游", "title": "退款", "body": "商场不退款，消费者权益受损。"},
        {"label": "卫生计生", "title": "公交", "body": "公交车太少。"},
        {"label": "没有这一类", "title": "", "body": ""},
    )
    told = {one.name: (one.value, one.cases) for one in evaluate(tmp_path, starting_taxonomy())}
    assert told == {
        "文件：第一主题正确": (0.75, 4),
        "文件：就业创业查准": (1.0, 1),
        "文件：就业创业查全": (0.5, 2),
        "文件：促进消费查准": (0.5, 2),
        "文件：促进消费查全": (1.0, 1),
        "来信：第一主题正确": (0.5, 2),
    }


def test_a_folder_without_these_sets_measures_nothing(tmp_path: Path) -> None:
    assert (evaluate(tmp_path, starting_taxonomy()), count_texts(tmp_path)) == ([], 0)


def test_the_example_data_reaches_every_goal() -> None:
    folder = default_data()
    if not (folder / "2_policy_docs").is_dir():
        pytest.skip("example data absent")
    measures = evaluate(folder, starting_taxonomy())
    assert len(measures) == 6
    assert [one.name for one in measures if not one.ok] == []
