"""Items from draft to release: create, edit, submit, claim, decide, schedule, recall.

Every refusal carries all reasons at once; pages and API ask `why_not` for the same list.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Content, State
from bot.models import Account, Delivery, Publication
from config.clock import now
from ledger.append import Ledger, Transaction
from review_queue.canonical import KINDS, Draft, canonical, digest
from review_queue.levels import ApprovedLevels
from review_queue.models import Decision, GateRun, Item, ReleaseRow, Revision, Staff
from review_queue.release import window_faults
from review_queue.workflow import (
    GATE_NAMES,
    Level,
    Reason,
    Refused,
    Workflow,
    answer_faults,
    level_faults,
    person_faults,
)
from storage.database import new_id

ROBOT = "robot"
CLAIM = timedelta(minutes=20)
WINDOW = timedelta(days=30)
STATES = {
    "draft": "草稿",
    "review": "审核中",
    "approved": "已通过审核",
    "scheduled": "已安排发布",
    "published": "已发布",
    "recalled": "已撤回",
    "quarantined": "已隔离",
}

Render = Callable[[Sequence[Account], Content], tuple[dict[str, dict[str, Any]], list[str]]]
"""Accounts and content in; one rendering per account id, and every platform limit broken."""

Check = Callable[[Draft], Awaitable[tuple[str, list[dict[str, Any]]]]]
"""Draft in; digest of the rule set and the findings of all gates (plain dicts) out."""


@dataclass(frozen=True)
class Origin:
    """Where a new item comes from. `accounts` None means every enabled account."""

    editor_id: str
    klass: str = "日常"
    article_id: str | None = None
    audience: Mapping[str, list[str]] | None = None
    accounts: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Answer:
    """One reviewer's form: verdict approve, return or refer, and what was seen.

    `gates` maps gate to {"ok", "note"}; `attachments` answers secrecy for each attachment (sha256
    marker to ok); `proof` says that this round of proof-reading was done. A return may name its
    `gate` and the marked `span` {"field", "start", "end", "text"}; a referral its `department`,
    the question as `note`, and `due_at`. `level` picks one of several levels open at once.
    """

    verdict: str
    digest: str
    version: int
    gates: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    attachments: Mapping[str, bool] = field(default_factory=dict)
    proof: bool = False
    gate: str = ""
    span: Mapping[str, Any] | None = None
    department: str = ""
    due_at: datetime | None = None
    level: int | None = None


class ReviewQueue:
    """The review queue over one database and one ledger."""

    def __init__(
        self, ledger: Ledger, workflows: Mapping[str, Workflow], render: Render, check: Check
    ) -> None:
        """`workflows` maps class to levels; `render` and `check` are given by the root."""
        self.ledger = ledger
        self.db = ledger.db
        self.workflows = workflows
        self._render = render
        self._check = check

    # --- drafting -----------------------------------------------------------------------

    async def create_item(self, content: Content, origin: Origin) -> Item:
        """A new draft with its first revision. A fetched item's editor is ROBOT."""
        await self._fresh_levels()
        async with self.ledger.transaction() as tx:
            return await self.create_item_in(tx, content, origin)

    async def create_item_in(self, tx: Transaction, content: Content, origin: Origin) -> Item:
        """The same inside a transaction of the caller (a fetched article and its item)."""
        if content.kind not in KINDS:
            raise Refused(422, [Reason("kind", f"稿件种类只能是：{'、'.join(KINDS)}")])
        if origin.klass not in self.workflows:
            known = "、".join(self.workflows)
            raise Refused(422, [Reason("klass", f"稿件类别只能是：{known}")])
        moment = now()
        accounts = origin.accounts
        if accounts is None:
            enabled = select(Account.id).where(Account.enabled.is_(True)).order_by(Account.slug)
            accounts = tuple((await tx.session.scalars(enabled)).all())
        draft = Draft(
            kind=content.kind,
            klass=origin.klass,
            title=content.title,
            body=content.body,
            accounts=accounts,
            not_before=moment,
            not_after=moment + WINDOW,
            cover=content.cover,
            attribution=content.attribution,
            attachments=content.attachments,
            audience=origin.audience,
        )
        item = Item(
            id=new_id(),
            kind=draft.kind,
            klass=draft.klass,
            state="draft",
            title=draft.title[:300],
            author_id=origin.editor_id,
            last_editor_id=origin.editor_id,
            article_id=origin.article_id,
            revision=0,
            created_at=moment,
            updated_at=moment,
        )
        tx.session.add(item)
        text, _ = await self._canonical(tx.session, draft)
        await self._add_revision(tx, item, text, origin.editor_id)
        return item

    async def edit(
        self, item_id: str, staff_id: str, version: int, changes: Mapping[str, Any]
    ) -> Item:
        """Save a draft's fields (see canonical.Draft). A change voids every approval.

        An unchanged save keeps them. A stale `version` is refused with 409.
        """
        await self._fresh_levels()
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            reasons = _edit_faults(item, person, version)
            if reasons:
                raise Refused(_status(reasons), reasons)
            revision = await _latest(tx.session, item)
            draft = Draft.from_canonical(revision.canonical).changed(changes)
            if faults := self._field_faults(draft):
                raise Refused(422, faults)
            text, _ = await self._canonical(tx.session, draft)
            if digest(text) == revision.digest:
                return item
            await self._void(tx.session, item, "稿件已修改，需要重新审核")
            item.klass, item.kind, item.title = draft.klass, draft.kind, draft.title[:300]
            await self._add_revision(tx, item, text, staff_id)
            return item

    async def _fresh_levels(self) -> None:
        """Another process may have approved other levels since the last look."""
        if isinstance(self.workflows, ApprovedLevels):
            await self.workflows.refresh()

    def _field_faults(self, draft: Draft) -> list[Reason]:
        faults = []
        if not draft.title.strip():
            faults.append(Reason("title", "标题不能为空"))
        if not draft.body.strip():
            faults.append(Reason("body", "正文不能为空"))
        if draft.klass not in self.workflows:
            faults.append(Reason("klass", f"稿件类别只能是：{'、'.join(self.workflows)}"))
        if draft.kind not in KINDS:
            faults.append(Reason("kind", f"稿件种类只能是：{'、'.join(KINDS)}"))
        if draft.not_after <= draft.not_before:
            faults.append(Reason("window", "最晚发布时间必须晚于最早发布时间"))
        return faults

    async def _canonical(self, session: AsyncSession, draft: Draft) -> tuple[str, list[str]]:
        query = select(Account).where(Account.id.in_(draft.accounts))
        accounts = (await session.scalars(query)).all()
        if missing := set(draft.accounts) - {account.id for account in accounts}:
            raise Refused(422, [Reason("accounts", f"没有这样的账号：{'、'.join(missing)}")])
        renderings, problems = self._render(accounts, draft.content)
        return canonical(draft, renderings), problems

    async def _add_revision(self, tx: Transaction, item: Item, text: str, editor_id: str) -> None:
        item.revision += 1
        item.version = (item.version or 0) + 1
        item.last_editor_id, item.updated_at = editor_id, now()
        tx.session.add(
            Revision(
                id=new_id(),
                item_id=item.id,
                number=item.revision,
                digest=digest(text),
                canonical=text,
                editor_id=editor_id,
                created_at=now(),
            )
        )
        await tx.append(
            "revision.created",
            subject=f"item:{item.id}",
            actor=editor_id,
            body={
                "number": item.revision,
                "digest": digest(text),
                "klass": item.klass,
                "kind": item.kind,
            },
        )

    async def _void(self, session: AsyncSession, item: Item, why: str) -> None:
        """Take a running or finished review back to draft; unsent publications end."""
        item.state, item.workflow, item.level, item.level_due_at = "draft", None, 0, None
        item.release_id = item.scheduled_at = item.claimed_by = item.claimed_until = None
        await _end_unsent(session, item.id, why)

    # --- review -------------------------------------------------------------------------

    async def findings(self, item_id: str) -> tuple[str, list[dict[str, Any]]]:
        """Run the gates of now over the latest revision; digest of that revision and findings."""
        async with self.db.session() as session:
            revision = await _latest(session, await _item(session, item_id))
        ruleset, found = await self._check(Draft.from_canonical(revision.canonical))
        async with self.db.session() as session:
            session.add(
                GateRun(
                    id=new_id(),
                    item_id=item_id,
                    digest=revision.digest,
                    ruleset=ruleset,
                    findings=found,
                    at=now(),
                )
            )
        return revision.digest, found

    async def submit(self, item_id: str, staff_id: str, version: int) -> Item:
        """Send the latest revision to its first level, with the class's levels frozen.

        The gates run once more, so that reviewers see links and policies as they are now.
        """
        await self._fresh_levels()
        _, found = await self.findings(item_id)
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            reasons = await self._submit_faults(tx.session, item, person, version)
            reasons += _source_faults(found)
            if reasons:
                raise Refused(_status(reasons), reasons)
            revision = await _latest(tx.session, item)
            flow = self.workflows[item.klass]
            item.state, item.workflow, item.level = "review", flow.to_json(), 0
            item.level_due_at = now() + timedelta(hours=flow.levels[0].hours)
            item.return_reason = ""
            item.version += 1
            await tx.append(
                "item.submitted",
                subject=f"item:{item.id}",
                actor=staff_id,
                body={"digest": revision.digest, "workflow": flow.to_json()},
            )
            return item

    async def _submit_faults(
        self, session: AsyncSession, item: Item, person: Staff, version: int
    ) -> list[Reason]:
        reasons = _edit_faults(item, person, version)
        if item.state != "draft":
            reasons.append(Reason("state", f"稿件现在是“{STATES[item.state]}”，不能提交"))
        if item.klass not in self.workflows:
            words = f"类别“{item.klass}”没有可用的已批准审核级次，不能提交：请看事件页"
            reasons.append(Reason("levels", words))
        draft = Draft.from_canonical((await _latest(session, item)).canonical)
        if not draft.accounts:
            reasons.append(Reason("accounts", "请至少选择一个发布账号"))
        _, problems = await self._canonical(session, draft)
        reasons += [Reason("platform", problem) for problem in problems]
        if draft.kind == "转载":
            names = {"source": "来源", "original_title": "原标题", "url": "原文链接"}
            reasons += [
                Reason("attribution", f"转载稿件缺少{label}")
                for name, label in names.items()
                if not draft.attribution.get(name)
            ]
        return reasons

    async def claim(self, item_id: str, staff_id: str) -> Item:
        """Take an item for review for a while; 409 while somebody else holds it."""
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            reasons = _holder_faults(item, staff_id) + self._reviewer_faults(
                item, person, await _deciders(tx.session, item)
            )
            if reasons:
                raise Refused(_status(reasons), reasons)
            item.claimed_by, item.claimed_until = staff_id, now() + CLAIM
            await tx.append(
                "item.claimed",
                subject=f"item:{item_id}",
                actor=staff_id,
                body={"level": item.level},
            )
            return item

    async def unclaim(self, item_id: str, staff_id: str) -> None:
        """Give a claimed item back."""
        async with self.ledger.transaction() as tx:
            item, _ = await self._open(tx.session, item_id, staff_id)
            if item.claimed_by == staff_id:
                item.claimed_by = item.claimed_until = None
                await tx.append(
                    "item.unclaimed", subject=f"item:{item_id}", actor=staff_id, body={}
                )

    async def why_not(
        self, item_id: str, staff_id: str, gates: Mapping[str, Any] | None = None
    ) -> list[Reason]:
        """Every reason why this person cannot approve this item now; empty when they can.

        Without `gates` the unanswered gates are not counted.
        """
        _, found = await self.findings(item_id)
        async with self.db.session() as session:
            item, person = await self._open(session, item_id, staff_id)
            return await self._approve_faults(session, item, person, (found, gates))

    async def decide(self, item_id: str, staff_id: str, answer: Answer) -> Item:
        """Record one verdict at the waiting level; the last approval makes the release.

        Refused carries all reasons: 403 for rule or role, 409 for a stale form, 422 for answers.
        """
        seen, found = await self.findings(item_id)
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            revision = await _latest(tx.session, item)
            if answer.digest != revision.digest or answer.version != item.version:
                raise Refused(
                    409, [Reason("stale", "稿件在您打开之后有变化，请先看新的内容再决定")]
                )
            if seen != revision.digest:
                raise Refused(409, [Reason("stale", "稿件刚刚被修改，请重新打开")])
            if answer.verdict == "return":
                reasons = self._return_faults(
                    item, person, answer, await _deciders(tx.session, item)
                )
            else:
                reasons = await self._approve_faults(
                    tx.session, item, person, (found, answer.gates)
                )
            if reasons:
                raise Refused(_status(reasons), reasons)
            seq = await self._record(tx, item, staff_id, answer)
            if answer.verdict == "return":
                await self._void(tx.session, item, "稿件被退回")
                item.return_reason = answer.note
            else:
                await self._advance(tx, item, revision, seq)
            return item

    async def _record(self, tx: Transaction, item: Item, staff_id: str, answer: Answer) -> int:
        level = _level(item)
        decision_id = new_id()
        notes = json.dumps([answer.gates, answer.note], ensure_ascii=False, sort_keys=True)
        body = {
            "level": item.level,
            "level_name": level.name,
            "digest": answer.digest,
            "verdict": answer.verdict,
            "gates": {gate: {"ok": bool(value.get("ok"))} for gate, value in answer.gates.items()},
            "notes": hashlib.sha256(f"{decision_id}\n{notes}".encode()).hexdigest(),
        }
        seq = await tx.append("decision", subject=f"item:{item.id}", actor=staff_id, body=body)
        tx.session.add(
            Decision(
                id=decision_id,
                item_id=item.id,
                digest=answer.digest,
                level=item.level,
                level_name=level.name,
                staff_id=staff_id,
                verdict=answer.verdict,
                gates=dict(answer.gates),
                note=answer.note,
                at=now(),
                ledger_seq=seq,
            )
        )
        item.version += 1
        item.updated_at = now()
        item.claimed_by = item.claimed_until = None
        return seq

    async def _advance(self, tx: Transaction, item: Item, revision: Revision, seq: int) -> None:
        flow = item.workflow or {"levels": []}
        item.level += 1
        if item.level < len(flow["levels"]):
            item.level_due_at = now() + timedelta(hours=flow["levels"][item.level]["hours"])
            return
        query = select(GateRun.ruleset).where(GateRun.item_id == item.id)
        ruleset = (await tx.session.scalars(query.order_by(GateRun.at.desc()).limit(1))).one()
        release = ReleaseRow(
            id=new_id(),
            item_id=item.id,
            digest=revision.digest,
            ruleset=ruleset,
            created_at=now(),
        )
        tx.session.add(release)
        item.state, item.release_id, item.level_due_at = "approved", release.id, None
        await tx.append(
            "release.created",
            subject=f"item:{item.id}",
            actor="system",
            body={
                "release": release.id,
                "digest": revision.digest,
                "ruleset": ruleset,
                "last_decision": seq,
            },
        )

    def _reviewer_faults(self, item: Item, person: Staff, deciders: Sequence[str]) -> list[Reason]:
        """State, level, role and separation of duties; the gates are asked elsewhere."""
        if item.state != "review":
            return [Reason("state", f"稿件现在是“{STATES[item.state]}”，不在审核中")]
        faults = level_faults(_level(item), person.roles)
        return faults + person_faults(person.id, item.author_id, item.last_editor_id, deciders)

    def _return_faults(
        self, item: Item, person: Staff, answer: Answer, deciders: Sequence[str]
    ) -> list[Reason]:
        faults = self._reviewer_faults(item, person, deciders)
        faults += _holder_faults(item, person.id)
        if not answer.note.strip():
            faults.append(Reason("note", "退回要写明理由"))
        return faults

    async def _approve_faults(
        self,
        session: AsyncSession,
        item: Item,
        person: Staff,
        form: tuple[list[dict[str, Any]], Mapping[str, Any] | None],
    ) -> list[Reason]:
        found, gates = form
        faults = self._reviewer_faults(item, person, await _deciders(session, item))
        faults += _holder_faults(item, person.id)
        faults += [
            Reason("finding", f"{GATE_NAMES[finding['gate']]}：{finding['reason']}（必须先改）")
            for finding in found
            if finding["severity"] == "block"
        ]
        if gates is not None and item.state == "review":
            flagged = {finding["gate"] for finding in found if finding["severity"] != "hint"}
            faults += answer_faults(_level(item), gates, flagged)
        return faults

    # --- going out ----------------------------------------------------------------------

    async def schedule(self, item_id: str, staff_id: str, at: datetime | None = None) -> Item:
        """Set the time inside the approved window (None: now); one publication per account."""
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            draft = Draft.from_canonical((await _latest(tx.session, item)).canonical)
            due = at or now()
            reasons = [Reason("window", fault) for fault in window_faults(draft, due)]
            if item.state not in ("approved", "scheduled"):
                reasons.append(Reason("state", f"稿件现在是“{STATES[item.state]}”，还不能安排发布"))
            if not {"editor", "reviewer_1", "reviewer_2", "reviewer_3"} & set(person.roles):
                reasons.append(Reason("role", "只有编辑或审核人员能安排发布"))
            if reasons or item.release_id is None:
                raise Refused(_status(reasons), reasons or [Reason("state", "稿件没有放行记录")])
            await self._plan(tx.session, item, draft, due)
            item.state, item.scheduled_at = "scheduled", due
            item.version += 1
            await tx.append(
                "item.scheduled",
                subject=f"item:{item.id}",
                actor=staff_id,
                body={"release": item.release_id, "at": due.isoformat()},
            )
            return item

    async def _plan(self, session: AsyncSession, item: Item, draft: Draft, due: datetime) -> None:
        revision = await _latest(session, item)
        query = select(Publication).where(Publication.release_id == item.release_id)
        planned = {row.account_id: row for row in (await session.scalars(query)).all()}
        for account_id in draft.accounts:
            row = planned.get(account_id)
            if row is None:
                session.add(
                    Publication(
                        id=new_id(),
                        release_id=str(item.release_id),
                        item_id=item.id,
                        account_id=account_id,
                        digest=revision.digest,
                        state=State.CREATED,
                        due_at=due,
                        next_at=due,
                    )
                )
            elif row.state == State.CREATED:
                row.due_at = row.next_at = due

    async def note_publication(self, publication_id: str) -> None:
        """A publication has its outcome: show the item as published once one of them is out."""
        async with self.db.session() as session:
            publication = await session.get(Publication, publication_id)
            if publication is None or publication.state != State.PUBLISHED:
                return
            item = await session.get(Item, publication.item_id)
            if item is not None and item.state == "scheduled":
                item.state = "published"

    async def recall(self, item_id: str, staff_id: str, reason: str) -> Item:
        """One person, at once: nothing more of this item goes out. The reason is required."""
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            reasons = []
            if not reason.strip():
                reasons.append(Reason("reason", "撤回要写明理由"))
            if item.state in ("draft", "recalled"):
                reasons.append(Reason("state", f"稿件现在是“{STATES[item.state]}”，不用撤回"))
            if not set(person.roles) - {"auditor", "duty"}:
                reasons.append(Reason("role", "您的角色不能撤回稿件"))
            if reasons:
                raise Refused(_status(reasons), reasons)
            await self._void(tx.session, item, "稿件已撤回")
            item.state, item.return_reason = "recalled", reason
            item.version += 1
            await tx.append("item.recalled", subject=f"item:{item.id}", actor=staff_id, body={})
            return item

    async def _open(self, session: AsyncSession, item_id: str, staff_id: str) -> tuple[Item, Staff]:
        person = await session.get(Staff, staff_id)
        if person is None or not person.active:
            raise Refused(403, [Reason("staff", "账号已停用，请联系管理员")])
        return await _item(session, item_id), person


