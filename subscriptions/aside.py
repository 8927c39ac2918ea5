"""关闭精准推送: who and where somebody is no longer decides what they get; they may take it back.

`set_aside` and `take_back` in the caller's transaction, signed like every change of a subscription.
人群, 地区 and 行业 say something of a person; 主题 and 文种 say what they want to read, and stay. A
subscription of nothing else (地区 土默特左旗 alone) cannot be served without them: it rests.
"""

from collections.abc import Sequence
from typing import Protocol

from facets.criteria import Asked
from ledger.append import Transaction
from subscriptions.models import Subscription

NEVER = "9999-12-31"
"""Paused until: it rests until its citizen opens 精准推送 again."""
_TRAITS = ("group", "region", "industry")


class Ends(Protocol):
    """What is needed of Subscribers."""

    async def own_in(self, tx: Transaction, contact_id: str) -> Sequence[Subscription]:
        """What stands."""

    async def end(
        self, tx: Transaction, contact_id: str, reason: str, own: Sequence[Subscription]
    ) -> None:
        """Sign that what stood before was changed, and seal anew what is their `own`."""


async def set_aside(subs: Ends, tx: Transaction, contact_id: str) -> int:
    """Serve by topic and kind alone from now on; how many were changed."""
    own = await subs.own_in(tx, contact_id)
    changed = [row for row in own if any(getattr(row, name) for name in _TRAITS)]
    for row in changed:
        row.aside = ":".join(getattr(row, name) for name in _TRAITS)
        row.group = row.region = row.industry = ""
        if not (row.topic or row.kind):
            row.paused_until = NEVER
    # Signed also when none is seen: a row hidden at this moment must not be served once it is back.
    await subs.end(tx, contact_id, "aside", own)
    return len(changed)


async def take_back(subs: Ends, tx: Transaction, contact_id: str) -> int:
    """Serve by all that was chosen again; how many were changed."""
    own = await subs.own_in(tx, contact_id)
    changed = [row for row in own if row.aside]
    for row in changed:
        restore(row)
    if changed:
        await subs.end(tx, contact_id, "precise", own)
    return len(changed)


def restore(row: Subscription) -> None:
    """The criteria as they were before they were set aside."""
    if row.aside:
        row.group, row.region, row.industry = row.aside.split(":")
    row.aside = ""
    if row.paused_until == NEVER:
        row.paused_until = ""


def chosen(row: Subscription) -> Asked:
    """All that was chosen, whether it is used now or set aside."""
    group, region, industry = (row.aside or "::").split(":")
    return Asked(
        row.topic, row.group or group, row.region or region, row.industry or industry, row.kind
    )
