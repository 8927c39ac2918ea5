"""An edition at its sending: each of its articles is proved by its own release, as if alone.

The edition's digest covers which digests stand in which order; whether each of these may go out
at this moment is asked of its own chain, account, window and gates, every time.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.contract import Release
from bot.delivery.once import Stand, article_faults, stand_of
from bot.editions import EDITION, Placed
from ledger.append import Ledger
from review_queue.canonical import Draft
from review_queue.placed import Standing, numbered, plain_faults, standing_of
from staff.refusal import Reason

Prove = Callable[[str], Awaitable[tuple[str, list[str], Release | None]]]
"""A release id in; its item, every reason against it at this moment, and the release."""

Faults = Callable[[str, datetime], Awaitable[list[Reason]]]
"""An item and a moment in; every reason why it could not go out then."""


@dataclass(frozen=True)
class Asked:
    """The account an edition is to go to, and how the edition stands on it by signed entries."""

    account_id: str
    stand: Stand


async def prove_articles(
    ledger: Ledger, prove: Prove, draft: Draft, release: Release, asked: Asked | None
) -> tuple[list[str], tuple[Placed, ...]]:
    """Every reason against the articles of an edition, and the release of each.

    With `asked` also that none of them went to the account already.
    """
    async with ledger.db.session() as session:
        standing = await standing_of(session, {one.item for one in draft.edition})
    plain = plain_faults(draft.edition, standing)
    reasons, placed = [], []
    for number, one in enumerate(draft.edition, 1):
        there = standing.get(one.item)
        if number in plain or there is None:
            reasons += plain.get(number, [])
            continue
        released = str(there.item.release_id)
        _, words, proved = await prove(released)
        if proved is not None and (proved.item_id, proved.digest) != (one.item, one.digest):
            words = ["放行的内容与编入的不是同一份"]
        elif proved is not None and not words:
            words = _drawn(release, proved, number)
        if asked is not None:
            facts = await ledger.facts(f"item:{one.item}")
            words = words + article_faults(stand_of(facts, released, asked.account_id), asked.stand)
        reasons += numbered(number, there.title, words)
        placed.append(Placed(one.item, released, one.digest, there.title))
    return reasons, tuple(placed)


def _drawn(edition: Release, article: Release, number: int) -> list[str]:
    """Whether what the edition would send of an article is what was approved of it."""
    for account_id, rendering in edition.renderings.items():
        there: Sequence[Mapping[str, Any]] = rendering.get(EDITION, ())
        mine = article.renderings.get(account_id)
        if mine is None or len(there) < number or there[number - 1] != mine:
            return ["版面与这一篇审核通过的不一致"]
    return []


async def article_reasons(
    ledger: Ledger, faults: Faults, draft: Draft, at: datetime
) -> list[Reason]:
    """Every reason why the articles of an edition could not go out with it at `at`."""
    if not draft.edition:
        return []
    async with ledger.db.session() as session:
        standing = await standing_of(session, {one.item for one in draft.edition})
    plain = plain_faults(draft.edition, standing)
    found: list[str] = []
    for number, one in enumerate(draft.edition, 1):
        there = standing.get(one.item)
        if number in plain or there is None:
            found += plain.get(number, [])
            continue
        words = [reason.message for reason in await faults(one.item, at)]
        words += await _gone(ledger, draft, there)
        found += numbered(number, there.title, words)
    return [Reason("edition", words) for words in found]


async def _gone(ledger: Ledger, draft: Draft, there: Standing) -> list[str]:
    """Whether it went to the edition's account already, as signed entries say."""
    facts = await ledger.facts(f"item:{there.item.id}")
    released = str(there.item.release_id)
    found: list[str] = []
    for account_id in draft.accounts:
        found += article_faults(stand_of(facts, released, account_id), Stand())
    return found
