"""账号: how each account stands, who tried it last, and 试一下 for who may."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.models import Account
from review_queue.governance.account_closing import CLOSING
from tests.console.office import Office, build, close

PAGE = "/console/settings/accounts"


@pytest.fixture
async def office(tmp_path: Path, password_hash: str) -> AsyncIterator[Office]:
    made = await build(tmp_path, password_hash)
    yield made
    await close(made)


async def test_an_account_is_tried_from_its_page_and_says_who_tried_it_last(
    office: Office,
) -> None:
    browser = await office.signed_in("admin1")
    _, page = await browser.get(PAGE)
    assert page.count("没有试过") == 2
    assert "没有写" in page
    status, page = await browser.post(f"{PAGE}/qinghe-tg/test")
    assert (status, "qinghe-tg 试用结果" in page, "要处理" in page) == (200, True, True)
    _, page = await browser.get(PAGE)
    assert page.count("没有试过") == 1
    assert "陈岩" in page.split("上次试用", 1)[1].split("值班表", 1)[0]


async def test_how_far_a_closing_is_stands_beside_the_account(office: Office) -> None:
    async with office.deps.db.session() as session:
        query = select(Account.id).where(Account.slug == "qinghe-tg")
        account = (await session.scalars(query)).one()
    async with office.deps.ledger.transaction() as tx:
        body = {"account": account, "slug": "qinghe-tg", "step": "announced", "proof": "x"}
        await tx.append(CLOSING, subject=f"account:{account}", actor="init", body=body)
    browser = await office.signed_in("admin1")
    _, page = await browser.get(PAGE)
    assert "关停中，还差：在平台注销、关停备案" in page
