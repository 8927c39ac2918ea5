"""Levels of review as data, and the pure rules that say who may decide what.

Every rule here is data in, data out: pages, API and sender ask the same functions.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import rfc8785
import yaml

from config.faults import Fault
from review_queue.canonical import KINDS
from staff.refusal import Reason
from staff.roles import REVIEWERS, ROLES

GATES = ("politics", "law", "policy", "secrecy", "wording")
GATE_NAMES = {
    "politics": "政治关",
    "law": "法律关",
    "policy": "政策关",
    "secrecy": "保密关",
    "wording": "文字关",
}

EMERGENCY = "应急"


class WorkflowError(Fault, ValueError):
    """A workflow definition that must not run; the text names class, level and remedy."""


@dataclass(frozen=True)
class Level:
    """One step: `quorum` different holders of one of `roles` approve, each answering `gates`.

    `substitutes` are roles that may decide once the level is overdue. With `proof` a decision
    records one proof-reading round; with `passkey` it is signed on the reviewer's own device.
    """

    name: str
    roles: tuple[str, ...]
    gates: tuple[str, ...]
    hours: float
    quorum: int = 1
    substitutes: tuple[str, ...] = ()
    proof: bool = False
    passkey: bool = False

    def to_json(self) -> dict[str, Any]:
        """What is signed; defaults are left out, so that older definitions keep their digest."""
        row: dict[str, Any] = {
            "name": self.name,
            "roles": list(self.roles),
            "gates": list(self.gates),
            "hours": self.hours,
        }
        extra = {
            "quorum": self.quorum if self.quorum != 1 else None,
            "substitutes": list(self.substitutes),
            "proof": self.proof,
            "passkey": self.passkey,
        }
        return row | {name: value for name, value in extra.items() if value}


@dataclass(frozen=True)
class Workflow:
    """The levels of one class: in order, or all at once when `parallel` (应急).

    `kinds` holds other levels for single kinds of item. The whole definition has one digest,
    is approved as a whole and is signed as a whole into every run.
    """

    klass: str
    version: int
    levels: tuple[Level, ...]
    parallel: bool = False
    kinds: Mapping[str, tuple[Level, ...]] = field(default_factory=dict)

    def for_kind(self, kind: str) -> "Workflow":
        """The levels an item of this kind goes through, without the other kinds."""
        return replace(self, levels=self.kinds.get(kind, self.levels), kinds={})

    def to_json(self) -> dict[str, Any]:
        """The form that is frozen into a run and signed into the ledger."""
        data: dict[str, Any] = {
            "klass": self.klass,
            "version": self.version,
            "levels": [level.to_json() for level in self.levels],
        }
        if self.parallel:
            data["parallel"] = True
        if self.kinds:
            data["kinds"] = {
                kind: {"levels": [level.to_json() for level in levels]}
                for kind, levels in self.kinds.items()
            }
        return data

    @property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON."""
        return hashlib.sha256(rfc8785.dumps(self.to_json())).hexdigest()


def after_emergency(flow: Workflow) -> Workflow:
    """The levels of the normal class that follow the two of 应急 (the last one, of only two)."""
    # 应急 has two levels of its own; a class that has only two is still looked at once more
    # afterwards.
    return Workflow(flow.klass, flow.version, flow.levels[2:] or flow.levels[-1:])


_CLASS_FIELDS = frozenset({"klass", "version", "levels", "parallel", "kinds"})
_LEVEL_FIELDS = frozenset(
    {"name", "roles", "gates", "hours", "quorum", "substitutes", "proof", "passkey"}
)


