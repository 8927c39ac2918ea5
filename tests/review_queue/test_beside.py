"""Every word that goes out meets the gates, wherever it stands; what nobody sees blocks."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from blocks.document import read_document
from bot.telegram.rendering import render_telegram
from bot.wechat.rendering import render_wechat
from gates.engine import run_gates
from gates.finding import Finding, GateText, NoFacts
from gates.rules import RuleSet
from review_queue.beside import beside, hidden_findings
from review_queue.canonical import Draft

MOMENT = datetime(2026, 11, 24, 4, tzinfo=UTC)
PHONE = "13812345678"
PICTURE = {"kind": "picture", "media": "sha256:" + "a" * 64, "licence": "自有"}


def draft(*blocks: dict[str, Any], **more: Any) -> Draft:
    said = {"kind": "paragraph", "runs": [{"text": "周六开放。"}]}
    plain = Draft("原创", "日常", "开放时间", "", (), MOMENT, MOMENT, **more)
    return plain.changed({"blocks": read_document([said, *blocks])})


def linked(url: str) -> dict[str, Any]:
    return {"kind": "paragraph", "runs": [{"text": "这里", "link": url}]}


@pytest.mark.parametrize(
    ("field", "one"),
    [
        ("summary", draft(summary=f"咨询张三{PHONE}")),
        ("author", draft(author=PHONE)),
        ("picture_origin", draft({**PICTURE, "origin": f"张三摄，{PHONE}"})),
        ("attribution", draft(attribution={"source": f"县局\n\n张三{PHONE}"})),
        ("attribution", draft(attribution={"original_author": f"张三{PHONE}"})),
        ("attribution", draft(attribution={"original_title": f"张三{PHONE}"})),
        ("attribution", draft(attribution={"editor": f"张三{PHONE}"})),
        ("attachment_names", draft(attachments=({"name": f"张三{PHONE}.pdf", "media": ""},))),
        ("addresses", draft(linked(f"tel:{PHONE}"))),
        ("addresses", draft(linked(f"mailto:张三{PHONE}@qq.example"))),
    ],
)
def test_words_that_a_channel_shows_beside_the_text_are_read(field: str, one: Draft) -> None:
    shown = f"{render_wechat(one.content)}{render_telegram(one.content)}"
    assert PHONE in shown
    words = {part.field: part.words for part in beside(one)}
    assert PHONE in words[field]
    found = run_gates(
        GateText("", words[field], "原创", date(2026, 11, 24)), RuleSet.load(), NoFacts()
    )
    assert [part.text for part in found if part.severity == "block"] == [PHONE]


def blocking(one: Draft) -> list[Finding]:
    return list(hidden_findings(one))


def test_an_order_turned_by_a_sign_nobody_sees_blocks_with_its_remedy() -> None:
    one = replace(draft(), title="\u202e人废残\u202c补贴")
    first, second = blocking(one)
    assert (first.field, first.severity, first.text) == ("title", "block", "\u202e人")
    assert first.suggestion == "人"
    assert one.title[second.start : second.end] == second.text == "残\u202c补"
    assert second.suggestion == "残补"


@pytest.mark.parametrize("sign", ["\u2066", "\u2069", "\U000e0041", "\ufff9"])
@pytest.mark.parametrize("place", ["text", "summary", "attribution"])
def test_a_sign_that_is_not_seen_blocks_wherever_it_stands(sign: str, place: str) -> None:
    words = f"残{sign}废人"
    one = {
        "text": draft({"kind": "quote", "runs": [{"text": words}]}),
        "summary": draft(summary=words),
        "attribution": draft(attribution={"editor": words}),
    }[place]
    assert [part.field for part in blocking(one)] == [place]


@pytest.mark.parametrize("words", ["👨\u200d👩\u200d👧 一家", "软\u00ad连字", "普通一句", "ئۇيغۇر"])
def test_signs_of_ordinary_writing_block_nothing(words: str) -> None:
    assert blocking(draft(summary=words)) == []
