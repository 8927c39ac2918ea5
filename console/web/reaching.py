"""Whom a push reaches at this moment, in words and for the JSON API; nobody by name."""

from typing import Any

from subscriptions.matching import Reach

NOBODY = (
    "现在没有订阅者符合这些推送条件，发布后推送不到任何人："
    "可以少选几项、改成“符合其中一项即可”，或者不推送。不改也可以提交"
)
"""Of an audience that reaches nobody at this moment."""


def reach_json(reach: Reach) -> dict[str, Any]:
    """Numbers, some reasons under a masked reference, and words where there is nobody."""
    return {
        "count": reach.total,
        "accounts": dict(reach.accounts),
        "sample": [{"who": one.who, "reason": one.reason} for one in reach.sample],
        "words": "" if reach.total else NOBODY,
    }
