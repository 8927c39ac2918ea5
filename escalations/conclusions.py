"""The end of a consultation: a draft of 征集情况 for the review queue, and what came of it."""

from collections.abc import Sequence
from itertools import groupby

from bot.contract import Content
from config.clock import beijing, now
from escalations.consultations import consultation_of
from escalations.models import Consultation, Opinion
from escalations.opinions import VERDICTS, Kept, opinions_of
from ledger.append import Ledger
from review_queue.desk import Queue, fresh_levels
from review_queue.drafting import Origin, create_item_in
from review_queue.told import Published, published_of
from staff.refusal import Reason, refuse
from staff.rights import entitled

KLASS = "重要"
DRAFTED, TOLD = "consultation.drafted", "consultation.told"
_NUMBERS = "一二三"


async def draft_summary(queue: Queue, consultation_id: str, by: str) -> str:
    """A draft with counts and reasons, no word of any citizen; the item's id. Refused 409, 422."""
    ledger = queue.ledger
    row = await consultation_of(ledger, consultation_id)
    kept = await opinions_of(ledger, row.id)
    refuse(_faults(row, kept))
    await fresh_levels(queue)
    content = Content("原创", f"“{row.title}”意见征集情况", summary_text(row, kept.rows))
    origin = Origin(by, KLASS, accounts=tuple(row.accounts))
    async with ledger.transaction() as tx:
        await entitled(tx.session, by, "consultations.answer")
        fresh = await tx.session.get_one(Consultation, row.id, populate_existing=True)
        refuse(_faults(fresh, kept))
        item = await create_item_in(queue, tx, content, origin)
        fresh.result_item = item.id
        body = {"item": item.id, "opinions": len(kept.rows)}
        await tx.append(DRAFTED, subject=f"consultation:{row.id}", actor=by, body=body)
    return item.id


def _faults(row: Consultation, kept: Kept) -> list[Reason]:
    faults = []
    if now() < row.ends_at:
        faults.append(Reason("ends", "征集还没有结束，结束后才能起草征集情况"))
    if row.result_item:
        faults.append(Reason("drafted", "征集情况已经起草"))
    if kept.waiting:
        faults.append(Reason("waiting", f"还有 {kept.waiting} 条意见没有写明处理结果和理由"))
    if kept.missing:
        words = f"有 {kept.missing} 条意见的记录被绕过本系统删改，请先看事件页"
        faults.append(Reason("missing", words))
    return faults


def summary_text(row: Consultation, opinions: Sequence[Opinion]) -> str:
    """Counts first, then each verdict with its headings and reasons. Pure."""
    begins, ends = beijing(row.begins_at).date(), beijing(row.ends_at).date()
    last = ends.fromordinal(ends.toordinal() - 1)
    head = f"“{row.title}”自{_day(begins)}至{_day(last)}公开征求意见"
    if not opinions:
        return f"{head}，没有收到意见。"
    counts = "，".join(f"{one} {sum(o.verdict == one for o in opinions)} 条" for one in VERDICTS)
    people = len({one.contact_id for one in opinions})
    lines = [f"{head}，共收到 {people} 人的意见 {len(opinions)} 条：{counts}。"]
    for number, verdict in enumerate(VERDICTS):
        lines += _part(_NUMBERS[number], verdict, [o for o in opinions if o.verdict == verdict])
    return "\n".join(lines)


def _part(number: str, verdict: str, opinions: Sequence[Opinion]) -> list[str]:
    if not opinions:
        return [f"{number}、{verdict}的意见：没有。"]

    def said(one: Opinion) -> tuple[str, str]:
        return one.topic or "其他", one.reason

    lines = [f"{number}、{verdict}的意见"]
    for (topic, reason), rows in groupby(sorted(opinions, key=said), said):
        lines.append(f"{topic}（{len([*rows])} 条）：{reason}")
    return lines


def _day(day: object) -> str:
    year, month, number = str(day).split("-")
    return f"{year}年{int(month)}月{int(number)}日"


async def concluded(ledger: Ledger, consultation_id: str, account_id: str = "") -> Published | None:
    """The summary as it stands released, on this account if it is there; None when it is not."""
    row = await consultation_of(ledger, consultation_id)
    found = await published_of(ledger, row.result_item) if row.result_item else {}
    return found.get(account_id) or next(iter(found.values()), None)
