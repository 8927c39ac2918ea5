"""Which stop switches are off, from the newest signed entry of each: the table lifts nothing."""

from collections.abc import Iterable, Mapping, Sequence

from ledger.append import Ledger
from ledger.verify import Broken, Entry

ALL = "all"
SET = "switch.set"
WHEN_BROKEN = frozenset({"publishing", "push"})
"""What stands still while nobody can tell what was signed."""


def switches(names: Iterable[str]) -> list[str]:
    """The ledger's subjects of these switches, and of the one that stops everything."""
    return [f"switch:{name}" for name in dict.fromkeys((ALL, *names))]


def stopped_in(facts: Mapping[str, Sequence[Entry]]) -> frozenset[str]:
    """Names of the switches that are off, by the entries about each subject."""
    return frozenset(
        subject.removeprefix("switch:") for subject, entries in facts.items() if _stopped(entries)
    )


def _stopped(entries: Sequence[Entry]) -> bool:
    told = [entry for entry in entries if entry.kind == SET]
    return bool(told and told[-1].body["stopped"])


async def stopped_now(ledger: Ledger, *names: str, age: float = 0.0) -> frozenset[str]:
    """Which of `names` (and `all`) are off; `age` as in Ledger.facts.

    A broken ledger stops publishing and pushing, whatever its switches said.
    """
    subjects = switches(names)
    try:
        if not age:
            return stopped_in(await ledger.facts_of(subjects))
        return stopped_in({name: await ledger.facts(name, age=age) for name in subjects})
    except Broken:
        return WHEN_BROKEN & frozenset(names)
