"""An article as a .docx that Word and WPS open, and that comes back as the same blocks."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.image.exceptions import UnrecognizedImageError
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Cm

from blocks.document import (
    Attachment,
    Block,
    Cell,
    Divider,
    Document,
    Heading,
    ListBlock,
    Picture,
    Quote,
    Run,
    Table,
)
from documents.pictures import DAMAGED

_WIDEST = Cm(15)
OURS = "审发"
"""Caption of a table whose head fields are marked one by one; see documents/word_blocks.py."""
_HEAD = "表头"
_LONGEST_TITLE = 255  # of the properties of a file
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_RULE = (
    f"<w:pBdr {nsdecls('w')}><w:bottom w:val='single' w:sz='6' w:space='1' w:color='999999'/>"
    "</w:pBdr>"
)


def to_docx(title: str, document: Document, pictures: Mapping[str, bytes]) -> bytes:
    """The file. `pictures` are the bytes by marker; one that is not there is named in its place."""
    file = docx.Document()
    title = _told(title)
    file.core_properties.title = title[:_LONGEST_TITLE]
    if _HEAD not in [style.name for style in file.styles]:
        file.styles.add_style(_HEAD, WD_STYLE_TYPE.PARAGRAPH)
    file.add_paragraph(title, style="Title")
    writer = _Writer(file, pictures)
    for block in document.blocks:
        writer.block(block)
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def _told(text: str) -> str:
    """The text without signs that no XML may hold."""
    return _NO_XML.sub("", text)


class _Writer:
    def __init__(self, file: Any, pictures: Mapping[str, bytes]) -> None:
        self.file = file
        self.pictures = pictures

    def block(self, block: Block) -> None:
        if isinstance(block, Heading):
            self.words(self.file.add_paragraph(style=f"Heading {block.level}"), block.runs)
        elif isinstance(block, ListBlock):
            self.listed(block, 0)
        elif isinstance(block, Table):
            self.table(block)
        elif isinstance(block, Picture):
            self.picture(block)
        elif isinstance(block, Divider):
            rule = self.file.add_paragraph()
            rule._p.get_or_add_pPr().append(parse_xml(_RULE))
        elif isinstance(block, Attachment):
            self.file.add_paragraph(f"附件：{_told(block.name)}")
        else:
            style = "Quote" if isinstance(block, Quote) else None
            self.words(self.file.add_paragraph(style=style), block.runs)

    def words(self, paragraph: Any, runs: Sequence[Run]) -> None:
        for run in runs:
            added = paragraph.add_run()
            for number, line in enumerate(run.text.split("\n")):
                if number:
                    added.add_break()
                added.add_text(_told(line))
            added.bold = run.bold or None
            if run.link:
                self.link(paragraph, added, run.link)

    def link(self, paragraph: Any, run: Any, url: str) -> None:
        key = self.file.part.relate_to(_told(url), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
        link = parse_xml(f'<w:hyperlink {nsdecls("w", "r")} r:id="{key}"/>')
        paragraph._p.append(link)
        link.append(run._r)

    # --- lists ------------------------------------------------------------------------------

    def listed(self, block: ListBlock, depth: int) -> None:
        number = self.numbering(block, depth)
        for item in block.items:
            paragraph = self.file.add_paragraph()
            properties = paragraph._p.get_or_add_pPr()
            properties.append(
                parse_xml(
                    f'<w:numPr {nsdecls("w")}><w:ilvl w:val="{depth}"/>'
                    f'<w:numId w:val="{number}"/></w:numPr>'
                )
            )
            self.words(paragraph, item.runs)
            if item.below is not None:
                self.listed(item.below, depth + 1)

    def numbering(self, block: ListBlock, depth: int) -> int:
        """A numbering of its own for each list, so that each begins where it says."""
        root = self.file.part.numbering_part.element
        nums = root.findall(qn("w:num"))
        abstract = 1 + max(
            [int(one.get(qn("w:abstractNumId"))) for one in root.findall(qn("w:abstractNum"))],
            default=0,
        )
        key = 1 + max([int(one.get(qn("w:numId"))) for one in nums], default=0)
        form, mark = ("decimal", f"%{depth + 1}.") if block.ordered else ("bullet", "•")
        left = 420 * (depth + 1)
        level = (
            f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{abstract}">'
            f'<w:lvl w:ilvl="{depth}"><w:start w:val="{block.start}"/><w:numFmt w:val="{form}"/>'
            f'<w:lvlText w:val="{mark}"/><w:lvlJc w:val="left"/>'
            f'<w:pPr><w:ind w:left="{left}" w:hanging="420"/></w:pPr></w:lvl></w:abstractNum>'
        )
        made = parse_xml(level)
        # The schema has all abstract ones before the first that uses one.
        if nums:
            nums[0].addprevious(made)
        else:
            root.append(made)
        root.append(
            parse_xml(
                f'<w:num {nsdecls("w")} w:numId="{key}"><w:abstractNumId w:val="{abstract}"/>'
                "</w:num>"
            )
        )
        return key

    # --- tables and pictures ----------------------------------------------------------------

    def table(self, block: Table) -> None:
        width = sum(cell.colspan for cell in block.rows[0].cells)
        table = self.file.add_table(len(block.rows), width, style="Table Grid")
        table._tbl.tblPr.append(parse_xml(f'<w:tblCaption {nsdecls("w")} w:val="{OURS}"/>'))
        grid = [list(row.cells) for row in table.rows]  # each look at a row's cells costs the row
        filled = [[False] * width for _ in block.rows]
        for at, row in enumerate(block.rows):
            for cell in row.cells:
                column = filled[at].index(False)
                wide, high = _room(filled, at, column, cell)
                for down in range(high):
                    filled[at + down][column : column + wide] = [True] * wide
                last = grid[at + high - 1][column + wide - 1]
                place = grid[at][column]
                place = place if last is place else place.merge(last)
                paragraph = place.paragraphs[0]
                if cell.head:
                    paragraph.style = _HEAD
                self.words(paragraph, cell.runs)

    def picture(self, block: Picture) -> None:
        content = self.pictures.get(block.media)
        paragraph = self.file.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        try:
            shape = paragraph.add_run().add_picture(io.BytesIO(content or b""))
        except (*DAMAGED, UnrecognizedImageError):
            paragraph.add_run(f"［图片：{_told(block.alt) or '没有说明'}，文件里没有］")
            return
        if shape.width > _WIDEST:
            shape.height, shape.width = int(shape.height * _WIDEST / shape.width), _WIDEST
        properties = shape._inline.docPr
        properties.set("descr", _told(block.alt))
        properties.set("title", _told(f"来源：{block.origin}；授权：{block.licence}"))
        if block.caption:
            self.file.add_paragraph(_told(block.caption), style="Caption")


def _room(filled: list[list[bool]], at: int, column: int, cell: Cell) -> tuple[int, int]:
    """How many columns and rows are free for a field: spans may reach over each other."""
    row = filled[at][column : column + cell.colspan]
    wide = row.index(True) if True in row else len(row)
    free = (not any(line[column : column + wide]) for line in filled[at : at + cell.rowspan])
    high = next((down for down, one in enumerate(free) if not one), cell.rowspan)
    return wide, high
