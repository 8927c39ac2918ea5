"""总览: what needs somebody first, the three vetoes, one account, for one and for four hundred."""

from datetime import timedelta

from sqlalchemy import select

from bot.contract import State
from bot.models import Account, Publication
from config.clock import now
from storage.database import new_id
from supervision.models import AccountWatch
from tests.console.office import Office
from tests.console.test_query_counts import asked


async def _accounts(office: Office) -> dict[str, str]:
    async with office.deps.db.session() as session:
        return {row.slug: row.id for row in (await session.scalars(select(Account))).all()}


async def _published(office: Office, account: str, *days: float) -> None:
    async with office.deps.db.session() as session:
        for ago in days:
            at = now() - timedelta(days=ago)
            session.add(
                Publication(
                    id=new_id(),
                    release_id=new_id(),
                    item_id=new_id(),
                    account_id=account,
                    digest="0" * 64,
                    state=State.PUBLISHED,
                    due_at=at,
                    published_at=at,
                )
            )


async def test_the_cockpit_shows_what_needs_somebody_first(office: Office) -> None:
    ids = await _accounts(office)
    await _published(office, ids["qinghe-wx"], 50, 37, 25, 16)  # 卡点: 13 and 12 days between
    await _published(office, ids["qinghe-tg"], 30, 3)
    async with office.deps.db.session() as session:
        red = AccountWatch(account_id=ids["qinghe-tg"], tested_at=now(), faults=["帮助"])
        session.add(red)
        old = await session.get_one(Account, ids["qinghe-wx"])
        old.created_at = now() - timedelta(days=99)
    browser = await office.signed_in("editor")
    status, text = await browser.get("/console/cockpit")
    assert status == 200
    assert text.index('<a href="/console/cockpit/qinghe-tg">') > 0
    for words in ("内容不更新", "互动回应差", '<span class="chip stop">16 天</span>', "没有应答"):
        assert words in text
    status, told = await browser.api("GET", "/cockpit")
    by_slug = {one["slug"]: one for one in told["accounts"]}
    assert by_slug["qinghe-wx"]["vetoes"] == ["内容不更新"]
    assert by_slug["qinghe-tg"]["vetoes"] == ["互动回应差"]
    wx, tg = by_slug["qinghe-wx"], by_slug["qinghe-tg"]
    assert (wx["days"], wx["edge"], wx["longest"], wx["posts"]) == (16, 2, 13, 4)
    assert (tg["days"], tg["edge"], sum(tg["weeks"])) == (3, 1, 2)
    status, text = await browser.get("/console/cockpit/qinghe-wx")
    assert status == 200
    for words in ("16 天没有更新，超过 14 天的时限", "2 次，都在时限前两天内才更新", "每周的数目"):
        assert words in text
    assert "现在自测" not in text
    assert (await browser.get("/console/cockpit/nowhere"))[0] == 404
    assert (await browser.post("/console/cockpit/qinghe-tg/selftest"))[0] == 403
    admin = await office.signed_in("admin1")
    status, _ = await admin.post("/console/cockpit/qinghe-tg/selftest")
    assert status == 303
    status, told = await admin.api("GET", "/cockpit/qinghe-tg")
    assert told["problem"], "an account without an address cannot have answered"


async def test_it_asks_the_same_for_many_accounts(office: Office) -> None:
    browser = await office.signed_in("editor")
    few = await asked(office, browser, "/console/cockpit")
    async with office.deps.db.session() as session:
        first = (await session.scalars(select(Account))).first()
        assert first is not None
        row = {column.name: getattr(first, column.name) for column in Account.__table__.columns}
        for number in range(120):
            session.add(Account(**row | {"id": new_id(), "slug": f"more-{number}", "seal": ""}))
    assert await asked(office, browser, "/console/cockpit") == few
    _, text = await browser.get("/console/cockpit?page=3")
    assert text.count('class="main-cell"') > 20
