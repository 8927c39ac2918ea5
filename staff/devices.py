"""Where somebody is signed in: words for a browser, and the signed end of one session."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Ledger
from staff.access import sign_end
from staff.models import ConsoleSession
from staff.people import person_with
from staff.proposals import APPROVERS
from staff.refusal import missing
from staff.sessions import sessions_of
from staff.slowing import hidden

_NAME = 16  # letters: enough to tell the sessions of one person apart
_BROWSERS = (
    (r"MicroMessenger", "微信"),
    (r"DingTalk", "钉钉"),
    (r"Edg(e|A|iOS)?/", "Edge"),
    (r"QQBrowser", "QQ 浏览器"),
    (r"QIHU|360SE|360EE", "360 浏览器"),
    (r"Firefox|FxiOS", "Firefox"),
    (r"Chrome|CriOS|Chromium", "Chrome"),
    (r"Safari", "Safari"),
)
"""In this order: the later ones stand in what the earlier ones say of themselves."""
_SYSTEMS = (
    (r"HarmonyOS|OpenHarmony", "鸿蒙"),
    (r"iPhone", "iPhone"),
    (r"iPad", "iPad"),
    (r"Android", "安卓"),
    (r"Windows", "Windows"),
    (r"Mac OS X|Macintosh", "Mac"),
    (r"UOS|Kylin|Deepin", "国产 Linux"),
    (r"Linux", "Linux"),
)


@dataclass(frozen=True)
class Device:
    """One live session. `name` tells it from the others and is of no use to sign in."""

    name: str
    words: str
    since: datetime
    seen: datetime
    here: bool


def device_words(user_agent: str) -> str:
    """A browser as a person knows theirs; what it says of itself proves nothing."""
    found = [_first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)]
    return "，".join(one for one in found if one) or "不认识的设备"


def _first(known: Sequence[tuple[str, str]], text: str) -> str:
    return next((word for pattern, word in known if re.search(pattern, text)), "")


async def devices_of(session: AsyncSession, staff_id: str, here: str = "") -> list[Device]:
    """The live sessions of a person, newest first; `here` is the key of the one that asks."""
    return [
        Device(
            _name(row), device_words(row.user_agent), row.created_at, row.seen_at,
            row.token_hash == here,
        )
        for row in await sessions_of(session, staff_id)
    ]  # fmt: skip


def _name(row: ConsoleSession) -> str:
    return hidden(row.token_hash)[:_NAME]


async def end_device(ledger: Ledger, staff_id: str, name: str, by: str) -> bool:
    """End one session, by a signed entry: one's own, or as an admin somebody else's.

    Whether it was the last one. Refused 403 without the right, 404 when there is no such session.
    """
    async with ledger.transaction() as tx:
        if by != staff_id:
            await person_with(tx.session, by, APPROVERS)
        rows = await sessions_of(tx.session, staff_id)
        row = next((one for one in rows if _name(one) == name), None)
        if row is None:
            raise missing("处登录")
        row.revoked_at = now()
        await sign_end(tx, staff_id, {"token": row.token_hash}, by)
        return len(rows) == 1
