"""A refusal: every reason at once, each with the rule it comes from, and the status it means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.faults import Fault


@dataclass(frozen=True)
class Reason:
    """Why an action is refused: a rule id for machines, a sentence for people."""

    rule: str
    message: str


class Refused(Fault):
    """An action was refused; `status` is 403 (rule or role), 409 (state, stale), 422 (field)."""

    def __init__(
        self, status: int, reasons: Sequence[Reason], current: Mapping[str, Any] | None = None
    ) -> None:
        """Keep every reason, not only the first; `current` is what a stale form should now show."""
        super().__init__("；".join(reason.message for reason in reasons))
        self.status = status
        self.reasons = list(reasons)
        self.current = current


def missing(what: str) -> Refused:
    """404: `what` is a measure word and a noun, as in 次发布."""
    return Refused(404, [Reason("missing", f"没有这{what}，可能地址不完整")])


_FORBIDDEN = {
    "role",
    "secrecy_role",
    "author",
    "last_editor",
    "writer",
    "unconfirmed",
    "self",
    "two_people",
    "asker",
    "two_levels",
    "place",
    "finding",
    "staff",
    "class_lowered",
}
_CONFLICT = {"state", "stale", "claimed", "chain", "levels", "ledger"}


def status_of(reasons: Sequence[Reason]) -> int:
    """403 when a rule or role forbids it, 409 for state, else 422."""
    rules = {reason.rule for reason in reasons}
    if rules & _FORBIDDEN:
        return 403
    return 409 if rules & _CONFLICT else 422


def refuse(reasons: Sequence[Reason]) -> None:
    """Raise Refused with every reason, if there is one."""
    if reasons:
        raise Refused(status_of(reasons), reasons)
