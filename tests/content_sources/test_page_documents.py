"""A fetched page keeps its headings, lists, tables and pictures as the document of its item."""

import hashlib
import json
from typing import Any

from blocks.document import Document, ListBlock, Picture, Table
from blocks.text import edited, from_plain, project
from documents.pages.document import document_of, words_of
from documents.pages.extract import extract_page
from tests.content_sources.reposting import Relay

MARKER = "sha256:" + "b" * 64
HTML = """<html><head><meta name="ArticleTitle" content="关于周末市集的通知"></head><body>
<div class="TRS_Editor"><h2>一、时间</h2><p>每周六上午九时至十二时，县体育馆东侧广场。</p>
<ul><li>蔬菜瓜果</li><li>日用百货<ul><li>竹编</li></ul></li></ul><ol><li>登记</li><li>领号</li></ol>
<table><tr><th>日期</th><th>摊位</th></tr><tr><td>12月5日</td><td>40个</td></tr></table>
<p><img src="https://www.qinghe.gov.cn/a.png" alt="示意图" width="400" height="300"></p>
<h3>联系方式</h3><p>咨询电话12345，请在工作时间拨打，谢谢各位居民的支持与配合。</p></div></body></html>"""


def _document(media: dict[str, str]) -> Document:
    page = extract_page(HTML, "https://www.qinghe.gov.cn/n/1.html")
    # As they are kept: through JSON.
    records: list[dict[str, Any]] = json.loads(json.dumps([one.record() for one in page.blocks]))
    return document_of(records, media)


def test_each_kind_of_block_stays_what_it_is() -> None:
    document = _document({"https://www.qinghe.gov.cn/a.png": MARKER})
    assert [one.kind for one in document.blocks] == [
        *("heading", "paragraph", "list", "list", "table", "picture", "heading", "paragraph")
    ]
    assert (
        "• 日用百货\n• 竹编\n1. 登记\n2. 领号\n日期\t摊位\n12月5日\t40个" in project(document).text
    )
    bullets, table, picture = document.blocks[2], document.blocks[4], document.blocks[5]
    assert isinstance(bullets, ListBlock)
    assert bullets.items[1].below is not None
    assert isinstance(table, Table)
    assert isinstance(picture, Picture)
    assert (picture.media, picture.alt) == (MARKER, "示意图")


def test_a_picture_that_was_not_kept_is_left_out() -> None:
    assert not any(isinstance(one, Picture) for one in _document({}).blocks)


def test_what_a_page_says_is_the_same_with_and_without_its_form() -> None:
    page = extract_page(HTML, "https://www.qinghe.gov.cn/n/1.html")
    said = words_of(_document({"https://www.qinghe.gov.cn/a.png": MARKER}))
    assert "".join(said.split()) == "".join(page.text.split())


def test_a_table_too_wide_for_a_phone_is_lines_of_text() -> None:
    rows = [["格"] * 60, ["值"] * 60]
    document = document_of([{"kind": "table", "text": "格 值\n值 格", "rows": rows}], {})
    assert [one.kind for one in document.blocks] == ["paragraph", "paragraph"]


def test_lists_deeper_than_a_phone_shows_are_flattened() -> None:
    records = [{"kind": "item", "text": str(depth), "level": depth} for depth in range(1, 12)]
    document = document_of(records, {})
    assert all(str(depth) in words_of(document).split() for depth in range(1, 12))
    assert Document(blocks=document.blocks) == document


async def test_a_list_and_a_table_of_the_original_are_no_change_of_a_repost(
    relay: Relay,
) -> None:
    page = extract_page(HTML, "https://www.qinghe.gov.cn/n/1.html")
    records = [one.record() for one in page.blocks]
    source_id = await relay.source()
    article = await relay.article(source_id, text=page.text, blocks=records)
    document = document_of(records, {})
    item = await relay.item(article, body="", blocks=document)
    assert [one for one in await relay.rules(item) if one.startswith("repost.")] == []
    text = project(document).text
    for given in ({"blocks": document}, {"blocks": from_plain(page.text)}):
        flat = await relay.item(article, body="", **given)
        assert "repost.altered" not in await relay.rules(flat)
    changed = edited(document, text.replace("40个", "90个"))
    other = await relay.item(article, body="", blocks=changed)
    assert {"repost.altered", "repost.number"} <= set(await relay.rules(other))


async def test_a_fetched_list_that_calls_itself_an_original_is_found(relay: Relay) -> None:
    page = extract_page(HTML, "https://www.qinghe.gov.cn/n/1.html")
    records = [one.record() for one in page.blocks]
    dense = hashlib.sha256("".join(page.text.split()).encode()).hexdigest()
    source_id = await relay.source()
    article = await relay.article(source_id, text=page.text, blocks=records, text_hash=dense)
    item = await relay.item(article, kind="原创", body="", blocks=document_of(records, {}))
    assert "repost.kind" in await relay.rules(item)
