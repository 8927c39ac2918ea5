"""What an operator does: back up, lose the machine, restore, and have an auditor verify."""

import asyncio
import io
import json
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

import cli
from app import open_shenfa
from bench.office import PEOPLE, released
from bot.contract import State
from bot.models import InboundMessage, Process, Publication
from commands.lines import BadInput
from config.clock import BEIJING, now
from config.settings import Settings
from config.setup import AccountSetup, Setup, SetupError, StaffSetup
from content_sources.models import Sketch
from gates.statutes import STATUTES
from ledger.append import Ledger
from ledger.models import Incident
from ledger.verify import verify_export
from office import nightly
from office.backup import make_backup
from office.dumps import is_empty
from office.nightly import back_up_due
from office.restore import restore
from office.setup import initialise
from review_queue import publishing
from staff.models import Staff
from storage.database import Database
from storage.sealed_files import MAGIC, Damaged, SealedReader, SealedWriter, WrongKey
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


async def make_office(settings: Settings) -> None:
    """An office with one post scheduled for tomorrow."""
    staff = [
        StaffSetup(login=login, name=login, roles=roles, password="otter-lamp-39")
        for login, roles in PEOPLE.items()
    ]
    await initialise(settings, Setup(organisation="青禾县", staff=staff, accounts=[ACCOUNT]))
    async with open_shenfa(settings) as shenfa:
        item_id, _ = await released(shenfa)
        async with shenfa.db.session() as session:
            found = select(Staff.id).where(Staff.login == "editor")
            editor = (await session.scalars(found)).one()
        await publishing.schedule(shenfa.queue, item_id, editor, now() + timedelta(days=1))


