"""What this process has sent or told already: an older copy of a row, put back, sends nothing.

A seal proves who wrote a row and not that it is the newest. For a push that is through, the ledger
decides (subscriptions/push.py); for one that runs, and for answers, the process that sent it.
"""

import time
from collections.abc import Iterable, Iterator

from bot.delivery.outbox import Wrong

MOST = 200_000  # rows remembered: some twenty megabytes, and more than one push in a day
TOLD_FOR = 60.0  # seconds in which rows of one forging open no second incident


class Past:
    """One a process. A message is named by content_key and contact, whatever id its row has."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._ended: dict[tuple[str, str], None] = {}
        self._told: dict[str, float] = {}

    def add(self, messages: Iterable[tuple[str, str]]) -> None:
        """These have had their end."""
        self._ended.update(dict.fromkeys(messages))
        while len(self._ended) > MOST:
            del self._ended[next(iter(self._ended))]

    def __contains__(self, message: object) -> bool:
        """Whether this message was sent, or ended, by this process."""
        return message in self._ended

    def news(self, wrong: Iterable[Wrong]) -> Iterator[Wrong]:
        """Those to tell staff of: the first row of each forging, again after a minute."""
        moment = time.monotonic()
        self._told = {about: until for about, until in self._told.items() if until > moment}
        for one in wrong:
            if one.about not in self._told:
                self._told[one.about] = moment + TOLD_FOR
                yield one
