"""Accepting what a finding suggests, or masking all personal data: one act, one new revision."""

from dataclasses import dataclass

from sqlalchemy import select

from gates.redaction import PERSONAL, ProfileError, profile_of, redact
from review_queue import drafting
from review_queue.canonical import Draft
from review_queue.desk import Queue
from review_queue.findings import Findings, findings_now
from review_queue.models import Item, Revision
from staff.refusal import Reason, Refused

_FIELDS = {"title": "title", "text": "body", "summary": "summary", "author": "author"}


@dataclass(frozen=True)
class Choice:
    """One finding by rule, field and start; `replacement` is one of its suggestions, else the best.

    Without a rule: all personal data of title and text, by `profile` (empty: the one in use).
    """

    rule: str = ""
    field: str = "text"
    start: int = 0
    replacement: str = ""
    profile: str = ""


async def accept(queue: Queue, item_id: str, staff_id: str, version: int, choice: Choice) -> Item:
    """Make the change as a new revision by this editor; approvals end as with every edit.

    Refused: 409 when the finding is gone, 422 when it suggests nothing, and whatever edit refuses.
    """
    digest, rows = await findings_now(queue, item_id)
    query = select(Revision).where(Revision.item_id == item_id, Revision.digest == digest)
    async with queue.db.session() as session:
        revision = (await session.scalars(query.order_by(Revision.number.desc()))).first()
    if revision is None:
        raise Refused(409, [Reason("stale", "稿件刚刚被修改，请重新打开")])
    draft = Draft.from_canonical(revision.canonical)
    changes = _one(draft, rows, choice) if choice.rule else _all_personal(draft, rows, choice)
    return await drafting.edit(queue, item_id, staff_id, version, changes)


def _one(draft: Draft, rows: Findings, choice: Choice) -> dict[str, str]:
    """The changed field after one replacement."""
    wanted = (choice.rule, choice.field, choice.start)
    row = next((one for one in rows if (one.rule, one.field, one.start) == wanted), None)
    if row is None:
        raise Refused(409, [Reason("finding", "这条提示已经不在了，请重新打开稿件查看")])
    # The words of an attachment are not ours to change: the file stays as it was uploaded.
    if row.field not in _FIELDS:
        raise Refused(422, [Reason("attachment", "附件里的问题请在原文件里改好，再重新上传")])
    offered = [row.suggestion, *row.suggestions]
    replacement = choice.replacement or row.suggestion
    # Only what the rule itself offered: this road must not become an edit past the form.
    if replacement is None or replacement not in offered:
        raise Refused(422, [Reason("suggestion", "这条提示没有这样的建议文字，请自己修改")])
    name = _FIELDS[row.field]
    text: str = getattr(draft, name)
    # The place is counted in characters; after any edit it may point at other words.
    if text[row.start : row.end] != row.text:
        raise Refused(409, [Reason("stale", "稿件刚刚被修改，请重新打开")])
    return {name: text[: row.start] + replacement + text[row.end :]}


def _all_personal(draft: Draft, rows: Findings, choice: Choice) -> dict[str, str]:
    """Title and text with every personal datum masked."""
    try:
        profile = profile_of(choice.profile)
    except ProfileError as error:
        raise Refused(422, [Reason("profile", str(error))]) from error
    changes = {}
    for field, name in _FIELDS.items():
        text: str = getattr(draft, name)
        masked = redact(text, [row for row in rows if row.field == field], profile)
        if masked != text:
            changes[name] = masked
    if not changes:
        elsewhere = any(row.rule in PERSONAL for row in rows)
        words = (
            "附件里的个人信息请在原文件里去除后重新上传" if elsewhere else "没有要遮盖的个人信息"
        )
        raise Refused(422, [Reason("personal", words)])
    return changes
