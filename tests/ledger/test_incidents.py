"""Who writes to the table of incidents silences none, closes none and makes none."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, text

from config.clock import now
from ledger.append import Ledger
from ledger.incident_kinds import NAMES
from ledger.incidents import CHANGED, CLOSED, OPENED
from ledger.models import Incident, LedgerEntry
from ledger.reopening import closed_incidents, mend_incidents, open_incidents
from ledger.watch import Watch
from storage.database import Database, new_id
from tests.ledger.conftest import open_ledger
from tests.made import SEALS

KIND = re.compile(
    r"""(?:open_incident|on_incident|open_incident_in)\(\s*(?:tx,\s*)?"([a-z_.]+)\"""", re.DOTALL
)
PERSON = "01arz3ndektsv4rrffq69g5fav"
WORDS = "发送前核验未通过，请林小雨核对"
ROOMS = (
    *("bot", "content_sources", "escalations", "knowledge", "ledger", "office"),
    *("review_queue", "staff", "subscriptions"),
)
SQL = {
    "deleted": "DELETE FROM incident",
    "closed": "UPDATE incident SET closed_at = opened_at, closed_by = 'x', resolution = '已处理'",
    "said to be something else": "UPDATE incident SET message = '没事'",
    "about something else": "UPDATE incident SET subject = 'item:z'",
    "of another kind": "UPDATE incident SET kind = 'nothing'",
    "dated back": "UPDATE incident SET opened_at = '2001-01-01 00:00:00'",
    "freed of whom it names": "UPDATE incident SET detail = '{}'",
}


async def write(ledger: Ledger, words: str) -> None:
    """With SQL, past the program."""
    async with ledger.db.session() as session:
        await session.execute(text(words))


async def report(ledger: Ledger, subject: str = "item:a") -> str:
    return await ledger.open_incident(
        "release_refused",
        subject=subject,
        message=WORDS,
        detail={"by": PERSON},
    )


async def shown(ledger: Ledger) -> Sequence[Incident]:
    async with ledger.db.session() as session:
        return await open_incidents(session)


async def entries(ledger: Ledger, kind: str) -> list[dict[str, object]]:
    async with ledger.db.session() as session:
        query = select(LedgerEntry.preimage).where(LedgerEntry.kind == kind)
        found = (await session.scalars(query.order_by(LedgerEntry.seq))).all()
    return [json.loads(one)["body"] for one in found]


async def close(ledger: Ledger, incident_id: str) -> None:
    """What staff/incidents.py signs."""
    async with ledger.transaction() as tx:
        await tx.append(CLOSED, subject=f"incident:{incident_id}", actor="p", body={})
        row = await tx.session.get_one(Incident, incident_id)
        row.closed_at, row.closed_by, row.resolution = now(), "p", "已核对"


async def test_an_incident_is_signed_without_its_words(ledger: Ledger) -> None:
    found = await report(ledger)
    (body,) = await entries(ledger, OPENED)
    assert (body["kind"], body["subject"]) == ("release_refused", "item:a")
    assert "林小雨" not in json.dumps(body, ensure_ascii=False)
    assert [row.id for row in await shown(ledger)] == [found]
    await ledger.open_incident("k", subject="林小雨 13912345678", message="某事", detail={})
    signed = json.dumps(await entries(ledger, OPENED), ensure_ascii=False)
    assert not any(word in signed for word in ("林小雨", "13912345678"))


async def test_a_job_that_finds_the_same_each_minute_signs_it_once(
    ledger: Ledger, tmp_path: Path
) -> None:
    found = [await report(ledger) for _ in range(3)]
    found.append(await report(open_ledger(tmp_path, ledger.db)))
    assert len(set(found)) == 1
    assert len(await entries(ledger, OPENED)) == 1
    await close(ledger, found[0])
    assert await report(ledger) != found[0]
    assert len(await entries(ledger, OPENED)) == 2


