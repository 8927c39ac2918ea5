"""The drafting form: fields in, changes of a draft out."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NotRequired, TypedDict, cast

from aiohttp import web

from blocks.document import BlockFault, Document, Made
from blocks.editor import from_editor
from blocks.light import from_light
from blocks.text import from_plain, project
from console.web.words import read_field_time
from facets.taxonomy import DIMENSIONS, EVERY, NIGHT, URGENT, Labels
from review_queue.article_fields import one_line
from review_queue.canonical import ATTRIBUTION, CROPS, Corrects, Draft
from staff.refusal import Reason, Refused

_ALWAYS = ("topics", "groups", "regions")


class TextChanges(TypedDict):
    """The text: blocks from the editor, without it the plain box alone."""

    body: str
    blocks: NotRequired[Document]


class BesideChanges(TypedDict, total=False):
    """What an article has beside its text, as far as the form asks it."""

    summary: str
    author: str
    made: Made
    cover: str
    crops: dict[str, tuple[int, ...]]
    corrects: Corrects
    comments: bool
    rests: tuple[str, ...]


class Changes(TextChanges, BesideChanges):
    """What the drafting form says; the window only of an item that has one."""

    title: str
    kind: str
    klass: str
    accounts: tuple[str, ...]
    attribution: Mapping[str, str]
    audience: dict[str, list[str]] | None
    not_before: NotRequired[datetime]
    not_after: NotRequired[datetime]


Sent = Mapping[str, Sequence[str]]
"""What a form sent: every field with all its values."""


async def sent_by(request: web.Request) -> dict[str, list[str]]:
    """The text fields of the posted form, trimmed."""
    sent: dict[str, list[str]] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, str):
            sent.setdefault(name, []).append(value.strip())
    return sent


def changes_of(sent: Sent, known: Mapping[str, Labels], stored: Draft | None = None) -> Changes:
    """The drafting form as changes to a Draft; every field by its Chinese name when wrong.

    `known` is the taxonomy of now: a key that was removed must not slip in from an old page.
    `stored` is what the form was filled from: what the plain box cannot say stays as it is there.
    """
    fields = {name: values[0] for name, values in sent.items() if values}
    changes: dict[str, Any] = {
        "title": fields.get("title", ""),
        **_text(fields, stored),
        **_beside(fields),
        **_corrected(fields, stored),
        **_rests(sent),
        "kind": fields.get("kind", ""),
        "klass": fields.get("klass", ""),
        "accounts": tuple(sent.get("accounts", ())),
        "attribution": {name: fields.get(f"from_{name}", "") for name in ATTRIBUTION},
        "audience": _kept(_audience(sent, known), stored, known),
    }
    # A new item has no window to choose yet.
    if "not_before" in fields:
        changes["not_before"] = read_field_time(fields["not_before"], "最早发布时间")
        changes["not_after"] = read_field_time(fields.get("not_after", ""), "最晚发布时间")
    return cast(Changes, changes)


def _text(fields: Mapping[str, str], stored: Draft | None) -> TextChanges:
    """The body: blocks of the editor, or what stands in the plain box."""
    if not fields.get("blocks"):
        if fields.get("marks"):
            return _marked_up(fields.get("body", ""), stored)
        return {"body": clean_body(fields.get("body", ""))}
    try:
        blocks = from_editor(read_tree(fields["blocks"]))
    except BlockFault as fault:
        raise Refused(422, [Reason("body", str(fault))]) from fault
    return {"body": project(blocks).text, "blocks": blocks}


def _marked_up(text: str, stored: Draft | None) -> TextChanges:
    """The light mark-up of the plain box; Refused (422) names what of it was not understood."""
    taken = from_light(text, in_box(stored) if stored is not None else Document(blocks=()))
    if taken.left_out:
        raise Refused(422, [Reason("body", f"正文：{one}") for one in taken.left_out])
    return {"body": project(taken.document).text, "blocks": taken.document}


def in_box(draft: Draft) -> Document:
    """The text that the plain box of a draft was filled with."""
    return draft.blocks if draft.blocks is not None else from_plain(draft.body)


def read_tree(text: str) -> Any:
    """What the editor sent as JSON; None when it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _beside(fields: Mapping[str, str]) -> BesideChanges:
    """Summary, author, who wrote it, cover and its crops, as far as the form has them."""
    found: BesideChanges = {}
    if "summary" in fields:
        found["summary"] = one_line(fields["summary"])
    if "author" in fields:
        found["author"] = one_line(fields["author"])
    if "cover" in fields:
        found["cover"] = fields["cover"]
        found["crops"] = _crops(fields) if fields["cover"] else {}
    if "comments_asked" in fields:  # a box that is not ticked says nothing by itself
        found["comments"] = "comments" in fields
    if "made" in fields:
        if fields["made"] not in set(Made):
            raise Refused(422, [Reason("made", "谁写的只能选：人写、AI 辅助、AI 生成")])
        found["made"] = Made(fields["made"])
    return found


