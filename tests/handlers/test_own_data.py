"""The rights of a citizen over what is kept of them: told, no longer used, deleted."""

import pytest
from sqlalchemy import select, text

from bot.contract import InboundKind
from bot.models import InboundMessage
from config.clock import beijing, now
from facets.taxonomy import starting_taxonomy
from handlers.own_data import PAGE, paged
from handlers.own_words import own_key
from storage.database import new_id
from subscriptions.matching import Matching
from subscriptions.models import Subscription
from tests.handlers.test_conversations import active
from tests.made import turn


@pytest.mark.parametrize(
    ("words", "key"),
    [
        *((one, "tags") for one in ("关闭精准推送", "请帮我把精准推送关掉", "取消智能推荐吧")),
        *((one, "precise") for one in ("恢复精准推送", "把精准推送打开", "重新开启个性化推送")),
        *((one, "untag") for one in ("删除我的标签", "把我的标签删掉", "我的标签全部删除")),
        *(
            (one, "export")
            for one in (
                "导出我的数据", "我想下载我的个人信息", "你们保存了我哪些信息？",
                "你们有我的什么信息",
            )
        ),
        *(
            (one, "")
            for one in (
                "关闭企业怎么办", "精准推送是什么", "怎么关闭精准推送的定位", "删除我的订阅",
                "数据局在哪里", "导出企业名单", "导出", "我的信息填错了怎么改", "标签打印机补贴",
            )
        ),
    ],
)  # fmt: skip
def test_words_about_ones_own_data_are_understood_and_nothing_like_them(words, key) -> None:
    assert own_key(words) == key


def test_a_page_of_the_export_fits_and_no_line_is_cut() -> None:
    lines = ["· " + "就业创业、人群 高校毕业生" * (1 + n % 3) for n in range(60)]
    pages = paged(lines)
    assert [line for page in pages for line in page] == lines
    assert all(len("\n".join(page).encode()) <= PAGE for page in pages)


async def served(citizen, audience) -> int:
    """How many an editor with this audience reaches now."""
    async with citizen.office.db.session() as session:
        count = Matching(starting_taxonomy()).count
        return await count(session, audience, [citizen.contact.account_id])


HOHHOT = {"topics": ["employment"], "regions": ["hohhot"]}
BAOTOU = {"topics": ["employment"], "regions": ["baotou"]}


async def test_closed_precise_push_serves_by_topic_alone_and_can_be_opened_again(citizen) -> None:
    await citizen.say("订阅呼和浩特的就业")
    assert (await served(citizen, HOHHOT), await served(citizen, BAOTOU)) == (1, 0)
    said = await citizen.menu("tags")
    assert "只按您选的主题和文种推送" in said
    assert "就业创业、地区 呼和浩特市（即时，精准推送已关）" in said
    assert await active(citizen) == [("employment", "", "")]
    assert (await served(citizen, HOHHOT), await served(citizen, BAOTOU)) == (1, 1)
    assert "（即时，精准推送已关）" in await citizen.say("我的订阅")
    assert "（即时）" in await citizen.say("恢复精准推送")
    assert await active(citizen) == [("employment", "", "hohhot")]
    assert (await served(citizen, HOHHOT), await served(citizen, BAOTOU)) == (1, 0)


async def test_what_was_only_a_place_rests_while_precise_push_is_closed(citizen) -> None:
    await citizen.say("订阅土默特左旗的政策")
    assert "精准推送已关，暂不推送" in await citizen.say("把精准推送关掉")
    audience = {"topics": ["employment"]}
    assert await served(citizen, audience) == 0
    # 恢复推送 ends a pause, and no choice about traits.
    assert "暂不推送" in await citizen.say("恢复推送")
    assert await served(citizen, audience) == 0
    await citizen.say("恢复精准推送")
    assert await served(citizen, audience) == 1


async def test_what_is_chosen_while_it_is_closed_is_meant(citizen) -> None:
    await citizen.say("订阅呼和浩特的就业")
    await citizen.say("关闭精准推送")
    await citizen.say("我的订阅")
    async with citizen.office.db.session() as session:
        row = (await session.scalars(select(Subscription))).one()
    await citizen.act(InboundKind.BUTTON, key=f"r:{row.id}:baotou")
    assert await active(citizen) == [("employment", "", "baotou")]
    assert "没有使用" not in await citizen.say("关闭精准推送")


