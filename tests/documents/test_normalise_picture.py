"""A picture that comes in becomes the picture that is reviewed and sent."""

import io
import time

import pytest
from PIL import Image, ImageCms

from documents.normalise_picture import MOST_BYTES, TEXT_BYTES, Unfit, brought_in, normalise
from gates.pool import Pool
from gates.work import Work
from tests.documents import made_pictures as made

KINDS = {
    "phone": made.phone_photo(),
    "large phone": made.phone_photo(4032, 3024),
    "transparent": made.transparent(),
    "long": made.long_picture(height=9_200),
    "animated": made.animated(),
    "cmyk": made.saved(made.scene(400, 300).convert("CMYK"), "JPEG"),
    "webp": made.saved(made.scene(400, 300), "WEBP"),
    "heic": made.saved(made.scene(400, 304), "HEIF", exif=made.exif(6).tobytes()),
    "avif": made.saved(made.scene(400, 300), "AVIF"),
    "bmp": made.saved(made.scene(400, 300), "BMP"),
    "still gif": made.saved(Image.new("P", (90, 60), 3), "GIF"),
}


@pytest.mark.parametrize("name", KINDS)
def test_what_was_brought_into_form_fits_every_channel_and_stays_as_it_is(name: str) -> None:
    brought = normalise(KINDS[name])
    assert normalise(KINDS[name]) == brought, "the same bytes give the same bytes"
    assert normalise(brought.data).data == brought.data, "what has been through stays"
    seen = made.opened(brought.data)
    assert f"image/{(seen.format or '').lower()}" == brought.mime
    assert seen.size == (brought.width, brought.height)
    assert brought.mime in ("image/jpeg", "image/png", "image/gif")
    limit = TEXT_BYTES if name != "long" else MOST_BYTES
    assert len(brought.data) < limit


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_told_beside_the_picture(name: str) -> None:
    data = normalise(KINDS[name]).data
    seen = made.opened(data)
    assert not seen.getexif()
    assert not {"exif", "xmp", "comment", "icc_profile", "photoshop"} & seen.info.keys()
    for word in (b"Zhang", b"Qinghe", b"Phone", b"Exif"):
        assert word not in data


@pytest.mark.parametrize("turn", range(1, 9))
def test_a_photo_is_turned_as_the_phone_was_held(turn: int) -> None:
    upright = Image.new("RGB", (80, 60), "white")
    upright.paste((255, 0, 0), (0, 0, 20, 15))
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    held = upright.transpose(back[turn]) if turn > 1 else upright
    brought = normalise(made.saved(held, "JPEG", quality=95, exif=made.exif(turn)))
    assert (brought.width, brought.height) == (80, 60)
    red, green, _ = made.at(brought.data, 4, 4)
    assert red > 200 > 90 > green
    assert ("已按拍摄方向转正" in brought.notes) == (turn > 1)
    assert "已去除照片里的拍摄时间、地点、设备等信息" in brought.notes


def test_an_upright_jpeg_keeps_every_pixel_and_loses_what_follows_its_end() -> None:
    data = made.saved(made.scene(400, 300), "JPEG", quality=70, exif=made.exif())
    brought = normalise(data + b"a video of the phone with its place")
    assert b"a video" not in brought.data
    assert made.opened(brought.data).tobytes() == made.opened(data).tobytes()


def test_a_screenshot_keeps_every_pixel() -> None:
    shot = made.long_picture(900, 1_200)
    brought = normalise(shot)
    assert brought.mime == "image/png"
    assert made.opened(brought.data).tobytes() == made.opened(shot).tobytes()


def test_transparent_places_become_white_and_not_black() -> None:
    brought = normalise(made.transparent())
    seen = made.opened(brought.data).convert("RGB")
    assert seen.getpixel((2, 2)) == (255, 255, 255)
    assert seen.getpixel((150, 100)) == (200, 0, 0)
    assert brought.notes == ("透明的地方已铺成白底",)
    grey = Image.new("LA", (64, 48), (0, 0))
    assert made.opened(normalise(made.saved(grey, "PNG")).data).convert("L").getpixel((5, 5)) == 255
    palette = made.saved(Image.new("P", (64, 48), 0), "PNG", transparency=0)
    assert made.opened(normalise(palette).data).convert("L").getpixel((5, 5)) == 255


def test_a_large_photo_is_made_smaller_in_time() -> None:
    photo = made.phone_photo(4032, 3024)
    started = time.process_time()
    brought = normalise(photo)
    assert time.process_time() - started < 6
    assert brought.height > brought.width >= 1080
    assert any(note.startswith("已由 3024 × 4032 缩小到 ") for note in brought.notes)


def test_a_long_picture_keeps_its_words_readable() -> None:
    brought = normalise(made.long_picture())
    assert (brought.width, brought.height) == (1080, 12_000)
    assert "长图保留原样" in brought.notes[-1]
    wide = normalise(made.long_picture(2160, 20_000))
    assert (wide.width, wide.height) == (1440, 13_333)


