"""A consultation on the phones: opened by two, written to, decided, released, told of once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config.clock import beijing, now
from escalations.conclusions import draft_summary
from escalations.consultations import KIND, consultation_of
from escalations.models import Consultation, Opinion, Ticket
from escalations.opinions import Given, decide, opinions_of
from office.told_conclusions import ToldConclusions
from review_queue import publishing
from review_queue.models import Item
from staff.refusal import Refused
from tests.office.both import Both, both, until

TITLE = "青禾县停车管理办法"
DAY = 86_400


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        yield made


def payload(about: str, days: int = 30, **more: object) -> dict[str, object]:
    today = beijing(now()).date()
    return {
        "title": TITLE,
        "about": about,
        "accounts": ["qinghe-tg", "qinghe-wx"],
        "begins": today.isoformat(),
        "ends": (today + timedelta(days=days - 1)).isoformat(),
        "result_by": (today + timedelta(days=days + 20)).isoformat(),
        "promise": "逐条研究，采纳与否都写明理由，随结果公布。",
    } | more


async def released(town: Both, title: str) -> str:
    await town.publish(title)
    async with town.talk.shenfa.db.session() as session:
        return str(await session.scalar(select(Item.id).where(Item.title == title)))


async def opened(town: Both) -> Consultation:
    shenfa, people = town.talk.shenfa, town.talk.people
    about, proposals = await released(town, "停车管理办法征求意见"), shenfa.governance.proposals
    # Faults come together; fewer than thirty days need their reason, and one person is not two.
    wrong = payload("0" * 26, 10, title="", accounts=["nowhere"])
    with pytest.raises(Refused) as refused:
        await proposals.propose(KIND, wrong, people["editor"], "征求对办法的意见")
    rules = {one.rule for one in refused.value.reasons}
    assert rules == {"title", "accounts", "about", "shorter"}
    row = await proposals.propose(KIND, payload(about), people["editor"], "征求对办法的意见")
    with pytest.raises(Refused):
        await proposals.approve(row.id, people["editor"])
    done = await proposals.approve(row.id, people["reviewer3"])
    return await consultation_of(shenfa.ledger, str(done["consultation"]))


async def test_a_suggestion_is_received_answered_and_its_writer_told_once(town: Both) -> None:
    shenfa, people = town.talk.shenfa, town.talk.people
    first, second = await town.citizen("telegram"), await town.citizen("telegram")
    third, quiet = await town.citizen("wechat"), await town.citizen("telegram")
    await town.say("telegram", first, "提意见")
    assert await town.told("telegram", first, "现在没有正在进行的意见征集")
    row = await opened(town)
    # In two messages, in one, and on the other platform.
    await town.say("telegram", first, "提意见")
    assert await town.told("telegram", first, f"请写下您对“{TITLE}”的意见")
    await town.say("telegram", first, "学校门口应当多划车位，我的电话13800138000")
    assert await town.told("telegram", first, f"已收到您对“{TITLE}”的意见")
    await town.say("telegram", second, "我要对《停车管理办法》提意见：夜间不要收费")
    assert await town.told("telegram", second, "已收到您对")
    await town.say("wechat", third, "我要对《停车管理办法》提意见：医院门口先免一小时")
    assert await town.told("wechat", third, "已收到您对")
    # Who writes nothing, takes back, or is forgotten is told nothing later.
    await town.say("telegram", quiet, "我要对《停车管理办法》提意见：不要涨价")
    assert await town.told("telegram", quiet, "已收到您对")
    await town.tap("telegram", quiet, data=f"unopine:{(await kept(town, row))[-1].id}")
    assert await town.told("telegram", quiet, "这条意见已撤回并删除")
    rows = await kept(town, row)
    assert rows[0].text == "学校门口应当多划车位，我的电话［手机号］"
    assert len(rows) == 3
    async with shenfa.db.session() as session:
        assert not (await session.scalars(select(Ticket))).all()
    with pytest.raises(Refused, match="还没有结束"):
        await draft_summary(shenfa.queue, row.id, people["editor"])
    await town.move(31 * DAY)
    await town.say("telegram", quiet, "我要对《停车管理办法》提意见：不要涨价")
    assert await town.told("telegram", quiet, "不再收意见")
    given = Given("部分采纳", "已在第三条增加，但不作硬性要求", "车位")
    await decide(shenfa.ledger, row, [rows[0].id, rows[2].id], given, people["editor"])
    with pytest.raises(Refused, match="还有 1 条意见没有写明"):
        await draft_summary(shenfa.queue, row.id, people["editor"])
    no = Given("未采纳", "夜间周转同样紧张", "收费")
    await decide(shenfa.ledger, row, [rows[1].id], no, people["editor"])
    item_id = await draft_summary(shenfa.queue, row.id, people["editor"])
    with pytest.raises(Refused, match="已经起草"):
        await draft_summary(shenfa.queue, row.id, people["editor"])
    told = ToldConclusions(shenfa.ledger, shenfa.matching)
    assert await told.tell_due() == 0
    await publish(town, item_id)
    await town.say("wechat", third, "谢谢")  # within the platform's window again
    assert (await told.tell_due(), await told.tell_due()) == (3, 0)
    await town.deliver()
    for platform, who in (("telegram", first), ("telegram", second), ("wechat", third)):
        assert await town.told(platform, who, "您参加的意见征集已有结果")
        assert sum("已有结果" in one for one in await town.got(platform, who)) == 1
    assert not [one for one in await town.got("telegram", quiet) if "已有结果" in one]


async def test_forgotten_and_forged_opinions_count_for_nothing(town: Both) -> None:
    shenfa, people = town.talk.shenfa, town.talk.people
    row = await opened(town)
    who, other = await town.citizen("telegram"), await town.citizen("telegram")
    for one in (who, other):
        await town.say("telegram", one, "我要对《停车管理办法》提意见：多划车位")
        assert await town.told("telegram", one, "已收到您对")
    await town.say("telegram", who, "忘记我")
    assert await town.told("telegram", who, "删除")
    await town.tap("telegram", who, data="forget:yes")
    assert await until(lambda: _count(town, 1), 8)
    assert (await opinions_of(shenfa.ledger, row.id)).missing == 0
    # Somebody writes one by SQL, and later deletes a true one.
    await town.talk.sql(
        "INSERT INTO opinion (id, consultation_id, contact_id, text, at, seal) SELECT "
        "'f' || substr(id, 2), consultation_id, contact_id, '假的', at, seal FROM opinion"
    )
    assert [one.text for one in await kept(town, row)] == ["多划车位"]
    await town.talk.sql("DELETE FROM opinion WHERE text <> '假的'")
    await town.move(31 * DAY)
    with pytest.raises(Refused, match="绕过本系统删改"):
        await draft_summary(shenfa.queue, row.id, people["editor"])
    assert ("row_changed", "opinion") in {
        (kind, subject.split(":")[0]) for kind, subject in await town.talk.incidents()
    }


async def _count(town: Both, wanted: int) -> bool:
    async with town.talk.shenfa.db.session() as session:
        return len((await session.scalars(select(Opinion.id))).all()) == wanted


async def kept(town: Both, row: Consultation) -> list[Opinion]:
    return [*(await opinions_of(town.talk.shenfa.ledger, row.id)).rows]


async def publish(town: Both, item_id: str) -> None:
    shenfa, talk = town.talk.shenfa, town.talk
    async with shenfa.db.session() as session:
        item = await session.get_one(Item, item_id)
    item = await talk.approve(await talk.submitted(item), "reviewer1", "reviewer2", "reviewer3")
    await publishing.schedule(shenfa.queue, item.id, talk.people["editor"])
    await shenfa.publisher.publish_due()
    assert await until(town._out, 15)
