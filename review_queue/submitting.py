"""From draft to the first level, with the levels of the class frozen into the run."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.picture_message import KIND as PICTURES
from config.clock import now
from gates.limits import unchecked
from ledger.append import Transaction
from review_queue.canonical import Draft, commitment
from review_queue.chain import class_gap
from review_queue.desk import Opened, Queue, canonical_of, fresh_rules, opened, reclass
from review_queue.drafting import current_of, edit_faults
from review_queue.findings import Findings, check_and_keep, findings_now
from review_queue.models import Emergency, Item
from review_queue.picture_messages import RULES as PICTURE_RULES
from review_queue.states import ItemState, Verb, move, state_name
from review_queue.window import past_faults
from review_queue.workflow import EMERGENCY, Workflow
from staff.refusal import Reason, Refused, status_of

_OF = {PICTURES: "的图片消息"}


async def submit(queue: Queue, item_id: str, staff_id: str, version: int) -> Item:
    """Send the latest revision to its first level, with the class's levels frozen.

    Trigger words raise the class first, as a revision that changes nothing else. The gates run
    before, for the source of a repost, and once more over what was submitted, so that
    reviewers see links and policies as they are now.
    """
    _, found = await findings_now(queue, item_id)
    item = await _submit(queue, item_id, staff_id, version, found)
    await check_and_keep(queue, item_id)
    return item


async def _submit(queue: Queue, item_id: str, staff_id: str, version: int, found: Findings) -> Item:
    """Send the latest revision to its first level, with the class's levels frozen.

    Trigger words raise the class first, as a revision that changes nothing else.
    """
    await fresh_rules(queue)
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item, draft = one.item, one.draft
        reasons = await submit_faults(queue, tx.session, one, version)
        # Asked before the first level already: nobody reads a repost that could not go out.
        reasons += source_faults(found) + lane_faults(draft)
        if reasons:
            raise Refused(status_of(reasons), reasons, current_of(item, one.revision))
        # Trigger words raise the class before anybody reads it (分级分类审核); consent of a
        # reviewer comes later.
        gap, _ = class_gap(
            await queue.releases.chain(item.id), draft, queue.triggers, lambda entry: True
        )
        if gap:
            one = replace(one, revision=await reclass(queue, tx, item, gap, staff_id))
        await begin(queue, tx, one)
        return item


async def begin(
    queue: Queue, tx: Transaction, one: Opened, emergency: Emergency | None = None
) -> int:
    """Start a run at its first level(s), the class's levels frozen; the entry's number."""
    item = one.item
    definition = levels_of(queue, item.klass)
    flow = definition.for_kind(item.kind)
    # Levels open at once share the shortest deadline, so that none is late unseen.
    hours = min(level.hours for level in (flow.levels if flow.parallel else flow.levels[:1]))
    move(item, Verb.SUBMIT)
    # Frozen: what is changed in the levels tomorrow does not touch a review that runs.
    item.workflow, item.level = flow.to_json(), 0
    item.level_due_at = now() + timedelta(hours=hours)
    item.level_reminded = item.level_overdue = False
    item.return_reason, item.retrospective = "", ""
    item.version += 1
    body: dict[str, object] = {
        "digest": one.revision.digest,
        "workflow": definition.to_json(),
        "emergency": None,
    }
    if emergency is not None:
        body["emergency"] = {
            "klass": emergency.klass,
            "workflow": queue.levels[emergency.klass].to_json(),
            # The ledger keeps a digest of the words, so that personal data in them can still be
            # erased.
            "reason": commitment(emergency.id, emergency.reason),
        }
    seq = await tx.append(
        "item.submitted", subject=f"item:{item.id}", actor=one.person.id, body=body
    )
    item.run_seq = seq
    return seq


def levels_of(queue: Queue, klass: str) -> Workflow:
    """The approved levels of a class; Refused when there are none that can be trusted."""
    # Levels whose signature does not hold are not in the mapping: nothing is submitted to them.
    if klass not in queue.levels:
        words = f"类别“{klass}”没有可用的已批准审核级次，不能提交：请看事件页"
        raise Refused(409, [Reason("levels", words)])
    return queue.levels[klass]


async def submit_faults(
    queue: Queue, session: AsyncSession, one: Opened, version: int
) -> list[Reason]:
    """Every reason why the latest revision cannot be sent to review as it was read."""
    item, draft = one.item, one.draft
    reasons = edit_faults(item, one.person, version)
    if item.state != ItemState.DRAFT:
        reasons.append(Reason("state", f"稿件现在是“{state_name(item)}”，不能提交"))
    _, problems = await canonical_of(queue, session, draft)
    return reasons + await draft_faults(queue, draft, problems)


async def draft_faults(queue: Queue, draft: Draft, problems: Sequence[str]) -> list[Reason]:
    """The reasons that lie in the text; `problems` are the platform limits it breaks."""
    reasons: list[Reason] = []
    if draft.shelved:
        reasons += await _library_faults(queue, draft)
    elif not draft.accounts:
        reasons.append(Reason("accounts", "请至少选择一个发布账号"))
    reasons += past_faults(draft.not_after, now())
    reasons += [Reason("platform", problem) for problem in problems]
    # Source, original title and address are required of a repost by the rules on news information.
    if draft.kind == "转载" or (draft.kind == PICTURES and draft.attribution.get("url")):
        names = {"source": "来源", "original_title": "原标题", "url": "原文链接"}
        reasons += [
            Reason("attribution", f"转载{_OF.get(draft.kind, '稿件')}缺少{label}")
            for name, label in names.items()
            if not draft.attribution.get(name)
        ]
    return reasons


async def _library_faults(queue: Queue, draft: Draft) -> list[Reason]:
    """Why the draft could not be used once it is released into the library."""
    if draft.kind not in queue.library:
        return [Reason("kind", f"这里没有收{draft.kind}的库，不能提交")]
    return [*await queue.library[draft.kind].faults(draft)]


def lane_faults(draft: Draft) -> list[Reason]:
    """The fast lane is not reached by an ordinary submission that merely names its class."""
    if draft.klass != EMERGENCY:
        return []
    return [Reason("emergency", "应急要写明理由，请用“应急提交”，或改选其他类别")]


def source_faults(found: Findings) -> list[Reason]:
    """What stops a draft before the first level already, so that nobody reads it in vain.

    Where a repost comes from, a 图片消息 that is none, and what was not checked to its end.
    """
    return [
        Reason("finding", one.reason)
        for one in found
        if one.rule.startswith("source.")
        or (one.rule.startswith(PICTURE_RULES) and one.severity == "block")
        or unchecked(one)
    ]
