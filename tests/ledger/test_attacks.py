"""An attacker who writes the database, the export or the anchor disk, and has no key."""

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from ledger.append import Ledger
from ledger.models import LedgerEntry
from ledger.verify import (
    CHECKPOINT_EVERY,
    GENESIS,
    UNSIGNED_KINDS,
    Broken,
    Verdict,
    verify_export,
)
from storage.database import Database
from tests.ledger.conftest import decide, exported, forged, insert_row, open_ledger
from tests.made import SEALS


def verified(lines: list[str], ledger: Ledger, *anchors: str) -> Verdict:
    return verify_export(lines, ledger.public_key, anchors)


def last_hash(lines: list[str], number: int = 5) -> str:
    return str(json.loads(lines[number - 1])["hash"])


async def test_entry_number_n_stands_on_line_n(ledger: Ledger) -> None:
    for number, line in enumerate((await exported(ledger))[:5], 1):
        assert json.loads(json.loads(line)["preimage"])["seq"] == number


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"kind":"signin"', '"kind":"decision","kind":"signin"'),
        lambda text: text.replace('{"actor"', '{ "actor"'),
        lambda text: text.replace('"signin"', '"\\u0073ignin"'),
        lambda text: text.replace('"body":{}', '"body":{"n":NaN}'),
        lambda text: text.replace('"body":{}', '"body":{"n":1.0}'),
        lambda text: text.replace('"seq":6', '"seq":6.0'),
        lambda text: text.replace('"v":1', '"v":true'),
        lambda text: text.replace('"v":1', '"v":2'),
        lambda text: text.replace('"body":{}', '"body":[]'),
        lambda text: text.replace('"body":{},', ""),
        lambda text: text.replace('"body":{}', '"body":{},"by":"admin"'),
        lambda text: "[" * 20_000,
        lambda text: "null",
    ],
    ids=[
        "a key twice",
        "a space",
        "an escape",
        "not a number",
        "a number spelled otherwise",
        "a number that is not whole",
        "a truth value for a number",
        "another version",
        "a body that is a list",
        "a field missing",
        "a field too many",
        "too deep",
        "nothing",
    ],
)
async def test_a_preimage_with_a_second_reading_is_refused(ledger: Ledger, change: Any) -> None:
    prev = last_hash(await exported(ledger))
    row = forged(6, prev, "signin")
    text_now = change(row["preimage"])
    await insert_row(ledger, 6, forged(6, prev, "signin", text_now), "signin")
    verdict = verified(await exported(ledger), ledger)
    assert (verdict.ok, verdict.first_bad) == (False, 6)
    with pytest.raises(Broken):
        await ledger.refresh()


@pytest.mark.parametrize(
    "kind", ["decision", "staff.set", "checkpoint", "ledger.restored", "", "new"]
)
async def test_only_the_listed_kinds_may_come_without_a_signature(
    ledger: Ledger, kind: str
) -> None:
    await insert_row(ledger, 6, forged(6, last_hash(await exported(ledger)), kind), kind)
    assert verified(await exported(ledger), ledger).first_bad == 6
    with pytest.raises(Broken, match="必须签名"):
        await ledger.facts("item:a")


@pytest.mark.parametrize("kind", sorted(UNSIGNED_KINDS))
async def test_an_entry_without_a_signature_is_never_a_fact(ledger: Ledger, kind: str) -> None:
    await insert_row(ledger, 6, forged(6, last_hash(await exported(ledger)), kind), kind)
    assert [entry.seq for entry in await ledger.facts("item:a")] == [1, 2, 3, 4, 5]
    verdict = verified(await exported(ledger), ledger)
    assert (verdict.ok, verdict.tail) == (True, 1)


async def test_an_unsigned_entry_cannot_hide_a_signed_one_by_calling_itself_signed(
    ledger: Ledger,
) -> None:
    lines = await exported(ledger)
    stolen = json.loads(lines[1])["signature"]
    row = forged(6, last_hash(lines), "decision") | {"signature": stolen}
    await insert_row(ledger, 6, row, "decision")
    assert verified(await exported(ledger), ledger).first_bad == 6


