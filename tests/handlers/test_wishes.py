"""What a citizen wishes in their own words; what was not understood is never passed over."""

import pytest

from facets.taxonomy import parse_taxonomy, starting_taxonomy
from handlers.rhythms_asked import other_rhythm_in, rhythm_in
from handlers.wishes import profile_in, wish_in
from tests.handlers.test_conversations import active


def said(found) -> tuple[list[str], str, list[str]]:
    asked = [":".join(one).rstrip(":") for one in found.asked]
    return asked, found.frequency, sorted(map(str, found.missed))


@pytest.mark.parametrize(
    ("words", "asked", "frequency", "missed"),
    [
        ("订阅土默特左旗的就业政策", ["employment::tumote_zuoqi"], "", []),
        ("关注《内蒙古自治区就业促进办法》", [], "", ["title"]),
        ("订阅《就业促进办法》和消费", ["consumption"], "", ["title"]),
        ("我想收到招聘方面的消息", ["recruitment"], "", []),
        ("我要订就业和消费", ["employment", "consumption"], "", []),
        ("订阅呼和浩特的就业和包头的消费", ["employment::hohhot", "consumption::baotou"], "", []),
        ("订阅呼和浩特的就业和消费", ["employment::hohhot", "consumption::hohhot"], "", []),
        ("请给我推送包头市昆区的招聘信息，每天一次就行", ["recruitment::kundulunqu"], "daily", []),
        ("订阅呼和浩特和包头的就业", ["employment::hohhot", "employment::baotou"], "", []),
        ("订阅毕业生、退役军人的就业", ["employment:graduates", "employment:veterans"], "", []),
        ("我在呼和浩特，想订包头的就业", ["employment::baotou"], "", []),
        ("想收消费券的消息", ["consumption"], "", []),
        ("我想收招聘和打假的消息", ["recruitment", "anti_fake"], "", []),
        ("订阅餐饮行业的消费政策", ["consumption:::catering"], "", []),
        ("订阅就业方面的解读", ["employment::::interpretation"], "", []),
        ("订阅土默特左旗的政策", ["::tumote_zuoqi"], "", []),
        ("订阅呼和浩特及各旗县的就业", ["employment::hohhot+"], "", []),
        ("订阅就业和火星移民", ["employment"], "", ["other"]),
        ("订阅北京市的就业", ["employment"], "", ["place"]),
        ("我在呼和浩特，想订阅消费券", ["consumption::hohhot"], "", []),
        ("订阅维权", ["labour_rights", "buyer_rights"], "", []),
        ("有新的招聘会给我发", ["recruitment"], "", []),
        ("有招聘信息通知我", ["recruitment"], "", []),
        ("以后有新的社保政策通知我", ["labour_social_security"], "", []),
        ("我想要就业方面的", ["employment"], "", []),
        ("给我招聘信息", ["recruitment"], "", []),
        ("来点消费类的消息吧", ["consumption"], "", []),
        ("以后有消费券就告诉我", ["consumption"], "", []),
        ("退役军人创业，订一个", ["startup:veterans"], "", []),
        ("订就业，每周发一次", ["employment"], "weekly", []),
        ("我儿子刚毕业，订就业", ["employment"], "", ["person"]),
        ("每天给我推就业", ["employment"], "daily", []),
        ("小微企业减税的，订阅", [":small_firms"], "", ["other"]),
        # What is named narrows, or is said back.
        ("订阅旅游业的消费政策", ["consumption:::tourism"], "", []),
        ("我想收到旅游业的消费消息", ["consumption:::tourism"], "", []),
        ("订阅呼市的旅游业消费政策", ["consumption::hohhot:tourism"], "", []),
        ("订阅旅游行业的政策", [":::tourism"], "", []),
        ("订阅农业的就业政策", ["employment:::farming"], "", []),
        ("订阅金融行业的就业", ["employment:::finance"], "", []),
        ("订阅家电行业的消费", ["consumption:::smart_appliances"], "", []),
        (
            "订阅旅游业的就业和餐饮业的消费",
            ["employment:::tourism", "consumption:::catering"],
            "",
            [],
        ),
        ("订阅教育行业的就业政策", ["employment"], "", ["industry"]),
        ("订阅矿业的就业政策", ["employment"], "", ["industry"]),
        ("订阅汽车行业的消费", ["consumption"], "", ["industry"]),
        ("订阅孕妇的就业政策", ["employment"], "", ["other"]),
        ("订阅补贴五千以上的就业", ["employment"], "", ["other"]),
        ("订阅消费里的旅游", ["tourism_spending"], "", []),
        ("订阅就业中的招聘", ["recruitment"], "", []),
        ("订阅创业的就业政策", ["startup"], "", []),
        ("订阅教育的就业政策", ["education", "employment"], "", ["pair"]),
        ("订阅旅游", ["tourism_spending"], "", []),
        ("订阅服务业", ["service_sector"], "", []),
        # What is not wanted is not subscribed.
        ("订阅消费，不要旅游", ["consumption"], "", ["except"]),
        ("订阅就业除了招聘", ["employment"], "", ["except"]),
        ("订阅除旅游以外的消费政策", ["consumption"], "", ["except"]),
        ("订阅就业，别发招聘的", ["employment"], "", ["except"]),
        ("只订阅就业，消费不要", ["employment"], "", ["except"]),
        # A rhythm that nobody can choose.
        ("订阅就业 每月", ["employment"], "", ["rhythm"]),
        ("订阅就业，每天早上八点", ["employment"], "daily", ["rhythm"]),
        ("订阅消费 每周三", ["consumption"], "weekly", ["rhythm"]),
        ("想要收到夜市和打假的消息", ["night_economy", "anti_fake"], "", []),
    ],
)
def test_a_wish_is_read_whole(words, asked, frequency, missed) -> None:
    found = wish_in(words, starting_taxonomy())
    assert found is not None
    assert said(found) == (asked, frequency, missed)


