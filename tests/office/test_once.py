"""A whole office before both platforms: once only, and nothing after a recall or a stop."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import delete, insert, select, update

from app import Shenfa, open_shenfa
from bot.account_entries import sign_account
from bot.contract import Content, NotReleased, State
from bot.delivery.once import FINISHED, SUBMITTED
from bot.delivery.settling import settle_publication
from bot.models import Account, Publication
from bot.switching import turn_switch
from config.clock import now
from config.settings import Settings
from config.setup import AccountSetup, Setup, StaffSetup
from demo.cast import BOT_TOKEN, TELEGRAM_ID, WEBHOOK_SECRET, WECHAT
from ledger.models import Incident
from office.setup import initialise
from review_queue import deciding, drafting, publishing, recalling, submitting
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item
from review_queue.told import latest_on
from review_queue.workflow import GATES
from sandbox.app import create_app
from staff.models import Staff
from storage.database import Base, new_id
from storage.switches import Switch
from tests.waiting import until

TABLE = Base.metadata.tables["publication"]
SUBMIT, MASS, POST = "freepublish/submit", "message/mass/sendall", "sendMessage"
BODY = "县图书馆周末照常开放，办理时间为上午九点到下午五点。"
LONG = "\n".join(f"第{number}项办理事项由窗口人员当面受理并告知结果。" for number in range(420))
STAFF = {
    "editor": ["editor"],
    "reviewer1": ["reviewer_1"],
    "reviewer2": ["reviewer_2", "secrecy"],
    "admin": ["admin"],
}


class Platforms:
    """The sandbox with both accounts, and what it received."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url, self.http = url, http

    async def control(self, name: str, /, **body: Any) -> Any:
        async with self.http.post(f"{self.url}/_control/{name}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def register(self) -> None:
        await self.control("reset")
        await self.control(
            "accounts", platform="wechat", name="青禾政务", kind="service", verified=True, **WECHAT
        )
        await self.control("accounts", platform="telegram", token=BOT_TOKEN, name="青禾发布")
        await self.control(
            "citizens", account=TELEGRAM_ID, count=1, kind="channel", username="qinghe"
        )

    async def received(self, method: str) -> int:
        address = f"{self.url}/_control/requests"
        async with self.http.get(address, params={"method": method}) as answer:
            return int((await answer.json())["count"])

    async def under_way(self) -> None:
        """Until the call that was planned to be slow has reached the platform."""
        for _ in range(6000):
            async with self.http.get(f"{self.url}/_control/faults") as answer:
                if not (await answer.json())["faults"]:
                    return
            await asyncio.sleep(0.01)
        raise AssertionError("the call never came")

    async def let_go(self) -> None:
        """The call that was held up goes on."""
        await self.control("faults")


class Office:
    """The opened home, its people, and the two platforms."""

    def __init__(self, shenfa: Shenfa, people: dict[str, str], platforms: Platforms) -> None:
        self.shenfa, self.people, self.platforms = shenfa, people, platforms

    async def scheduled(self, body: str = BODY) -> Item:
        queue, editor = self.shenfa.queue, self.people["editor"]
        content = Content(kind="原创", title="周末办理时间", body=body)
        item = await drafting.create_item(queue, content, Origin(editor_id=editor, klass="日常"))
        item = await submitting.submit(queue, item.id, editor, item.version)
        for one in ("reviewer1", "reviewer2"):
            digest, _ = await findings_now(queue, item.id)
            gates = {gate: {"ok": True, "note": "已核对"} for gate in GATES}
            answer = ReviewForm("approve", digest, item.version, gates)
            item = await deciding.decide(queue, item.id, self.people[one], answer)
        return await publishing.schedule(queue, item.id, editor)

    async def only(self, platform: str) -> str:
        """Leave one account on; its id."""
        async with self.shenfa.ledger.transaction() as tx:
            rows = (await tx.session.scalars(select(Account))).all()
            for row in rows:
                row.enabled = row.platform == platform
                await sign_account(tx, row, self.people["editor"])
            return next(row.id for row in rows if row.platform == platform)

    async def row(self, item: Item, account_id: str) -> Publication:
        async with self.shenfa.db.session() as session:
            query = select(Publication).where(
                Publication.item_id == item.id, Publication.account_id == account_id
            )
            return (await session.scalars(query)).one()

    async def publish(self) -> None:
        await self.shenfa.publisher.publish_due()

    async def recall(self, item: Item) -> None:
        await recalling.recall(self.shenfa.queue, item.id, self.people["editor"], "数字有误")

    async def entries(self, item: Item) -> list[tuple[str, str]]:
        """Kinds and results of what is signed about publishing an item."""
        facts = await self.shenfa.ledger.facts(f"item:{item.id}")
        kinds = (SUBMITTED, FINISHED)
        return [(one.kind, one.body.get("result", "")) for one in facts if one.kind in kinds]

    async def incidents(self) -> dict[str, str]:
        """Subject of each incident by its kind."""
        async with self.shenfa.db.session() as session:
            rows = (await session.scalars(select(Incident))).all()
        return {row.kind: row.subject for row in rows}

    async def sql(self, statement: Any, values: Any = None) -> None:
        async with self.shenfa.db.session() as session:
            await session.execute(statement, values)


def _settings(home: Path, url: str) -> Settings:
    return Settings(home=home, dev=True, dev_allow=url.removeprefix("http://"))


def _setup(url: str) -> Setup:
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
                api_base=f"{url}/telegram",
                secrets={"token": BOT_TOKEN, "webhook_secret": WEBHOOK_SECRET, "chat": "@qinghe"},
                settings={"per_second": 0},
                assessment_ref="DEMO",
            ),
            AccountSetup(
                slug="qinghe-wx",
                platform="wechat",
                name="青禾政务",
                api_base=f"{url}/wechat",
                secrets=WECHAT,
            ),
        ],
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home initialised once; its accounts learn the sandbox's address when it is opened."""
    made = tmp_path_factory.mktemp("office")
    asyncio.run(initialise(_settings(made, "http://127.0.0.1:9"), _setup("http://127.0.0.1:9")))
    return made


