"""An article as one page of HTML that needs nothing beside it: pictures lie inside. Pure."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from blocks.document import (
    Attachment,
    Block,
    Divider,
    Document,
    Heading,
    ListBlock,
    Picture,
    Quote,
    Run,
    Table,
)

Shown = Mapping[str, tuple[bytes, str]]
"""Bytes and content type of pictures by their marker."""

_STYLE = (
    "body{max-width:42em;margin:2em auto;padding:0 1em;line-height:1.8;color:#222}"
    "img{max-width:100%}table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #999;padding:.3em .5em;text-align:left}"
    "figcaption{color:#666;font-size:.9em}blockquote{border-left:3px solid #999;margin:0;"
    "padding-left:1em}"
)


def to_html(title: str, document: Document, pictures: Shown) -> str:
    """The page; a picture that is not there is named in its place."""
    body = "\n".join(_block(one, pictures) for one in document.blocks)
    return (
        '<!doctype html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _block(block: Block, pictures: Shown) -> str:
    if isinstance(block, Heading):
        name = f"h{block.level + 1}"  # the title is the only h1
        return f"<{name}>{_words(block.runs)}</{name}>"
    if isinstance(block, ListBlock):
        return _listed(block)
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Picture):
        return _picture(block, pictures)
    if isinstance(block, Divider):
        return "<hr>"
    if isinstance(block, Attachment):
        return f"<p>附件：{escape(block.name)}</p>"
    words = _words(block.runs)
    return (
        f"<blockquote><p>{words}</p></blockquote>"
        if isinstance(block, Quote)
        else f"<p>{words}</p>"
    )


def _words(runs: Sequence[Run]) -> str:
    found = []
    for run in runs:
        text = escape(run.text, quote=False).replace("\n", "<br>")
        text = f"<b>{text}</b>" if run.bold else text
        found.append(f'<a href="{escape(run.link)}">{text}</a>' if run.link else text)
    return "".join(found)


def _listed(block: ListBlock) -> str:
    items = "".join(
        f"<li>{_words(item.runs)}{_listed(item.below) if item.below else ''}</li>"
        for item in block.items
    )
    start = f' start="{block.start}"' if block.start != 1 else ""
    return f"<ol{start}>{items}</ol>" if block.ordered else f"<ul>{items}</ul>"


def _table(block: Table) -> str:
    rows = []
    for row in block.rows:
        cells = []
        for cell in row.cells:
            name = "th" if cell.head else "td"
            spans = (("colspan", cell.colspan), ("rowspan", cell.rowspan))
            said = "".join(f' {key}="{count}"' for key, count in spans if count > 1)
            cells.append(f"<{name}{said}>{_words(cell.runs)}</{name}>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(rows)}</table>"


def _picture(block: Picture, pictures: Shown) -> str:
    kept = pictures.get(block.media)
    if kept is None:
        return f"<p>［图片：{escape(block.alt or '没有说明')}，文件里没有］</p>"
    content, mime = kept
    data = f"data:{mime};base64,{base64.b64encode(content).decode()}"
    origin = f"（图片来源：{block.origin}）" if block.origin else ""
    said = escape(block.caption + origin)
    caption = f"<figcaption>{said}</figcaption>" if said else ""
    return f'<figure><img src="{data}" alt="{escape(block.alt)}">{caption}</figure>'
