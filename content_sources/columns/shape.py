"""What a column looked like before: a list page that was rebuilt must be noticed."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from content_sources.columns.entries import Entry

LIKE = 3  # rows of one build that make a list


def shape_of(entries: Sequence[Entry]) -> dict[str, Any]:
    """What later readings are compared with: how many, how many with a date, kinds of address."""
    return {
        "entries": len(entries),
        "dated": sum(bool(entry.date) for entry in entries),
        "links": sorted({_link_shape(entry.url) for entry in entries})[:40],
    }


def alarm(before: Mapping[str, Any] | None, entries: Sequence[Entry]) -> str:
    """Why this reading cannot be the same column in its old build, as a Chinese line; or empty."""
    if not before or int(before.get("entries", 0)) < LIKE:
        return ""
    count = int(before["entries"])
    if not entries:
        return f"以前读到 {count} 条，现在一条也没有：网页可能改版了，请预览并更新选择器"
    now_shape = shape_of(entries)
    if int(before.get("dated", 0)) * 2 >= count and not now_shape["dated"]:
        return "以前的条目有日期，现在都没有了：网页可能改版了，请预览并更新选择器"
    if not set(now_shape["links"]) & set(before.get("links", [])):
        return "条目的链接与以前完全不同：网页可能改版了，请预览并更新选择器"
    if len(entries) >= LIKE and len({entry.title for entry in entries}) == 1:
        return "所有条目的标题都一样：网页可能改版了，请预览并更新选择器"
    return ""


def _link_shape(url: str) -> str:
    """Host, folder and ending, with every number as #."""
    parts = urlsplit(url)
    folder, _, name = parts.path.rpartition("/")
    ending = name.rpartition(".")[2] if "." in name else ""
    query = "&".join(part.split("=")[0] for part in parts.query.split("&"))
    return f"{parts.netloc}{re.sub(r'[0-9]+', '#', folder)}/*.{ending}?{query}"
