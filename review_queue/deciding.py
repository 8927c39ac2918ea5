"""Review itself: claim, take over, decide, refer, waive, and what follows an emergency."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from config.clock import now
from ledger.append import Transaction
from review_queue.canonical import Draft, commitment
from review_queue.chain import Makers, finding_place, maker_faults, statement
from review_queue.desk import CLAIM, end_unsent, holder_faults, latest
from review_queue.drafting import Drafting, current_of
from review_queue.expert_models import ExpertLink
from review_queue.models import (
    Decision,
    Emergency,
    GateRun,
    Item,
    Referral,
    ReleaseRow,
    Revision,
    Waiver,
)
from review_queue.release import decision_words
from review_queue.states import ItemState, Verb, move, state_name
from review_queue.workflow import (
    EMERGENCY,
    GATE_NAMES,
    GATES,
    Level,
    Standing,
    Workflow,
    eligible,
    form_faults,
    read_workflow,
)
from staff.absence import absences_at
from staff.models import Staff
from staff.passkeys import Statement, assertion_faults
from staff.people import names
from staff.refusal import Reason, Refused, refuse
from staff.roles import REVIEWERS
from storage.database import new_id, new_salt

Findings = list[dict[str, Any]]
_REFERRAL = timedelta(days=3)


_PAGES = 50  # of a queue that are looked through for what one person may decide


@dataclass(frozen=True)
class Answer:
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


@dataclass(frozen=True)
class Round:
    """The levels that wait for decisions now: the run's own, or those that follow an emergency."""

    flow: Workflow
    counts: tuple[int, ...]
    earlier: tuple[str, ...]
    overdue: bool
    asker: str
    emergency: Emergency | None = None

    @property
    def open(self) -> tuple[int, ...]:
        """Indexes of the levels that may be decided now."""
        short = [
            index
            for index, level in enumerate(self.flow.levels)
            if self.counts[index] < level.quorum
        ]
        return tuple(short if self.flow.parallel else short[:1])


@dataclass(frozen=True)
class Seat:
    """The level a person would decide at, in whose place, and why they may not."""

    level: int
    place: str
    reasons: list[Reason]


