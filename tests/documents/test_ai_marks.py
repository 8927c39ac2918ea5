"""What pictures say of artificial intelligence is read, and survives their coming in."""

import html
import struct
import time
from typing import Any

import pytest
from PIL.PngImagePlugin import PngInfo

from documents.ai_marks import ai_marks
from documents.normalise_picture import normalise
from tests.documents import made_pictures as made

PACKET = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="Zhang">{}</rdf:Description></rdf:RDF>'
    "</x:xmpmeta>"
)
ELEMENT = f"<TC260:AIGC>{html.escape(made.AIGC, quote=False)}</TC260:AIGC>"
STRUCTURE = (
    "<TC260:AIGC rdf:parseType='Resource'><TC260:Label>2</TC260:Label>"
    "<TC260:ContentProducer>某平台</TC260:ContentProducer></TC260:AIGC>"
)
TRAINED = (
    "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/"
    "trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
)


def _xmp(inner: str, kind: str = "JPEG") -> bytes:
    return made.saved(made.scene(160, 120), kind, xmp=PACKET.format(inner).encode())


def _exif(comment: bytes) -> bytes:
    told = made.exif(6)
    told.get_ifd(0x8769)[0x9286] = comment
    return made.saved(made.scene(160, 120), "JPEG", exif=told)


def _png(name: str, text: str, *, international: bool = False) -> bytes:
    told = PngInfo()
    told.add_itxt(name, text) if international else told.add_text(name, text)
    return made.saved(made.scene(160, 120), "PNG", pnginfo=told)


def _c2pa_jpeg() -> bytes:
    data = made.phone_photo(160, 120)
    piece = b"JP\x00\x01\x00\x00\x00\x01" + made.C2PA_STORE
    return data[:2] + b"\xff\xeb" + struct.pack(">H", len(piece) + 2) + piece + data[2:]


def _c2pa_png() -> bytes:
    data = made.picture()
    return data[:33] + made.chunk(b"caBX", made.C2PA_STORE) + data[33:]


AI = {
    "xmp element": (_xmp(ELEMENT), made.AIGC_MARK),
    "xmp structure": (_xmp(STRUCTURE), "AIGC：可能属于人工智能生成合成内容（制作者 某平台）"),
    "xmp of a webp": (_xmp(ELEMENT, "WEBP"), made.AIGC_MARK),
    "exif comment": (_exif(b"ASCII\0\0\0AIGC" + made.AIGC.encode()), made.AIGC_MARK),
    "exif comment as a member": (
        _exif(b"\0" * 8 + b'{"AIGC":' + made.AIGC.encode() + b"}"), made.AIGC_MARK),
    "exif comment in utf-16": (
        _exif(b"UNICODE\0" + f'{{"AIGC":{made.AIGC}}}'.encode("utf-16-le")), made.AIGC_MARK),
    "png text": (_png("AIGC", made.AIGC), made.AIGC_MARK),
    "png international text": (_png("AIGC", made.AIGC, international=True), made.AIGC_MARK),
    "png description": (_png("Description", f"AIGC: {made.AIGC}"), made.AIGC_MARK),
    "unreadable": (_png("AIGC", "{Label=1}"), "AIGC：带有人工智能生成合成标识，内容读不出"),
    "iptc": (_xmp(TRAINED), "IPTC：来源类型为 trainedAlgorithmicMedia（人工智能或算法生成）"),
    "c2pa in a jpeg": (_c2pa_jpeg(), "C2PA：带有内容凭证"),
    "c2pa in a png": (_c2pa_png(), "C2PA：带有内容凭证"),
}  # fmt: skip


@pytest.mark.parametrize("name", AI)
def test_a_mark_is_read_and_survives_while_what_is_personal_does_not(name: str) -> None:
    data, mark = AI[name]
    assert ai_marks(data) == (mark,)
    brought = normalise(data)
    assert ai_marks(brought.data) == (mark,)
    assert "已带上原有的人工智能生成标识" in brought.notes
    assert normalise(brought.data).data == brought.data
    for word in (b"Zhang", b"GPSLatitude", b"Qinghe"):
        assert word not in brought.data


def test_the_label_goes_over_letter_by_letter() -> None:
    data = normalise(AI["exif comment"][0]).data
    assert html.unescape(made.opened(data).info["xmp"].decode()).count(made.AIGC) == 1


def test_an_animation_keeps_its_label() -> None:
    data = made.animated(2, comment=f"AIGC{made.AIGC}".encode())
    brought = normalise(data).data
    assert ai_marks(data) == ai_marks(brought) == (made.AIGC_MARK,)
    shown: Any = made.opened(brought)  # the frames are the format's own, which Pillow does not type
    assert shown.n_frames == 2
    assert normalise(brought).data == brought


@pytest.mark.parametrize(
    "data",
    [
        made.phone_photo(),
        _xmp("<dc:title>AIGC海报.psd</dc:title>"),
        _png("Description", '产品标签 {"Label": "1"}'),
        _png("Comment", "关于 AIGC 的讲座"),
        b"no picture at all",
        b"",
        made.bomb(),
    ],
)
def test_what_says_nothing_has_no_mark(data: bytes) -> None:
    assert ai_marks(data) == ()


def test_a_text_written_to_take_long_does_not() -> None:
    started = time.process_time()
    for text in ('{"Label"' * 30_000, "AIGC {" * 40_000, 'urn:shenfa:picture:1.0" ' * 10_000):
        assert ai_marks(_png("Comment", text)) == ()
    gif = made.animated()
    assert ai_marks(gif[:-1] + b"\x21\xff\x0bXMP DataXMP" * 100_000 + b"\x00;") == ()
    assert time.process_time() - started < 10
