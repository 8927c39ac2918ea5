"""An office as it is run: its commands in processes of their own, which may be killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from config.settings import Settings
from config.setup import Setup
from demo.cast import BOT_TOKEN, TELEGRAM_ID, WEBHOOK_SECRET, setup
from demo.platforms import hostport, port_for
from office.setup import initialise
from sandbox.app import start
from tests.waiting import until

ROOT = Path(__file__).parents[2]
READY = 120.0  # a busy machine takes its time


@dataclass
class Serving:
    """One home, its platforms and its processes: faces by port, workers and schedulers by name.

    Citizens write to the first face.
    """

    home: Path
    sandbox: str
    http: aiohttp.ClientSession
    more: Mapping[str, str] = field(default_factory=dict)
    door: int = field(default_factory=partial(port_for, None))  # the port the platforms call
    running: dict[int, asyncio.subprocess.Process] = field(default_factory=dict)
    helping: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    citizens: list[str] = field(default_factory=list)
    platforms: web.AppRunner | None = None

    def env(self, port: int) -> dict[str, str]:
        """What a process of this office is given."""
        return {
            "SHENFA_HOME": str(self.home),
            "SHENFA_PORT": str(port),
            "SHENFA_PUBLIC_URL": f"http://127.0.0.1:{self.door}",
            "SHENFA_DEV": "1",
            "SHENFA_DEV_ALLOW": hostport(self.sandbox),
            **self.more,
        }

    @property
    def settings(self) -> Settings:
        """What its processes are given, for whoever opens it here."""
        named: dict[str, Any] = {
            key.removeprefix("SHENFA_").lower(): value for key, value in self.more.items()
        }
        return Settings(home=self.home, dev=True, dev_allow=hostport(self.sandbox), **named)

    async def make(self, citizens: int) -> None:
        """The people and accounts of the demo, and these citizens on Telegram."""
        await initialise(self.settings, Setup.model_validate(setup(self.sandbox)))
        await self.post(
            "accounts",
            platform="telegram",
            token=BOT_TOKEN,
            name="青禾发布",
            username="qinghe_bot",
            callback_url=f"http://127.0.0.1:{self.door}/telegram/qinghe-tg",
            secret=WEBHOOK_SECRET,
        )
        made = await self.post(
            "citizens", account=TELEGRAM_ID, count=citizens, prefix="市民", follow=True
        )
        self.citizens = made["citizens"]

    async def serve(self, port: int = 0, *, web: bool = False) -> int:
        """Start a process (or the web face alone) and wait until it answers; its port."""
        port = port or self.door
        self.running[port] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "serve", *(["--web"] if web else [])),
            cwd=ROOT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"} | self.env(port),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=(self.home / f"{port}.log").open("ab"),
        )
        await until(lambda: self.answers(port), READY)
        return port

    async def begin(self, name: str) -> None:
        """Start a worker or a scheduler, called `worker1` and the like; until it is there."""
        process = self.helping[name] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", name.rstrip("0123456789")),
            cwd=ROOT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"} | self.env(self.door),
            stdout=asyncio.subprocess.PIPE,
            stderr=(self.home / f"{name}.log").open("ab"),
        )
        assert process.stdout is not None
        async with asyncio.timeout(READY):
            assert await process.stdout.readline(), f"{name} did not start"

    async def finish(self, name: str, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a worker or scheduler a signal and wait for the end; the exit code."""
        process = self.helping[name]
        if process.returncode is None:
            process.send_signal(how)
        return await process.wait()

    async def second(self) -> int:
        """A further process of the same office; its port."""
        return await self.serve(port_for(None, self.door, *self.running))

    async def answers(self, port: int) -> bool:
        """Whether its web face is there."""
        try:
            async with self.http.get(f"http://127.0.0.1:{port}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def ready(self) -> tuple[int, Mapping[str, str]]:
        """What /readyz says."""
        async with self.http.get(f"http://127.0.0.1:{self.door}/readyz") as answer:
            return answer.status, (await answer.json())["problems"]

    async def end(self, port: int = 0, how: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; the exit code."""
        process = self.running[port or self.door]
        if process.returncode is None:
            process.send_signal(how)
        return await process.wait()

    async def doctor(self) -> dict[str, tuple[str, str]]:
        """State and words of every check, by its name."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "doctor", "--json"),
            cwd=ROOT,
            env=os.environ | {"PYTHONWARNINGS": "ignore"} | self.env(self.door),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        out, _ = await process.communicate()
        return {one["name"]: (one["state"], one["words"]) for one in json.loads(out)}

    async def post(self, path: str, **body: Any) -> Any:
        """One control call of the sandbox."""
        async with self.http.post(f"{self.sandbox}/_control/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def says(self, citizen: str, words: str) -> bool:
        """Write to the office; whether it acknowledged."""
        told = await self.post("say", account=TELEGRAM_ID, citizen=citizen, text=words)
        return bool(told["status"] == 200)

    async def told(self) -> dict[str, int]:
        """How many messages every citizen has from us."""
        address = f"{self.sandbox}/_control/messages?account={TELEGRAM_ID}&all=1"
        async with self.http.get(address) as answer:
            rows = (await answer.json())["messages"]
        return {one: len(rows.get(one, [])) for one in self.citizens}


@asynccontextmanager
async def serving(
    home: Path, citizens: int, more: Mapping[str, str] | None = None
) -> AsyncIterator[Serving]:
    """An office that is made and not yet started; whatever runs at the end is killed."""
    runner, url = await start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as http:
        made = Serving(home, url, http, more or {}, platforms=runner)
        await made.make(citizens)
        try:
            yield made
        finally:
            for port in made.running:
                await made.end(port)
            for name in made.helping:
                await made.finish(name, signal.SIGKILL)
    await runner.cleanup()
