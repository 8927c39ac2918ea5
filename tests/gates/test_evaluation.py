"""`shenfa eval gates` counts what it says it counts."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import shenfa
from gates.engine import GateText, NoFacts, run_gates
from gates.evaluation.measures import AS_OF, Measure
from gates.evaluation.run import by_rule, evaluate
from gates.judged import Judged, quiet_rules, read_judged, write_judged
from gates.rules import RuleSet

RULES = RuleSet.load()


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def measured(folder: Path) -> dict[tuple[str, str], Measure]:
    measures, _ = evaluate(folder, RULES)
    return {(one.set, one.metric): one for one in measures}


def test_a_finding_on_clean_text_is_a_false_alarm(tmp_path: Path) -> None:
    texts = ["县委部署春耕工作。", "县委布署春耕工作。"]
    rows = [{"source_type": "notice", "text": text} for text in texts]
    write(tmp_path, "3_wording/clean_official_sentences.dev.jsonl", rows)
    got = measured(tmp_path)
    loud = got["clean_official_sentences", "above a hint"]
    assert (loud.value, loud.n, loud.ok) == (0.5, 2, False)
    assert got["clean_official_sentences", "blocked"].ok
    _, tally = evaluate(tmp_path, RULES)
    line = next(one for one in by_rule(tally) if one["rule"] == "wording.confused")
    assert line["wrong"] == 1


def test_spelling_is_found_at_the_error_and_corrected_there(tmp_path: Path) -> None:
    def row(source: str, target: str) -> dict[str, Any]:
        at = [i for i, (a, b) in enumerate(zip(source, target, strict=True)) if a != b]
        errors = [{"pos": i, "wrong": source[i], "right": target[i]} for i in at]
        return {"set": "ecspell_law", "source": source, "target": target,
                "has_error": bool(at), "errors": errors}  # fmt: skip

    rows = [
        row("县委布署工作", "县委部署工作"),
        row("县委部署工左", "县委部署工作"),
        row("县委部署工作", "县委部署工作"),
    ]
    write(tmp_path, "3_wording/spelling_pairs.dev.jsonl", rows)
    got = measured(tmp_path)
    assert got["spelling: ecspell_law", "recall, warnings"].value == 0.5
    assert got["spelling: ecspell_law", "correction right, warnings"].value == 1.0
    assert got["spelling: ecspell_law", "false alarms, warnings"].value == 0.0


def test_slips_of_public_texts_are_touched_mended_and_clean_ones_left_alone(tmp_path: Path) -> None:
    def row(source: str, target: str) -> dict[str, Any]:
        return {"source": source, "target": target, "has_error": source != target}

    rows = [
        row("县委布署工作", "县委部署工作"),
        row("县委部署工左", "县委部署工作"),
        row("县委部署工作", "县委部署工作"),
    ]
    write(tmp_path, "3_wording/textproof.dev.jsonl", rows)
    write(tmp_path, "3_wording/clean_platform_sentences.dev.jsonl", [{"text": "县委布署工作"}])
    got = measured(tmp_path)
    assert got["spelling: textproof", "errors touched"].value == 0.5
    assert got["spelling: textproof", "errors mended"].value == 0.5
    assert got["spelling: textproof", "clean part warned"].value == 0.0
    assert got["clean_platform_sentences", "above a hint"].value == 1.0


def test_an_office_number_called_personal_counts_against_us(tmp_path: Path) -> None:
    text = "手机13800138000，电话0471-6945678"
    spans = [
        {"start": 2, "end": 13, "shape": "mobile", "value": "13800138000"},
        {"start": 16, "end": 28, "shape": "landline", "value": "0471-6945678"},
        {"start": 2, "end": 13, "shape": "doc_number", "value": "13800138000"},
    ]
    write(
        tmp_path, "4_personal_data/number_shapes_in_gov_text.dev.jsonl",
        [{"text": text, "spans": spans}],
    )  # fmt: skip
    got = measured(tmp_path)
    assert got["number_shapes_in_gov_text", "mobile found"].value == 1.0
    assert got["number_shapes_in_gov_text", "office numbers called personal"].value == 0.5


@pytest.mark.parametrize("as_json", [True, False])
def test_the_command_prints_and_fails_when_a_target_is_missed(
    tmp_path: Path, *, as_json: bool
) -> None:
    rows = [{"source_type": "notice", "text": "县委布署春耕工作。"}]
    write(tmp_path, "3_wording/clean_official_sentences.dev.jsonl", rows)
    more = ["--json"] if as_json else []
    result = CliRunner().invoke(shenfa, ["eval", "gates", "--data", str(tmp_path), *more])
    assert result.exit_code == 1
    assert "clean_official_sentences" in result.stdout
    assert "wording.confused" in result.stdout
    if as_json:
        assert all(json.loads(line) for line in result.stdout.splitlines())


def test_texts_without_labels_are_listed_judged_and_a_bad_rule_becomes_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts, verdicts = tmp_path / "texts", tmp_path / "verdicts.jsonl"
    texts.mkdir()
    for number in range(6):
        (texts / f"{number}.txt").write_text(
            f"第{number}号通知。\n县委布署春耕工作。\n", encoding="utf-8"
        )
    call = ["eval", "gates", str(texts), "--verdicts", str(verdicts)]
    table = tmp_path / "judged.tsv"
    monkeypatch.setattr("commands.evals.write_judged", lambda rows: write_judged(rows, table))
    first = CliRunner().invoke(shenfa, call)
    assert "| wording.confused | 6 | 0 | 0 | 未判 | 警告 |" in first.output
    assert "12 段，6 处有警告" in first.output
    rows = [json.loads(line) for line in verdicts.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(rows):
        row["verdict"] = "对" if number < 2 else "错"
    verdicts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    second = CliRunner().invoke(shenfa, call)
    assert "| wording.confused | 6 | 2 | 4 | 0.33 | 降为提示 |" in second.output
    quiet = RuleSet(RULES.rules, quiet=quiet_rules(table))
    draft = GateText("", "县委布署春耕工作。", "原创", AS_OF)
    assert run_gates(draft, quiet, NoFacts()) == []
    (one,) = run_gates(draft, quiet, NoFacts(), include_hints=True)
    assert (one.rule, one.severity) == ("wording.confused", "hint")
    assert quiet.digest != RULES.digest


def test_what_somebody_decided_stands_against_the_figures(tmp_path: Path) -> None:
    table = tmp_path / "judged.tsv"
    write_judged([Judged("a", 1, 9, "warn"), Judged("b", 9, 1, "hint"), Judged("c", 1, 3)], table)
    assert quiet_rules(table) == {"b"}
    table.write_text("a\tzwei\t3\t\n", encoding="utf-8")
    with pytest.raises(ValueError, match="第 1 行"):
        read_judged(table)


def test_figures_alone_never_make_a_secrecy_rule_quiet(tmp_path: Path) -> None:
    table = tmp_path / "judged.tsv"
    write_judged([Judged("secrecy.e-mail", 0, 40), Judged("wording.confused", 0, 40)], table)
    assert quiet_rules(table) == {"wording.confused"}
    write_judged([Judged("secrecy.e-mail", 0, 40, "hint")], table)
    assert quiet_rules(table) == {"secrecy.e-mail"}


def _judge(path: Path, verdict: str) -> None:
    rows = [json.loads(line) | {"verdict": verdict} for line in path.read_text("utf-8").split("\n")
            if line]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_verdicts_on_other_texts_are_kept_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts, table = tmp_path / "verdicts.jsonl", tmp_path / "judged.tsv"
    monkeypatch.setattr("commands.evals.write_judged", lambda rows: write_judged(rows, table))
    for name, word in (("one", "一"), ("two", "二")):
        (tmp_path / name).mkdir()
        text = "".join(f"第{word}号第{number}条：县委布署工作。\n" for number in range(3))
        (tmp_path / name / "a.txt").write_text(text, encoding="utf-8")
    call = ["eval", "gates", "--verdicts", str(verdicts), "--texts"]
    CliRunner().invoke(shenfa, [*call, str(tmp_path / "one")])
    _judge(verdicts, "错")
    second = CliRunner().invoke(shenfa, [*call, str(tmp_path / "two")])
    assert "| wording.confused | 3 | 0 | 3 | 0.00 | 警告 |" in second.output
    _judge(verdicts, "错")
    third = CliRunner().invoke(shenfa, [*call, str(tmp_path / "one"), "--apply"])
    assert "| wording.confused | 3 | 0 | 6 | 0.00 | 降为提示 |" in third.output
    assert len(verdicts.read_text("utf-8").splitlines()) == 6
    assert read_judged(table)["wording.confused"] == Judged("wording.confused", 0, 6)


def test_blocks_judged_wrong_do_not_make_the_warnings_of_their_rule_quiet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts, table = tmp_path / "verdicts.jsonl", tmp_path / "judged.tsv"
    monkeypatch.setattr("commands.evals.write_judged", lambda rows: write_judged(rows, table))
    text = "".join(f"第{number}条：回到新疆省。\n" for number in range(6))
    (tmp_path / "a.txt").write_text(text + "县委布署工作。\n", encoding="utf-8")
    call = ["eval", "gates", "--verdicts", str(verdicts), "--texts", str(tmp_path / "a.txt")]
    CliRunner().invoke(shenfa, call)
    _judge(verdicts, "错")
    result = CliRunner().invoke(shenfa, [*call, "--apply"])
    assert "| politics.regions | 6 | 0 | 6 | 0.00 | 必须改 |" in result.output
    assert read_judged(table) == {"wording.confused": Judged("wording.confused", 0, 1)}
