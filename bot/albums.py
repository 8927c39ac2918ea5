"""Several pictures sent as one: the platform tells of each, and one of them is answered."""

import asyncio
import hashlib

from bot.contract import Inbound
from storage.cache import Cache

_WAIT = 0.6  # seconds in which the picture with the words may still come
_FOR = 3600.0  # seconds in which a late picture is known to belong to an answered album


async def speaks_for_album(cache: Cache, inbound: Inbound) -> bool:
    """Whether this picture is the one that is answered: the one with words.

    The pictures come one by one, and which of them has the words only shows by waiting.
    """
    whose = hashlib.sha256(f"{inbound.address}:{inbound.album}".encode()).hexdigest()[:32]
    key = f"album:{inbound.account_id}:{whose}"
    if inbound.text:
        await cache.add_once(key, _FOR)
        return await cache.add_once(f"{key}:words", _FOR)
    await asyncio.sleep(_WAIT)
    return await cache.add_once(key, _FOR)
