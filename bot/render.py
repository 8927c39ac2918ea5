"""What each platform will show, as plain data: pure, deterministic, media only as markers."""

import html
import re
from collections.abc import Mapping
from typing import Any

import css_inline

from bot.contract import Content

TELEGRAM_TEXT = 4096  # UTF-16 units of one message (T5)
TELEGRAM_CAPTION = 1024
WECHAT_TITLE, WECHAT_AUTHOR, WECHAT_DIGEST = 32, 16, 128  # characters (W18)
WECHAT_CONTENT_CHARS, WECHAT_CONTENT_BYTES = 20_000, 1024 * 1024
WECHAT_TEXT_BYTES = 2048  # one text message (W4)
LEAD = 110
REASON_FIELD = "{reason}"
REASON_ROOM = 200  # characters kept free for the reason
DEFAULT_COVER = "sha256:df8826da565f3537ea9a1f1eb38d2287e7e23d0849079ebd7199277c3a42cf26"

ATTRIBUTION_LABELS = (
    ("source", "来源"),
    ("original_author", "原作者"),
    ("original_title", "原标题"),
    ("editor", "编辑"),
    ("url", "原文链接"),
)
PICTURE = re.compile(r"^!\[(?P<alt>[^\]]*)\]\((?P<media>sha256:[0-9a-f]{64})\)$")
MARKER = re.compile(r"sha256:[0-9a-f]{64}")
_WHOLE = re.compile(  # what a split never cuts: document numbers and links
    r"[\u4e00-\u9fff]{1,12}[〔\[［(（](?:19|20)\d{2}[〕\]］)）]\s*第?\s*\d{1,5}\s*号|https?://\S+"
)
_STYLE = """
section{font-size:16px;line-height:1.8;color:#222}
p{margin:0 0 1em}
img{max-width:100%}
.src{font-size:14px;color:#666}
"""


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def paragraphs(body: str) -> list[str]:
    """The body's lines without blanks."""
    return [line.strip() for line in body.split("\n") if line.strip()]


def lead(body: str, limit: int = LEAD) -> str:
    """The first words of the body, cut at a sentence when one ends within `limit` characters."""
    text = " ".join(line for line in paragraphs(body) if not PICTURE.match(line))
    if len(text) <= limit:
        return text
    end = max(text.rfind(mark, 0, limit) for mark in "。；！？")
    if end >= limit // 3:
        return text[: end + 1]
    return text[: _whole_before(text, limit - 1)] + "…"


def fill_reason(text: str, reason: str) -> str:
    """Fill the one closed field, which always ends a push text."""
    return text.removesuffix(REASON_FIELD) + reason[:REASON_ROOM]


def attribution_lines(content: Content) -> list[str]:
    """来源, 原作者, 原标题, 编辑, 原文链接: those that are known."""
    return [
        f"{label}：{content.attribution[name]}"
        for name, label in ATTRIBUTION_LABELS
        if content.attribution.get(name)
    ]


def first_picture(content: Content) -> str:
    """The cover, else the first picture of the body, else an empty text."""
    found = (PICTURE.match(line) for line in paragraphs(content.body))
    return content.cover or next((match["media"] for match in found if match), "")


def _push_text(content: Content) -> str:
    link = content.attribution.get("url", "")
    parts = [content.title, lead(content.body), f"全文：{link}" if link else ""]
    return "\n\n".join([*filter(None, parts), f"为什么收到：{REASON_FIELD}"])


# --- WeChat ---------------------------------------------------------------------------------


def render_wechat(content: Content) -> dict[str, Any]:
    """{"article": draft fields with media as markers, "push": {"text"}}."""
    who = (content.attribution.get(name, "") for name in ("original_author", "source", "editor"))
    return {
        "article": {
            "title": content.title,
            "author": next((name for name in who if 0 < len(name) <= WECHAT_AUTHOR), ""),
            "digest": lead(content.body),
            "content": _wechat_html(content),
            "content_source_url": content.attribution.get("url", ""),
            "thumb": first_picture(content) or DEFAULT_COVER,
        },
        "push": {"text": _push_text(content)},
    }


def _wechat_html(content: Content) -> str:
    blocks = []
    for line in paragraphs(content.body):
        picture = PICTURE.match(line)
        if picture:
            alt = html.escape(picture["alt"])
            blocks.append(f'<p><img src="{picture["media"]}" alt="{alt}"></p>')
        else:
            blocks.append(f"<p>{html.escape(line, quote=False)}</p>")
    small = attribution_lines(content) + _attachment_lines(content)
    blocks += [f'<p class="src">{html.escape(line, quote=False)}</p>' for line in small]
    inlined = css_inline.inline_fragment(
        f"<section>{''.join(blocks)}</section>", _STYLE, load_remote_stylesheets=False
    )
    return str(inlined).replace(' class="src"', "")


