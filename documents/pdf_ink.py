"""Whether a page of a PDF has text in white or without ink, with nothing dark beneath it."""

from collections.abc import Sequence
from typing import Any

_WHITE, _INKLESS = 0.95, 0.05  # of each colour from 0 to 1
_THIN = 3.0  # points: a line of a table, no ground for text
_UNSEEN_MODE = 3  # of text that is neither filled nor drawn, as under a scanned page
_SHOWS = (b"Tj", b"TJ", b"'", b'"')
_FILLS = (b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*", b"sh", b"Do", b"INLINE IMAGE")


class Ink:
    """Follows the operators of one page; `faint` once it was read."""

    def __init__(self) -> None:
        """A page begins with black."""
        self._white, self._mode = False, 0
        self._kept: list[tuple[bool, int]] = []
        self._broad = False  # a rectangle of the path is no line
        self._grounded = self._written = False

    @property
    def faint(self) -> bool:
        """Whether some text cannot be seen on this page."""
        return self._written and not self._grounded

    def follow(self, operator: bytes, operands: Sequence[Any], *_: Any) -> None:
        """Take in one operator with its operands; see ISO 32000-1, annex A."""
        if operator in _SHOWS:
            self._written |= (self._white or self._mode == _UNSEEN_MODE) and bool(operands)
        elif operator == b"q":
            self._kept.append((self._white, self._mode))
        elif operator == b"Q" and self._kept:
            self._white, self._mode = self._kept.pop()
        elif operator in (b"g", b"rg", b"k", b"sc", b"scn", b"cs"):
            self._white = _is_white(operator, operands)
        elif operator == b"Tr" and operands:
            self._mode = int(operands[0])
        elif operator == b"re" and len(operands) == 4:
            self._broad |= min(abs(float(operands[2])), abs(float(operands[3]))) > _THIN
        elif operator in _FILLS:
            self._filled(operator)
        elif operator in (b"S", b"s", b"n"):
            self._broad = False

    def _filled(self, operator: bytes) -> None:
        """A ground is any colour but white, over more than a line, or a picture."""
        pictured = operator in (b"sh", b"Do", b"INLINE IMAGE")
        self._grounded |= pictured or (self._broad and not self._white)
        self._broad = False


def _is_white(operator: bytes, operands: Sequence[Any]) -> bool:
    numbers = [float(one) for one in operands if isinstance(one, (int, float))]
    if operator == b"cs" or len(numbers) != len(operands) or not numbers:
        return False
    if operator == b"k" or len(numbers) == 4:
        return max(numbers) <= _INKLESS
    return min(numbers) >= _WHITE
