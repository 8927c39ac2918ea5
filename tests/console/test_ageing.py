"""The clause that carries most answers and was longest unconfirmed comes first."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from config.clock import now
from knowledge import ageing
from knowledge.models import Clause, Told
from storage.database import new_id
from tests.console.office import Office, busy_morning

PAGE = "/console/policies/ageing"


async def test_the_most_damaging_clause_stands_first_and_is_confirmed_by_one_click(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await busy_morning(office)
    editor = await office.signed_in("editor")
    async with office.deps.db.session() as session:
        mine = select(Clause.id).where(Clause.policy_id == ids["policy"]).order_by(Clause.number)
        first, second, *_ = (await session.scalars(mine)).all()
        for clause, count in ((first, 1), (second, 3)):
            session.add_all(
                Told(id=new_id(), contact_id="c", clause_id=clause, at=now()) for _ in range(count)
            )
    later = now() + timedelta(days=210)
    monkeypatch.setattr(ageing, "now", lambda: later)
    rows = await ageing.ageing(office.deps.ledger)
    assert [(one.clause, one.answers, one.days >= 209) for one in rows] == [
        (second, 3, True), (first, 1, True),
    ]  # fmt: skip
    assert "210 天前" in (await editor.get(PAGE))[1]
    monkeypatch.setattr("ledger.append.now", lambda: later)
    assert (await editor.post(f"{PAGE}/{second}"))[0] == 303
    rows = await ageing.ageing(office.deps.ledger)
    assert [one.clause for one in rows] == [first, second]
    assert (rows[1].days, rows[1].by) == (0, office.people["editor"])
    duty = await office.signed_in("duty1")
    assert (await duty.post(f"{PAGE}/{first}"))[0] == 403
    assert (await editor.post(f"{PAGE}/nothing"))[0] == 409
    assert "问答统计" in (await duty.get("/console/questions"))[1]
