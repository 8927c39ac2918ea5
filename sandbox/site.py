"""A small government site of the invented 青禾县: feed, list page, articles, picture, attachment.

Everything is written for this sandbox. The first article carries one fault for each gate, so that
an editor has something to correct; FAULTS holds what is wrong and what is right.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from html import escape

from aiohttp import web

FAULTS: tuple[tuple[str, str], ...] = (
    ("全国人大副委员长", "全国人大常委会副委员长"),
    ("抓获冒领补贴的罪犯1名", "抓获冒领补贴的犯罪嫌疑人1名"),
    ("青人社发〔2019〕3号", "青人社发〔2026〕5号"),
    ("联系人王小禾，手机13800138000", "咨询电话12333"),
    ("青政发[2026]8号", "青政发〔2026〕8号"),
)

PUBLISHER = "青禾县人民政府"


@dataclass(frozen=True)
class Article:
    """One page: `day` is YYYY-MM-DD; `column` is news or policy; paragraphs are plain text."""

    slug: str
    column: str
    title: str
    day: str
    source: str
    author: str
    paragraphs: tuple[str, ...]
    picture: str = ""
    attachment: str = ""


ARTICLES = (
    Article(
        "jiuye-butie",
        "news",
        "青禾县关于发放高校毕业生就业补贴的通知",
        "2026-11-23",
        "青禾县人力资源和社会保障局",
        "林青",
        (
            "青政发〔2026〕12号",
            "各苏木乡镇人民政府，县直各部门：",
            "为贯彻全国人大副委员长调研就业工作时提出的要求，做好高校毕业生就业工作，"
            "现就发放就业补贴有关事项通知如下。",
            "（一）补贴对象。毕业两年内在青禾县企业就业、签订一年以上劳动合同并缴纳"
            "社会保险的高校毕业生。",
            "（二）补贴标准。每人每月800元，最长发放12个月。具体标准按照青人社发〔2019〕3号执行。",
            "（三）申请材料。本人身份证、毕业证书、劳动合同和社会保险缴费记录。",
            "（四）申请时间。2026年12月1日至2027年2月28日，逾期不再受理。",
            "（五）办理方式。到县政务服务中心二楼人社窗口申请，也可以在网上提交。"
            "联系人王小禾，手机13800138000。",
            "（六）监督管理。补贴资金的使用按照青政发[2026]8号的要求公开。"
            "县公安局上月抓获冒领补贴的罪犯1名，请申请人如实填写材料。",
            "本通知自2026年12月1日起施行。",
        ),
        picture="window.png",
        attachment="butie-shenqing.txt",
    ),
    Article(
        "yanglao-fuwu",
        "policy",
        "青禾县居家养老服务补贴发放办法",
        "2026-11-20",
        "青禾县民政局",
        "云禾",
        (
            "青政办发〔2026〕21号",
            "第一条 为方便老年人在家中得到照料，制定本办法。",
            "第二条 年满80周岁的本县户籍老年人，可以申请居家养老服务补贴。",
            "第三条 补贴按月发放，每人每月120元，用于助餐、助浴和上门巡访。",
            "第四条 申请人向户籍所在地的嘎查村民委员会或者社区居民委员会提出申请。",
            "第五条 本办法自2027年1月1日起施行，有效期五年。",
        ),
    ),
    Article(
        "chunmiao-daikuan",
        "policy",
        "青禾县支持返乡人员创业的若干措施",
        "2026-11-18",
        "青禾县人力资源和社会保障局",
        "林青",
        (
            "青政办发〔2026〕19号",
            "（一）场地支持。返乡人员租用县创业园场地的，第一年免收租金。",
            "（二）贷款支持。符合条件的创业者可以申请最高30万元的创业担保贷款。",
            "（三）培训支持。县职业学校每季度开办一期创业培训班，不收取学费。",
            "（四）本措施自2026年12月1日起施行。",
        ),
    ),
    Article(
        "gongshui-gaizao",
        "news",
        "青禾县城北供水管网改造全部完工",
        "2026-11-17",
        "青禾县融媒体中心",
        "白桦",
        (
            "11月16日，青禾县城北片区供水管网改造工程通过验收，4个小区的1260户居民用上了新管网。",
            "工程更换老旧管道7.4公里，新建加压泵房2座，解决了高层住户晚间水压不足的问题。",
            "县供水公司表示，冬季将安排人员每日巡查，居民遇到停水可以拨打服务热线报修。",
        ),
        picture="pipes.png",
    ),
    Article(
        "dongji-qushu",
        "news",
        "青禾县图书馆冬季延长开放时间",
        "2026-11-15",
        "青禾县文化旅游局",
        "苏日娜",
        (
            "从12月1日起，青禾县图书馆每天开放时间延长到晚上8点，周一照常闭馆整理图书。",
            "馆内新增自习座位60个，备有热水和老花镜，读者凭身份证即可入馆。",
            "图书馆还将在每个周六上午为孩子们讲故事，不需要预约。",
        ),
    ),
    Article(
        "yibao-jiaofei",
        "news",
        "青禾县城乡居民医保缴费服务点增至36个",
        "2026-11-12",
        "青禾县医疗保障局",
        "云禾",
        (
            "青禾县今年在各苏木乡镇和社区设立36个医保缴费服务点，老年人可以就近缴费。",
            "服务点每天上午9点到下午5点办理业务，工作人员帮助不会用手机的居民查询缴费记录。",
            "集中缴费期到2026年12月31日结束。",
        ),
    ),
)

_PAGE = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>{title}_{publisher}</title>
<meta name="SiteName" content="{publisher}">
<meta name="ArticleTitle" content="{title}">
<meta name="PubDate" content="{day} 09:00">
<meta name="ContentSource" content="{source}">
<meta name="Author" content="{author}">
</head><body>
<header><a href="/site/">{publisher}</a> <a href="/site/policy/">政策文件</a></header>
<main><article><h1>{title}</h1>
<p class="info">来源：{source} 发布时间：{day}</p>
<div class="content" id="zoom">
{body}
</div></article></main>
<footer>{publisher}主办 网站标识码：sandbox</footer>
</body></html>
"""


