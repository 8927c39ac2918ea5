"""A document as the browser's editor keeps it, ProseMirror's tree of nodes and marks, and back.

Node for node, without loss: what is opened and saved unchanged stays the same document. What comes
from a browser is only read here; whether it is a document is for `read_document` to say.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from blocks.document import (
    DEEPEST,
    Attachment,
    Block,
    BlockFault,
    Divider,
    Document,
    Heading,
    ListBlock,
    Picture,
    Quote,
    Run,
    Table,
    read_document,
)

Node = dict[str, Any]
_PICTURE = ("media", "alt", "caption", "origin", "licence", "made")
_INLINE = frozenset({"text", "hardBreak"})
_LISTS = frozenset({"bulletList", "orderedList"})
_UNREAD = "正文读不出来，请刷新页面后再试"


def to_editor(document: Document) -> Node:
    """The document as the editor's tree; an empty one as one empty paragraph to type into."""
    nodes = [_node(block) for block in document.blocks]
    return {"type": "doc", "content": nodes or [{"type": "paragraph"}]}


def _node(block: Block) -> Node:
    if isinstance(block, Heading):
        return {"type": "heading", "attrs": {"level": block.level}} | _inline(block.runs)
    if isinstance(block, ListBlock):
        return _list_node(block)
    if isinstance(block, Table):
        rows = [
            {"type": "tableRow", "content": [_cell_node(cell) for cell in row.cells]}
            for row in block.rows
        ]
        return {"type": "table", "content": rows}
    if isinstance(block, Picture | Attachment):
        return {"type": block.kind, "attrs": block.model_dump(mode="json", exclude={"kind"})}
    if isinstance(block, Quote):
        return {"type": "blockquote", "content": [_paragraph(block.runs)]}
    if isinstance(block, Divider):
        return {"type": "horizontalRule"}
    return _paragraph(block.runs)


def _paragraph(runs: Sequence[Run]) -> Node:
    return {"type": "paragraph"} | _inline(runs)


def _inline(runs: Sequence[Run]) -> Node:
    """The content of a node that holds these words, nothing for none."""
    nodes = [node for run in runs for node in _run_nodes(run)]
    return {"content": nodes} if nodes else {}


def _run_nodes(run: Run) -> Iterator[Node]:
    marks: list[Node] = [{"type": "bold"}] if run.bold else []
    marks += [{"type": "link", "attrs": {"href": run.link}}] if run.link else []
    looks = {"marks": marks} if marks else {}
    for number, line in enumerate(run.text.split("\n")):
        if number:
            yield {"type": "hardBreak"} | looks
        if line:
            yield {"type": "text", "text": line} | looks


def _list_node(block: ListBlock) -> Node:
    items = []
    for item in block.items:
        below = [] if item.below is None else [_list_node(item.below)]
        items.append({"type": "listItem", "content": [_paragraph(item.runs), *below]})
    if block.ordered:
        return {"type": "orderedList", "attrs": {"start": block.start}, "content": items}
    return {"type": "bulletList", "content": items}


def _cell_node(cell: Any) -> Node:
    return {
        "type": "tableHeader" if cell.head else "tableCell",
        "attrs": {"colspan": cell.colspan, "rowspan": cell.rowspan},
        "content": [_paragraph(cell.runs)],
    }


# --- back -------------------------------------------------------------------------------------


def from_editor(data: Any) -> Document:
    """The document of a tree of the editor; BlockFault says where it is none."""
    if not isinstance(data, dict) or data.get("type") != "doc":
        raise BlockFault(_UNREAD, "blocks")
    return read_document([_block(node, at) for at, node in enumerate(_content(data))])


def _content(node: Mapping[str, Any], name: str = "content") -> list[Mapping[str, Any]]:
    inner = node.get(name) or []
    if not isinstance(inner, list) or not all(isinstance(one, dict) for one in inner):
        raise BlockFault(_UNREAD, "blocks")
    return inner


