"""Previews run nothing, keep every entity, and put the length beside the limit."""

from dataclasses import replace

from blocks.document import read_document
from blocks.text import project
from bot.contract import Content
from bot.telegram.rendering import render_telegram
from bot.wechat.rendering import render_wechat
from console.items.previews import pieces, preview, safe_html

MEDIA = "sha256:" + "b" * 64


def content(body: str, cover: str = "") -> Content:
    return Content(kind="原创", title="𠮷日开放时间", body=body, cover=cover)


def test_a_preview_runs_nothing_and_shows_our_own_pictures() -> None:
    shown = safe_html(
        '<p style="color:red" onclick="x()">甲<script>alert(1)</script></p>'
        f'<img src="{MEDIA}"><a href="javascript:x">乙</a><iframe src="/x"></iframe>'
    )
    for bad in ("script", "onclick", "style", "javascript", "iframe"):
        assert bad not in shown
    assert f'src="/console/media/{"b" * 64}"' in shown


def test_a_marker_among_the_words_is_shown_as_the_words_that_go_out() -> None:
    shown = preview("青禾政务", "wechat", render_wechat(content(f"编号 {MEDIA}")))
    assert MEDIA in shown.html
    assert "/console/media/" not in shown.html


def test_the_wechat_preview_shows_every_field_that_is_sent() -> None:
    rendering = render_wechat(content(f"第一段。\n![会场]({MEDIA})"))
    shown = preview("青禾政务", "wechat", rendering)
    assert (shown.title, shown.summary) == ("𠮷日开放时间", "第一段。")
    assert shown.cover == "b" * 64
    assert shown.own_cover
    assert "/console/media/" + "b" * 64 in shown.html
    assert not shown.over
    assert not preview("青禾政务", "wechat", render_wechat(content("无图。"))).own_cover


def test_a_telegram_photo_carries_the_first_text_only_when_it_fits() -> None:
    short = preview("频道", "telegram", render_telegram(content(f"一句。\n![会场]({MEDIA})")))
    assert [(one.photo, bool(one.pieces)) for one in short.bubbles] == [("b" * 64, True)]
    long = preview("频道", "telegram", render_telegram(content("长" * 1100, cover=MEDIA)))
    assert [(one.photo, bool(one.pieces)) for one in long.bubbles] == [
        ("b" * 64, False),
        ("", True),
    ]


def test_entities_keep_their_place_beyond_the_basic_plane() -> None:
    bold = [{"type": "bold", "offset": 0, "length": 3}]
    assert pieces("𠮷日\n正文", bold) == (("𠮷日", ("bold",)), ("\n正文", ()))


def test_pieces_of_overlapping_entities_join_to_the_text() -> None:
    spans = [
        {"type": "bold", "offset": 0, "length": 4},
        {"type": "italic", "offset": 3, "length": 3},
        {"type": "code", "offset": 4, "length": 99},
    ]
    assert "".join(text for text, _ in pieces("甲𠮷乙丙丁戊", spans)) == "甲𠮷乙丙丁戊"


def test_a_limit_that_is_broken_is_marked() -> None:
    rendering = render_wechat(Content(kind="原创", title="字" * 33, body="一句。"))
    shown = preview("青禾政务", "wechat", rendering)
    assert shown.over
    assert [gauge.label for gauge in shown.gauges if gauge.over] == ["标题"]


def test_an_unknown_platform_is_shown_as_its_fields() -> None:
    assert preview("账号", "weibo", {"text": "甲"}).raw == {"text": "甲"}


def test_an_article_of_blocks_is_shown_with_its_tables_and_groups_of_pictures() -> None:
    picture = {"kind": "picture", "media": MEDIA}
    table = {
        "kind": "table",
        "rows": [
            {"cells": [{"runs": [{"text": "时间"}], "head": True, "colspan": 2}]},
            {"cells": []},
        ],
    }
    points = {"kind": "list", "items": [{"runs": [{"text": '甲 style="x" 乙'}]}]}
    heading = {"kind": "heading", "runs": [{"text": "一"}]}
    blocks = read_document([heading, table, points, picture, picture])
    told = replace(content(project(blocks).text), blocks=blocks)
    shown = preview("青禾政务", "wechat", render_wechat(told)).html
    assert '<th colspan="2">时间</th>' in shown
    assert "<h2>一</h2>" in shown
    assert '<p class="l1 end">• 甲 style="x" 乙</p>' in shown
    bubbles = preview("频道", "telegram", render_telegram(told)).bubbles
    assert [(one.photo, one.album) for one in bubbles] == [("", ()), ("b" * 64, ("b" * 64,))]


def test_the_parts_of_the_cover_that_readers_see_are_shown_as_they_were_chosen() -> None:
    crops = {"wide": (0, 100_000, 1_000_000, 725_532), "square": (500_000, 0, 750_000, 375_000)}
    rendering = render_wechat(replace(content("一段。", MEDIA), crops=crops))
    shown = preview("青禾政务", "wechat", rendering)
    assert {one.name: one.box for one in shown.crops} == {
        "wide": "0.000000 0.100000 1.000000 0.625532",
        "square": "0.500000 0.000000 0.250000 0.375000",
    }
    assert preview("青禾政务", "wechat", render_wechat(content("一段。", MEDIA))).crops == ()
