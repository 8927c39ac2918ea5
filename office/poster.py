"""The picture of a counter or poster: a QR code with what it opens below it, as SVG."""

from xml.sax.saxutils import escape

import segno

_SIDE, _EDGE, _LINE = 400, 24, 34
_PER_LINE = 20  # characters: wider than the code they would be cut by a printer


def poster(address: str, *lines: str) -> str:
    """An SVG of its own; labels are text of the system's Chinese face and are never cut."""
    made = segno.make(address, error="q", micro=False)
    modules = made.symbol_size(border=4)[0]
    drawn = made.svg_inline(border=4, scale=_SIDE / modules, dark="#000", light="#fff")
    rows = [line[at : at + _PER_LINE] for line in lines for at in range(0, len(line), _PER_LINE)]
    width, height = _SIDE + 2 * _EDGE, _SIDE + 2 * _EDGE + _LINE * len(rows)
    texts = "".join(
        f'<text x="{width / 2:g}" y="{_SIDE + _EDGE + _LINE * number}" text-anchor="middle" '
        f'font-size="22" font-family="Noto Sans CJK SC, Microsoft YaHei, SimHei, sans-serif">'
        f"{escape(row)}</text>"
        for number, row in enumerate(rows, 1)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<g transform="translate({_EDGE} {_EDGE})">{drawn}</g>{texts}</svg>\n'
    )
