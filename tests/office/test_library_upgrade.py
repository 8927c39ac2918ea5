"""A library that two people approved before entries said how a policy stands is signed once."""

import hashlib
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from config.clock import now
from content_sources.models import Article
from knowledge.models import Clause, Policy, PolicyChange
from knowledge.proof import signed_policies
from knowledge.service import KnowledgeService
from ledger.append import Ledger, Transaction, load_signing_key
from ledger.models import Incident
from office.library_upgrade import sign_library
from storage.database import Database
from tests.made import SEALS

TODAY = date(2026, 11, 28)
QUESTION = "高校毕业生创业补贴多少钱"
CLAUSES = (
    "第一条 为了支持高校毕业生在本县创业，制定本办法。",
    "第二条 高校毕业生首次创业的，给予一次性创业补贴5000元。",
    "第三条 本办法自2024年3月1日起施行。",
)
TEXT = "\n".join(CLAUSES)


def rows(key: str, state: str) -> tuple[Policy, list[Clause]]:
    policy = Policy(
        id=key,
        title="青禾县高校毕业生创业补贴办法",
        doc_number=f"青政发〔2024〕{len(key)}号",
        issuer="青禾县人民政府",
        url=f"https://q.example/{key}",
        issued_on="2024-02-20",
        effective_from="2024-03-01",
        effective_to="2029-02-28",
        text=TEXT,
        facets={},
        state=state,
        proposed_by="admin1",
        approved_by="admin2",
        version=2,
        created_at=now(),
    )
    starts = [TEXT.index(words) for words in CLAUSES]
    return policy, [
        Clause(
            id=f"{key}-{number}",
            policy_id=key,
            number=number,
            label=words[:3],
            heading="",
            text=words,
            start=start,
            end=start + len(words),
        )
        for number, (words, start) in enumerate(zip(CLAUSES, starts, strict=True), start=1)
    ]


async def said(tx: Transaction, entry: str, key: str, change: str, **body: Any) -> None:
    whole = {"change": change, **body}
    await tx.append(entry, subject=f"policy:{key}", actor="admin1", body=whole)


async def proposed_before(tx: Transaction, key: str, state: str = "active") -> Policy:
    """As the version before wrote an import; approved when `state` is active."""
    policy, clauses = rows(key, state)
    tx.session.add_all([policy, *clauses])
    names = ("title", "doc_number", "effective_from", "effective_to")
    body = {name: getattr(policy, name) for name in names}
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    await said(tx, "policy.proposed", key, f"c-{key}", text_sha256=digest, **body)
    if state == "active":
        await said(tx, "policy.approved", key, f"c-{key}", kind="import")
    return policy


async def ended_before(tx: Transaction, policy: Policy, clause: int | None) -> None:
    body = {"kind": "repeal", "on": "2026-02-01", "successor_id": None, "clause": clause}
    for entry in ("policy.proposed", "policy.repealed"):
        await said(tx, entry, policy.id, f"r-{policy.id}", **body)
    if clause is None:
        policy.repealed_on = "2026-02-01"
        return
    policy.amended_on = "2026-02-01"
    (await tx.session.get_one(Clause, f"{policy.id}-{clause}")).repealed_on = "2026-02-01"


