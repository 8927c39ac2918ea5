"""`shenfa settings`: anybody may read; a new text is proposed as a person."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli import shenfa
from config.settings import Settings
from config.setup import Setup, StaffSetup
from office.parts import starting_texts
from office.setup import initialise

PASSWORD = "otter-lamp-39"
STAFF = {"editor": ["editor"], "admin1": ["admin"], "admin2": ["admin"]}


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("office")
    staff = [
        StaffSetup(login=login, name=login, roles=roles, password=PASSWORD)
        for login, roles in STAFF.items()
    ]
    asyncio.run(initialise(Settings(home=home), Setup(organisation="青禾县", staff=staff)))
    return home


@pytest.fixture
def home(initialised: Path, tmp_path: Path) -> Path:
    shutil.copytree(initialised, tmp_path / "home")
    return tmp_path / "home"


def run(home: Path, *words: str) -> Result:
    env = {"SHENFA_PASSWORD": PASSWORD}
    return CliRunner().invoke(shenfa, [*words, "--home", str(home)], env=env)


def test_a_text_is_shown_proposed_from_a_file_and_approved_by_another(
    home: Path, tmp_path: Path
) -> None:
    listed = run(home, "settings", "list")
    assert "calendar  值班时间和热线  第 1 版" in listed.stdout
    shown = run(home, "settings", "show", "calendar").stdout
    assert shown.rstrip("\n") == starting_texts()["calendar"].rstrip("\n")
    file = tmp_path / "calendar.yaml"
    file.write_text(shown.replace("12345", "0479-8221234"), encoding="utf-8")
    words = ("settings", "propose", str(file), "--by", "admin1", "--reason", "县里换了热线")
    made = run(home, *words, "--json")
    assert made.exit_code == 0, made.output
    row = json.loads(made.stdout)
    assert [line["text"] for line in row["effect"]["changes"][1:]] == [
        'hotline: "12345"',
        'hotline: "0479-8221234"',
    ]
    assert "12345" in run(home, "settings", "show", "calendar").stdout
    assert run(home, "proposals", "approve", row["id"], "--by", "admin2").exit_code == 0
    assert "0479-8221234" in run(home, "settings", "show", "calendar").stdout
    told = json.loads(run(home, "settings", "list", "--json").stdout.split("\n")[0])
    assert (told["name"], told["version"], told["proved"]) == ("calendar", 2, True)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("calendar.yaml", "weekdays: [1\n", "calendar.yaml：第 2 行不是有效的 YAML"),
        ("links.yaml", "own_hosts: 3\nsuffixes: []\n", "links.yaml 第 1 行，字段 own_hosts"),
        ("replies.yaml", "templates: {}\n", "逐条起草送审"),
        ("other.yaml", "a: 1\n", "没有“other”这项设置"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(
    home: Path, tmp_path: Path, name: str, text: str, told: str
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    made = run(home, "settings", "propose", str(file), "--by", "admin1", "--reason", "试一试改动")
    assert made.exit_code != 0
    assert told in str(made.exception)
    assert "没有这样的变更" in run(home, "proposals", "list").stdout


def test_a_missing_setting_or_file_is_named(home: Path, tmp_path: Path) -> None:
    assert "只能是：calendar" in str(run(home, "settings", "show", "hotline").exception)
    file = str(tmp_path / "absent.yaml")
    made = run(home, "settings", "propose", file, "--by", "admin1", "--reason", "试一试改动")
    assert "读不出" in str(made.exception)


def test_a_reviewed_answer_is_begun_by_an_editor_and_questions_are_listed(home: Path) -> None:
    made = run(home, "entry", "draft", "夜市摊位怎么申请", "--by", "editor", "--json")
    assert made.exit_code == 0, made.output
    assert len(json.loads(made.stdout)["item"]) == 26
    assert (run(home, "entry", "list").stdout, run(home, "question", "list").stdout) == ("", "")
    refused = run(home, "question", "add", "火星移民怎么报名登记", "--by", "editor")
    assert "答不出来" in str(refused.exception)
    refused = run(home, "question", "remove", "x", "--by", "editor", "--reason", "问法过时")
    assert "没有这个问题" in str(refused.exception)
    refused = run(home, "entry", "notice", "x", "--by", "editor")
    assert "没有这条问答" in str(refused.exception)
