"""What was asked by day and how it was answered, and which questions are for editors."""

from typing import Any

from bot import said
from bot.contract import ReplyBasis
from bot.delivery.outbox import queue_reply
from bot.met import Met
from bot.models import InboundMessage
from bot.replies import Filled, Parts, Piece, Quoted
from config.clock import now
from escalations.asked import How, asked
from escalations.tickets import Question, open_ticket
from storage.database import new_id
from storage.seals import seals_of

QUOTE = Quoted("c", 0, 3, "2026-11-24")


async def ask(duty: Any, text: str, *pieces: Piece, late: bool = False, met: str = "") -> None:
    """One act and the answer to it, inside the call or as a message of its own."""
    parts = Parts("wx", duty.contact.id, ReplyBasis.TEMPLATE, pieces)
    async with duty.db.session() as session:
        row = InboundMessage(
            id=new_id(), account_id="wx", contact_id=duty.contact.id, dedupe=new_id(),
            kind="text", text=text, at=now(), met=met,
        )  # fmt: skip
        row.said = "" if late else said.keep(seals_of(session), row.id, parts)
        session.add(row)
        if late:
            await queue_reply(duty.db, parts, f"in:{row.id}", session)


async def test_each_question_counts_once_by_how_it_was_answered(duty: Any, monkeypatch) -> None:
    monkeypatch.setattr("escalations.tickets.now", now)
    await ask(duty, "补贴怎么领？", Filled("quote_head"), QUOTE)
    await ask(duty, "补贴怎么领", QUOTE, late=True)
    await ask(duty, "井盖坏了", Filled("may_fit"))
    await ask(duty, "井盖 坏了。", Filled("not_found"))
    await ask(duty, "订阅", Filled("subscribe_topics", {"version": "1"}))
    # Commands and choices are no questions, whatever is said to them.
    for words, met in (("转人工", Met.CALLED), ("帮助一下", Met.OTHER), ("1", Met.CHOSEN)):
        await ask(duty, words, Filled("not_found"), met=met)
    await open_ticket(duty.tickets, duty.contact, Question("井盖坏了", "unsure"))
    async with duty.db.session() as session:
        found = await asked(session)
    assert dict(found.days[-1].counts) == {
        How.ANSWERED: 2, How.ASKED_BACK: 1, How.ESCALATED: 1, How.NOTHING: 1,
    }  # fmt: skip
    assert sum(sum(one.counts.values()) for one in found.days[:-1]) == 0
    assert sorted((one.text[:2], one.count) for one in found.hot) == [("井盖", 2), ("补贴", 2)]
    assert [(one.count, one.last) for one in found.unanswered] == [(2, How.NOTHING)]
