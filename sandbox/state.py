"""What the sandbox platforms remember: clock, accounts, citizens, received requests, faults."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

JSON = dict[str, Any]
REQUESTS_KEPT = 200_000
NOTICES_KEPT = 60
MEDIA_KEPT = 400


class Clock:
    """Seconds since the epoch, moved by an offset that the control interface sets."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        """Return the platform's present as a Unix time in seconds."""
        return time.time() + self.offset


def iso(moment: float) -> str:
    """Return a Unix time as ISO 8601 with milliseconds, in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")


def beijing_words(time: str) -> str:
    """Such a time as readers see it: 2026-11-30 07:10, in Beijing."""
    return f"{datetime.fromisoformat(time).astimezone(_BEIJING):%Y-%m-%d %H:%M}"


_BEIJING = timezone(timedelta(hours=8))


@dataclass(slots=True)
class Numbers:
    """Counts 1, 2, 3 with `next`; `last` is the number given out last."""

    last: int = 0

    def __next__(self) -> int:
        self.last += 1
        return self.last


@dataclass(slots=True)
class Citizen:
    """One person (or Telegram group or channel) as one account sees them."""

    id: str
    name: str
    kind: str = "private"
    username: str = ""
    following: bool = True
    blocked: bool = False
    since: float = 0.0
    received: list[JSON] = field(default_factory=list)
    said: list[JSON] = field(default_factory=list)
    tags: set[int] = field(default_factory=set)
    windows: dict[str, list[float]] = field(default_factory=dict)
    consents: dict[str, int] = field(default_factory=dict)
    mass_by_month: dict[str, int] = field(default_factory=dict)
    recent_sends: deque[float] = field(default_factory=lambda: deque(maxlen=20))
    topics: set[int] = field(default_factory=set)
    posting: bool = True  # whether the bot may write into this channel
    moved_to: str = ""  # a group that was upgraded: the number it has since

    def card(self) -> JSON:
        """Return what the control interface says of this citizen."""
        return {
            "citizen": self.id,
            "name": self.name,
            "kind": self.kind,
            "following": self.following,
            "blocked": self.blocked,
            "received": len(self.received),
            "said": len(self.said),
        }


@dataclass(slots=True)
class Account:
    """What both platforms' accounts share; each platform module extends it."""

    platform: str
    id: str
    name: str
    citizens: dict[str, Citizen] = field(default_factory=dict)
    notices: deque[JSON] = field(default_factory=lambda: deque(maxlen=NOTICES_KEPT))
    numbers: Numbers = field(default_factory=Numbers)
    in_flight: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)  # what the phones propose to ask

    def notice(self, at: float, text: str, citizen: str = "") -> None:
        """Remember for the phone's strip what the platform has just enforced."""
        self.notices.append({"at": iso(at), "text": text, "citizen": citizen})


@dataclass(slots=True)
class Fault:
    """One planned misbehaviour; used up after `count` matching calls."""

    id: int
    platform: str
    kind: str
    method: str = "*"
    account: str = ""
    count: int = 1
    skip: int = 0
    seconds: float = 0.0
    code: int = 0
    description: str = ""
    status: str = ""
    article: int = 1  # which article of a draft a result is about

    def matches(self, platform: str, method: str, account: str) -> bool:
        """Tell whether this fault speaks of that call."""
        return (
            self.platform in (platform, "*")
            and self.method.lower() in (method.lower(), "*")
            and self.account in (account, "")
        )


@dataclass(slots=True)
class Limits:
    """The numbers that control may change: rates, delays, time-outs (seconds)."""

    telegram: bool = True
    wechat: bool = True
    per_bot: int = 30
    per_chat: int = 1
    per_group: int = 20
    callback_timeout: float = 5.0
    result_delay: float = 0.3
    retry_delay: float = 1.0
    record: bool = True