class Deciding(Drafting):
    """The part of the queue that reviewers use."""

    # --- what the gates say -------------------------------------------------------------

    async def findings(self, item_id: str) -> tuple[str, Findings]:
        """Run the gates of now over the latest revision; digest of that revision and findings.

        A finding that somebody waived carries `waived`: {"by", "staff", "reason", "at"}.
        """
        async with self.db.session() as session:
            item = await session.get(Item, item_id)
            if item is None:
                raise Refused(404, [Reason("item", "没有这篇稿件")])
            revision = await latest(session, item)
            waivers = await _waivers(session, item, revision)
            people = await names(session, {row.staff_id for row in waivers}) if waivers else {}
        ruleset, found = await self._check(Draft.from_canonical(revision.canonical))
        found = [_with_waiver(one, waivers, people) for one in found]
        async with self.db.session() as session:
            session.add(
                GateRun(
                    id=new_id(),
                    item_id=item_id,
                    digest=revision.digest,
                    ruleset=ruleset,
                    findings=found,
                    at=now(),
                )
            )
        return revision.digest, found

    async def submit(self, item_id: str, staff_id: str, version: int) -> Item:
        """Send the latest revision to its first level, with the class's levels frozen.

        Trigger words raise the class first, as a revision that changes nothing else. The gates run
        before, for the source of a repost, and once more over what was submitted, so that
        reviewers see links and policies as they are now.
        """
        _, found = await self.findings(item_id)
        item = await self._submit(item_id, staff_id, version, found)
        await self.findings(item_id)
        return item

    async def submit_emergency(
        self, item_id: str, staff_id: str, version: int, reason: str
    ) -> Item:
        """Send the latest revision to the two levels of 应急 at once.

        The normal class is remembered; its further levels follow after the release.
        """
        _, found = await self.findings(item_id)
        item = await self._submit_emergency(item_id, (staff_id, reason), version, found)
        await self.findings(item_id)
        return item

    async def waive(
        self, item_id: str, staff_id: str, finding: Mapping[str, Any], reason: str
    ) -> Item:
        """Let one blocking finding of exactly this revision stand, with a reason.

        `finding` names it by gate, rule, field, start and end. Only in review, only a waivable
        rule, only a reviewer who neither wrote nor last edited it (保密: the secrecy role). Any
        edit voids it.
        """
        seen, found = await self.findings(item_id)
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            revision = await latest(tx.session, item)
            if seen != revision.digest:
                raise Refused(409, [Reason("stale", "稿件刚刚被修改，请重新打开")])
            match = next((one for one in found if _same_finding(one, finding)), None)
            round_ = await self.round_of(tx.session, item)
            reasons = _waive_faults(item, person, match, reason)
            reasons += maker_faults(person.id, _makers(item, round_), ())
            refuse(reasons)
            assert match is not None  # noqa: S101  _waive_faults refused without one
            salt = new_id()
            seq = await tx.append(
                "waiver.granted",
                subject=f"item:{item.id}",
                actor=staff_id,
                body={
                    "digest": revision.digest,
                    "gate": match["gate"],
                    "rule": match["rule"],
                    "finding": commitment(salt, finding_place(match)),
                    "reason": commitment(salt, reason),
                },
            )
            tx.session.add(
                Waiver(
                    id=salt,
                    item_id=item.id,
                    digest=revision.digest,
                    gate=match["gate"],
                    rule=match["rule"],
                    span={name: match.get(name) for name in ("field", "start", "end", "text")},
                    reason=reason,
                    staff_id=staff_id,
                    at=now(),
                    ledger_seq=seq,
                )
            )
            return item

    # --- who may decide -----------------------------------------------------------------

    async def round_of(self, session: AsyncSession, item: Item) -> Round | None:
        """What waits for decisions on this item, or None."""
        if item.workflow is None:
            return None
        decided = await _decided(session, [item])
        fast = item.klass == EMERGENCY or item.retrospective
        emergencies = await _emergencies(session, [item]) if fast else {}
        return _round(item, decided.get(item.id, ()), emergencies.get(item.id))

    async def who_may(self, session: AsyncSession, item: Item) -> list[str]:
        """Everybody who may decide at a waiting level of this item now."""
        round_ = await self.round_of(session, item)
        if round_ is None:
            return []
        people = (await session.scalars(select(Staff).where(Staff.active.is_(True)))).all()
        absences = await absences_at(session, now())
        return [
            person.id
            for person in people
            if not _seat(item, round_, person, (absences.get(person.id, {}), None)).reasons
        ]

    async def waiting_for(self, staff_id: str, limit: int = 200) -> list[Item]:
        """Items with a level this person may decide now, the most urgent first.

        What the database cannot rule out (an earlier level decided by this person) is passed
        over, and as many more are read: three queries for each `limit` items looked at.
        """
        kept: list[Item] = []
        async with self.db.session() as session:
            person = await session.get(Staff, staff_id)
            if person is None or not person.active:
                return []
            stands_in = (await absences_at(session, now(), staff_id)).get(staff_id, {})
            roles = set(person.roles).union(*stands_in.values())
            mine = or_(Item.waiting == "*", *(Item.waiting.contains(f" {one} ") for one in roles))
            query = select(Item).where(
                (Item.state == ItemState.REVIEW) | Item.retrospective.in_(("review", "overdue")),
                mine,
                Item.author_id != staff_id,
                Item.last_editor_id != staff_id,
            )
            query = query.order_by(Item.level_due_at, Item.id).limit(limit)
            for page in range(_PAGES):
                items = (await session.scalars(query.offset(page * limit))).all()
                decided = await _decided(session, items)
                emergencies = await _emergencies(session, items)
                for item in items:
                    round_ = _round(item, decided.get(item.id, ()), emergencies.get(item.id))
                    if round_ and not _seat(item, round_, person, (stands_in, None)).reasons:
                        kept.append(item)
                if len(kept) >= limit or len(items) < limit:
                    break
        return kept[:limit]

    async def _seated(
        self, session: AsyncSession, item: Item, person: Staff, wanted: int | None = None
    ) -> tuple[Round | None, Seat]:
        """State, level, role, substitution and separation of duties; gates are asked elsewhere."""
        round_ = await self.round_of(session, item)
        if round_ is None:
            fault = Reason("state", f"稿件现在是“{state_name(item)}”，不在审核中")
            return None, Seat(0, "", [fault])
        seat = _seat(item, round_, person, ({}, wanted))
        if seat.reasons:
            stands_in = (await absences_at(session, now(), person.id)).get(person.id, {})
            seat = _seat(item, round_, person, (stands_in, wanted))
        return round_, seat

    async def seat(self, item_id: str, staff_id: str) -> tuple[Round | None, Seat]:
        """The levels that wait on an item, and where this person would decide (for pages)."""
        async with self.db.session() as session:
            item, person = await self._open(session, item_id, staff_id)
            return await self._seated(session, item, person)

    async def why_not(
        self, item_id: str, staff_id: str, gates: Mapping[str, Any] | None = None
    ) -> list[Reason]:
        """Every reason why this person cannot approve this item now; empty when they can.

        Without `gates` the unanswered gates, attachments and proof round are not counted.
        """
        return (await self.outlook(item_id, staff_id, gates))[2]

    async def outlook(
        self, item_id: str, staff_id: str, gates: Mapping[str, Any] | None = None
    ) -> tuple[Round | None, Seat, list[Reason]]:
        """What waits, where this person would decide, and all of `why_not`, in one look."""
        seen, found = await self.findings(item_id)
        async with self.db.session() as session:
            item, person = await self._open(session, item_id, staff_id)
            draft = Draft.from_canonical((await latest(session, item)).canonical)
            round_, seat = await self._seated(session, item, person)
            answer = None if gates is None else Answer("approve", seen, item.version, gates)
            reasons = await holder_faults(session, item, person.id)
        reasons += _content_faults(round_, seat, draft, (found, answer))
        return round_, seat, seat.reasons + reasons

    # --- claim and take over ------------------------------------------------------------

    async def claim(self, item_id: str, staff_id: str) -> Item:
        """Take an item for review for a while; 409 names who holds it."""
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            _, seat = await self._seated(tx.session, item, person)
            refuse(await holder_faults(tx.session, item, staff_id) + seat.reasons)
            item.claimed_by, item.claimed_until = staff_id, now() + CLAIM
            await tx.append(
                "item.claimed",
                subject=f"item:{item_id}",
                actor=staff_id,
                body={"level": seat.level},
            )
            return item

    async def unclaim(self, item_id: str, staff_id: str) -> None:
        """Give a claimed item back."""
        async with self.ledger.transaction() as tx:
            item, _ = await self._open(tx.session, item_id, staff_id)
            if item.claimed_by == staff_id:
                item.claimed_by = item.claimed_until = None
                await tx.append(
                    "item.unclaimed", subject=f"item:{item_id}", actor=staff_id, body={}
                )

    async def take_over(self, item_id: str, staff_id: str) -> Item:
        """Take a held item away from its holder, recorded: another eligible reviewer, or an admin.

        An admin who may not review only frees it.
        """
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            _, seat = await self._seated(tx.session, item, person)
            reasons = []
            if not await holder_faults(tx.session, item, staff_id):
                reasons.append(Reason("state", "现在没有别人在审核这篇稿件，可以直接领取"))
            if seat.reasons and "admin" not in person.roles:
                reasons += seat.reasons
            refuse(reasons)
            holder = item.claimed_by
            item.claimed_by = item.claimed_until = None
            if not seat.reasons:
                item.claimed_by, item.claimed_until = staff_id, now() + CLAIM
            await tx.append(
                "item.taken_over",
                subject=f"item:{item_id}",
                actor=staff_id,
                body={"from": holder, "level": seat.level, "freed": bool(seat.reasons)},
            )
            return item

    # --- deciding -----------------------------------------------------------------------

    async def decide(self, item_id: str, staff_id: str, answer: Answer) -> Item:
        """Record one verdict at a waiting level; the last approval makes the release.

        Refused carries all reasons: 403 for rule or role, 409 for a stale form (with `current`),
        422 for answers.
        """
        seen, found = await self.findings(item_id)
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            revision = await latest(tx.session, item)
            if answer.digest != revision.digest or answer.version != item.version:
                why = "稿件在您打开之后有变化，请先看新的内容再决定"
                raise Refused(409, [Reason("stale", why)], current_of(item, revision))
            if seen != revision.digest:
                raise Refused(409, [Reason("stale", "稿件刚刚被修改，请重新打开")])
            draft = Draft.from_canonical(revision.canonical)
            round_, seat = await self._seated(tx.session, item, person, answer.level)
            reasons = seat.reasons + await holder_faults(tx.session, item, person.id)
            reasons += _verdict_faults(round_, seat, draft, (found, answer))
            refuse(reasons)
            if round_ is None:
                raise Refused(409, [Reason("state", "稿件不在审核中")])
            refuse(await self._passkey_faults(item, (round_, seat, person.id), answer))
            decision = await self._record(tx, item, (round_, seat, person.id), answer)
            await self._act(tx, item, (round_, seat), (revision, decision, answer))
            return item

    async def _passkey_faults(
        self, item: Item, at: tuple[Round, Seat, str], answer: Answer
    ) -> list[Reason]:
        """Whether the device's signature holds, where the level asks for one."""
        round_, seat, staff_id = at
        level = round_.flow.levels[seat.level]
        if not level.passkey or answer.verdict != "approve":
            return []
        facts = await self.ledger.facts(f"staff:{staff_id}")
        said = statement(item.id, item.run_seq or 0, staff_id, signed_form(level, seat, answer))
        after = facts[-1].seq + 1 if facts else 0
        problems = assertion_faults(answer.passkey or {}, said, facts, after)
        return [Reason("passkey", problem) for problem in problems]

    async def statement(self, item_id: str, staff_id: str, answer: Answer) -> Statement:
        """What this person's device is asked to sign for this answer (see passkeys.Passkeys)."""
        async with self.db.session() as session:
            item, person = await self._open(session, item_id, staff_id)
            round_, seat = await self._seated(session, item, person, answer.level)
        refuse(seat.reasons)
        if round_ is None:
            raise Refused(409, [Reason("state", "稿件不在审核中")])
        level = round_.flow.levels[seat.level]
        return statement(item.id, item.run_seq or 0, staff_id, signed_form(level, seat, answer))

    async def _record(
        self, tx: Transaction, item: Item, at: tuple[Round, Seat, str], answer: Answer
    ) -> Decision:
        round_, seat, staff_id = at
        level = round_.flow.levels[seat.level]
        query = select(GateRun.ruleset).where(
            GateRun.item_id == item.id, GateRun.digest == answer.digest
        )
        ruleset = (await tx.session.scalars(query.order_by(GateRun.at.desc()).limit(1))).one()
        form = signed_form(level, seat, answer)
        row = Decision(
            id=new_id(),
            item_id=item.id,
            digest=answer.digest,
            level=seat.level,
            level_name=level.name,
            staff_id=staff_id,
            verdict=answer.verdict,
            gates=dict(answer.gates),
            note=answer.note,
            attachments=form["attachments"],
            proof=form["proof"],
            gate=answer.gate,
            span=dict(answer.span) if answer.span else None,
            in_place_of=seat.place,
            retrospective=round_.emergency is not None,
            at=now(),
        )
        body = form | {
            "level_name": row.level_name,
            "ruleset": ruleset,
            "in_place_of": row.in_place_of,
            "retrospective": row.retrospective,
            "notes": commitment(row.id, decision_words(row)),
        }
        if level.passkey and answer.passkey:
            body["passkey"] = dict(answer.passkey)
        row.ledger_seq = await tx.append(
            "decision", subject=f"item:{item.id}", actor=staff_id, body=body
        )
        tx.session.add(row)
        item.version += 1
        item.updated_at = now()
        item.claimed_by = item.claimed_until = None
        return row

    async def _act(
        self,
        tx: Transaction,
        item: Item,
        at: tuple[Round, Seat],
        done: tuple[Revision, Decision, Answer],
    ) -> None:
        """What follows from a recorded decision."""
        round_, seat = at
        revision, decision, answer = done
        if answer.verdict == "refer":
            await self._refer(tx, item, seat.level, (decision, answer))
        elif answer.verdict == "return" and round_.emergency is not None:
            await self._reject_afterwards(tx, item, round_.emergency, decision)
        elif answer.verdict == "return":
            await self._end_run(tx.session, item, "稿件被退回")
            move(item, Verb.RETURN)
            item.return_reason = answer.note
        else:
            counts = list(round_.counts)
            counts[seat.level] += 1
            await self._advance(tx, item, (round_, tuple(counts)), (revision, decision))

    async def _advance(
        self,
        tx: Transaction,
        item: Item,
        now_at: tuple[Round, tuple[int, ...]],
        done: tuple[Revision, Decision],
    ) -> None:
        round_, counts = now_at
        revision, decision = done
        after = Round(round_.flow, counts, round_.earlier, overdue=False, asker=round_.asker)
        if after.open == round_.open:
            return  # the level still lacks people
        if round_.emergency is not None:
            await self._advance_afterwards(tx, item, round_.emergency, after)
        elif after.open:
            item.level, item.level_due_at = after.open[0], item.level_due_at
            if not after.flow.parallel:
                hours = after.flow.levels[item.level].hours
                item.level_due_at = now() + timedelta(hours=hours)
                item.level_reminded = item.level_overdue = False
        else:
            item.level = len(after.flow.levels)
            await self._release(tx, item, revision, decision)

    async def _release(
        self, tx: Transaction, item: Item, revision: Revision, decision: Decision
    ) -> None:
        query = select(GateRun.ruleset).where(GateRun.item_id == item.id)
        ruleset = (await tx.session.scalars(query.order_by(GateRun.at.desc()).limit(1))).one()
        release = ReleaseRow(
            id=new_id(),
            item_id=item.id,
            digest=revision.digest,
            ruleset=ruleset,
            created_at=now(),
        )
        tx.session.add(release)
        move(item, Verb.RELEASE)
        item.release_id, item.level_due_at = release.id, None
        await tx.append(
            "release.created",
            subject=f"item:{item.id}",
            actor="system",
            body={
                "release": release.id,
                "digest": revision.digest,
                "ruleset": ruleset,
                "last_decision": decision.ledger_seq,
            },
        )
        query_ = select(Emergency).where(
            Emergency.item_id == item.id, Emergency.run_seq == item.run_seq
        )
        emergency = (await tx.session.scalars(query_)).first()
        if emergency is not None:
            levels = follow_up(emergency).levels
            emergency.released_at, emergency.state, emergency.level = now(), "review", 0
            emergency.due_at = now() + timedelta(hours=levels[0].hours)
            item.retrospective, item.level_due_at = "review", emergency.due_at

    # --- refer --------------------------------------------------------------------------

    async def _refer(
        self, tx: Transaction, item: Item, level: int, done: tuple[Decision, Answer]
    ) -> None:
        decision, answer = done
        due = answer.due_at or now() + _REFERRAL
        row = Referral(
            id=new_id(),
            salt=new_salt(),
            item_id=item.id,
            digest=decision.digest,
            level=level,
            department=answer.department.strip(),
            question=answer.note,
            due_at=due,
            asked_by=decision.staff_id,
            asked_at=now(),
        )
        row.ledger_seq = await tx.append(
            "item.referred",
            subject=f"item:{item.id}",
            actor=decision.staff_id,
            body={
                "referral": row.id,
                "digest": row.digest,
                "level": level,
                "department": row.department,
                "question": commitment(row.salt, row.question),
                "due_at": due.isoformat(),
            },
        )
        tx.session.add(row)
        move(item, Verb.REFER)
        item.level_due_at = due
        item.level_reminded = False

    async def answer_referral(self, item_id: str, staff_id: str, text: str) -> Item:
        """Record what the department answered; the same level waits again, with a new deadline."""
        async with self.ledger.transaction() as tx:
            item, person = await self._open(tx.session, item_id, staff_id)
            reasons = []
            if not REVIEWERS & set(person.roles):
                reasons.append(Reason("role", "只有审核人员能记录有关部门的答复"))
            if staff_id == item.author_id:
                reasons.append(Reason("author", "作者不能代记有关部门的答复"))
            elif staff_id == item.last_editor_id:
                reasons.append(Reason("last_editor", "最后修改的人不能代记有关部门的答复"))
            refuse(reasons)
            return await self.answer_referral_in(tx, item, staff_id, text)

    async def hear_expert(self, link: ExpertLink) -> None:
        """An expert's answer given after the item was referred is the department's answer.

        Not through a link its author or last editor made: they could answer it themselves.
        """
        async with self.ledger.transaction() as tx:
            item = await tx.session.get(Item, link.item_id)
            query = select(Referral).where(
                Referral.item_id == link.item_id,
                Referral.digest == link.digest,
                Referral.asked_at <= link.asked_at,
                Referral.answered_at.is_(None),
                Referral.voided_at.is_(None),
            )
            asked = (await tx.session.scalars(query.limit(1))).first()
            if item is None or item.state != ItemState.REFERRED or asked is None:
                return
            if link.asked_by in (item.author_id, item.last_editor_id):
                return
            said = "没有问题" if link.verdict == "agree" else "有问题"
            words = f"{link.organisation}（{link.name}）：{said}。{link.text}"
            await self.answer_referral_in(tx, item, "expert", words)

    async def answer_referral_in(self, tx: Transaction, item: Item, actor: str, text: str) -> Item:
        """The same for a caller that has made sure who answers (an outside expert's link)."""
        query = select(Referral).where(
            Referral.item_id == item.id,
            Referral.answered_at.is_(None),
            Referral.voided_at.is_(None),
        )
        row = (await tx.session.scalars(query.order_by(Referral.asked_at.desc()))).first()
        reasons = []
        if item.state != ItemState.REFERRED or row is None:
            reasons.append(Reason("state", "这篇稿件没有等待答复的问题"))
        if not text.strip():
            reasons.append(Reason("note", "请写明有关部门的答复"))
        refuse(reasons)
        if row is None:
            return item
        row.answer, row.answered_by, row.answered_at = text, actor, now()
        await tx.append(
            "referral.answered",
            subject=f"item:{item.id}",
            actor=actor,
            body={
                "referral": row.id,
                "digest": row.digest,
                "level": row.level,
                "answer": commitment(row.salt, text),
            },
        )
        levels = (item.workflow or {"levels": []})["levels"]
        move(item, Verb.HEAR)
        item.level_due_at = now() + timedelta(hours=levels[row.level]["hours"])
        item.level_reminded = item.level_overdue = False
        item.version += 1
        return item

    # --- after an emergency -------------------------------------------------------------

    async def _advance_afterwards(
        self, tx: Transaction, item: Item, emergency: Emergency, after: Round
    ) -> None:
        if after.open:
            emergency.level, emergency.state = after.open[0], "review"
            emergency.due_at = now() + timedelta(hours=after.flow.levels[emergency.level].hours)
            item.retrospective, item.level_due_at = "review", emergency.due_at
            return
        emergency.state, emergency.closed_at, emergency.due_at = "closed", now(), None
        item.retrospective, item.level_due_at = "", None
        await tx.append(
            "retrospective.closed",
            subject=f"item:{item.id}",
            actor="system",
            body={"digest": emergency.digest},
        )

    async def _reject_afterwards(
        self, tx: Transaction, item: Item, emergency: Emergency, decision: Decision
    ) -> None:
        emergency.state, emergency.due_at = "rejected", None
        item.retrospective, item.level_due_at = "rejected", None
        item.return_reason = decision.note
        await end_unsent(tx.session, item.id, "应急发布后的复审没有通过")
        await self.ledger.open_incident_in(
            tx.session,
            "retrospective_rejected",
            subject=f"item:{item.id}",
            message="应急发布后的复审没有通过：请马上撤回，或写更正并送审",
            detail={"level": decision.level_name, "decision": decision.ledger_seq},
        )


