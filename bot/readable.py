"""Text as a platform may hand it over, made such that it can be stored, signed and sent back."""

import re

_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")


def readable(text: str) -> str:
    """Without half signs (the first half of an emoji that a phone cut) and without NUL.

    No encoding has a form for the one, and PostgreSQL no place for the other.
    """
    return _UNSTORABLE.sub("", text)
