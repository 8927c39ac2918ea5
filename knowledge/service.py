"""Questions against the signed library: the index finds, rows compared with entries are quoted."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from gates.finding import PolicyFact
from gates.policies import Entry, PolicyIndex
from knowledge.answering import (
    Answer,
    Hit,
    answer,
    asked_day,
    danger_in,
    guard,
    quotes_of,
    ranked_hits,
    without_day,
)
from knowledge.indexes import Indexes, named
from knowledge.leaning import Beside, On, further
from knowledge.looked import Looked, agreeing, beside, fault_of, hit_of, rows_of
from knowledge.proof import (
    Deadline,
    SignedPolicy,
    Verified,
    compared,
    entries_of,
    policies_in,
    tell_changed,
)
from knowledge.search import Doc, Found, Index
from knowledge.speech import Speech, starting_speech
from knowledge.told import tell, told_of
from knowledge.validity import (
    Life,
    is_worded,
    life_of,
    status_at,
)
from ledger.append import Ledger
from ledger.verify import Broken
from ledger.verify import Entry as LedgerEntry
from staff.refusal import Refused

_HITS = 10
_NO_FACTS = PolicyIndex(())
# 我的电话［手机号］: what somebody says of themselves, masked before it is stored, is no question.
_OWN_NUMBER = re.compile(
    r"[，,。；;、\s]{0,4}(?:我|本人)?的?(?:联系)?(?:电话|手机|身份证|卡)?(?:号码?)?[是为：:]?"
    r"(?:［[^］]{1,12}］|\d{11,18}[Xx]?)"
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Loaded:
    """One state of the library, with what was derived from it; replaced as a whole."""

    seq: int  # of the newest signed word it rests on
    library: Verified
    index: Index

    @cached_property
    def facts(self) -> PolicyIndex:
        """What the gates may ask; made when they do, for no question waits for it."""
        return PolicyIndex([_entry(one, self.library) for one in self.library.signed.values()])


class KnowledgeService:
    """Answers, facts for the gates, and who was told what. One per process."""

    def __init__(
        self,
        ledger: Ledger,
        directory: Path | None = None,
        speech: Callable[[], Speech] = starting_speech,
    ) -> None:
        """`directory` keeps the derived index between starts; None keeps it in memory.

        `speech`: the words of this office that hold now.
        """
        self._ledger = ledger
        self._db = ledger.db
        self._speech = speech
        self._indexes = Indexes(ledger.db, directory)
        self._loaded: _Loaded | None = None
        self._lock = asyncio.Lock()

    @property
    def facts(self) -> PolicyIndex:
        """What the gates may ask, as last refreshed: from signed entries, whatever rows say."""
        return self._loaded.facts if self._loaded is not None else _NO_FACTS

    async def refresh(self) -> None:
        """Bring index and facts up to the signed entries; cheap when nothing was signed since."""
        async with self._lock:
            entries = await self._entries()
            last = entries[-1].seq if entries else 0
            if entries is not None and (self._loaded is None or self._loaded.seq != last):
                held = self._loaded
                if held is None:
                    library = await compared(self._ledger, policies_in(entries))
                else:
                    signed = policies_in(entries, held.library.signed, held.seq)
                    library = await compared(self._ledger, signed, held.library)
                await self._take(library, last)

    async def compare(self) -> None:
        """Compare every row once more: what was changed meanwhile is told and left out."""
        entries = await self._entries()
        if entries is None:
            return
        last = entries[-1].seq if entries else 0
        # Without the lock: questions go on while thousands of rows are read.
        library = await compared(self._ledger, policies_in(entries))
        async with self._lock:
            if self._loaded is None or self._loaded.seq <= last:
                await self._take(library, last)

    async def facts_now(self) -> PolicyIndex:
        """What the gates may ask of the library as it is now."""
        await self.refresh()
        return self.facts

    async def _entries(self) -> Sequence[LedgerEntry] | None:
        try:
            return await entries_of(self._ledger)
        except Broken as broken:
            # What was proved before stays true; nothing new is believed, and the watch tells it.
            _log.warning("the library stays as it was: %s", broken)
            return None

    async def _take(self, library: Verified, last: int) -> None:
        await tell_changed(self._ledger, library.changed)
        held = self._loaded
        before = (held.library, held.index) if held is not None else None
        self._loaded = _Loaded(
            last,
            library,
            await self._indexes.of(library, before),
        )

    def danger(self, text: str, bar: float = 1.0) -> str:
        """The class of danger in a text, "other" by the office's own words, or "".

        `bar`: see knowledge/danger.py.
        """
        try:
            words = self._speech().answering.emergency
        except Refused:  # a setting that cannot be proved keeps no danger quiet
            words = ()
        return danger_in(text, words, bar)

    async def ask(self, question: str, as_of: date) -> Answer:
        """The answer from clauses valid on `as_of`, or on the past day the question names."""
        speech = self._speech()
        question = _OWN_NUMBER.sub("", question) or question
        if guard(question, speech) is not None:
            return answer(question, (), as_of, speech=speech)
        past = asked_day(question, as_of)
        day = past or as_of
        if past is not None:
            question = without_day(question)
        hits, in_past = await self._hits(question, day), past is not None
        return answer(question, ranked_hits(hits), day, asked_past=in_past, speech=speech)

    async def ask_on(self, asked: On, question: str, today: date) -> Answer | None:
        """What the policy that was quoted answers to what is asked further; None for nothing.

        `question`: all of it in one, for the words that are quoted.
        """
        await self.refresh()
        loaded, speech = self._loaded, self._speech()
        if loaded is None or asked.last not in loaded.library.clauses:
            return None
        ids = await self._db.read(partial(beside, clause_id=asked.last))
        rows = await self._db.read(partial(rows_of, ids=ids))
        found = [
            Found(key, named(loaded.library.policies[one.policy_id], one), one.text, 0.0, 0.0)
            for key, one in rows.clauses.items()
            if key in loaded.library.clauses
        ]
        looked = agreeing(loaded.library, found, rows, today)
        await tell_changed(self._ledger, looked.changed)
        hits = sorted(looked.hits, key=lambda hit: rows.clauses[hit.key].number)
        clauses = [Beside(rows.clauses[one.key].heading, one) for one in hits]
        told = further(asked, clauses, speech)
        if told is None:
            return None
        quotes = quotes_of(question, told.hits, speech)
        return Answer("answered" if told.sure else "unsure", float(told.sure), quotes, today)

    async def hit(self, clause_id: str, day: date) -> Hit | None:
        """One clause with its policy as it stands on `day`, read and compared at this moment.

        None when it may not be told; a changed row is told in an incident.
        """
        await self.refresh()
        loaded = self._loaded
        if loaded is None or clause_id not in loaded.library.clauses:
            return None
        rows = await self._db.read(partial(rows_of, ids=[clause_id]))
        policy_id, digest = loaded.library.clauses[clause_id]
        clause = rows.clauses.get(clause_id)
        found = Found(clause_id, "", clause.text if clause is not None else "", 0.0, 0.0)
        fault = fault_of(loaded.library.signed[policy_id], found, digest, rows)
        if fault is not None:
            await tell_changed(self._ledger, [fault])
            await self.compare()
            return None
        if clause is None or not is_worded(clause, day):
            return None
        return hit_of(found, clause, loaded.library, day)

    async def _hits(self, question: str, day: date) -> list[Hit]:
        """What was found and compared; searched once more without what was changed."""
        await self.refresh()
        looked = await self._look(question, day)
        if not looked.changed and not looked.forged:
            return looked.hits
        await tell_changed(self._ledger, looked.changed)
        if looked.forged:
            await self._distrust_index()
        await self.compare()
        return (await self._look(question, day)).hits

    async def _look(self, question: str, day: date) -> Looked:
        loaded = self._loaded
        if loaded is None:
            return Looked([], [], forged=False)
        try:
            found = loaded.index.search(question, _HITS, self._speech().synonyms)
        except (ValueError, LookupError):  # another's files, without the fields that ours have
            return Looked([], [], forged=True)
        rows = await self._db.read(partial(rows_of, ids=[hit.key for hit in found]))
        return agreeing(loaded.library, found, rows, day)

    async def _distrust_index(self) -> None:
        """The stored index says what no compared row says: an incident, and a new one."""
        await self._ledger.open_incident(
            "policy_changed",
            subject="index",
            message="政策库的检索文件（index 文件夹）与签名的政策不符，已重建：请查明是谁改的",
            detail={"table": "index", "row": "", "field": ""},
        )
        async with self._lock:
            if self._loaded is not None:
                index = await self._indexes.anew(self._loaded.library)
                self._loaded = replace(self._loaded, index=index)

    def standing(self) -> tuple[Verified, Index]:
        """The library and its index as `refresh` left them, for a rehearsal (trial.py)."""
        if self._loaded is None:
            return Verified({}, {}, {}, {}, ()), Index.build([])
        return self._loaded.library, self._loaded.index

    def speech(self) -> Speech:
        """The office's words of now."""
        return self._speech()

    async def docs(self, *, without: str) -> list[Doc]:
        """What is indexed of every policy but one."""
        library = self.standing()[0]
        kept = {key: one for key, one in library.clauses.items() if one[0] != without}
        return await self._indexes.docs(replace(library, clauses=kept), set(library.policies))

    async def rows(self, ids: Sequence[str]) -> Mapping[str, Any]:
        """Rows of these clauses, by id."""
        return (await self._db.read(partial(rows_of, ids=ids))).clauses

    async def told(self, contact_id: str, clause_ids: Sequence[str]) -> None:
        """Keep that a contact was told these clauses."""
        async with self._db.session() as session:
            await tell(session, contact_id, clause_ids)

    async def who_was_told(self, what: Sequence[str]) -> list[str]:
        """The contacts who were told one of these clauses or answers, each once."""
        async with self._db.session() as session:
            return (await told_of(session, what))[0]


def _entry(policy: SignedPolicy, library: Verified) -> Entry:
    """What gates may ask of one policy, from memory; nothing of it is read from a row but days."""
    life = life_of(policy)
    after = library.signed.get(policy.successor_id or "")
    successor = (after.doc_number or after.title) if after is not None else ""
    fact = PolicyFact(
        title=policy.title,
        doc_number=policy.doc_number,
        status="in_force",
        starts=life.effective_from,
        ends=life.effective_to,
    )
    said = library.apply_by.get(policy.id, ())
    return Entry(policy.title, policy.doc_number, partial(_on, life, fact, successor, said))


def _on(
    life: Life, fact: PolicyFact, successor: str, said: Sequence[Deadline], day: date
) -> PolicyFact:
    """The policy on a day: a function of the module, so that a library can go to a process."""
    status = status_at(life, day)
    return replace(
        fact,
        status=status,
        successor="" if status == "in_force" else successor,
        apply_by=tuple(one.written for one in said if one.holds(day)),
    )