@pytest.fixture(scope="module")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such an office, made once."""
    path = tmp_path_factory.mktemp("first") / "home"
    asyncio.run(make_office(Settings(home=path)))
    return path


@pytest.fixture
def home(first_home: Path, tmp_path: Path) -> Settings:
    """A copy of it."""
    shutil.copytree(first_home, tmp_path / "home")
    return Settings(home=tmp_path / "home")


def server_of(old: Settings) -> str:
    return "" if old.database_url.startswith("sqlite") else old.database_url


def empty_home(old: Settings, folder: Path) -> Settings:
    """A home with nothing but the keys of another."""
    new = Settings(home=folder, database_url=server_of(old))
    shutil.copytree(old.home / "keys", folder / "keys")
    return new


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
    made = await make_backup(home, tmp_path / "b.backup")
    assert (tmp_path / "b.backup").stat().st_mode & 0o077 == 0
    new = empty_home(home, tmp_path / "new")
    done = await restore(new, tmp_path / "b.backup", ())
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
    await make_backup(home, tmp_path / "b.backup")
    await more(home, 3)
    new = empty_home(home, tmp_path / "new")
    assert home.anchor_file is not None
    done = await restore(new, tmp_path / "b.backup", [home.anchor_file])
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
    await make_backup(home, tmp_path / "b.backup")
    await more(home, 3)
    new = empty_home(home, tmp_path / "new")
    done = await restore(new, tmp_path / "b.backup", ())
    async with open_shenfa(new) as shenfa:
        ok, first_bad, _ = await verdict_of(shenfa.ledger, lines(home.anchor_file))
        assert (ok, first_bad) == (False, done.gap.entry)


async def test_a_declared_gap_excuses_no_later_cut(home: Settings, tmp_path: Path) -> None:
    await make_backup(home, tmp_path / "b.backup")
    await more(home, 30)
    new = empty_home(home, tmp_path / "new")
    assert home.anchor_file is not None
    done = await restore(new, tmp_path / "b.backup", [home.anchor_file])
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
    await make_backup(home, tmp_path / "b.backup")
    new = empty_home(home, tmp_path / "new")
    done = await restore(new, tmp_path / "b.backup", ())
    assert done.unsure == 1
    async with open_shenfa(new) as shenfa, shenfa.db.session() as session:
        post = (await session.scalars(select(Publication))).one()
        assert post.state == State.UNKNOWN
        assert "核对" in post.reason
        assert list(await session.scalars(select(InboundMessage.waits))) == [""]
        assert list(await session.scalars(select(Process.id))) == []


async def test_a_backup_shows_nothing_and_needs_both_old_keys_in_place(
    home: Settings, tmp_path: Path
) -> None:
    await make_backup(home, tmp_path / "b.backup")
    raw = (tmp_path / "b.backup").read_bytes()
    keys = [path.read_bytes().strip() for path in (home.home / "keys").iterdir()]
    assert len(keys) == 2
    for secret in (*keys, *(bytes.fromhex(key.decode()) for key in keys), b"ledger_entry"):
        assert secret not in raw
    assert not list(home.home.glob("backup-*"))
    for missing in ("ledger.key", "data.key"):
        new = empty_home(home, tmp_path / missing)
        (new.home / "keys" / missing).unlink()
        with pytest.raises(SetupError, match=f"没有密钥.*{missing}"):
            await restore(new, tmp_path / "b.backup", ())
        (new.home / "keys" / missing).write_text("11" * 32)
        with pytest.raises(SetupError, match=f"{missing} 不是这份备份的"):
            await restore(new, tmp_path / "b.backup", ())
        (new.home / "keys" / missing).write_text("no key")
        with pytest.raises(SetupError, match=f"{missing} 读不出"):
            await restore(new, tmp_path / "b.backup", ())
        assert untouched(new)


def untouched(new: Settings) -> bool:
    """Whether nothing but its keys is there."""
    return [path.name for path in new.home.iterdir()] == ["keys"]


async def test_whatever_is_wrong_with_a_backup_is_said_before_anything_is_changed(
    home: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "b.backup"
    await make_backup(home, file)
    with pytest.raises(SetupError, match="已存在"):
        await make_backup(home, file)
    with pytest.raises(SetupError, match="没有目录"):
        await make_backup(home, tmp_path / "absent" / "b")
    with pytest.raises(SetupError, match="空的数据目录"):
        await restore(home, file, ())
    new = empty_home(home, tmp_path / "new")
    whole = file.read_bytes()
    end = whole.index(b"\n", len(MAGIC)) + 1
    rest = whole[end:]
    bad = "读不出，或不是完整的备份"
    for damaged, words in (
        (whole[: len(whole) // 2], bad),
        (whole[:-1], bad),
        (whole[:end], bad),
        (whole[: end - 1], bad),
        (whole + b"x", bad),
        (whole[: end + 99] + b"x" + whole[end + 100 :], bad),
        (whole.replace(b'"entries": ', b'"entries": 1', 1), bad),
        (MAGIC + b"[1]\n" + rest, bad),
        (MAGIC + b"{}\n" + rest, bad),
        (b"", bad),
        (b"x" * 100, bad),
        (b"\x1f\x8b" + b"x" * 100, "旧版本"),
        (whole.replace(b'"format": 2', b'"format": 3', 1), "更新的版本.*先升级"),
        (whole.replace(b'"revision": "0', b'"revision": "9', 1), "更新的版本.*先升级"),
        (whole.replace(b'"sqlite"', b'"postgresql"', 1), "PostgreSQL 的备份.*DATABASE_URL"),
    ):
        file.write_bytes(damaged)
        with pytest.raises(SetupError, match=words):
            await restore(new, file, ())
        assert untouched(new), damaged[:60]
    file.write_bytes(whole)
    with pytest.raises(SetupError, match="没有锚定文件"):
        await restore(new, file, [tmp_path / "absent"])
    assert untouched(new)


async def test_parts_are_told_apart_by_their_chunks(tmp_path: Path) -> None:
    key, chunk = b"k" * 32, (1 << 20) + 16
    with (tmp_path / "f").open("wb") as file:
        sealed = SealedWriter(file, key, {"format": 2})
        sealed.write(b"a" * (3 << 20))
        sealed.close()
    whole = (tmp_path / "f").read_bytes()
    start = len(whole) - 3 * chunk
    first, second, third = (whole[start + i * chunk : start + (i + 1) * chunk] for i in range(3))

    def reads(*chunks: bytes) -> int:
        reader = SealedReader(io.BytesIO(b"".join((whole[:start], *chunks))), key)
        return len(reader.read(9 << 20))

    assert reads(first, second, third) == 3 << 20
    for chunks in ((first, second), (second, first, third), (first, third), (first, first, third)):
        with pytest.raises(Damaged):
            reads(*chunks)
    with pytest.raises(WrongKey):
        SealedReader(io.BytesIO(whole), b"x" * 32)


async def test_a_night_has_its_backup_and_a_missing_one_is_told(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime(2026, 12, 1, 1, 40, tzinfo=BEIJING)

    def at(**later: int) -> None:
        monkeypatch.setattr(nightly, "now", lambda: moment + timedelta(**later))

    home.backup_folder, home.backup_keep = tmp_path / "nights", 2
    async with open_shenfa(home) as shenfa:
        at()
        assert await back_up_due(home, shenfa.ledger) == ""  # before two o'clock
        (tmp_path / "nights").mkdir()
        (tmp_path / "nights" / "somebody.backup").touch()
        for day in range(3):
            at(days=day, hours=1)
            assert (
                await back_up_due(home, shenfa.ledger) == f"shenfa-2026120{day + 1}-024000.backup"
            )
            assert await back_up_due(home, shenfa.ledger) == ""  # once a day
        kept = sorted(path.name for path in (tmp_path / "nights").iterdir())
        assert kept == [
            "shenfa-20261202-024000.backup", "shenfa-20261203-024000.backup", "somebody.backup",
        ]  # fmt: skip
        assert (await nightly.backups_check(home, shenfa.db)).state != "fail"
        home.data_key_file, key = home.home / "gone.key", home.data_key_file
        at(days=3, hours=1)
        assert await back_up_due(home, shenfa.ledger) == ""
        assert "backup_old" not in await kinds_open(shenfa.ledger)
        at(days=3, hours=20)
        for _ in range(2):
            await back_up_due(home, shenfa.ledger)
        assert (await kinds_open(shenfa.ledger)).count("backup_old") == 1
        check = await nightly.backups_check(home, shenfa.db)
        assert (check.state, "超过 36 小时" in check.words) == ("fail", True)
        home.data_key_file = key
        assert await back_up_due(home, shenfa.ledger) == "shenfa-20261204-214000.backup"
        at(days=9)  # it stood still meanwhile, and begins before two o'clock: nothing is broken
        assert await back_up_due(home, shenfa.ledger) == "shenfa-20261210-014000.backup"
        home.backup_keep = 0
        assert (await nightly.backups_check(home, shenfa.db)).state == "warn"
    home.backup_keep = 2
    done = await restore(
        empty_home(home, tmp_path / "n"), tmp_path / "nights/shenfa-20261204-214000.backup", ()
    )
    assert done.lost == 0


async def test_a_clock_that_was_wrong_stops_no_backup(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.backup_folder, home.backup_keep = tmp_path / "nights", 1
    home.backup_folder.mkdir()
    ahead, nonsense = "shenfa-20301231-030000.backup", "shenfa-20261399-990000.backup"
    for name in (ahead, nonsense):
        (home.backup_folder / name).touch()
    for day in (1, 2, 3):
        moment = datetime(2026, 12, day, 3, tzinfo=BEIJING)
        monkeypatch.setattr(nightly, "now", lambda moment=moment: moment)
        async with open_shenfa(home) as shenfa:
            made = await back_up_due(home, shenfa.ledger)
        assert made == f"shenfa-2026120{day}-030000.backup"
        kept = {path.name for path in home.backup_folder.iterdir()}
        assert kept == {made, ahead, nonsense}


async def kinds_open(ledger: Ledger) -> list[str]:
    async with ledger.db.session() as session:
        return list(
            await session.scalars(select(Incident.kind).where(Incident.closed_at.is_(None)))
        )


async def test_a_tampered_backup_is_not_restored(home: Settings, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home.home / "shenfa.db")) as database:
        database.execute("UPDATE ledger_entry SET actor = 'x', preimage = '{}' WHERE seq = 3")
        database.commit()
    await make_backup(home, tmp_path / "b.backup")
    with pytest.raises(SetupError, match="第 3 条"):
        await restore(empty_home(home, tmp_path / "new"), tmp_path / "b.backup", ())


@pytest.mark.servers
async def test_an_office_on_postgresql_comes_back_whole(postgres_url: str, tmp_path: Path) -> None:
    old = Settings(home=tmp_path / "old", database_url=postgres_url)
    await emptied(postgres_url)
    await make_office(old)
    async with open_shenfa(old) as shenfa, shenfa.db.session() as session:
        session.add(Sketch(article_id="a", signature=b"\0\t\n\\N"))
    made = await make_backup(old, tmp_path / "b.backup")
    await more(old, 3)
    new = empty_home(old, tmp_path / "new")
    with pytest.raises(SetupError, match="已有表"):
        await restore(new, tmp_path / "b.backup", ())
    with pytest.raises(SetupError, match="用的是 SQLite"):
        await restore(Settings(home=tmp_path / "lite"), tmp_path / "b.backup", ())
    await emptied(postgres_url)
    done = await restore(new, tmp_path / "b.backup", [tmp_path / "old" / "anchors.jsonl"])
    assert (done.lost, done.gap.entry) == (3, made["entries"] + 1)
    async with open_shenfa(new) as shenfa:
        assert (await shenfa.ledger.verify_whole()).ok
        assert await verdict_of(shenfa.ledger, lines(old.anchor_file)) == (True, None, [3])
        async with shenfa.db.session() as session:
            post = (await session.scalars(select(Publication))).one()
            assert (post.state, post.due_at > now()) == (State.CREATED, True)
            assert (await session.scalars(select(Sketch.signature))).one() == b"\0\t\n\\N"
            session.add(Sketch(article_id="b", signature=b""))  # its number goes on
        await shenfa.releases.verify(post.release_id)
    await a_broken_ledger_leaves_an_empty_database(new, tmp_path)


async def a_broken_ledger_leaves_an_empty_database(old: Settings, folder: Path) -> None:
    db = Database(old.database_url)
    async with db.session() as session:
        change = "UPDATE ledger_entry SET actor = 'x', preimage = '{}' WHERE seq = 3"
        await session.execute(text(change))
    await make_backup(old, folder / "broken.backup")
    await emptied(old.database_url)
    with pytest.raises(SetupError, match="第 3 条"):
        await restore(empty_home(old, folder / "third"), folder / "broken.backup", ())
    assert await is_empty(db)
    await db.close()


async def emptied(url: str) -> None:
    db = Database(url)
    async with db.engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await db.close()


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
