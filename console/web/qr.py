"""QR codes as drawings in a page."""

import segno
from markupsafe import Markup


def qr_code(address: str) -> Markup:
    """A QR code as inline SVG, made here from an address of our own; readable on a dark page.

    Its size comes from the style sheet.
    """
    made = segno.make(address, error="m", micro=False)
    drawn = made.svg_inline(border=2, dark="#000", light="#fff", omitsize=True)
    return Markup(drawn)  # noqa: S704  our own drawing
