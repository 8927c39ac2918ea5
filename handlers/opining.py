"""意见征集 in the chat: which one, the words, a receipt at once; and that one is over.

`Opining(wiring)` is a Handler. Keys: opinion[:<consultation>], unopine:<opinion>. In words:
提意见, 我要对《…》提意见, with the words behind a colon or in the next message. Whoever names no
consultation that there is writes a suggestion like any other (escalations/kinds.py).
"""

import re
from collections.abc import Sequence

from bot.contract import InboundKind
from config.clock import beijing, now
from escalations import opinions
from escalations.calendar import in_words
from escalations.consultations import consultations_on
from escalations.models import Consultation
from handlers.commands import CommandWiring
from handlers.masking import normal
from handlers.turn import Choice, Said, Turn, fill

KEY, BACK, STEP = "opinion", "unopine", "opinion"
LONGEST = 1000
_NEEDED = (
    *("opinion_none", "opinion_which", "opinion_ask", "opinion_long"),
    *("opinion_got", "opinion_back", "opinion_over"),
)
_TO = re.compile(
    r"(?:我们?|本人)?(?:想|要|来)?(?:对|就|给|针对)(?P<name>[^：:]{2,80}?)"
    r"(?:提(?:一|几)?(?:个|点|条|些)?|有(?:个|点|些)?)(?:意见|建议)[：:，,。\s]*(?P<text>.*)",
    re.DOTALL,
)
_MARKS = str.maketrans("", "", '《》“”"〈〉 的')
_MOST_LABEL = 40


class Opining:
    """Takes what a citizen writes to a consultation."""

    def __init__(self, wiring: CommandWiring) -> None:
        """What is kept is masked as every question is."""
        self._w = wiring

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        head, _, rest = turn.key.partition(":")
        if head == BACK:
            return await self._take_back(turn, rest)
        if head == KEY:
            return await self._choose(turn, rest)
        if turn.key or turn.inbound.kind is not InboundKind.TEXT:
            return None
        if turn.step == STEP:
            return await self._write(turn, str(turn.data.get(KEY, "")), turn.text)
        if (named := _TO.fullmatch(turn.text)) is None:
            return None
        found = [one for one in await self._known(turn) if _same(named["name"], one.title)]
        if len(found) != 1:
            return None
        if not named["text"].strip():
            return _asked(found[0])
        return await self._write(turn, found[0].id, named["text"].strip())

    async def _known(self, turn: Turn) -> Sequence[Consultation]:
        """Open ones and those that ended; none for an office without the words for them."""
        if not self._w.templates.usable(*_NEEDED):
            return ()
        return await consultations_on(self._w.tickets.ledger, turn.contact.account_id)

    async def _choose(self, turn: Turn, wanted: str) -> Said:
        if not self._w.templates.usable(*_NEEDED):
            return Said(fill("ask_hint"))
        known = await self._known(turn)
        if wanted:
            one = next((one for one in known if one.id == wanted), None)
            return _asked(one) if one is not None else Said(fill("stale"))
        running = [one for one in known if now() < one.ends_at]
        if len(running) == 1:
            return _asked(running[0])
        if not running:
            waiting = [one for one in known if not one.told_at]
            return _over(waiting[0]) if waiting else Said(fill("opinion_none"))
        return Said(
            fill("opinion_which"),
            tuple(Choice(one.title[:_MOST_LABEL], f"{KEY}:{one.id}") for one in running),
        )

    async def _write(self, turn: Turn, wanted: str, text: str) -> Said | None:
        one = next((one for one in await self._known(turn) if one.id == wanted), None)
        if one is None:
            return None
        # What is cut would be kept and counted as if it were all that was said.
        if len(normal(turn.inbound.text)) > LONGEST:
            return Said(fill("opinion_long"), step=STEP, data={KEY: one.id})
        kept = self._w.mask(text)
        made = await opinions.receive(self._w.tickets.ledger, one, turn.contact, kept)
        if made is None:
            return _over(one) if now() >= one.ends_at else Said(fill("unavailable"))
        said = fill(
            "opinion_got", title=one.title, ticket=made[-6:].upper(), due=in_words(one.result_by)
        )
        return Said(said, (Choice("再提一条", f"{KEY}:{one.id}"), Choice("撤回", f"{BACK}:{made}")))

    async def _take_back(self, turn: Turn, opinion_id: str) -> Said:
        done = await opinions.take_back(self._w.tickets.ledger, turn.contact.id, opinion_id)
        return Said(fill("opinion_back" if done else "stale"))


def _asked(one: Consultation) -> Said:
    if now() >= one.ends_at:
        return _over(one)
    said = fill("opinion_ask", title=one.title, date=_last_day(one))
    return Said(said, (Choice("不提了", "keep"),), step=STEP, data={KEY: one.id})


def _over(one: Consultation) -> Said:
    due = in_words(one.result_by)
    return Said(fill("opinion_over", title=one.title, date=_last_day(one), due=due))


def _last_day(one: Consultation) -> str:
    return (
        beijing(one.ends_at)
        .date()
        .fromordinal(beijing(one.ends_at).date().toordinal() - 1)
        .isoformat()
    )


def _same(said: str, title: str) -> bool:
    """Whether the words name this title: a part of it of at least four characters, or all."""
    name, whole = said.translate(_MARKS), title.translate(_MARKS)
    return len(name) >= min(4, len(whole)) and name in whole
