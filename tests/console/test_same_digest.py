"""One digest on the screen, in the ledger, and of the very bodies the platforms received."""

import hashlib
import io
import json
import re
import secrets
from typing import Any

import rfc8785
from PIL import Image
from sqlalchemy import select

from blocks.document import read_document
from blocks.text import project
from bot.accounts import Accounts, NewAccount
from bot.channel import Channel
from bot.contacts import Contacts
from bot.contract import Content, Release, State
from bot.delivery.leases import Lease
from bot.delivery.publishing import Publisher
from bot.delivery.recent import Recent
from bot.delivery.wiring import Wiring
from bot.models import Account, Publication
from bot.telegram.channel import TelegramChannel
from bot.wechat.channel import WeChatChannel
from gates.finding import Finding
from review_queue import drafting, publishing, submitting
from review_queue.canonical import Draft
from review_queue.drafting import Origin
from review_queue.models import Item, Revision
from review_queue.release import Releases
from storage.crypt import DataKey
from storage.media import keep, load
from tests.bot.conftest import AES_KEY, Platforms, platforms
from tests.console.office import Office

__all__ = ["platforms"]  # the fixture of that room, used here


def picture(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "PNG")
    return out.getvalue()


async def accounts_at(office: Office, platforms: Platforms, crypt: DataKey) -> Accounts:
    """Both accounts of the office moved to the sandbox."""
    made = {
        "wechat": {"appid": "wxqinghe", "secret": "s3", "token": "t0", "aes_key": AES_KEY},
        "telegram": {"token": "7:abc", "webhook_secret": "s", "chat": "@qinghe"},
    }
    await platforms.control("accounts", platform="telegram", token="7:abc", name="青禾发布")
    await platforms.control("citizens", account="7", count=1, kind="channel", username="qinghe")
    await platforms.control(
        "accounts", platform="wechat", name="青禾政务", kind="service", **made["wechat"]
    )
    accounts = Accounts(office.deps.db, crypt, platforms.hosts)
    async with office.deps.ledger.transaction() as tx:
        for row in (await tx.session.scalars(select(Account))).all():
            await tx.session.delete(row)
        await tx.session.flush()
        for platform, keys in made.items():
            await accounts.create(
                tx,
                NewAccount(
                    slug=f"at-{platform}",
                    organisation_id="office",
                    platform=platform,
                    name="青禾发布",
                    api_base=f"{platforms.url}/{platform}",
                    secrets=keys,
                    settings={"per_second": 0},
                    assessment_ref="DEMO",
                ),
                "init",
            )
    return accounts


async def send(office: Office, platforms: Platforms, accounts: Accounts, crypt: DataKey) -> None:
    """Every due publication, through the publisher and the real channels."""
    releases = Releases(office.deps.ledger, _nothing)

    async def verified(release_id: str, account_id: str = "") -> Release:
        return await releases.verify(release_id, account_id)

    async def media(marker: str) -> tuple[bytes, str]:
        async with office.deps.db.session() as session:
            found = await load(session, marker)
        if found is None:
            raise LookupError(marker)
        return found

    channels: dict[str, Channel] = {
        "wechat": WeChatChannel(office.deps.cache, platforms.hosts),
        "telegram": TelegramChannel(office.deps.cache, platforms.hosts),
    }
    wiring = Wiring(
        office.deps.db,
        office.deps.ledger,
        Contacts(crypt),
        channels,
        verified,
        accounts.open,
        media,
    )
    recent = Recent(wiring)
    await Publisher(wiring, Lease(wiring, recent), recent).publish_due()
    for channel in channels.values():
        await channel.close()


async def _nothing(_draft: Draft) -> list[Finding]:
    return []


async def captured(platforms: Platforms, method: str) -> list[dict[str, Any]]:
    """The calls of one method that the sandbox received."""
    found: list[dict[str, Any]] = (await platforms.seen("requests", method=method))["requests"]
    return found


async def marker_of(platforms: Platforms, url: str) -> str:
    """What the platform keeps under an address, named by its bytes."""
    async with platforms.http.get(url) as answer:
        return "sha256:" + hashlib.sha256(await answer.read()).hexdigest()


async def received_by_wechat(platforms: Platforms) -> dict[str, Any]:
    """The article of the captured draft with the platform's names turned back into markers."""
    [drafted] = await captured(platforms, "draft/add")
    [article] = drafted["parsed"]["articles"]
    content = article["content"]
    for upload in await captured(platforms, "media/uploadimg"):
        url = upload["response"]["url"]
        content = content.replace(url, await marker_of(platforms, url))
    thumbs = {
        upload["response"]["media_id"]: await marker_of(platforms, upload["response"]["url"])
        for upload in await captured(platforms, "material/add_material")
    }
    names = ("title", "author", "digest", "content_source_url")
    thumb = thumbs[article["thumb_media_id"]]
    return {name: article[name] for name in names} | {"content": content, "thumb": thumb}


