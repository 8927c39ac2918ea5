"""What a PDF holds beside the text of its pages: notes, links, files, forms, properties, layers."""

import re
from collections.abc import Iterator
from typing import Any

import pypdf
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from documents.parts import AUTHOR, Notes
from documents.pdf_annotations import dictionary
from documents.persons import is_person

_TAG = re.compile(r"<[^<>]*>")
_MOST_NODES = 20_000
_MOST_NAMES = 400
_SHOWN = {"/Author": "作者", "/Title": "标题", "/Subject": "主题", "/Keywords": "关键字"}


def read_beside_pages(reader: pypdf.PdfReader, notes: Notes) -> None:
    """What belongs to the whole file."""
    _fields(reader, notes)
    _properties(reader, notes)
    _metadata(reader, notes)
    _files(reader, notes)
    _outline(reader.outline, notes)
    root = dictionary(reader.trailer.get("/Root"))
    _layers(root, notes)
    _descriptions(root, notes)
    if "/JavaScript" in dictionary(root.get("/Names")) or _runs(root):
        notes.fault("macro", "block", "带有脚本程序，不得发布，请另存或打印成新的 PDF")


def _runs(root: DictionaryObject) -> bool:
    return (
        dictionary(root.get("/OpenAction")).get("/S") == "/JavaScript"
        if not isinstance(root.get("/OpenAction"), ArrayObject)
        else False
    )


def _fields(reader: pypdf.PdfReader, notes: Notes) -> None:
    """What was filled into a form, and what it offers: it belongs to no page's text."""
    for name, one in (reader.get_fields() or {}).items():
        options = one.get("/Opt")
        choices = options if isinstance(options, ArrayObject) else ()
        for key, said in (
            ("", str(one.get("/V") or "")),
            ("的默认值", str(one.get("/DV") or "")),
            ("的提示", str(one.get("/TU") or "")),
            ("的内容", _TAG.sub(" ", str(one.get("/RV") or "")) if not one.get("/V") else ""),
            ("的选项", "、".join(_choice(each) for each in choices)),
        ):
            # The states of boxes are names: /Yes, /Off.
            if said.strip() and not said.startswith("/") and said != name:
                notes.add(f"表单栏“{name}”{key}", said.strip())


def _choice(one: Any) -> str:
    found = one.get_object()
    return " ".join(str(each) for each in found) if isinstance(found, ArrayObject) else str(found)


def _properties(reader: pypdf.PdfReader, notes: Notes) -> None:
    for key, value in (reader.metadata or {}).items():
        text = str(value).strip()
        # What a program writes of itself says nothing of the document.
        known = key in _SHOWN or key not in _PROGRAM
        if known and text:
            index = notes.add(f"文档属性“{_SHOWN.get(key, key.lstrip('/'))}”", text)
            if key == "/Author" and is_person(text):
                notes.mark(index, AUTHOR, text)


_PROGRAM = ("/Producer", "/Creator", "/CreationDate", "/ModDate", "/Trapped", "/PTEX.Fullbanner")
_XMP_PROGRAM = ("CreateDate", "ModifyDate", "MetadataDate", "CreatorTool", "Producer", "DocumentID",
                "InstanceID", "format", "PDFVersion", "part", "conformance")  # fmt: skip


def _metadata(reader: pypdf.PdfReader, notes: Notes) -> None:
    """The XMP packet: it may still tell what the properties no longer do."""
    held = dictionary(reader.trailer.get("/Root")).get("/Metadata")
    held = held.get_object() if held is not None else None
    if not isinstance(held, StreamObject):
        return
    said = {str(value).strip() for value in (reader.metadata or {}).values()}
    try:
        tree = ElementTree.fromstring(held.get_data().strip(b"\0 \r\n"), forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, LookupError, ValueError):
        notes.fault("look", "warn", "文档的 XMP 信息读不出，请另存或打印成新的 PDF")
        return
    for node in tree.iter():
        name = str(node.tag).rpartition("}")[2]
        for key, text in ((name, node.text), *node.attrib.items()):
            key, text = key.rpartition("}")[2], (text or "").strip()
            if len(text) > 1 and key not in (*_XMP_PROGRAM, "about", "lang") and text not in said:
                said.add(text)
                notes.add("文档的 XMP 信息（看不见但随文件发布）", text)


def _files(reader: pypdf.PdfReader, notes: Notes) -> None:
    held = [(name, content) for name, some in reader.attachments.items() for content in some]
    unread = [name for name, content in held if not notes.inside(name, content)]
    if held:
        names = "、".join(name for name, _ in held[:5])
        tail = f"，其中 {len(unread)} 个机器没有检查" if unread else ""
        reason = f"嵌有 {len(held)} 个文件（{names}）{tail}，请改为单独的附件"
        notes.fault("embedded", "warn", reason)


def _outline(items: Any, notes: Notes) -> None:
    for one in items:
        if isinstance(one, list):
            _outline(one, notes)
        elif title := str(one.title or "").strip():
            notes.add("书签（目录）", title)


def _layers(root: DictionaryObject, notes: Notes) -> None:
    """Layers that are switched off: their words are read with the page and nobody sees them.

    What layers and pages are called shows beside the page.
    """
    held = dictionary(root.get("/OCProperties")).get("/OCGs")
    labels = dictionary(root.get("/PageLabels")).get("/Nums")
    for place, some, key in (("图层的名称", held, "/Name"), ("页码的标签", labels, "/P")):
        some = some.get_object() if some is not None else None
        known = some[:_MOST_NAMES] if isinstance(some, ArrayObject) else ()
        for name in dict.fromkeys(str(dictionary(one).get(key) or "").strip() for one in known):
            if len(name) > 1:
                notes.add(place, name)
    off = dictionary(dictionary(root.get("/OCProperties")).get("/D")).get("/OFF")
    names = [str(dictionary(one).get("/Name") or "未命名") for one in (off or ())]
    if names:
        reason = f"有 {len(names)} 个关闭的图层（{'、'.join(names[:5])}），读者能打开，发布前请删除"
        notes.fault("hidden", "warn", reason)


def _descriptions(root: DictionaryObject, notes: Notes) -> None:
    """What is written behind pictures for those who cannot see them, each once."""
    said = dict.fromkeys(_alternatives(dictionary(root.get("/StructTreeRoot"))))
    for text in said:
        notes.add("图片的替代文字（看不见但随文件发布）", text)


def _alternatives(top: DictionaryObject) -> Iterator[str]:
    waiting: list[Any] = [top]
    for _ in range(_MOST_NODES):
        if not waiting:
            return
        one = waiting.pop()
        one = one.get_object() if one is not None else None
        if isinstance(one, ArrayObject):
            waiting += one
        elif isinstance(one, DictionaryObject):
            if text := str(one.get("/Alt") or "").strip():
                yield text
            if "/K" in one:
                waiting.append(one.get("/K"))
