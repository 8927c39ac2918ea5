"""Ask an expert outside the office (政策起草部门): a one-time link, answered without an account.

The link is bound to the digest that was asked about: after an edit it shows nothing and takes no
answer. What was said is kept in a table; the signed entries hold a commitment to it.
"""

import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import LEDGER, Ledger
from ledger.changed import row_changed
from ledger.verify import Entry
from review_queue.canonical import commitment
from review_queue.expert_models import ExpertLink
from review_queue.models import Item, Revision
from staff.people import Member, lacking, person_with, read_person
from staff.refusal import Reason, Refused, status_of
from staff.standing import facts_or_refuse
from storage.database import new_id, new_salt

LONGEST = 30  # days a link may stay open
ASKERS = frozenset({"editor", "reviewer_1", "reviewer_2", "reviewer_3", "secrecy"})
_ANSWERED = Reason("answered", "这个链接已经答复过，不能再用，谢谢您")
_WITHDRAWN = Reason("withdrawn", "这个链接已被收回，不用再答复")
_CLOSED = frozenset({"expert.answered", "expert.withdrawn"})
_OPEN = ("draft", "review", "referred", "approved", "scheduled")


@dataclass(frozen=True)
class Question:
    """What is asked of whom; `days` until the link expires (1 to 30)."""

    organisation: str
    text: str
    days: int = 5


@dataclass(frozen=True)
class Opinion:
    """What the expert says about the digest they read."""

    digest: str
    verdict: Literal["agree", "problem"]
    name: str
    text: str = ""


@dataclass(frozen=True)
class Opened:
    """A link that may still be answered, with the text it is about."""

    link: ExpertLink
    canonical: str


