"""Words of the page of topics."""

from typing import Any

from subscriptions.audit import FAULTS
from subscriptions.departures import HOW, masked

WORDS: dict[str, Any] = {"LEFT_HOW": HOW, "LIST_FAULTS": FAULTS}
FILTERS: dict[str, Any] = {"masked": masked}