@pytest.mark.parametrize("how", sorted(SQL))
async def test_an_incident_changed_by_sql_stays_open_and_is_put_back(
    ledger: Ledger, how: str
) -> None:
    found = await report(ledger)
    await write(ledger, SQL[how])
    (row,) = await shown(ledger)  # at once, before any job
    assert (row.id, row.kind, row.subject, row.closed_at) == (
        found,
        "release_refused",
        "item:a",
        None,
    )
    assert row.message != "没事"
    assert row.opened_at.year > 2001
    assert await Watch(ledger).look() is None
    async with ledger.db.session() as session:
        stored = (await session.scalars(select(Incident).order_by(Incident.id))).all()
    assert {(one.kind, one.subject) for one in stored} == {
        ("release_refused", "item:a"),
        (CHANGED, f"incident:{found}"),
    }
    assert all(one.closed_at is None for one in stored)
    assert PERSON in str(stored[0].detail)
    assert [one.id for one in await shown(ledger)] == [one.id for one in stored][::-1]
    assert await mend_incidents(ledger) == 0


async def test_words_that_are_gone_are_replaced_by_a_sentence_nobody_can_exchange(
    ledger: Ledger,
) -> None:
    found = await report(ledger)
    for _ in range(2):
        await write(ledger, f"DELETE FROM incident WHERE id = '{found}'")
        await mend_incidents(ledger)
    (row,) = [one for one in await shown(ledger) if one.id == found]
    assert "发送前核验未通过" in row.message
    assert "从数据库中删去" in row.message
    await write(ledger, f"UPDATE incident SET message = '没事' WHERE id = '{found}'")
    (again,) = [one for one in await shown(ledger) if one.id == found]
    assert again.message == row.message
    assert len(await entries(ledger, OPENED)) == 3  # it, its new words, and who deletes


async def test_what_happens_again_brings_its_own_words_back(ledger: Ledger) -> None:
    found = await report(ledger)
    await write(ledger, "DELETE FROM incident")
    assert await report(ledger) == found
    assert {row.message for row in await shown(ledger) if row.id == found} == {WORDS}
    assert next(iter(await shown(ledger))).kind == CHANGED


async def test_a_row_written_beforehand_silences_nothing_and_is_reported(ledger: Ledger) -> None:
    await write(
        ledger,
        "INSERT INTO incident (id, kind, subject, message, detail, opened_at) VALUES"
        " ('forged', 'release_refused', 'item:a', '没事', '{}', '2026-01-01 00:00:00')",
    )
    assert await shown(ledger) == []
    found = await report(ledger)
    assert found != "forged"
    assert await mend_incidents(ledger) == 1
    told = {(row.kind, row.subject) for row in await shown(ledger)}
    assert told == {("release_refused", "item:a"), (CHANGED, "incident:forged")}
    assert await mend_incidents(ledger) == 0


async def test_who_deletes_what_tells_of_it_makes_no_endless_row(ledger: Ledger) -> None:
    await report(ledger)
    for _ in range(4):
        await write(ledger, "DELETE FROM incident")
        await mend_incidents(ledger)
    assert sorted(row.kind for row in await shown(ledger)) == ["release_refused", CHANGED]


UNREADABLE = {
    "no json": "detail = 'no json'",
    "no text": "detail = x'ff'",
    "json without end": f"detail = '{'[' * 200_000}'",
    "a number for its moment": "opened_at = 5",
    "bytes for its moment": "opened_at = x'ff'",
    "a number for its end": "closed_at = 5",
    "bytes for its words": "message = x'ff'",
}


@pytest.mark.parametrize("how", sorted(UNREADABLE))
async def test_a_row_that_cannot_be_read_hides_no_other(tmp_path: Path, how: str) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'l.db'}", SEALS)  # PostgreSQL refuses these
    await db.create_all()
    ledger = open_ledger(tmp_path, db)
    first, second = await report(ledger), await report(ledger, "item:b")
    await write(ledger, f"UPDATE incident SET {UNREADABLE[how]} WHERE id = '{first}'")
    assert {row.id for row in await shown(ledger)} == {first, second}
    assert await Watch(ledger).look() is None
    told = await shown(ledger)
    assert {row.id for row in told} > {first, second}
    assert {(row.kind, row.subject) for row in told} >= {(CHANGED, f"incident:{first}")}
    assert await mend_incidents(ledger) == 0
    async with ledger.db.session() as session:  # readable for everybody again
        assert len((await session.scalars(select(Incident))).all()) == 3
    await db.close()


