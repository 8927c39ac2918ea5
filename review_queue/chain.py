"""The chain of signed facts behind an item, and the pure rules that say whether it holds.

Nothing here reads a table: what goes in are verified ledger entries and the exact content, what
comes out is every broken link. The sender asks it each time, the queue asks it before a button.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gates.finding import Finding
from ledger.verify import Entry
from review_queue.canonical import Draft, commitment
from review_queue.classes import Triggers, highest, rank
from review_queue.lateness import LATE, rightly_late
from review_queue.workflow import (
    EMERGENCY,
    OVERDUE,
    Standing,
    Workflow,
    WorkflowError,
    eligible,
    form_faults,
    person_faults,
    read_workflow,
)
from staff.absence import substitute_in
from staff.passkeys import Statement, assertion_faults
from staff.refusal import Reason
from staff.roles import REVIEWERS
from staff.since import DEADLINES, TWO_PEOPLE, WRITERS, counts_from
from staff.standing import roles_at


@dataclass(frozen=True)
class Chain:
    """The signed facts about one item, about everyone involved, and about the approved levels."""

    entries: Sequence[Entry]
    staff: Mapping[str, Sequence[Entry]]
    office: Sequence[Entry] = ()

    def of(self, kind: str, after: int = 0) -> list[Entry]:
        """The item's entries of one kind written after number `after`."""
        return [entry for entry in self.entries if entry.kind == kind and entry.seq > after]

    def holds_role(self, entry: Entry, roles: Collection[str]) -> bool:
        """Whether who wrote `entry` held one of `roles` at that moment."""
        return bool(roles_at(self.staff.get(entry.actor, ()), entry.seq) & set(roles))


def people_of(entries: Sequence[Entry]) -> set[str]:
    """Everyone whose roles or absence matter to these entries."""
    kinds = ("decision", "waiver.granted", "class.lowered")
    acted = [entry for entry in entries if entry.kind in kinds]
    # Whom somebody stood in for counts as involved: their absence and roles are part of the proof.
    absent = {entry.body.get("in_place_of", "") for entry in acted}
    return {entry.actor for entry in acted} | (absent - {"", OVERDUE})


@dataclass(frozen=True)
class Makers:
    """Who may not approve: the author, every writer of the text, who asked for 应急."""

    author: str
    editor: str
    asker: str = ""
    writers: frozenset[str] = frozenset()

    @property
    def barred(self) -> frozenset[str]:
        """All of them."""
        return self.writers | {self.author, self.editor, self.asker} - {""}


def makers(chain: Chain, upto: int | None = None, *, judged: int | None = None) -> Makers:
    """The makers as of entry `upto` (None: now). A revision that only changed the class counts not.

    In an emergency run, who asked for the fast lane is none of its reviewers. `judged` is the
    entry whose actor must be none of them: one written before the rule about writers was signed
    is judged by author and last editor alone, so that what was released then stays released.
    """
    kept = [entry for entry in chain.entries if upto is None or entry.seq < upto]
    revisions = [entry for entry in kept if entry.kind == "revision.created"]
    # Raising the class changes no word, so it makes nobody an editor who may then not review.
    texts = [entry for entry in revisions if not entry.body.get("class_only")]
    submits = [entry for entry in kept if entry.kind == "item.submitted"]
    asker = submits[-1].actor if submits and submits[-1].body.get("emergency") else ""
    old = judged is not None and judged < counts_from(chain.office, WRITERS)
    return Makers(
        author=revisions[0].actor,
        editor=texts[-1].actor if texts else revisions[-1].actor,
        asker=asker,
        writers=frozenset() if old else frozenset(entry.actor for entry in texts),
    )


def maker_faults(staff_id: str, who: Makers, earlier: Collection[str]) -> list[Reason]:
    """Separation of duties, the asker of an emergency included."""
    faults = person_faults(staff_id, who.author, who.editor, earlier)
    # Said once: each is barred by the first of these already.
    if staff_id in (who.author, who.editor):
        return faults
    if staff_id in who.writers:
        faults.append(Reason("writer", "写过或改过这一稿文字的人不能审核它，以前的版本也算"))
    elif staff_id == who.asker:
        faults.append(Reason("asker", "提出应急的人不能审核这一稿"))
    return faults


