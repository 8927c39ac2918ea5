"""Pages as county sites, ministries and platforms build them; every text here is invented."""

import pytest

from documents.pages.extract import Page, extract_page

TITLE = "青禾县人民政府办公室关于印发冬季用工保障方案的通知"
SITE = "青禾县人民政府门户网站"
BODY = [
    "各苏木乡镇人民政府，县直各部门：",
    "《青禾县冬季用工保障方案》已经县政府同意，现印发给你们，请结合实际认真组织实施。",
    "一、对春节期间不停工、不减员的企业，按照每人每天五十元的标准给予稳岗补贴，最长不超过十五天。",
    "二、县人力资源和社会保障局每周公布一次岗位清单，岗位信息同时在政务服务大厅张贴。",
    "三、返乡务工人员可以凭身份证在任一社区服务站登记求职，工作人员当场答复。",
]
NAV = "".join(f'<li><a href="/c{n}/">栏目{n}</a></li>' for n in range(15))
RELATED = "".join(
    f'<li><a href="/r{n}.html">青禾县关于做好第{n}项民生实事工作的若干措施公布实施</a>'
    f"<span>2025-10-{n + 10}</span></li>"
    for n in range(12)
)
FOOT = (
    '<div class="footer"><p>主办单位：青禾县人民政府 承办单位：青禾县大数据局</p>'
    "<p>网站标识码：1500000000 蒙ICP备00000000号 蒙公网安备 00000000号</p></div>"
)
BOX = {
    "索 引 号": "000014349/2026-00123",
    "发文机关": "青禾县人民政府办公室",
    "成文日期": "2026年11月18日",
    "发文字号": "青政办发〔2026〕21号",
    "主题分类": "劳动、人事、监察\\就业",
    "发布日期": "2026-11-20",
    "有效性": "有效",
}


def paragraphs(lines: list[str] = BODY) -> str:
    return "".join(f"<p>　　{line}</p>" for line in lines)


def whole(main: str, title: str = f"{TITLE}_{SITE}", meta: str = "") -> str:
    return (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{title}</title>{meta}"
        "<script>var a='作者：无';</script></head><body>"
        "<div class='top'>今天是2026年11月25日 星期三<ul>"
        f"{NAV}</ul></div>{main}{FOOT}</body></html>"
    )


def read(html: str | bytes, url: str = "https://www.qinghe.example/zwgk/1.html") -> Page:
    return extract_page(html, url)


def assert_clean(page: Page) -> None:
    """Every paragraph in order, and nothing that is not the article."""
    lines = page.text.split("\n")
    assert [line for line in lines if line in BODY] == BODY
    for other in (
        "栏目3",
        "民生实事",
        "网站标识码",
        "上一篇",
        "下一篇",
        "分享",
        "今天是",
        "扫一扫",
    ):
        assert other not in page.text


def test_a_cyberspace_office_page() -> None:
    main = (
        "<div class='wrap'><div class='location'>"
        "当前位置：<a>首页</a>&gt;<a>政策</a>&gt;正文</div>"
        f"<h1 class='arttitle'>{TITLE}</h1><div class='artinfo'><span>2026年11月20日 09:30</span>"
        "<span>来源：青禾县委网信办</span><span>【打印】【纠错】</span></div>"
        f"<div class='main-content'>{paragraphs()}</div></div>"
        f"<div class='right'><h3>相关阅读</h3><ul>{RELATED}</ul></div>"
    )
    page = read(whole(main, f"{TITLE}_青禾县互联网信息办公室"))
    assert (page.title, page.date, page.source) == (TITLE, "2026-11-20", "青禾县委网信办")
    assert_clean(page)


def box_table() -> str:
    cells = [f"<td><b>{name}：</b></td><td>{value}</td>" for name, value in BOX.items()]
    rows = [f"<tr>{''.join(cells[at : at + 2])}</tr>" for at in range(0, len(cells), 2)]
    return (
        f"<table class='xxgk'>{''.join(rows)}<tr><td>"
        f"<b>名 称：</b></td><td>{TITLE}</td></tr></table>"
    )


def box_list() -> str:
    return "<dl>" + "".join(f"<dt>【{k}】</dt><dd>{v}</dd>" for k, v in BOX.items()) + "</dl>"


def box_lines() -> str:
    return (
        "<ul>"
        + "".join(f"<li><em>{k}：</em><span>{v}</span></li>" for k, v in BOX.items())
        + "</ul>"
    )


def box_text() -> str:
    return "<div>" + "".join(f"<p>{k}：{v}</p>" for k, v in BOX.items()) + "</div>"


