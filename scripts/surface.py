"""What the outside holds on to: run it before and after a change of the house, and compare.

`python scripts/surface.py > before.txt`, from the top folder. It prints each command of `shenfa`
with its options and its help as a person sees it, each route of a running office, and the SHA-256
of `openapi.json`. Two runs of one tree print the same text; nothing is kept on disk.
"""

import asyncio
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from typer import Context
from typer.main import get_command
from typer.testing import CliRunner

from app import build_site, open_shenfa
from cli import shenfa
from config.settings import Settings

SETUP = """
organisation: 青禾县
staff:
  - {login: admin, name: 甲, roles: [admin], password: a-long-password}
"""
WIDTH = "100"
os.environ.update(COLUMNS=WIDTH, TERMINAL_WIDTH=WIDTH, NO_COLOR="1", TERM="dumb")


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Each command below `command`: its path, its options, its help page."""
    context = Context(command, info_name=path[-1] if path else "shenfa")
    yield f"\n== shenfa {' '.join(path)}".rstrip()
    for one in command.params:
        default = one.default if isinstance(one.default, str | int | bool) else None
        told = [one.param_type_name, one.name, [*one.opts, *one.secondary_opts], one.nargs]
        told += [one.required, one.multiple if hasattr(one, "multiple") else False, default]
        yield json.dumps([*told, getattr(one, "help", None)], ensure_ascii=False)
    page = CliRunner().invoke(shenfa, [*path, "--help"], prog_name="shenfa")
    yield f"exit {page.exit_code}"
    yield "\n".join(line.rstrip() for line in page.output.splitlines())
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        found = command.get_command(context, name)
        yield from commands(getattr(found, "load", lambda found=found: found)(), (*path, name))


async def web_face(home: Path) -> list[str]:
    """Routes and the digest of the API's description, from an office made for this."""
    database = f"sqlite+aiosqlite:///{home / 'shenfa.db'}"
    settings = Settings(home=home, database_url=database, redis_url="")
    async with open_shenfa(settings) as opened:
        site = build_site(opened)
        lines = sorted(set(routes(site)))
        async with TestClient(TestServer(site)) as client:
            answer = await client.get("/api/v1/openapi.json")
            body = await answer.read()
    return [*lines, f"openapi.json {answer.status} sha256 {hashlib.sha256(body).hexdigest()}"]


def routes(site: web.Application) -> Iterator[str]:
    """Method and address of every route, those of mounted applications with their prefix."""
    for route in site.router.routes():
        if route.resource is not None:
            yield f"{route.method} {route.resource.canonical}"


def main() -> None:
    """Print it all."""
    lines = list(commands(get_command(shenfa)))
    with tempfile.TemporaryDirectory() as folder:
        home, setup = Path(folder) / "home", Path(folder) / "setup.yaml"
        setup.write_text(SETUP, encoding="utf-8")
        made = CliRunner().invoke(shenfa, ["init", "--from", str(setup), "--home", str(home)])
        if made.exit_code:
            raise SystemExit(f"shenfa init: {made.output}{made.exception}")
        lines += ["\n== routes", *asyncio.run(web_face(home))]
    sys.stdout.write("\n".join(lines).lstrip("\n") + "\n")


if __name__ == "__main__":
    main()
