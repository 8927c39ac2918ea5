"""What a picture's metadata says of artificial intelligence, and how that is carried on.

《人工智能生成合成内容标识办法》 and GB 45438-2025 (annex E): an `AIGC` entry whose value is a JSON
object with Label (1 is, 2 may be, 3 is suspected to be generated), ContentProducer, ProduceID and
four more, in XMP (namespace of TC260), EXIF or a PNG text. C2PA and IPTC are how others say it.
"""

import html
import io
import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from PIL import Image

from documents.pictures import DAMAGED, FORMATS

_JSON = re.compile(r"AIGC\W{0,8}(\{[^{}]{0,4000}\})")
_BARE = re.compile(r"\{[^{}]{0,4000}\}")
_FIELDS = ("Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator",
           "PropagateID", "ReservedCode2")  # fmt: skip
_FIELD = re.compile(rf"[<\s][\w.-]+:({'|'.join(_FIELDS)})(?:>|\s*=\s*[\"'])([^<>\"']{{0,500}})")
_TC260 = re.compile(r"\bAIGC(?:\s+rdf:parseType|>\s*<)")
_LABELS = {"1": "属于", "2": "可能属于", "3": "疑似属于"}

# How a C2PA manifest store begins in every kind of file: the type of its description box.
_C2PA = b"jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
_SOURCES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia")
_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
_SOURCE = re.compile(rf"{_IPTC}({'|'.join(_SOURCES)})\b")
_OURS = "urn:shenfa:picture:1.0"
_HAD = re.compile(rf"{_OURS}\"[^>]{{0,4000}}C2PA=\"1\"")

_GIF_PACKET, _PACKET_END = b"\x0bXMP DataXMP", b"</x:xmpmeta>"
_MOST = 200_000  # characters of one text that are looked at
_DESCRIPTION, _SOFTWARE, _EXIF, _COMMENT, _XP_COMMENT = 0x010E, 0x0131, 0x8769, 0x9286, 0x9C9C
_CHARSETS = {b"UNICODE\0": "utf-16", b"ASCII\0\0\0": "utf-8"}


@dataclass(frozen=True)
class Told:
    """`aigc` is the JSON text as it was found, `source` the IPTC name of how the picture arose."""

    aigc: str = ""
    source: str = ""
    c2pa: bool = False

    def marks(self) -> tuple[str, ...]:
        """In words; each begins with the scheme that says it."""
        found = [_aigc_words(self.aigc)] if self.aigc else []
        if self.c2pa:
            found.append("C2PA：带有内容凭证")
        if self.source:
            found.append(f"IPTC：来源类型为 {self.source}（人工智能或算法生成）")
        return tuple(found)

    def packet(self) -> bytes:
        """An XMP packet that says the same and nothing else; empty when nothing is said."""
        parts = []
        if self.aigc:
            space = 'xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
            parts.append(f"{space} TC260:AIGC={_quoted(self.aigc)}")
        if self.source:
            space = 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
            parts.append(f'{space} Iptc4xmpExt:DigitalSourceType="{_IPTC}{self.source}"')
        if self.c2pa:
            parts.append(f'xmlns:shenfa="{_OURS}" shenfa:C2PA="1"')
        if not parts:
            return b""
        return (
            '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
            '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description rdf:about="" {" ".join(parts)}/>'
            '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
        ).encode()


def ai_marks(data: bytes) -> tuple[str, ...]:
    """What the metadata of a picture says of AI, in words; empty when nothing or no picture.

    Each line begins with its scheme (AIGC, C2PA, IPTC). C2PA alone says only that the picture
    carries a history: cameras write one too.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            return told_of(data, picture).marks()
    except DAMAGED:
        return Told(c2pa=_C2PA in data).marks()


def told_of(data: bytes, picture: Image.Image) -> Told:
    """What an opened picture says; its bytes are searched for a manifest."""
    texts = [html.unescape(text[:_MOST]) for text in _texts(picture) if text]
    if picture.format == "GIF" and (packet := data.partition(_GIF_PACKET)[2][:_MOST]):
        texts.append(html.unescape(packet.partition(_PACKET_END)[0].decode(errors="replace")))
    aigc = next((found for text in texts if (found := _aigc_of(text))), "")
    whole = "\n".join(texts)
    in_manifest = data.decode("latin-1") if _C2PA in data else ""
    source = _SOURCE.search(whole) or _SOURCE.search(in_manifest)
    c2pa = bool(in_manifest) or _HAD.search(whole) is not None
    return Told(aigc, source[1] if source else "", c2pa)


def _texts(picture: Image.Image) -> Iterator[str]:
    """Everything written in the metadata where such a label may stand."""
    for key, value in picture.info.items():
        # A PNG text called AIGC holds the bare object.
        name = "AIGC" if str(key).upper() == "AIGC" else ""
        if isinstance(value, str | bytes) and key not in ("icc_profile", "exif"):
            yield f"{name}{_text(value)}"
    exif = picture.getexif()
    inner: dict[int, Any] = exif.get_ifd(_EXIF)
    for tag in (_DESCRIPTION, _SOFTWARE):
        yield _text(exif.get(tag))
    yield _comment(inner.get(_COMMENT))
    yield _comment(exif.get(_XP_COMMENT), "utf-16-le")


def _text(value: Any) -> str:
    """Text or bytes as text; a PNG keeps UTF-8 in a chunk that is meant for Latin-1."""
    if isinstance(value, bytes):
        return value.decode(errors="replace").strip("\0 ")
    text = str(value or "")
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _comment(value: Any, charset: str = "") -> str:
    """A comment of EXIF, whose first eight bytes may name its charset."""
    if isinstance(value, tuple):
        value = bytes(one & 0xFF for one in value)
    if not isinstance(value, bytes):
        return _text(value)
    named = _CHARSETS.get(value[:8], "")
    rest = value[8:] if named or value[:8] == b"\0" * 8 else value
    charset = charset or named or "utf-8"
    if charset == "utf-16" and rest[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        # Without a mark the byte order is that of the file: the readable one is right.
        little, big = (rest.decode(f"utf-16-{end}", errors="replace") for end in ("le", "be"))
        return little if "AIGC" in little or "Label" in little else big
    return rest.decode(charset, errors="replace").strip("\0 ")


def _aigc_of(text: str) -> str:
    found = _JSON.search(text)
    if found:
        return found[1]
    for bare in _BARE.findall(text):
        if '"Label"' in bare and '"ContentProducer"' in bare:
            return str(bare)
    if not _TC260.search(text):
        return ""
    # Written as an XMP structure: the same fields, one by one.
    fields = dict(_FIELD.findall(text))
    return json.dumps(fields, ensure_ascii=False) if fields else ""


def _aigc_words(aigc: str) -> str:
    try:
        fields = json.loads(aigc)
    except ValueError:
        return "AIGC：带有人工智能生成合成标识，内容读不出"
    label = _LABELS.get(str(fields.get("Label", "")).strip(), "标明为")
    more = [
        f"{word} {fields[name]}"
        for name, word in (("ContentProducer", "制作者"), ("ProduceID", "编号"))
        if fields.get(name)
    ]
    return f"AIGC：{label}人工智能生成合成内容" + (f"（{'，'.join(more)}）" if more else "")


def _quoted(text: str) -> str:
    return quoteattr(text, {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
