"""备案: five working days after an account was opened or cancelled, by signed entries."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from bot.models import Account
from config.clock import beijing, now
from ledger.models import Incident
from review_queue.governance.account_closing import CANCELLED, CLOSING
from review_queue.governance.account_closing import FILED as CLOSING_FILED
from staff.incidents import close_incident
from staff.refusal import Refused
from supervision import filing
from supervision.filing import due_after, file_account, filing_words, tell_late
from tests.console.office import Office

NEW = {
    "slug": "qinghe-two",
    "platform": "telegram",
    "name": "青禾二号",
    "api_base": "https://platform.example",
    "secrets": {"token": "8:two", "webhook_secret": "two", "chat": "@two"},
    "assessment_ref": "青评〔2026〕1号",
}


def weekday(day: date) -> bool:
    return day.weekday() < 5


@pytest.mark.parametrize(
    ("opened", "due"),
    [("2026-11-23", "2026-11-30"), ("2026-11-27", "2026-12-04"), ("2026-11-28", "2026-12-04")],
)
def test_five_working_days_follow(opened: str, due: str) -> None:
    assert due_after(date.fromisoformat(opened), weekday) == date.fromisoformat(due)


async def late(office: Office) -> list[str]:
    async with office.deps.db.session() as session:
        found = select(Incident.message).where(Incident.kind == filing.OVERDUE)
        return list(await session.scalars(found.order_by(Incident.id)))


async def test_an_account_opened_here_is_filed_in_time_or_told(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, made, people = office.deps.ledger, office.deps.governance.proposals, office.people
    row = await made.propose("account", NEW, people["admin1"], "新开一个账号")
    await made.approve(row.id, people["admin2"])
    async with ledger.db.session() as session:
        find = select(Account.id).where(Account.slug == "qinghe-two")
        account = (await session.scalars(find)).one()
    subject = f"account:{account}"
    assert "还没有登记" in filing_words(await ledger.facts(subject), weekday)
    browser = await office.signed_in("admin1")
    page = (await browser.get("/console/settings/accounts"))[1]
    assert page.count("开办备案应在") == 1  # what the office began with owes none
    assert await tell_late(ledger, weekday) == 0
    real = now()
    monkeypatch.setattr(filing, "now", lambda: real + timedelta(days=9))
    assert [await tell_late(ledger, weekday) for _ in range(2)] == [1, 1]
    assert ["青禾二号" in one and "已超时" in one for one in await late(office)] == [True]

    async with ledger.db.session() as session:
        [stays] = await session.scalars(select(Incident.id).where(Incident.kind == filing.OVERDUE))
    with pytest.raises(Refused, match="登记以后自动关闭"):
        await close_incident(ledger, stays, people["admin2"], "已催办，等编号")
    with pytest.raises(Refused, match="需要以下角色"):
        await file_account(ledger, "qinghe-two", "备1号", people["editor"])
    with pytest.raises(Refused, match="编号"):
        await file_account(ledger, "qinghe-two", "?", people["admin1"])
    await file_account(ledger, "qinghe-two", "备〔2026〕1号", people["admin1"])
    assert filing_words(await ledger.facts(subject), weekday) == "开办备案 备〔2026〕1号"
    assert (await ledger.incidents()).find((filing.OVERDUE, subject)) is None
    assert await tell_late(ledger, weekday) == 0

    day = (beijing(real) - timedelta(days=2)).date().isoformat()
    async with ledger.transaction() as tx:
        body = {"account": account, "slug": "qinghe-two", "step": CANCELLED, "proof": day}
        await tx.append(CLOSING, subject=subject, actor=people["admin1"], body=body)
    assert await tell_late(ledger, weekday) == 1
    assert "关停备案应在" in filing_words(await ledger.facts(subject), weekday)
    async with ledger.transaction() as tx:
        body |= {"step": CLOSING_FILED, "proof": "关1号"}
        await tx.append(CLOSING, subject=subject, actor=people["admin1"], body=body)
    words = filing_words(await ledger.facts(subject), weekday)
    assert words == "开办备案 备〔2026〕1号；关停备案 关1号"
    assert await tell_late(ledger, weekday) == 0
    assert (await ledger.incidents()).find((filing.OVERDUE, subject)) is None
