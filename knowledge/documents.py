"""Read policies from .txt, .html, .docx, .pdf and .jsonl files; errors name file and line."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePath
from typing import Any

import lxml.etree
import lxml.html

from blocks.text import project
from config.faults import Fault
from documents.lines import without_blanks
from documents.markup import SWOLLEN_PAGE, is_swollen
from documents.no_article import why_no_article
from documents.pages.extract import NoArticle, extract_page
from documents.parts import Fault as FileFault
from documents.parts import Unreadable
from documents.plain import CUT, decoded
from documents.radicals import without_radicals
from documents.reader import read_attachment
from documents.to_blocks import bring_file
from knowledge.headed import head_of
from knowledge.validity import Status, parse_day, parse_status

MAX_BYTES = 20_000_000
MAX_TEXT = 2_000_000
_UNREADABLE = frozenset(
    ("too-large", "too-long", "broken", "malformed", "bomb", "encrypted", "disguised", "unreadable")
)
_UNSETTLED = {
    "tracked-change": "有修订没有处理",
    "hidden": "有隐藏文字",
    "comment": "有批注没有删除",
}


class DocumentError(Fault, ValueError):
    """A document that cannot be read; the message names file, line and remedy (Chinese)."""


@dataclass(frozen=True)
class PolicyDraft:
    """One policy as read from a file, before a person checked it."""

    title: str
    text: str
    doc_number: str = ""
    issuer: str = ""
    url: str = ""
    issued_on: date | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    repealed_on: date | None = None
    status: Status | None = None


def read_documents(path: Path) -> list[PolicyDraft]:
    """Every policy in the file (one, or one a line for .jsonl). Raises DocumentError."""
    try:
        data = _capped(path)
    except OSError as error:
        raise DocumentError(f"{path.name}：文件打不开（{error.strerror}）") from error
    return read_bytes(path.name, data)


def _capped(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def read_bytes(name: str, data: bytes) -> list[PolicyDraft]:
    """As read_documents, from bytes already in memory; the suffix of `name` tells the format."""
    if len(data) > MAX_BYTES:
        raise DocumentError(f"{name}：文件超过 {MAX_BYTES // 1_000_000} MB，请拆分后再导入")
    suffix = Path(name).suffix.lower()
    if suffix == ".jsonl":
        return list(_jsonl(name, data))
    if suffix in (".html", ".htm"):
        page = _html(name, data)
        return [page_draft(replace(page, text=_checked(name, page.text)), fallback=Path(name).stem)]
    readers = {".txt": _decode} | dict.fromkeys((".docx", ".pdf", ".ofd"), _paged)
    if suffix not in readers:
        raise DocumentError(f"{name}：不支持这种文件，请用 .txt .html .docx .pdf .ofd 或 .jsonl")
    return [describe(_checked(name, readers[suffix](name, data)), fallback=Path(name).stem)]


def _checked(name: str, text: str) -> str:
    """The text in one form, or DocumentError for none and for too much."""
    text = without_blanks(without_radicals(text.replace("\r\n", "\n").replace("\r", "\n")))
    if not text.strip():
        raise DocumentError(f"{name}：没有读到文字（扫描件请先识别成文字）")
    if len(text) > MAX_TEXT:
        raise DocumentError(f"{name}：正文超过 {MAX_TEXT // 10_000} 万字，请拆分后再导入")
    return text


@dataclass(frozen=True)
class PolicyPage:
    """A policy's page as it was saved or fetched; `info` is what its information box says."""

    title: str
    text: str
    info: Mapping[str, Any] = field(default_factory=dict)
    published: str = ""
    source: str = ""


def page_draft(page: PolicyPage, *, fallback: str = "") -> PolicyDraft:
    """What a page says of its policy: its box first, then the words of the document itself."""
    info = page.info
    title = str(info.get("title") or "") if _is_shortened(page) else page.title
    written = told_day(_sure(info, "written_on", "recorded_on"))
    own = head_of(page.text, title, fallback, issued=written)
    known = info.get("written_on") or info.get("published_on") or page.published
    issued = own.issued_on or told_day(known)
    if own.issued_on is None and issued is not None:
        own = head_of(page.text, title, fallback, issued=issued)
    starts = told_day(info.get("effective_from"))
    first, last = starts or own.effective_from, told_day(info.get("effective_to"))
    last = last or own.effective_to
    sure = _sure(info, "issuer", "publisher")
    bodies = sure or own.issuer or str(info.get("issuer") or "") or page.source
    return PolicyDraft(
        title=own.title,
        text=page.text,
        doc_number=str(info.get("doc_number") or "") or own.doc_number,
        issuer=" ".join(_BETWEEN.split(bodies.strip())),
        url=str(info.get("url") or ""),
        issued_on=issued,
        effective_from=first,
        # The box and the text may each speak of another day: backwards they say nothing.
        effective_to=None if first and last and last < first else last,
        repealed_on=told_day(info.get("repealed_on")),
        status=_status(info.get("validity"), starts, own.starts_later),
    )


