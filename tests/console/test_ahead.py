"""Before review: what reviewers would meet, whom a push reaches, and each channel's picture."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from sqlalchemy import func, select, update

from blocks.document import Document, read_document
from blocks.editor import to_editor
from bot.models import Account, Contact
from config.clock import now
from console.items.models import WorkingCopy
from facets.taxonomy import STARTING_FILE, parse_taxonomy
from review_queue import drafting, submitting
from review_queue.canonical import Draft
from review_queue.classes import Triggers
from review_queue.findings import findings_now
from review_queue.forms import standing_faults
from review_queue.models import GateRun, Item, Revision
from staff.refusal import Refused
from storage.database import new_id
from subscriptions.models import Subscription
from tests.console.article import article, draft_of, kept, notice, png, said
from tests.console.office import Browser, Office, set_roles
from tests.console.test_editing import fields_of, saved
from tests.console.test_scope import confined

PHONE = "联系人张某，手机13812345678。"


def form_of(fields: dict[str, Any], document: Document) -> dict[str, list[str]]:
    """The drafting form as the page's script sends it."""
    named = {name: value if isinstance(value, list) else [value] for name, value in fields.items()}
    return named | {"blocks": [json.dumps(to_editor(document))]}


async def asked(browser: Browser, place: str, fields: dict[str, list[str]]) -> tuple[int, Any]:
    answer = await browser.client.post(
        "/console/items/beside",
        json={"place": place, "fields": fields},
        headers={"X-CSRF": browser.csrf},
    )
    return answer.status, await answer.json()


async def subscribed(office: Office, account: Account, count: int) -> None:
    """So many people of this account who follow 就业创业."""
    async with office.deps.db.session() as session:
        for number in range(count):
            name = f"{account.slug}-{number}"
            who = Contact(
                id=new_id(),
                account_id=account.id,
                subject_ref=name,
                address="",
                address_hash=name,
                created_at=now(),
                last_inbound_at=None,
            )
            wish = Subscription(
                id=new_id(),
                contact_id=who.id,
                account_id=account.id,
                topic="employment",
                consent_version="1",
                created_at=now(),
                left_at=None,
            )
            session.add_all([who, wish])


async def test_the_editor_reads_what_submitting_and_the_reviewer_would_say(office: Office) -> None:
    row, editor = await office.item(PHONE, "日常"), await office.signed_in("editor")
    empty = {"accounts": (), "kind": "转载"}
    row = await drafting.edit(
        office.deps.queue, row.id, office.people["editor"], row.version, empty
    )
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    with pytest.raises(Refused) as refused:
        await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)
    for reason in refused.value.reasons:
        assert f"<li>{reason.message}</li>" in page
    _, found = await findings_now(office.deps.queue, row.id)
    held = standing_faults(found)
    assert held
    for reason in held:
        assert f"<li>{reason.message}</li>" in page
    assert f"{len(refused.value.reasons)} 处不改不能提交" in page


async def test_what_stands_before_review_is_judged_at_this_moment(office: Office) -> None:
    row, editor = await office.item(PHONE, "日常"), await office.signed_in("editor")
    await findings_now(office.deps.queue, row.id)
    row = await submitting.submit(office.deps.queue, row.id, office.people["editor"], row.version)
    await office.decide(row, "reviewer1", "return")
    async with office.deps.db.session() as session:  # as gates of an earlier day would have it
        await session.execute(update(GateRun).values(findings=[]))
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    _, found = await findings_now(office.deps.queue, row.id)
    assert [one for one in standing_faults(found) if f"<li>{one.message}</li>" in page]


async def test_what_is_warned_about_and_what_is_missing_is_said_and_submitting_stays_possible(
    office: Office,
) -> None:
    blocks = [
        {
            "kind": "paragraph",
            "runs": said("补贴发到本人帐号，见〔2025〕1号通知。电话……，自……起。"),
        },
        {"kind": "picture", "media": await kept(office, png())},
    ]
    row, editor = await article(office, read_document(blocks)), await office.signed_in("editor")
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    for words in (
        "处要核对，审核人通过要写明理由",
        "图片没有写明来源和授权",
        "1 张图片没有替代文字",
        "没有写摘要",
        "有 2 处省略号“……”：提纲里留空的地方，请填好或删去",
        "处审核人会看到",
    ):
        assert words in page
    assert "没有封面" not in page
    fields = fields_of(await draft_of(office, row.id), row.version, then="submit")
    fields |= {"blocks": json.dumps(to_editor(read_document(blocks)))}
    status, _ = await editor.post(f"/console/items/{row.id}/edit", **fields)
    assert status == 303
    async with office.deps.db.session() as session:
        state = await session.scalar(select(Item.state).where(Item.id == row.id))
    assert state == "review"


