"""Alarms to staff: by chat, webhook or mail. Never a word a citizen wrote.

`Alarms(db, crypt, open_account, channels, AlarmRoutes(...))`; `await alarms.tell(staff_id, text)`.
Where a person is reached stands in their staff row: `alarm_account` is an account's slug, `webhook`
or `mail`; `alarm_address` (encrypted with `seal`) is the chat id, the https address or the mailbox.
An alarm that cannot be delivered becomes an incident-worthy log line and never stops the work that
raised it: the console shows every open ticket anyway.
"""

import asyncio
import smtplib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage

import aiohttp
import structlog
from sqlalchemy import select

from bot.contract import AccountView, Channel, State
from bot.http import check_api_base, open_session
from bot.models import Account
from bot.replies import alarm
from staff.models import Staff
from storage.crypt import DataKey, place_of
from storage.database import Database

SECONDS = 10
REACHED = (State.PUBLISHED, State.SUBMITTED)
_log = structlog.get_logger("escalations.alarms")


@dataclass(frozen=True)
class AlarmRoutes:
    """How alarms leave besides chat. `smtp_host` empty: no mail. `allowed_private`: development."""

    allowed_private: frozenset[str] = frozenset()
    smtp_host: str = ""
    smtp_port: int = 25
    mail_from: str = ""


class Alarms:
    """Tells one person at a time, by the one way their staff row names."""

    def __init__(
        self,
        db: Database,
        crypt: DataKey,
        open_account: Callable[[str], Awaitable[AccountView]],
        channels: Mapping[str, Channel],
        routes: AlarmRoutes | None = None,
    ) -> None:
        """`open_account` takes an account id (Accounts.open)."""
        self._db = db
        self._crypt = crypt
        self._open = open_account
        self._channels = channels
        self._routes = routes or AlarmRoutes()

    def seal(self, staff_id: str, address: str) -> str:
        """A chat id, address or mailbox as it is stored in this person's Staff.alarm_address."""
        return self._crypt.encrypt(address, place_of("staff", staff_id, "alarm_address"))

    async def tell(self, staff_id: str, text: str) -> bool:
        """Send `text`; True when it was accepted, False (and a log line) when it was not."""
        async with self._db.session() as session:
            person = await session.get(Staff, staff_id)
            slug = person.alarm_account if person else ""
            query = select(Account.id).where(Account.slug == slug)
            account_id = (await session.scalars(query)).first()
        if person is None or not person.whole or not slug or not person.alarm_address:
            _log.warning("alarm_without_route", staff=staff_id)
            return False
        try:
            address = self._crypt.decrypt(
                person.alarm_address, place_of("staff", person.id, "alarm_address")
            )
            problem = await self._by(slug, account_id, address, text)
        # Whatever goes wrong is noted and no more: the work that raised the alarm must go on.
        except (LookupError, ValueError, OSError, TimeoutError, aiohttp.ClientError) as error:
            problem = type(error).__name__
        if problem:
            _log.warning("alarm_failed", staff=staff_id, route=slug, problem=problem)
        return not problem

    async def _by(self, slug: str, account_id: str | None, address: str, text: str) -> str:
        """What went wrong, or an empty text."""
        if slug == "webhook":
            return await self._webhook(address, text)
        if slug == "mail":
            return await self._mail(address, text)
        if account_id is None:
            return "no such account"
        account = await self._open(account_id)
        word = alarm(account.id, text)
        outcome = await self._channels[account.platform].reply(account, address, word)
        return "" if outcome.state in REACHED else outcome.code or outcome.state

    async def _webhook(self, address: str, text: str) -> str:
        """POST {"text": ...}; no private address, no redirect followed."""
        # A webhook set by hand could point into the office's own network.
        check_api_base(address, self._routes.allowed_private)
        async with (
            open_session(self._routes.allowed_private, limit=2) as session,
            session.post(
                address,
                json={"text": text},
                # A redirect could lead to a private address after the check.
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=SECONDS),
            ) as response,
        ):
            return "" if 200 <= response.status < 300 else f"status {response.status}"

    async def _mail(self, address: str, text: str) -> str:
        if not self._routes.smtp_host:
            return "no mail server is set"
        message = EmailMessage()
        message["Subject"] = "政务新媒体值班提醒"
        message["From"] = self._routes.mail_from
        message["To"] = address
        message.set_content(text)
        # smtplib waits in its own way; a slow mail server must not stop every page.
        await asyncio.to_thread(self._post_mail, message)
        return ""

    def _post_mail(self, message: EmailMessage) -> None:
        routes = self._routes
        with smtplib.SMTP(routes.smtp_host, routes.smtp_port, timeout=SECONDS) as server:
            server.send_message(message)
