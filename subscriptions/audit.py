"""Lists that can never match, or have long been silent. A list is all who asked for the same.

`audited(session, taxonomy, pushes)`. An item may leave out any dimension but the topics, so what
can never come is decided by the topic and by the account; a value of another dimension that is no
more narrows its list to items that do not limit it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account, Contact
from config.clock import now
from facets.criteria import (
    GROUPS,
    INDUSTRIES,
    KINDS,
    REGIONS,
    TOPICS,
    Asked,
    Wanted,
    in_words,
    meets,
    of_now,
    values_now,
    wanted,
)
from facets.taxonomy import Taxonomy
from subscriptions.figures import SILENCE, Pushed
from subscriptions.models import Subscription
from subscriptions.subscribers import GONE

_NAMES = {TOPICS: "主题", GROUPS: "人群", REGIONS: "地区", INDUSTRIES: "行业", KINDS: "文种"}


class Fault(StrEnum):
    """What is wrong with a list, the worst first."""

    NEVER = "never"
    LESS = "less"
    SILENT = "silent"
    UNUSED = "unused"


FAULTS: Mapping[Fault, str] = {
    Fault.NEVER: "永远收不到",
    Fault.LESS: "只收得到一部分",
    Fault.SILENT: "90 天没有推送",
    Fault.UNUSED: "还没有推送过",
}


@dataclass(frozen=True)
class Found:
    """One list at fault: what was asked for in words, on which account, by how many, and why."""

    fault: Fault
    asked: str
    account: str
    people: int
    since: datetime
    why: str


@dataclass(frozen=True)
class _List:
    asked: Asked
    account: Account
    people: int
    reachable: int
    since: datetime


async def audited(
    session: AsyncSession, taxonomy: Taxonomy, pushes: Sequence[Pushed]
) -> list[Found]:
    """Every list at fault, the worst and the largest first."""
    meant: dict[str, list[Wanted]] = {}
    for one in {(p.account_id, repr(p.audience)): p for p in pushes}.values():
        meant.setdefault(one.account_id, []).append(wanted(taxonomy, one.audience))
    found = []
    for row in await _lists(session, taxonomy):
        fault = _fault(taxonomy, row, meant.get(row.account.id, []))
        if fault is not None:
            kind, why = fault
            words = in_words(taxonomy, row.asked, GONE)
            found.append(Found(kind, words, row.account.name, row.people, row.since, why))
    order = list(Fault)
    return sorted(found, key=lambda one: (order.index(one.fault), -one.people, one.asked))


def _fault(taxonomy: Taxonomy, row: _List, meant: Sequence[Wanted]) -> tuple[Fault, str] | None:
    never = [*_never(taxonomy, row)]
    if never:
        return Fault.NEVER, "；".join(never)
    gone = [
        _NAMES[name]
        for name, value in zip(_NAMES, row.asked, strict=True)
        if value and not values_now(taxonomy, name, value)
    ]
    if gone:
        words = "、".join(gone)
        return Fault.LESS, f"{words}的值已不在分类里：限定了{words}的稿件都到不了，请在 was 里接替"
    if any(meets(one, row.asked) for one in meant):
        return None
    if now() - row.since >= SILENCE:
        return Fault.SILENT, f"{SILENCE.days} 天里没有一次推送是这些人要的"
    return Fault.UNUSED, "订阅以来没有一次推送是这些人要的"


def _never(taxonomy: Taxonomy, row: _List) -> Iterator[str]:
    if row.asked.topic and not values_now(taxonomy, TOPICS, row.asked.topic):
        yield "主题已不在分类里，没有稿件能标上它：请在接替它的主题里写 was"
    if row.account.settings.get("push") == "mass":
        yield "这个账号用群发，不逐人推送"
    if not row.account.enabled:
        yield "这个账号已停用"
    if not row.reachable:
        yield "这些人都已取消关注或不能再联系"


async def _lists(session: AsyncSession, taxonomy: Taxonomy) -> list[_List]:
    columns: list[Any] = [
        Subscription.account_id,
        Subscription.topic,
        Subscription.group,
        Subscription.region,
        Subscription.industry,
        Subscription.kind,
    ]
    reachable = Contact.state == "active"
    query = (
        select(
            *columns,
            reachable,
            func.count(Subscription.contact_id.distinct()),
            func.min(Subscription.created_at),
        )
        .join(Contact, Contact.id == Subscription.contact_id)
        .where(Subscription.state == "active")
        .group_by(*columns, reachable)
    )
    accounts = {one.id: one for one in (await session.scalars(select(Account))).all()}
    found: dict[tuple[str, Asked], _List] = {}
    for account_id, *asked, active, people, since in (await session.execute(query)).all():
        if account_id not in accounts:
            continue
        wish = of_now(taxonomy, Asked(*asked))
        old = found.get((account_id, wish))
        found[account_id, wish] = _List(
            wish,
            accounts[account_id],
            people + (old.people if old else 0),
            (people if active else 0) + (old.reachable if old else 0),
            min(since, old.since) if old else since,
        )
    return [*found.values()]
