"""No row that somebody wrote keeps a citizen from leaving, or a push from everybody else."""

import pytest
from sqlalchemy import text

from storage.database import Base
from tests.office.test_subscribers_forged import Town, town

__all__ = ["town"]
DELIVERIES = Base.metadata.tables["delivery"]
PUSH = "招聘会本周六举行"
DEEP = "'" + "[" * 200_000 + "'"


async def by_sql(town: Town, statement: str, **values: str) -> None:
    async with town.talk.shenfa.db.session() as session:
        await session.execute(text(statement), values)


async def pushed(town: Town) -> set[str]:
    await town.publish(PUSH)
    while await town.talk.shenfa.sender.deliver_due():
        pass
    return await town.got(PUSH)


@pytest.mark.parametrize("change", [f"data = {DEEP}", "seal = x'ff'", "updated_at = x'ff'"])
async def test_a_citizen_leaves_whatever_stands_in_their_conversation(
    town: Town, change: str
) -> None:
    named = ""
    for number, words in enumerate(("退订", "忘记我", "退订就业")):
        own = await town.citizen(f"leaver {number}", "订阅就业")
        await by_sql(town, f"UPDATE chat_draft SET {change} WHERE contact_id = :id", id=own)
        assert await town.talk.says(words)
        if words == "忘记我":
            assert "已删除" in await town.talk.says("1")
        named = own
    assert await pushed(town) == set()
    assert await town.talk.incidents() == [("row_changed", f"chat_draft:{named}")]


async def test_a_subscription_that_cannot_be_read_is_left_all_the_same(town: Town) -> None:
    for words in ("退订", "关闭精准推送", "退订就业"):
        own = await town.citizen(words, "订阅就业")
        await by_sql(town, "UPDATE subscription SET created_at='x' WHERE contact_id=:id", id=own)
        assert await town.talk.says(words)
    assert await pushed(town) == set()


async def test_bytes_for_a_seal_are_a_wrong_seal_and_stop_nobody_else(town: Town) -> None:
    one = await town.citizen("one", "订阅就业")
    await town.citizen("two", "订阅就业")
    await town.publish(PUSH)
    rows = await town.rows(DELIVERIES, contact_id=one)
    (own,) = [row["id"] for row in rows if row["release_id"]]
    await by_sql(town, "UPDATE delivery SET seal = x'ff' WHERE id = :id", id=own)
    while await town.talk.shenfa.sender.deliver_due():
        pass
    assert await town.got(PUSH) == {"two"}
    assert ("row_changed", f"delivery:{own}") in await town.talk.incidents()
    await by_sql(town, "UPDATE publication SET seal = x'ff'")
    assert PUSH in await town.talk.says("最新发布")  # by its signed entry, whatever its row
    await by_sql(town, "UPDATE account SET seal = x'ff' WHERE slug = 'qinghe-tg'")
    (account,) = {row["account_id"] for row in rows}
    with pytest.raises(ValueError, match="签名"):  # nothing is done with it any more
        await town.talk.shenfa.accounts.open(account)
    told = {subject.split(":")[0] for _, subject in await town.talk.incidents()}
    assert told == {"account", "delivery", "publication"}
