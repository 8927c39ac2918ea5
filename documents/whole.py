"""Whether a package of an office is whole: parts that are damaged, missing, or something else.

A program that reads on past a damaged part shows less than was written; here that is said.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from documents.parts import Archive, Notes, attribute, local

_RESAVE = "请用原来的软件打开核对，另存后重新上传"
_SPLIT = "请用原来的软件打开核对，拆分或另存后重新上传"
_TYPES = "[Content_Types].xml"
_KEYS = "(?:id|embed|link|pict|dm|lo|qs|cs)"
_PREFIX = re.compile(rb"""xmlns:([\w.-]{1,30})=["'][^"'<>]{1,200}/relationships["']""")
_ASKS = re.compile(rf".*/relationships\}}{_KEYS}")
_OFD_PLACED = frozenset(
    ("DocRoot", "PublicRes", "DocumentRes", "Annotations", "Attachments", "FileLoc")
)
_OFD_PLACE = re.compile("|".join(("BaseLoc", *_OFD_PLACED)).encode())
# What shows no words of the document: nobody misses it in what was read.
_WORDLESS = frozenset(
    (
        *("theme", "fontTable", "font", "thumbnail", "webSettings", "printerSettings", "calcChain"),
        *("stylesWithEffects", "tableStyles", "viewProps", "presProps", "customXmlProps"),
        *("themeOverride", "chartStyle", "chartColorStyle", "attachedTemplate"),
    )
)
# Cleaners of personal data take these out and leave what leads to them.
_UNMISSED = frozenset(("core-properties", "extended-properties", "custom-properties", "settings"))
_WORDLESS_PART = re.compile(
    r"/(?:theme|fontTable|webSettings|tableStyles|viewProps|presProps)\d*\."
)
# What the root of a part is called, by the kind of relationship that leads to it.
_ROOTS = {
    "officeDocument": ("document", "workbook", "presentation"),
    "styles": ("styles", "styleSheet"),
    "header": ("hdr",),
    "footer": ("ftr",),
    "comments": ("comments", "cmLst"),
    "worksheet": ("worksheet",),
    "sharedStrings": ("sst",),
    "chart": ("chartSpace",),
    "diagramData": ("dataModel",),
    "drawing": ("wsDr",),
    "slide": ("sld",),
    "notesSlide": ("notes",),
    "core-properties": ("coreProperties",),
    "extended-properties": ("Properties",),
    "custom-properties": ("Properties",),
    "person": ("personList",),
    **{name: (name,) for name in ("settings", "numbering", "footnotes", "endnotes", "connections")},
}
_OFD_ROOTS = {"DocRoot": "Document", "PublicRes": "Res", "DocumentRes": "Res",
              "Annotations": "Annotations", "Attachments": "Attachments"}  # fmt: skip
_OFD_PLACES = {("Document", "BaseLoc"): "Page", ("Annotations", "FileLoc"): "PageAnnot"}


_BY_NAME = (
    (re.compile(r"\[Content_Types\]\.xml"), "Types"),
    (re.compile(r".*\.rels"), "Relationships"),
    (re.compile(r"OFD\.xml"), "OFD"),
    (re.compile(r"xl/connections\d*\.xml"), "connections"),
    (re.compile(r"xl/persons/[^/]+\.xml"), "personList"),
    (re.compile(r"(?:xl|word)/comments\d*\.xml"), "comments"),
)


class _Lead(NamedTuple):
    """What a part says of another: what it is to it, where it lies, what its root is called."""

    kind: str
    place: str
    roots: tuple[str, ...] = ()


def tell_damage(archive: Archive, notes: Notes) -> None:
    """Look at every entry, also those no reader asked for, and say what is not as it should be."""
    for name in archive.names:
        if name.endswith((".xml", ".rels")):
            # Large sheets are read once, not again for their root.
            if name not in archive.roots and name not in archive.damaged:
                archive.look(name)
        elif name not in archive.read and not name.endswith("/"):
            archive.bytes(name)
    is_ofd = "OFD.xml" in archive.names
    leads = list(_ofd_leads(archive) if is_ofd else _leads(archive))
    there = {_plain(name) for name in archive.names}
    missing = {
        one.place for one in leads if one.kind not in _UNMISSED and _plain(one.place) not in there
    }
    if not is_ofd and (shell := {_TYPES, "_rels/.rels"} - set(archive.names)):
        reason = f"缺少{_listed(shell)}，内容已经检查，但办公软件可能打不开，请另存后重新上传"
        notes.fault("damaged", "hint", reason)
    if missing:
        reason = f"文件不完整，缺少{_listed(missing)}，里面的内容没有读到，{_RESAVE}"
        notes.fault("damaged", "warn", reason)
    others = {one.place for one in leads if _is_other(archive, one)}
    others |= {name for name in archive.names if _is_other(archive, _own(name))}
    if others:
        reason = (
            f"内部部件{_listed(others)}不是应有的内容，可能已损坏，里面的文字没有读到，{_RESAVE}"
        )
        notes.fault("damaged", "block", reason)
    _tell_unparsed(archive, notes)


def _tell_unparsed(archive: Archive, notes: Notes) -> None:
    """The parts that could not be opened at all."""
    worn = {name for name in archive.damaged if _WORDLESS_PART.search(f"/{name}")}
    beside = {name for name in archive.damaged if name.startswith("customXml/")}
    if beside:
        reason = f"附带的数据{_listed(beside)}读不出来，里面可能有文字，{_RESAVE}"
        notes.fault("damaged", "warn", reason)
    if read := archive.damaged - worn - beside:
        reason = f"内部部件{_listed(read)}已损坏，里面的文字没有读到，{_RESAVE}"
        notes.fault("damaged", "block", reason)
    if archive.swollen:
        reason = f"内部部件{_listed(archive.swollen)}异常地大，机器没有读，{_SPLIT}"
        notes.fault("too-long", "block", reason)
    if worn:
        reason = f"内部部件{_listed(worn)}已损坏（不含正文），另存一遍即可修复"
        notes.fault("damaged", "warn", reason)


def _listed(names: set[str]) -> str:
    shown = "、".join(sorted(names)[:3])
    return f" {shown} " if len(names) <= 3 else f" {shown} 等 {len(names)} 个部件"


def _own(name: str) -> _Lead:
    """What an entry is by its name alone."""
    roots = (root for pattern, root in _BY_NAME if pattern.fullmatch(name))
    return _Lead("", name, tuple(roots))


def _is_other(archive: Archive, lead: _Lead) -> bool:
    root = archive.roots.get(lead.place, "")
    return bool(lead.roots and root and root not in lead.roots)


def _leads(archive: Archive) -> Iterator[_Lead]:
    """The parts that relationships lead to, without those that show no words."""
    for name in (each for each in archive.names if each.endswith(".rels")):
        folder = posixpath.dirname(posixpath.dirname(name))
        for one in archive.xml(name):
            kind = attribute(one, "Type").rpartition("/")[2]
            target = attribute(one, "Target").partition("#")[0]
            outside = attribute(one, "TargetMode") == "External" or kind == "hyperlink"
            # Word itself leaves NULL behind where a picture was taken out.
            if outside or not target or target.endswith("NULL") or kind in _WORDLESS:
                continue
            target = target.replace("\\", "/")
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            yield _Lead(kind, path, _ROOTS.get(kind, ()))


def tell_lost_references(archive: Archive, notes: Notes) -> None:
    """Say which parts of Word, Excel or PowerPoint ask for what their relationships lack."""
    lost = set()
    by_name = {_plain(name): name for name in archive.names}
    for name in (each for each in archive.names if each.endswith(".xml")):
        asked = _seeming(archive.bytes(name))
        folder, own = posixpath.split(name)
        place = by_name.get(_plain(posixpath.join(folder, "_rels", f"{own}.rels")), "")
        rels = archive.xml(place) if asked else None
        known = {attribute(one, "Id") for one in (() if rels is None else rels)}
        # Words of a document may look so too; its attributes tell, and are asked last.
        if asked - known and _asked(archive, name) - known:
            lost.add(name)
    if lost:
        reason = f"内部部件{_listed(lost)}引用的内容（链接、图片、页眉等）在文件里找不到，{_RESAVE}"
        notes.fault("damaged", "warn", reason)


def _seeming(content: bytes) -> set[str]:
    """What looks like the names of relationships; quick, and words may look so."""
    found: set[str] = set()
    for prefix in set(_PREFIX.findall(content)):
        # The letters first: they are looked for fastest.
        name = re.escape(prefix.decode("ascii", "replace"))
        asked = rf"""{name}:(?<=\s{name}:){_KEYS}=["']([^"'<>]{{1,200}})["']"""
        found |= {one.decode("utf-8", "replace") for one in re.findall(asked.encode(), content)}
    return found


def _asked(archive: Archive, name: str) -> set[str]:
    """The relationships that the elements of a part name."""
    found: set[str] = set()

    def take(_: str, attributes: dict[str, str]) -> None:
        found.update(value for key, value in attributes.items() if value and _ASKS.fullmatch(key))

    archive.started(name, take)
    return found


def _ofd_leads(archive: Archive) -> Iterator[_Lead]:
    for name in (each for each in archive.names if each.endswith(".xml")):
        root = archive.roots.get(name, "")
        # The BaseLoc of a resource is the folder of its pictures; a page holds words alone.
        if root in ("Res", "Page", "PageAnnot") or not _OFD_PLACE.search(archive.bytes(name)):
            continue
        for node in archive.walk(name):
            key = local(node)
            if key not in _OFD_PLACED and not node.attrib:
                continue
            written = (node.text or "").strip() if key in _OFD_PLACED else ""
            # A place without an element's name is one of a page, a signature, a version.
            for kind, place in (("BaseLoc", node.get("BaseLoc", "")), (key, written)):
                path = posixpath.join("/", posixpath.dirname(name), place)
                wanted = _OFD_ROOTS.get(kind) or _OFD_PLACES.get((root, kind))
                found = posixpath.normpath(path).lstrip("/")
                if place:
                    yield _Lead(kind, found, (wanted,) if wanted else ())


def _plain(name: str) -> str:
    """A name as programs compare it: whatever its letters' case, escapes and slashes are."""
    return unquote(name).replace("\\", "/").lower()
