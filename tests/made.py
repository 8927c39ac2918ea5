"""Plain factories that several rooms of tests share."""

from typing import Any

from gates.finding import Finding
from storage.crypt import DataKey
from storage.seals import Seals

DATA_KEY = DataKey(b"the data key of every test here!")
SEALS = Seals(b"the seal key of every test here!")


def a_finding(**more: Any) -> Finding:
    """A blocking finding of the law gate over nothing, or with what `more` says."""
    plain: dict[str, Any] = {
        "gate": "law",
        "rule": "x",
        "severity": "block",
        "field": "text",
        "start": 0,
        "end": 0,
        "text": "",
        "reason": "绝对化用语",
        "basis": "",
    }
    return Finding(**(plain | more))
