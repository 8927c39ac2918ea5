"""Changes of authority: two people, the exact payload, the signed role; and who tries otherwise."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from gates.rules import RuleSet
from ledger.append import Ledger, load_signing_key
from ledger.models import Incident, LedgerEntry
from review_queue.governance.handovers import ask_reset
from review_queue.governance.kinds import Governance, seed
from review_queue.governance.staff_changes import deactivate_now
from review_queue.workflow import GATES, load_workflows
from staff.models import Proposal, Staff
from staff.people import Person, password_holds, set_staff
from staff.refusal import Refused
from storage.database import Database

ROOT = Path(__file__).parents[2]
PEOPLE = {
    "admin1": ("admin",),
    "admin2": ("admin",),
    "admin3": ("admin",),
    "editor": ("editor",),
    "reviewer1": ("reviewer_1",),
    "reviewer2": ("reviewer_2",),
    "reviewer3": ("reviewer_3", "secrecy"),
}
ROW = {
    "id": "t.word",
    "gate": "wording",
    "severity": "warn",
    "terms": ["错词"],
    "reason": "试验用的错词",
    "basis": "试验",
    "must": ["这里有错词"],
    "must_not": ["这里没有"],
}
LEVELS = [
    {"name": "初审", "roles": ["reviewer_1"], "gates": ["policy", "wording"], "hours": 8},
    {"name": "终审", "roles": ["reviewer_3"], "gates": list(GATES), "hours": 8},
]


@dataclass
class Place:
    """An office that only governs itself."""

    governance: Governance
    ledger: Ledger
    people: dict[str, str]

    async def propose(self, kind: str, payload: Any, by: str = "admin1") -> Proposal:
        reason = "试验这项变更"
        return await self.governance.proposals.propose(kind, payload, self.people[by], reason)

    async def approve(self, row: Proposal, by: str = "admin2") -> Mapping[str, Any]:
        return await self.governance.proposals.approve(row.id, self.people[by])

    async def sql(self, words: str, **values: Any) -> None:
        async with self.ledger.db.session() as session:
            await session.execute(text(words), values)

    async def incidents(self) -> set[str]:
        async with self.ledger.db.session() as session:
            return set((await session.scalars(select(Incident.kind))).all())

    async def entries(self, kind: str) -> list[dict[str, Any]]:
        async with self.ledger.db.session() as session:
            query = select(LedgerEntry.preimage).where(LedgerEntry.kind == kind)
            rows = (await session.scalars(query.order_by(LedgerEntry.seq))).all()
        return [json.loads(row) for row in rows]


@pytest.fixture
async def place(tmp_path: Path, database: Database) -> Place:
    ledger = Ledger(database, load_signing_key(tmp_path / "keys/l.key"), tmp_path / "anchors.jsonl")
    flows = load_workflows(ROOT / "config" / "workflows.yaml")
    async with ledger.transaction() as tx:
        await seed(tx, flows.values(), RuleSet.load([ROW]))
        people = {
            login: (await set_staff(tx, Person(login, login, roles, "-"), "init")).id
            for login, roles in PEOPLE.items()
        }
    governance = Governance.of(ledger)
    await governance.levels.refresh()
    return Place(governance, ledger, people)


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


# --- levels -------------------------------------------------------------------------------


async def test_new_levels_hold_after_a_second_person_approved_them(place: Place) -> None:
    levels = place.governance.levels
    before = levels["日常"]
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    await levels.refresh()
    assert levels["日常"] == before
    await place.approve(row)
    await levels.refresh()
    assert levels["日常"].version == before.version + 1
    assert [level.hours for level in levels["日常"].levels] == [8, 8]
    signed = await place.entries("workflow.approved")
    assert signed[-1]["body"]["digest"] == levels["日常"].digest
    assert signed[-1]["actor"] == place.people["admin2"]


async def test_another_process_sees_the_new_levels_at_its_next_look(
    place: Place, tmp_path: Path
) -> None:
    key = load_signing_key(tmp_path / "keys/l.key")
    other = Governance.of(Ledger(place.ledger.db, key, tmp_path / "anchors.jsonl")).levels
    await other.refresh()
    old = other["日常"].version
    await place.approve(await place.propose("workflow", {"klass": "日常", "levels": LEVELS}))
    await other.refresh()
    assert other["日常"].version == old + 1


async def test_the_effect_shows_each_level_and_who_cannot_fill_it(place: Place) -> None:
    levels = [LEVELS[0], {**LEVELS[1], "roles": ["reviewer_2"]}]
    _, effect = await place.governance.proposals.draft(
        "workflow", {"klass": "日常", "levels": levels}
    )
    signs = {line["sign"] for line in effect["changes"]}
    assert signs >= {"+", "-"}
    assert any("日常" in words for words in effect["warnings"])


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"klass": "日常", "levels": LEVELS[:1]}, "至少要有两级"),
        ({"klass": "", "levels": LEVELS}, "klass"),
        ({"klass": "日常", "levels": [LEVELS[1], LEVELS[0]]}, "最后一级"),
    ],
)
async def test_levels_that_could_be_bypassed_cannot_be_proposed(
    place: Place, payload: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused, match=words) as caught:
        await place.propose("workflow", payload)
    assert caught.value.status == 422


async def test_a_definition_changed_by_sql_is_not_used_and_opens_an_incident(place: Place) -> None:
    await place.sql("UPDATE workflow_definition SET body = replace(body, 'reviewer_1', 'editor')")
    fresh = Governance.of(place.ledger).levels
    await fresh.refresh()
    assert "日常" not in fresh
    assert await place.incidents() == {"workflow_tampered"}


async def test_only_the_changed_class_stops(place: Place) -> None:
    await place.sql(
        "UPDATE workflow_definition SET body = replace(body, '24', '99') WHERE klass = '重要'"
    )
    fresh = Governance.of(place.ledger).levels
    await fresh.refresh()
    assert "重要" not in fresh
    assert {"日常", "敏感", "应急"} <= set(fresh)


async def test_a_deleted_newer_definition_does_not_bring_the_old_one_back(place: Place) -> None:
    await place.approve(await place.propose("workflow", {"klass": "日常", "levels": LEVELS}))
    await place.sql(
        "DELETE FROM workflow_definition WHERE klass = '日常' AND approved_by != 'init'"
    )
    fresh = Governance.of(place.ledger).levels
    await fresh.refresh()
    assert "日常" not in fresh


# --- two people ---------------------------------------------------------------------------


async def test_the_proposer_cannot_approve_or_reject(place: Place) -> None:
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    for act in (
        place.approve(row, "admin1"),
        place.governance.proposals.reject(row.id, place.people["admin1"], "不同意这样改"),
    ):
        with pytest.raises(Refused) as caught:
            await act
        assert (caught.value.status, rules(caught)) == (403, {"two_people"})


async def test_somebody_without_the_admin_role_cannot_approve(place: Place) -> None:
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    with pytest.raises(Refused) as caught:
        await place.approve(row, "reviewer3")
    assert (caught.value.status, rules(caught)) == (403, {"role"})


async def test_an_admin_role_written_by_sql_does_not_count(place: Place) -> None:
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    await place.sql("UPDATE staff SET roles = '[\"admin\"]' WHERE login = 'editor'")
    with pytest.raises(Refused) as caught:
        await place.approve(row, "editor")
    assert rules(caught) == {"staff"}


async def test_an_admin_who_lost_the_role_cannot_approve(place: Place) -> None:
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    change = await place.propose("staff", {"login": "admin2", "roles": ["duty"]})
    await place.approve(change, "admin3")
    with pytest.raises(Refused) as caught:
        await place.approve(row, "admin2")
    assert rules(caught) == {"role"}


async def test_approved_once_is_approved_once(place: Place) -> None:
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    results = await asyncio.gather(
        place.approve(row, "admin2"), place.approve(row, "admin3"), return_exceptions=True
    )
    refused = [one for one in results if isinstance(one, Refused)]
    assert [one.status for one in refused] == [409]
    assert len(await place.entries("proposal.approved")) == 1
    with pytest.raises(Refused) as caught:
        await place.approve(row, "admin3")
    assert caught.value.status == 409


async def test_a_rejected_proposal_changes_nothing_and_stays_rejected(place: Place) -> None:
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    await place.governance.proposals.reject(row.id, place.people["admin2"], "时限太短")
    await place.sql("UPDATE proposal SET state = 'proposed'")
    with pytest.raises(Refused) as caught:
        await place.approve(row, "admin3")
    assert (caught.value.status, rules(caught)) == (409, {"tampered"})


async def test_only_the_proposer_withdraws(place: Place) -> None:
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    with pytest.raises(Refused):
        await place.governance.proposals.withdraw(row.id, place.people["admin2"])
    await place.governance.proposals.withdraw(row.id, place.people["admin1"])
    assert (await place.governance.proposals.get(row.id)).state == "withdrawn"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE proposal SET payload = replace(payload, 'reviewer_3', 'reviewer_1')",
        "UPDATE proposal SET proposed_by = 'somebody'",
        "UPDATE proposal SET kind = 'ruleset'",
        "UPDATE proposal SET reason = 'a better reason'",
        "UPDATE proposal SET digest = '" + "0" * 64 + "'",
        """UPDATE proposal SET effect = '{"changes": [], "warnings": []}'""",
    ],
)
async def test_a_proposal_changed_by_sql_is_refused_and_opens_an_incident(
    place: Place, change: str
) -> None:
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    await place.sql(change)
    with pytest.raises(Refused) as caught:
        await place.approve(row, "admin2")
    assert (caught.value.status, rules(caught)) == (409, {"tampered"})
    assert await place.incidents() == {"proposal_tampered"}
    assert await place.entries("proposal.approved") == []


async def test_a_proposal_inserted_by_sql_is_refused(place: Place) -> None:
    row = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    await place.sql("UPDATE proposal SET id = 'forged'")
    with pytest.raises(Refused) as caught:
        await place.governance.proposals.approve("forged", place.people["admin2"])
    assert rules(caught) == {"tampered"}
    assert row.id != "forged"


async def test_of_two_proposals_on_one_class_the_second_is_overtaken(place: Place) -> None:
    first = await place.propose("workflow", {"klass": "日常", "levels": LEVELS})
    other = [LEVELS[0], {**LEVELS[1], "hours": 4}]
    second = await place.propose("workflow", {"klass": "日常", "levels": other})
    await place.approve(first)
    with pytest.raises(Refused) as caught:
        await place.approve(second)
    assert (caught.value.status, rules(caught)) == (409, {"overtaken"})


async def test_the_ledger_keeps_no_words_of_a_proposal(place: Place) -> None:
    row = await place.propose("staff", {"login": "newcomer", "name": "王小明", "roles": ["editor"]})
    await place.approve(row)
    async with place.ledger.db.session() as session:
        lines = (await session.scalars(select(LedgerEntry.preimage))).all()
    assert not any("试验这项变更" in line or "王小明" in line for line in lines)
    assert not any("newcomer" in line for line in lines)


# --- people -------------------------------------------------------------------------------


async def test_a_new_person_gets_a_password_shown_once(place: Place) -> None:
    row = await place.propose("staff", {"login": "newcomer", "name": "王小明", "roles": ["editor"]})
    shown = await place.approve(row)
    async with place.ledger.db.session() as session:
        person = (await session.scalars(select(Staff).where(Staff.login == "newcomer"))).one()
    assert person.roles == ["editor"]
    assert await password_holds(person.password_hash, shown["password"])
    stored = await place.governance.proposals.get(row.id)
    assert shown["password"] not in stored.payload + json.dumps(stored.effect)


async def test_roles_change_by_two_people_and_keep_the_password(place: Place) -> None:
    row = await place.propose("staff", {"login": "reviewer1", "roles": ["reviewer_2"]})
    assert any("重要" in words for words in row.effect["warnings"])
    assert "password" not in await place.approve(row)
    async with place.ledger.db.session() as session:
        person = await session.get(Staff, place.people["reviewer1"])
    assert person is not None
    assert (person.roles, person.password_hash) == (["reviewer_2"], "-")


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"login": "Bad Login", "name": "x", "roles": ["editor"]}, "login"),
        ({"login": "newcomer", "name": "", "roles": ["editor"]}, "name"),
        ({"login": "newcomer", "name": "x", "roles": ["king"]}, "roles"),
        ({"login": "newcomer", "name": "x", "roles": []}, "roles"),
        ({"login": "editor", "roles": ["editor"]}, "roles"),
    ],
)
async def test_a_wrong_field_of_a_person_is_named(
    place: Place, payload: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as caught:
        await place.propose("staff", payload)
    assert (caught.value.status, rules(caught)) == (422, {field})


async def test_one_admin_takes_away_every_right_at_once(place: Place) -> None:
    await deactivate_now(place.ledger, "editor", place.people["admin1"])
    with pytest.raises(Refused):
        await place.propose("exception", {"rule": "t.word", "text": "不是错词"}, "editor")
    back = await place.propose("staff", {"login": "editor", "roles": ["editor"]})
    assert back.effect["changes"][0]["text"].startswith("重新启用")
    await place.approve(back)
    async with place.ledger.db.session() as session:
        person = await session.get(Staff, place.people["editor"])
    assert person is not None
    assert person.active


async def test_two_admins_always_remain(place: Place) -> None:
    await deactivate_now(place.ledger, "admin3", place.people["admin1"])
    with pytest.raises(Refused) as caught:
        await deactivate_now(place.ledger, "admin2", place.people["admin1"])
    assert rules(caught) == {"two_admins"}
    with pytest.raises(Refused) as caught:
        await place.propose("staff", {"login": "admin2", "roles": ["duty"]})
    assert rules(caught) == {"two_admins"}


@pytest.mark.parametrize("who", ["editor", "reviewer3"])
async def test_nobody_but_an_admin_deactivates_or_resets(place: Place, who: str) -> None:
    with pytest.raises(Refused) as caught:
        await deactivate_now(place.ledger, "admin1", place.people[who])
    assert caught.value.status == 403
    made = place.governance.proposals
    with pytest.raises(Refused) as caught:
        await ask_reset(made, "admin1", place.people[who], "试验这项变更")
    assert caught.value.status == 403
