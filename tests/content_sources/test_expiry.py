"""A source ends on the day two people signed, once, whatever its row says."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from config import clock
from config.clock import now
from content_sources.changes import revoke
from content_sources.models import Source
from content_sources.quarantine import expire_due
from ledger.models import Incident
from review_queue.models import Item
from staff.models import Task
from tests.content_sources.reposting import Relay
from tests.made import taken_by_sql


async def state_of(relay: Relay, item: Item) -> str:
    async with relay.db.session() as session:
        return str((await session.get_one(Item, item.id)).state)


@pytest.fixture
def later(tmp_path: Path) -> Any:
    """Set the clock forward by days."""
    file = tmp_path / "clock"

    def go(days: float) -> None:
        file.write_text(str(days * 86_400))
        clock.use_clock_file(file)

    yield go
    clock.use_clock_file(None)


async def expire(relay: Relay) -> dict[str, int]:
    async with relay.ledger.transaction() as tx:
        return await expire_due(tx)


async def test_expiry_warns_the_owner_and_then_quarantines(relay: Relay, later: Any) -> None:
    source_id = await relay.source(valid_to=now() + timedelta(days=20))
    item = await relay.submitted(await relay.item(await relay.article(source_id)))
    assert await expire(relay) == {"expired": 0, "told": 1}
    assert await expire(relay) == {"expired": 0, "told": 0}
    async with relay.db.session() as session:
        task = (await session.scalars(select(Task))).one()
    assert (task.kind, task.assignee) == ("renewal", relay.people["editor"])
    later(15)
    assert await expire(relay) == {"expired": 0, "told": 1}
    later(20.001)
    assert await expire(relay) == {"expired": 1, "told": 0}
    assert await expire(relay) == {"expired": 0, "told": 0}
    assert await state_of(relay, item) == "quarantined"
    async with relay.db.session() as session:
        assert (await session.scalars(select(Incident))).all() == []


async def ends(relay: Relay, source_id: str) -> int:
    """How often the end of a source was signed."""
    facts = await relay.ledger.facts(f"source:{source_id}")
    return len([one for one in facts if one.kind == "source.expired"])


async def written(relay: Relay, source_id: str, **values: Any) -> None:
    """Somebody writes to the source's row past this program."""
    async with relay.db.session() as session:
        await session.execute(update(Source).where(Source.id == source_id).values(**values))


@pytest.mark.parametrize("change", ["brought forward", "said to have none", "told"])
async def test_an_end_written_into_the_row_ends_no_source_and_silences_no_end(
    relay: Relay, later: Any, change: str
) -> None:
    end = now() + timedelta(days=60)
    source_id = await relay.source(valid_to=end)
    other = await relay.source(
        organisation="北原市", hosts=("www.beiyuan.gov.cn",), valid_to=now() + timedelta(days=40)
    )
    item = await relay.submitted(await relay.item(await relay.article(source_id)))
    changes: dict[str, dict[str, Any]] = {
        "brought forward": {"valid_to": now() - timedelta(days=1)},
        "said to have none": {"valid_to": None},
        "told": {"told": "expired"},
    }
    await written(relay, source_id, **changes[change])
    later(41)
    assert await expire(relay) == {"expired": 1, "told": 1}
    assert (await ends(relay, source_id), await ends(relay, other)) == (0, 1)
    assert await state_of(relay, item) == "review"
    async with relay.db.session() as session:
        row = await session.get_one(Source, source_id)
        wrong = (await session.scalars(select(Incident))).all()
    assert (row.valid_to, row.told) == (end, "30")
    assert [(one.kind, one.subject) for one in wrong] == [("row_changed", f"source:{source_id}")]
    later(61)
    assert (await expire(relay))["expired"] == 1
    await written(relay, source_id, told="")
    assert (await expire(relay))["expired"] == 0
    assert await ends(relay, source_id) == 1
    assert await state_of(relay, item) == "quarantined"


async def test_a_source_nobody_determined_is_not_called_expired(relay: Relay) -> None:
    source_id = await relay.source()
    await relay.source(organisation="北原市", hosts=("www.beiyuan.gov.cn",))
    await revoke(relay.ledger, relay.people["admin1"], source_id)
    past = now() - timedelta(days=1)
    await written(relay, source_id, state="active", valid_to=past)
    async with relay.db.session() as session:
        session.add(
            Source(
                id="forged",
                organisation="某网站",
                hosts=["evil.example.cn"],
                basis="x",
                valid_from=past,
                valid_to=past,
                state="active",
                proposed_by="x",
            )
        )
    for _ in range(2):
        assert await expire(relay) == {"expired": 0, "told": 0}
    assert [await ends(relay, one) for one in (source_id, "forged")] == [0, 0]
    async with relay.db.session() as session:
        wrong = (await session.scalars(select(Incident))).all()
    assert {(one.kind, one.subject) for one in wrong} == {
        ("row_changed", f"source:{source_id}"),
        ("row_changed", "source:forged"),
    }


HIDDEN = {
    "revoked": "UPDATE source SET state = 'revoked' WHERE id = :row",
    "of no known state": "UPDATE source SET state = 'x' WHERE id = :row",
    "deleted": "DELETE FROM source WHERE id = :row",
    "no moment": "UPDATE source SET valid_to = 'x' WHERE id = :row",
    "a number for a moment": "UPDATE source SET valid_to = 5 WHERE id = :row",
    "no json": "UPDATE source SET hosts = '{' WHERE id = :row",
}


@pytest.mark.parametrize("how", HIDDEN)
async def test_a_source_whose_row_is_gone_or_unreadable_ends_on_its_day(
    relay: Relay, later: Any, how: str
) -> None:
    end = now() + timedelta(days=60)
    source_id = await relay.source(valid_to=end)
    other = await relay.source(
        organisation="北原市", hosts=("www.beiyuan.gov.cn",), valid_to=now() + timedelta(days=61)
    )
    item = await relay.submitted(await relay.item(await relay.article(source_id)))
    if not await taken_by_sql(relay.db, HIDDEN[how], row=source_id):
        return
    assert (await expire(relay))["expired"] == 0
    async with relay.db.session() as session:
        row = await session.get_one(Source, source_id)
        wrong = (await session.scalars(select(Incident))).all()
    assert (row.state, row.valid_to, row.hosts) == ("active", end, ["www.qinghe.gov.cn"])
    assert [(one.kind, one.subject) for one in wrong] == [("row_changed", f"source:{source_id}")]
    later(62)
    assert [(await expire(relay))["expired"], (await expire(relay))["expired"]] == [2, 0]
    assert [await ends(relay, one) for one in (source_id, other)] == [1, 1]
    assert await state_of(relay, item) == "quarantined"
