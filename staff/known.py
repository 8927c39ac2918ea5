"""Browsers in which somebody signed in before: what others fail at does not shut them out."""

import hmac
import secrets
from collections.abc import Iterable
from datetime import timedelta

from config.clock import now
from staff.models import Staff
from storage.crypt import DataKey

KNOWN_LIFE = timedelta(days=180)
MOST_KNOWN = 20
"""How many people's marks of one browser are looked at."""


def known_mark(crypt: DataKey, person: Staff) -> str:
    """What a browser keeps after a good sign-in: made with a key outside the database.

    A new password makes it worthless: whoever took the browser is a stranger then.
    """
    begun, salt = str(int(now().timestamp())), secrets.token_urlsafe(12)
    return f"{begun}.{salt}.{_mac(crypt, person, begun, salt)}"


def known_here(crypt: DataKey, person: Staff, marks: Iterable[str]) -> str | None:
    """The mark among these that says this person signed in here before."""
    for mark in list(marks)[:MOST_KNOWN]:
        begun, _, rest = mark.partition(".")
        salt, _, mac = rest.partition(".")
        right = _mac(crypt, person, begun, salt)
        if hmac.compare_digest(right.encode(), mac.encode(errors="replace")) and _young(begun):
            return mark
    return None


def _young(begun: str) -> bool:
    return begun.isdigit() and now().timestamp() - int(begun) < KNOWN_LIFE.total_seconds()


def _mac(crypt: DataKey, person: Staff, begun: str, salt: str) -> str:
    return crypt.blind(f"known browser:{person.id}:{begun}:{salt}:{person.password_hash}")
