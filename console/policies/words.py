"""Whether a policy is in force, in words and colour, and what happened to it."""

from collections.abc import Callable

from config.clock import beijing, now
from knowledge.models import Policy
from knowledge.validity import STATUS_NAMES, life_of, status_at

_TONES = {"in_force": "good", "amended": "warn", "not_yet": "warn"}


def validity_words(policy: Policy) -> tuple[str, str]:
    """Words and tone for a policy today, from its dates alone."""
    if policy.state == "proposed":
        return "等待批准", "warn"
    status = status_at(life_of(policy), beijing(now()).date())
    return STATUS_NAMES[status], _TONES.get(status, "stop")


DONE = {
    "policy_approved": "已批准，政策变更已生效。",
    "policy_rejected": "已记录不批准，政策没有变更。",
}
FILTERS: dict[str, Callable[..., tuple[str, str]]] = {"validity": validity_words}
