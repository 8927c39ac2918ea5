"""组版: approved items in order, reviewed as one, sent once, each with its own result."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select, update

from bot.accounts import Accounts, NewAccount
from bot.channel import Call, Channel
from bot.contacts import Contacts
from bot.contract import Content, Inbound, NotReleased, State
from bot.delivery.leases import Lease
from bot.delivery.publishing import Publisher
from bot.delivery.recent import Recent
from bot.delivery.removing import Remover
from bot.delivery.settling import settle_publication
from bot.delivery.wiring import Wiring
from bot.models import Account, Publication
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel
from config.clock import now
from ledger.models import Incident
from office.checking import renderer_over
from review_queue import deciding, drafting, publishing, recalling, submitting
from review_queue.canonical import Draft, canonical, digest
from review_queue.drafting import Origin
from review_queue.editions import Chosen, arrange, make_edition, offered
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item, Revision
from review_queue.told import latest_on
from staff.refusal import Refused
from storage.cache import MemoryCache
from storage.database import Database
from tests.bot.conftest import AES_KEY, Platforms, platforms
from tests.documents import made_pictures
from tests.made import DATA_KEY
from tests.review_queue.conftest import Office, make_office

__all__ = ["platforms"]
COVER = "sha256:" + "c" * 64
APP = "wxedition"
SECRETS = {"appid": APP, "secret": "s3", "token": "t0", "aes_key": AES_KEY}
LEVELS = {2: ("reviewer1", "reviewer3"), 3: ("reviewer1", "reviewer2", "reviewer3")}


async def media(marker: str) -> tuple[bytes, str]:
    assert marker == COVER
    return made_pictures.picture(), "image/png"


def chosen(*items: Item) -> Chosen:
    """The same edition with these items."""
    return Chosen("", [one.id for one in items])


@dataclass
class House:
    """An office with one subscription account on the sandbox, and what publishes for it."""

    office: Office
    platforms: Platforms
    account: Account
    telegram: Account
    channel: WeChatChannel
    publisher: Publisher
    remover: Remover
    hearing: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def queue(self) -> Any:
        return self.office.queue

    @property
    def editor(self) -> str:
        return self.office.people["editor"]

    async def article(
        self,
        title: str,
        *,
        cover: str = COVER,
        klass: str = "日常",
        accounts: tuple[str, ...] = (),
    ) -> Item:
        """An item that passed review, for both accounts."""
        content = Content(kind="原创", title=title, body=f"{title}的正文。", cover=cover)
        accounts = accounts or (self.account.id, self.telegram.id)
        item = await drafting.create_item(
            self.queue, content, Origin(self.editor, klass=klass, accounts=accounts)
        )
        return await self.reviewed(item)

    async def three(self) -> list[Item]:
        return [await self.article(f"第{word}件事") for word in "一二三"]

    async def reviewed(self, item: Item) -> Item:
        """Submitted, and approved at every level."""
        item = await submitting.submit(self.queue, item.id, self.editor, item.version)
        assert item.workflow is not None
        for who in LEVELS[len(item.workflow["levels"])]:
            item = await self.office.decide(item, who)
        assert item.state == "approved"
        return item

    async def edition(self, *items: Item) -> Item:
        chosen = Chosen(self.account.id, [one.id for one in items])
        return await make_edition(self.queue, self.editor, chosen)

    async def scheduled(self, item: Item) -> Item:
        return await publishing.schedule(self.queue, item.id, self.editor)

    async def now(self, item: Item) -> Item:
        async with self.queue.db.session() as session:
            return await session.get_one(Item, item.id)

    async def draft(self, item: Item) -> Draft:
        async with self.queue.db.session() as session:
            query = select(Revision.canonical).where(Revision.item_id == item.id)
            return Draft.from_canonical(
                (await session.scalars(query.order_by(Revision.number.desc()))).first() or ""
            )

    async def renderings(self, item: Item) -> Any:
        async with self.queue.db.session() as session:
            query = select(Revision.canonical).where(Revision.item_id == item.id)
            newest = query.order_by(Revision.number.desc()).limit(1)
            return json.loads((await session.scalars(newest)).one())["renderings"]

    async def publications(self, item: Item) -> list[Publication]:
        async with self.queue.db.session() as session:
            query = select(Publication).where(Publication.item_id == item.id)
            return list(await session.scalars(query.order_by(Publication.due_at, Publication.id)))

    async def sent(self, item: Item) -> Publication:
        """The item's newest publication, after its result came back as an event."""
        await self.publisher.publish_due()
        for _ in range(3000):
            row = (await self.publications(item))[-1]
            if row.state != State.SUBMITTED and not self.hearing:
                return row
            await asyncio.sleep(0.02)
        raise AssertionError(row.state)

    async def calls(self, method: str) -> list[Any]:
        seen = await self.platforms.seen("requests", account=APP, method=method)
        return [one for one in seen["requests"] if one["outcome"] == "ok"]

    async def entries(self, item: Item, kind: str) -> list[dict[str, Any]]:
        facts = await self.queue.ledger.facts(f"item:{item.id}")
        return [dict(one.body) for one in facts if one.kind == kind]


