"""严重问题: off every account in one act, with a clock that is told of."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.models import Account, Takedown
from config.clock import use_clock_file
from supervision.grave import clock_due
from tests.console.office import Office, busy_morning


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Path]:
    """Seconds in this file are added to the time."""
    file = tmp_path / "clock"
    file.write_text("0")
    use_clock_file(file)
    yield file
    use_clock_file(None)


def shift(clock: Path, hours: float) -> None:
    clock.write_text(str(timedelta(hours=hours).total_seconds()))


async def test_a_leak_goes_off_every_account_and_its_clock_is_told(
    office: Office, clock: Path
) -> None:
    made, editor = await busy_morning(office), await office.signed_in("editor")
    async with office.deps.db.session() as session:
        account = (await session.scalars(select(Account).where(Account.slug == "qinghe-wx"))).one()
    words = "文中有内部编号"
    fields = {"kind": "leak", "words": words, "account": account.id, "item": made["published"]}
    status, text = await editor.post("/console/incidents", **fields | {"words": "", "kind": "x"})
    assert (status, "请写明看到了什么" in text, "种类只能是" in text) == (422, True, True)
    assert (await editor.post("/console/incidents", **fields))[0] == 303
    async with office.deps.db.session() as session:
        rows = (await session.scalars(select(Takedown))).all()
    assert {row.item_id for row in rows} == {made["published"]}
    status, text = await editor.get("/console/incidents")
    assert "失密泄密：文中有内部编号，已从全部账号撤下。须在" in text
    status, told = await editor.api("GET", "/cockpit/qinghe-wx")
    assert told["vetoes"] == ["安全、泄密等严重问题"]
    status, told = await editor.api("GET", "/cockpit/qinghe-tg")
    assert told["vetoes"] == []
    said: list[str] = []

    async def tell(staff_id: str, words: str) -> None:
        said.append(words)

    ledger, admins = office.deps.ledger, 2
    for hours, lines in ((11, 0), (12.1, 1), (13, 0), (22.1, 1), (24.1, 1), (30, 0)):
        shift(clock, hours)
        before = len(said)
        assert await clock_due(ledger, tell) == lines
        assert len(said) - before == lines * admins
    assert "已过报告时限" in said[-1]
    assert all(words not in one for one in said)
    duty = await office.signed_in("duty1")
    assert (await duty.api("POST", "/incidents", {"kind": "leak", "words": words}))[0] == 403
