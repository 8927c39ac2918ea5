"""Numbers as people write them are choices; a year, a sum or a sentence is none."""

import pytest

from bot.contract import Inbound, InboundKind
from config.clock import now
from handlers.choosing import chosen
from handlers.masking import normal
from handlers.subscribing import weighs

KEYS = [f"k{number}" for number in range(1, 13)]


@pytest.mark.parametrize(
    "text",
    ["1", "１", "1.", "1、", "选1", "【1】", "第一个", "第1个", "①", "⑴", "1️⃣", "我选第一项吧",
     "（1）", "1号，谢谢", "一", "回复1"],
)  # fmt: skip
def test_every_way_of_writing_one_is_the_first(text: str) -> None:
    assert chosen(normal(text), KEYS) == "k1"


@pytest.mark.parametrize(("text", "key"), [("十一", "k11"), ("第十个", "k10"), ("选 12", "k12")])
def test_more_than_nine_is_counted(text: str, key: str) -> None:
    assert chosen(normal(text), KEYS) == key


@pytest.mark.parametrize(
    "text", ["2026", "13", "0", "1.5", "五千元", "第一条补贴怎么领", "1万元", "", "选"]
)
def test_what_is_no_choice_stays_a_question(text: str) -> None:
    assert chosen(normal(text), KEYS) == ""


@pytest.mark.parametrize(
    ("text", "may_be"),
    [("1", True), ("选1", True), ("1、", True), ("【1】", True), ("第一个", True), ("十二", True),
     ("2026", False), ("第一条补贴怎么领", False), ("你好", False)],
)  # fmt: skip
def test_what_may_be_a_choice_waits_for_an_earlier_act(text: str, *, may_be: bool) -> None:
    """It may be the one that subscribes, and the act before it the one that leaves."""
    said = Inbound("a", "telegram", "x", InboundKind.TEXT, now(), "d", text)
    assert weighs(said) is may_be
