"""`shenfa levels|rules|staff|proposals`: anybody may read; changes are made as a person."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cli import shenfa
from config.settings import Settings
from config.setup import Setup, StaffSetup
from office.setup import initialise
from review_queue.workflow import GATES
from staff.refusal import Refused

PASSWORD = "otter-lamp-39"
STAFF = {
    "editor": ["editor"],
    "reviewer1": ["reviewer_1"],
    "reviewer2": ["reviewer_2", "secrecy"],
    "reviewer3": ["reviewer_3", "secrecy"],
    "admin1": ["admin"],
    "admin2": ["admin"],
}
RULE = {
    "id": "office.market",
    "gate": "wording",
    "severity": "warn",
    "terms": ["河东市集"],
    "reason": "市集已改名为河东集市",
    "basis": "青禾县地名公告",
    "must": ["周末到河东市集办理"],
}


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("office")
    staff = [
        StaffSetup(login=login, name=login, roles=roles, password=PASSWORD)
        for login, roles in STAFF.items()
    ]
    asyncio.run(initialise(Settings(home=home), Setup(organisation="青禾县", staff=staff)))
    return home


class Shell:
    """Commands on a home; `by` signs in with the password in the environment."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def run(self, *words: str, password: str | None = PASSWORD) -> Result:
        env = {"SHENFA_PASSWORD": password} if password else {"SHENFA_PASSWORD": ""}
        return CliRunner().invoke(shenfa, [*words, "--home", str(self.home)], env=env)

    def json(self, *words: str) -> Any:
        result = self.run(*words, "--json")
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    def refused(self, *words: str, password: str | None = PASSWORD) -> str:
        """What `main` would print in one line before it leaves with 2."""
        error = self.run(*words, password=password).exception
        assert isinstance(error, Refused | ValueError), error
        return str(error)


@pytest.fixture
def shell(tmp_path: Path, initialised: Path) -> Shell:
    shutil.copytree(initialised, tmp_path, dirs_exist_ok=True)
    return Shell(tmp_path)


def rule_file(shell: Shell, **changes: Any) -> str:
    path = shell.home / "rules.yaml"
    path.write_text(yaml.safe_dump([RULE | changes], allow_unicode=True), encoding="utf-8")
    return str(path)


def test_a_rule_goes_in_by_two_people_and_out_again(shell: Shell) -> None:
    assert shell.json("rules", "preview", rule_file(shell))["preview"]["tried"]["samples"] > 0
    why = ("--reason", "按地名公告修改")
    row = shell.json("rules", "propose", rule_file(shell), "--by", "admin1", *why)
    assert "提出人不能批准" in shell.refused("proposals", "approve", row["id"], "--by", "admin1")
    assert "管理员" in shell.refused("proposals", "approve", row["id"], "--by", "editor")
    assert shell.json("proposals", "approve", row["id"], "--by", "admin2")["result"]["version"] == 2
    assert shell.json("rules", "list", "--search", "河东市集")["rules"][0]["id"] == RULE["id"]
    row = shell.json("rules", "rollback", "1", "--by", "admin2", *why)
    shell.json("proposals", "approve", row["id"], "--by", "admin1")
    history = shell.json("rules", "history")["versions"]
    assert [one["version"] for one in history] == [3, 2, 1]
    assert history[0]["proposed_by"] == "admin2"
    assert "没有这样的变更" in shell.run("proposals", "list").stdout


def test_nobody_approves_without_their_password(shell: Shell) -> None:
    why = ("--reason", "按地名公告修改")
    row = shell.json("rules", "propose", rule_file(shell), "--by", "admin1", *why)
    approve = ("proposals", "approve", row["id"], "--by", "admin2")
    assert "密码不对" in shell.refused(*approve, password="wrong password")
    assert "本人的密码" in shell.refused(*approve, password=None)
    assert shell.json("proposals", "show", row["id"])["state"] == "proposed"


def test_the_examples_of_rules_are_tested(shell: Shell) -> None:
    assert shell.run("rules", "test").exit_code == 0
    assert shell.run("rules", "test", rule_file(shell)).exit_code == 0
    result = shell.run("rules", "test", rule_file(shell, must=["没有那个词"]), "--json")
    assert result.exit_code == 1
    assert "应当命中却没有命中" in json.loads(result.stdout)["problems"][0]


def test_levels_are_listed_checked_and_proposed(shell: Shell) -> None:
    assert {flow["klass"] for flow in shell.json("levels", "list")["levels"]} >= {"日常", "应急"}
    gates = list(GATES)
    good = [
        {"name": "初审", "roles": ["reviewer_1"], "gates": ["wording"], "hours": 4},
        {"name": "终审", "roles": ["reviewer_3"], "gates": gates, "hours": 4},
    ]
    third = {"name": "再审", "roles": ["reviewer_1"], "gates": gates, "hours": 4}
    path = shell.home / "levels.yaml"
    for levels, code in ((good, 0), ([*good, third], 1)):
        data = {"version": 1, "classes": {"日常": {"levels": levels}}}
        path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        result = shell.run("levels", "check", str(path))
        assert result.exit_code == code, result.output
    why = ("--class", "日常", "--by", "admin1", "--reason", "加一级再审")
    row = shell.json("levels", "propose", str(path), *why)
    assert any("日常" in words for words in row["effect"]["warnings"])
    shell.json("proposals", "approve", row["id"], "--by", "admin2")
    flows = {flow["klass"]: flow for flow in shell.json("levels", "list")["levels"]}
    assert [level["name"] for level in flows["日常"]["levels"]] == ["初审", "终审", "再审"]


def test_people_come_go_and_get_a_new_password(shell: Shell) -> None:
    why = ("--reason", "新来的同事", "--by", "admin1")
    row = shell.json(
        "staff", "propose", "newcomer", "--name", "王小明", "--role", "reviewer_1", *why
    )
    made = shell.json("proposals", "approve", row["id"], "--by", "admin2")
    assert made["result"]["login"] == "newcomer"
    asked = shell.json("staff", "reset-password", "newcomer", *why)
    told = shell.json("proposals", "approve", asked["id"], "--by", "admin2")["result"]
    new = f"{asked['half']}-{told['half']}"
    propose = ("rules", "propose", rule_file(shell), "--by", "newcomer", "--reason", "试一试新密码")
    assert "密码不对" in shell.refused(*propose, password=made["result"]["password"])
    # The code opens the door; what they do there counts once they were confirmed in person.
    assert "还没有确认" in shell.refused(*propose, password=new)
    confirm = ("staff", "confirm", "newcomer", "--by")
    assert "您经手" in shell.refused(*confirm, "admin1")
    assert "改成自己的密码" in shell.refused(*confirm, "reviewer3")
    assert shell.run("staff", "deactivate", "newcomer", "--by", "admin2").exit_code == 0
    assert "密码不对" in shell.refused(*propose, password=new)
    assert "王小明" in shell.run("staff", "list").stdout


def test_a_home_that_was_never_initialised_is_said_so(tmp_path: Path) -> None:
    assert "还没有初始化" in Shell(tmp_path / "nothing").refused("levels", "list")
