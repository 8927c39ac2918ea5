"""A .docx of raw parts, as programs other than python-docx write them."""

import io
import zipfile
from collections.abc import Mapping

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NAMES = (
    f'xmlns:w="{_W}" xmlns:r="{_OFFICE}" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
)


def text(words: str, properties: str = "") -> str:
    """A run."""
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{words}</w:t></w:r>"


def paragraph(inside: str, properties: str = "") -> str:
    """A paragraph of runs."""
    return f"<w:p><w:pPr>{properties}</w:pPr>{inside}</w:p>"


def point(words: str, key: int, level: int = 0) -> str:
    """A paragraph of a list."""
    numbered = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{key}"/></w:numPr>'
    return paragraph(text(words), numbered)


def level(at: int, kind: str, mark: str, more: str = "") -> str:
    """A level of a list."""
    return (
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>{more}'
        f'<w:lvlText w:val="{mark}"/></w:lvl>'
    )


def docx(body: str, parts: Mapping[str, str] | None = None, main: str = "document") -> bytes:
    """The file; `parts` are further ones by the kind of their relationship, `main` is its name."""
    links, out = [], io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "_rels/.rels",
            f'<Relationships><Relationship Id="r1" Type="{_OFFICE}/officeDocument" '
            f'Target="/word/{main}.xml"/></Relationships>',
        )
        archive.writestr(
            f"word/{main}.xml", f"<w:document {NAMES}><w:body>{body}</w:body></w:document>"
        )
        for number, (kind, xml) in enumerate((parts or {}).items()):
            archive.writestr(f"word/{kind}{number}.xml", xml.replace("NAMES", NAMES))
            links.append(
                f'<Relationship Id="p{number}" Type="{_OFFICE}/{kind}" '
                f'Target="{kind}{number}.xml"/>'
            )
        archive.writestr(
            f"word/_rels/{main}.xml.rels", f"<Relationships>{''.join(links)}</Relationships>"
        )
    return out.getvalue()
