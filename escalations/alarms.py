"""Alarms to staff: by chat, webhook or mail. Never a word a citizen wrote.

`await alarms.tell(staff_id, text)` tries the person's ways (routes.py) in their order until one
works, and says which one, and why the others did not. An alarm that reaches nobody never stops the
work that raised it: who called decides what follows.
"""

import asyncio
import smtplib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage

import aiohttp
import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from bot.channel import Channel
from bot.contacts import Contacts
from bot.contract import AccountView, State
from bot.delivery.routes import Route, route, window_of
from bot.delivery.routes import Way as Reach
from bot.http import open_session
from bot.models import Account, Contact
from bot.replies import alarm
from config.clock import now
from escalations.routes import (
    KINDS,
    MAIL,
    WEBHOOK,
    Line,
    Routes,
    Way,
    allowed,
    note_use,
    webhook_problem,
)
from ledger.verify import Broken
from staff.refusal import Reason, Refused
from storage.cache import Cache
from storage.crypt import DataKey
from storage.database import Database

TEST = "这是一条测试提醒：收到说明这种方式可以用，不用回复。"
SECONDS = 5
"""What one way is given; the next one waits for it."""
_TESTS, _TESTS_IN = 5, 600
REACHED = (State.PUBLISHED, State.SUBMITTED)
_log = structlog.get_logger("escalations.alarms")


@dataclass(frozen=True)
class AlarmPost:
    """How alarms leave besides chat. `smtp_host` empty: no mail. `allowed_private`: development."""

    allowed_private: frozenset[str] = frozenset()
    smtp_host: str = ""
    smtp_port: int = 25
    mail_from: str = ""


@dataclass(frozen=True)
class Told:
    """What came of one alarm; true when the person was reached.

    `route` is the kind that worked, "" for none; `failed` are (kind, why in Chinese), in order.
    """

    route: str = ""
    failed: Sequence[tuple[str, str]] = ()

    def __bool__(self) -> bool:
        """Whether one way worked."""
        return bool(self.route)