@pytest.mark.parametrize("box", [box_table, box_list, box_lines, box_text])
@pytest.mark.parametrize("inside", [True, False])
def test_the_information_box_of_a_policy_in_every_form(box, *, inside: bool) -> None:
    content = f"<div id='zoom'>{box() if inside else ''}{paragraphs()}</div>"
    main = f"{'' if inside else box()}<h1>{TITLE}</h1>{content}"
    page = read(whole(f"<div class='gknr'>{main}</div>"))
    info = page.policy
    assert (page.title, page.date, page.doc_number) == (TITLE, "2026-11-20", "青政办发〔2026〕21号")
    assert (info.index_number, info.issuer) == ("000014349/2026-00123", "青禾县人民政府办公室")
    assert (info.written_on, info.published_on) == ("2026-11-18", "2026-11-20")
    assert (info.validity, info.category) == ("有效", "劳动、人事、监察\\就业")
    assert info.is_policy
    assert_clean(page)
    assert "000014349" not in page.text


def test_an_empty_field_of_the_box_does_not_take_the_next_label() -> None:
    table = (
        "<table><tr><td>索引号：</td><td></td><td>主题分类：</td><td>就业</td></tr>"
        "<tr><td>发文字号：</td><td>无</td><td>有效性：</td><td>废止</td></tr>"
        "<tr><td>成文日期：</td><td></td><td>发文机关：</td><td>县政府办</td></tr></table>"
    )
    info = read(whole(f"{table}<h1>{TITLE}</h1><div id='zoom'>{paragraphs()}</div>")).policy
    assert (info.index_number, info.category, info.written_on) == ("", "就业", "")
    assert (info.doc_number, info.validity, info.issuer) == ("", "废止", "县政府办")


def test_a_news_page_is_no_policy() -> None:
    page = read(
        whole(f"<h1>{TITLE}</h1><p>来源：县融媒体中心</p><div id='zoom'>{paragraphs()}</div>")
    )
    assert not page.policy.is_policy


def test_a_state_council_library_page() -> None:
    main = (
        f"<div class='policyLibraryOverview'><table class='bd1'><tr><td><b>标　　题：</b></td>"
        f"<td colspan='3'>{TITLE}</td></tr><tr><td><b>发文机关：</b></td><td>县政府办</td>"
        "<td><b>来　　源：</b></td><td>青禾县政府网</td></tr><tr><td><b>发文字号：</b></td>"
        "<td>青政办发〔2026〕21号</td><td><b>发布日期：</b>"
        "</td><td>2026年11月20日</td></tr></table>"
        f"<div class='pages_content' id='UCAP-CONTENT'><p align='center'>{TITLE}</p>{paragraphs()}"
        "<p align='right'>青禾县人民政府办公室</p><p align='right'>2026年11月18日</p>"
        "<p>（此件公开发布）</p></div></div>"
    )
    meta = (
        '<meta name="manuscriptId" content="1">'
        '<meta name="firstpublishedtime" content="2026-11-20">'
    )
    page = read(whole(main, f"{TITLE}_就业_中国政府网", meta))
    assert (page.title, page.date, page.doc_number) == (TITLE, "2026-11-20", "青政办发〔2026〕21号")
    assert page.policy.issuer == "县政府办"
    assert_clean(page)
    assert page.text.endswith("青禾县人民政府办公室\n2026年11月18日\n（此件公开发布）")


def test_a_wechat_article() -> None:
    lines = "".join(
        f"<section><span style='font-size:15px'>{line}</span></section>" for line in BODY
    )
    html = (
        f"<html><head><meta property='og:title' content='{TITLE}'><title></title></head><body>"
        f"<div id='page-content'><h1 id='activity-name'>{TITLE}</h1><div id='meta_content'>"
        "<span class='rich_media_meta_text'>云禾</span> <a id='js_name'> 青禾发布 </a>"
        "<em id='publish_time'></em></div>"
        f"<div id='js_content' style='visibility: hidden;'>{lines}<p><img data-src="
        "'https://img.qinghe.example/a/640?wx_fmt=png' alt='图片'></p></div></div>"
        "<div>预览时标签不可点</div><div>微信扫一扫关注该公众号</div>"
        '<script>var ct = "1795140000"; var nickname = htmlDecode("青禾发布");</script>'
        "</body></html>"
    )
    page = read(html)
    assert (page.title, page.date, page.source) == (TITLE, "2026-11-20", "青禾发布")
    assert_clean(page)
    assert page.images == (("https://img.qinghe.example/a/640?wx_fmt=png", "图片"),)


