"""Feeds as they really come: odd charsets, hostile links, entities, the published example rows."""

import base64
import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from content_sources.columns.entries import ColumnError, Entry
from content_sources.columns.page import read_column

BASE = "https://www.qinghe.example/rss.xml"


def feed(title: str, link: str = "/a.html") -> str:
    return (
        '<rss version="2.0"><channel><title>要闻</title>'
        f"<item><title>{title}</title><link>{link}</link></item></channel></rss>"
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (feed("就业补贴").encode(), "text/xml"),
        (feed("就业补贴").encode(), ""),
        (feed("就业补贴").encode("gbk"), "text/xml; charset=GBK"),
        (f'<?xml version="1.0" encoding="GB2312"?>{feed("就业补贴")}'.encode("gb18030"), ""),
        (b"\xef\xbb\xbf" + feed("就业补贴").encode(), "application/rss+xml"),
    ],
)
def test_the_charset_of_header_declaration_or_content_is_found(
    body: bytes, content_type: str
) -> None:
    found = read_column("feed", body, BASE, None, content_type)
    assert found == [Entry("https://www.qinghe.example/a.html", "就业补贴", "")]


def test_a_feed_without_entries_is_no_fault() -> None:
    empty = b'<rss version="2.0"><channel><title>t</title></channel></rss>'
    assert read_column("feed", empty, BASE) == []


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///a", "//["])
def test_entries_that_lead_nowhere_are_named(link: str) -> None:
    with pytest.raises(ColumnError, match="1 个条目都没有可用的链接"):
        read_column("feed", feed("通知", link).encode(), BASE)


def test_a_guid_that_is_no_address_is_not_taken_for_one() -> None:
    body = feed("通知", "").replace("<link></link>", '<guid isPermaLink="false">123</guid>')
    with pytest.raises(ColumnError, match="没有可用的链接"):
        read_column("feed", body.encode(), BASE)


def test_a_cut_feed_names_the_line_a_person_finds_in_the_file() -> None:
    body = '<rss version="2.0">\n<channel>\n<item><title>通知</title>'
    with pytest.raises(ColumnError, match="第 3 行"):
        read_column("feed", body.encode(), BASE)


def test_entities_are_neither_expanded_nor_fetched() -> None:
    nested = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE rss [<!ENTITY e0 "aaaaaaaaaa">{nested}]>{feed("通知&e9;")}'
    start = time.process_time()
    assert len(read_column("feed", bomb.encode(), BASE)[0].title) < 100
    assert time.process_time() - start < 10
    outside = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>{feed("通知&x;")}'
    assert read_column("feed", outside.encode(), BASE)[0].title == "通知&x;"


def test_no_example_feed_crashes_or_leaves_a_script(example_data: Path) -> None:
    lines = (example_data / "5_web_feeds/feeds.dev.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 561
    read, faults = 0, []
    for line in lines:
        body = base64.b64decode(json.loads(line)["bytes_b64"])
        try:
            entries = read_column("feed", body, BASE)
        except ColumnError as error:
            faults.append(str(error))
            continue
        read += 1
        assert all(entry.url.lower().startswith(("http://", "https://")) for entry in entries)
        assert not any("<script" in entry.title.lower() for entry in entries)
    assert read > 200
    assert not any("\n" in fault for fault in faults)


def test_every_example_feed_has_an_outcome_and_its_own_characters(example_data: Path) -> None:
    """With a link put into every entry, so that entries without one are read as well."""
    lines = (example_data / "5_web_feeds/feeds.dev.jsonl").read_text(encoding="utf-8").splitlines()
    outcomes: Counter[str] = Counter()
    for line in lines:
        row = json.loads(line)
        body = base64.b64decode(row["bytes_b64"])
        for tag in (b"</item>", b"</entry>"):
            body = body.replace(tag, b"<link>https://q.example/x</link>" + tag)
        try:
            entries = read_column("feed", body, BASE)
        except ColumnError as error:
            outcomes[str(error).removeprefix(f"栏目 {BASE} ")[:8]] += 1
            continue
        outcomes["entries" if entries else "empty"] += 1
        for entry in entries:
            for text in (entry.title, entry.summary):
                assert "\ufffd" not in text, row["id"]
                assert not re.search(r"<\s*/?\s*(script|img|svg|iframe|object)", text, re.I)
    assert sum(outcomes.values()) == 561
    assert outcomes["entries"] > 250, outcomes