async def received_by_telegram(platforms: Platforms, media: list[str]) -> dict[str, Any]:
    """The parts of the captured messages in order; a file id carries its bytes' digest."""
    parts = []
    calls = await captured(platforms, "sendPhoto") + await captured(platforms, "sendMessage")
    for call in sorted(calls, key=lambda one: int(one["seq"])):
        told, made = call["parsed"], call["response"]["result"]
        if "photo" not in made:
            parts.append({"text": told["text"], "entities": _json(told.get("entities", "[]"))})
            continue
        [photo] = [one for one in media if made["photo"][0]["file_id"].endswith(one[7:47])]
        entities = _json(told.get("caption_entities", "[]"))
        parts.append({"text": told.get("caption", ""), "entities": entities, "pictures": [photo]})
    return {"parts": parts}


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


async def test_the_bodies_the_platforms_received_have_the_digest_on_screen_and_in_the_ledger(
    office: Office, platforms: Platforms
) -> None:
    crypt = DataKey(secrets.token_bytes(32))
    accounts = await accounts_at(office, platforms, crypt)
    async with office.deps.db.session() as session:
        cover = await keep(session, picture("navy"), "image/png")
        inside = await keep(session, picture("green"), "image/png")
    blocks = read_document(
        [
            {"kind": "heading", "runs": [{"text": "一、时间"}]},
            {"kind": "paragraph", "runs": [{"text": "上午"}, {"text": "九点", "bold": True}]},
            {"kind": "picture", "media": inside, "alt": "大厅", "caption": "服务大厅"},
            {"kind": "list", "ordered": True, "items": [{"runs": [{"text": "取号"}]}]},
            {"kind": "table", "rows": [{"cells": [{"runs": [{"text": one}]} for one in "甲乙"]}]},
            {"kind": "quote", "runs": [{"text": "请提前准备材料。"}]},
            {
                "kind": "paragraph",
                "runs": [{"text": "指南", "link": "https://zw.qinghe.example/b/2.html"}],
            },
        ]
    )
    content = Content(
        kind="转载",
        title="𠮷日服务大厅开放时间有调整",
        body=project(blocks).text,
        blocks=blocks,
        attribution={
            "source": "青禾县政务服务局",
            "original_title": "关于调整开放时间的公告",
            "url": "https://zw.qinghe.example/a/1.html",
        },
        cover=cover,
    )
    row = await drafting.create_item(
        office.deps.queue, content, Origin(editor_id=office.people["editor"], klass="重要")
    )
    await published_as_reviewed(office, platforms, accounts, crypt, row)


async def published_as_reviewed(
    office: Office, platforms: Platforms, accounts: Accounts, crypt: DataKey, row: Item
) -> None:
    """Submit, approve and send: what the platforms received has the digest on screen."""
    async with office.deps.db.session() as session:
        ids = {one.platform: one.id for one in (await session.scalars(select(Account))).all()}
    row = await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)
    for login in ("reviewer1", "reviewer2", "reviewer3"):
        row = await office.decide(row, login)
    browser = await office.signed_in("editor")
    _, screen = await browser.get(f"/console/items/{row.id}")
    [on_screen] = set(re.findall('data-copy="([0-9a-f]{64})"', screen))
    await publishing.schedule(office.deps.queue, row.id, office.people["editor"])
    await send(office, platforms, accounts, crypt)
    async with office.deps.db.session() as session:
        query = select(Revision.canonical).order_by(Revision.number.desc()).limit(1)
        text = (await session.scalars(query)).one()
        states = {row.account_id: row.state for row in await session.scalars(select(Publication))}
    assert states == {ids["wechat"]: State.SUBMITTED, ids["telegram"]: State.PUBLISHED}

    stored = json.loads(text)
    for name, got in (
        ("wechat", {"article": await received_by_wechat(platforms)}),
        ("telegram", await received_by_telegram(platforms, stored["media"])),
    ):
        kept = stored["renderings"][ids[name]]
        rebuilt = got | {"push": kept["push"]}  # the public post; pushes are messages of their own
        assert rfc8785.dumps(rebuilt) == rfc8785.dumps(kept), name
        stored["renderings"][ids[name]] = rebuilt
    received = hashlib.sha256(rfc8785.dumps(stored)).hexdigest()
    signed = await office.deps.ledger.facts(f"item:{row.id}")
    in_ledger = next(one.body["digest"] for one in signed if one.kind == "release.created")
    assert received == on_screen == in_ledger
