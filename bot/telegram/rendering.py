"""What Telegram will show: messages with entities, split at its limits. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.contract import Content, Rendering
from bot.picture_message import is_picture_message
from bot.preview import SAMPLE_LINK, SAMPLE_REASON, Gauge, Message, Shown
from bot.render import (
    LINK_ROOM,
    LONGEST_REASON,
    PICTURE,
    attachment_lines,
    attribution_lines,
    corrected_line,
    fill_reason,
    first_picture,
    note_text,
    paragraphs,
    push_text,
    units,
    whole_before,
)
from bot.telegram.article import MOST_PARTS, article_parts, message_parts, problems_of
from bot.telegram.styled import TELEGRAM_CAPTION, TELEGRAM_TEXT, fitting


def render_telegram(content: Content) -> Rendering:
    """{"parts": [...], "push": {"text", "entities"}}, parts as bot/telegram/article.py has them.

    Entities are Telegram's own dictionaries with UTF-16 offsets. What has no blocks has one "photo"
    (a marker or empty) that stands before all parts, and only its title is bold.
    """
    if content.blocks is None:
        return _plain(content) | _note(content)
    parts_of = message_parts if is_picture_message(content) else article_parts
    return {
        "parts": parts_of(content, content.blocks),
        "push": {"text": push_text(content), "entities": _bold(content.title)},
        **_note(content),
    }


def _note(content: Content) -> Rendering:
    """What a correction changed, for who got the text before it."""
    if not content.changes:
        return {}
    return {"note": {"text": note_text(content), "entities": _bold(content.title)}}


def _plain(content: Content) -> Rendering:
    body = [
        line if not (picture := PICTURE.match(line)) else f"［图片：{picture['alt'] or '见原文'}］"
        for line in paragraphs(content.body)
        if not ((found := PICTURE.match(line)) and found["media"] == first_picture(content))
    ]
    blocks = [content.title, corrected_line(content), *body]
    tail = attribution_lines(content) + attachment_lines(content)
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
        "push": {"text": push_text(content), "entities": bold},
    }


def shown_telegram(rendering: Mapping[str, Any]) -> Shown | None:
    """The messages as they will be posted: the photo carries the first text when that fits."""
    if "parts" not in rendering:
        return None
    messages = [_message(part, number) for number, part in enumerate(sent_parts(rendering), 1)]
    form = rendering.get("push", {})
    push = fill_reason(str(form.get("text", "")), SAMPLE_REASON, SAMPLE_LINK)
    gauges = [one.gauge for one in messages if one.gauge is not None]
    return Shown(
        cover=next((one.photo for one in messages if one.photo), ""),
        messages=tuple(messages),
        push=Message(push, form.get("entities", ())),
        note=_shown_note(rendering),
        gauges=(*gauges, Gauge("推送文字", units(push), TELEGRAM_TEXT)),
    )


def _shown_note(rendering: Mapping[str, Any]) -> Message | None:
    form = rendering.get("note")
    if not form:
        return None
    text = fill_reason(str(form["text"]), SAMPLE_REASON, SAMPLE_LINK)
    return Message(text, form.get("entities", ()))


def sent_parts(rendering: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The messages as they are sent; the photo of the older form with the first text if it fits."""
    parts = [dict(part) for part in rendering["parts"]]
    if not rendering.get("photo"):
        return parts
    pictures = {"pictures": [rendering["photo"]]}
    if parts and units(parts[0]["text"]) <= TELEGRAM_CAPTION:
        return [parts[0] | pictures, *parts[1:]]
    return [{"text": "", "entities": []} | pictures, *parts]


def _message(part: Mapping[str, Any], number: int) -> Message:
    pictures = [one.removeprefix("sha256:") for one in part.get("pictures", ())]
    label = "图片说明" if pictures else f"第 {number} 条"
    limit = TELEGRAM_CAPTION if pictures else TELEGRAM_TEXT
    return Message(
        part["text"],
        part["entities"],
        pictures[0] if pictures else "",
        Gauge(label, units(part["text"]), limit) if part["text"] else None,
        tuple(pictures[1:]),
    )


def _bold(title: str) -> list[dict[str, object]]:
    return [{"type": "bold", "offset": 0, "length": units(title)}] if title else []


def split_telegram(text: str, limit: int = TELEGRAM_TEXT) -> list[str]:
    """Parts of at most `limit` UTF-16 units, cut between paragraphs, else between sentences.

    A document number (文号) or a link is never cut.
    """
    parts: list[str] = []
    rest = text
    while units(rest) > limit:
        fit = fitting(rest, limit)
        # A paragraph's end in the first third is no place: the parts would be crumbs.
        cut = rest.rfind("\n", 0, fit + 1)
        if cut < fit // 3:
            sentence = max(rest.rfind(mark, 0, fit) for mark in "。；！？")
            cut = sentence + 1 if sentence >= fit // 3 else fit
            cut = whole_before(rest, cut) or cut
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest or not parts else parts


def problems_telegram(rendering: Mapping[str, Any], content: Content | None = None) -> list[str]:
    """Every limit of Telegram that is broken, in Chinese; with the content, by which block."""
    found = []
    parts = sent_parts(rendering)
    if not parts:
        found.append("Telegram 消息为空：请填写标题或正文")
    for number, part in enumerate(parts, 1):
        pictures = part.get("pictures")
        if not part["text"].strip() and not pictures:
            found.append(f"Telegram 第 {number} 条消息为空：请填写标题或正文")
        limit = TELEGRAM_CAPTION if pictures else TELEGRAM_TEXT
        if units(part["text"]) > limit:
            found.append(f"Telegram 第 {number} 条消息超过 {limit} 字：请分段")
    if len(parts) > MOST_PARTS:
        found.append(f"Telegram 会发成 {len(parts)} 条消息，最多 {MOST_PARTS} 条：请减少图片或分篇")
    for form, label in (("push", "推送文字"), ("note", "更正说明")):
        told = fill_reason(rendering.get(form, {}).get("text", ""), LONGEST_REASON, "a" * LINK_ROOM)
        if units(told) > TELEGRAM_TEXT:
            found.append(f"Telegram {label}超过 {TELEGRAM_TEXT} 字：请缩短标题或链接")
    blocks = content.blocks if content is not None else None
    return found + (problems_of(blocks) if blocks is not None else [])
