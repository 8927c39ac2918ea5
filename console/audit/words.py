"""What the auditor's desk says."""

from datetime import datetime

from markupsafe import Markup

from console.web.words import when

DONE: dict[str, str] = {}


def signed_at(text: str) -> Markup:
    """The moment of a signed entry, as other moments are shown."""
    return when(datetime.fromisoformat(text))


FILTERS = {"signed_at": signed_at}
