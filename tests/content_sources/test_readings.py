"""What a column is read as: list pages of many builds, pages after pages, sitemaps, alarms."""

import gzip
import json
from datetime import timedelta

import pytest

from config.clock import beijing, now
from content_sources.columns.entries import ColumnError, Entry
from content_sources.columns.page import kind_of_column, read_page
from content_sources.columns.shape import alarm, shape_of
from documents.pages.blocks import plain

BASE = "https://www.qinghe.example/zwgk/index.html"
ROOT = "https://www.qinghe.example/zwgk/"
TITLES = [f"青禾县关于做好第{n}批就业补贴发放工作的通知" for n in range(6)]
MENU = "".join(f'<li><a href="/m{n}/">政务公开栏目{n}</a></li>' for n in range(14))


def rows(form: str) -> str:
    return "".join(
        form.format(n=n, title=title, day=f"2026-11-{10 + n}", d=10 + n)
        for n, title in enumerate(TITLES)
    )


def page(main: str) -> bytes:
    return f"<html><body><ul class='nav'>{MENU}</ul>{main}<div>版权</div></body></html>".encode()


FORMS = {
    "list": ("<ul>{}</ul>", "<li><a href='t{n}.html'>{title}</a><span>{day}</span></li>"),
    "day first": ("<ul>{}</ul>", "<li><span>[{day}]</span><a href='t{n}.html'>{title}</a></li>"),
    "table": (
        "<table>{}</table>",
        "<tr><td>·</td><td><a href='t{n}.html'>{title}</a></td><td>{day}</td></tr>",
    ),
    "category link": (
        "<ul>{}</ul>",
        "<li>[<a href='/c/'>通知</a>]<a href='t{n}.html'>{title}</a><i>{day}</i></li>",
    ),
    "picture link": (
        "<div>{}</div>",
        "<div class='i'><a href='t{n}.html'><img src='x.jpg'></a>"
        "<h3><a href='t{n}.html'>{title}</a></h3>"
        "<p>摘要摘要摘要</p><span>{day}</span></div>",
    ),
    "day inside the link": (
        "<ul>{}</ul>",
        "<li><a href='t{n}.html'>{title} <em>{day}</em></a></li>",
    ),
    "cut short": (
        "<ul>{}</ul>",
        "<li><a href='t{n}.html' title='{title}'>青禾县关于做好…</a><span>{day}</span></li>",
    ),
    "labelled title": (
        "<ul>{}</ul>",
        "<li><a href='t{n}.html' title='标题：{title}&#10;点击数：3'>青禾县关…</a>"
        "<span>{day}</span></li>",
    ),
    "day over month": (
        "<ul>{}</ul>",
        "<li><div><b>{d}</b><i>2026-11</i></div><a href='t{n}.html'>{title}</a></li>",
    ),
    "definition list": (
        "<dl>{}</dl>",
        "<dd><a href='t{n}.html'>{title}</a><span>{day}</span></dd>",
    ),
    "records": (
        "<div><script type='text/xml'><datastore>{}</datastore></script></div>",
        "<record><![CDATA[<li><a href='t{n}.html'>{title}</a><span>{day}</span></li>]]></record>",
    ),
    "breaks": ("<div>{}</div>", "<a href='t{n}.html'>{title}</a><span>{day}</span><br>"),
    "groups of lines": (
        "<div>{}</div>",
        "<ul><li><a href='t{n}.html'>{title}</a><span>{day}</span></li></ul>",
    ),
    "bullets": ("<ul>{}</ul>", "<li><a href='t{n}.html'>· {title}</a><span>({day})</span></li>"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_list_is_found_in_every_build(form: str) -> None:
    outer, row = FORMS[form]
    found = read_page("list", page(outer.replace("{}", rows(row))), BASE).entries
    assert [entry.title for entry in found] == TITLES
    assert [entry.url for entry in found] == [f"{ROOT}t{n}.html" for n in range(6)]
    if form != "breaks":
        assert [entry.date for entry in found] == [f"2026-11-{10 + n}" for n in range(6)]


def test_a_day_without_a_year_is_the_last_one_and_an_address_helps_when_there_is_none() -> None:
    yesterday = beijing(now()) - timedelta(days=1)
    short = "<li><a href='/a{n}.html'>{title}</a><span>" + f"{yesterday:%m-%d}</span></li>"
    found = read_page("list", page(f"<ul>{rows(short)}</ul>"), BASE).entries
    assert {entry.date for entry in found} == {f"{yesterday:%Y-%m-%d}"}
    address = "<li><a href='./202611/t202611{d}_8.html'>{title}</a></li>"
    found = read_page("list", page(f"<ul>{rows(address)}</ul>"), BASE).entries
    assert [entry.date for entry in found] == [f"2026-11-{10 + n}" for n in range(6)]


def test_base_and_scripts_and_control_characters() -> None:
    form = "<li><a href='t{n}.html'><script>alert(1)</script>{title}</a>{day}</li>"
    body = page(f"<base href='https://www.qinghe.example/x/'><ul>{rows(form)}</ul>\x00")
    found = read_page("list", body, BASE).entries
    assert found[0] == Entry("https://www.qinghe.example/x/t0.html", TITLES[0], "2026-11-10")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>通知",
        "&lt;script&gt;alert(1)&lt;/script&gt;通知",
        "&amp;lt;script&amp;gt;alert(1)&amp;lt;/script&amp;gt;通知",
        "<img src=x onerror=alert(1)>通知",
        "<svg/onload=alert(1)>通知",
        "通知<iframe src='javascript:alert(1)'>",
        "<b>通知",
    ],
)
def test_no_markup_survives_in_a_title(text: str) -> None:
    cleaned = plain(text)
    assert "通知" in cleaned
    assert "<" not in cleaned
    assert "onerror" not in cleaned


