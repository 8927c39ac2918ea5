"""Danger is heard in any words, and what only sounds like it is not."""

import json
from collections import Counter
from pathlib import Path

import pytest

from knowledge.danger import CLASSES, danger

KEPT = Path(__file__).parent / "danger.jsonl"
"""Sentences the model was not fitted to, by another writer than those."""


def rows() -> list[dict[str, str]]:
    return [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()]


def test_of_sentences_it_never_saw_it_hears_nine_in_ten_in_every_class() -> None:
    in_danger = [row for row in rows() if row["class"] != "none"]
    told = Counter(row["class"] for row in in_danger)
    heard = Counter(row["class"] for row in in_danger if danger(row["text"]))
    assert set(told) == set(CLASSES)
    assert heard.total() >= 0.92 * told.total()
    assert not {name: heard[name] for name in told if heard[name] < 0.8 * told[name]}


def test_of_sentences_that_only_sound_like_it_few_are_taken_for_danger() -> None:
    other = [row["text"] for row in rows() if row["class"] == "none"]
    assert len(other) >= 250
    assert sum(bool(danger(text)) for text in other) <= 0.02 * len(other)


def test_english_pinyin_and_mongolian_are_heard_in_their_class_and_without_false_alarm() -> None:
    path = Path(__file__).parent / "danger_abroad.jsonl"
    kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {row["class"] for row in kept} == {*CLASSES, "none"}
    heard = {row["text"]: danger(row["text"]) or "none" for row in kept}
    assert heard == {row["text"]: row["class"] for row in kept}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("我不想活了", "self_harm"),
        ("低保补贴停了，我不想活了", "self_harm"),
        ("保险公司不赔付，我要喝农药", "self_harm"),
        ("想轻生", "self_harm"),
        ("割腕了", "self_harm"),
        ("我家着火了", "fire"),
        ("厨房里一股煤气味，头晕", "gas"),
        ("我妈突然倒在地上叫不醒", "illness"),
        ("老公打我", "home"),
        ("孩子放学没回来，到处找不到人", "missing"),
        ("有人掉河里了", "water"),
        ("有人触电了", "electric"),
        ("刚给骗子转了三万块钱怎么办", "fraud"),
        ("有人拿刀堵在我家门口", "threat"),
        ("我想問低保，我真的不想活了", "self_harm"),  # in traditional characters too
        ("ＨＥＬＰ　我家 着 火 了！！！", "fire"),
    ],
)
def test_what_was_missed_once_is_heard(text: str, kind: str) -> None:
    assert danger(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "灵活就业社保补贴怎么领",
        "去年家里着火了能领多少救助金",
        "着火了能领多少救助金",
        "消防救援站招聘什么时候报名",
        "老公打电话说社保断缴了怎么补",
        "孩子的医保卡找不到了怎么补办",
        "自来水停了两天什么时候来水",
        "今天真是累死我了，办个证跑了三趟",
        "怎么办离婚",
        "我是失业人员，在包头",
        "我失业了，人在包头",
        "我是环卫工，在集宁",
        "本人残疾人，现居包头九原",
        "我是护工，在霍林郭勒",
        "我是建档立卡户，在科左中旗",
    ],
)
def test_money_bills_and_ways_of_speaking_are_no_danger(text: str) -> None:
    assert danger(text) == ""


def test_inside_a_long_message_it_still_hears_eight_in_ten_and_no_look_alike() -> None:
    before = "您好，我的慢病要重新认定，去年的病历找不到了。我腿脚不好，让儿子代办行不行"
    after = "下个月驾驶证也到期，人在外地，体检要去指定的医院做吗"
    heard = Counter(
        bool(danger(f"{before}，{row['text']}，{after}"))
        for row in rows()
        if row["class"] != "none"
    )
    assert heard[True] >= 0.8 * heard.total()
    other = [row["text"] for row in rows() if row["class"] == "none"]
    assert sum(bool(danger(f"{before}，{text}，{after}")) for text in other) <= 0.01 * len(other)


def test_a_few_words_of_danger_amid_a_plain_question_are_heard() -> None:
    said = "我想跳楼 我割腕了 我活不下去了 我家着火了 厨房冒烟了 我爸晕倒了 有人触电了 他拿着刀"
    amid = [f"低保停了三个月，{one}，我的医保也停了，找谁问" for one in said.split()]
    assert [text for text in amid if not danger(text)] == []


def test_danger_at_the_end_of_a_long_story_is_heard() -> None:
    story = "您好，我是去年从苏木搬到旗里的，想问一下易地搬迁后社保关系怎么转，材料都交到窗口了。"
    assert danger(story * 6 + "家里人都不要我了，我真的不想活了。") == "self_harm"
    assert danger(story * 12) == ""


DECIDED = """录取 录用 聘用 提拔 表扬 评上 选中 抽中 保送 分配 调岗 辞退 开除 裁 裁员
优化掉 解雇 解聘 劝退 除名 清退 退档 淘汰 刷下来 降薪 停职 停保 拒签 拒保
驳回 扣分 罚款 拖欠工资 起诉 限高 封号"""
DONE = """打 打伤 殴打 强奸 性侵 猥亵 家暴 掐脖子 锁在屋里 威胁 跟踪 绑架 拐卖 敲诈
勒索 骗 诈骗 骚扰 恐吓 捅 砍 咬 抢劫 虐待 囚禁 拘禁 困 电 烫伤 烧伤 撞
追杀 欺负 霸凌 下药 偷拍 逼债 催债 抓走 赶出家门"""


CALM = """算了 不知道 我不知道 我不用了 不去了 我不去了 我不办了 我不问了 不说了 我知道了 我明白了
我不要了 我不领了 我等不了了 不想等了 我不想交社保了 我不报名了"""


def test_a_courtesy_is_no_danger_and_hides_none() -> None:
    assert [one for one in CALM.split() if danger(one)] == []
    assert [one for one in CALM.split() if not danger(f"{one}，我要跳楼")] == []
    assert danger("我走了")  # a farewell may be one


def test_what_was_decided_of_somebody_is_no_danger_and_hides_none() -> None:
    decided, done = DECIDED.split(), DONE.split()
    by = ["我被{}了", "我被公司{}了", "我被{}了怎么办"]
    assert [form.format(one) for form in by for one in decided if danger(form.format(one))] == []
    assert [one for one in done if not danger(f"我被{one}了")] == []
    assert [one for one in decided if danger(f"我被{one}了，我不想活了") != "self_harm"] == []
    assert danger("我被公司辞退了，老公打我") == "home"
    assert danger("我被老师强奸了")


def test_what_was_done_to_somebody_is_heard_whoever_did_it() -> None:
    """我被…了 is how victims say it: sentences of what is harmless must not teach it away."""
    people = ["老公", "同学", "邻居", "老师", "同事", "陌生人", "前男友", "亲戚"]
    deeds = ["打了", "打伤了", "猥亵了", "家暴了", "掐了脖子", "锁在屋里了", "强奸了", "威胁了"]
    said = [f"我被{who}{what}" for who in people for what in deeds]
    assert len([text for text in said if danger(text)]) >= 0.95 * len(said)
