"""The public proof and the review form: from signed entries, nobody named outside."""

import re

import pytest
from sqlalchemy import select, update

from bot.models import Account, Publication
from config.clock import now
from ledger.models import Incident
from review_queue.models import Revision
from tests.console.office import BODY, PEOPLE, Office, busy_morning

NAMES = [name for name, _ in PEOPLE.values()]


async def test_a_pasted_text_is_compared_with_what_was_published(office: Office) -> None:
    ids = await busy_morning(office)
    client, path = office.client(), f"/verify/{ids['publication']}"
    answer = await client.post(path, data={"text": " 一句平常的话，\n说明办理时间。 "})
    assert "一字不差" in await answer.text()
    answer = await client.post(path, data={"text": "一句平常的话，说明办理时限。<b>"})
    text = await answer.text()
    assert "1 段和发布的内容不一样" in text
    assert "&lt;b&gt;" in text
    assert not [name for name in NAMES if name in text]


async def test_what_is_not_out_yet_is_not_told(office: Office) -> None:
    ids = await busy_morning(office)
    text = await (await office.client().get(f"/verify/{ids['unknown']}")).text()
    assert "还没有发布" in text
    assert "冬季取暖补助申请指南" not in text


@pytest.mark.parametrize("field", ["state", "url", "account_id", "published_at"])
async def test_a_publication_changed_by_sql_is_vouched_for_by_nobody(
    office: Office, field: str
) -> None:
    """An account that never published, an address of somebody else's, a result nobody saw."""
    ids = await busy_morning(office)
    wrong = {"state": "created", "url": "https://x.example/", "published_at": now()}
    async with office.deps.db.session() as session:
        other = (await session.get_one(Publication, ids["unknown"])).account_id
        values = {field: (wrong | {"account_id": other})[field]}
        if field == "account_id":
            await session.execute(update(Publication).values(release_id=Publication.id))
        await session.execute(
            update(Publication).where(Publication.id == ids["publication"]).values(values)
        )
    text = await (await office.client().get(f"/verify/{ids['publication']}")).text()
    assert "不能证明这条内容是真的" in text
    assert "x.example" not in text
    assert f"publication:{ids['publication']}" in await changed(office)


async def test_an_unknown_one_dressed_up_as_published_proves_nothing(office: Office) -> None:
    """The whole row copied from one that is out, id apart: no signed entry names it."""
    ids = await busy_morning(office)
    async with office.deps.db.session() as session:
        out = await session.get_one(Publication, ids["publication"])
        fields = {"state": "published", "published_at": out.published_at, "seal": out.seal}
        await session.execute(
            update(Publication).where(Publication.id == ids["unknown"]).values(fields)
        )
    text = await (await office.client().get(f"/verify/{ids['unknown']}")).text()
    assert "不能证明这条内容是真的" in text
    assert f"publication:{ids['unknown']}" in await changed(office)


async def test_an_account_renamed_by_sql_lends_no_name(office: Office) -> None:
    ids = await busy_morning(office)
    async with office.deps.db.session() as session:
        await session.execute(update(Account).values(name="某某公司"))
    text = await (await office.client().get(f"/verify/{ids['publication']}")).text()
    assert re.search("青禾(政务|发布)", text)
    assert "某某公司" not in text


async def test_an_account_moved_by_sql_to_another_platform_is_told_where_it_was_signed(
    office: Office,
) -> None:
    ids = await busy_morning(office)
    async with office.deps.db.session() as session:
        row = await session.get_one(Publication, ids["publication"])
        account = await session.get_one(Account, row.account_id)
        true, wrong = ("微信", "Telegram")[:: 1 if account.platform == "wechat" else -1]
        other = "telegram" if account.platform == "wechat" else "wechat"
        await session.execute(update(Account).values(platform=other))
    text = await (await office.client().get(f"/verify/{ids['publication']}")).text()
    (said,) = re.findall(r"<dt>发布账号</dt>\s*<dd>(.*?)</dd>", text, re.DOTALL)
    assert true in said
    assert wrong not in said
    assert f"account:{row.account_id}" in await changed(office)


async def changed(office: Office) -> set[str]:
    async with office.deps.db.session() as session:
        query = select(Incident.subject).where(Incident.kind == "row_changed")
        return set(await session.scalars(query))


@pytest.mark.parametrize("power", ["text", "release", "state"])
async def test_a_changed_database_proves_nothing(office: Office, power: str) -> None:
    ids = await busy_morning(office)
    draft = await office.item()
    async with office.deps.db.session() as session:
        if power == "text":
            await session.execute(
                update(Revision)
                .where(Revision.item_id == ids["published"])
                .values(canonical=Revision.canonical.op("||")(" "))
            )
        elif power == "release":
            await session.execute(
                update(Publication)
                .where(Publication.id == ids["publication"])
                .values(release_id="0" * 26)
            )
        else:  # a draft nobody approved, dressed up as published
            await session.execute(
                update(Publication)
                .where(Publication.id == ids["publication"])
                .values(item_id=draft.id)
            )
    text = await (await office.client().get(f"/verify/{ids['publication']}")).text()
    assert "不能证明这条内容是真的" in text
    assert "属实" not in text


async def test_the_review_form_names_who_decided_what_and_leads_to_the_proof(
    office: Office,
) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("editor")
    status, text = await browser.get(f"/console/items/{ids['published']}/form")
    assert status == 200
    for words in ("政务新媒体信息发布审核表", "张海", "王敏", "赵国强", "初审", "复审", "终审"):
        assert words in text
    assert f"/verify/{ids['publication']}" in text or f"/verify/{ids['unknown']}" in text
    assert "<svg" in text.split('class="qr"', 1)[1][:200]
    groups = re.findall("[0-9a-f]{4}(?: [0-9a-f]{4}){7}", text)
    assert len(groups) == 2


async def test_the_form_of_an_unpublished_item_says_that_the_code_comes_later(
    office: Office,
) -> None:
    row = await office.submitted(BODY)
    browser = await office.signed_in("reviewer1")
    _, text = await browser.get(f"/console/items/{row.id}/form")
    assert "还没有安排发布" in text
    assert "还没有审核" in text
    assert "残废人" in text
    assert 'class="qr"' not in text
    assert (await (await office.signed_in("duty1")).get(f"/console/items/{row.id}/form"))[0] == 403
