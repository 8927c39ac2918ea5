"""Attachments of a draft: added, replaced by name, taken off; each change is a revision."""

import mimetypes
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import PurePath
from urllib.parse import unquote

from sqlalchemy import select

from documents.normalise_picture import Normalised, brought_in
from documents.parts import Fault, Reading
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
_TOO_SLOW = "图片太大，没有在限定的时间里处理完，请缩小后再上传"
_SVG = "不能上传 SVG：它可能带有脚本，各渠道也都不收，请导出为 PNG 再上传"
# Faults that make a file useless: it is refused at once instead of being kept and flagged.
_REFUSED = ("bomb", "malformed", "broken", "disguised", "encrypted", "macro", "too-large")


@dataclass(frozen=True)
class Upload:
    """A file as it came in; `origin` is who made it, `licence` why it may be used (pictures)."""

    name: str
    content: bytes
    origin: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Attached:
    """The draft with its new file; `notes` say what was done to a picture when it came in."""

    item: Item
    notes: tuple[str, ...] = ()


async def attach(queue: Queue, item_id: str, staff_id: str, version: int, upload: Upload) -> Item:
    """Keep the file and put it into the draft; one of the same name is replaced."""
    return (await attach_noted(queue, item_id, staff_id, version, upload)).item


async def attach_noted(
    queue: Queue, item_id: str, staff_id: str, version: int, upload: Upload
) -> Attached:
    """As `attach`. A picture is kept as it will be sent, and what was done to it is told."""
    named = replace(upload, name=clean_name(upload.name))
    draft = await _draft(queue, item_id)
    known = {part["name"] for part in draft.attachments}
    if faults := _faults(named, len(known - {named.name})):
        raise Refused(422, faults)
    ready, mime, notes = await _ready(queue, named)
    if ready.name != named.name and ready.name in known:
        reason = f"图片将存为 {ready.name}，稿件里已有同名文件，请先改名或去掉原来的"
        raise Refused(422, [Reason("name", reason)])
    others = tuple(part for part in draft.attachments if part["name"] != ready.name)
    async with queue.db.session() as session:
        media = await keep(session, ready.content, mime)
    told = {"origin": ready.origin.strip()[:200], "licence": ready.licence.strip()[:200]}
    part = {
        "name": ready.name,
        "media": media,
        **{key: value for key, value in told.items() if value},
    }
    changes = {"attachments": (*others, part)}
    return Attached(await drafting.edit(queue, item_id, staff_id, version, changes), notes)


async def _ready(queue: Queue, upload: Upload) -> tuple[Upload, str, tuple[str, ...]]:
    """The file as it is kept, its content type, and what was done to it; Refused with the fault."""
    path = PurePath(upload.name)
    if path.suffix.lower() not in PICTURES:
        if faults := await _unusable(queue, upload.name, upload.content):
            raise Refused(422, faults)
        return upload, mimetypes.guess_type(upload.name)[0] or "application/octet-stream", ()
    try:
        brought: Normalised | Fault = await queue.runner.run(Work(brought_in, (upload.content,)))
    except NotDone as failed:
        said = _TOO_SLOW if failed.rule == "check-timeout" else str(failed)
        raise Refused(422, [Reason("file", f"{upload.name}：{said}")]) from failed
    if isinstance(brought, Fault):
        raise Refused(422, [Reason("file", f"{upload.name}：{brought.reason}")])
    ends = (".jpg", ".jpeg") if brought.suffix == ".jpg" else (brought.suffix,)
    name = upload.name if path.suffix.lower() in ends else path.stem + brought.suffix
    return replace(upload, name=name, content=brought.data), brought.mime, brought.notes


@dataclass(frozen=True)
class KeptPicture:
    """A picture of the text, and what was done to it when it came in."""

    media: str
    notes: tuple[str, ...] = ()


async def keep_picture(queue: Queue, upload: Upload) -> KeptPicture:
    """Keep a picture for the text as it will be sent; it belongs to no draft yet."""
    named = replace(upload, name=clean_name(upload.name))
    if PurePath(named.name).suffix.lower() not in PICTURES:
        known = "、".join(sorted(PICTURES))
        raise Refused(422, [Reason("type", f"正文里只能放图片（{known}），别的文件请作为附件上传")])
    if faults := _faults(named, 0):
        raise Refused(422, faults)
    ready, mime, notes = await _ready(queue, named)
    async with queue.db.session() as session:
        return KeptPicture(await keep(session, ready.content, mime), notes)


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


def _faults(upload: Upload, others: int) -> list[Reason]:
    name, suffix = upload.name, PurePath(upload.name).suffix.lower()
    if not name or len(name) > _NAME:
        return [Reason("name", f"文件名不能为空，也不能超过 {_NAME} 个字")]
    if suffix in (".svg", ".svgz"):
        return [Reason("type", _SVG)]
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