def test_less_than_signs_in_plain_words_stay() -> None:
    assert plain("气温 &lt; 5 度时停止施工") == "气温 < 5 度时停止施工"


NEXT = [
    "<a href='index_2.html'>下一页</a>",
    "<a href='index_2.html'>下页</a>",
    "<a href='index_2.html'>&gt;</a>",
    "<link rel='next' href='index_2.html'>",
    "<script>createPageHTML(5, 1, 'index', 'html');</script>",
    '<script>createPageHTML(5,1,"index","html",\'list\')</script>',
]


@pytest.mark.parametrize("link", NEXT)
def test_the_next_page_is_found(link: str) -> None:
    found = read_page("list", page(f"<ul>{rows(FORMS['list'][1])}</ul>{link}"), BASE)
    assert found.more == (ROOT + "index_2.html",)


@pytest.mark.parametrize(
    "link",
    [
        "<a href='javascript:next()'>下一页</a>",
        "<a href='https://other.example/2.html'>下一页</a>",
        "<a href='index.html'>下一页</a>",
        "<script>createPageHTML(5, 4, 'index', 'html');</script>",
        "<a href='about.html'>下一步工作</a>",
    ],
)
def test_what_leads_nowhere_new_is_no_next_page(link: str) -> None:
    found = read_page("list", page(f"<ul>{rows(FORMS['list'][1])}</ul>{link}"), BASE)
    assert found.more == ()


# --- feeds and sitemaps -------------------------------------------------------------------


def json_feed(**item: object) -> bytes:
    data = {"version": "https://jsonfeed.org/version/1.1", "title": "要闻", "items": [item]}
    return json.dumps(data).encode()


def test_a_json_feed_is_a_feed() -> None:
    body = json_feed(
        id="1", url="/a.html", title="通知<b>一</b>", date_published="2026-11-20T23:00:00Z"
    )
    found = read_page("feed", body, BASE, None, "application/feed+json")
    assert found.entries == (Entry("https://www.qinghe.example/a.html", "通知一", "2026-11-21"),)


@pytest.mark.parametrize(
    "body", [b"{}", b"{broken", b'{"version": "1", "items": 5}', b'{"a":' * 900]
)
def test_other_json_is_no_feed(body: bytes) -> None:
    with pytest.raises(ColumnError, match="JSON Feed"):
        read_page("feed", body, BASE)


def sitemap(*rows: tuple[str, str]) -> bytes:
    inside = "".join(f"<url><loc>{url}</loc><lastmod>{day}</lastmod></url>" for url, day in rows)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{inside}</urlset>'.encode()


SITEMAP = sitemap((ROOT + "1.html", "2026-11-01"), (ROOT + "2.html", "2026-11-09"), ("/x/3", ""))


