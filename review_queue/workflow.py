"""Levels of review as data, and the pure rules that say who may decide what.

Every rule here is data in, data out: pages, API and sender ask the same functions.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785
import yaml

GATES = ("politics", "law", "policy", "secrecy", "wording")
GATE_NAMES = {
    "politics": "政治关",
    "law": "法律关",
    "policy": "政策关",
    "secrecy": "保密关",
    "wording": "文字关",
}
ROLES = {
    "editor": "编辑",
    "reviewer_1": "初审",
    "reviewer_2": "复审",
    "reviewer_3": "终审",
    "secrecy": "保密",
    "admin": "管理员",
    "duty": "值班",
    "supervisor": "监督",
    "auditor": "审计",
}


class WorkflowError(ValueError):
    """A workflow definition that must not run; the text names class, level and remedy."""


@dataclass(frozen=True)
class Reason:
    """Why an action is refused: a rule id for machines, a sentence for people."""

    rule: str
    message: str


class Refused(Exception):
    """An action was refused; `status` is 403 (rule or role), 409 (state, stale), 422 (field)."""

    def __init__(self, status: int, reasons: Sequence[Reason]) -> None:
        """Keep every reason, not only the first."""
        super().__init__("；".join(reason.message for reason in reasons))
        self.status = status
        self.reasons = list(reasons)


@dataclass(frozen=True)
class Level:
    """One step: any holder of one of `roles` may decide, answering at least `gates`."""

    name: str
    roles: tuple[str, ...]
    gates: tuple[str, ...]
    hours: float


@dataclass(frozen=True)
class Workflow:
    """The ordered levels of one class, as frozen into a run at submission."""

    klass: str
    version: int
    levels: tuple[Level, ...]

    def to_json(self) -> dict[str, Any]:
        """The form that is frozen into the item and signed into the ledger."""
        return {
            "klass": self.klass,
            "version": self.version,
            "levels": [
                {
                    "name": level.name,
                    "roles": list(level.roles),
                    "gates": list(level.gates),
                    "hours": level.hours,
                }
                for level in self.levels
            ],
        }

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON."""
        return hashlib.sha256(rfc8785.dumps(self.to_json())).hexdigest()


def read_workflow(klass: str, version: int, data: Mapping[str, Any]) -> Workflow:
    """Check one class's definition and build it; WorkflowError says what is wrong where."""
    rows = data.get("levels")
    if not isinstance(rows, list) or len(rows) < 2:
        raise WorkflowError(f"类别“{klass}”至少要有两级审核：请在 levels 下再加一级")
    levels = tuple(_read_level(klass, row) for row in rows)
    covered = {gate for level in levels for gate in level.gates}
    if missing := [GATE_NAMES[gate] for gate in GATES if gate not in covered]:
        raise WorkflowError(f"类别“{klass}”没有任何一级负责{'、'.join(missing)}")
    if set(levels[-1].gates) != set(GATES):
        raise WorkflowError(f"类别“{klass}”的最后一级“{levels[-1].name}”必须回答全部五关")
    return Workflow(klass, version, levels)


def _read_level(klass: str, row: Any) -> Level:
    try:
        name, roles, gates = str(row["name"]), tuple(row["roles"]), tuple(row["gates"])
        hours = float(row["hours"])
    except (KeyError, TypeError, ValueError) as error:
        raise WorkflowError(
            f"类别“{klass}”有一级缺少或写错字段（需要 name、roles、gates、hours）：{error}"
        ) from error
    if not roles or (unknown := set(roles) - set(ROLES)):
        raise WorkflowError(f"类别“{klass}”的“{name}”角色不对：{'、'.join(unknown) or '空'}")
    if unknown := set(gates) - set(GATES):
        raise WorkflowError(f"类别“{klass}”的“{name}”有不认识的关口：{'、'.join(unknown)}")
    if hours <= 0:
        raise WorkflowError(f"类别“{klass}”的“{name}”时限必须大于零小时")
    return Level(name, roles, gates, hours)


def load_workflows(path: Path) -> dict[str, Workflow]:
    """Every class in a YAML file; WorkflowError names the file and the class."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {
            klass: read_workflow(klass, int(data["version"]), row)
            for klass, row in data["classes"].items()
        }
    except WorkflowError as error:
        raise WorkflowError(f"{path.name}：{error}") from error
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise WorkflowError(f"{path.name}：不是有效的审核级次文件：{error}") from error


def unfillable(
    workflows: Mapping[str, Workflow], staff: Mapping[str, Collection[str]]
) -> list[str]:
    """Sentences naming each class whose levels the present staff (id to roles) cannot fill."""
    return [
        f"类别“{flow.klass}”现有人员无法走完：每一级需要不同的人，最后一级还需要保密角色"
        for flow in workflows.values()
        if not _assignable(flow.levels, staff, frozenset())
    ]


def _assignable(
    levels: Sequence[Level], staff: Mapping[str, Collection[str]], used: frozenset[str]
) -> bool:
    """Whether different people can fill the levels in order (depth-first; offices are small)."""
    if not levels:
        return True
    return any(
        _assignable(levels[1:], staff, used | {person})
        for person, roles in staff.items()
        if person not in used and not level_faults(levels[0], roles)
    )


def level_faults(level: Level, roles: Collection[str]) -> list[Reason]:
    """Why a person with these roles may not decide at this level."""
    faults = []
    if not set(roles) & set(level.roles):
        names = "或".join(ROLES[role] for role in level.roles)
        faults.append(Reason("role", f"{level.name}要由{names}角色的人审核"))
    if "secrecy" in level.gates and "secrecy" not in roles:
        faults.append(Reason("secrecy_role", f"{level.name}要回答保密关，只能由有保密角色的人审核"))
    return faults


def person_faults(
    staff_id: str, author_id: str, last_editor_id: str, earlier: Collection[str]
) -> list[Reason]:
    """Separation of duties: neither author nor last editor, and nobody fills two levels."""
    faults = []
    if staff_id == author_id:
        faults.append(Reason("author", "作者不能审核自己的稿件"))
    if staff_id == last_editor_id and staff_id != author_id:
        faults.append(Reason("last_editor", "最后修改的人不能审核这一稿"))
    if staff_id in earlier:
        faults.append(Reason("two_levels", "同一个人不能审核同一稿件的两级"))
    return faults


def answer_faults(level: Level, gates: Mapping[str, Any], flagged: Collection[str]) -> list[Reason]:
    """What is missing in the gate answers for an approval.

    `gates` maps gate to {"ok": bool, "note": str}; `flagged` are gates with a finding that stands.
    """
    faults = []
    for gate in level.gates:
        answer = gates.get(gate)
        if not isinstance(answer, Mapping) or "ok" not in answer:
            faults.append(Reason("gate_missing", f"还没有回答{GATE_NAMES[gate]}"))
        elif answer["ok"] is not True:
            faults.append(Reason("gate_failed", f"{GATE_NAMES[gate]}有问题，不能批准，请退回"))
        elif gate in flagged and not str(answer.get("note", "")).strip():
            faults.append(Reason("note_missing", f"{GATE_NAMES[gate]}有提示未改，请写明理由"))
    return faults
