"""Alarms: each way of a person in order, until one works; what came of it; never where it must not.

The platforms are the sandbox over HTTP; webhook and mail are received on real sockets.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update

from bot.models import Contact
from config.clock import now
from escalations import alarms as room
from escalations.alarms import AlarmPost, Alarms, Told
from escalations.routes import CHANGED, Line, Way, line_of, webhook_problem
from ledger.models import LedgerEntry
from staff.models import AlarmRoute, Staff
from staff.people import ALARMS, deactivate
from staff.refusal import Refused
from tests.bot.conftest import crypt, db, platforms
from tests.bot.test_callbacks import SECRETS, House, _citizen, house, patience
from tests.escalations.peers import hook, post
from tests.made import hire, taken_by_sql

__all__ = ["crypt", "db", "house", "patience", "platforms"]
WX, TG = SECRETS["appid"], "7"
WORDS = "有新的咨询单 A1B2C3 待认领"
Ring = Callable[..., Alarms]


@pytest.fixture
async def ring(house: House, crypt) -> Ring:
    """Makes alarms over the office with its two accounts; 甲 works there."""
    office = house.office
    await hire(office.ledger, {"jia": ["duty"], "yi": ["duty"], "zhou": ["admin"]})
    async with office.db.session() as session:
        for one in ("jia", "yi", "zhou"):
            made = {"name": one, "roles": ["duty"], "password_hash": "", "created_at": now()}
            session.add(Staff(id=one, login=one, **made))

    def make(*hosts: str, **mail: Any) -> Alarms:
        allowed = house.platforms.hosts | frozenset(hosts)
        open_account = office.accounts.open
        return Alarms(office.db, crypt, open_account, house.channels, AlarmPost(allowed, **mail))

    return make


async def set_ways(house: House, alarms: Alarms, *lines: Line, of: str = "jia") -> None:
    async with house.office.ledger.transaction() as tx:
        await alarms.routes.change(tx, of, lines, of)


async def ways(house: House, alarms: Alarms) -> list[Way]:
    async with house.office.db.session() as session:
        return await alarms.routes.read(session, "jia")


async def heard(house: House, account: str) -> list[str]:
    citizen = await _citizen(house, account)
    answer = await house.platforms.seen("messages", account=account, citizen=citizen)
    return [one["text"] for one in answer["messages"] if not one.get("passive")]


async def test_the_first_way_that_works_ends_it_and_the_others_say_why_they_did_not(
    house: House, ring: Ring
) -> None:
    chat = await _citizen(house, TG)
    async with hook(500) as broken, hook() as unused, post(refuses=True) as box:
        alarms = ring(broken.host, unused.host, smtp_host="127.0.0.1", smtp_port=box.port)
        mail = Line("mail", "jia@duty.example")
        await set_ways(
            house,
            alarms,
            *(Line("webhook", broken.url), mail, Line("telegram", chat)),
            Line("webhook", unused.url),
        )
        told = await alarms.tell("jia", WORDS)
        assert (bool(told), told.route) == (True, "telegram")
        assert [kind for kind, _ in told.failed] == ["webhook", "mail"]
        assert "500" in told.failed[0][1]
        assert "没有收下" in told.failed[1][1]
        assert (broken.got, unused.got) == ([{"text": WORDS}], [])
    assert await heard(house, TG) == [WORDS]
    shown = await ways(house, alarms)
    assert [(one.worked, bool(one.used_at)) for one in shown] == [
        *((False, True), (False, True), (True, True)),
        (None, False),
    ]
    assert [one.why for one in shown[:2]] == [why for _, why in told.failed]


async def test_a_mail_arrives_and_a_silent_server_is_not_waited_for(
    house: House, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (Line("mail", "jia@duty.example"),)
    async with post() as box:
        alarms = ring(smtp_host="127.0.0.1", smtp_port=box.port, mail_from="bot@duty.example")
        await set_ways(house, alarms, *lines)
        assert await alarms.tell("jia", "new ticket") == Told("mail")
        assert box.to("jia@duty.example")
        assert "new ticket" in box.lines
    monkeypatch.setattr(room, "SECONDS", 0.2)
    async with post(silent=True) as box:
        alarms = ring(smtp_host="127.0.0.1", smtp_port=box.port)
        told = await alarms.tell("jia", "new ticket")
    assert (told.route, "没有回应" in told.failed[0][1]) == ("", True)
    told = await ring().tell("jia", "new ticket")
    assert "SHENFA_SMTP_HOST" in told.failed[0][1]


async def test_wechat_is_a_way_only_while_its_window_is_open(house: House, ring: Ring) -> None:
    alarms, person = ring(), await _citizen(house, WX)
    await set_ways(house, alarms, Line("wechat", person))
    told = await alarms.tell("jia", WORDS)
    assert (told.route, "发一条消息" in told.failed[0][1]) == ("", True)
    await house.platforms.control("say", account=WX, citizen=person, text="我来值班")
    assert await alarms.tell("jia", WORDS) == Told("wechat")
    assert WORDS in await heard(house, WX)
    async with house.office.db.session() as session:
        contact = (await session.scalars(select(Contact))).one()
        assert contact.window_used >= 1  # the answer to what was said may have come late
        past = now() - timedelta(hours=49)
        await session.execute(update(Contact).values(last_inbound_at=past))
    sent = await house.platforms.seen("requests", method="message/custom/send", account=WX)
    told = await alarms.tell("jia", WORDS)
    assert (told.route, "时限" in told.failed[0][1]) == ("", True)
    again = await house.platforms.seen("requests", method="message/custom/send", account=WX)
    assert again["count"] == sent["count"]


async def test_a_group_of_the_people_on_duty_is_a_chat_too(house: House, ring: Ring) -> None:
    group = "-1001000000777"
    made = {"name": "值班群", "kind": "group", "id": group}
    await house.platforms.control("citizens", account=TG, count=1, **made)
    alarms = ring()
    await set_ways(house, alarms, Line("telegram", group))
    assert await alarms.tell("jia", WORDS) == Told("telegram")
    got = await house.platforms.seen("messages", account=TG, citizen=group)
    assert [one["text"] for one in got["messages"]] == [WORDS]


async def test_nobody_without_a_way_is_told_and_that_is_no_error(house: House, ring: Ring) -> None:
    assert await ring().tell("jia", WORDS) == Told()
    assert not await ring().tell("unknown", WORDS)


async def test_a_test_alarm_goes_out_by_every_way(house: House, ring: Ring) -> None:
    chat = await _citizen(house, TG)
    async with hook() as good, hook(404) as gone:
        alarms = ring(good.host, gone.host)
        lines = (Line("webhook", gone.url), Line("webhook", good.url), Line("telegram", chat))
        await set_ways(house, alarms, *lines)
        told = await alarms.try_all("jia", "测试")
    assert (good.got, gone.got, await heard(house, TG)) == (
        *([{"text": "测试"}], [{"text": "测试"}]),
        ["测试"],
    )
    assert (told.route, [kind for kind, _ in told.failed]) == ("webhook", ["webhook"])
    assert [one.worked for one in await ways(house, alarms)] == [False, True, True]


async def test_a_webhook_keeps_its_key_and_is_followed_nowhere(house: House, ring: Ring) -> None:
    async with hook(302) as moved, hook() as inside:
        moved.where = inside.url
        alarms = ring(moved.host, inside.host)
        await set_ways(house, alarms, Line("webhook", f"{moved.url}?key=abc"))
        told = await alarms.tell("jia", WORDS)
        assert (moved.asked, inside.got) == (["/hook?key=abc"], [])
        assert "没有跟随" in told.failed[0][1]
        # Development may reach it no longer: the address is not believed because it stood there.
        told = await ring().tell("jia", WORDS)
        assert (len(moved.got), "地址 webhook" in told.failed[0][1]) == (1, True)


HOSTILE = (
    "http://hook.example/a",
    "https://127.0.0.1/a",
    "https://localhost/a",
    "https://10.1.2.3:8443/a",
    "https://[::1]/a",
    "https://169.254.169.254/latest/meta-data",
    "https://user@hook.example/a",
    "https://hook.example/a#b",
    "https://hook.example:99999/a",
    "https://0x7f000001/a",
    "https://127.1/a",
    "https://[::1",
    "ftp://hook.example/a",
    "javascript:alert(1)",
    "gopher://hook.example",
    "hook.example",
)


@pytest.mark.parametrize("url", HOSTILE)
def test_an_address_that_must_not_be_posted_to_says_so(url: str) -> None:
    assert webhook_problem(url).startswith("地址 webhook")
    assert not webhook_problem("https://hook.example/a?key=b")


async def test_it_is_refused_at_entry_by_its_number_and_nothing_is_kept(
    house: House, ring: Ring
) -> None:
    alarms = ring()
    with pytest.raises(Refused) as refused:
        await set_ways(house, alarms, Line("mail", "jia@duty.example"), Line("webhook", HOSTILE[1]))
    assert [reason.rule for reason in refused.value.reasons] == ["alarm-2"]
    assert "第 2 种提醒方式：地址 webhook" in str(refused.value)
    assert await ways(house, alarms) == []


FAULTY = (
    (Line("pigeon", "x"), "只能是"),
    (Line("webhook", ""), "没有填"),
    (Line("mail", "jia@duty.example\nBcc: x@y.example"), "邮箱"),
    (Line("mail", "a@b.example, c@d.example"), "邮箱"),
    (Line("telegram", "a b"), "编号"),
    (Line("telegram", "42", "wechat"), "没有启用的账号"),
)


async def test_ways_that_cannot_work_are_refused_each_with_its_remedy(
    house: House, ring: Ring
) -> None:
    with pytest.raises(Refused) as refused:
        await set_ways(house, ring(), *(line for line, _ in FAULTY))
    assert refused.value.status == 422
    assert len(refused.value.reasons) == len(FAULTY)
    for (_, words), reason in zip(FAULTY, refused.value.reasons, strict=True):
        assert words in reason.message
    for lines, words in (([Line("mail", f"{n}@b.cn") for n in range(7)], "最多"),
                         ([Line("mail", "a@b.cn")] * 2, "两次")):  # fmt: skip
        with pytest.raises(Refused, match=words):
            await set_ways(house, ring(), *lines)


def test_a_line_of_a_setup_file_names_one_way() -> None:
    assert line_of({"telegram": 4711, "account": "tg"}, 1) == Line("telegram", "4711", "tg")
    for wrong in ({}, {"account": "tg"}, {"mail": "a@b.example", "webhook": "https://x.example"}):
        with pytest.raises(Refused, match="第 3 种提醒方式"):
            line_of(wrong, 3)


async def test_ones_own_ways_and_an_admin_those_of_anybody(house: House, ring: Ring) -> None:
    alarms, line = ring(), Line("mail", "jia@duty.example")
    for actor, fits in (("jia", True), ("zhou", True), ("yi", False), ("unknown", False)):
        async with house.office.ledger.transaction() as tx:
            if fits:
                await alarms.routes.change(tx, "jia", [line], actor)
                continue
            with pytest.raises(Refused) as refused:
                await alarms.routes.change(tx, "jia", [], actor)
            assert refused.value.status == 403
    assert [one.line for one in await ways(house, alarms)] == [line]


async def test_what_stays_keeps_its_outcome_and_no_address_is_in_the_ledger_or_readable(
    house: House, ring: Ring
) -> None:
    alarms, mail = ring(), Line("mail", "jia@duty.example")
    await set_ways(house, alarms, Line("telegram", "424242424242"), mail)
    await alarms.tell("jia", WORDS)
    await set_ways(house, alarms, mail, Line("mail", "yi@duty.example"))
    assert [(one.line, one.worked) for one in await ways(house, alarms)] == [
        (mail, False),
        (Line("mail", "yi@duty.example"), None),
    ]
    async with house.office.db.session() as session:
        entries = (await session.scalars(select(LedgerEntry))).all()
        rows = (await session.scalars(select(AlarmRoute.address))).all()
    kept = "".join([*(one.preimage for one in entries if one.kind == ALARMS), *rows])
    assert len(rows) == 2
    assert "mail" in kept
    assert not any(word in kept for word in ("duty.example", "4242"))


SPOILT = {
    "deleted": "DELETE FROM alarm_route",
    "another's": "UPDATE alarm_route SET staff_id = 'yi'",
    "led elsewhere": "UPDATE alarm_route SET address = 'b1:AAAA'",
    "of another kind": "UPDATE alarm_route SET kind = 'webhook'",
    "another account": "UPDATE alarm_route SET account = 'wechat'",
    "no text": "UPDATE alarm_route SET address = 5",
    "bytes": "UPDATE alarm_route SET address = x'ff', kind = x'ff', why = x'ff'",
    "broken text": "UPDATE alarm_route SET address = CAST(x'ff' AS TEXT)",
    "no moment": "UPDATE alarm_route SET used_at = 'x'",
    "no seal": "UPDATE alarm_route SET seal = x'00'",
}


@pytest.mark.parametrize("how", SPOILT)
async def test_a_row_that_somebody_wrote_is_a_way_that_failed_and_the_next_one_is_tried(
    house: House, ring: Ring, how: str
) -> None:
    async with hook() as other:
        alarms = ring(other.host)
        await set_ways(house, alarms, Line("webhook", other.url), of="yi")
        chat = await _citizen(house, TG)
        await set_ways(house, alarms, Line("telegram", chat, "telegram"), Line("mail", "a@b.cn"))
        first = (await ways(house, alarms))[0].id
        if not await taken_by_sql(house.office.db, f"{SPOILT[how]} WHERE id = '{first}'"):
            return
        shown = await ways(house, alarms)
        assert [bool(one.fault) for one in shown] == [True, False]
        told = await alarms.tell("jia", WORDS)
        assert (told.route, [kind for kind, _ in told.failed]) == ("", ["telegram", "mail"])
        assert told.failed[0][1] == CHANGED
        assert (other.got, await heard(house, TG)) == ([], [])
        # And written anew it works.
        await set_ways(house, alarms, Line("telegram", chat))
        assert await alarms.tell("jia", WORDS) == Told("telegram")


async def test_an_older_way_put_back_into_the_table_reaches_nobody(
    house: House, ring: Ring
) -> None:
    async with hook() as old:
        alarms = ring(old.host)
        await set_ways(house, alarms, Line("webhook", old.url))
        async with house.office.db.session() as session:
            row = (await session.execute(text("SELECT * FROM alarm_route"))).one()._asdict()
        await set_ways(house, alarms)
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        put = f"INSERT INTO alarm_route ({names}) VALUES ({values})"
        assert await taken_by_sql(house.office.db, put, **row)
        assert await alarms.tell("jia", WORDS) == Told()
        assert old.got == []


async def test_whoever_leaves_leaves_no_address_behind(house: House, ring: Ring) -> None:
    alarms = ring()
    await set_ways(house, alarms, Line("mail", "jia@duty.example"))
    await set_ways(house, alarms, Line("mail", "yi@duty.example"), of="yi")
    async with house.office.ledger.transaction() as tx:
        await deactivate(tx, await tx.session.get_one(Staff, "jia"), "zhou")
    assert await ways(house, alarms) == []
    async with house.office.db.session() as session:
        assert (await session.scalars(select(AlarmRoute.staff_id))).all() == ["yi"]
    entries = await house.office.ledger.facts("staff:jia")
    assert [one.kind for one in entries[-2:]] == [ALARMS, "staff.set"]
