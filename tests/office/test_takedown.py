"""A recall acts on the platforms: what is out goes, and what cannot go is told to a person."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from bot.account_entries import sign_account
from bot.contract import State
from bot.delivery.takedowns import settle_takedown
from bot.delivery.taken import FINISHED, SETTLED, SUBMITTED, off
from bot.models import Account, Publication, Takedown
from bot.takedown import Result
from config.clock import now, use_clock_file
from demo.cast import TELEGRAM_ID, WECHAT
from ledger.models import Incident
from review_queue import recalling
from review_queue.models import Item
from review_queue.told import latest_on
from staff.refusal import Refused
from storage.database import Base, new_id
from tests.office.test_once import (  # noqa: F401  the office and its platforms
    TABLE,
    Office,
    home,
    office,
    platforms,
)

ROWS = Base.metadata.tables["takedown"]
WX = WECHAT["appid"]
DELETE, MASS_DELETE = "freepublish/delete", "message/mass/delete"
DAY = 86_400
LONG = "\n".join(f"第{number}项办理事项由窗口人员当面受理并告知结果。" for number in range(195))


Move = Callable[[float], None]


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Move]:
    """The office's clock, which a test may move; the platforms' is moved beside it."""
    file = tmp_path / "clock"
    use_clock_file(file)

    def move(seconds: float) -> None:
        file.write_text(str(seconds), encoding="ascii")

    yield move
    use_clock_file(None)


async def later(office: Office, clock: Move, seconds: float) -> None:  # noqa: F811
    clock(seconds)
    await office.platforms.control("clock", offset_seconds=seconds)


async def signed_accounts(office: Office) -> None:  # noqa: F811
    """Their addresses are the sandbox's of this test."""
    async with office.shenfa.ledger.transaction() as tx:
        for account in (await tx.session.scalars(select(Account))).all():
            await sign_account(tx, account, office.people["editor"])


async def published(office: Office, body: str | None = None) -> Item:  # noqa: F811
    """One item out on both platforms."""
    await signed_accounts(office)
    await office.platforms.control("limits", result_delay=0.01)
    await office.platforms.control("citizens", account=WX, count=1, name="王芳")
    item = await (office.scheduled(body) if body else office.scheduled())
    await office.publish()
    await settled(office)
    return item


async def settled(office: Office) -> None:  # noqa: F811
    """Until the platform has said of every submission what became of it."""
    for _ in range(200):
        await office.sql(update(TABLE).where(TABLE.c.state == "submitted").values(next_at=now()))
        await office.shenfa.publisher.settle_due()
        async with office.shenfa.db.session() as session:
            left = select(TABLE.c.id).where(TABLE.c.state == "submitted").limit(1)
            if (await session.scalars(left)).first() is None:
                return
        await asyncio.sleep(0.05)
    raise AssertionError("never settled")


async def rows(office: Office, item: Item) -> dict[str, Takedown]:  # noqa: F811
    """Takedowns by platform."""
    async with office.shenfa.db.session() as session:
        found = (await session.scalars(select(Takedown).where(Takedown.item_id == item.id))).all()
        sites = {one.id: await session.get_one(Publication, one.publication_id) for one in found}
    names = {one: (await office.shenfa.accounts.open(one)).platform for one in accounts_of(sites)}
    return {names[sites[one.id].account_id]: one for one in found}


def accounts_of(sites: dict[str, Publication]) -> set[str]:
    return {one.account_id for one in sites.values()}


async def results(office: Office, item: Item) -> dict[str, str]:  # noqa: F811
    return {platform: row.result for platform, row in (await rows(office, item)).items()}


async def signed(office: Office, item: Item) -> list[tuple[str, str]]:  # noqa: F811
    kinds = (SUBMITTED, FINISHED, SETTLED)
    facts = await office.shenfa.ledger.facts(f"item:{item.id}")
    return sorted((one.kind, one.body.get("result", "")) for one in facts if one.kind in kinds)


async def remove(office: Office) -> None:  # noqa: F811
    await office.shenfa.remover.remove_due()


async def channel(office: Office) -> list[dict[str, Any]]:  # noqa: F811
    """What readers of the Telegram channel see."""
    address = f"{office.platforms.url}/_control/messages"
    query = {"account": TELEGRAM_ID, "citizen": "@qinghe"}
    async with office.platforms.http.get(address, params=query) as answer:
        return list((await answer.json())["messages"])


async def page(office: Office, item: Item) -> str:  # noqa: F811
    """The article's page as a reader of WeChat opens it."""
    async with office.shenfa.db.session() as session:
        query = select(Publication.url).where(
            Publication.item_id == item.id, Publication.url.contains("/wechat/s/")
        )
        url = (await session.scalars(query)).one()
    async with office.platforms.http.get(url) as answer:
        return await answer.text()


