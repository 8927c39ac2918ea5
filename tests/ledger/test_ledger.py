"""The chain: what an auditor finds after each kind of tampering."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from ledger.append import Ledger, load_signing_key
from ledger.models import LedgerEntry
from ledger.verify import Broken, verify_export
from tests.ledger.conftest import exported


async def test_an_untouched_ledger_verifies(ledger: Ledger) -> None:
    verdict = verify_export(await exported(ledger), ledger.public_key)
    assert (verdict.ok, verdict.entries, verdict.signed) == (True, 5, 5)


async def test_a_changed_entry_is_named(ledger: Ledger) -> None:
    lines = await exported(ledger)
    lines[2] = lines[2].replace('\\"n\\":2', '\\"n\\":9')
    assert verify_export(lines, ledger.public_key).first_bad == 3


async def test_a_deleted_an_inserted_and_a_swapped_entry_are_named(ledger: Ledger) -> None:
    lines = await exported(ledger)
    assert verify_export(lines[:1] + lines[2:], ledger.public_key).first_bad == 2
    assert verify_export([*lines[:2], lines[1], *lines[2:]], ledger.public_key).first_bad == 3
    swapped = [lines[0], lines[2], lines[1], *lines[3:]]
    assert verify_export(swapped, ledger.public_key).first_bad == 2


async def test_a_cut_tail_is_found_by_the_anchor_file(ledger: Ledger) -> None:
    anchors = ledger.anchor_path.read_text().splitlines()
    async with ledger.db.session() as session:
        await session.execute(text("DELETE FROM ledger_entry WHERE seq > 3"))
    lines = [line for line in await exported(ledger) if '"anchor"' not in line]
    assert verify_export(lines, ledger.public_key).ok
    verdict = verify_export(lines, ledger.public_key, anchors)
    assert (verdict.ok, verdict.first_bad) == (False, 4)
    with pytest.raises(Broken, match="截去"):
        await Ledger(
            ledger.db,
            load_signing_key(ledger.anchor_path.parent / "keys/l.key"),
            ledger.anchor_path,
        ).refresh()


async def test_an_export_without_its_head_is_refused(ledger: Ledger) -> None:
    lines = await exported(ledger)
    assert not verify_export(lines[:-1], ledger.public_key).ok


async def test_a_forged_signature_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    other = load_signing_key(tmp_path / "other.key")
    assert not verify_export(await exported(ledger), other.public_key()).ok


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET signature = NULL WHERE seq = 2",
        "UPDATE ledger_entry SET preimage = replace(preimage, 'decision', 'x') WHERE seq = 2",
        "DELETE FROM ledger_entry WHERE seq = 2",
    ],
)
async def test_a_row_changed_after_it_was_read_is_still_found(
    ledger: Ledger, statement: str
) -> None:
    assert len(await ledger.facts("item:a")) == 5
    async with ledger.db.session() as session:
        await session.execute(text(statement))
    with pytest.raises(Broken) as caught:
        await ledger.facts("item:a")
    assert caught.value.seq == 2


async def test_an_entry_hidden_under_another_subject_still_counts(ledger: Ledger) -> None:
    async with ledger.db.session() as session:
        await session.execute(text("UPDATE ledger_entry SET subject = 'x' WHERE seq = 2"))
    assert len(await ledger.facts("item:a")) == 5


@pytest.mark.parametrize("column", ["kind", "subject", "actor", "at"])
async def test_a_column_that_says_something_else_than_the_signed_text_is_named(
    ledger: Ledger, column: str
) -> None:
    """Before anybody read the entry, and after; people see the columns, so it is a break."""
    anew = Ledger(
        ledger.db, load_signing_key(ledger.anchor_path.parent / "keys/l.key"), ledger.anchor_path
    )
    await ledger.facts("item:a")
    other = "'2020-02-02 02:02:02.000000'" if column == "at" else "'x'"
    async with ledger.db.session() as session:
        stood = await session.get_one(LedgerEntry, 2)
        await session.execute(text(f"UPDATE ledger_entry SET {column} = {other} WHERE seq = 2"))
    for reader in (ledger, anew):
        assert [entry.body["n"] for entry in await reader.facts("item:a")] == [0, 1, 2, 3, 4]
        for _ in range(2):
            with pytest.raises(Broken) as caught:
                await reader.check_columns()
            assert caught.value.seq == 2
        verdict = await reader.verify_whole()
        assert (verdict.ok, verdict.first_bad) == (False, 2)
    async with ledger.db.session() as session:
        right = update(LedgerEntry).where(LedgerEntry.seq == 2)
        await session.execute(right.values({column: getattr(stood, column)}))
    for reader in (ledger, anew):
        await reader.check_columns()
        assert (await reader.verify_whole()).ok


async def test_a_moment_that_is_none_is_named_and_does_not_stop_the_reading(ledger: Ledger) -> None:
    # PostgreSQL stores moments only; of those it has one that is none.
    none = "never" if ledger.db.is_sqlite else "infinity"
    async with ledger.db.session() as session:
        await session.execute(text(f"UPDATE ledger_entry SET at = '{none}' WHERE seq = 3"))
    assert len(await ledger.facts("item:a")) == 5
    assert (await ledger.verify_whole()).first_bad == 3


async def test_nothing_is_appended_when_the_transaction_fails(ledger: Ledger) -> None:
    async def half_done() -> None:
        async with ledger.transaction() as tx:
            await tx.append("decision", subject="item:b", actor="p", body={})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await half_done()
    assert await ledger.facts("item:b") == []
    assert json.loads(ledger.anchor_path.read_text().splitlines()[-1])["seq"] == 5


async def test_one_incident_stays_open_per_kind_and_subject(ledger: Ledger) -> None:
    first = await ledger.open_incident("tamper", subject="item:a", message="甲", detail={})
    again = await ledger.open_incident("tamper", subject="item:a", message="甲", detail={})
    assert first == again


async def test_what_is_written_while_a_look_is_under_way_is_seen_by_the_next(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page may lag behind other processes, never behind this one."""
    rows, going = ledger._rows, asyncio.Event()

    async def slow(*args: Any) -> Any:
        found = await rows(*args)
        await going.wait()
        return found

    monkeypatch.setattr(ledger, "_rows", slow)
    looking = asyncio.create_task(ledger.facts_of(["item:late"]))
    await asyncio.sleep(0.05)
    async with ledger.transaction() as tx:
        await tx.append("item.recalled", subject="item:late", actor="editor", body={})
    going.set()
    await looking
    assert [entry.kind for entry in await ledger.facts("item:late", age=60)] == ["item.recalled"]


async def test_of_many_that_ask_at_once_one_reads_for_all(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ledger.transaction() as tx:
        await tx.append("item.recalled", subject="item:asked", actor="editor", body={})
    rows, reads = ledger._rows, []

    async def counted(*args: Any) -> Any:
        reads.append(args)
        return await rows(*args)

    monkeypatch.setattr(ledger, "_rows", counted)
    asked = [ledger.facts(name, age=60) for name in ("item:asked", "item:b", "item:c") * 20]
    found = await asyncio.gather(*asked)
    assert [[entry.kind for entry in one] for one in found[:3]] == [["item.recalled"], [], []]
    assert len(reads) == 1
    await ledger.facts("item:asked")  # without an age everybody reads
    assert len(reads) == 2