def _attrs(node: Mapping[str, Any]) -> Mapping[str, Any]:
    found = node.get("attrs") or {}
    return found if isinstance(found, dict) else {}


def _block(node: Mapping[str, Any], at: int) -> Node:
    reader = _READERS.get(str(node.get("type")))
    if reader is None:
        raise BlockFault(f"正文第 {at + 1} 段：不认识的内容，请删去后重新输入", f"blocks.{at}")
    return reader(node)


def _heading(node: Mapping[str, Any]) -> Node:
    return {
        "kind": "heading",
        "level": _attrs(node).get("level", 1),
        "runs": list(_runs(_content(node))),
    }


def _worded(kind: str) -> Callable[[Mapping[str, Any]], Node]:
    return lambda node: {"kind": kind, "runs": _joined(node)}


def _atom(kind: str, names: Sequence[str]) -> Callable[[Mapping[str, Any]], Node]:
    def read(node: Mapping[str, Any]) -> Node:
        attrs = _attrs(node)
        return {"kind": kind} | {name: attrs[name] for name in names if attrs.get(name) is not None}

    return read


def _joined(node: Mapping[str, Any]) -> list[Node]:
    """The runs of a node; paragraphs in it are parted by a line break."""
    runs: list[Node] = []
    began = False
    for inner in _content(node):
        if inner.get("type") in _INLINE:
            runs += _runs([inner])
        elif inner.get("type") == "paragraph":
            runs += [{"text": "\n"}] if began else []
            runs += _runs(_content(inner))
            began = True
        elif inner.get("type") not in _LISTS or node.get("type") != "listItem":
            raise BlockFault("引用、列表和表格里只能写文字，请把别的移出来", "blocks")
    return runs


def _runs(nodes: Sequence[Mapping[str, Any]]) -> Iterator[Node]:
    for node in nodes:
        text = "\n" if node.get("type") == "hardBreak" else node.get("text")
        run: Node = {"text": text}
        for mark in _content(node, "marks"):
            if mark.get("type") == "bold":
                run["bold"] = True
            elif mark.get("type") == "link":
                run["link"] = _attrs(mark).get("href") or ""
        yield run


def _list(node: Mapping[str, Any], depth: int = 1) -> Node:
    if depth > DEEPEST:
        raise BlockFault(f"列表最多 {DEEPEST} 层，手机上看不清更多", "blocks")
    ordered = node.get("type") == "orderedList"
    found: Node = {"kind": "list", "ordered": ordered}
    found["items"] = [_item(inner, depth) for inner in _content(node)]
    start = _attrs(node).get("start")
    return found | ({"start": start} if ordered and start is not None else {})


def _item(node: Mapping[str, Any], depth: int) -> Node:
    item: Node = {"runs": _joined(node), "below": None}
    for inner in _content(node):
        if inner.get("type") not in _LISTS:
            continue
        below = _list(inner, depth + 1)
        if item["below"] is None:
            item["below"] = below
        else:  # two lists below one point are one list: a point has one
            item["below"]["items"] += below["items"]
    return item


def _table(node: Mapping[str, Any]) -> Node:
    rows = [{"cells": [_cell(cell) for cell in _content(row)]} for row in _content(node)]
    return {"kind": "table", "rows": rows}


def _cell(node: Mapping[str, Any]) -> Node:
    spans = {name: _attrs(node).get(name) or 1 for name in ("colspan", "rowspan")}
    return {"runs": _joined(node), "head": node.get("type") == "tableHeader"} | spans


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Node]] = {
    "paragraph": _worded("paragraph"),
    "blockquote": _worded("quote"),
    "heading": _heading,
    "bulletList": _list,
    "orderedList": _list,
    "table": _table,
    "picture": _atom("picture", _PICTURE),
    "attachment": _atom("attachment", ("name", "media")),
    "horizontalRule": _atom("divider", ()),
}