async def incidents(office: Office, kind: str = "takedown_failed") -> list[str]:  # noqa: F811
    async with office.shenfa.db.session() as session:
        query = select(Incident.message).where(Incident.kind == kind)
        return list(await session.scalars(query))


async def test_a_fresh_publication_is_deleted_on_both_platforms(office: Office) -> None:  # noqa: F811
    item = await published(office)
    assert len(await channel(office)) == 1
    await recalling.recall(
        office.shenfa.queue, item.id, office.people["editor"], "数字有误", "outdated"
    )
    await remove(office)
    assert await results(office, item) == {"telegram": "deleted", "wechat": "deleted"}
    assert await channel(office) == []
    assert "已被发布者删除" in await page(office, item)
    assert await signed(office, item) == [
        *[(FINISHED, "deleted")] * 2,
        *[(SUBMITTED, "")] * 2,
    ]
    facts = await office.shenfa.ledger.facts(f"item:{item.id}")
    [recall] = [one for one in facts if one.kind == "item.recalled"]
    assert recall.body["class"] == "outdated"
    assert await incidents(office) == []
    # Whatever is asked again: nothing is called a second time.
    await office.sql(update(ROWS).values(state="waiting", next_at=now()))
    await remove(office)
    assert await office.platforms.received("deleteMessages") == 1
    assert await office.platforms.received(DELETE) == 1


async def test_after_three_days_the_post_says_that_it_was_withdrawn(
    office: Office,  # noqa: F811
    clock: Move,
) -> None:
    item = await published(office, LONG)
    long = len(await channel(office))
    assert long > 1
    await later(office, clock, 3 * DAY)
    await office.recall(item)
    await remove(office)
    assert await results(office, item) == {"telegram": "edited", "wechat": "deleted"}
    said = [one["text"] for one in await channel(office)]
    assert len(said) == long
    assert all("本条信息已由发布单位撤回" in one for one in said)
    assert "/verify/" in said[0]


async def test_of_a_publication_that_failed_on_one_platform_the_other_is_taken_down(
    office: Office,  # noqa: F811
) -> None:
    """WeChat refuses it; of the long post on Telegram only the first message came through."""
    await office.platforms.control("faults", platform="wechat", kind="publish_status", status=3)
    await office.platforms.control(
        "faults", platform="telegram", kind="refuse", method="sendMessage", skip=1, code=400
    )
    item = await published(office, LONG)
    assert len(await channel(office)) == 1
    await office.recall(item)
    await remove(office)
    assert await channel(office) == []
    assert await results(office, item) == {"telegram": "by_hand"}
    [said] = await incidents(office)
    assert "没有发完" in said
    row = (await rows(office, item))["telegram"]
    await settle_takedown(office.shenfa.ledger, item.id, row.id, office.people["editor"])
    assert await results(office, item) == {"telegram": "done"}
    assert (SETTLED, "") in await signed(office, item)
    with pytest.raises(Refused, match="不用人处理"):
        await settle_takedown(office.shenfa.ledger, item.id, row.id, office.people["editor"])
    with pytest.raises(Refused, match="需要以下角色之一"):
        await settle_takedown(office.shenfa.ledger, item.id, row.id, office.people["reviewer1"])


async def test_what_a_platform_publishes_after_the_recall_goes_as_soon_as_it_is_out(
    office: Office,  # noqa: F811
) -> None:
    account_id = await office.only("wechat")
    await office.platforms.control("limits", result_delay=0.01)
    item = await office.scheduled()
    await office.publish()
    assert (await office.row(item, account_id)).state == State.SUBMITTED
    await office.recall(item)
    await remove(office)
    row = (await rows(office, item))["wechat"]
    assert (row.state, "还在处理" in row.reason) == ("waiting", True)
    await settled(office)
    await office.sql(update(ROWS).values(next_at=now()))
    await remove(office)
    assert await results(office, item) == {"wechat": "deleted"}
    assert "已被发布者删除" in await page(office, item)


async def test_an_answer_that_is_lost_is_for_a_person_and_called_once(office: Office) -> None:  # noqa: F811
    item = await published(office)
    await office.platforms.control("faults", platform="wechat", kind="drop_answer", method=DELETE)
    await office.recall(item)
    for _ in range(2):
        await remove(office)
    assert await results(office, item) == {"telegram": "deleted", "wechat": "unknown"}
    assert await office.platforms.received(DELETE) == 1
    [said] = await incidents(office)
    assert "不能确定是否已经删除" in said
    row = (await rows(office, item))["wechat"]
    await settle_takedown(office.shenfa.ledger, item.id, row.id, office.people["admin"])


