"""What WeChat will show: an article and a text, measured against its limits. Pure."""

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import css_inline

from blocks.document import Document, Table
from bot.contract import Content, Rendering, Reply
from bot.picture_message import is_picture_message
from bot.preview import SAMPLE_LINK, SAMPLE_REASON, Gauge, Message, Shown
from bot.render import (
    LINK_ROOM,
    LONGEST_REASON,
    MARKER,
    PICTURE,
    attachment_lines,
    attribution_lines,
    corrected_line,
    fill_reason,
    first_picture,
    lead,
    lead_of,
    made_line,
    note_text,
    paragraphs,
    push_text,
)
from bot.wechat.article import (
    MOST_COLUMNS,
    article_html,
    block_html,
    can_be_read,
    columns_of,
    with_names,
)
from bot.wechat.newspic import (
    comments_of,
    is_newspic,
    newspic_article,
    newspic_problems,
    shown_newspic,
)
from bot.wording import block_name

WECHAT_TITLE, WECHAT_AUTHOR, WECHAT_DIGEST = 32, 16, 128  # characters (docs/platforms.md#W18)
WECHAT_CONTENT_CHARS, WECHAT_CONTENT_BYTES = 20_000, 1024 * 1024
WECHAT_TEXT_BYTES = 2048  # one text message (docs/platforms.md#W4)

DEFAULT_COVER = "sha256:df8826da565f3537ea9a1f1eb38d2287e7e23d0849079ebd7199277c3a42cf26"

_STYLE = """
section{font-size:16px;line-height:1.8;color:#222}
p{margin:0 0 1em}
img{max-width:100%}
.src{font-size:14px;color:#666}
"""


IMAGE = '<img src="'
PLACED = re.compile(f'{IMAGE}({MARKER.pattern})"')
"""A picture where it stands: a marker among the words is words, for their brackets are escaped."""

CROP_FIELDS = {"wide": "pic_crop_235_1", "square": "pic_crop_1_1"}
"""The crops of a cover, as a draft names them."""


def render_wechat(content: Content) -> Rendering:
    """{"article": draft fields with media as markers, "push": {"text"}}."""
    blocks = content.blocks
    if blocks is not None and is_picture_message(content):
        article = newspic_article(content, blocks)
        return {"article": article, "push": {"text": push_text(content)}, **_note(content)}
    who = (content.attribution.get(name, "") for name in ("original_author", "source", "editor"))
    first = lead(content.body) if blocks is None else lead_of(blocks)
    return {
        "article": {
            "title": content.title,
            # The first that fits: a cut name would be another person's.
            "author": content.author
            or next((name for name in who if 0 < len(name) <= WECHAT_AUTHOR), ""),
            "digest": content.summary or first,
            "content": _wechat_html(content) if blocks is None else _article(content, blocks),
            "content_source_url": content.attribution.get("url", ""),
            "thumb": first_picture(content) or DEFAULT_COVER,
            **_crops(content),
            **comments_of(content),
        },
        "push": {"text": push_text(content)},
        **_note(content),
    }


def _note(content: Content) -> Rendering:
    """What a correction changed, for who got the text before it."""
    return {"note": {"text": note_text(content)}} if content.changes else {}


def _crops(content: Content) -> dict[str, str]:
    """The parts of the cover that the lists and the article show, each X1_Y1_X2_Y2 of its sides."""
    if not content.cover:
        return {}
    return {
        CROP_FIELDS[name]: "_".join(f"{edge / 1_000_000:.6f}" for edge in edges)
        for name, edges in content.crops.items()
    }


def _article(content: Content, blocks: Document) -> str:
    first = filter(None, [corrected_line(content), made_line(content.made)])
    return article_html(blocks, first, attribution_lines(content) + attachment_lines(content))


def _wechat_html(content: Content) -> str:
    blocks = []
    if line := corrected_line(content):
        blocks.append(f'<p class="src">{html.escape(line, quote=False)}</p>')
    for line in paragraphs(content.body):
        picture = PICTURE.match(line)
        if picture:
            alt = html.escape(picture["alt"])
            blocks.append(f'<p><img src="{picture["media"]}" alt="{alt}"></p>')
        else:
            blocks.append(f"<p>{html.escape(line, quote=False)}</p>")
    small = attribution_lines(content) + attachment_lines(content)
    blocks += [f'<p class="src">{html.escape(line, quote=False)}</p>' for line in small]
    inlined = css_inline.inline_fragment(
        f"<section>{''.join(blocks)}</section>", _STYLE, load_remote_stylesheets=False
    )
    return str(inlined).replace(' class="src"', "")


