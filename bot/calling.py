"""Whether a call that cannot be taken back has begun: what fails before it was surely not sent."""

from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass
class Call:
    """One act on its way to a platform."""

    begun: bool = False
    made: Counter[str] = field(default_factory=Counter)
    """Calls to the platform by name, also those that only prepare: it counts them (W35)."""


_current: ContextVar[Call | None] = ContextVar("call", default=None)


def watch() -> Call:
    """A new act of the running task; see `begin`."""
    call = Call()
    _current.set(call)
    return call


def begin() -> None:
    """Said by a channel's wire directly before bytes leave that may reach somebody."""
    if (call := _current.get()) is not None:
        call.begun = True


def made(name: str) -> None:
    """Said by a channel's wire for each call: the platform counts it, whatever it answers."""
    if (call := _current.get()) is not None:
        call.made[name] += 1