class Experts:
    """Questions to experts over one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        """Links and answers are rows; their entries are signed."""
        self.ledger = ledger

    async def ask(self, item_id: str, staff_id: str, question: Question) -> tuple[ExpertLink, str]:
        """A new link about the latest revision and its token, which is told only now."""
        token = secrets.token_urlsafe(32)
        async with self.ledger.transaction() as tx:
            item = await tx.session.get(Item, item_id)
            person = await read_person(tx.session, staff_id)
            if item is None:
                raise Refused(404, [Reason("item", "没有这篇稿件")])
            if reasons := _ask_faults(item, person, question):
                raise Refused(status_of(reasons), reasons)
            moment = now()
            link = ExpertLink(
                id=new_id(),
                salt=new_salt(),
                item_id=item_id,
                digest=(await latest_of(tx.session, item_id)).digest,
                token_hash=_hash(token),
                organisation=question.organisation.strip(),
                question=question.text.strip(),
                asked_by=staff_id,
                asked_at=moment,
                expires_at=moment + timedelta(days=question.days),
            )
            tx.session.add(link)
            await tx.append(
                "expert.asked",
                subject=f"item:{item_id}",
                actor=staff_id,
                body={
                    "link": link.id,
                    "digest": link.digest,
                    "token": link.token_hash,
                    "asked_at": link.asked_at.isoformat(),
                    "expires_at": link.expires_at.isoformat(),
                    "question": commitment(link.salt, [link.organisation, link.question]),
                },
            )
        return link, token

    async def look(self, token: str) -> Opened:
        """What the link is about; Refused (404 unknown, 410 over or changed) says why not."""
        async with self._told(), self.ledger.db.session() as session:
            link = await _by_token(session, token)
            revision = await _still_open(session, link)
        return Opened(link, revision.canonical)

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """Record that somebody wrote a link past this program, once its transaction is over."""
        try:
            yield
        except _Forged as forged:
            await row_changed(self.ledger, ExpertLink.__tablename__, forged.link_id)
            raise

    async def answer(self, token: str, opinion: Opinion) -> ExpertLink:
        """Take the one answer of this link; a second, late or outdated one is refused."""
        async with self._told(), self.ledger.transaction() as tx:
            link = await _by_token(tx.session, token)
            await _still_open(tx.session, link)
            if reasons := _answer_faults(link, opinion):
                raise Refused(422, reasons)
            link.verdict, link.name = opinion.verdict, opinion.name.strip()
            link.text, link.answered_at = opinion.text.strip(), now()
            await tx.append(
                "expert.answered",
                subject=f"item:{link.item_id}",
                actor="expert",
                body={
                    "link": link.id,
                    "digest": link.digest,
                    "verdict": link.verdict,
                    "opinion": commitment(link.salt, [link.name, link.text]),
                },
            )
        return link

    async def withdraw(self, link_id: str, staff_id: str) -> ExpertLink:
        """Close a link nobody has answered yet, for whoever may ask."""
        async with self.ledger.transaction() as tx:
            link = await tx.session.get(ExpertLink, link_id)
            await person_with(tx.session, staff_id, ASKERS)
            if link is None:
                raise Refused(404, [Reason("link", "没有这个核对链接")])
            if link.answered_at is not None:
                raise Refused(409, [Reason("answered", "对方已经答复，不能再收回")])
            link.withdrawn_at = now()
            await tx.append(
                "expert.withdrawn",
                subject=f"item:{link.item_id}",
                actor=staff_id,
                body={"link": link.id},
            )
        return link


async def links_of(session: AsyncSession, item_id: str) -> Sequence[ExpertLink]:
    """Every question about an item and its answer as they were signed, newest first.

    A row that its entries do not bear out is left out, and told.
    """
    query = select(ExpertLink).where(ExpertLink.item_id == item_id)
    rows = (await session.scalars(query.order_by(ExpertLink.asked_at.desc()))).all()
    if not rows:
        return rows
    entries = await facts_or_refuse(session, f"item:{item_id}")
    held = [row for row in rows if _stands(row, entries)]
    for row in rows:
        if row not in held:
            await _tell_again(session, row)
    return held


async def _tell_again(session: AsyncSession, row: ExpertLink) -> None:
    """Record a wrong row, unless it was answered in the moment between row and entries."""
    await session.refresh(row)
    entries = await facts_or_refuse(session, f"item:{row.item_id}")
    ledger = session.info.get(LEDGER)
    if isinstance(ledger, Ledger) and not _stands(row, entries):
        await row_changed(ledger, ExpertLink.__tablename__, row.id)


def state_of(link: ExpertLink, digest: str) -> str:
    """Where a question stands while `digest` is the item's latest, in words."""
    if link.answered_at is not None:
        said = "没有问题" if link.verdict == "agree" else "有问题"
        return said if link.digest == digest else f"{said}（针对以前的内容）"
    if link.withdrawn_at is not None:
        return "已收回"
    if link.digest != digest:
        return "内容已变化，链接作废"
    return "已过期" if link.expires_at <= now() else "等待答复"


def _ask_faults(item: Item, person: Member, question: Question) -> list[Reason]:
    if wrong := lacking(person, ASKERS):
        return wrong
    faults = []
    if item.state not in _OPEN:
        faults.append(Reason("state", "稿件已经发布或撤回，不用再请部门核对"))
    if not 2 <= len(question.organisation.strip()) <= 120:
        faults.append(Reason("organisation", "请写明请哪个部门核对（2 到 120 个字）"))
    if not 2 <= len(question.text.strip()) <= 1000:
        faults.append(Reason("question", "请写明要对方核对什么（2 到 1000 个字）"))
    if not 1 <= question.days <= LONGEST:
        faults.append(Reason("days", f"有效期只能是 1 到 {LONGEST} 天"))
    return faults


def _answer_faults(link: ExpertLink, opinion: Opinion) -> list[Reason]:
    faults = []
    if opinion.digest != link.digest:
        faults.append(Reason("stale", "页面与链接不是同一份内容，请重新打开链接"))
    if opinion.verdict not in ("agree", "problem"):
        faults.append(Reason("verdict", "请选择“没有问题”或“有问题”"))
    if not 2 <= len(opinion.name.strip()) <= 60:
        faults.append(Reason("name", "请填写您的姓名和职务（2 到 60 个字）"))
    if opinion.verdict == "problem" and not opinion.text.strip():
        faults.append(Reason("text", "有问题请写明是哪里、应当怎样写"))
    if len(opinion.text) > 4000:
        faults.append(Reason("text", "意见最多 4000 个字，请缩短"))
    return faults


