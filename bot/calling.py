"""Whether a call that cannot be taken back has begun: what fails before it was surely not sent."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Call:
    """One act on its way to a platform."""

    begun: bool = False


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
