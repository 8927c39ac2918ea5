"""Bytes of a web page to text: byte order mark, what the bytes themselves prove, header, meta tag.

Pages often declare a charset they do not use. Multi-byte UTF-8 proves itself: other text is
hardly ever valid UTF-8 by chance. Between the Chinese charsets, and against a Latin one that a
server adds to everything, the reading with more everyday characters wins.
"""

import codecs
import re

from charset_normalizer import from_bytes

_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)""", re.IGNORECASE)
_HEADER = re.compile(r"""charset\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "chinese": "gb18030",
    "hz-gb-2312": "hz",
    "big5": "cp950",
    "big5-hkscs": "big5hkscs",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "utf8": "utf-8",
    "unicode": "utf-16",
}
_SEVEN_BIT = ("hz", "iso-2022-jp", "iso2022_jp", "utf-7")
_SAMPLE = 200_000
_SURE = 0.3  # share of everyday characters; Chinese pages have 0.5 and more
_EVERYDAY = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定"
    "行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其"
    "些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建"
    "月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接"
    "知较将组见计别县市区镇乡村局委办厅府省旗盟就促消费政策职保险补贴企务服"
    "國時會對發經過這來們說學動員長關開門見問題區點實業無為與從機電縣廳務辦補貼聯實現間書記總統華臺灣黨產議認證選"
    "，。、：；（）《》“”"
)


def decode(body: bytes, content_type: str = "") -> str:
    """The text of a page. A declared charset that does not fit is passed over.

    gb2312 and gbk are read as gb18030, which holds them both; what nothing explains is read as
    UTF-8 with replacement characters.
    """
    for mark, name in _MARKS:
        if body.startswith(mark):
            return body.decode(name, "replace")
    if wide := _wide(body):
        return body.decode(wide, "replace")
    declared = _declared(body, content_type)
    if not (declared and declared[0] in _SEVEN_BIT):
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            return text if _many(body) or not declared else _first(body, declared) or text
    return _best(body, declared)


def header_charset(content_type: str) -> str:
    """The charset a Content-Type header names, or empty."""
    match = _HEADER.search(content_type)
    return match[1] if match else ""


def _declared(body: bytes, content_type: str) -> list[str]:
    head = body[:4096]
    names = [name for name in [header_charset(content_type)] if name]
    names += [match[1].decode() for match in (_META.search(head), _XML.search(head)) if match]
    return [_WIDER.get(name.lower(), name.lower()) for name in names]


def _wide(body: bytes) -> str:
    """UTF-16 without its mark: the markup shows on which side the zeros are."""
    start = body.lstrip(b" \r\n\t\x00")[:1]
    if start != b"<" and start != b"{":
        return ""
    head = body[:64]
    if head[1::2].count(0) > 20 and head[0::2].count(0) < 4:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) > 20 and head[1::2].count(0) < 4 else ""


def _many(body: bytes) -> bool:
    """Whether the bytes go beyond ASCII at all."""
    return not body.isascii()


def _first(body: bytes, names: list[str]) -> str | None:
    for name in names:
        try:
            return body.decode(name)
        except (LookupError, UnicodeDecodeError, UnicodeError):
            continue
    return None


def _best(body: bytes, declared: list[str]) -> str:
    """Of the readings without an error the one with most everyday characters; else the nearest."""
    readings: list[tuple[float, str]] = []
    for name in dict.fromkeys([*declared, "gb18030", "cp950"]):
        text = _first(body, [name])
        if text is not None:
            better = 0.05 if name in declared else 0.0
            readings.append((_everyday(text) + better, text))
    share, text = max(readings, key=lambda one: one[0], default=(0.0, ""))
    if share >= _SURE:
        return text
    guess = from_bytes(body[:_SAMPLE]).best()
    if guess is not None and not declared:
        return body.decode(guess.encoding, "replace")
    if readings:
        return text
    return _nearly(body, declared)


def _everyday(text: str) -> float:
    """The share of everyday characters among all that are not ASCII."""
    others = [char for char in text[:_SAMPLE] if char > "\x7f"]
    return sum(char in _EVERYDAY for char in others) / len(others) if others else 0.0


def _nearly(body: bytes, declared: list[str]) -> str:
    """One broken byte should not lose a page: the charset with few replacements wins."""
    for name in [*declared, "utf-8", "gb18030"]:
        try:
            text = body.decode(name, "replace")
        except LookupError:
            continue
        if text.count("\ufffd") * 200 < len(text):
            return text
    best = from_bytes(body[:_SAMPLE]).best()
    return body.decode(best.encoding if best else "utf-8", "replace")
