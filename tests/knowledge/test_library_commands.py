"""`shenfa library`: a policy is read, repealed, superseded, amended and mended by two people."""

import asyncio
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import shenfa
from config.settings import Settings
from config.setup import Setup, StaffSetup
from office.setup import initialise

PASSWORD = "otter-lamp-39"
STAFF = {"editor": ["editor"], "admin1": ["admin"], "admin2": ["admin"]}
LINES = [
    {
        "title": "青禾县创业补贴规定", "doc_number": "青政发〔2024〕7号", "date": "2024-02-20",
        "effective_from": "2024-03-01", "effective_to": "2090-12-31", "status": "有效",
        "text": "第一条 为了支持创业，制定本规定。\n第二条 首次创业的，给予创业补贴5000元。",
    },
    {
        "title": "青禾县青年创业措施", "doc_number": "青政发〔2026〕3号", "date": "2026-01-05",
        "effective_from": "2026-02-01", "effective_to": "2090-12-31",
        "text": "一、租房\n给予租房补贴每月800元。\n二、安居\n提供周转住房。",
    },
]  # fmt: skip
OLD, NEW = "青政发〔2024〕7号", "青政发〔2026〕3号"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office with two policies, which came in from the command line as well."""
    home = tmp_path_factory.mktemp("office")
    staff = [
        StaffSetup(login=login, name=login, roles=roles, password=PASSWORD)
        for login, roles in STAFF.items()
    ]
    asyncio.run(initialise(Settings(home=home), Setup(organisation="青禾县", staff=staff)))
    file = home / "library.jsonl"
    file.write_text("\n".join(map(json.dumps, LINES)), encoding="utf-8")
    made = run(home, "library", "import", str(file), "--by", "editor", "--json")
    for line in made.stdout.strip().split("\n"):
        approve(home, json.loads(line)["change_id"])
    return home


@pytest.fixture
def home(filled: Path, tmp_path: Path) -> Path:
    shutil.copytree(filled, tmp_path / "home")
    return tmp_path / "home"


def run(home: Path, *words: str) -> Result:
    env = {"SHENFA_PASSWORD": PASSWORD}
    return CliRunner().invoke(shenfa, [*words, "--home", str(home)], env=env)


def approve(home: Path, proposal: str) -> None:
    done = run(home, "proposals", "approve", proposal, "--by", "admin1")
    assert done.exit_code == 0, done.exception


def proposed(home: Path, *words: str) -> Mapping[str, Any]:
    given = ("library", *words, "--by", "editor", "--reason", "按新发的文件", "--json")
    made = run(home, *given)
    assert made.exit_code == 0, made.exception
    found: Mapping[str, Any] = json.loads(made.stdout)
    return found


def listed(home: Path) -> dict[str, Mapping[str, Any]]:
    told = run(home, "library", "list", "--json").stdout.strip().split("\n")
    return {row["doc_number"]: row for row in map(json.loads, told)}


def test_a_policy_is_superseded_and_its_end_is_mended(home: Path) -> None:
    assert f"现行有效  {OLD}" in run(home, "library", "list").stdout
    row = proposed(home, "supersede", OLD, NEW, "--on", "2026-06-01")
    assert [line["text"] for line in row["effect"]["changes"]] == [
        "《青禾县创业补贴规定》自 2026-06-01 起废止",
        f"由《青禾县青年创业措施》（{NEW}）代替",
    ]
    assert listed(home)[OLD]["validity"] == "现行有效"
    own = run(home, "proposals", "approve", row["id"], "--by", "editor")
    assert "提出人不能批准" in str(own.exception)
    approve(home, row["id"])
    ended = listed(home)[OLD]
    assert (ended["validity"], ended["successor_id"]) == ("已废止", listed(home)[NEW]["id"])
    approve(home, proposed(home, "edit", OLD, "repealed_on=")["id"])
    assert listed(home)[OLD]["validity"] == "现行有效"


def test_a_clause_is_amended_and_repealed(home: Path, tmp_path: Path) -> None:
    new = "第二条 首次创业的，给予创业补贴8000元。"
    file = tmp_path / "new.yaml"
    file.write_text(f"2: {new}\nnew: 第三条 可以网上申请。\n", encoding="utf-8")
    approve(home, proposed(home, "amend", OLD, str(file), "--on", "2026-06-01")["id"])
    shown = run(home, "library", "show", OLD).stdout
    lines = ["2026-06-01 起改为新条文", f"[3] 第二条（2026-06-01 起施行）：{new}", "[4] 第三条"]
    assert [line for line in lines if line not in shown] == [], shown
    assert shown.index("5000元") < shown.index("8000元") < shown.index("网上申请")
    approve(home, proposed(home, "repeal", OLD, "--clause", "4", "--on", "2026-09-01")["id"])
    told = json.loads(run(home, "library", "show", OLD, "--json").stdout)
    assert [one["repealed_on"] for one in told["clauses"]] == [None, None, None, "2026-09-01"]


def test_several_clauses_are_added_at_once_and_none_is_lost(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("new: 第三条 可以网上申请。\nnew: 第四条 免收费用。\n", encoding="utf-8")
    words = ("library", "amend", OLD, str(file), "--on", "2026-06-01", "--by", "editor")
    twice = run(home, *words, "--reason", "按新发的文件")
    assert "“new”写了两次" in str(twice.exception)
    file.write_text("new:\n- 第三条 可以网上申请。\n- 第四条 免收费用。\n", encoding="utf-8")
    approve(home, proposed(home, "amend", OLD, str(file), "--on", "2026-06-01")["id"])
    shown = run(home, "library", "show", OLD).stdout
    assert shown.index("网上申请") < shown.index("免收费用")


def test_topics_and_fields_are_mended_by_name(home: Path) -> None:
    row = proposed(home, "edit", OLD, "topics=就业创业", "issuer=青禾县人民政府")
    assert "发文机关：（空） → 青禾县人民政府" in str(row["effect"]["changes"])
    approve(home, row["id"])
    told = json.loads(run(home, "library", "show", OLD, "--json").stdout)
    assert (told["issuer"], told["topics"]) == ("青禾县人民政府", "employment")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("repeal", "青政发〔1999〕1号", "--on", "2026-06-01"), "政策库里没有“青政发〔1999〕1号”"),
        (("repeal", OLD, "--on", "六月"), "--on：日期应写成 YYYY-MM-DD"),
        (("repeal", OLD, "--on", ""), "--on：请写明从哪一天起"),
        (("repeal", OLD, "--on", "2026-06-01", "--clause", "9"), "没有编号为 9 的条文"),
        (("supersede", OLD, OLD, "--on", "2026-06-01"), "不能是它自己"),
        (("edit", OLD, "issuer"), "字段=值"),
        (("edit", OLD, "text=假话"), "没有“text”这个字段"),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_words(
    filled: Path, words: tuple[str, ...], told: str
) -> None:
    made = run(filled, "library", *words, "--by", "editor", "--reason", "按新发的文件")
    assert made.exit_code != 0
    assert told in str(made.exception)


@pytest.mark.parametrize(
    "text",
    ["二: 新条文\n", "2: [新条文]\n", "- 新条文\n", "true: 新\n", "new: [1]\n", "2: 一\n2: 二\n"],
)
def test_a_file_of_new_words_that_is_none_is_refused(
    filled: Path, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(text, encoding="utf-8")
    words = ("library", "amend", OLD, str(file), "--on", "2026-06-01", "--by", "editor")
    made = run(filled, *words, "--reason", "按新发的文件")
    assert made.exit_code != 0
    assert "new.yaml：" in str(made.exception)


def test_a_library_file_with_one_bad_status_imports_nothing(filled: Path, tmp_path: Path) -> None:
    file = tmp_path / "more.jsonl"
    lines = [
        {"text": "一、新的。", "title": "新办法"},
        {"text": "一、旧的。", "status": "部分失效"},
    ]
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    made = run(filled, "library", "import", str(file), "--by", "editor")
    assert "more.jsonl 第 2 行：status：应当是 有效、已修改、失效、废止" in str(made.exception)
    assert "没有这样的变更" in run(filled, "proposals", "list").stdout
