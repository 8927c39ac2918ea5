"""A correction says to every reader what it corrects, in the bytes that are reviewed. Pure."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.channels import CHANNELS
from bot.contract import Content
from bot.picture_message import message_text
from review_queue.canonical import Corrects
from storage.cache import MemoryCache
from tests.bot.conftest import content
from tests.bot.made import article, words

LINE = "本文更正此前发布的《周末办理时间》：下班时间由五点改为六点"
CORRECTION: dict[str, Any] = {
    "kind": "更正",
    "changes": "下班时间由五点改为六点",
    "corrected": "周末办理时间",
}
TEXTS = [content(**CORRECTION), replace(article([words("办理到下午六点。")]), **CORRECTION)]


@pytest.mark.parametrize("platform", CHANNELS)
@pytest.mark.parametrize("text", TEXTS, ids=["lines", "blocks"])
def test_the_line_stands_in_what_each_channel_publishes(platform: str, text: Content) -> None:
    channel = CHANNELS[platform](MemoryCache())
    rendering = json.dumps(channel.render(text), ensure_ascii=False)
    assert rendering.count(LINE) == 1
    assert channel.problems(channel.render(text)) == []
    plain = json.dumps(channel.render(replace(text, corrected="")), ensure_ascii=False)
    assert "本文更正" not in plain


def test_a_title_with_brackets_is_words_and_no_markup() -> None:
    odd = replace(TEXTS[0], corrected="<b>甲</b>&乙")
    shown = json.dumps(CHANNELS["wechat"](MemoryCache()).render(odd), ensure_ascii=False)
    assert "《&lt;b&gt;甲&lt;/b&gt;&amp;乙》" in shown


def test_a_picture_message_says_it_first() -> None:
    blocks = TEXTS[1].blocks
    assert blocks is not None
    assert message_text(TEXTS[1], blocks).startswith(LINE)


def test_what_was_approved_before_there_was_a_title_keeps_its_form() -> None:
    assert Corrects("i", "d").data() == {"item": "i", "digest": "d"}
    assert Corrects("i", "d", "改了").data() == {"item": "i", "digest": "d", "changes": "改了"}
    named = Corrects("i", "d", "改了", "旧题")
    assert named.data()["title"] == "旧题"
    assert named.same_text(Corrects("i", "d"))
    assert not named.same_text(Corrects("i", "e"))
    assert not named.same_text(None)