def _sure(info: Mapping[str, Any], name: str, of_record: str) -> str:
    """A field of the box, unless it may be said of the record: then the document knows better."""
    value = str(info.get(name) or "")
    return value if value != info.get(of_record) else ""


_BETWEEN = re.compile(r"[ 、，,;；\u3000]+")


def _is_shortened(page: PolicyPage) -> bool:
    """Whether the box has the whole title, of which the page's heading is a part."""
    whole, shown = str(page.info.get("title") or ""), page.title.rstrip("…. ")
    return bool(whole) and shown != whole and (not shown or shown in whole)


def _status(validity: Any, starts: date | None, starts_later: str) -> Status | None:
    """What the box says of its validity, else not yet for a first day nobody worked out."""
    told = parse_status(validity) if validity in ("废止", "失效", "已修改") else None
    if told is not None or starts is not None:
        return told
    return "not_yet" if starts_later or validity == "尚未施行" else None


def told_day(text: Any) -> date | None:
    """The day of a field of a page; one that says none must not stop the others."""
    try:
        return date.fromisoformat(text) if text else None
    except (ValueError, TypeError):
        return None


def describe(
    text: str, title: str = "", *, fallback: str = "", issued: date | None = None
) -> PolicyDraft:
    """Title, 文号, issuer and days found in the text; what is not found stays empty.

    One that says that it begins later, on a day that could not be worked out, is not yet in force.
    """
    head = head_of(text, title, fallback, issued=issued)
    return PolicyDraft(
        title=head.title,
        text=text,
        doc_number=head.doc_number,
        issuer=head.issuer,
        issued_on=head.issued_on,
        effective_from=head.effective_from,
        effective_to=head.effective_to,
        status="not_yet" if head.starts_later else None,
    )


def _decode(name: str, data: bytes) -> str:
    try:
        text = decoded(data)
    except Unreadable as error:
        raise DocumentError(f"{name}：{error.fault.reason}") from error
    if text.endswith(CUT):
        raise DocumentError(f"{name}：文件在一个字的中间断了，没有存全，请重新保存后再导入")
    return text


