"""A whole office: links off the list, a host that dies before sending, files that hide things."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from aiohttp import web
from sqlalchemy import select

from app import Shenfa, open_shenfa
from bot.contract import Content, State
from bot.models import Publication
from config.settings import Settings
from config.setup import AccountSetup, Setup, SourceSetup, StaffSetup
from demo.cast import BOT_TOKEN
from demo.platforms import port_for
from office.setup import initialise
from review_queue import deciding, drafting, publishing, submitting
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item
from review_queue.uploads import Upload, attach
from review_queue.workflow import GATES
from staff.models import Staff
from staff.refusal import Refused
from tests.gates.office_files import hidden_identities

STAFF = {
    "editor": ["editor"],
    "reviewer1": ["reviewer_1"],
    "reviewer2": ["reviewer_2", "secrecy"],
}


class Site:
    """A publisher of the list: one page, one way off the list, and a switch that kills it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.runner: web.AppRunner | None = None
        self.asked: list[str] = []

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.answer)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port).start()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if request.path == "/go":
            raise web.HTTPFound("https://casino.example/win")
        if request.path == "/robots.txt":
            raise web.HTTPNotFound
        return web.Response(text="<p>办事指南</p>", content_type="text/html")

    async def stop(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class Office:
    """The opened home and its people."""

    def __init__(self, shenfa: Shenfa, people: dict[str, str]) -> None:
        self.shenfa, self.people = shenfa, people

    async def submitted(self, body: str) -> Item:
        queue, editor = self.shenfa.queue, self.people["editor"]
        content = Content(kind="原创", title="周末办理时间", body=body)
        item = await drafting.create_item(queue, content, Origin(editor_id=editor, klass="日常"))
        return await submitting.submit(queue, item.id, editor, item.version)

    async def approve(self, item: Item, *who: str) -> Item:
        for one in who:
            digest, _ = await findings_now(self.shenfa.queue, item.id)
            gates = {gate: {"ok": True, "note": "已核对"} for gate in GATES}
            answer = ReviewForm("approve", digest, item.version, gates)
            item = await deciding.decide(self.shenfa.queue, item.id, self.people[one], answer)
        return item

    async def send(self, item: Item) -> Publication:
        await self.shenfa.publisher.publish_due()
        async with self.shenfa.db.session() as session:
            query = select(Publication).where(Publication.item_id == item.id)
            return (await session.scalars(query)).one()


def _settings(home: Path, port: int) -> Settings:
    return Settings(home=home, dev=True, dev_allow=f"127.0.0.1:{port}")


def _setup(port: int) -> Setup:
    return Setup(
        organisation="青禾县",
        staff=[
            StaffSetup(login=login, name=login, roles=roles, password="otter-lamp-39")
            for login, roles in STAFF.items()
        ],
        accounts=[
            AccountSetup(
                slug="qinghe-tg",
                platform="telegram",
                name="青禾发布",
                api_base=f"http://127.0.0.1:{port}/telegram",
                secrets={"token": BOT_TOKEN, "webhook_secret": "s", "chat": "@qinghe"},
                assessment_ref="DEMO",
            )
        ],
        sources=[
            SourceSetup(
                organisation="青禾县人民政府",
                hosts=[f"127.0.0.1:{port}"],
                allow_http=True,
                basis="青政办发〔2026〕1号",
                owner="李雪",
                valid_from=date(2020, 1, 1),
            )
        ],
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A home initialised once."""
    home = tmp_path_factory.mktemp("office")
    port = port_for(None)
    asyncio.run(initialise(_settings(home, port), _setup(port)))
    return home, port


@pytest.fixture
async def site(made: tuple[Path, int]) -> AsyncIterator[Site]:
    one = Site(made[1])
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
async def office(tmp_path: Path, made: tuple[Path, int], site: Site) -> AsyncIterator[Office]:
    shutil.copytree(made[0], tmp_path, dirs_exist_ok=True)
    async with open_shenfa(_settings(tmp_path, made[1])) as shenfa:
        async with shenfa.db.session() as session:
            rows = (await session.scalars(select(Staff))).all()
        yield Office(shenfa, {row.login: row.id for row in rows})


async def test_a_link_that_leads_off_the_list_stops_approval_and_names_the_host(
    office: Office, site: Site
) -> None:
    item = await office.submitted(f"办事指南见{site.url('/go')}。")
    _, found = await findings_now(office.shenfa.queue, item.id)
    (one,) = [row for row in found if row.rule == "law.link-off-list"]
    assert (one.severity, one.text) == ("block", site.url("/go"))
    assert "casino.example" in one.reason
    with pytest.raises(Refused, match=r"casino\.example"):
        await office.approve(item, "reviewer1")


async def test_a_link_to_an_unknown_host_is_not_opened(office: Office, site: Site) -> None:
    item = await office.submitted("办事指南见https://unknown.example/a。")
    _, found = await findings_now(office.shenfa.queue, item.id)
    assert [row.rule for row in found] == ["law.link-off-list"]
    assert site.asked == []


async def test_a_host_that_dies_between_approval_and_sending_holds_the_post(
    office: Office, site: Site
) -> None:
    item = await office.submitted(f"办事指南见{site.url('/ok')}。")
    item = await office.approve(item, "reviewer1", "reviewer2")
    await publishing.schedule(office.shenfa.queue, item.id, office.people["editor"])
    await site.stop()
    held = await office.send(item)
    assert held.state == State.HELD
    assert "连不上" in held.reason
    assert site.url("/ok") in held.reason


async def test_an_attachment_that_hides_identity_numbers_stops_approval(office: Office) -> None:
    queue, editor = office.shenfa.queue, office.people["editor"]
    content = Content(kind="原创", title="补贴名单公示", body="名单见附件。")
    item = await drafting.create_item(queue, content, Origin(editor_id=editor, klass="日常"))
    upload = Upload("名单.xlsx", hidden_identities())
    item = await attach(queue, item.id, editor, item.version, upload)
    item = await submitting.submit(queue, item.id, editor, item.version)
    with pytest.raises(Refused, match="工作表 名单 的 D 列（隐藏）第 2 至 51 行"):
        await office.approve(item, "reviewer1")
