"""What may be changed in the library, each as a kind of the one mechanism for two people.

`policy` brings a document in, `policy_end` ends it or one clause of it. The proposal holds the
whole text, and rows are written from it at approval: what was proposed is what comes in.
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import rfc8785
from sqlalchemy import delete, select

from config.clock import now
from facets.tagger import tag
from facets.taxonomy import DIMENSIONS, Taxonomy
from gates.finding import Finding
from knowledge.clauses import cut
from knowledge.documents import MAX_TEXT
from knowledge.models import Clause, Policy
from knowledge.proof import (
    SignedPolicy,
    as_signed,
    fault_in,
    sign,
    signed_policies,
    tell_changed,
    text_hash,
)
from knowledge.validity import Defaults, Life, last_day, parse_day
from ledger.append import Ledger, Transaction
from ledger.verify import Broken
from staff.proposals import Approval, Kind
from staff.refusal import Reason, Refused
from staff.rights import RIGHTS
from storage.database import new_id

IMPORT, END = "policy", "policy_end"
KINDS = (IMPORT, END)
MET = frozenset({"secrecy", "law"})
"""The gates a policy meets. It is quoted as its issuer wrote it, so the others have no say."""
_STATUTE_ENDINGS = ("法", "条例")
_LONGEST = {"title": 300, "doc_number": 60, "issuer": 120, "url": 500}
_DAYS = ("issued_on", "effective_from", "effective_to")
_LABEL, _HEADING = 60, 300
_SHOWN = 6  # characters of a secret that a refusal repeats
_MOST_SAID = 20

Gates = Callable[[str, str], Awaitable[Sequence[Finding]]]
"""Title and text of a policy to what the gates in MET say of them."""


@dataclass(frozen=True)
class Filling:
    """What fills in a policy that does not say it itself; None: as the program starts with."""

    taxonomy: Taxonomy | None = None
    defaults: Defaults | None = None


def policy_kinds(ledger: Ledger, gates: Gates, filling: Filling | None = None) -> dict[str, Kind]:
    """The kinds of change of one office's library."""
    return {IMPORT: PolicyKind(ledger, gates, filling), END: EndKind(ledger)}


class PolicyKind:
    """{title, text, doc_number, issuer, url, issued_on, effective_from, effective_to}."""

    label = "政策入库"
    proposers = RIGHTS["policies.propose"]
    approvers = RIGHTS["policies.approve"]

    def __init__(self, ledger: Ledger, gates: Gates, filling: Filling | None = None) -> None:
        """`gates` are asked when it is proposed and again when it is approved."""
        self._ledger = ledger
        self._gates = gates
        self._filling = filling or Filling()

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The policy's id, which is derived from what it says."""
        return f"policy:{payload['id']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Every field in its final form, its period filled in, the text cut into clauses.

        A blocking finding of the secrecy gate stops it: a library is quoted to everybody, and what
        may be an exception is decided there (kind `exception`). What the law gate says is shown.
        """
        form = _form(payload, self._filling.defaults)
        _must_be_new(form, await _signed(self._ledger))
        blocked = [
            Reason(one.rule, f"保密检查不通过：{one.reason}（“{one.text[:_SHOWN]}…”）")
            for one in await self._gates(form["title"], form["text"])
            if (one.gate, one.severity) == ("secrecy", "block")
        ]
        if blocked:
            raise Refused(422, blocked[:_MOST_SAID])
        return form

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What comes in, and what the gates say of it."""
        number = f"（{payload['doc_number']}）" if payload["doc_number"] else "（无文号）"
        head = f"《{payload['title'].strip('《》')}》{number}入库，{len(payload['clauses'])} 条"
        said = (
            ("发文机关", payload["issuer"]),
            ("成文", payload["issued_on"]),
            ("施行", payload["effective_from"]),
            ("有效至", payload["effective_to"] or "未规定"),
            ("原文", payload["url"]),
        )
        found = await self._gates(payload["title"], payload["text"])
        return {
            "changes": [
                {"sign": "+", "text": head},
                *({"sign": "~", "text": f"{name}：{value}"} for name, value in said if value),
            ],
            "warnings": [f"{one.reason}（“{one.text[:30]}”）" for one in found[:_MOST_SAID]],
            "note": "批准后群众提问会引用这份文件，请对照原件核对文号、日期和正文。",
        }

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """Write the rows from what was proposed, and sign how the policy stands."""
        # No signed entry speaks of this id yet, so rows that carry it were written by nobody.
        await tx.session.execute(delete(Clause).where(Clause.policy_id == payload["id"]))
        await tx.session.execute(delete(Policy).where(Policy.id == payload["id"]))
        # Once more in the lock: two admins may approve two drafts of one document at once.
        _must_be_new(payload, await _signed(self._ledger))
        policy, clauses = rows_of(payload, approval.proposed_by)
        policy.state, policy.approved_by = "active", approval.approved_by
        found = tag(payload["text"], payload["title"], self._filling.taxonomy)
        policy.facets = {name: [one["key"] for one in found[name][:3]] for name in DIMENSIONS}
        tx.session.add_all([policy, *clauses])
        await sign(tx, as_signed(policy, clauses), approval.approved_by, _basis(approval))
        return {"policy": policy.id}


