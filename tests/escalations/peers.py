"""What an alarm is sent to: a webhook's receiver and a mail server, each over a real socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class Hook:
    """Answers with `status` and keeps what came."""

    status: int = 204
    got: list[Any] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    url: str = ""
    host: str = ""
    where: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(await request.json())
        self.asked.append(request.path_qs)
        headers = {"Location": self.where} if self.where else {}
        return web.Response(status=self.status, headers=headers)


@asynccontextmanager
async def hook(status: int = 204) -> AsyncIterator[Hook]:
    made, app = Hook(status), web.Application()
    app.router.add_post("/{path:.*}", made.take)
    async with TestServer(app, host="127.0.0.1") as server:
        made.url, made.host = str(server.make_url("/hook")), f"127.0.0.1:{server.port}"
        yield made


@dataclass
class Post:
    """A mail server that takes a message, or refuses every recipient."""

    refuses: bool = False
    silent: bool = False
    lines: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.silent:
            await reader.read()
            return
        writer.write(b"220 ready\r\n")
        in_body = False
        while raw := await reader.readline():
            line = raw.decode().rstrip("\r\n")
            self.lines.append(line)
            if in_body and line != ".":
                continue
            in_body = line.upper() == "DATA"
            word = line.upper().split(":")[0]
            codes = {"DATA": b"354 go\r\n", "QUIT": b"221 bye\r\n"}
            if self.refuses:
                codes["RCPT TO"] = b"550 no such box\r\n"
            writer.write(codes.get(word, b"250 ok\r\n"))
            if word == "QUIT":
                break
        writer.close()

    def to(self, box: str) -> bool:
        """Whether a message for this box was taken."""
        return any(one.upper().startswith(f"RCPT TO:<{box.upper()}>") for one in self.lines)


@asynccontextmanager
async def post(*, refuses: bool = False, silent: bool = False) -> AsyncIterator[Post]:
    made = Post(refuses, silent)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
