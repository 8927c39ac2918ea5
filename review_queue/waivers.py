"""Letting one blocking finding of one revision stand, with a reason."""

from collections.abc import Mapping
from typing import Any

from config.clock import now
from gates.finding import Finding
from review_queue.canonical import commitment
from review_queue.chain import finding_place, maker_faults
from review_queue.desk import Queue, opened
from review_queue.findings import RaisedFinding, keep_run, look_at
from review_queue.models import Item, Waiver
from review_queue.rounds import makers_of, round_of
from review_queue.states import ItemState, state_name
from staff.people import Member
from staff.refusal import Reason, Refused, refuse
from staff.roles import REVIEWERS
from storage.database import new_id


async def waive(
    queue: Queue, item_id: str, staff_id: str, finding: Mapping[str, Any], reason: str
) -> Item:
    """Let one blocking finding of exactly this revision stand, with a reason.

    `finding` names it by gate, rule, field, start and end. Only in review, only a waivable
    rule, only a reviewer who neither wrote nor last edited it (保密: the secrecy role). Any
    edit voids it.
    """
    looked = await look_at(queue, item_id)
    seen, found = looked.digest, looked.findings
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item, person, revision = one.item, one.person, one.revision
        # The gates ran outside the transaction; what they looked at must still be the text.
        if seen != revision.digest:
            raise Refused(409, [Reason("stale", "稿件刚刚被修改，请重新打开")])
        match = next((one for one in found if _same_finding(one, finding)), None)
        # Read for the asker of an emergency, who may not let anything stand either.
        round_ = await round_of(tx.session, item)
        reasons = _waive_faults(item, person, match, reason)
        reasons += maker_faults(person.id, await makers_of(tx.session, item, round_), ())
        refuse(reasons)
        assert match is not None  # noqa: S101  _waive_faults refused without one
        keep_run(tx.session, item.id, looked)
        salt = new_id()
        seq = await tx.append(
            "waiver.granted",
            subject=f"item:{item.id}",
            actor=staff_id,
            body={
                "digest": revision.digest,
                "gate": match.gate,
                "rule": match.rule,
                # The exact place and words: a waiver for one name does not cover the next one.
                "finding": commitment(salt, finding_place(match)),
                "reason": commitment(salt, reason),
            },
        )
        tx.session.add(
            Waiver(
                id=salt,
                item_id=item.id,
                digest=revision.digest,
                gate=match.gate,
                rule=match.rule,
                span={name: getattr(match, name) for name in ("field", "start", "end", "text")},
                reason=reason,
                staff_id=staff_id,
                at=now(),
                ledger_seq=seq,
            )
        )
        return item


def _same_finding(one: Finding, wanted: Mapping[str, Any]) -> bool:
    fields = ("gate", "rule", "field", "start", "end")
    return all(getattr(one, name) == wanted.get(name) for name in fields)


def _waive_faults(
    item: Item, person: Member, found: RaisedFinding | None, reason: str
) -> list[Reason]:
    faults = []
    if item.state != ItemState.REVIEW:
        faults.append(Reason("state", f"稿件现在是“{state_name(item)}”，不在审核中"))
    if not REVIEWERS & set(person.roles):
        faults.append(Reason("role", "只有审核人员能对提示作放行说明"))
    if not reason.strip():
        faults.append(Reason("reason", "放行一条提示要写明理由"))
    if found is None:
        faults.append(Reason("missing", "这一稿没有这条提示，可能已经改掉"))
        return faults
    # Warnings stop nothing, so there is nothing to let stand.
    if found.severity != "block":
        faults.append(Reason("severity", "这条提示不阻止批准，在关口意见里写明理由即可"))
    if not found.waivable:
        faults.append(Reason("waivable", "这条规则不允许放行，只能修改"))
    if found.waived:
        faults.append(Reason("state", "这条提示已经有人放行"))
    # The law asks for a secrecy review by who is charged with it; other reviewers cannot replace
    # it.
    if found.gate == "secrecy" and "secrecy" not in person.roles:
        faults.append(Reason("secrecy_role", "保密关的提示只能由有保密角色的人放行"))
    return faults
