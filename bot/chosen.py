"""A send to the people of an audience in one call: who they are is asked at its last moment."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

CALL_HOLD = "call"
"""Delivery.hold: waits for the one call that its publication makes for everybody."""
REACHED = "reached"
"""In Outcome.detail: what the platform says of how many it reached, in words."""


@dataclass(frozen=True)
class Chosen:
    """`people` notes and returns the addresses that the call is for; `still` as elsewhere.

    Asked again it leaves out who has left since. `without` notes whom the platform does not let
    into the call.
    """

    people: Callable[[], Awaitable[Sequence[str]]]
    without: Callable[[Collection[str]], Awaitable[None]]
    still: Callable[[], Awaitable[None]]
