"""What pages say beside their article, and pages that hold none: nobody is told it as a fact."""

import pytest

from content_sources.columns.entries import Faults
from content_sources.columns.feeds import read_feed
from content_sources.records import page_record
from content_sources.whole import joined
from documents.pages.extract import NoArticle, Page, extract_page

URL = "https://www.qinghe.gov.cn/zwgk/a.html"
TEXT = "青禾县人民政府决定自十二月起为居家老年人提供助餐服务，各社区食堂按时开放。" * 4
TITLE = "青禾县助餐服务安排公布"


def read(above: str = "", below: str = "", *, title: str = TITLE, text: str = TEXT) -> Page:
    return extract_page(
        f"<html><head><title>{title}</title></head><body>{above}"
        f"<div id='zoom'><p>{text}</p>{below}</div></body></html>",
        URL,
    )


@pytest.mark.parametrize(
    ("name", "author"),
    [
        ("104363", None),
        ("大汉网络", None),
        ("系统管理员", None),
        ("青禾县人民政府门户网站", None),
        ("青禾网", None),
        ("zwgk@qinghe.gov.cn", None),
        ("青禾软件科技有限公司", None),
        ("云禾", "云禾"),
        ("云禾 白桦", "云禾 白桦"),
        ("县科技局", "县科技局"),
        ("县委宣传部", "县委宣传部"),
    ],
)
def test_who_made_the_site_wrote_nothing(name: str, author: str | None) -> None:
    for above in (f"<meta name='author' content='{name}'>", f"<p>作者：{name}</p>"):
        page = read(above)
        told = author.split()[0] if author and above.startswith("<p>") else author
        assert (page.author or None) == told, above


def test_a_question_is_no_author_and_the_line_of_authors_may_follow_it() -> None:
    asked = "记者：首先感谢您接受采访，请问今年有哪些变化？"
    assert read(text=f"{asked}{TEXT}").author == ""
    assert read(f"<p>{asked}</p><p>作者：白桦</p>").author == "白桦"


@pytest.mark.parametrize("first", ["作者：您好，欢迎来信。", "来源：你好，请讲。", "作者：谢谢！"])
def test_a_first_paragraph_that_greets_is_no_line_of_authors(first: str) -> None:
    assert read(text=f"{first}</p><p>{TEXT}").text.startswith(first)
    assert first not in read(text=f"作者：白桦</p><p>{TEXT}").text


@pytest.mark.parametrize(
    ("said", "source"),
    [
        ("<p>数据来源：国家统计局</p>", ""),
        ("<p>图片来源：视觉中国</p>", ""),
        ("<p>资金来源：省级财政</p>", ""),
        ("<table><tr><td>指标来源：</td><td>医院填报</td></tr></table>", ""),
        ("<meta name='source' content='图片来源：视觉中国'>", ""),
        ("<p>2026年3月5日来源：青禾日报</p>", "青禾日报"),
        ("<p>信息来源：县民政局</p>", "县民政局"),
        ("<p>新华社</p><p>2026-03-05 18:13</p>", "新华社"),
        ("<p>青禾县融媒体中心</p><p>2026年3月5日 18:13</p>", "青禾县融媒体中心"),
    ],
)
def test_where_a_number_or_picture_is_from_is_not_where_the_article_is_from(
    said: str, source: str
) -> None:
    assert read(said).source == source
    if not source:
        assert read(below=said).source == ""


def test_the_box_of_a_policy_names_its_issuer_and_its_order() -> None:
    rows = (
        ("索引号", "000014349/2019-00021"),
        ("发文机关", "国务院办公厅"),
        ("指标来源：", "医院填报"),
        ("发文字号：", "国令第707号"),
    )
    cells = "".join(f"<tr><td>{a}</td><td>{b}</td></tr>" for a, b in rows)
    page = read(f"<table>{cells}</table>")
    assert (page.source, page.doc_number) == ("国务院办公厅", "国令第707号")


