"""A reviewer's form: what it says, what of it is signed, and every fault it has. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from config.clock import now
from review_queue.canonical import Draft
from review_queue.findings import Findings
from review_queue.rounds import Round, Seat
from review_queue.workflow import GATE_NAMES, GATES, Level, form_faults
from staff.refusal import Reason


@dataclass(frozen=True)
class ReviewForm:
    """One reviewer's form: verdict approve, return or refer, and what was seen.

    `gates` maps gate to {"ok", "note"}; `attachments` answers secrecy for each attachment (sha256
    marker to ok); `proof` says that this round of proof-reading was done. A return may name its
    `gate` and the marked `span` {"field", "start", "end", "text"}; a referral its `department`,
    the question as `note`, and `due_at`. `level` picks one of several levels open at once;
    `passkey` is the device's signature (passkeys.shown_assertion) where the level asks for one.
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
    passkey: Mapping[str, Any] | None = None


def signed_form(level: Level, seat: Seat, form: ReviewForm) -> dict[str, object]:
    """The part of a decision that is both signed into the ledger and shown to a device."""
    return {
        "level": seat.level,
        "digest": form.digest,
        "verdict": form.verdict,
        "gates": {gate: {"ok": bool(value.get("ok"))} for gate, value in form.gates.items()},
        # Only the level that answers for secrecy answers for the attachments.
        "attachments": dict(form.attachments) if "secrecy" in level.gates else {},
        # Who returns a text does not vouch for having proof-read it.
        "proof": form.proof and form.verdict == "approve",
    }


def verdict_faults(
    round_: Round | None, seat: Seat, draft: Draft, found: Findings, form: ReviewForm
) -> list[Reason]:
    """Every reason why this form cannot be taken; empty when it can."""
    if form.verdict == "approve":
        return content_faults(round_, seat, draft, found, form)
    if form.verdict == "return":
        return _return_faults(draft, form)
    if form.verdict == "refer":
        return _refer_faults(round_, form)
    return [Reason("verdict", "结论只能是批准、退回或转有关部门")]


def content_faults(
    round_: Round | None,
    seat: Seat,
    draft: Draft,
    found: Findings,
    form: ReviewForm | None,
) -> list[Reason]:
    """Findings that stand, and what the form lacks."""
    faults = standing_faults(found)
    if form is None or round_ is None:
        return faults
    flagged = flagged_gates(found)
    level: Level = round_.flow.levels[seat.level]
    markers = {part["media"]: part["name"] for part in draft.attachments}
    body = {
        "gates": form.gates,
        "attachments": form.attachments,
        "proof": form.proof,
        "passkey": form.passkey,
    }
    return faults + form_faults(level, body, flagged, markers)


def standing_faults(found: Findings) -> list[Reason]:
    """The findings that no level can approve over."""
    return [
        Reason("finding", f"{GATE_NAMES[one.gate]}：{one.reason}（必须先改）")
        for one in found
        if one.severity == "block" and not one.waived
    ]


def flagged_gates(found: Findings) -> set[str]:
    """Gates with a finding that a reviewer has to answer in words."""
    return {one.gate for one in found if one.severity != "hint" and not one.waived}


def _return_faults(draft: Draft, form: ReviewForm) -> list[Reason]:
    faults = []
    if not form.note.strip():
        faults.append(Reason("note", "退回要写明理由"))
    if form.gate and form.gate not in GATES:
        faults.append(Reason("gate", f"关口只能是：{'、'.join(GATE_NAMES.values())}"))
    if form.span is not None and not _span_holds(draft, form.span):
        faults.append(Reason("span", "标出的文字与这一稿不符，请重新标出"))
    return faults


def _span_holds(draft: Draft, span: Mapping[str, Any]) -> bool:
    text = {"title": draft.title, "text": draft.body}.get(str(span.get("field")))
    start, end = span.get("start"), span.get("end")
    if text is None or not isinstance(start, int) or not isinstance(end, int):
        return False
    return 0 <= start < end <= len(text) and text[start:end] == span.get("text")


def _refer_faults(round_: Round | None, form: ReviewForm) -> list[Reason]:
    faults = []
    if round_ is not None and round_.emergency is not None:
        faults.append(Reason("state", "应急发布后的复审不能转有关部门，请批准或退回"))
    if not form.department.strip():
        faults.append(Reason("department", "请写明转给哪个部门"))
    # The length of the column and of the line in the printed review form.
    if len(form.department) > 80:
        faults.append(Reason("department", "部门名称不能超过 80 个字"))
    if not form.note.strip():
        faults.append(Reason("note", "请写明要请部门回答的问题"))
    # A deadline that has passed would be late the moment it is set.
    if form.due_at is not None and form.due_at <= now():
        faults.append(Reason("due_at", "答复期限要晚于现在"))
    return faults
