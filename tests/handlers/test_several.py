"""Wishes beside each other, by a place in a list, and going on: each is done, or asked back."""

from datetime import date

import pytest

from facets.taxonomy import starting_taxonomy
from handlers.later import later_in
from handlers.picking import by_place, picked
from handlers.resuming import goes_on
from handlers.several import several_in
from handlers.spelling import mended
from tests.handlers.test_conversations import active

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        ("就业退了，消费每天发", "leave rhythm"),
        ("就业退了消费每天发", "leave rhythm"),
        ("全部退订，只订教育", "leave wish"),
        ("就业暂停，消费继续", "leave stay"),
        ("消费别发了就业照旧", "leave stay"),
        ("取消就业，消费改成每周", "leave rhythm"),
        ("就业每周发，消费每天发", "rhythm rhythm"),
        ("都退了，再把我的资料删掉", "leave own"),
        ("退订就业，另外社保怎么交", "leave more"),
        ("都退了吧，再问一句医保电话多少", "leave more"),
        ("就业取消，顺便问下失业金怎么领", "leave more ask"),
    ],
)
def test_each_wish_of_a_message_is_told_apart(words: str, kinds: str) -> None:
    found = several_in(words, starting_taxonomy(), TODAY)
    assert found is not None
    told = [str(part.kind) for part in found.parts]
    told += ["more"] * found.more + ["ask"] * (not found.sure)
    assert " ".join(told) == kinds


SINGLE = """退订就业
退订就业，会不会影响领补贴
全部退订，就业保留
我找到工作了，退订就业
老板说就业取消，消费每天发
全部退订，我不想活了
医保停了，社保怎么交
取消就业登记，改成失业登记"""


def test_what_is_no_message_of_several_wishes() -> None:
    known = starting_taxonomy()
    assert [one for one in SINGLE.split("\n") if several_in(one, known, TODAY)] == []


def test_places_of_a_list_are_read_and_one_beyond_it_is_not_guessed() -> None:
    rows = {
        "第一个退了": [0], "退第二个": [1], "把第1条取消": [0], "2不要了": [1], "退1和3": [0, 2],
        "头一个不要了": [0], "最后一个退了": [2], "前两个都取消": [0, 1], "第四个退了": [],
        "第三个月工资不发了": None, "第一次退税": None, "退2号楼的押金": None,
    }  # fmt: skip
    assert {words: picked(words, 3) for words in rows} == rows
    assert by_place("第一个退了")
    assert not by_place("退1")


GOES = "又可以发了 继续发吧 接着发 可以重新发了 重新开始推送 不用暂停了 暂停取消 恢复就业推送"
STAYS = "继续 不要停 继续教育怎么报名 恢复高考是哪年 接着说 重新办理 继续领低保 我想看看 打开不了"


def test_going_on_is_understood_and_nothing_else_is_taken_for_it() -> None:
    known = starting_taxonomy()
    assert [one for one in GOES.split() if goes_on(one, known) is None] == []
    assert [one for one in STAYS.split() if goes_on(one, known) is not None] == []


LATER = {
    "出差呢，下个月再发": "2026-12-01",
    "下周再发吧": "2026-12-07",
    "等过完年再给我发": "2027-02-14",
    "考试期间先别推送": "",
    "最近忙，先停一停": "",
    "歇一阵子再发": "",
}
NOT_LATER = "下周再发一次工资 想好再发 你们开会再发 几年后再发 下班再收 最近忙 出差补助停发了"


def test_a_pause_told_by_why_or_by_when_to_go_on() -> None:
    found = {words: later_in(words, TODAY) for words in LATER}
    days = {words: str(one.until or "") for words, one in found.items() if one}
    assert days == LATER
    assert [one for one in NOT_LATER.split() if later_in(one, TODAY)] == []


def test_what_is_a_word_of_its_own_is_no_slip() -> None:
    words = "退定金 订月饼 取消非农户口 去消费 占停车位 签订月度合同 推拉门 就也 在家发展 规定月份 "
    words += "没周转 憋气 不在家 收到 推定 定期 固定月薪 取消息税 教育"
    assert [one for one in words.split() if mended(one) != one] == []


async def test_several_wishes_are_done_each_with_its_word(citizen) -> None:
    await citizen.say("订阅就业和消费")
    said = await citizen.say("就业退了消费每天发")
    assert "已退订：就业创业（即时）" in said
    assert "已修改：促进消费（每日）" in said
    assert "没有听懂" in await citizen.say("退订消费，另外社保怎么交")
    assert await active(citizen) == []
    await citizen.say("订阅就业和消费")
    said = await citizen.say("全部退订，只订教育")
    assert "已全部退订，共 2 项" in said
    assert "已订阅：教育" in said
    said = await citizen.say("都退了，再把我的资料删掉")
    assert "已全部退订，共 1 项" in said
    assert "不能恢复。确定吗？" in said


async def test_a_place_in_the_list_ends_that_one_and_no_other(citizen) -> None:
    await citizen.say("订阅就业、消费和打假")
    assert "您的订阅" in await citizen.say("第一个退了")  # no list was shown
    assert "已退订：促进消费" in await citizen.say("第二个别发了")
    assert "您的订阅" in await citizen.say("三个都退")  # they have two
    assert len(await active(citizen)) == 2


async def test_a_pause_is_ended_in_ones_own_words_and_benefits_are_nobodys_subscription(
    citizen,
) -> None:
    await citizen.say("订阅就业")
    await citizen.say("停一周")
    assert "已恢复推送" in await citizen.say("暂停取消")
    assert "已恢复推送" not in await citizen.say("恢复")  # nothing is paused
    await citizen.say("停一周")
    assert "已恢复推送" in await citizen.say("恢复吧")
    for words in ("医保停了", "低保给我取消了"):
        assert "没有听准" not in await citizen.say(words), words
    for words in ("老人看不懂，请取消", "帮我妈取消就业", "招聘信息别给我发了"):
        assert "没有听准" in await citizen.say(words), words
    assert "选择以后才会保存" in await citizen.say("帮孩子关注学校")
    assert "已暂停推送" in await citizen.say("考试期间先别推送")
    assert len(await active(citizen)) == 1
