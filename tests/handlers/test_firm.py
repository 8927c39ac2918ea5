"""涉企政策 by what a firm is, sensitive groups and a changed notice, on both platforms."""

from sqlalchemy import select

from bot.contract import InboundKind
from bot.models import Contact
from facets.taxonomy import starting_taxonomy
from subscriptions.models import Subscription
from subscriptions.subscribers import CONSENT_VERSION, Subscribers, Wish
from tests.handlers.test_conversations import active


async def criteria(citizen) -> list[tuple[str, str, str, str]]:
    async with citizen.office.db.session() as session:
        query = select(Subscription).where(
            Subscription.contact_id == citizen.contact.id, Subscription.state == "active"
        )
        rows = (await session.scalars(query)).all()
    return [(row.topic, row.group, row.region, row.industry) for row in rows]


async def test_a_firm_chooses_industry_size_and_region_and_only_then_is_anything_kept(
    citizen,
) -> None:
    await citizen.menu("sub")
    assert "哪个行业" in await citizen.tap("按企业情况订阅")
    assert "什么规模" in await citizen.tap("餐饮")
    assert "哪个地区" in await citizen.tap("个体工商户")
    said = await citizen.tap("呼和浩特市")
    assert "选择以后才会保存" in said
    assert "《订阅告知》" in said
    assert await criteria(citizen) == []
    await citizen.tap("小微和个体扶持、人群 个体工商户、地区 呼和浩特市、行业 餐饮")
    assert await criteria(citizen) == [("small_business", "self_employed", "hohhot", "catering")]
    assert citizen.taps <= 6


async def test_it_begins_by_plain_words_and_every_step_can_be_passed_over(citizen) -> None:
    assert "哪个行业" in await citizen.say("我要订阅涉企政策")
    await citizen.tap("不限")
    await citizen.tap("中小微企业")
    await citizen.tap("不限")
    await citizen.tap("小微和个体扶持、人群 中小微企业")
    assert await criteria(citizen) == [("small_business", "small_firms", "", "")]


async def test_nobody_is_asked_for_a_firm_who_did_not_choose_it(citizen) -> None:
    for words in ("订阅就业", "我的订阅", "帮助", "我在包头"):
        assert "企业属于" not in await citizen.say(words)


async def test_a_button_of_last_month_begins_anew_and_keeps_nothing(citizen) -> None:
    for key in ("firm:gone", "firm:catering:gone", "firm:a:b:c:d", "firm:-:-:gone"):
        said = (await citizen.act(InboundKind.BUTTON, key=key)).text
        assert "已失效" in said
        assert "哪个行业" in said
    assert await criteria(citizen) == []


async def test_a_notice_of_another_version_is_agreed_to_anew_or_left(citizen) -> None:
    subscribers = Subscribers(starting_taxonomy())
    async with citizen.office.ledger.transaction() as tx:
        contact = await tx.session.get_one(Contact, citizen.contact.id)
        await subscribers.subscribe(tx, contact, Wish("employment"), "2025-01")
    assert f"《订阅告知》已更新为 {CONSENT_VERSION} 版" in await citizen.say("我的订阅")
    assert "已失效" in (await citizen.act(InboundKind.BUTTON, key="consent:2025-01")).text
    await citizen.say("我的订阅")
    assert "您同意《订阅告知》" in await citizen.tap("同意新版告知")
    assert "已更新" not in await citizen.say("我的订阅")
    assert await active(citizen) == [("employment", "", "")]
    async with citizen.office.db.session() as session:
        row = (await session.scalars(select(Subscription))).one()
        contact = await session.get_one(Contact, citizen.contact.id)
    assert row.consent_version == contact.consent_version == CONSENT_VERSION
