"""Pages of newspapers and portals without any known container, and pages made to hurt."""

from contextlib import suppress

import pytest

from blocks.markup import without_swollen_tags
from content_sources.columns.entries import ColumnError
from content_sources.columns.page import read_page
from documents.pages.extract import extract_page

TITLE = "云州市三万户居民用上集中供暖 热源厂提前十天点火"
LINES = [
    "云州日报讯（记者 周南 通讯员 何方）十一月一日上午，城东热源厂正式点火，新的供暖季开始。",
    "记者在现场看到，工人正在检查管道压力，调度大屏上显示各小区回水温度。",
    "“今年我们更换了十二公里老旧管网，漏损率下降了一半。”热力公司经理说。",
    "市住建局表示，居民室温不得低于十八度，低于标准的可以拨打热线申请退费。",
    "截至目前，全市已有三万户完成注水试压，其余小区将在本周内陆续升温。",
]
TEXT = "".join(f"<p>{line}</p>" for line in LINES)
MENU = "".join(f"<a href='/n{n}'>频道{n}</a>" for n in range(30))
HOT = "".join(f"<li><a href='/h{n}'>与本文无关的热门新闻标题第{n}条</a></li>" for n in range(10))
SIDE = f"<div class='side'><h3>热门推荐</h3><ul>{HOT}</ul></div>"
FOOT = (
    "<div>信息网络传播视听节目许可证0108000 违法和不良信息举报电话：010-0000 版权所有 云州在线 "
    "未经授权不得转载。本网站所刊载信息，不代表本网观点，请谨慎对待，联系邮箱。</div>"
)
HEAD = f"<h1>{TITLE}</h1><div>2026-11-01 09:10 来源：云州日报</div>"
BUILDS = {
    "one box a paragraph": HEAD + "".join(f"<div class='x'><p>{line}</p></div>" for line in LINES),
    "portal": (
        f"<h1>{TITLE}</h1><div class='post_info'>2026-11-01 09:10:22　来源: <a>云州日报</a> "
        f"<a>举报</a></div><div class='bodytext'>{TEXT}"
        f"<div>本文来源：云州日报 责任编辑：王五_NN1</div></div>{SIDE}"
    ),
    "marked by class": (
        f"<div class='headline'><h2>{TITLE}</h2></div><span class='src'>云州日报</span>"
        f"<span class='time'>2026年11月01日</span><article>{TEXT}</article>"
    ),
    "table": (
        f"<table><tr><td class='bt'>{TITLE}</td></tr><tr><td>发布时间：2026-11-01 &nbsp; "
        f"文章来源：云州日报</td></tr><tr><td>{'<br>'.join(LINES)}</td></tr></table>"
    ),
    "spans": HEAD + "".join(f"<div><span>{line}</span></div>" for line in LINES),
    "a foot as long as the text": f"{HEAD}<div class='c'>{TEXT}</div>{FOOT * 3}",
    "comments": f"{HEAD}<div>{TEXT}</div><div><p>网友评论</p><p>写得很好，支持。</p></div>",
    "pictures between": f"{HEAD}<div><img src='/1.jpg'>{TEXT}<p><img src='/2.jpg'></p></div>",
    "source beside the day": f"<h1>{TITLE}</h1><p>2026-11-01 09:10 云州日报社</p><div>{TEXT}</div>",
    "a teaser in the usual class": (
        f"{HEAD}<div class='news_content'><p>导读：热源厂昨日正式点火，新的供暖季开始，市民关心的"
        f"退费办法公布。</p></div>"
        f"<div class='q'>{TEXT}</div>"
    ),
}


@pytest.mark.parametrize("build", BUILDS)
def test_an_article_is_read_whole_and_alone(build: str) -> None:
    html = (
        f"<html><head><title>{TITLE}_云州在线</title></head><body><div>{MENU}</div>"
        f"<div class='main'>{BUILDS[build]}</div>{SIDE}{FOOT}</body></html>"
    )
    found = extract_page(html, "https://y.example/a.html")
    assert (found.title, found.date) == (TITLE, "2026-11-01")
    assert found.source.startswith("云州日报")
    assert found.author == "周南"
    assert [line for line in found.text.split("\n") if line in LINES] == LINES
    for other in ("频道3", "热门推荐", "无关", "许可证", "举报", "未经授权"):
        assert other not in found.text


def test_markup_in_a_title_is_not_carried_on() -> None:
    meta = "<meta name='ArticleTitle' content='通知&lt;script&gt;alert(1)&lt;/script&gt;'>"
    page = extract_page(f"<head>{meta}</head><div id='zoom'>{TEXT}</div>", "https://y.example/")
    assert page.title == "通知"


HOSTILE = {
    "deep": "<div>" * 50_000 + TEXT,
    "wide": "<b>,</b>" * 200_000,
    "links": "<ul><li>" + "<a href='/a'>一个很长很长的链接标题</a>" * 30_000 + "</li></ul>",
    "attributes": f"<div {' '.join(f'a{n}=1' for n in range(20_000))}>{TEXT}</div>",
    "unclosed": "<table><tr><td><p><b><i><font>" * 3_000 + TEXT,
    "one long word": f"<title>{'长' * 500_000}</title><p>{'字' * 500_000}</p>",
    "spaces": "<p>来源" + " " * 400_000 + "：</p>" + TEXT,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_read_or_refused(name: str) -> None:
    page = f"<html><body>{HOSTILE[name]}</body></html>"
    for read in (extract_page, lambda html, url: read_page("list", html.encode(), url)):
        with suppress(ValueError, ColumnError):
            read(page, "https://y.example/")


def test_a_tag_with_thousands_of_attributes_loses_them_and_a_long_picture_stays() -> None:
    swollen = f"<div {' '.join(f'a{n}=1' for n in range(20_000))}>{TEXT}</div>"
    assert without_swollen_tags(swollen) == f"<div>{TEXT}</div>"
    picture = f'<img alt="图" src="data:image/png;base64,{"A" * 100_000}==">'
    assert without_swollen_tags(picture) == picture
