"""Whether a person's row is the newest: an older one, sealed as it is, brings no password back."""

import hashlib
import hmac
from collections.abc import Sequence

from ledger.verify import Entry
from staff.models import Staff


def password_digest(staff_id: str, stored: str) -> str:
    """How an entry names what a person's row keeps of their password."""
    return hashlib.sha256(f"{staff_id}\n{stored}".encode()).hexdigest()


def newest_password(person: Staff, entries: Sequence[Entry]) -> bool:
    """Whether the row holds the password that was set last, as far as a signed entry names it.

    Earlier versions named none: until the next change there is nothing to compare with.
    """
    for entry in reversed(entries):
        told = entry.body.get("password_digest")
        if told is not None:
            own = password_digest(person.id, person.password_hash)
            return hmac.compare_digest(str(told).encode(), own.encode())
    return True
