"""The approved levels of review, proved by their signed entries; changed by two people.

A class's newest signed `workflow.approved` is in force for what is submitted from then on; a run
that is under way keeps the levels it was submitted with.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from config.clock import now
from ledger.append import Ledger, Transaction
from ledger.following import head_of
from ledger.verify import Broken, Entry
from review_queue.governance.models import WorkflowRow
from review_queue.workflow import GATE_NAMES, Workflow, WorkflowError, read_workflow, unfillable
from staff.models import Staff
from staff.proposals import Approval
from staff.proposed import digest_of, seal
from staff.refusal import Reason, Refused
from staff.roles import ROLES

SUBJECT = "workflows"
_NAME = 6


async def store_definition(tx: Transaction, flow: Workflow, approval: Approval) -> None:
    """Keep a class's definition and sign it: from the commit on it is the one in force."""
    body, digest = seal(flow.to_json())
    tx.session.add(
        WorkflowRow(
            klass=flow.klass,
            version=flow.version,
            body=body,
            digest=digest,
            proposal_id=approval.proposal_id,
            proposed_by=approval.proposed_by,
            approved_by=approval.approved_by,
            approved_seq=approval.seq,
            approved_at=now(),
        )
    )
    await tx.append(
        "workflow.approved",
        subject=SUBJECT,
        actor=approval.approved_by,
        body={"klass": flow.klass, "version": flow.version, "digest": digest},
    )


class ApprovedLevels(Mapping[str, Workflow]):
    """Class to levels, as approved; `refresh` before use keeps several processes together."""

    def __init__(self, ledger: Ledger) -> None:
        """Empty until the first `refresh`."""
        self.ledger = ledger
        self._head = -1
        self._flows: dict[str, Workflow] = {}
        self._loading = asyncio.Lock()

    def __getitem__(self, klass: str) -> Workflow:
        """The levels of a class."""
        return self._flows[klass]

    def __iter__(self) -> Iterator[str]:
        """The classes in the order they were first approved."""
        return iter(self._flows)

    def __len__(self) -> int:
        """How many classes there are."""
        return len(self._flows)

    async def refresh(self) -> None:
        """Read what was approved since; one small query when nothing was.

        A class whose stored definition is not what was signed is left out, with an incident: the
        others go on.
        """
        # The newest entry of all: the column that names a subject carries no signature.
        head = await self.ledger.db.read(head_of)
        if head == self._head:
            return
        async with self._loading:
            newest: dict[str, Entry] = {}
            for entry in await self._approved():
                newest[entry.body["klass"]] = entry
            flows = {klass: await self._read(entry) for klass, entry in newest.items()}
            self._flows = {klass: flow for klass, flow in flows.items() if flow is not None}
            if len(self._flows) == len(flows):
                self._head = head

    async def _approved(self) -> list[Entry]:
        try:
            entries = await self.ledger.facts(SUBJECT)
        except Broken as broken:
            words = f"台账核验不通过，审核级次无法确认：{broken}"
            raise Refused(409, [Reason("ledger", words)]) from broken
        return [entry for entry in entries if entry.kind == "workflow.approved"]

    async def _read(self, entry: Entry) -> Workflow | None:
        klass, version = entry.body["klass"], entry.body["version"]
        async with self.ledger.db.session() as session:
            row = await session.get(WorkflowRow, (klass, version))
        try:
            if row is None or digest_of(row.body) != entry.body["digest"]:
                raise WorkflowError("与批准时签名的摘要不符，数据库被改动过")
            return read_workflow(klass, version, json.loads(row.body))
        except WorkflowError as error:
            await self.ledger.open_incident(
                "workflow_tampered",
                subject=f"workflow:{klass}",
                message=f"类别“{klass}”第 {version} 版审核级次不能使用，暂停提交：{error}",
                detail={"klass": klass, "version": version},
            )
            return None

    async def history(self, klass: str) -> Sequence[WorkflowRow]:
        """Every version of a class's definition, newest first."""
        query = select(WorkflowRow).where(WorkflowRow.klass == klass)
        async with self.ledger.db.session() as session:
            return (await session.scalars(query.order_by(WorkflowRow.version.desc()))).all()

    async def unfilled(self, changed: Workflow | None = None) -> list[str]:
        """Which classes the present staff cannot fill, `changed` taken in place of its class."""
        flows = {**self, **({changed.klass: changed} if changed else {})}
        query = select(Staff.id, Staff.roles).where(Staff.active.is_(True))
        async with self.ledger.db.session() as session:
            staff = {row.id: row.roles for row in (await session.execute(query)).all()}
        return unfillable(flows, staff)


