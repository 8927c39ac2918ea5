"""Before submission: what would stop a text, and what its reviewers will meet. Keeps nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from blocks.document import Picture
from bot.picture_message import unshown
from ledger.verify import Broken
from review_queue.canonical import Draft
from review_queue.chain import Chain, class_gap
from review_queue.desk import Queue, fresh_rules
from review_queue.findings import Findings
from review_queue.forms import flagged_gates, standing_faults
from review_queue.submitting import draft_faults, lane_faults, source_faults
from review_queue.workflow import GATE_NAMES, GATES
from staff.refusal import Reason, Refused

_OPEN = re.compile(r"…+")
"""What an outline leaves to be filled in."""


@dataclass(frozen=True)
class Readiness:
    """`stops`: submitting is refused. `held`: no level could approve, or nothing would go out.

    `answers`: a reviewer has to answer them in words. `lacks`: it goes out without.
    """

    stops: Sequence[Reason] = ()
    held: Sequence[Reason] = ()
    answers: Sequence[Reason] = ()
    lacks: Sequence[Reason] = ()

    @property
    def ready(self) -> bool:
        """Whether nobody would meet anything."""
        return not (self.stops or self.held or self.answers or self.lacks)


async def readiness_of(
    queue: Queue, draft: Draft, item_id: str, found: Findings, problems: Sequence[str]
) -> Readiness:
    """What stands before this text; `problems` are what its channels cannot show.

    `item_id` is empty for a text that is no item yet. `found` is what the gates say of it.
    """
    # Submitting asks the same functions, in `submitting`; approving those of `forms`.
    stops = await draft_faults(queue, draft, problems) + source_faults(found) + lane_faults(draft)
    told = {one.message for one in stops}
    held = [
        fault
        for one in found
        for fault in standing_faults([one])
        if not {one.reason, fault.message} & told
    ]
    raised, unproved = await _class(queue, draft, item_id)
    return Readiness(
        stops=[*stops, *unproved],
        held=held,
        answers=_answers(draft, found) + raised,
        lacks=_lacks(draft),
    )


async def _class(queue: Queue, draft: Draft, item_id: str) -> tuple[list[Reason], list[Reason]]:
    """The class that submitting would raise the text to; why that cannot be known."""
    try:
        await fresh_rules(queue)
        chain = await queue.releases.chain(item_id) if item_id else Chain((), {})
    except Refused as refused:
        return [], list(refused.reasons)
    except Broken:
        return [], [Reason("chain", "这篇稿件的台账记录对不上，不能提交，请看事件页")]
    gap, words = class_gap(chain, draft, queue.triggers, lambda entry: True)
    if not gap or gap == draft.klass:
        return [], []
    named = "、".join(f"“{word}”" for word in sorted(words))
    why = f"文中有{named}" if words else "以前定过更高的类别"
    return [Reason("klass", f"{why}，提交时类别会由{draft.klass}升为{gap}")], []


def _answers(draft: Draft, found: Findings) -> list[Reason]:
    flagged = flagged_gates(found)
    counts = {
        gate: sum(one.gate == gate and one.severity == "warn" and not one.waived for one in found)
        for gate in GATES
        if gate in flagged
    }
    rows = [
        Reason("finding", f"{GATE_NAMES[gate]}有 {count} 处要核对，审核人通过要写明理由")
        for gate, count in counts.items()
        if count
    ]
    if count := len(draft.attachments):
        rows.append(Reason("attachments", f"{count} 个附件要逐件回答保密关"))
    return rows


def _lacks(draft: Draft) -> list[Reason]:
    """What an article may lack, and readers would miss."""
    if draft.shelved:
        return []
    pictures = (
        [one for one in draft.blocks.blocks if isinstance(one, Picture)] if draft.blocks else []
    )
    rows = []
    if open_places := len(_OPEN.findall(f"{draft.title}\n{draft.body}")):
        words = f"有 {open_places} 处省略号“……”：提纲里留空的地方，请填好或删去"
        rows.append(Reason("outline", words))
    if unsaid := sum(not one.alt.strip() for one in pictures):
        words = f"{unsaid} 张图片没有替代文字，看不见图片的人不知道图上有什么"
        rows.append(Reason("alt", words))
    if not draft.cover and not pictures:
        rows.append(Reason("cover", "没有封面，正文也没有图片，发布时用默认封面"))
    rows += [Reason("looks", words) for words in unshown(draft.content)]
    if not draft.summary:
        rows.append(Reason("summary", "没有写摘要，列表和推送里显示正文开头"))
    return rows
