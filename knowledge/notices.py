"""Notices of correction: items of kind 更正告知 that passed review, for whoever was told something.

What a notice is about are clauses and reviewed answers (knowledge/told.py). It goes to those who
were told one of them before it was released, each once; `notice.told` says how many they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config.clock import now
from knowledge.reviewed import Known, ReviewedTexts
from ledger.append import Transaction
from review_queue.canonical import Draft
from staff.refusal import Reason

TOLD = "notice.told"
LONGEST, MOST = 400, 20


@dataclass(frozen=True)
class Notice:
    """A notice that is to be told: to whoever was told `about` until `released`."""

    known: Known
    about: tuple[str, ...]
    released: datetime


class Notices(ReviewedTexts):
    """The notices of one office."""

    subject = "notices"
    noun = "notice"

    async def faults(self, draft: Draft) -> list[Reason]:
        """A text of one message, about something that was told."""
        faults = []
        if not 0 < len(draft.body.strip()) <= LONGEST:
            faults.append(Reason("body", f"更正告知应为 1 至 {LONGEST} 字：请缩短"))
        if not 0 < len(draft.rests) <= MOST:
            faults.append(Reason("rests", f"更正告知要写明更正哪些条文或问答，最多 {MOST} 处"))
        return faults

    async def words(self, key: str, version: int) -> str | None:
        """The words of a notice while it may be told."""
        await self.refresh()
        standing, known = self._held.get(key, (None, None))
        if standing is None or known is None or known.version != version:
            return None
        return known.answer if now() <= standing.not_after else None

    async def waiting(self) -> Sequence[Notice]:
        """Notices in use whose people have not all been given theirs."""
        await self.refresh()
        held = [one for one, _ in self._held.values() if now() <= one.not_after]
        if not held:
            return []
        entries = await self._ledger.facts(self.subject)
        done = {(one.body["entry"], one.body["version"]) for one in entries if one.kind == TOLD}
        began = {
            (one.body["entry"], one.body["version"]): datetime.fromisoformat(one.at)
            for one in entries
            if one.kind == f"{self.noun}.released"
        }
        return [
            Notice(self._held[one.key][1], one.rests, began[one.key, one.version])
            for one in held
            if (one.key, one.version) not in done
        ]

    async def finish(self, tx: Transaction, one: Notice, people: int) -> None:
        """Sign that all of them have been given theirs."""
        body = {"entry": one.known.key, "version": one.known.version, "people": people}
        await tx.append(TOLD, subject=self.subject, actor="system", body=body)
        self._following.look_again()
