"""A database, the platforms' sandbox over HTTP, and small makers of rows."""

import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.accounts import Accounts, NewAccount
from bot.calling import begin
from bot.contacts import Contacts
from bot.contract import (
    AccountView,
    Content,
    Inbound,
    LoadMedia,
    NotReleased,
    Outcome,
    Release,
    Reply,
    ReplyBasis,
    State,
    Still,
)
from bot.delivery.leases import Lease
from bot.delivery.publishing import Publisher
from bot.delivery.recent import Recent
from bot.delivery.sending import LEAVE, Sender
from bot.delivery.wiring import Wiring
from bot.models import Account, Delivery, Publication
from bot.quota import Limit
from bot.replies import Filled, Parts, said
from bot.telegram.channel import TelegramChannel
from config.clock import now
from ledger.append import Ledger, load_signing_key
from sandbox.app import create_app
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Database, new_id

AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


@dataclass
class Platforms:
    """The sandbox: its address and its control calls."""

    url: str
    http: aiohttp.ClientSession

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({self.url.removeprefix("http://")})

    async def control(self, name: str, /, **body: Any) -> Any:
        async with self.http.post(f"{self.url}/_control/{name}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def seen(self, name: str, /, **query: Any) -> Any:
        async with self.http.get(f"{self.url}/_control/{name}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@pytest.fixture
async def platforms() -> AsyncIterator[Platforms]:
    runner = web.AppRunner(create_app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as http:
        found = Platforms(f"http://127.0.0.1:{port}", http)
        await found.control("reset")
        yield found
    await runner.cleanup()


@pytest.fixture
def db(database: Database) -> Database:
    """The shared fixture: every test of this room runs on SQLite and on PostgreSQL."""
    return database


@pytest.fixture
def crypt() -> DataKey:
    return DataKey(secrets.token_bytes(32))


async def free() -> None:
    """Nothing was stopped or recalled."""


async def no_media(marker: str) -> tuple[bytes, str]:
    raise LookupError(marker)


def content(**changes: Any) -> Content:
    values = {
        "kind": "转载",
        "title": "青禾县高校毕业生就业补贴申领指南",
        "body": "符合条件的毕业生可以申领一次性就业补贴。\n申领时间为每月一日至十日。",
        "attribution": {"source": "青禾县人社局", "url": "https://example.gov.cn/a/1.html"},
    } | changes
    return Content(**values)


def parts(
    account_id: str, contact_id: str, text: str, basis: ReplyBasis = ReplyBasis.TEMPLATE
) -> Parts:
    """A reply whose one template is its own text; real templates are tested in tests/handlers."""
    return Parts(account_id, contact_id, basis, (Filled("said", {"text": text}),))


async def in_words(given: Parts, platform: str) -> Reply:
    filled = [one for one in given.pieces if isinstance(one, Filled)]
    return said(given, "".join(one.fields["text"] for one in filled))


class Process:
    """What one process of the office runs."""

    def __init__(self, wiring: Wiring) -> None:
        self.recent = Recent(wiring)
        self.lease = Lease(wiring, self.recent)
        self.publisher = Publisher(wiring, self.lease, self.recent)
        self.sender = Sender(wiring, self.lease, self.recent)


class Office:
    """Everything a delivery test needs, with one telegram account on the given channel."""

    def __init__(self, db: Database, crypt: DataKey, channel: Any, hosts: frozenset[str]) -> None:
        self.db, self.crypt, self.channel = db, crypt, channel
        self.home = tempfile.TemporaryDirectory(prefix="shenfa-test-")
        home = Path(self.home.name)
        self.ledger = Ledger(db, load_signing_key(home / "key"), home / "anchors.jsonl")
        self.accounts = Accounts(db, crypt, hosts)
        self.contacts = Contacts(crypt)
        self.releases: dict[str, Release] = {}
        self.refused: dict[str, list[str]] = {}
        self.verified: list[str] = []
        self.changed: list[tuple[str, str]] = []
        self.finished: set[str] = set()
        self.answered: list[State] = []
        self.incidents: list[tuple[str, str, str]] = []
        self.news: list[str] = []
        self.account: Account

    async def open(self, platform: str, api_base: str, secrets_: Mapping[str, str], **more: Any):
        async with self.ledger.transaction() as tx:
            self.account = await self.accounts.create(
                tx,
                NewAccount(
                    slug=f"test-{platform}",
                    organisation_id=new_id(),
                    platform=platform,
                    name="青禾发布",
                    api_base=api_base,
                    secrets=secrets_,
                    settings=more.get("settings", {}),
                    assessment_ref="DEMO",
                ),
                "init",
            )
        return self

    async def verify(self, release_id: str, account_id: str = "") -> Release:
        self.verified.append(release_id)
        if release_id in self.refused:
            raise NotReleased(self.refused[release_id])
        return self.releases[release_id]

    async def incident(self, kind: str, subject: str, message: str) -> None:
        self.incidents.append((kind, subject, message))

    async def row_changed(self, table: str, row_id: str) -> None:
        self.changed.append((table, row_id))

    async def is_finished(self, publication_id: str) -> bool:
        return publication_id in self.finished

    async def is_answered(self, parts: Parts, state: State) -> None:
        self.answered.append(state)

    async def published(self, publication_id: str) -> None:
        self.news.append(publication_id)

    def process(self, in_flight: int = 8, media: LoadMedia = no_media) -> Process:
        return Process(
            Wiring(
                self.db,
                self.ledger,
                self.contacts,
                {self.channel.platform: self.channel},
                self.verify,
                self.accounts.open,
                media,
                in_flight,
                self.incident,
                self.published,
                self.row_changed,
                in_words,
                self.is_finished,
                self.is_answered,
            )
        )

    def release(self, **changes: Any) -> Release:
        made = Release(
            new_id(),
            new_id(),
            "d" * 64,
            "标题",
            {self.account.id: self.channel.render(content(**changes))},
            None,
            now() - timedelta(hours=1),
            now() + timedelta(hours=1),
        )
        self.releases[made.id] = made
        return made

    async def publication(self, release: Release) -> str:
        row = Publication(
            id=new_id(),
            release_id=release.id,
            item_id=release.item_id,
            account_id=self.account.id,
            digest=release.digest,
            state=State.CREATED,
            due_at=now() - timedelta(seconds=1),
        )
        async with self.db.session() as session:
            session.add(row)
        return row.id

    async def deliveries(self, release: Release, addresses: list[str]) -> list[str]:
        ids = []
        async with self.db.session() as session:
            for address in addresses:
                contact = await self.contacts.upsert(session, self.account.id, address, now())
                row = Delivery(
                    id=new_id(),
                    content_key=release.id,
                    release_id=release.id,
                    account_id=self.account.id,
                    contact_id=contact.id,
                    reason="您订阅了就业创业",
                    state=State.CREATED,
                    created_at=now(),
                )
                session.add(row)
                ids.append(row.id)
        return ids

    async def row(self, model: Any, key: str) -> Any:
        async with self.db.session() as session:
            return await session.get(model, key)


class RecordingChannel:
    """A channel in this process: remembers calls, answers what it was told to answer."""

    platform = "telegram"
    window_seconds = 0.0
    window_count = 0
    act_seconds = 0.0
    act_count = 0
    take_down = "到平台删除"

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.answers: dict[str, Outcome | Exception] = {}
        self.now_open = 0
        self.most_open = 0
        self.calls = 0
        self.before: Any = None
        self.guarded = False

    def render(self, content_: Content) -> dict[str, Any]:
        return TelegramChannel(MemoryCache()).render(content_)

    def problems(self, rendering: Mapping[str, Any]) -> list[str]:
        return []

    @staticmethod
    def limits(settings: Mapping[str, Any]) -> Sequence[Limit]:
        return ()

    @staticmethod
    def chooses(settings: Mapping[str, Any]) -> bool:
        return False

    @staticmethod
    def takes_place(settings: Mapping[str, Any], *, chosen: bool) -> bool:
        return False

    def resumable(self, account: AccountView) -> bool:
        return self.guarded

    def result(self, inbound: Inbound) -> tuple[str, Outcome] | None:
        return inbound.key, Outcome(State.PUBLISHED, ref=inbound.key, detail={"url": "https://x"})

    async def _answer(self, address: str, text: str) -> Outcome:
        self.now_open += 1
        self.most_open = max(self.most_open, self.now_open)
        if self.before is not None:
            await self.before(address)
        self.now_open -= 1
        self.calls += 1
        begin()  # as the wire of every channel says it
        answer = self.answers.get(address, Outcome(State.PUBLISHED, ref="1"))
        if isinstance(answer, Exception):
            raise answer
        if answer.state is State.PUBLISHED:
            self.sent.append((address, text))
        return answer

    async def publish(
        self, account: AccountView, rendering: Mapping[str, Any], media: LoadMedia, still: Still
    ) -> Outcome:
        await still()
        return await self._answer("timeline", rendering["parts"][0]["text"])

    async def settle(self, account: AccountView, ref: str) -> Outcome:
        return await self._answer(f"settle:{ref}", ref)

    async def push(
        self,
        account: AccountView,
        address: str,
        rendering: Mapping[str, Any],
        reason: str,
        still: Still,
    ) -> Outcome:
        await still()
        return await self._answer(address, reason.removesuffix(LEAVE))

    async def reply(self, account: AccountView, address: str, reply: Reply) -> Outcome:
        return await self._answer(address, reply.text)

    async def close(self) -> None:
        return


@pytest.fixture
async def office(db: Database, crypt: DataKey) -> Office:
    made = Office(db, crypt, RecordingChannel(), frozenset())
    secrets_ = {"token": "1:x", "webhook_secret": "s", "chat": "@qinghe"}
    return await made.open("telegram", "https://api.telegram.org", secrets_)
