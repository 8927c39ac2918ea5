"""What Telegram will show: messages with entities, split at its limits. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.contract import Content, Rendering
from bot.preview import SAMPLE_REASON, Gauge, Message, Shown
from bot.render import (
    PICTURE,
    REASON_ROOM,
    attachment_lines,
    attribution_lines,
    fill_reason,
    first_picture,
    paragraphs,
    push_text,
    whole_before,
)

TELEGRAM_TEXT = 4096  # UTF-16 units of one message (docs/platforms.md#T5)
TELEGRAM_CAPTION = 1024


def units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def render_telegram(content: Content) -> Rendering:
    """{"parts": [{"text", "entities"}], "photo": marker or "", "push": {"text", "entities"}}.

    Entities are Telegram's own dictionaries with UTF-16 offsets; only the title is bold.
    """
    body = [
        line if not (picture := PICTURE.match(line)) else f"［图片：{picture['alt'] or '见原文'}］"
        for line in paragraphs(content.body)
        if not ((found := PICTURE.match(line)) and found["media"] == first_picture(content))
    ]
    blocks = [content.title, *body]
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
    parts, photo = list(rendering["parts"]), rendering["photo"].removeprefix("sha256:")
    messages = []
    if photo and parts and units(parts[0]["text"]) <= TELEGRAM_CAPTION:
        messages.append(_message(parts.pop(0), "图片说明", TELEGRAM_CAPTION, photo))
    elif photo:
        messages.append(Message(photo=photo))
    messages += [
        _message(part, f"第 {number} 条", TELEGRAM_TEXT) for number, part in enumerate(parts, 1)
    ]
    form = rendering.get("push", {})
    push = fill_reason(str(form.get("text", "")), SAMPLE_REASON)
    gauges = [one.gauge for one in messages if one.gauge is not None]
    return Shown(
        cover=photo,
        messages=tuple(messages),
        push=Message(push, form.get("entities", ())),
        gauges=(*gauges, Gauge("推送文字", units(push), TELEGRAM_TEXT)),
    )


def _message(part: Mapping[str, Any], label: str, limit: int, photo: str = "") -> Message:
    gauge = Gauge(label, units(part["text"]), limit)
    return Message(part["text"], part["entities"], photo, gauge)


def _bold(title: str) -> list[dict[str, object]]:
    return [{"type": "bold", "offset": 0, "length": units(title)}] if title else []


def split_telegram(text: str, limit: int = TELEGRAM_TEXT) -> list[str]:
    """Parts of at most `limit` UTF-16 units, cut between paragraphs, else between sentences.

    A document number (文号) or a link is never cut.
    """
    parts: list[str] = []
    rest = text
    while units(rest) > limit:
        fit = _fitting(rest, limit)
        # A paragraph's end in the first third is no place: the parts would be crumbs.
        cut = rest.rfind("\n", 0, fit + 1)
        if cut < fit // 3:
            sentence = max(rest.rfind(mark, 0, fit) for mark in "。；！？")
            cut = sentence + 1 if sentence >= fit // 3 else fit
            cut = whole_before(rest, cut) or cut
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