@pytest.mark.parametrize(
    ("above", "title"),
    [
        (f"<div style='display:none'>{TITLE}-新华网</div><h1>{TITLE}</h1>", f"{TITLE}-新华网"),
        (f"<div class='share-title'>{TITLE}-新华网</div>", f"{TITLE}-新华网"),
        (f"<h5>{TITLE}</h5>", "新闻动态--青禾县摄影学会官网"),
        (f"<h2>{TITLE}</h2><h3>相关链接与服务指南</h3>", "通知公告_青禾县人民政府"),
        (f"<div class='title'>{TITLE}</div>", "政策解读 - 青禾县民政局"),
        ("", f"{TITLE}_青禾县人民政府"),
        (f"<h1>{TITLE}</h1>", "首页"),
    ],
)
def test_a_share_box_or_the_name_of_a_column_is_no_title(above: str, title: str) -> None:
    assert read(above, title=title).title == TITLE


def test_a_hyphen_inside_a_title_stays() -> None:
    title = "京津冀-青禾劳务协作签约"
    assert read(f"<h1>{title}</h1>", title=title).title == title


def test_lines_that_begin_like_a_button_stay_and_buttons_go() -> None:
    lines = (
        "关闭小煤矿12处。",
        "阅读推广活动在各社区举行。",
        "收藏品登记办法另行公布。",
        "打印店纳入管理。",
    )
    buttons = (
        "打印本页",
        "关闭窗口",
        "阅读：1203",
        "收藏",
        "【关闭】",
        "字体：大 中 小",
        "分享到：",
    )
    below = "".join(f"<p>{one}</p>" for one in (*lines, "完。", *buttons))
    assert read(below=below).text.split("\n")[1:] == [*lines, "完。"]


PARAGRAPHS = (
    "为进一步提升养老服务水平，根据有关要求，结合我县实际，现将有关事项公布如下，请各单位执行。",
    "市民可到所在社区登记，由工作人员上门核实，三个工作日内办结，不收取任何费用。",
    "补贴标准为每人每餐五元，凭老年优待证刷卡就餐，费用按月结算，结果向社会公布。",
    "各镇（街道）要加强食品安全检查，发现问题及时整改，并于每月十日前上报。",
    "本通知自公布之日起施行，有效期两年。",
)


@pytest.mark.parametrize(
    "each",
    [
        "<p>{}</p>",
        "<div class='TRS_Editor'><p>{}</p></div>",
        "<div class='article-content'><p>{}</p></div>",
        "<section><p>{}</p></section>",
        "<section><section><p><span>{}</span></p></section></section>",
        "<span>{}</span><br>",
        "<dl><dt>一</dt><dd>{}</dd></dl>",
        "<table><tr><td>{}</td></tr></table>",
    ],
)
@pytest.mark.parametrize("around", ["{}", "<div id='zoom'>{}</div>", "<form id='f'>{}</form>",
                                    "<div id='zoom'><form>{}</form></div>"])  # fmt: skip
def test_every_paragraph_of_a_body_is_taken_however_it_is_laid_out(each: str, around: str) -> None:
    body = around.format("".join(each.format(one) for one in PARAGRAPHS))
    menu = "<div class='nav'><a href='/'>首页</a><a href='/b'>新闻</a></div>"
    tags = "<p hidden>隐藏的话</p><div class='tags'>关键词：<a href='x'>助餐</a></div>"
    foot = "<div class='foot'>主办：青禾县人民政府，承办：县政务服务局，邮编：010000</div>"
    whole = f"<title>{TITLE}</title><body>{menu}<h1>{TITLE}</h1>{body}{tags}{foot}</body>"
    page = extract_page(whole, URL)
    assert [one for one in PARAGRAPHS if one not in page.text] == []
    assert [one for one in ("首页", "隐藏的话", "关键词", "邮编") if one in page.text] == []


@pytest.mark.parametrize(
    ("below", "parts"),
    [
        ("<p>【1】【2】</p>", []),
        ("<p><span>【1】</span><span>【2】</span></p>", []),
        ("<a href='a.html'>1</a><a href='a_2.html'>2</a><a href='a_3.html'>3</a>", ["2", "3"]),
        ("<a href='a_2.html'>下一页</a>", ["2"]),
    ],
)
def test_a_page_in_parts_says_so(below: str, parts: list[str]) -> None:
    page = read(below=below)
    assert page.parts == tuple(f"https://www.qinghe.gov.cn/zwgk/a_{one}.html" for one in parts)
    assert page_record("1", page)["continued"] is True
    whole = joined(page, [read(text="第二页的正文。" * 20) for _ in parts])
    assert whole.text.count("第二页的正文。") == 20 * len(parts)
    assert "continued" not in page_record("1", whole)


