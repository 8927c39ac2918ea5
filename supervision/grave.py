"""严重问题: reported by anybody who sees it, with a clock, and off every account at once (H3).

A leak is to be reported upward within 24 hours; the clock runs from the report, and whoever has to
act is told at once, when half of it is over, two hours before its end, and when it is past.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.models import Account
from config.clock import beijing, now
from ledger.append import Ledger
from ledger.verify import Entry
from review_queue.desk import Queue
from review_queue.recalling import recall
from staff.people import active_with
from staff.refusal import Reason, Refused
from staff.rights import entitled
from staff.tasks import Tell
from storage.database import new_id

GRAVE: Mapping[str, tuple[str, int]] = {
    "leak": ("失密泄密", 24),
    "wrong": ("严重表述错误", 24),
    "attack": ("账号被盗或被攻击", 24),
    "opinion": ("引发严重负面舆情", 24),
}
"""Kind, how it is called, and within how many hours it is to be reported upward."""
PREFIX, CLOCK = "grave.", "grave.clock"
STAGES: tuple[tuple[str, float], ...] = (("half", 0.5), ("near", 22 / 24), ("past", 1.0))
_LEAST = 4


@dataclass(frozen=True)
class Report:
    """What somebody saw; `item`, where it is out, goes off every account at once."""

    kind: str
    words: str
    account: str = ""
    item: str = ""


async def report_grave(queue: Queue, seen: Report, by: str, tell: Tell) -> str:
    """The incident's id. Refused with every fault before anything is done.

    1. what is named goes off every account; 2. the incident with its clock; 3. supervisors and
    admins are told.
    """
    ledger = queue.ledger
    await _check(ledger, seen, by)
    if seen.item:
        await recall(queue, seen.item, by, seen.words)
    label, hours = GRAVE[seen.kind]
    due = now() + timedelta(hours=hours)
    limit = f"{beijing(due).month}月{beijing(due).day}日 {beijing(due):%H:%M}"
    off = "，已从全部账号撤下" if seen.item else ""
    found = await ledger.open_incident(
        PREFIX + seen.kind,
        subject=f"grave:{seen.account or 'office'}:{new_id()}",
        message=f"{label}：{seen.words.strip()[:500]}{off}。须在 {limit} 前向主管部门报告",
        detail={"item": seen.item},
    )
    await _tell(ledger, tell, f"{label}：须在 {limit} 前向主管部门报告，请马上到控制台“事件”处理")
    return found


async def _check(ledger: Ledger, seen: Report, by: str) -> None:
    faults = []
    if seen.kind not in GRAVE:
        words = "、".join(label for label, _ in GRAVE.values())
        faults.append(Reason("kind", f"种类只能是：{words}"))
    if len(seen.words.strip()) < _LEAST:
        faults.append(Reason("words", "请写明看到了什么"))
    async with ledger.db.session() as session:
        await entitled(session, by, "incidents.report")
        if seen.account and await session.get(Account, seen.account) is None:
            faults.append(Reason("account", "没有这个账号"))
    if faults:
        raise Refused(422, faults)


async def clock_due(ledger: Ledger, tell: Tell) -> int:
    """Tell of every open one that came to a further stage; how many were told of."""
    known, told = await ledger.incidents(), 0
    for key, entry in list(known.entries.items()):
        if not str(entry.body["kind"]).startswith(PREFIX):
            continue
        stage = _stage(entry, await ledger.facts(f"grave:{key}"))
        if not stage:
            continue
        async with ledger.transaction() as tx:
            body = {"incident": key, "stage": stage}
            await tx.append(CLOCK, subject=f"grave:{key}", actor="system", body=body)
        label, hours = GRAVE.get(str(entry.body["kind"]).removeprefix(PREFIX), ("严重问题", 24))
        due = "已过报告时限" if stage == "past" else f"报告时限 {hours} 小时，时间不多了"
        await _tell(ledger, tell, f"{label}还没有处理完，{due}：请马上到控制台“事件”处理")
        told += 1
    return told


def _stage(entry: Entry, told: list[Entry]) -> str:
    """The last stage that has come and was not told; empty for none."""
    kind = str(entry.body["kind"]).removeprefix(PREFIX)
    hours = GRAVE.get(kind, ("", 24))[1]
    gone = (now() - datetime.fromisoformat(str(entry.body["at"]))) / timedelta(hours=hours)
    come = [name for name, share in STAGES if gone >= share]
    said = {str(one.body["stage"]) for one in told if one.kind == CLOCK}
    return come[-1] if come and come[-1] not in said else ""


async def _tell(ledger: Ledger, tell: Tell, words: str) -> None:
    async with ledger.db.session() as session:
        people = await active_with(session, {"supervisor", "admin"})
    for staff_id in people:
        await tell(staff_id, words)