async def _item(session: AsyncSession, item_id: str) -> Item:
    item = await session.get(Item, item_id)
    if item is None:
        raise Refused(404, [Reason("item", "没有这篇稿件")])
    return item


async def _latest(session: AsyncSession, item: Item) -> Revision:
    query = select(Revision).where(Revision.item_id == item.id)
    return (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).one()


async def _deciders(session: AsyncSession, item: Item) -> list[str]:
    """Who approved the earlier levels of the run that is under way."""
    query = (
        select(Decision.staff_id)
        .where(Decision.item_id == item.id)
        .order_by(Decision.ledger_seq.desc())
        .limit(item.level)
    )
    return list((await session.scalars(query)).all())


async def _end_unsent(session: AsyncSession, item_id: str, why: str) -> None:
    waiting = (State.CREATED, State.RETRYING, State.HELD)
    releases = select(ReleaseRow.id).where(ReleaseRow.item_id == item_id)
    await session.execute(
        update(Publication)
        .where(Publication.item_id == item_id, Publication.state.in_(waiting))
        .values(state=State.ENDED, reason=why)
    )
    await session.execute(
        update(Delivery)
        .where(Delivery.release_id.in_(releases), Delivery.state.in_(waiting))
        .values(state=State.ENDED, why=why)
    )


