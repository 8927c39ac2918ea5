"""Whether a policy is in force, in words and colour, and what happened to it."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from config.clock import beijing, now
from knowledge.altering import clause_name
from knowledge.changes import rows_of
from knowledge.forms import IMPORT
from knowledge.models import Clause, Policy
from knowledge.validity import STATUS_NAMES, Dated, life_of, status_at
from staff.models import Proposal

_TONES = {"in_force": "good", "amended": "warn", "not_yet": "warn"}


def validity_words(policy: Dated) -> tuple[str, str]:
    """Words and tone for a policy today, from its dates alone."""
    if getattr(policy, "state", "") == "proposed":
        return "等待批准", "warn"
    try:
        status = status_at(life_of(policy), beijing(now()).date())
    except ValueError:  # written past this program: the page says so beside it
        return "无法判断", "stop"
    return STATUS_NAMES[status], _TONES.get(status, "stop")


def waiting_imports(changes: Sequence[Proposal]) -> list[Policy]:
    """The documents among changes that wait, as the rows they would become."""
    read = [proposed_rows(one) for one in changes if one.kind == IMPORT]
    return [rows[0] for rows in read if rows is not None]


def proposed_rows(change: Proposal) -> tuple[Policy, list[Clause]] | None:
    """What an import would write; None for a payload that somebody wrote past this program."""
    try:
        return rows_of(json.loads(change.payload), change.proposed_by)
    except (ValueError, KeyError, TypeError):
        return None


DONE = {
    "clause_confirmed": "已确认仍然有效，签名记入台账。",
    "policy_approved": "已批准，政策变更已生效。",
    "policy_rejected": "已记录不批准，政策没有变更。",
    "policy_proposed": "已提出入库，等另一人批准。",
    "policy_put_away": "已记为不入库。",
    "question_added": "已加入核对问题。",
    "entry_withdrawn": "已停用，机器人不再说这一条。",
    "policy_change_proposed": "已提出变更，等另一人批准后生效。",
}
FILTERS: dict[str, Callable[..., Any]] = {
    "validity": validity_words,
    "clause_name": clause_name,
    "stated_name": STATUS_NAMES.get,
}
