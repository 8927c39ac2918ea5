"""An office whose setup file says how each is called: a question reaches who is on duty."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import open_shenfa
from bot.models import Account
from config.clock import BEIJING, now, use_clock_file
from config.settings import Settings
from config.setup import Setup, SetupError
from escalations.ladder import escalate_due
from escalations.lateness import CALLED
from escalations.routes import Line
from escalations.tickets import Question, open_ticket
from office.doctor import examine
from office.setup import initialise
from staff.models import Staff
from tests.escalations.peers import hook

PASSWORD = "otter-lamp-39"


def setup_of(*alarm: Any) -> Setup:
    people = [("admin1", "admin"), ("admin2", "admin"), ("duty1", "duty")]
    staff: list[dict[str, Any]] = [
        {"login": login, "name": login, "roles": [role], "password": PASSWORD}
        for login, role in people
    ]
    staff[2]["alarm"] = [*alarm]
    account = {
        "slug": "qinghe-tg",
        "platform": "telegram",
        "name": "青禾发布",
        "api_base": "http://127.0.0.1:9/telegram",
        "secrets": {"token": "7:abc", "webhook_secret": "s", "chat": "@qinghe"},
        "assessment_ref": "DEMO",
    }
    return Setup.model_validate(
        {
            "organisation": "青禾县",
            "staff": staff,
            "accounts": [account],
            "roster": [{"login": "duty1"}],
        }
    )


@pytest.fixture
def working_hours(tmp_path: Path) -> Iterator[Path]:
    """A clock that stands on a Tuesday morning."""
    wanted = datetime(2026, 12, 1, 10, tzinfo=BEIJING)
    file = tmp_path / "clock"
    file.write_text(str((wanted - datetime.now(UTC)).total_seconds()), encoding="ascii")
    yield file
    use_clock_file(None)


async def doctor_says(settings: Settings) -> tuple[str, str]:
    (found,) = [one for one in await examine(settings) if one.name == "值班提醒"]
    return found.state, found.words


async def test_a_question_reaches_whoever_is_on_duty_by_the_ways_of_the_setup_file(
    tmp_path: Path, working_hours: Path
) -> None:
    async with hook() as room:
        settings = Settings(
            home=tmp_path / "home",
            dev=True,
            dev_clock_file=working_hours,
            dev_allow=f"127.0.0.1:9,{room.host}",
        )
        lines = ({"telegram": 4711}, {"webhook": room.url}, {"mail": "duty@qinghe.example"})
        await initialise(settings, setup_of(*lines))
        async with open_shenfa(settings) as shenfa:
            async with shenfa.db.session() as session:
                duty = (await session.scalars(select(Staff.id).where(Staff.login == "duty1"))).one()
                ways = await shenfa.alarms.routes.read(session, duty)
                account = (await session.scalars(select(Account.id))).one()
                contact = await shenfa.contacts.upsert(session, account, "42", now())
            assert [one.line for one in ways] == [
                Line("telegram", "4711"),
                Line("webhook", room.url),
                Line("mail", "duty@qinghe.example"),
            ]
            question = Question("灵活就业社保补贴怎么领", "unsure")
            ticket = await open_ticket(shenfa.tickets, contact, question)
            assert await escalate_due(shenfa.tickets) == 1
            entries = await shenfa.ledger.facts(f"ticket:{ticket.id}")
        assert await doctor_says(settings) == ("ok", "值班表上的人都有提醒方式")
        async with open_shenfa(settings) as shenfa, shenfa.ledger.transaction() as tx:
            await shenfa.alarms.routes.put(tx, duty, [], duty)
        state, words = await doctor_says(settings)
        assert (state, "duty1没有提醒方式" in words) == ("warn", True)
    (text,) = room.got
    assert "有新的咨询单" in text["text"]
    assert "社保" not in text["text"]
    (called,) = [one.body for one in entries if one.kind == CALLED]
    assert (called["to"], called["reached"], called["route"]) == (duty, True, "webhook")
    assert room.host not in str(called)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"webhook": "https://10.0.0.1/a"}, "duty1 的 alarm：第 1 种提醒方式：地址 webhook 不能"),
        ({"telegram": 42, "account": "other"}, "没有启用的账号 other"),
    ],
)
async def test_a_line_that_cannot_work_stops_the_setup_with_its_person_and_remedy(
    tmp_path: Path, line: dict[str, Any], words: str
) -> None:
    settings = Settings(home=tmp_path / "home", dev=True, dev_allow="127.0.0.1:9")
    with pytest.raises(SetupError, match=words):
        await initialise(settings, setup_of(line))
