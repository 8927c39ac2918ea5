"""Feeds and list pages, whole and broken."""

import pytest

from content_sources.columns.entries import ColumnError, Entry
from content_sources.columns.page import read_column

BASE = "https://www.qinghe.gov.cn/zwgk/"
FEED = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>要闻</title>
<item><title>供水改造完工&lt;b&gt;公告&lt;/b&gt;</title><link>/a.html</link>
<pubDate>Mon, 23 Nov 2026 23:30:00 +0000</pubDate></item>
<item><title>重复</title><link>/a.html</link></item>
<item><title>只有标识</title><guid>https://www.qinghe.gov.cn/b.html</guid></item>
<item><title>没有地址</title></item></channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><entry><title>通知</title>
<link href="c.html"/><updated>2026-11-20T08:00:00+08:00</updated></entry></feed>"""
MENU = "".join(f'<li><a href="/m{n}.html">栏目导航{n}</a></li>' for n in range(12))
ROWS = "".join(
    f'<li><a href="./t{n}.html" title="关于做好第{n}批补贴发放工作的通知">关于做好第{n}批…</a>'
    f"<span>2026-11-{n + 10}</span></li>"
    for n in range(5)
)
PAGE = f"<html><body><ul>{MENU}</ul><div><ul class='list'>{ROWS}</ul></div></body></html>".encode()


def test_a_feed_gives_each_address_once_with_the_day_of_beijing() -> None:
    assert read_column("feed", FEED.encode(), BASE) == [
        Entry("https://www.qinghe.gov.cn/a.html", "供水改造完工公告", "2026-11-24"),
        Entry("https://www.qinghe.gov.cn/b.html", "只有标识", ""),
    ]


def test_atom_links_are_joined_to_the_column() -> None:
    found = read_column("feed", ATOM.encode(), BASE)
    assert found == [Entry(BASE + "c.html", "通知", "2026-11-20")]


def test_a_list_is_found_among_menus() -> None:
    found = read_column("list", PAGE, BASE)
    assert len(found) == 5
    assert found[0] == Entry(BASE + "t0.html", "关于做好第0批补贴发放工作的通知", "2026-11-10")


def test_selectors_decide_when_given() -> None:
    chosen = {"item": "ul.list li", "link": "a", "date": "span"}
    assert len(read_column("list", PAGE, BASE, chosen)) == 5
    with pytest.raises(ColumnError, match="没有选中任何文章"):
        read_column("list", PAGE, BASE, {"item": "ul.gone li"})
    with pytest.raises(ColumnError, match="选择器写错了"):
        read_column("list", PAGE, BASE, {"item": "ul[["})


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("feed", b"", "空的"),
        ("feed", b"<html><body>404</body></html>", "不是有效的 RSS"),
        ("feed", b'<?xml version="1.0"?><rss version="2.0"><channel><item><title>x', "第 1 行"),
        ("list", b"<html><body><p>x</p></body></html>", "找不到文章列表"),
    ],
)
def test_what_is_no_column_is_one_line_that_says_where(
    kind: str, body: bytes, message: str
) -> None:
    with pytest.raises(ColumnError, match=message) as error:
        read_column(kind, body, BASE)
    assert "\n" not in str(error.value)
    assert BASE in str(error.value)


def test_one_broken_link_does_not_cost_the_list() -> None:
    broken = "<li><a href='http://[x/'>关于做好坏链接发放工作的通知</a><span>2026-11-20</span></li>"
    page = PAGE.replace(b"<ul class='list'>", f"<ul class='list'>{broken}".encode())
    assert len(read_column("list", page, BASE)) == 5
