"""离岗: whoever goes has handed over what they hold, and the ledger says how."""

from collections.abc import Awaitable
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.account_entries import sign_account
from bot.models import Account
from config.clock import now
from escalations.leaving import (
    BEGUN,
    LEFT,
    begin_leaving,
    hand_over,
    leave,
    leaving_of,
    stay,
    unfinished,
)
from escalations.models import Ticket
from escalations.roster import DutyLine, set_roster
from review_queue import claims
from review_queue.models import Item
from staff.models import Absence, Staff, Task
from staff.refusal import Refused
from staff.sessions import new_token, revoke_tokens
from storage.database import new_id
from tests.console.office import Office, dismiss, set_roles

KEYS = ("qinghe-tg", "qinghe-wx")


async def waits(office: Office, login: str) -> list[str]:
    async with office.deps.db.session() as session:
        return [line.name for line in (await leaving_of(session, login)).waits]


async def refused(step: Awaitable[None], status: int, words: str) -> None:
    with pytest.raises(Refused, match=words) as found:
        await step
    assert found.value.status == status


async def load(office: Office, who: str) -> None:
    """Everything that somebody can hold."""
    moment = now()
    item = await office.submitted()
    await claims.claim(office.deps.queue, item.id, who)
    await new_token(office.deps.db, who, "统计")
    async with office.deps.ledger.transaction() as tx:
        duty = office.people["duty1"]
        await set_roster(tx, [DutyLine("", 0, duty), DutyLine("", 1, who)], "init")
        tx.session.add(
            Ticket(
                id=new_id(), account_id="a", contact_id="c", question="问", reason="unsure",
                candidates=[], state="claimed", notified=[], claimed_by=who,
                acknowledge_by=moment, due_at=moment, created_at=moment,
            )
        )  # fmt: skip
        tx.session.add(
            Task(
                id=new_id(), kind="original", title="核对", accounts=[], detail={}, assignee=who,
                due_at=moment, state="open", created_by="system", created_at=moment,
            )
        )  # fmt: skip
        away = Absence(
            id=new_id(), staff_id=duty, starts_at=moment, ends_at=moment + timedelta(days=9),
            substitute_id=who, set_by=duty, at=moment,
        )  # fmt: skip
        tx.session.add(away)
        wechat = select(Account).where(Account.slug == "qinghe-wx")
        account = (await tx.session.scalars(wechat)).one()
        account.owner = "reviewer1"
        await sign_account(tx, account, duty)


async def test_nobody_leaves_before_each_line_is_done_or_handed_over(office: Office) -> None:
    await set_roles(office, "reviewer1", ["reviewer_1", "admin"])
    ledger, admin, who = office.deps.ledger, office.people["admin1"], office.people["reviewer1"]
    await load(office, who)
    every = ["roster", "substitute", "claims", "tickets", "tasks", "accounts", "tokens"]
    keys = ["keys:qinghe-tg", "keys:qinghe-wx"]
    assert await waits(office, "reviewer1") == every + keys
    browser = await office.signed_in("admin1")
    place = "/console/settings/staff/reviewer1/leaving"
    assert "正领着 1 篇" in (await browser.get(place))[1]

    await refused(leave(ledger, "reviewer1", admin), 409, "还没有开始")
    await refused(hand_over(ledger, "reviewer1", "tasks", "editor", admin), 409, "还没有开始")
    await refused(begin_leaving(ledger, "reviewer1", who), 403, "另一位管理员")
    await refused(begin_leaving(ledger, "reviewer1", office.people["editor"]), 403, "管理员")
    assert (await browser.post(place, step="begin"))[0] == 303
    await refused(begin_leaving(ledger, "reviewer1", admin), 409, "已经开始")
    status, page = await browser.post(place, step="leave")
    assert (status, all(word in page for word in ("值班表：", "平台密钥：青禾政务"))) == (422, True)

    await refused(hand_over(ledger, "reviewer1", "tasks", "reviewer1", admin), 422, "本人")
    await refused(hand_over(ledger, "reviewer1", "nonsense", "editor", admin), 422, "还差：roster")
    await refused(hand_over(ledger, "reviewer1", "roster", "editor", admin), 422, "新的值班表")
    await refused(hand_over(ledger, "reviewer1", "tasks", "ghost", admin), 404, "没有这个人员")
    await dismiss(office, "duty1")
    await refused(hand_over(ledger, "reviewer1", "tasks", "duty1", admin), 403, "停用")
    for line in ("substitute", "tickets", "tasks", "accounts", "keys:qinghe-tg"):
        assert (await browser.post(place, line=line, to="admin2"))[0] == 303
    assert await waits(office, "reviewer1") == ["roster", "claims", "tokens", "keys:qinghe-wx"]

    async with ledger.transaction() as tx:
        await set_roster(tx, [DutyLine("", 0, office.people["editor"])], "init")
        account = (
            await tx.session.scalars(select(Account).where(Account.slug == "qinghe-wx"))
        ).one()
        account.name = "青禾政务号"  # a change that is none of the keys
        await sign_account(tx, account, admin)
    await revoke_tokens(ledger, who)
    async with ledger.db.session() as session:
        held = (await leaving_of(session, "reviewer1")).lines
    await claims.unclaim(office.deps.queue, await claimed(office, who), who)
    assert [line.to for line in held if line.name == "tickets"] == ["孙丽"]
    assert await waits(office, "reviewer1") == ["keys:qinghe-wx"]
    await change_key(office, admin)
    assert await waits(office, "reviewer1") == []

    async with ledger.db.session() as session:
        assert await unfinished(session) == ["reviewer1"]  # duty1 was stopped and holds nothing
    assert (await browser.post(place, step="leave"))[0] == 303
    told = await ledger.facts(f"leaving:{who}")
    assert told[-1].body["lines"] == {
        "roster": "done", "substitute": "handed", "claims": "done", "tickets": "handed",
        "tasks": "handed", "accounts": "handed", "tokens": "done",
        "keys:qinghe-tg": "handed", "keys:qinghe-wx": "done",
    }  # fmt: skip
    assert not (await ledger.facts(f"staff:{who}"))[-1].body["active"]
    assert "已办完离岗" in (await browser.get(place))[1]
    await refused(leave(ledger, "reviewer1", admin), 409, "已经办完")
    assert "交接没有办完" not in (await browser.get("/console/settings/staff"))[1]