def problems_wechat(rendering: Mapping[str, Any], content: Content | None = None) -> list[str]:
    """Every limit of a WeChat draft or text message that is broken, in Chinese.

    With the content, the block that is to blame is named.
    """
    article = rendering["article"]
    if is_newspic(article):
        return newspic_problems(article) + _push_problems(rendering)
    text, size = article["content"], len(article["content"].encode())
    blocks = content.blocks if content is not None else None
    most = _longest(blocks) if blocks is not None else ""
    checks = [
        (not article["title"].strip(), "微信标题为空：请填写标题"),
        (
            len(article["title"]) > WECHAT_TITLE,
            f"微信标题有 {len(article['title'])} 字，超过 {WECHAT_TITLE} 字：请缩短标题",
        ),
        (len(article["author"]) > WECHAT_AUTHOR, f"微信作者超过 {WECHAT_AUTHOR} 字：请缩短作者"),
        (len(article["digest"]) > WECHAT_DIGEST, f"微信摘要超过 {WECHAT_DIGEST} 字：请缩短摘要"),
        (
            len(text) >= WECHAT_CONTENT_CHARS,
            f"微信正文排版后有 {len(text)} 字符，须少于 {WECHAT_CONTENT_CHARS}"
            f"{most}：请缩短正文或分篇",
        ),
        (
            size >= WECHAT_CONTENT_BYTES,
            f"微信正文排版后有 {size} 字节，须少于 1 MB{most}：请缩短正文",
        ),
        (
            len(article["content_source_url"].encode()) > 1024,
            "微信原文链接超过 1 KB：请换用较短的链接",
        ),
        (not article["thumb"], "微信文章缺少封面图：请添加一张图片"),
    ]
    tables = _unreadable(blocks) if blocks is not None else []
    found = [message for broken, message in checks if broken]
    return found + _push_problems(rendering) + tables


def _push_problems(rendering: Mapping[str, Any]) -> list[str]:
    found = []
    for form, label in (("push", "推送文字"), ("note", "更正说明")):
        told = fill_reason(rendering.get(form, {}).get("text", ""), LONGEST_REASON, "a" * LINK_ROOM)
        if len(told.encode()) > WECHAT_TEXT_BYTES:
            found.append(f"微信{label}超过 {WECHAT_TEXT_BYTES} 字节：请缩短标题或链接")
    return found


def _longest(blocks: Document) -> str:
    """The block that takes most of the room; nothing when it is only one among many."""
    sizes = [len(block_html(one)) for one in blocks.blocks]
    if not sizes:
        return ""
    at = sizes.index(max(sizes))
    block = blocks.blocks[at]
    styled = len(article_html(Document(blocks=(block,)), (), ()))
    if styled < WECHAT_CONTENT_CHARS // 4:
        return ""
    return f"，其中{block_name(at, block)}约占 {styled} 字符"


def _unreadable(blocks: Document) -> list[str]:
    return [
        f"微信{block_name(at, one)}有 {columns_of(one)} 列，手机上最多看清 {MOST_COLUMNS} 列："
        "请把第一行设为表头（每行会逐项列出），或拆成几张表"
        for at, one in enumerate(blocks.blocks)
        if isinstance(one, Table) and not can_be_read(one)
    ]


def shown_wechat(rendering: Mapping[str, Any]) -> Shown | None:
    """The article with every field that is sent, and the push in bytes."""
    if "article" not in rendering:
        return None
    article = rendering["article"]
    push, note = (
        fill_reason(str(rendering.get(form, {}).get("text", "")), SAMPLE_REASON, SAMPLE_LINK)
        for form in ("push", "note")
    )
    length = Gauge("推送文字", len(push.encode()), WECHAT_TEXT_BYTES, "字节")
    if is_newspic(article):
        shown = shown_newspic(article, Message(push), (length,))
        return replace(shown, note=Message(note) if rendering.get("note") else None)
    return Shown(
        title=article["title"],
        author=article["author"],
        summary=article["digest"],
        html=with_names(article["content"]),
        cover=article["thumb"].removeprefix("sha256:"),
        own_cover=article["thumb"] != DEFAULT_COVER,
        crops={
            name: tuple(map(float, article[field].split("_")))
            for name, field in CROP_FIELDS.items()
            if field in article
        },
        link=article["content_source_url"],
        push=Message(push),
        note=Message(note) if rendering.get("note") else None,
        gauges=(
            Gauge("标题", len(article["title"]), WECHAT_TITLE),
            Gauge("作者", len(article["author"]), WECHAT_AUTHOR),
            Gauge("摘要", len(article["digest"]), WECHAT_DIGEST),
            Gauge("正文（含排版）", len(article["content"]), WECHAT_CONTENT_CHARS - 1),
            length,
        ),
    )


def guard_cdata(text: str) -> str:
    """Keep `]]>` from ending the CDATA section wechatpy writes a reply into."""
    return text.replace("]]>", "]]]]><![CDATA[>")


def reply_text(reply: Reply) -> str:
    """A reply as plain text: WeChat has no inline buttons, so their words can be typed."""
    labels = [button.label for row in reply.buttons for button in row]
    return f"{reply.text}\n\n可回复：{'、'.join(labels)}" if labels else reply.text


def split_bytes(text: str, limit: int = WECHAT_TEXT_BYTES) -> list[str]:
    """Parts of at most `limit` UTF-8 bytes, cut between lines where possible."""
    parts: list[str] = []
    rest = text
    # Cut at a line only when it is not near the beginning: else many short parts cost the window.
    while len(rest.encode()) > limit:
        fit = len(rest.encode()[:limit].decode(errors="ignore"))
        cut = rest.rfind("\n", 0, fit + 1)
        if cut < fit // 3:
            cut = fit
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest or not parts else parts
