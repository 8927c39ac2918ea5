"""One admin is not everybody: a new login takes two, and a third to say whose hands it is in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from config.clock import now
from ledger.models import Incident
from review_queue.governance.handovers import ask_reset
from review_queue.governance.kinds import Governance
from review_queue.governance.staff_changes import change_password, deactivate_now
from staff.handover import confirm_person
from staff.models import Staff
from staff.passkeys import key_at
from staff.people import Half, Person, password_holds, set_staff
from staff.refusal import Refused
from staff.standing import standing
from storage.database import Database
from tests.review_queue.conftest import Office, make_office
from tests.review_queue.test_passkeys import Owner

OWN = "a-password-of-my-own"
WHY = "本人忘记密码"
MORE = {
    "admin1": ("admin", "editor"),
    "admin2": ("admin",),
    "admin3": ("admin",),
}


@dataclass
class Place:
    """An office with three admins, and what they do."""

    office: Office
    governance: Governance

    @property
    def people(self) -> dict[str, str]:
        return self.office.people

    async def asked(self, login: str, by: str = "admin1") -> tuple[str, Half]:
        made = self.governance.proposals
        row, half = await ask_reset(made, login, self.people[by], WHY)
        return row.id, half

    async def approved(self, proposal: str, by: str = "admin2") -> Mapping[str, Any]:
        return await self.governance.proposals.approve(proposal, self.people[by])

    async def reset(self, login: str, by: tuple[str, str] = ("admin1", "admin2")) -> str:
        """The whole code, as the person is told it by two people."""
        proposal, half = await self.asked(login, by[0])
        return f"{half.shown}-{(await self.approved(proposal, by[1]))['half']}"

    async def own_password(self, login: str, code: str) -> None:
        await change_password(self.office.queue.ledger, self.people[login], code, OWN)

    async def confirm(self, login: str, by: str) -> None:
        await confirm_person(self.office.queue.ledger, self.people[login], self.people[by])

    async def stored(self, login: str) -> str:
        async with self.office.queue.db.session() as session:
            return (await session.get_one(Staff, self.people[login])).password_hash


@pytest.fixture
async def place(tmp_path: Path, database: Database) -> Place:
    office = await make_office(tmp_path, database)
    async with office.queue.ledger.transaction() as tx:
        for login, roles in MORE.items():
            row = await set_staff(tx, Person(login, login, roles, "-"), "system")
            office.people[login] = row.id
    ledger = office.queue.ledger
    return Place(office, Governance.of(ledger))


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


async def test_neither_who_asks_nor_who_approves_can_sign_in(place: Place) -> None:
    proposal, half = await place.asked("reviewer1")
    shown = await place.approved(proposal)
    stored, second = await place.stored("reviewer1"), shown["half"]
    row = await place.governance.proposals.get(proposal)
    for known in (half.shown, second, half.kept, f"{half.kept}{second}", f"{second}-{half.shown}"):
        assert not await password_holds(stored, known)
    assert await password_holds(stored, f"{half.shown}-{second}")
    assert half.shown not in row.payload
    assert second not in row.payload


async def test_one_admin_alone_resets_nobody(place: Place) -> None:
    """Neither four reviewers nor the other admin: the proposer approves nothing of their own."""
    for login in ("reviewer1", "reviewer2", "reviewer3", "admin2"):
        before = await place.stored(login)
        proposal, _ = await place.asked(login)
        with pytest.raises(Refused) as caught:
            await place.approved(proposal, "admin1")
        assert "two_people" in rules(caught)
        assert await place.stored(login) == before


async def test_whom_it_is_about_does_not_approve_it(place: Place) -> None:
    proposal, _ = await place.asked("admin2")
    with pytest.raises(Refused) as caught:
        await place.approved(proposal, "admin2")
    assert "self" in rules(caught)


async def test_a_reset_person_decides_nothing_until_confirmed(place: Place) -> None:
    item = await place.office.submitted("日常")
    code = await place.reset("reviewer1")
    with pytest.raises(Refused) as caught:
        await place.office.decide(item, "reviewer1")
    assert "unconfirmed" in rules(caught)
    with pytest.raises(Refused) as caught:
        await place.confirm("reviewer1", "admin3")
    assert rules(caught) == {"password"}  # who made the code may still know it
    await place.own_password("reviewer1", code)
    for barred in ("admin1", "admin2", "reviewer1", "editor"):
        with pytest.raises(Refused) as caught:
            await place.confirm("reviewer1", barred)
        assert caught.value.status == 403
    await place.confirm("reviewer1", "admin3")
    item = await place.office.decide(item, "reviewer1")
    item = await place.office.decide(item, "reviewer3")
    await place.office.releases.verify(item.release_id or "")


async def test_a_decision_signed_between_reset_and_confirmation_is_not_sent(place: Place) -> None:
    """As if somebody had got past the queue: the sender reads the signed entries by itself."""
    item = await place.office.submitted("日常")
    item = await place.office.decide(item, "reviewer1")
    code = await place.reset("reviewer3")
    ledger = place.office.queue.ledger
    told = await ledger.facts(f"item:{item.id}")
    body = dict(told[-1].body) | {"level": 1, "attachments": {}, "proof": True}
    async with ledger.transaction() as tx:
        await tx.append(
            "decision", subject=f"item:{item.id}", actor=place.people["reviewer3"], body=body
        )
    await place.own_password("reviewer3", code)
    await place.confirm("reviewer3", "admin3")
    reasons = await place.office.releases.faults(item.id, now())
    assert any("终审要由" in reason.message for reason in reasons)


async def test_what_was_decided_before_the_reset_still_counts(place: Place) -> None:
    item = await place.office.submitted("日常")
    item = await place.office.decide(item, "reviewer1")
    await place.reset("reviewer1")
    item = await place.office.decide(item, "reviewer3")
    await place.office.releases.verify(item.release_id or "")


async def test_an_unconfirmed_admin_approves_nothing(place: Place) -> None:
    await place.reset("admin3")
    proposal, _ = await place.asked("reviewer1")
    with pytest.raises(Refused) as caught:
        await place.approved(proposal, "admin3")
    assert rules(caught) == {"unconfirmed"}


async def test_with_one_admin_left_the_supervisor_is_the_second_person(place: Place) -> None:
    """Where nobody else has the role; a reviewer who is not asked stays refused."""
    await deactivate_now(place.office.queue.ledger, "everything", place.people["admin1"])
    await deactivate_now(place.office.queue.ledger, "admin3", place.people["admin1"])
    proposal, half = await place.asked("admin2")
    for barred in ("reviewer3", "admin2", "admin1"):
        with pytest.raises(Refused):
            await place.approved(proposal, barred)
    shown = await place.approved(proposal, "supervisor")
    await place.own_password("admin2", f"{half.shown}-{shown['half']}")
    # No admin or supervisor is free of the matter: the final reviewer is.
    with pytest.raises(Refused):
        await place.confirm("admin2", "supervisor")
    await place.confirm("admin2", "reviewer3")
    assert (await standing(place.office.queue.ledger, place.people["admin2"])).roles == {"admin"}


async def test_a_new_person_looks_on_until_confirmed(place: Place) -> None:
    """Who approves a new reviewer sees their first password, and could write and approve."""
    made = place.governance.proposals
    payload = {"login": "newcomer", "name": "新人", "roles": ["reviewer_1"]}
    row = await made.propose("staff", payload, place.people["admin1"], "新来的同事")
    shown = await place.approved(row.id)
    place.people["newcomer"] = shown["staff"]
    item = await place.office.submitted("日常")
    with pytest.raises(Refused) as caught:
        await place.office.decide(item, "newcomer")
    assert "unconfirmed" in rules(caught)
    await place.own_password("newcomer", shown["password"])
    with pytest.raises(Refused):
        await place.confirm("newcomer", "admin2")
    await place.confirm("newcomer", "admin3")
    await place.office.decide(item, "newcomer")


async def test_one_admin_declares_nobody_absent(place: Place) -> None:
    item = await place.office.submitted("日常")
    payload = {
        "staff": place.people["reviewer1"],
        "starts": (now() - timedelta(hours=1)).isoformat(),
        "ends": (now() + timedelta(days=2)).isoformat(),
        "substitute": place.people["reviewer2"],
    }
    made = place.governance.proposals
    row = await made.propose("absence", payload, place.people["admin1"], "他在外地开会")
    for barred in ("admin1", "reviewer2", "reviewer1"):
        with pytest.raises(Refused):
            await place.approved(row.id, barred)
    with pytest.raises(Refused):
        await place.office.decide(item, "reviewer2")
    await place.approved(row.id)
    item = await place.office.decide(item, "reviewer2")
    item = await place.office.decide(item, "reviewer3")
    await place.office.releases.verify(item.release_id or "")


async def test_an_absence_one_person_signed_for_another_seats_nobody(place: Place) -> None:
    item = await place.office.submitted("日常")
    ledger, person = place.office.queue.ledger, place.people["reviewer1"]
    body = {
        "staff": person,
        "from": (now() - timedelta(hours=1)).isoformat(),
        "to": (now() + timedelta(days=2)).isoformat(),
        "substitute": place.people["reviewer2"],
    }
    async with ledger.transaction() as tx:
        await tx.append(
            "staff.absent", subject=f"staff:{person}", actor=place.people["admin1"], body=body
        )
        await tx.session.execute(
            text(
                "INSERT INTO absence (id, staff_id, starts_at, ends_at, substitute_id, set_by, at)"
                f" VALUES ('x', '{person}', '2020-01-01 00:00:00', '2090-01-01 00:00:00',"
                f" '{place.people['reviewer2']}', 'x', '2020-01-01 00:00:00')"
            )
        )
    with pytest.raises(Refused) as caught:
        await place.office.decide(item, "reviewer2")
    assert rules(caught) == {"role"}


async def test_a_key_made_with_a_login_nobody_confirmed_does_not_count(place: Place) -> None:
    """Neither registered in time, nor later confirmed by who approved the reset."""
    owner = Owner(place.office)
    owner.staff = place.people["reviewer1"]
    code = await place.reset("reviewer1")
    with pytest.raises(Refused) as caught:
        await owner.register()
    assert rules(caught) == {"unconfirmed"}
    ledger, credential = place.office.queue.ledger, "made-in-between"
    body = {"credential": credential, "public_key": "k", "rp_id": "r", "origin": "o"}
    subject = f"staff:{owner.staff}"
    async with ledger.transaction() as tx:
        await tx.append("passkey.registered", subject=subject, actor=owner.staff, body=body)
    await place.own_password("reviewer1", code)
    await place.confirm("reviewer1", "admin3")
    async with ledger.transaction() as tx:
        said = {"credential": credential}
        await tx.append(
            "passkey.confirmed", subject=subject, actor=place.people["admin3"], body=said
        )
    assert key_at(await ledger.facts(subject), credential, 10**9) is None
    made = await owner.register()
    for barred in ("admin1", "admin2"):
        with pytest.raises(Refused) as caught:
            await owner.keys.confirm(made, place.people[barred])
        assert rules(caught) == {"two_people"}
    await owner.keys.confirm(made, place.people["admin3"])


async def test_a_reset_opens_an_incident_that_names_both(place: Place) -> None:
    await place.reset("reviewer1")
    async with place.office.queue.db.session() as session:
        row = (await session.scalars(select(Incident))).one()
    people = place.people
    assert (row.kind, row.subject) == ("password_reset", f"staff:{people['reviewer1']}")
    assert (row.detail["by"], row.detail["proposed_by"]) == (people["admin2"], people["admin1"])


async def test_a_second_reset_waits_for_nobody_while_the_first_one_does(place: Place) -> None:
    first, _ = await place.asked("reviewer1")
    with pytest.raises(Refused) as caught:
        await place.asked("reviewer1", "admin2")
    assert caught.value.status == 409
    assert [one.message for one in caught.value.reasons] == [
        "这个人已有一项重设密码在等批准：请先批准、否决或收回那一项，再重新提出"
    ]
    await place.asked("reviewer2", "admin2")
    await place.governance.proposals.withdraw(first, place.people["admin1"])
    second, _ = await place.asked("reviewer1", "admin2")
    await place.approved(second, "admin1")
    await place.asked("reviewer1")


async def test_a_reset_written_into_the_table_keeps_no_true_one_away(place: Place) -> None:
    first, _ = await place.asked("reviewer1")
    await place.governance.proposals.withdraw(first, place.people["admin1"])
    async with place.office.queue.db.session() as session:
        await session.execute(text("UPDATE proposal SET state = 'proposed'"))
    second, _ = await place.asked("reviewer1")
    assert (await place.approved(second))["login"] == "reviewer1"
