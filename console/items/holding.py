"""In whose hands each item of a list is: who reads it, whose turn it is, what it waits for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from console.web.words import short_clock
from review_queue.models import Item, Referral
from review_queue.rounds import Turn, turns
from review_queue.states import ItemState, is_stopped
from staff.people import names

_TOLD = 2
"""People named in one line of a list; of more, how many there are."""


@dataclass(frozen=True)
class Held:
    """Where an item lies, in words; `by` is who has claimed it, `people` who may act, by id."""

    words: str
    levels: tuple[str, ...] = ()
    by: str = ""
    until: datetime | None = None
    people: tuple[str, ...] = ()


async def held_by(session: AsyncSession, items: Sequence[Item]) -> dict[str, Held]:
    """Of every item of a page, by its id, in a bounded number of queries."""
    turn = await turns(session, items)
    departments = await _departments(session, items)
    ids = {item.last_editor_id for item in items} | {item.claimed_by or "" for item in items}
    known = await names(session, ids.union(*(one.people for one in turn.values())))
    return {
        item.id: _reviewed(item, turn[item.id], known)
        if item.id in turn
        else _elsewhere(item, departments.get(item.id, ""), known)
        for item in items
    }


async def _departments(session: AsyncSession, items: Sequence[Item]) -> dict[str, str]:
    """Who was asked, of the items that wait for a department."""
    waiting = [item.id for item in items if item.state == ItemState.REFERRED]
    query = select(Referral.item_id, Referral.department).where(
        Referral.item_id.in_(waiting),
        Referral.answered_at.is_(None),
        Referral.voided_at.is_(None),
    )
    return {row.item_id: row.department for row in (await session.execute(query)).all()}


def _reviewed(item: Item, turn: Turn, known: Mapping[str, str]) -> Held:
    levels = "、".join(turn.levels)
    # A claim that ran out is none, though its row still names the holder.
    if item.claimed_by and item.claimed_until and item.claimed_until > now():
        words = f"{levels}：{known.get(item.claimed_by, '同事')}正在看"
        return Held(words, turn.levels, item.claimed_by, item.claimed_until, turn.people)
    whom = _told(turn.people, known) or "现在没有人可以审"
    return Held(f"等{levels}：{whom}", turn.levels, people=turn.people)


def _told(people: Collection[str], known: Mapping[str, str]) -> str:
    said = sorted(known.get(one, "同事") for one in people)
    more = f"等 {len(said)} 人" if len(said) > _TOLD else ""
    return "、".join(said[:_TOLD]) + more


def _elsewhere(item: Item, department: str, known: Mapping[str, str]) -> Held:
    editor = item.last_editor_id
    if item.state == ItemState.DRAFT:
        if editor in known and editor not in ("robot", "system"):
            return Held(f"编辑{known[editor]}", people=(editor,))
        return Held("等编辑接手")
    words = {
        ItemState.REFERRED: f"等{department or '有关部门'}答复",
        ItemState.APPROVED: "等编辑安排发布",
        ItemState.QUARANTINED: "等编辑处理稿源",
    }
    if is_stopped(item):
        return Held("等人处理发布情况")
    if item.state == ItemState.SCHEDULED and item.scheduled_at is not None:
        return Held(f"{short_clock(item.scheduled_at)} 自动发布")
    return Held(words.get(ItemState(item.state), "—"))


def holder_json(held: Held, item: Item) -> dict[str, object]:
    """The same for the API."""
    holder = {
        "words": held.words,
        "levels": held.levels,
        "claimed_by": held.by or None,
        "until": held.until,
        "people": held.people,
    }
    return {"since": item.since, "holder": holder}
