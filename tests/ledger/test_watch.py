"""Checkpoints, the job that verifies, and the anchors that go over a network."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from config.clock import now, use_clock_file
from ledger.append import Ledger
from ledger.models import AnchorPlace, Incident, LedgerEntry
from ledger.remote import RemoteAnchors
from ledger.verify import verify_export
from ledger.watch import Watch
from storage.database import Database
from storage.switches import Switch
from storage.triggers import triggers_of
from tests.ledger.conftest import decide, exported, open_ledger

Move = Callable[[int], None]


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Move]:
    """Move the office's clock forward by seconds."""
    file, passed = tmp_path / "clock", [0]
    use_clock_file(file)

    def move(seconds: int) -> None:
        passed[0] += seconds
        file.write_text(str(passed[0]))

    yield move
    use_clock_file(None)


async def sign_in(ledger: Ledger, count: int = 1) -> None:
    async with ledger.transaction() as tx:
        for _ in range(count):
            await tx.append("signin", subject="staff:p", actor="p", body={})


async def kinds(ledger: Ledger) -> list[str]:
    async with ledger.db.session() as session:
        return list(
            (await session.scalars(select(LedgerEntry.kind).order_by(LedgerEntry.seq))).all()
        )


async def test_what_is_unsigned_is_signed_over_within_a_minute(ledger: Ledger, later: Move) -> None:
    await sign_in(ledger)
    assert await ledger.checkpoint_due() is None
    later(45)
    assert await ledger.checkpoint_due() == 7
    assert verify_export(await exported(ledger), ledger.public_key).tail == 0


async def test_an_idle_office_writes_no_checkpoints(ledger: Ledger, later: Move) -> None:
    for _ in range(3):
        later(3_600)
        assert await ledger.checkpoint_due() is None
    assert await kinds(ledger) == ["decision"] * 5


async def test_a_checkpoint_comes_before_a_thousand_entries_are_unsigned(ledger: Ledger) -> None:
    await sign_in(ledger, 1_996)
    found = await kinds(ledger)
    assert [number for number, kind in enumerate(found, 1) if kind == "checkpoint"] == [1000, 2000]
    assert verify_export(await exported(ledger), ledger.public_key).ok


async def stops(ledger: Ledger) -> dict[str, bool]:
    async with ledger.db.session() as session:
        return {row.name: row.stopped for row in await session.scalars(select(Switch))}


async def incidents(ledger: Ledger) -> list[Incident]:
    async with ledger.db.session() as session:
        return list((await session.scalars(select(Incident))).all())


async def test_a_whole_ledger_raises_no_alarm(ledger: Ledger) -> None:
    watch = Watch(ledger)
    assert await watch.look() is None
    assert await watch.look() is None
    assert await stops(ledger) == {}
    assert await incidents(ledger) == []


async def test_a_break_stops_publishing_and_opens_one_incident_that_names_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    async with ledger.db.session() as session:
        await session.execute(text("UPDATE ledger_entry SET actor = 'x', hash = 'y' WHERE seq = 3"))
    watch = Watch(open_ledger(tmp_path, ledger.db))
    for _ in range(3):
        broken = await watch.look()
        assert broken is not None
        assert broken.seq == 3
    assert await stops(ledger) == {"publishing": True, "push": True}
    (incident,) = await incidents(ledger)
    assert (incident.kind, incident.detail["first_bad"]) == ("ledger_broken", 3)
    assert "第 3 条" in incident.message
    assert (await kinds(ledger)).count("switch.set") == 2


async def test_an_entry_whose_subject_column_is_rewritten_at_once_stops_publishing(
    ledger: Ledger,
) -> None:
    watch = Watch(ledger)
    assert await watch.look() is None
    await decide(ledger, 1, "rules")
    async with ledger.db.session() as session:
        await session.execute(text("UPDATE ledger_entry SET subject = 'x' WHERE seq = 6"))
    for _ in range(2):
        broken = await watch.look()
        assert broken is not None
        assert broken.seq == 6
    assert await stops(ledger) == {"publishing": True, "push": True}
    (incident,) = await incidents(ledger)
    assert (incident.kind, incident.detail["first_bad"]) == ("ledger_broken", 6)


async def test_publishing_stays_stopped_when_the_row_is_put_back(ledger: Ledger) -> None:
    watch = Watch(ledger)
    await watch.look()
    async with ledger.db.session() as session:
        await session.execute(text("UPDATE ledger_entry SET seq = 50 WHERE seq = 5"))
    assert await watch.look() is not None
    async with ledger.db.session() as session:
        await session.execute(text("DELETE FROM ledger_entry WHERE seq > 50"))
        await session.execute(text("UPDATE ledger_entry SET seq = 5 WHERE seq = 50"))
    await watch.look()
    assert (await stops(ledger))["publishing"]