async def test_a_crash_after_the_recall_leaves_it_to_the_next_process(office: Office) -> None:  # noqa: F811
    """Claimed and not yet called by a process that is gone: done; called by it: for a person."""
    item = await published(office)
    await office.recall(item)
    await office.sql(update(ROWS).values(owner=new_id()))
    async with office.shenfa.db.session() as session:
        for row in (await session.scalars(select(Takedown))).all():
            row.state = "calling"
    await remove(office)
    assert set((await results(office, item)).values()) == {"deleted"}


async def test_the_eleventh_deletion_of_a_day_waits_and_is_told(
    office: Office,  # noqa: F811
    clock: Move,
) -> None:
    await office.only("wechat")
    item = await published(office)
    async with office.shenfa.db.session() as session:
        account_id = (await session.scalars(select(Publication.account_id).limit(1))).one()
        for _ in range(10):
            some = Takedown(
                id=new_id(), publication_id=new_id(), item_id=new_id(), account_id=account_id,
                state="ended", asked_at=now(), called_at=now(),
            )  # fmt: skip
            session.add(some)
    await office.recall(item)
    await remove(office)
    assert await office.platforms.received(DELETE) == 0
    row = (await rows(office, item))["wechat"]
    assert (row.state, row.result) == ("waiting", Result.RETRY)
    [said] = await incidents(office)
    assert "今天的删除次数已用完" in said
    assert "登录微信公众平台" in said
    await later(office, clock, DAY)
    await remove(office)
    assert await results(office, item) == {"wechat": "deleted"}


async def test_the_platforms_own_count_is_obeyed_too(office: Office) -> None:  # noqa: F811
    await office.only("wechat")
    item = await published(office)
    await office.platforms.control(
        "faults", platform="wechat", kind="refuse", method=DELETE, code=45009
    )
    await office.recall(item)
    for _ in range(2):
        await remove(office)
    assert await office.platforms.received(DELETE) == 1
    row = (await rows(office, item))["wechat"]
    assert row.state == "waiting"
    assert row.next_at is not None
    assert row.next_at > now()
    assert (FINISHED, Result.RETRY) in await signed(office, item)


async def test_of_a_mass_send_the_page_dies_and_the_card_stays(office: Office) -> None:  # noqa: F811
    account_id = await office.only("wechat")
    async with office.shenfa.db.session() as session:
        (await session.get_one(Account, account_id)).settings = {"push": "mass"}
    item = await published(office)
    await office.recall(item)
    await remove(office)
    assert await results(office, item) == {"wechat": "dead"}
    address = f"{office.platforms.url}/_control/requests"
    async with office.platforms.http.get(address, params={"method": MASS_DELETE}) as answer:
        [call] = (await answer.json())["requests"]
    assert call["parsed"]["article_idx"] == 1
    query = {"account": WX, "citizen": "王芳"}
    async with office.platforms.http.get(
        f"{office.platforms.url}/_control/phone", params=query
    ) as answer:
        [message] = (await answer.json())["received"]
    [card] = message["articles"]
    assert card["title"] == "周末办理时间"
    async with office.platforms.http.get(card["url"]) as answer:
        assert "已被发布者删除" in await answer.text()


async def test_a_row_written_by_sql_takes_nothing_down_and_stands_in_no_ones_way(
    office: Office,  # noqa: F811
) -> None:
    item = await published(office)
    async with office.shenfa.db.session() as session:
        out = (
            await session.scalars(select(Publication).where(Publication.item_id == item.id))
        ).all()
    forged = [
        {"id": new_id(), "publication_id": one.id, "item_id": item.id, "account_id": one.account_id,
         "by": "", "article_idx": 1, "state": "waiting", "asked_at": now(), "next_at": now()}
        for one in out
    ]  # fmt: skip
    await office.sql(ROWS.insert(), forged)
    await remove(office)
    assert await office.platforms.received(DELETE) == 0
    assert await office.platforms.received("deleteMessages") == 0
    assert await signed(office, item) == []
    await office.recall(item)
    await remove(office)
    assert set((await results(office, item)).values()) == {"deleted"}


async def test_an_article_deleted_in_the_back_office_is_noticed_once(office: Office) -> None:  # noqa: F811
    account_id = await office.only("wechat")
    item = await published(office)
    assert [one.title for one in await latest_on(office.shenfa.ledger, account_id)]
    assert await office.shenfa.remover.look() == 0
    await office.platforms.control("back_office", account=WX, title="周末办理时间")
    assert await office.shenfa.remover.look() == 1
    assert await office.shenfa.remover.look() == 0
    assert await latest_on(office.shenfa.ledger, account_id) == []
    row = await office.row(item, account_id)
    assert row.state == State.PUBLISHED
    assert off(await office.shenfa.ledger.facts(f"item:{item.id}"), row.id) is not None
    [said] = await incidents(office, "publication_gone")
    assert "已不在平台上" in said
    await office.recall(item)
    await remove(office)
    assert await results(office, item) == {"wechat": "gone"}
    assert await office.platforms.received(DELETE) == 0
