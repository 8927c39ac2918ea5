"""Whether the pictures of a live article are those that were released.

The platform packs them anew, so that its bytes are never ours: at the first reading a picture is
held against ours by what it shows, and its digest is kept; afterwards the same digest is enough.
"""

import asyncio
import hashlib
import html
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.contract import LoadMedia
from bot.render import MARKER
from bot.wechat.newspic import is_newspic
from bot.wechat.rendering import CROP_FIELDS
from documents.likeness import WHOLE, Box, Likeness, alike, likeness_of

MOST_PICTURES = 60  # of one article; what comes after them is not read
_IMAGE = re.compile(r"<img\b[^>]*>")
_LATER = re.compile(r"""\sdata-src\s*=\s*["']([^"']*)["']""")
_FROM = re.compile(r"""\ssrc\s*=\s*["']([^"']*)["']""")
_ALT = re.compile(r"""\salt\s*=\s*["']([^"']*)["']""")
_NAME, _SHORT = 40, 12
COVER = "cover"
"""The place of a cover among the digests."""

Fetch = Callable[[str], Awaitable[bytes]]
"""An address in, the picture out; empty when it could not be read."""


@dataclass(frozen=True)
class Pictures:
    """How those that stand are fetched, and how ours are."""

    fetch: Fetch
    ours: LoadMedia

    def until(self, moment: float) -> "Pictures":
        """The same, which fetches nothing more after this moment of the monotonic clock."""

        async def fetch(address: str) -> bytes:
            left = moment - time.monotonic()
            try:
                return await asyncio.wait_for(self.fetch(address), left) if left > 0 else b""
            except TimeoutError:
                return b""

        return replace(self, fetch=fetch)


@dataclass(frozen=True)
class Placed:
    """A picture in its place: our marker or the platform's address, and what it is called."""

    source: str
    alt: str = ""

    def named(self, digest: str = "") -> str:
        """For staff, who see both beside each other."""
        sign = digest[:_SHORT] or self.source.removeprefix("sha256:")[:_SHORT]
        told = self.alt[:_NAME] or ("" if MARKER.fullmatch(self.source) else self.source[-_NAME:])
        return f"“{told}”（{sign}）" if told and told != sign else sign


@dataclass(frozen=True)
class _Seen:
    """One live picture: its digest, empty when unread; its likeness where it had to be looked at"""

    digest: str = ""
    likeness: Likeness | None = None


@dataclass
class Compared:
    """What came of one article."""

    faults: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def pictures_of(article: Mapping[str, Any]) -> list[Placed]:
    """Those of an article in order, of ours or as it stands on the platform."""
    if is_newspic(article) and "pictures" in article:
        return [Placed(str(one)) for one in article["pictures"]]
    tags = _IMAGE.findall(str(article.get("content", "")))
    # A page of WeChat loads its pictures late: `src` holds none of them then.
    return [Placed(_part(_LATER, tag) or _part(_FROM, tag), _part(_ALT, tag)) for tag in tags]


def _part(pattern: re.Pattern[str], tag: str) -> str:
    found = pattern.search(tag)
    return html.unescape(found[1]) if found else ""


async def compare(
    pictures: Pictures,
    released: Sequence[Placed],
    stands: Sequence[Placed],
    digests: Mapping[str, str],
) -> Compared:
    """Hold those that stand against those released; `digests` are of earlier readings, by place."""
    known = {digest for place, digest in digests.items() if place != COVER}
    seen = [await _see(pictures.fetch, one.source, known) for one in stands[:MOST_PICTURES]]
    seen += [_Seen()] * (len(stands) - len(seen))
    ours = _Ours(pictures.ours, released, digests)
    pairs = await _pairs(ours, seen)
    told = Compared()
    told.unread = [f"第 {at} 张图片" for at, one in enumerate(seen, 1) if not one.digest]
    told.unread += [f"放行的第 {at + 1} 张图片" for at in sorted(ours.lost)]
    for at, place in pairs.items():
        if str(place + 1) not in digests:
            told.digests[str(place + 1)] = seen[at].digest
    if not ours.lost:
        told.faults = _faults(released, stands, seen, pairs)
    return told