async def test_deleted_tags_cannot_be_opened_again_and_topics_stay(citizen) -> None:
    await citizen.say("订阅呼和浩特的就业")
    await citizen.say("订阅土默特左旗的政策")
    await citizen.say("关闭精准推送")
    assert "不能恢复" in await citizen.say("把我的标签都删掉")
    await citizen.say("恢复精准推送")
    assert await active(citizen) == [("employment", "", "")]
    async with citizen.office.db.session() as session:
        rows = (await session.execute(text("SELECT * FROM subscription"))).all()
    assert "hohhot" not in str(rows)
    assert "tumote" not in str(rows)


async def test_who_chose_only_topics_is_told_that_nothing_needs_closing(citizen) -> None:
    await citizen.say("订阅就业")
    assert "不需要关闭" in await citizen.menu("tags")


async def test_closing_and_deleting_work_while_answers_are_stopped(citizen) -> None:
    await citizen.say("订阅呼和浩特的就业")
    await turn(citizen.office.ledger, "answers")
    assert "已关闭精准推送" in await citizen.say("不要个性化推送")
    assert "已删除" in await citizen.say("删除我的标签")


async def test_the_export_says_all_that_is_kept_by_kind_and_repeats_no_typed_word(citizen) -> None:
    await citizen.say("订阅呼和浩特的就业 每周")
    await citizen.say("高校毕业生创业补贴有多少")
    await citizen.say("我家门口的井盖坏了谁来修")
    await citizen.tap("转人工")
    async with citizen.office.db.session() as session:
        session.add(
            InboundMessage(
                id=new_id(), account_id="x", contact_id=citizen.contact.id, dedupe="1",
                kind="text", text="井盖坏了", at=now(), handled_at=now(),
            )
        )  # fmt: skip
    assert "看和管理" in await citizen.menu("data")
    said = await citizen.tap("导出我的数据")
    today = beijing(now()).date().isoformat()
    for part in (
        f"· 您在本账号的编号：加密保存，{today} 起，同意的《订阅告知》",
        f"· 订阅：就业创业、地区 呼和浩特市（每周），{today} 起",
        f"· 您发来的消息和按键：1 条（{today} 至 {today}）",
        "· 给您的推送记录：没有",
        "· 向您引用过的政策条文和问答：没有",
        "· 咨询单 ",
        "没有保存您的姓名",
    ):
        assert part in said
    assert "井盖" not in said


async def test_a_long_export_comes_in_pages_that_fit_the_platform(citizen) -> None:
    for place in ("土默特左旗", "昆都仑区", "乌拉特后旗", "科尔沁左翼中旗", "鄂伦春自治旗"):
        for group in ("高校毕业生", "新就业形态劳动者"):
            await citizen.say(f"订阅{place}的就业 {group} 每周")
    first = await citizen.say("导出我的数据")
    second = await citizen.tap("下一页")
    assert (first + second).count("· 订阅：") == 10
    for said in (first, second):
        assert len(said.encode()) <= 2048
    assert "已失效" in (await citizen.act(InboundKind.BUTTON, key="export:9")).text


async def test_an_old_copy_of_a_row_brings_back_nothing_that_was_closed(citizen) -> None:
    """The row as it was before, put back with its seal, serves nobody."""
    await citizen.say("订阅呼和浩特的就业")
    db = citizen.office.db
    async with db.session() as session:
        old = (await session.execute(select(Subscription.__table__))).one()._asdict()
    await citizen.say("关闭精准推送")
    table = Subscription.metadata.tables["subscription"]
    async with db.session() as session:
        await session.execute(table.update().values(old))
    assert "您还没有订阅" in await citizen.say("我的订阅")


async def test_the_seal_covers_what_is_set_aside(citizen) -> None:
    await citizen.say("订阅呼和浩特的就业")
    await citizen.say("关闭精准推送")
    async with citizen.office.db.session() as session:
        await session.execute(text("UPDATE subscription SET aside = ':baotou:'"))
    assert "您还没有订阅" in await citizen.say("我的订阅")
    assert "没有改动" in await citizen.say("恢复精准推送")
