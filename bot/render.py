"""What the renderings of all platforms share: plain data, pure, media only as markers."""

import re

from blocks.document import Attachment, Document, ListBlock, Made, Paragraph, Quote
from bot.contract import Content, Rendering
from bot.wording import list_lines

LEAD = 110
_LOOKED_AT = 1_000  # characters: what comes later changes nothing at the first cut
LINK_FIELD, REASON_FIELD = "{link}", "{reason}"
LINK_ROOM = 300  # characters: a longer address is left out, for half of one leads nowhere
REASON_ROOM = 200  # UTF-16 units kept free for the reason
LONGEST_REASON = "字" * REASON_ROOM
_REASON_LINE = f"为什么收到：{REASON_FIELD}"
_LINK_LINE = f"全文：{LINK_FIELD}\n\n"

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


def fill_link(rendering: Rendering, link: str) -> Rendering:
    """The rendering with its push leading to the released article at `link`.

    The address is known only when the article is out. Without one the line is left out; a push made
    before there was this field stays as it is.
    """
    text = rendering["push"]["text"]
    return {**rendering, "push": {**rendering["push"], "text": _linked(text, link)}}


def _linked(text: str, link: str) -> str:
    ending = _LINK_LINE + _REASON_LINE
    if not text.endswith(ending):
        return text
    line = _LINK_LINE.replace(LINK_FIELD, link) if 0 < len(link) <= LINK_ROOM else ""
    return text.removesuffix(ending) + line + _REASON_LINE


def fill_reason(text: str, reason: str, link: str = "") -> str:
    """Fill the closed fields that end a push text."""
    return _linked(text, link).removesuffix(REASON_FIELD) + first_units(reason, REASON_ROOM)


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def first_units(text: str, limit: int) -> str:
    """As many characters as fit into `limit` UTF-16 units."""
    return text.encode("utf-16-le")[: limit * 2].decode("utf-16-le", "ignore")


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
    """Title, first words, link, and the closed fields: what a subscriber is sent."""
    link = content.attribution.get("url", "")
    if content.blocks is None:
        parts = [content.title, lead(content.body), f"全文：{link}" if link else ""]
        return "\n\n".join([*filter(None, parts), _REASON_LINE])
    first = content.summary or lead_of(content.blocks)
    parts = [content.title, first, made_line(content.made), f"原文链接：{link}" if link else ""]
    return "\n\n".join([*filter(None, parts), _LINK_LINE + _REASON_LINE])


def note_text(content: Content) -> str:
    """What a correction changed, to who got the text before it; it ends as a push text does."""
    parts = [content.title, f"您此前收到的内容有更正：{content.changes}"]
    return "\n\n".join([*filter(None, parts), _LINK_LINE + _REASON_LINE])


def lead_of(document: Document) -> str:
    """The first words of an article: of its paragraphs, lists and quotes."""
    lines: list[str] = []
    for block in document.blocks:
        if isinstance(block, ListBlock):
            lines += (mark + item.text for _, mark, item in list_lines(block))
        elif isinstance(block, Paragraph | Quote):
            lines.append(block.text)
        if sum(map(len, lines)) > _LOOKED_AT:
            break
    return lead("\n".join(lines))


def attachment_lines(content: Content) -> list[str]:
    """附件: the names only, the files stay with the article; not those the text names itself."""
    blocks = content.blocks.blocks if content.blocks is not None else ()
    placed = {(one.name, one.media) for one in blocks if isinstance(one, Attachment)}
    return [
        f"附件：{part['name']}"
        for part in content.attachments
        if (part["name"], part.get("media", "")) not in placed
    ]


def whole_before(text: str, cut: int) -> int:
    """The nearest place at or before `cut` that lies inside no document number and no link."""
    for match in _WHOLE.finditer(text, max(0, cut - 600), min(len(text), cut + 600)):
        if match.start() < cut < match.end():
            return match.start()
    return cut


def corrected_line(content: Content) -> str:
    """What a correction corrects, and what was changed: the old text is gone or leads here."""
    if not content.corrected:
        return ""
    changes = f"：{content.changes}" if content.changes else ""
    return f"本文更正此前发布的《{content.corrected}》{changes}"


def made_line(made: Made) -> str:
    """The label readers must see on a text that a machine wrote or helped to write."""
    return {
        Made.GENERATED: "本文由人工智能生成",
        Made.ASSISTED: "本文含人工智能生成内容",
    }.get(made, "")