class WorkflowKind:
    """{klass, levels, parallel, kinds}: the whole definition of one class."""

    label = "审核级次变更"
    proposers = frozenset({"admin"})

    def __init__(self, levels: ApprovedLevels) -> None:
        """The definitions in force."""
        self._levels = levels

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The class."""
        return f"workflow:{payload['klass']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The next version of the class, in the form that is signed."""
        await self._levels.refresh()
        klass = str(payload.get("klass", "")).strip()
        if not 0 < len(klass) <= _NAME:
            raise Refused(422, [Reason("klass", f"klass 要写类别名称，最多 {_NAME} 个字")])
        before = await self._levels.history(klass)
        version = before[0].version + 1 if before else 1
        if payload.get("version", version) != version:
            words = f"类别“{klass}”在提出之后又有变化：请收回后按新的级次重新提出"
            raise Refused(409, [Reason("overtaken", words)])
        try:
            flow = read_workflow(klass, version, payload)
        except WorkflowError as error:
            raise Refused(422, [Reason("levels", str(error))]) from error
        old = self._levels.get(klass)
        if old is not None and _content(old) == _content(flow):
            raise Refused(422, [Reason("levels", f"类别“{klass}”的级次没有变化")])
        return flow.to_json()

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Levels before and after, and which classes nobody could carry through."""
        flow = read_workflow(payload["klass"], payload["version"], payload)
        old = self._levels.get(flow.klass)
        head = {"sign": "~", "text": f"类别“{flow.klass}”由第 {flow.version} 版级次审核"}
        lines = _lines(old, flow)
        return {
            "changes": [head, *lines],
            "warnings": await self._levels.unfilled(flow),
            "note": "正在审核的稿件仍按提交时的级次走完，之后提交的按新的级次。",
        }

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """In force for what is submitted from the commit on."""
        if await tx.session.get(WorkflowRow, (payload["klass"], payload["version"])) is not None:
            raise Refused(409, [Reason("overtaken", "这一类的级次刚刚有变化，请重新提出")])
        flow = read_workflow(payload["klass"], payload["version"], payload)
        await store_definition(tx, flow, approval)
        return {"klass": flow.klass, "version": flow.version}


def _content(flow: Workflow) -> Mapping[str, Any]:
    return {name: value for name, value in flow.to_json().items() if name != "version"}


def _lines(old: Workflow | None, new: Workflow) -> list[dict[str, str]]:
    """What each group of levels was and becomes: the class itself, then each kind of its own."""
    was, becomes = (old.to_json() if old else {}), new.to_json()
    lines = []
    if was.get("parallel", False) != becomes.get("parallel", False):
        words = "各级同时审核" if becomes.get("parallel") else "各级依次审核"
        lines.append({"sign": "~", "text": words})
    for kind in dict.fromkeys(["", *was.get("kinds", ()), *becomes.get("kinds", ())]):
        before, after = _level_words(was, kind), _level_words(becomes, kind)
        where = f"{kind}：" if kind else ""
        lines += [{"sign": "-", "text": where + words} for words in before if words not in after]
        lines += [{"sign": "+", "text": where + words} for words in after if words not in before]
    return lines


def _level_words(flow: Mapping[str, Any], kind: str) -> list[str]:
    rows = flow.get("kinds", {}).get(kind, {}) if kind else flow
    levels = rows.get("levels", ())
    return [f"第 {number} 级 {level_words(level)}" for number, level in enumerate(levels, 1)]


def level_words(level: Mapping[str, Any]) -> str:
    """One level, in the form that is signed, as a line of words."""
    quorum, later = level.get("quorum", 1), level.get("substitutes", ())
    parts = [
        f"{'或'.join(ROLES[role] for role in level['roles'])}角色",
        f"{quorum} 人" if quorum > 1 else "",
        f"{level['hours']:g} 小时内",
        f"回答{'、'.join(GATE_NAMES[gate] for gate in level['gates'])}",
        f"超时后可由{'、'.join(ROLES[role] for role in later)}代审" if later else "",
        "记一次校对" if level.get("proof") else "",
        "须用通行密钥" if level.get("passkey") else "",
    ]
    return f"{level['name']}：{'，'.join(part for part in parts if part)}"
