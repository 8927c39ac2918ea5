"""The files of a draft as the gates see them: attachments, pictures in the text, the cover."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath

from blocks.document import Made, Picture
from blocks.text import project
from config.clock import beijing, now
from documents.reader import PICTURES
from documents.sight import Eyes, may_show
from gates.ai_label import CREDENTIALS, GENERATED, declared
from gates.attachments import StoredFile, stored_findings, unfit
from gates.engine import Facts, RuleSet
from gates.finding import Finding
from gates.results import Results, of_facts, of_rules
from gates.work import Work
from review_queue.canonical import Draft
from storage.database import Database
from storage.media import load

_IN_TEXT = re.compile(r"!\[[^\]\n]*\]\((sha256:[0-9a-f]{64})\)")
_ORIGIN = (
    "law.picture-origin",
    "图片没有写明来源和授权，公务使用也要有授权，请在附件处去掉它，写明后重新上传",
    "《中华人民共和国著作权法》第二十四条、第五十三条；《互联网新闻信息服务管理规定》第十五条",
)
AI_RULES = frozenset({GENERATED, CREDENTIALS})
_IN_PLACE = "图片没有写明来源和授权，公务使用也要有授权，请在图片处补上"


@dataclass(frozen=True)
class _File:
    """One file of a draft. `span` is where its marker stands in the text, when it does.

    `made` is what somebody declared of a picture.
    """

    name: str
    media: str
    span: tuple[int, int] | None = None
    made: Made = Made.UNDECLARED


class Files:
    """Findings in a draft's files; one result per file, rule set, library and day."""

    def __init__(
        self, db: Database, results: Results | None = None, eyes: Eyes | None = None
    ) -> None:
        """`db` holds the bytes (storage.media); `eyes` read pictures, where they are installed."""
        self._db, self._eyes = db, eyes
        self._results = results or Results()
        self._looking = asyncio.Lock()

    async def findings(self, draft: Draft, ruleset: RuleSet, facts: Facts) -> list[Finding]:
        """All findings above a hint in attachments, pictures of the text and the cover."""
        found: list[Finding] = []
        for file in _files(draft):
            found += _told(file, await self._one(file, draft.kind, ruleset, facts))
        return found + list(_without_origin(draft))

    async def _one(
        self, file: _File, kind: str, ruleset: RuleSet, facts: Facts
    ) -> Sequence[Finding]:
        day = beijing(now()).date()
        shared = (of_rules(ruleset), of_facts(facts))

        async def prepare() -> Work:
            content = await self._read(file)
            if isinstance(content, str):
                return Work(partial(unfit, file.name, content, kind="lost"), ())
            in_text = file.span is not None
            name = f"{file.name}.png" if in_text else file.name
            seen = None
            if self._eyes is not None and may_show(name, PICTURES):
                # They read one picture at a time: whoever waited for them in a thread would keep
                # it from sign-ins and answers.
                async with self._looking:
                    seen = await asyncio.to_thread(self._eyes.read, name, content)
            stored = StoredFile(file.name, content, kind, day, in_text, seen)
            return Work(stored_findings, (stored,), shared)

        key = ("file", file.name, file.media, file.span, kind, day, *(one.key for one in shared))
        return await self._results.of(key, prepare, f"attachment:{file.name}")

    async def _read(self, file: _File) -> bytes | str:
        """The bytes, or why there are none."""
        try:
            async with self._db.session() as session:
                stored = await load(session, file.media)
        except ValueError:
            return "文件内容被改动过，与登记的摘要不符，请重新上传"
        return "找不到文件内容，请重新上传" if stored is None else stored[0]


def _told(file: _File, found: Sequence[Finding]) -> list[Finding]:
    """The findings with their file in words, and where its marker stands in the text."""
    if file.span is None:
        return [replace(one, reason=f"附件 {file.name}，{one.reason}") for one in found]
    start, end = file.span
    field = "text" if end else "attachment:封面"
    said = "封面图片" if end == 0 else "正文图片"
    return [
        replace(one, field=field, start=start, end=end, reason=f"{said}：{one.reason}")
        for one in found
        if one.rule not in AI_RULES or not declared(one.rule, file.made)
    ]


def _files(draft: Draft) -> Iterator[_File]:
    for part in draft.attachments:
        yield _File(part["name"], part["media"])
    made = _made(draft)
    for match in _IN_TEXT.finditer(draft.body):
        yield _File("正文图片", match[1], match.span(), made.get(match.start(), Made.UNDECLARED))
    if draft.cover:
        yield _File("封面", draft.cover, (0, 0), _made_of_cover(draft))


def _made(draft: Draft) -> dict[int, Made]:
    """What was declared of the pictures of the text, by where each stands."""
    if draft.blocks is None:
        return {}
    lines = project(draft.blocks).lines
    placed = zip(draft.blocks.blocks, lines, strict=True)
    return {start: one.made for one, (start, _) in placed if isinstance(one, Picture)}


def _made_of_cover(draft: Draft) -> Made:
    """As the same picture in the text, else as the whole."""
    blocks = draft.blocks.blocks if draft.blocks is not None else ()
    same = [one.made for one in blocks if isinstance(one, Picture) and one.media == draft.cover]
    return same[0] if same else draft.made


def _without_origin(draft: Draft) -> Iterator[Finding]:
    """Pictures that do not say whose they are, except of a repost."""
    if draft.kind == "转载":
        return
    rule, reason, basis = _ORIGIN
    for part in draft.attachments:
        picture = PurePath(part["name"]).suffix.lower() in PICTURES
        if picture and not (part.get("origin") and part.get("licence")):
            field = f"attachment:{part['name']}"
            yield Finding("law", rule, "warn", field, 0, 0, "", reason, basis)
    if draft.blocks is None:
        return
    told = project(draft.blocks)
    for block, (start, end) in zip(draft.blocks.blocks, told.lines, strict=True):
        if isinstance(block, Picture) and not (block.origin and block.licence):
            yield Finding("law", rule, "warn", "text", start, end, "", _IN_PLACE, basis)
