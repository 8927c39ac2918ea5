"""How long an answer of the robot may still be sent.

A seal proves who wrote a row and not that it is the newest: an old copy of an answer, put back
after a restart, would be sent again. So an answer ends by its age, which its sealed id tells.
"""

import time
from collections.abc import Mapping
from typing import Any

from bot.contract import ReplyBasis
from storage.database import made_at

ANSWERS = (ReplyBasis.QUOTE, ReplyBasis.TEMPLATE)
"""What the switch of automatic answers stops."""
ROBOT = (*ANSWERS, ReplyBasis.DANGER)
AT_ONCE = 15 * 60.0
AFTER_WAITING = 24 * 3600.0
"""For what waited for the citizen's next message or for its account, marked `late` by its seal."""
NOTICED = 30 * 24 * 3600.0
"""For what became of a followed policy: it may wait long for its reader's next message."""
WORDS = "自动答复已过时效，没有发送：对方需要时会再次提问"


def too_old(delivery_id: str, reply: Mapping[str, Any] | None, *, late: bool) -> bool:
    """Whether this is a robot's answer that is not sent any more."""
    basis = reply.get("basis") if reply is not None else None
    if basis not in (*ROBOT, ReplyBasis.NOTICE, ReplyBasis.WAITS):
        return False
    # The machine's own clock and not config.clock: ids are made by it, shifted or not.
    least = AFTER_WAITING if late or basis == ReplyBasis.WAITS else AT_ONCE
    if basis == ReplyBasis.NOTICE:
        least = NOTICED
    return time.time() - made_at(delivery_id) > least
