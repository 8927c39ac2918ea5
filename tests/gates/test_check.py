"""`shenfa check` on files and folders: what it prints, what it writes, how it ends."""

import io
import json
from pathlib import Path
from typing import Any

import docx
import pytest
from typer.testing import CliRunner, Result

from cli import shenfa
from tests.gates.office_files import hidden_identities
from tests.gates.test_one_fault_per_gate import FAULTS, TEXT

LIBRARY = [
    {"id": "old", "title": "青禾县就业补助资金管理办法", "doc_number": "青人社发〔2019〕3号",
     "status": "废止", "successor": "青人社发〔2026〕5号"},
    {"id": "new", "title": "青禾县就业补贴办法", "doc_number": "青人社发〔2026〕5号"},
    {"id": "open", "title": "青禾县资金公开办法", "doc_number": "青政发〔2026〕8号"},
]  # fmt: skip


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(shenfa, ["check", *arguments], input=given)


@pytest.fixture
def library(tmp_path: Path) -> str:
    path = tmp_path / "library.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in LIBRARY), encoding="utf-8")
    return str(path)


def test_one_notice_with_one_fault_for_each_gate(tmp_path: Path, library: str) -> None:
    notice = tmp_path / "notice.txt"
    notice.write_text(TEXT, encoding="utf-8")
    result = run(str(notice), "--library", library, "--as-of", "2026-11-24", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)["findings"]
    assert [(one["gate"], one["text"]) for one in found] == [
        (gate, part) for gate, _, part, _ in FAULTS
    ]
    for one in found:
        assert TEXT[one["start"] : one["end"]] == one["text"]
        assert one["basis"] and one["suggestion"]  # noqa: PT018  both are what Show 2 asks for
    told = run(str(notice), "--library", library, "--as-of", "2026-11-24").stdout
    for name in ("政治", "法律", "政策", "保密", "文字"):
        assert f"[{name} " in told
    assert "第 2 行第 1 字" in told
    assert told.splitlines()[-1].startswith("检查了 1 个文件，1 个有问题：必须改 3 处，要核对 2 处")


def test_the_same_notice_clean(tmp_path: Path, library: str) -> None:
    text = TEXT
    for _, wrong, _, right in FAULTS:
        text = text.replace(wrong, right)
    notice = tmp_path / "notice.txt"
    notice.write_text(text, encoding="utf-8")
    result = run(str(notice), "--library", library, "--as-of", "2026-11-24")
    assert (result.exit_code, result.stdout) == (0, "检查了 1 个文件，没有发现问题\n")


def test_a_folder_with_files_of_every_kind(tmp_path: Path) -> None:
    folder = tmp_path / "catalogue"
    (folder / "2026").mkdir(parents=True)
    (folder / "a.txt").write_bytes("县委布署春耕工作。".encode("gb18030"))
    (folder / "b.html").write_text("<p>联系人手机13800138000</p>", encoding="utf-8")
    (folder / "ignored.exe").write_bytes(b"MZ")
    (folder / ".hidden.txt").write_text("县委布署春耕工作。", encoding="utf-8")
    document = docx.Document()
    document.add_paragraph("各单位：")
    document.add_paragraph("全国人大副委员长出席会议。")
    document.save(str(folder / "2026" / "c.docx"))
    (folder / "d.xlsx").write_bytes(hidden_identities())
    result = run(str(folder))
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len([line for line in lines if "a.txt" in line and "建议：部署" in line]) == 1
    assert any("b.html 第 1 段 [保密 必须改] 13800138000" in line for line in lines)
    assert any("c.docx" in line and "全国人大常委会副委员长" in line for line in lines)
    assert any("d.xlsx" in line and "[保密 必须改]" in line for line in lines)
    assert any("d.xlsx 工作表 名单 的 D 列 [保密 要核对]" in line for line in lines)
    assert "检查了 4 个文件" in lines[-1]


def test_hints_only_on_request_and_no_block_means_success(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("县长亲自到场", encoding="utf-8")
    assert "没有发现问题" in run(str(path)).stdout
    result = run(str(path), "--hints")
    assert (result.exit_code, "供参考" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["absent.txt"],
        [],
        ["--as-of", "tomorrow", "."],
        ["--jsonl", "--as-of", "2026-13-01"],
        ["--library", "absent.jsonl", "."],
    ],
)
def test_bad_input_is_refused(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code != 0
    assert result.exception is not None
    assert "\n" not in str(result.exception)


def test_a_broken_file_is_told_and_does_not_end_the_run(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK\x03\x04 not a document")
    (tmp_path / "b.txt").write_text("县委布署春耕工作。", encoding="utf-8")
    result = run(str(tmp_path))
    assert result.exit_code == 1
    assert "a.docx" in result.stdout
    assert "b.txt" in result.stdout


def test_the_filter_keeps_its_contract(library: str) -> None:
    rows: list[Any] = [
        {"id": 1, "text": "😀县委布署工作", "title": "截止目前", "as_of": "2026-11-24"},
        {"id": "二", "text": "青人社发〔2019〕3号执行", "kind": None},
    ]
    given = json.dumps(rows[0]) + "\nnot json\n[]\n\n" + json.dumps(rows[1]) + "\n"
    result = run("--jsonl", "--library", library, given=given)
    assert result.exit_code == 0
    answers = [json.loads(line) for line in io.StringIO(result.stdout)]
    assert [one["id"] for one in answers] == [1, None, None, "二"]
    assert [(one["line"], set(one)) for one in answers[1:3]] == [
        (2, {"id", "line", "error"}),
        (3, {"id", "line", "error"}),
    ]
    title, text = answers[0]["findings"]
    assert (title["field"], title["start"], title["end"]) == ("title", 0, 4)
    assert (text["field"], text["start"], text["text"]) == ("text", 3, "布署")
    assert set(text) == {
        *("gate", "rule", "severity", "field", "start", "end", "text"),
        *("reason", "basis", "suggestion", "suggestions"),
    }
    assert answers[3]["findings"][0]["rule"] == "policy.repealed"


def test_an_identity_number_cut_by_a_line_end_is_told_in_a_line_and_in_a_file(
    tmp_path: Path,
) -> None:
    text = "关于救助对象的公示\n申请人的公民身份号码为1101051949\n1231002X，现予公示。"
    result = run("--jsonl", given=json.dumps({"id": 1, "text": text}))
    (one,) = json.loads(result.stdout)["findings"]
    assert (one["rule"], one["severity"]) == ("secrecy.id-card", "block")
    assert text[one["start"] : one["end"]] == one["text"] == "1101051949\n1231002X"
    path = tmp_path / "notice.txt"
    path.write_text(text, encoding="utf-8")
    told = run(str(path))
    assert told.exit_code == 1
    assert "第 2 行第 12 字 [保密 必须改] 1101051949 1231002X" in told.stdout


def test_the_day_of_the_option_holds_for_each_line_without_its_own() -> None:
    text = "依照《大气污染防治法》处罚。"
    days = (None, "", "2026-08-01", "2026-09-01")
    rows: list[dict[str, Any]] = [{"id": 1, "text": text}]
    rows += [{"id": 1, "text": text, "as_of": day} for day in days]
    given = "".join(json.dumps(row) + "\n" for row in rows)

    def told(*options: str) -> list[bool]:
        lines = run("--jsonl", *options, given=given).stdout.splitlines()
        return [bool(json.loads(line)["findings"]) for line in lines]

    assert told("--as-of", "2026-08-01") == [False, False, False, False, True]
    assert told("--as-of", "2026-09-01") == [True, True, True, False, True]
