"""Questions in a citizen's own words: answered with clauses word for word, or given to a person.

`Questions(CommandWiring, ask)` is a Handler and the last one. `ask(question, as_of)` is
KnowledgeService.ask, `on_told` KnowledgeService.told. Where it is not sure, the clauses it found
are offered by their names; a person answers who is asked for, or when nothing fits. While a person
holds the contact's question the bot gives receipts on that matter and answers every other one.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date

from bot.contract import MEDIA_KINDS, InboundKind, ReplyBasis
from bot.replies import Ended, Piece, Quoted, Reviewed
from config.clock import beijing, now
from escalations import tickets
from escalations.calling_back import keep_number, number_in
from escalations.kinds import APPLICATION, asks_to_apply, kind_of
from escalations.merging import added_to
from escalations.models import Ticket
from escalations.tickets import Question
from handlers.beside import continues
from handlers.choosing import numbers
from handlers.commands import CommandWiring, add_to, hand_over
from handlers.courtesy import courtesy, refusal
from handlers.offers import CHOSEN, candidates, choices, held_in, near, offered_in, one_title
from handlers.promising import promise
from handlers.templates import PIECES
from handlers.turn import Choice, Said, Turn, fill
from knowledge.answering import Answer, asked_day
from knowledge.leaning import On
from knowledge.reviewed import Known
from knowledge.same_question import apart, followed
from knowledge.told import of_entry
from staff.refusal import Refused

MAX_QUOTES = 3
MAX_QUESTIONS = 3  # of one message that are answered; of the others it is said that they are open
MOST_PARTS = 9  # questions of one message beyond which a person reads it
LEAST_WORDS = 4  # Chinese characters below which an unknown text is no question for a person
SENT = {kind: f"sent_{kind}" for kind in MEDIA_KINDS if kind != "other"}
"""What is said to a message without words, by what it is."""
PERSON = Choice("转人工", "person")
ADD = Choice("补充到咨询单", "add")
APPLY = Choice("请人登记", "apply")
DOOR = "apply_door"
"""The reviewed reply that says where an application for information is handed in."""
OWN = ("answered", "several", "repealed")
"""Statuses that say something by themselves."""
GUARDED = ("emergency", "abuse", "error")
"""Statuses of what is no question to any library."""

Ask = Callable[[str, date], Awaitable[Answer]]
Kept = dict[str, object]
OnTold = Callable[[str, Sequence[str]], Awaitable[None]]
"""Contact id and what it was told (clauses, entry:KEY): kept for tracing corrections back."""


class Questions:
    """The last handler: it always says something."""

    def __init__(self, wiring: CommandWiring, ask: Ask, on_told: OnTold | None = None) -> None:
        """`ask` answers from the library; `on_told` records who was told which clause."""
        self._w = wiring
        self._say = fill
        self._ask = ask
        self._on_told = on_told

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        if turn.key:
            return await self._pressed(turn)
        if turn.inbound.kind is not InboundKind.TEXT or not turn.text:
            return Said(self._say(SENT.get(turn.inbound.key, "unsupported")), (PERSON,))
        if (number := await self._number(turn)) is not None:
            return number
        if (again := await self._no_such(turn)) is not None:
            return again
        kind = kind_of(turn.text)
        if (kind == APPLICATION or asks_to_apply(turn.text)) and self._w.templates.usable(DOOR):
            return self._door(turn, kind)
        if kind:  # never answered by a clause
            asked = self._w.mask(turn.text)
            return await hand_over(self._w, turn, Question(asked, kind, self._topic(asked)))
        if (said := await self._apart(turn)) is not None:
            return said
        question, answer = await self._answer(turn)
        asked = self._w.mask(question)
        known = await self._known(question, answer)
        ticket, added = await self._held(turn)
        if ticket is None or answer.status == "emergency":
            return await self._said(turn, asked, answer, known)
        own = answer.status in OWN and self._w.templates.usable(*PIECES)
        if not (own or known) or continues(ticket, added, turn.text):
            return await self._received(turn, ticket, answer, asked, added)
        return await self._beside(turn, ticket, await self._said(turn, asked, answer, known))

    def _door(self, turn: Turn, kind: str) -> Said:
        """Where an application is handed in; recorded with its period only when it is."""
        said = self._say(DOOR, phone=self._w.tickets.hours.hotline)
        hand_in = (APPLY,) if kind else ()
        return Said(said, (*hand_in, PERSON), data={"question": self._w.mask(turn.text)})

    async def _number(self, turn: Turn) -> Said | None:
        """A number for a call back, left with the question a person holds; None for no such."""
        ticket, _ = await self._held(turn) if number_in(turn.text) else (None, [])
        if ticket is None or not self._w.templates.usable("number_kept"):
            return None
        if not await keep_number(self._w.tickets, ticket.id, turn.contact, turn.text):
            return None
        receipt = await add_to(self._w, turn, ticket, turn.text)
        return replace(receipt, pieces=(*receipt.pieces, *self._say("number_kept")))

    async def _no_such(self, turn: Turn) -> Said | None:
        """A number beyond what was offered is no question: the choices once more."""
        offered = tuple(turn.data.get("choices") or ())
        if not numbers(turn.text) or (turn.step == "clarify" and not offered):
            return None
        if (await self._held(turn))[0] is not None:
            return None  # it may answer what the person asked
        labels = turn.data.get("labels") or ()
        again = (Choice(str(label), str(key)) for label, key in zip(labels, offered, strict=False))
        return Said(self._say("stale"), tuple(again), step=turn.step, data=turn.data)

    async def _apart(self, turn: Turn) -> Said | None:
        """Each question of a message by itself; None when there is one, or none has an answer."""
        parts = [one for one in apart(turn.text) if not courtesy(one)]
        ready = turn.step in ("", "may_fit") and self._w.templates.usable(
            "part_head", "part_open", *PIECES
        )
        if not 1 < len(parts) <= MOST_PARTS or not ready:
            return None
        ticket, added = await self._held(turn)
        if ticket is not None and any(continues(ticket, added, part) for part in parts):
            return None
        today, last = beijing(now()).date(), str(turn.data.get("question", ""))
        pieces, told = list[Piece](), list[str]()
        for number, part in enumerate(parts[:MAX_QUESTIONS], 1):
            last = followed(last, part, self._w.speech()) or part
            answer = await self._ask(last, today)
            if answer.status in GUARDED:
                return None
            said, clauses = self._part(answer, await self._known(last, answer))
            head = "part_head" if said else "part_open"
            pieces += [*self._say(head, count=str(number)), *said]
            told += clauses
        if not told:
            return None
        for number in range(MAX_QUESTIONS + 1, len(parts) + 1):
            pieces += self._say("part_open", count=str(number))
        await self._note_told(turn, told)
        kept: Kept = {"question": self._w.mask(last)}
        whole = Said(tuple(pieces), (PERSON,), basis=ReplyBasis.QUOTE, data=kept)
        return whole if ticket is None else await self._beside(turn, ticket, whole)

    def _part(
        self, answer: Answer, known: Known | None
    ) -> tuple[tuple[Piece, ...], tuple[str, ...]]:
        """What answers one of several questions, and what is told by it."""
        if known is not None:
            piece = Reviewed(known.key, known.version, known.rests)
            return (piece,), (*known.rests, of_entry(known.key))
        if answer.status not in ("answered", "several") or not answer.quotes:
            return (), ()
        quote, day = answer.quotes[0], answer.as_of.isoformat()
        dated = self._say("quote_at_date", date=day) if answer.asked_past else ()
        return (*dated, Quoted(quote.hit.key, quote.start, quote.end, day)), (quote.hit.key,)

    async def _known(self, question: str, answer: Answer) -> Known | None:
        """The reviewed answer to this very question; it comes before what a library finds."""
        if self._w.entries is None or answer.asked_past or answer.status in GUARDED:
            return None
        if not self._w.templates.usable("entry_head", *PIECES):
            return None
        return await self._w.entries.answering(question)

    async def _said(self, turn: Turn, asked: str, answer: Answer, known: Known | None) -> Said:
        if known is None:
            return await self._spoken(turn, asked, answer)
        await self._note_told(turn, (*known.rests, of_entry(known.key)))
        piece = Reviewed(known.key, known.version, known.rests)
        kept: Kept = {"question": asked, "near": near(answer)}
        said = (*self._say("entry_head"), piece)
        return Said(said, (PERSON,), basis=ReplyBasis.QUOTE, data=kept)

    async def _pressed(self, turn: Turn) -> Said:
        """A clause that was offered, or the wish to add a question to the one a person holds."""
        head, _, clause = turn.key.partition(":")
        question = str(turn.data.get("question", ""))
        if head == CHOSEN:
            return await self._chosen(turn, clause)
        if turn.key == APPLY.key and question:
            asked = Question(question, APPLICATION, self._topic(question))
            return await hand_over(self._w, turn, asked)
        ticket, _ = await self._held(turn)
        if turn.key != ADD.key or ticket is None or not question:
            return Said(self._say("stale"))
        return await add_to(self._w, turn, ticket, question)

    async def _chosen(self, turn: Turn, clause: str) -> Said:
        asked = str(turn.data.get("question", ""))
        if not offered_in(turn.data, clause):
            return Said(self._say("stale"))
        if not self._w.templates.usable(*PIECES):
            found = Question(asked, "unsure", self._topic(asked), candidates(turn.data))
            return await hand_over(self._w, turn, found)
        answer = await self._ask(asked, beijing(now()).date())
        quote = next((one for one in answer.quotes if one.hit.key == clause), None)
        if quote is None and self._w.ask_on is not None:  # offered from what was quoted before
            on = await self._w.ask_on(On(asked, clause, ""), asked, answer.as_of)
            quote = on.quotes[0] if on is not None else None
        if quote is None:  # it is not what it was when it was offered
            return Said(self._say("stale"), (PERSON,), data={"question": asked})
        await self._note_told(turn, (clause,))
        day = answer.as_of.isoformat()
        past = answer.asked_past
        head = self._say("quote_at_date", date=day) if past else self._say("quote_head")
        piece = Quoted(clause, quote.start, quote.end, day)
        kept = {name: turn.data[name] for name in ("question", "near") if name in turn.data}
        kept |= {} if past else {"last": clause}
        others = (*choices(held_in(turn.data), without=clause), PERSON)
        return Said((*head, piece), others, basis=ReplyBasis.QUOTE, data=kept)

    async def _answer(self, turn: Turn) -> tuple[str, Answer]:
        """The question that was meant and its answer; a word that adds to the last one is both."""
        today, before = beijing(now()).date(), str(turn.data.get("question", ""))
        both = f"{before} {turn.text}"
        if turn.step == "clarify":
            return both, await self._ask(both, today)
        leaning = followed(before, turn.text, self._w.speech())
        if (further := await self._further(turn, leaning or both)) is not None:
            return leaning or both, further
        if leaning and turn.step != "may_fit":
            return leaning, await self._ask(leaning, today)
        alone = await self._ask(turn.text, today)
        if turn.step != "may_fit" or alone.status in (*OWN, "emergency", "abuse"):
            return turn.text, alone
        together = await self._ask(both, today)
        better = together.status in OWN or alone.status == "clarify"
        return (both, together) if better else (turn.text, alone)

    async def _further(self, turn: Turn, question: str) -> Answer | None:
        """What the policy that was quoted last says to what is asked on; None for nothing."""
        last, before = str(turn.data.get("last", "")), str(turn.data.get("question", ""))
        if not last or self._w.ask_on is None or asked_day(question, beijing(now()).date()):
            return None
        return await self._w.ask_on(On(before, last, turn.text), question, beijing(now()).date())

    async def _held(self, turn: Turn) -> tuple[Ticket | None, list[str]]:
        """The question of this contact that a person holds, and what was added to it."""
        async with self._w.db.session() as session:
            ticket = await tickets.active(session, turn.contact.id)
            if ticket is None:
                return None, []
            return ticket, await added_to(session, ticket)

    async def _received(
        self, turn: Turn, ticket: Ticket, answer: Answer, asked: str, added: list[str]
    ) -> Said:
        """Added to the ticket; of another matter the clauses found are offered beside it."""
        receipt = await add_to(self._w, turn, ticket, turn.text)
        other = answer.status == "unsure" and not continues(ticket, added, turn.text)
        offer = self._offer(asked, answer) if other else None
        if offer is None:
            return receipt
        found = tuple(one for one in offer.choices if one != PERSON)  # a person has it already
        return replace(offer, pieces=(*receipt.pieces, *offer.pieces), choices=found)

    async def _beside(self, turn: Turn, ticket: Ticket, said: Said) -> Said:
        """An answer to another matter names the ticket that is still open."""
        texts = self._w.templates
        if not texts.usable("ticket_open"):
            return said
        try:
            note = await promise(self._w.tickets, texts, turn, ticket, "ticket_open")
        except Refused:  # what cannot be proved is not promised: the answer stands by itself
            return said
        others = tuple(one for one in said.choices if one != PERSON)
        return replace(said, pieces=(*said.pieces, *note), choices=(*others, ADD))

    def _offer(self, asked: str, answer: Answer) -> Said | None:
        """The clauses found, by their names; None when there is none that may be quoted."""
        found = near(answer)
        if not found or not self._w.templates.usable(*PIECES):
            return None
        data: Kept = {"question": asked, "near": found}
        said, title = self._say("clarify"), one_title(found)
        if title and self._w.templates.usable("may_fit_of"):
            said = self._say("may_fit_of", title=title)
        elif self._w.templates.usable("may_fit"):
            said = self._say("may_fit")
        if len({quote.hit.policy_id for quote in answer.quotes}) == 1:  # one can ask on of it
            data["last"] = answer.quotes[0].hit.key
        return Said(said, (*choices(found), PERSON), step="may_fit", data=data)

    async def _unsure(self, turn: Turn, asked: str, answer: Answer) -> Said:
        """The clauses found as choices, else one question back, else a person."""
        offer = self._offer(asked, answer)
        if offer is not None:
            return offer
        if turn.step != "clarify" and not answer.quotes:
            data: Kept = {"question": asked}
            return Said(self._say("clarify"), (PERSON,), step="clarify", data=data)
        return await hand_over(self._w, turn, self._question(asked, answer))

    async def _spoken(self, turn: Turn, asked: str, answer: Answer) -> Said:
        kept: Kept = {"question": asked, "near": near(answer)}
        if answer.quotes and not self._w.templates.usable(*PIECES):
            # A quotation without its source is none: a person answers as long as a part is missing.
            return await hand_over(self._w, turn, self._question(asked, answer))
        if answer.status in ("answered", "several") and answer.quotes:
            return await self._quoted(turn, self._head(answer), answer, kept)
        if answer.status == "repealed" and self._w.templates.usable(*PIECES):
            said = await self._quoted(turn, self._ended(answer), answer, kept)
            return said if answer.quotes else replace(said, choices=(*self._after(answer), PERSON))
        if answer.status == "clarify" and turn.step != "clarify":
            options = (Choice(title, f"say:{at}") for at, title in enumerate(answer.options))
            data = {**kept, "options": list(answer.options)}
            return Said(self._say("clarify"), (*options, PERSON), step="clarify", data=data)
        name = refusal(asked)
        if name and answer.status not in (*OWN, *GUARDED) and self._w.templates.usable(name):
            return Said(self._say(name), (PERSON,), data=kept)
        ours = answer.status == "out_of_scope" and self._topic(asked)  # our topic, no policy on it
        if answer.status in ("out_of_scope", "emergency", "abuse") and not ours:
            return Said(self._say(answer.status), (PERSON,), data=kept)
        if sum("\u4e00" <= sign <= "\u9fff" for sign in asked) < LEAST_WORDS:
            return Said(self._say("not_found"), (PERSON,), data=kept)
        if answer.status == "unsure":
            return await self._unsure(turn, asked, answer)
        return await hand_over(self._w, turn, self._question(asked, answer))

    def _question(self, asked: str, answer: Answer) -> Question:
        """What the person on duty sees: the masked question and the clauses that came near."""
        found = candidates({"near": near(answer)})
        return Question(asked, answer.status, self._topic(asked), found)

    def _topic(self, asked: str) -> str:
        """The first topic the question names, the whole of it: so rosters are made."""
        taxonomy = self._w.subscribers.taxonomy
        named = taxonomy.find(asked, ("topics",))
        return taxonomy.lineage("topics", named[0].key)[-1] if named else ""

    def _after(self, answer: Answer) -> tuple[Choice, ...]:
        """What follows the policy that is no longer in force, one tap away."""
        after = answer.ended.successor_id if answer.ended is not None else ""
        return (Choice("看现行文件", f"doc:{after}"),) if after and self._w.policies else ()

    def _ended(self, answer: Answer) -> tuple[Piece, ...]:
        """Which policy is no longer in force, since when, and what follows it."""
        gone: tuple[Piece, ...] = ()
        if answer.ended is not None:
            gone = (Ended(answer.ended.key, answer.as_of.isoformat()),)
        return (*gone, *self._say("quote_instead")) if answer.quotes else gone

    def _head(self, answer: Answer) -> tuple[Piece, ...]:
        if answer.asked_past:
            return self._say("quote_at_date", date=answer.as_of.isoformat())
        return self._say("quote_several" if answer.status == "several" else "quote_head")

    async def _quoted(
        self, turn: Turn, head: tuple[Piece, ...], answer: Answer, kept: Kept
    ) -> Said:
        quotes = answer.quotes[:MAX_QUOTES]
        if answer.status == "answered":
            quotes = quotes[:1]
            kept |= {} if answer.asked_past else {"last": quotes[0].hit.key}
        day = answer.as_of.isoformat()
        await self._note_told(turn, tuple(quote.hit.key for quote in quotes))
        pieces = (Quoted(quote.hit.key, quote.start, quote.end, day) for quote in quotes)
        one = quotes[0].hit.policy_id if len(quotes) == 1 and self._w.policies is not None else ""
        follow = (Choice("关注这份文件", f"follow:{one}"),) if one else ()
        # Whoever asked something else than was quoted must not have to find the word for it.
        return Said((*head, *pieces), (*follow, PERSON), basis=ReplyBasis.QUOTE, data=kept)

    async def _note_told(self, turn: Turn, clauses: Sequence[str]) -> None:
        if self._on_told is not None and clauses:
            await self._on_told(turn.contact.id, clauses)
