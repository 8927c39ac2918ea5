"""The one way out: verify a digest's whole chain of decisions, and only then make a Release.

Facts come from signed ledger entries alone; tables are compared with them, never trusted.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot.contract import NotReleased, Release
from bot.delivery.once import once_faults, stand_of
from config.clock import beijing, now
from gates.finding import Finding
from ledger.append import Ledger
from ledger.verify import Broken
from review_queue.canonical import Draft, commitment, digest
from review_queue.chain import Chain, chain_faults, is_waived, people_of
from review_queue.classes import Triggers, TriggerSource, starting
from review_queue.models import Decision, Item, ReleaseRow, Revision, Waiver
from review_queue.workflow import EMERGENCY, GATE_NAMES, WorkflowError, read_workflow
from staff.refusal import Reason, Refused

Recheck = Callable[[Draft], Awaitable[Sequence[Finding]]]
"""Runs the gates of now (and the source list of now) over a draft; findings out."""


def decision_words(row: Any) -> list[Any]:
    """The words of a decision, as its signed entry commits to them."""
    words: list[Any] = [row.gates, row.note]
    return [*words, row.gate, row.span] if row.gate or row.span else words


KNOWN = 256
"""How many proved releases one process remembers."""
_ITEM = (Item.id.label("item"), Item.kind, Item.klass, Item.workflow)
_REVISION = (Revision.digest.label("revised"), Revision.canonical)
_RELEASE = (ReleaseRow.item_id, ReleaseRow.digest, ReleaseRow.ruleset)
_DECISION = (
    *(Decision.id, Decision.ledger_seq, Decision.staff_id, Decision.level, Decision.level_name),
    *(Decision.digest, Decision.verdict, Decision.gates, Decision.note, Decision.gate),
    *(Decision.span, Decision.attachments, Decision.proof, Decision.in_place_of),
    Decision.retrospective,
)


@dataclass(frozen=True)
class _Tables:
    """What the tables say about one item, read in one go: plain rows, cheap to compare.

    `head` has the item, its latest revision and, when asked for, the release.
    """

    head: Any
    decisions: Sequence[Any]


WINDOW_OVER = "已过审核通过的最晚发布时间"


@dataclass(frozen=True)
class _Proved:
    """A release whose chain held: of these very rows, entries and trigger words."""

    tables: _Tables
    length: tuple[object, ...]
    triggers: Triggers
    draft: Draft
    release: Release


class Releases:
    """Makes and verifies releases. `verify` is what every sender calls, each time."""

    def __init__(
        self, ledger: Ledger, recheck: Recheck, triggers: TriggerSource = starting
    ) -> None:
        """`recheck` is run, and `triggers` asked for the words of now, at every verification."""
        self._ledger = ledger
        self._recheck = recheck
        self._triggers = triggers
        self._words: Triggers | None = None
        self._known: dict[str, _Proved] = {}

    @property
    def triggers(self) -> Triggers:
        """The words that raise a class, as `fresh_triggers` gave them last."""
        if self._words is None:
            raise Refused(409, [Reason("setting", "类别触发词还没有核对，请重试")])
        return self._words

    async def fresh_triggers(self) -> None:
        """Ask for the words in force; Refused 409 when none can be proved."""
        self._words = await self._triggers()

    async def chain(self, item_id: str, hint: Sequence[str] = ()) -> Chain:
        """The signed facts about an item; raises ledger.verify.Broken.

        `hint` (staff ids) saves a second look at the ledger when it is right.
        """
        offices = ("office", "workflows")
        people = set(hint)
        subject = f"item:{item_id}"
        while True:
            names = [subject, *offices, *(f"staff:{person}" for person in sorted(people))]
            facts = await self._ledger.facts_of(names)
            if people_of(facts[subject]) <= people:
                break
            people |= people_of(facts[subject])
        office = sorted(
            (entry for name in offices for entry in facts[name]), key=lambda entry: entry.seq
        )
        return Chain(facts[subject], {one: facts[f"staff:{one}"] for one in people}, office)

    async def verify(self, release_id: str, account_id: str = "") -> Release:
        """The release, proved at this moment; NotReleased names every broken link.

        With an account also that no signed entry says it was given to the platform already.
        The broken links also open an incident, and this item alone is stopped.
        """
        item_id, reasons, release = await self._prove(release_id, account_id)
        if release is not None and not reasons:
            return release
        # Nothing is wrong with it but the hour: its sender has a word for that, and no incident.
        if all(reason.startswith(WINDOW_OVER) for reason in reasons):
            raise NotReleased(reasons, over=True)
        await self._ledger.open_incident(
            "release_refused",
            subject=f"item:{item_id}",
            message=f"发送前核验未通过，已停止发送：{'；'.join(reasons)}",
            detail={"release": release_id, "reasons": reasons},
        )
        raise NotReleased(reasons)

    async def faults(self, item_id: str, at: datetime) -> list[Reason]:
        """Every reason why the item could not go out at `at`: the sender's own list, unsent."""
        try:
            await self.fresh_triggers()
        except Refused as refused:  # the trigger words of now cannot be trusted
            return list(refused.reasons)
        tables = await self._tables(item_id)
        if tables is None:
            return [Reason("item", "没有这篇稿件")]
        text = tables.head.canonical
        draft = Draft.from_canonical(text)
        try:
            chain = await self._chain_of(tables)
        except Broken as broken:
            return [Reason("ledger", str(broken))]
        wanted = digest(text)
        links = _table_faults(tables, chain, wanted)
        links += chain_faults(chain, draft, wanted, self.triggers)
        reasons = [Reason("chain", fault) for fault in links]
        reasons += [Reason("window", fault) for fault in window_faults(draft, at)]
        return reasons + await self._gate_faults(chain, draft, wanted, item_id)

    async def _gate_faults(
        self, chain: Chain, draft: Draft, wanted: str, item_id: str
    ) -> list[Reason]:
        salts = await self._salts(chain, item_id)
        try:
            found = await self._recheck(draft)
        except Refused as refused:  # the rule set of now cannot be trusted
            return list(refused.reasons)
        return [
            Reason("finding", f"{GATE_NAMES[one.gate]}：{one.reason}")
            for one in found
            if one.severity == "block" and not is_waived(chain, wanted, one, salts)
        ]

    async def _chain_of(self, tables: _Tables) -> Chain:
        hint = {row.staff_id for row in tables.decisions}
        hint |= {row.in_place_of for row in tables.decisions if len(row.in_place_of) == 26}
        return await self.chain(tables.head.item, sorted(hint))

    async def _prove(
        self, release_id: str, account_id: str
    ) -> tuple[str, list[str], Release | None]:
        tables = await self._read_released(release_id)
        if tables is None:
            return release_id, ["没有这一放行记录"], None
        item_id = str(tables.head.item_id)
        if tables.head.item is None or tables.head.canonical is None:
            return item_id, ["放行记录的稿件不在数据库中，数据库被改动过"], None
        try:
            await self.fresh_triggers()
            chain = await self._chain_of(tables)
        except (Broken, Refused) as fault:  # the ledger, or the trigger words of now
            return item_id, [str(fault)], None
        reasons, proved = self._stands(release_id, tables, chain)
        if account_id:
            stand = stand_of(chain.entries, release_id, account_id)
            reasons += once_faults(stand, now())
        if proved is None:
            return item_id, reasons, None
        reasons += window_faults(proved.draft, now())
        if not reasons:
            found = await self._gate_faults(chain, proved.draft, proved.release.digest, item_id)
            reasons += [one.message for one in found]
        return item_id, reasons, proved.release

    def _stands(
        self, release_id: str, tables: _Tables, chain: Chain
    ) -> tuple[list[str], _Proved | None]:
        """Every broken link between tables, signed entries and content.

        Rows, entries and trigger words that held once hold again: entries are only ever added,
        and each was compared with its stored row a moment ago (Ledger.facts_of).
        """
        known, length = self._known.get(release_id), _length(chain)
        same = (tables, length, self.triggers)
        if known is not None and (known.tables, known.length, known.triggers) == same:
            return [], known
        signed = [one for one in chain.of("release.created") if one.body["release"] == release_id]
        if not signed:
            return ["放行记录没有签名的台账依据"], None
        head, wanted = tables.head, str(signed[-1].body["digest"])
        reasons = _table_faults(tables, chain, wanted)
        if (head.digest, head.ruleset) != (wanted, signed[-1].body["ruleset"]):
            reasons.append("放行记录与台账不符，数据库被改动过")
        if chain.of("item.submitted", signed[-1].seq):
            reasons.append("放行之后又重新提交，要用新的放行记录")
        if digest(head.canonical) != wanted:
            reasons.append("稿件内容与审核通过的摘要不符，内容被改动过")
        draft = _readable(head.canonical)
        if draft is None:
            return reasons, None
        reasons += chain_faults(chain, draft, wanted, self.triggers)
        release = _release(release_id, head, draft)
        proved = _Proved(tables, length, self.triggers, draft, release)
        if not reasons:
            self._known[release_id] = proved
            if len(self._known) > KNOWN:
                self._known.pop(next(iter(self._known)))
        return reasons, proved

    async def _tables(self, item_id: str) -> _Tables | None:
        def look(session: Session) -> _Tables | None:
            query = select(*_ITEM, *_REVISION).join(Revision, Revision.item_id == Item.id)
            query = query.where(Item.id == item_id).order_by(Revision.number.desc()).limit(1)
            found = session.execute(query).first()
            return _Tables(found, _decisions(session, item_id)) if found else None

        return await self._ledger.db.read(look)

    async def _read_released(self, release_id: str) -> _Tables | None:
        """The release, its item and latest revision in one query, the decisions in another."""

        def look(session: Session) -> _Tables | None:
            found = session.execute(_RELEASED, {"release": release_id}).first()
            return _Tables(found, _decisions(session, found.item_id)) if found else None

        return await self._ledger.db.read(look)

    async def _salts(self, chain: Chain, item_id: str) -> dict[int, str]:
        """The salts of waivers by ledger number; asked only when one was ever granted."""
        if not chain.of("waiver.granted"):
            return {}
        query = select(Waiver.ledger_seq, Waiver.id).where(Waiver.item_id == item_id)
        async with self._ledger.db.session() as session:
            return {row[0]: row[1] for row in (await session.execute(query)).all()}


