"""Acts without an answer: the office gives it after all, once, and only while it is of use."""

import pytest
from sqlalchemy import select, text, update
from structlog.testing import capture_logs

from bot import unanswered
from bot.contract import Inbound
from bot.models import Delivery, InboundMessage, Process
from tests.bot.test_callbacks import House, _received, _say, house, patience

__all__ = ["house", "patience"]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own failures are taken up without the seconds that a slow answer is given."""
    monkeypatch.setattr(unanswered, "OWN", -1.0)


async def _failing(inbound: Inbound) -> str | None:
    raise ConnectionError("the database was cut")


async def _quiet(house: House, account: str = "7") -> None:
    """Nothing is under way, and nothing more was sent than stands here."""
    await house.callbacks.drain()


async def _unanswered(house: House, text: str) -> InboundMessage:
    """An act that was acknowledged and then not answered."""
    house.answer = _failing
    with capture_logs():
        await _say(house, "7", text)
        await _quiet(house)
    house.answer = house.echo
    [row] = await house.stored()
    assert row.waits
    return row


async def _left_by(house: House, owner: str, until: float | None) -> None:
    """The act belongs to another process, which is known and alive until then, or unknown."""
    async with house.office.db.session() as session:
        await session.execute(update(InboundMessage).values(owner=owner))
        if until is not None:
            session.add(Process(id=owner, since=1.0, until=until))


async def test_an_answer_that_failed_is_given_after_all_and_once(house: House) -> None:
    await _unanswered(house, "补贴怎么领")
    assert await house.callbacks.answer_left() == 1
    assert await house.callbacks.answer_left() == 0
    [message] = await _received(house, "7", 1)
    assert message["text"] == "收到：补贴怎么领"
    assert [row.waits for row in await house.stored()] == [""]


async def test_what_a_dead_process_left_is_answered_and_what_a_living_one_has_is_not(
    house: House,
) -> None:
    await _unanswered(house, "补贴怎么领")
    await _left_by(house, "living", 9e9)
    assert await house.callbacks.answer_left() == 0
    async with house.office.db.session() as session:
        await session.execute(update(Process).values(until=1.0))
    assert await house.callbacks.answer_left() == 1
    assert len(await _received(house, "7", 1)) == 1


async def test_an_act_of_a_process_nobody_knows_of_is_left_to_it_for_a_while(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _unanswered(house, "补贴怎么领")
    await _left_by(house, "unknown", None)
    assert await house.callbacks.answer_left() == 0
    monkeypatch.setattr(unanswered, "STRANGER", -1.0)
    assert await house.callbacks.answer_left() == 1


async def test_an_act_whose_answer_stands_in_the_outbox_is_not_acted_on_again(
    house: House,
) -> None:
    row = await _unanswered(house, "订阅就业")
    async with house.office.db.session() as session:
        session.add(
            Delivery(
                id=row.id,
                content_key=f"in:{row.id}",
                account_id=row.account_id,
                contact_id=str(row.contact_id),
                state="published",
                created_at=row.at,
            )
        )
    heard = len(house.heard)
    assert await house.callbacks.answer_left() == 0
    assert len(house.heard) == heard
    assert [one.waits for one in await house.stored()] == [""]


async def test_what_is_too_old_is_told_to_staff(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _unanswered(house, "补贴怎么领")
    monkeypatch.setattr(unanswered, "AT_ONCE", -1.0)
    assert await house.callbacks.answer_left() == 0
    assert [one.waits for one in await house.stored()] == [""]
    [(kind, subject, words)] = house.incidents
    assert (kind, subject) == ("inbound_unanswered", f"account:{house.ids['telegram']}")
    assert "没有得到答复" in words


async def test_one_that_always_fails_is_told_to_staff_and_keeps_nobody_waiting(
    house: House,
) -> None:
    async def picky(inbound: Inbound) -> str | None:
        if "坏" in inbound.text:
            raise RuntimeError("a fault of ours")
        return "好"

    await _unanswered(house, "坏的")
    house.answer = _failing
    with capture_logs():
        await _say(house, "7", "另一句")
        await _quiet(house)
        house.answer = picky
        assert await house.callbacks.answer_left() == 1
        for _ in range(unanswered.TRIES):
            assert await house.callbacks.answer_left() == 0
    assert [kind for kind, *_ in house.incidents] == ["inbound_unanswered"]
    assert [one.waits for one in await house.stored()] == ["", ""]


@pytest.mark.parametrize("changes", [{"waits": "0" * 64}, {"text": "别的话"}, {"key": "leave:all"}])
async def test_an_act_that_somebody_wrote_is_not_answered(
    house: House, changes: dict[str, str]
) -> None:
    row = await _unanswered(house, "补贴怎么领")
    async with house.office.db.session() as session:
        await session.execute(update(InboundMessage).values(**changes))
    heard = len(house.heard)
    assert await house.callbacks.answer_left() == 0
    assert len(house.heard) == heard
    assert house.office.changed == [("inbound_message", row.id)]


@pytest.mark.parametrize("column", ["at", "handled_at"])
async def test_an_act_that_cannot_be_read_keeps_nobody_else_waiting(
    house: House, column: str
) -> None:
    """SQLite keeps anything in any column; PostgreSQL refuses to."""
    wrong = await _unanswered(house, "坏的")
    house.answer = _failing
    with capture_logs():
        await _say(house, "7", "另一句")
        await _quiet(house)
    house.answer = house.echo
    kept = house.office.db.is_sqlite
    if kept:
        async with house.office.db.session() as session:
            forged = text(f"UPDATE inbound_message SET {column} = 'x' WHERE id = :id")
            await session.execute(forged, {"id": wrong.id})
    assert await house.callbacks.answer_left() == (1 if kept else 2)
    assert house.office.changed == ([("inbound_message", wrong.id)] if kept else [])
    assert await house.callbacks.answer_left() == 0
    async with house.office.db.session() as session:
        assert set(await session.scalars(select(InboundMessage.waits))) == {""}


async def test_a_platform_that_asks_again_after_its_answer_was_lost_gets_it_as_a_message(
    house: House,
) -> None:
    answer = await _say(house, "wxqinghe", "补贴怎么领")
    assert answer["reply"]["Content"] == "收到：补贴怎么领"
    [row] = await house.stored()
    assert row.waits == ""
    again = house.heard[0]
    # The process died with the answer it had in hand, and with what it remembered.
    await house.cache.close()
    await house.callbacks._unanswered.asked_again(again.account_id, again.dedupe)
    assert await house.callbacks.answer_left() == 1
    _, message = await _received(house, "wxqinghe", 2)  # the passive one is shown there as well
    assert message["text"] == "收到：补贴怎么领"
    await house.callbacks._unanswered.asked_again(again.account_id, again.dedupe)
    assert await house.callbacks.answer_left() == 0


async def test_whoever_was_forgotten_meanwhile_is_not_answered(house: House) -> None:
    row = await _unanswered(house, "补贴怎么领")
    async with house.office.db.session() as session:
        await house.office.contacts.erase(session, str(row.contact_id))
    assert await house.callbacks.answer_left() == 0
    assert house.office.changed == []
