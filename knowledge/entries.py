"""Reviewed questions and answers: items of kind 问答 that passed review and go to no account.

When a clause that one rests on is not in force any more, it is not said from that moment; a job
signs `entry.lapsed` and tells.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date

from config.clock import beijing, now
from knowledge.answering import content
from knowledge.resting import Rest, Rested, rested
from knowledge.reviewed import LAPSED, Known, ReviewedTexts, Standing
from knowledge.same_question import questions_in, same_question
from knowledge.search import pairs
from knowledge.speech import Speech, starting_speech
from ledger.append import Ledger
from review_queue.canonical import Draft
from staff.refusal import Reason

LONGEST = 600
"""Characters of an answer: one message of every channel, as of a staff reply."""
LONGEST_RESTING, MOST_RESTS = 400, 2
"""The same of one with its sources below it, and how many clauses these may be."""
_ALIKE = 0.5  # share of the words of the shorter question


class ReviewedEntries(ReviewedTexts):
    """The entries of one office."""

    subject = "entries"
    noun = "entry"

    def __init__(self, ledger: Ledger, speech: Callable[[], Speech] = starting_speech) -> None:
        """`speech`: the office's words of now."""
        super().__init__(ledger)
        self._speech = speech

    async def near(self, questions: Sequence[str]) -> list[Known]:
        """Entries in use whose question shares its words with one of these, the best first."""
        await self.refresh()
        found = []
        for standing, known in self._held.values():
            alike = max((_alike(one, known.question) for one in questions), default=0.0)
            if alike >= _ALIKE and now() <= standing.not_after:
                found.append((alike, known))
        return await self._resting([known for _, known in sorted(found, key=lambda one: -one[0])])

    async def answering(self, question: str) -> Known | None:
        """The entry that answers this very question with the clauses it rests on in force.

        One that rests on no clause is for people alone: a citizen is told no answer without one.
        """
        await self.refresh()
        speech = self._speech()
        found = [
            known
            for standing, known in self._held.values()
            if known.rests
            and now() <= standing.not_after
            and any(same_question(question, one, speech) for one in questions_in(known.question))
        ]
        return next(iter(await self._resting(found)), None)

    async def words(self, key: str, version: int) -> str | None:
        """The answer of this version, while it may be said; for whoever says it."""
        await self.refresh()
        standing, known = self._held.get(key, (None, None))
        if standing is None or known is None or known.version != version:
            return None
        if now() > standing.not_after or not await self._resting([known]):
            return None
        return known.answer

    async def _resting(self, found: Sequence[Known]) -> list[Known]:
        """Those whose clauses are all in force today."""
        stand = await rested(self._ledger, {one for known in found for one in known.rests})
        today = beijing(now()).date()
        return [one for one in found if stand.on(one.rests, today) is Rest.HOLDS]

    async def lapse_due(self) -> int:
        """End what rests on a clause that is not in force any more, and tell; how many."""
        await self.refresh()
        held = [standing for standing, known in self._held.values() if known.rests]
        stand = await rested(self._ledger, {one for each in held for one in each.rests})
        today = beijing(now()).date()
        gone = [one for one in held if stand.on(one.rests, today) is Rest.ENDED]
        return sum([await self._lapse(one, stand, today) for one in gone])

    async def _lapse(self, one: Standing, stand: Rested, today: date) -> bool:
        ended = [key for key in one.rests if stand.on([key], today) is Rest.ENDED]
        async with self._ledger.transaction() as tx:
            now_stands = (await self._standings()).get(one.key)
            if now_stands != one:  # another process was first, or it was withdrawn meanwhile
                return False
            body = {"entry": one.key, "version": one.version, "item": one.item, "ended": ended}
            await tx.append(
                f"{self.noun}.{LAPSED}", subject=self.subject, actor="system", body=body
            )
        self._following.look_again()
        names = "、".join(
            sorted({f"《{stand.clauses[key].policy.title.strip('《》')}》" for key in ended})
        )
        await self._ledger.open_incident(
            "entry_lapsed",
            subject=f"item:{one.item}",
            message=f"这条问答所依据的 {names} 的条文已修改、废止或失效，机器人已不再说它："
            "请按现行条文另起草一条，或者不再使用",
            detail={"entry": one.key, "clauses": ended},
        )
        return True

    async def faults(self, draft: Draft) -> list[Reason]:
        """What could not be said to a citizen is refused before anybody reads it."""
        most = LONGEST_RESTING if draft.rests else LONGEST
        faults = []
        if not 0 < len(draft.body.strip()) <= most:
            faults.append(Reason("entry", f"问答条目的答复应为 1 至 {most} 字：请缩短"))
        return faults + await self._rest_faults(draft.rests)

    async def _rest_faults(self, rests: Collection[str]) -> list[Reason]:
        if len(rests) > MOST_RESTS:
            return [Reason("rests", f"依据的条文最多 {MOST_RESTS} 条，请只留最主要的")]
        stand = await rested(self._ledger, rests)
        if stand.on(rests, beijing(now()).date()) is not Rest.HOLDS:
            return [Reason("rests", "依据的条文现在不是现行有效的条文：请重新选择")]
        return []


def _alike(one: str, other: str) -> float:
    ours, theirs = set(pairs(content(one))), set(pairs(content(other)))
    return len(ours & theirs) / max(1, min(len(ours), len(theirs)))
