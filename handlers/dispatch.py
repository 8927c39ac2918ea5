"""The bot's side of every conversation: the first handler that says something is heard.

`Dispatcher(wiring, cache, handlers)`; handlers in order: Commands, Withdrawing,
OwnData, Subscribing, Narrowing, Courtesy, Questions; danger (handlers/danger.py) comes before them.
`await dispatcher.handle(inbound, contact) -> Parts | None` is called once per act (the bot has
checked the signature and kept duplicates out) with the contact it has just upserted.
Composition: `build_dispatcher(wiring, cache, ask, on_told, danger)` makes all of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.contract import ACTS, Inbound, InboundKind
from bot.models import Contact
from bot.replies import Filled, Parts
from config.clock import beijing, now
from facets.taxonomy import Taxonomy
from handlers.arriving import Arriving, arrives
from handlers.browsing import Browsing
from handlers.choosing import chosen, labelled
from handlers.commands import (
    LEAVING,
    MENU,
    Commands,
    CommandWiring,
    command_key,
    erase_person,
    fixed_words,
)
from handlers.conversation import Conversations
from handlers.courtesy import Courtesy
from handlers.danger import in_danger
from handlers.exchanges import exchange_in, keeps_in
from handlers.firm import Firm
from handlers.following import Following
from handlers.later import later_in
from handlers.leaving import grave
from handlers.masking import normal
from handlers.met import met_of
from handlers.narrowing import Narrowing
from handlers.opining import Opining
from handlers.own_data import OwnData
from handlers.picking import by_place, picked
from handlers.questions import Ask, OnTold, Questions
from handlers.rating import Rating, ask_due
from handlers.resuming import goes_on
from handlers.rhythms_asked import offers_rhythm
from handlers.several import besides
from handlers.stories import beyond, for_kin
from handlers.subscribing import Subscribing
from handlers.turn import Handler, Said, Turn, fill
from handlers.wishes import Missed, names_alone, wish_in
from handlers.withdrawing import Withdrawing, withdraws
from knowledge.danger import danger as danger_in
from ledger.stops import stopped_now
from staff.refusal import Refused
from storage.cache import Cache

_log = structlog.get_logger("handlers.dispatch")

PER_MINUTE = 20  # acts of one contact in 60 s that are answered
MOST = 3 * PER_MINUTE  # and for the keys that always work
STOPS_FOR = 0.1  # seconds within which a stop of another process is obeyed
MAX_TEXT = 1000  # characters read of one message
SILENT = frozenset(InboundKind) - (ACTS - {InboundKind.RETURN})
"""Everything but what a person says or presses."""


REHEARSED = frozenset(
    key for _, entries in MENU for _, key in entries if key not in ("person", "leave:all", "tags")
)
"""Menu entries that can be tried every day: the others open a ticket, or end something."""
NO_ANSWER = frozenset({"stale", "unavailable", "stopped", "slow_down", "unsupported"})
"""Templates by which nothing was answered."""

Heard = Callable[[str, float], str]
"""A text and its bar in (1; less hears more), the class of danger it tells of out, or ""."""
BESIDE = 0.5
"""The bar for what is told beside a withdrawal, where all of it together sounded like danger."""


class Dispatcher:
    """Turns inbound acts into the parts of replies."""

    def __init__(
        self,
        wiring: CommandWiring,
        cache: Cache,
        handlers: Sequence[Handler],
        danger: Heard = danger_in,
    ) -> None:
        """`handlers` are asked in order."""
        self._danger = danger
        self._w = wiring
        self._ledger = wiring.tickets.ledger
        self._cache = cache
        self._conversations = Conversations(self._ledger, cache)
        self._say = fill
        self._handlers = tuple(handlers)

    async def handle(self, inbound: Inbound, contact: Contact) -> Parts | None:
        """What is said to one act, or None for silence."""
        if inbound.kind is InboundKind.ERASE:
            await erase_person(self._w, contact.id)
        if inbound.kind in SILENT:
            return None
        # Of a message without words the key says what it is: a picture may have a caption.
        pressed = bool(inbound.key) and inbound.kind is not InboundKind.MEDIA
        danger = "" if pressed or arrives(inbound) else self._heard(normal(inbound.text))
        if danger:
            return await self._in_danger(inbound, contact, danger)
        # Counted before anything is read: a flood must stay cheap.
        count = await self._cache.count(f"said:{contact.id}", 60)
        await self._w.fresh()
        turn, halted = await self._turn(inbound, contact)
        urgent = withdraws(turn, self._w.subscribers.taxonomy)
        if count > (MOST if urgent else PER_MINUTE):
            # Told once: an answer to each message of a flood would be a flood itself.
            once = count == PER_MINUTE + 1
            return self._parts(turn, Said(self._say("slow_down"))) if once else None
        # Leaving and being forgotten work always: withdrawing consent must be as easy as giving it.
        said = await self._said(turn, silent=halted and not urgent)
        if said is None:
            return None
        await self._remember(contact.id, said, turn)
        return self._parts(turn, said) if said.pieces else None

    def _heard(self, text: str) -> str:
        try:
            known = self._w.subscribers.taxonomy
        except Refused:  # no taxonomy can be proved: nothing is known by its name
            known = None
        return heard_in(text, known, self._danger)

    async def rehearse(self, inbound: Inbound) -> Parts | None:
        """What a pressed menu entry is answered with; None when that is no answer.

        To nobody: nothing is counted and nothing remembered, and entries that act are left alone.
        """
        if inbound.key not in REHEARSED:
            return None
        await self._w.fresh()
        nobody = Contact(id=inbound.address, account_id=inbound.account_id, subject_ref="")
        turn, halted = await self._turn(inbound, nobody)
        said = None if halted else await self._said(turn, silent=False)
        names = {one.name for one in said.pieces if isinstance(one, Filled)} if said else set()
        if said is None or not said.pieces or names & NO_ANSWER:
            return None
        return self._parts(turn, said)

    async def ask_ratings(self) -> int:
        """A job: ask those whose answer went out how it was; how many were asked."""
        return await ask_due(self._w, self._conversations)

    async def _in_danger(self, inbound: Inbound, contact: Contact, danger: str) -> Parts | None:
        """Before every limit, stop and choice; no neighbour that is away keeps it back."""
        try:
            await self._w.fresh()
            flood = await self._cache.count(f"danger:{contact.id}", 60) > MOST
        except Exception:  # noqa: BLE001  a neighbour that is away keeps no number back
            _log.exception("danger is heard all the same", contact=contact.id)
            flood = False
        text = normal(inbound.text)
        said = await in_danger(self._w, contact, text, danger)
        return None if flood else self._parts(Turn(inbound, contact, text), said)

    async def _said(self, turn: Turn, *, silent: bool) -> Said | None:
        try:
            if silent:
                return Said(self._say("stopped", phone=self._w.tickets.hours.hotline))
            return await self._first(turn)
        except Refused:  # a setting that cannot be proved: its part of the office does not act
            return Said(self._say("unavailable"))

    async def _first(self, turn: Turn) -> Said | None:
        for handler in self._handlers:
            said = await handler(turn)
            if said is not None:
                return said
        return None

    async def _turn(self, inbound: Inbound, contact: Contact) -> tuple[Turn, bool]:
        halted = bool(await stopped_now(self._ledger, "answers", age=STOPS_FOR))
        text = normal(inbound.text)[:MAX_TEXT]
        # Of a message without words the key says what it is: it was not pressed.
        given = "" if inbound.kind is InboundKind.MEDIA else inbound.key
        key = given or command_key(text)
        # Whoever leaves needs no row of ours to be whole, or to be there.
        stood = None if key in LEAVING else await self._conversations.at(contact.id)
        step, data = (stood.step, stood.data) if stood else ("", {})
        open_keys = data.get("choices") or ()
        key = key or chosen(text, open_keys) or labelled(text, data.get("labels") or (), open_keys)
        if key.startswith("say:"):  # an offered wording: as if the citizen had typed it
            text, key = _offered(key.removeprefix("say:"), data)
            inbound = replace(inbound, kind=InboundKind.TEXT, text=text, key="")
        return Turn(inbound, contact, text, key, step, data), halted

    async def _remember(self, contact_id: str, said: Said, turn: Turn) -> None:
        """Keep the open choices; nothing is kept of somebody who has just been forgotten."""
        if turn.key == "forget:yes" or not (said.step or said.choices or said.data):
            await self._conversations.end(contact_id)
            return
        offered = {
            "choices": [choice.key for choice in said.choices],
            "labels": [choice.label for choice in said.choices],
        }
        data = {**said.data, **offered}
        await self._conversations.keep(contact_id, step=said.step, data=data)

    def _parts(self, turn: Turn, said: Said) -> Parts:
        return Parts(
            account_id=turn.contact.account_id,
            contact_id=turn.contact.id,
            basis=said.basis,
            pieces=said.pieces,
            choices=tuple((choice.label, choice.key) for choice in said.choices),
            thread=turn.inbound.thread,
            met=met_of(turn, said),
        )


def heard_in(text: str, known: Taxonomy | None, danger: Heard = danger_in) -> str:
    """The class of danger in it; of a withdrawal only what is told beside it counts.

    Every word of a withdrawal is known: who says no more than that is in no danger by it.
    """
    if fixed_words(text) or for_kin(text) or (known is not None and only_wishes(text, known)):
        return ""
    heard = danger(text, 1.0)
    rest = beyond(text, known)
    if rest is None:
        # Read alone too: beside words of ours a model of the whole hears less of it.
        if heard or known is None:
            return heard
        left = besides(text, known, beijing(now()).date())
        return left and danger(left, 1.0)
    return rest and danger(rest, BESIDE if heard else 1.0)


def only_wishes(text: str, known: Taxonomy) -> bool:
    """Whether it is a subscription and no more, all of it understood: 帮我妈订阅就业."""
    if goes_on(text, known) is not None or offers_rhythm(text, known) or _waits(text):
        return not grave(text)
    if names_alone(text, known):
        return not grave(text)
    wish = wish_in(text, known)
    if wish is not None and bool(wish.facets) and wish.missed <= {Missed.PERSON}:
        return True
    found = exchange_in(text, known)
    if found is None:
        return bool(keeps_in(text, known))
    wished = wish_in(found.wish, known)
    return wished is not None and wished.missed <= {Missed.PERSON}


def _waits(text: str) -> bool:
    """下个月再发; or 第三个退了, as far as any list may go."""
    if later_in(text, beijing(now()).date()) is not None:
        return True
    return by_place(text) and picked(text, PER_MINUTE) is not None


def _offered(number: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """The text and key an offered wording stands for."""
    options = data.get("options") or []
    # The offer may be of an older conversation: say so instead of guessing.
    if not number.isdecimal() or int(number) >= len(options):
        return "", "stale"
    return str(options[int(number)]), ""


def build_dispatcher(
    wiring: CommandWiring,
    cache: Cache,
    ask: Ask,
    on_told: OnTold | None = None,
    danger: Heard = danger_in,
) -> Dispatcher:
    """Commands, leaving, own data, subscribing, questions, over one wiring; danger before all."""
    wishes = Subscribing(wiring.tickets.ledger, wiring.subscribers)
    handlers: tuple[Handler, ...] = (
        Arriving(wiring),
        Commands(wiring),
        Following(wiring),
        Withdrawing(wiring.tickets.ledger, wiring.subscribers, wishes),
        OwnData(wiring.tickets.ledger, wiring.subscribers),
        Opining(wiring),
        Browsing(wiring),
        Firm(wiring),
        Rating(wiring),
        wishes,
        Narrowing(wiring.tickets.ledger, wiring.subscribers),
        Courtesy(wiring),
        Questions(wiring, ask, on_told),
    )
    return Dispatcher(wiring, cache, handlers, danger)