@pytest.mark.parametrize(
    "words",
    [
        *(
            "就业有什么补贴",
            "我收到一条就业短信",
            "订家电送货",
            "预订消费券",
            "告诉我就业补贴",
            "我想订酒店",
            "我想订呼和浩特的酒店",
            "就业",
        ),
        *(
            "想收就业补贴",
            "我想收废品",
            "给我发消费券",
            "怎么订阅就业",
            "单位给我发就业补贴",
            "推送",
        ),
    ],
)
def test_what_wishes_for_nothing_is_no_wish(words) -> None:
    assert wish_in(words, starting_taxonomy()) is None


@pytest.mark.parametrize(
    ("words", "topics"),
    [
        ("招聘", "recruitment"), ("培训", "job_training"), ("创业", "startup"),
        ("社保补贴", "social_insurance"), ("失业保险", "jobless_benefit"),
        ("灵活就业社保", "flexible_work"), ("新业态", "new_forms_work"),
        ("三支一扶", "first_jobs"), ("公益性岗位", "job_aid"), ("智慧就业", "job_services"),
        ("新能源汽车", "new_energy_cars"), ("充电桩", "new_energy_cars"),
        ("以旧换新", "trade_in"), ("国补", "trade_in"), ("夜间经济", "night_economy"),
        ("夜市", "night_economy"), ("家电下乡", "appliances"), ("假日消费", "holiday_spending"),
        ("步行街", "shops"), ("旅游消费", "tourism_spending"), ("农畜产品", "farm_goods"),
        ("打假", "anti_fake"), ("消费维权", "buyer_rights"), ("助企纾困", "small_business"),
        ("就业", "employment"), ("消费", "consumption"), ("消费券", "consumption"),
    ],
)  # fmt: skip
def test_the_parts_of_employment_and_consumption_are_found_by_plain_words(words, topics) -> None:
    found = wish_in(f"订阅{words}", starting_taxonomy())
    assert found is not None
    assert [one.topic for one in found.asked] == [topics]
    assert not found.missed


def test_a_place_that_exists_twice_is_not_guessed() -> None:
    found = wish_in("订阅扎旗的就业", starting_taxonomy())
    assert found is not None
    assert [place.key for place in found.doubtful] == ["jarud", "jalaid"]