async def test_a_detail_nested_deeply_hides_no_other_on_any_database(ledger: Ledger) -> None:
    first, second = await report(ledger), await report(ledger, "item:b")
    deep = "[" * 900 + "]" * 900
    await write(ledger, f"UPDATE incident SET detail = '{deep}' WHERE id = '{first}'")
    assert {row.id for row in await shown(ledger)} == {first, second}
    assert await mend_incidents(ledger) == 1
    assert (CHANGED, f"incident:{first}") in {(r.kind, r.subject) for r in await shown(ledger)}


async def test_a_broken_ledger_is_told_of_and_its_incident_signed_once_it_holds(
    ledger: Ledger, tmp_path: Path
) -> None:
    async with ledger.db.session() as session:
        whole = await session.scalar(select(LedgerEntry.hash).where(LedgerEntry.seq == 3))
    await write(
        ledger,
        "INSERT INTO incident (id, kind, subject, message, detail, opened_at) VALUES"
        " ('forged', 'ledger_broken', 'ledger', '没事', '{}', '2026-01-01 00:00:00')",
    )
    await write(ledger, "UPDATE ledger_entry SET hash = 'y' WHERE seq = 3")
    anew = open_ledger(tmp_path, ledger.db)
    watch = Watch(anew)
    for _ in range(3):
        assert await watch.look() is not None
    (row,) = [one for one in await shown(anew) if one.id != "forged"]
    assert "第 3 条" in row.message
    assert await entries(anew, OPENED) == []
    await write(anew, f"DELETE FROM incident WHERE id = '{row.id}'")
    await watch.look()
    assert row.id in {one.id for one in await shown(anew)}
    await write(anew, f"UPDATE ledger_entry SET hash = '{whole}' WHERE seq = 3")
    assert await watch.look() is None
    assert {one.id for one in await shown(anew) if one.kind == "ledger_broken"} == {row.id}
    assert await watch.look() is None
    assert len(await entries(anew, OPENED)) == 2  # and that a row had been written


async def test_what_people_closed_is_shown_as_they_closed_it(ledger: Ledger) -> None:
    found, other = await report(ledger), await report(ledger, "item:b")
    await close(ledger, found)
    await close(ledger, other)
    await write(ledger, f"DELETE FROM incident WHERE id = '{found}'")
    await write(
        ledger,
        "INSERT INTO incident (id, kind, subject, message, detail, opened_at, closed_at) VALUES"
        f" ('{new_id()}', 'k', 's', '没事', '{{}}', '2026-01-01 00:00:00', '2026-01-02 00:00:00')",
    )
    async with ledger.db.session() as session:
        rows = await closed_incidents(session, 60)
    assert [row.id for row in rows] == [other, found]
    assert [row.message == WORDS for row in rows] == [True, False]
    assert await shown(ledger) == []


async def test_an_item_is_told_its_own_incidents(ledger: Ledger) -> None:
    for number in range(3):
        await report(ledger, f"item:{number}")
    async with ledger.db.session() as session:
        one = await open_incidents(session, subject="item:1")
    assert [row.subject for row in one] == ["item:1"]


def test_every_kind_has_a_name_for_the_day_its_words_are_gone() -> None:
    root = Path(__file__).parents[2]
    opened = set()
    for room in ROOMS:
        for file in (root / room).rglob("*.py"):
            source = file.read_text(encoding="utf-8")
            opened |= set(KIND.findall(source))
    assert len(opened) > 15
    assert opened - set(NAMES) == set()
