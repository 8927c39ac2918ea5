"""Questions in a citizen's own words: answered with clauses word for word, or given to a person.

`Questions(CommandWiring, ask)` is a Handler and the last one. `ask(question, as_of)` returns a
`Found` (the root adapts knowledge's answer to it). While a person holds the contact's question the
bot only gives receipts.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.contract import InboundKind, ReplyBasis
from config.clock import beijing, now
from escalations.calendar import in_words
from escalations.tickets import Question, short
from handlers.commands import CommandWiring, hand_over
from handlers.turn import Choice, Said, Turn

MAX_QUOTES = 3
LEAST_WORDS = 4  # Chinese characters below which an unknown text is no question for a person
PERSON = Choice("转人工", "person")


@dataclass(frozen=True)
class Quote:
    """One clause word for word and where it stands. Dates as they are shown, empty if unknown."""

    clause_id: str
    text: str
    title: str
    label: str = ""
    number: str = ""
    issuer: str = ""
    date: str = ""
    link: str = ""
    validity: str = "现行有效"
    ended_on: str = ""
    successor: str = ""
    successor_number: str = ""
    successor_link: str = ""


@dataclass(frozen=True)
class Found:
    """A closed status (design, section 5), the quotes to show, and words to choose for clarify."""

    status: str
    quotes: Sequence[Quote] = ()
    topic: str = ""
    options: Sequence[str] = ()
    as_of: str = ""  # the past date asked about, empty for today
    candidates: Sequence[Mapping[str, Any]] = ()


Ask = Callable[[str, date], Awaitable[Found]]
OnTold = Callable[[str, Sequence[str]], Awaitable[None]]
"""Contact id and the clause ids it was told: kept for tracing corrections back."""


class Questions:
    """The last handler: it always says something."""

    def __init__(self, wiring: CommandWiring, ask: Ask, on_told: OnTold | None = None) -> None:
        """`ask` answers from the library; `on_told` records who was told which clause."""
        self._w = wiring
        self._say = wiring.templates.text
        self._ask = ask
        self._on_told = on_told

    async def __call__(self, turn: Turn) -> Said | None:
        """See Handler."""
        if turn.key:
            return Said(self._say("stale"))
        if turn.inbound.kind is not InboundKind.TEXT or not turn.text:
            return Said(self._say("unsupported"), (PERSON,))
        receipt = await self._receipt(turn)
        if receipt is not None:
            return receipt
        question = turn.text
        if turn.step == "clarify":
            question = f"{turn.data.get('question', '')} {question}"
        found = await self._ask(question, beijing(now()).date())
        return await self._spoken(turn, self._w.mask(question), found)

    async def _receipt(self, turn: Turn) -> Said | None:
        async with self._w.db.session() as session:
            ticket = await self._w.tickets.active(session, turn.contact.id)
        if ticket is None:
            return None
        await self._w.tickets.add_message(ticket.id, self._w.mask(turn.text))
        due = in_words(ticket.due_at)
        return Said(self._say("person_waiting", ticket=short(ticket), due=due))

    async def _spoken(self, turn: Turn, asked: str, found: Found) -> Said:
        if found.status in ("answered", "several", "repealed") and found.quotes:
            return await self._quoted(turn, asked, found)
        if found.status == "clarify" and turn.step != "clarify":
            choices = (
                *(Choice(word, f"say:{number}") for number, word in enumerate(found.options)),
            )
            data = {"question": asked, "options": list(found.options)}
            return Said(self._say("clarify"), (*choices, PERSON), step="clarify", data=data)
        if found.status in ("out_of_scope", "emergency", "abuse"):
            return Said(self._say(found.status), (PERSON,), data={"question": asked})
        if sum("\u4e00" <= sign <= "\u9fff" for sign in asked) < LEAST_WORDS:
            return Said(self._say("not_found"), (PERSON,), data={"question": asked})
        question = Question(asked, found.status, found.topic, found.candidates)
        return await hand_over(self._w, turn, question)

    async def _quoted(self, turn: Turn, asked: str, found: Found) -> Said:
        quotes = list(found.quotes)[:MAX_QUOTES]
        if found.as_of:
            head = self._say("quote_at_date", date=found.as_of)
        else:
            heads = {"several": "quote_several", "repealed": "quote_repealed"}
            head = self._say(heads.get(found.status, "quote_head"))
        room = text_room(turn.inbound.platform) - len(head.encode()) - 2
        blocks = [head]
        for quote in quotes:
            block = self._block(quote, room // len(quotes))
            blocks.append(block)
        if self._on_told is not None:
            await self._on_told(turn.contact.id, [quote.clause_id for quote in quotes])
        return Said(
            "\n\n".join(blocks),
            basis=ReplyBasis.QUOTE,
            sources=tuple(quote.clause_id for quote in quotes),
            data={"question": asked},
        )

    def _block(self, quote: Quote, room: int) -> str:
        """The quote and its source within `room` UTF-8 bytes; only the quote is ever shortened."""
        tail = "\n" + self._source(quote)
        left = room - len(tail.encode()) - 2
        if len(quote.text.encode()) <= left:
            return quote.text + tail
        note = "\n" + self._say("quote_cut")
        return cut_quote(quote.text, left - len(note.encode())) + note + tail

    def _source(self, quote: Quote) -> str:
        """Title, 文号, issuer, date, validity, link; lines without a value are left out."""
        filled = self._say(
            "quote_source",
            title=quote.title,
            label=f" {quote.label}" if quote.label else "",
            number=quote.number,
            issuer=quote.issuer,
            date=quote.date,
            validity=quote.validity,
            link=quote.link,
        )
        lines = [line for line in filled.split("\n") if not line.rstrip().endswith("：")]
        if quote.ended_on:
            lines.append(self._say("quote_repeal", date=quote.ended_on))
        if quote.successor:
            lines.append(
                self._say(
                    "quote_successor",
                    title=quote.successor,
                    number=quote.successor_number,
                    link=quote.successor_link,
                ).rstrip()
            )
        return "\n".join(lines)


def text_room(platform: str) -> int:
    """Bytes one reply may have: WeChat's passive text 2048 (W4), Telegram 4096 UTF-16 units."""
    return 2000 if platform == "wechat" else 4000


def cut_quote(text: str, room: int) -> str:
    """The beginning of `text` within `room` UTF-8 bytes, cut after a sentence where one ends."""
    part = text.encode()[: max(room, 0)].decode(errors="ignore")
    end = max(part.rfind(mark) for mark in "。；\n")
    return part[: end + 1].rstrip() if end > 0 else part
