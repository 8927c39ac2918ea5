"""Who follows a policy is told once of what becomes of it, on both platforms, as phones show."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from bot.models import Delivery
from config.clock import beijing, now
from knowledge.documents import PolicyDraft
from knowledge.forms import AMEND
from knowledge.library import Amendment, Repeal, amendment_payload
from office.policy_followers import PolicyFollowers
from subscriptions.hours import next_at
from tests.office.both import Both, both

PLATFORMS = ("telegram", "wechat")
TITLE = "青禾县高校毕业生就业见习补贴办法"
NEXT = "青禾县就业见习管理办法"


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        await made.talk.post("limits", telegram=False)
        await at(made, 10)
        yield made


async def at(town: Both, hour: int, days: int = 0) -> None:
    """The next time it is this o'clock in Beijing, so many days later."""
    then = next_at(now() + timedelta(minutes=1), hour) + timedelta(days=days)
    # From the machine's own now, which no clock of the office shifts.
    await town.move((then - datetime.now(UTC)).total_seconds())


async def policy(town: Both, title: str, text: str, **more: Any) -> str:
    """A document that two people let in."""
    library, people = town.talk.shenfa.library, town.talk.people
    given = {"doc_number": "", "issuer": "青禾县人民政府", "issued_on": date(2026, 3, 1), **more}
    draft = PolicyDraft(title=title, text=f"{title}\n\n{text}", **given)
    (made,) = await library.propose_import([draft], people["admin1"])
    await library.approve(made.change_id, people["admin2"])
    return made.policy_id


async def amend(town: Both, policy_id: str) -> None:
    library, people = town.talk.shenfa.library, town.talk.people
    words = "第二条 见习期间给予见习补贴，每人每月1500元。"
    change = Amendment(policy_id, beijing(now()).date(), [(2, words)])
    made = await library.propose(AMEND, amendment_payload(change), people["admin1"], "提高标准")
    await library.approve(made.change_id, people["admin2"])


async def repeal(town: Both, policy_id: str, successor: str) -> None:
    library, people = town.talk.shenfa.library, town.talk.people
    change = Repeal(policy_id, beijing(now()).date(), successor)
    made = await library.propose_repeal(change, people["admin1"])
    await library.approve(made.change_id, people["admin2"])


async def told(town: Both) -> None:
    """The job, twice as two workers do it, and whatever is due is sent."""
    shenfa = town.talk.shenfa
    job = PolicyFollowers(shenfa.ledger, shenfa.matching).tell_due
    await job()
    await job()
    await town.deliver()


async def says(town: Both, platform: str, who: str, words: str) -> str:
    """What comes back."""
    before = len(await town.got(platform, who))
    await town.say(platform, who, words)
    for _ in range(1200):
        got = await town.got(platform, who)
        if len(got) > before:
            return got[-1]
        await asyncio.sleep(0.05)
    return ""


async def heard(town: Both, platform: str, who: str, words: str) -> int:
    return sum(words in one for one in await town.got(platform, who))


GRANT = """第一条 为了支持高校毕业生就业见习，制定本办法。
第二条 见习期间给予见习补贴，每人每月1000元。
"""


