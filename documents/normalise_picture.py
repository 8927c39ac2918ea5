"""A picture as it comes in becomes the picture that is reviewed and sent, once and for good.

Turned as it was taken, without what it tells of place, device and people, on white, in sRGB, small
enough for every channel and still readable. Pure: the same bytes give the same bytes, and what has
been through once comes out unchanged.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageCms, UnidentifiedImageError

from documents.ai_marks import Told, told_of
from documents.parts import Fault, Severity
from documents.picture_bytes import bare_gif, bare_jpeg, bare_png
from documents.pictures import DAMAGED, FORMATS, MOST_PIXELS
from documents.sniff import kind_of

TEXT_BYTES = 1024 * 1024  # WeChat takes a picture of the text below this (docs/platforms.md#W37)
MOST_BYTES = 10 * 1024 * 1024  # and a permanent one, as Telegram a photo, up to this
_LONG = 3  # so many times as high as wide, or the other way: read piece by piece
_SIDE, _LONG_WIDTH, _READABLE = 2560, 1440, 1080
_LEAST = 16
_FRAMES, _FRAME_PIXELS = 300, 150_000_000
_ORIENTATION = 0x0112
# What it is called, device, time, people, the camera's own part and the place.
_TELLING = frozenset((0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298, 0x8769, 0x8825))
_TELLING |= frozenset(range(0x9C9B, 0x9CA0))
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LOSSLESS = ("PNG", "GIF", "BMP", "TIFF")
_PHOTOS = ("JPEG", "MPO", "HEIF")
_PNG_PIXELS = 4_000_000  # more of them in full colour is a photo, and takes seconds to pack
_PLAIN_MODES = ("1", "L", "P", "RGB")
_GREY_16 = ("I;16", "I;16B", "I;16L", "I;16N")
_SUFFIX = {"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif"}

_QUALITY, _TRIES = 85, 5
_ROOM = 0.95  # of the bytes there are: what is aimed at when a picture must be smaller


class Unfit(ValueError):
    """A picture that cannot be used; `rule` names the kind of fault, the text is for the field."""

    def __init__(self, rule: str, reason: str) -> None:
        """`reason` says what is wrong and what to do, in Chinese."""
        super().__init__(reason)
        self.rule = rule


@dataclass(frozen=True)
class Normalised:
    """The picture that is kept; `notes` say what was done to it, for whoever brought it."""

    data: bytes
    mime: str
    width: int
    height: int
    notes: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """How a file of this kind ends."""
        return _SUFFIX[self.mime]


def brought_in(data: bytes) -> Normalised | Fault:
    """The picture as it will be sent, or what is wrong with it: for a process of its own."""
    try:
        return normalise(data)
    except Unfit as unfit:
        severity: Severity = "block"
        return Fault(f"secrecy.attachment-{unfit.rule}", severity, str(unfit))


def normalise(data: bytes) -> Normalised:
    """The picture as it will be sent; Unfit for what is none, harms or cannot be shown."""
    if _is_svg(data):
        reason = "这是 SVG 矢量图，可能带有脚本，各渠道也都不收，请导出为 PNG 再上传"
        raise Unfit("disguised", reason)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = _opened(data)
            return _brought(data, picture)
    except Image.DecompressionBombError as error:
        raise Unfit("bomb", _TOO_MANY) from error
    except Unfit:
        raise
    except DAMAGED as error:
        raise Unfit("broken", "图片不完整或已损坏，打不开，请重新上传") from error


_TOO_MANY = f"图片尺寸异常地大（超过 {MOST_PIXELS // 10_000} 万像素），已拒绝读取，请缩小后再上传"


def _is_svg(data: bytes) -> bool:
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"<") and b"<svg" in head.lower()


def _opened(data: bytes) -> Image.Image:
    """The picture with its size known and nothing of it unpacked yet."""
    try:
        picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        if data[4:8] == b"ftyp" or kind_of(data) in ("jpeg", "png", "gif", "webp"):
            raise  # it was one once
        reason = "不是认识的图片，或已损坏，请换成 JPG、PNG、GIF、WebP 或 HEIC 格式的图片再上传"
        raise Unfit("unknown", reason) from error
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise Unfit("bomb", _TOO_MANY)
    if min(width, height) < _LEAST:
        reason = f"图片太小（{width} × {height}），在手机上看不清，请换一张大的"
        raise Unfit("small", reason)
    return picture


def _brought(data: bytes, picture: Image.Image) -> Normalised:
    kind = picture.format or ""
    moving = kind != "MPO" and int(getattr(picture, "n_frames", 1)) > 1
    told = told_of(data, picture)
    if moving and kind == "GIF":
        return _animation(data, picture, told)
    if moving and kind != "HEIF":
        raise Unfit("moving", _MOVING[kind == "TIFF"])
    private = _tells(picture)
    picture.load() if _stays(data, picture) else _draft(picture)
    notes = ["已带上原有的人工智能生成标识"] if told != Told() else []
    notes += ["已去除照片里的拍摄时间、地点、设备等信息"] if private else []
    if _stays(data, picture):
        bare = bare_png if kind == "PNG" else bare_jpeg
        mime = "image/png" if kind == "PNG" else "image/jpeg"
        return _result(bare(data, told.packet()), mime, *picture.size, notes)
    return _drawn(picture, told, notes)


_KEPT_LONG = "长图保留原样，没有为了缩小而让文字看不清"
_MOVING = (
    "这种动图只能保留第一帧，请另存为 GIF 再上传",
    "图片有好几页，只能用一页，请拆成单张图片，或作为 PDF 上传",
)


def _stays(data: bytes, picture: Image.Image) -> bool:
    """Whether every pixel can stay as it is: only what is told beside them is taken off."""
    width, height = picture.size
    if picture.format == "PNG":
        plain = picture.mode in _PLAIN_MODES and data[24] <= 8  # bits of a colour
        plain = plain and "transparency" not in picture.info
    else:
        plain = picture.format in ("JPEG", "MPO") and picture.mode in ("L", "RGB")
    return (
        plain
        and _turn(picture) == 1
        and _is_srgb(picture)
        and _target(width, height) == (width, height)
        and len(data) < _bytes_of(width, height)
    )


def _is_long(width: int, height: int) -> bool:
    return max(width, height) > _LONG * min(width, height)


def _bytes_of(width: int, height: int) -> int:
    return MOST_BYTES if _is_long(width, height) else TEXT_BYTES


def _target(width: int, height: int) -> tuple[int, int]:
    """The size in which the side that counts is no longer than is needed; never a larger one."""
    long = _is_long(width, height)
    counts = min(width, height) if long else max(width, height)
    side = _LONG_WIDTH if long else _SIDE
    if counts <= side:
        return width, height
    return max(1, round(width * side / counts)), max(1, round(height * side / counts))


def _turn(picture: Image.Image) -> int:
    return int(picture.getexif().get(_ORIENTATION, 1) or 1)


def _tells(picture: Image.Image) -> bool:
    """Whether the file tells more than the picture shows."""
    beside = ("xmp", "comment", "photoshop", "XML:com.adobe.xmp")
    told = _TELLING.intersection(picture.getexif())
    return bool(told) or any(picture.info.get(name) for name in beside)


def _is_srgb(picture: Image.Image) -> bool:
    icc = picture.info.get("icc_profile")
    if not icc:
        return True
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return "srgb" in ImageCms.getProfileDescription(profile).lower()
    except (ImageCms.PyCMSError, OSError, ValueError):
        return True  # a profile that cannot be read changes nothing anywhere


def _draft(picture: Image.Image) -> None:
    """A JPEG is unpacked no larger than it is needed."""
    if picture.format in ("JPEG", "MPO") and picture.mode in ("L", "RGB"):
        picture.draft(picture.mode, _target(*picture.size))
    picture.load()


def _drawn(picture: Image.Image, told: Told, notes: list[str]) -> Normalised:
    """The picture painted anew: made smaller first, so that all that follows has less to do."""
    before, kind, turn = picture.size, picture.format or "", _turn(picture)
    icc = None if _is_srgb(picture) and picture.mode != "CMYK" else picture.info.get("icc_profile")
    if turn in _TURNS:
        notes.append("已按拍摄方向转正")
    if picture.has_transparency_data:
        notes.append("透明的地方已铺成白底")
    sized = _on_white(_sized(_plain(picture), *_target(*picture.size)))
    upright = sized.transpose(_TURNS[turn]) if turn in _TURNS else sized
    flat, moved = _in_srgb(upright, icc)
    if moved:
        notes.append("颜色已转为 sRGB")
    data, mime, size = _packed(flat, kind)
    bare = bare_png if mime == "image/png" else bare_jpeg
    if sorted(size) != sorted(before):
        width, height = before[::-1] if turn > 4 else before
        notes.append(f"已由 {width} × {height} 缩小到 {size[0]} × {size[1]}")
    if kind not in ("MPO", mime.removeprefix("image/").upper()):
        notes.append(f"已由 {'HEIC' if kind == 'HEIF' else kind} 转为 {_SUFFIX[mime][1:].upper()}")
    return _result(bare(data, told.packet()), mime, *size, notes)


def _plain(picture: Image.Image) -> Image.Image:
    """Grey, colour, print colours, or colour with transparency; Unfit for what nobody shows."""
    if picture.mode in _GREY_16:
        return picture.point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in ("I", "F"):
        raise Unfit("colours", "图片的颜色格式各渠道都不支持，请另存为 JPG 或 PNG 再上传")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode in ("L", "RGB", "CMYK"):
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def _in_srgb(picture: Image.Image, icc: bytes | None) -> tuple[Image.Image, bool]:
    """The picture in sRGB, and whether its colours had to be moved there."""
    if icc:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            moved = ImageCms.profileToProfile(
                picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if moved is not None:
                return moved, True
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile for other colours, or a broken one, is no profile
    return (picture.convert("RGB"), True) if picture.mode == "CMYK" else (picture, False)


def _packed(picture: Image.Image, kind: str) -> tuple[bytes, str, tuple[int, int]]:
    """The bytes in which the picture is kept, their kind and its size."""
    long, most = _is_long(*picture.size), _bytes_of(*picture.size)
    if kind in _LOSSLESS and (data := _as_png(picture)) and len(data) < most:
        return data, "image/png", picture.size
    for _ in range(_TRIES):
        data = _as_jpeg(picture, kind)
        if len(data) < most:
            return data, "image/jpeg", picture.size
        scale = (_ROOM * most / len(data)) ** 0.5
        width, height = round(picture.width * scale), round(picture.height * scale)
        if long and min(width, height) < _READABLE:
            break
        picture = _sized(picture, width, height)
    raise Unfit("large", "图片太长，缩小后文字就看不清了，请拆成几张再上传")


def _sized(picture: Image.Image, width: int, height: int) -> Image.Image:
    if picture.size == (width, height):
        return picture
    return picture.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _as_png(picture: Image.Image) -> bytes:
    """A drawing without any loss; empty for what has the colours and the size of a photo."""
    out = io.BytesIO()
    colours = picture.getcolors(256)
    if colours is not None and picture.mode == "RGB":
        picture.quantize(len(colours), dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    elif picture.width * picture.height <= _PNG_PIXELS:
        picture.save(out, "PNG")
    return out.getvalue()


def _as_jpeg(picture: Image.Image, kind: str) -> bytes:
    """Coloured letters on colour stay sharp, but for cameras, which kept no more colour anyway."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, subsampling=2 if kind in _PHOTOS else 0)
    return out.getvalue()


def _animation(data: bytes, picture: Image.Image, told: Told) -> Normalised:
    """An animated GIF, every frame as it is; each is looked at once."""
    kept, frames = bare_gif(data, told.packet())
    width, height = picture.size
    if frames > _FRAMES or frames * width * height > _FRAME_PIXELS:
        raise Unfit(
            "large", f"动图太大（{frames} 帧，{width} × {height}），请减少帧数或缩小后再上传"
        )
    if len(kept) > MOST_BYTES:
        raise Unfit("large", f"动图超过 {MOST_BYTES // 1024 // 1024} MB，请减少帧数或缩小后再上传")
    for _ in _frames(picture):
        pass
    return _result(kept, "image/gif", *picture.size, ["动图保留全部画面"])


def _frames(picture: Image.Image) -> Iterator[None]:
    for number in range(int(getattr(picture, "n_frames", 1))):
        picture.seek(number)
        picture.load()
        yield


def _result(data: bytes, mime: str, width: int, height: int, notes: Sequence[str]) -> Normalised:
    long = mime != "image/gif" and _is_long(width, height)
    more = [_KEPT_LONG] if long else []
    return Normalised(data, mime, width, height, (*notes, *more))
