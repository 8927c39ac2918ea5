"""One verdict at one level: decide, record, act, advance, release; and why somebody cannot."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from config.clock import now
from ledger.append import Transaction
from review_queue.canonical import Draft, commitment
from review_queue.chain import statement as device_statement
from review_queue.claims import holder_faults
from review_queue.concern import approved_facets
from review_queue.desk import Queue, end_run, latest, opened, read_item
from review_queue.drafting import current_of
from review_queue.emergencies import advance_afterwards, reject_afterwards
from review_queue.findings import findings_now, keep_run, look_at
from review_queue.forms import ReviewForm, content_faults, signed_form, verdict_faults
from review_queue.models import Decision, Emergency, Item, ReleaseRow, Revision
from review_queue.planning import Wanted, no_day
from review_queue.referrals import refer
from review_queue.release import decision_words
from review_queue.rounds import Round, Seat, follow_up, seated
from review_queue.shelving import shelve
from review_queue.states import ItemState, Verb, move
from review_queue.workflow import Level
from staff.passkeys import Statement, assertion_faults
from staff.people import Member
from staff.refusal import Reason, Refused, refuse
from storage.database import new_id


@dataclass(frozen=True)
class Sitting:
    """Who decides, on which item, at which level of which round."""

    item: Item
    round: Round
    seat: Seat
    person: Member

    @property
    def level(self) -> Level:
        """The level that is decided."""
        return self.round.flow.levels[self.seat.level]


@dataclass(frozen=True)
class Decided:
    """A recorded decision, the revision it is about, its form, and the rule set looked with."""

    revision: Revision
    decision: Decision
    form: ReviewForm
    ruleset: str


async def decide(queue: Queue, item_id: str, staff_id: str, form: ReviewForm) -> Item:
    """Record one verdict at a waiting level; the last approval makes the release.

    Refused carries all reasons: 403 for rule or role, 409 for a stale form (with `current`),
    422 for answers.
    """
    # The gates run before the transaction: they may take seconds, and a write lock may not.
    looked = await look_at(queue, item_id)
    seen, found = looked.digest, looked.findings
    reach = await _reach(queue, item_id) if form.verdict == "approve" else None
    async with queue.ledger.transaction() as tx:
        one = await opened(tx.session, item_id, staff_id)
        item, revision = one.item, one.revision
        if form.digest != revision.digest or form.version != item.version:
            why = "稿件在您打开之后有变化，请先看新的内容再决定"
            raise Refused(409, [Reason("stale", why)], current_of(item, revision))
        if seen != revision.digest:
            raise Refused(409, [Reason("stale", "稿件刚刚被修改，请重新打开")])
        round_, seat = await seated(tx.session, item, one.person, form.level)
        reasons = seat.reasons + await holder_faults(tx.session, item, one.person.id)
        reasons += verdict_faults(round_, seat, one.draft, found, form)
        refuse(reasons)
        if round_ is None:
            raise Refused(409, [Reason("state", "稿件不在审核中")])
        sitting = Sitting(item, round_, seat, one.person)
        refuse(await _passkey_faults(queue, sitting, form))
        keep_run(tx.session, item.id, looked)
        decision = await _record(tx, sitting, form, looked.ruleset, reach)
        await _act(queue, tx, sitting, Decided(revision, decision, form, looked.ruleset))
    # What goes to no account has nothing to be planned: the last approval puts it into use.
    if item.state == ItemState.APPROVED and await shelve(queue, item_id):
        async with queue.db.session() as session:
            return await read_item(session, item_id)
    return item


async def _passkey_faults(queue: Queue, sitting: Sitting, form: ReviewForm) -> list[Reason]:
    """Whether the device's signature holds, where the level asks for one."""
    level, item, staff_id = sitting.level, sitting.item, sitting.person.id
    if not level.passkey or form.verdict != "approve":
        return []
    facts = await queue.ledger.facts(f"staff:{staff_id}")
    signed = signed_form(level, sitting.seat, form)
    said = device_statement(item.id, item.run_seq or 0, staff_id, signed)
    after = facts[-1].seq + 1 if facts else 0
    problems = assertion_faults(form.passkey or {}, said, facts, after)
    return [Reason("passkey", problem) for problem in problems]


async def statement(queue: Queue, item_id: str, staff_id: str, form: ReviewForm) -> Statement:
    """What this person's device is asked to sign for this form (see staff.passkeys.Passkeys)."""
    async with queue.db.session() as session:
        one = await opened(session, item_id, staff_id)
        round_, seat = await seated(session, one.item, one.person, form.level)
    refuse(seat.reasons)
    if round_ is None:
        raise Refused(409, [Reason("state", "稿件不在审核中")])
    signed = signed_form(round_.flow.levels[seat.level], seat, form)
    return device_statement(one.item.id, one.item.run_seq or 0, staff_id, signed)


async def _reach(queue: Queue, item_id: str) -> Mapping[str, Any] | None:
    """Whom the text is pushed to as it stands: who approves it approves that number too."""
    async with queue.db.session() as session:
        revision = await latest(session, await read_item(session, item_id))
    return await queue.reach(Draft.from_canonical(revision.canonical))