@pytest.mark.parametrize("body", [SITEMAP, gzip.compress(SITEMAP, mtime=0)])
def test_a_sitemap_gives_its_newest_addresses_first(body: bytes) -> None:
    found = read_page("sitemap", body, BASE, {"match": "/zwgk/"})
    assert [(entry.url, entry.date) for entry in found.entries] == [
        (ROOT + "2.html", "2026-11-09"),
        (ROOT + "1.html", "2026-11-01"),
    ]


def test_a_sitemap_index_leads_to_its_newest_parts() -> None:
    parts = "".join(
        f"<sitemap><loc>{ROOT}s{n}.xml</loc><lastmod>2026-11-{n:02}</lastmod></sitemap>"
        for n in range(1, 9)
    )
    found = read_page("sitemap", f"<sitemapindex>{parts}</sitemapindex>".encode(), BASE)
    assert found.entries == ()
    assert found.more == tuple(f"{ROOT}s{n}.xml" for n in (8, 7, 6, 5, 4))


@pytest.mark.parametrize(
    "body",
    [
        b"<html></html>",
        b"not xml",
        gzip.compress(b"<urlset>" + b" " * 30_000_000, mtime=0),
        gzip.compress(SITEMAP, mtime=0)[:-9],
    ],
)
def test_what_is_no_sitemap_is_refused(body: bytes) -> None:
    with pytest.raises(ColumnError, match="sitemap"):
        read_page("sitemap", body, BASE)


def test_entities_of_a_sitemap_are_not_followed() -> None:
    bomb = (
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY a "/zwgk/">]>'
        b"<urlset><url><loc>https://www.qinghe.example/&f;</loc></url></urlset>"
    )
    found = read_page("sitemap", bomb, BASE).entries
    assert all("root" not in entry.url for entry in found)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<?xml version='1.0'?><rss><channel/></rss>", "feed"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'/>", "feed"),
        (json_feed(), "feed"),
        (SITEMAP, "sitemap"),
        (gzip.compress(SITEMAP, mtime=0), "sitemap"),
        (page("<p>x</p>"), "list"),
    ],
)
def test_the_kind_is_told_from_the_content(body: bytes, kind: str) -> None:
    assert kind_of_column(body) == kind


# --- what is odd --------------------------------------------------------------------------


def test_odd_entries_are_counted_and_named() -> None:
    items = [
        "<item><title>甲通知</title><link>/a.html</link><pubDate>2026-11-20</pubDate></item>",
        "<item><title>乙通知</title><link>/a.html</link></item>",
        "<item><title>丙通知</title></item>",
        "<item><title> </title><link>/d.html</link></item>",
        "<item><title>甲通知</title><link>/e.html</link></item>",
    ]
    body = f"<rss version='2.0'><channel>{''.join(items)}</channel></rss>".encode()
    found = read_page("feed", body, BASE)
    assert len(found.entries) == 3
    text = "\n".join(found.problems)
    for part in (
        "1 个条目没有可用的链接",
        "1 个条目没有标题",
        "1 个条目的网址重复",
        "2 个条目没有日期",
        "出现了 2 次",
    ):
        assert part in text


GOOD = [
    Entry(f"{ROOT}202611/t202611{n:02}_{n}.html", title, f"2026-11-{n + 10}")
    for n, title in enumerate(TITLES)
]


def test_a_list_that_was_rebuilt_raises_an_alarm() -> None:
    before = shape_of(GOOD)
    later = [
        Entry(f"{ROOT}202612/t202612{n:02}_9.html", f"新的通知之{n}", "2026-12-01")
        for n in range(4)
    ]
    assert alarm(before, later) == ""
    assert alarm(before, GOOD) == ""
    assert "一条也没有" in alarm(before, [])
    undated = [Entry(entry.url, entry.title, "") for entry in GOOD]
    assert "日期" in alarm(before, undated)
    elsewhere = [
        Entry(f"https://www.qinghe.example/m{n}/", entry.title, entry.date)
        for n, entry in enumerate(GOOD)
    ]
    assert "链接" in alarm(before, elsewhere)
    same = [Entry(entry.url, "查看详情", entry.date) for entry in GOOD]
    assert "标题" in alarm(before, same)


def test_a_column_that_was_always_short_or_undated_raises_none() -> None:
    assert alarm(shape_of(GOOD[:2]), []) == ""
    assert alarm({}, []) == ""
    assert alarm(None, GOOD) == ""
    undated = [Entry(entry.url, entry.title, "") for entry in GOOD]
    assert alarm(shape_of(undated), undated) == ""
