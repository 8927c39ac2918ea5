"""What was answered inside a platform's own call, kept with the act it answers: parts, never words.

An answer that follows as a message of its own has its row in the outbox; this one has none.
"""

import json
from collections.abc import Mapping
from typing import Any

from bot.replies import Parts
from storage.seals import Seals

_NAME, _SEAL = "said", 64


def keep(seals: Seals, row_id: str, parts: Parts) -> str:
    """The parts with a seal over them and the act."""
    text = json.dumps(parts.kept(), ensure_ascii=False)
    return seals.of(_NAME, [row_id, text]) + text


def kept(seals: Seals, row_id: str, said: str) -> Mapping[str, Any] | None:
    """What `keep` was given; None when nothing is kept or this program did not write it."""
    seal, text = said[:_SEAL], said[_SEAL:]
    if not text or not seals.hold(seal, _NAME, [row_id, text]):
        return None
    found: Mapping[str, Any] = json.loads(text)
    return found