_RELEASED = (
    select(*_RELEASE, *_ITEM, *_REVISION)
    .outerjoin(Item, Item.id == ReleaseRow.item_id)
    .outerjoin(Revision, Revision.item_id == Item.id)
    .where(ReleaseRow.id == bindparam("release"))
    .order_by(Revision.number.desc())
    .limit(1)
)
_DECIDED = select(*_DECISION).where(Decision.item_id == bindparam("item"))


def _decisions(session: Session, item_id: str) -> Sequence[Any]:
    return session.execute(_DECIDED, {"item": item_id}).all()


def _length(chain: Chain) -> tuple[object, ...]:
    """How far a chain reaches: entries of one process are only ever added to."""
    staff = tuple((person, len(facts)) for person, facts in sorted(chain.staff.items()))
    return len(chain.entries), len(chain.office), staff


def _readable(text: str) -> Draft | None:
    """The draft behind a canonical text; None when it was made unreadable."""
    try:
        return Draft.from_canonical(text)
    except (ValueError, KeyError, TypeError):
        return None


def window_faults(draft: Draft, moment: datetime) -> list[str]:
    """Whether `moment` lies in the approved window."""
    if moment < draft.not_before:
        return [f"还没到审核通过的最早发布时间 {beijing(draft.not_before):%m月%d日 %H:%M}"]
    if moment > draft.not_after:
        return [f"{WINDOW_OVER} {beijing(draft.not_after):%m月%d日 %H:%M}"]
    return []


