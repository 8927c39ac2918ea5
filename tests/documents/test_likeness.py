"""Two pictures are told apart by what they show, and one is known again after packing."""

import pytest
from PIL import Image, ImageDraw

from documents.likeness import alike, apart, likeness_of
from tests.documents.made_pictures import saved, scene


def page(colour: str, step: int) -> Image.Image:
    made = Image.new("RGB", (1080, 800), "white")
    for number in range(12):
        width = 200 + (number * step) % 760
        box = (60, 40 + number * 60, 60 + width, 70 + number * 60)
        ImageDraw.Draw(made).rectangle(box, fill=colour)
    return made


PICTURES = [
    *(scene(960, 720), scene(960, 720), scene(600, 1000), page("black", 331), page("black", 173)),
    *(Image.new("RGB", (640, 400), "red"), Image.new("RGB", (640, 400), "green")),
]


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_made_smaller_and_packed_anew_is_the_same(picture: Image.Image) -> None:
    ours = likeness_of(saved(picture, "PNG"))
    assert ours is not None
    small = picture.resize((400, picture.height * 400 // picture.width))
    marked = picture.copy()
    ImageDraw.Draw(marked).text((picture.width * 0.7, picture.height * 0.94), "@qinghe", "white")
    for theirs in (
        saved(picture, "JPEG", quality=40),
        saved(small, "JPEG", quality=60),
        saved(small, "WEBP", quality=60),
        saved(marked, "JPEG", quality=75),
    ):
        seen = likeness_of(theirs)
        assert seen is not None
        assert alike(ours, seen), apart(ours, seen)


def test_different_pictures_are_not() -> None:
    seen = [likeness_of(saved(one, "PNG")) for one in PICTURES]
    same = [
        (one, other)
        for one in range(len(seen))
        for other in range(one)
        if alike(seen[one], seen[other])  # type: ignore[arg-type]  # all of them opened
    ]
    assert same == []


def test_what_is_no_picture_is_not_looked_at() -> None:
    whole = saved(PICTURES[3], "PNG")
    assert likeness_of(b"<html>") is None
    assert likeness_of(whole[: len(whole) // 2]) is None
    clear = Image.new("RGBA", (640, 400), (0, 0, 0, 0))
    white = Image.new("RGB", (640, 400), "white")
    ours, flat = (likeness_of(saved(one, "PNG")) for one in (clear, white))
    assert ours == flat
