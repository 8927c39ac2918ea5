"""The demo's office opened on its folder: anew, or as it was left, at the ports it had."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import select

from app import Shenfa, listening, open_shenfa
from bot.account_entries import sign_account
from bot.models import Account
from config.settings import Settings
from config.setup import Setup
from content_sources.changes import WantedChange, approve, propose
from content_sources.models import Column, Source
from content_sources.source_fields import fields_of
from demo.cast import setup
from demo.platforms import Failed, Sandbox, hostport, only_one, port_for, sandbox_process
from demo.registering import register
from office.setup import initialise
from staff.models import Staff

MADE, SENDING, PLAYED = "made", "sending", "played"
"""How far the play has come: nothing has left the office, something may have, all is done."""
OURS = (
    "anchors.jsonl", "demo.json", "index", "keys", "sandbox.json", "shenfa.db", "shenfa.db-shm",
    "shenfa.db-wal",
)  # fmt: skip
"""What the demo puts into its folder, and takes out of it to start over; nothing else."""


Result = dict[str, Any]
"""What the play came to, as `--json` prints it: counts, and the words of what went wrong."""


class Memo:
    """What the demo notes in its folder: ports, passwords, how far the play has come."""

    def __init__(self, home: Path) -> None:
        """Read what an earlier run noted, if there was one."""
        self.path = home / "demo.json"
        self.noted: dict[str, Any] = {}
        if self.path.exists():
            self.noted = json.loads(self.path.read_text(encoding="utf-8"))

    def note(self, **values: Any) -> None:
        """Keep these too, readable for their owner only."""
        self.noted |= values
        beside = self.path.with_name("demo.json.new")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(self.noted, file, ensure_ascii=False)
        # Whole or not at all: a demo killed while noting must find its notes again.
        beside.replace(self.path)

    @property
    def progress(self) -> str:
        """MADE, SENDING, PLAYED, or empty before the office was made."""
        return str(self.noted.get("progress", ""))

    def forget(self) -> None:
        """Empty the folder of an earlier demo."""
        for name in OURS:
            path = self.path.with_name(name)
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        self.noted = {}


@dataclass
class Stage:
    """The running office, the sandbox, and who plays."""

    shenfa: Shenfa
    sandbox: Sandbox
    memo: Memo
    people: dict[str, str]
    accounts: dict[str, str]

    @property
    def passwords(self) -> dict[str, str]:
        """Login to password, the same as long as the folder lasts."""
        return dict(self.memo.noted["passwords"])


@asynccontextmanager
async def open_stage(home: Path, sandbox_url: str | None, *, fresh: bool) -> AsyncIterator[Stage]:
    """Start what is missing, initialise an empty home, mount the site and run the jobs.

    Left in the reverse order: the jobs drain while both platforms still answer.
    """
    async with AsyncExitStack() as stack:
        os.makedirs(home, exist_ok=True)
        # Two demos in one folder would answer each other's citizens.
        lock = stack.enter_context(only_one(home))
        memo = Memo(home)
        unfinished = memo.noted and memo.progress not in (SENDING, PLAYED)
        # Stopped before anything left the office: beginning again is clearer than a half-made
        # office.
        if memo.noted and (fresh or unfinished):
            memo.forget()
        port = port_for(memo.noted.get("port"))
        if sandbox_url is None:
            place = port_for(memo.noted.get("sandbox_port"), port)
            started = sandbox_process(place, home / "sandbox.json", lock)
            sandbox_url = await stack.enter_async_context(started)
        sandbox_url = sandbox_url.rstrip("/")
        settings = _settings(home, port, sandbox_url)
        was_at = memo.noted.get("sandbox", sandbox_url)
        if not memo.noted:
            memo.note(port=port)
            made = await initialise(settings, Setup.model_validate(setup(sandbox_url)))
            passwords = {row["login"]: row["password"] for row in made["staff"]}
            # At once: the passwords are shown nowhere else.
            memo.note(progress=MADE, passwords=passwords)
        shenfa = await stack.enter_async_context(open_shenfa(settings))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stage = await _stage(shenfa, Sandbox(sandbox_url, http), memo)
        # The port was taken: what pointed to the old one has to follow.
        if was_at != sandbox_url:
            await _follow(stage, was_at)
        memo.note(port=port, sandbox_port=int(sandbox_url.rsplit(":", 1)[1]), sandbox=sandbox_url)
        await stack.enter_async_context(listening(shenfa))
        await register(stage.sandbox, stage.shenfa.settings.public_url)
        # In an office this is a warning; here it means that nothing would be answered.
        if problems := await shenfa.equip():
            raise Failed(problems[0])
        await stack.enter_async_context(shenfa.jobs())
        yield stage


def _settings(home: Path, port: int, sandbox_url: str) -> Settings:
    return Settings(
        home=home,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        dev=True,
        dev_allow=hostport(sandbox_url),
        dev_clock_file=home / "clock",
    )


async def _stage(shenfa: Shenfa, sandbox: Sandbox, memo: Memo) -> Stage:
    async with shenfa.db.session() as session:
        staff = (await session.execute(select(Staff.login, Staff.id))).all()
        accounts = (await session.execute(select(Account.platform, Account.id))).all()
    return Stage(
        shenfa=shenfa,
        sandbox=sandbox,
        memo=memo,
        people={row.login: row.id for row in staff},
        accounts={row.platform: row.id for row in accounts},
    )


async def _follow(stage: Stage, was_at: str) -> None:
    """The platforms had to come up at another port: accounts, columns and the source list follow.

    The old address stays in the list, so that what came from there keeps its source.
    """
    shenfa, url = stage.shenfa, stage.sandbox.url
    async with shenfa.ledger.transaction() as tx:
        session = tx.session
        for platform, account_id in stage.accounts.items():
            account = await session.get_one(Account, account_id)
            account.api_base = f"{url}/{platform}"
            await session.flush()  # row by row: each is sealed anew
            # The demo's own hand: no office has a road past its two people.
            await sign_account(tx, account, stage.people["admin1"])
        for column in await session.scalars(
            select(Column).where(Column.url.startswith(f"{was_at}/"))
        ):
            column.url = url + column.url.removeprefix(was_at)
        sources = (await session.scalars(select(Source).where(Source.state == "active"))).all()
    for source in sources:
        if hostport(was_at) in source.hosts and hostport(url) not in source.hosts:
            fields = fields_of(source)
            fields = replace(fields, hosts=(hostport(url), *fields.hosts))
            change = WantedChange("edit", fields, source.id)
            await propose(shenfa.ledger, stage.people["admin1"], change)
            await approve(shenfa.ledger, stage.people["admin2"], source.id)