class Alarms:
    """Tells one person at a time, by the first of their ways that works."""

    def __init__(
        self,
        db: Database,
        crypt: DataKey,
        open_account: Callable[[str], Awaitable[AccountView]],
        channels: Mapping[str, Channel],
        post: AlarmPost | None = None,
    ) -> None:
        """`open_account` takes an account id (Accounts.open)."""
        self._db = db
        self._open = open_account
        self._channels = channels
        self._post = post or AlarmPost()
        self._contacts = Contacts(crypt)
        self.routes = Routes(crypt, self._post.allowed_private)

    async def tell(self, staff_id: str, text: str) -> Told:
        """Send `text` by the first way that works."""
        failed: list[tuple[str, str]] = []
        for way in await self._ways(staff_id):
            why = await self._use(way, text)
            if not why:
                return Told(way.line.kind, tuple(failed))
            failed.append((way.line.kind, why))
            # Without the reason, which stands in the row: a platform may name the chat in it.
            _log.warning("alarm_failed", staff=staff_id, route=way.line.kind)
        if not failed:
            _log.warning("alarm_without_route", staff=staff_id)
        return Told("", tuple(failed))

    async def rehearse(self, cache: Cache, staff_id: str, actor: str) -> Told:
        """A test alarm by every way, at the asking of the person or of an admin; else Refused."""
        async with self._db.session() as session:
            await allowed(session, staff_id, actor)
        # Whoever sits at an open session must not fill a chat or a mailbox with it.
        if await cache.count(f"alarm-test:{staff_id}", _TESTS_IN) > _TESTS:
            words = f"{_TESTS_IN // 60} 分钟内最多发 {_TESTS} 次测试提醒，请稍后再试"
            raise Refused(429, [Reason("wait", words)])
        return await self.try_all(staff_id, TEST)

    async def try_all(self, staff_id: str, text: str) -> Told:
        """Send `text` by every way; what came of each stands in its row."""
        ways = await self._ways(staff_id)
        why = await asyncio.gather(*(self._use(way, text) for way in ways))
        said = [(way.line.kind, one) for way, one in zip(ways, why, strict=True)]
        worked = next((kind for kind, one in said if not one), "")
        return Told(worked, tuple(one for one in said if one[1]))

    async def by_account(self, staff_id: str, platform: str, slug: str) -> str:
        """Send a test by this very account to a person who entered a way there; why not, or "".

        What is sent is the house's own words, and it goes to nobody but the person themself.
        """
        ways = [
            way
            for way in await self._ways(staff_id)
            if way.line.kind == platform and way.line.account in ("", slug)
        ]
        if not ways:
            label = KINDS[platform]
            return f"您还没有{label}提醒方式：请在“我的登录 → 值班提醒”填写自己的编号，再试一次"
        line = Line(platform, ways[0].line.address, slug)
        return ways[0].fault or await self._send(line, TEST)

    async def _ways(self, staff_id: str) -> list[Way]:
        try:
            async with self._db.session() as session:
                return await self.routes.read(session, staff_id)
        except Broken:  # who is reached by what is signed; the watch tells that it does not hold
            return []

    async def _use(self, way: Way, text: str) -> str:
        """Send by one way and keep what came of it; why it did not work, or an empty text."""
        why = way.fault or await self._send(way.line, text)
        try:
            async with self._db.session() as session:
                await note_use(session, way, why)
        except SQLAlchemyError as error:  # shown on a page, and no reason to send it once more
            _log.warning("alarm_not_noted", problem=type(error).__name__)
        return why

    async def _send(self, line: Line, text: str) -> str:
        try:
            async with asyncio.timeout(SECONDS):
                return await self._by(line, text)
        except TimeoutError:
            return f"{SECONDS} 秒内没有回应：请看对方的服务是否正常"
        except smtplib.SMTPException as error:
            return f"发信服务器没有收下（{type(error).__name__}）：请核对邮箱和发信设置"
        except (OSError, aiohttp.ClientError):
            return "连接不上，或地址指向内部网络：请核对地址"
        except Exception as error:  # noqa: BLE001  the next way, and the work that called, go on
            _log.warning("alarm_error", route=line.kind, problem=type(error).__name__)
            return f"发送时出错（{type(error).__name__}）：请核对后重新填写"

    async def _by(self, line: Line, text: str) -> str:
        if line.kind == WEBHOOK:
            return await self._webhook(line.address, text)
        if line.kind == MAIL:
            return await self._mail(line.address, text)
        return await self._chat(line, text)

    async def _chat(self, line: Line, text: str) -> str:
        channel = self._channels.get(line.kind)
        account_id = await self._account(line)
        if channel is None or account_id is None:
            return f"没有启用的 {KINDS.get(line.kind, '')} 账号：请先登记账号，或换一种方式"
        try:
            account = await self._open(account_id)
        except (LookupError, ValueError) as error:
            return str(error)  # says in Chinese why the account may not be used
        contact, way = await self._window(channel, account, line.address)
        if not way.open:
            return f"{way.words}：请先从这个号给公众号发一条消息，或换一种方式"
        outcome = await channel.reply(account, line.address, alarm(account.id, text))
        if outcome.state not in REACHED:
            return outcome.reason or f"平台没有收下（{outcome.code or outcome.state}）"
        if contact is not None and way.counts:
            await self._count(contact.id, way.counts)
        return ""

    async def _count(self, contact_id: str, counter: str) -> None:
        try:
            async with self._db.session() as session:
                mine = update(Contact).where(Contact.id == contact_id)
                await session.execute(mine.values({counter: getattr(Contact, counter) + 1}))
        except SQLAlchemyError as error:  # they were reached: no reason to call once more
            _log.warning("alarm_not_counted", problem=type(error).__name__)

    async def _account(self, line: Line) -> str | None:
        query = select(Account.id).where(Account.platform == line.kind, Account.enabled.is_(True))
        if line.account:
            query = query.where(Account.slug == line.account)
        async with self._db.session() as session:
            return (await session.scalars(query.order_by(Account.id).limit(1))).first()

    async def _window(
        self, channel: Channel, account: AccountView, address: str
    ) -> tuple[Contact | None, Route]:
        """The person as a contact, and whether the platform takes a message to them now."""
        window = window_of(channel, account.settings)
        if not window.seconds:
            return None, Route(Reach.OPEN)
        async with self._db.session() as session:
            contact = await self._contacts.find(session, account.id, address)
        return contact, route(window, contact, now())

    async def _webhook(self, address: str, text: str) -> str:
        """POST {"text": ...}; no private address, no redirect followed."""
        # Looked at once more: what development may reach may have been taken back since.
        if problem := webhook_problem(address, self._post.allowed_private):
            return problem
        async with (
            open_session(self._post.allowed_private, limit=2) as session,
            # A redirect could lead to a private address after the check.
            session.post(address, json={"text": text}, allow_redirects=False) as response,
        ):
            if 300 <= response.status < 400:
                return "对方要求转到别的地址，没有跟随：请填写最终的地址"
            ok = 200 <= response.status < 300
            return "" if ok else f"对方没有收下（{response.status}）：请核对地址"

    async def _mail(self, address: str, text: str) -> str:
        if not self._post.smtp_host:
            return "没有设置发信服务器：请设置 SHENFA_SMTP_HOST，或换一种方式"
        message = EmailMessage()
        message["Subject"] = "政务新媒体值班提醒"
        message["From"] = self._post.mail_from or address
        message["To"] = address
        message.set_content(text)
        # smtplib waits in its own way; a slow mail server must not stop every page.
        await asyncio.to_thread(self._post_mail, message)
        return ""

    def _post_mail(self, message: EmailMessage) -> None:
        post = self._post
        with smtplib.SMTP(post.smtp_host, post.smtp_port, timeout=SECONDS) as server:
            server.send_message(message)