def signed_form(level: Level, seat: Seat, answer: Answer) -> dict[str, Any]:
    """The part of a decision that is both signed into the ledger and shown to a device."""
    return {
        "level": seat.level,
        "digest": answer.digest,
        "verdict": answer.verdict,
        "gates": {gate: {"ok": bool(value.get("ok"))} for gate, value in answer.gates.items()},
        "attachments": dict(answer.attachments) if "secrecy" in level.gates else {},
        "proof": answer.proof and answer.verdict == "approve",
    }


def follow_up(emergency: Emergency) -> Workflow:
    """The levels of the normal class that follow the two of 应急 (the last one, of only two)."""
    body = emergency.workflow
    flow = read_workflow(body["klass"], body["version"], body)
    levels = flow.levels[2:] or flow.levels[-1:]
    return Workflow(flow.klass, flow.version, levels)


async def _decided(
    session: AsyncSession, items: Sequence[Item]
) -> dict[str, list[tuple[int, int, str, bool]]]:
    """By item, the approvals of any run: ledger number, level, person, retrospective."""
    query = (
        select(
            Decision.item_id,
            Decision.ledger_seq,
            Decision.level,
            Decision.staff_id,
            Decision.retrospective,
        )
        .where(Decision.item_id.in_([item.id for item in items]), Decision.verdict == "approve")
        .order_by(Decision.ledger_seq)
    )
    decided: dict[str, list[tuple[int, int, str, bool]]] = {}
    for item_id, seq, level, staff_id, later in (await session.execute(query)).all():
        decided.setdefault(item_id, []).append((seq, level, staff_id, later))
    return decided


