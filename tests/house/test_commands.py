"""The tree of commands: what `--help` shows is what the files say, and a file is loaded for itself.

What an unknown word is answered with stands here too.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

import cli
from ledger.append import Ledger, load_signing_key
from storage.database import Database

ROOT = Path(__file__).parents[2]
HOUSE = {"app", "sqlalchemy", "aiohttp", "tantivy", "lxml", "numpy", "alembic", "structlog"}


def shenfa(*arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """`shenfa` as it is called, with the names of what it loaded on the last line of stdout."""
    code = (
        "import sys, json, atexit; sys.argv[0] = 'shenfa'\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules))))\n"
        "import cli; cli.main()"
    )
    call = [sys.executable, "-c", code, *arguments]
    return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, input=given, check=False)


def loaded(done: "subprocess.CompletedProcess[str]") -> set[str]:
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("entry", cli.COMMANDS, ids=lambda entry: entry.name)
def test_the_line_is_the_files_own(entry: Any) -> None:
    tree: Any = get_command(cli.shenfa)
    stub = tree.commands[entry.name]
    found = stub.load()
    assert (found.name, found.help) == (entry.name, entry.help) == (stub.name, stub.help)


def test_every_file_of_commands_stands_in_the_table() -> None:
    files = {
        path.stem
        for path in (ROOT / "commands").glob("*.py")
        if "\ngroup = " in path.read_text(encoding="utf-8")
    }
    assert files == {entry.file for entry in cli.COMMANDS}


def test_help_loads_no_room() -> None:
    done = shenfa("--help")
    assert (done.returncode, "台账：导出、核验、锚定" in done.stdout) == (0, True)
    assert not loaded(done) & HOUSE


async def test_an_auditor_loads_no_office(tmp_path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'shenfa.db'}")
    await db.create_all()
    made = Ledger(db, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl", ())
    async with made.transaction() as tx:
        await tx.append("decision", subject="item:a", actor="p", body={})
    (tmp_path / "x").write_text("\n".join([line async for line in made.export()]) + "\n")
    (tmp_path / "k").write_text(made.public_hex + "\n")
    await db.close()
    given = "--export", str(tmp_path / "x"), "--public-key", str(tmp_path / "k")
    done = shenfa("ledger", "verify", *given)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        "台账完好：1 条，其中 1 条有签名",
    )
    assert not loaded(done) & HOUSE


def test_a_check_loads_the_gates_alone() -> None:
    done = shenfa("check", "--jsonl", given='{"id": 1, "text": "按装设备"}\n')
    assert json.loads(done.stdout.splitlines()[0])["id"] == 1
    assert not loaded(done) & (HOUSE - {"numpy", "lxml"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chek"], "shenfa 没有“chek”这条命令，最接近的是 check：请用 shenfa --help 查看"),
        (["ledger", "verfy"], "shenfa ledger 没有“verfy”这条命令，最接近的是 verify："),
        (["ledger", "verify", "--jso"], "没有“--jso”这个选项，最接近的是 --json："),
        (["rules", "list", "--gat", "law"], "没有“--gat”这个选项，最接近的是 --gate："),
        (["--hlp"], "shenfa 没有“--hlp”这个选项，最接近的是 --help："),
        (["完全不像"], "shenfa 没有“完全不像”这条命令：请用 shenfa --help 查看"),
        (["check", "-x"], "shenfa check 没有“-x”这个选项：请用 shenfa check --help 查看"),
    ],
)
def test_an_unknown_word_names_the_nearest(arguments: list[str], words: str) -> None:
    done = shenfa(*arguments)
    assert (done.returncode, done.stderr.count("\n"), words in done.stderr) == (2, 1, True)
