"""Anchors leave by mail or by a web hook, and never to a private address."""

import asyncio
from email import message_from_string

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.anchor_post import AnchorPost

LINE = '{"seq": 5, "hash": "ab", "signature": "cd"}'


async def test_a_hook_gets_the_line_and_its_refusal_is_told() -> None:
    got: list[str] = []
    answers = [204, 503, 302]

    async def hook(request: web.Request) -> web.Response:
        got.append(await request.text())
        return web.Response(status=answers[len(got) - 1], headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/a", hook)
    async with TestServer(app) as server:
        post = AnchorPost(frozenset({f"127.0.0.1:{server.port}"}))
        address = f"http://127.0.0.1:{server.port}/a"
        assert await post(address, LINE) == ""
        assert await post(address, LINE) == "对方回答 503"
        assert await post(address, LINE) == "对方回答 302"
        assert got == [LINE] * 3
        assert "https" in await AnchorPost()(address, LINE)
        assert "内部网络" in await AnchorPost()(f"https://127.0.0.1:{server.port}/a", LINE)
        assert len(got) == 3


async def _mail_server(letters: list[str]) -> asyncio.Server:
    """Just enough of SMTP to take one letter."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode():
            if line.upper().startswith("DATA"):
                writer.write(b"354 go\r\n")
                letters.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            if line.upper().startswith("QUIT"):
                writer.write(b"221 bye\r\n")
                break
            writer.write(b"250 fine\r\n")
        writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", 0)


@pytest.mark.parametrize(
    "form", ["smtp://127.0.0.1:{}/audit@qinghe.example", "mailto:audit@qinghe.example"]
)
async def test_a_mail_box_gets_the_line_as_text(form: str) -> None:
    letters: list[str] = []
    async with await _mail_server(letters) as server:
        port = server.sockets[0].getsockname()[1]
        post = AnchorPost(smtp_host="127.0.0.1", smtp_port=port, mail_from="a@qinghe.example")
        assert await post(form.format(port), LINE) == ""
    letter = message_from_string(letters[0])
    assert letter["To"] == "audit@qinghe.example"
    assert LINE in str(letter.get_payload())


async def test_a_mail_box_without_a_mail_server_is_told_what_to_set() -> None:
    assert "SHENFA_SMTP_HOST" in await AnchorPost()("mailto:audit@qinghe.example", LINE)
    assert await AnchorPost()("smtp://127.0.0.1:1/audit@qinghe.example", LINE)
