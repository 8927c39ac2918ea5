"""The ways county sites lay out an article: what is read, and what is left out."""

import pytest

from documents.pages.extract import extract_page

TITLE = "青禾县举办毕业生专场招聘会"
TEXT = [
    "县人力资源和社会保障局12月举办毕业生专场招聘会，四十家企业参加，提供岗位一千二百个。",
    "会场设政策咨询台，工作人员解答就业补贴、创业担保贷款和档案转递等问题，免费打印简历。",
    "毕业生携带身份证和毕业证，于2026年12月5日上午9时到县体育馆入场，企业名单另行公布。",
]
BODY = "".join(f"<p>　　{line}</p>" for line in TEXT)
NAV = (
    '<div class="nav"><a href="/">首页</a><a href="/a">政务公开</a><a href="/b">互动交流</a></div>'
)
OTHERS = (
    '<div><h3>相关新闻</h3><ul><li><a href="/1">关于公布救助标准的通知</a></li>'
    '<li><a href="/2">青禾县道路施工公告</a></li></ul></div>'
)
FOOT = '<div class="foot">主办：青禾县人民政府办公室 网站标识码：1500000000 版权所有</div>'
PLAIN = f"<div>{BODY}</div>"


def page(head: str, main: str, title: str = TITLE) -> str:
    return (
        f"<html><head><title>{title}</title></head><body>{NAV}{head}{main}{OTHERS}{FOOT}"
        "</body></html>"
    )


@pytest.mark.parametrize(
    ("head", "main"),
    [
        (f"<h1>{TITLE}</h1><div>发布时间：2026-11-20</div>", PLAIN),
        (f"<h2>{TITLE}</h2><p>日期：2026/11/20 09:12</p>", BODY),
        (f"<h1>{TITLE}</h1><span>2026年11月20日</span>", f"<div>{'<br><br>'.join(TEXT)}</div>"),
        (
            f"<table><tr><td>{TITLE}</td></tr><tr><td>发布日期：2026.11.20</td></tr></table>",
            f"<table><tr><td>{BODY}</td></tr></table>",
        ),
        (f"<div>今天是2026年11月24日</div><h1>{TITLE}</h1><i>2026-11-20</i>", PLAIN),
        (
            f"<div>位置：首页 &gt; {TITLE}</div><div>今天是2026年11月24日 星期二</div>"
            f"<h1>{TITLE}</h1><div>成文日期：2026-11-18 发布日期：2026-11-20</div>",
            PLAIN,
        ),
        (f"<h1>{TITLE}</h1>", f"<div>{BODY}<p>时间：2026年12月5日</p></div>"),
    ],
)
def test_title_date_and_body_are_read_and_menus_left_out(head: str, main: str) -> None:
    found = extract_page(page(head, main), "https://q.example/202611/t20261120_7.html")
    assert (found.title, found.date) == (TITLE, "2026-11-20")
    lines = found.text.split("\n")
    assert [line for line in lines if line in TEXT] == TEXT
    for other in ("互动交流", "相关新闻", "道路施工", "网站标识码"):
        assert other not in found.text


@pytest.mark.parametrize(
    ("line", "source", "author"),
    [
        ("<span>来源：县人社局</span><span>编辑：王小</span>", "县人社局", ""),
        ("信息来源： 青禾县融媒体中心　作者：李四", "青禾县融媒体中心", "李四"),
        ("来源： 作者： 浏览：12 字号：大 中 小", "", ""),
        ("来源：<a href='/x'>青禾日报</a> 责任编辑：王小", "青禾日报", ""),
        ("来源：2026-11-20", "", ""),
    ],
)
def test_source_and_author_stop_at_the_next_label(line: str, source: str, author: str) -> None:
    found = extract_page(page(f"<h1>{TITLE}</h1><div>{line}</div>", PLAIN), "https://q.example/")
    assert (found.source, found.author) == (source, author)


@pytest.mark.parametrize(
    ("title", "head"),
    [
        (f"{TITLE}_青禾县人民政府", ""),
        (f"{TITLE} - 青禾县人民政府门户网站", "<h1>青禾县人民政府门户网站</h1>"),
        ("青禾县人民政府", f"<h1>{TITLE}</h1>"),
        (f"{TITLE}|就业|青禾网", f"<h1>{TITLE}</h1>"),
    ],
)
def test_the_site_name_is_not_the_title(title: str, head: str) -> None:
    assert extract_page(page(head, PLAIN, title), "https://q.example/").title == TITLE


def test_a_notice_shorter_than_the_menus_around_it_is_found() -> None:
    notice = "11月21日8时至18时城北片区停水，请提前储水。"
    html = page("<h1>停水公告</h1>", f"<div><p>{notice}</p></div>", "停水公告")
    found = extract_page(html, "https://q.example/")
    assert notice in found.text
    assert "相关新闻" not in found.text


def test_a_meeting_time_at_the_top_of_the_body_stays() -> None:
    main = f'<div class="TRS_Editor"><p>时间：12月5日上午9时</p><p>地点：县体育馆</p>{BODY}</div>'
    found = extract_page(page(f"<h1>{TITLE}</h1>", main), "https://q.example/")
    assert found.text.startswith("时间：12月5日上午9时\n地点：县体育馆\n")


def test_scripts_and_handlers_leave_no_trace() -> None:
    main = (
        f"<div>{BODY}<script>alert(1)</script><p onclick='x()'>附则<style>p{{}}</style></p></div>"
    )
    found = extract_page(page(f"<h1>{TITLE}</h1>", main), "https://q.example/")
    assert "alert" not in found.marked
    assert "onclick" not in found.marked
    assert "附则" in found.text


def test_selectors_of_a_column_go_before_everything_else() -> None:
    html = page(
        "<h1>青禾县政务公开</h1><em>招聘会 公告</em><b>县人社局</b><i>2026-11-19</i>",
        f"<div class='other'>{BODY * 3}</div><div class='mine'><p>只要这一段。</p></div>",
    )
    chosen = {"title": "em", "date": "i", "source": "b", "body": "div.mine"}
    found = extract_page(html, "https://q.example/", chosen)
    assert (found.title, found.date, found.source) == ("招聘会 公告", "2026-11-19", "县人社局")
    assert found.text == "只要这一段。"
    with pytest.raises(ValueError, match="选择器 body 写错了"):
        extract_page(html, "https://q.example/", {"body": "div[["})