async def test_once_a_day_a_change_of_long_ago_is_found(ledger: Ledger, later: Move) -> None:
    watch = Watch(ledger)
    assert await watch.look() is None
    async with ledger.db.session() as session:
        await session.execute(text("DELETE FROM ledger_entry WHERE seq = 2"))
    assert await watch.look() is None
    later(25 * 3_600)
    broken = await watch.look()
    assert broken is not None
    assert broken.seq == 2


# --- anchors ------------------------------------------------------------------------------


async def test_every_anchor_file_has_the_entry_before_it_is_acknowledged(
    tmp_path: Path, database: Database
) -> None:
    places = [tmp_path / "b" / "anchors.jsonl", tmp_path / "c" / "anchors.jsonl"]
    ledger = open_ledger(tmp_path, database, *places)
    await decide(ledger, 2)
    for path in (ledger.anchor_path, *places):
        assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 2]


async def test_an_entry_is_not_acknowledged_when_an_anchor_cannot_be_written(
    tmp_path: Path, database: Database
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    ledger = open_ledger(tmp_path, database, blocked / "anchors.jsonl")
    with pytest.raises(OSError, match="file"):
        await decide(ledger, 1)


async def test_a_place_out_of_reach_is_told_later_and_its_lag_is_seen(
    ledger: Ledger, later: Move
) -> None:
    got: list[str] = []
    answers = ["对方回答 503", ""]

    async def post(address: str, line: str) -> str:
        got.append(line)
        return answers.pop(0)

    remote = RemoteAnchors(ledger, ["https://anchor.example/x"], post)
    assert await remote.tell_due() == 0
    async with ledger.db.session() as session:
        place = await session.get_one(AnchorPlace, "https://anchor.example/x")
    assert (place.seq, place.problem, place.tries) == (0, "对方回答 503", 1)
    assert await remote.tell_due() == 0
    assert len(got) == 1
    later(31)
    assert await remote.tell_due() == 1
    async with ledger.db.session() as session:
        place = await session.get_one(AnchorPlace, "https://anchor.example/x")
    assert (place.seq, place.problem, place.tries) == (5, "", 0)
    assert now() - (place.told_at or now()) < timedelta(seconds=60)
    assert await remote.tell_due() == 0
    assert verify_export(await exported(ledger), ledger.public_key, got).ok


async def test_what_was_told_is_an_anchor_that_finds_a_cut_tail(ledger: Ledger) -> None:
    got: list[str] = []

    async def post(address: str, line: str) -> str:
        got.append(line)
        return ""

    await RemoteAnchors(ledger, ["mailto:a@b.example"], post).tell_due()
    async with ledger.db.session() as session:
        await session.execute(text("DELETE FROM ledger_entry WHERE seq > 3"))
    ledger.anchor_path.write_text("")
    lines = await exported(ledger)
    assert verify_export(lines, ledger.public_key).ok
    assert verify_export(lines, ledger.public_key, got).first_bad == 4


async def test_a_row_that_claims_too_much_does_not_silence_a_place(ledger: Ledger) -> None:
    async with ledger.db.session() as session:
        session.add(AnchorPlace(address="mailto:a@b.example", seq=10**6, hash="x"))
    told: list[str] = []

    async def post(address: str, line: str) -> str:
        told.append(line)
        return ""

    await RemoteAnchors(ledger, ["mailto:a@b.example"], post).tell_due()
    assert len(told) == 1


TRIGGERS = {
    "sqlite": [
        "CREATE TRIGGER quiet BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END",
    ],
    "postgres": [
        "CREATE OR REPLACE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no'; END $$",
        "CREATE TRIGGER quiet BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION quiet()",
    ],
}


@pytest.mark.parametrize("table", ["ledger_entry", "incident", "item"])
async def test_a_trigger_in_the_database_is_told_of_by_the_log_whatever_it_forbids(
    ledger: Ledger, table: str
) -> None:
    watch = Watch(ledger)
    assert (await watch.look(), await triggers_of(ledger.db)) == (None, [])
    async with ledger.db.session() as session:
        for one in TRIGGERS["sqlite" if ledger.db.is_sqlite else "postgres"]:
            await session.execute(text(one.format(table=table)))
    with capture_logs() as said:
        assert await watch.look() is None
    assert {
        "event": "database_triggers",
        "count": 1,
        "first": "quiet",
        "log_level": "error",
    } in said
    assert await triggers_of(ledger.db) == ["quiet"]
    async with ledger.db.session() as session:
        told = [one.kind for one in await session.scalars(select(Incident))]
        on = "" if ledger.db.is_sqlite else f" ON {table}"
        await session.execute(text(f"DROP TRIGGER quiet{on}"))
    assert told == (["database_triggers"] if table == "item" else [])
