"""What the renderings of all platforms share: plain data, pure, media only as markers."""

import re

from bot.contract import Content

LEAD = 110
REASON_FIELD = "{reason}"
REASON_ROOM = 200  # characters kept free for the reason

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
    return text[: whole_before(text, limit - 1)] + "…"


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


def push_text(content: Content) -> str:
    """Title, first words, link, and the closed field: what a subscriber is sent."""
    link = content.attribution.get("url", "")
    parts = [content.title, lead(content.body), f"全文：{link}" if link else ""]
    return "\n\n".join([*filter(None, parts), f"为什么收到：{REASON_FIELD}"])


def attachment_lines(content: Content) -> list[str]:
    """附件: the names only, the files stay with the article."""
    return [f"附件：{part['name']}" for part in content.attachments]


def whole_before(text: str, cut: int) -> int:
    """The nearest place at or before `cut` that lies inside no document number and no link."""
    for match in _WHOLE.finditer(text, max(0, cut - 600), min(len(text), cut + 600)):
        if match.start() < cut < match.end():
            return match.start()
    return cut