async def _emergencies(session: AsyncSession, items: Sequence[Item]) -> dict[str, Emergency]:
    query = select(Emergency).where(
        Emergency.item_id.in_([item.id for item in items]), Emergency.closed_at.is_(None)
    )
    rows = (await session.scalars(query.order_by(Emergency.run_seq))).all()
    return {row.item_id: row for row in rows}


def _round(
    item: Item, decided: Collection[tuple[int, int, str, bool]], emergency: Emergency | None
) -> Round | None:
    follows = emergency is not None and item.retrospective in ("review", "overdue")
    if item.workflow is None or not (follows or item.state == ItemState.REVIEW):
        return None
    run = [row for row in decided if row[0] > (item.run_seq or 0)]
    if follows and emergency is not None:
        flow, overdue = follow_up(emergency), item.retrospective == "overdue"
    else:
        body = item.workflow
        flow, overdue = read_workflow(body["klass"], body["version"], body), item.level_overdue
    counted = [row[1] for row in run if row[3] == follows]
    return Round(
        flow=flow,
        counts=tuple(counted.count(index) for index in range(len(flow.levels))),
        earlier=tuple(row[2] for row in run),
        overdue=overdue,
        asker=emergency.staff_id if emergency is not None else "",
        emergency=emergency if follows else None,
    )


