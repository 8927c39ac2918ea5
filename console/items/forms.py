"""The drafting form: fields in, changes of a draft out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from aiohttp import web

from console.web.deps import DEPS
from console.web.pages import form, many
from console.web.words import read_field_time
from review_queue.canonical import ATTRIBUTION, Draft
from staff.refusal import Reason, Refused

DIMENSIONS = ("topics", "groups", "regions")


class Changes(TypedDict):
    """What the drafting form says; the window only of an item that has one."""

    title: str
    body: str
    kind: str
    klass: str
    accounts: tuple[str, ...]
    attribution: Mapping[str, str]
    audience: dict[str, list[str]] | None
    not_before: NotRequired[datetime]
    not_after: NotRequired[datetime]


async def read_changes(request: web.Request) -> Changes:
    """The drafting form as changes to a Draft; every field by its Chinese name when wrong."""
    fields = await form(request)
    changes: Changes = {
        "title": fields.get("title", ""),
        "body": clean_body(fields.get("body", "")),
        "kind": fields.get("kind", ""),
        "klass": fields.get("klass", ""),
        "accounts": tuple(await many(request, "accounts")),
        "attribution": {name: fields.get(f"from_{name}", "") for name in ATTRIBUTION},
        "audience": await _audience(request, fields),
    }
    # A new item has no window to choose yet.
    if "not_before" in fields:
        changes["not_before"] = read_field_time(fields["not_before"], "最早发布时间")
        changes["not_after"] = read_field_time(fields.get("not_after", ""), "最晚发布时间")
    return changes


async def _audience(request: web.Request, fields: Mapping[str, str]) -> dict[str, list[str]] | None:
    if not fields.get("push"):
        return None
    # The taxonomy of now: a key that was removed must not slip in from an old page.
    known = request.config_dict[DEPS].facets
    chosen = {name: await many(request, name) for name in DIMENSIONS}
    for name, keys in chosen.items():
        if unknown := [key for key in keys if key not in known.get(name, {})]:
            raise Refused(422, [Reason("audience", f"不认识的推送条件：{'、'.join(unknown)}")])
    if not chosen["topics"]:
        raise Refused(422, [Reason("audience", "要推送给订阅者，请至少选择一个主题")])
    return chosen


def clean_body(text: str) -> str:
    """One newline between paragraphs; pasted spaces, tabs and blank lines go."""
    lines = (line.replace("\u00a0", " ").strip(" \t\u3000") for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def keep_same_minute(changes: Changes, draft: Draft) -> Changes:
    """A form says minutes: an untouched window keeps its seconds, so the digest stays the same."""
    if changes.get("not_before") == draft.not_before.replace(second=0, microsecond=0):
        changes["not_before"] = draft.not_before
    if changes.get("not_after") == draft.not_after.replace(second=0, microsecond=0):
        changes["not_after"] = draft.not_after
    attribution = {name: draft.attribution.get(name, "") for name in ATTRIBUTION}
    if changes["attribution"] == attribution:
        changes["attribution"] = draft.attribution
    return changes


def typed(draft: Draft, changes: Mapping[str, Any]) -> Draft:
    """The draft with what was typed, to show a refused form again."""
    return replace(draft, **changes)