def test_an_animation_keeps_its_frames_and_their_times() -> None:
    before, after = made.opened(made.animated()), made.opened(normalise(made.animated()).data)
    assert (after.n_frames, after.info["loop"]) == (6, 0)  # type: ignore[attr-defined]
    for number in range(6):
        before.seek(number)
        after.seek(number)
        assert after.info["duration"] == 90
        assert after.convert("RGB").tobytes() == before.convert("RGB").tobytes()


def test_colours_of_print_and_of_a_wide_screen_become_those_of_every_screen() -> None:
    printed = Image.new("CMYK", (64, 48), (0, 255, 255, 0))
    red, green, blue = made.at(normalise(made.saved(printed, "JPEG")).data, 9, 9)
    assert red > 180
    assert max(green, blue) < 80
    wide = _profile_with_red_and_blue_exchanged()
    brought = normalise(
        made.saved(Image.new("RGB", (64, 48), (250, 0, 0)), "PNG", icc_profile=wide)
    )
    assert brought.notes == ("颜色已转为 sRGB",)
    red, _, blue = made.at(brought.data, 9, 9)
    assert blue > 150 > red
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = normalise(made.saved(Image.new("RGB", (64, 48), (250, 0, 0)), "PNG", icc_profile=usual))
    assert made.opened(same.data).convert("RGB").getpixel((9, 9)) == (250, 0, 0)
    assert same.notes == ()
    broken = made.saved(Image.new("RGB", (64, 48), (250, 0, 0)), "PNG", icc_profile=b"no profile")
    assert made.opened(normalise(broken).data).convert("RGB").getpixel((9, 9)) == (250, 0, 0)


def _profile_with_red_and_blue_exchanged() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile).replace(b"s\0R\0G\0B", b"t\0e\0s\0t").replace(b"sRGB", b"test")


def test_a_grey_picture_of_16_bits_keeps_its_shades() -> None:
    deep = Image.new("I;16", (64, 48))
    deep.putdata([65_535 * (at % 64) // 63 for at in range(64 * 48)])
    seen = made.opened(normalise(made.saved(deep, "PNG")).data)
    assert seen.mode == "L"
    assert [seen.getpixel((at, 5)) for at in (0, 32, 63)] == [0, 130, 255]


def test_a_heic_photo_is_turned_and_told_of() -> None:
    brought = normalise(KINDS["heic"])
    assert (brought.mime, brought.width, brought.height) == ("image/jpeg", 304, 400)
    assert "已由 HEIC 转为 JPG" in brought.notes


@pytest.mark.parametrize(
    ("data", "rule", "words"),
    [
        (made.SVG, "disguised", "导出为 PNG"),
        (b"\xef\xbb\xbf <!-- x --><svg onload='alert(1)'/>", "disguised", "SVG"),
        (made.bomb(), "bomb", "5000 万像素"),
        (made.bomb(8_000), "bomb", "5000 万像素"),
        (made.phone_photo()[:9_000], "broken", "重新上传"),
        (made.picture()[:60], "broken", "重新上传"),
        (made.animated()[:400], "broken", "重新上传"),
        (KINDS["heic"][:2_000], "broken", "重新上传"),
        (KINDS["webp"][:900], "broken", "重新上传"),
        (b"%PDF-1.7 no picture", "unknown", "JPG、PNG、GIF、WebP 或 HEIC"),
        (b"<html>login</html>", "unknown", "JPG"),
        (b"", "unknown", "JPG"),
        (made.picture(3, 3), "small", "3 × 3"),
        (made.picture(900, 4), "small", "900 × 4"),
        (made.animated(301, 16), "large", "301 帧"),
    ],
)
def test_what_is_no_picture_or_means_harm_is_refused_with_a_remedy(
    data: bytes, rule: str, words: str
) -> None:
    started = time.process_time()
    with pytest.raises(Unfit, match=words) as refused:
        normalise(data)
    assert refused.value.rule == rule
    assert time.process_time() - started < 5


def test_what_moves_or_has_pages_and_is_no_gif_is_not_cut_down_to_its_first_picture() -> None:
    frames = [made.scene(80, 60), Image.new("RGB", (80, 60), "red")]
    for kind, words in (("WEBP", "GIF"), ("PNG", "GIF"), ("TIFF", "PDF")):
        data = made.saved(frames[0], kind, save_all=True, append_images=frames[1:])
        with pytest.raises(Unfit, match=words) as refused:
            normalise(data)
        assert refused.value.rule == "moving"


def test_any_byte_turned_over_is_read_or_refused() -> None:
    for data in (made.phone_photo(80, 60), made.animated(), made.picture(), KINDS["heic"]):
        for at in range(0, len(data), max(1, len(data) // 60)):
            hurt = bytearray(data)
            hurt[at] ^= 0xFF
            try:
                brought = normalise(bytes(hurt))
            except Unfit:
                continue
            assert Image.open(io.BytesIO(brought.data)).size == (brought.width, brought.height)


async def test_a_process_of_its_own_brings_the_same_picture_and_survives_a_harmful_one() -> None:
    pool = Pool(seconds=60.0, workers=1)
    try:
        refused = await pool.run(Work(brought_in, (made.bomb(),)))
        brought = await pool.run(Work(brought_in, (KINDS["heic"],)))
    finally:
        await pool.close()
    assert refused.rule == "secrecy.attachment-bomb"
    assert brought == normalise(KINDS["heic"])
