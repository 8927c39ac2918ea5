"""The pictures of a 图片消息 in the drafting form: added several at once, put in order, taken out.

Its buttons save the whole form with the change, so that they work without scripts and beside the
editor; a picture is named by its bytes, for the text may have changed since the page was drawn.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web
from aiohttp.web_request import FileField

from blocks.document import Document, Picture
from blocks.text import from_plain, project
from bot.picture_message import KIND, MOST_PICTURES, pictures_of
from console.items.forms import Changes, Sent
from console.items.turns import own_turn
from console.web.deps import DEPS
from review_queue.uploads import Upload, keep_picture
from staff.refusal import Reason, Refused

BUTTON = "picture"
"""What the buttons are called; their value says which: up, down, take, order or add."""


def pressed(sent: Sent) -> str:
    """Which button of the pictures sent the form; empty when it was another one."""
    return "".join(sent.get(BUTTON, ()))


async def with_pictures(request: web.Request, sent: Sent, changes: Changes) -> Changes:
    """The changes of a form with its pictures as its button wants them; Refused with the fault."""
    if changes["kind"] != KIND:
        return changes
    document = changes["blocks"] if "blocks" in changes else from_plain(changes["body"])
    ready = arranged(document, sent)
    files = await _chosen(request)
    if files:
        added = await _kept(request, files, sent, len(pictures_of(ready)))
        ready = Document(blocks=(*ready.blocks, *added))
    # Another button sends the names alone; gone without a word, the files would be missed later.
    elif pressed(sent) == "add" or any(sent.get("pictures", ())):
        raise Refused(422, [Reason("pictures", "请选择要添加的图片，再按“保存并添加”")])
    if ready == document:
        return changes
    told: Changes = {**changes, "blocks": ready, "body": project(ready).text}
    return told


async def _chosen(request: web.Request) -> list[FileField]:
    files = (await request.post()).getall("pictures", [])
    return [one for one in files if isinstance(one, FileField) and one.filename]


async def _kept(
    request: web.Request, files: Sequence[FileField], sent: Sent, there: int
) -> list[Picture]:
    """The files as pictures of the text, in the order in which they were chosen."""
    if there + len(files) > MOST_PICTURES:
        words = (
            f"图片消息最多 {MOST_PICTURES} 张图片，已有 {there} 张，"
            f"这次选了 {len(files)} 张：请少选几张，或先移除几张"
        )
        raise Refused(422, [Reason("pictures", words)])
    origin = "".join(sent.get("pictures_origin", ()))[:200]
    licence = "".join(sent.get("pictures_licence", ()))[:200]
    queue, found, faults = request.config_dict[DEPS].queue, [], list[Reason]()
    async with own_turn(request):
        for one in files:
            content = await asyncio.to_thread(one.file.read)
            try:
                kept = await keep_picture(queue, Upload(one.filename, content, origin, licence))
            except Refused as refused:
                faults += [_named(one.filename, reason) for reason in refused.reasons]
                continue
            found.append(Picture(media=kept.media, origin=origin, licence=licence))
    if faults:
        raise Refused(422, faults)
    return found


def _named(name: str, reason: Reason) -> Reason:
    said = reason.message
    return reason if said.startswith(name) else replace(reason, message=f"{name}：{said}")


def arranged(document: Document, sent: Sent) -> Document:
    """The document with its pictures as the pressed button wants them; other blocks stay."""
    what, _, which = pressed(sent).partition(":")
    pictures = pictures_of(document)
    at = _meant(pictures, which)
    if what == "take" and at >= 0:
        gone = pictures[at]
        kept = (one for one in document.blocks if one is not gone)
        return Document(blocks=tuple(kept))
    if what in ("up", "down") and at >= 0:
        other = at + (1 if what == "down" else -1)
        if 0 <= other < len(pictures):
            pictures[at], pictures[other] = pictures[other], pictures[at]
    elif what == "order":
        pictures = _by_number(pictures, sent)
    return _placed(document, pictures)


def _meant(pictures: Sequence[Picture], which: str) -> int:
    """`which` is number and marker of a picture as the page showed it; -1 when it is gone."""
    number, _, marker = which.partition(":")
    same = [at for at, one in enumerate(pictures) if one.media == marker]
    if number.isdecimal() and len(number) < 4 and int(number) - 1 in same:
        return int(number) - 1
    return same[0] if same else -1


def _by_number(pictures: Sequence[Picture], sent: Sent) -> list[Picture]:
    """Sorted by the numbers typed beside them; one without a number stays behind its neighbour."""
    typed: dict[str, list[int]] = {}
    for marker, number in zip(sent.get("placed", ()), sent.get("place", ()), strict=False):
        if number.isdecimal() and len(number) < 4:
            typed.setdefault(marker, []).append(int(number))
    keys: list[int] = []
    for one in pictures:
        numbers = typed.get(one.media, [])
        keys.append(numbers.pop(0) if numbers else (keys[-1] if keys else 0))
    order = sorted(range(len(pictures)), key=lambda at: keys[at])
    return [pictures[at] for at in order]


def _placed(document: Document, pictures: Sequence[Picture]) -> Document:
    """The document with these pictures, in this order, where pictures stand."""
    rest = iter(pictures)
    blocks = [next(rest) if isinstance(one, Picture) else one for one in document.blocks]
    return Document(blocks=tuple(blocks))
