"""The chain: what an auditor finds after each kind of tampering."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger.append import Ledger, load_signing_key
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