def test_numbers_in_brackets_and_pages_of_a_list_make_no_parts() -> None:
    links = "<a href='index_2.html'>2</a><a href='b_2.html'>3</a><a href='/x.html'>下一页</a>"
    assert not read(below=f"<p>据文献[1][2]所述。</p>{links}").continued


NO_ARTICLE = [
    ("404 Not Found", "<h1>404</h1><p>您访问的页面不存在或已删除，请返回首页。</p>", "报错页"),
    ("青禾县政务服务网", "<p>系统繁忙，请稍后再试。系统繁忙，请稍后再试。</p>", "报错页"),
    ("出错了", "<p>对不起，服务器内部错误，请联系管理员处理，错误编号一二三四五六。</p>", "报错页"),
    ("该内容已被发布者删除", "<p>该内容已被发布者删除，可以返回首页看其他内容。</p>", "报错页"),
    ("安全验证", "<p>请完成安全验证后继续访问，拖动滑块完成拼图，多谢您的配合。</p>", "验证页"),
    ("访问被拦截", "<p>您的访问请求被拦截，事件编号 123456，请联系管理员处理问题。</p>", "验证页"),
    ("Just a moment...", "<p>Checking your browser before accessing the site. </p>", "验证页"),
    ("用户登录", "<p>请输入用户名和密码登录系统。忘记密码请联系管理员，立即注册。</p>", "登录页"),
    ("青禾县统一身份认证", "<input type='password'><p>请在下面输入账号和密码。</p>", "登录页"),
    ("提示信息", "<p>页面正在跳转，请稍候，如果没有反应请点击这里继续访问本网站。</p>", "跳转页"),
    (
        "青禾县人民政府",
        "<meta http-equiv='refresh' content='0;url=/x.html'>"
        "<p>如果没有反应，请从这里进入新的地址，谢谢您的光临。</p>",
        "跳转页",
    ),
    ("青禾县人民政府", "<p>请启用 JavaScript 后再访问，否则看不到任何内容。</p>", "跳转页"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "body", "kind"), NO_ARTICLE)
def test_a_page_that_holds_no_article_is_named(title: str, body: str, kind: str) -> None:
    with pytest.raises(NoArticle, match=kind):
        extract_page(f"<title>{title}</title><body><div id='zoom'>{body}</div></body>", URL)


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("关于系统维护的公告", "因系统正在维护中，政务服务网十二月一日暂停两小时，敬请谅解。"),
        (
            "青禾县社保登录方式调整",
            "自十二月一日起，请登录县人社局网站查询补贴，凭身份证办理相关的事项。",
        ),
        (
            "警惕验证码诈骗",
            "近日有人冒充客服索要验证码，县公安局提醒广大群众不要把短信验证码告诉任何人。" * 2,
        ),
        ("青禾县关闭小煤矿12处", TEXT),
    ],
)
def test_a_short_notice_about_such_things_is_an_article(title: str, text: str) -> None:
    assert read(f"<h1>{title}</h1>", title=title, text=text).title == title


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("2026年11月3日 08:00", "2026-11-03"),
        ("2026/11/3 8:00:00", "2026-11-03"),
        ("2026.11.03", "2026-11-03"),
        ("2026-11-03 20:30:00", "2026-11-03"),
        ("Tue, 03 Nov 2026 20:00:00 CST", "2026-11-03"),
        ("星期二, 03 十一月 2026", "2026-11-03"),
        ("星期四, 03 12月 2026 08:00:00 +0800", "2026-12-03"),
        ("Tue, 03 Nov 2026 20:00:00 GMT", "2026-11-04"),
        ("2026-11-03T20:00:00Z", "2026-11-04"),
        ("2026-11-03T20:00:00+08:00", "2026-11-03"),
        ("二〇二六年十一月三日", "2026-11-03"),
    ],
)
def test_a_day_of_a_feed_is_beijings(given: str, day: str) -> None:
    feed = (
        "<?xml version='1.0'?><rss version='2.0'><channel><title>t</title><item><title>甲</title>"
        f"<link>https://q.example/1</link><pubDate>{given}</pubDate></item></channel></rss>"
    )
    assert read_feed(feed.encode(), "https://q.example/", "", Faults())[0].date == day
