"""What a bot is here, one call on its way, and a refusal in the platform's own words."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.state import JSON, Account, Citizen, State, Upload


class TelegramError(Exception):
    """A refusal in the platform's own words."""

    def __init__(
        self, code: int, description: str, retry_after: int = 0, migrated: int = 0
    ) -> None:
        super().__init__(description)
        self.code, self.description, self.retry_after = code, description, retry_after
        self.migrated = migrated

    def body(self) -> JSON:
        """Return the JSON answer of the platform for this refusal."""
        answer: JSON = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after:
            answer["parameters"] = {"retry_after": self.retry_after}
        if self.migrated:
            answer["parameters"] = {"migrate_to_chat_id": self.migrated}
        return answer


def bad(reason: str) -> TelegramError:
    """Return a 400 refusal with its reason."""
    return TelegramError(400, f"Bad Request: {reason}")


@dataclass(slots=True)
class Bot(Account):
    """One Telegram bot."""

    token: str = ""
    username: str = ""
    webhook: str = ""
    secret: str = ""
    allowed: list[str] = field(default_factory=list)  # empty: all but what must be asked for
    last_error: str = ""
    pending: dict[int, JSON] = field(default_factory=dict)
    update_numbers: int = 0
    polling: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    recent: deque[float] = field(default_factory=deque)
    commands: list[JSON] = field(default_factory=list)
    messages: dict[int, tuple[Citizen, JSON]] = field(default_factory=dict)
    callbacks: dict[str, JSON] = field(default_factory=dict)


@dataclass(slots=True)
class Call:
    """One method call on its way through its handler."""

    state: State
    bot: Bot
    params: JSON
    files: dict[str, Upload]

    def nested(self, name: str) -> Any:
        """Return a parameter that may have come as JSON text."""
        value = self.params.get(name)
        # In forms nested objects come as JSON text, in JSON bodies as objects: both are allowed.
        if isinstance(value, str):
            try:
                return json.loads(value)
            except ValueError:
                raise bad(f"can't parse {name} JSON object") from None
        return value

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole-number parameter."""
        value = self.params.get(name, default)
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad(f"{name} must be an integer") from None


def user_object(bot: Bot) -> JSON:
    """Return the bot as a user object."""
    return {"id": int(bot.id), "is_bot": True, "first_name": bot.name, "username": bot.username}
