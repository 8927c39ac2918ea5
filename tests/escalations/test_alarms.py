"""Alarms: by chat, webhook and mail, and never to a private address."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.contract import AccountView, Outcome, ReplyBasis, State
from bot.models import Account
from config.clock import now
from escalations.alarms import AlarmRoutes, Alarms
from staff.models import Staff
from storage.crypt import DataKey
from storage.database import Database
from tests.made import SEALS


class Chat:
    """A channel that notes what it was asked to say."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []
        self.outcome = Outcome(State.PUBLISHED)

    async def reply(self, account, address, reply) -> Outcome:
        self.said.append((address, reply.text, reply.basis))
        return self.outcome


@pytest.fixture
async def db(tmp_path: Path):
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'a.db'}", SEALS)
    await db.create_all()
    yield db
    await db.close()


@pytest.fixture
async def office(db):
    """(alarms maker, chat): the maker sets the one person's route."""
    chat: Any = Chat()
    crypt = DataKey(b"k" * 32)

    async def open_account(account_id: str) -> AccountView:
        return AccountView(account_id, "telegram", "青禾", "http://127.0.0.1", {}, {})

    async def make(route: str, address: str, routes: AlarmRoutes | None = None) -> Alarms:
        alarms = Alarms(db, crypt, open_account, {"telegram": chat}, routes)
        async with db.session() as session:
            sealed = alarms.seal("jia", address) if address else ""
            session.add(
                Staff(id="jia", login="jia", name="甲", roles=["duty"], password_hash="",
                      alarm_account=route, alarm_address=sealed,
                      created_at=now())
            )  # fmt: skip
            session.add(
                Account(id="a1", slug="tg", organisation_id="o", platform="telegram", name="青禾",
                        api_base="http://127.0.0.1", secrets="", settings={}, created_at=now())
            )  # fmt: skip
        return alarms

    return make, chat


async def test_a_chat_alarm_goes_to_the_staff_address_as_an_alarm(office) -> None:
    make, chat = office
    alarms = await make("tg", "4711")
    assert await alarms.tell("jia", "有新的咨询单")
    assert chat.said == [("4711", "有新的咨询单", ReplyBasis.ALARM)]
    chat.outcome = Outcome(State.FAILED, code="403")
    assert not await alarms.tell("jia", "有新的咨询单")


@pytest.mark.parametrize(("route", "address"), [("", ""), ("tg", ""), ("nowhere", "4711")])
async def test_a_person_without_a_route_is_no_error(office, route, address) -> None:
    make, chat = office
    assert not await (await make(route, address)).tell("jia", "有新的咨询单")
    assert chat.said == []


async def test_a_webhook_is_posted_once_and_private_addresses_are_refused(office) -> None:
    got: list[dict[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", take)
    make, _ = office
    async with TestServer(app) as server:
        url = str(server.make_url("/hook"))
        alarms = await make("webhook", url)
        assert not await alarms.tell("jia", "有新的咨询单")
        assert got == []
        alarms._routes = AlarmRoutes(frozenset({f"127.0.0.1:{server.port}"}))
        assert await alarms.tell("jia", "有新的咨询单")
    assert got == [{"text": "有新的咨询单"}]


async def test_mail_goes_through_the_set_server(office) -> None:
    lines: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        in_body = False
        while raw := await reader.readline():
            line = raw.decode().rstrip("\r\n")
            lines.append(line)
            if in_body and line != ".":
                continue
            in_body = line.upper() == "DATA"
            codes = {"DATA": b"354 go\r\n", "QUIT": b"221 bye\r\n"}
            writer.write(codes.get(line.upper(), b"250 ok\r\n"))
            if line.upper() == "QUIT":
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    make, _ = office
    alarms = await make(
        "mail",
        "jia@duty.example",
        AlarmRoutes(smtp_host="127.0.0.1", smtp_port=port, mail_from="bot@duty.example"),
    )
    assert await alarms.tell("jia", "new ticket")
    assert any(line.upper() == "RCPT TO:<JIA@DUTY.EXAMPLE>" for line in lines)
    assert "new ticket" in lines
    server.close()


async def test_mail_without_a_server_is_told_as_not_delivered(office) -> None:
    make, _ = office
    assert not await (await make("mail", "jia@duty.example")).tell("jia", "有新的咨询单")