async def test_a_signed_entry_replayed_at_another_place_is_refused(ledger: Ledger) -> None:
    lines = await exported(ledger)
    await insert_row(ledger, 6, json.loads(lines[1]), "decision")
    assert verified(await exported(ledger), ledger).first_bad == 6
    with pytest.raises(Broken, match="序号应为 6"):
        await ledger.facts("item:a")


async def test_a_signature_spelled_otherwise_is_refused(ledger: Ledger) -> None:
    lines = await exported(ledger)
    record = json.loads(lines[2])
    for spelled in (record["signature"].upper(), f" {record['signature']}", "", 7):
        lines[2] = json.dumps(record | {"signature": spelled})
        assert verified(lines, ledger).first_bad == 3


async def test_unsigned_entries_inserted_after_the_head_was_signed_are_named(
    ledger: Ledger,
) -> None:
    lines = await exported(ledger)
    extra = json.dumps(forged(6, last_hash(lines), "signin"))
    verdict = verified([*lines[:5], extra, *lines[5:]], ledger)
    assert (verdict.first_bad, "结尾之后" in verdict.problem) == (6, True)
    assert verified([*lines, extra], ledger).first_bad == 6
    assert not verified([*lines[:-1], extra, lines[-1]], ledger).ok


async def test_two_heads_garbage_and_a_forged_head_are_refused(ledger: Ledger) -> None:
    lines = await exported(ledger)
    assert not verified([*lines, lines[-1]], ledger).ok
    assert not verified([*lines, "{}"], ledger).ok
    assert not verified([*lines, "x"], ledger).ok
    assert verified([*lines, "\n"], ledger).ok
    head = json.loads(lines[-1])["head"]
    for forgery in ({"hash": GENESIS}, {"seq": 4}, {"seq": 6}, {"signature": "0" * 128}):
        assert not verified([*lines[:-1], json.dumps({"head": head | forgery})], ledger).ok
    anchor = {"head": json.loads(lines[-2])["anchor"]}
    assert not verified([*lines[:-1], json.dumps(anchor)], ledger).ok
    twice = lines[-1].replace('"head":', '"head": 1, "head":')
    assert not verified([*lines[:-1], twice], ledger).ok
    assert not verified([*lines[:-1], json.dumps({"head": head, "note": 1})], ledger).ok


async def test_a_line_of_the_export_with_a_key_twice_is_refused(ledger: Ledger) -> None:
    lines = await exported(ledger)
    lines[1] = lines[1].replace('"hash":', f'"hash": "{GENESIS}", "hash":')
    assert verified(lines, ledger).first_bad == 2


async def test_a_tail_cut_together_with_the_anchor_beside_it_is_found_by_the_other_anchor(
    tmp_path: Path, database: Database
) -> None:
    away = tmp_path / "elsewhere" / "anchors.jsonl"
    ledger = open_ledger(tmp_path, database, away)
    await decide(ledger, 5)
    await ledger.refresh()
    async with database.session() as session:
        await session.execute(delete(LedgerEntry).where(LedgerEntry.seq > 3))
    near = ledger.anchor_path.read_text().splitlines()[:3]
    ledger.anchor_path.write_text("".join(f"{line}\n" for line in near))
    lines = await exported(ledger)
    assert verified(lines, ledger, *near).ok
    assert verified(lines, ledger, *away.read_text().splitlines()).first_bad == 4
    again = await open_ledger(tmp_path, database, away).verify_whole()
    assert (again.first_bad, "截去" in again.problem) == (4, True)
    with pytest.raises(Broken, match="截去") as caught:
        await ledger.refresh()
    assert caught.value.seq == 4


async def test_a_cut_tail_is_not_forgotten_when_new_entries_follow(
    ledger: Ledger, tmp_path: Path
) -> None:
    async with ledger.db.session() as session:
        await session.execute(delete(LedgerEntry).where(LedgerEntry.seq > 3))
    await decide(open_ledger(tmp_path, ledger.db), 4, "item:b")
    assert verified(await exported(ledger), ledger).first_bad == 4
    for _ in range(2):
        with pytest.raises(Broken, match="锚点") as caught:
            await open_ledger(tmp_path, ledger.db).refresh()
        assert caught.value.seq == 4