@pytest.fixture
async def house(tmp_path: Path, database: Database, platforms: Platforms) -> AsyncIterator[House]:
    office = await make_office(tmp_path, database)
    channel = WeChatChannel(MemoryCache(), platforms.hosts)
    channels: dict[str, Channel] = {
        "wechat": channel,
        "telegram": TelegramChannel(MemoryCache(), platforms.hosts),
    }
    ledger = office.queue.ledger
    office.queue = replace(office.queue, render=renderer_over(channels))
    accounts = Accounts(database, DATA_KEY, platforms.hosts)
    base = f"{platforms.url}/wechat"
    async with ledger.transaction() as tx:
        await tx.session.execute(update(Account).values(enabled=False))
        opened = [
            await accounts.create(tx, one, "init")
            for one in (
                NewAccount(
                    slug="a-wx", organisation_id="o", platform="wechat", name="青禾发布",
                    api_base=base, secrets=SECRETS, settings={"push": "mass"},
                ),
                NewAccount(
                    slug="a-tg", organisation_id="o", platform="telegram", name="青禾频道",
                    api_base="https://api.telegram.org", settings={}, assessment_ref="X",
                    secrets={"token": "1:x", "webhook_secret": "s", "chat": "@q"},
                ),
            )
        ]  # fmt: skip
    wiring = Wiring(
        database, ledger, Contacts(DATA_KEY), channels, office.releases.verify, accounts.open,
        media, on_publication=partial(publishing.note_publication, office.queue),
        on_refused=partial(publishing.refused_by_platform, office.queue),
    )  # fmt: skip
    recent = Recent(wiring)
    lease = Lease(wiring, recent)
    publisher, remover = Publisher(wiring, lease, recent), Remover(wiring, lease)
    made = House(office, platforms, opened[0], opened[1], channel, publisher, remover)

    async def act(inbound: Inbound) -> None:
        try:
            for _ in range(3000):  # under load the event may be faster than the row of the answer
                if await publisher.on_result_event(inbound):
                    break
                await asyncio.sleep(0.02)
        finally:
            made.hearing -= 1

    async def hear(request: web.Request) -> web.Response:
        call = Call(request.query, request.headers, request.read)
        told = await channel.hear(await accounts.open(opened[0].id), call)
        made.hearing += 1
        made.tasks.append(asyncio.create_task(act(told.inbound)))
        return web.Response(text="success")

    app = web.Application()
    app.router.add_post("/hook", hear)
    async with TestServer(app) as server:
        await platforms.control(
            "accounts", platform="wechat", name="青禾发布", kind="subscription",
            callback_url=str(server.make_url("/hook")), **SECRETS,
        )  # fmt: skip
        await platforms.control("citizens", account=APP, count=3, prefix="w")
        await platforms.control("limits", result_delay=0.05)
        yield made
    await channel.close()


