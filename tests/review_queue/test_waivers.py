"""A blocking finding may stand when another person says why, for exactly these bytes."""

from typing import Any

import pytest
from sqlalchemy import text

from bot.contract import NotReleased
from review_queue import drafting, submitting, waivers
from review_queue.findings import findings_now
from staff.refusal import Refused
from tests.made import a_finding

FINDING = {
    "gate": "law",
    "rule": "ad-superlative",
    "severity": "block",
    "field": "text",
    "start": 0,
    "end": 3,
    "text": "第一段",
    "reason": "绝对化用语",
    "basis": "广告法第九条",
}


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


async def blocked(office: Any, **more: Any) -> Any:
    office.blocking.append(a_finding(**(FINDING | more)))
    return await office.submitted()


async def test_a_waived_finding_lets_the_chain_go_on_and_is_seen_later(office: Any) -> None:
    item = await blocked(office)
    await waivers.waive(office.queue, item.id, office.people["reviewer1"], FINDING, "引用文件原文")
    _, found = await findings_now(office.queue, item.id)
    assert found[0].waived is not None
    assert (found[0].waived.by, found[0].waived.reason) == ("reviewer1", "引用文件原文")
    for who in ("reviewer1", "reviewer2", "reviewer3"):
        item = await office.decide(item, who)
    await office.releases.verify(item.release_id)
    chain = await office.releases.chain(item.id)
    assert "引用文件原文" not in str([entry.body for entry in chain.entries])


@pytest.mark.parametrize(
    ("who", "more", "reason", "rule"),
    [
        ("editor", {}, "原文如此", "author"),
        ("editor", {}, "原文如此", "role"),
        ("reviewer1", {}, " ", "reason"),
        ("reviewer1", {"waivable": False}, "原文如此", "waivable"),
        ("reviewer1", {"gate": "secrecy"}, "原文如此", "secrecy_role"),
        ("reviewer1", {"severity": "warn"}, "原文如此", "severity"),
    ],
)
async def test_a_waiver_is_refused(
    office: Any, who: str, more: dict[str, Any], reason: str, rule: str
) -> None:
    item = await blocked(office, **more)
    with pytest.raises(Refused) as caught:
        await waivers.waive(office.queue, item.id, office.people[who], FINDING | more, reason)
    assert rule in rules(caught)


async def test_an_edit_voids_it_even_when_the_text_comes_back(office: Any) -> None:
    item = await blocked(office)
    editor = office.people["editor"]
    await waivers.waive(office.queue, item.id, office.people["reviewer1"], FINDING, "引用文件原文")
    item = await drafting.edit(office.queue, item.id, editor, item.version, {"title": "别的标题"})
    item = await drafting.edit(
        office.queue, item.id, editor, item.version, {"title": "关于发放就业补贴的通知"}
    )
    item = await submitting.submit(office.queue, item.id, editor, item.version)
    with pytest.raises(Refused) as caught:
        await office.decide(item, "reviewer1")
    assert rules(caught) == {"finding"}


async def test_it_covers_neither_another_place_nor_another_rule(office: Any) -> None:
    item = await blocked(office)
    await waivers.waive(office.queue, item.id, office.people["reviewer1"], FINDING, "引用文件原文")
    for who in ("reviewer1", "reviewer2", "reviewer3"):
        item = await office.decide(item, who)
    for more in ({"start": 4, "end": 7, "text": "第二段"}, {"rule": "other"}, {"waivable": False}):
        office.blocking[:] = [a_finding(**(FINDING | more))]
        with pytest.raises(NotReleased, match="绝对化用语"):
            await office.releases.verify(item.release_id)
    office.blocking[:] = [a_finding(**FINDING)]
    await office.releases.verify(item.release_id)


async def test_a_waiver_written_by_sql_covers_nothing(office: Any) -> None:
    item = await office.approved()
    office.blocking.append(a_finding(**FINDING))
    async with office.queue.db.session() as session:
        digest = (await session.execute(text("SELECT digest FROM revision"))).scalar_one()
        await session.execute(
            text(
                "INSERT INTO waiver (id, item_id, digest, gate, rule, span, reason, staff_id, at,"
                f" ledger_seq) VALUES ('w', '{item.id}', '{digest}', 'law', 'ad-superlative',"
                f" :span, '好', '{office.people['reviewer1']}', '2030-01-01 00:00:00', 5)"
            ),
            {"span": '{"field":"text","start":0,"end":3,"text":"第一段"}'},
        )
    with pytest.raises(NotReleased, match="绝对化用语"):
        await office.releases.verify(item.release_id)
