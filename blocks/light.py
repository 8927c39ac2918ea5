"""The plain box of browsers without scripts: a text in light mark-up, and what was typed read back.

One chunk a block, empty lines between. A chunk that was left alone is its block, with all that
mark-up cannot say of it (fields of a table that were joined, how a picture was made); only chunks
that were changed are read. A line is a paragraph; a backslash at its end breaks the line inside.
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import groupby

from blocks.document import Attachment, Block, Document, Paragraph, Picture, Table
from blocks.markdown import from_markdown, to_markdown
from blocks.taken import LeftOut, Taken, document_of

_DEEPER = re.compile(r"^#{3,6}(?=[ \t])", re.MULTILINE)
_MARKED = re.compile(r"[ \t]|[#>|`~]|[-*+][ \t]|\d{1,9}[.)][ \t]|-{3,}$")
"""What a line begins with that is no paragraph of its own."""
_TABLE = (
    "有 {} 个表格在这里改不了：它合并了格子、格内分行或表头不在第一行。"
    "请照原样放回，整个删去，或换能运行脚本的浏览器来改"
)
_HALF = "有 {} 处没有看懂：表格每行都要用 | 开头，表头下面一行写 | --- |，各行格数相同"


def to_light(document: Document) -> str:
    """The document as it stands in the box."""
    return "\n\n".join(_chunk(block) for block in document.blocks)


def _chunk(block: Block) -> str:
    text = to_markdown(Document(blocks=(block,))).removesuffix("\n")
    if isinstance(block, Paragraph):
        return text.replace("\n", "\\\n")
    # An empty line would end the chunk.
    return "\n".join(line if line.strip() else line + "\\" for line in text.split("\n"))


def from_light(text: str, kept: Document) -> Taken:
    """What was typed over the box of `kept`; `left_out` names what was not understood."""
    old, new = [_chunk(block).strip() for block in kept.blocks], _chunks(text)
    left_out, found = LeftOut(), list[Block]()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            found += kept.blocks[first:last]
        elif start < end:
            taken = _read(new[start:end], kept)
            for words in taken.left_out:
                left_out.add(words)
            found += taken.document.blocks
            _lost_looks(kept.blocks[first:last], taken.document.blocks, left_out)
    return Taken(document_of(found, left_out), left_out.said())


def _chunks(text: str) -> list[str]:
    """The typed text cut at its empty lines."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    parts = groupby(lines, key=lambda line: bool(line.strip()))
    return ["\n".join(part).strip() for seen, part in parts if seen]


def _read(chunks: Sequence[str], kept: Document) -> Taken:
    """Changed chunks as blocks; pictures and files of the text stay what they are."""
    left_out = LeftOut()
    taken = from_markdown("\n\n".join(_DEEPER.sub("##", _apart(one)) for one in chunks))
    for words in taken.left_out:
        left_out.add(words)
    blocks = [_known(block, kept) for block in taken.document.blocks]
    rows = sum(isinstance(one, Paragraph) and one.text.startswith("|") for one in blocks)
    if rows:
        left_out.add(_HALF, rows)
    return Taken(Document(blocks=tuple(blocks)), left_out.said())


def _apart(chunk: str) -> str:
    """The chunk with an empty line before each line that is a paragraph of its own."""
    lines: list[str] = []
    for line in chunk.split("\n"):
        broken = bool(lines) and lines[-1].endswith("\\")
        if lines and not broken and not _MARKED.match(line):
            lines.append("")
        lines.append(line)
    return "\n".join(lines)


def _known(block: Block, kept: Document) -> Block:
    """A picture of the kept text with its origin, licence and maker; a file as the file it is."""
    if not isinstance(block, Picture):
        return block
    same = [one for one in kept.blocks if getattr(one, "media", "") == block.media]
    for one in same:
        if isinstance(one, Attachment) and (one.name == block.alt or len(same) == 1):
            return one
    for one in same:
        if isinstance(one, Picture):
            told = {"origin": one.origin, "licence": one.licence, "made": one.made}
            return block.model_copy(update=told)
    return block


def _lost_looks(old: Sequence[Block], new: Sequence[Block], left_out: LeftOut) -> None:
    """Tables whose looks mark-up cannot say must not lose them with a word that was changed."""
    if not any(isinstance(one, Table) for one in new):
        return
    untold = sum(
        isinstance(one, Table) and from_markdown(_chunk(one)).document.blocks != (one,)
        for one in old
    )
    if untold:
        left_out.add(_TABLE, untold)