def test_an_editor_inside_a_content_box_with_related_links_and_neighbours() -> None:
    main = (
        f"<div class='article-content'><h2>{TITLE}</h2>"
        "<p>时间：2026-11-20 来源：县政府办 浏览次数：<i>3</i>次 "
        f"【字体：<a>大</a> <a>中</a> <a>小</a>】</p><div class='TRS_Editor'>{paragraphs()}</div>"
        "<p>分享到：<a href='#'>微信</a></p><p>上一篇：<a href='/1.html'>关于供暖的通知</a></p>"
        "<p>下一篇：<a href='/2.html'>关于停水的通知</a>"
        f"</p><h3>相关链接</h3><ul>{RELATED}</ul></div>"
    )
    page = read(whole(main))
    assert (page.title, page.date, page.source) == (TITLE, "2026-11-20", "县政府办")
    assert_clean(page)


@pytest.mark.parametrize("container", ["class='nr_box'", "id='content'", "class='content_txt'"])
def test_related_links_longer_than_two_articles_inside_the_same_box(container: str) -> None:
    main = (
        f"<div {container}><h1>{TITLE}</h1><div>"
        "发布时间：2026-11-20 10:00 信息来源：青禾县人社局</div>"
        f"{paragraphs()}<div><strong>相关新闻</strong><ul>{RELATED * 3}</ul></div></div>"
    )
    page = read(whole(main))
    assert (page.title, page.date, page.source) == (TITLE, "2026-11-20", "青禾县人社局")
    assert_clean(page)


def test_a_page_in_gb2312_with_breaks_instead_of_paragraphs() -> None:
    lines = "<br><br>&nbsp;&nbsp;&nbsp;&nbsp;".join(BODY)
    main = (
        f"<table width='760'><tr><td align='center'><font size='4'><b>{TITLE}</b></font></td></tr>"
        "<tr><td align='center'>"
        "来源：青禾县劳动局&nbsp;&nbsp;发布日期：2006年3月5日&nbsp;&nbsp;点击数：12</td></tr>"
        f"<tr><td><font size='3'>{lines}</font></td></tr></table>"
    )
    html = whole(main, TITLE).replace("charset='utf-8'", "charset='gb2312'").encode("gb18030")
    page = read(html)
    assert (page.title, page.date, page.source) == (TITLE, "2006-03-05", "青禾县劳动局")
    assert_clean(page)


def test_a_school_system_page_with_files_beside_the_text() -> None:
    main = (
        f"<form><div class='content'><h1>{TITLE}</h1><div>"
        "时间：2026-11-20&nbsp;&nbsp;作者：云禾&nbsp;&nbsp;点击：</div>"
        f"<div id='vsb_content'><div class='v_news_content'>{paragraphs()}</div></div>"
        "<p>附件【<a href='/system/download.jsp?file=plan.docx'>"
        "岗位清单.docx</a>】已下载<span>7</span>次</p>"
        "</div></form>"
    )
    page = read(whole(main.replace("form", "div")))
    assert (page.title, page.date, page.author) == (TITLE, "2026-11-20", "云禾")
    assert [name for _, name in page.attachments] == ["岗位清单.docx"]
    assert_clean(page)


def test_a_publishing_system_of_universities() -> None:
    main = (
        f"<div class='article'><h1 class='arti_title'>{TITLE}</h1><p class='arti_metas'>"
        "<span class='arti_publisher'>发布者：管理员</span>"
        "<span class='arti_update'>发布时间：2026-11-20</span>"
        "</p><div class='entry'><div class='read'>"
        f"<div class='wp_articlecontent'>{paragraphs()}</div></div></div></div>"
    )
    page = read(whole(main, TITLE))
    assert (page.title, page.date) == (TITLE, "2026-11-20")
    assert_clean(page)


def test_a_notice_that_is_only_a_file() -> None:
    main = (
        "<h1>青禾县2026年公开招聘工作人员公告</h1><div>日期：2026-11-20</div>"
        "<div class='TRS_Editor'><p><a href='./P020261120.pdf'>招聘公告.pdf</a></p></div>"
    )
    page = read(
        whole(main, "青禾县2026年公开招聘工作人员公告"), "https://q.example/a/t20261120_1.html"
    )
    assert page.attachments == (("https://q.example/a/P020261120.pdf", "招聘公告.pdf"),)
    assert (page.date, page.text) == ("2026-11-20", "招聘公告.pdf")


def test_a_party_newspaper_page() -> None:
    main = (
        f"<div class='layout rm_txt'><div class='col-1'><h1>{TITLE}</h1><div class='channel'><div>"
        "2026年11月20日08:11 | 来源：<a href='http://paper.example'>青禾日报</a></div></div>"
        f"<div class='rm_txt_con'>{paragraphs()}<div class='edit'>(责编：白桦、林青)</div></div>"
        f"<div class='rm_relevant'><h2>相关新闻</h2><ul>{RELATED}</ul></div></div></div>"
    )
    page = read(whole(main, f"{TITLE}--青禾网"))
    assert (page.title, page.date, page.source) == (TITLE, "2026-11-20", "青禾日报")
    assert_clean(page)
    assert "责编" not in page.text


