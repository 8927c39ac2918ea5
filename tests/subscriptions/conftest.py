"""A SQLite database with two accounts and a way to make subscribed contacts."""

from pathlib import Path

import pytest

from bot.models import Account, Contact
from config.clock import now
from facets.taxonomy import starting_taxonomy
from storage.database import Database, new_id
from subscriptions.subscribers import CONSENT_VERSION, Subscribers, Wish
from tests.made import SEALS, a_ledger


class Town:
    """The database, its two accounts, and the people in it."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.subscribers = Subscribers(starting_taxonomy())
        self.ledger = a_ledger(db)

    async def open(self) -> "Town":
        async with self.db.session() as session:
            for slug, platform in (("wx", "wechat"), ("tg", "telegram")):
                session.add(
                    Account(
                        id=slug,
                        slug=slug,
                        organisation_id="o",
                        platform=platform,
                        name="青禾发布",
                        api_base="http://127.0.0.1",
                        secrets="",
                        settings={},
                        created_at=now(),
                    )
                )
        return self

    async def citizen(self, *wishes: Wish, account: str = "tg", state: str = "active") -> Contact:
        person = Contact(
            id=new_id(),
            account_id=account,
            subject_ref=new_id(),
            address="x",
            address_hash=new_id(),
            state=state,
            created_at=now(),
        )
        async with self.ledger.transaction() as tx:
            tx.session.add(person)
            await tx.session.flush()
            for wish in wishes:
                await self.subscribers.subscribe(tx, person, wish, CONSENT_VERSION)
        return person


@pytest.fixture
async def town(tmp_path: Path):
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 's.db'}", SEALS)
    await db.create_all()
    yield await Town(db).open()
    await db.close()
