"""Text with its marks and buttons, parsed and refused as the platform does it."""

import html
import re

from sandbox.state import JSON
from sandbox.telegram.bot import Call, bad

MAX_TEXT, MAX_CAPTION, MAX_BUTTON_BYTES = 4096, 1024, 64
MAX_ENTITIES, MAX_BUTTONS, MAX_ROW = 100, 100, 8

_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "u": "underline",
    "ins": "underline", "s": "strikethrough", "strike": "strikethrough", "del": "strikethrough",
    "code": "code", "pre": "pre", "a": "text_link", "blockquote": "blockquote",
    "tg-spoiler": "spoiler", "span": "spoiler",
}  # fmt: skip
_TOKEN = re.compile(r"<(/?)([a-zA-Z][\w-]*)([^>]*)>|([^<]+)|(<)", re.S)
_HREF = re.compile(r"""href\s*=\s*["']?([^"'>]*)["']?""")


def utf16(text: str) -> int:
    """Return the length of text in UTF-16 units, as entities count it."""
    # Offsets of entities count UTF-16 units: an emoji is two.
    return len(text) + sum(1 for ch in text if ord(ch) > 0xFFFF)


def parse_html(source: str) -> tuple[str, list[JSON]]:
    """Return plain text and entities of the platform's HTML; unknown tags are refused."""
    out: list[str] = []
    length = 0
    stack: list[tuple[str, int, str]] = []
    entities: list[JSON] = []
    for closing, tag, attributes, text, stray in _TOKEN.findall(source):
        if text:
            plain = html.unescape(text)
            out.append(plain)
            length += utf16(plain)
        elif stray or tag.lower() not in _TAGS:
            # Refused and not dropped: our own escaping must be complete before it meets the real
            # platform.
            raise bad(f"can't parse entities: Unsupported start tag \"{tag or '<'}\" at byte offset"
                      f" {len(''.join(out).encode())}")  # fmt: skip
        elif not closing:
            stack.append((tag.lower(), length, attributes))
        else:
            if not stack or stack[-1][0] != tag.lower():
                raise bad(f"can't parse entities: Unexpected end tag at byte offset {length}")
            name, start, attrs = stack.pop()
            # An empty mark makes no entity, as on the platform.
            if length > start:
                entity: JSON = {"type": _TAGS[name], "offset": start, "length": length - start}
                if name == "a" and (link := _HREF.search(attrs)):
                    entity["url"] = html.unescape(link.group(1))
                entities.append(entity)
    if stack:
        raise bad(f"can't parse entities: Can't find end tag corresponding to start tag "
                  f"{stack[-1][0]}")  # fmt: skip
    return "".join(out), sorted(entities, key=lambda e: (e["offset"], -e["length"]))


_MARKS = {"*": "bold", "_": "italic", "__": "underline", "~": "strikethrough",
          "||": "spoiler", "`": "code"}  # fmt: skip
_MD = re.compile(r"\\(.)|(\*|__|_|~|\|\||`)|\[((?:\\.|[^\]])*)\]\(([^)]*)\)|(.)", re.S)
_RESERVED = set(">#+-=|{}.![]()")


def parse_markdown(source: str, *, strict: bool) -> tuple[str, list[JSON]]:
    """Return plain text and entities of MarkdownV2 (strict) or the older Markdown."""
    out: list[str] = []
    length = 0
    open_marks: dict[str, int] = {}
    entities: list[JSON] = []
    for escaped, mark, label, url, plain in _MD.findall(source):
        if mark:
            start = open_marks.pop(mark, None)
            if start is None:
                open_marks[mark] = length
            elif length > start:
                entities.append({"type": _MARKS[mark], "offset": start, "length": length - start})
            continue
        # MarkdownV2 reserves these signs everywhere; the older form lets them stand.
        if strict and plain in _RESERVED:
            raise bad(f"can't parse entities: Character '{plain}' is reserved and must be escaped"
                      " with the preceding '\\'")  # fmt: skip
        piece = escaped or re.sub(r"\\(.)", r"\1", label) or plain
        if url:
            entities.append(
                {"type": "text_link", "offset": length, "length": utf16(piece), "url": url}
            )
        out.append(piece)
        length += utf16(piece)
    if open_marks:
        raise bad(f"can't parse entities: Can't find end of {_MARKS[next(iter(open_marks))]} "
                  "entity")  # fmt: skip
    return "".join(out), entities


def formatted(call: Call, name: str, entities_name: str) -> tuple[str, list[JSON]]:
    """Return a text parameter with its entities, by parse_mode or explicit entities."""
    source = str(call.params.get(name) or "")
    mode = str(call.params.get("parse_mode") or "").lower()
    if mode == "html":
        return parse_html(source)
    if mode in ("markdownv2", "markdown"):
        return parse_markdown(source, strict=mode == "markdownv2")
    if mode:
        raise bad("unsupported parse_mode")
    entities = call.nested(entities_name) or []
    # The platform ignores what is over the limit instead of refusing it (T5).
    if len(entities) > MAX_ENTITIES:
        entities = entities[:MAX_ENTITIES]
    return source, entities


def checked_markup(call: Call) -> JSON | None:
    """Return reply_markup after the platform's checks of buttons."""
    markup = call.nested("reply_markup")
    if not markup:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    rows = markup.get("inline_keyboard") or []
    # 100 buttons, 8 a row, 1 to 64 bytes each (T6); bytes, so that one Chinese sign costs three.
    if sum(len(row) for row in rows) > MAX_BUTTONS or any(len(row) > MAX_ROW for row in rows):
        raise bad("too many inline keyboard buttons")
    for button in (button for row in rows for button in row):
        _check_button(button)
    return markup


def _check_button(button: JSON) -> None:
    if not button.get("text"):
        raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= MAX_BUTTON_BYTES:
        raise bad("BUTTON_DATA_INVALID")
    # A button that does nothing is refused: it must carry data, an address or the like.
    if data is None and not set(button) - {"text"}:
        raise bad("Text buttons are unallowed in the inline keyboard")