@pytest.fixture
async def older(tmp_path: Path) -> AsyncIterator[Ledger]:
    """Three policies of the version before: in force, ended, and one whose third clause ended."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'older.db'}", SEALS)
    await database.create_all()
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    async with ledger.transaction() as tx:
        await proposed_before(tx, "p")
        await ended_before(tx, await proposed_before(tx, "pe"), None)
        await ended_before(tx, await proposed_before(tx, "pcc"), 3)
    yield ledger
    await database.close()


async def sql(ledger: Ledger, words: str) -> None:
    async with ledger.db.session() as session:
        await session.execute(text(words))


async def incidents(ledger: Ledger) -> list[Incident]:
    async with ledger.db.session() as session:
        return list((await session.scalars(select(Incident))).all())


async def test_all_policies_are_signed_as_they_stood_and_answered_from(older: Ledger) -> None:
    assert await signed_policies(older) == {}
    assert await sign_library(older) == 3
    signed = await signed_policies(older)
    assert {key: one.repealed_on for key, one in signed.items()} == {
        "p": None,
        "pe": "2026-02-01",
        "pcc": None,
    }
    entries = await older.facts("library")
    assert {(one.kind, one.actor) for one in entries} == {("policy.set", "system")}
    assert all(one.body["stood"] for one in entries)
    service = KnowledgeService(older)
    found = await service.ask(QUESTION, TODAY)
    assert "5000元" in found.quotes[0].text
    facts = await service.facts_now()
    known = {key: facts.policy(one.doc_number, TODAY) for key, one in signed.items()}
    status = {key: fact.status for key, fact in known.items() if fact is not None}
    assert status == {"p": "in_force", "pe": "repealed", "pcc": "amended"}
    assert await sign_library(older) == 0
    assert await incidents(older) == []


CHANGED = {
    "UPDATE policy SET title = '现金办法' WHERE id = 'p'": "title",
    "UPDATE policy SET text = replace(text, '5000元', '八万元') WHERE id = 'p'": "text",
    "UPDATE clause SET text = '领取现金八万元' WHERE id = 'p-2'": "text",
    "UPDATE policy SET repealed_on = '2020-01-01' WHERE id = 'p'": "repealed_on",
    "UPDATE clause SET repealed_on = '2020-01-01' WHERE id = 'p-2'": "text",
    "UPDATE clause SET label = '第九条' WHERE id = 'p-2'": "text",
    "DELETE FROM policy WHERE id = 'p'": "row",
}


@pytest.mark.parametrize(("change", "field"), CHANGED.items(), ids=CHANGED.keys())
async def test_what_was_changed_before_is_not_signed_and_told(
    older: Ledger, change: str, field: str
) -> None:
    await sql(older, change)
    assert await sign_library(older) == 2
    assert set(await signed_policies(older)) == {"pe", "pcc"}
    told = [row for row in await incidents(older) if row.subject == "policy:p"]
    assert [row.detail["field"] for row in told] == [field]


async def test_a_repeal_taken_back_before_is_not_signed(older: Ledger) -> None:
    await sql(older, "UPDATE policy SET repealed_on = NULL WHERE id = 'pe'")
    await sql(older, "UPDATE clause SET repealed_on = NULL WHERE id = 'pcc-3'")
    assert await sign_library(older) == 1
    assert len(await incidents(older)) == 2


async def test_a_row_that_was_never_approved_is_not_taken_in(older: Ledger) -> None:
    async with older.db.session() as session:
        policy, clauses = rows("forged", "active")
        session.add_all([policy, *clauses])
    await sign_library(older)
    assert "forged" not in await signed_policies(older)


async def test_what_waited_is_proposed_again_and_a_fetched_page_goes_to_an_editor(
    older: Ledger,
) -> None:
    async with older.transaction() as tx:
        policy = await proposed_before(tx, "waits", "proposed")
        tx.session.add(
            PolicyChange(
                id="c", policy_id="waits", change={"kind": "import"}, state="proposed",
                proposed_by="robot", created_at=now(),
            )
        )  # fmt: skip
        tx.session.add(
            Article(
                id="a", source_id="s", url=policy.url, title=policy.title, text=TEXT, images=[],
                attachments=[], headers={}, snapshot="", text_hash="", library="proposed",
                state="item", fetched_at=now(),
            )
        )  # fmt: skip
    assert await sign_library(older) == 3
    assert "waits" not in await signed_policies(older)
    (told,) = await incidents(older)
    assert told.kind == "policies_again"
    assert policy.title in told.message
    async with older.db.session() as session:
        assert (await session.get_one(PolicyChange, "c")).state == "lapsed"
        assert (await session.get_one(Article, "a")).library == "waiting"
    await sign_library(older)
    assert len(await incidents(older)) == 1
