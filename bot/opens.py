"""What an act of a citizen opens for messages to them, and what a message takes of it."""

from enum import StrEnum

MESSAGES = "messages"
"""In Outcome.detail: how many messages one call to a channel came to, where it is not one."""


class Opens(StrEnum):
    """Which window for messages to its contact an act opens on its platform (W7)."""

    MESSAGE = "message"
    ACT = "act"
    NOTHING = "nothing"
