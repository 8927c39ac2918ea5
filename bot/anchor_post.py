"""Carries a ledger anchor to a mail box or a webhook of the operator's choice."""

import asyncio
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiohttp

from bot.http import check_api_base, open_session

SECONDS = 15


@dataclass(frozen=True)
class AnchorPost:
    """`mailto:box` by the office's mail server, `smtp://host:port/box`, or an `https://` hook."""

    allowed_private: frozenset[str] = frozenset()
    smtp_host: str = ""
    smtp_port: int = 25
    mail_from: str = ""

    async def __call__(self, address: str, line: str) -> str:
        """What went wrong, or an empty text when the anchor was taken."""
        parts = urlsplit(address)
        try:
            if parts.scheme == "mailto":
                return await self._mail(self.smtp_host, self.smtp_port, parts.path, line)
            if parts.scheme == "smtp":
                box = unquote(parts.path.lstrip("/"))
                return await self._mail(parts.hostname or "", parts.port or 25, box, line)
            return await self._hook(address, line)
        except (ValueError, OSError, TimeoutError, aiohttp.ClientError) as error:
            return str(error) or type(error).__name__

    async def _hook(self, address: str, line: str) -> str:
        """POST the line as JSON; no private address, no redirect followed."""
        check_api_base(address, self.allowed_private)
        async with (
            open_session(self.allowed_private, limit=2) as session,
            session.post(
                address,
                data=line.encode(),
                headers={"Content-Type": "application/json"},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=SECONDS),
            ) as response,
        ):
            return "" if 200 <= response.status < 300 else f"对方回答 {response.status}"

    async def _mail(self, host: str, port: int, box: str, line: str) -> str:
        if not host:
            return "没有设置邮件服务器：请设置 SHENFA_SMTP_HOST，或写成 smtp://主机:端口/邮箱"
        message = EmailMessage()
        message["Subject"] = "审发台账锚点"
        message["From"] = self.mail_from or box
        message["To"] = box
        message.set_content(line + "\n", cte="7bit")
        await asyncio.to_thread(self._submit, host, port, message)
        return ""

    def _submit(self, host: str, port: int, message: EmailMessage) -> None:
        with smtplib.SMTP(host, port, timeout=SECONDS) as server:
            server.send_message(message)