def read_workflow(klass: str, version: int, data: Mapping[str, Any]) -> Workflow:
    """Check one class's definition and build it; WorkflowError says what is wrong where.

    Reads what people write and what `to_json` froze, of this and of earlier versions.
    """
    if unknown := set(data) - _CLASS_FIELDS:
        raise WorkflowError(f"类别“{klass}”有不认识的字段：{'、'.join(sorted(unknown))}")
    parallel = _flag(data, "parallel", f"类别“{klass}”")
    if parallel and klass != EMERGENCY:
        raise WorkflowError(f"类别“{klass}”不能同时审核（parallel），只有应急可以")
    kinds = data.get("kinds") or {}
    if not isinstance(kinds, Mapping) or (unknown := set(kinds) - set(KINDS)):
        raise WorkflowError(f"类别“{klass}”的 kinds 只能写稿件种类：{'、'.join(KINDS)}")
    return Workflow(
        klass=klass,
        version=version,
        levels=_read_levels(f"类别“{klass}”", data),
        parallel=parallel,
        kinds={kind: _read_levels(f"类别“{klass}”的{kind}", row) for kind, row in kinds.items()},
    )


def _read_levels(where: str, data: Any) -> tuple[Level, ...]:
    rows = data.get("levels") if isinstance(data, Mapping) else None
    if not isinstance(rows, list) or len(rows) < 2:
        raise WorkflowError(f"{where}至少要有两级审核：请在 levels 下再加一级")
    levels = tuple(_read_level(where, row) for row in rows)
    names = [level.name for level in levels]
    if twice := {name for name in names if names.count(name) > 1}:
        raise WorkflowError(f"{where}有两级同名：{'、'.join(sorted(twice))}")
    covered = {gate for level in levels for gate in level.gates}
    if missing := [GATE_NAMES[gate] for gate in GATES if gate not in covered]:
        raise WorkflowError(f"{where}没有任何一级负责{'、'.join(missing)}")
    if set(levels[-1].gates) != set(GATES):
        raise WorkflowError(f"{where}的最后一级“{levels[-1].name}”必须回答全部五关")
    return levels


def _read_level(where: str, row: Any) -> Level:
    try:
        level = Level(
            name=str(row["name"]).strip(),
            roles=_words(row["roles"]),
            gates=_words(row["gates"]),
            hours=float(row["hours"]),
            quorum=int(row.get("quorum", 1)),
            substitutes=_words(row.get("substitutes", [])),
            proof=_flag(row, "proof", where),
            passkey=_flag(row, "passkey", where),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, WorkflowError):
            raise
        raise WorkflowError(
            f"{where}有一级缺少或写错字段（需要 name、roles、gates、hours）：{error}"
        ) from error
    for fault in _level_data_faults(level, row):
        raise WorkflowError(f"{where}的“{level.name}”{fault}")
    return level


def _level_data_faults(level: Level, row: Mapping[str, Any]) -> Iterator[str]:
    if unknown := set(row) - _LEVEL_FIELDS:
        yield f"有不认识的字段：{'、'.join(sorted(unknown))}"
    if not level.name:
        yield "没有名称"
    if not level.roles or (unknown := set(level.roles) - set(ROLES)):
        yield f"角色不对：{'、'.join(sorted(set(level.roles) - set(ROLES))) or '空'}"
    if unknown := set(level.substitutes) - set(ROLES):
        yield f"候补角色不对：{'、'.join(sorted(unknown))}"
    if barred := (set(level.roles) | set(level.substitutes)) - REVIEWERS:
        yield f"不能由{'、'.join(ROLES[role] for role in sorted(barred))}审核"
    if unknown := set(level.gates) - set(GATES):
        yield f"有不认识的关口：{'、'.join(sorted(unknown))}"
    if not level.gates:
        yield "没有要回答的关口"
    if not 0 < level.hours < 24 * 366:
        yield "时限必须大于零小时、小于一年"
    if not 1 <= level.quorum <= 9:
        yield "人数 quorum 必须是 1 到 9"


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise TypeError(f"“{value}”应当是列表")
    return tuple(str(word) for word in value)


def _flag(row: Mapping[str, Any], name: str, where: str) -> bool:
    value = row.get(name, False)
    if not isinstance(value, bool):
        raise WorkflowError(f"{where}的 {name} 只能写 true 或 false")
    return value


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
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise WorkflowError(f"{path.name}：不是有效的审核级次文件：{error}") from error


