"""What may be changed in the library, each as a kind of the one mechanism for two people.

`policy` brings a document in (here); `policy_end` ends it or one clause of it, `policy_amend` gives
clauses other words from a day (altering.py), `policy_edit` mends what is said of it (editing.py).
The proposal holds the whole text, and rows are written from it at approval: what was proposed is
what comes in.
"""

import asyncio
import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any

import rfc8785
from sqlalchemy import delete

from config.clock import beijing, now
from facets.suggesting import suggestions
from facets.tagger import tag
from facets.taxonomy import DIMENSIONS, starting_taxonomy
from knowledge.altering import AmendKind, EndKind
from knowledge.clauses import cut
from knowledge.documents import MAX_TEXT
from knowledge.editing import EditKind
from knowledge.forms import (
    AMEND,
    EDIT,
    END,
    IMPORT,
    LONGEST,
    MOST_SAID,
    Filling,
    Gates,
    basis_of,
    date_of,
    day_in,
    must_be_new,
    must_be_open,
    must_run_forward,
    named,
    signed_now,
    there,
    words_in,
)
from knowledge.headed import head_of
from knowledge.in_force import beside
from knowledge.models import Clause, Policy
from knowledge.proof import SignedPolicy, as_signed, sign, text_hash
from knowledge.validity import STATUS_NAMES, Defaults, Life, day_after, last_day, parse_status
from ledger.append import Ledger, Transaction
from staff.proposals import Approval, Kind
from staff.refusal import Reason, Refused
from staff.rights import RIGHTS
from storage.database import new_id

_STATUTE = re.compile(r"(?:(?<!办)法|条例)$")
"""The title of a law or regulation, which does not lapse by itself; a 办法 is none."""
_DAYS = ("issued_on", "effective_from", "effective_to")
_LABEL, _HEADING = 60, 300


def policy_kinds(ledger: Ledger, gates: Gates, filling: Filling | None = None) -> dict[str, Kind]:
    """The kinds of change of one office's library."""
    return {
        IMPORT: PolicyKind(ledger, gates, filling),
        END: EndKind(ledger),
        AMEND: AmendKind(ledger, gates),
        EDIT: EditKind(ledger, gates, filling),
    }


class PolicyKind:
    """A document, as `_form` reads it: title, text, number, issuer, address, days, status."""

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
        signed = await signed_now(self._ledger)
        form = _form(_begun_beside(payload, signed), self._filling.defaults)
        self._must_be_new(form, signed)
        await must_be_open(self._gates, form["title"], form["text"])
        return form

    def _must_be_new(self, form: Mapping[str, Any], signed: Mapping[str, SignedPolicy]) -> None:
        if form["id"] in signed:
            raise there(form["title"])
        must_be_new(form, signed, text_hash(form["text"]))

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What comes in, and what the gates say of it."""
        number = f"（{payload['doc_number']}）" if payload["doc_number"] else "（无文号）"
        head = f"{named(payload['title'])}{number}入库，{len(payload['clauses'])} 条"
        said = (
            ("发文机关", payload["issuer"]),
            ("成文", payload["issued_on"]),
            ("施行", payload["effective_from"]),
            ("有效至", payload["effective_to"] or "未规定"),
            ("废止", payload.get("repealed_on")),
            ("来源写明", STATUS_NAMES.get(payload.get("status", ""))),
            ("主题", "、".join(self._labels(payload))),
            ("标签的依据", await asyncio.to_thread(self._why, payload)),
            ("原文", payload["url"]),
        )
        found = await self._gates(payload["title"], payload["text"])
        return {
            "changes": [
                {"sign": "+", "text": head},
                *({"sign": "~", "text": f"{name}：{value}"} for name, value in said if value),
            ],
            "warnings": [
                *_not_in_force(payload),
                *(f"{one.reason}（“{one.text[:30]}”）" for one in found[:MOST_SAID]),
            ],
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
        self._must_be_new(payload, await signed_now(self._ledger))
        policy, clauses = rows_of(payload, approval.proposed_by)
        policy.state, policy.approved_by = "active", approval.approved_by
        policy.facets = self._facets(payload)
        policy.topics = ",".join(policy.facets["topics"])
        tx.session.add_all([policy, *clauses])
        await sign(tx, as_signed(policy, clauses), approval.approved_by, basis_of(approval))
        return {"policy": policy.id}

    def _facets(self, payload: Mapping[str, Any]) -> dict[str, list[str]]:
        found = tag(payload["text"], payload["title"], self._filling.taxonomy)
        return {name: [one["key"] for one in found[name][:3]] for name in DIMENSIONS}

    def _why(self, payload: Mapping[str, Any]) -> str:
        """What speaks for the tags: who approves the document confirms them with it."""
        taxonomy = (self._filling.taxonomy or starting_taxonomy()).itself
        found = suggestions(payload["title"], payload["text"], taxonomy)
        return "；".join(f"{one.label}（{one.why}）" for one in found)

    def _labels(self, payload: Mapping[str, Any]) -> list[str]:
        taxonomy = self._filling.taxonomy or starting_taxonomy()
        return [taxonomy.label("topics", key) for key in self._facets(payload)["topics"]]


def _not_in_force(payload: Mapping[str, Any]) -> list[str]:
    """What a second person must notice of a document that is not in force, as it says itself."""
    if payload.get("status") in ("expired", "repealed") and not (
        payload["effective_to"] or payload.get("repealed_on")
    ):
        name = STATUS_NAMES[payload["status"]]
        return [f"来源写明{name}，没有写从哪一天起：入库后不会引用，查到日期后可以在政策页补上"]
    if payload.get("status") == "not_yet" and not payload["effective_from"]:
        return ["没有算出从哪一天起施行：入库后按尚未施行，不会引用，查到日期后可以在政策页补上"]
    days = [date_of(payload.get("repealed_on")), date_of(payload["effective_to"])]
    ends = [days[0], days[1] and day_after(days[1])]
    gone = min((day for day in ends if day is not None), default=None)
    if gone is not None and gone <= beijing(now()).date():
        return [f"这份文件从 {gone} 起不再有效，只用来答复问到当时的问题"]
    return []


# --- a document that comes in ---------------------------------------------------------------


def _begun_beside(
    payload: Mapping[str, Any], signed: Mapping[str, SignedPolicy]
) -> Mapping[str, Any]:
    """The document with its first day, where it begins with another one that stands here."""
    if payload.get("status") != "not_yet" or payload.get("effective_from"):
        return payload
    title = beside(head_of(words_in(payload, "text")).starts_later)
    days = {one.effective_from for one in signed.values() if title and one.title == title}
    begins = days.pop() if len(days) == 1 else None
    return {**payload, "status": None, "effective_from": begins} if begins else payload


def policy_form(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A document as it comes in, filled in as a new office does; Refused 422 for what it lacks."""
    return _form(payload, None)


