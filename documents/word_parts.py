"""Where the parts of an office file lie: its relationships say that, not their names.

Word on the web and other programs name the text word/document2.xml or otherwise.
"""

import posixpath
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from documents.parts import Archive, attribute

_USUAL = "word/document.xml"
_MAINS = (_USUAL, "xl/workbook.xml", "ppt/presentation.xml")


class _Relation(NamedTuple):
    kind: str  # the last word of its type: officeDocument, styles, header, hyperlink
    target: str  # as it is written
    place: str  # the name of the entry it leads to, empty outside the file


@dataclass
class WordParts:
    """The main part of an office file, or one part of it, and what belongs to it by what it is."""

    archive: Archive
    main: str = _USUAL
    _relations: dict[str, _Relation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the text, then what belongs to it."""
        self._folder = posixpath.dirname(self.main)
        if self.main not in _MAINS:  # a part of its own, not the one that the file begins with
            self._relations = _relations(self.archive, self.main)
            return
        roots = _relations(self.archive, "").values()
        found = [one.place for one in roots if one.kind == "officeDocument"]
        self.main = next((name for name in found if name in self.archive.names), self.main)
        self._relations = _relations(self.archive, self.main)

    def text(self) -> Any:
        """The tree of the text; None when the file has none."""
        return self.archive.xml(self.main)

    def names(self, kind: str) -> list[str]:
        """The entries of a kind (header, footnotes), those with the usual name among them."""
        found = [one.place for one in self._relations.values() if one.kind == kind]
        usual = self.archive.matching(rf"{self._folder}/{kind}\d*\.xml")
        return [name for name in dict.fromkeys((*found, *usual)) if name in self.archive.names]

    def xml(self, kind: str) -> Any:
        """The tree of the one part of a kind (styles, numbering, comments), or None."""
        return next((self.archive.xml(name) for name in self.names(kind)), None)

    def target(self, key: str) -> str:
        """Where a relationship of the text leads, as it is written; empty when there is none."""
        found = self._relations.get(key)
        return found.target if found else ""

    def place(self, key: str) -> str:
        """The name of the entry that a relationship of the text leads to, or empty."""
        found = self._relations.get(key)
        return found.place if found and found.place in self.archive.names else ""

    @property
    def relations(self) -> str:
        """The name of the entry with the relationships of the text."""
        return _relations_of(self.main)


def _relations_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _relations(archive: Archive, part: str) -> dict[str, _Relation]:
    root = archive.xml(_relations_of(part))
    found = {}
    for one in () if root is None else root:
        target = attribute(one, "Target")
        inside = attribute(one, "TargetMode") != "External"
        path = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), target))
        kind = attribute(one, "Type").rpartition("/")[2]
        place = archive.actual(path.lstrip("/")) if inside else ""
        found[attribute(one, "Id")] = _Relation(kind, target, place)
    return found