def test_a_data_table_in_the_text_keeps_its_cells_together() -> None:
    table = (
        "<table border='1'><tr><th><p>岗位</p></th><th><p>人数</p></th></tr>"
        "<tr><td><p>护理员</p></td><td><p>12</p></td></tr><tr>"
        "<td><p>司机</p></td><td><p>3</p></td></tr></table>"
    )
    page = read(whole(f"<h1>{TITLE}</h1><div id='zoom'>{paragraphs()}{table}</div>"))
    assert page.blocks[-1].rows == (("岗位", "人数"), ("护理员", "12"), ("司机", "3"))
    assert page.text.endswith("岗位 人数\n护理员 12\n司机 3")
    assert_clean(page)


def test_the_day_in_han_numbers_below_the_text_is_the_day_when_there_is_no_other() -> None:
    lines = [*BODY, "青禾县人民政府", "二〇二六年十一月十八日"]
    html = (
        f"<html><head><title>{TITLE}</title></head><body>"
        f"<div id='zoom'>{paragraphs(lines)}</div></body></html>"
    )
    assert read(html).date == "2026-11-18"


def test_paragraphs_made_of_div_elements() -> None:
    lines = "".join(f"<div style='text-indent:2em'>{line}</div>" for line in BODY)
    main = (
        f"<div class='bt'>{TITLE}</div><div class='ly'>发布时间：2026-11-20 来源：县就业局</div>"
        f"<div class='con'>{lines}</div>"
    )
    page = read(whole(main, f"{TITLE}-{SITE}"))
    assert (page.title, page.date, page.source) == (TITLE, "2026-11-20", "县就业局")
    assert_clean(page)


def test_a_site_name_in_the_only_heading() -> None:
    main = (
        f"<h1><a href='/'>{SITE}</a></h1><div class='title'>{TITLE}</div><div>2026-11-20</div>"
        f"<div class='zw'>{paragraphs()}</div>"
    )
    page = read(whole(main, SITE, f"<meta name='ArticleTitle' content='{TITLE}'>"))
    assert (page.title, page.date) == (TITLE, "2026-11-20")
    assert_clean(page)


def test_structured_data_gives_the_day() -> None:
    meta = (
        '<script type="application/ld+json">{"datePublished":"2026-11-20T08:00:00+08:00"}</script>'
    )
    page = read(whole(f"<h1>{TITLE}</h1><div id='zoom'>{paragraphs()}</div>", TITLE, meta))
    assert page.date == "2026-11-20"


def test_the_document_has_headings_lists_and_pictures_with_their_maker() -> None:
    main = (
        f"<div id='zoom'><h2>一、补贴</h2>{paragraphs()}<ol>"
        "<li>身份证<ul><li>正反面</li></ul></li></ol>"
        "<p><img src='/p/a.jpg' alt='招聘会'></p><p>招聘会现场。（白桦 摄）</p>"
        "<img src='/images/icon_pdf.gif'><img width='16' src='/p/dot.png'></div>"
    )
    blocks = read(whole(f"<h1>{TITLE}</h1>{main}")).blocks
    assert (blocks[0].kind, blocks[0].level, blocks[0].text) == ("heading", 2, "一、补贴")
    items = [(one.text, one.level, one.ordered) for one in blocks if one.kind == "item"]
    assert items == [("身份证", 1, True), ("正反面", 2, False)]
    pictures = [one for one in blocks if one.kind == "image"]
    assert [(one.url, one.text, one.origin) for one in pictures] == [
        ("https://www.qinghe.example/p/a.jpg", "招聘会", "白桦 摄")
    ]
    assert pictures[0].record()["licence"] == ""


def test_a_page_nested_deeper_than_any_stack_is_read() -> None:
    deep = "<div>" * 3000 + paragraphs() + "</div>" * 3000
    html = (
        f"<html><head><title>{TITLE}</title></head><body><div id='zoom'>{deep}</div></body></html>"
    )
    try:
        page = read(html)
    except ValueError:
        return
    assert BODY[1] in page.text


def test_hidden_text_is_not_part_of_the_article() -> None:
    main = (
        f"<h1>{TITLE}</h1><div id='zoom'>{paragraphs()}<p style='display: none'>暗链 博彩</p></div>"
    )
    page = read(whole(main))
    assert "博彩" not in page.text
    assert_clean(page)
