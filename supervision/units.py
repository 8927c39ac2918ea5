"""Figures by public body: its accounts, and at which gate its texts were stopped."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.models import Account
from review_queue.models import GateRun, ItemWords
from supervision.cockpit import SPAN, Standing
from supervision.registry import Bodies

MOST_RUNS = 5000


@dataclass
class Unit:
    """One body by itself; `stopped`: items with a blocking finding, by gate."""

    id: str
    path: str
    depth: int
    name: str
    parent: str = ""
    accounts: int = 0
    posts: int = 0
    reposts: int = 0
    asked: int = 0
    done: int = 0
    waiting: int = 0
    incidents: int = 0
    vetoed: int = 0
    people: list[str] = field(default_factory=list)
    stopped: dict[str, int] = field(default_factory=dict)


def units_of(
    tree: Bodies,
    seen: frozenset[str] | None,
    standings: Sequence[Standing],
    stopped: Mapping[str, Mapping[str, int]],
) -> list[Unit]:
    """Every body that is looked at, each below the one above it."""
    found = {
        key: Unit(key, tree.path(key), tree.path(key).count(" / "), name, tree.parents.get(key, ""))
        for key, name in tree.names.items()
        if seen is None or key in seen
    }
    for key, one in found.items():
        one.stopped = dict(stopped.get(key, {}))
    by_name = {one.name: one for one in found.values()}
    for it in standings:
        unit = by_name.get(it.organisation)
        if unit is None:
            continue
        unit.accounts += 1
        for name in ("posts", "reposts", "asked", "done", "waiting", "incidents"):
            setattr(unit, name, getattr(unit, name) + getattr(it, name))
        unit.vetoed += any(it.vetoes)
    return sorted(found.values(), key=lambda one: one.path)


async def stopped_by_body(session: AsyncSession, moment: datetime) -> dict[str, dict[str, int]]:
    """How many items of each body had a blocking finding lately, by gate.

    An item belongs to the bodies of the accounts it is written for; once however often it ran.
    """
    rows = await session.execute(select(Account.id, Account.organisation_id))
    bodies = {row.id: row.organisation_id for row in rows}
    runs = (
        select(GateRun.item_id, GateRun.findings, ItemWords.accounts)
        .join(ItemWords, ItemWords.item_id == GateRun.item_id)
        .where(GateRun.at >= moment - SPAN)
        .order_by(GateRun.at.desc())
        .limit(MOST_RUNS)
    )
    items: dict[tuple[str, str], set[str]] = defaultdict(set)
    for item, findings, accounts in (await session.execute(runs)).all():
        gates = {one["gate"] for one in findings if one.get("severity") == "block"}
        for body in {bodies[key] for key in accounts.split() if key in bodies}:
            for gate in gates:
                items[body, gate].add(item)
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for (body, gate), ids in items.items():
        found[body][gate] = len(ids)
    return found
