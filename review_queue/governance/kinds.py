"""How an office governs itself: levels, rules and people, each changed by two people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from gates.rules import RuleSet
from ledger.append import Ledger, Transaction
from review_queue.governance.handovers import AbsenceKind, ResetKind
from review_queue.governance.levels import ApprovedLevels, WorkflowKind, store_definition
from review_queue.governance.rule_changes import ExceptionKind, RuleSetKind, Samples, no_samples
from review_queue.governance.rulesets import RuleSets, rows_of, store_version
from review_queue.governance.staff_changes import StaffKind
from review_queue.workflow import Workflow
from staff.proposals import INIT, Approval, Kind, Proposals
from staff.settings import SettingKind, SignedSettings


@dataclass(frozen=True)
class Governance:
    """What one office approved: levels, rules, settings; and the proposals to change them."""

    levels: ApprovedLevels
    rules: RuleSets
    settings: SignedSettings
    proposals: Proposals

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        samples: Samples = no_samples,
        more: Mapping[str, Kind] | None = None,
        settings: SignedSettings | None = None,
    ) -> Self:
        """`samples` are texts on which rule changes are tried, besides the office's own items.

        `more` are the kinds of other rooms, by name.
        """
        settings = settings or SignedSettings(ledger, ())
        levels, rules = ApprovedLevels(ledger), RuleSets(ledger)
        changes = RuleSetKind(rules, samples)
        kinds: dict[str, Kind] = {
            "workflow": WorkflowKind(levels),
            "ruleset": changes,
            "exception": ExceptionKind(rules, changes),
            "staff": StaffKind(ledger, levels),
            "setting": SettingKind(settings),
            "reset": ResetKind(ledger),
            "absence": AbsenceKind(ledger),
            **(more or {}),
        }
        return cls(levels, rules, settings, Proposals(ledger, kinds))


async def seed(tx: Transaction, flows: Iterable[Workflow], rules: RuleSet) -> None:
    """What an office starts with, as its first approved versions; the genesis entry comes first."""
    start = Approval(0, None, INIT, INIT)
    for flow in flows:
        await store_definition(tx, flow, start)
    await store_version(tx, 1, rows_of(rules), start, "初始规则集")
