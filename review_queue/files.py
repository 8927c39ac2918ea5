"""The files of a draft as the gates see them: attachments, pictures in the text, the cover."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePath

from config.clock import beijing, now
from documents.parts import Part, Reading, Unreadable
from documents.pictures import read_picture
from documents.reader import PICTURES, read_attachment
from gates.attachments import FileDraft, file_findings
from gates.engine import Facts, RuleSet
from gates.finding import Finding
from review_queue.canonical import Draft
from storage.database import Database
from storage.media import load

_IN_TEXT = re.compile(r"!\[[^\]\n]*\]\((sha256:[0-9a-f]{64})\)")
_KEPT = 512  # results; the oldest go first
_ORIGIN = (
    "law.picture-origin",
    "图片没有写明来源和授权，公务使用也要有授权，请在附件处补上",
    "《中华人民共和国著作权法》第二十四条、第五十三条；《互联网新闻信息服务管理规定》第十五条",
)


@dataclass(frozen=True)
class _File:
    """One file of a draft. `span` is where its marker stands in the text, when it does."""

    name: str
    media: str
    span: tuple[int, int] | None = None


class Files:
    """Findings in a draft's files; kept per file and rule set, so that sending does not reread."""

    def __init__(self, db: Database) -> None:
        """`db` holds the bytes (storage.media)."""
        self._db = db
        self._known: OrderedDict[tuple[object, ...], list[Finding]] = OrderedDict()
        self._facts: Facts | None = None

    async def findings(self, draft: Draft, ruleset: RuleSet, facts: Facts) -> list[Finding]:
        """All findings above a hint in attachments, pictures of the text and the cover."""
        found: list[Finding] = []
        for file in _files(draft):
            found += await self._one(file, draft.kind, ruleset, facts)
        return found + list(_without_origin(draft))

    async def _one(self, file: _File, kind: str, ruleset: RuleSet, facts: Facts) -> list[Finding]:
        day = beijing(now()).date()
        if facts is not self._facts:  # the library changed: what was found may no longer hold
            self._known.clear()
            self._facts = facts
        key = (file, kind, day, ruleset.digest)
        if key in self._known:
            self._known.move_to_end(key)
            return self._known[key]
        reading = await self._read(file)
        found = await asyncio.to_thread(_check, file, reading, _Asked(kind, day, ruleset, facts))
        self._known[key] = found
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return found

    async def _read(self, file: _File) -> Reading:
        try:
            async with self._db.session() as session:
                stored = await load(session, file.media)
        except ValueError:
            return _lost("文件内容被改动过，与登记的摘要不符，请重新上传")
        if stored is None:
            return _lost("找不到文件内容，请重新上传")
        if file.span is not None:
            return await asyncio.to_thread(read_picture, stored[0])
        return await asyncio.to_thread(read_attachment, file.name, stored[0])


def _lost(reason: str) -> Reading:
    return Reading((), (Unreadable("lost", "block", reason).fault,))


@dataclass(frozen=True)
class _Asked:
    """What a file is checked as, and against what."""

    kind: str
    day: date
    ruleset: RuleSet
    facts: Facts


def _check(file: _File, reading: Reading, asked: _Asked) -> list[Finding]:
    if file.span is None:
        named = Part("文件名", PurePath(file.name).stem)
        reading = replace(reading, parts=(*reading.parts, named))
    draft = FileDraft(file.name, reading, asked.kind, asked.day)
    found = file_findings(draft, asked.ruleset, asked.facts)
    if file.span is None:
        return [replace(one, reason=f"附件 {file.name}，{one.reason}") for one in found]
    start, end = file.span
    field = "text" if end else "attachment:封面"
    said = "封面图片" if end == 0 else "正文图片"
    return [
        replace(one, field=field, start=start, end=end, reason=f"{said}：{one.reason}")
        for one in found
    ]


def _files(draft: Draft) -> Iterator[_File]:
    for part in draft.attachments:
        yield _File(part["name"], part["media"])
    for match in _IN_TEXT.finditer(draft.body):
        yield _File("正文图片", match[1], match.span())
    if draft.cover:
        yield _File("封面", draft.cover, (0, 0))


def _without_origin(draft: Draft) -> Iterator[Finding]:
    """Pictures among the attachments that do not say whose they are, except of a repost."""
    if draft.kind == "转载":
        return
    rule, reason, basis = _ORIGIN
    for part in draft.attachments:
        picture = PurePath(part["name"]).suffix.lower() in PICTURES
        if picture and not (part.get("origin") and part.get("licence")):
            field = f"attachment:{part['name']}"
            yield Finding("law", rule, "warn", field, 0, 0, "", reason, basis)
