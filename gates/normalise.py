"""One matching form for all writings of a word, with the exact way back to the original.

Width (NFKC for letters, digits and ideographs), traditional to simplified (OpenCC, character by
character), letters of other alphabets that look Latin, ringed digits in a row; invisible characters
removed, and spaces, filler marks and pictures between Han characters, and any mark that is put
again and again between single Han characters.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import opencc

from documents.radicals import RADICALS
from gates.lookalikes import DIGITS, LETTERS

_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
# Pictures (emoji, dingbats) but for the stars, which belong to marks of secrecy.
_PICTURES = "\u2600-\u2604\u2607-\u2728\u272a-\u272c\u272e-\u2775\u2794-\u27bf\U0001f300-\U0001faff"
_FILLER = rf"[ \t\u00a0\u2000-\u200a\u3000*·•・.|_^~`+#@＊．｜︱丨{_PICTURES}-]"
_FILLED = re.compile(rf"(?<=[{_HAN}]){_FILLER}{{1,3}}(?=[{_HAN}])")
# The blank that layout puts between Han and figures or letters hides nothing: 第 199 条, 蒙 A12345.
_LAID_OUT = re.compile(
    rf"(?<=[{_HAN}])[ \u00a0\u2000-\u200a\u202f\u205f\u3000]{{1,2}}(?=[0-9A-Za-z〔（《“])"
    rf"|(?<=[0-9A-Za-z〕）》”%])[ \u00a0\u2000-\u200a\u202f\u205f\u3000]{{1,2}}(?=[{_HAN}])"
)
_SPREAD = re.compile(
    rf"[{_HAN}]([/\\=~—…!！?？'\"“”<>()（）\[\]【】%&$]{{1,2}})[{_HAN}](?:\1[{_HAN}])+"
)
_DIGIT_MARKS = frozenset(map(chr, DIGITS))
_RING = "[" + "".join(map(chr, DIGITS)) + "]"
_RINGED = re.compile(rf"{_RING}{{3,}}|(?<=\d){_RING}{{1,2}}(?=\d)")
_INVISIBLE = (
    *(0xAD, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0),
    *range(0x300, 0x370),
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0),
)
_COMPATIBLE = (
    *range(0xF900, 0xFAFF),  # compatibility ideographs
    *range(0xFF10, 0xFF5B),  # full width
    *range(0x24B6, 0x24EA),  # ringed letters
    *range(0x1F130, 0x1F14A),  # boxed letters
    *range(0x1D400, 0x1D800),  # mathematical letters and digits
    *range(0x2F800, 0x2FA1E),
)


@dataclass(frozen=True)
class Normalised:
    """`text`, and for each of its characters the index in the original."""

    text: str
    origins: Sequence[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original text that a non-empty span of `text` came from."""
        return self.origins[start], self.origins[end - 1] + 1


def normalise(text: str) -> Normalised:
    """The matching form of a text."""
    table = _table()
    plain = text.translate(table)
    origins: Sequence[int] = range(len(text))
    if len(plain) != len(text):
        origins = [index for index, char in enumerate(text) if table.get(ord(char), char)]
    if _has_ringed(plain):
        plain = _RINGED.sub(lambda match: match[0].translate(DIGITS), plain)
    gaps = [match.span() for match in _FILLED.finditer(plain)]
    gaps += [match.span() for match in _LAID_OUT.finditer(plain)]
    for match in _SPREAD.finditer(plain):
        width = len(match[1])
        at = range(match.start() + 1, match.end(), width + 1)
        gaps += [(start, start + width) for start in at]
    if not gaps:
        return Normalised(plain, origins)
    return _without(plain, origins, sorted(gaps))


def _has_ringed(text: str) -> bool:
    return not text.isascii() and not _DIGIT_MARKS.isdisjoint(text)


def _without(text: str, origins: Sequence[int], gaps: list[tuple[int, int]]) -> Normalised:
    """The text without its gaps."""
    kept: list[int] = []
    parts: list[str] = []
    position = 0
    for start, end in gaps:
        kept.extend(origins[position:start])
        parts.append(text[position:start])
        position = max(position, end)
    kept.extend(origins[position:])
    return Normalised("".join(parts) + text[position:], kept)


@cache
def _table() -> dict[int, str]:
    """Code point to its replacement: always one character, or none for the invisible."""
    table = dict.fromkeys(_INVISIBLE, "") | LETTERS | RADICALS
    for point in _COMPATIBLE:
        same = unicodedata.normalize("NFKC", chr(point))
        if len(same) == 1 and same != chr(point) and same.isalnum():
            table[point] = same
    # Figures of other scripts, as a keyboard of another language writes them: ١٢٣.
    for point in range(0x660, 0x1FBFA):
        figure = unicodedata.decimal(chr(point), None)
        if figure is not None:
            table.setdefault(point, str(figure))
    han = [chr(point) for point in (*range(0x3400, 0x4DC0), *range(0x4E00, 0xA000))]
    simple = opencc.OpenCC("t2s").convert("\n".join(han)).split("\n")
    pairs = dict(zip(han, simple, strict=True))
    table |= {ord(old): new for old, new in pairs.items() if old != new and len(new) == 1}
    return {
        point: pairs.get(char, char) if len(pairs.get(char, char)) == 1 else char
        for point, char in table.items()
    }