def _makers(item: Item, round_: Round | None) -> Makers:
    return Makers(item.author_id, item.last_editor_id, round_.asker if round_ else "")


def _seat(
    item: Item,
    round_: Round,
    person: Staff,
    more: tuple[Mapping[str, frozenset[str]], int | None],
) -> Seat:
    """The first open level the person may decide at (or the wanted one), with all reasons."""
    stands_in, wanted = more
    who = _makers(item, round_)
    barred = {who.author, who.editor, who.asker, *round_.earlier}
    standing = Standing(
        roles=frozenset(person.roles),
        stands_in={one: roles for one, roles in stands_in.items() if one not in barred},
        overdue=round_.overdue,
    )
    duties = maker_faults(person.id, who, round_.earlier)
    if wanted is not None and wanted not in round_.open:
        return Seat(0, "", [Reason("state", "这一级现在不用审核"), *duties])
    choices = round_.open if wanted is None else (wanted,)
    seats = [Seat(index, *eligible(round_.flow.levels[index], standing)) for index in choices]
    best = next((seat for seat in seats if not seat.reasons), seats[0])
    return Seat(best.level, best.place, best.reasons + duties)


def _verdict_faults(
    round_: Round | None, seat: Seat, draft: Draft, form: tuple[Findings, Answer]
) -> list[Reason]:
    _, answer = form
    if answer.verdict == "approve":
        return _content_faults(round_, seat, draft, form)
    if answer.verdict == "return":
        return _return_faults(draft, answer)
    if answer.verdict == "refer":
        return _refer_faults(round_, answer)
    return [Reason("verdict", "结论只能是批准、退回或转有关部门")]


