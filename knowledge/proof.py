"""The library is what was signed: entries, rows compared with them, and what was found changed.

The newest signed word about a policy (`policy.set`, subject `library`) holds every field a citizen
is told or that decides validity, a hash of the text and one of the clauses. A row that says
something else is left out and told in an incident; no other policy suffers from it.
"""

import hashlib
import json
import logging
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from functools import cached_property, partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gates.policies import deadlines
from knowledge.models import Clause, Policy
from knowledge.validity import CITABLE, clause_status, is_worded, policy_status
from ledger.append import Ledger, Transaction
from ledger.verify import Entry

SUBJECT = "library"
SET = "policy.set"
_PAGE = 100  # policies compared in one step: the text of all of them is in memory meanwhile
_MOST_TOLD = 50  # incidents of one look: whoever changes every row needs no thousand of them
_CLAUSE = (
    *("id", "policy_id", "number", "label", "heading", "text"),
    *("start", "end", "repealed_on"),
)
_WORDING = ("place", "effective_from", "replaced_on")
CLAUSE_COLUMNS = tuple(getattr(Clause, name) for name in (*_CLAUSE, *_WORDING))
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SignedPolicy:
    """What the newest signed entry says of one policy; the hashes are over its rows."""

    id: str
    title: str
    doc_number: str
    issuer: str
    url: str
    issued_on: str | None
    effective_from: str | None
    effective_to: str | None
    repealed_on: str | None
    amended_on: str | None
    successor_id: str | None
    state: str
    text_sha256: str
    clauses_sha256: str
    stated: str | None = None
    topics: str | None = None

    @cached_property
    def digest(self) -> str:
        """One hash over all of it: what a change that waits was made against."""
        said = asdict(self)
        later = {name: said.pop(name) for name in _LATER}
        # Entries of earlier versions say nothing of the later fields: their digest stays.
        more = [sorted(later.items())] if any(later.values()) else []
        return hashlib.sha256(_plain([*said.values(), *more])).hexdigest()


FIELDS = tuple(one.name for one in fields(SignedPolicy) if not one.name.endswith("_sha256"))
_LATER = ("stated", "topics")
_SIGNED = (*(name for name in FIELDS[1:] if name not in _LATER), "text_sha256", "clauses_sha256")
POLICY_COLUMNS = tuple(getattr(Policy, name) for name in FIELDS)


@dataclass(frozen=True)
class Changed:
    """One row that is not what was signed; `field` is "row" when it is missing or unsigned."""

    policy_id: str
    table: str
    row: str
    field: str


@dataclass(frozen=True)
class Deadline:
    """A last day for applying as a policy writes it, and the days of the words it stands in."""

    written: str
    effective_from: str | None = None
    replaced_on: str | None = None
    repealed_on: str | None = None

    def holds(self, day: date) -> bool:
        """Whether the policy says so on that day."""
        return is_worded(self, day) and (self.repealed_on is None or str(day) < self.repealed_on)


@dataclass(frozen=True)
class Verified:
    """A library compared whole: what is signed, and of whose rows every one agrees."""

    signed: Mapping[str, SignedPolicy]
    policies: Mapping[str, SignedPolicy]
    clauses: Mapping[str, tuple[str, bytes]]  # clause id -> policy id, hash of its row
    apply_by: Mapping[str, tuple[Deadline, ...]]  # policy id -> those of all its wordings
    changed: tuple[Changed, ...]

    @cached_property
    def name(self) -> str:
        """Names exactly these policies as they stand: for what is derived from them."""
        whole = hashlib.sha256()
        for key in sorted(self.policies):
            whole.update(bytes.fromhex(self.policies[key].digest))
        return whole.hexdigest()[:32]


def text_hash(text: Any) -> str:
    """SHA-256 of a policy's text, hex."""
    # SQLite keeps whatever somebody writes into a column: bytes are no text, and must not stop us.
    whole = text if isinstance(text, str) else repr(text)
    return hashlib.sha256(whole.encode(errors="surrogatepass")).hexdigest()


def clause_hash(clause: Any) -> bytes:
    """The hash of one clause row, over all its columns."""
    said = [getattr(clause, name) for name in _CLAUSE]
    wording = [getattr(clause, name) for name in _WORDING]
    # A clause that was never amended is hashed as it was before there were wordings.
    amended = any(value is not None for value in wording)
    return hashlib.sha256(_plain([*said, *wording] if amended else said)).digest()