async def claimed(office: Office, who: str) -> str:
    async with office.deps.db.session() as session:
        found = await session.scalars(select(Item.id).where(Item.claimed_by == who))
        return found.one()


async def change_key(office: Office, by: str, slug: str = "qinghe-wx") -> None:
    async with office.deps.ledger.transaction() as tx:
        query = select(Account).where(Account.slug == slug)
        account = (await tx.session.scalars(query)).one()
        account.secrets = "other"
        await tx.session.flush()
        await sign_account(tx, account, by)


async def test_a_row_written_past_the_program_changes_no_key_and_who_returns_begins_anew(
    office: Office,
) -> None:
    ledger, admin = office.deps.ledger, office.people["admin1"]
    await set_roles(office, "reviewer1", ["reviewer_1", "admin"])
    await begin_leaving(ledger, "reviewer1", admin)
    async with ledger.transaction() as tx:
        for account in (await tx.session.scalars(select(Account))).all():
            account.secrets = "forged"  # sealed, and no entry says so
    assert await waits(office, "reviewer1") == ["keys:qinghe-tg", "keys:qinghe-wx"]
    for line in ("keys:qinghe-tg", "keys:qinghe-wx"):
        await hand_over(ledger, "reviewer1", line, "admin2", admin)
    await dismiss(office, "reviewer1")  # stopped at once, and handed over afterwards
    await leave(ledger, "reviewer1", admin)
    kinds = [one.kind for one in await ledger.facts(f"leaving:{office.people['reviewer1']}")]
    assert (kinds[0], kinds[-1], len(kinds)) == (BEGUN, LEFT, 4)
    await set_roles(office, "reviewer1", ["reviewer_1"])
    async with ledger.db.session() as session:
        again = await leaving_of(session, "reviewer1")
        assert (again.begun, again.left, again.active) == (False, False, True)
        assert "reviewer1" not in await unfinished(session)
        assert (
            await session.scalars(select(Staff.login).where(Staff.active.is_(False)))
        ).all() == []


async def test_who_was_stopped_is_listed_for_what_they_hold_and_no_longer(office: Office) -> None:
    async def listed() -> list[str]:
        async with office.deps.db.session() as session:
            return await unfinished(session)

    ledger, admin = office.deps.ledger, office.people["admin1"]
    await set_roles(office, "reviewer1", ["reviewer_1", "admin"])
    await dismiss(office, "reviewer1")
    await dismiss(office, "nobody")
    assert await listed() == ["reviewer1"]  # an admin saw the keys; who was none holds nothing
    async with ledger.transaction() as tx:
        later = Account(
            id=new_id(), slug="later", organisation_id="o", platform="telegram", name="后来的",
            api_base="https://api.telegram.org", secrets="x", settings={}, created_at=now(),
        )  # fmt: skip
        tx.session.add(later)
        await tx.session.flush()
        await sign_account(tx, later, admin)
    for slug in ("qinghe-wx", "qinghe-tg"):
        assert f"keys:{slug}" in await waits(office, "reviewer1")
        await change_key(office, admin, slug)
    assert (await waits(office, "reviewer1"), await listed()) == ([], [])
    await set_roles(office, "reviewer1", ["reviewer_1", "admin"])  # back, and stopped once more
    await begin_leaving(ledger, "reviewer1", admin)
    await dismiss(office, "reviewer1")
    assert await waits(office, "reviewer1") == [f"keys:{one}" for one in ("later", *KEYS)]


async def test_a_begun_leaving_is_taken_back_and_what_was_handed_over_is_held_again(
    office: Office,
) -> None:
    ledger, admin, who = office.deps.ledger, office.people["admin1"], office.people["reviewer1"]
    await refused(stay(ledger, "reviewer1", admin), 409, "还没有开始")
    await load(office, who)
    browser = await office.signed_in("admin1")
    place = "/console/settings/staff/reviewer1/leaving"
    assert (await browser.post(place, step="begin"))[0] == 303
    assert (await browser.post(place, line="tasks", to="admin2"))[0] == 303
    assert "tasks" not in await waits(office, "reviewer1")
    page = (await browser.get(place))[1]
    assert '<a href="/console/settings/duty#roster">' in page
    assert (await browser.post(place, step="stay"))[0] == 303
    assert "tasks" in await waits(office, "reviewer1")
    page = (await browser.get(place))[1]
    assert ("开始交接" in page, "收回交接</button>" in page) == (True, False)
    async with ledger.db.session() as session:
        assert await unfinished(session) == []
    await begin_leaving(ledger, "reviewer1", admin)
    assert "tasks" in await waits(office, "reviewer1")
    await dismiss(office, "reviewer1")
    await refused(stay(ledger, "reviewer1", admin), 409, "不能收回")