def _table_faults(tables: _Tables, chain: Chain, wanted: str) -> list[str]:
    """Where the tables say something else than the signed entries they were written from."""
    faults = []
    if tables.head.revised != wanted:
        faults.append("稿件版本记录的摘要与审核通过的不符，数据库被改动过")
    submits = chain.of("item.submitted")
    if submits and tables.head.workflow is not None and not _same_levels(tables, submits[-1].body):
        faults.append("数据库中冻结的审核级次与台账不符，被改动过")
    shown = chain.of("revision.created")[-1:]
    if any(
        (one.body.get("kind", tables.head.kind), one.body.get("klass", tables.head.klass))
        != (tables.head.kind, tables.head.klass)
        for one in shown
    ):
        faults.append("数据库中稿件的种类或类别与台账不符，被改动过")
    signed = {entry.seq: entry for entry in chain.of("decision")}
    stored = {decision.ledger_seq: decision for decision in tables.decisions}
    for seq, entry in signed.items():
        decision = stored.get(seq)
        if decision is None:
            faults.append(f"台账第 {seq} 条的审核结论在数据库中被删除")
        elif decision.staff_id != entry.actor or not _as_signed(decision, entry.body):
            faults.append(f"台账第 {seq} 条的审核结论在数据库中被改动")
    extra = len(tables.decisions) - len(set(stored) & set(signed))
    if extra:
        faults.append(f"数据库中有 {extra} 条审核结论没有签名的台账依据")
    return faults


def _same_levels(tables: _Tables, body: Mapping[str, Any]) -> bool:
    frozen = body["workflow"]
    try:
        flow = read_workflow(frozen["klass"], frozen["version"], frozen)
    except WorkflowError:
        return False
    return bool(tables.head.workflow == flow.for_kind(tables.head.kind).to_json())


def _as_signed(row: Any, body: Mapping[str, Any]) -> bool:
    """Whether every field that a decision and its signed entry share is the same."""
    try:
        gates = {gate: {"ok": bool(value.get("ok"))} for gate, value in row.gates.items()}
    except (AttributeError, TypeError):
        return False
    held = {
        "level": row.level,
        "level_name": row.level_name,
        "digest": row.digest,
        "verdict": row.verdict,
        "gates": gates,
        "attachments": row.attachments,
        "proof": row.proof,
        "in_place_of": row.in_place_of,
        "retrospective": row.retrospective,
        "notes": commitment(row.id, decision_words(row)),
    }
    return all(body[name] == value for name, value in held.items() if name in body)


def _release(release_id: str, head: Any, draft: Draft) -> Release:
    return Release(
        id=release_id,
        item_id=head.item_id,
        digest=digest(head.canonical),
        title=draft.title,
        renderings=json.loads(head.canonical)["renderings"],
        audience=draft.audience,
        not_before=draft.not_before,
        not_after=draft.not_after,
        urgent=draft.klass == EMERGENCY,
    )