@pytest.fixture
async def platforms() -> AsyncIterator[Platforms]:
    runner = web.AppRunner(create_app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        found = Platforms(f"http://127.0.0.1:{runner.addresses[0][1]}", http)
        await found.register()
        yield found
    await runner.cleanup()


@pytest.fixture
async def office(tmp_path: Path, home: Path, platforms: Platforms) -> AsyncIterator[Office]:
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    async with open_shenfa(_settings(tmp_path, platforms.url)) as shenfa:
        async with shenfa.db.session() as session:
            people = {row.login: row.id for row in (await session.scalars(select(Staff))).all()}
            for account in (await session.scalars(select(Account))).all():
                account.api_base = f"{platforms.url}/{account.platform}"
        yield Office(shenfa, people, platforms)


# --- once only --------------------------------------------------------------------------------


async def by_state(office: Office, before: dict[str, Any]) -> None:
    await office.sql(update(TABLE).values(state="created", next_at=None))


async def put_back(office: Office, before: dict[str, Any]) -> None:
    """The row as it was before it went out, its own good seal included."""
    await office.sql(update(TABLE).where(TABLE.c.id == before["id"]).values(before))


async def made_anew(office: Office, before: dict[str, Any]) -> None:
    await office.sql(delete(TABLE))
    await office.sql(insert(TABLE), [before])


async def other_id(office: Office, before: dict[str, Any]) -> None:
    await office.sql(delete(TABLE))
    await office.sql(insert(TABLE), [before | {"id": new_id()}])


ATTACKS: list[Callable[[Office, dict[str, Any]], Awaitable[None]]] = [
    by_state,
    put_back,
    made_anew,
    other_id,
]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("platform", ["telegram", "wechat"])
async def test_what_is_out_is_sent_no_second_time(
    office: Office, platform: str, attack: Callable[[Office, dict[str, Any]], Awaitable[None]]
) -> None:
    account_id, method = await office.only(platform), {"wechat": SUBMIT, "telegram": POST}[platform]
    item = await office.scheduled()
    async with office.shenfa.db.session() as session:
        query = select(TABLE).where(TABLE.c.account_id == account_id)
        before = dict((await session.execute(query)).mappings().one())
    await office.publish()
    assert await office.platforms.received(method) == 1
    await attack(office, before)
    for _ in range(2):
        await office.publish()
        await office.sql(update(TABLE).where(TABLE.c.state == "held").values(state="created"))
    assert await office.platforms.received(method) == 1
    incidents = await office.incidents()
    assert incidents["row_changed"].startswith("publication:")
    release_id = str(item.release_id)
    with pytest.raises(NotReleased, match=r"已在这个账号发出|结果没有确认"):
        await office.shenfa.releases.verify(release_id, account_id)
    await office.shenfa.releases.verify(release_id)


async def test_the_entry_stands_before_the_call_and_its_result_after_it(office: Office) -> None:
    await office.only("telegram")
    item = await office.scheduled()
    await office.platforms.control(
        "faults", platform="telegram", kind="delay", method=POST, seconds=60
    )
    sending = asyncio.create_task(office.publish())
    await office.platforms.under_way()
    assert await office.entries(item) == [(SUBMITTED, "")]
    anchored = office.shenfa.ledger.anchor_path.read_text(encoding="ascii").splitlines()
    facts = await office.shenfa.ledger.facts(f"item:{item.id}")
    assert f'"seq": {facts[-1].seq}' in anchored[-1]
    await office.platforms.let_go()
    await sending
    assert await office.entries(item) == [(SUBMITTED, ""), (FINISHED, "published")]
    (told,) = [
        one for one in await office.shenfa.ledger.facts(f"item:{item.id}") if one.kind == FINISHED
    ]
    assert told.body["url"].startswith("https://t.me/qinghe/")


async def test_what_the_platform_surely_refused_is_tried_again_by_itself(office: Office) -> None:
    account_id = await office.only("telegram")
    item = await office.scheduled()
    await office.platforms.control(
        "faults", platform="telegram", kind="error500", method=POST, status=500
    )
    await office.publish()
    assert (await office.row(item, account_id)).state == State.RETRYING
    await office.sql(update(TABLE).values(next_at=now() - timedelta(seconds=1)))
    await office.publish()
    assert (await office.row(item, account_id)).state == State.PUBLISHED
    assert await office.entries(item) == [
        (SUBMITTED, ""),
        (FINISHED, "retrying"),
        (SUBMITTED, ""),
        (FINISHED, "published"),
    ]


async def test_without_an_answer_only_a_person_sends_it_again(office: Office) -> None:
    account_id = await office.only("telegram")
    item = await office.scheduled()
    await office.platforms.control("faults", platform="telegram", kind="drop_answer", method=POST)
    await office.publish()
    row = await office.row(item, account_id)
    assert row.state == State.UNKNOWN
    # A row that was put back waits for the same person.
    async with office.shenfa.db.session() as session:
        again = await session.get_one(Publication, row.id)
        again.state = State.CREATED
    await office.publish()
    assert (await office.row(item, account_id)).state == State.UNKNOWN
    assert await office.platforms.received(POST) == 1

    async def no_news(_: str) -> None:
        return

    ledger, editor = office.shenfa.ledger, office.people["editor"]
    await settle_publication(ledger, row.id, editor, "no", on_publication=no_news)
    await office.publish()
    assert (await office.row(item, account_id)).state == State.PUBLISHED
    assert await office.platforms.received(POST) == 2


async def test_a_guarded_mass_send_goes_on_by_itself_and_arrives_once(office: Office) -> None:
    account_id = await office.only("wechat")
    async with office.shenfa.ledger.transaction() as tx:
        account = await tx.session.get_one(Account, account_id)
        account.settings = {"push": "mass"}
        await sign_account(tx, account, office.people["editor"])
    made = await office.platforms.control("citizens", account=WECHAT["appid"], count=1)
    item = await office.scheduled()
    await office.platforms.control("faults", platform="wechat", kind="drop_answer", method=MASS)
    await office.publish()
    assert (await office.row(item, account_id)).state == State.RETRYING
    assert await office.entries(item) == [(SUBMITTED, "")]
    await office.sql(update(TABLE).values(next_at=now() - timedelta(seconds=1)))
    await office.publish()
    assert (await office.row(item, account_id)).state == State.SUBMITTED
    address = f"{office.platforms.url}/_control/messages"
    query = {"account": WECHAT["appid"], "citizen": made["citizens"][0]}

    async def arrived() -> int:
        async with office.platforms.http.get(address, params=query) as answer:
            return len((await answer.json())["messages"])

    await until(arrived, 60)
    assert await office.platforms.received(MASS) == 2
    assert await arrived() == 1


async def test_a_row_forged_beside_others_is_held_and_the_others_go_out(office: Office) -> None:
    account_id = await office.only("telegram")
    first, second = await office.scheduled(), await office.scheduled(BODY + "节假日另行通知。")
    await office.sql(update(TABLE).where(TABLE.c.item_id == first.id).values(digest="d" * 64))
    await office.publish()
    assert (await office.row(first, account_id)).state == State.HELD
    assert (await office.row(second, account_id)).state == State.PUBLISHED
    held = await office.row(first, account_id)
    assert (await office.incidents())["row_changed"] == f"publication:{held.id}"
    # Arranged once more by a person, it goes out.
    await publishing.schedule(office.shenfa.queue, first.id, office.people["editor"])
    await office.publish()
    assert (await office.row(first, account_id)).state == State.PUBLISHED


# --- at the last moment -----------------------------------------------------------------------


async def test_a_recall_during_a_slow_upload_keeps_the_article_from_wechat(office: Office) -> None:
    await office.only("wechat")
    item = await office.scheduled()
    await office.platforms.control(
        "faults", platform="wechat", kind="delay", method="draft/add", seconds=60
    )
    sending = asyncio.create_task(office.publish())
    await office.platforms.under_way()
    await office.recall(item)
    await office.platforms.let_go()
    await sending
    assert await office.platforms.received(SUBMIT) == 0
    assert await office.entries(item) == []
    assert "recalled_late" not in await office.incidents()


async def test_a_stop_during_a_slow_upload_keeps_the_article_from_wechat(office: Office) -> None:
    account_id = await office.only("wechat")
    item = await office.scheduled()
    await office.platforms.control(
        "faults", platform="wechat", kind="delay", method="draft/add", seconds=60
    )
    sending = asyncio.create_task(office.publish())
    await office.platforms.under_way()
    await turn_switch(
        office.shenfa.ledger, office.people["admin"], "publishing", stopped=True, reason="核对"
    )
    await office.platforms.let_go()
    await sending
    assert await office.platforms.received(SUBMIT) == 0
    assert (await office.row(item, account_id)).state == State.RETRYING


async def test_a_recall_after_the_first_part_keeps_the_others_back(office: Office) -> None:
    account_id = await office.only("telegram")
    item = await office.scheduled(LONG)
    await office.platforms.control(
        "faults", platform="telegram", kind="delay", method=POST, seconds=60
    )
    sending = asyncio.create_task(office.publish())
    await office.platforms.under_way()
    await office.recall(item)
    await office.platforms.let_go()
    await sending
    assert await office.platforms.received(POST) == 1
    row = await office.row(item, account_id)
    assert row.state == State.UNKNOWN
    assert "已发出前 1 条" in row.reason
    assert (await office.incidents())["recalled_late"] == f"publication:{row.id}"


async def test_what_wechat_published_after_a_recall_is_an_incident(office: Office) -> None:
    account_id = await office.only("wechat")
    item = await office.scheduled()
    await office.publish()
    assert (await office.row(item, account_id)).state == State.SUBMITTED
    await office.recall(item)

    async def told() -> bool:
        await office.sql(update(TABLE).values(next_at=now() - timedelta(seconds=1)))
        await office.shenfa.publisher.settle_due()
        return (await office.row(item, account_id)).state != State.SUBMITTED

    await until(told, 60)
    row = await office.row(item, account_id)
    assert row.state == State.PUBLISHED
    async with office.shenfa.db.session() as session:
        query = select(Incident.message).where(Incident.kind == "recalled_late")
        assert "“发表记录”里删除" in (await session.scalars(query)).one()


# --- what is told, and switches ---------------------------------------------------------------


async def test_a_stop_lifted_by_sql_stays_and_is_an_incident(office: Office) -> None:
    await office.only("telegram")
    await office.scheduled()
    await turn_switch(
        office.shenfa.ledger, office.people["admin"], "publishing", stopped=True, reason="核对"
    )
    await office.sql(update(Switch).values(stopped=False))
    await office.publish()
    assert await office.platforms.received(POST) == 0
    assert (await office.incidents())["row_changed"] == "switch:publishing"


async def test_citizens_hear_the_approved_title_and_the_signed_address(office: Office) -> None:
    account_id = await office.only("telegram")
    item = await office.scheduled()
    await office.publish()
    ledger = office.shenfa.ledger
    (before,) = await latest_on(ledger, account_id)
    assert before.title == "周末办理时间"
    await office.sql(update(Item).values(title="请拨打我的电话"))
    await office.sql(update(TABLE).values(url="https://other.example/"))
    assert await latest_on(ledger, account_id) == [before]
    assert (await office.incidents())["row_changed"].startswith("publication:")
    await office.recall(item)
    assert await latest_on(ledger, account_id) == []
