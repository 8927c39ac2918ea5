"""The sandbox platforms of the demo: their process, their ports, their control interface."""

import asyncio
import fcntl
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

from config.child_environment import child_environment

ROOT = Path(__file__).parents[1]
PORTS = range(18_000, 26_000)  # below what systems hand out by themselves
STOP_SECONDS = 10.0
LOCK_SECONDS = 8.0  # a killed demo's sandbox has so long to save and end


class Failed(Exception):
    """A step of the play did not come out as it must; the text says which."""


class Sandbox:
    """The sandbox platforms over their control interface."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        """`url` without a slash at its end."""
        self.url = url
        self._http = http

    async def post(self, call: str, /, **fields: Any) -> Mapping[str, Any]:
        """One control call; Failed when it is refused."""
        async with self._http.post(f"{self.url}/_control/{call}", json=fields) as answer:
            body = await answer.json()
            if answer.status >= 400:
                raise Failed(f"沙箱拒绝了 {call}：{body}")
            return dict(body)

    async def get(self, name: str, **query: str) -> Mapping[str, Any]:
        """One control query."""
        async with self._http.get(f"{self.url}/_control/{name}", params=query) as answer:
            return dict(await answer.json())


@contextmanager
def only_one(home: Path) -> Iterator[int]:
    """Hold the folder for one demo; yields the lock for a child to hold as well. Failed if taken.

    The sandbox inherits it, so after a kill the next demo waits until its chats are saved.
    """
    handle = os.open(home / "demo.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _locked(handle):
            if time.monotonic() > deadline:
                raise Failed("这个目录里的演示还在运行：请先在那个窗口按 Ctrl+C，或换一个目录")
            time.sleep(0.2)
        yield handle
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def sandbox_process(port: int, memory: Path, lock: int) -> AsyncIterator[str]:
    """The sandbox as a process of its own; yields its address. It ends last, and ends with us.

    It has a session of its own: a signal to the whole group (Ctrl-C, a service manager) must not
    take the platforms away while messages are on their way to them. Its standard input tells it
    when we are gone, however that happened.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--port", str(port), "--memory", str(memory), "--leashed",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env=child_environment(),
        start_new_session=True,
        pass_fds=(lock,),
    )  # fmt: skip
    try:
        yield await _address(process)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_SECONDS)
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()


async def _address(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise Failed("沙箱没有启动")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
    except TimeoutError:
        line = b""
    if not line:
        raise Failed("沙箱没有启动，原因见上一行；加 FRESH=1 从头开始")
    return str(json.loads(line)["url"])


def hostport(url: str) -> str:
    """`host:port` of an address."""
    return url.split("//", 1)[1].split("/", 1)[0]


def port_for(wanted: int | None, *taken: int) -> int:
    """The wanted port when it is free, else any other free one that is not in `taken`."""
    if wanted and wanted not in taken and _free(wanted):
        return wanted
    for _ in range(200):
        port = PORTS.start + secrets.randbelow(len(PORTS))
        if port not in taken and _free(port):
            return port
    raise Failed(f"{PORTS.start} 至 {PORTS.stop} 之间没有空闲的端口：请停下占用它们的程序")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