def _content_faults(
    round_: Round | None,
    seat: Seat,
    draft: Draft,
    form: tuple[Findings, Answer | None],
) -> list[Reason]:
    """Findings that stand, and what the form lacks."""
    found, answer = form
    faults = [
        Reason("finding", f"{GATE_NAMES[one['gate']]}：{one['reason']}（必须先改）")
        for one in found
        if one["severity"] == "block" and not one.get("waived")
    ]
    if answer is None or round_ is None:
        return faults
    flagged = {one["gate"] for one in found if one["severity"] != "hint" and not one.get("waived")}
    level: Level = round_.flow.levels[seat.level]
    markers = {part["media"]: part["name"] for part in draft.attachments}
    body = {
        "gates": answer.gates,
        "attachments": answer.attachments,
        "proof": answer.proof,
        "passkey": answer.passkey,
    }
    return faults + form_faults(level, body, flagged, markers)


def _return_faults(draft: Draft, answer: Answer) -> list[Reason]:
    faults = []
    if not answer.note.strip():
        faults.append(Reason("note", "退回要写明理由"))
    if answer.gate and answer.gate not in GATES:
        faults.append(Reason("gate", f"关口只能是：{'、'.join(GATE_NAMES.values())}"))
    if answer.span is not None and not _span_holds(draft, answer.span):
        faults.append(Reason("span", "标出的文字与这一稿不符，请重新标出"))
    return faults


