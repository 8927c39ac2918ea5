"""What an office file holds beside its text: charts, diagrams, lists, names, connections."""

import re
from collections.abc import Iterable
from typing import Any

from documents.parts import Archive, Notes, Wrong, attribute, local, named

CONNECTION: Wrong = (
    "connection",
    "block",
    "带有数据库或网络连接的信息，不得发布，请删除全部数据连接",
)
_CONTROLS = {
    "bookmarkStart": ("书签", ("name",)),
    "listItem": ("下拉项", ("displayText", "value")),
    "listEntry": ("下拉项", ("val",)),
    "default": ("表单域的默认值", ("val",)),
    "helpText": ("表单域的提示", ("val",)),
    "statusText": ("表单域的提示", ("val",)),
    "alias": ("内容控件的名称", ("val",)),
    "tag": ("内容控件的名称", ("val",)),
    "hyperlink": ("链接的提示", ("tooltip",)),
    "tblCaption": ("表格的替代文字", ("val",)),
    "tblDescription": ("表格的替代文字", ("val",)),
    "attr": ("自定义标记", ("val",)),
}
_SWITCH = re.compile(r'\\\*\s*(?:"[^"]*"|\w+)|\\[a-z]+(?:\s*-?\d+)?', re.IGNORECASE)
_TELLING = re.compile(r"密|身份证|户口|名单|\d{11}")
_FIELD = re.compile(r"\s*(EQ|MACROBUTTON\s+\S+)\s(.*)", re.IGNORECASE | re.DOTALL)


def read_beside(archive: Archive, notes: Notes) -> None:
    """Charts and diagrams with the words they show, document variables, people, connections."""
    for number, name in enumerate(archive.matching(r"(?:word|xl|ppt)/charts/chart\w*\.xml"), 1):
        _words(archive.xml(name), ("p", "v", "pt"), f"图表 {number}", notes)
    for number, name in enumerate(archive.matching(r"(?:word|xl|ppt)/diagrams/data\d*\.xml"), 1):
        _words(archive.xml(name), ("p",), f"图形 {number}（SmartArt）", notes)
    for name in archive.matching(r"word/settings\d*\.xml"):
        for node in named(archive.xml(name), "docVar"):
            notes.add(f"文档变量“{attribute(node, 'name')}”", attribute(node, "val"))
    for name in archive.matching(r"(?:word/people\d*|xl/persons/person\d*)\.xml"):
        for node in named(archive.xml(name), "person"):
            said = (attribute(node, key) for key in ("displayName", "author", "userId"))
            notes.add("批注者名单（看不见但随文件发布）", " ".join(each for each in said if each))
    for name in archive.matching(r"xl/connections\d*\.xml"):
        for node in named(archive.xml(name), "dbPr", "webPr", "textPr"):
            said = (attribute(node, key) for key in ("connection", "command", "url", "sourceFile"))
            index = notes.add("数据连接", " ".join(each for each in said if each))
            notes.mark(index, CONNECTION)


def _words(tree: Any, kinds: tuple[str, ...], place: str, notes: Notes) -> None:
    """The paragraphs and the kept values of a chart or diagram."""
    for node in named(tree, *kinds):
        values = named(node, "t") if local(node) == "p" else (node,)
        text = "".join(each.text or "" for each in values)
        if text.strip():
            notes.add(place, text)


def read_controls(trees: Iterable[Any], notes: Notes) -> None:
    """What a form holds beside what it shows: names of places, choices, hints, each once."""
    said: dict[tuple[str, str], None] = {}
    for tree in trees:
        for node in named(tree, *_CONTROLS) if tree is not None else ():
            place, keys = _CONTROLS[local(node)]
            for key in keys:
                text = attribute(node, key).strip()
                # Names that Word gives itself begin so: _Toc, _Hlk, _GoBack.
                if text and not text.startswith("_") and not text.isdigit():
                    said[place, text] = None
    for place, text in said:
        notes.add(f"{place}（看不见但随文件发布）", text)


def read_descriptions(trees: Iterable[Any], notes: Notes) -> None:
    """What is written behind pictures and shapes for those who cannot see them, each once."""
    said: dict[str, None] = {}
    for tree in trees:
        for node in named(tree, "docPr", "cNvPr", "shape") if tree is not None else ():
            for key in ("descr", "title", "alt"):
                said[attribute(node, key).strip()] = None
            # Programs give names of their own (文本框 3): only what a person wrote of a person.
            if _TELLING.search(name := attribute(node, "name")):
                said[name.strip()] = None
    for text in said:
        if text:
            notes.add("图片的替代文字（看不见但随文件发布）", text)


def validation(node: Any, title: str, notes: Notes) -> None:
    """The choices of a cell with a list, and what is said of them."""
    place = f"{title} {attribute(node, 'sqref')} 的"
    lists = ["".join(each.itertext()).strip() for each in named(node, "formula1", "formula2")]
    for text in lists:
        # Others lead to cells, which are read where they stand.
        if text.startswith('"'):
            notes.add(f"{place}下拉列表", text.strip('"'))
    for key in ("promptTitle", "prompt", "errorTitle", "error"):
        if attribute(node, key):
            notes.add(f"{place}输入提示", attribute(node, key))


def field_words(code: str) -> str:
    """What a field without a result shows: a circled character, a text to click; else empty."""
    found = _FIELD.fullmatch(code)
    if found is None:
        return ""
    text = found[2].strip()
    if found[1].upper() != "EQ":
        return text
    return "".join(re.split(r"[(),;\s]+", _SWITCH.sub(" ", text)))