class State:
    """Everything the running sandbox holds; one per application."""

    def __init__(self, public_base: str | None) -> None:
        self.public_base = public_base.rstrip("/") if public_base else ""
        self.clock = Clock()
        self.http: aiohttp.ClientSession | None = None
        self.tasks: set[asyncio.Task[Any]] = set()
        self.changed = False  # since it was last saved
        self.clear()

    def clear(self) -> None:
        """Forget everything, as after a fresh start."""
        # Results still on their way would reach accounts that no longer exist.
        for task in self.tasks:
            task.cancel()
        self.clock.offset = 0.0
        self.accounts: dict[str, Account] = {}
        self.by_token: dict[str, Account] = {}
        self.requests: deque[JSON] = deque(maxlen=REQUESTS_KEPT)
        self.numbers = Numbers()
        self.faults: list[Fault] = []
        self._cleared = asyncio.Event()
        self.limits = Limits()
        self.media: dict[str, tuple[str, bytes]] = {}
        self.deliveries: deque[JSON] = deque(maxlen=REQUESTS_KEPT)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run work in the background until the sandbox stops or is reset."""
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        self.changed = True

    def account(self, key: str) -> Account | None:
        """Find an account by its id or its name."""
        found = self.accounts.get(key)
        if found is None:
            # Names serve people who type by hand; the id wins.
            found = next((a for a in self.accounts.values() if a.name == key), None)
        return found

    def take_fault(
        self, platform: str, method: str, account: str, kinds: frozenset[str] | None = None
    ) -> Fault | None:
        """Return the first planned fault for this call and use one of its count."""
        if not self.faults:
            return None
        for fault in self.faults:
            # Faults of a later result wait for that result and are not used up by the call itself.
            wanted = fault.kind in kinds if kinds else fault.kind not in RESULT_KINDS
            if not wanted or not fault.matches(platform, method, account):
                continue
            # Lets so many calls pass first, so that a test can break the third one.
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.count -= 1
            if fault.count <= 0:
                self.faults.remove(fault)
            return fault
        return None

    async def hold_back(self, platform: str, account: str) -> None:
        """Wait as a planned `late_callback` says: the act has its number and comes after others."""
        fault = self.take_fault(platform, "callback", account, LATE)
        if fault is not None:
            await self.pause(fault.seconds)

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until the faults are cleared."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._cleared.wait(), seconds)

    def clear_faults(self) -> None:
        """Plan nothing more, and let go what a fault holds up."""
        self.faults.clear()
        self._cleared.set()
        self._cleared = asyncio.Event()

    def keep_media(self, key: str, content_type: str, data: bytes) -> None:
        """Keep an uploaded file for the phones, dropping the oldest beyond a bound."""
        self.media[key] = (content_type, data)
        if len(self.media) > MEDIA_KEPT:
            # Pictures are the only thing that grows without bound: the oldest goes.
            del self.media[next(iter(self.media))]

    def record(self, entry: JSON) -> None:
        """Append one received request to the log that tests read."""
        if self.limits.record:
            entry["seq"] = next(self.numbers)
            entry["time"] = iso(self.clock.now())
            self.requests.append(entry)


LATE = frozenset({"late_callback"})
RESULT_KINDS = frozenset({"publish_status", "mass_status"}) | LATE
STATE: web.AppKey[State] = web.AppKey("sandbox_state", State)


@dataclass(slots=True)
class Upload:
    """One file part of a multipart body."""

    filename: str
    content_type: str
    data: bytes


def parse_body(content_type: str, body: bytes) -> tuple[JSON, dict[str, Upload]]:
    """Return the fields and files of a JSON, form-urlencoded or multipart body.

    Raises ValueError for a JSON body that is no object or cannot be read.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not body:
        return {}, {}
    if kind == "multipart/form-data":
        return _parse_multipart(content_type, body)
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)), {}
    parsed = json.loads(body)
    if not isinstance(parsed, dict):
        raise ValueError("not an object")
    return parsed, {}


def _parse_multipart(content_type: str, body: bytes) -> tuple[JSON, dict[str, Upload]]:
    fields: JSON = {}
    files: dict[str, Upload] = {}
    # Read by hand: the exact bytes of a part are what tests compare.
    boundary = _attribute(content_type, "boundary")
    for part in body.split(b"--" + boundary.encode())[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        # The line end before the boundary belongs to the boundary; stripping more would cut a
        # picture's bytes.
        data = data.removesuffix(b"\r\n")
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (
                line.partition(":") for line in head.decode("utf-8", "replace").splitlines()
            )
        }
        disposition = headers.get("content-disposition", "")
        name = _attribute(disposition, "name")
        if "filename" in disposition:
            files[name] = Upload(
                _attribute(disposition, "filename"),
                headers.get("content-type", "application/octet-stream"),
                data,
            )
        else:
            fields[name] = data.decode("utf-8", "replace")
    return fields, files


def _attribute(header: str, name: str) -> str:
    for piece in header.split(";"):
        key, _, value = piece.strip().partition("=")
        if key == name:
            return value.strip('"')
    return ""


def readable(files: dict[str, Upload]) -> JSON:
    """Describe uploads for the request log without their bytes."""
    return {
        name: {"filename": f.filename, "content_type": f.content_type, "size": len(f.data)}
        for name, f in files.items()
    }