async def test_the_embedded_anchors_tell_of_a_cut_tail_too(ledger: Ledger) -> None:
    async with ledger.db.session() as session:
        await session.execute(delete(LedgerEntry).where(LedgerEntry.seq > 3))
    assert verified(await exported(ledger), ledger).first_bad == 4


@pytest.mark.parametrize(
    ("column", "value"),
    [("preimage", "x"), ("preimage", "{}"), ("hash", "0" * 64), ("signature", "0" * 128)],
)
async def test_every_stored_column_that_counts_is_compared(
    ledger: Ledger, tmp_path: Path, column: str, value: str
) -> None:
    await ledger.facts("item:a")
    async with ledger.db.session() as session:
        await session.execute(
            update(LedgerEntry).where(LedgerEntry.seq == 2).values({column: value})
        )
    for reader in (ledger, open_ledger(tmp_path, ledger.db)):
        with pytest.raises(Broken) as caught:
            await reader.facts("item:a")
        assert caught.value.seq == 2
    assert (await ledger.verify_whole()).first_bad == 2


async def test_the_last_entry_replaced_after_it_was_read_is_found(ledger: Ledger) -> None:
    await ledger.refresh()
    async with ledger.db.session() as session:
        await session.execute(text("DELETE FROM ledger_entry WHERE seq = 5"))
    with pytest.raises(Broken) as caught:
        await ledger.refresh()
    assert caught.value.seq == 5
    prev = last_hash(await exported(ledger), 4)
    await insert_row(ledger, 5, forged(5, prev, "signin"), "signin")
    with pytest.raises(Broken) as caught:
        await ledger.refresh()
    assert caught.value.seq == 5


async def test_the_wrong_key_is_one_clear_sentence(ledger: Ledger, tmp_path: Path) -> None:
    other = open_ledger(tmp_path / "other", ledger.db)
    verdict = verify_export(await exported(ledger), other.public_key)
    assert (verdict.ok, verdict.first_bad) == (False, 1)
    assert "公钥不是这本台账的" in verdict.problem


async def test_an_anchor_of_another_ledger_or_a_forged_one_is_refused(ledger: Ledger) -> None:
    lines = await exported(ledger)
    forgery = json.dumps({"seq": 9, "hash": "1" * 64, "signature": "2" * 128})
    assert "伪造" in verified(lines, ledger, forgery).problem


async def test_a_line_torn_by_a_power_cut_does_not_spoil_the_anchors(ledger: Ledger) -> None:
    with ledger.anchor_path.open("a") as file:
        file.write('{"seq": 6, "ha')
    await decide(ledger, 1)
    await ledger.refresh()
    anchors = ledger.anchor_path.read_text().splitlines()
    assert json.loads(anchors[-1])["seq"] == 6
    assert verified(await exported(ledger), ledger, *anchors).ok


def long_export(ledger: Ledger, count: int) -> Iterator[str]:
    """`count` entries made one at a time, one in a thousand signed."""
    prev = GENESIS
    for seq in range(1, count + 1):
        row = forged(seq, prev, "gates.run")
        prev = row["hash"]
        if seq % CHECKPOINT_EVERY == 0:
            row["signature"] = ledger._key.sign(prev.encode()).hex()
        yield json.dumps(row)
    yield json.dumps({"head": ledger.mark("head", count, prev)})


def test_verifying_keeps_no_more_than_a_hash_of_each_entry(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", SEALS))
    tracemalloc.start()
    verdict = verify_export(long_export(ledger, 6_000), ledger.public_key)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (verdict.ok, verdict.entries, verdict.signed) == (True, 6_000, 6)
    assert peak < 6_000 * 32 + 300_000


def test_every_thousandth_entry_must_be_signed(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, Database(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", SEALS))
    lines = list(long_export(ledger, 1_000))
    record = json.loads(lines[999]) | {"signature": None}
    lines[999] = json.dumps(record)
    assert verify_export(lines, ledger.public_key).first_bad == 1_000