async def _record(
    tx: Transaction,
    sitting: Sitting,
    form: ReviewForm,
    ruleset: str,
    reach: Mapping[str, Any] | None,
) -> Decision:
    """The row and its signed entry; the words of both stay in the row, committed to.

    `ruleset` is the one this act looked with: what the table of earlier looks says is not signed.
    """
    item, level, seat = sitting.item, sitting.level, sitting.seat
    signed = signed_form(level, seat, form)
    row = Decision(
        id=new_id(),
        item_id=item.id,
        digest=form.digest,
        level=seat.level,
        level_name=level.name,
        staff_id=sitting.person.id,
        verdict=form.verdict,
        gates=dict(form.gates),
        note=form.note,
        attachments=signed["attachments"],
        proof=signed["proof"],
        gate=form.gate,
        span=dict(form.span) if form.span else None,
        in_place_of=seat.place,
        retrospective=sitting.round.emergency is not None,
        at=now(),
    )
    body = signed | {
        "level_name": row.level_name,
        "ruleset": ruleset,
        "in_place_of": row.in_place_of,
        "retrospective": row.retrospective,
        "notes": commitment(row.id, decision_words(row)),
    }
    if level.passkey and form.passkey:
        body["passkey"] = dict(form.passkey)
    if reach is not None:
        body["reach"] = dict(reach)
    row.ledger_seq = await tx.append(
        "decision", subject=f"item:{item.id}", actor=row.staff_id, body=body
    )
    tx.session.add(row)
    item.version += 1
    item.updated_at = now()
    item.claimed_by = item.claimed_until = None
    return row


async def _act(queue: Queue, tx: Transaction, sitting: Sitting, decided: Decided) -> None:
    """What follows from a recorded decision."""
    item, emergency = sitting.item, sitting.round.emergency
    if decided.form.verdict == "refer":
        await refer(tx, item, decided.decision, decided.form)
    elif decided.form.verdict == "return" and emergency is not None:
        await reject_afterwards(queue, tx, item, emergency, decided.decision)
    elif decided.form.verdict == "return":
        await end_run(tx.session, item, "稿件被退回")
        move(item, Verb.RETURN)
        item.return_reason = decided.form.note
    else:
        await _advance(queue, tx, sitting, decided)


async def _advance(queue: Queue, tx: Transaction, sitting: Sitting, decided: Decided) -> None:
    """One approval more: the level waits, the next one opens, or the item is released."""
    item, before = sitting.item, sitting.round
    counts = list(before.counts)
    counts[sitting.seat.level] += 1
    after = Round(before.flow, tuple(counts), before.earlier, overdue=False, asker=before.asker)
    if after.open == before.open:
        return  # the level still lacks people
    if before.emergency is not None:
        await advance_afterwards(tx, item, before.emergency, after)
    elif after.open:
        item.level = after.open[0]
        if not after.flow.parallel:  # levels side by side share the deadline they began with
            item.level_due_at = now() + timedelta(hours=after.flow.levels[item.level].hours)
            item.level_reminded = item.level_overdue = False
    else:
        # From here on it holds a day of each account; where there is none nobody is promised one.
        draft = Draft.from_canonical(decided.revision.canonical)
        refuse(await no_day(queue, tx.session, Wanted(item.id, draft)))
        item.level = len(after.flow.levels)
        await _release(tx, item, decided)


async def _release(tx: Transaction, item: Item, decided: Decided) -> None:
    """The last level approved: the digest may go out, and says so under signature."""
    revision, decision = decided.revision, decided.decision
    release = ReleaseRow(
        id=new_id(),
        item_id=item.id,
        digest=revision.digest,
        ruleset=decided.ruleset,
        created_at=now(),
    )
    tx.session.add(release)
    move(item, Verb.RELEASE)
    item.release_id, item.level_due_at = release.id, None
    about = approved_facets(Draft.from_canonical(revision.canonical))
    item.topics, item.regions = (" ".join(about.get(name, ())) for name in ("topics", "regions"))
    item.concern = ""  # a mark is about the text that was there
    item.confined = False  # 知悉范围 ends here: what may go out may be seen
    await tx.append(
        "release.created",
        subject=f"item:{item.id}",
        actor="system",
        body={
            "release": release.id,
            "digest": revision.digest,
            "ruleset": decided.ruleset,
            "last_decision": decision.ledger_seq,
            **about,
        },
    )
    asked = select(Emergency).where(Emergency.item_id == item.id, Emergency.run_seq == item.run_seq)
    emergency = (await tx.session.scalars(asked)).first()
    if emergency is not None:
        levels = follow_up(emergency).levels
        emergency.released_at, emergency.state, emergency.level = now(), "review", 0
        emergency.due_at = now() + timedelta(hours=levels[0].hours)
        item.retrospective, item.level_due_at = "review", emergency.due_at


async def why_not(
    queue: Queue, item_id: str, staff_id: str, gates: Mapping[str, Any] | None = None
) -> list[Reason]:
    """Every reason why this person cannot approve this item now; empty when they can.

    Without `gates` the unanswered gates, attachments and proof round are not counted.
    """
    seen, found = await findings_now(queue, item_id)
    async with queue.db.session() as session:
        one = await opened(session, item_id, staff_id)
        round_, seat = await seated(session, one.item, one.person)
        form = None if gates is None else ReviewForm("approve", seen, one.item.version, gates)
        reasons = seat.reasons + await holder_faults(session, one.item, staff_id)
    return reasons + content_faults(round_, seat, one.draft, found, form)
