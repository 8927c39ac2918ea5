"""A sandbox over real HTTP, and a small receiver for its callbacks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.app import create_app

TOKEN = "424242:sandbox-test-token"


class Client:
    """Short calls to control and the two platforms."""

    def __init__(self, base: str, http: aiohttp.ClientSession) -> None:
        self.base, self.http = base, http

    async def control(self, name: str, content: Any = None, verb: str = "POST") -> Any:
        async with self.http.request(verb, f"{self.base}/_control/{name}", json=content) as answer:
            return await answer.json()

    async def get(self, name: str, **query: Any) -> Any:
        async with self.http.get(f"{self.base}/_control/{name}", params=query) as answer:
            return await answer.json()

    async def bot(self, method: str, **params: Any) -> Any:
        url = f"{self.base}/telegram/bot{TOKEN}/{method}"
        async with self.http.post(url, json=params) as answer:
            return await answer.json()

    async def wx(self, path: str, content: Any = None, **query: Any) -> Any:
        url = f"{self.base}/wechat/cgi-bin/{path}"
        async with self.http.post(url, json=content, params=query) as answer:
            return await answer.json(content_type=None)


@pytest.fixture
async def box() -> AsyncIterator[Client]:
    async with TestServer(create_app()) as server, aiohttp.ClientSession() as http:
        yield Client(str(server.make_url("")).rstrip("/"), http)


Answering = Callable[[web.Request], Awaitable[web.Response]]


@pytest.fixture
async def receiver() -> AsyncIterator[Callable[[Answering], Awaitable[str]]]:
    servers: list[TestServer] = []

    async def start(answering: Answering) -> str:
        app = web.Application()
        app.router.add_route("*", "/hook", answering)
        server = TestServer(app)
        await server.start_server()
        servers.append(server)
        return str(server.make_url("/hook"))

    yield start
    for server in servers:
        await server.close()