def _form(payload: Mapping[str, Any], defaults: Defaults | None) -> dict[str, Any]:
    """The payload in its final form; the same again for one that has it already."""
    words = {name: words_in(payload, name)[:longest] for name, longest in LONGEST.items()}
    text, days = words_in(payload, "text"), {name: day_in(payload, name) for name in _DAYS}
    if not words["title"].strip() or not text.strip():
        raise Refused(422, [Reason("title", "政策的标题和正文不能为空，请补上")])
    if len(text) > MAX_TEXT:
        raise Refused(422, [Reason("text", f"正文超过 {MAX_TEXT // 10_000} 万字，请拆分后再录入")])
    if words["url"] and not words["url"].startswith(("http://", "https://")):
        raise Refused(422, [Reason("url", "原文地址要以 http:// 或 https:// 开头，没有就留空")])
    must_run_forward(days)
    later = _later(payload)
    # What begins later on a day nobody knows is not in force from the day it was issued.
    if later.get("status") != "not_yet":
        days["effective_from"] = days["effective_from"] or days["issued_on"]
    # Of what its source calls ended no later last day is made up.
    if later.get("status") not in ("expired", "repealed"):
        days["effective_to"] = _last(words["title"], days, defaults)
    form = {**words, **days, **later, "text": text}
    parts = [
        [part.label[:_LABEL], " > ".join(part.heading)[:_HEADING], part.start, part.end]
        for part in cut(text)
    ]
    return {"id": _id_of(form), **form, "clauses": parts}


def _later(payload: Mapping[str, Any]) -> dict[str, str]:
    """Fields that a document has only when it says them: its id is made of those it has."""
    try:
        status = parse_status(payload.get("status"))
    except ValueError as error:
        raise Refused(422, [Reason("status", str(error))]) from error
    # A document without a word about it is in force by its days.
    given: dict[str, str | None] = {"status": None if status == "in_force" else status}
    given["repealed_on"] = day_in(payload, "repealed_on")
    return {name: value for name, value in given.items() if value is not None}


def _last(title: str, days: Mapping[str, str | None], defaults: Defaults | None) -> str | None:
    """Its last day, filled in by the default so that the second person sees and checks it."""
    ends = last_day(
        Life(
            title,
            effective_from=date_of(days["effective_from"]),
            effective_to=date_of(days["effective_to"]),
            statute=_STATUTE.search(title.strip("《》 ")) is not None,
        ),
        defaults,
    )
    return ends.isoformat() if ends is not None else None


def _id_of(form: Mapping[str, Any]) -> str:
    """The same document twice has the same id: it cannot wait or stand twice."""
    digest = hashlib.sha256(rfc8785.dumps(dict(form))).digest()
    return base64.b32encode(digest).decode().lower()[:26]


def rows_of(form: Mapping[str, Any], proposed_by: str) -> tuple[Policy, list[Clause]]:
    """The rows of a checked payload, belonging to no session: what a page shows before approval."""
    policy = Policy(
        id=form["id"],
        **{name: form[name] for name in (*LONGEST, *_DAYS, "text")},
        repealed_on=form.get("repealed_on"),
        stated=form.get("status"),
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