def problems_wechat(rendering: Mapping[str, Any]) -> list[str]:
    """Every limit of a WeChat draft or text message that is broken, in Chinese."""
    article = rendering["article"]
    text, size = article["content"], len(article["content"].encode())
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
            f"微信正文排版后有 {len(text)} 字符，须少于 {WECHAT_CONTENT_CHARS}：请缩短正文或分篇",
        ),
        (size >= WECHAT_CONTENT_BYTES, f"微信正文排版后有 {size} 字节，须少于 1 MB：请缩短正文"),
        (
            len(article["content_source_url"].encode()) > 1024,
            "微信原文链接超过 1 KB：请换用较短的链接",
        ),
        (not article["thumb"], "微信文章缺少封面图：请添加一张图片"),
        (
            len(fill_reason(rendering["push"]["text"], "字" * REASON_ROOM).encode())
            > WECHAT_TEXT_BYTES,
            f"微信推送文字超过 {WECHAT_TEXT_BYTES} 字节：请缩短标题或链接",
        ),
    ]
    return [message for broken, message in checks if broken]


# --- Telegram -------------------------------------------------------------------------------


def render_telegram(content: Content) -> dict[str, Any]:
    """{"parts": [{"text", "entities"}], "photo": marker or "", "push": {"text", "entities"}}.

    Entities are Telegram's own dictionaries with UTF-16 offsets; only the title is bold.
    """
    body = [
        line if not (picture := PICTURE.match(line)) else f"［图片：{picture['alt'] or '见原文'}］"
        for line in paragraphs(content.body)
        if not (PICTURE.match(line) and PICTURE.match(line)["media"] == first_picture(content))  # type: ignore[index]
    ]
    blocks = [content.title, *body]
    tail = attribution_lines(content) + _attachment_lines(content)
    if tail:
        blocks.append("\n".join(tail))
    texts = split_telegram("\n\n".join(filter(None, blocks)))
    bold = _bold(content.title)
    return {
        "parts": [
            {"text": text, "entities": bold if index == 0 else []}
            for index, text in enumerate(texts)
        ],
        "photo": first_picture(content),
        "push": {"text": _push_text(content), "entities": bold},
    }


def _bold(title: str) -> list[dict[str, Any]]:
    return [{"type": "bold", "offset": 0, "length": units(title)}] if title else []


def _attachment_lines(content: Content) -> list[str]:
    return [f"附件：{part['name']}" for part in content.attachments]


def split_telegram(text: str, limit: int = TELEGRAM_TEXT) -> list[str]:
    """Parts of at most `limit` UTF-16 units, cut between paragraphs, else between sentences.

    A document number (文号) or a link is never cut.
    """
    parts: list[str] = []
    rest = text
    while units(rest) > limit:
        fit = _fitting(rest, limit)
        cut = rest.rfind("\n", 0, fit + 1)
        if cut < fit // 3:
            sentence = max(rest.rfind(mark, 0, fit) for mark in "。；！？")
            cut = sentence + 1 if sentence >= fit // 3 else fit
            cut = _whole_before(rest, cut) or cut
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest or not parts else parts


def _fitting(text: str, limit: int) -> int:
    """How many characters of `text` fit into `limit` UTF-16 units."""
    used = 0
    for index, char in enumerate(text):
        used += 2 if ord(char) > 0xFFFF else 1
        if used > limit:
            return index
    return len(text)


def _whole_before(text: str, cut: int) -> int:
    """The nearest place at or before `cut` that lies inside no document number and no link."""
    for match in _WHOLE.finditer(text, max(0, cut - 600), min(len(text), cut + 600)):
        if match.start() < cut < match.end():
            return match.start()
    return cut


def problems_telegram(rendering: Mapping[str, Any]) -> list[str]:
    """Every limit of Telegram that is broken, in Chinese."""
    found = []
    for number, part in enumerate(rendering["parts"], 1):
        if not part["text"].strip():
            found.append(f"Telegram 第 {number} 条消息为空：请填写标题或正文")
        if units(part["text"]) > TELEGRAM_TEXT:
            found.append(f"Telegram 第 {number} 条消息超过 {TELEGRAM_TEXT} 字：请分段")
    if units(rendering["push"]["text"]) + REASON_ROOM > TELEGRAM_TEXT:
        found.append(f"Telegram 推送文字超过 {TELEGRAM_TEXT} 字：请缩短标题或链接")
    return found
