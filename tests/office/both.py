"""One office on both platforms, with a clock that a test moves; citizens act over HTTP."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.contract import Content
from bot.models import Account, Contact, Delivery, InboundMessage, Publication
from demo.cast import TELEGRAM_ID, WECHAT
from demo.platforms import port_for
from review_queue import drafting, publishing
from sandbox.app import start
from subscriptions.models import Subscription
from tests.office.talking import Talk, make, talking

ACCOUNTS = {"telegram": TELEGRAM_ID, "wechat": WECHAT["appid"]}
SLUGS = {"telegram": "qinghe-tg", "wechat": "qinghe-wx"}
AUDIENCE = {"topics": ["employment"]}


class Both:
    """What citizens do on either platform, and what of it is in the tables."""

    def __init__(self, talk: Talk, clock: Path) -> None:
        self.talk, self.clock = talk, clock

    async def citizen(self, platform: str, name: str = "市民") -> str:
        made = await self.talk.post("citizens", account=ACCOUNTS[platform], count=1, prefix=name)
        return str(made["citizens"][0])

    async def say(self, platform: str, citizen: str, words: str) -> Any:
        """What the callback answered; on Telegram the answer follows as a message."""
        post = {"account": ACCOUNTS[platform], "citizen": citizen, "text": words}
        return await self.talk.post("say", **post)

    async def tap(self, platform: str, citizen: str, **what: str) -> Any:
        return await self.talk.post("tap", account=ACCOUNTS[platform], citizen=citizen, **what)

    async def got(self, platform: str, citizen: str) -> list[str]:
        """What is on the phone, answers within a call included."""
        query = {"account": ACCOUNTS[platform], "citizen": citizen}
        async with self.talk.http.get(f"{self.talk.control}/messages", params=query) as answer:
            return [str(one.get("text", "")) for one in (await answer.json())["messages"]]

    async def told(self, platform: str, citizen: str, words: str, seconds: float = 30.0) -> bool:
        """Whether these words came within some seconds."""
        return await until(lambda: self._has(platform, citizen, words), seconds)

    async def _has(self, platform: str, citizen: str, words: str) -> bool:
        return any(words in one for one in await self.got(platform, citizen))

    async def move(self, seconds: float) -> None:
        """Both the office's present and the platforms', so many seconds from now."""
        self.clock.write_text(str(seconds), encoding="ascii")
        await self.talk.post("clock", offset_seconds=seconds)

    async def contact(self, platform: str, citizen: str) -> Contact:
        shenfa = self.talk.shenfa
        async with shenfa.db.session() as session:
            query = select(Account).where(Account.slug == SLUGS[platform])
            account = (await session.scalars(query)).one()
            found = await shenfa.contacts.find(session, account.id, citizen)
        assert found is not None
        return found

    async def acts(self, contact_id: str) -> list[InboundMessage]:
        async with self.talk.shenfa.db.session() as session:
            query = select(InboundMessage).where(InboundMessage.contact_id == contact_id)
            return [*(await session.scalars(query))]

    async def wishes(self, platform: str, citizen: str) -> list[str]:
        """The topics this citizen is subscribed to."""
        contact = await self.contact(platform, citizen)
        async with self.talk.shenfa.db.session() as session:
            query = select(Subscription.topic).where(
                Subscription.contact_id == contact.id, Subscription.state == "active"
            )
            return [*(await session.scalars(query))]

    async def groups(self, contact_id: str) -> list[str]:
        async with self.talk.shenfa.db.session() as session:
            query = select(Subscription.group).where(
                Subscription.contact_id == contact_id, Subscription.state == "active"
            )
            return [*(await session.scalars(query))]

    async def pushes(self, platform: str, citizen: str) -> list[Delivery]:
        contact = await self.contact(platform, citizen)
        async with self.talk.shenfa.db.session() as session:
            query = select(Delivery).where(
                Delivery.contact_id == contact.id, Delivery.release_id.is_not(None)
            )
            return [*(await session.scalars(query))]

    async def publish(self, title: str, **audience: list[str]) -> None:
        """An approved item on both accounts, out and turned into messages nobody has sent yet."""
        shenfa, editor = self.talk.shenfa, self.talk.people["editor"]
        async with shenfa.db.session() as session:
            accounts = tuple(await session.scalars(select(Account.id)))
        item = await drafting.create_item(
            shenfa.queue,
            Content("原创", title, "地点在县体育馆，请带身份证件。"),
            drafting.Origin(editor, "日常", accounts=accounts, audience=audience or AUDIENCE),
        )
        item = await self.talk.approve(await self.talk.submitted(item), "reviewer1", "reviewer3")
        await publishing.schedule(shenfa.queue, item.id, editor)
        await shenfa.publisher.publish_due()
        assert await until(self._out, 15)
        await shenfa.pusher.create_due()

    async def _out(self) -> bool:
        shenfa = self.talk.shenfa
        await shenfa.publisher.settle_due()
        async with shenfa.db.session() as session:
            query = select(Publication.id).where(Publication.state != "published")
            return not [*(await session.scalars(query))]

    async def deliver(self) -> None:
        """Until nothing is due."""
        while await self.talk.shenfa.sender.deliver_due():
            pass


async def until(holds: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Whether it came to hold within some seconds."""
    for _ in range(int(seconds / 0.05)):
        if await holds():
            return True
        await asyncio.sleep(0.05)
    return await holds()


@cache
def home_made_once() -> tuple[Path, int]:
    """A home to copy and the port its accounts speak to: one for all tests of a process."""
    folder = Path(tempfile.mkdtemp(prefix="shenfa-home-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

    async def first() -> int:
        runner, url = await start("127.0.0.1", port_for(None))
        await make(folder, url)
        await runner.cleanup()
        return int(url.rsplit(":", 1)[1])

    return folder, asyncio.run(first())


@asynccontextmanager
async def both(made: tuple[Path, int], folder: Path) -> AsyncIterator[Both]:
    """An office of its own from a home made once."""
    home, clock = folder / "home", folder / "clock"
    shutil.copytree(made[0], home)
    runner, url = await start("127.0.0.1", made[1])
    try:
        async with talking(home, url, clock) as talk:
            base = talk.shenfa.settings.public_url
            wechat = {"platform": "wechat", "name": "青禾发布", "verified": True, **WECHAT}
            await talk.post("accounts", callback_url=f"{base}/wechat/qinghe-wx", **wechat)
            channel = {"kind": "channel", "username": "qinghe_channel"}
            await talk.post("citizens", account=TELEGRAM_ID, count=1, prefix="channel", **channel)
            await talk.shenfa.equip()
            await talk.shenfa.lease.start()
            yield Both(talk, clock)
            await talk.shenfa.lease.stop()
    finally:
        await runner.cleanup()
