"""A number for a call back: encrypted in the ticket, read by who holds it, gone with its end."""

from typing import Any

import pytest
from sqlalchemy import select

from escalations import tickets
from escalations.calling_back import READ, number_in, read_number
from escalations.models import Ticket, TicketMessage
from staff.refusal import Refused


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("我的电话 138-1234-5678，请回电", "13812345678"),
        ("+86 13812345678", "13812345678"),
        ("0471-1234567", "04711234567"),
        ("身份证15010219900101123X", ""),
        ("2026年12月1日", ""),
    ],
)
def test_a_number_is_found(words: str, number: str) -> None:
    assert number_in(words) == number


async def test_it_is_left_read_and_removed_and_stands_nowhere_plain(citizen: Any) -> None:
    office = citizen.office
    await citizen.say("我家门口的井盖坏了谁来修")
    await citizen.say("转人工")
    assert "办结即删除" in await citizen.say("打我电话 13812345678")
    async with office.db.session() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        added = (await session.scalars(select(TicketMessage.text))).all()
    assert ticket.phone
    assert "1381234" not in f"{ticket.phone}{added}"
    with pytest.raises(Refused, match="认领"):
        await read_number(office.tickets, ticket.id, "duty1")
    await tickets.claim(office.tickets, ticket.id, "duty1")
    assert await read_number(office.tickets, ticket.id, "duty1") == "13812345678"
    assert (await office.ledger.facts(f"ticket:{ticket.id}"))[-1].kind == READ
    await tickets.close(office.tickets, ticket.id, "duty1")
    async with office.db.session() as session:
        assert (await session.scalars(select(Ticket.phone))).one() == ""


async def test_without_a_question_in_a_persons_hands_no_number_is_kept(citizen: Any) -> None:
    assert "办结即删除" not in await citizen.say("打我电话 13812345678")
