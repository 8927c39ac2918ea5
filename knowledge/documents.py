"""Read policies from .txt, .html, .docx, .pdf and .jsonl files; errors name file and line."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath
from typing import Any

import lxml.etree
import lxml.html

from blocks.text import project
from config.faults import Fault
from documents.lines import without_blanks
from documents.parts import Fault as FileFault
from documents.parts import Unreadable
from documents.plain import decoded
from documents.radicals import without_radicals
from documents.reader import read_attachment
from documents.to_blocks import bring_file
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
_DOC_NUMBER = re.compile(
    r"[\u4e00-\u9fff]{2,12}[〔\[（(【﹝]((?:19|20)\d{2})[〕\]）)】﹞]第?0*([1-9]\d{0,4})号"
)
_CANONICAL = re.compile(
    r"([\u4e00-\u9fff]{2,12})[〔\[（(【﹝]((?:19|20)\d{2})[〕\]）)】﹞]第?0*(\d{1,5})号"
)
_DAY = re.compile(r"((?:19|20)\d{2})年(\d{1,2})月(\d{1,2})日")
_STARTS = re.compile(r"自((?:19|20)\d{2})年(\d{1,2})月(\d{1,2})日起(?:施行|实施|执行)")
_FROM_PUBLICATION = re.compile(r"自(?:公布|发布|印发|公告)之日起(?:施行|实施|执行)?")
_UNTIL = re.compile(
    r"(?:有效期(?:限)?(?:截至|至|到)|执行(?:期限)?(?:至|到)|施行至|实施至)((?:19|20)\d{2})年(\d{1,2})月(\d{1,2})日"
)
_FOR_YEARS = re.compile(r"有效期(?:限)?(?:为)?([1-9一二三四五两])年")
_ISSUER = re.compile(
    r"^[\s\u3000]*([\u4e00-\u9fff]{2,30}?(?:人民政府|人民政府办公厅|人民政府办公室|办公厅|办公室|委员会|政府|厅|局|部|署|会))[\s\u3000]*$"
)
_TITLE_WORD = re.compile(
    r"(通知|意见|办法|规定|措施|方案|要点|条例|公告|通告|决定|细则|规划|计划|指南|批复|函|通报|解读|问答|法)[）)》]*$"
)
_TITLE_ISSUER = re.compile(
    r"^([\u4e00-\u9fff]{2,24}?(?:人民政府办公厅|人民政府办公室|人民政府|委员会|厅|局|部))关于"
)
_YEARS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}


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
    readers = {".txt": _txt, ".html": _html, ".htm": _html}
    readers |= dict.fromkeys((".docx", ".pdf", ".ofd"), _paged)
    if suffix not in readers:
        raise DocumentError(f"{name}：不支持这种文件，请用 .txt .html .docx .pdf .ofd 或 .jsonl")
    title, text = readers[suffix](name, data)
    text = without_blanks(without_radicals(text.replace("\r\n", "\n").replace("\r", "\n")))
    if not text.strip():
        raise DocumentError(f"{name}：没有读到文字（扫描件请先识别成文字）")
    if len(text) > MAX_TEXT:
        raise DocumentError(f"{name}：正文超过 {MAX_TEXT // 10_000} 万字，请拆分后再导入")
    return [describe(text, title or "", fallback=Path(name).stem)]


def describe(text: str, title: str = "", *, fallback: str = "") -> PolicyDraft:
    """Title, 文号, issuer and dates found in the text; what is not found stays empty."""
    title = title.strip() or _title(text) or fallback
    head = text[:1500]
    number = _CANONICAL.search(_before_body(head))
    issuer = _issuer(title, text)
    issued = _issued(text)
    starts, ends = _in_force(text, issued)
    return PolicyDraft(
        title=title[:300],
        text=text,
        doc_number=f"{number[1]}〔{number[2]}〕{int(number[3])}号" if number else "",
        issuer=issuer,
        issued_on=issued,
        effective_from=starts,
        effective_to=ends,
    )


def _before_body(head: str) -> str:
    """The lines before the first numbered one: a 文号 cited in the body is not the document's."""
    kept = []
    for line in head.split("\n"):
        if len(line.strip()) > 60:
            break
        kept.append(line.strip())
    return "\n".join(kept)


