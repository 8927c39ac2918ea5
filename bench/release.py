"""`shenfa bench release`: the proof before sending, and a ledger read as an auditor does."""

import hashlib
import json
import statistics
import tempfile
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app import Shenfa
from bench.figures import Measured, Row, figure, milliseconds
from bench.office import new_office, released, statements, submitted
from bench.pages import pages
from config.setup import AccountSetup
from gates.finding import Finding
from ledger.append import Ledger
from ledger.verify import verify_export
from review_queue.canonical import Draft as ItemDraft
from review_queue.release import Releases
from supervision.figures import Counting, span_of


def _bare_verify(lines: list[Row], key: Ed25519PublicKey) -> None:
    """Hash every entry and check every signature, and nothing else."""
    for line in lines:
        digest = hashlib.sha256(line["preimage"].encode()).hexdigest()
        if line["signature"] is not None:
            key.verify(bytes.fromhex(line["signature"]), digest.encode())


async def release(n: int = 100, entries: int = 100_000, waiting: int = 10_000) -> list[Row]:
    """Verify one release as a sender does, a ledger of `entries` entries as an auditor does, and
    open the queue and an item where `waiting` items wait.
    """
    account = AccountSetup(
        slug="bench",
        platform="telegram",
        name="青禾发布",
        api_base="https://api.telegram.org",
        secrets={"token": "7:bench", "webhook_secret": "bench", "chat": "@bench"},
        assessment_ref="bench",
    )
    async with new_office(account) as shenfa:
        rows = await _verify_release(shenfa, n)
        rows += await pages(shenfa, (await submitted(shenfa))[0].id, waiting)
        rows.append(await _verify_ledger(shenfa.ledger, entries))
    return rows


async def _verify_release(shenfa: Shenfa, n: int) -> list[Row]:
    """The proof of one release: what decides whether it may go out, without and with the gates."""
    item_id, release_id = await released(shenfa)
    ledger, key = shenfa.ledger, shenfa.ledger.public_key
    chain = await shenfa.releases.chain(item_id)
    used = {entry.seq for entry in chain.entries}
    used.update(entry.seq for history in chain.staff.values() for entry in history)
    records = [json.loads(line) async for line in ledger.export()]
    mine = [record for number, record in enumerate(records, 1) if number in used]
    # The shortest code that could prove the same: what our figure is set against.
    short = statistics.median(milliseconds(lambda: _bare_verify(mine, key), n))
    rows = []
    for name, proof, limit in (
        ("p50 of verifying a release", Releases(ledger, _no_gates), 2.0),
        ("p50 of verifying a release and running the gates again", shenfa.releases, 3 * short),
    ):
        taken = []
        with statements(shenfa) as asked:
            for _ in range(n):
                begun = time.perf_counter()
                await proof.verify(release_id)
                taken.append((time.perf_counter() - begun) * 1000)
        row = figure("release", name, "ms", Measured(statistics.median(taken), short, limit), n)
        row["detail"] = {"signed_entries_checked": len(mine), "queries": len(asked) // n}
        rows.append(row)
    return rows


async def _no_gates(draft: ItemDraft) -> list[Finding]:
    return []


async def _verify_ledger(ledger: Ledger, entries: int) -> Row:
    """Append `entries` entries, one in ten signed, and read the export as an auditor does."""
    begun = time.perf_counter()
    async with ledger.transaction() as tx:
        for number in range(entries):
            # One in ten is signed, about as in an office's own ledger.
            kind = "gates.run" if number % 10 else "item.scheduled"
            body = {"digest": "0" * 64, "number": number}
            await tx.append(kind, subject=f"item:{number}", actor="bench", body=body)
    appended = entries / (time.perf_counter() - begun)
    # On disk, as an auditor has it: a hundred thousand lines in memory would be another
    # measurement.
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as file:
        async for line in ledger.export():
            file.write(line + "\n")
        file.seek(0)
        begun = time.perf_counter()
        verdict = verify_export(file, ledger.public_key)
        whole = time.perf_counter() - begun
        # A broken chain ends the reading early and would look fast.
        if not verdict.ok:
            raise RuntimeError(verdict.problem)
        file.seek(0)
        counting = Counting(span_of("2026"))
        begun = time.perf_counter()
        verify_export(file, ledger.public_key, (), counting.take)
        recomputed = time.perf_counter() - begun
        file.seek(0)
        records = (json.loads(line) for line in file)
        held = [record for record in records if "preimage" in record]
    bare = milliseconds(lambda: _bare_verify(held, ledger.public_key), 1)[0] / 1000
    speeds = Measured(verdict.entries / whole, verdict.entries / bare, 20_000.0)
    row = figure("release", "ledger verified from its export", "entries/s", speeds, verdict.entries)
    counted = verdict.entries / recomputed
    row["detail"] = {
        "signed": verdict.signed,
        "appended_per_second": round(appended),
        "verified_and_counted_per_second": round(counted),
        "report_over_verify": round(recomputed / whole, 2),
    }
    return row