@pytest.mark.parametrize(
    ("words", "who"),
    [
        ("我是今年毕业的大学生，在呼和浩特", ":graduates:hohhot"),
        ("我是骑手", ":new_forms"),
        ("我是失业人员，在包头", ":unemployed:baotou"),
    ],
)
def test_who_says_who_they_are_is_understood(words, who) -> None:
    found = profile_in(words, starting_taxonomy())
    assert found is not None
    assert said(found)[0] == [who]


@pytest.mark.parametrize("words", ["我是大学生，创业有什么补贴", "我是谁", "我在家等了三天没人来"])
def test_a_question_of_somebody_who_says_who_they_are_stays_a_question(words) -> None:
    assert profile_in(words, starting_taxonomy()) is None


@pytest.mark.parametrize(
    ("words", "frequency", "topics"),
    [
        ("改成每周", "weekly", []),
        ("推送频率改成每天", "daily", []),
        ("每周推送一次就行", "weekly", []),
        ("就业改成即时推送", "immediate", ["employment"]),
        ("一天发一次就好", "daily", []),
        ("别每天发了，一周一次", "weekly", []),
        ("不要每天发，每周发", "weekly", []),
        ("太多了，改成一周一次", "weekly", []),
    ],
)
def test_how_often_is_said_in_words(words, frequency, topics) -> None:
    found = rhythm_in(words, starting_taxonomy())
    assert found is not None
    assert (found.frequency, [one.topic for one in found.asked if one.topic]) == (frequency, topics)


@pytest.mark.parametrize("words", ["我每天发烧", "每天几点推送", "马上", "每周", "每天都发补贴吗"])
def test_what_says_no_rhythm_changes_none(words) -> None:
    assert rhythm_in(words, starting_taxonomy()) is None


@pytest.mark.parametrize(
    ("words", "topics"),
    [
        *((one, []) for one in (
            "每月", "每月一次", "一个月发一次", "改成每月", "一季度发一次", "每两周发一次", "每年",
            "半个月一次", "隔天发一次", "每天两次", "每天早上发", "每周一推送", "按月发", "每小时",
            "工作日推送", "每月1号发", "少发点", "能不能少发点",
            "晚上不要发", "三天一次", "每天", "每周", "即时",
        )),
        ("就业的每月发一次", ["employment"]),
    ],
)  # fmt: skip
def test_a_rhythm_that_nobody_can_choose_is_known_for_one(words, topics) -> None:
    found = other_rhythm_in(words, starting_taxonomy())
    assert found is not None
    assert [one.topic for one in found.asked if one.topic] == topics
    assert rhythm_in(words, starting_taxonomy()) is None


@pytest.mark.parametrize(
    "words",
    ["每月领多少", "社保补贴一年发一次", "我今年毕业", "每月交社保", "马上", "招聘会周末有吗"],
)
def test_a_time_of_another_matter_is_no_rhythm(words) -> None:
    assert other_rhythm_in(words, starting_taxonomy()) is None


# --- in chat ---------------------------------------------------------------------------------


async def test_a_banner_is_kept_and_what_was_not_understood_is_said(citizen) -> None:
    answer = await citizen.say("订阅土默特左旗的就业政策和火星移民")
    assert "已订阅：就业创业、地区 土默特左旗（即时）" in answer
    assert "有一部分没有听懂" in answer
    assert "火星" not in answer  # nothing that was typed is said by the account of a public body
    assert await active(citizen) == [("employment", "", "tumote_zuoqi")]


async def test_one_document_is_no_topic(citizen) -> None:
    answer = await citizen.say("关注《呼和浩特市就业促进办法》")
    assert "书名号里的文件没有办理" in answer
    assert await active(citizen) == []


async def test_another_rhythm_in_words_holds_for_all_or_for_what_was_named(citizen) -> None:
    await citizen.say("订阅就业和消费")
    assert (await citizen.say("改成每周")).count("（每周）") == 2
    assert "已修改：促进消费（每日）" in await citizen.say("消费改成每天推送")
    assert "已修改：就业创业（每周）" in await citizen.say("就业的每周发一次就行")
    listed = await citizen.say("我的订阅")
    assert "· 就业创业（每周）" in listed
    assert "· 促进消费（每日）" in listed


