"""What was kept for its time goes, is counted and signed; nothing goes before the law lets it."""

from datetime import timedelta

from sqlalchemy import func, select

from bot.models import Attempt
from config.clock import now
from review_queue.models import ItemLook
from storage.database import new_id
from supervision.models import AuditLook
from supervision.retention import EXPIRED, KEPT, expire
from tests.console.office import Office


async def test_what_is_past_its_time_goes_and_how_many_is_signed(office: Office) -> None:
    ledger, db = office.deps.ledger, office.deps.db
    assert min(one.time for one in KEPT) > timedelta(days=183)  # six months at the least
    admin = await office.signed_in("admin1")
    assert await expire(ledger) == {}
    async with db.session() as session:
        for years in (1, 2, 4):
            at = now() - timedelta(days=365 * years)
            session.add(AuditLook(id=new_id(), staff_id="a", what="/console/audit", at=at))
            session.add(ItemLook(id=new_id(), item_id="i", staff_id="a", what="", at=at))
            session.add(Attempt(id=new_id(), started_at=at))
    assert await expire(ledger) == {"attempt": 1, "item_look": 1, "audit_look": 1}
    async with db.session() as session:
        assert await session.scalar(select(func.count()).select_from(AuditLook)) == 2
    (entry,) = [one for one in await ledger.facts("records") if one.kind == EXPIRED]
    assert entry.body["rows"] == {"attempt": 1, "item_look": 1, "audit_look": 1}
    assert await expire(ledger) == {}
    assert (await admin.get("/console/"))[0] == 200  # a session in use is none of it