async def _by_token(session: AsyncSession, token: str) -> ExpertLink:
    query = select(ExpertLink).where(ExpertLink.token_hash == _hash(token))
    link = (await session.scalars(query)).first()
    if link is None:
        raise Refused(404, [Reason("link", "没有这个核对链接，可能地址不完整：请向发给您的人核实")])
    return link


class _Forged(Refused):
    """A link that its signed entries do not bear out."""

    def __init__(self, status: int, reason: Reason, link_id: str) -> None:
        """`link_id` is for the incident."""
        super().__init__(status, [reason])
        self.link_id = link_id


async def _borne_out(session: AsyncSession, link: ExpertLink) -> None:
    """Refuse (404, 410) a link that was not asked so, or that a signed entry closed."""
    entries = await facts_or_refuse(session, f"item:{link.item_id}")
    own = [entry for entry in entries if entry.body.get("link") == link.id]
    if not any(_asked_so(entry, link) for entry in own):
        words = "没有这个核对链接，或记录被改动过：请向发给您的人核实"
        raise _Forged(404, Reason("link", words), link.id)
    kinds = {entry.kind for entry in own}
    closed = _ANSWERED if "expert.answered" in kinds else _WITHDRAWN
    if kinds.isdisjoint(_CLOSED):
        return
    await session.refresh(link)
    # Read again: who answers in this very moment changed nothing past this program.
    if link.answered_at is not None or link.withdrawn_at is not None:
        raise Refused(410, [closed])
    raise _Forged(410, closed, link.id)


def _asked_so(entry: Entry, link: ExpertLink) -> bool:
    """Whether this entry asked exactly what the row says, of whoever holds this token.

    Earlier versions signed neither the token nor the moment of asking.
    """
    body = entry.body
    signed = {
        "digest": link.digest,
        "expires_at": link.expires_at.isoformat(),
        "question": _committed(link, [link.organisation, link.question]),
    }
    later = {"token": link.token_hash, "asked_at": link.asked_at.isoformat()}
    return (
        (entry.kind, entry.actor) == ("expert.asked", link.asked_by)
        and all(body.get(name) == value for name, value in signed.items())
        and all(body.get(name, value) == value for name, value in later.items())
    )


def _stands(link: ExpertLink, entries: Sequence[Entry]) -> bool:
    """Whether question, answer and withdrawal of this row are what its entries say."""
    own = [entry for entry in entries if entry.body.get("link") == link.id]
    answers = [entry.body for entry in own if entry.kind == "expert.answered"]
    withdrawn = any(entry.kind == "expert.withdrawn" for entry in own)
    if not any(_asked_so(entry, link) for entry in own):
        return False
    if link.answered_at is None:
        blank = not (link.verdict or link.name or link.text)
        return blank and not answers and withdrawn == (link.withdrawn_at is not None)
    opinion = _committed(link, [link.name, link.text])
    return any((one["verdict"], one["opinion"]) == (link.verdict, opinion) for one in answers)


def _committed(link: ExpertLink, words: Sequence[str]) -> str:
    """What an entry holds of these words; rows without a salt are of an early version."""
    if link.salt:
        return commitment(link.salt, words)
    return hashlib.sha256("\n".join([link.id, *words]).encode()).hexdigest()


async def _still_open(session: AsyncSession, link: ExpertLink) -> Revision:
    if link.answered_at is not None:
        raise Refused(410, [_ANSWERED])
    if link.withdrawn_at is not None:
        raise Refused(410, [_WITHDRAWN])
    await _borne_out(session, link)
    if link.expires_at <= now():
        raise Refused(410, [Reason("expired", "这个链接已过期：如仍需核对，请对方重新发送")])
    revision = await latest_of(session, link.item_id)
    body = hashlib.sha256(revision.canonical.encode()).hexdigest()
    if not link.digest == revision.digest == body:
        raise Refused(
            410, [Reason("changed", "内容已变化，这个链接作废：请对方就新的内容重新发送")]
        )
    return revision


async def latest_of(session: AsyncSession, item_id: str) -> Revision:
    """The revision a new question would be about."""
    query = select(Revision).where(Revision.item_id == item_id)
    return (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).one()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