def chain_faults(chain: Chain, draft: Draft, wanted: str, triggers: Triggers) -> list[str]:
    """Every reason why `wanted`, the digest of `draft`, has not passed review."""
    revisions = chain.of("revision.created")
    submits = chain.of("item.submitted")
    # Nothing else is worth saying when the content is another one than the last that was signed.
    if not revisions or revisions[-1].body["digest"] != wanted:
        return ["要发的内容不是这一稿件最后一次修改的内容，需要重新审核"]
    if not submits or submits[-1].body["digest"] != wanted:
        return ["这一稿没有提交审核的记录"]
    submit = submits[-1]
    faults = []
    # For ever: a recall is not undone, what goes out again is a new item.
    if chain.of("item.recalled"):
        faults.append("这一稿件已被撤回")
    if revisions[-1].seq > submit.seq:
        faults.append("提交之后又有修改，需要重新提交")
    faults += class_faults(chain, draft, triggers)
    flow, problems = _flow(chain, submit, draft)
    faults += problems
    if flow is not None:
        faults += _run_faults(_Run(chain, submit, flow, draft, wanted))
    return faults + _follow_up_faults(chain, submit)


def _flow(chain: Chain, submit: Entry, draft: Draft) -> tuple[Workflow | None, list[str]]:
    """The frozen levels of this run, if their definition was approved before it began."""
    emergency = submit.body.get("emergency")
    frozen = [submit.body["workflow"], *([emergency["workflow"]] if emergency else [])]
    try:
        flows = [read_workflow(body["klass"], body["version"], body) for body in frozen]
    # The signed body may be of an older form or damaged; an unreadable run releases nothing.
    except (WorkflowError, KeyError, TypeError) as error:
        return None, [f"审核级次无效：{error}"]
    problems = []
    for flow in flows:
        # Approved before this run began: a definition that was loosened later proves nothing here.
        if flow.digest not in approved_digests(chain.office, flow.klass, submit.seq):
            problems.append(f"类别“{flow.klass}”的审核级次不是经批准的版本")
    if flows[0].klass != draft.klass:
        problems.append(f"稿件类别是{draft.klass}，走的却是“{flows[0].klass}”的审核级次")
    # Both ways: the fast lane without its reason, and a reason without the fast lane.
    if (draft.klass == EMERGENCY) != bool(emergency):
        problems.append("应急稿件没有应急提交的理由和后续审核")
    return flows[0].for_kind(draft.kind), problems


def approved_digests(office: Sequence[Entry], klass: str, before: int) -> set[str]:
    """Digests of the definitions of a class that were approved before an entry number."""
    digests = set()
    for entry in office:
        # Later definitions do not count for a run that had begun.
        if entry.seq >= before:
            continue
        if entry.kind == "genesis":
            digests.add(entry.body.get("workflows", {}).get(klass, ""))
        elif entry.kind == "workflow.approved" and entry.body["klass"] == klass:
            digests.add(entry.body["digest"])
    return digests


@dataclass(frozen=True)
class _Run:
    """One way through the levels: the submission, its frozen levels, the content it is about."""

    chain: Chain
    submit: Entry
    flow: Workflow
    draft: Draft
    wanted: str  # the digest of `draft`


@dataclass
class _Progress:
    """What the decisions read so far amount to: approvals by level, and who gave them."""

    counts: list[int]
    earlier: list[str] = field(default_factory=list)


def _run_faults(run: _Run) -> list[str]:
    """Quorum, order, people, roles and answers of the decisions since the submission."""
    chain, submit, flow = run.chain, run.submit, run.flow
    faults = []
    decisions = [
        entry for entry in chain.of("decision", submit.seq) if not entry.body.get("retrospective")
    ]
    # One return ends the run, whatever was approved before or after it.
    if any(entry.body["verdict"] == "return" for entry in decisions):
        faults.append("这一稿已被退回，需要修改后重新提交")
    asked = {entry.body["referral"]: entry for entry in chain.of("item.referred", submit.seq)}
    answered = {entry.body["referral"] for entry in chain.of("referral.answered", submit.seq)}
    # An open question to a department is a review that has not ended.
    if set(asked) - answered:
        faults.append("已转有关部门的问题还没有答复")
    progress = _Progress([0] * len(flow.levels))
    for entry in decisions:
        if entry.body["verdict"] != "approve":
            continue
        faults += _approval_faults(run, entry, progress)
    for level, count in zip(flow.levels, progress.counts, strict=True):
        if count < level.quorum:
            short = f"，还差 {level.quorum - count} 人" if level.quorum > 1 else ""
            faults.append(f"缺少{level.name}的批准{short}")
    return faults