def _level(item: Item) -> Level:
    row = (item.workflow or {"levels": []})["levels"][item.level]
    return Level(row["name"], tuple(row["roles"]), tuple(row["gates"]), row["hours"])


def _holder_faults(item: Item, staff_id: str) -> list[Reason]:
    held = item.claimed_until is not None and item.claimed_until > now()
    if held and item.claimed_by not in (None, staff_id):
        return [Reason("claimed", "别人正在审核这篇稿件，请稍后再试或请对方放开")]
    return []


def _source_faults(found: Sequence[Mapping[str, Any]]) -> list[Reason]:
    """What is wrong with where a repost comes from stops it before the first level already."""
    return [Reason("finding", one["reason"]) for one in found if one["rule"].startswith("source.")]


def _edit_faults(item: Item, person: Staff, version: int) -> list[Reason]:
    reasons = []
    if item.state == "quarantined":
        reasons.append(Reason("state", f"稿件已隔离，不能修改：{item.return_reason}"))
    if "editor" not in person.roles:
        reasons.append(Reason("role", "只有编辑能修改和提交稿件，审核人员请退回并说明"))
    if item.version != version:
        reasons.append(Reason("stale", "稿件在您打开之后有变化，请先看新的内容"))
    if item.state in ("published", "recalled"):
        reasons.append(Reason("state", f"稿件{STATES[item.state]}，要改请另写更正"))
    return reasons


_FORBIDDEN = {"role", "secrecy_role", "author", "last_editor", "two_levels", "finding", "staff"}
_CONFLICT = {"state", "stale", "claimed", "levels"}


def _status(reasons: Sequence[Reason]) -> int:
    """403 when a rule or role forbids it, 409 for state, else 422."""
    rules = {reason.rule for reason in reasons}
    if rules & _FORBIDDEN:
        return 403
    return 409 if rules & _CONFLICT else 422