async def test_an_edition_of_three_goes_out_once_and_each_article_gets_its_result(
    house: House,
) -> None:
    items = await house.three()
    edition = await house.reviewed(await house.edition(*items))
    assert edition.workflow is not None
    assert len(edition.workflow["levels"]) >= 2
    whole = await house.sent(await house.scheduled(edition))
    assert whole.state == State.PUBLISHED
    [draft] = await house.calls("draft/add")
    assert [one["title"] for one in draft["parsed"]["articles"]] == [one.title for one in items]
    assert len(await house.calls("message/mass/sendall")) == 1
    for number, item in enumerate(items, 1):
        [mine] = await house.publications(item)
        place = (mine.state, mine.edition_id, mine.article_index, mine.ref)
        assert place == (State.PUBLISHED, whole.id, number, whole.ref)
        assert mine.url.endswith(f"/{number}")
        assert (await house.now(item)).state == "published"
        [signed] = await house.entries(item, "publication.finished")
        assert (signed["edition"], signed["index"], signed["url"]) == (whole.id, number, mine.url)
    assert (await house.now(edition)).state == "published"
    told = await latest_on(house.queue.ledger, house.account.id)
    assert {one.title for one in told} == {one.title for one in items}
    # What went out with it does not go out there a second time, alone or in another edition.
    await house.scheduled(items[0])
    assert (await house.now(items[0])).state == "published"
    rows = await house.publications(items[0])
    assert {row.account_id: row.edition_id for row in rows} == {
        house.account.id: whole.id,
        house.telegram.id: "",
    }
    with pytest.raises(Refused, match="不会再发一次"):
        await house.edition(items[0])
    async with house.queue.db.session() as session:
        assert await offered(session, house.account.id) == []


async def test_a_recall_takes_one_article_out_of_an_edition_and_an_editions_recall_all(
    house: House,
) -> None:
    items = await house.three()
    edition = await house.reviewed(await house.edition(*items))
    await house.sent(await house.scheduled(edition))
    editor = house.office.people["editor"]
    for taken in (items[1], edition):
        await recalling.recall(house.queue, taken.id, editor, "日期写错")
        await house.remover.remove_due()
        [signed] = await house.entries(taken, "takedown.finished")
        assert signed["result"] == "dead"
    calls = [call["parsed"] for call in await house.calls("message/mass/delete")]
    assert [one["article_idx"] for one in calls] == [2, 0]


async def test_one_withdrawn_after_approval_stops_the_edition_until_it_is_mended(
    house: House,
) -> None:
    items = await house.three()
    edition = await house.scheduled(await house.reviewed(await house.edition(*items)))
    await recalling.recall(house.queue, items[1].id, house.editor, "数字有误")
    await house.publisher.publish_due()
    [held] = await house.publications(edition)
    assert held.state == State.HELD
    assert held.reason == "第 2 篇《第二件事》：已被撤回"
    assert await house.calls("draft/add") == []
    async with house.queue.db.session() as session:
        kinds = set(await session.scalars(select(Incident.kind)))
    assert "release_refused" in kinds
    with pytest.raises(Refused, match="第 2 篇《第二件事》：已被撤回"):
        await publishing.schedule(house.queue, edition.id, house.editor)
    version = (await house.now(edition)).version
    mended = await arrange(
        house.queue, edition.id, house.editor, version, chosen(items[2], items[0])
    )
    assert (mended.state, mended.revision) == ("draft", 2)
    row = await house.sent(await house.scheduled(await house.reviewed(mended)))
    assert row.state == State.PUBLISHED
    [draft] = await house.calls("draft/add")
    told = [one["title"] for one in draft["parsed"]["articles"]]
    assert told == ["第三件事", "第一件事"]
    assert len(await house.calls("message/mass/sendall")) == 1
    assert await house.publications(items[1]) == []
    assert [row.article_index for row in await house.publications(items[0])] == [2]