def as_signed(policy: Any, clauses: Sequence[Any]) -> SignedPolicy:
    """What an entry about these rows says."""
    ordered = sorted(clauses, key=lambda clause: str(clause.id))
    hashes = b"".join(clause_hash(one) for one in ordered)
    return SignedPolicy(
        **{name: getattr(policy, name) for name in FIELDS},
        text_sha256=text_hash(policy.text),
        clauses_sha256=hashlib.sha256(hashes).hexdigest(),
    )


def fault_in(state: SignedPolicy, policy: Any, clauses: Sequence[Any]) -> Changed | None:
    """Where rows first say something else than was signed; None when all agree."""
    if policy is None:
        return Changed(state.id, "policy", state.id, "row")
    stands = as_signed(policy, clauses)
    for name in FIELDS:
        if getattr(stands, name) != getattr(state, name):
            return Changed(state.id, "policy", state.id, name)
    if stands.text_sha256 != state.text_sha256:
        return Changed(state.id, "policy", state.id, "text")
    if stands.clauses_sha256 == state.clauses_sha256:
        return None
    # The text is the signed one, so a clause that is no slice of it is the one that was changed.
    for one in clauses:
        whole = isinstance(one.start, int) and isinstance(one.end, int)
        if not whole or policy.text[one.start : one.end] != one.text:
            return Changed(state.id, "clause", one.id, "text")
    return Changed(state.id, "clause", state.id, "row")


async def sign(tx: Transaction, state: SignedPolicy, actor: str, basis: Mapping[str, Any]) -> int:
    """Say how a policy stands from now on; `basis` names the proposal it comes from."""
    body = {"policy": state.id, **asdict(state), **basis}
    for name in ("id", *(one for one in _LATER if body[one] is None)):
        del body[name]
    return await tx.append(SET, subject=SUBJECT, actor=actor, body=body)


async def entries_of(ledger: Ledger) -> Sequence[Entry]:
    """Every signed word about the library, read on to this moment. Raises Broken."""
    # The chain itself is read, not asked by kind or subject: those columns carry no signature, and
    # a repeal must not be hidden by changing one. What was read once is compared by the watch.
    await ledger.refresh()
    return await ledger.facts(SUBJECT, age=math.inf)


def policies_in(
    entries: Sequence[Entry], before: Mapping[str, SignedPolicy] | None = None, seq: int = 0
) -> dict[str, SignedPolicy]:
    """The last signed word about each policy; `before` is what entries up to `seq` say."""
    found = dict(before or {})
    new = bisect_right(entries, seq, key=lambda entry: entry.seq)
    for entry in entries[new:]:
        if entry.kind == SET:
            known = {name: entry.body[name] for name in _SIGNED}
            known |= {name: entry.body.get(name) for name in _LATER}
            found[entry.body["policy"]] = SignedPolicy(id=entry.body["policy"], **known)
    return found


async def signed_policies(ledger: Ledger) -> dict[str, SignedPolicy]:
    """Every policy of the library by id, as signed entries say. Raises Broken."""
    return policies_in(await entries_of(ledger))


async def compared(
    ledger: Ledger, signed: Mapping[str, SignedPolicy], known: Verified | None = None
) -> Verified:
    """Every row of the library beside what was signed; nothing is told yet.

    With `known` only rows of policies that were signed anew since, or did not agree then.
    """
    same = _as_before(signed, known)
    policies, clauses, apply_by = dict(same.policies), dict(same.clauses), dict(same.apply_by)
    changed: list[Changed] = []
    keys = sorted(set(signed) - set(policies))
    for at in range(0, len(keys), _PAGE):
        wanted = {key: signed[key] for key in keys[at : at + _PAGE]}
        page = await ledger.db.read(partial(_look, signed=wanted))
        policies.update(page.policies)
        clauses.update(page.clauses)
        apply_by.update(page.apply_by)
        changed += page.changed
    unsigned = sorted(await ledger.db.read(_active) - set(signed))
    changed += [Changed(key, "policy", key, "row") for key in unsigned]
    return Verified(signed, policies, clauses, apply_by, tuple(changed))


def _as_before(signed: Mapping[str, SignedPolicy], known: Verified | None) -> Verified:
    """What of a library that was compared stands as it was signed then."""
    before = known.policies if known is not None else {}
    # The older ones, equal to what is signed now: what was worked out of them is kept with them.
    kept = {key: one for key, one in before.items() if is_same(one, signed.get(key))}
    if known is None:
        return Verified(signed, {}, {}, {}, ())
    return Verified(
        signed,
        kept,
        {key: one for key, one in known.clauses.items() if one[0] in kept},
        {key: one for key, one in known.apply_by.items() if key in kept},
        (),
    )


