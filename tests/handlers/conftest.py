"""A small office: database, ledger, duty people, and citizens who talk on either platform."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.account_entries import sign_account
from bot.contacts import Contacts
from bot.contract import Inbound, InboundKind, Reply
from bot.models import Account, Contact
from bot.replies import Parts, Written
from config.clock import now
from escalations.alarms import Told
from escalations.calendar import load_hours
from escalations.roster import DutyLine, set_roster
from escalations.tickets import TicketWiring
from facets.taxonomy import Taxonomy, starting_taxonomy
from gates.finding import Finding
from handlers.answers import Answers
from handlers.commands import CommandWiring
from handlers.dispatch import build_dispatcher
from handlers.masking import mask
from handlers.templates import Templates, load_templates
from knowledge.answering import Answer, Hit, answer
from ledger.append import Ledger, load_signing_key
from staff.models import Staff
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Database, new_id
from subscriptions.subscribers import Subscribers
from tests.made import SEALS, hire

CONFIG = Path(__file__).parents[2] / "config"
CLAUSE = Hit(
    key="c1",
    policy_id="p1",
    title="青禾县促进就业若干措施",
    text="第三条 高校毕业生首次创业的，可以申请一次性创业补贴五千元。",
    offset=0,
    score=9.0,
    coverage=0.9,
    validity="in_force",
    doc_number="青政发〔2026〕3号",
    issuer="青禾县人民政府",
    issued_on="2026-03-01",
    url="https://www.qinghe.example/3.html",
    label="第三条",
)


class Office:
    """Everything behind the dispatcher, and the notes of what happened."""

    def __init__(self, db: Database, home: Path) -> None:
        self.db = db
        self.alarms: list[tuple[str, str]] = []
        self.queued: list[tuple[Parts, str]] = []
        self.asked: list[str] = []
        self.clause = CLAUSE
        self.told: list[tuple[str, list[str]]] = []
        self.ledger = Ledger(db, load_signing_key(home / "k"), home / "anchors")
        self.contacts = Contacts(DataKey(b"k" * 32))
        self.tickets = TicketWiring(
            self.ledger,
            load_hours(CONFIG / "calendar.yaml"),
            self.check,
            self.queue,
            self.alarm,
            crypt=DataKey(b"k" * 32),
        )
        self.templates = load_templates(CONFIG / "replies.yaml")
        self.cache = MemoryCache()
        self.subscribers = Subscribers(starting_taxonomy())
        wiring = CommandWiring(
            db=db,
            templates=self.templates,
            contacts=self.contacts,
            subscribers=self.subscribers,
            tickets=self.tickets,
            mask=mask,
        )
        self.wiring = wiring
        self.dispatcher = build_dispatcher(wiring, self.cache, self.ask, self.note_told)
        self.read: dict[str, Hit] = {}
        self.answers = Answers(starting_taxonomy(), self.released, self.hit, self.staff)

    async def check(self, text: str) -> list[Finding]:
        return []

    async def released(self) -> Templates:
        return self.templates

    async def hit(self, clause_id: str, day: date) -> Hit | None:
        """The library at the moment of saying; the clause as it was answered from."""
        return self.read.get(clause_id)

    async def staff(self, parts: Parts, written: Written) -> str:
        return f"{written.ticket} {written.reply}"

    async def queue(self, parts: Parts, key: str, session=None) -> str:
        self.queued.append((parts, key))
        return new_id()

    async def alarm(self, staff_id: str, text: str) -> Told:
        self.alarms.append((staff_id, text))
        return Told("webhook")

    async def note_told(self, contact_id: str, clause_ids) -> None:
        self.told.append((contact_id, list(clause_ids)))

    async def ask(self, question: str, as_of: date) -> Answer:
        """The real answering over a library of one clause (search itself is knowledge's)."""
        self.asked.append(question)
        if question == "补贴":
            return Answer("clarify", 0.0, (), as_of, options=("高校毕业生创业补贴办法",))
        if "旧补贴" in question:
            gone = replace(CLAUSE, validity="repealed", ended_on="2026-05-01", successor="新办法")
            self.read[gone.key] = gone
            return answer(question, [gone], as_of)
        near = "创业" in question and "补贴" in question
        hit = replace(self.clause, coverage=0.9 if near else 0.4, score=9.0 if near else 1.0)
        self.read[hit.key] = hit
        return answer(question, [] if "作诗" in question else [hit], as_of)

    def changed(self, taxonomy: Taxonomy) -> None:
        """Two people have approved another taxonomy."""
        self.subscribers.taxonomy = taxonomy
        self.answers = Answers(taxonomy, self.released, self.hit, self.staff)

    async def open(self) -> "Office":
        async with self.db.session() as session:
            for slug, platform in (("wx", "wechat"), ("tg", "telegram")):
                session.add(
                    Account(
                        id=slug, slug=slug, organisation_id="o", platform=platform,
                        name="青禾发布", api_base="http://127.0.0.1", secrets="", settings={},
                        created_at=now(),
                    )
                )  # fmt: skip
            session.add(
                Staff(id="duty1", login="duty1", name="值班甲", roles=["duty"], password_hash="",
                      created_at=now())
            )  # fmt: skip
        await hire(self.ledger, {"duty1": ["duty"]})
        async with self.ledger.transaction() as tx:
            for account in (await tx.session.scalars(select(Account))).all():
                await sign_account(tx, account, "init")
            await set_roster(tx, [DutyLine("", 0, "duty1")], "init")
        return self

    async def citizen(self, platform: str = "telegram") -> "Citizen":
        account = {"telegram": "tg", "wechat": "wx"}[platform]
        address = new_id()
        async with self.db.session() as session:
            contact = await self.contacts.upsert(session, account, address, now())
        return Citizen(self, contact, platform, address)


class Citizen:
    """Types, taps and counts taps."""

    def __init__(self, office: Office, contact: Contact, platform: str, address: str) -> None:
        self.office, self.contact, self.platform, self.address = office, contact, platform, address
        self.taps = 0
        self.last: Reply | None = None

    async def act(self, kind: InboundKind, text: str = "", key: str = "") -> Reply | None:
        inbound = Inbound(
            self.contact.account_id, self.platform, self.address, kind, now(), new_id(), text, key
        )
        parts = await self.office.dispatcher.handle(inbound, self.contact)
        build = self.office.answers.build
        self.last = None if parts is None else await build(parts, self.platform)
        return self.last

    async def say(self, text: str) -> str:
        reply = await self.act(InboundKind.TEXT, text)
        return reply.text if reply else ""

    async def tap(self, label: str) -> str:
        """Press the button, or send the number of the line, with this label; a menu entry else."""
        self.taps += 1
        if self.platform == "wechat":
            lines = self.last.text.split("\n") if self.last else []
            number = next(line.split(".")[0] for line in lines if line.endswith(f". {label}"))
            return await self.say(number)
        rows = self.last.buttons if self.last else ()
        data = next(button.data for row in rows for button in row if button.label == label)
        reply = await self.act(InboundKind.BUTTON, key=data)
        return reply.text if reply else ""

    async def menu(self, key: str) -> str:
        self.taps += 1
        reply = await self.act(InboundKind.MENU, key=key)
        return reply.text if reply else ""


@pytest.fixture
def clause() -> Hit:
    return CLAUSE


@pytest.fixture
async def office(tmp_path: Path):
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'h.db'}", SEALS)
    await db.create_all()
    yield await Office(db, tmp_path).open()
    await db.close()


@pytest.fixture(params=["telegram", "wechat"])
async def citizen(office, request):
    return await office.citizen(request.param)