async def test_another_order_is_another_digest_and_not_what_was_approved(house: House) -> None:
    items = [await house.article("甲事"), await house.article("乙事")]
    edition = await house.edition(*items)
    seen, _ = await findings_now(house.queue, edition.id)
    turned = await arrange(
        house.queue, edition.id, house.editor, edition.version, chosen(*items[::-1])
    )
    assert (await findings_now(house.queue, edition.id))[0] != seen
    waiting = await submitting.submit(house.queue, edition.id, house.editor, turned.version)
    form = ReviewForm("approve", seen, waiting.version, {}, proof=True)
    with pytest.raises(Refused, match="有变化"):
        await deciding.decide(house.queue, edition.id, house.office.people["reviewer1"], form)
    for who in LEVELS[2]:
        waiting = await house.office.decide(waiting, who)
    await house.scheduled(waiting)
    # Somebody turns the order in the database: the digest approved covers another one.
    draft = await house.draft(edition)
    renderings = await house.renderings(edition)
    renderings[house.account.id]["edition"].reverse()
    forged = canonical(replace(draft, edition=draft.edition[::-1]), renderings)
    async with house.queue.db.writing() as session:
        await session.execute(
            update(Revision)
            .where(Revision.item_id == edition.id, Revision.number == 2)
            .values(canonical=forged, digest=digest(forged))
        )
    await house.publisher.publish_due()
    [row] = await house.publications(edition)
    assert row.state == State.HELD
    assert "内容被改动过" in row.reason
    assert await house.calls("draft/add") == []


async def test_every_reason_against_an_edition_is_said_at_once(house: House) -> None:
    bare = await house.article("没有封面", cover="")
    changed = await house.article("改过的", klass="重要")
    await drafting.edit(house.queue, changed.id, house.editor, changed.version, {"title": "改过了"})
    gone = await house.article("撤回的")
    await recalling.recall(house.queue, gone.id, house.editor, "有误")
    elsewhere = await house.article("只发别处", accounts=(house.telegram.id,))
    alone = await house.scheduled(await house.article("单独发的"))
    with pytest.raises(Refused) as refused:
        await house.edition(bare, changed, gone, elsewhere, alone, bare)
    said = "\n".join(one.message for one in refused.value.reasons)
    for words in (
        "第 1 篇《没有封面》：头条没有封面",
        "第 2 篇《改过了》：还没有通过审核（现在是“草稿”）",
        "第 3 篇《撤回的》：已被撤回",
        "第 4 篇《只发别处》：它没有选这个发布账号",
        "第 5 篇《单独发的》：已安排在这个账号单独发布",
        "第 6 篇《没有封面》：与第 1 篇是同一篇",
    ):
        assert words in said
    with pytest.raises(Refused, match="现在是 9 篇"):
        await house.edition(*([bare] * 9))
    with pytest.raises(Refused, match="现在是 0 篇"):
        await house.edition()
    there = Chosen(house.telegram.id, [elsewhere.id])
    with pytest.raises(Refused, match="没有多篇合发"):
        await make_edition(house.queue, house.editor, there)
    one = await house.article("好的一篇")
    waiting = await house.edition(one)
    reviewer = house.office.people["reviewer1"]
    with pytest.raises(Refused, match="编辑"):
        await make_edition(house.queue, reviewer, Chosen(house.account.id, [one.id]))
    with pytest.raises(Refused, match="由各篇稿件组成"):
        await drafting.edit(
            house.queue, waiting.id, house.editor, waiting.version, {"body": "另一份名单"}
        )
    await submitting.submit(house.queue, waiting.id, house.editor, waiting.version)
    with pytest.raises(Refused, match="已编入《组版：好的一篇》"):
        await house.edition(one)
    # It goes to the other account by itself all the same.
    await house.scheduled(one)
    assert [row.account_id for row in await house.publications(one)] == [house.telegram.id]


async def test_an_article_changed_or_gone_alone_since_is_refused_at_sending(house: House) -> None:
    items = [await house.article("甲事"), await house.article("乙事")]
    edition = await house.scheduled(await house.reviewed(await house.edition(*items)))
    [row] = await house.publications(edition)
    item = await house.now(items[1])
    await drafting.edit(house.queue, item.id, house.editor, item.version, {"title": "乙事新"})
    with pytest.raises(NotReleased, match="第 2 篇《乙事新》：编入以后又改过"):
        await house.office.releases.verify(row.release_id, row.account_id)
    # Written past the program: the row says published, the signed entries of the item do not.
    async with house.queue.ledger.transaction() as tx:
        body = {"publication": "p", "release": str(items[0].release_id), "guarded": False,
                "account": row.account_id, "digest": "d"}  # fmt: skip
        about = f"item:{items[0].id}"
        await tx.append("publication.submitted", subject=about, actor="system", body=body)
    with pytest.raises(NotReleased, match="第 1 篇《甲事》：它单独提交给这个账号过"):
        await house.office.releases.verify(row.release_id, row.account_id)


