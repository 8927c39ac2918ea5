"""Where in a picture a finding stands."""

from dataclasses import replace
from datetime import UTC, datetime

from console.items.boxes import boxed_in
from gates.finding import Finding
from review_queue.canonical import Draft
from review_queue.findings import from_json, to_json

DAY = datetime(2026, 11, 3, tzinfo=UTC)
MEDIA = "sha256:" + "a" * 64
FOUND = Finding(
    "secrecy", "secrecy.id-card", "block", "attachment:名单.png", 0, 3, "110", "号码", "法",
    box=(0.1, 0.02, 0.3, 0.04),
)  # fmt: skip


def test_a_box_leads_to_the_picture_it_is_in() -> None:
    draft = Draft(
        kind="notice",
        klass="normal",
        title="公示",
        body=f"见图\n![名单]({MEDIA})",
        accounts=(),
        not_before=DAY,
        not_after=DAY,
        attachments=({"name": "名单.png", "media": MEDIA}, {"name": "名单.pdf", "media": MEDIA}),
    )
    box = boxed_in(draft, FOUND)
    assert box is not None
    assert (box.media, box.view) == ("a" * 64, "0.0000 0.0000 0.6000 0.0900")
    span = (3, len(draft.body))
    in_text = replace(FOUND, field="text", start=span[0], end=span[1])
    assert boxed_in(draft, in_text) == box
    assert boxed_in(draft, replace(FOUND, field="attachment:名单.pdf")) is None
    assert boxed_in(draft, replace(FOUND, box=None)) is None


def test_a_box_is_kept_with_its_finding() -> None:
    kept = from_json(to_json(FOUND))
    assert kept.box == FOUND.box
    assert "box" not in to_json(replace(FOUND, box=None))