def _approval_faults(run: _Run, entry: Entry, progress: _Progress) -> list[str]:
    """What is wrong with one approval; it counts in `progress` from now on, right or wrong."""
    chain, submit, flow = run.chain, run.submit, run.flow
    counts, earlier = progress.counts, progress.earlier
    index = entry.body["level"]
    # Read from a signed body and still checked: an index of -1 would count for the last level.
    if not isinstance(index, int) or not 0 <= index < len(flow.levels):
        return [f"台账第 {entry.seq} 条批准的不是这一稿件的任何一级"]
    level = flow.levels[index]
    name = f"{level.name}（台账第 {entry.seq} 条）"
    faults = []
    if entry.body["digest"] != run.wanted:
        faults.append(f"{name}批准的不是这份内容")
    before = zip(flow.levels[:index], counts[:index], strict=True)
    # The order of the levels is part of the rule 先审后发: the last signature cannot come first.
    if not flow.parallel and any(count < one.quorum for one, count in before):
        faults.append(f"{name}批准时前面的级次还没有通过")
    # One approval too many means that somebody decided beside the queue.
    if counts[index] >= level.quorum:
        faults.append(f"{name}通过之后又有批准，需要重新提交")
    counts[index] += 1
    place, reasons = eligible(level, _standing_at(run, entry, index))
    claimed = entry.body.get("in_place_of") or ""
    # Who acted in whose place must follow from signed absences and not from what the decision says.
    if not reasons and place != claimed:
        reasons = [Reason("place", "代谁审核与台账不符")]
    who = makers(chain, judged=entry.seq)
    reasons += maker_faults(entry.actor, who, earlier)
    # Standing in for somebody who may not decide would be a way around the separation of duties.
    if claimed in who.barred.union(earlier) and claimed:
        reasons.append(Reason("place", "不能代写过这一稿的人、提出应急的人或已审核的人审核"))
    # The secrecy of each attachment is answered one by one, as the law on state secrets asks.
    markers = {part["media"]: part["name"] for part in run.draft.attachments}
    reasons += form_faults(level, entry.body, (), markers)
    # A missing signature is already a fault of the form; here one that is there must be right.
    if level.passkey and entry.body.get("passkey"):
        facts = chain.staff.get(entry.actor, ())
        said = statement(entry.subject.removeprefix("item:"), submit.seq, entry.actor, entry.body)
        problems = assertion_faults(entry.body["passkey"], said, facts, entry.seq)
        reasons += [Reason("passkey", problem) for problem in problems]
    earlier.append(entry.actor)
    return faults + [f"{name}：{reason.message}" for reason in reasons]


def statement(item_id: str, submitted: int, staff_id: str, body: Mapping[str, Any]) -> Statement:
    """What the device of `staff_id` signs for a decision with this signed body."""
    return Statement(
        item=item_id,
        submitted=submitted,
        digest=body["digest"],
        level=body["level"],
        staff=staff_id,
        verdict=body["verdict"],
        gates={gate: bool(value["ok"]) for gate, value in body["gates"].items()},
        attachments={marker: bool(ok) for marker, ok in body["attachments"].items()},
        proof=body["proof"],
    )


def _standing_at(run: _Run, entry: Entry, level: int) -> Standing:
    """What the actor of a decision could act as when it was written, from signed entries."""
    chain, absent = run.chain, entry.body.get("in_place_of") or ""
    stands_in: dict[str, frozenset[str]] = {}
    if absent and absent != OVERDUE:
        facts = chain.staff.get(absent, ())
        # Roles as of the moment of the decision: later changes neither heal nor break it.
        at, strict = datetime.fromisoformat(entry.at), counts_from(chain.office, TWO_PEOPLE)
        if substitute_in(facts, at, entry.seq, strict) == entry.actor:
            stands_in[absent] = roles_at(facts, entry.seq)
    # The next in line may act only after a signed entry has said that the level is late, and when
    # the level has had its hours by then: the entry may have followed from a row written by hand.
    strict = counts_from(chain.office, DEADLINES)
    late = absent == OVERDUE and any(
        one.body["level"] == level
        and one.seq < entry.seq
        and (one.seq < strict or rightly_late(chain.entries, run.submit, run.flow, one))
        for one in chain.of(LATE, run.submit.seq)
    )
    return Standing(roles_at(chain.staff.get(entry.actor, ()), entry.seq), stands_in, overdue=late)


