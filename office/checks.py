"""One line of `shenfa doctor`."""

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, how it stands, and what to do."""

    name: str
    state: str
    words: str
