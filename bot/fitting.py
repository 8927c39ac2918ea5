"""What a platform's call may become: an act with the types and sizes of the table that keeps it."""

from typing import Any

from bot.contract import Inbound

_WIDEST = 2**63  # of a number in the table
_LONGEST_KEY = 128
_TEXTS = ("address", "dedupe", "text", "key", "callback_id", "album", "thread")


def fitting(**fields: Any) -> Inbound:
    """The act; ValueError for one that no table could keep: whoever sent it is no platform's form.

    What a library hands on unlooked (a list where a number belongs) would fail in the database.
    """
    made = Inbound(**fields)
    if not all(isinstance(getattr(made, name), str) for name in _TEXTS):
        raise ValueError("a text is none")
    for number in (made.position, made.place):
        if type(number) is not int or not -_WIDEST <= number < _WIDEST:
            raise ValueError("a number is none, or none that can be kept")
    if len(made.key) > _LONGEST_KEY:
        raise ValueError("a key is too long")
    return made
