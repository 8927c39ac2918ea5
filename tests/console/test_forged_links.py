"""An expert's link counts as it was signed: a row written into the table is no question."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from config.clock import now
from ledger.models import Incident
from ledger.verify import Entry
from review_queue import experts
from review_queue.expert_models import ExpertLink
from review_queue.models import Revision
from staff.standing import facts_or_refuse
from tests.console.office import Browser, Office
from tests.console.test_experts import link_of

OWN = "a-token-of-the-attacker"
HASH = hashlib.sha256(OWN.encode()).hexdigest()


async def told(office: Office) -> list[str]:
    async with office.deps.db.session() as session:
        query = select(Incident.subject).where(Incident.kind == "row_changed")
        return [subject.split(":")[0] for subject in (await session.scalars(query)).all()]


async def sql(office: Office, **values: Any) -> None:
    async with office.deps.db.session() as session:
        await session.execute(update(ExpertLink).values(**values))


async def kinds(office: Office, item_id: str) -> list[str]:
    return [entry.kind for entry in await office.deps.ledger.facts(f"item:{item_id}")]


async def try_answer(office: Office, item_id: str, path: str) -> tuple[int, int]:
    """What a stranger gets for opening a link and for answering through it."""
    async with office.deps.db.session() as session:
        query = select(Revision.digest).where(Revision.item_id == item_id)
        digest = (await session.scalars(query.order_by(Revision.number.desc()))).first()
    stranger = Browser(office.client())
    seen, _ = await stranger.get(path)
    said = {"digest": str(digest), "verdict": "agree", "name": "张处长", "text": "可以发布"}
    return seen, (await stranger.post(path, **said))[0]


async def test_a_link_written_by_sql_opens_nothing_and_takes_no_answer(office: Office) -> None:
    item = await office.submitted()
    async with office.deps.db.session() as session:
        query = select(Revision.digest).where(Revision.item_id == item.id)
        row = {
            "id": "forged",
            "salt": "00",
            "item_id": item.id,
            "digest": (await session.scalars(query)).one(),
            "token_hash": HASH,
            "organisation": "县司法局",
            "question": "请核对是否合法",
            "asked_by": office.people["reviewer1"],
            "asked_at": now(),
            "expires_at": now() + timedelta(days=20),
        }
        await session.execute(insert(ExpertLink), [row])
    assert await try_answer(office, item.id, f"/expert/{OWN}") == (404, 404)
    assert "expert.answered" not in await kinds(office, item.id)
    assert await told(office) == ["expert_link"]


@pytest.mark.parametrize(
    "change",
    [
        {"token_hash": HASH},
        {"expires_at": now() + timedelta(days=300)},
        {"asked_at": now() + timedelta(days=1)},
        {"question": "别的问题"},
        {"asked_by": "somebody else"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_link_changed_by_sql_opens_nothing(
    office: Office, change: dict[str, object]
) -> None:
    item = await office.submitted()
    path = await link_of(office, await office.signed_in("editor"), item.id)
    await sql(office, **change)
    path = f"/expert/{OWN}" if "token_hash" in change else path
    assert await try_answer(office, item.id, path) == (404, 404)
    assert "expert.answered" not in await kinds(office, item.id)
    assert await told(office) == ["expert_link"]


async def test_an_answered_link_made_open_again_takes_no_second_answer(office: Office) -> None:
    item = await office.submitted()
    path = await link_of(office, await office.signed_in("editor"), item.id)
    assert await try_answer(office, item.id, path) == (200, 200)
    await sql(office, answered_at=None, verdict="", name="", text="")
    assert await try_answer(office, item.id, path) == (410, 410)
    assert (await kinds(office, item.id)).count("expert.answered") == 1
    assert await told(office) == ["expert_link"]


@pytest.mark.parametrize(
    "change",
    [
        {"text": "经审核，内容合法"},
        {"verdict": "problem"},
        {"answered_at": None, "verdict": "", "name": "", "text": ""},
    ],
    ids=["words", "verdict", "no answer"],
)
async def test_an_answer_changed_by_sql_is_not_shown(
    office: Office, change: dict[str, object]
) -> None:
    item = await office.submitted()
    path = await link_of(office, await office.signed_in("editor"), item.id)
    assert await try_answer(office, item.id, path) == (200, 200)
    reviewer, page = await office.signed_in("reviewer1"), f"/console/items/{item.id}"
    shown = "<strong>县人社局就业科</strong>"
    for place in (page, f"{page}/experts"):
        assert shown in (await reviewer.get(place))[1]
    await sql(office, **change)
    for place in (page, f"{page}/experts"):
        status, text = await reviewer.get(place)
        assert (status, shown in text) == (200, False)
    assert await told(office) == ["expert_link"]


async def test_a_withdrawn_link_made_open_again_stays_closed(office: Office) -> None:
    item = await office.submitted()
    editor = await office.signed_in("editor")
    path = await link_of(office, editor, item.id)
    async with office.deps.db.session() as session:
        link = (await session.scalars(select(ExpertLink.id))).one()
    page = f"/console/items/{item.id}/experts/{link}/withdraw"
    assert (await editor.post(page))[0] == 303
    await sql(office, withdrawn_at=None)
    assert await try_answer(office, item.id, path) == (410, 410)
    assert await told(office) == ["expert_link"]


async def test_a_question_signed_by_an_earlier_version_is_answered(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its entry names neither token nor moment; what it does name is still compared."""
    item = await office.submitted()
    path = await link_of(office, await office.signed_in("editor"), item.id)
    held = facts_or_refuse

    async def earlier(*given: Any) -> list[Entry]:
        entries = await held(*given)
        for entry in entries:
            if entry.kind == "expert.asked":
                entry.body.pop("token", None)
                entry.body.pop("asked_at", None)
        return entries

    monkeypatch.setattr(experts, "facts_or_refuse", earlier)
    assert await try_answer(office, item.id, path) == (200, 200)
