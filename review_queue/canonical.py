"""The canonical form of a revision and its digest: what approval is bound to, byte for byte.

Fields, all always present: v, kind, klass, title, body, cover, attribution, attachments, media,
links, accounts, audience, not_before, not_after, renderings; and entry, of an item that ends in
the library. RFC 8785 text, SHA-256, hex.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

import rfc8785

from bot.contract import Content

KINDS = ("原创", "转载", "解读", "问答", "更正", "回复模板")
LIBRARY_KINDS = frozenset({"回复模板"})
"""Kinds that are released into the library and go to no account."""
ATTRIBUTION = ("source", "original_author", "original_title", "editor", "url")
_MEDIA = re.compile(r"sha256:[0-9a-f]{64}")
_LINK = re.compile(r"https?://[^\s<>\"'（）()，。；、]+")


@dataclass(frozen=True)
class Draft:
    """Everything a person decides about an item before it is rendered.

    `audience` maps facet dimensions to keys, or is None (public timeline only, no push). `entry`
    says which place of the library the text is for; only kinds of LIBRARY_KINDS have one.
    """

    kind: str
    klass: str
    title: str
    body: str
    accounts: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    cover: str = ""
    attribution: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Mapping[str, str], ...] = ()
    audience: Mapping[str, list[str]] | None = None
    entry: str = ""

    @property
    def content(self) -> Content:
        """The part that channels render."""
        return Content(
            kind=self.kind,
            title=self.title,
            body=self.body,
            attribution=dict(self.attribution),
            attachments=self.attachments,
            cover=self.cover,
        )

    @classmethod
    def from_canonical(cls, canonical: str) -> Self:
        """Read a draft back from the canonical text."""
        data = json.loads(canonical)
        return cls(
            kind=data["kind"],
            klass=data["klass"],
            title=data["title"],
            body=data["body"],
            accounts=tuple(data["accounts"]),
            not_before=datetime.fromisoformat(data["not_before"]),
            not_after=datetime.fromisoformat(data["not_after"]),
            cover=data["cover"],
            attribution=data["attribution"],
            attachments=tuple(data["attachments"]),
            audience=data["audience"],
            entry=data.get("entry", ""),
        )

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """A copy with `changes` applied; TypeError names an unknown field."""
        return replace(self, **changes)


def canonical(draft: Draft, renderings: Mapping[str, Mapping[str, Any]]) -> str:
    """The RFC 8785 text of a draft with one rendering per account id."""
    # What is reachable from the text is part of what was approved.
    links = set(_LINK.findall(draft.body)) | {draft.attribution.get("url", "")} - {""}
    media = set(_MEDIA.findall(json.dumps([draft.body, draft.cover, list(draft.attachments)])))
    form: dict[str, Any] = {
        "v": 1,
        "kind": draft.kind,
        "klass": draft.klass,
        "title": draft.title,
        "body": draft.body,
        "cover": draft.cover,
        # Always all fields: an absent and an empty one must not give two digests.
        "attribution": {name: draft.attribution.get(name, "") for name in ATTRIBUTION},
        "attachments": [dict(part) for part in draft.attachments],
        "media": sorted(media),
        "links": sorted(links),
        # Order of choosing means nothing, so it must not change the digest.
        "accounts": sorted(draft.accounts),
        "audience": None
        if draft.audience is None
        else {name: sorted(keys) for name, keys in draft.audience.items()},
        "not_before": draft.not_before.isoformat(),
        "not_after": draft.not_after.isoformat(),
        # Exactly what each platform will be given: approval is bound to it, not only to the text.
        "renderings": {account: dict(renderings[account]) for account in draft.accounts},
    }
    # Only where there is one: what was approved before there were entries keeps its digest.
    if draft.entry:
        form["entry"] = draft.entry
    return rfc8785.dumps(form).decode()


def digest(text: str) -> str:
    """SHA-256 of the canonical text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def commitment(salt: str, value: Any) -> str:
    """A salted SHA-256 of a short text or value: what the ledger keeps instead of the words."""
    # The salt keeps short words from being guessed from their digest.
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()
