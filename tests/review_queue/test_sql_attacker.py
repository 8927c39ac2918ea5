"""Somebody who can write every table and has no key: nothing else than what was approved goes out.

Each attack is a list of SQL statements against an approved item (`{item}`, `{release}`) and another
one that nobody approved (`{other}`).
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.contract import NotReleased, Release
from ledger.append import Ledger, load_signing_key
from ledger.models import Incident, LedgerEntry
from ledger.watch import Watch
from review_queue import recalling
from review_queue.release import Releases
from storage.switches import Switch
from tests.review_queue.conftest import Office

SIGNED = "SELECT seq FROM ledger_entry WHERE kind = '{kind}' AND subject = 'item:{item}'"
COPY = (
    "INSERT INTO ledger_entry (seq, kind, subject, actor, at, preimage, hash, signature) "
    "SELECT (SELECT max(seq) + 1 FROM ledger_entry), kind, {subject}, actor, at, preimage, hash, "
    "{signature} FROM ledger_entry WHERE kind = '{kind}' ORDER BY seq LIMIT 1"
)
REFUSED: dict[str, Sequence[str]] = {
    "the text": [
        "UPDATE revision SET canonical = replace(canonical, '第一段', '第二段') "
        "WHERE item_id = '{item}'"
    ],
    "the audience": [
        "UPDATE revision SET canonical = replace(canonical, 'audience', 'listeners') "
        "WHERE item_id = '{item}'"
    ],
    "the text and every digest that names it": [
        "UPDATE revision SET canonical = (SELECT canonical FROM revision WHERE item_id = '{other}')"
        ", digest = (SELECT digest FROM revision WHERE item_id = '{other}') "
        "WHERE item_id = '{item}'",
        "UPDATE decision SET digest = (SELECT digest FROM revision WHERE item_id = '{other}')",
        "UPDATE \"release\" SET digest = (SELECT digest FROM revision WHERE item_id = '{other}')",
    ],
    "who decided": ["UPDATE decision SET staff_id = 'x' WHERE item_id = '{item}' AND level = 1"],
    "what was decided": ["UPDATE decision SET verdict = 'return' WHERE level = 0"],
    "at which level": ["UPDATE decision SET level = 2 WHERE item_id = '{item}' AND level = 1"],
    "a decision deleted": ["DELETE FROM decision WHERE item_id = '{item}' AND level = 1"],
    "the decisions moved to another item": ["UPDATE decision SET item_id = '{other}'"],
    "the release moved to another item": ["UPDATE \"release\" SET item_id = '{other}'"],
    "the digest of the release": ["UPDATE \"release\" SET digest = '0'"],
    "a signature taken away": [
        f"UPDATE ledger_entry SET signature = NULL WHERE seq IN ({SIGNED})".replace(
            "{kind}", "decision"
        )
    ],
    "a signature of another entry": [
        "UPDATE ledger_entry SET signature = (SELECT signature FROM ledger_entry WHERE seq = 1) "
        f"WHERE seq IN ({SIGNED})".replace("{kind}", "decision")
    ],
    "a signed verdict": [
        "UPDATE ledger_entry SET preimage = replace(preimage, 'approve', 'return') "
        "WHERE kind = 'decision'"
    ],
    "a signed decision deleted": [
        f"DELETE FROM ledger_entry WHERE seq IN ({SIGNED})".replace("{kind}", "decision")
    ],
    "the frozen workflow in the ledger": [
        "UPDATE ledger_entry SET preimage = replace(preimage, 'reviewer_3', 'editor') "
        "WHERE kind = 'item.submitted' AND subject = 'item:{item}'"
    ],
    "the role history": ["UPDATE ledger_entry SET signature = '00' WHERE kind = 'staff.set'"],
    "the role history deleted": ["DELETE FROM ledger_entry WHERE kind = 'staff.set'"],
    "a role given by an entry of one's own": [
        COPY.format(kind="staff.set", subject="subject", signature="NULL")
    ],
    "an old decision played again": [
        COPY.format(kind="decision", subject="'item:{other}'", signature="signature")
    ],
    "two entries exchanged": [
        "UPDATE ledger_entry SET seq = -1 WHERE seq = 3",
        "UPDATE ledger_entry SET seq = 3 WHERE seq = 4",
        "UPDATE ledger_entry SET seq = 4 WHERE seq = -1",
    ],
    "the end of the chain cut off": [
        "DELETE FROM ledger_entry WHERE kind = 'release.created'",
    ],
    "the item": ["DELETE FROM item WHERE id = '{item}'"],
}
WITHOUT_EFFECT: dict[str, Sequence[str]] = {
    "state and level": ["UPDATE item SET state = 'draft', level = 0 WHERE id = '{item}'"],
    "roles in the staff table": ["UPDATE staff SET roles = '[]'"],
    "findings of the gates": ["DELETE FROM gate_run"],
    "who an entry is about": ["UPDATE ledger_entry SET subject = 'x', actor = 'y', kind = 'z'"],
}


async def attack(office: Office, statements: Sequence[str]) -> tuple[str, str]:
    """An approved item, another one in review, and what the attacker did; item and release id."""
    item = await office.approved()
    assert item.release_id
    await office.releases.verify(item.release_id)
    other = await office.submitted()
    names = {"item": item.id, "other": other.id, "release": item.release_id}
    async with office.queue.db.session() as session:
        for statement in statements:
            await session.execute(text(statement.format(**names)))
    return item.id, item.release_id


def anew(office: Office, tmp_path: Path) -> Releases:
    """Another process, that remembers nothing."""
    ledger = Ledger(
        office.queue.db, load_signing_key(tmp_path / "keys/l.key"), tmp_path / "anchors.jsonl"
    )
    return Releases(ledger, office.releases._recheck)


@pytest.mark.parametrize("what", REFUSED)
async def test_a_release_is_refused_with_an_incident_after(
    office: Office, tmp_path: Path, what: str
) -> None:
    _, release_id = await attack(office, REFUSED[what])
    for releases in (office.releases, anew(office, tmp_path)):
        with pytest.raises(NotReleased) as refused:
            await releases.verify(release_id)
        assert refused.value.reasons
    async with office.queue.db.session() as session:
        found = (await session.scalars(select(Incident))).all()
    assert any(row.kind == "release_refused" and row.closed_at is None for row in found)


@pytest.mark.parametrize("what", WITHOUT_EFFECT)
async def test_what_is_never_trusted_changes_nothing(office: Office, what: str) -> None:
    before: list[Release] = []

    async def remember() -> None:
        item = await office.approved()
        before.append(await office.releases.verify(item.release_id or ""))

    await remember()
    async with office.queue.db.session() as session:
        for statement in WITHOUT_EFFECT[what]:
            await session.execute(text(statement.format(item=before[0].item_id)))
    assert await office.releases.verify(before[0].id) == before[0]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO \"release\" (id, item_id, digest, ruleset, created_at) SELECT 'r', item_id, "
        "digest, 'rules-1', created_at FROM revision WHERE item_id = '{item}'",
        "INSERT INTO \"release\" (id, item_id, digest, ruleset, created_at) SELECT 'r', '{item}', "
        'digest, ruleset, created_at FROM "release"',
        "UPDATE \"release\" SET item_id = '{item}', id = 'r'",
    ],
)
async def test_a_release_written_into_the_table_releases_nothing(
    office: Office, statement: str
) -> None:
    await office.approved()
    item = await office.submitted()
    async with office.queue.db.session() as session:
        await session.execute(text(statement.format(item=item.id)))
        raised = "UPDATE item SET state = 'approved', level = 3, release_id = 'r' WHERE id = :id"
        await session.execute(text(raised), {"id": item.id})
    with pytest.raises(NotReleased):
        await office.releases.verify("r")


async def test_a_recall_cannot_be_taken_out_of_the_chain(office: Office, tmp_path: Path) -> None:
    item = await office.approved()
    assert item.release_id
    await recalling.recall(
        office.queue, item.id, office.people["reviewer1"], "发现数字有误，先撤回"
    )
    async with office.queue.db.session() as session:
        await session.execute(text("DELETE FROM ledger_entry WHERE kind = 'item.recalled'"))
        await session.execute(text("UPDATE item SET state = 'approved'"))
        await session.execute(text('UPDATE "release" SET recalled_at = NULL'))
    for releases in (office.releases, anew(office, tmp_path)):
        with pytest.raises(NotReleased):
            await releases.verify(item.release_id)


async def test_the_next_look_stops_everything_and_names_the_entry(
    office: Office, tmp_path: Path
) -> None:
    await attack(office, ["DELETE FROM ledger_entry WHERE seq = 4"])
    broken = await Watch(anew(office, tmp_path)._ledger).look()
    assert broken is not None
    assert broken.seq == 4
    async with office.queue.db.session() as session:
        stops = {row.name for row in await session.scalars(select(Switch)) if row.stopped}
        kinds = (await session.scalars(select(Incident.kind))).all()
        last = select(LedgerEntry.kind).order_by(LedgerEntry.seq.desc()).limit(1)
        assert (await session.scalars(last)).one() == "switch.set"
    assert ("publishing" in stops, "ledger_broken" in kinds) == (True, True)
