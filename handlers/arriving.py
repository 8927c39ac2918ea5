"""Who comes by a link or the QR code of a counter or poster: consent first, then its topic.

`Arriving(wiring)` is a Handler, the first one. What it answers is a scene of ours
(bot/scenes.py): behind /start, behind a follow, or a scan of somebody who follows already.
Nothing is kept before they press the button that says so.
"""

import re

from bot.contract import Inbound, InboundKind
from bot.scenes import topic_in
from facets.criteria import TOPICS
from handlers.commands import CommandWiring, account_name
from handlers.turn import Choice, Said, Turn, fill
from subscriptions.subscribers import CONSENT_VERSION

_START = re.compile(r"/start(?:@\w+)?\s+(\S+)")
_FOLLOWED = "qrscene_"
"""What WeChat puts before the scene of somebody who follows by it."""


class Arriving:
    """Offers the topic that somebody came for."""

    def __init__(self, wiring: CommandWiring) -> None:
        """Topics are those of now: a poster may be older than the taxonomy."""
        self._w = wiring

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        topic = arrives(turn.inbound)
        if not topic:
            return None
        follows = turn.inbound.kind is InboundKind.FOLLOW
        name = await account_name(self._w, turn) if follows else ""
        before = fill("arrived_at", account=name) if name else ()
        found = self._w.subscribers.taxonomy.get(TOPICS, topic)
        if found is None:
            said = (*before, *fill("arrived_gone"))
            return Said(said, (Choice("订阅政策", "sub"), Choice("帮助", "help")))
        said = (*before, *fill("arrived", facet=found.label, version=CONSENT_VERSION))
        choices = (
            Choice(f"同意并订阅 {found.label}", f"sub:{found.key}"),
            Choice("先看看这类政策", f"browse:{found.key}"),
            Choice("其他主题", "sub"),
            Choice("不订阅", "keep"),
        )
        return Said(said, choices)


def arrives(inbound: Inbound) -> str:
    """The topic of the link or code by which somebody comes, or an empty text."""
    return topic_in(_scene(inbound))


def _scene(inbound: Inbound) -> str:
    if inbound.kind is InboundKind.FOLLOW:
        start = _START.fullmatch(inbound.text.strip())
        return start[1] if start else inbound.key.removeprefix(_FOLLOWED)
    return inbound.key if inbound.kind is InboundKind.MENU else ""