_BLOCKS = ("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "section", "article", "table")
_NOISE = "//script|//style|//nav|//footer|//form|//noscript|//comment()"


def _html(name: str, data: bytes) -> PolicyPage:
    """A saved page, read as a fetched one is; a page without an article's body as it stands."""
    html = _decode(name, data)
    if is_swollen(html):
        raise DocumentError(f"{name}：{SWOLLEN_PAGE}")
    root = _parsed(name, html)
    titles = ("string(//meta[@name='ArticleTitle']/@content)", "string(//h1)", "string(//title)")
    title = next((found for path in titles if (found := str(root.xpath(path)).strip())), "")
    kind = why_no_article(root, title, _seen(root))
    whole = _words_of(root)
    try:
        page = extract_page(html, "")
    except NoArticle as error:
        kind = error.kind
    except ValueError:
        page = None
    if kind:
        raise DocumentError(f"{name}：这不是政策，是{kind}，请重新保存原文的网页")
    if page is None:
        return PolicyPage(title, whole)
    # No clause may be lost with what stands around an article.
    text = page.text if _points(page.text) >= _points(whole) else whole
    return PolicyPage(page.title or title, text, page.policy.record(), page.date, page.source)


def _parsed(name: str, html: str) -> Any:
    # As bytes: a text that begins with an XML declaration is refused.
    page = (html or "<p/>").encode("utf-8", "ignore")
    parser = lxml.html.HTMLParser(encoding="utf-8")
    try:
        return lxml.html.document_fromstring(page, parser=parser, ensure_head_body=True)
    except lxml.etree.LxmlError as error:
        raise DocumentError(f"{name}：没有读到文字，文件不完整，请重新保存网页") from error


def _words_of(root: Any) -> str:
    """All words of a page, a line for a paragraph."""
    for node in [*root.xpath(_NOISE), *root.xpath("//head")]:
        # A comment beside the root has nothing to be dropped from.
        if node.getparent() is not None:
            node.drop_tree()
    for node in root.iter(*_BLOCKS):
        node.tail = "\n" + (node.tail or "")
        if node.tag != "br":
            node.text = "\n" + (node.text or "")
    whole = str(root.text_content())
    lines = [re.sub(r"[ \t\r]+", " ", line).strip() for line in whole.split("\n")]
    return "\n".join(line for line in lines if line)


_POINT = re.compile(
    r"^[ \u3000]*(?:第[一二三四五六七八九十百千零〇\d]+条|[一二三四五六七八九十]{1,3}、)", re.M
)


def _points(text: str) -> int:
    """How many clauses a text names by their number."""
    return len(set(_POINT.findall(text)))


def _seen(root: Any) -> str:
    """The words of a page without its scripts, for the question whether it is a page of words."""
    lines = root.xpath(
        "//body//text()[not(ancestor::script or ancestor::style or ancestor::noscript)]"
    )
    return "\n".join(line for one in lines if (line := " ".join(str(one).split())))


def _paged(name: str, data: bytes) -> str:
    """The text of a .docx, .pdf or .ofd; DocumentError also for what is in it and not settled."""
    faults = [one for one in read_attachment(name, data).faults if _stops(one)]
    if any(_rule(one) not in _UNSETTLED for one in faults):
        raise DocumentError(f"{name}：{faults[0].reason}")
    # What is not settled or not seen would be kept as the policy, or silently lost from it.
    if faults:
        told = "；".join(dict.fromkeys(_UNSETTLED[_rule(one)] for one in faults))
        reason = f"{told}：请接受或拒绝全部修订、删除批注和隐藏文字后再导入"
        raise DocumentError(f"{name}：{reason}")
    try:
        brought = bring_file(name, data)
    except Unreadable as error:
        raise DocumentError(f"{name}：{error.fault.reason}") from error
    text = project(brought.taken.document).text
    # A page of which nothing was read would be missing from the policy without a word.
    lost = [words for words in brought.taken.left_out if " 页" in words and "没有带过来" in words]
    if lost and text.strip():
        raise DocumentError(f"{name}：{lost[0]}")
    title = brought.taken.title
    own = title if title != PurePath(name).stem and title not in text else ""
    return f"{own}\n{text}" if own else text


def _rule(fault: FileFault) -> str:
    return fault.rule.removeprefix("secrecy.attachment-")


def _stops(fault: FileFault) -> bool:
    # A part that is missing may hold clauses, their numbers, or what was changed.
    if _rule(fault) == "damaged":
        return fault.severity != "hint"
    return _rule(fault) in _UNSETTLED or (fault.severity == "block" and _rule(fault) in _UNREADABLE)


def _jsonl(name: str, data: bytes) -> Iterator[PolicyDraft]:
    for number, line in enumerate(_decode(name, data).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DocumentError(f"{name} 第 {number} 行：不是完整的 JSON") from error
        try:
            yield draft_of(record)
        except ValueError as error:
            raise DocumentError(f"{name} 第 {number} 行：{error}") from error


def draft_of(record: Any) -> PolicyDraft:
    """A JSON record (text; optional title, doc_number, issuer, url, status and days).

    The days are date, effective_from, effective_to and repealed_on; the status is written as
    government sites do (有效, 已修改, 失效, 废止 ...) or in English. ValueError names the field.
    """
    if not isinstance(record, Mapping):
        raise ValueError("应当是一个 JSON 对象")
    for name in ("text", "title", "doc_number", "issuer", "url"):
        value = record.get(name)
        if (name == "text" and not value) or (value is not None and not isinstance(value, str)):
            raise ValueError(f"{name}：应当是{'不为空的' if name == 'text' else ''}文字")
    issued = parse_day(record.get("date"), "date")
    found = describe(record["text"], record.get("title") or "", issued=issued)
    starts = parse_day(record.get("effective_from"), "effective_from")
    return PolicyDraft(
        title=found.title,
        text=record["text"],
        doc_number=record.get("doc_number") or found.doc_number,
        issuer=record.get("issuer") or found.issuer,
        url=record.get("url") or "",
        issued_on=found.issued_on,
        effective_from=starts or found.effective_from,
        effective_to=parse_day(record.get("effective_to"), "effective_to") or found.effective_to,
        repealed_on=parse_day(record.get("repealed_on"), "repealed_on"),
        status=parse_status(record.get("status")) or (None if starts else found.status),
    )
