"""送不到的人, and by which ways a push went: counted and dated, and nobody is named."""

from typing import Any

from sqlalchemy import select

from bot.contract import State
from bot.delivery.choosing import VIA_WORDS
from bot.models import Account, Contact, Delivery
from bot.notice_models import NoticeConsent
from config.clock import now
from storage.database import new_id
from tests.console.office import Office, busy_morning


async def _contacts(office: Office) -> dict[str, str]:
    """One person for each way of being out of reach; their references by name."""
    found = {}
    async with office.deps.db.session() as session:
        account = (await session.scalars(select(Account.id))).first()
        people: dict[str, dict[str, Any]] = {
            "gone": {"state": "ended", "ended_reason": "对方没有关注本账号", "ended_at": now()},
            "old": {"state": "ended", "ended_reason": "对方没有关注本账号"},
            "refuses": {"refused_at": now(), "refused_why": "对方在微信里拒收推送"},
            "waits": {"paused_at": now(), "paused_code": "45047"},
            "ended": {},
            "forgotten": {"state": "ended", "ended_reason": "已按本人要求删除", "address": ""},
        }
        for name, values in people.items():
            row = Contact(
                id=new_id(), account_id=account, subject_ref=new_id(), address_hash=name,
                created_at=now(), **({"address": "x"} | values),
            )  # fmt: skip
            session.add(row)
            found[name] = row.subject_ref
            await session.flush()
            if name == "waits":
                session.add(
                    Delivery(
                        id=new_id(), content_key=new_id(), account_id=account, contact_id=row.id,
                        state=State.HELD, hold="window", created_at=now(),
                    )
                )  # fmt: skip
            if name == "ended":
                session.add(
                    NoticeConsent(
                        id=new_id(), account_id=account, contact_id=row.id, template="T9",
                        left=0, ended_at=now(), why="rejected",
                    )
                )  # fmt: skip
    return found


async def test_people_out_of_reach_are_counted_by_reason_with_what_restores_them(
    office: Office,
) -> None:
    people = await _contacts(office)
    browser = await office.signed_in("editor")
    status, told = await browser.api("GET", "/subscribers/unreachable")
    assert status == 200
    counts = {(one["scope"], one["code"]): one["people"] for one in told["reasons"]}
    assert counts == {
        ("all", ""): 2, ("pushes", ""): 1, ("messages", "45047"): 1, ("notice", "T9"): 1,
    }  # fmt: skip
    assert {one["kind"] for one in told["reasons"]} == {"ended", "paused"}
    assert len(told["people"]) == 5
    assert told["people"][-1]["since"] is None  # from before there was a day
    _, text = await browser.get("/console/subscriptions/unreachable")
    for words in ("对方没有关注本账号", "代码 45047", "模板 T9", "对方重新关注或来信"):
        assert words in text
    assert not [one for one in people.values() if one in text]
    assert people["forgotten"][-4:] not in {one["who"][-4:] for one in told["people"]}


async def test_one_reason_lists_its_own_people(office: Office) -> None:
    people = await _contacts(office)
    browser = await office.signed_in("editor")
    path = "/console/subscriptions/unreachable?scope=messages&code=45047"
    _, told = await browser.api("GET", "/subscribers/unreachable")
    [why] = [one["why"] for one in told["reasons"] if one["scope"] == "messages"]
    _, text = await browser.get(f"{path}&why={why}")
    assert f"订阅者 …{people['waits'][-4:]}" in text
    assert f"订阅者 …{people['gone'][-4:]}" not in text


async def test_nobody_reads_it_without_the_right(office: Office) -> None:
    browser = await office.signed_in("duty1")
    assert (await browser.get("/console/subscriptions/unreachable"))[0] == 403
    assert (await browser.api("GET", "/subscribers/unreachable"))[0] == 403


async def test_a_push_says_by_which_ways_it_went(office: Office) -> None:
    place = (await busy_morning(office))["publication"]
    async with office.deps.db.session() as session:
        query = select(Delivery).where(Delivery.publication_id == place).order_by(Delivery.id)
        rows = list(await session.scalars(query))
        for row, route in zip(rows, ("long", "once", "message", "hold"), strict=False):
            row.route, row.state = route, State.HELD if route == "hold" else State.PUBLISHED
    browser = await office.signed_in("editor")
    _, told = await browser.api("GET", f"/publications/{place}/push")
    assert told["routes"]["long"] == {"people": 1, "sent": 1}
    assert told["routes"]["hold"] == {"people": 1, "sent": 0}
    assert list(told["routes"]) == ["long", "once", "message", "hold"]
    _, text = await browser.get(f"/console/publications/{place}/push")
    for route in told["routes"]:
        assert VIA_WORDS[route] in text
