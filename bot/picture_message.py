"""图片消息: pictures in order with one text, as every channel takes them. Pure.

The body is that of an article (blocks/document.py): its paragraphs are the text and its pictures
the pictures, each in the order in which they stand.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from blocks.document import Block, Document, Paragraph, Picture
from bot.contract import Content
from bot.render import attachment_lines, attribution_lines, corrected_line, made_line
from bot.wording import address, block_name, caption_line

KIND = "图片消息"
MOST_PICTURES = 20  # docs/platforms.md#W41
STILL = ("JPEG", "PNG")
"""What every platform shows in such a message: an animation stands alone, and may not move."""
LONG = 3
"""A picture longer than this many times its other side cannot be read in a row of pictures."""
_MARKUP = re.compile(r"<[a-zA-Z/!][^>\n]*>")


@dataclass(frozen=True)
class Fault:
    """Why this is no picture message; `block` is the number of the block to blame, or -1."""

    rule: str
    words: str
    block: int = -1


def is_picture_message(content: Content) -> bool:
    """Whether channels send it as pictures with a text; what has no blocks has no pictures."""
    return content.kind == KIND and content.blocks is not None


def pictures_of(document: Document) -> list[Picture]:
    """The pictures in their order."""
    return [one for one in document.blocks if isinstance(one, Picture)]


def picture_lines(pictures: Sequence[Picture]) -> Iterator[tuple[int, str]]:
    """Number and line of each picture that has words; the line says it where there are several."""
    for number, one in enumerate(pictures, 1):
        caption = caption_line(one)
        alt = "" if not one.alt or one.alt in caption else f"［图片：{one.alt}］"
        if alt or caption:
            yield number, (f"图{number} " if len(pictures) > 1 else "") + alt + caption


def message_text(content: Content, document: Document) -> str:
    """The whole text without looks: what a platform shows that takes words only."""
    said = [
        "".join(run.text + address(run) for run in one.runs).strip()
        for one in document.blocks
        if isinstance(one, Paragraph)
    ]
    described = "\n".join(line for _, line in picture_lines(pictures_of(document)))
    tail = "\n".join(attribution_lines(content) + attachment_lines(content))
    first = [corrected_line(content), made_line(content.made)]
    return "\n\n".join(filter(None, [*first, *said, described, tail]))


def message_faults(content: Content) -> list[Fault]:
    """Everything that no channel could send as a picture message, in Chinese."""
    blocks = content.blocks.blocks if content.blocks is not None else ()
    return [
        *_count_faults(blocks),
        *_other_faults(blocks),
        *_text_faults(content),
        *_cover_faults(content.cover, blocks),
    ]


def _count_faults(blocks: Sequence[Block]) -> Iterator[Fault]:
    places = [at for at, one in enumerate(blocks) if isinstance(one, Picture)]
    if not places:
        words = "图片消息至少要有 1 张图片，正文里还没有：请添加图片，或把种类改为原创"
        yield Fault("pictures.none", words)
    if (count := len(places)) > MOST_PICTURES:
        words = (
            f"图片消息最多 {MOST_PICTURES} 张图片，正文里有 {count} 张："
            f"请去掉 {count - MOST_PICTURES} 张，或分成两篇"
        )
        yield Fault("pictures.count", words, places[MOST_PICTURES])


def _other_faults(blocks: Sequence[Block]) -> Iterator[Fault]:
    for at, one in enumerate(blocks):
        if not isinstance(one, Paragraph | Picture):
            words = (
                f"图片消息的正文只能有文字段落和图片，{block_name(at, one)}发不出去："
                "请改成普通段落，或把种类改为原创"
            )
            yield Fault("pictures.block", words, at)


def _text_faults(content: Content) -> Iterator[Fault]:
    if content.blocks is None:
        return
    if not any(isinstance(one, Paragraph) for one in content.blocks.blocks):
        words = "图片消息还没有文字：请写一段话，说明这些图片讲什么"
        yield Fault("pictures.text", words)
    if found := _MARKUP.search(message_text(content, content.blocks)):
        words = f"图片消息的文字里有网页标签“{found[0][:30]}”，平台不收：请删去尖括号"
        yield Fault("pictures.markup", words)


def _cover_faults(cover: str, blocks: Sequence[Block]) -> Iterator[Fault]:
    first = next((one.media for one in blocks if isinstance(one, Picture)), "")
    if cover and first and cover != first:
        words = "图片消息的封面就是第一张图片：请把选作封面的图片排到第一，或改选第一张作封面"
        yield Fault("pictures.cover", words)


def unshown(content: Content) -> list[str]:
    """What a picture message goes out without, in Chinese."""
    if not is_picture_message(content) or content.blocks is None:
        return []
    paragraphs = [one for one in content.blocks.blocks if isinstance(one, Paragraph)]
    rows = []
    if any(run.bold for one in paragraphs for run in one.runs):
        rows.append("微信的图片消息只有文字，加粗显示不出来")
    if content.author:
        rows.append("图片消息没有地方显示作者，需要时请写进“编辑姓名”")
    return rows


def picture_fault(number: int, form: str, width: int, height: int) -> Fault | None:
    """Why picture `number` does not stand in the row as the others do; `form` as Pillow names it.

    A long one goes out all the same, and is told of: a file beside the row.
    """
    if form not in STILL:
        words = (
            f"图片消息的第 {number} 张不是静止的 JPG 或 PNG（{form or '读不出'}）："
            "动图请换成静止的图片，别的请转成 JPG 后重新上传，或把种类改为原创"
        )
        return Fault("pictures.form", words)
    short, long = sorted((width, height))
    if long > LONG * short:
        words = (
            f"图片消息的第 {number} 张是长图，在一排图片里看不清字，有的平台会作为文件单独发出："
            "请切成几张，或确认这样可以"
        )
        return Fault("pictures.long", words)
    return None