async def test_trigger_words_and_a_window_that_is_over_are_told_before_submission(
    office: Office,
) -> None:
    row, editor = await office.item("本县人事任免通知。", "日常"), await office.signed_in("editor")
    over = {"not_before": now() - timedelta(days=3), "not_after": now() - timedelta(days=1)}
    row = await drafting.edit(office.deps.queue, row.id, office.people["editor"], row.version, over)
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    assert "已过：请先改到审核结束以后的时间，再提交" in page
    word = next(iter((await triggers(office)).of(await draft_of(office, row.id))))
    assert f"文中有“{word}”，提交时类别会由日常升为" in page


async def triggers(office: Office) -> Triggers:
    """The trigger words in force."""
    await office.deps.queue.releases.fresh_triggers()
    return office.deps.queue.triggers


async def test_beside_the_audience_stands_how_many_people_each_account_reaches_now(
    office: Office,
) -> None:
    row, editor = await office.item("一句话。"), await office.signed_in("editor")
    async with office.deps.db.session() as session:
        accounts = {one.platform: one for one in (await session.scalars(select(Account))).all()}
    await subscribed(office, accounts["telegram"], 3)
    await subscribed(office, accounts["wechat"], 2)
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    assert "现在推送到 5 人" in page
    assert "青禾发布 3 人" in page
    assert "青禾政务 2 人" in page
    draft = await draft_of(office, row.id)
    fields = form_of(fields_of(draft, row.version, push="1", topics="health"), document_of(draft))
    assert "现在推送到 0 人" in (await asked(editor, row.id, fields))[1]["reach"]
    del fields["push"]
    assert (await asked(editor, row.id, fields))[1]["reach"].strip() == ""


async def test_of_several_values_any_or_each_may_be_asked_for_and_the_form_keeps_it(
    office: Office,
) -> None:
    row, editor = await office.item("一句话。"), await office.signed_in("editor")
    async with office.deps.db.session() as session:
        accounts = {one.platform: one for one in (await session.scalars(select(Account))).all()}
    await subscribed(office, accounts["telegram"], 3)
    draft = await draft_of(office, row.id)
    chosen = fields_of(draft, row.version, push="1", topics=["employment", "consumption"])
    either = form_of(chosen | {"how_topics": "any"}, document_of(draft))
    each = form_of(chosen | {"how_topics": "all", "how_groups": "all"}, document_of(draft))
    assert "现在推送到 3 人" in (await asked(editor, row.id, either))[1]["reach"]
    assert "现在推送到 3 人" not in (await asked(editor, row.id, each))[1]["reach"]
    status, _ = await editor.post(f"/console/items/{row.id}/edit", **each)
    kept_ = await draft_of(office, row.id)
    assert (status, kept_.audience) == (
        303,
        {"topics": ["consumption", "employment"], "groups": [], "regions": [], "all": ["topics"]},
    )
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    assert re.search(r'name="how_topics" value="all" checked', page)
    assert re.search(r'name="how_groups" value="any" checked', page)
    _, page = await editor.get(f"/console/items/{row.id}")
    assert "主题：促进消费、就业创业（每一项都要符合）" in page


async def test_a_draft_under_a_former_key_is_shown_under_the_new_one_and_keeps_its_digest(
    office: Office,
) -> None:
    row, editor = await office.item("一句话。"), await office.signed_in("editor")
    old = await draft_of(office, row.id)
    data = yaml.safe_load(STARTING_FILE.read_text(encoding="utf-8"))
    topics = data["dimensions"]["topics"]["values"]
    topics = {key: one for key, one in topics.items() if one.get("parent") != "employment"}
    topics["jobs"] = topics.pop("employment") | {"label": "就业", "was": ["employment"]}
    data["dimensions"]["topics"]["values"] = topics
    vars(office.deps)["taxonomy"] = parse_taxonomy(data)
    _, page = await editor.get(f"/console/items/{row.id}/edit")
    assert re.search(r'name="topics" value="jobs" checked', page)
    fields = fields_of(old, row.version, push="1", topics="jobs")
    status, _ = await editor.post(
        f"/console/items/{row.id}/edit", **form_of(fields, document_of(old))
    )
    assert (status, (await draft_of(office, row.id)).audience) == (303, old.audience)
    _, page = await editor.get(f"/console/items/{row.id}")
    assert "主题：就业<" in page.replace("\n", "").replace("；", "<")


def document_of(draft: Draft) -> Document:
    assert draft.blocks is not None
    return draft.blocks


