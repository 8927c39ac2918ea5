"""What changes a policy that stands: it ends, or one clause; clauses get other words from a day.

A change is made against what was signed when it was proposed (`was`), and is overtaken by another.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from knowledge.cited import cited
from knowledge.clauses import label_of
from knowledge.documents import MAX_TEXT
from knowledge.forms import (
    MOST_SAID,
    Gates,
    basis_of,
    clauses_of,
    date_of,
    day_in,
    known_in,
    must_agree,
    must_be_open,
    must_be_plain,
    named,
    signed_now,
    words_in,
)
from knowledge.models import Clause, Policy
from knowledge.proof import SignedPolicy, as_signed, sign
from ledger.append import Ledger, Transaction
from staff.proposals import Approval
from staff.refusal import Reason, Refused
from staff.rights import RIGHTS
from storage.database import new_id

_LONGEST_CLAUSE = 20_000
_MOST_CLAUSES = 300
_SHOWN = 80  # characters of a wording in the list of what changes


class Alteration:
    """A change of one policy of the library, by whoever may change it at all."""

    label = "政策变更"
    proposers = RIGHTS["policies.propose"]
    approvers = RIGHTS["policies.approve"]

    def __init__(self, ledger: Ledger) -> None:
        """What stands is asked of the ledger's signed entries."""
        self._ledger = ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The policy that changes."""
        return f"policy:{payload['policy_id']}"

    async def standing(self, payload: Mapping[str, Any]) -> tuple[SignedPolicy, Sequence[Clause]]:
        """The policy as signed with its clause rows; Refused 404 or 409."""
        state = known_in(await signed_now(self._ledger), payload.get("policy_id"))
        async with self._ledger.db.session() as session:
            policy = await session.get(Policy, state.id)
            clauses = await clauses_of(session, state.id)
        await must_agree(self._ledger, state, policy, clauses)
        if payload.get("was", state.digest) != state.digest:
            raise Refused(409, [Reason("overtaken", "提出之后这项政策又有变化，请重新提出")])
        return state, clauses

    async def rows(
        self, tx: Transaction, payload: Mapping[str, Any]
    ) -> tuple[Policy, Sequence[Clause]]:
        """The rows inside the write lock, which must be what was proposed against."""
        policy = await tx.session.get(Policy, payload["policy_id"], populate_existing=True)
        clauses = await clauses_of(tx.session, payload["policy_id"])
        if policy is None or as_signed(policy, clauses).digest != payload["was"]:
            raise Refused(409, [Reason("overtaken", "这项政策刚刚有变化，请重新提出")])
        return policy, clauses

    async def put(
        self, tx: Transaction, policy: Policy, clauses: Sequence[Clause], approval: Approval
    ) -> Mapping[str, Any]:
        """Sign how the rows stand from now on."""
        policy.version += 1
        await sign(tx, as_signed(policy, clauses), approval.approved_by, basis_of(approval))
        return {"policy": policy.id}


def clause_name(clause: Clause) -> str:
    """How people speak of a clause."""
    return clause.label or f"第 {clause.place or clause.number} 段"


def _clause(clauses: Sequence[Clause], number: Any) -> Clause:
    """The clause of that number, with the words it has; Refused 404 or 409."""
    found = next((one for one in clauses if one.number == number), None)
    if found is None or isinstance(number, bool):
        raise Refused(404, [Reason("clause", f"这项政策没有编号为 {number} 的条文")])
    if found.replaced_on is not None:
        later = max(one.number for one in clauses if (one.place or one.number) == _place(found))
        words = f"{clause_name(found)}从 {found.replaced_on} 起有新的条文，请选编号 {later}"
        raise Refused(409, [Reason("clause", words)])
    return found


def _place(clause: Clause) -> int:
    return clause.place or clause.number


class EndKind(Alteration):
    """{policy_id, on, successor_id, clause}: the policy ends, or one clause of it."""

    label = "政策废止"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Day, successor and clause, beside how the policy stands; Refused 404, 409 or 422."""
        signed = await signed_now(self._ledger)
        state = known_in(signed, payload.get("policy_id"))
        successor, number = payload.get("successor_id") or None, payload.get("clause")
        if successor is not None and known_in(signed, successor).id == state.id:
            raise Refused(422, [Reason("successor_id", "代替它的文件不能是它自己，请另选一份")])
        on = day_in(payload, "on")
        if on is None:
            raise Refused(422, [Reason("on", "请写明从哪一天起不再有效")])
        if number is None and state.repealed_on is not None:
            raise Refused(409, [Reason("state", f"{named(state.title)}已经废止")])
        state, clauses = await self.standing(payload)
        if number is not None and _clause(clauses, number).repealed_on is not None:
            name = clause_name(_clause(clauses, number))
            raise Refused(409, [Reason("state", f"{name}已经废止")])
        if number is not None and on < (_clause(clauses, number).effective_from or ""):
            raise Refused(422, [Reason("on", "这一条到那一天还没有施行，请写施行以后的一天")])
        return {"policy_id": state.id, "on": on, "successor_id": successor, "clause": number} | {
            "was": state.digest
        }

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Which policy or clause ends when, what follows it, and who rests on it."""
        signed = await signed_now(self._ledger)
        state = known_in(signed, payload["policy_id"])
        number, what = payload["clause"], ""
        async with self._ledger.db.session() as session:
            if number is not None:
                what = clause_name(_clause(await clauses_of(session, state.id), number))
            rests = await cited(session, state, None if number is None else [number])
        changes = [{"sign": "-", "text": f"{named(state.title)}{what}自 {payload['on']} 起废止"}]
        if payload["successor_id"] is not None:
            after = known_in(signed, payload["successor_id"])
            follows = f"（{after.doc_number}）" if after.doc_number else ""
            changes.append({"sign": "~", "text": f"由{named(after.title)}{follows}代替"})
        return {
            "changes": changes,
            "warnings": rests.lines,
            "mentions": rests.items,
            "note": f"批准后，问到 {payload['on']} 及以后的不再引用，问到以前的写明当时有效。",
        }

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """Change the rows, which must be what was proposed against, and sign how they stand."""
        policy, clauses = await self.rows(tx, payload)
        if payload["clause"] is None:
            policy.repealed_on, policy.successor_id = payload["on"], payload["successor_id"]
        else:
            _clause(clauses, payload["clause"]).repealed_on = payload["on"]
            policy.amended_on = policy.amended_on or payload["on"]
        return await self.put(tx, policy, clauses, approval)


class AmendKind(Alteration):
    """{policy_id, on, clauses: [{number, text}]}: other words from a day; number null adds one."""

    label = "政策修改"

    def __init__(self, ledger: Ledger, gates: Gates) -> None:
        """`gates` are asked of the new words when proposed and again when approved."""
        super().__init__(ledger)
        self._gates = gates

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The day and each wording, beside how the policy stands; Refused 404, 409 or 422."""
        state, clauses = await self.standing(payload)
        on = day_in(payload, "on")
        if on is None:
            raise Refused(422, [Reason("on", "请写明新的条文从哪一天起施行")])
        if state.repealed_on is not None and state.repealed_on <= on:
            words = f"{named(state.title)}从 {state.repealed_on} 起废止，这一天以后不能再修改"
            raise Refused(409, [Reason("state", words)])
        wanted = [_wording(one, clauses, on, state) for one in _listed(payload)]
        numbers = [one["number"] for one in wanted if one["number"] is not None]
        if len(set(numbers)) < len(numbers):
            raise Refused(422, [Reason("clauses", "同一条写了两次，请去掉一处")])
        await must_be_open(self._gates, state.title, "\n".join(one["text"] for one in wanted))
        return {
            "policy_id": state.id,
            "on": on,
            # What is added stands behind what takes another's place, in the order it was given.
            "clauses": sorted(wanted, key=lambda one: one["number"] or len(clauses) + 1),
            "was": state.digest,
        }

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Each clause with its words before and after, and who rests on them."""
        state = known_in(await signed_now(self._ledger), payload["policy_id"])
        wanted = payload["clauses"]
        async with self._ledger.db.session() as session:
            rows = {one.number: one for one in await clauses_of(session, state.id)}
            numbers = [one["number"] for one in wanted if one["number"] is not None]
            rests = await cited(session, state, numbers)
        found = await self._gates(state.title, "\n".join(one["text"] for one in wanted))
        head = f"{named(state.title)}自 {payload['on']} 起修改 {len(wanted)} 条"
        return {
            "changes": [
                {"sign": "~", "text": head},
                *(_told(one, rows.get(one["number"])) for one in wanted),
            ],
            "warnings": [
                *rests.lines,
                *(f"{one.reason}（“{one.text[:30]}”）" for one in found[:MOST_SAID]),
            ],
            "mentions": rests.items,
            "note": f"批准后，问到 {payload['on']} 及以后的引用新条文，问到以前的引用原条文。",
        }

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """Put the new words behind the document, end the old ones, and sign how they stand."""
        policy, clauses = await self.rows(tx, payload)
        number = max((one.number for one in clauses), default=0)
        text, new = policy.text, list[Clause]()
        for one in payload["clauses"]:
            number += 1
            start = len(text) + 2
            text += f"\n\n{one['text']}"
            row = Clause(id=new_id(), policy_id=policy.id, number=number, text=one["text"])
            row.start, row.end, row.effective_from = start, len(text), payload["on"]
            row.label, row.heading, row.place = label_of(one["text"]), "", None
            if one["number"] is not None:
                old = _clause(clauses, one["number"])
                old.replaced_on, row.place = payload["on"], _place(old)
                row.label, row.heading = row.label or old.label, old.heading
            new.append(row)
        policy.text = text
        policy.amended_on = min(policy.amended_on or payload["on"], payload["on"])
        tx.session.add_all(new)
        return await self.put(tx, policy, [*clauses, *new], approval)


def _listed(payload: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    listed = payload.get("clauses")
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise Refused(422, [Reason("clauses", "clauses：应当写成 [{number, text}] 的列表")])
    if not 0 < len(listed) <= _MOST_CLAUSES:
        raise Refused(422, [Reason("clauses", f"请改动 1 至 {_MOST_CLAUSES} 条")])
    if sum(len(str(one.get("text"))) for one in listed) > MAX_TEXT:
        raise Refused(422, [Reason("clauses", "新的条文太长，请分几次修改")])
    return listed


def _wording(
    one: Mapping[str, Any], clauses: Sequence[Clause], on: str, state: SignedPolicy
) -> dict[str, Any]:
    """One new wording in its final form."""
    text, number = words_in(one, "text"), one.get("number")
    text = "\n".join(line.rstrip() for line in text.splitlines()).strip()
    must_be_plain("text", text, allowed="\n\t")
    if number is None:
        name = "增加的条文"
    else:
        old = _clause(clauses, number)
        name = clause_name(old)
        _must_follow(old, name, on, state)
        if text == old.text:
            raise Refused(422, [Reason("clauses", f"{name}没有改动，请去掉或改写")])
    if not 0 < len(text) <= _LONGEST_CLAUSE:
        raise Refused(422, [Reason("clauses", f"{name}应当是 1 至 {_LONGEST_CLAUSE} 字")])
    return {"number": number, "text": text}


def _must_follow(old: Clause, name: str, on: str, state: SignedPolicy) -> None:
    """The words there are must have been in force for a day at least, and not be ended."""
    if old.repealed_on is not None:
        raise Refused(409, [Reason("clauses", f"{name}从 {old.repealed_on} 起已经废止")])
    began = max(old.effective_from or "", state.effective_from or "")
    if on <= began:
        words = f"{name}现在的条文从 {date_of(began)} 起施行，新的条文要从以后的一天起"
        raise Refused(422, [Reason("on", words)])


def _told(wording: Mapping[str, Any], old: Clause | None) -> dict[str, Any]:
    text = wording["text"]
    new = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    if old is None:
        return {"sign": "+", "text": f"增加：{new}", "fields": [["条文", "", text]]}
    # Whole and side by side: who approves must be able to read every word of it.
    compared = [[clause_name(old), old.text, text]]
    return {"sign": "~", "text": f"{clause_name(old)}改为：{new}", "fields": compared}
