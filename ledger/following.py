"""What rests on the newest signed entries of one subject, read again only when there are newer.

Levels, rule sets, settings and templates are texts in tables whose digest an entry holds. Several
processes agree because each asks for the newest entry number before use: that of the whole table,
because the column that names an entry's subject carries no signature.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.append import Ledger
from ledger.models import LedgerEntry
from ledger.verify import Broken, Entry

FRESH = 1.0
"""Seconds for which a conversation believes what was read; sending and submitting ask anew."""

Load = Callable[[Sequence[Entry], bool], Awaitable[bool]]
"""Takes the subject's signed entries over, all rows once more when asked; whether all held."""


def head_of(session: Session) -> int:
    """Number of the newest entry of all, whatever its columns say."""
    return session.scalar(select(func.max(LedgerEntry.seq))) or 0


class Following:
    """One subject, and what is done when it has newer entries."""

    def __init__(self, ledger: Ledger, subject: str, load: Load) -> None:
        """Nothing is read before the first `refresh`."""
        self.ledger = ledger
        self.subject = subject
        self._load = load
        self._seq = -1  # newest entry of the subject that was loaded whole
        self._head = -1  # and the newest of all when it was found
        self._looked = float("-inf")
        self._loading = asyncio.Lock()

    async def refresh(self, age: float = 0.0) -> None:
        """Load what was signed since; one small query when nothing was.

        With `age`, a look at most so many seconds old is good enough.
        """
        if age and time.monotonic() - self._looked < age:
            return
        head = await self.ledger.db.read(head_of)
        if head != self._head:
            await self._take(head, again=False)
        self._looked = time.monotonic()

    async def compare(self) -> None:
        """Look at every row once more, although nothing new was signed: a job does so."""
        await self._take(self._head, again=True)

    def look_again(self) -> None:
        """What this process is just signing counts at the next look, however fresh the last was."""
        self._looked = float("-inf")

    async def _take(self, head: int, *, again: bool) -> None:
        async with self._loading:
            try:
                newest = (await self.ledger.newest_of([self.subject]))[self.subject]
                if again or newest != self._seq:
                    entries = await self.ledger.facts(self.subject)
                    newest = entries[-1].seq if entries else 0
                    whole = await self._load(entries, again)
                    # Only a whole look is remembered: a row that was put right is found next time.
                    self._seq = newest if whole else -1
            except Broken:
                return  # what was proved before stays in memory; the ledger has its own incident
            self._head = head if self._seq >= 0 else -1
