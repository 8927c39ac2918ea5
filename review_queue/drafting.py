"""From a first draft to the submission: create, edit, classify, submit, submit as an emergency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Content
from bot.models import Account
from config.clock import now
from ledger.append import Transaction
from review_queue.canonical import KINDS, Draft, commitment, digest
from review_queue.chain import class_gap, normal_class
from review_queue.classes import RANKS, highest, rank
from review_queue.desk import WINDOW, Desk, append_with_words, latest
from review_queue.models import Emergency, Item, Revision
from review_queue.states import ItemState, Verb, move, state_name
from review_queue.workflow import EMERGENCY, Workflow
from staff.models import Staff
from staff.refusal import Reason, Refused, refuse, status_of
from staff.roles import REVIEWERS
from storage.database import new_id


@dataclass(frozen=True)
class Origin:
    """Where a new item comes from. `accounts` None means every enabled account."""

    editor_id: str
    klass: str = "日常"
    article_id: str | None = None
    audience: Mapping[str, list[str]] | None = None
    accounts: tuple[str, ...] | None = None


class Drafting(Desk):
    """The part of the queue that editors use."""

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
            state=ItemState.DRAFT,
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
        await self._add_revision(tx, item, text, (origin.editor_id, False))
        return item

    async def edit(
        self, item_id: str, staff_id: str, version: int, changes: Mapping[str, Any]
    ) -> Item:
        """Save a draft's fields (see canonical.Draft). A change voids every approval and waiver.

        An unchanged save keeps them. A stale `version` is refused with 409 and the content of now.
        """
        await self._fresh_levels()
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            revision = await latest(tx.session, item)
            reasons = _edit_faults(item, person, version)
            if reasons:
                raise Refused(status_of(reasons), reasons, current_of(item, revision))
            old = Draft.from_canonical(revision.canonical)
            draft = old.changed(changes)
            if faults := self._field_faults(draft):
                raise Refused(422, faults)
            refuse(await self._lowering_faults(item, old, draft))
            text, _ = await self._canonical(tx.session, draft)
            if digest(text) == revision.digest:
                return item
            await self._end_run(tx.session, item, "稿件已修改，需要重新审核")
            move(item, Verb.VOID)
            item.klass, item.kind, item.title = draft.klass, draft.kind, draft.title[:300]
            await self._add_revision(tx, item, text, (staff_id, False))
            return item

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

    async def _lowering_faults(self, item: Item, old: Draft, draft: Draft) -> list[Reason]:
        """A change of class downwards that no other person consented to."""
        if draft.klass == old.klass or draft.klass == EMERGENCY:
            return []
        chain = await self._chain(item)
        earlier = [str(one.body.get("klass", "")) for one in chain.of("revision.created")]
        top = highest([klass for klass in earlier if klass in RANKS])
        if rank(draft.klass) >= rank(top):
            return []
        return [
            Reason(
                "class_lowered",
                f"类别不能由{top}降为{draft.klass}：请另一位审核人员写明理由后降低",
            )
        ]

    # --- class --------------------------------------------------------------------------

    async def lower_class(self, item_id: str, staff_id: str, to: str, reason: str) -> Item:
        """Lower the class, or consent to its staying low in spite of trigger words.

        Only a reviewer who is neither author nor last editor, with a reason. A running review
        goes back to draft.
        """
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            draft = Draft.from_canonical((await latest(tx.session, item)).canonical)
            chain = await self._chain(item)
            kept = draft.changed({"klass": to}) if to in RANKS else draft
            top, _ = class_gap(chain, kept, self.triggers, lambda entry: True)
            top = highest([top, draft.klass])
            reasons = _lower_faults(item, person, to, reason)
            if to in RANKS and rank(to) >= rank(top):
                reasons.append(Reason("klass", f"稿件类别是{draft.klass}，不用降低"))
            refuse(reasons)
            words = [w for w, klass in self.triggers.of(draft).items() if rank(klass) > rank(to)]
            body = {"from": top, "to": to, "words": sorted(words)}
            await append_with_words(tx, item, "class.lowered", (staff_id, reason, body))
            if item.state == ItemState.REVIEW:
                await self._end_run(tx.session, item, "稿件类别已改，需要重新提交")
                move(item, Verb.VOID)
            if draft.klass != to:
                await self._reclass(tx, item, to, staff_id)
            item.return_reason = f"类别已降为{to}：{reason}"
            return item

    # --- submission ---------------------------------------------------------------------

    async def _submit(
        self, item_id: str, staff_id: str, version: int, found: Sequence[Mapping[str, Any]]
    ) -> Item:
        """Send the latest revision to its first level, with the class's levels frozen.

        Trigger words raise the class first, as a revision that changes nothing else.
        """
        await self._fresh_levels()
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            revision = await latest(tx.session, item)
            draft = Draft.from_canonical(revision.canonical)
            reasons = await self._submit_faults(tx.session, item, person, (version, draft))
            reasons += _source_faults(found)
            if draft.klass == EMERGENCY:
                reasons.append(
                    Reason("emergency", "应急要写明理由，请用“应急提交”，或改选其他类别")
                )
            if reasons:
                raise Refused(status_of(reasons), reasons, current_of(item, revision))
            gap, _ = class_gap(await self._chain(item), draft, self.triggers, lambda entry: True)
            if gap:
                revision = await self._reclass(tx, item, gap, staff_id)
            await self._begin(tx, item, revision, (staff_id, None))
            return item

    async def _submit_emergency(
        self,
        item_id: str,
        by: tuple[str, str],
        version: int,
        found: Sequence[Mapping[str, Any]],
    ) -> Item:
        """Send the latest revision to the two levels of 应急 at once.

        The normal class is remembered; its further levels follow after the release.
        """
        staff_id, reason = by
        await self._fresh_levels()
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            revision = await latest(tx.session, item)
            draft = Draft.from_canonical(revision.canonical)
            reasons = await self._submit_faults(tx.session, item, person, (version, draft))
            reasons += _source_faults(found)
            if not reason.strip():
                reasons.append(Reason("reason", "应急提交要写明理由"))
            if reasons:
                raise Refused(status_of(reasons), reasons, current_of(item, revision))
            normal = await self._normal_class(item, draft)
            if item.klass != EMERGENCY:
                revision = await self._reclass(tx, item, EMERGENCY, staff_id)
            row = Emergency(
                id=new_id(),
                item_id=item.id,
                run_seq=0,
                digest=revision.digest,
                klass=normal,
                workflow=self._levels_of(normal).for_kind(item.kind).to_json(),
                reason=reason,
                staff_id=staff_id,
                at=now(),
                level=0,
                state="running",
            )
            tx.session.add(row)
            row.run_seq = await self._begin(tx, item, revision, (staff_id, row))
            return item

    async def _normal_class(self, item: Item, draft: Draft) -> str:
        """The class beside 应急: the highest the item has had or its words ask for."""
        chain = await self._chain(item)
        held = normal_class(chain, draft) or highest(
            [str(one.body.get("klass", "")) for one in chain.of("revision.created")]
        )
        base = held if held in RANKS else "重要"
        kept = draft.changed({"klass": base})
        gap, _ = class_gap(chain, kept, self.triggers, lambda entry: True)
        return gap or base

    async def _begin(
        self, tx: Transaction, item: Item, revision: Revision, by: tuple[str, Emergency | None]
    ) -> int:
        staff_id, emergency = by
        definition = self._levels_of(item.klass)
        flow = definition.for_kind(item.kind)
        hours = min(level.hours for level in (flow.levels if flow.parallel else flow.levels[:1]))
        move(item, Verb.SUBMIT)
        item.workflow, item.level = flow.to_json(), 0
        item.level_due_at = now() + timedelta(hours=hours)
        item.level_reminded = item.level_overdue = False
        item.return_reason, item.retrospective = "", ""
        item.version += 1
        body: dict[str, Any] = {
            "digest": revision.digest,
            "workflow": definition.to_json(),
            "emergency": None,
        }
        if emergency is not None:
            body["emergency"] = {
                "klass": emergency.klass,
                "workflow": self.workflows[emergency.klass].to_json(),
                "reason": commitment(emergency.id, emergency.reason),
            }
        seq = await tx.append(
            "item.submitted", subject=f"item:{item.id}", actor=staff_id, body=body
        )
        item.run_seq = seq
        return seq

    def _levels_of(self, klass: str) -> Workflow:
        """The approved levels of a class; Refused when there are none that can be trusted."""
        if klass not in self.workflows:
            words = f"类别“{klass}”没有可用的已批准审核级次，不能提交：请看事件页"
            raise Refused(409, [Reason("levels", words)])
        return self.workflows[klass]

    async def _submit_faults(
        self, session: AsyncSession, item: Item, person: Staff, form: tuple[int, Draft]
    ) -> list[Reason]:
        version, draft = form
        reasons = _edit_faults(item, person, version)
        if item.state != ItemState.DRAFT:
            reasons.append(Reason("state", f"稿件现在是“{state_name(item)}”，不能提交"))
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


def current_of(item: Item, revision: Revision) -> dict[str, Any]:
    """What a stale form is shown beside the words that were typed into it."""
    draft = Draft.from_canonical(revision.canonical)
    return {
        "version": item.version,
        "digest": revision.digest,
        "state": item.state,
        "klass": draft.klass,
        "kind": draft.kind,
        "title": draft.title,
        "body": draft.body,
        "editor": revision.editor_id,
        "at": revision.created_at.isoformat(),
    }


def _source_faults(found: Sequence[Mapping[str, Any]]) -> list[Reason]:
    """What is wrong with where a repost comes from stops it before the first level already."""
    return [Reason("finding", one["reason"]) for one in found if one["rule"].startswith("source.")]


def _edit_faults(item: Item, person: Staff, version: int) -> list[Reason]:
    reasons = []
    if item.state == ItemState.QUARANTINED:
        reasons.append(Reason("state", f"稿件已隔离，不能修改：{item.return_reason}"))
    if "editor" not in person.roles:
        reasons.append(Reason("role", "只有编辑能修改和提交稿件，审核人员请退回并说明"))
    if item.version != version:
        reasons.append(Reason("stale", "稿件在您打开之后有变化，请先看新的内容"))
    if item.state in (ItemState.PUBLISHED, ItemState.RECALLED):
        reasons.append(Reason("state", f"稿件{state_name(item)}，要改请另写更正"))
    return reasons


def _lower_faults(item: Item, person: Staff, to: str, reason: str) -> list[Reason]:
    reasons = []
    if to not in RANKS:
        reasons.append(Reason("klass", f"只能降为：{'、'.join(RANKS)}"))
    if not REVIEWERS & set(person.roles):
        reasons.append(Reason("role", "只有审核人员能降低稿件类别"))
    if person.id == item.author_id:
        reasons.append(Reason("author", "作者不能降低自己稿件的类别"))
    elif person.id == item.last_editor_id:
        reasons.append(Reason("last_editor", "最后修改的人不能降低这一稿的类别"))
    if item.state not in (ItemState.DRAFT, ItemState.REVIEW):
        reasons.append(Reason("state", f"稿件现在是“{state_name(item)}”，不能降低类别"))
    if not reason.strip():
        reasons.append(Reason("reason", "降低类别要写明理由"))
    return reasons
