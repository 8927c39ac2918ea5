"""Answers that came too late for their call, where the account may send no message of its own.

Such an account is known by what its platform said last (bot/abilities.py). Its answer waits for the
same question once more, sealed: a cache alone is never believed.
"""

import hashlib
import json
import time
from contextlib import suppress

from bot.abilities import lacks
from bot.contract import Inbound
from bot.models import Contact
from bot.probing import MESSAGES
from bot.replies import Parts, Unsayable, parts_from
from storage.away import REDIS_AWAY
from storage.cache import Cache
from storage.database import Database

KEPT = 600
"""Seconds in which the question may be asked again."""
_LOOKED = 60.0  # seconds for which an account is known to be one of these, or none


class Sealed:
    """Words in the cache under this office's seal."""

    def __init__(self, db: Database, cache: Cache) -> None:
        """Without seals nothing is kept."""
        self._db = db
        self._cache = cache

    async def keep(self, key: str, text: str, seconds: int) -> None:
        """For a while."""
        if self._db.seals is not None:
            seal = self._db.seals.of("passive", [key, text])
            await self._cache.set(key, seal + text, seconds)

    async def kept(self, key: str) -> str | None:
        """The words, as they were kept; None for others."""
        found, seals = await self._cache.get(key) or "", self._db.seals
        seal, text = found[:64], found[64:]
        whole = seals is not None and seals.hold(seal, "passive", [key, text])
        return text if text and whole else None


class Later:
    """The late answers of mute accounts."""

    def __init__(self, db: Database, sealed: Sealed) -> None:
        """Shared by all doors."""
        self._db = db
        self._sealed = sealed
        self._mute: dict[str, tuple[float, bool]] = {}

    async def mute(self, account_id: str) -> bool:
        """Whether the platform lets this account send no messages."""
        until, found = self._mute.get(account_id, (0.0, False))
        if until < time.monotonic():
            found = await lacks(self._db, account_id, MESSAGES)
            self._mute[account_id] = (time.monotonic() + _LOOKED, found)
        return found

    async def keep(self, inbound: Inbound, contact: Contact, parts: Parts) -> None:
        """For the same question of the same person."""
        words = json.dumps(parts.kept(), ensure_ascii=False)
        with suppress(*REDIS_AWAY):  # then it is looked for once more
            await self._sealed.keep(_key(inbound, contact), words, KEPT)

    async def kept(self, inbound: Inbound, contact: Contact) -> Parts | None:
        """The answer that came too late, if this asks for it again."""
        if not inbound.text or not await self.mute(contact.account_id):
            return None
        with suppress(*REDIS_AWAY, Unsayable):
            words = await self._sealed.kept(_key(inbound, contact))
            return parts_from(contact.account_id, contact.id, json.loads(words)) if words else None
        return None


def _key(inbound: Inbound, contact: Contact) -> str:
    asked = hashlib.sha256(inbound.text.strip().encode()).hexdigest()[:32]
    return f"late:{contact.id}:{asked}"
