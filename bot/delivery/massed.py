"""Whether a publication went to everybody by a mass send, and so to nobody apart (W22). Pure."""

from collections.abc import Callable, Sequence

from bot.delivery.once import SUBMITTED, told_of
from ledger.verify import Entry


def to_everybody(
    entries: Sequence[Entry], publication_id: str, by_mass: Callable[[str], bool]
) -> bool:
    """By the signed entries of its item; a send to some has a row for each of them instead."""
    told = told_of(entries).get(publication_id)
    if told is None or not by_mass(told.ref):
        return False
    calls = (one.body for one in entries if one.kind == SUBMITTED)
    mine = (body for body in calls if body.get("publication") == publication_id)
    return not any("chosen" in body for body in mine)
