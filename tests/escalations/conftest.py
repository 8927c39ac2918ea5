"""A duty office whose clock is set by the test."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.contacts import Contacts
from bot.contract import State
from bot.delivery.outbox import queue_reply
from bot.models import Account, Contact, Delivery
from bot.replies import Parts
from bot.sealing import rewrite
from bot.wechat.channel import WeChatChannel
from config.clock import BEIJING
from escalations.alarms import Told
from escalations.calendar import load_hours
from escalations.ladder import escalate_due
from escalations.roster import DutyLine, set_roster
from escalations.tickets import Question, TicketWiring, open_ticket
from gates.finding import Finding
from ledger.append import Ledger, load_signing_key
from ledger.models import LedgerEntry
from staff.models import Staff
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Database
from tests.made import SEALS, a_finding, hire

ROOMS = (
    *("tickets", "ladder", "replying", "outcomes", "urgent", "planning", "ratings"),
    *("passing", "notes"),
)
"""Whose clock the test sets."""
FILE = Path(__file__).parents[2] / "config" / "calendar.yaml"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


class Duty:
    """Tickets, the people, and what reached them and the citizen."""

    def __init__(self, db: Database, home: Path, monkeypatch) -> None:
        self.db, self.moment = db, at("2026-11-24 09:00")
        self.alarms: list[tuple[str, str]] = []
        self.sent: list[tuple[Parts, str]] = []
        self.away: set[str] = set()  # whom no alarm reaches
        self.ledger = Ledger(db, load_signing_key(home / "k"), home / "anchors")
        self.tickets = TicketWiring(
            self.ledger, load_hours(FILE), self.check, self.queue, self.alarm,
            {"wechat": WeChatChannel(MemoryCache())}, self.send, DataKey(b"k" * 32),
        )  # fmt: skip
        self.came: dict[str, str] = {"state": State.PUBLISHED}
        for room in ROOMS:
            monkeypatch.setattr(f"escalations.{room}.now", lambda: self.moment)
        monkeypatch.setattr("ledger.append.now", lambda: self.moment)

    async def check(self, text: str) -> list[Finding]:
        """One rule of the secrecy gate is enough to be stopped."""
        if "13812345678" in text:
            return [a_finding(gate="secrecy", rule="secrecy.mobile")]
        return []

    async def queue(self, parts: Parts, key: str, session=None) -> str:
        self.sent.append((parts, key))
        return await queue_reply(self.db, parts, key, session)

    async def send(self, delivery_id: str) -> None:
        """What a sender leaves in the row."""
        async with self.db.session() as session:
            await rewrite(session, Delivery.id == delivery_id, **self.came)

    async def alarm(self, staff_id: str, text: str) -> Told:
        self.alarms.append((staff_id, text))
        return Told() if staff_id in self.away else Told("webhook")

    def told(self) -> list[str]:
        return [staff_id for staff_id, _ in self.alarms]

    async def open(self, platform: str = "wechat") -> "Duty":
        people = {"jia": ["duty"], "yi": ["duty"], "bing": ["duty"], "zhang": ["supervisor"],
                  "bian": ["editor"]}  # fmt: skip
        async with self.db.session() as session:
            for staff_id, roles in people.items():
                session.add(
                    Staff(id=staff_id, login=staff_id, name=f"值班{staff_id}", roles=roles,
                          password_hash="", created_at=self.moment)
                )  # fmt: skip
            session.add(
                Account(id="wx", slug="wx", organisation_id="o", platform=platform, name="青禾发布",
                        api_base="http://127.0.0.1", secrets="", settings={},
                        created_at=self.moment)
            )  # fmt: skip
            self.contact = await Contacts(DataKey(b"k" * 32)).upsert(
                session, "wx", "openid-of-li", self.moment
            )
        await hire(self.ledger, people)
        people_on = (("", 0, "yi"), ("employment", 0, "jia"), ("", 1, "bing"))
        async with self.ledger.transaction() as tx:
            await set_roster(tx, [DutyLine(*one) for one in people_on], "init")
        return self

    async def sworn(self, **roles: list[str]) -> None:
        """Everybody's standing, or that of those named, as signed entries."""
        async with self.db.session() as session:
            people = {one.id: one.roles for one in await session.scalars(select(Staff))}
        async with self.ledger.transaction() as tx:
            for staff_id, held in (roles or people).items():
                body = {"active": bool(held), "roles": held}
                await tx.append("staff.set", subject=f"staff:{staff_id}", actor="x", body=body)

    async def ask(self, topic: str = "employment"):
        """A question arrives, and the job runs once."""
        ticket = await open_ticket(
            self.tickets, self.contact, Question("井盖坏了谁来修", "unsure", topic)
        )
        await escalate_due(self.tickets)
        return ticket

    async def entries(self) -> list[LedgerEntry]:
        """What happened since the office stood."""
        query = select(LedgerEntry).where(LedgerEntry.kind.not_in(("staff.set", "roster.set")))
        async with self.db.session() as session:
            return [*(await session.scalars(query.order_by(LedgerEntry.seq))).all()]

    async def reload(self, row):
        async with self.db.session() as session:
            return await session.get(type(row), row.id)

    async def set_contact(self, **values) -> None:
        async with self.db.session() as session:
            contact = await session.get(Contact, self.contact.id)
            for name, value in values.items():
                setattr(contact, name, value)


@pytest.fixture
async def duty(tmp_path: Path, monkeypatch):
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'e.db'}", SEALS)
    await db.create_all()
    yield await Duty(db, tmp_path, monkeypatch).open()
    await db.close()
