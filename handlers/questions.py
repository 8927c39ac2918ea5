"""Questions in a citizen's own words: answered with clauses word for word, or given to a person.

`Questions(CommandWiring, ask)` is a Handler and the last one. `ask(question, as_of)` is
KnowledgeService.ask, `on_told` KnowledgeService.told. While a person holds the contact's
question the bot only gives receipts.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date

from bot.contract import MEDIA_KINDS, InboundKind, ReplyBasis
from bot.replies import Ended, Piece, Quoted
from config.clock import beijing, now
from escalations import tickets
from escalations.calendar import in_words
from escalations.tickets import Question, short
from handlers.commands import CommandWiring, hand_over
from handlers.templates import PIECES
from handlers.turn import Choice, Said, Turn, fill
from knowledge.answering import Answer

MAX_QUOTES = 3
LEAST_WORDS = 4  # Chinese characters below which an unknown text is no question for a person
SENT = {kind: f"sent_{kind}" for kind in MEDIA_KINDS if kind != "other"}
"""What is said to a message without words, by what it is."""
PERSON = Choice("转人工", "person")

Ask = Callable[[str, date], Awaitable[Answer]]
Kept = dict[str, object]
OnTold = Callable[[str, Sequence[str]], Awaitable[None]]
"""Contact id and the clause ids it was told: kept for tracing corrections back."""


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
            return Said(self._say("stale"))
        if turn.inbound.kind is not InboundKind.TEXT or not turn.text:
            return Said(self._say(SENT.get(turn.inbound.key, "unsupported")), (PERSON,))
        receipt = await self._receipt(turn)
        if receipt is not None:
            return receipt
        question = turn.text
        if turn.step == "clarify":
            question = f"{turn.data.get('question', '')} {question}"
        today = beijing(now()).date()
        return await self._spoken(turn, self._w.mask(question), await self._ask(question, today))

    async def _receipt(self, turn: Turn) -> Said | None:
        async with self._w.db.session() as session:
            ticket = await tickets.active(session, turn.contact.id)
        if ticket is None:
            return None
        due = in_words(await tickets.promised(self._w.tickets, ticket, turn.contact))
        await tickets.add_message(self._w.tickets, ticket.id, self._w.mask(turn.text))
        return Said(self._say("person_waiting", ticket=short(ticket), due=due))

    async def _spoken(self, turn: Turn, asked: str, answer: Answer) -> Said:
        kept: Kept = {"question": asked}
        if answer.quotes and not self._w.templates.usable(*PIECES):
            # A quotation without its source is none: a person answers as long as a part is missing.
            return await hand_over(self._w, turn, self._question(asked, answer))
        if answer.status in ("answered", "several") and answer.quotes:
            return await self._quoted(turn, self._head(answer), answer, kept)
        if answer.status == "repealed" and self._w.templates.usable(*PIECES):
            said = await self._quoted(turn, self._ended(answer), answer, kept)
            return said if answer.quotes else replace(said, choices=(PERSON,))
        if answer.status == "clarify" and turn.step != "clarify":
            choices = (Choice(title, f"say:{at}") for at, title in enumerate(answer.options))
            data = {**kept, "options": list(answer.options)}
            return Said(self._say("clarify"), (*choices, PERSON), step="clarify", data=data)
        ours = answer.status == "out_of_scope" and self._topic(asked)  # our topic, no policy on it
        if answer.status in ("out_of_scope", "emergency", "abuse") and not ours:
            return Said(self._say(answer.status), (PERSON,), data=kept)
        if sum("\u4e00" <= sign <= "\u9fff" for sign in asked) < LEAST_WORDS:
            return Said(self._say("not_found"), (PERSON,), data=kept)
        return await hand_over(self._w, turn, self._question(asked, answer))

    def _question(self, asked: str, answer: Answer) -> Question:
        """What the person on duty sees: the masked question and the clauses that came near."""
        near = [
            {"clause_id": quote.hit.key, "title": quote.hit.title, "text": quote.text}
            for quote in answer.quotes[:MAX_QUOTES]
        ]
        return Question(asked, answer.status, self._topic(asked), near)

    def _topic(self, asked: str) -> str:
        """The first topic the question names, or an empty text."""
        named = self._w.subscribers.taxonomy.find(asked, ("topics",))
        return named[0].key if named else ""

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
        day = answer.as_of.isoformat()
        told = tuple(quote.hit.key for quote in quotes)
        if self._on_told is not None and told:
            await self._on_told(turn.contact.id, told)
        pieces = (Quoted(quote.hit.key, quote.start, quote.end, day) for quote in quotes)
        return Said((*head, *pieces), basis=ReplyBasis.QUOTE, data=kept)
