"""Somebody with SQL changes rows between approval and sending; the real platforms get nothing."""

import secrets
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.accounts import Accounts
from bot.contract import Content, State
from bot.models import Account, Publication
from review_queue import drafting, publishing, submitting
from review_queue.drafting import Origin
from review_queue.models import Item
from storage.crypt import DataKey
from storage.media import keep
from tests.bot.conftest import Platforms, platforms
from tests.console.office import Office
from tests.console.test_same_digest import accounts_at, captured, picture, send

__all__ = ["platforms"]  # the fixture of that room, used here


class Sending:
    """One item approved for Telegram alone and scheduled; WeChat was never decided on."""

    def __init__(self, office: Office, sandbox: Platforms) -> None:
        self.office, self.sandbox = office, sandbox
        self.crypt = DataKey(secrets.token_bytes(32))
        self.accounts: Accounts
        self.ids: dict[str, str] = {}

    async def ready(self) -> "Sending":
        self.accounts = await accounts_at(self.office, self.sandbox, self.crypt)
        async with self.office.deps.db.session() as session:
            rows = (await session.scalars(select(Account))).all()
            self.ids = {row.platform: row.id for row in rows}
        return self

    async def scheduled(self, title: str = "服务大厅开放时间") -> Item:
        queue, people = self.office.deps.queue, self.office.people
        async with self.office.deps.db.session() as session:
            cover = await keep(session, picture("navy"), "image/png")
        content = Content(kind="原创", title=title, body="从下周起上午九点开门。", cover=cover)
        only = (self.ids["telegram"],)
        row = await drafting.create_item(
            queue, content, Origin(people["editor"], "重要", accounts=only)
        )
        row = await submitting.submit(queue, row.id, people["editor"], row.version)
        for login in ("reviewer1", "reviewer2", "reviewer3"):
            row = await self.office.decide(row, login)
        return await publishing.schedule(queue, row.id, people["editor"])

    async def sql(self, words: str, **values: Any) -> None:
        async with self.office.deps.db.session() as session:
            await session.execute(text(words), values)

    async def send(self) -> dict[str, Publication]:
        await send(self.office, self.sandbox, self.accounts, self.crypt)
        async with self.office.deps.db.session() as session:
            return {row.item_id: row for row in (await session.scalars(select(Publication))).all()}

    async def received(self) -> int:
        methods = ("sendPhoto", "sendMessage", "draft/add", "freepublish/submit", "mass/sendall")
        return sum([len(await captured(self.sandbox, method)) for method in methods])


@pytest.fixture
async def sending(office: Office, platforms: Platforms) -> Sending:
    return await Sending(office, platforms).ready()


async def test_untouched_rows_are_sent(sending: Sending) -> None:
    item = await sending.scheduled()
    assert (await sending.send())[item.id].state == State.PUBLISHED
    assert await sending.received() > 0


async def test_an_account_nobody_approved_gets_nothing(sending: Sending) -> None:
    item = await sending.scheduled()
    await sending.sql("UPDATE publication SET account_id = :a", a=sending.ids["wechat"])
    assert (await sending.send())[item.id].state == State.HELD
    assert await sending.received() == 0


async def test_the_release_of_another_item_carries_nothing_out(sending: Sending) -> None:
    first, second = await sending.scheduled("第一篇"), await sending.scheduled("第二篇")
    await sending.sql("DELETE FROM publication WHERE item_id = :i", i=second.id)
    await sending.sql(
        "UPDATE publication SET release_id = :r WHERE item_id = :i",
        r=second.release_id,
        i=first.id,
    )
    assert (await sending.send())[first.id].state == State.HELD
    assert await sending.received() == 0


async def test_a_release_made_up_for_an_unapproved_item_carries_nothing_out(
    sending: Sending,
) -> None:
    item = await sending.scheduled()
    await sending.sql("UPDATE publication SET release_id = 'forged', digest = 'forged'")
    assert (await sending.send())[item.id].state == State.HELD
    assert await sending.received() == 0


async def test_a_picture_swapped_behind_its_marker_is_not_sent(sending: Sending) -> None:
    item = await sending.scheduled()
    async with sending.office.deps.db.session() as session:
        other = await keep(session, picture("red"), "image/png")
    await sending.sql(
        "UPDATE blob SET content = (SELECT content FROM blob WHERE sha256 = :o) WHERE sha256 != :o",
        o=other.removeprefix("sha256:"),
    )
    row = (await sending.send())[item.id]
    assert row.state == State.HELD
    assert "摘要不符" in row.reason
    assert await sending.received() == 0


async def test_an_accounts_secrets_written_anew_open_nothing(sending: Sending) -> None:
    item = await sending.scheduled()
    await sending.sql("UPDATE account SET secrets = 'gAAAAA-not-ours'")
    assert (await sending.send())[item.id].state == State.HELD
    assert await sending.received() == 0
