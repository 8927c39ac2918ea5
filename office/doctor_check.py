"""One line of an examination."""

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Check:
    """What was looked at, how it stands, and what to do."""

    name: str
    state: str
    words: str
