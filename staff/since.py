"""From which entry on a rule counts: what was done before a version brought it stays valid.

An office made by a version that knows the rule names it in its genesis entry; an older one signs
`office.rules` once, when it is first opened by such a version (office/upgrades.py).
"""

from collections.abc import Iterable

from ledger.verify import Entry

RULES = "office.rules"
WRITERS = "writers"
"""Whoever wrote any text revision of an item may not approve it."""
TWO_PEOPLE = "two_people"
"""An absence set for somebody else was proposed by one person and approved by another."""
ACCOUNTS = "accounts"
"""An account is used as its newest signed entry describes it."""
ROSTER = "roster"
"""Who is called for a question is in the newest signed roster."""
DEADLINES = "deadlines"
"""A level is late when the hours signed for it are over, whatever a row says."""
ALL = (WRITERS, TWO_PEOPLE, ACCOUNTS, ROSTER, DEADLINES)


def counts_from(office: Iterable[Entry], rule: str) -> int:
    """The number of the entry that brought a rule; 0, always, when none says so.

    `office` are the signed entries about the office.
    """
    for entry in office:
        if entry.kind in ("genesis", RULES) and rule in entry.body.get("rules", ()):
            return entry.seq
    return 0
