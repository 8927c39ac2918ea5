"""What an article has beside its text: summary, author, cover, crops, address. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import urlsplit

from blocks.document import MARKER, seen
from bot.contract import Content
from review_queue.canonical import (
    ATTRIBUTION,
    CROPS,
    MOST_AUTHOR,
    MOST_CHANGES,
    MOST_SUMMARY,
    Draft,
)
from staff.refusal import Reason

_WHOLE = 1_000_000  # crops are counted in millionths of a side
_CROP_NAMES = {"wide": "头图（2.35:1）", "square": "小图（1:1）"}


def one_line(text: str) -> str:
    """A short field as it is kept: one line without what cannot be seen."""
    return " ".join(seen(text).split())


def article_faults(now: Draft | Content, before: Draft | None = None) -> list[Reason]:
    """What is wrong with these fields; what stood there before and was not touched is let be."""
    faults = []
    if len(now.summary) > MOST_SUMMARY:
        words = f"摘要最多 {MOST_SUMMARY} 字，现在是 {len(now.summary)} 字，请缩短"
        faults.append(Reason("summary", words))
    if len(now.author) > MOST_AUTHOR:
        words = f"作者最多 {MOST_AUTHOR} 字，现在是 {len(now.author)} 字，请缩短"
        faults.append(Reason("author", words))
    changes = now.changes if isinstance(now, Content) else now.content.changes
    if len(changes) > MOST_CHANGES:
        words = f"更正说明最多 {MOST_CHANGES} 字，现在是 {len(changes)} 字，请缩短"
        faults.append(Reason("changes", words))
    if now.cover and not MARKER.fullmatch(now.cover):
        faults.append(Reason("cover", "封面要先上传，再从图片里选"))
    faults += _crop_faults(now.crops) + _sign_faults(now, before)
    url = now.attribution.get("url", "")
    if url and (before is None or url != before.attribution.get("url", "")) and not _is_page(url):
        words = "原文链接只能是网址，以 http:// 或 https:// 开头，请从浏览器地址栏复制"
        faults.append(Reason("from_url", words))
    return faults


def _sign_faults(now: Draft | Content, before: Draft | None) -> list[Reason]:
    """Line ends and signs that no line shows: a database or a channel refuses or breaks them."""
    known = () if before is None else (before.title, *before.attribution.values())
    fields = [("title", "标题", now.title)]
    fields += [
        (f"from_{name}", "署名", now.attribution.get(name, ""))
        for name in ATTRIBUTION
        if name != "url"
    ]
    return [
        Reason(name, f"{label}里有换行或看不见的控制字符，请删去后重新输入")
        for name, label, text in fields
        if text not in known and any(map(_breaks_a_line, text))
    ]


def _breaks_a_line(sign: str) -> bool:
    return sign != "\t" and unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")


def _crop_faults(crops: Mapping[str, tuple[int, ...]]) -> list[Reason]:
    if set(crops) - set(CROPS):
        return [Reason("crops", f"封面裁剪只有：{'、'.join(CROPS)}")]
    return [
        Reason("crops", f"{_CROP_NAMES[name]}的裁剪范围不在图片里，请重新选择")
        for name, edges in crops.items()
        if not _inside(edges)
    ]


def _inside(edges: tuple[int, ...]) -> bool:
    if len(edges) != 4:
        return False
    left, top, right, bottom = edges
    return 0 <= left < right <= _WHOLE and 0 <= top < bottom <= _WHOLE


def _is_page(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not re.search(r"\s", url)
