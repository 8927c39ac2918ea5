"""Why people leave is counted from how they say it, and nothing else of them is kept."""

import pytest
from sqlalchemy import select

from subscriptions.models import LeaveCount
from tests.handlers.conftest import Citizen, Office


async def counted(office: Office) -> list[tuple[str, str, int]]:
    async with office.db.session() as session:
        rows = (await session.scalars(select(LeaveCount).order_by(LeaveCount.topic))).all()
    return [(row.topic, row.how, row.count) for row in rows]


@pytest.mark.parametrize(
    ("words", "how"),
    [("全部退订", "word"), ("太频繁了，别再给我发了", "many"), ("别再打扰我了", "disturbed")],
)
async def test_leaving_in_words_counts_every_topic_by_the_kind_of_words(
    office: Office, citizen: Citizen, words: str, how: str
) -> None:
    await citizen.menu("sub:consumption")
    await citizen.menu("sub:employment")
    await citizen.say(words)
    assert await counted(office) == [("consumption", how, 1), ("employment", how, 1)]
    await citizen.say(words)  # nothing is left to leave
    assert len(await counted(office)) == 2


async def test_leaving_one_by_its_button_and_by_name(office: Office, citizen: Citizen) -> None:
    await citizen.menu("sub:employment")
    await citizen.tap("退订这一项")
    await citizen.menu("sub:employment")
    await citizen.say("退订就业创业")
    assert await counted(office) == [("employment", "button", 1), ("employment", "word", 1)]


async def test_who_is_forgotten_is_one_more_and_is_in_no_row(
    office: Office, citizen: Citizen
) -> None:
    await citizen.menu("sub:employment")
    await citizen.menu("forget")
    await citizen.tap("确定删除")
    assert await counted(office) == [("employment", "forgotten", 1)]
    async with office.db.session() as session:
        row = (await session.scalars(select(LeaveCount))).one()
    assert citizen.contact.id not in str(vars(row))
