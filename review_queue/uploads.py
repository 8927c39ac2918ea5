"""Attachments of a draft: added, replaced by name, taken off; each change is a revision."""

import mimetypes
import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import unquote

from sqlalchemy import select

from documents.parts import Reading
from documents.reader import PICTURES, SUFFIXES, read_attachment
from gates.work import NotDone, Work
from review_queue import drafting
from review_queue.canonical import Draft
from review_queue.desk import Queue
from review_queue.models import Item, Revision
from staff.refusal import Reason, Refused
from storage.media import keep

LARGEST = 10 * 1024 * 1024
MOST = 20
_NAME = 120
# Faults that make a file useless: it is refused at once instead of being kept and flagged.
_REFUSED = ("bomb", "malformed", "broken", "disguised", "encrypted", "macro", "too-large")


@dataclass(frozen=True)
class Upload:
    """A file as it came in; `origin` is who made it, `licence` why it may be used (pictures)."""

    name: str
    content: bytes
    origin: str = ""
    licence: str = ""


async def attach(queue: Queue, item_id: str, staff_id: str, version: int, upload: Upload) -> Item:
    """Keep the file and put it into the draft; one of the same name is replaced."""
    name = clean_name(upload.name)
    draft = await _draft(queue, item_id)
    others = tuple(part for part in draft.attachments if part["name"] != name)
    if faults := _faults(upload, name, len(others)) or await _unusable(queue, name, upload.content):
        raise Refused(422, faults)
    mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
    async with queue.db.session() as session:
        media = await keep(session, upload.content, mime)
    told = {"origin": upload.origin.strip()[:200], "licence": upload.licence.strip()[:200]}
    part = {"name": name, "media": media, **{key: value for key, value in told.items() if value}}
    return await drafting.edit(queue, item_id, staff_id, version, {"attachments": (*others, part)})


async def detach(queue: Queue, item_id: str, staff_id: str, version: int, name: str) -> Item:
    """Take a file off the draft; 404 when it has none of that name."""
    draft = await _draft(queue, item_id)
    kept = tuple(part for part in draft.attachments if part["name"] != name)
    if len(kept) == len(draft.attachments):
        raise Refused(404, [Reason("attachment", "稿件没有这个附件，可能已经去掉了")])
    return await drafting.edit(queue, item_id, staff_id, version, {"attachments": kept})


async def _draft(queue: Queue, item_id: str) -> Draft:
    query = select(Revision.canonical).where(Revision.item_id == item_id)
    async with queue.db.session() as session:
        text = (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).first()
    if text is None:
        raise Refused(404, [Reason("item", "没有这篇稿件")])
    return Draft.from_canonical(text)


def clean_name(name: str) -> str:
    """The last part of a path, without control characters; some clients percent-encode Chinese."""
    if re.search("%[89A-Fa-f][0-9A-Fa-f]", name):
        name = unquote(name)
    plain = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    return "".join(char for char in plain if unicodedata.category(char)[0] != "C").strip(" .")


def _faults(upload: Upload, name: str, others: int) -> list[Reason]:
    suffix = PurePath(name).suffix.lower()
    if not name or len(name) > _NAME:
        return [Reason("name", f"文件名不能为空，也不能超过 {_NAME} 个字")]
    if suffix not in SUFFIXES:
        known = "文字、表格、PDF、OFD 和图片"
        return [Reason("type", f"不能上传 {suffix or '没有后缀'} 的文件，可以上传{known}")]
    if len(upload.content) > LARGEST:
        return [Reason("size", f"文件超过 {LARGEST // 1024 // 1024} MB，请压缩或拆分")]
    if others >= MOST:
        return [Reason("count", f"一篇稿件最多 {MOST} 个附件")]
    if suffix in PICTURES and upload.licence and not upload.origin:
        return [Reason("origin", "写了授权的图片也要写明来源（谁拍摄或制作）")]
    return []


async def _unusable(queue: Queue, name: str, content: bytes) -> list[Reason]:
    """What makes the file useless, by a look into it."""
    try:
        reading: Reading = await queue.runner.run(Work(read_attachment, (name, content)))
    except NotDone as failed:
        return [Reason("file", f"{name}：{failed}")]
    kinds = [f"secrecy.attachment-{rule}" for rule in _REFUSED]
    return [Reason("file", f"{name}：{one.reason}") for one in reading.faults if one.rule in kinds]