async def compare_cover(
    pictures: Pictures, article: Mapping[str, Any], address: str, digests: Mapping[str, str]
) -> Compared:
    """The cover as lists show it: ours, or one of the parts that the platform cuts.

    How it cuts is not promised: a cover that was never known again is unread and no exchange.
    """
    seen = await _see(pictures.fetch, address, {digests.get(COVER, "")})
    if not seen.likeness:
        return Compared(unread=[] if seen.digest else ["封面"])
    try:
        content, _ = await pictures.ours(str(article["thumb"]))
    except (LookupError, ValueError):
        return Compared(unread=["封面"])
    for box in _cuts(article):
        ours = await asyncio.to_thread(likeness_of, content, box)
        if ours and alike(ours, seen.likeness):
            return Compared(digests={} if COVER in digests else {COVER: seen.digest})
    if COVER not in digests:
        return Compared(unread=["封面"])
    ours_named, live = Placed(str(article["thumb"])).named(), Placed(address).named(seen.digest)
    return Compared(faults=[f"封面被换成另一张，放行的是{ours_named}，现在是{live}"])


def _cuts(article: Mapping[str, Any]) -> list[Box]:
    crops = [str(article[one]).split("_") for one in CROP_FIELDS.values() if article.get(one)]
    return [WHOLE, *((float(a), float(b), float(c), float(d)) for a, b, c, d in crops)]


async def _see(fetch: Fetch, address: str, known: set[str]) -> _Seen:
    """One at a time, and no bytes are kept: an article may hold sixty large ones."""
    content = await fetch(address)
    if not content:
        return _Seen()
    digest = hashlib.sha256(content).hexdigest()
    if digest in known:
        return _Seen(digest)
    likeness = await asyncio.to_thread(likeness_of, content)
    return _Seen(digest, likeness) if likeness else _Seen()


class _Ours:
    """The released pictures, each opened when it is asked for the first time."""

    def __init__(
        self, media: LoadMedia, released: Sequence[Placed], digests: Mapping[str, str]
    ) -> None:
        self.sources = [one.source for one in released]
        self.lost = set[int]()
        """Places whose own bytes cannot be had: nothing is concluded of them."""
        self._media = media
        self._opened: dict[str, Likeness | None] = {}
        # By picture and not by place: the same one may stand twice and be read once.
        self._known = {
            (source, digests[str(at)])
            for at, source in enumerate(self.sources, 1)
            if str(at) in digests
        }

    async def shows(self, place: int, seen: _Seen) -> bool:
        """Whether what stands there is the picture of this place."""
        source = self.sources[place]
        if (source, seen.digest) in self._known:
            return True
        if not seen.likeness:
            return False
        mine = await self._likeness(source)
        if mine is None:
            self.lost.add(place)
        return mine is not None and alike(mine, seen.likeness)

    async def _likeness(self, marker: str) -> Likeness | None:
        if marker not in self._opened:
            try:
                content, _ = await self._media(marker)
            except (LookupError, ValueError):  # kept no longer, or changed: another watch tells it
                content = b""
            self._opened[marker] = await asyncio.to_thread(likeness_of, content)
        return self._opened[marker]


async def _pairs(ours: _Ours, seen: Sequence[_Seen]) -> dict[int, int]:
    """Which released picture each of those that stand is: its own place first, then any left."""
    read = [at for at, one in enumerate(seen) if one.digest]
    pairs = {
        at: at for at in read if len(seen) == len(ours.sources) and await ours.shows(at, seen[at])
    }
    after = -1
    for at in [one for one in read if one not in pairs]:
        left = [one for one in range(len(ours.sources)) if one not in pairs.values()]
        # Later ones first: of one picture that stands twice the order is kept.
        for place in sorted(left, key=lambda one: one <= after):
            if await ours.shows(place, seen[at]):
                pairs[at] = after = place
                break
    return pairs


def _faults(
    released: Sequence[Placed],
    stands: Sequence[Placed],
    seen: Sequence[_Seen],
    pairs: Mapping[int, int],
) -> list[str]:
    """Exchanged, missing, added, moved; of what could not be read nothing is said."""
    hidden = any(not one.digest for one in seen)
    gone = [at for at in range(len(released)) if at not in pairs.values()]
    new = [at for at, one in enumerate(seen) if one.digest and at not in pairs]
    faults = []
    for at in [one for one in gone if one in new]:
        gone.remove(at)
        new.remove(at)
        faults.append(
            f"第 {at + 1} 张图片被换成另一张，放行的是{released[at].named()}，"
            f"现在是{stands[at].named(seen[at].digest)}"
        )
    faults += [f"第 {at + 1} 张图片不是放行的：{stands[at].named(seen[at].digest)}" for at in new]
    if not hidden:  # else it may be one of those
        faults += [f"放行的第 {at + 1} 张图片不见了：{released[at].named()}" for at in gone]
    order = [pairs[at] for at in sorted(pairs)]
    if order != sorted(order):
        now = "、".join(str(one + 1) for one in order)
        faults.append(f"图片的顺序与放行的不同，现在依次是放行的第 {now} 张")
    return faults
