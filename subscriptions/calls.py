"""The rows of those whom one call of a publication reaches: made before it, they wait for it."""

from collections.abc import Awaitable, Callable
from functools import partial

from bot.chosen import CALL_HOLD
from bot.contract import Outcome, Release, State, Withheld
from bot.delivery.mended import Going, going
from bot.models import Publication
from ledger.append import Ledger
from ledger.changed import row_changed
from storage.database import Database
from subscriptions.earlier import rows_for_earlier
from subscriptions.matching import Making, Matching


async def rows_for_call(
    db: Database, ledger: Ledger, matching: Matching, publication: Publication, release: Release
) -> int:
    """Rows for the audience, and for those who were sent what this corrects; how many were missing.

    Nobody's hour and no digest: the call has one moment for all. Raises ledger.verify.Broken.
    """
    making = Making(publication, release, hold=CALL_HOLD)
    made = await matching.create_waiting(db, making, partial(row_changed, ledger))
    return made + await rows_for_earlier(db, ledger, publication, release, CALL_HOLD)


async def choose(
    ledger: Ledger,
    hold_back: Callable[[Publication, Release], Awaitable[bool]],
    rows: Callable[[Publication, Release], Awaitable[int]],
    publication: Publication,
    release: Release,
) -> int:
    """The rows, unless the number of people is another one than was approved.

    Here the push is the publication itself: Withheld until a person decides. Raises
    ledger.verify.Broken.
    """
    held = await hold_back(publication, release)
    stand = going(await ledger.facts(f"item:{publication.item_id}"), publication.account_id)
    if held or stand.waits:
        why = Going.HELD.words if held else stand.words
        wait = Outcome(State.RETRYING, reason=why, code="stopped", retry_after=30.0)
        raise Withheld(wait)
    return await rows(publication, release)