def _span_holds(draft: Draft, span: Mapping[str, Any]) -> bool:
    text = {"title": draft.title, "text": draft.body}.get(str(span.get("field")))
    start, end = span.get("start"), span.get("end")
    if text is None or not isinstance(start, int) or not isinstance(end, int):
        return False
    return 0 <= start < end <= len(text) and text[start:end] == span.get("text")


def _refer_faults(round_: Round | None, answer: Answer) -> list[Reason]:
    faults = []
    if round_ is not None and round_.emergency is not None:
        faults.append(Reason("state", "应急发布后的复审不能转有关部门，请批准或退回"))
    if not answer.department.strip():
        faults.append(Reason("department", "请写明转给哪个部门"))
    if len(answer.department) > 80:
        faults.append(Reason("department", "部门名称不能超过 80 个字"))
    if not answer.note.strip():
        faults.append(Reason("note", "请写明要请部门回答的问题"))
    if answer.due_at is not None and answer.due_at <= now():
        faults.append(Reason("due_at", "答复期限要晚于现在"))
    return faults


# --- waivers --------------------------------------------------------------------------------


async def _waivers(session: AsyncSession, item: Item, revision: Revision) -> Sequence[Waiver]:
    """Waivers that hold for the latest revision: of its digest, and not older than it."""
    query = select(Waiver).where(
        Waiver.item_id == item.id,
        Waiver.digest == revision.digest,
        Waiver.at >= revision.created_at,
    )
    return (await session.scalars(query)).all()


