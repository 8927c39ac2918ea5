"""How the pages of the site look."""

from collections.abc import Iterable
from html import escape

from sandbox.site.articles import PUBLISHER, Article
from sandbox.site.files import PICTURES

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
COLUMNS = {"news": "青禾要闻", "policy": "政策文件"}

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


def framed(title: str, main: str, meta: str = "") -> str:
    return _FRAME.format(title=escape(title), main=main, meta=meta, publisher=PUBLISHER)


def article_html(article: Article) -> str:
    first, *others = article.paragraphs
    # County sites centre the document number above the text; readers must find it there too.
    number = ' class="number"' if first.endswith("号") else ""
    lines = [f"<p{number}>{escape(first)}</p>", *(f"<p>{escape(line)}</p>" for line in others)]
    if article.picture:
        alt = PICTURES[article.picture][0]
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
        "column": COLUMNS[article.column],
        "body": "\n".join(lines),
    }
    meta = _META.format(**values)
    return framed(f"{article.title}_{PUBLISHER}", _ARTICLE.format(**values), meta)


def list_html(articles: Iterable[Article]) -> str:
    rows = "\n".join(
        f'<li><a href="/site/{one.column}/{one.slug}.html" title="{escape(one.title)}">'
        f"{escape(one.title)}</a><span>{one.day}</span></li>"
        for one in articles
    )
    return f'<ul class="list">\n{rows}\n</ul>'
