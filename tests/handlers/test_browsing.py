"""Looking through policies by topic, and coming in by the code of a poster, on both platforms."""

from datetime import date

import pytest

from bot.contract import InboundKind
from bot.scenes import scene_of, topic_in
from config.clock import now
from facets.taxonomy import starting_taxonomy
from handlers.commands import CommandWiring
from handlers.dispatch import build_dispatcher
from handlers.masking import mask
from knowledge.changes import policy_kinds
from knowledge.documents import PolicyDraft
from knowledge.followed import PolicyNames
from knowledge.library import PolicyLibrary, Repeal
from staff.models import Staff
from staff.proposals import Proposals
from subscriptions.subscribers import Subscribers
from tests.handlers.conftest import Citizen
from tests.handlers.test_conversations import active
from tests.made import hire


async def nothing_found(title: str, text: str) -> list:
    return []


async def shelved(office, *titles: str) -> dict[str, str]:
    """These documents in the signed library of the office, and a dispatcher that knows it."""
    async with office.db.session() as session:
        for login in ("admin1", "admin2"):
            session.add(
                Staff(id=login, login=login, name=login, roles=["admin"], password_hash="",
                      created_at=now())
            )  # fmt: skip
    await hire(office.ledger, {"admin1": ["admin"], "admin2": ["admin"]})
    library = PolicyLibrary(Proposals(office.ledger, policy_kinds(office.ledger, nothing_found)))
    ids = {}
    for title in titles:
        draft = PolicyDraft(
            title=title,
            text=f"{title}\n\n第一条 招聘会、招聘信息和用人单位招聘岗位的发布，按本办法办理。",
            doc_number="青政发〔2026〕9号",
            issuer="青禾县人民政府",
            issued_on=date(2026, 3, 1),
            url="https://www.qinghe.example/9.html",
        )
        (made,) = await library.propose_import([draft], "admin1")
        await library.approve(made.change_id, "admin2")
        ids[title] = made.policy_id
    names = PolicyNames(office.ledger)
    wiring = CommandWiring(
        db=office.db,
        templates=office.templates,
        contacts=office.contacts,
        subscribers=Subscribers(starting_taxonomy(), names.title),
        tickets=office.tickets,
        mask=mask,
        fresh=names.refresh,
        policies=names,
    )
    office.dispatcher = build_dispatcher(wiring, office.cache, office.ask, office.note_told)
    office.library = library
    return ids


TITLE = "青禾县招聘会管理办法"


async def test_from_the_menu_to_a_followed_document_in_under_six_taps(citizen: Citizen) -> None:
    await shelved(citizen.office, TITLE)
    assert "要看哪一类" in await citizen.menu("browse")
    assert "分为以下几类" in await citizen.tap("就业创业")
    assert "现行有效的文件共 1 份" in await citizen.tap("招聘信息")
    said = await citizen.tap(TITLE)
    for part in (
        "文号：青政发〔2026〕9号",
        "有效性：现行有效",
        "https://www.qinghe.example/9.html",
    ):
        assert part in said
    assert f"已关注：文件《{TITLE}》" in await citizen.tap("关注这份文件")
    assert citizen.taps < 6


async def test_a_topic_is_browsed_by_its_name_and_a_question_stays_a_question(citizen) -> None:
    await shelved(citizen.office, TITLE)
    assert "分为以下几类" in await citizen.say("浏览就业创业")
    assert TITLE in await citizen.tap("看全部") + str(citizen.last)
    assert TITLE in await citizen.say("看看招聘信息的政策") + str(citizen.last)
    assert "还没有" not in await citizen.say("查看招聘信息怎么发布")
    assert citizen.office.asked == ["查看招聘信息怎么发布"]
    assert "没有标为“夜间经济”" in await citizen.say("浏览夜间经济")


async def test_what_ended_is_not_listed_and_an_old_button_says_how_it_stands(citizen) -> None:
    ids = await shelved(citizen.office, TITLE)
    await citizen.say("浏览招聘信息")
    old = f"doc:{ids[TITLE]}"
    made = await citizen.office.library.propose_repeal(
        Repeal(ids[TITLE], date(2026, 11, 1)), "admin1"
    )
    await citizen.office.library.approve(made.change_id, "admin2")
    assert "没有标为" in await citizen.say("浏览招聘信息")
    said = (await citizen.act(InboundKind.BUTTON, key=old)).text
    assert "有效性：已废止" in said
    assert "关注这份文件" not in str(citizen.last)
    for key in ("doc:nothing", "browse:gone", "browse:recruitment:0", "browse:recruitment:9"):
        assert (await citizen.act(InboundKind.BUTTON, key=key)).text
    assert "已失效" in (await citizen.act(InboundKind.BUTTON, key="browse:gone")).text
    assert "要看哪一类" in citizen.last.text


async def test_more_documents_than_fit_come_in_pages(citizen) -> None:
    titles = [f"青禾县招聘会和招聘信息发布管理工作若干规定第{n}号文件" for n in range(1, 9)]
    await shelved(citizen.office, *titles)
    first = await citizen.say("浏览招聘信息")
    shown = str(citizen.last)
    second = await citizen.tap("下一页")
    assert "共 8 份" in first
    assert len(first.encode()) <= 2048
    shown += second + str(citizen.last)
    assert all(title in shown for title in titles)


# --- a poster ---------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["employment", "new_energy_cars"])
def test_a_scene_says_its_topic_and_nothing_else_is_one(topic) -> None:
    assert topic_in(scene_of(topic)) == topic
    for scene in ("", topic, "at-", "at-a b", "at-" + "x" * 61, f"x{scene_of(topic)}", "at-就业"):
        assert topic_in(scene) == ""
    assert scene_of("a:b") == scene_of("就业") == scene_of("x" * 61) == ""


async def test_a_scan_asks_for_consent_first_and_then_keeps_the_topic_of_the_poster(
    citizen,
) -> None:
    follow = {"telegram": ("/start at-employment", ""), "wechat": ("", "qrscene_at-employment")}
    words, key = follow[citizen.platform]
    said = (await citizen.act(InboundKind.FOLLOW, words, key)).text
    assert "您好，这里是青禾发布" in said
    assert "“就业创业”的订阅码" in said
    assert "《订阅告知》" in said
    assert await active(citizen) == []
    await citizen.tap("同意并订阅 就业创业")
    assert await active(citizen) == [("employment", "", "")]


async def test_who_follows_already_is_asked_the_same_and_may_decline(citizen) -> None:
    said = await citizen.menu("at-consumption")
    assert "“促进消费”的订阅码" in said
    assert "您好" not in said
    assert "没有改动" in await citizen.tap("不订阅")
    assert await active(citizen) == []


async def test_a_poster_older_than_the_taxonomy_and_any_other_link_lose_nobody(citizen) -> None:
    follow = {"telegram": ("/start at-gone", ""), "wechat": ("", "qrscene_at-gone")}
    words, key = follow[citizen.platform]
    assert "主题已经调整" in (await citizen.act(InboundKind.FOLLOW, words, key)).text
    assert "选择要订阅的主题" in await citizen.tap("订阅政策")
    plain = await citizen.act(InboundKind.FOLLOW, words.replace("at-gone", "x"), "qrscene_7")
    assert "您好，这里是青禾发布" in plain.text
    assert await active(citizen) == []
