"""Who only looks at pages changes nothing but their own session and the record of their looks."""

import re

import pytest
from sqlalchemy import select

from console.web import streams
from migrations.env_tables import TABLES
from storage.database import Base
from tests.console.office import Office, busy_morning
from tests.console.test_access import routes

_OWN = {"console_session", "item_view", "audit_look"}
"""A session's seen_at, that somebody had an item before them, looks at the auditor's desk."""
assert TABLES


async def _rows(office: Office) -> dict[str, list[str]]:
    """Every row of every other table."""
    async with office.deps.db.engine.connect() as connection:
        return {
            table.name: sorted(map(str, (await connection.execute(select(table))).all()))
            for table in Base.metadata.sorted_tables
            if table.name not in _OWN
        }


async def _sessions(office: Office) -> list[str]:
    table = Base.metadata.tables["console_session"]
    columns = [column for column in table.columns if column.name not in ("seen_at", "seal")]
    async with office.deps.db.engine.connect() as connection:
        return sorted(map(str, (await connection.execute(select(*columns))).all()))


async def test_no_get_of_any_page_or_of_the_interface_changes_a_row(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONGEST", 0.0)  # what goes on for ever ends at once
    ids = await busy_morning(office)
    browsers = [await office.signed_in(login) for login in ("reviewer1", "admin1", "editor")]
    paths = [one.path for one in routes(office) if one.method == "GET"]
    kinds = ("reviewing", "draft", "published", "policy", "ticket", "source")
    before, sessions = await _rows(office), await _sessions(office)
    shown = 0
    for path in paths:
        # Every kind of thing there is, where a path names one.
        for kind in kinds if "/x" in path else [""]:
            place = re.sub(r"(?<=/)x(?=/|$)", ids.get(kind, ""), path)
            for browser in browsers:
                status, _ = await browser.get(place)
                if status == 200:
                    shown += 1
                    break
    await browsers[-1].get(f"/console/items/{ids['draft']}")  # as its writer sees it
    assert shown > 60
    assert await _rows(office) == before
    assert await _sessions(office) == sessions


async def test_a_look_is_seen_by_the_test_above(office: Office) -> None:
    item = await office.submitted()
    before = await _rows(office)
    await office.decide(item, "reviewer1")
    after = await _rows(office)
    assert {name for name, rows in after.items() if rows != before[name]} >= {
        "gate_run",
        "decision",
        "ledger_entry",
    }
