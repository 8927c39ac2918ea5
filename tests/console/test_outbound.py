"""What leaves is watched: a month of work raises nothing, one broken part one alarm of its kind."""

import time
from datetime import time as clock
from typing import Any

import pytest
from sqlalchemy import insert, select

from bot.contract import State
from bot.models import Account, Attempt, Contact, Delivery, Publication
from config.clock import beijing, now
from ledger.models import Incident
from staff.incidents import settled
from storage.database import Database, id_at, new_id
from subscriptions.hours import PushHours
from supervision.outbound import (
    BURST,
    HOUR,
    NIGHT,
    STRAY,
    Sent,
    at_night,
    look_out,
    sent_by_account,
)
from supervision.promised import lines_of
from supervision.units import stopped_by_body
from tests.console.office import Office

AWAKE = PushHours(clock(0), clock(0))
ASLEEP = PushHours(clock(0), clock(23, 59, 59, 999999))
MONTH = 30


class Sending:
    """Writes rows of calls as the sender does."""

    def __init__(self, account: str, contact: str) -> None:
        self.account, self.contact = account, contact
        self.rows: dict[type[Any], list[dict[str, Any]]] = {
            Publication: [], Delivery: [], Attempt: []
        }  # fmt: skip

    def publication(self) -> tuple[str, str]:
        key, release = new_id(), new_id()
        row: dict[str, Any] = {
            "id": key,
            "release_id": release,
            "item_id": new_id(),
            "account_id": self.account,
        }
        row |= {"digest": "0" * 64, "state": State.PUBLISHED, "due_at": now(), "seal": ""}
        self.rows[Publication].append(row)
        return key, release

    def message(self, at: float, release: str | None, publication: str | None, tries: int) -> None:
        row: dict[str, Any] = {"id": new_id(), "content_key": new_id(), "account_id": self.account}
        row |= {"contact_id": self.contact, "release_id": release, "publication_id": publication}
        row |= {"state": State.PUBLISHED, "created_at": now(), "seal": "", "reply": None}
        self.rows[Delivery].append(row)
        for number in range(tries):
            call = {"id": f"{id_at(at + number)[:20]}{new_id()[20:]}", "delivery_id": row["id"]}
            self.rows[Attempt].append(call | {"started_at": now(), "detail": {}})

    async def written(self, office: Office) -> None:
        async with office.deps.db.session() as session:
            for model, rows in self.rows.items():
                if rows:
                    await session.execute(insert(model), rows)
                rows.clear()


async def _sending(office: Office) -> Sending:
    async with office.deps.db.session() as session:
        account = await session.scalar(select(Account.id).where(Account.slug == "qinghe-tg"))
        row: dict[str, Any] = {"id": new_id(), "account_id": account, "seal": ""}
        row |= {"subject_ref": new_id(), "address": "", "address_hash": "0" * 64}
        row |= {"created_at": now()}
        await session.execute(insert(Contact), [row])
    return Sending(account or "", str(row["id"]))


async def test_a_month_of_work_raises_none_and_each_fault_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    async def tell(staff_id: str, words: str) -> Any:
        told.append(words)

    monkeypatch.setattr("supervision.outbound.DAYS", 1)
    ledger, end = office.deps.ledger, time.time()
    sending = await _sending(office)
    hours = []
    for day in range(MONTH, 0, -1):
        for hour in (9, 15):
            at = end - day * 86_400 + hour * 3600
            publication, release = sending.publication()
            # Every fifth day goes to many people, and now and then a call is made twice.
            for number in range(400 if day % 5 == 1 and hour == 9 else 12):
                sending.message(at + number * 2, release, publication, 2 if number % 9 == 0 else 1)
            for number in range(day % 7):
                sending.message(at + number, None, None, 1)
            hours.append(at + 1800)
    await sending.written(office)
    for at in hours:
        assert await look_out(ledger, AWAKE, tell, end=at) == []
    assert told == []

    # The same message again and again.
    publication, release = sending.publication()
    sending.message(end - 900, release, publication, 700)
    await sending.written(office)
    assert await look_out(ledger, AWAKE, tell, end=end) == [], "the busiest hour had 445"
    assert told == []
    sending.message(end - 850, release, publication, 800)
    await sending.written(office)
    assert await look_out(ledger, AWAKE, tell, end=end) == [BURST]
    assert await look_out(ledger, AWAKE, tell, end=end) == [BURST]
    assert len(told) == 2, "once to each supervisor or admin"
    # Of a release that nobody queued, and in the hours of rest.
    sending.message(end - 30, new_id(), None, 1)
    sending.message(end - 20, release, publication, 1)
    await sending.written(office)
    assert set(await look_out(ledger, AWAKE, tell, end=end)) == {BURST, STRAY}
    monkeypatch.setattr("supervision.outbound._at", lambda moment: now().replace(hour=4))
    assert set(await look_out(ledger, ASLEEP, tell, end=end)) == {BURST, STRAY, NIGHT}
    async with office.deps.db.session() as session:
        kinds = (await session.scalars(select(Incident.kind))).all()
    assert sorted(one for one in kinds if one.startswith("outbound.")) == [BURST, NIGHT, STRAY]
    admin = await office.signed_in("admin1")
    _, text = await admin.get("/console/incidents")
    assert text.count('name="name" value="account:') == 3
    stop = {"name": f"account:{sending.account}", "reason": "发送次数异常", "stopped": "yes"}
    assert (await admin.post("/console/settings/switches", **stop))[0] == 303
    # What was looked into is not told again; what is sent after that is.
    told.clear()
    async with ledger.transaction() as tx:
        subject = f"account:{sending.account}"
        await settled(tx, STRAY, subject=subject, by=office.people["admin1"], words="是测试")
    monkeypatch.setattr("supervision.outbound._at", lambda moment: now())
    assert await look_out(ledger, AWAKE, tell) == [BURST]
    sending.message(time.time(), new_id(), None, 1)
    await sending.written(office)
    assert set(await look_out(ledger, AWAKE, tell, end=time.time() + 1)) == {BURST, STRAY}
    assert len(told) == 2


async def test_every_database_counts_calls_alike(database: Database) -> None:
    end = time.time()
    sending = Sending("account", "contact")
    publication, release = sending.publication()
    for _ in range(4):
        sending.message(end - 60, release, publication, 2)
    sending.message(end - 60, new_id(), None, 1)
    async with database.session() as session:
        for model, rows in sending.rows.items():
            await session.execute(insert(model), rows)
        lost = {"id": new_id(), "delivery_id": new_id(), "started_at": now(), "detail": {}}
        await session.execute(insert(Attempt), [lost])
        found = await sent_by_account(session, end - HOUR, end + 1)
        assert found == {"account": Sent(9, 4, 1), "": Sent(1, 0, 1)}
        assert await at_night(session, end - HOUR, end + 1) == {}, "nobody is written to"
        assert await stopped_by_body(session, now()) == {}
        today = beijing(now()).date()
        assert await lines_of(session, today, today, ["account"]) == []
