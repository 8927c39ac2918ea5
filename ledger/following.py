"""What rests on the newest signed entries of one subject, read again only when there are newer.

Levels, rule sets, settings and templates are texts in tables whose digest an entry holds. Several
processes agree because each asks for the newest entry number before use.
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


class Following:
    """One subject, and what is done when it has newer entries."""

    def __init__(self, ledger: Ledger, subject: str, load: Load) -> None:
        """Nothing is read before the first `refresh`."""
        self.ledger = ledger
        self.subject = subject
        self._load = load
        self._newest = select(func.max(LedgerEntry.seq)).where(LedgerEntry.subject == subject)
        self._seq = -1
        self._looked = float("-inf")
        self._loading = asyncio.Lock()

    async def refresh(self, age: float = 0.0) -> None:
        """Load what was signed since; one small query when nothing was.

        With `age`, a look at most so many seconds old is good enough.
        """
        if age and time.monotonic() - self._looked < age:
            return
        seq = await self.ledger.db.read(self._newest_seq)
        if seq != self._seq:
            await self._take(seq, again=False)
        self._looked = time.monotonic()

    def _newest_seq(self, session: Session) -> int:
        return session.scalar(self._newest) or 0

    async def compare(self) -> None:
        """Look at every row once more, although nothing new was signed: a job does so."""
        await self._take(self._seq, again=True)

    def look_again(self) -> None:
        """What this process is just signing counts at the next look, however fresh the last was."""
        self._looked = float("-inf")

    async def _take(self, seq: int, *, again: bool) -> None:
        async with self._loading:
            try:
                entries = await self.ledger.facts(self.subject)
            except Broken:
                return  # what was proved before stays in memory; the ledger has its own incident
            whole = await self._load(entries, again)
            # Only a whole look is remembered: a row that was put right is found at the next one.
            self._seq = seq if whole else -1
