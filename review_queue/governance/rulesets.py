"""Rule sets by version: which one is in force, proved by its signed entry, compiled once.

What is in force is the last signed `rules.approved`; the table only keeps its text.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from gates.rules import RuleError, RuleSet
from gates.work import InThread, Runner
from ledger.append import Ledger, Transaction
from ledger.following import head_of
from ledger.models import LedgerEntry
from ledger.verify import Broken
from review_queue.governance.models import RuleFeedback, RuleSetRow
from review_queue.models import Item
from staff.proposals import Approval
from staff.proposed import digest_of, seal
from staff.refusal import Reason, Refused
from storage.database import new_id

SUBJECT = "rules"
Row = Mapping[str, Any]
_HEAD = select(func.max(LedgerEntry.seq))
_STILL = select(
    _HEAD.scalar_subquery(),
    select(RuleSetRow.body == bindparam("text"))
    .where(RuleSetRow.version == bindparam("version"))
    .scalar_subquery(),
)
"""Number of the newest entry of all, and whether a version's text is still the one given."""


def _body_of(version: int) -> Select[str]:
    return select(RuleSetRow.body).where(RuleSetRow.version == version)


@dataclass(frozen=True)
class ActiveSet:
    """One approved version, compiled. `seq` is the signed entry that put it in force."""

    version: int
    digest: str
    seq: int
    rows: tuple[Row, ...]
    rules: RuleSet

    def row(self, rule_id: str) -> Row | None:
        """One rule's row, or None."""
        return next((row for row in self.rows if row["id"] == rule_id), None)


def rows_of(rules: RuleSet) -> list[Row]:
    """The rows of a set in the form that is stored and compared."""
    return [rule.model_dump(mode="json", exclude_defaults=True) for rule in rules.rules]


def seal_version(version: int, rows: Sequence[Row]) -> tuple[str, str]:
    """The stored text of a version and its digest, which thus names one version only."""
    return seal({"version": version, "rows": [dict(row) for row in rows]})


async def store_version(
    tx: Transaction, version: int, rows: Sequence[Row], approval: Approval, summary: str
) -> str:
    """Keep a version and sign it: from the commit on it is the one in force. Its digest."""
    body, digest = seal_version(version, rows)
    tx.session.add(
        RuleSetRow(
            version=version,
            digest=digest,
            body=body,
            summary=summary,
            proposal_id=approval.proposal_id,
            proposed_by=approval.proposed_by,
            approved_by=approval.approved_by,
            approved_seq=approval.seq,
            approved_at=now(),
        )
    )
    await tx.append(
        "rules.approved",
        subject=SUBJECT,
        actor=approval.approved_by,
        body={"version": version, "digest": digest, "proposal": approval.proposal_id},
    )
    return digest