class EndKind:
    """{policy_id, on, successor_id, clause}: the policy ends, or one clause of it."""

    label = "政策废止"
    proposers = RIGHTS["policies.propose"]
    approvers = RIGHTS["policies.approve"]

    def __init__(self, ledger: Ledger) -> None:
        """What stands is asked of the ledger's signed entries."""
        self._ledger = ledger

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The policy that ends."""
        return f"policy:{payload['policy_id']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Day, successor and clause, beside how the policy stands; Refused 404, 409 or 422."""
        signed = await _signed(self._ledger)
        state = _known(signed, payload.get("policy_id"))
        successor, number = payload.get("successor_id") or None, payload.get("clause")
        if successor is not None and _known(signed, successor).id == state.id:
            raise Refused(422, [Reason("successor_id", "代替它的文件不能是它自己，请另选一份")])
        on = _day(payload, "on")
        if on is None:
            raise Refused(422, [Reason("on", "请写明从哪一天起不再有效")])
        if number is None and state.repealed_on is not None:
            raise Refused(409, [Reason("state", f"《{state.title}》已经废止")])
        async with self._ledger.db.session() as session:
            policy = await session.get(Policy, state.id)
            query = select(Clause).where(Clause.policy_id == state.id)
            clauses = (await session.scalars(query)).all()
        await self._must_agree(state, policy, clauses)
        if number is not None and all(clause.number != number for clause in clauses):
            raise Refused(404, [Reason("clause", f"这项政策没有第 {number} 条")])
        if payload.get("was", state.digest) != state.digest:
            raise Refused(409, [Reason("overtaken", "提出之后这项政策又有变化，请重新提出")])
        return {"policy_id": state.id, "on": on, "successor_id": successor, "clause": number} | {
            "was": state.digest
        }

    async def _must_agree(
        self, state: SignedPolicy, policy: Policy | None, clauses: Sequence[Clause]
    ) -> None:
        fault = fault_in(state, policy, clauses)
        if fault is not None:
            await tell_changed(self._ledger, [fault])
            words = "这项政策的记录与签名的台账不符，先查明并恢复，再变更"
            raise Refused(409, [Reason("tampered", words)])

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Which policy or clause ends when, and what follows it."""
        signed = await _signed(self._ledger)
        state = _known(signed, payload["policy_id"])
        what = f"第 {payload['clause']} 条" if payload["clause"] is not None else ""
        head = f"《{state.title.strip('《》')}》{what}自 {payload['on']} 起废止"
        changes = [{"sign": "-", "text": head}]
        if payload["successor_id"] is not None:
            after = _known(signed, payload["successor_id"])
            number = f"（{after.doc_number}）" if after.doc_number else ""
            line = f"由《{after.title.strip('《》')}》{number}代替"
            changes.append({"sign": "~", "text": line})
        return {"changes": changes, "warnings": []}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """Change the rows, which must be what was proposed against, and sign how they stand."""
        policy = await tx.session.get(Policy, payload["policy_id"], populate_existing=True)
        query = select(Clause).where(Clause.policy_id == payload["policy_id"])
        clauses = (await tx.session.scalars(query)).all()
        if policy is None or as_signed(policy, clauses).digest != payload["was"]:
            raise Refused(409, [Reason("overtaken", "这项政策刚刚有变化，请重新提出")])
        if payload["clause"] is None:
            policy.repealed_on, policy.successor_id = payload["on"], payload["successor_id"]
        else:
            (ended,) = (clause for clause in clauses if clause.number == payload["clause"])
            ended.repealed_on = payload["on"]
            policy.amended_on = policy.amended_on or payload["on"]
        policy.version += 1
        await sign(tx, as_signed(policy, clauses), approval.approved_by, _basis(approval))
        return {"policy": policy.id}


def _basis(approval: Approval) -> Mapping[str, Any]:
    return {"proposal": approval.proposal_id, "proposed_by": approval.proposed_by}


async def _signed(ledger: Ledger) -> Mapping[str, SignedPolicy]:
    try:
        return await signed_policies(ledger)
    except Broken as broken:
        words = f"台账核验不通过，暂时不能变更政策库：{broken}"
        raise Refused(409, [Reason("ledger", words)]) from broken


def _known(signed: Mapping[str, SignedPolicy], policy_id: Any) -> SignedPolicy:
    state = signed.get(str(policy_id))
    if state is None:
        raise Refused(404, [Reason("policy", "政策库里没有这项政策")])
    return state


# --- a document that comes in ---------------------------------------------------------------


def _form(payload: Mapping[str, Any], defaults: Defaults | None) -> dict[str, Any]:
    """The payload in its final form; the same again for one that has it already."""
    words = {name: _words(payload, name)[:longest] for name, longest in _LONGEST.items()}
    text, days = _words(payload, "text"), {name: _day(payload, name) for name in _DAYS}
    if not words["title"].strip() or not text.strip():
        raise Refused(422, [Reason("title", "政策的标题和正文不能为空，请补上")])
    if len(text) > MAX_TEXT:
        raise Refused(422, [Reason("text", f"正文超过 {MAX_TEXT // 10_000} 万字，请拆分后再录入")])
    if words["url"] and not words["url"].startswith(("http://", "https://")):
        raise Refused(422, [Reason("url", "原文地址要以 http:// 或 https:// 开头，没有就留空")])
    days["effective_from"] = days["effective_from"] or days["issued_on"]
    days["effective_to"] = _last(words["title"], days, defaults)
    form = {**words, **days, "text": text}
    parts = [
        [part.label[:_LABEL], " > ".join(part.heading)[:_HEADING], part.start, part.end]
        for part in cut(text)
    ]
    return {"id": _id_of(form), **form, "clauses": parts}


def _words(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name) or ""
    # A lone surrogate cannot be signed, and a NUL cannot be stored on PostgreSQL.
    if not isinstance(value, str) or any(_unfit(sign) for sign in value):
        raise Refused(422, [Reason(name, f"{name}：应当是文字，不含无法识别的字符")])
    return value


def _unfit(sign: str) -> bool:
    return sign == "\x00" or "\ud800" <= sign <= "\udfff"


def _day(payload: Mapping[str, Any], name: str) -> str | None:
    try:
        day = parse_day(payload.get(name), name)
    except ValueError as error:
        raise Refused(422, [Reason(name, str(error))]) from error
    return day.isoformat() if day is not None else None


def _last(title: str, days: Mapping[str, str | None], defaults: Defaults | None) -> str | None:
    """Its last day, filled in by the default so that the second person sees and checks it."""
    ends = last_day(
        Life(
            title,
            effective_from=_date(days["effective_from"]),
            effective_to=_date(days["effective_to"]),
            statute=title.endswith(_STATUTE_ENDINGS),
        ),
        defaults,
    )
    return ends.isoformat() if ends is not None else None


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _id_of(form: Mapping[str, Any]) -> str:
    """The same document twice has the same id: it cannot wait or stand twice."""
    digest = hashlib.sha256(rfc8785.dumps(dict(form))).digest()
    return base64.b32encode(digest).decode().lower()[:26]


def _must_be_new(form: Mapping[str, Any], signed: Mapping[str, SignedPolicy]) -> None:
    digest = text_hash(form["text"])
    for state in signed.values():
        named = (state.title, state.doc_number) == (form["title"], form["doc_number"])
        still = bool(form["doc_number"]) and state.repealed_on is None
        if state.id == form["id"] or (named and (state.text_sha256 == digest or still)):
            raise _there(form)


def _there(form: Mapping[str, Any]) -> Refused:
    words = f"政策库里已有《{form['title']}》，不必重复录入"
    return Refused(409, [Reason("doc_number", words)])


def rows_of(form: Mapping[str, Any], proposed_by: str) -> tuple[Policy, list[Clause]]:
    """The rows of a checked payload, belonging to no session: what a page shows before approval."""
    policy = Policy(
        id=form["id"],
        **{name: form[name] for name in (*_LONGEST, *_DAYS, "text")},
        facets={},
        state="proposed",
        proposed_by=proposed_by,
        version=1,
        created_at=now(),
    )
    return policy, [
        Clause(
            id=new_id(),
            policy_id=form["id"],
            number=number,
            label=label,
            heading=heading,
            text=form["text"][start:end],
            start=start,
            end=end,
        )
        for number, (label, heading, start, end) in enumerate(form["clauses"], start=1)
    ]