def _article_page(article: Article) -> str:
    lines = [f"<p>{escape(line)}</p>" for line in article.paragraphs]
    if article.picture:
        lines.insert(
            min(3, len(lines)), f'<p><img src="/site/{article.picture}" alt="办事现场"></p>'
        )
    if article.attachment:
        lines.append(f'<p>附件：<a href="/site/files/{article.attachment}">补贴申请表</a></p>')
    return _PAGE.format(
        title=escape(article.title),
        publisher=PUBLISHER,
        day=article.day,
        source=article.source,
        author=article.author,
        body="\n".join(lines),
    )


def png(width: int, height: int, rgb: tuple[int, int, int]) -> bytes:
    """A picture of one colour with a lighter stripe, made here so that nothing is shipped."""
    rows = bytearray()
    for line in range(height):
        lighter = tuple(min(255, part + 60) for part in rgb) if line % 40 < 20 else rgb
        rows += b"\0" + bytes(lighter) * width

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(rows)))
        + chunk(b"IEND", b"")
    )


_BY_SLUG = {article.slug: article for article in ARTICLES}
_PICTURES = {"window.png": png(320, 200, (40, 110, 160)), "pipes.png": png(320, 200, (60, 130, 80))}
_FORM = "高校毕业生就业补贴申请表\n姓名：\n毕业院校：\n就业单位：\n"
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _base(request: web.Request) -> str:
    return f"http://{request.host}"


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", charset="utf-8")


def _rfc822(day: str) -> str:
    year, month, date = day.split("-")
    return f"{date} {_MONTHS[int(month) - 1]} {year} 09:00:00 +0800"


async def feed(request: web.Request) -> web.Response:
    """The news column as RSS 2.0; the first entry is the notice with the faults."""
    items = "\n".join(
        f"<item><title>{escape(one.title)}</title>"
        f"<link>{_base(request)}/site/news/{one.slug}.html</link>"
        f"<guid>{_base(request)}/site/news/{one.slug}.html</guid>"
        f"<pubDate>{_rfc822(one.day)}</pubDate></item>"
        for one in ARTICLES
        if one.column == "news"
    )
    text = (
        '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
        f"<title>{PUBLISHER} 新闻</title><link>{_base(request)}/site/</link>"
        f"<description>青禾县要闻和通知</description>\n{items}\n</channel></rss>\n"
    )
    return web.Response(text=text, content_type="application/rss+xml", charset="utf-8")


async def policy_list(_: web.Request) -> web.Response:
    """The policy column as a list page, the way county sites show it."""
    rows = "\n".join(
        f'<li><a href="/site/policy/{one.slug}.html" title="{one.title}">{one.title}</a>'
        f"<span>{one.day}</span></li>"
        for one in ARTICLES
        if one.column == "policy"
    )
    return _html(
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>政策文件</title>'
        f'</head><body><nav><a href="/site/">首页</a></nav><ul class="list">\n{rows}\n</ul>'
        "</body></html>"
    )


async def article_page(request: web.Request) -> web.Response:
    """One article in its own column."""
    article = _BY_SLUG.get(request.match_info["slug"])
    if article is None or article.column != request.match_info["column"]:
        raise web.HTTPNotFound
    return _html(_article_page(article))


async def home(_: web.Request) -> web.Response:
    """The front page with both columns."""
    rows = "".join(
        f'<li><a href="/site/{one.column}/{one.slug}.html">{one.title}</a></li>' for one in ARTICLES
    )
    return _html(
        f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>{PUBLISHER}</title>'
        f"</head><body><h1>{PUBLISHER}</h1><ul>{rows}</ul></body></html>"
    )


async def picture(request: web.Request) -> web.Response:
    """One of the generated pictures."""
    body = _PICTURES.get(request.match_info["name"] + ".png")
    if body is None:
        raise web.HTTPNotFound
    return web.Response(body=body, content_type="image/png")


async def attachment(_: web.Request) -> web.Response:
    """The form behind the notice."""
    return web.Response(text=_FORM, content_type="text/plain", charset="utf-8")


async def unlisted(_: web.Request) -> web.Response:
    """A page of a publisher that nobody determined as a source."""
    page = Article(
        "x",
        "news",
        "某资讯号转发的就业消息",
        "2026-11-21",
        "某资讯号",
        "佚名",
        ("这个页面不属于任何已确定的稿源单位，不能转载，也不能抓取。",),
    )
    return _html(_article_page(page))


async def redirect(request: web.Request) -> web.Response:
    """Leave the listed host for another one."""
    port = f":{request.url.port}" if request.url.port else ""
    target = f"http://unlisted.localhost{port}/unlisted/news.html"
    raise web.HTTPFound(target)


def add_site(app: web.Application) -> None:
    """Mount the site under /site/ and the unlisted page beside it."""
    app.router.add_get("/site/", home)
    app.router.add_get("/site/news/rss.xml", feed)
    app.router.add_get("/site/policy/", policy_list)
    app.router.add_get("/site/offsite-redirect", redirect)
    app.router.add_get("/site/files/butie-shenqing.txt", attachment)
    app.router.add_get("/site/{column:news|policy}/{slug}.html", article_page)
    app.router.add_get("/site/{name}.png", picture)
    app.router.add_get("/unlisted/news.html", unlisted)
