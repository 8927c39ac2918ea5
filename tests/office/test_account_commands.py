"""`shenfa account`: secrets, rotation, pause and closing, each by two people and shown nowhere."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from app import Shenfa, open_shenfa
from bot.contract import State
from bot.models import Publication
from cli import shenfa as tree
from config.clock import now
from config.settings import Settings
from config.setup import Setup
from demo.cast import WECHAT, setup
from office.setup import initialise
from storage.database import new_id
from supervision.trial import account_of

PASSWORD = "qing-he-2026"
SANDBOX = "127.0.0.1:9"
WX, TG = "qinghe-wx", "qinghe-tg"
WHY = ("--reason", "定期更换")
Run = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    data = setup(f"http://{SANDBOX}")
    for person in data["staff"]:
        person["password"] = PASSWORD
    settings = Settings(home=tmp_path / "home", dev=True, dev_allow=SANDBOX)
    asyncio.run(initialise(settings, Setup.model_validate(data)))
    return settings.home


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in (("DEV", "1"), ("DEV_ALLOW", SANDBOX), ("PASSWORD", PASSWORD)):
        monkeypatch.setenv(f"SHENFA_{name}", value)

    def call(*words: str, given: str = "") -> Result:
        return CliRunner().invoke(tree, [*words, "--home", str(home)], input=given)

    return call


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[Shenfa]:
    async with open_shenfa(Settings(home=home, dev=True, dev_allow=SANDBOX)) as shenfa:
        yield shenfa


def secrets_of(home: Path, slug: str) -> dict[str, str]:
    async def read() -> dict[str, str]:
        async with opened(home) as shenfa:
            row = await account_of(shenfa.db, slug)
            return shenfa.accounts.opened(row.id, row.secrets)

    return asyncio.run(read())


def proposed(done: Result) -> str:
    assert done.exit_code == 0, (done.output, done.exception)
    return str(json.loads(done.stdout.splitlines()[0])["id"])


def agreed(run: Run, number: str) -> None:
    """Not by who proposed it, then by the other admin."""
    alone = run("proposals", "approve", number, "--by", "admin1")
    assert alone.exit_code != 0
    done = run("proposals", "approve", number, "--by", "admin2")
    assert done.exit_code == 0, (done.output, done.exception)


def nowhere(home: Path, *secrets: str) -> None:
    """Neither in the database, its proposals and ledger, nor in any other file of the home."""
    connection = sqlite3.connect(home / "shenfa.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for file in home.rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            assert [one for one in secrets if one.encode() in held] == [], file.name


def test_single_secrets_come_from_a_file_or_stdin_and_the_others_stay(
    home: Path, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("secret: fresh-app-secret-of-today\n", encoding="utf-8")
    words = ("account", "secrets", WX, "--by", "admin1", *WHY, "--json")
    done = run(*words, "--from", str(file))
    number = proposed(done)
    assert "fresh-app-secret" not in done.output
    assert secrets_of(home, WX) == WECHAT
    shown = run("proposals", "show", number)
    assert "更换密钥（不显示）" in shown.output
    assert "fresh-app-secret" not in shown.output
    agreed(run, number)
    assert secrets_of(home, WX) == WECHAT | {"secret": "fresh-app-secret-of-today"}
    nowhere(home, "fresh-app-secret-of-today")


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (("--from", "FILE"), "appsecret: x\n", "没有密钥“appsecret”，只能是 appid、secret、token"),
        (("--from", "FILE"), "secret: ''\n", "不能是空的"),
        (("--from", "FILE"), "aes_key: short\n", "必须是 43 个字符"),
        (("secret",), "", "在终端里写名称（如 secret），或用 --from 文件"),
    ],
)
def test_what_cannot_be_a_secret_is_told_and_nothing_is_proposed(
    run: Run, tmp_path: Path, words: tuple[str, ...], text: str, said: str
) -> None:
    file = tmp_path / "new.yaml"
    file.write_text(text, encoding="utf-8")
    given = [str(file) if one == "FILE" else one for one in words]
    done = run("account", "secrets", WX, *given, "--by", "admin1", *WHY)
    assert said in str(done.exception)
    assert run("proposals", "list", "--json").stdout.strip() == ""


def test_rotation_makes_what_the_office_thinks_up_itself_and_shows_it_to_its_owner_alone(
    home: Path, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "rotated.yaml"
    words = ("account", "rotate", WX, "--by", "admin1", *WHY, "--json", "--to", str(file))
    done = run(*words)
    number = proposed(done)
    fresh = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert set(fresh) == {"token", "aes_key"}
    assert (len(fresh["token"]), len(fresh["aes_key"])) == (32, 43)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not any(value in done.output for value in fresh.values())
    agreed(run, number)
    assert secrets_of(home, WX) == WECHAT | fresh
    nowhere(home, *fresh.values())
    again = run(*words)
    assert "已经有了" in str(again.exception)


def test_an_account_is_paused_and_resumed_by_two(home: Path, run: Run) -> None:
    for verb, state in (("pause", True), ("resume", False)):
        agreed(run, proposed(run("account", verb, TG, "--by", "admin1", *WHY, "--json")))
        listed = run("account", "list").stdout
        assert ("qinghe-tg" in listed, "已停用" in listed) == (True, state)


def announcement(home: Path, slug: str) -> str:
    """A publication that went out on this account."""

    async def make() -> str:
        async with opened(home) as shenfa, shenfa.db.session() as session:
            account = await account_of(shenfa.db, slug)
            row = Publication(
                id=new_id(), release_id=new_id(), item_id=new_id(), account_id=account.id,
                digest="0" * 64, state=State.PUBLISHED, due_at=now(), published_at=now(),
            )  # fmt: skip
            session.add(row)
            await session.flush()
            return row.id

    return asyncio.run(make())


def test_an_account_is_closed_in_three_steps_and_never_opened_again(home: Path, run: Run) -> None:
    def step(name: str, proof: str) -> Result:
        words = ("--step", name, "--proof", proof, "--by", "admin1", *WHY, "--json")
        return run("account", "close", TG, *words)

    number = announcement(home, TG)
    assert "下一步是“发停更公告”" in str(step("cancelled", "2026-01-01").exception)
    assert "停更公告要先从这个账号发出" in str(step("announced", "x").exception)
    other = announcement(home, WX)
    assert "停更公告要先从这个账号发出" in str(step("announced", other).exception)
    agreed(run, proposed(step("announced", number)))
    assert "关停中，还差：在平台注销、关停备案" in run("account", "list").stdout
    assert "注销日期还没有到" in str(step("cancelled", "2099-01-01").exception)
    agreed(run, proposed(step("cancelled", "2026-01-01")))
    back = run("account", "resume", TG, "--by", "admin1", *WHY)
    assert "账号已在平台注销，不能再启用" in str(back.exception)
    agreed(run, proposed(step("filed", "青政务新媒体备〔2026〕3号")))
    listed = run("account", "list").stdout
    assert ("已停用" in listed, "已关停" in listed) == (True, True)
    assert "已经办完关停" in str(step("filed", "x").exception)

    async def entries() -> list[Any]:
        async with opened(home) as shenfa:
            row = await account_of(shenfa.db, TG)
            told = await shenfa.ledger.facts(f"account:{row.id}")
            return [one.body["step"] for one in told if one.kind == "account.closing"]

    assert asyncio.run(entries()) == ["announced", "cancelled", "filed"]