async def test_a_followed_policy_is_told_of_once_when_it_changes_and_when_it_ends(
    town: Both,
) -> None:
    policy_id = await policy(town, TITLE, GRANT)
    people = {one: await town.citizen(one) for one in PLATFORMS}
    for platform, who in people.items():
        assert f"已关注：文件《{TITLE}》（有变化时告知）" in await says(
            town, platform, who, f"关注《{TITLE}》"
        )
        assert f"· 文件《{TITLE}》（有变化时告知）" in await says(town, platform, who, "我的订阅")
    await told(town)
    for platform, who in people.items():
        assert await heard(town, platform, who, "有修改") == 0
    await amend(town, policy_id)
    await told(town)
    for platform, who in people.items():
        assert await heard(town, platform, who, f"您关注的《{TITLE}》") == 1
        assert await heard(town, platform, who, "为什么收到：您关注了这份文件") == 1
    successor = await policy(town, NEXT, GRANT)
    # One of them leaves by name: of what comes later they are told nothing.
    leaver = await town.citizen("telegram")
    await says(town, "telegram", leaver, f"关注《{TITLE}》")
    assert "已退订" in await says(town, "telegram", leaver, f"取消关注《{TITLE}》")
    await repeal(town, policy_id, successor)
    await told(town)
    for platform, who in people.items():
        assert await heard(town, platform, who, "已废止") == 1
        assert await heard(town, platform, who, f"现行文件：《{NEXT}》") == 1
    assert await heard(town, "telegram", leaver, "已废止") == 0
    said = await says(town, "wechat", people["wechat"], f"关注《{TITLE}》")
    assert "不能再关注" in said
    assert f"1. 关注《{NEXT}》" in said
    assert f"已关注：文件《{NEXT}》" in await says(town, "wechat", people["wechat"], "1")


async def test_an_application_that_closes_soon_is_told_once_and_not_at_night(town: Both) -> None:
    night = 'version: 1\nquiet_from: "22:00"\nquiet_until: "07:00"\ndigest_hour: 9\n'
    await town.talk.change("pushing", night)
    last = beijing(now()).date() + timedelta(days=5)
    words = f"第一条 见习补贴的申请截止日期为{last.year}年{last.month}月{last.day}日。\n"
    await policy(town, TITLE, words)
    people = {one: await town.citizen(one) for one in PLATFORMS}
    leaver = await town.citizen("telegram")
    for platform, who in (*people.items(), ("telegram", leaver)):
        assert "已关注" in await says(town, platform, who, f"关注《{TITLE}》")
    await told(town)
    await at(town, 23, days=2)  # three days before its last one
    await told(town)
    for platform, who in people.items():
        assert await heard(town, platform, who, "申请截止日期是") == 0
    # Who leaves in between is not told in the morning, although the message was made.
    assert "已全部退订" in await says(town, "telegram", leaver, "退订")
    await at(town, 8)
    await told(town)
    assert await heard(town, "telegram", people["telegram"], f"申请截止日期是 {last}") == 1
    assert await heard(town, "telegram", leaver, "申请截止日期是") == 0
    # WeChat takes nothing 48 hours after a message: it comes with the next one, once.
    assert await heard(town, "wechat", people["wechat"], "申请截止日期是") == 0
    await says(town, "wechat", people["wechat"], "帮助")
    await town.deliver()
    assert await town.told("wechat", people["wechat"], f"申请截止日期是 {last}")
    await told(town)
    assert await heard(town, "wechat", people["wechat"], "申请截止日期是") == 1


async def test_nothing_is_told_of_a_policy_or_a_follow_changed_by_sql(town: Both) -> None:
    policy_id = await policy(town, TITLE, GRANT)
    other = await policy(town, NEXT, GRANT)
    one, two = [await town.citizen("telegram") for _ in range(2)]
    await says(town, "telegram", one, f"关注《{TITLE}》")
    await says(town, "telegram", two, f"关注《{NEXT}》")
    # Led to a policy its citizen never chose; and a repeal that nobody signed.
    async with town.talk.shenfa.db.session() as session:
        await session.execute(
            text("UPDATE subscription SET policy = :other WHERE policy = :mine"),
            {"other": other, "mine": policy_id},
        )
        await session.execute(text("UPDATE policy SET repealed_on = '2026-01-01'"))
    await told(town)
    async with town.talk.shenfa.db.session() as session:
        await session.execute(text("UPDATE policy SET repealed_on = NULL"))
    await amend(town, other)
    await told(town)
    assert await heard(town, "telegram", one, "您关注的") == 0
    assert await heard(town, "telegram", two, "您关注的") == 1
    async with town.talk.shenfa.db.session() as session:
        keys = [*await session.scalars(select(Delivery.content_key))]
    assert sum(key.startswith("follow:") for key in keys) == 1
