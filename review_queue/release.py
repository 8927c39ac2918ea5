"""The one way out: verify a digest's whole chain of decisions, and only then make a Release.

Facts come from signed ledger entries alone; tables are compared with them, never trusted.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bot.contract import NotReleased, Release
from config.clock import beijing, now
from ledger.append import Ledger
from ledger.verify import Broken, Entry
from review_queue.canonical import Draft, digest
from review_queue.models import Decision, Item, ReleaseRow, Revision
from review_queue.staff import roles_at
from review_queue.workflow import (
    Workflow,
    WorkflowError,
    answer_faults,
    level_faults,
    person_faults,
    read_workflow,
)

Recheck = Callable[[Draft], Awaitable[list[str]]]
"""Runs the gates of now (and the source list of now) over a draft; blocking reasons in Chinese."""


@dataclass(frozen=True)
class Chain:
    """The signed facts about one item, and the signed role history of everyone who decided."""

    entries: Sequence[Entry]
    staff: Mapping[str, Sequence[Entry]]


def chain_faults(chain: Chain, wanted: str) -> list[str]:
    """Every reason why `wanted` (a digest) has not passed review, from signed entries only."""
    revisions = [entry for entry in chain.entries if entry.kind == "revision.created"]
    submits = [entry for entry in chain.entries if entry.kind == "item.submitted"]
    if not revisions or revisions[-1].body["digest"] != wanted:
        return ["要发的内容不是这一稿件最后一次修改的内容，需要重新审核"]
    if not submits or submits[-1].body["digest"] != wanted:
        return ["这一稿没有提交审核的记录"]
    faults = []
    if any(entry.kind == "item.recalled" for entry in chain.entries):
        faults.append("这一稿件已被撤回")
    try:
        body = submits[-1].body["workflow"]
        flow = read_workflow(body["klass"], body["version"], body)
    except WorkflowError as error:
        return [*faults, f"审核级次无效：{error}"]
    decisions = [
        entry for entry in chain.entries if entry.kind == "decision" and entry.seq > submits[-1].seq
    ]
    author, editor = revisions[0].actor, revisions[-1].actor
    return faults + _decision_faults(chain, flow, decisions, (author, editor, wanted))


def _decision_faults(
    chain: Chain, flow: Workflow, decisions: Sequence[Entry], who: tuple[str, str, str]
) -> list[str]:
    author, editor, wanted = who
    faults: list[str] = []
    deciders: list[str] = []
    for index, level in enumerate(flow.levels):
        if index >= len(decisions):
            faults.append(f"缺少{level.name}的批准")
            continue
        entry = decisions[index]
        name = f"{level.name}（台账第 {entry.seq} 条）"
        if entry.body["level"] != index or entry.body["digest"] != wanted:
            faults.append(f"{name}批准的不是这一级或不是这份内容")
        if entry.body["verdict"] != "approve":
            faults.append(f"{name}的结论不是批准")
        roles = roles_at(chain.staff.get(entry.actor, ()), entry.seq)
        reasons = level_faults(level, roles)
        reasons += person_faults(entry.actor, author, editor, deciders)
        reasons += answer_faults(level, entry.body["gates"], ())
        faults += [f"{name}：{reason.message}" for reason in reasons]
        deciders.append(entry.actor)
    if len(decisions) > len(flow.levels):
        faults.append("最后一级之后又有审核结论，需要重新提交")
    return faults


class Releases:
    """Makes and verifies releases. `verify` is what every sender calls, each time."""

    def __init__(self, ledger: Ledger, recheck: Recheck) -> None:
        """`recheck` is run at every verification."""
        self._ledger = ledger
        self._recheck = recheck

    async def chain(self, item_id: str) -> Chain:
        """The signed facts about an item; raises ledger.verify.Broken."""
        entries = await self._ledger.facts(f"item:{item_id}")
        people = {entry.actor for entry in entries if entry.kind == "decision"}
        about = await self._ledger.facts_of([f"staff:{person}" for person in sorted(people)])
        return Chain(entries, {name.removeprefix("staff:"): found for name, found in about.items()})

    async def verify(self, release_id: str) -> Release:
        """The release, proved at this moment; NotReleased names every broken link.

        The broken links also open an incident, and this item alone is stopped.
        """
        item_id, reasons, release = await self._prove(release_id)
        if release is not None and not reasons:
            return release
        await self._ledger.open_incident(
            "release_refused",
            subject=f"item:{item_id}",
            message=f"发送前核验未通过，已停止发送：{'；'.join(reasons)}",
            detail={"release": release_id, "reasons": reasons},
        )
        raise NotReleased(reasons)

    async def _prove(self, release_id: str) -> tuple[str, list[str], Release | None]:
        async with self._ledger.db.session() as session:
            row = await session.get(ReleaseRow, release_id)
            if row is None:
                return release_id, ["没有这一放行记录"], None
            item = await session.get(Item, row.item_id)
            query = select(Revision).where(Revision.item_id == row.item_id)
            revisions = (await session.scalars(query.order_by(Revision.number))).all()
            decided = select(Decision).where(Decision.item_id == row.item_id)
            decisions = (await session.scalars(decided)).all()
        try:
            chain = await self.chain(row.item_id)
        except Broken as broken:
            return row.item_id, [str(broken)], None
        signed = [
            entry
            for entry in chain.entries
            if entry.kind == "release.created" and entry.body["release"] == release_id
        ]
        if not signed:
            return row.item_id, ["放行记录没有签名的台账依据"], None
        wanted = str(signed[-1].body["digest"])
        reasons = _table_faults(row, item, decisions, chain, wanted)
        reasons += chain_faults(chain, wanted)
        text = revisions[-1].canonical if revisions else ""
        if digest(text) != wanted:
            reasons.append("稿件内容与审核通过的摘要不符，内容被改动过")
            return row.item_id, reasons, None
        draft = Draft.from_canonical(text)
        reasons += window_faults(draft, now())
        reasons += await self._recheck(draft)
        return row.item_id, reasons, _release(row, text, draft)


def window_faults(draft: Draft, moment: datetime) -> list[str]:
    """Whether `moment` lies in the approved window."""
    if moment < draft.not_before:
        return [f"还没到审核通过的最早发布时间 {beijing(draft.not_before):%m月%d日 %H:%M}"]
    if moment > draft.not_after:
        return [f"已过审核通过的最晚发布时间 {beijing(draft.not_after):%m月%d日 %H:%M}"]
    return []


def _table_faults(
    row: ReleaseRow,
    item: Item | None,
    decisions: Sequence[Decision],
    chain: Chain,
    wanted: str,
) -> list[str]:
    """Where the tables say something else than the signed entries they were written from."""
    faults = []
    if item is None or row.digest != wanted:
        faults.append("放行记录与台账不符，数据库被改动过")
    signed = {entry.seq: entry for entry in chain.entries if entry.kind == "decision"}
    stored = {decision.ledger_seq: decision for decision in decisions}
    for seq, entry in signed.items():
        decision = stored.get(seq)
        if decision is None:
            faults.append(f"台账第 {seq} 条的审核结论在数据库中被删除")
        elif (
            decision.staff_id != entry.actor
            or decision.digest != entry.body["digest"]
            or decision.level != entry.body["level"]
            or decision.verdict != entry.body["verdict"]
        ):
            faults.append(f"台账第 {seq} 条的审核结论在数据库中被改动")
    if extra := set(stored) - set(signed):
        faults.append(f"数据库中有 {len(extra)} 条审核结论没有签名的台账依据")
    return faults


def _release(row: ReleaseRow, text: str, draft: Draft) -> Release:
    return Release(
        id=row.id,
        item_id=row.item_id,
        digest=digest(text),
        title=draft.title,
        renderings=json.loads(text)["renderings"],
        audience=draft.audience,
        not_before=draft.not_before,
        not_after=draft.not_after,
    )
