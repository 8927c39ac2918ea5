"""The page that draws the house names only what stands in it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|yaml|md)|(?:[a-z_]+/)+)`")
ROOMS = ("review_queue", "knowledge", "content_sources", "escalations", "subscriptions")


def stands(name: str) -> bool:
    """Whether a path exists; a bare file name stands for one in a room the page speaks of."""
    if "/" in name or (ROOT / name).exists():
        return (ROOT / name).exists()
    return any((ROOT / room / name).exists() for room in ROOMS)


@pytest.mark.parametrize("page", ["docs/house.md", "docs/review.md"])
def test_every_file_a_page_names_is_there(page: str) -> None:
    names = set(NAMED.findall((ROOT / page).read_text(encoding="utf-8")))
    assert len(names) > 5
    assert sorted(name for name in names if not stands(name)) == []


def test_a_name_that_stands_nowhere_is_found() -> None:
    assert not stands("review_queue/items.py")
    assert not stands("items.py")
