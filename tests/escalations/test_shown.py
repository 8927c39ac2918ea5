"""Friday 17:50 before a make-up Saturday: two people ignore it, minute by minute."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from bot.contract import State
from config.clock import beijing
from escalations import ladder, replying, tickets
from escalations.alarms import AlarmPost, Alarms
from escalations.lateness import CALLED
from escalations.routes import Line
from ledger.models import Incident
from storage.crypt import DataKey
from tests.escalations.conftest import at
from tests.escalations.peers import hook, post

HANDLED = "02-14 08:52"


def minutes(begin: str, end: str) -> Iterator[datetime]:
    """Every minute at work and around it, every half hour of the night."""
    moment, last = at(begin), at(end)
    while moment <= last:
        yield moment
        near = 8 <= moment.hour < 9 or 17 <= moment.hour < 19
        moment += timedelta(minutes=1 if near else 30)


async def test_each_alarm_arrives_in_its_minute_and_the_third_takes_it(duty: Any) -> None:
    async with hook() as phone, post() as box, hook() as third:
        hosts = frozenset({phone.host, third.host})
        mail = AlarmPost(hosts, smtp_host="127.0.0.1", smtp_port=box.port)
        alarms = Alarms(duty.db, DataKey(b"k" * 32), no_account, {}, mail)
        lines = {
            "jia": Line("webhook", phone.url),
            "yi": Line("mail", "yi@duty.example"),
            "bing": Line("webhook", third.url),
        }
        async with duty.ledger.transaction() as tx:
            for person, line in lines.items():
                await alarms.routes.change(tx, person, [line], person)
        duty.tickets = replace(duty.tickets, alarm=alarms.tell)
        duty.moment = at("2026-02-13 17:50")
        ticket = await duty.ask()
        came: dict[str, str] = {}
        for moment in minutes("2026-02-13 17:50", f"2026-{HANDLED}"):
            duty.moment = moment
            await ladder.escalate_due(duty.tickets)
            arrived = {"jia": phone.got, "yi": box.to("yi@duty.example"), "bing": third.got}
            for person, what in arrived.items():
                if what:
                    came.setdefault(person, f"{moment:%m-%d %H:%M}")
        await tickets.claim(duty.tickets, ticket.id, "bing")
        duty.came = {"state": State.PUBLISHED}
        assert (await replying.reply(duty.tickets, ticket.id, "bing", "已报修。")).state == "sent"
    # Fifteen working minutes each: ten on Friday and five on Saturday, nobody in the night.
    assert came == {"jia": "02-13 17:50", "yi": "02-14 08:35", "bing": "02-14 08:50"}
    assert [len(phone.got), len(third.got)] == [1, 1]
    assert "井盖" not in str([*phone.got, *third.got, *box.lines])  # no word of the citizen's
    assert beijing(ticket.due_at).strftime("%m-%d %H:%M") == "02-14 14:50"
    entries = await duty.ledger.facts(f"ticket:{ticket.id}")
    called = [(one.body["to"], one.body["route"]) for one in entries if one.kind == CALLED]
    assert called == [("jia", "webhook"), ("yi", "mail"), ("bing", "webhook")]
    async with duty.db.session() as session:
        assert (await session.scalars(select(Incident))).all() == []


async def no_account(account_id: str) -> Any:
    """No alarm of this play goes by chat."""
    raise LookupError(account_id)
