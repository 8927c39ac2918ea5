"""Articles of blocks on both channels: nothing is lost, nothing is over a limit, marks fit."""

import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks.document import Document, Made, Table
from blocks.text import from_plain
from bot.contract import Content
from bot.render import units
from bot.telegram.rendering import problems_telegram, render_telegram, shown_telegram
from bot.wechat.article import columns_of
from bot.wechat.rendering import problems_wechat, render_wechat
from sandbox.wechat.saved import filtered, saved_again
from tests.blocks.made import DOCUMENTS, MEDIA
from tests.bot.conftest import content
from tests.bot.made import article, dense, table, words

many = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def said_in(part: Any) -> Iterator[str]:
    """Every text of a document's data, in order."""
    if isinstance(part, list):
        for one in part:
            yield from said_in(one)
    elif isinstance(part, dict):
        for name in ("text", "alt", "caption", "name"):
            if dense(part.get(name, "")):
                yield dense(part[name])
        for name in ("runs", "cells", "rows", "items", "below"):
            yield from said_in(part.get(name) or [])


class Words(HTMLParser):
    """What a reader, or who has it read aloud, is told by an article."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said.append(dict(attrs).get("alt") or "")

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def wechat_words(made: Content) -> str:
    reader = Words()
    reader.feed(render_wechat(made)["article"]["content"])
    reader.close()
    return dense("".join(reader.said))


@many
@given(DOCUMENTS)
def test_a_wechat_article_has_every_word_in_order(document: Document) -> None:
    said, at = wechat_words(article(document)), 0
    wide = any(isinstance(one, Table) and columns_of(one) > 6 for one in document.blocks)
    for words_ in said_in(document.data()):
        if wide:  # its heads stand before each field
            assert words_ in said
            continue
        found = said.find(words_, at)
        assert found >= 0, (words_, said[at:])
        at = found + len(words_)


@many
@given(DOCUMENTS)
def test_an_article_outlives_the_platforms_filter_and_its_back_office(document: Document) -> None:
    """Neither taking the draft nor saving it there by hand changes a byte of it."""
    shown = render_wechat(article(document))["article"]["content"]
    shown = shown.replace(MEDIA, "https://wx/wechat/media/1")
    assert filtered("https://wx", shown, {"1"}) == shown
    assert saved_again(shown) == shown


@many
@given(DOCUMENTS)
def test_telegram_messages_have_every_word(document: Document) -> None:
    parts = render_telegram(article(document))["parts"]
    said = dense("".join(part["text"] for part in parts))
    for words_ in said_in(document.data()):
        assert words_ in said


@many
@given(DOCUMENTS, st.sampled_from(["", MEDIA, "sha256:" + "c" * 64]), st.sampled_from(list(Made)))
def test_no_message_is_over_a_limit_and_marks_lie_between_whole_characters(
    document: Document, cover: str, made: Made
) -> None:
    parts = render_telegram(article(document, cover=cover, made=made))["parts"]
    assert parts
    for part in parts:
        text, pictures = part["text"], part.get("pictures", [])
        assert units(text) <= (1024 if pictures else 4096)
        assert text or pictures
        assert text == text.strip()
        assert len(part["entities"]) <= 100
        assert len(pictures) <= 10
        raw = text.encode("utf-16-le")
        for entity in part["entities"]:
            start, end = entity["offset"], entity["offset"] + entity["length"]
            assert 0 <= start < end <= units(text)
            raw[start * 2 : end * 2].decode("utf-16-le")  # no half of a pair


@many
@given(DOCUMENTS)
def test_a_preview_shows_what_is_sent(document: Document) -> None:
    rendering = render_telegram(article(document))
    shown = shown_telegram(rendering)
    assert shown is not None
    assert [one.text for one in shown.messages] == [part["text"] for part in rendering["parts"]]
    pictures = [MEDIA for one in shown.messages for _ in (one.photo, *one.album) if _]
    assert len(pictures) == sum(one.kind == "picture" for one in document.blocks)


def test_paragraphs_and_pictures_alone_look_as_they_did_before_there_were_blocks() -> None:
    body = f"第一段 <甲> & 乙\n![图]({MEDIA})\n末段"
    plain = content(body=body)
    blocks = content(body=body, blocks=from_plain(body))
    before, after = render_wechat(plain), render_wechat(blocks)
    assert before["article"] == after["article"]
    text = "第一段。\n第二段。"
    before, after = (
        render_telegram(content(body=text)),
        render_telegram(content(body=text, blocks=from_plain(text))),
    )
    assert before["parts"] == after["parts"]


def test_what_has_no_blocks_is_rendered_as_ever() -> None:
    made = content(body=f"一段。\n![会场]({MEDIA})\n![后门](sha256:{'d' * 64})")
    assert render_wechat(made) == {
        "article": {
            "title": "青禾县高校毕业生就业补贴申领指南",
            "author": "青禾县人社局",
            "digest": "一段。",
            "content": '<section style="font-size: 16px;line-height: 1.8;color: #222;">'
            '<p style="margin: 0 0 1em;">一段。</p>'
            f'<p style="margin: 0 0 1em;"><img src="{MEDIA}" alt="会场"'
            ' style="max-width: 100%;"></p>'
            f'<p style="margin: 0 0 1em;"><img src="sha256:{"d" * 64}" alt="后门"'
            ' style="max-width: 100%;"></p>'
            '<p style="margin: 0 0 1em;font-size: 14px;color: #666;">来源：青禾县人社局</p>'
            '<p style="margin: 0 0 1em;font-size: 14px;color: #666;">'
            "原文链接：https://example.gov.cn/a/1.html</p></section>",
            "content_source_url": "https://example.gov.cn/a/1.html",
            "thumb": MEDIA,
        },
        "push": {
            "text": "青禾县高校毕业生就业补贴申领指南\n\n一段。\n\n"
            "全文：https://example.gov.cn/a/1.html\n\n为什么收到：{reason}"
        },
    }
    assert render_telegram(made) == {
        "parts": [
            {
                "text": "青禾县高校毕业生就业补贴申领指南\n\n一段。\n\n［图片：后门］\n\n"
                "来源：青禾县人社局\n原文链接：https://example.gov.cn/a/1.html",
                "entities": [{"type": "bold", "offset": 0, "length": 16}],
            }
        ],
        "photo": MEDIA,
        "push": {
            "text": "青禾县高校毕业生就业补贴申领指南\n\n一段。\n\n"
            "全文：https://example.gov.cn/a/1.html\n\n为什么收到：{reason}",
            "entities": [{"type": "bold", "offset": 0, "length": 16}],
        },
    }


def test_wechat_links_stay_only_where_the_platform_keeps_them() -> None:
    made = article(
        [
            words("上一期", link="https://mp.weixin.qq.com/s/a?b=1&c=2"),
            words("指南", link="https://www.qinghe.gov.cn/a"),
            words("https://www.qinghe.gov.cn/b", link="https://www.qinghe.gov.cn/b"),
            words("热线", link="tel:12345"),
        ]
    )
    shown = render_wechat(made)["article"]["content"]
    assert '<a href="https://mp.weixin.qq.com/s/a?b=1&amp;c=2">上一期</a>' in shown
    assert ">指南（https://www.qinghe.gov.cn/a）<" in shown
    assert shown.count("https://www.qinghe.gov.cn/b") == 1
    assert ">热线（12345）<" in shown


def test_a_wechat_table_has_borders_of_its_own_and_keeps_what_it_spans() -> None:
    cells = [{"runs": [{"text": "周六"}], "rowspan": 2}, {"runs": [{"text": "甲"}], "colspan": 2}]
    rows = [{"cells": cells}, {"cells": [{}, {}]}]
    shown = render_wechat(article([{"kind": "table", "rows": rows}]))["article"]["content"]
    assert re.search(r'<td rowspan="2" style="border: 1px solid [^"]*">周六</td>', shown)
    assert re.search(r'<td colspan="2" style="border: 1px solid [^"]*">甲</td>', shown)
    assert "class=" not in shown


def test_a_table_too_wide_for_a_phone_becomes_lines_when_it_has_heads_and_a_problem_without() -> (
    None
):
    wide = ["|".join(f"项{n}" for n in range(9)), "|".join(f"值{n}" for n in range(9)), "|" * 8]
    told = article([words("一"), table(*wide)])
    shown = render_wechat(told)["article"]["content"]
    assert "<table" not in shown
    assert "项0：值0<br>项1：值1" in shown
    assert "></p>" not in shown
    assert problems_wechat(render_wechat(told), told) == []
    bare = article([words("一"), table(*wide, head=False)])
    [problem] = problems_wechat(render_wechat(bare), bare)
    assert problem.startswith("微信第 2 段的表格有 9 列")


def test_the_block_that_fills_a_wechat_article_is_named() -> None:
    long = article([words("一"), table("名|号", *[f"甲{n}|乙{n}" for n in range(300)])])
    [problem] = problems_wechat(render_wechat(long), long)
    assert "第 2 段的表格约占" in problem


def test_crops_and_author_and_summary_are_fields_of_the_draft() -> None:
    told = article(
        [words("正文。")],
        cover=MEDIA,
        crops={
            "wide": (0, 100_000, 1_000_000, 525_532),
            "square": (250_000, 0, 750_000, 1_000_000),
        },
        author="青禾县人社局办公室",
        summary="一句摘要",
    )
    made = render_wechat(told)["article"]
    assert made["pic_crop_235_1"] == "0.000000_0.100000_1.000000_0.525532"
    assert made["pic_crop_1_1"] == "0.250000_0.000000_0.750000_1.000000"
    assert (made["author"], made["digest"]) == ("青禾县人社局办公室", "一句摘要")
    assert "pic_crop_1_1" not in render_wechat(article([words("正文。")]))["article"]


@pytest.mark.parametrize(
    ("made", "label"),
    [(Made.GENERATED, "本文由人工智能生成"), (Made.ASSISTED, "本文含人工智能生成内容")],
)
def test_what_a_machine_made_is_labelled_on_text_push_and_picture(made: Made, label: str) -> None:
    picture = {"kind": "picture", "media": MEDIA, "made": made.value}
    told = article([words("正文。"), picture], made=made)
    assert wechat_words(told).startswith(label)
    first, second = render_telegram(told)["parts"]
    assert label in first["text"]
    assert "人工智能" in second["text"]
    assert label in render_wechat(told)["push"]["text"]
    for kept in (Made.UNDECLARED, Made.HUMAN):
        assert "人工智能" not in wechat_words(article([words("正文。")], made=kept))


def test_headings_runs_links_and_quotes_are_marks_of_a_message() -> None:
    told = article(
        [
            {"kind": "heading", "runs": [{"text": "😀一、时间"}]},
            words("看指南", link="https://www.qinghe.gov.cn/a"),
            {"kind": "quote", "runs": [{"text": "要办好", "bold": True}, {"text": "。"}]},
        ],
        title="题",
    )
    [part] = render_telegram(told)["parts"]
    assert part["text"] == "题\n\n😀一、时间\n看指南\n\n要办好。"
    assert part["entities"] == [
        {"type": "bold", "offset": 0, "length": 1},
        {"type": "bold", "offset": 3, "length": 6},
        {"type": "text_link", "offset": 10, "length": 3, "url": "https://www.qinghe.gov.cn/a"},
        {"type": "blockquote", "offset": 15, "length": 4},
        {"type": "bold", "offset": 15, "length": 3},
    ]


def test_a_short_table_is_aligned_and_a_wide_one_names_each_field() -> None:
    [part] = render_telegram(article([table("时间|地点", "周六|文化广场", "周日晚|馆")]))["parts"]
    assert part["text"].endswith("时间    地点\n周六    文化广场\n周日晚  馆")
    assert part["entities"][-1]["type"] == "pre"
    place = "青禾县文化广场东侧停车场入口" * 2
    [part] = render_telegram(article([table("时间|地点", f"周六|{place}", "周日|")]))["parts"]
    assert part["text"].endswith(f"时间：周六\n地点：{place}\n\n时间：周日")


def test_pictures_stand_in_their_places_and_neighbours_are_one_group() -> None:
    def picture(sign: str, **more: str) -> dict[str, str]:
        return {"kind": "picture", "media": "sha256:" + sign * 64, **more}

    told = article(
        [
            words("开头。"),
            picture("1", caption="会场", origin="县融媒体中心"),
            picture("2", alt="大门"),
            words("中间。"),
            *[picture(sign) for sign in "0123456789a"],
        ],
        title="题",
    )
    parts = render_telegram(told)["parts"]
    assert [(len(one.get("pictures", [])), one["text"]) for one in parts] == [
        (0, "题\n\n开头。"),
        (2, "图1 会场（图片来源：县融媒体中心）\n图2 ［图片：大门］\n\n中间。"),
        (10, ""),
        (1, ""),
    ]


def test_a_long_text_below_a_picture_is_a_message_of_its_own() -> None:
    told = article(
        [{"kind": "picture", "media": MEDIA, "caption": "会场"}, words("字" * 1020)], title="题"
    )
    parts = render_telegram(told)["parts"]
    assert [one["text"][:6] for one in parts] == ["题\n\n会场", "字" * 6]


def test_a_heading_goes_on_to_the_next_message_with_what_it_heads() -> None:
    heading = {"kind": "heading", "runs": [{"text": "二、办法"}]}
    told = article([words("字" * 4000), heading, words("办" * 200)], title="题")
    parts = render_telegram(told)["parts"]
    assert [one["text"][:4] for one in parts] == ["题\n\n字", "二、办法"]


def test_neither_a_document_number_nor_a_link_nor_a_quote_is_cut() -> None:
    number = "青政办发〔2026〕12号"
    for filler in range(4060, 4097, 3):
        runs = [{"text": "字" * filler}, {"text": "办事指南全文", "link": "https://a.gov.cn/"}]
        told = article(
            [
                {"kind": "paragraph", "runs": [*runs, {"text": number + "字" * 4100}]},
                {"kind": "quote", "runs": [{"text": "引" * 300}]},
            ],
            title="",
        )
        parts = render_telegram(told)["parts"]
        assert sum(number in one["text"] for one in parts) == 1
        links = [e for one in parts for e in one["entities"] if e["type"] == "text_link"]
        assert [one["length"] for one in links] == [6]
        quotes = [e for one in parts for e in one["entities"] if e["type"] == "blockquote"]
        assert [one["length"] for one in quotes] == [300]


def test_a_quote_that_no_message_holds_is_named_before_review() -> None:
    told = article([words("一"), {"kind": "quote", "runs": [{"text": "引" * 5000}]}])
    problems = problems_telegram(render_telegram(told), told)
    assert any(one.startswith("Telegram 第 2 段的引用") for one in problems)


def test_more_messages_than_a_channel_takes_in_minutes_are_a_problem() -> None:
    picture = {"kind": "picture", "media": MEDIA}
    told = article([part for _ in range(70) for part in (words("字" * 1100), picture)])
    assert any(
        "条消息，最多 60 条" in one for one in problems_telegram(render_telegram(told), told)
    )


def test_a_hundred_thousand_marks_are_packed_in_time() -> None:
    runs = [{"text": "字", "bold": bool(number % 2)} for number in range(100_000)]
    told = article([{"kind": "paragraph", "runs": runs}], title="")
    began = time.process_time()
    parts = render_telegram(told)["parts"]
    assert time.process_time() - began < 25  # 3 s alone: a bound against squares, not a measure
    assert "".join(one["text"] for one in parts) == "字" * 100_000
    assert sum(len(one["entities"]) for one in parts) == 50_000


def test_no_address_that_a_browser_reads_as_another_host_is_pressable_in_wechat() -> None:
    link = "https://evil.example\\@mp.weixin.qq.com/s/a"
    shown = render_wechat(article([words("上一期", link=link)]))["article"]["content"]
    assert "<a " not in shown
    assert link in shown
