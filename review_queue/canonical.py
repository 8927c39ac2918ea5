"""The canonical form of a revision and its digest: what approval is bound to, byte for byte.

Form 2, of an article: v, kind, klass, title, body, blocks, cover, crops, summary, author, made,
corrects, attribution, attachments, media, links, accounts, audience, not_before, not_after and
renderings.
Form 1, of whatever was written before there were blocks, of texts for the library and of editions:
the same without blocks, crops, summary, author, made and corrects; and entry, rests and edition.
RFC 8785 text, SHA-256, hex.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Self

import rfc8785

from blocks.document import Document, Made, read_document
from blocks.text import edited, from_plain, linked, project
from bot.contract import Content
from bot.picture_message import KIND as PICTURES

KINDS = ("原创", "转载", "解读", "问答", PICTURES, "更正", "回复模板", "更正告知", "组版")
TEMPLATE, TOLD_NOTICE = "回复模板", "更正告知"
"""What the bot says, and a correction for whoever was told what is corrected."""
LIBRARY_KINDS = frozenset({TEMPLATE, TOLD_NOTICE})
EDITION = "组版"
"""A kind made of approved items that go out as one message (review_queue/editions.py)."""
WRITTEN_KINDS = tuple(kind for kind in KINDS if kind != EDITION)
"""Kinds that somebody writes."""
QA = "问答"
"""A kind that is an article, or with an `entry` a question and answer of the library."""
SHELF_KINDS = LIBRARY_KINDS | {QA}
"""Kinds that are released into the library and go to no account."""
CROPS = {"wide": (235, 100), "square": (1, 1)}
"""The forms of a cover, as width to height: above an article, and small beside its title."""
MOST_SUMMARY, MOST_AUTHOR, MOST_CHANGES = 120, 16, 200
ATTRIBUTION = ("source", "original_author", "original_title", "editor", "url")
_MEDIA = re.compile(r"sha256:[0-9a-f]{64}")
_LINK = re.compile(r"https?://[^\s<>\"'（）()，。；、]+")


@dataclass(frozen=True)
class Corrects:
    """The item that a correction is about, and the digest that went out.

    `changes`: what was changed, to those who got the text before it. `title`: of what is corrected,
    as the correction names it to its readers.
    """

    item: str
    digest: str
    changes: str = ""
    title: str = ""

    def data(self) -> dict[str, str]:
        """As the canonical form has it: what was approved before a field was there stays so."""
        always = ("item", "digest")
        return {name: text for name, text in asdict(self).items() if text or name in always}

    def same_text(self, other: "Corrects | None") -> bool:
        """Whether both are about the same text of the same item."""
        return other is not None and (self.item, self.digest) == (other.item, other.digest)


@dataclass(frozen=True)
class InEdition:
    """One item of an edition, and the digest that was approved of it."""

    item: str
    digest: str


@dataclass(frozen=True)
class Draft:
    """Everything a person decides about an item before it is rendered.

    `audience` maps facet dimensions to keys, or is None (public timeline only, no push). `entry`
    says which place of the library the text is for; only kinds of SHELF_KINDS have one. `rests` are
    the clauses that a question and answer of the library rests on, by id; of a notice of correction
    what was told: clauses, and entries as entry:KEY.
    `blocks` is the body, and `body` then its plain text (blocks/text.py); None: form 1. `crops`
    maps the names of CROPS to left, top, right, bottom in millionths of the cover's sides.
    `edition` are the items of an edition in their order; its body then lists their titles.
    `comments`: readers may write under it, where the platform has that.
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
    blocks: Document | None = None
    summary: str = ""
    author: str = ""
    made: Made = Made.UNDECLARED
    crops: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    corrects: Corrects | None = None
    edition: tuple[InEdition, ...] = ()
    comments: bool = False
    rests: tuple[str, ...] = ()

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
            blocks=self.blocks,
            summary=self.summary,
            author=self.author,
            made=self.made,
            crops=dict(self.crops),
            changes=self.corrects.changes if self.corrects else "",
            comments=self.comments,
            corrected=self.corrects.title if self.corrects else "",
        )

    @classmethod
    def from_canonical(cls, canonical: str) -> Self:
        """Read a draft back from the canonical text; ValueError when body and blocks disagree."""
        data = json.loads(canonical)
        draft = cls(
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
            rests=tuple(data.get("rests", ())),
            edition=tuple(InEdition(**one) for one in data.get("edition", ())),
        )
        return draft if data["v"] == 1 else draft._with_form_2(data)

    def _with_form_2(self, data: Mapping[str, Any]) -> Self:
        blocks = read_document(data["blocks"])
        if project(blocks).text != self.body:
            raise ValueError("the body is not the text of its blocks")
        return replace(
            self,
            blocks=blocks,
            summary=data["summary"],
            author=data["author"],
            made=Made(data["made"]),
            crops={name: tuple(edges) for name, edges in data["crops"].items()},
            corrects=Corrects(**data["corrects"]) if data["corrects"] else None,
            comments=data.get("comments", False),
        )

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """A copy with `changes` applied; TypeError names an unknown field.

        Blocks bring their text with them. A body alone changes the words inside the blocks. What
        says the same as before keeps its form, so that its digest stays.
        """
        new = dict(changes)
        if new.get("blocks") is not None:
            new["body"] = project(new["blocks"]).text
            if self.blocks is None and new["blocks"] == from_plain(self.body):
                new |= {"blocks": None, "body": self.body}
        elif "body" in new and self.blocks is not None:
            new["blocks"] = edited(self.blocks, new["body"])
            new["body"] = project(new["blocks"]).text
        draft = replace(self, **new)
        # A change of the class alone is a revision of its own kind, and says nothing new.
        if new.get("blocks") is not None or draft.says_as(replace(self, klass=draft.klass)):
            return draft
        return draft.in_blocks()

    @property
    def shelved(self) -> bool:
        """Whether it ends in a library and goes to no account (review_queue/shelving.py)."""
        return self.kind in LIBRARY_KINDS or (self.kind == QA and bool(self.entry))

    def says_as(self, other: Self) -> bool:
        """Whether both have one canonical form, but for what channels make of it."""
        nothing: dict[str, Any] = {account: {} for account in {*self.accounts, *other.accounts}}
        return canonical(self, nothing) == canonical(other, nothing)

    def in_blocks(self) -> Self:
        """The draft in form 2; what is for the library, and a list of items, stays a text."""
        if self.blocks is not None or self.shelved or self.edition:
            return self
        blocks = from_plain(self.body)
        return replace(self, blocks=blocks, body=project(blocks).text)


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
    if draft.rests:
        form["rests"] = sorted(draft.rests)
    if draft.edition:
        form["edition"] = [asdict(one) for one in draft.edition]
    if draft.blocks is not None:
        form |= _form_2(draft, draft.blocks, links)
    return rfc8785.dumps(form).decode()


def _form_2(draft: Draft, blocks: Document, links: set[str]) -> dict[str, Any]:
    return {
        "v": 2,
        "blocks": blocks.data(),
        "links": sorted(links | {one.url for one in linked(blocks)}),
        "summary": draft.summary,
        "author": draft.author,
        "made": draft.made.value,
        "crops": {name: list(edges) for name, edges in draft.crops.items()},
        "corrects": draft.corrects.data() if draft.corrects else None,
        # Only where they are open: what was approved before there were comments stays so.
        **({"comments": True} if draft.comments else {}),
    }


def digest(text: str) -> str:
    """SHA-256 of the canonical text, hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def commitment(salt: str, value: Any) -> str:
    """A salted SHA-256 of a short text or value: what the ledger keeps instead of the words."""
    # The salt keeps short words from being guessed from their digest.
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(f"{salt}\n{text}".encode()).hexdigest()