async def test_a_rhythm_we_do_not_have_is_told_and_the_three_are_one_tap_away(citizen) -> None:
    assert "您还没有订阅" in await citizen.say("一个月发一次")
    await citizen.say("订阅就业和消费")
    for words in ("每月", "一个月发一次"):
        assert "推送频率有三种：即时、每日一次、每周一次。不能定别的间隔" in await citizen.say(
            words
        )
    assert (await citizen.tap("每周")).count("（每周）") == 2
    assert "推送频率有三种" in await citizen.say("就业的每月发一次")
    assert "已修改：就业创业（每日）。" in await citizen.say("每日")  # typed, not tapped
    assert "· 促进消费（每周）" in await citizen.say("我的订阅")
    answer = await citizen.say("订阅打假 每月")
    assert "已订阅：打击侵权假冒（即时）" in answer
    assert "推送频率只有即时、每日一次、每周一次三种" in answer


async def test_the_words_of_an_open_choice_are_as_good_as_its_number(citizen) -> None:
    await citizen.say("订阅旅游业的消费政策")
    assert await active(citizen) == [("consumption", "", "")]
    await citizen.tap("限定人群")
    assert "促进消费、人群 高校毕业生、行业 文化旅游" in await citizen.say("高校毕业生。")
    await citizen.tap("限定人群")
    assert "已修改：促进消费、行业 文化旅游（即时）" in await citizen.say("不限")


async def test_the_reply_to_a_second_wish_says_all_that_now_holds(citizen) -> None:
    await citizen.say("订阅就业")
    answer = await citizen.say("我想收到打假方面的消息")
    assert "已订阅：打击侵权假冒（即时）" in answer
    assert "您现在的全部订阅：\n· 就业创业（即时）\n· 打击侵权假冒（即时）" in answer


async def test_who_somebody_is_is_kept_only_once_they_choose(citizen) -> None:
    answer = await citizen.say("我是今年毕业的大学生，在呼和浩特")
    assert "选择以后才会保存" in answer
    assert "《订阅告知》" in answer
    assert await active(citizen) == []
    await citizen.tap("就业创业、人群 高校毕业生、地区 呼和浩特市")
    assert await active(citizen) == [("employment", "graduates", "hohhot")]


async def test_a_sensitive_profile_still_needs_its_own_consent(citizen) -> None:
    await citizen.say("我是残疾人，在赤峰")
    assert "单独同意" in await citizen.tap("就业创业、人群 残疾人、地区 赤峰市")
    assert await active(citizen) == []
    await citizen.tap("同意并订阅")
    assert await active(citizen) == [("employment", "disabled", "chifeng")]


async def test_of_two_places_with_one_name_the_citizen_chooses(citizen) -> None:
    assert "有几处" in await citizen.say("订阅扎旗的就业")
    await citizen.tap("兴安盟 扎赉特旗")
    assert await active(citizen) == [("employment", "", "jalaid")]


async def test_a_part_an_industry_a_kind_and_a_banner_are_chosen_by_button(citizen) -> None:
    await citizen.say("订阅消费")
    await citizen.tap("只要其中一类")
    await citizen.tap("夜间经济")
    await citizen.tap("限定地区")
    await citizen.tap("呼和浩特市")
    await citizen.tap("选到旗县")
    await citizen.tap("土默特左旗")
    await citizen.tap("限定行业")
    await citizen.tap("餐饮")
    await citizen.tap("限定文种")
    assert "夜间经济、地区 土默特左旗、行业 餐饮、文种 解读（即时）" in await citizen.tap("解读")


async def test_an_office_without_the_newer_taxonomy_understands_its_own(office) -> None:
    """What two people signed in an earlier version is read as it was."""
    old = parse_taxonomy(
        {
            "version": 1,
            "dimensions": {
                "topics": {"values": {"employment": {"label": "就业创业", "aliases": ["就业"]}}},
                **{name: {"values": {}} for name in ("groups", "regions", "industries", "kinds")},
            },
        }
    )
    found = wish_in("订阅土默特左旗的就业政策", old)
    assert found is not None
    assert said(found) == (["employment"], "", ["place"])