# --- class ----------------------------------------------------------------------------------


def class_gap(
    chain: Chain, draft: Draft, triggers: Triggers, may: Callable[[Entry], bool]
) -> tuple[str, dict[str, str]]:
    """The class the item must be raised to ("" for none), and the trigger words behind it.

    A class is lowered only by a signed class.lowered to it, later than every higher revision,
    that `may` accepts and that named every trigger word which now asks for more.
    """
    held = normal_class(chain, draft)
    revisions = chain.of("revision.created")
    higher = [entry for entry in revisions if rank(entry.body.get("klass")) > rank(held)]
    words = {word: klass for word, klass in triggers.of(draft).items() if rank(klass) > rank(held)}
    # Never higher and no trigger word: there is nothing that anybody had to consent to.
    if not higher and not words:
        return "", {}
    # The newest consent first; it must name every word that asks for more today, also one added to
    # the text since.
    for entry in reversed(chain.of("class.lowered", higher[-1].seq if higher else 0)):
        if entry.body["to"] == held and set(words) <= set(entry.body["words"]) and may(entry):
            return "", {}
    return highest([*(entry.body["klass"] for entry in higher), *words.values()]), words


def normal_class(chain: Chain, draft: Draft) -> str:
    """The class that decides about levels beside 应急: the item's own, or the remembered one."""
    if draft.klass != EMERGENCY:
        return draft.klass
    submits = chain.of("item.submitted")
    emergency = submits[-1].body.get("emergency") if submits else None
    return str(emergency["klass"]) if emergency else ""


def class_faults(chain: Chain, draft: Draft, triggers: Triggers) -> list[str]:
    """Whether the class was lowered without another person's signed consent."""

    def may(entry: Entry) -> bool:
        then = makers(chain, entry.seq, judged=entry.seq)
        now_ = makers(chain, judged=entry.seq)
        # Neither who made the text then nor who makes it now: otherwise an edit would turn the
        # judge into the author.
        barred = {then.author, then.editor, now_.author, now_.editor} | now_.writers
        return entry.actor not in barred and chain.holds_role(entry, REVIEWERS)

    gap, words = class_gap(chain, draft, triggers, may)
    if not gap:
        return []
    why = f"（出现“{'、'.join(words)}”）" if words else ""
    return [f"稿件类别应为{gap}{why}，降低类别要由另一位审核人员写明理由"]


# --- waivers and what follows an emergency --------------------------------------------------


def finding_place(finding: Finding) -> list[Any]:
    """What a waiver commits to: field, span and the words themselves."""
    return [finding.field, finding.start, finding.end, finding.text]


def is_waived(chain: Chain, wanted: str, finding: Finding, salts: Mapping[int, str]) -> bool:
    """Whether a signed waiver of another person covers this finding on exactly this digest.

    `salts` maps the ledger number of a waiver to its salt; a wrong salt covers nothing.
    """
    # Some rules nobody may let stand, whatever was signed.
    if not finding.waivable:
        return False
    revisions = chain.of("revision.created")
    # What concerns secrecy is let stand by the secrecy role alone.
    roles = {"secrecy"} if finding.gate == "secrecy" else REVIEWERS
    return any(
        entry.body["digest"] == wanted
        and entry.body["gate"] == finding.gate
        and entry.body["rule"] == finding.rule
        # Another person's consent, or none.
        and entry.actor not in makers(chain, judged=entry.seq).barred
        and chain.holds_role(entry, roles)
        and commitment(salts.get(entry.seq, ""), finding_place(finding)) == entry.body["finding"]
        # Waivers older than the last revision are void: they were given for another text.
        for entry in chain.of("waiver.granted", revisions[-1].seq)
    )


def _follow_up_faults(chain: Chain, submit: Entry) -> list[str]:
    """A return in the retrospective review after 应急 stops whatever has not gone out."""
    refused = [
        entry
        for entry in chain.of("decision", submit.seq)
        if entry.body.get("retrospective") and entry.body["verdict"] == "return"
    ]
    return [f"应急发布后的复审没有通过（台账第 {refused[0].seq} 条）"] if refused else []
