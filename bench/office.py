"""An office and a sandbox to measure, made anew and removed."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import event, select

from app import Shenfa, open_shenfa
from bench.figures import IN_FLIGHT, ROOT, SENTENCES, Row
from bot.contract import Content
from config.settings import Settings
from config.setup import AccountSetup, Setup, StaffSetup
from office.setup import initialise
from review_queue import deciding, drafting, submitting
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item
from review_queue.workflow import GATES
from staff.models import Staff

TOPIC = "employment"  # what the subscribers of a bench want
PEOPLE = {
    "editor": ["editor"],
    "first": ["reviewer_1"],
    "second": ["reviewer_2"],
    "third": ["reviewer_3", "secrecy"],
}


@asynccontextmanager
async def new_office(account: AccountSetup, dev_allow: str = "") -> AsyncIterator[Shenfa]:
    """A new office in a temporary home, with one account; removed afterwards."""
    # A new home each time: yesterday's rows would make today's figures slower.
    with tempfile.TemporaryDirectory(prefix="shenfa-bench-") as folder:
        home = Path(folder)
        settings = Settings(
            home=home,
            database_url=f"sqlite+aiosqlite:///{home / 'shenfa.db'}",
            redis_url="",
            ledger_key_file=home / "keys" / "ledger.key",
            data_key_file=home / "keys" / "data.key",
            anchor_file=home / "anchors.jsonl",
            sends_in_flight=IN_FLIGHT,
            dev=bool(dev_allow),
            dev_allow=dev_allow,
        )
        staff = [
            StaffSetup(login=login, name=login, roles=roles) for login, roles in PEOPLE.items()
        ]
        # A bench measures the same at any hour: at night everything would wait for the morning.
        setup = Setup(organisation="青禾县", staff=staff, accounts=[account], quiet_hours=False)
        await initialise(settings, setup)
        async with open_shenfa(settings) as shenfa:
            yield shenfa


async def submitted(shenfa: Shenfa) -> tuple[Item, dict[str, str]]:
    """An item at its first level, and the ids of staff by login."""
    async with shenfa.db.session() as session:
        staff = {row.login: row.id for row in await session.scalars(select(Staff))}
    content = Content(kind="原创", title="关于发放就业补贴的通知", body="\n".join(SENTENCES))
    audience: dict[str, list[str]] = {"topics": [TOPIC], "groups": [], "regions": []}
    origin = Origin(editor_id=staff["editor"], klass="重要", audience=audience)
    item = await drafting.create_item(shenfa.queue, content, origin)
    return await submitting.submit(shenfa.queue, item.id, staff["editor"], item.version), staff


async def released(shenfa: Shenfa) -> tuple[str, str]:
    """Item id and release id of an item that passed three levels."""
    item, staff = await submitted(shenfa)
    fine = {gate: {"ok": True, "note": ""} for gate in GATES}
    for login in ("first", "second", "third"):
        digest, _ = await findings_now(shenfa.queue, item.id)
        answer = ReviewForm("approve", digest, item.version, fine, proof=True)
        item = await deciding.decide(shenfa.queue, item.id, staff[login], answer)
    # A bench of something that did not happen would measure nothing and look fast.
    if item.release_id is None:
        raise RuntimeError("the item was approved at every level and has no release")
    return item.id, item.release_id


@asynccontextmanager
async def new_sandbox() -> AsyncIterator[str]:
    """The address of a sandbox in a process of its own, stopped afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--port", "0", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the sandbox has no output")
        yield str(json.loads(await process.stdout.readline())["url"])
    finally:
        # Its own process, so that the sandbox's work is not counted as ours.
        process.terminate()
        await process.wait()


async def control(url: str, name: str, body: Row) -> Row:
    """What the sandbox answers to one of its own calls."""
    async with (
        aiohttp.ClientSession(raise_for_status=True) as http,
        http.post(f"{url}/_control/{name}", json=body) as answer,
    ):
        return dict(await answer.json())


@contextmanager
def statements(shenfa: Shenfa) -> Iterator[list[str]]:
    """The statements sent to the database meanwhile."""
    asked: list[str] = []

    def note(*args: Any) -> None:
        asked.append(args[2])

    for engine in shenfa.db.engines:
        event.listen(engine, "before_cursor_execute", note)
    yield asked
    for engine in shenfa.db.engines:
        event.remove(engine, "before_cursor_execute", note)
