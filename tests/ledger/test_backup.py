"""What an operator does: back up, lose the machine, restore, and have an auditor verify."""

import asyncio
import json
import shutil
import sqlite3
import tarfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

import cli
from app import open_shenfa
from bench.office import PEOPLE, released
from bot.contract import State
from bot.models import InboundMessage, Process, Publication
from commands.lines import BadInput
from config.clock import now
from config.settings import Settings
from config.setup import AccountSetup, Setup, SetupError, StaffSetup
from gates.statutes import STATUTES
from ledger.append import Ledger
from ledger.verify import verify_export
from office.backup import make_backup, restore
from office.setup import initialise
from review_queue import publishing
from staff.models import Staff
from storage.switches import Switch
from tests.ledger.conftest import decide, exported

ACCOUNT = AccountSetup(
    slug="bench",
    platform="telegram",
    name="青禾发布",
    api_base="https://platform.invalid",  # a name that leads nowhere, whatever the network
    secrets={"token": "7:bench", "webhook_secret": "bench", "chat": "@bench"},
    assessment_ref="bench",
)


@pytest.fixture(scope="module")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An office with one post scheduled for tomorrow, made once."""

    async def make(settings: Settings) -> None:
        staff = [
            StaffSetup(login=login, name=login, roles=roles, password="x" * 12)
            for login, roles in PEOPLE.items()
        ]
        await initialise(settings, Setup(organisation="青禾县", staff=staff, accounts=[ACCOUNT]))
        async with open_shenfa(settings) as shenfa:
            item_id, _ = await released(shenfa)
            async with shenfa.db.session() as session:
                found = select(Staff.id).where(Staff.login == "editor")
                editor = (await session.scalars(found)).one()
            await publishing.schedule(shenfa.queue, item_id, editor, now() + timedelta(days=1))

    path = tmp_path_factory.mktemp("first") / "home"
    asyncio.run(make(Settings(home=path)))
    return path


@pytest.fixture
def home(first_home: Path, tmp_path: Path) -> Settings:
    """A copy of it."""
    shutil.copytree(first_home, tmp_path / "home")
    return Settings(home=tmp_path / "home")


async def more(settings: Settings, count: int) -> None:
    """Work after the backup."""
    async with open_shenfa(settings) as shenfa:
        await decide(shenfa.ledger, count, "item:later")


async def verdict_of(ledger: Ledger, anchors: list[str]) -> tuple[bool, int | None, list[int]]:
    found = verify_export(await exported(ledger), ledger.public_key, anchors)
    return found.ok, found.first_bad, [gap.last - gap.first + 1 for gap in found.gaps]


def lines(path: Path | None) -> list[str]:
    assert path is not None
    return path.read_text().splitlines()


async def test_a_restored_office_verifies_and_keeps_its_scheduled_post(
    home: Settings, tmp_path: Path
) -> None:
    made = make_backup(home, tmp_path / "b.tar.gz", with_keys=True)
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0
    new = Settings(home=tmp_path / "new")
    done = await restore(new, tmp_path / "b.tar.gz", ())
    assert (done.lost, done.unsure, done.gap.entry) == (0, 0, made["entries"] + 1)
    async with open_shenfa(new) as shenfa:
        assert await verdict_of(shenfa.ledger, lines(home.anchor_file)) == (True, None, [0])
        assert (await shenfa.ledger.verify_whole()).ok
        async with shenfa.db.session() as session:
            post = (await session.scalars(select(Publication))).one()
            stops = (await session.scalars(select(Switch))).all()
        assert (post.state, post.due_at > now(), list(stops)) == (State.CREATED, True, [])
        await shenfa.releases.verify(post.release_id)
    assert new.ledger_key_file is not None
    assert new.ledger_key_file.stat().st_mode & 0o077 == 0


async def test_what_was_lost_is_a_declared_gap_and_publishing_waits_for_a_person(
    home: Settings, tmp_path: Path
) -> None:
    make_backup(home, tmp_path / "b.tar.gz", with_keys=True)
    await more(home, 3)
    new = Settings(home=tmp_path / "new")
    assert home.anchor_file is not None
    done = await restore(new, tmp_path / "b.tar.gz", [home.anchor_file])
    assert done.lost == 3
    async with open_shenfa(new) as shenfa:
        held = lines(home.anchor_file)
        assert await verdict_of(shenfa.ledger, held) == (True, None, [3])
        assert await verdict_of(shenfa.ledger, held + lines(new.anchor_file)) == (True, None, [3])
        assert (await shenfa.ledger.verify_whole()).ok
        await shenfa.ledger.refresh()
        async with shenfa.db.session() as session:
            stops = {row.name: row.stopped for row in await session.scalars(select(Switch))}
        assert stops == {"publishing": True, "push": True}
        await decide(shenfa.ledger, 5, "item:new")
        assert (await shenfa.ledger.verify_whole()).ok


async def test_a_gap_nobody_declared_stays_a_break(home: Settings, tmp_path: Path) -> None:
    make_backup(home, tmp_path / "b.tar.gz", with_keys=True)
    await more(home, 3)
    new = Settings(home=tmp_path / "new")
    done = await restore(new, tmp_path / "b.tar.gz", ())
    async with open_shenfa(new) as shenfa:
        ok, first_bad, _ = await verdict_of(shenfa.ledger, lines(home.anchor_file))
        assert (ok, first_bad) == (False, done.gap.entry)


async def test_a_declared_gap_excuses_no_later_cut(home: Settings, tmp_path: Path) -> None:
    make_backup(home, tmp_path / "b.tar.gz", with_keys=True)
    await more(home, 30)
    new = Settings(home=tmp_path / "new")
    assert home.anchor_file is not None
    done = await restore(new, tmp_path / "b.tar.gz", [home.anchor_file])
    await more(new, 5)
    kept = lines(new.anchor_file)
    with closing(sqlite3.connect(new.home / "shenfa.db")) as database:
        last = done.gap.entry + 4
        database.execute("DELETE FROM ledger_entry WHERE seq > ?", (last,))
        database.commit()
    async with open_shenfa(new) as shenfa:
        ok, first_bad, _ = await verdict_of(shenfa.ledger, kept)
        assert (ok, first_bad) == (False, last + 1)


async def test_what_was_due_before_the_restore_is_not_sent_again(
    home: Settings, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(home.home / "shenfa.db")) as database:
        database.execute("UPDATE publication SET due_at = '2026-01-01 00:00:00.000000'")
        database.execute(
            "INSERT INTO inbound_message (id, account_id, dedupe, kind, text, at, waits)"
            " VALUES ('act', 'a', 'm:1', 'text', '问', '2026-01-01 00:00:00', 'waits')"
        )
        database.execute(
            "INSERT INTO process (id, place, since, until, worked)"
            " VALUES ('one', '', 1.0, 9e9, 1.0)"
        )
        database.commit()
    make_backup(home, tmp_path / "b.tar.gz", with_keys=True)
    new = Settings(home=tmp_path / "new")
    done = await restore(new, tmp_path / "b.tar.gz", ())
    assert done.unsure == 1
    async with open_shenfa(new) as shenfa, shenfa.db.session() as session:
        post = (await session.scalars(select(Publication))).one()
        assert post.state == State.UNKNOWN
        assert "核对" in post.reason
        assert list(await session.scalars(select(InboundMessage.waits))) == [""]
        assert list(await session.scalars(select(Process.id))) == []


async def test_a_backup_without_keys_needs_the_old_ones_in_place(
    home: Settings, tmp_path: Path
) -> None:
    make_backup(home, tmp_path / "b.tar.gz", with_keys=False)
    with tarfile.open(tmp_path / "b.tar.gz") as archive:
        assert "ledger.key" not in archive.getnames()
    new = Settings(home=tmp_path / "new")
    with pytest.raises(SetupError, match="没有密钥"):
        await restore(new, tmp_path / "b.tar.gz", ())
    wrong = Settings(home=tmp_path / "wrong")
    for path in (wrong.ledger_key_file, wrong.data_key_file):
        assert path is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("11" * 32)
    with pytest.raises(SetupError, match="不是这份备份的"):
        await restore(wrong, tmp_path / "b.tar.gz", ())
    assert not (wrong.home / "shenfa.db").exists()


async def test_a_home_in_use_and_a_damaged_backup_are_refused(
    home: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "b.tar.gz"
    make_backup(home, file, with_keys=True)
    with pytest.raises(SetupError, match="已存在"):
        make_backup(home, file, with_keys=True)
    with pytest.raises(SetupError, match="空的数据目录"):
        await restore(home, file, ())
    new = Settings(home=tmp_path / "new")
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"x" * 100):
        file.write_bytes(damaged)
        with pytest.raises(SetupError, match="读不出"):
            await restore(new, file, ())
    assert not (new.home / "shenfa.db").exists()


async def test_a_tampered_backup_is_not_restored(home: Settings, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home.home / "shenfa.db")) as database:
        database.execute("UPDATE ledger_entry SET actor = 'x', preimage = '{}' WHERE seq = 3")
        database.commit()
    make_backup(home, tmp_path / "b.tar.gz", with_keys=True)
    with pytest.raises(SetupError, match="第 3 条"):
        await restore(Settings(home=tmp_path / "new"), tmp_path / "b.tar.gz", ())


async def test_postgresql_is_told_what_to_do_instead(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql+asyncpg://x/y")
    with pytest.raises(SetupError, match="pg_dump"):
        make_backup(settings, tmp_path / "b", with_keys=False)


# --- the command line ---------------------------------------------------------------------


def run(*args: object) -> tuple[int, str]:
    """Exit code and output of `shenfa`, as `main` gives them."""
    result = CliRunner().invoke(cli.shenfa, [str(one) for one in args])
    if isinstance(result.exception, BadInput | SetupError):
        return 2, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
async def export(home: Settings, tmp_path: Path) -> Path:
    async with open_shenfa(home) as shenfa:
        (tmp_path / "x").write_text("\n".join(await exported(shenfa.ledger)) + "\n")
        (tmp_path / "k").write_text(shenfa.ledger.public_hex + "\n")
    (tmp_path / "a").write_text("\n".join(lines(home.anchor_file)) + "\n")
    return tmp_path / "x"


def test_verify_names_what_was_done_to_the_file(export: Path) -> None:
    key, anchor = export.with_name("k"), export.with_name("a")
    base = ("ledger", "verify", "--export", export, "--public-key", key, "--anchor", anchor)
    code, words = run(*base)
    assert (code, "台账完好" in words) == (0, True)
    whole = export.read_text().splitlines(keepends=True)
    count = sum('"preimage"' in line for line in whole)
    for changed, first_bad in (
        ([*whole[:4], whole[4].replace('v\\":1', 'v\\":3'), *whole[5:]], 5),
        ([*whole[:4], *whole[5:]], 5),
        ([*whole[:4], whole[3], *whole[4:]], 5),
        ([*whole[:4], whole[5], whole[4], *whole[6:]], 5),
        (whole[: count - 2], count - 1),
        (whole[:-1], count + 1),
    ):
        export.write_text("".join(changed))
        code, words = run(*base, "--json")
        assert (code, json.loads(words)["first_bad"]) == (1, first_bad)


def test_verify_says_in_one_line_what_it_cannot_read(export: Path) -> None:
    key = export.with_name("k")
    absent = export.with_name("absent")
    assert run("ledger", "verify", "--export", absent, "--public-key", key)[0] == 2
    assert run("ledger", "verify", "--export", export, "--public-key", absent)[0] == 2
    assert run("ledger", "verify", "--export", export)[0] == 2
    base = ("ledger", "verify", "--public-key", key, "--export")
    code, words = run(*base, export, "--anchor", absent)
    assert (code, "absent" in words) == (2, True)
    binary = export.with_name("binary")
    binary.write_bytes(b"\xff\xfe\x00")
    assert run(*base, binary)[0] == 2
    key.write_text("ab" * 32)
    code, words = run("ledger", "verify", "--export", export, "--public-key", key)
    assert (code, "公钥" in words) in ((1, True), (2, True))


def test_doctor_fails_on_what_must_not_be(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHENFA_PORT", "0")
    code, words = run("doctor", "--home", home.home, "--json")
    checks = {row["name"]: row for row in json.loads(words)}
    # An office that nobody is on duty in and whose platform knows no such bot is not ready.
    unready = {"值班提醒", "账号 bench 凭证"}
    assert code == 1, words
    assert {name for name, row in checks.items() if row["state"] == "fail"} == unready
    assert checks["台账"]["state"] == "ok"
    assert checks["锚定"]["state"] == "warn"  # the same file system
    assert str(STATUTES.checked) in checks["法律法规表"]["words"]
    assert checks["通行密钥"]["state"] == "warn"  # an address without a name
    assert home.ledger_key_file is not None
    home.ledger_key_file.chmod(0o644)
    monkeypatch.setenv("SHENFA_DEV", "1")
    monkeypatch.setenv("SHENFA_PUBLIC_URL", "https://shenfa.qinghe.example")
    with closing(sqlite3.connect(home.home / "shenfa.db")) as database:
        database.execute("DELETE FROM ledger_entry WHERE seq = 4")
        database.execute("UPDATE staff SET active = 0 WHERE login = 'third'")
        database.commit()
    code, words = run("doctor", "--home", home.home, "--json")
    checks = {row["name"]: row for row in json.loads(words)}
    assert code == 1
    assert {name for name, row in checks.items() if row["state"] == "fail"} == {
        "开发模式",
        "台账私钥",
        "台账",
        "账号 bench 账号",
    }
    assert "第 4 条" in checks["台账"]["words"]
    assert (checks["人员"]["state"], checks["通行密钥"]["state"]) == ("warn", "ok")


def test_doctor_finds_a_key_in_the_database_and_a_home_never_begun(
    home: Settings, tmp_path: Path
) -> None:
    assert home.data_key_file is not None
    with closing(sqlite3.connect(home.home / "shenfa.db")) as database:
        database.execute("CREATE TABLE notes (x TEXT)")
        database.execute("INSERT INTO notes VALUES (?)", (home.data_key_file.read_text(),))
        database.commit()
    code, words = run("doctor", "--home", home.home)
    assert (code, "写在数据库里" in words) == (1, True)
    code, words = run("doctor", "--home", tmp_path / "nowhere")
    assert (code, "shenfa init" in words) == (1, True)