async def test_a_new_item_names_as_its_editor_who_is_signed_in(office: Office) -> None:
    editor = await office.signed_in("editor")
    _, page = await editor.get("/console/items/new")
    assert 'name="from_editor" value="李雪"' in page


# --- while somebody types ---------------------------------------------------------------------


async def test_the_picture_of_words_not_saved_is_what_the_channels_will_be_given(
    office: Office,
) -> None:
    media = await kept(office, png())
    row, editor = await article(office, notice(media)), await office.signed_in("editor")
    draft = await draft_of(office, row.id)
    document = read_document(
        [*notice(media).data(), {"kind": "paragraph", "runs": said("还没有保存的一段", bold=True)}]
    )
    fields = form_of(fields_of(draft, row.version, title="新的标题"), document)
    status, told = await asked(editor, row.id, fields)
    assert status == 200
    assert told["previews"].count("新的标题") >= 2
    assert "<strong>还没有保存的一段</strong>" in told["previews"]
    # Saved, the page of the item shows the very same phones.
    assert (await saved(editor, row.id, fields))[0] == 303
    _, page = await editor.get(f"/console/items/{row.id}")
    assert len(phones(page)) > 2
    assert phones(told["previews"]) == phones(page)


def phones(page: str) -> list[str]:
    """What stands in the articles and messages on a page."""
    parts = r'<div class="(?:wx-body|bubble-text)">(.*?)</div>'
    return re.findall(parts, page, re.DOTALL)


async def test_asking_keeps_nothing_and_what_cannot_be_read_is_refused_in_words(
    office: Office,
) -> None:
    row, editor = await office.item("一句话。"), await office.signed_in("editor")
    fields = form_of(
        fields_of(await draft_of(office, row.id), row.version), notice("sha256:" + "a" * 64)
    )
    async with office.deps.db.session() as session:
        before = await session.scalar(select(func.count()).select_from(Revision))
    assert (await asked(editor, row.id, fields))[0] == 200
    wrong = {
        "summary": ["字" * 121],
        "from_url": ["javascript:alert(1)"],
        "cover": ["nothing"],
        "blocks": ['{"type":"doc","content":[{"type":"iframe"}]}'],
        "not_before": ["gestern"],
        "topics": ["unknown"],
    }
    for name, value in wrong.items():
        bad = fields | {name: value} | ({"push": ["1"]} if name == "topics" else {})
        status, told = await asked(
            editor, row.id, bad | ({"cover": value} if name == "crop_wide" else {})
        )
        assert status == 422, name
        assert told["message"], name
    long = fields | {"title": ["字" * 1_000_001]}
    assert (await asked(editor, row.id, long))[1]["message"].startswith("内容太长")
    async with office.deps.db.session() as session:
        after = await session.scalar(select(func.count()).select_from(Revision))
        assert (await session.scalars(select(WorkingCopy))).all() == []
    assert after == before


async def test_a_text_in_the_picture_is_a_text_and_no_tag(office: Office) -> None:
    editor = await office.signed_in("editor")
    document = read_document(
        [
            {
                "kind": "paragraph",
                "runs": said("<script>alert(1)</script><img src=x onerror=alert(1)>"),
            }
        ]
    )
    row = await office.item("一句话。")
    fields = fields_of(await draft_of(office, row.id), row.version, title="<b>标题</b>")
    status, told = await asked(editor, row.id, form_of(fields, document))
    assert status == 200
    for part in told.values():
        assert "<script" not in part
        assert "onerror=alert(1)>" not in part
        assert "<b>标题" not in part
    assert "&lt;b&gt;标题" in told["previews"]


async def test_whoever_may_not_know_of_an_item_is_shown_nothing_of_it(office: Office) -> None:
    row = await confined(office)
    await set_roles(office, "duty1", ("editor",))
    other = await office.signed_in("duty1")
    draft = await draft_of(office, row.id)
    fields = form_of(fields_of(draft, row.version), document_of(draft))
    assert (await asked(other, row.id, fields))[0] == 404
    # Nor of its pictures, by their markers in a text of their own.
    media = await kept(office, png("red"))
    with_picture = read_document([{"kind": "picture", "media": media}])
    queue = office.deps.queue
    await drafting.edit(
        queue, row.id, office.people["editor"], row.version, {"blocks": with_picture}
    )
    fields = form_of(fields_of(draft, 0), with_picture)
    status, told = await asked(other, "new", fields)
    assert status == 422
    assert "您看不到的稿件" in told["message"]
    reviewer = await office.signed_in("reviewer1")
    body = {"place": row.id, "fields": fields}
    headers = {"X-CSRF": reviewer.csrf}
    answer = await reviewer.client.post("/console/items/beside", json=body, headers=headers)
    assert answer.status == 403