def _corrected(fields: Mapping[str, str], stored: Draft | None) -> BesideChanges:
    """What a correction changed, in words for those who got the text before it."""
    if stored is None or stored.corrects is None or "changes" not in fields:
        return {}
    return {"corrects": replace(stored.corrects, changes=one_line(fields["changes"]))}


def _rests(sent: Sent) -> BesideChanges:
    """The clauses a question and answer rests on, ticked in a form that asks for them."""
    return {"rests": tuple(sorted(set(sent.get("rests", ()))))} if "rests_asked" in sent else {}


def _crops(fields: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    """Chosen parts of the cover: four numbers with commas."""
    found = {}
    for name in CROPS:
        if text := fields.get(f"crop_{name}", ""):
            if not re.fullmatch(r"\d{1,7}(,\d{1,7}){3}", text):
                raise Refused(422, [Reason("crops", "封面的裁剪范围读不出来，请重新选择")])
            found[name] = tuple(int(edge) for edge in text.split(","))
    return found


def _audience(sent: Sent, known: Mapping[str, Labels]) -> dict[str, list[str]] | None:
    if not any(sent.get("push", ())):
        return None
    chosen = {name: _of_now(known, name, sent.get(name, ())) for name in DIMENSIONS}
    for name, keys in chosen.items():
        if unknown := [key for key in keys if key not in known[name]]:
            raise Refused(422, [Reason("audience", f"不认识的推送条件：{'、'.join(unknown)}")])
    # What no earlier form asked for is left out when nothing is chosen: the digest stays the same.
    chosen = {name: keys for name, keys in chosen.items() if keys or name in _ALWAYS}
    if not chosen["topics"]:
        raise Refused(422, [Reason("audience", "要推送给订阅者，请至少选择一个主题")])
    # Of a single value each and any are the same, and so is the digest.
    each = [name for name in DIMENSIONS if EVERY in sent.get(f"how_{name}", ())]
    if every := [name for name in each if len(chosen.get(name, ())) > 1]:
        chosen[EVERY] = every
    if any(sent.get(URGENT, ())):
        chosen[URGENT] = [NIGHT]
    return chosen


def _kept(
    chosen: dict[str, list[str]] | None, stored: Draft | None, known: Mapping[str, Labels]
) -> dict[str, list[str]] | None:
    """What was left alone stays in the keys it was written in, so the digest stays the same."""
    old = stored.audience if stored is not None else None
    if not chosen or not old:
        return chosen
    same = set(old) == set(chosen) and all(
        set(_of_now(known, name, keys)) == set(chosen[name]) for name, keys in old.items()
    )
    return {name: [*keys] for name, keys in old.items()} if same else chosen


def _of_now(known: Mapping[str, Labels], name: str, keys: Sequence[str]) -> list[str]:
    """Keys as they are called now, each once."""
    former = known[name].former if name in known else {}
    return [*dict.fromkeys(former.get(key, key) for key in keys)]


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
    # The plain box trims lines; a line that was left alone stays to its last space and tab.
    if "blocks" not in changes:
        stood = {clean_body(line): line for line in draft.body.split("\n")}
        lines = changes["body"].split("\n")
        changes["body"] = "\n".join(stood.get(line, line) for line in lines)
        if clean_body(draft.body) == clean_body(changes["body"]):
            changes["body"] = draft.body
    return changes


def typed_texts(draft: Draft, sent: Sent) -> Draft:
    """The texts as typed, when another field of the form could not be read."""
    fields = {name: values[0] for name, values in sent.items() if values}
    texts: dict[str, Any] = {
        name: fields[name] for name in ("title", "summary", "author") if name in fields
    }
    if "body" in fields:
        texts["body"] = clean_body(fields["body"])
    if "from_url" in fields:
        texts["attribution"] = {name: fields.get(f"from_{name}", "") for name in ATTRIBUTION}
    return typed(draft, texts)


def typed(draft: Draft, changes: Mapping[str, Any]) -> Draft:
    """The draft with what was typed, to show a refused form again."""
    if "body" in changes and "blocks" not in changes:
        changes = {"blocks": None, **changes}  # what was typed into the plain box, as it stands
    return replace(draft, **changes)