def unfillable(
    workflows: Mapping[str, Workflow], staff: Mapping[str, Collection[str]]
) -> list[str]:
    """Sentences naming each class whose levels the present staff (id to roles) cannot fill.

    Every approval of every level (its quorum too) needs a person of its own.
    """
    sentences = []
    for flow in workflows.values():
        for kind in ("", *flow.kinds):
            levels = flow.for_kind(kind).levels
            seats = [level for level in levels for _ in range(level.quorum)]
            if not _assignable(seats, staff):
                label = f"类别“{flow.klass}”{f'的{kind}' if kind else ''}"
                sentences.append(
                    f"{label}现有人员无法走完：{'、'.join(level.name for level in levels)}共要"
                    f" {len(seats)} 个不同的人，回答保密关的还要有保密角色"
                )
    return sentences


def _assignable(seats: Sequence[Level], staff: Mapping[str, Collection[str]]) -> bool:
    """Whether each seat finds a person of its own (augmenting paths over a bipartite graph)."""
    taken: dict[str, int] = {}

    def find(seat: int, tried: set[str]) -> bool:
        for person, roles in staff.items():
            if person in tried or level_faults(seats[seat], roles):
                continue
            tried.add(person)
            if person not in taken or find(taken[person], tried):
                taken[person] = seat
                return True
        return False

    return all(find(seat, set()) for seat in range(len(seats)))


def level_faults(level: Level, roles: Collection[str]) -> list[Reason]:
    """Why a person with these roles may not decide at this level."""
    faults = []
    if not set(roles) & set(level.roles):
        names = "或".join(ROLES[role] for role in level.roles)
        faults.append(Reason("role", f"{level.name}要由{names}角色的人审核"))
    if "secrecy" in level.gates and "secrecy" not in roles:
        faults.append(Reason("secrecy_role", f"{level.name}要回答保密关，只能由有保密角色的人审核"))
    return faults


OVERDUE = "overdue"
"""`in_place_of` of a decision taken by the next in line after the deadline."""


@dataclass(frozen=True)
class Standing:
    """What one person may act as at one moment.

    `stands_in` maps each absent person they substitute to that person's roles; `overdue` says
    that the level's deadline has passed, so that the next in line may act.
    """

    roles: frozenset[str]
    stands_in: Mapping[str, frozenset[str]] = field(default_factory=dict)
    overdue: bool = False


def eligible(level: Level, standing: Standing) -> tuple[str, list[Reason]]:
    """In whose place a person may decide at a level ("" in their own), or why they may not.

    The secrecy gate is always answered by somebody who holds the secrecy role themselves.
    """
    own = level_faults(level, standing.roles)
    if not own:
        return "", []
    keeps_secrets = "secrecy" not in level.gates or "secrecy" in standing.roles
    if keeps_secrets:
        for absent, roles in sorted(standing.stands_in.items()):
            if set(roles) & set(level.roles):
                return absent, []
        if standing.overdue and set(standing.roles) & set(level.substitutes):
            return OVERDUE, []
    return "", own


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


def form_faults(
    level: Level,
    form: Mapping[str, Any],
    flagged: Collection[str],
    attachments: Mapping[str, str],
) -> list[Reason]:
    """Everything missing in an approval: gates, secrecy per attachment, proof round, passkey.

    `form` has the shape of a signed decision; `attachments` maps sha256 marker to name.
    """
    faults = answer_faults(level, form.get("gates") or {}, flagged)
    answers = form.get("attachments") or {}
    for marker, name in attachments.items() if "secrecy" in level.gates else ():
        if marker not in answers:
            faults.append(Reason("attachment_missing", f"附件“{name}”还没有逐件回答保密关"))
        elif answers[marker] is not True:
            faults.append(
                Reason("attachment_failed", f"附件“{name}”保密关有问题，不能批准，请退回")
            )
    if level.proof and form.get("proof") is not True:
        faults.append(Reason("proof", f"{level.name}要做一次校对：校对完请勾选“已完成本次校对”"))
    if level.passkey and not form.get("passkey"):
        faults.append(Reason("passkey", f"{level.name}要用审核人自己的通行密钥签名"))
    return faults
