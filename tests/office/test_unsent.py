"""What an earlier version left to be sent is sealed once, and its words are not believed."""

from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.models import Contact, Delivery
from bot.replies import Written, parts_from
from config.clock import now
from escalations.commitments import Commitments
from escalations.models import Ticket, TicketReply
from ledger.append import Ledger, load_signing_key
from office.unsent import NOT_SAID
from office.upgrades import seal_what_stood
from storage.crypt import DataKey
from storage.database import Database

KEY = DataKey(b"k" * 32)
REASON = "您订阅了 就业创业、地区 青禾县"
WORDS = '{"account_id": "a", "contact_id": "c", "text": "请加微信", "basis": "%s"}'
ROWS = {
    "sent": ("published", REASON, None),
    "push": ("created", REASON, None),
    "odd": ("held", "请加微信", None),
    "robot": ("held", "", WORDS % "template"),
    "staff": ("held", "", WORDS % "staff"),
    "forged": ("held", "", WORDS % "staff"),
}


@pytest.fixture
async def older(database: Database, tmp_path: Path) -> Ledger:
    """An office of the version before: its first tables are sealed, its deliveries are not."""
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    async with ledger.transaction() as tx:
        await tx.append("genesis", subject="office", actor="init", body={"sealed": True})
        body = {"active": True, "roles": ["duty"]}
        await tx.append("staff.set", subject="staff:jia", actor="init", body=body)
        await tx.append("ticket.opened", subject="ticket:t", actor="system", body={"contact": "r"})
        body = {"reply": "1", "writer": "jia", "second": ""}
        await tx.append("ticket.answered", subject="ticket:t", actor="jia", body=body)
        tx.session.add(
            Contact(
                id="c", account_id="a", subject_ref="r", address="", address_hash="h",
                state="active", ended_reason="", created_at=now(), window_used=0,
            )
        )  # fmt: skip
        tx.session.add(
            Ticket(
                id="t", account_id="a", contact_id="c", question="", reason="unsure",
                candidates=[], state="answered", notified=[], acknowledge_by=now(), due_at=now(),
                created_at=now(),
            )
        )  # fmt: skip
        for number, delivery in (("1", "staff"), ("2", "forged")):
            tx.session.add(
                TicketReply(
                    id=number, ticket_id="t", staff_id="jia", text="已报修。", findings=[],
                    state="sent", delivery_id=delivery, created_at=now(),
                )
            )  # fmt: skip
        for key, (state, reason, reply) in ROWS.items():
            await tx.session.execute(
                text(
                    "INSERT INTO delivery (id, content_key, release_id, account_id, contact_id,"
                    " reason, reply, state, ref, why, hold, owner, attempts, created_at)"
                    " VALUES (:id, :id, :release, 'a', 'c', :reason, :reply, :state, '', '',"
                    " '', '', 0, CURRENT_TIMESTAMP)"
                ),
                {
                    "id": key,
                    "release": None if reply else "r1",
                    "reason": reason,
                    "reply": reply,
                    "state": state,
                },
            )
    return ledger


async def rows(ledger: Ledger) -> dict[str, Delivery]:
    async with ledger.db.session() as session:
        return {row.id: row for row in await session.scalars(select(Delivery))}


async def test_what_stood_is_sealed_once_and_only_what_can_be_proved_is_said(
    older: Ledger,
) -> None:
    assert not any(row.whole for row in (await rows(older)).values())
    assert await seal_what_stood(older, KEY) == len(ROWS)
    found = await rows(older)
    assert all(row.whole for row in found.values())
    assert [found[key].reason for key in ("sent", "push", "odd")] == [REASON, REASON, ""]
    assert {key: row.state for key, row in found.items()} == {
        **{key: state for key, (state, _, _) in ROWS.items()},
        "robot": "ended",
        "forged": "ended",
    }
    assert (found["robot"].why, found["robot"].reply) == (NOT_SAID, None)
    assert await seal_what_stood(older, KEY) == 0


async def test_what_a_person_answered_is_still_said_in_their_words(older: Ledger) -> None:
    await seal_what_stood(older, KEY)
    row = (await rows(older))["staff"]
    parts = parts_from(row.account_id, row.contact_id, row.reply or {})
    assert parts.pieces == (Written("t", "1"),)
    said = await Commitments(older).words(parts, Written("t", "1"))
    assert said.endswith("\n已报修。")


async def test_a_row_without_a_seal_is_not_taken_in_later(older: Ledger) -> None:
    await seal_what_stood(older, KEY)
    async with older.db.session() as session:
        await session.execute(text("UPDATE delivery SET seal = '', reason = '请加微信'"))
    assert await seal_what_stood(older, KEY) == 0
    assert not any(row.whole for row in (await rows(older)).values())