def is_same(one: SignedPolicy, other: SignedPolicy | None) -> bool:
    """Whether both say the same; of thousands that were kept hardly one is compared."""
    return one is other or one == other


def successor_of(policy: SignedPolicy, library: Verified, day: date) -> SignedPolicy | None:
    """What one may rely on instead on that day: the first in force along those that follow."""
    seen, one = {policy.id}, library.signed.get(policy.successor_id or "")
    while one is not None and one.id not in seen:
        if policy_status(one, day) in CITABLE:
            return one
        seen.add(one.id)
        one = library.signed.get(one.successor_id or "")
    return None


def _active(session: Session) -> set[str]:
    return set(session.scalars(select(Policy.id).where(Policy.state == "active")).all())


def _look(session: Session, signed: Mapping[str, SignedPolicy]) -> Verified:
    """One page: policies whose rows agree, and the first fault of each of the others."""
    asked = select(*POLICY_COLUMNS, Policy.text).where(Policy.id.in_(signed))
    rows = {row.id: row for row in session.execute(asked)}
    parts: dict[str, list[Any]] = defaultdict(list)
    for row in session.execute(select(*CLAUSE_COLUMNS).where(Clause.policy_id.in_(signed))):
        parts[row.policy_id].append(row)
    faults = {key: fault_in(state, rows.get(key), parts[key]) for key, state in signed.items()}
    good = {key: state for key, state in signed.items() if faults[key] is None}
    return Verified(
        signed,
        good,
        {row.id: (key, clause_hash(row)) for key in good for row in parts[key]},
        {key: tuple(_deadlines(rows[key].text, parts[key])) for key in good},
        tuple(fault for fault in faults.values() if fault is not None),
    )


def _deadlines(text: str, clauses: Sequence[Any]) -> Iterator[Deadline]:
    """The last days for applying in a text, each with the days of the clause it stands in."""
    for start, _, written in deadlines(text):
        held = [one for one in clauses if one.start <= start < one.end]
        days = (held[0].effective_from, held[0].replaced_on, held[0].repealed_on) if held else ()
        yield Deadline(written, *days)


@dataclass(frozen=True)
class WholeClause:
    """The words of one clause as signed, and the policy it stands in."""

    policy: SignedPolicy
    text: str
    effective_from: str | None
    replaced_on: str | None
    repealed_on: str | None

    def citable(self, day: date) -> bool:
        """Whether these are the words in force on a day."""
        return is_worded(self, day) and (
            clause_status(self.policy, self.repealed_on, day) in CITABLE
        )


async def whole_clauses(ledger: Ledger, ids: Collection[str]) -> dict[str, WholeClause]:
    """Those of these clauses whose policies are what was signed, by clause id. Raises Broken."""
    signed = await signed_policies(ledger)
    query = select(Clause.id, Clause.policy_id).where(Clause.id.in_(ids))
    places = await ledger.db.read(lambda session: session.execute(query).all())
    wanted = {row.policy_id: signed[row.policy_id] for row in places if row.policy_id in signed}
    library = await compared(ledger, wanted)
    words = select(*CLAUSE_COLUMNS).where(Clause.id.in_(ids))
    rows = await ledger.db.read(lambda session: session.execute(words).all())
    return {
        row.id: WholeClause(
            signed[row.policy_id], row.text, row.effective_from, row.replaced_on, row.repealed_on
        )
        for row in rows
        if library.clauses.get(row.id) == (row.policy_id, clause_hash(row))
    }


async def tell_changed(ledger: Ledger, changed: Sequence[Changed]) -> None:
    """Open an incident for each policy that was changed past this program, once while it is open.

    A policy that is right again is quoted again; the incident stays for a person to close.
    """
    for one in changed[:_MOST_TOLD]:
        _log.warning("policy %s left out: %s.%s", one.policy_id, one.table, one.field)
        await ledger.open_incident(
            "policy_changed",
            subject=f"policy:{one.policy_id}"[:80],
            message=f"政策库的记录与签名的台账不符（数据库表 {one.table}，记录 {one.row}，"
            f"字段 {one.field}），已不再引用这项政策：请查明是谁改的，从备份恢复这条记录",
            detail=asdict(one),
        )


def _plain(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr).encode(
        errors="surrogatepass"
    )
