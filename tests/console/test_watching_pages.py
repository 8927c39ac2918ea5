"""总览, one account, 报表, 工作台账 and 事件 in a real browser, at a desk and on a phone."""

from datetime import timedelta

import pytest
from playwright.async_api import Browser

from bot.models import Organisation
from config.clock import beijing, now
from supervision.counting import count_days
from supervision.workplan import Given, give_out
from tests.console.office import Office, busy_morning
from tests.console.test_consultations import closed
from tests.console.test_journey import WIDTHS, chromium, person
from tests.console.test_policy_pages import seen
from tests.console.test_promises import a_day

pytestmark = pytest.mark.browser
__all__ = ["chromium"]
PLAN = "（一）继续做好规章的集中公开。\n（二）加强政策咨询服务，推广政策专员和例行吹风会。"


@pytest.mark.parametrize("width", WIDTHS)
async def test_the_pages_of_who_watches_fit(office: Office, chromium: Browser, width: int) -> None:
    await busy_morning(office)
    given = Given(PLAN, now() + timedelta(days=60), office.people["editor"])
    await give_out(office.deps.ledger, given, office.people["editor"])
    page, year = await person(chromium, office, "admin1", width), beijing(now()).year
    yesterday = (beijing(now()) - timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    await a_day(office, yesterday)
    await count_days(office.deps.ledger)
    async with office.deps.db.session() as session:
        session.add(Organisation(id="office", name="北原市人民政府", parent_id=None))
    long = "建议学校和医院门口多划临时车位，夜间不收费，老旧小区先征求业主意见再划线。"
    asked, _ = await closed(office, long * 3, "夜间不要收费")
    for path, name in (
        ("promises", "promises"),
        (f"promises/{yesterday.date()}", "promises-day"),
        ("settings/organisations", "organisations"),
        ("cockpit", "cockpit"),
        ("cockpit/qinghe-wx", "cockpit-account"),
        ("cockpit/qinghe-tg/relevance", "relevance"),
        ("settings/accounts?slug=qinghe-tg", "account-change"),
        (f"reports?period={year}", "reports"),
        (f"reports/{year}/approvals", "report-rows"),
        ("workplan", "workplan"),
        ("consultations", "consultations"),
        (f"consultations/{asked.id}", "consultation"),
        ("incidents", "incidents"),
    ):
        await page.goto(str(office.server.make_url(f"/console/{path}")))
        for summary in await page.locator("main summary").all():
            await summary.click()
        await seen(page, width, name)
