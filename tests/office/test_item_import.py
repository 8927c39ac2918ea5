"""`shenfa item import`: a draft a file, a line of JSON each, by somebody who may write."""

import asyncio
import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from config.settings import Settings
from config.setup import Setup, StaffSetup
from office.setup import initialise
from staff.refusal import Refused

PASSWORD = "otter-lamp-39"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    people = {"writer": ["editor"], "reader": ["duty"]}
    staff = [
        StaffSetup(login=login, name=login, roles=roles, password=PASSWORD)
        for login, roles in people.items()
    ] + [StaffSetup(login="boss", name="boss", roles=["admin"], password=PASSWORD)]
    place = tmp_path / "home"
    asyncio.run(initialise(Settings(home=place), Setup(organisation="青禾县", staff=staff)))
    return place


def test_good_files_are_drafts_and_a_bad_one_is_told_in_its_line(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.html").write_text("<h1>通知</h1><p>周六</p><iframe></iframe>", encoding="utf-8")
    (tmp_path / "b.wps").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    (tmp_path / "c.txt").write_text("一段话", encoding="utf-8")
    files = [str(tmp_path / name) for name in ("a.html", "b.wps", "c.txt")]
    line = ["item", "import", *files, "--by", "writer", "--home", str(home)]
    done = CliRunner().invoke(cli.shenfa, line, env={"SHENFA_PASSWORD": PASSWORD})
    assert done.exit_code == 1
    told = [json.loads(one) for one in done.stdout.splitlines() if one.startswith("{")]
    assert [(one["file"], bool(one["item"])) for one in told] == [
        ("a.html", True),
        ("b.wps", False),
        ("c.txt", True),
    ]
    assert told[0]["title"] == "通知"
    assert "视频" in told[0]["left_out"][0]
    assert "另存为 .docx" in told[1]["refused"][0]
    with sqlite3.connect(home / "shenfa.db") as stored:
        states = stored.execute("SELECT state FROM item").fetchall()
    assert states == [("draft",), ("draft",)]


def test_who_writes_no_drafts_imports_none(home: Path, tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("一段话", encoding="utf-8")
    line = ["item", "import", str(tmp_path / "c.txt"), "--by", "reader", "--home", str(home)]
    done = CliRunner().invoke(cli.shenfa, line, env={"SHENFA_PASSWORD": PASSWORD})
    assert isinstance(done.exception, Refused)
    assert "只有编辑能导入" in str(done.exception)
