"""Words typed and not saved: kept for their writer alone, offered again, gone once saved."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from config.clock import now
from console.items import working
from console.items.models import WorkingCopy
from review_queue import drafting
from staff.models import ConsoleSession
from staff.refusal import Refused
from tests.console.article import draft_of, revision
from tests.console.office import PASSWORD, Browser, Office
from tests.console.test_editing import fields_of, saved

WORDS = "打了一半的文字"


async def keep(browser: Browser, place: str, **fields: Any) -> int:
    sent = {name: value if isinstance(value, list) else [value] for name, value in fields.items()}
    answer = await browser.client.post(
        "/console/items/working",
        json={"place": place, "fields": sent},
        headers={"X-CSRF": browser.csrf},
        allow_redirects=False,
    )
    return answer.status


async def rows(office: Office) -> list[WorkingCopy]:
    async with office.deps.db.session() as session:
        return list((await session.scalars(select(WorkingCopy))).all())


async def test_words_not_saved_are_offered_restored_and_gone_once_saved(office: Office) -> None:
    row, editor = await office.item("旧文"), await office.signed_in("editor")
    fields = fields_of(await draft_of(office, row.id), row.version, body=WORDS)
    before = await revision(office, row.id)
    assert await keep(editor, row.id, **fields) == 200
    assert (await revision(office, row.id)).digest == before.digest
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    assert "有一份没有保存的内容" in page
    assert WORDS not in page
    _, page = await editor.get(f"/console/items/{row.id}/edit?restore=1")
    assert f">{WORDS}</textarea>" in page
    assert (await saved(editor, row.id, fields))[0] == 303
    assert (await draft_of(office, row.id)).body == WORDS
    assert await rows(office) == []


async def test_nobody_else_is_offered_them_and_the_table_does_not_tell_them(
    office: Office,
) -> None:
    row, editor = await office.item("旧文"), await office.signed_in("editor")
    await keep(editor, row.id, title="标题", body=WORDS)
    (kept,) = await rows(office)
    assert WORDS not in kept.fields
    other = office.people["reviewer1"]
    assert await working.kept(office.deps, other, row.id) is None
    async with office.deps.db.session() as session:
        moved = WorkingCopy(staff_id=other, place=row.id, fields=kept.fields, at=kept.at)
        session.add(moved)
        await session.commit()
    assert await working.kept(office.deps, other, row.id) is None
    reviewer = await office.signed_in("reviewer1")
    assert await keep(reviewer, row.id, body="x") == 403


async def test_words_that_were_offered_and_left_alone_outlive_another_text_that_is_saved(
    office: Office,
) -> None:
    editor = await office.signed_in("editor")
    await keep(editor, "new", title="标题", body=WORDS)
    _, page = await editor.get("/console/items/new")
    hidden = dict(re.findall(r'type="hidden" name="(offered)" value="(1)"', page))
    assert hidden
    account = re.findall(r'name="accounts" value="(\w+)"', page)[0]
    typed = {"title": "另一篇", "kind": "原创", "klass": "日常", "accounts": account, **hidden}
    status, page = await editor.post("/console/items/new", body="", **typed)
    assert status == 422
    assert 'name="offered"' in page
    assert "有一份没有保存的内容" in page
    assert (await editor.post("/console/items/new", body="一句", **typed))[0] == 303
    assert "有一份没有保存的内容" in (await editor.get("/console/items/new"))[1]
    _, page = await editor.get("/console/items/new?restore=1")
    assert WORDS in page
    assert 'name="offered"' not in page


async def test_words_thrown_away_are_gone(office: Office) -> None:
    editor = await office.signed_in("editor")
    await keep(editor, "new", title="标题", body=WORDS)
    assert "有一份没有保存的内容" in (await editor.get("/console/items/new"))[1]
    assert (await editor.post("/console/items/working/new/drop"))[0] == 303
    assert "有一份没有保存的内容" not in (await editor.get("/console/items/new"))[1]


async def test_restored_words_do_not_overwrite_what_somebody_saved_since(office: Office) -> None:
    row, editor = await office.item("旧文"), await office.signed_in("editor")
    fields = fields_of(await draft_of(office, row.id), row.version, body=WORDS)
    await keep(editor, row.id, **fields)
    theirs = {"body": "同事保存的"}
    await drafting.edit(office.deps.queue, row.id, office.people["editor"], row.version, theirs)
    _, page = await editor.get(f"/console/items/{row.id}/edit?restore=1")
    assert f'name="version" value="{row.version}"' in page
    status, page = await saved(editor, row.id, fields)
    assert status == 409
    assert WORDS in page
    assert "同事保存的" in page


async def age(office: Office, **columns: Any) -> None:
    async with office.deps.db.session() as session:
        for row in (await session.scalars(select(ConsoleSession))).all():
            for name, value in columns.items():
                setattr(row, name, value)
        await session.commit()


async def test_a_form_posted_after_the_session_ran_out_waits_behind_the_sign_in(
    office: Office,
) -> None:
    row, editor = await office.item("旧文"), await office.signed_in("editor")
    fields = fields_of(await draft_of(office, row.id), row.version, body=WORDS)
    await age(office, seen_at=now() - timedelta(hours=1))
    status, _ = await saved(editor, row.id, fields)
    assert status == 303
    assert (await draft_of(office, row.id)).body == "旧文"
    assert await editor.sign_in("editor", PASSWORD) == 303
    _, page = await editor.get(f"/console/items/{row.id}/edit?restore=1")
    assert f">{WORDS}</textarea>" in page


@pytest.mark.parametrize("why", ["token", "revoked", "old"])
async def test_words_of_a_form_that_is_not_the_sessions_own_are_not_kept(
    office: Office, why: str
) -> None:
    editor = await office.signed_in("editor")
    past = now() - timedelta(days=3)
    gone = {"revoked": {"revoked_at": now()}, "old": {"created_at": past, "seen_at": past}}
    await age(office, **gone.get(why, {"seen_at": now() - timedelta(hours=1)}))
    token = "another" if why == "token" else editor.csrf
    status, _ = await editor.post("/console/items/new", csrf=token, title="标题", body=WORDS)
    assert status == 303
    assert await rows(office) == []


async def test_typing_keeps_the_session_alive(office: Office) -> None:
    editor = await office.signed_in("editor")
    await age(office, seen_at=now() - timedelta(minutes=25))
    assert await keep(editor, "new", title="标题", body=WORDS) == 200
    async with office.deps.db.session() as session:
        (row,) = (await session.scalars(select(ConsoleSession))).all()
    assert now() - row.seen_at < timedelta(minutes=1)


async def test_a_form_longer_than_anything_real_is_refused_in_words(office: Office) -> None:
    row = {"title": ["标题"], "body": ["字" * working.LONGEST]}
    with pytest.raises(Refused, match="没有暂存"):
        await working.keep(office.deps, office.people["editor"], "new", row)


async def test_words_nobody_came_back_to_for_thirty_days_go_whoever_typed_them(
    office: Office,
) -> None:
    deps = office.deps
    for login, place, days in (("editor", "new", 31), ("admin1", "new", 31), ("editor", "a", 29)):
        await working.keep(deps, office.people[login], place, {"title": ["字"]})
        async with deps.db.session() as session:
            mine = WorkingCopy.staff_id == office.people[login], WorkingCopy.place == place
            at = now() - timedelta(days=days)
            await session.execute(update(WorkingCopy).where(*mine).values(at=at))
    await working.drop_old(deps.db)
    assert [(row.staff_id, row.place) for row in await rows(office)] == [
        (office.people["editor"], "a")
    ]


@pytest.mark.parametrize("way", ["page", "api", "emergency", "api emergency"])
async def test_nothing_typed_and_not_saved_stays_after_submission(office: Office, way: str) -> None:
    row, editor = await office.item("一句平常的话。"), await office.signed_in("editor")
    await keep(editor, row.id, title="标题", body=WORDS)
    assert len(await rows(office)) == 1
    why, place = "水管爆裂，马上告知", f"/items/{row.id}"
    if way == "page":
        status, _ = await editor.post(f"/console{place}/submit", version=row.version)
    elif way == "api":
        status, _ = await editor.api("POST", f"{place}/submit", {"version": row.version})
    elif way == "emergency":
        status, _ = await editor.post(f"/console{place}/emergency", version=row.version, reason=why)
    else:
        body = {"version": row.version, "reason": why}
        status, _ = await editor.api("POST", f"{place}/emergency", body)
    assert status in (200, 303)
    assert await rows(office) == []


async def test_what_was_not_submitted_keeps_its_words(office: Office) -> None:
    row, editor = await office.item("一句平常的话。"), await office.signed_in("editor")
    await keep(editor, row.id, title="标题", body=WORDS)
    status, _ = await editor.post(f"/console/items/{row.id}/submit", version=row.version + 1)
    assert status == 409
    assert len(await rows(office)) == 1
