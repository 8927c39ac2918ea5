"""A kept question is left out by two people: as a kind of the one mechanism for changes."""

from collections.abc import Mapping
from typing import Any

from knowledge.regression import REMOVED, SUBJECT, RegressionQuestion, standing_questions
from ledger.append import Ledger, Transaction
from staff.proposals import Approval
from staff.refusal import Reason, Refused
from staff.rights import RIGHTS

LEAVE_OUT = "regression_remove"
_GONE = "（记录已被绕过本系统删去）"


class LeaveOutKind:
    """One question, by its id; its words stand in the proposal for who decides."""

    label = "去掉核对问题"
    proposers = RIGHTS["policies.propose"]
    approvers = RIGHTS["policies.approve"]
    one_open = "去掉这个问题已经提出，正在等待批准"

    def __init__(self, ledger: Ledger) -> None:
        """Where the questions were added under signature."""
        self._ledger = ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The question by its id."""
        return f"regression:{payload['question_id']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """One that stands by the entries: a row that somebody deleted is left out as well."""
        key = payload.get("question_id")
        async with self._ledger.db.session() as session:
            if not isinstance(key, str) or key not in await standing_questions(session):
                raise Refused(404, [Reason("question", "没有这个问题")])
            row = await session.get(RegressionQuestion, key)
            whole = row is not None and row.whole
            return {"question_id": key, "question": row.question if row and whole else _GONE}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What no change is held by any more."""
        words = f"核对问题“{payload['question']}”：今后政策、说法变更不再重新问它"
        return {"changes": [{"sign": "-", "text": words}], "warnings": []}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """Gone from the commit on; 404 when somebody was first."""
        key = payload["question_id"]
        if key not in await standing_questions(tx.session):
            raise Refused(404, [Reason("question", "没有这个问题")])
        row = await tx.session.get(RegressionQuestion, key)
        if row is not None:
            await tx.session.delete(row)
        body = {"question": key, "proposal": approval.proposal_id}
        await tx.append(REMOVED, subject=SUBJECT, actor=approval.approved_by, body=body)
        return {}
