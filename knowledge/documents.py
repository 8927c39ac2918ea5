"""Read policies from .txt, .html, .docx, .pdf and .jsonl files; errors name file and line."""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import charset_normalizer
import lxml.html
import pypdf
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from blocks.text import project
from config.faults import Fault
from documents.parts import Unreadable
from documents.radicals import without_radicals
from documents.to_blocks import bring_file
from knowledge.validity import Status, parse_day, parse_status

MAX_BYTES = 20_000_000
MAX_TEXT = 2_000_000
MAX_PAGES = 500
_MAX_RATIO = 100  # unpacked to packed size of a .docx
_BLANK, _HAN = r"[ \u00a0\u2000-\u200a\u3000]{1,2}", "[\u4e00-\u9fff]"
# The blank that layout puts between Han and figures: 第 3 条, 〔2026〕12 号.
_LAID_OUT = re.compile(rf"(?<={_HAN}){_BLANK}(?=[0-9〔])|(?<=[0-9〕]){_BLANK}(?={_HAN})")
_NUMBER_LINE = r"[\u4e00-\u9fff]{2,12}[〔\[（(【﹝](?:19|20)\d{2}[〕\]）)】﹞]第?\d{1,5}\s*号$"
# What begins a line of its own whatever stands above it; what ends one whatever follows.
_BEGINS = re.compile(
    rf"[（(]?[一二三四五六七八九十]+[）)、]|第.{{1,5}}[条章]|{_NUMBER_LINE}|[^，。；]{{2,20}}：$"
)
_ENDS = re.compile(_NUMBER_LINE)
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
    readers = {".txt": _txt, ".html": _html, ".htm": _html, ".docx": _docx, ".pdf": _pdf}
    if suffix not in readers:
        raise DocumentError(f"{name}：不支持这种文件，请用 .txt .html .docx .pdf 或 .jsonl")
    title, text = readers[suffix](name, data)
    text = without_radicals(text.replace("\r\n", "\n").replace("\r", "\n"))
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
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    best = charset_normalizer.from_bytes(data[:100_000]).best()
    if best is None:
        raise DocumentError(f"{name}：认不出文字编码，请另存为 UTF-8")
    return data.decode(best.encoding, "replace")


_BLOCKS = ("p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "section", "article", "table")
_NOISE = "//script|//style|//nav|//footer|//form|//noscript|//comment()"


def _html(name: str, data: bytes) -> tuple[str, str]:
    text = _decode(name, data)
    # As bytes: a text that begins with an XML declaration is refused.
    page = (text or "<p/>").encode("utf-8", "ignore")
    parser = lxml.html.HTMLParser(encoding="utf-8")
    root: Any = lxml.html.document_fromstring(page, parser=parser, ensure_head_body=True)
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


def _docx(name: str, data: bytes) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_archive(name, archive)
            title = _property_title(archive)
        taken = bring_file(name, data).taken
    except (zipfile.BadZipFile, KeyError, ValueError, Unreadable) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"{name}：不是完好的 .docx 文件，请用文字处理软件另存一次") from error
    # What is not settled or not seen would be kept as the policy, or silently lost from it.
    if unsettled := [words for words in taken.left_out if "修订" in words or "隐藏文字" in words]:
        reason = f"{'；'.join(unsettled)}：请接受或拒绝全部修订、删除隐藏文字后再导入"
        raise DocumentError(f"{name}：{reason}")
    text = project(taken.document).text
    # Many files keep the title of the one they were made from: 文档1, Word Document.
    return (title if title.strip() in text else ""), text


def _property_title(archive: zipfile.ZipFile) -> str:
    if "docProps/core.xml" not in archive.namelist():
        return ""
    root = ElementTree.fromstring(archive.read("docProps/core.xml"), forbid_dtd=True)
    return root.findtext("{http://purl.org/dc/elements/1.1/}title") or ""


def _check_archive(name: str, archive: zipfile.ZipFile) -> None:
    """Refuse bombs and XML with a DTD or entities before anything is parsed."""
    packed = sum(info.compress_size for info in archive.infolist())
    whole = sum(info.file_size for info in archive.infolist())
    if whole > 10 * MAX_BYTES or whole > _MAX_RATIO * max(packed, 1):
        raise DocumentError(f"{name}：解压后过大，已拒绝")
    for info in archive.infolist():
        if info.filename.endswith((".xml", ".rels")):
            try:
                ElementTree.fromstring(archive.read(info), forbid_dtd=True)
            except (DefusedXmlException, ElementTree.ParseError) as error:
                raise DocumentError(f"{name}：内部文件 {info.filename} 不合规，已拒绝") from error


def _pdf(name: str, data: bytes) -> tuple[str, str]:
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if len(reader.pages) > MAX_PAGES:
            raise DocumentError(f"{name}：超过 {MAX_PAGES} 页，请拆分后再导入")
        pages = [_LAID_OUT.sub("", page.extract_text()) for page in reader.pages]
    except (pypdf.errors.PyPdfError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"{name}：不是完好的 PDF 文件，或已加密") from error
    return "", _joined("\n".join(pages))


def _joined(text: str) -> str:
    """Undo the line breaks of the page: a line that ends inside a sentence goes on in the next."""
    lines: list[str] = []
    for line in (raw.strip() for raw in text.split("\n")):
        if not line or re.fullmatch(r"[-—\s]*\d+[-—\s]*", line):
            continue
        goes_on = lines and len(lines[-1]) >= 20 and not lines[-1].endswith(tuple("。：；！？:;"))
        if goes_on and not _BEGINS.match(line) and not _ENDS.match(lines[-1]):
            lines[-1] += line
        else:
            lines.append(line)
    return "\n".join(lines)


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
