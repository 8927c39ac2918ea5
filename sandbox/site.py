"""A small government site of the invented 青禾县: feed, list page, articles, picture, attachment.

Everything is written for this sandbox. The first article carries one fault for each gate, so that
an editor has something to correct; FAULTS holds what is wrong and what is right.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
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
        attachment="butie-shenqing.docx",
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
        "xiaofei-quan",
        "policy",
        "青禾县2026年冬季消费券发放办法",
        "2026-11-16",
        "青禾县商务局",
        "苏日娜",
        (
            "青政办发〔2026〕17号",
            "第一条 为促进冬季消费，方便居民购物用餐，制定本办法。",
            "第二条 本次发放消费券总额200万元，分为零售、餐饮、家电三类。",
            "第三条 零售券满100元减20元，餐饮券满200元减50元，家电券满2000元减300元。",
            "第四条 在青禾县生活、工作和旅游的人员均可领取，每人每类限领一张。",
            "第五条 消费券自2026年12月5日上午10时起在县政务服务平台领取，领完为止。",
            "第六条 消费券自领取之日起15日内有效，逾期自动作废，不兑换现金。",
            "第七条 本办法自2026年12月1日起施行，有效期至2027年2月28日。",
        ),
        picture="market.png",
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

_FRAME = """<!DOCTYPE html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/site/site.css">
<meta name="SiteName" content="{publisher}">{meta}
</head><body>
<header><a class="name" href="/site/"><b>青禾</b><span>{publisher}</span></a>
<nav><a href="/site/">首页</a><a href="/site/policy/">政策文件</a>
<a href="/site/news/rss.xml">要闻订阅</a></nav></header>
<main>{main}</main>
<footer>{publisher}主办 网站标识码：sandbox<br>青禾县为虚构地名，本站仅供演示</footer>
</body></html>
"""
_META = """
<meta name="ArticleTitle" content="{title}">
<meta name="PubDate" content="{day} 09:00">
<meta name="ContentSource" content="{source}">
<meta name="Author" content="{author}">"""
_ARTICLE = """
<p class="crumbs"><a href="/site/">首页</a> › {column}</p>
<article><h1>{title}</h1>
<p class="info">来源：{source} 发布时间：{day}</p>
<div class="content" id="zoom">
{body}
</div></article>"""
_COLUMNS = {"news": "青禾要闻", "policy": "政策文件"}

CSS = """
:root { --ink: #1d2733; --soft: #66727f; --line: #e3e7ec; --deep: #0d4f8b; --warm: #b3261e; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f6f9; color: var(--ink);
  font: 17px/1.8 "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
a { color: var(--deep); text-decoration: none; } a:hover { text-decoration: underline; }
header { background: linear-gradient(120deg, #0a3d6e, #1769aa); color: #fff;
  padding: 26px max(20px, calc((100vw - 980px) / 2)) 0; }
.name { display: flex; align-items: center; gap: 14px; color: #fff; }
.name b { border: 2px solid #fff; border-radius: 50%; width: 54px; height: 54px; line-height: 50px;
  text-align: center; font-size: 18px; }
.name span { font-size: 27px; letter-spacing: .12em; font-weight: 600; }
nav { display: flex; gap: 28px; margin-top: 22px; }
nav a { color: #fff; padding: 8px 2px; border-bottom: 3px solid transparent; }
nav a:hover { border-color: #ffd27a; text-decoration: none; }
main { max-width: 980px; margin: 24px auto; background: #fff; border: 1px solid var(--line);
  border-radius: 6px; padding: 26px clamp(18px, 6vw, 64px) 48px; }
.crumbs { color: var(--soft); font-size: 14px; margin: 0 0 18px; }
h1 { font-size: clamp(22px, 4vw, 29px); line-height: 1.4; text-align: center; margin: 12px 0; }
h2 { font-size: 20px; border-left: 4px solid var(--warm); padding-left: 12px; margin: 34px 0 8px; }
.info { color: var(--soft); font-size: 14px; text-align: center; padding-bottom: 14px;
  border-bottom: 1px solid var(--line); margin: 0 0 22px; }
.content p { text-indent: 2em; margin: 0 0 14px; }
.content p.figure, .content p.number { text-indent: 0; text-align: center; }
.content img { max-width: 100%; height: auto; border-radius: 4px; }
.content p.file { text-indent: 0; background: #f0f5fb; border-radius: 4px; padding: 10px 16px; }
ul.list { list-style: none; margin: 0; padding: 0; }
ul.list li { display: flex; gap: 20px; justify-content: space-between; padding: 11px 0;
  border-bottom: 1px dashed var(--line); }
ul.list span { color: var(--soft); font-size: 14px; white-space: nowrap; }
footer { text-align: center; color: var(--soft); font-size: 14px; padding: 8px 16px 40px; }
"""


def _frame(title: str, main: str, meta: str = "") -> str:
    return _FRAME.format(title=escape(title), main=main, meta=meta, publisher=PUBLISHER)


def _article_page(article: Article) -> str:
    first, *others = article.paragraphs
    number = ' class="number"' if first.endswith("号") else ""
    lines = [f"<p{number}>{escape(first)}</p>", *(f"<p>{escape(line)}</p>" for line in others)]
    if article.picture:
        alt = _PICTURES[article.picture][0]
        figure = f'<p class="figure"><img src="/site/{article.picture}" alt="{alt}"></p>'
        lines.insert(min(3, len(lines)), figure)
    if article.attachment:
        link = f'<a href="/site/files/{article.attachment}">补贴申请表</a>'
        lines.append(f'<p class="file">附件：{link}</p>')
    values = {
        "title": escape(article.title),
        "day": article.day,
        "source": escape(article.source),
        "author": escape(article.author),
        "column": _COLUMNS[article.column],
        "body": "\n".join(lines),
    }
    meta = _META.format(**values)
    return _frame(f"{article.title}_{PUBLISHER}", _ARTICLE.format(**values), meta)


def _rows(articles: Iterable[Article]) -> str:
    rows = "\n".join(
        f'<li><a href="/site/{one.column}/{one.slug}.html" title="{escape(one.title)}">'
        f"{escape(one.title)}</a><span>{one.day}</span></li>"
        for one in articles
    )
    return f'<ul class="list">\n{rows}\n</ul>'


Rgb = tuple[int, int, int]
Box = tuple[int, int, int, int, Rgb]  # left, top, width, height, colour


def png(width: int, height: int, colours: tuple[Rgb, Rgb], boxes: Iterable[Box]) -> bytes:
    """Boxes on a ground that runs from one colour to the other, made here: nothing is shipped."""
    rows = []
    for line in range(height):
        share = line / height
        ground = (round(a + (b - a) * share) for a, b in zip(*colours, strict=True))
        rows.append(bytearray(bytes(ground) * width))
    for left, top, wide, high, colour in boxes:
        for row in rows[top : top + high]:
            row[left * 3 : (left + wide) * 3] = bytes(colour) * wide

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def docx(lines: Iterable[str]) -> bytes:
    """A Word file of plain paragraphs: the three parts such a file must have."""
    kinds = "http://schemas.openxmlformats.org/package/2006/content-types"
    links = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    words = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    mime = "application/vnd.openxmlformats-"
    body = "".join(f"<w:p><w:r><w:t>{escape(line)}</w:t></w:r></w:p>" for line in lines)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{kinds}">'
        f'<Default Extension="rels" ContentType="{mime}package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" '
        f'ContentType="{mime}officedocument.wordprocessingml.document.main+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{links}">'
        f'<Relationship Id="r1" Type="{office}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{words}"><w:body>{body}</w:body></w:document>',
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            entry = zipfile.ZipInfo(name, (2026, 11, 23, 9, 0, 0))  # the same bytes each time
            packed.writestr(entry, '<?xml version="1.0" encoding="UTF-8"?>' + text)
    return made.getvalue()


def _hall() -> bytes:
    """A service hall: a row of counters under lamps."""
    boxes: list[Box] = [(0, 300, 640, 100, (203, 213, 224)), (40, 60, 560, 44, (179, 38, 30))]
    for left in range(60, 560, 132):
        boxes += [
            (left, 140, 104, 84, (233, 243, 251)),
            (left + 8, 148, 88, 20, (13, 79, 139)),
            (left - 8, 224, 120, 92, (146, 110, 76)),
            (left + 34, 186, 36, 38, (66, 84, 102)),
            (left + 42, 120, 20, 8, (255, 226, 150)),
        ]
    return png(640, 400, ((236, 242, 247), (214, 225, 235)), boxes)


def _pipes() -> bytes:
    """New water pipes in a trench."""
    boxes: list[Box] = [(0, 250, 640, 150, (139, 105, 71)), (0, 240, 640, 12, (104, 134, 66))]
    for top in (270, 316, 362):
        boxes += [(0, top, 640, 26, (45, 124, 181)), (0, top + 4, 640, 5, (126, 187, 228))]
        boxes += [(left, top - 3, 12, 32, (28, 84, 128)) for left in range(70, 640, 150)]
    return png(640, 400, ((168, 208, 236), (228, 240, 246)), boxes)


def _market() -> bytes:
    """A street of shops with awnings."""
    boxes: list[Box] = [(0, 330, 640, 70, (178, 172, 165))]
    awnings: tuple[Rgb, ...] = ((196, 61, 47), (226, 158, 46), (52, 132, 92), (37, 99, 161))
    for left, colour in zip(range(20, 640, 155), awnings, strict=False):
        boxes += [
            (left, 130, 140, 200, (244, 236, 222)),
            (left + 18, 230, 104, 100, (92, 74, 60)),
            (left + 26, 240, 40, 60, (255, 232, 170)),
            (left + 74, 240, 40, 60, (255, 232, 170)),
            (left - 6, 186, 152, 30, colour),
        ]
    return png(640, 400, ((250, 214, 165), (253, 240, 222)), boxes)


_BY_SLUG = {article.slug: article for article in ARTICLES}
_PICTURES = {
    "window.png": ("办事现场", _hall()),
    "pipes.png": ("供水管网施工现场", _pipes()),
    "market.png": ("商业街", _market()),
}
_FORM = docx(
    ("高校毕业生就业补贴申请表", "姓名：", "毕业院校：", "毕业时间：", "就业单位：", "申请人签字：")
)
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_EDITS: web.AppKey[dict[str, tuple[str, ...]]] = web.AppKey("edits", dict)
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
    rows = _rows(one for one in ARTICLES if one.column == "policy")
    crumbs = '<p class="crumbs"><a href="/site/">首页</a> › 政策文件</p>'
    return _html(_frame(f"政策文件_{PUBLISHER}", f"{crumbs}<h2>政策文件</h2>{rows}"))


async def article_page(request: web.Request) -> web.Response:
    """One article in its own column."""
    article = _BY_SLUG.get(request.match_info["slug"])
    if article is None or article.column != request.match_info["column"]:
        raise web.HTTPNotFound
    edited = request.app[_EDITS].get(request.path)
    return _html(_article_page(replace(article, paragraphs=edited) if edited else article))


async def home(_: web.Request) -> web.Response:
    """The front page with both columns."""
    parts = (
        f"<h2>{name}</h2>{_rows(one for one in ARTICLES if one.column == column)}"
        for column, name in _COLUMNS.items()
    )
    return _html(_frame(PUBLISHER, "".join(parts)))


async def style(_: web.Request) -> web.Response:
    """The looks of every page of the site."""
    return web.Response(text=CSS, content_type="text/css", charset="utf-8")


async def picture(request: web.Request) -> web.Response:
    """One of the generated pictures."""
    found = _PICTURES.get(request.match_info["name"] + ".png")
    if found is None:
        raise web.HTTPNotFound
    return web.Response(body=found[1], content_type="image/png")


async def attachment(_: web.Request) -> web.Response:
    """The form behind the notice."""
    return web.Response(body=_FORM, content_type=_WORD)


async def edit(request: web.Request) -> web.Response:
    """Control: `{"path", "text"}` changes an article's paragraphs; text null puts them back."""
    body = await request.json()
    path, text = body.get("path", ""), body.get("text")
    known = {f"/site/{one.column}/{one.slug}.html" for one in ARTICLES}
    if path not in known or not (text is None or isinstance(text, str)):
        return web.json_response({"error": "path 须是文章地址，text 须是文字或 null"}, status=422)
    lines = tuple(line for line in (text or "").split("\n") if line.strip())
    request.app[_EDITS].pop(path, None)
    if lines:
        request.app[_EDITS][path] = lines
    return web.json_response({"path": path, "changed": bool(lines)})


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


MANY = 20  # entries of each of the many columns


async def many(request: web.Request) -> web.Response:
    """Column after column without end, for measuring: a list page, a feed, and their articles."""
    column, name = request.match_info["number"], request.match_info["name"]
    start, head = f"/site/many/{column}", f"青禾县第{column}栏第"
    rows = [(f"{start}/{n}.html", f"{head}{n}号惠民举措") for n in range(MANY)]
    if name == "list.html":
        lines = "".join(
            f'<li><a href="{url}">{title}</a><span>2026-11-20</span></li>' for url, title in rows
        )
        return _html(_frame("栏目", f'<ul class="list">{lines}</ul>'))
    if name == "rss.xml":
        base = f"{request.scheme}://{request.host}"
        items = "".join(
            f"<item><title>{title}</title><link>{base}{url}</link></item>" for url, title in rows
        )
        feed_text = f'<rss version="2.0"><channel><title>栏目</title>{items}</channel></rss>'
        return web.Response(text=feed_text, content_type="application/rss+xml", charset="utf-8")
    dice = random.Random(f"{column}/{name}")  # noqa: S311  words that are the same each time
    words = "".join(chr(dice.randrange(0x4E00, 0x7000)) for _ in range(400))
    article = Article(
        "many",
        "news",
        f"{head}{name.split('.')[0]}号惠民举措",
        "2026-11-20",
        PUBLISHER,
        "林青",
        tuple(words[at : at + 80] + "。" for at in range(0, 400, 80)),
    )
    return _html(_article_page(article))


def add_site(app: web.Application) -> None:
    """Mount the site under /site/, the unlisted page beside it and the control that edits."""
    app[_EDITS] = {}
    app.router.add_get("/site/site.css", style)
    app.router.add_post("/_control/site", edit)
    app.router.add_get("/site/", home)
    app.router.add_get("/site/news/rss.xml", feed)
    app.router.add_get("/site/policy/", policy_list)
    app.router.add_get("/site/offsite-redirect", redirect)
    app.router.add_get("/site/files/butie-shenqing.docx", attachment)
    app.router.add_get("/site/{column:news|policy}/{slug}.html", article_page)
    app.router.add_get("/site/{name}.png", picture)
    app.router.add_get(r"/site/many/{number:\d+}/{name}", many)
    app.router.add_get("/unlisted/news.html", unlisted)