def _title(text: str) -> str:
    lines = [line.strip() for line in text.split("\n")[:40]]
    for line in lines:
        if 6 <= len(line) <= 80 and _TITLE_WORD.search(line) and not line.endswith(("。", "：")):
            return line
    return next((line for line in lines if 4 <= len(line) <= 60), "")


def _issuer(title: str, text: str) -> str:
    match = _TITLE_ISSUER.match(title)
    if match:
        return match.group(1)
    lines = [line for line in text.split("\n") if line.strip()]
    for line in [*lines[:6], *lines[-8:]]:
        if match := _ISSUER.match(line):
            return match.group(1)
    return ""


def _issued(text: str) -> date | None:
    """The date standing alone on a line (成文日期), else None."""
    for line in text.split("\n"):
        match = _DAY.fullmatch(line.strip(" \t\u3000（）()"))
        if match:
            return _day(match)
    return None


def _day(match: re.Match[str]) -> date | None:
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def _in_force(text: str, issued: date | None) -> tuple[date | None, date | None]:
    tail = text[-3000:]
    start = None
    if match := _STARTS.search(tail):
        start = _day(match)
    elif _FROM_PUBLICATION.search(tail):
        start = issued
    end = None
    if match := _UNTIL.search(tail):
        end = _day(match)
    elif (match := _FOR_YEARS.search(tail)) and start is not None:
        years = _YEARS.get(match[1]) or int(match[1])
        whole = start.replace(year=start.year + years, day=min(start.day, 28))
        end = date.fromordinal(whole.toordinal() - 1 + (start.day - min(start.day, 28)))
    return start, end


def _txt(name: str, data: bytes) -> tuple[str, str]:
    return "", _decode(name, data)


def _decode(name: str, data: bytes) -> str:
    try:
        return decoded(data)
    except Unreadable as error:
        raise DocumentError(f"{name}：{error.fault.reason}") from error


_BLOCKS = ("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "section", "article", "table")
_NOISE = "//script|//style|//nav|//footer|//form|//noscript|//comment()"


def _html(name: str, data: bytes) -> tuple[str, str]:
    text = _decode(name, data)
    # As bytes: a text that begins with an XML declaration is refused.
    page = (text or "<p/>").encode("utf-8", "ignore")
    parser = lxml.html.HTMLParser(encoding="utf-8")
    try:
        root: Any = lxml.html.document_fromstring(page, parser=parser, ensure_head_body=True)
    except lxml.etree.LxmlError as error:
        raise DocumentError(f"{name}：没有读到文字，文件不完整，请重新保存网页") from error
    titles = ("string(//meta[@name='ArticleTitle']/@content)", "string(//h1)", "string(//title)")
    title = next((found for path in titles if (found := str(root.xpath(path)).strip())), "")
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
    return title, "\n".join(line for line in lines if line)


def _paged(name: str, data: bytes) -> tuple[str, str]:
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
    return "", f"{own}\n{text}" if own else text


def _rule(fault: FileFault) -> str:
    return fault.rule.removeprefix("secrecy.attachment-")


def _stops(fault: FileFault) -> bool:
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
    government sites do (有效, 已修改, 失效, 废止) or in English. ValueError names the field.
    """
    if not isinstance(record, Mapping):
        raise ValueError("应当是一个 JSON 对象")
    for name in ("text", "title", "doc_number", "issuer", "url"):
        value = record.get(name)
        if (name == "text" and not value) or (value is not None and not isinstance(value, str)):
            raise ValueError(f"{name}：应当是{'不为空的' if name == 'text' else ''}文字")
    found = describe(record["text"], record.get("title") or "")
    return PolicyDraft(
        title=found.title,
        text=record["text"],
        doc_number=record.get("doc_number") or found.doc_number,
        issuer=record.get("issuer") or found.issuer,
        url=record.get("url") or "",
        issued_on=parse_day(record.get("date"), "date") or found.issued_on,
        effective_from=parse_day(record.get("effective_from"), "effective_from")
        or found.effective_from,
        effective_to=parse_day(record.get("effective_to"), "effective_to") or found.effective_to,
        repealed_on=parse_day(record.get("repealed_on"), "repealed_on"),
        status=parse_status(record.get("status")),
    )