def _with_waiver(
    finding: dict[str, Any], waivers: Sequence[Waiver], people: Mapping[str, str]
) -> dict[str, Any]:
    for row in waivers:
        same = (row.gate, row.rule) == (finding["gate"], finding["rule"])
        place = [row.span[name] for name in ("field", "start", "end", "text")]
        if same and place == finding_place(finding) and finding.get("waivable") is not False:
            waived = {
                "by": people.get(row.staff_id, row.staff_id),
                "staff": row.staff_id,
                "reason": row.reason,
                "at": row.at.isoformat(),
            }
            return finding | {"waived": waived}
    return finding


def _same_finding(one: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    fields = ("gate", "rule", "field", "start", "end")
    return all(one.get(name) == wanted.get(name) for name in fields)


def _waive_faults(
    item: Item, person: Staff, found: Mapping[str, Any] | None, reason: str
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
    if found["severity"] != "block":
        faults.append(Reason("severity", "这条提示不阻止批准，在关口意见里写明理由即可"))
    if found.get("waivable") is False:
        faults.append(Reason("waivable", "这条规则不允许放行，只能修改"))
    if found.get("waived"):
        faults.append(Reason("state", "这条提示已经有人放行"))
    if found["gate"] == "secrecy" and "secrecy" not in person.roles:
        faults.append(Reason("secrecy_role", "保密关的提示只能由有保密角色的人放行"))
    return faults
