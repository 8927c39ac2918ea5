"""One check as plain data, so that it can be done here or in a process of its own."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


class NotDone(Exception):
    """A check that did not come to its end; the text says why and what to do, in Chinese."""

    def __init__(self, rule: str, reason: str) -> None:
        """`rule` is how the finding about it is called."""
        super().__init__(reason)
        self.rule = rule


@dataclass(frozen=True)
class Held:
    """Something large that checks share: a rule set, a library, the spelling model.

    `make(data)` makes it anew in another process, which keeps the one of each `kind` that was asked
    for last, by its `key`. `here` is the thing itself in this process, when there is one.
    """

    kind: str
    key: str
    make: Callable[[Any], Any]
    data: Any
    here: Any = None


@dataclass(frozen=True)
class Work:
    """`run(*held, *given)`: a function of a module, and what it is called with."""

    run: Callable[..., Any]
    given: tuple[Any, ...]
    held: tuple[Held, ...] = ()


class Asked(NamedTuple):
    """A piece of work as it is sent: without what it shares, which is named by kind."""

    work: Work
    kinds: tuple[str, ...]


class Runner(Protocol):
    """Does one piece of work off the event loop."""

    async def run(self, work: Work) -> Any:
        """Its result; NotDone when it was given up."""
        ...

    async def close(self) -> None:
        """End what still runs."""
        ...


class InThread:
    """Work in a thread of this process: for tools and tests, without a limit."""

    async def run(self, work: Work) -> Any:
        """Its result."""
        return await asyncio.to_thread(done, work, [_thing(one) for one in work.held])

    async def close(self) -> None:
        """Nothing is kept."""


def done(work: Work, held: Sequence[Any]) -> Any:
    """The work, done now, with what it shares at hand."""
    return work.run(*held, *work.given)


def _thing(held: Held) -> Any:
    return held.make(held.data) if held.here is None else held.here


def held_as_is(kind: str, key: str, thing: Any) -> Held:
    """Something that goes to another process as it is."""
    return Held(kind, key, _same, thing, thing)


def _same(thing: Any) -> Any:
    return thing
