"""A whole office and a citizen who writes to it through the sandbox: what is really told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import select, text

from app import Shenfa, listening, open_shenfa
from bot.contract import Content
from config.settings import Settings
from config.setup import Setup
from demo.cast import BOT_TOKEN, TELEGRAM_ID, WEBHOOK_SECRET, setup
from demo.platforms import hostport, port_for
from ledger.models import Incident
from office.setup import initialise
from review_queue import deciding, drafting, submitting
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item
from review_queue.workflow import GATES
from staff.models import Staff

TEMPLATE = "回复模板"


@dataclass
class Talk:
    """An opened office, its people by login, and one citizen on Telegram."""

    shenfa: Shenfa
    people: Mapping[str, str]
    http: aiohttp.ClientSession
    control: str
    citizen: str = ""

    async def post(self, path: str, **body: Any) -> Any:
        async with self.http.post(f"{self.control}/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def says(self, words: str, wait: float = 30.0) -> str:
        """What the citizen is told when they write this; the answer comes after the callback."""
        async with self.http.delete(f"{self.control}/requests"):
            pass
        await self.post("say", account=TELEGRAM_ID, citizen=self.citizen, text=words)
        for _ in range(int(wait / 0.05)):
            async with self.http.get(f"{self.control}/requests") as answer:
                rows = (await answer.json())["requests"]
            sent = [row["parsed"].get("text", "") for row in rows if row["method"] == "sendMessage"]
            if sent:
                return "\n".join(sent)
            await asyncio.sleep(0.05)
        return ""

    async def change(self, name: str, words: str) -> Mapping[str, Any]:
        """A setting proposed by one admin and approved by the other."""
        proposals = self.shenfa.governance.proposals
        payload = {"name": name, "text": words}
        row = await proposals.propose("setting", payload, self.people["admin1"], "试验这项变更")
        return await proposals.approve(row.id, self.people["admin2"])

    def text_of(self, name: str) -> str:
        """The text of a setting in force."""
        held = self.shenfa.signed.proved(name)
        assert held is not None
        return held.text

    async def drafted(self, entry: str, body: str) -> Item:
        """A text for a template, as an editor starts it."""
        content = Content(kind=TEMPLATE, title=f"模板 {entry}", body=body)
        origin = drafting.Origin(self.people["editor"], entry=entry)
        return await drafting.create_item(self.shenfa.queue, content, origin)

    async def submitted(self, item: Item) -> Item:
        queue, editor = self.shenfa.queue, self.people["editor"]
        return await submitting.submit(queue, item.id, editor, item.version)

    async def approve(self, item: Item, *logins: str) -> Item:
        """Decisions of these people, every gate answered."""
        queue = self.shenfa.queue
        for login in logins:
            digest, _ = await findings_now(queue, item.id)
            gates = {gate: {"ok": True, "note": "已核对"} for gate in GATES}
            form = ReviewForm("approve", digest, item.version, gates, proof=True)
            item = await deciding.decide(queue, item.id, self.people[login], form)
        return item

    async def released(self, entry: str, body: str) -> Item:
        """A template that went through both of its levels."""
        item = await self.submitted(await self.drafted(entry, body))
        return await self.approve(item, "reviewer1", "reviewer3")

    async def sql(self, words: str) -> None:
        """What somebody writes past this program."""
        async with self.shenfa.db.session() as session:
            await session.execute(text(words))

    async def incidents(self) -> list[tuple[str, str]]:
        """Kind and subject of every incident."""
        query = select(Incident.kind, Incident.subject).order_by(Incident.id)
        async with self.shenfa.db.session() as session:
            return [(row.kind, row.subject) for row in (await session.execute(query)).all()]


def settings_of(home: Path, sandbox: str, clock: Path | None = None) -> Settings:
    """An office on its own port that may reach the sandbox; `clock` shifts its time."""
    port = port_for(None)
    return Settings(
        home=home,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        dev=True,
        dev_allow=hostport(sandbox),
        dev_clock_file=clock,
    )


async def make(home: Path, sandbox: str) -> None:
    """A home with the people and accounts of the demo."""
    await initialise(settings_of(home, sandbox), Setup.model_validate(setup(sandbox)))


@asynccontextmanager
async def talking(home: Path, sandbox: str, clock: Path | None = None) -> AsyncIterator[Talk]:
    """The office of this home, listening, and its citizen."""
    settings = settings_of(home, sandbox, clock)
    async with open_shenfa(settings) as shenfa, aiohttp.ClientSession() as http:
        async with shenfa.db.session() as session:
            people = {row.login: row.id for row in (await session.scalars(select(Staff))).all()}
        talk = Talk(shenfa, people, http, f"{sandbox}/_control")
        await talk.post(
            "accounts",
            platform="telegram",
            token=BOT_TOKEN,
            name="青禾发布",
            username="qinghe_bot",
            callback_url=f"{settings.public_url}/telegram/qinghe-tg",
            secret=WEBHOOK_SECRET,
        )
        made = await talk.post("citizens", account=TELEGRAM_ID, count=1, prefix="市民", follow=True)
        talk.citizen = made["citizens"][0]
        async with listening(shenfa):
            yield talk