async def test_what_the_platform_refuses_names_its_article_and_frees_them_all(
    house: House,
) -> None:
    items = [await house.article("甲事"), await house.article("乙事")]
    edition = await house.scheduled(await house.reviewed(await house.edition(*items)))
    await house.platforms.control(
        "faults", platform="wechat", kind="mass_status", status="err(30002)", article=2
    )
    row = await house.sent(edition)
    assert row.state == State.FAILED
    back = await house.now(edition)
    assert back.state == "draft"
    assert back.return_reason.startswith("第 2 篇：群发失败：原创校验判定不能群发")
    assert [await house.publications(one) for one in items] == [[], []]
    # The day was given back, so the good one goes out alone, as an edition of one.
    version = back.version
    mended = await arrange(house.queue, edition.id, house.editor, version, chosen(items[0]))
    row = await house.sent(await house.scheduled(await house.reviewed(mended)))
    assert row.state == State.PUBLISHED
    assert (await house.now(items[1])).state == "approved"
    # A second mass send on one day is refused before anybody calls.
    other = await house.reviewed(await house.edition(items[1]))
    with pytest.raises(Refused, match="没有群发名额"):
        await house.scheduled(other)
    assert await house.publications(items[1]) == []


async def test_a_lost_answer_sends_nobody_an_edition_twice(house: House) -> None:
    items = [await house.article("甲事"), await house.article("乙事")]
    edition = await house.scheduled(await house.reviewed(await house.edition(*items)))
    await house.platforms.control(
        "faults", platform="wechat", method="message/mass/sendall", kind="drop_answer"
    )
    await house.publisher.publish_due()
    [row] = await house.publications(edition)
    assert row.state == State.RETRYING
    [mine] = await house.publications(items[0])
    assert (mine.state, mine.article_index) == (State.SUBMITTED, 1)
    with pytest.raises(Refused, match="还没有确认结果"):
        await house.edition(items[0])
    with pytest.raises(Refused, match="请在组版的发布页上确认"):
        await settled(house, await unknown(house, mine), "no")
    async with house.queue.db.writing() as session:
        (await session.get_one(Publication, row.id)).next_at = now() - timedelta(seconds=1)
    row = await house.sent(edition)
    assert row.state == State.PUBLISHED
    assert [one.url[-2:] for item in items for one in await house.publications(item)] == [
        "/1",
        "/2",
    ]
    got = await house.platforms.seen("messages", account=APP, citizen="w1")
    assert len(got["messages"]) == 1


async def test_a_person_settles_an_edition_for_all_its_articles(house: House) -> None:
    items = [await house.article("甲事"), await house.article("乙事")]
    edition = await house.scheduled(await house.reviewed(await house.edition(*items)))
    await house.platforms.control("limits", result_delay=30)
    await house.publisher.publish_due()
    [row] = await house.publications(edition)
    for one in (row, *[(await house.publications(item))[0] for item in items]):
        await unknown(house, one)
    await settled(house, row.id, "no")
    assert [await house.publications(one) for one in items] == [[], []]
    [again] = await house.publications(edition)
    assert again.state == State.CREATED
    await house.office.releases.verify(again.release_id, again.account_id)


async def unknown(house: House, row: Publication) -> str:
    async with house.queue.db.writing() as session:
        (await session.get_one(Publication, row.id)).state = State.UNKNOWN
    return row.id


async def settled(house: House, publication_id: str, sent: str) -> None:
    async def news(_: str) -> None:
        return

    await settle_publication(
        house.queue.ledger, publication_id, house.editor, sent, on_publication=news
    )
