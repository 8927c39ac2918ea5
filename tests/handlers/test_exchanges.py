"""Two wishes in one sentence, and wishes for somebody else."""

import pytest

from facets.taxonomy import starting_taxonomy
from handlers.exchanges import exchange_in, keeps_in, parted_in
from tests.handlers.test_conversations import active
from tests.handlers.test_leaving_in_chat import STATES


@pytest.mark.parametrize(
    ("words", "old", "new"),
    [
        ("取消就业改订消费", "employment", "消费"),
        ("取消就业，改订消费", "employment", "消费"),
        ("退订就业，订阅消费", "employment", "消费"),
        ("退订就业 订阅消费和打假", "employment", "消费和打假"),
        ("取消消费订阅就业", "consumption", "就业"),
        ("把就业换成消费", "employment", "消费"),
        ("就业改成消费", "employment", "消费"),
        ("就业不要了换成消费", "employment", "消费"),
        ("就业退了，给我订消费", "employment", "消费"),
        ("不要就业了，订阅消费", "employment", "消费"),
        ("取消就业换打假", "employment", "打假"),
        ("不要旅游，订阅消费", "tourism_spending", "消费"),
    ],
)
def test_one_is_exchanged_for_the_other(words: str, old: str, new: str) -> None:
    found = exchange_in(words, starting_taxonomy())
    assert found is not None
    assert ([one.key for one in found.facets], found.wish) == ([old], f"订阅{new}")


KEEPS = """只留消费其他都退
只留消费，其他退订
除了消费都退订
除消费以外全部退订
只保留消费，别的全取消
退订所有，除了消费
其他都退，留下消费
保留消费，其余退掉
只要消费，别的都不要
剩下的都取消，只留消费
消费的留着别的不要"""


def test_what_is_to_stay_is_told_from_what_goes() -> None:
    known = starting_taxonomy()
    for words in KEEPS.split("\n"):
        assert [facet.key for facet in keeps_in(words, known)] == ["consumption"], words


async def test_of_two_names_told_apart_in_one_breath_neither_ends_unasked(citizen) -> None:
    await citizen.say("订阅就业和消费")
    for words in ("消费的可以发就业的别发", "我不订就业了我订消费"):
        assert "您的订阅：\n· 就业创业（即时）\n· 促进消费（即时）" in await citizen.say(words), (
            words
        )
    for words in ("只发消费的", "只要就业的"):
        assert "没有听准" in await citizen.say(words), words
    assert "不能恢复。确定吗？" in await citizen.say("停止推送并删除我的个人信息")
    assert len(await active(citizen)) == 2


PARTED = """取消订阅就业留消费
取消就业，保留消费
退订就业但是留下消费
就业不要了，消费留着
消费留着就业退了
消费保留，就业退掉
把就业退了，留消费
保留消费取消就业
留着消费，退订就业
只发消费不发就业"""


def test_what_goes_beside_what_stays_is_told_from_it() -> None:
    known = starting_taxonomy()
    for words in PARTED.split("\n"):
        assert [facet.key for facet in parted_in(words, known)] == ["employment"], words


@pytest.mark.parametrize(
    "words",
    [
        "取消就业登记改成失业登记",
        "消费改成每天推送",
        "就业改成即时推送",
        "就业的地区改成包头",
        "把地址换成呼和浩特",
        "取消公积金贷款换低保",
        "我不要户口要编制",
        "取消低保换成特困供养怎么办",
        "能不能把就业换成消费",
        "其他都退了押金没退",
        "除了身份证其他都不要吗",
        "只要身份证其他都不要",
        "只订阅就业，消费不要",
        "退订就业和消费",
    ],
)
def test_what_exchanges_nothing(words: str) -> None:
    known = starting_taxonomy()
    assert exchange_in(words, known) is None
    assert keeps_in(words, known) == parted_in(words, known) == ()


@pytest.mark.parametrize("before", STATES.values(), ids=STATES)
async def test_both_wishes_of_a_sentence_are_done_each_with_its_word(citizen, before) -> None:
    for earlier in before:
        await citizen.say(earlier)
    said = await citizen.say("取消就业改订打假")
    assert "已退订：就业创业" in said
    assert "已订阅：打击侵权假冒（即时）" in said
    assert "您现在的全部订阅：\n· 促进消费（即时）\n· 打击侵权假冒（即时）" in said
    said = await citizen.say("只留消费其他都退")
    assert "已退订：打击侵权假冒（即时）" in said
    assert await active(citizen) == [("consumption", "", "")]
    assert "没有听准" in await citizen.say("只留就业其他都退")  # they have none of it
    await citizen.say("取消打假改订残疾人的就业")  # nothing of theirs, and a consent that is owed
    assert await active(citizen) == [("consumption", "", "")]


OTHERS = """帮我妈订阅就业
帮我爸订阅就业
给我儿子订阅就业政策
给孩子订阅就业
我妈想订阅就业
帮朋友订一下就业
代父母订阅就业
替我老婆关注就业
给我妈订就业政策
我家孩子要订阅就业"""


async def test_who_subscribes_for_another_is_told_whose_it_is(office) -> None:
    for words in OTHERS.split("\n"):
        citizen = await office.citizen()
        said = await citizen.say(words)
        assert "已订阅：就业创业（即时）" in said, words
        assert "订阅只能订在您自己的账号上" in said, words


@pytest.mark.parametrize(
    "words",
    [
        "我就业了，退订消费",
        "暂停就业退订消费",
        "取消就业订阅和消费订阅",
        "取消就业的订阅和消费",
        "不要就业订阅消费订阅",
        "退订就业的订阅 消费的订阅",
        "取消就业关注和消费关注",
        "社保换成医保",
        "不要贷款，只要公积金",
    ],
)
def test_what_is_to_go_is_never_subscribed(words: str) -> None:
    assert exchange_in(words, starting_taxonomy()) is None


async def test_what_may_be_about_anything_ends_nothing_unasked(office) -> None:
    citizen = await office.citizen()
    await citizen.say("订阅打假")
    await citizen.say("订阅旅游")
    before = await active(citizen)
    assert len(before) == 2
    assert "已退订" not in await citizen.say("只留打假，其他都停")
    assert await active(citizen) == before
    await citizen.say("只留打假，其他都退订")
    assert len(await active(citizen)) == 1
