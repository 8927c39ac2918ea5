"""What is kept of somebody, told to them; and who and where they are, no longer used or deleted.

`OwnData(ledger, subscribers)` is a Handler. Keys it answers: data, export[:<page>], tags (关闭精准
推送), precise (恢复), untag (删除我的标签). Words are understood by handlers/own_words.py.

The export says all that is kept by its kind, number and days, and the subscriptions whole. What
somebody typed is theirs in this very chat, and an account of a public body repeats none of it.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Contact, Delivery, InboundMessage
from config.clock import beijing
from escalations.models import Opinion, Ticket
from escalations.tickets import short
from handlers.turn import Choice, Said, Turn, fill
from knowledge.models import Told
from ledger.append import Ledger
from subscriptions.aside import set_aside, take_back
from subscriptions.subscribers import Subscribers

PAGE = 1_200
"""Bytes of one page of the export: with its head and choices it fits into a passive answer (W4)."""
FORGET = Choice("忘记我", "forget")
DATA = (
    Choice("导出我的数据", "export"),
    Choice("关闭精准推送", "tags"),
    Choice("恢复精准推送", "precise"),
    Choice("删除我的标签", "untag"),
    FORGET,
)


class OwnData:
    """The rights of a citizen over what is kept of them."""

    def __init__(self, ledger: Ledger, subscribers: Subscribers) -> None:
        """What changes is signed in the transaction that changes it."""
        self._ledger = ledger
        self._subs = subscribers
        self._by_head: dict[str, Callable[[Turn, str], Awaitable[Said]]] = {
            "data": self._menu,
            "export": self._export,
            "tags": self._close,
            "precise": self._open,
            "untag": self._delete,
        }

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        head, _, rest = turn.key.partition(":")
        act = self._by_head.get(head)
        return await act(turn, rest) if act else None

    async def _menu(self, turn: Turn, rest: str) -> Said:
        return Said(fill("data_menu"), DATA)

    async def _export(self, turn: Turn, rest: str) -> Said:
        async with self._ledger.db.session() as session:
            contact = await session.get_one(Contact, turn.contact.id)
            lines = await kept_of(session, self._subs, contact)
        pages = paged(lines)
        number = int(rest) if rest.isdecimal() else 1
        if not 0 < number <= len(pages):
            return Said(fill("stale"), DATA)
        said = fill("exported", count=str(number), list="\n".join(pages[number - 1]))
        more = (Choice("下一页", f"export:{number + 1}"),) if number < len(pages) else ()
        return Said(said, (*more, *DATA[3:]))

    async def _close(self, turn: Turn, rest: str) -> Said:
        async with self._ledger.transaction() as tx:
            await set_aside(self._subs, tx, turn.contact.id)
            rows = await self._subs.list(tx.session, turn.contact.id)
        if not any(row.aside for row in rows):
            return Said(fill("precise_off_none"))
        held = "\n".join(f"· {self._subs.words(row)}" for row in rows)
        return Said(fill("precise_off", list=held), DATA[2:4])

    async def _open(self, turn: Turn, rest: str) -> Said:
        if turn.inbound.late:  # something later may have deleted what this would use again
            return Said(fill("overtaken"))
        async with self._ledger.transaction() as tx:
            changed = await take_back(self._subs, tx, turn.contact.id)
            rows = await self._subs.list(tx.session, turn.contact.id)
        if not changed:
            return Said(fill("cancelled"), (Choice("我的订阅", "mine"),))
        held = "\n".join(f"· {self._subs.words(row)}" for row in rows)
        return Said(fill("precise_on", list=held), (Choice("我的订阅", "mine"),))

    async def _delete(self, turn: Turn, rest: str) -> Said:
        async with self._ledger.transaction() as tx:
            await self._subs.delete_tags(tx, turn.contact.id)
        return Said(fill("tags_deleted"), (Choice("我的订阅", "mine"),))


def paged(lines: Sequence[str]) -> list[list[str]]:
    """Lines in pages of at most PAGE bytes; a line is never cut."""
    pages: list[list[str]] = [[]]
    room = PAGE
    for line in lines:
        size = len(line.encode()) + 1
        if pages[-1] and size > room:
            pages.append([])
            room = PAGE
        pages[-1].append(line)
        room -= size
    return pages


async def kept_of(session: AsyncSession, subs: Subscribers, contact: Contact) -> list[str]:
    """All that is kept of a contact, one line for each kind of it."""
    rows = await subs.list(session, contact.id)
    consent = f"，同意的《订阅告知》{contact.consent_version} 版" if contact.consent_version else ""
    lines = [
        f"· 您在本账号的编号：加密保存，{_day(contact.created_at)} 起{consent}",
        *(f"· 订阅：{subs.words(row)}，{_day(row.created_at)} 起" for row in rows),
    ]
    said = await _counted(session, InboundMessage.at, InboundMessage.contact_id == contact.id)
    pushed = await _counted(
        session, Delivery.created_at, Delivery.contact_id == contact.id, Delivery.reply.is_(None)
    )
    answered = await _counted(
        session, Delivery.created_at, Delivery.contact_id == contact.id, Delivery.reply.is_not(None)
    )
    told = await _counted(session, Told.at, Told.contact_id == contact.id)
    opined = await _counted(session, Opinion.at, Opinion.contact_id == contact.id)
    for name, found in (
        ("您发来的消息和按键", said),
        ("给您的推送记录", pushed),
        ("另行发给您的答复记录", answered),
        ("向您引用过的政策条文和问答", told),
        ("您对意见征集写的意见", opined),
    ):
        lines.append(f"· {name}：{found}")
    query = select(Ticket).where(Ticket.contact_id == contact.id).order_by(Ticket.created_at)
    for ticket in (await session.scalars(query)).all():
        lines.append(f"· 咨询单 {short(ticket)}：{_day(ticket.created_at)} 提出")
    return lines


async def _counted(session: AsyncSession, moment: Any, *which: ColumnElement[bool]) -> str:
    """How many, and from which day to which."""
    query = select(func.count(), func.min(moment), func.max(moment)).where(*which)
    count, first, last = (await session.execute(query)).one()
    return f"{count} 条（{_day(first)} 至 {_day(last)}）" if count else "没有"


def _day(moment: datetime) -> str:
    return beijing(moment).date().isoformat()
