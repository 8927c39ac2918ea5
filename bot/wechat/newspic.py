"""图片消息 for WeChat: the fields of a newspic draft, measured against its limits (W41). Pure."""

from collections.abc import Mapping
from typing import Any

from blocks.document import Document
from bot.contract import Content
from bot.picture_message import MOST_PICTURES, message_text, pictures_of
from bot.preview import Gauge, Message, Shown

NEWSPIC = "newspic"
COMMENTS = "need_open_comment"
"""The field of a draft, and of a rendering, whose readers may write under it."""
TITLE, TEXT_CHARS, TEXT_BYTES = 32, 20_000, 1024 * 1024  # docs/platforms.md#W41
RATIOS = {"wide": "2.35_1", "square": "1_1"}
"""The crops of a cover, as a picture message names them."""
_CORNERS = ("x1", "y1", "x2", "y2")


def newspic_article(content: Content, document: Document) -> dict[str, Any]:
    """The draft with pictures as markers in order; `crops` are parts of the first one's sides."""
    pictures = [one.media for one in pictures_of(document)]
    own = bool(pictures) and content.cover == pictures[0]
    return {
        "article_type": NEWSPIC,
        "title": content.title,
        "content": message_text(content, document),
        "pictures": pictures,
        "crops": {
            RATIOS[name]: [f"{edge / 1_000_000:.6f}" for edge in edges]
            for name, edges in (content.crops if own else {}).items()
        },
        **comments_of(content),
    }


def comments_of(content: Content) -> dict[str, int]:
    """The field of an article whose readers may write under it (W42)."""
    return {COMMENTS: 1} if content.comments else {}


def is_newspic(article: Mapping[str, Any]) -> bool:
    """Whether the article of a rendering is a picture message."""
    return article.get("article_type") == NEWSPIC


def newspic_problems(article: Mapping[str, Any]) -> list[str]:
    """Every limit of a newspic draft that is broken, in Chinese.

    What no platform could send is told once by bot/picture_message.py.
    """
    title, text = article["title"], article["content"]
    checks = [
        (not title.strip(), "微信标题为空：请填写标题"),
        (len(title) > TITLE, f"微信标题有 {len(title)} 字，超过 {TITLE} 字：请缩短标题"),
        (
            len(text) >= TEXT_CHARS or len(text.encode()) >= TEXT_BYTES,
            f"微信图片消息的文字有 {len(text)} 字，须少于 {TEXT_CHARS} 字、1 MB：请缩短文字",
        ),
    ]
    return [message for broken, message in checks if broken]


def cover_info(article: Mapping[str, Any]) -> dict[str, Any]:
    """The crops as the draft names them; nothing where none was chosen."""
    crops = [
        {"ratio": ratio, **dict(zip(_CORNERS, article["crops"][ratio], strict=True))}
        for ratio in RATIOS.values()
        if ratio in article["crops"]
    ]
    return {"cover_info": {"crop_percent_list": crops}} if crops else {}


def shown_newspic(article: Mapping[str, Any], push: Message, more: tuple[Gauge, ...]) -> Shown:
    """The message as a reader sees it: the pictures one after the other, then title and text."""
    pictures = tuple(one.removeprefix("sha256:") for one in article["pictures"])
    return Shown(
        title=article["title"],
        summary=article["content"][:54],
        text=article["content"],
        pictures=pictures,
        cover=pictures[0] if pictures else "",
        own_cover=bool(pictures),
        crops={
            name: tuple(map(float, article["crops"][ratio]))
            for name, ratio in RATIOS.items()
            if ratio in article["crops"]
        },
        push=push,
        gauges=(
            Gauge("标题", len(article["title"]), TITLE),
            Gauge("图片", len(pictures), MOST_PICTURES, "张"),
            Gauge("文字", len(article["content"]), TEXT_CHARS - 1),
            *more,
        ),
    )
