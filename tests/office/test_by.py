"""`--by LOGIN` is a claim: a command that has it asks for the proof before it signs anything."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import cli
from config.settings import Settings
from config.setup import Setup, StaffSetup
from office.setup import initialise
from staff.refusal import Refused

PASSWORD = "otter-lamp-39"
STAFF = {"admin1": ["admin", "editor"], "admin2": ["admin"]}
RULES = """
- id: office.market
  gate: wording
  severity: warn
  terms: [河东市集]
  reason: 市集已改名为河东集市
  basis: 青禾县地名公告
  must: [周末到河东市集办理]
"""
LEVELS = (Path(__file__).parents[2] / "config/workflows.yaml").read_text(encoding="utf-8")
FILES = {
    "levels propose": ("levels.yaml", LEVELS),
    "rules propose": ("rules.yaml", RULES),
    "account secrets": ("secrets.yaml", "secret: made-up-secret\n"),
    "account propose": ("account.yaml", "slug: qinghe-wx\nname: 青禾政务\n"),
    "roster propose": ("roster.yaml", "lines: []\n"),
    "library amend": ("amend.yaml", "2: 第二条 每人每月补贴900元。\n"),
    "consult propose": ("consult.yaml", "title: 征求意见\n"),
    "source import": ("list.csv", "单位名称\n草原通讯社\n"),
    "report give": ("cells.json", "{}"),
}
"""What a command reads before it knows who asks; any other gets a policy as a text file."""
ALSO = {"account secrets": "--from"}
"""Options that take such a file and stand in for a prompt."""
POLICY = ("policy.txt", "青禾县就业补贴办法\n第一条 每人每月补贴800元。\n")
WORDS = {
    **{"klass": "日常", "version": "1", "login": "admin2", "role": "editor"},
    **{"hosts": "www.beiyuan.example.cn", "on": "2027-01-01", "fields": "issuer=青禾县"},
}
"""Parameters that are checked for their sort at once; every other text is taken as it comes."""


def with_by(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command below that has the option, whatever its file calls it."""
    for name, command in tree.commands.items():
        found = command.load() if hasattr(command, "load") else command
        if hasattr(found, "commands"):
            yield from with_by(found, (*path, name))
        elif any("--by" in one.opts for one in found.params):
            yield " ".join((*path, name)), found


COMMANDS = dict(with_by(get_command(cli.shenfa)))


def line_of(name: str, folder: Path) -> list[str]:
    """The command with every required parameter given something it can read."""
    file, text = FILES.get(name, POLICY)
    (folder / file).write_text(text, encoding="utf-8")
    words, hints = name.split(), get_type_hints(COMMANDS[name].callback)
    if name in ALSO:
        words += [ALSO[name], str(folder / file)]
    for one in COMMANDS[name].params:
        if not one.required or "--by" in one.opts:
            continue
        reads = "Path" in str(hints[one.name])
        given = str(folder / file) if reads else WORDS.get(one.name, "一份依据文件")
        words += [given] if one.param_type_name == "argument" else [one.opts[0], given]
    return words


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("office")
    staff = [
        StaffSetup(login=login, name=login, roles=roles, password=PASSWORD)
        for login, roles in STAFF.items()
    ]
    asyncio.run(initialise(Settings(home=home), Setup(organisation="青禾县", staff=staff)))
    return home


def signed(home: Path) -> list[str]:
    """The kinds of every entry in the ledger, in order."""
    with sqlite3.connect(home / "shenfa.db") as stored:
        return [row[0] for row in stored.execute("SELECT kind FROM ledger_entry ORDER BY seq")]


def said(home: Path, words: list[str], password: str) -> str:
    """What `main` would print before it leaves, or what the command printed."""
    line = [*words, "--by", "admin1", "--home", str(home)]
    done = CliRunner().invoke(cli.shenfa, line, env={"SHENFA_PASSWORD": password})
    if isinstance(done.exception, Refused | ValueError):
        return str(done.exception)
    assert not isinstance(done.exception, Exception), done.exception
    return done.output


def test_the_commands_that_sign_for_somebody_are_found() -> None:
    known = {
        "library import",
        "library repeal",
        "library amend",
        "source add",
        "source import",
        "proposals approve",
    }
    assert known | {"staff reset-password", "rules rollback"} <= COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_signed_before_the_password_held(
    name: str, initialised: Path, tmp_path: Path
) -> None:
    shutil.copytree(initialised, home := tmp_path / "home")
    words, before = line_of(name, tmp_path), signed(home)
    assert "本人的密码" in said(home, words, "")
    assert "登录名或密码不对" in said(home, words, "not-the-password")
    assert signed(home) == before
    said(home, words, PASSWORD)
    # The same words with the right password: it was the password that stood in the way.
    assert signed(home)[len(before)] == "signin"


@pytest.mark.parametrize("name", ["library import", "source add", "source import"])
def test_a_login_nobody_has_is_told_no_more_than_a_wrong_password(
    name: str, initialised: Path, tmp_path: Path
) -> None:
    shutil.copytree(initialised, home := tmp_path / "home")
    line = [*line_of(name, tmp_path), "--by", "stranger", "--home", str(home)]
    done = CliRunner().invoke(cli.shenfa, line, env={"SHENFA_PASSWORD": PASSWORD})
    assert "登录名或密码不对" in str(done.exception)
    assert "proposal.made" not in json.dumps(signed(home))
