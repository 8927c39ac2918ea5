"""A push leads to what was published, at the address that was signed."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import update

from blocks.text import from_plain
from bot.contract import State
from bot.delivery.sending import LEAVE
from bot.models import Delivery, Publication
from bot.preview import SAMPLE_LINK
from bot.render import LINK_ROOM, fill_link, fill_reason, units
from bot.telegram.channel import TelegramChannel
from bot.telegram.rendering import render_telegram, shown_telegram
from bot.wechat.rendering import render_wechat
from storage.cache import MemoryCache
from storage.crypt import DataKey
from storage.database import Database
from tests.bot.conftest import Office, Platforms, content
from tests.bot.made import article, words

OWN = {"attribution": {}, "body": "正文。", "blocks": from_plain("正文。")}


@pytest.fixture
async def channel(platforms: Platforms) -> AsyncIterator[TelegramChannel]:
    made = TelegramChannel(MemoryCache(), platforms.hosts)
    yield made
    await made.close()


async def opened(
    db: Database, crypt: DataKey, channel: TelegramChannel, platforms: Platforms, chat: str
) -> Office:
    """An office on the sandbox, its public posts going to `chat`, with one citizen."""
    await platforms.control("accounts", platform="telegram", token="7:abc", name="青禾发布")
    await platforms.control("citizens", account="7", count=1, prefix="c")
    await platforms.control(
        "citizens", account="7", count=1, kind="channel", username="qinghe", id="-1007", prefix="p"
    )
    keys = {"token": "7:abc", "webhook_secret": "s", "chat": chat}
    office = Office(db, crypt, channel, platforms.hosts)
    return await office.open(
        "telegram", f"{platforms.url}/telegram", keys, settings={"per_second": 0}
    )


async def pushed(office: Office, platforms: Platforms, **changes: Any) -> tuple[str, str]:
    """The text a citizen reads of a push after its publication, and the signed address."""
    release = office.release(**changes)
    publication = await office.publication(release)
    process = office.process()
    assert await process.publisher.publish_due() == 1
    found = (await platforms.seen("citizens", account="7"))["citizens"]
    [citizen] = [one["citizen"] for one in found if not str(one["citizen"]).startswith("-")]
    [row_id] = await office.deliveries(release, [citizen])
    async with office.db.session() as session:
        row = await session.get_one(Delivery, row_id)
        row.publication_id = publication
    assert await process.sender.deliver_due() == 1
    assert (await office.row(Delivery, row_id)).state == State.PUBLISHED
    message = (await platforms.seen("messages", account="7", citizen=citizen))["messages"][-1]
    return message["text"], (await office.row(Publication, publication)).url


async def test_a_push_of_an_own_article_leads_to_its_post(
    db: Database, crypt: DataKey, channel: TelegramChannel, platforms: Platforms
) -> None:
    office = await opened(db, crypt, channel, platforms, "@qinghe")
    text, url = await pushed(office, platforms, **OWN)
    assert url.startswith("https://t.me/qinghe/")
    assert text.endswith(f"正文。\n\n全文：{url}\n\n为什么收到：您订阅了就业创业{LEAVE}")


async def test_without_an_address_a_push_has_no_such_line(
    db: Database, crypt: DataKey, channel: TelegramChannel, platforms: Platforms
) -> None:
    office = await opened(db, crypt, channel, platforms, "-1007")
    text, url = await pushed(office, platforms, **OWN)
    assert url == ""
    assert text.endswith(f"正文。\n\n为什么收到：您订阅了就业创业{LEAVE}")


async def test_an_address_changed_in_the_table_is_not_sent(
    db: Database, crypt: DataKey, channel: TelegramChannel, platforms: Platforms
) -> None:
    office = await opened(db, crypt, channel, platforms, "@qinghe")
    release = office.release(**OWN)
    publication = await office.publication(release)
    process = office.process()
    await process.publisher.publish_due()
    signed = (await office.row(Publication, publication)).url
    async with office.db.session() as session:
        change = update(Publication).values(url="https://t.me/somebody/1")
        await session.execute(change.where(Publication.id == publication))
    assert await process.recent.link(release.item_id, publication) == signed


def test_a_push_leads_to_the_released_article_or_to_nothing() -> None:
    own = article([words("正文。")], title="题")
    for render in (render_wechat, render_telegram):
        made = render(own)
        sent = fill_reason(fill_link(made, "https://t.me/qinghe/5")["push"]["text"], "订阅了就业")
        assert sent == "题\n\n正文。\n\n全文：https://t.me/qinghe/5\n\n为什么收到：订阅了就业"
        for none in ("", "https://" + "a" * LINK_ROOM):
            bare = fill_reason(fill_link(made, none)["push"]["text"], "订阅了就业")
            assert bare == "题\n\n正文。\n\n为什么收到：订阅了就业"
        assert fill_reason(made["push"]["text"], "甲").endswith("正文。\n\n为什么收到：甲")


def test_words_that_look_like_a_field_are_left_alone() -> None:
    told = article([words("全文：{link}、{reason}")], title="{link}")
    sent = fill_reason(fill_link(render_telegram(told), "https://a")["push"]["text"], "甲")
    assert sent == "{link}\n\n全文：{link}、{reason}\n\n全文：https://a\n\n为什么收到：甲"


def test_a_push_of_before_stays_as_it_is() -> None:
    made = render_telegram(content())
    assert fill_link(made, "https://t.me/qinghe/5") == made


def test_a_reason_is_cut_in_utf16_units() -> None:
    sent = fill_reason(render_telegram(content())["push"]["text"], "😀" * 300)
    assert units(sent.rpartition("为什么收到：")[2]) == 200


def test_a_preview_of_a_push_says_where_the_link_will_be() -> None:
    shown = shown_telegram(render_telegram(article([words("正文。")])))
    assert shown is not None
    assert SAMPLE_LINK in shown.push.text
