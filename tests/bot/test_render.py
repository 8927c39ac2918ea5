"""Renderings: deterministic, within the platforms' limits, document numbers whole."""

import json

from bot.render import REASON_FIELD, fill_reason, units
from bot.telegram.rendering import problems_telegram, render_telegram, split_telegram
from bot.wechat.rendering import DEFAULT_COVER, problems_wechat, render_wechat
from tests.bot.conftest import content

PICTURE = "sha256:" + "a" * 64


def test_the_same_content_renders_to_the_same_json_twice() -> None:
    for render in (render_wechat, render_telegram):
        first, second = (json.dumps(render(content()), sort_keys=True) for _ in range(2))
        assert first == second


def test_wechat_article_escapes_text_and_keeps_pictures_as_markers() -> None:
    article = render_wechat(content(body=f"<script>甲</script>\n![图]({PICTURE})"))["article"]
    assert "<script>" not in article["content"]
    assert f'src="{PICTURE}"' in article["content"]
    assert "style=" in article["content"]
    assert article["thumb"] == PICTURE


def test_an_article_without_picture_gets_the_plain_cover() -> None:
    assert render_wechat(content())["article"]["thumb"] == DEFAULT_COVER


def test_every_broken_wechat_limit_is_named_at_once() -> None:
    rendering = render_wechat(content(title="长" * 33, body="字" * 20_000))
    problems = problems_wechat(rendering)
    assert any("标题" in problem for problem in problems)
    assert any("正文" in problem for problem in problems)
    assert problems_wechat(render_wechat(content())) == []


def test_attribution_lines_stand_at_the_end_of_both() -> None:
    told = content(attribution={"source": "甲局", "original_author": "乙", "editor": "丙"})
    text = render_telegram(told)["parts"][-1]["text"]
    assert text.endswith("来源：甲局\n原作者：乙\n编辑：丙")
    assert "来源：甲局" in render_wechat(told)["article"]["content"]


def test_the_bold_title_is_measured_in_utf16_units() -> None:
    entity = render_telegram(content(title="😀就业"))["parts"][0]["entities"][0]
    assert entity == {"type": "bold", "offset": 0, "length": 4}


def test_long_text_splits_within_4096_units_and_never_inside_a_document_number() -> None:
    number = "青政办发〔2024〕12号"
    for filler in range(4080, 4097):
        text = "字" * filler + number + "字" * 3000
        parts = split_telegram(text)
        assert all(units(part) <= 4096 for part in parts)
        assert "".join(parts) == text
        assert any(number in part for part in parts)


def test_text_of_wide_characters_splits_by_units_not_characters() -> None:
    parts = split_telegram("😀" * 5000)
    assert all(units(part) <= 4096 for part in parts)
    assert sum(len(part) for part in parts) == 5000


def test_the_reason_fills_only_the_closed_field_at_the_end() -> None:
    push = render_telegram(content(title="标题{reason}"))["push"]["text"]
    assert push.endswith(REASON_FIELD)
    filled = fill_reason(push, "您订阅了就业")
    assert filled.endswith("为什么收到：您订阅了就业")
    assert filled.startswith("标题{reason}")


def test_telegram_has_no_problem_with_a_long_notice() -> None:
    assert problems_telegram(render_telegram(content(body="段落。\n" * 3000))) == []
