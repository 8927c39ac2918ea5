"""意见征集: opened by two people, for accounts and days, about what stands released.

《优化营商环境条例》第六十二条: at least thirty days; a shorter one says why, and who approves it
reads that. While it is open citizens write to it (opinions.py); conclusions.py ends it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Account, Publication
from config.clock import BEIJING, beijing, now
from escalations.models import Consultation
from ledger.append import Ledger, Transaction
from ledger.changed import row_changed
from review_queue.models import Item
from review_queue.told import accounts_in_use, published_of
from staff.proposals import Approval
from staff.proposed import seal
from staff.refusal import Reason, Refused, refuse
from staff.rights import RIGHTS
from storage.database import new_id

KIND = "consultation"
OPENED = "consultation.opened"
LEAST_DAYS = 30
AFTERWARDS = timedelta(days=180)
"""How long after its end whoever writes to it hears that it is over."""
LONGEST_TITLE, LONGEST_PROMISE = 60, 300
_FIELDS = ("title", "about", "promise", "shorter", "begins", "ends", "result_by")


class ConsultationKind:
    """{title, about, accounts, begins, ends, result_by, promise, shorter}; days as YYYY-MM-DD."""

    label = "意见征集"
    proposers = RIGHTS["consultations.answer"]
    approvers = frozenset({"admin", "supervisor", "reviewer_3"})

    def __init__(self, ledger: Ledger) -> None:
        """`ledger` says what is released and which accounts are in use."""
        self._ledger = ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The item it is about."""
        return f"item:{payload['about']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The payload with every fault at once; a beginning that has passed is one too."""
        said = {name: str(payload.get(name) or "").strip() for name in _FIELDS}
        given = payload.get("accounts")
        slugs = sorted({str(one) for one in given}) if isinstance(given, list | tuple) else []
        faults = _word_faults(said) + _day_faults(said)
        used = {one.slug for one in await accounts_in_use(self._ledger)}
        if not slugs or not used.issuperset(slugs):
            faults.append(Reason("accounts", "请选择在用的账号，至少一个"))
        if not await published_of(self._ledger, said["about"]):
            faults.append(Reason("about", "要写明就哪一篇已发布的稿件征集，请先发布征求意见稿"))
        refuse(faults)
        return {**said, "accounts": slugs}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is asked, where, how long, and what is promised."""
        days = _days(payload)
        lines = [
            ("+", f"意见征集“{payload['title']}”：{payload['begins']} 至 {payload['ends']}"),
            ("+", f"账号：{'、'.join(payload['accounts'])}；结果在 {payload['result_by']} 前公布"),
            ("+", f"意见怎样处理：{payload['promise']}"),
        ]
        short = [f"只有 {days} 天，不满 {LEAST_DAYS} 天，理由：{payload['shorter']}"]
        return {
            "changes": [{"sign": sign, "text": text} for sign, text in lines],
            "warnings": short if days < LEAST_DAYS else [],
        }

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """The row, and the entry that opens it."""
        query = select(Account.id).where(Account.slug.in_(payload["accounts"]))
        row = Consultation(
            id=new_id(),
            title=payload["title"],
            about=payload["about"],
            accounts=sorted((await tx.session.scalars(query)).all()),
            promise=payload["promise"],
            begins_at=_start(payload["begins"]),
            ends_at=_start(payload["ends"]) + timedelta(days=1),
            result_by=_start(payload["result_by"]) + timedelta(hours=18),
        )
        tx.session.add(row)
        await tx.append(
            OPENED,
            subject=f"consultation:{row.id}",
            actor=approval.approved_by,
            body={
                "about": row.about,
                "begins": payload["begins"],
                "ends": payload["ends"],
                "digest": seal(payload)[1],
                "change": approval.proposal_id,
            },
        )
        return {"consultation": row.id}


def _word_faults(said: Mapping[str, str]) -> list[Reason]:
    faults = []
    if not 4 <= len(said["title"]) <= LONGEST_TITLE or not said["title"].isprintable():
        faults.append(Reason("title", f"征集的题目应为 4 至 {LONGEST_TITLE} 字，一行"))
    if not 4 <= len(said["promise"]) <= LONGEST_PROMISE:
        words = f"请写明收到的意见怎样处理，4 至 {LONGEST_PROMISE} 字"
        faults.append(Reason("promise", words))
    return faults


def _day_faults(said: Mapping[str, str]) -> list[Reason]:
    try:
        begins, ends, result = (
            date.fromisoformat(said[name]) for name in ("begins", "ends", "result_by")
        )
    except ValueError:
        return [Reason("begins", "开始、结束和公布结果的日期要写成 2026-12-01 的样子")]
    faults = []
    # Asked again at approval: who approves late would shorten what the law asks.
    if begins < beijing(now()).date():
        faults.append(Reason("begins", "开始日期已过，请改为今天或以后"))
    if ends < begins:
        faults.append(Reason("ends", "结束日期早于开始日期"))
    elif _days(said) < LEAST_DAYS and len(said["shorter"]) < 4:
        words = f"征求意见一般不少于 {LEAST_DAYS} 日（优化营商环境条例第六十二条），更短要写明理由"
        faults.append(Reason("shorter", words))
    if result < ends:
        faults.append(Reason("result_by", "公布结果的日期早于结束日期"))
    return faults


def _days(said: Mapping[str, str]) -> int:
    return (date.fromisoformat(said["ends"]) - date.fromisoformat(said["begins"])).days + 1


def _start(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), BEIJING)


async def consultation_of(ledger: Ledger, consultation_id: str) -> Consultation:
    """The row as it was written by this program; Refused 404 or 409."""
    async with ledger.db.session() as session:
        row = await session.get(Consultation, consultation_id)
    if row is None:
        raise Refused(404, [Reason("missing", "没有这次意见征集")])
    if not row.whole:
        await row_changed(ledger, Consultation.__tablename__, row.id)
        raise Refused(409, [Reason("changed", "这次意见征集的记录被改动过：请看事件页")])
    return row


async def consultations_on(ledger: Ledger, account_id: str) -> Sequence[Consultation]:
    """Those of an account that have begun and did not end long ago, the newest first."""
    moment = now()
    query = select(Consultation).where(
        Consultation.begins_at <= moment, Consultation.ends_at > moment - AFTERWARDS
    )
    async with ledger.db.session() as session:
        rows = (await session.scalars(query.order_by(Consultation.ends_at.desc()))).all()
    for row in rows:
        if not row.whole:
            await row_changed(ledger, Consultation.__tablename__, row.id)
    return [row for row in rows if row.whole and account_id in row.accounts]


async def all_consultations(session: AsyncSession) -> Sequence[Consultation]:
    """Every one, the newest first, for lists."""
    return (await session.scalars(select(Consultation).order_by(Consultation.id.desc()))).all()


async def may_be_about(session: AsyncSession) -> Sequence[tuple[str, str]]:
    """Items that went out lately, for a form: id and title; `check` asks the ledger."""
    query = (
        select(Item.id, Item.title)
        .where(Item.id.in_(select(Publication.item_id).where(Publication.state == State.PUBLISHED)))
        .order_by(Item.updated_at.desc())
        .limit(60)
    )
    return [(row.id, row.title) for row in (await session.execute(query)).all()]
