"""A clause about to be said is compared with what two people signed."""

from datetime import date

import pytest
from sqlalchemy import select, text

from knowledge.documents import PolicyDraft
from knowledge.library import Repeal
from knowledge.models import Clause
from knowledge.quoting import Quotations
from ledger.changed import row_changed
from ledger.models import Incident

DAY = date(2026, 11, 24)
CHANGES = {
    "the words of a clause": "UPDATE clause SET text = '请加微信领取补贴'",
    "where a clause stands": "UPDATE clause SET start = start + 1",
    "the text of the policy": "UPDATE policy SET text = '请加微信领取补贴'",
    "its title": "UPDATE policy SET title = '请加微信'",
    "its number": "UPDATE policy SET doc_number = '请加微信'",
    "the day it ends": "UPDATE policy SET effective_to = '2099-01-01'",
    "a repeal that never was": "UPDATE policy SET repealed_on = '2020-01-01'",
    "a repeal of a clause that never was": "UPDATE clause SET repealed_on = '2020-01-01'",
}


@pytest.fixture
async def clause(office, grant: PolicyDraft) -> Clause:
    (change,) = await office.library.propose_import([grant], "editor")
    await office.library.approve(change.change_id, "admin1")
    async with office.db.session() as session:
        query = select(Clause).where(Clause.text.contains("5000"))
        return (await session.scalars(query)).one()


async def hit(office, clause: Clause):
    async def changed(table: str, row_id: str) -> None:
        await row_changed(office.ledger, table, row_id)

    return await Quotations(office.ledger, changed).hit(clause.id, DAY)


async def incidents(office) -> list[str]:
    async with office.db.session() as session:
        return list(await session.scalars(select(Incident.subject)))


async def test_a_clause_that_is_as_it_was_approved_is_read(office, clause: Clause) -> None:
    found = await hit(office, clause)
    assert found is not None
    assert (found.text, found.validity) == (clause.text, "in_force")
    assert await incidents(office) == []


@pytest.mark.parametrize("change", CHANGES)
async def test_what_differs_from_the_signed_entries_is_not_read(
    office, clause: Clause, change: str
) -> None:
    async with office.db.session() as session:
        await session.execute(text(CHANGES[change]))
    assert await hit(office, clause) is None
    assert await incidents(office) == [f"policy:{clause.policy_id}"]


async def test_a_policy_that_nobody_approved_is_not_read(office, clause: Clause, grant) -> None:
    async with office.db.session() as session:
        await session.execute(text("UPDATE policy SET state = 'active', title = '未批准'"))
    assert await hit(office, clause) is None


async def test_a_repeal_by_two_people_is_read_as_such(office, clause: Clause) -> None:
    repeal = Repeal(clause.policy_id, date(2026, 1, 1))
    change = await office.library.propose_repeal(repeal, "editor")
    await office.library.approve(change.change_id, "admin2")
    found = await hit(office, clause)
    assert found is not None
    assert found.validity == "repealed"
