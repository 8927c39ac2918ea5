"""What the collections of open data share: who may read now, places in them, pages as JSON Feed.

A collection is ordered by the ledger entry that last changed each record. So whoever has read to
its end and comes back with the last cursor gets what changed since, what ended among it.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from aiohttp import web
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from config.clock import BEIJING, beijing, now
from console.web.clients import client_of
from console.web.deps import DEPS, Deps
from console.web.interface import as_json, problem_json
from ledger.verify import Broken
from staff.refusal import Reason, Refused
from supervision.open_data import OpenData

VERSION = "https://jsonfeed.org/version/1.1"
PATH = "/api/v1/open"
SETTING = "open_data"
MOST, USUAL = 100, 50
_ALL_ADDRESSES = 10
"""How many times the number of one address all of them have together."""
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,40}")
_OPEN = {
    "Cache-Control": "public, max-age=60",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Closed(BaseModel):
    """A record of the feed says what it is, and nothing else."""

    model_config = ConfigDict(extra="forbid")


def named(alias: str, name: str) -> Any:
    """A field that stands under `alias` in JSON: JSON Feed has extensions begin with a line."""
    return Field(validation_alias=AliasChoices(alias, name), serialization_alias=alias)


class Place(Closed):
    """Where a page ends: `cursor` reads on from here, now or in a month."""

    cursor: str
    more: bool


class FeedItem(Closed):
    """What JSON Feed 1.1 says of every item."""

    id: str
    url: str
    title: str
    content_text: str
    date_published: str | None
    date_modified: str
    tags: list[str]


class Feed(Closed):
    """A page of a JSON Feed 1.1."""

    version: str
    title: str
    home_page_url: str
    feed_url: str
    language: str
    next_url: str | None
    place: Place = named("_shenfa", "place")


@dataclass(frozen=True)
class Spot:
    """One record of a collection: its key, and the entry that last changed it."""

    key: str
    seq: int
    at: datetime


@dataclass(frozen=True)
class Asked:
    """A request for a page: after which entry, not before which moment, how many."""

    name: str
    after: int
    since: datetime | None
    limit: int


async def opened(request: web.Request, name: str) -> OpenData:
    """The setting, when `name` is open to everybody now; Refused 404, or 429 for too many."""
    deps = request.config_dict[DEPS]
    signed = deps.governance.settings
    await signed.refresh(1.0)
    # While it cannot be proved nothing is open: a changed row must not open what nobody did.
    held = signed.proved(SETTING)
    value = held.value if held is not None else OpenData()
    if name not in value.gives:
        raise Refused(404, [Reason("closed", "本单位没有开放这项数据")])
    await _paced(request, deps, value)
    return value


async def _paced(request: web.Request, deps: Deps, value: OpenData) -> None:
    mine = await deps.cache.count(f"open:{client_of(request)}", 60)
    everybody = await deps.cache.count("open:all", 60)
    if mine > value.per_minute or everybody > value.per_minute * _ALL_ADDRESSES:
        words = f"读得太快：每分钟最多 {value.per_minute} 次，请一分钟后再读"
        raise Refused(429, [Reason("too_many", words)])


def too_many(request: web.Request, refused: Refused) -> web.StreamResponse:
    """A refusal that says when to come again."""
    response = problem_json(request, refused)
    if refused.status == 429:
        response.headers["Retry-After"] = "60"
    return response


def asked_of(request: web.Request, name: str) -> Asked:
    """cursor, limit and updated_since of the address; Refused 422 names the one that is wrong."""
    query = request.query
    after = _after(name, query["cursor"]) if query.get("cursor") else 0
    since = _moment(query["updated_since"]) if query.get("updated_since") else None
    return Asked(name, after, since, _limit(query.get("limit", "")))


def _limit(given: str) -> int:
    if not given:
        return USUAL
    if not (given.isascii() and given.isdigit() and len(given) < 4 and 1 <= int(given) <= MOST):
        raise Refused(422, [Reason("field", f"limit 应是 1 至 {MOST} 的整数")])
    return int(given)


def _moment(given: str) -> datetime:
    words = "updated_since 应写成 2026-12-01 或 2026-12-01T08:00:00+08:00"
    try:
        # What stood as + in an address may have come as a space.
        moment = datetime.fromisoformat(given.strip().replace(" ", "+"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Refused(422, [Reason("field", words)]) from error


def cursor_of(name: str, seq: int) -> str:
    """A place in a collection as its readers keep it: opaque to them."""
    return base64.urlsafe_b64encode(f"{name}:{seq}".encode()).decode().rstrip("=")


def _after(name: str, cursor: str) -> int:
    wrong = Refused(
        422, [Reason("field", "cursor 不是这份数据给出的：请从头读起，或用上一页给出的")]
    )
    if not _CURSOR.fullmatch(cursor):
        raise wrong
    try:
        said = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, UnicodeDecodeError) as error:
        raise wrong from error
    mine, _, number = said.partition(":")
    if (
        mine != name
        or not number.isdigit()
        or len(number) > 12
        or cursor_of(name, int(number)) != cursor
    ):
        raise wrong
    return int(number)


def page_of(spots: Sequence[Spot], asked: Asked) -> tuple[list[Spot], Place]:
    """The next records after a place, oldest change first, and where they end."""
    later = sorted((one for one in spots if one.seq > asked.after), key=lambda one: one.seq)
    if asked.since is not None:
        later = [one for one in later if one.at >= asked.since]
    page = later[: asked.limit]
    end = page[-1].seq if page else asked.after
    return page, Place(cursor=cursor_of(asked.name, end), more=len(later) > len(page))


@dataclass(frozen=True)
class Known:
    """What a reader may have already: a page's tag and the moment of its newest change."""

    tag: str
    at: datetime | None


