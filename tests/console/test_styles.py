"""One class name is one thing: in the stylesheet, and in the pages that were broken by two."""

import itertools
import re
from collections import defaultdict
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.console.office import Office
from tests.console.test_journey import chromium, fits, person

STYLES = Path(__file__).parents[2] / "console/static/console.css"
INSIDE = re.compile(r"@(?:media|page)[^{]*\{((?:[^{}]|\{[^{}]*\})*)\}")
__all__ = ["chromium"]


def defined(styles: str) -> dict[str, dict[str, str]]:
    """Class -> section of the stylesheet -> the selector that defines it there.

    A section begins with a comment. A class is defined by a selector that begins and ends with
    it (`.card`, `.card.good`), or by one that ties it to an element (`.list td.gate`); what only
    changes it inside another part (`.effect .warning`) defines nothing.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    parts = re.split(r"/\*(.*?)\*/", INSIDE.sub("", styles), flags=re.DOTALL)
    for section, rules in zip(parts[1::2], parts[2::2], strict=True):
        for selectors in re.findall(r"([^{}]+)\{", rules):
            for selector in selectors.split(","):
                *outer, last = re.split(r"[\s>+~]+", selector.strip())
                alone = None if outer else re.match(r"\.([\w-]+)(?![\w-]*:)", last)
                if name := alone or re.fullmatch(r"\w+\.([\w-]+)", last):
                    found[name[1]].setdefault(section.strip(), selector.strip())
    return found


def twice(styles: str) -> dict[str, list[str]]:
    """Classes that two sections define, with both selectors."""
    return {
        name: list(places.values()) for name, places in defined(styles).items() if len(places) > 1
    }


def test_no_class_is_defined_for_two_components() -> None:
    styles = STYLES.read_text(encoding="utf-8")
    assert len(defined(styles)) > 100
    assert twice(styles) == {}


@pytest.mark.parametrize("second", [".gate.good { }", ".list td.gate { }", "a, .gate { }"])
def test_a_class_defined_twice_is_recognised(second: str) -> None:
    assert list(twice(f"/* one */ .gate {{ }} /* two */ .b .gate {{ }} {second}")) == ["gate"]


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
async def test_the_rules_and_the_ledger_stand_in_their_places(
    chromium: Browser, office: Office, width: int
) -> None:
    page = await person(chromium, office, "admin2", width)
    await page.goto(str(office.server.make_url("/console/settings/rules?gate=law")))
    cells = page.locator("tr[data-row] td[data-label=关]")
    edges = "cells => cells.map(one => getComputedStyle(one).borderLeftWidth)"
    assert set(await cells.evaluate_all(edges)) == {"0px"}  # no box within the table
    await fits(page)
    await page.goto(str(office.server.make_url("/console/ledger")))
    lines = page.locator("section.card p")
    boxes = [await one.bounding_box() for one in await lines.all()]
    ends = [(box["y"], box["y"] + box["height"]) for box in boxes if box]
    assert len(ends) > 1
    for (_, end), (start, _) in itertools.pairwise(ends):
        assert end <= start  # below each other, not side by side
    await fits(page)
