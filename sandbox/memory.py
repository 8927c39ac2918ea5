"""What outlives a stop: accounts, citizens, chats, articles and pictures, in one JSON file.

The log of received requests, planned faults and changed limits belong to one run and are not kept.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections import deque
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from sandbox.state import Citizen, Numbers, State
from sandbox.telegram.bot import Bot
from sandbox.wechat.account import Official, Token

FORMAT = 1
MARK = "__kind__"
KNOWN: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Bot, Citizen, Numbers, Official, Token)
}
TRANSIENT = frozenset({
    "arrived", "in_flight", "messages", "minute", "notices", "polling", "recent", "recent_sends",
})  # fmt: skip
"""Fields that speak of this moment only; `messages` of a bot are found again in the chats."""


class Unreadable(ValueError):
    """A state file that another version wrote, or that is no state file."""


def packed(value: Any) -> Any:
    """The value as JSON can hold it; what JSON has no form for is marked with its kind."""
    if is_dataclass(value):
        kept = (one.name for one in fields(value) if one.name not in TRANSIENT)
        return _marked(type(value).__name__, {name: packed(getattr(value, name)) for name in kept})
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: packed(one) for key, one in value.items()}
        return _marked("dict", [[packed(key), packed(one)] for key, one in value.items()])
    if isinstance(value, bytes):
        return _marked("bytes", base64.b64encode(value).decode("ascii"))
    if isinstance(value, list | deque):
        return [packed(one) for one in value]
    if isinstance(value, set | tuple):
        return _marked(type(value).__name__, [packed(one) for one in value])
    return value


def _marked(kind: str, value: Any) -> dict[str, object]:
    return {MARK: kind, "value": value}


def unpacked(value: Any) -> Any:
    """What `packed` was given."""
    if isinstance(value, list):
        return [unpacked(one) for one in value]
    if not isinstance(value, dict):
        return value
    if MARK not in value:
        return {key: unpacked(one) for key, one in value.items()}
    kind, inner = value[MARK], value["value"]
    if kind == "bytes":
        return base64.b64decode(inner)
    if kind == "dict":
        return {unpacked(key): unpacked(one) for key, one in inner}
    if kind in ("set", "tuple"):
        return (set if kind == "set" else tuple)(unpacked(one) for one in inner)
    return KNOWN[kind](**{name: unpacked(one) for name, one in inner.items()})


def save(state: State, path: Path, url: str) -> None:
    """Write beside and move into place, so that a kill at any moment leaves a whole file."""
    state.changed = False
    head = {"format": FORMAT, "url": url}
    body = {
        "offset": state.clock.offset,
        "accounts": packed(state.accounts),
        "media": packed(state.media),
    }
    # In the same folder: moving into place is whole only within one file system.
    beside = path.with_name(f"{path.name}.new")
    # Readable for its owner only: tokens and keys of the accounts are in it.
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{json.dumps(head)}\n{json.dumps(body, ensure_ascii=False)}\n")
    beside.replace(path)


def load(state: State, path: Path, url: str) -> None:
    """Put back what was saved; a missing file is a fresh start. Raises Unreadable.

    Addresses handed out from another port then lead to `url`, where the sandbox is reached now.
    """
    if not path.exists():
        return
    try:
        first, rest = path.read_text(encoding="utf-8").split("\n", 1)
        head = json.loads(first)
        if head["format"] != FORMAT:
            raise Unreadable(f"{path.name} 的格式是 {head['format']}，这个版本只读 {FORMAT}")
        # Not before a further digit: port 808 must not be found in port 8080.
        body = json.loads(re.sub(rf"{re.escape(head['url'])}(?!\d)", url, rest))
        accounts, media = unpacked(body["accounts"]), unpacked(body["media"])
    except (KeyError, TypeError, ValueError) as problem:
        if isinstance(problem, Unreadable):
            raise
        raise Unreadable(f"{path.name} 不是沙箱的状态文件，或已损坏") from problem
    state.clock.offset = float(body["offset"])
    state.accounts, state.media = accounts, media
    # Whatever is kept twice in memory is stored once and joined again here.
    for account in accounts.values():
        if isinstance(account, Bot):
            state.by_token[account.token] = account
            account.messages = {
                message["message_id"]: (citizen, message)
                for citizen in account.citizens.values()
                for message in citizen.received
            }
