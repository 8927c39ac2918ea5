"""`shenfa staff alarms`: ways from a file, seen and tried, by the person or an admin alone."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import cli
from config.settings import Settings
from config.setup import Setup, StaffSetup
from office.setup import initialise

PASSWORD = "otter-lamp-39"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("office")
    people = {"admin1": "admin", "duty1": "duty", "editor": "editor"}
    staff = [
        StaffSetup(login=login, name=login, roles=[role], password=PASSWORD)
        for login, role in people.items()
    ]
    asyncio.run(initialise(Settings(home=made), Setup(organisation="青禾县", staff=staff)))
    return made


def call(home: Path, *words: str, by: str = "duty1") -> Result:
    line = ["staff", "alarms", "duty1", "--by", by, "--home", str(home), *words]
    return CliRunner().invoke(cli.shenfa, line, env={"SHENFA_PASSWORD": PASSWORD})


def test_ways_come_from_a_file_and_a_test_says_what_came_of_each(home: Path) -> None:
    file = home / "alarms.yaml"
    file.write_text("alarm:\n  - mail: duty@qinghe.example\n", encoding="utf-8")
    first = call(home, "--from", str(file))
    assert first.exit_code == 0, first.output
    assert "1. 邮件  还没有用过" in first.stdout
    tried = call(home, "--test", "--json", by="admin1")
    said = json.loads(tried.stdout.splitlines()[-1])
    assert (said["kind"], said["worked"]) == ("mail", False)
    assert "SHENFA_SMTP_HOST" in said["why"]
    assert "qinghe.example" not in first.output + tried.output


@pytest.mark.parametrize(
    ("words", "by", "says"),
    [
        ("alarm:\n  - webhook: https://10.0.0.1/a\n", "duty1", "内部网络"),
        ("alarm: mail\n", "duty1", "写成列表"),
        ("alarm: []\n", "editor", "您的角色"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(
    home: Path, words: str, by: str, says: str
) -> None:
    file = home / "wrong.yaml"
    file.write_text(words, encoding="utf-8")
    result = call(home, "--from", str(file), by=by)
    assert result.exit_code != 0
    assert says in f"{result.output}{result.exception}"
    assert says not in call(home).output
