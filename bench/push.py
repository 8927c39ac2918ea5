"""`shenfa bench push`: messages through the sender, beside the platform's library alone."""

import asyncio
import time

from sqlalchemy import select
from telegram import Bot

from app import Shenfa
from bench.figures import IN_FLIGHT, SENTENCES, Measured, Row, figure
from bench.office import TOPIC, control, new_office, new_sandbox, released
from bot.contract import State
from bot.http import open_session
from bot.models import Account, Contact, Delivery
from bot.telegram.client import AiohttpRequest
from config.clock import now
from config.setup import AccountSetup
from storage.database import new_id
from subscriptions.models import Subscription


async def push(n: int = 1_000) -> list[Row]:
    """`n` messages through the sender, unpaced, with every row before and after its call."""
    token = "7:bench"  # noqa: S105  the sandbox takes any
    async with new_sandbox() as url:
        made = await control(
            url, "accounts", {"platform": "telegram", "token": token, "name": "青禾", "secret": "b"}
        )
        # Without the platform's pace: what is measured is our own work between the calls.
        await control(url, "limits", {"telegram": False, "record": False})
        chats = (await control(url, "citizens", {"account": "7", "count": n}))["citizens"]
        account = AccountSetup(
            slug="bench",
            platform="telegram",
            name="青禾发布",
            api_base=made["api_base"],
            secrets={"token": token, "webhook_secret": "b", "chat": "@bench"},
            # Unpaced on our side too (T1 would hold it to 30 a second).
            settings={"per_second": 0},
            assessment_ref="bench",
        )
        host = url.removeprefix("http://")
        async with new_office(account, dev_allow=host) as shenfa:
            ours = await _push_ours(shenfa, chats)
            bare = await _push_bare(made["api_base"], token, chats, host)
    row = figure(
        "push", "unpaced Telegram messages", "messages/s", Measured(n / ours, n / bare, 2_000.0), n
    )
    row["detail"] = {"in_flight": IN_FLIGHT, "database": "sqlite"}
    return [row]


async def _push_ours(shenfa: Shenfa, chats: list[str]) -> float:
    """Seconds until every chat's row says published."""
    await queued(shenfa, chats)
    # Sending needs the lease, as in the office.
    await shenfa.lease.start()
    begun = time.perf_counter()
    while await shenfa.sender.deliver_due():
        pass
    taken = time.perf_counter() - begun
    await shenfa.lease.stop()
    async with shenfa.db.session() as session:
        states = (await session.scalars(select(Delivery.state).distinct())).all()
    # A message that failed fast would make the figure better.
    if set(states) != {State.PUBLISHED}:
        raise RuntimeError(f"not every message was published: {sorted(states)}")
    return taken


async def queued(shenfa: Shenfa, chats: list[str]) -> None:
    """A released item, and a row of its push for the person in each of these chats."""
    _, release_id = await released(shenfa)
    async with shenfa.db.session() as session:
        account = (await session.scalars(select(Account))).one()
        for chat in chats:
            contact = await shenfa.contacts.upsert(session, account.id, chat, now())
            # Asked at sending: who wants nothing any more is sent nothing.
            session.add(_wish(contact))
            session.add(
                Delivery(
                    id=new_id(),
                    content_key=release_id,
                    release_id=release_id,
                    account_id=account.id,
                    contact_id=contact.id,
                    reason="您订阅了就业创业",
                    state=State.CREATED,
                    created_at=now(),
                )
            )


def _wish(contact: Contact) -> Subscription:
    return Subscription(
        id=new_id(),
        contact_id=contact.id,
        account_id=contact.account_id,
        topic=TOPIC,
        state="active",
        consent_version="1",
        created_at=now(),
    )


async def _push_bare(api_base: str, token: str, chats: list[str], host: str) -> float:
    """Seconds python-telegram-bot takes on the same transport, with nothing written."""
    async with open_session(frozenset({host})) as session:
        request = AiohttpRequest(lambda: session)
        bot = Bot(token, base_url=f"{api_base}/bot", request=request, get_updates_request=request)
        text = "\n".join(SENTENCES)
        waiting = iter(chats)

        async def client() -> None:
            for chat in waiting:
                await bot.send_message(chat, text)

        begun = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))
        return time.perf_counter() - begun