class RuleSets:
    """The versions of one office. Several processes agree: the ledger is asked at each use."""

    def __init__(self, ledger: Ledger) -> None:
        """Nothing is read before the first use."""
        self.ledger = ledger
        self.runner: Runner = InThread()  # where changed rules are tried
        self.trying = asyncio.Semaphore(1)  # one at a time: the checks of texts share the place
        self._held: ActiveSet | None = None
        self._head = -1  # newest entry of all up to which `_held` is known to be in force
        self._text = ""  # the stored text that was proved last
        self._loading = asyncio.Lock()

    async def active(self) -> ActiveSet:
        """The set in force, compiled once per version; one small query when nothing changed.

        Refused 409, with an incident, when its stored text is not what was approved.
        """
        return await self._in_force(await self.ledger.db.read(head_of))

    async def proved(self) -> ActiveSet:
        """The same with the stored text compared once more: what the sender asks."""
        known_to_be = self._held or await self.active()
        known = {"version": known_to_be.version, "text": self._text}
        head, same = await self.ledger.db.read(
            lambda session: tuple(session.execute(_STILL, known).one())
        )
        held = await self._in_force(head)
        # The very text that was proved before needs no digest, and need not even be read.
        if same and held is known_to_be:
            return held
        body = await self._body(held.version)
        if body is None or digest_of(body) != held.digest:
            raise await self._tampered(held.version)
        self._text = body
        return held

    async def held(self, session: AsyncSession) -> ActiveSet:
        """The set `active` gave last, inside a transaction; Refused 409 when overtaken since."""
        if self._held is not None and self._head == await session.scalar(_HEAD):
            return self._held
        if self._held is None or self._held.seq != (await self._approved())[-1].seq:
            raise Refused(409, [Reason("overtaken", "规则集刚刚有了新的一版，请重试")])
        return self._held

    async def version(self, number: int) -> list[Row]:
        """The rows of an approved version, proved; Refused 404 or 409, with an incident."""
        signed = {entry.body["version"]: entry for entry in await self._approved()}
        if number not in signed:
            raise Refused(404, [Reason("version", f"没有第 {number} 版规则集")])
        rows = _rows_in(await self._body(number), signed[number].body["digest"])
        if rows is None:
            raise await self._tampered(number)
        return rows

    async def version_in(self, session: AsyncSession, number: int) -> list[Row]:
        """The same inside a transaction, which must not open incidents."""
        signed = {entry.body["version"]: entry for entry in await self._approved()}
        row = await session.get(RuleSetRow, number, populate_existing=True)
        rows = _rows_in(row.body if row else None, signed[number].body["digest"])
        if rows is None:
            raise Refused(409, [_changed_by_sql(number)])
        return rows

    async def history(self) -> Sequence[RuleSetRow]:
        """Every version, newest first."""
        async with self.ledger.db.session() as session:
            query = select(RuleSetRow).order_by(RuleSetRow.version.desc())
            return (await session.scalars(query)).all()

    async def rule_history(self, rule_id: str) -> list[tuple[RuleSetRow, Row | None]]:
        """The versions in which a rule changed, newest first, with its row from then on."""
        changed: list[tuple[RuleSetRow, Row | None]] = []
        before: Row | None = None
        for version in reversed(await self.history()):
            rows = json.loads(version.body)["rows"]
            row = next((row for row in rows if row["id"] == rule_id), None)
            if row != before:
                changed.append((version, row))
            before = row
        return changed[::-1]

    async def version_of(self, digest: str) -> int | None:
        """The version with this digest, as a decision or a release recorded it."""
        async with self.ledger.db.session() as session:
            query = select(RuleSetRow.version).where(RuleSetRow.digest == digest)
            return (await session.scalars(query)).first()

    async def _in_force(self, head: int) -> ActiveSet:
        """The set in force when `head` was the newest entry of all."""
        held = self._held
        # Not the newest about the rules: the column that says so carries no signature.
        if held is not None and self._head == head:
            return held
        async with self._loading:
            if self._held is None or self._held.seq != await self._newest():
                self._held = await self._load()
            self._head = head
            return self._held

    async def _newest(self) -> int:
        try:
            return (await self.ledger.newest_of([SUBJECT]))[SUBJECT]
        except Broken as broken:
            raise _unsure(broken) from broken

    async def _body(self, version: int) -> str | None:
        async with self.ledger.db.session() as session:
            return await session.scalar(_body_of(version))

    async def _approved(self) -> list[Any]:
        try:
            entries = await self.ledger.facts(SUBJECT)
        except Broken as broken:
            raise _unsure(broken) from broken
        approved = [entry for entry in entries if entry.kind == "rules.approved"]
        if not approved:
            raise Refused(409, [Reason("rules", "还没有批准过的规则集：请先运行 shenfa init")])
        return approved

    async def _load(self) -> ActiveSet:
        entry = (await self._approved())[-1]
        number, digest = entry.body["version"], entry.body["digest"]
        rows = _rows_in(await self._body(number), digest)
        if rows is None:
            raise await self._tampered(number)
        try:
            rules = await asyncio.to_thread(RuleSet.load, rows)
        except RuleError as error:
            words = f"第 {number} 版规则集不能使用：{error}"
            raise Refused(409, [Reason("rules", words)]) from error
        return ActiveSet(number, digest, entry.seq, tuple(rows), rules)

    async def _tampered(self, version: int) -> Refused:
        reason = _changed_by_sql(version)
        await self.ledger.open_incident(
            "ruleset_tampered",
            subject=f"ruleset:{version}",
            message=f"已停止检查和发送：{reason.message}",
            detail={"version": version},
        )
        return Refused(409, [reason])


def _unsure(broken: Broken) -> Refused:
    return Refused(409, [Reason("ledger", f"台账核验不通过，规则集无法确认：{broken}")])


def _rows_in(body: str | None, digest: str) -> list[Row] | None:
    """The rows of a stored text, or None when it is not the one that was signed."""
    if body is None or digest_of(body) != digest:
        return None
    rows: list[Row] = json.loads(body)["rows"]
    return rows


def _changed_by_sql(version: int) -> Reason:
    words = f"第 {version} 版规则集在数据库中被改动，与批准时签名的摘要不符"
    return Reason("tampered", f"{words}，请从备份恢复这一版")


async def report_false_alarm(
    ledger: Ledger, rule: str, item_id: str, by: str, text: str = ""
) -> None:
    """Count a finding of `rule` on an item as a false alarm; the same person counts once."""
    if not rule.strip() or len(rule) > 80:
        raise Refused(422, [Reason("rule", "请写明是哪条规则")])
    try:
        async with ledger.db.session() as session:
            if await session.get(Item, item_id) is None:
                raise Refused(404, [Reason("item", "没有这篇稿件")])
            session.add(
                RuleFeedback(
                    id=new_id(), rule=rule, item_id=item_id, staff_id=by, text=text[:200], at=now()
                )
            )
    except IntegrityError:
        return


async def feedback_counts(ledger: Ledger) -> dict[str, int]:
    """How many false alarms were reported per rule."""
    query = select(RuleFeedback.rule, func.count()).group_by(RuleFeedback.rule)
    async with ledger.db.session() as session:
        return {row[0]: row[1] for row in (await session.execute(query)).all()}