def known_of(page: Sequence[Spot], place: Place, *, daily: bool) -> Known:
    """By the entries alone, so that a page nobody needs again is not made again.

    `daily`: what is said of a record also hangs on the day.
    """
    today = beijing(now()).date()
    parts = [f"{one.key}:{one.seq}" for one in page]
    parts += [place.cursor, str(place.more), str(today) if daily else ""]
    tag = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    moments = [one.at for one in page]
    if daily and page:
        moments.append(datetime.combine(today, datetime.min.time(), BEIJING))
    return Known(f'"{tag}"', max(moments, default=None))


def unchanged(request: web.Request, known: Known) -> web.Response | None:
    """304 for who has it already."""
    given = request.headers.get("If-None-Match")
    if given is not None:
        tags = [one.strip().removeprefix("W/") for one in given.split(",")]
        same = known.tag in tags or tags == ["*"]
    else:
        same = known.at is not None and _is_older(
            known.at, request.headers.get("If-Modified-Since")
        )
    return web.Response(status=304, headers=_headers(known)) if same else None


def _is_older(at: datetime, since: str | None) -> bool:
    try:
        moment = parsedate_to_datetime(since) if since else None
    except (ValueError, OverflowError):
        return False
    if moment is None or moment.tzinfo is None:
        return False
    return at.replace(microsecond=0) <= moment


def _headers(known: Known) -> dict[str, str]:
    headers = {**_OPEN, "ETag": known.tag}
    if known.at is not None:
        headers["Last-Modified"] = format_datetime(known.at.astimezone(UTC), usegmt=True)
    return headers


def given(body: BaseModel, known: Known) -> web.Response:
    """A page with what a reader keeps of it."""
    response = as_json(body.model_dump(mode="json", by_alias=True))
    response.headers.update(_headers(known))
    return response


def feed_fields(request: web.Request, asked: Asked, place: Place, title: str) -> Mapping[str, Any]:
    """What every page of a JSON Feed says of itself."""
    home = request.config_dict[DEPS].settings.public_url.rstrip("/")
    address = f"{home}{PATH}/{asked.name}"
    return {
        "version": VERSION,
        "title": title,
        "home_page_url": f"{home}/",
        "feed_url": address,
        "language": "zh-CN",
        "next_url": f"{address}?cursor={place.cursor}&limit={asked.limit}" if place.more else None,
        "place": place,
    }


def day_start(day: str | None) -> str | None:
    """A day as the moment that JSON Feed wants."""
    return f"{day}T00:00:00+08:00" if day else None


def broken(error: Broken) -> Refused:
    """Nothing is handed out while the ledger does not hold."""
    words = f"台账核验不通过，暂时不提供数据（{error.seq}）"
    return Refused(503, [Reason("ledger", words)])
