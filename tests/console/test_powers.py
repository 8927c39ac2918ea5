"""An admin with the API: no route of review approves, hurries, lowers, waives or sends for them."""

from typing import Any

import pytest
from sqlalchemy import select

from bot.models import Publication
from review_queue.findings import findings_now
from review_queue.models import Decision, Item
from tests.console.office import Office

OK = {
    gate: {"ok": True, "note": ""} for gate in ("politics", "law", "policy", "secrecy", "wording")
}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("decisions", {"verdict": "approve", "gates": OK, "proof": True}),
        ("decisions", {"verdict": "refer", "department": "县统计局", "note": "对吗"}),
        ("emergency", {"reason": "汛情"}),
        ("class", {"to": "日常", "reason": "不要紧"}),
        (
            "waivers",
            {"gate": "law", "rule": "x", "field": "text", "start": 0, "end": 1, "reason": "好"},
        ),
        ("referral", {"text": "没有问题"}),
        ("schedule", {}),
        ("submit", {}),
    ],
)
async def test_an_admin_is_refused(office: Office, path: str, body: dict[str, Any]) -> None:
    row = await office.submitted()
    digest, _ = await findings_now(office.deps.queue, row.id)
    if path == "decisions":
        body = body | {"digest": digest, "version": row.version}
    elif path in ("emergency", "submit"):
        body = body | {"version": row.version}
    browser = await office.signed_in("admin1")
    status, answer = await browser.api("POST", f"/items/{row.id}/{path}", body)
    assert status == 403
    assert answer["reasons"]
    async with office.deps.db.session() as session:
        item = await session.get(Item, row.id)
        assert item is not None
        assert (item.state, item.level, item.klass) == ("review", 0, "重要")
        assert (await session.scalars(select(Decision))).all() == []
        assert (await session.scalars(select(Publication))).all() == []


async def test_a_stale_answer_of_the_api_carries_the_content_of_now(office: Office) -> None:
    row = await office.submitted()
    await office.decide(row, "reviewer1")
    digest, _ = await findings_now(office.deps.queue, row.id)
    browser = await office.signed_in("reviewer2")
    body = {"verdict": "approve", "digest": digest, "version": row.version - 1, "gates": OK}
    status, answer = await browser.api("POST", f"/items/{row.id}/decisions", body)
    assert (status, answer["rule"]) == (409, "stale")
    assert answer["current"]["digest"] == digest


async def test_the_api_lists_all_reasons_against_publishing(office: Office) -> None:
    row = await office.submitted()
    browser = await office.signed_in("editor")
    _, answer = await browser.api("GET", f"/items/{row.id}/why-not-publish")
    words = "；".join(reason["message"] for reason in answer["reasons"])
    for level in ("初审", "复审", "终审"):
        assert f"缺少{level}的批准" in words
