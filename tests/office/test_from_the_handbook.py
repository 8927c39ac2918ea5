"""装起来: the page's own commands, in a new folder, in processes of their own, on the sandbox."""

import asyncio
import json
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from demo.cast import DUTY_CHAT
from demo.platforms import port_for

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "handbook" / "install.md").read_text(encoding="utf-8")
READY = 120.0


def steps() -> list[str]:
    """Every command of the page, in its order; what is only explained is left out."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith("shenfa ") and "--help" not in line]


@dataclass
class Newcomer:
    """A folder, and a shell that stands in it."""

    folder: Path
    office: int = field(default_factory=lambda: port_for(None))
    sandbox: int = 0
    running: list[asyncio.subprocess.Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sandbox = port_for(None, self.office)

    def env(self) -> dict[str, str]:
        """What the page has exported, at ports that are free here."""
        return os.environ | {
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "SHENFA_DEV": "1",
            "SHENFA_DEV_ALLOW": f"127.0.0.1:{self.sandbox}",
            "SHENFA_HOME": str(self.folder / "home"),
            "SHENFA_PORT": str(self.office),
        }

    async def start(self, command: str) -> asyncio.subprocess.Process:
        """Begin a command of the page."""
        words = shlex.split(command)[1:]
        if words[0] == "sandbox":
            words += ["--port", str(self.sandbox), "--office", f"http://127.0.0.1:{self.office}"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", *words),
            cwd=self.folder,
            env=self.env(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.running.append(process)
        return process

    async def until(self, command: str, words: str) -> str:
        """Start a command that goes on, and wait for the line that says it is ready."""
        process = await self.start(command)
        assert process.stdout is not None
        told = ""
        async with asyncio.timeout(READY):
            while words not in told:
                line = await process.stdout.readline()
                assert line, told
                told += line.decode()
        return told

    async def run(self, command: str) -> tuple[int, str]:
        """Run a command to its end."""
        process = await self.start(command)
        out, _ = await asyncio.wait_for(process.communicate(), READY)
        return process.returncode or 0, out.decode()


@asynccontextmanager
async def newcomer(folder: Path) -> AsyncIterator[Newcomer]:
    made = Newcomer(folder)
    try:
        yield made
    finally:
        for process in made.running:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await process.communicate()


def test_the_page_is_the_way_that_is_tried_here() -> None:
    assert [line.split()[1] for line in steps()] == [
        "sandbox", "init", "init", "serve", "account", "account", "doctor",
    ]  # fmt: skip


async def test_a_new_user_sets_up_an_office_by_the_page_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox, example, init, serve, wechat, telegram, doctor = steps()
    async with newcomer(tmp_path) as shell:
        await shell.until(sandbox, '"url"')
        code, words = await shell.run(example)
        # The sandbox wrote one that is filled in: the page leads past this step.
        assert (code, "已经有了" in words) == (2, True)
        code, words = await shell.run(init)
        assert code == 0, words
        made = json.loads(words.splitlines()[-1])
        assert made["warnings"] == []
        passwords = {row["login"]: row["password"] for row in made["staff"]}
        assert "审发已启动" in await shell.until(serve, "/console/")
        monkeypatch.setenv("SHENFA_PASSWORD", passwords["admin1"])
        ways = tmp_path / "ways.yaml"
        ways.write_text(f'alarm:\n  - telegram: "{DUTY_CHAT}"\n', encoding="utf-8")
        code, words = await shell.run(f"shenfa staff alarms admin1 --from {ways} --by admin1")
        assert code == 0, words
        code, words = await shell.run(telegram)
        assert (code, "要处理" in words) == (0, False), words
        code, words = await shell.run(wechat)
        wrong = [line for line in words.splitlines() if "[要处理]" in line]
        assert (code, len(wrong)) == (1, 1), words
        assert "给自己发一条：您还没有微信提醒方式" in wrong[0]
        _, words = await shell.run(doctor)
        failed = [line for line in words.splitlines() if line.startswith("[不通过]")]
        assert len(failed) == 1, words
        assert "开发模式" in failed[0]
