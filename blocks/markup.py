"""What the readers of HTML share: hostile tags, styles in words."""

import re
from collections.abc import Mapping

_SWOLLEN = re.compile(r"<([a-zA-Z][\w:-]*)([^<>]{2000,})>")
_MOST_ATTRIBUTES = 200
_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]*)?(?:\.[\w-]+)?", re.IGNORECASE)
_TOLD = ("font-weight", "font-size", "display", "mso-outline-level", "mso-hide", "mso-list",
         "list-style-type", "list-style", "white-space", "mso-style-name", "vertical-align",
         "text-decoration", "mso-element", "width", "height")  # fmt: skip
_SIZE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)(pt|px|rem|em|%)?")
_FACTOR = {"pt": 1.0, "px": 0.75, "rem": 12.0}
_MOST_RULES = 2_000

HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
BLOCKS = frozenset(HEADINGS) | {
    *("p", "div", "section", "article", "li", "ul", "ol", "dl", "dd", "dt", "br", "hr", "pre"),
    *("table", "tbody", "thead", "tfoot", "tr", "caption", "blockquote", "figure", "figcaption"),
    *("center", "header", "main", "address", "fieldset", "aside", "nav", "footer"),
}
"""Tags before and after which a line ends."""

Sheet = Mapping[str, Mapping[str, str]]
"""What a style sheet says of each selector: `h1`, `.xl65`, `p.MsoTitle`."""


def without_swollen_tags(html: str) -> str:
    """Tags with hundreds of attributes without them: the parser's time grows with their square."""
    return _SWOLLEN.sub(
        lambda tag: f"<{tag[1]}>" if tag[2].count("=") > _MOST_ATTRIBUTES else tag[0], html
    )


def declared(style: str) -> dict[str, str]:
    """The declarations of a style attribute that say anything about the words."""
    found: dict[str, str] = {}
    for one in style.split(";"):
        name, colon, value = one.partition(":")
        name = name.strip().lower()
        if colon and name in _TOLD:
            found[name] = value.replace("!important", "").strip().strip("\"'").lower()
    return found


def sheet_of(css: str) -> dict[str, dict[str, str]]:
    """The plain rules of a style sheet, by selector."""
    found: dict[str, dict[str, str]] = {}
    first, *others = css.replace("<!--", "").replace("-->", "").split("/*")
    seen = first + "".join(one.partition("*/")[2] for one in others)
    for rule in seen.split("}"):
        selectors, _, body = rule.rpartition("{")
        said = declared(body)
        for selector in selectors.split(",") if said else ():
            name = selector.strip()
            if name and _SELECTOR.fullmatch(name) and len(found) < _MOST_RULES:
                found.setdefault(name, {}).update(said)
    return found


def points(value: str, inherited: float) -> float:
    """A font size in points; `inherited` when it is none."""
    match = _SIZE.match(value)
    if not match:
        return inherited
    number, unit = float(match[1]), match[2] or "pt"
    if unit in ("em", "%"):
        return inherited * (number if unit == "em" else number / 100)
    return number * _FACTOR[unit]


def is_bold(value: str) -> bool:
    """Whether a font weight is a bold one."""
    return value.startswith(("bold", "6", "7", "8", "9"))
