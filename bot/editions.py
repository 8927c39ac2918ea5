"""组版: several articles that go out as one message, and what each of them is called there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

EDITION = "edition"
"""The field of an edition's rendering: the renderings of its articles, in their order."""
URLS = "urls"
"""Outcome.detail: the address of each article, in the order of the articles."""
AT_FAULT = "at_fault"
"""Outcome.detail: numbers, from 1, of the articles that the platform did not take."""


@dataclass(frozen=True)
class Placed:
    """One article of an edition, and the release by which it may go out."""

    item_id: str
    release_id: str
    digest: str
    title: str


def renderings_of(rendering: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The renderings that go out together: those of an edition, or the one by itself."""
    together: Sequence[Mapping[str, Any]] = rendering.get(EDITION, ())
    return together or (rendering,)


def url_of(detail: Mapping[str, Any], index: int) -> str:
    """The address of article `index`, from 1; empty where the platform told none."""
    urls = detail.get(URLS, ())
    return str(urls[index - 1]) if 0 < index <= len(urls) else ""


def blamed(detail: Mapping[str, Any]) -> str:
    """Which articles the platform did not take, in words; empty when it does not say."""
    numbers = detail.get(AT_FAULT, ())
    return f"第 {'、'.join(map(str, numbers))} 篇：" if numbers else ""
