"""What the forms and pages of the library keep, refuse, and show to whom."""

from datetime import date

import pytest
from sqlalchemy import text as sql
from sqlalchemy import update

from config.clock import now
from gates.alike import letters
from knowledge.documents import PolicyDraft
from knowledge.forms import END
from knowledge.library import PolicyLibrary, Repeal, repeal_payload
from review_queue.models import Item, ItemWords
from tests.console.office import Office

TEXT = "第一条 为支持技能培训，制定本办法。\n第二条 取得证书的人员可以申请补贴，每人一千元。"
TITLE = "青禾县技能补贴办法"


async def put_in(office: Office, **said: object) -> str:
    """A policy that two people have put in: its id."""
    library = PolicyLibrary(office.deps.governance.proposals)
    draft = PolicyDraft(title=TITLE, text=TEXT, **said)  # type: ignore[arg-type]
    (made,) = await library.propose_import([draft], office.people["admin1"])
    await library.approve(made.change_id, office.people["admin2"])
    return made.policy_id


async def test_an_edit_of_the_title_keeps_what_its_source_says_of_its_status(
    office: Office,
) -> None:
    policy = await put_in(office, status="not_yet", issued_on=date(2026, 3, 1))
    editor = await office.signed_in("editor")
    _, text = await editor.get(f"/console/policies/{policy}/change/edit")
    assert '<option value="not_yet" selected>尚未施行</option>' in text


async def test_texts_that_rest_on_a_policy_are_named_to_those_who_may_read_them_now(
    office: Office,
) -> None:
    policy = await put_in(office)
    async with office.deps.db.session() as session:
        moment = now()
        said = dict.fromkeys(("author_id", "last_editor_id"), office.people["editor"])
        item = Item(
            id="itemthatrests", kind="text", klass="日常", state="review", title="补贴怎么领",
            created_at=moment, updated_at=moment, **said,
        )  # fmt: skip
        words = ItemWords(item_id=item.id, words=letters(TITLE), accounts=" ", sketch=b"")
        words.not_before = words.not_after = moment
        session.add_all([item, words])
    library = PolicyLibrary(office.deps.governance.proposals)
    payload = repeal_payload(Repeal(policy, date(2027, 1, 1)))
    made = await library.propose(END, payload, office.people["editor"], "新办法已经施行")
    pages = f"/console/policies/{policy}", f"/console/settings/proposals/{made.change_id}"
    duty, admin = await office.signed_in("duty1"), await office.signed_in("admin2")
    text = (await duty.get(pages[0]))[1]
    assert "有 1 篇没有撤回的稿件提到这份文件" in text
    assert "补贴怎么领" not in text
    for page in pages:
        assert "补贴怎么领" in (await admin.get(page))[1]
    async with office.deps.db.session() as session:
        await session.execute(update(Item).values(confined=True, scope=" x "))
    for page in pages:
        assert "补贴怎么领" not in (await admin.get(page))[1]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE clause SET place = 'abc' WHERE number = 1",
        "UPDATE clause SET number = 'abc' WHERE number = 1",
        "UPDATE policy SET stated = 'x'",
        "UPDATE policy SET repealed_on = 'soon'",
    ],
)
async def test_odd_values_written_by_sql_are_told_and_break_no_page(
    office: Office, change: str
) -> None:
    policy = await put_in(office)
    async with office.deps.db.session() as session:
        await session.execute(sql(change))
    browser = await office.signed_in("editor")
    for page in ("/console/policies", f"/console/policies/{policy}"):
        assert (await browser.get(page))[0] == 200
    assert "已不再引用" in (await browser.get(f"/console/policies/{policy}"))[1]
    assert (await browser.get(f"/console/policies/{policy}/change/edit"))[0] == 409
    assert (await browser.api("GET", "/policies"))[0] == 200
    assert (await browser.api("GET", f"/policies/{policy}"))[0] == 409


async def test_a_clause_number_of_thousands_of_digits_is_refused(office: Office) -> None:
    policy = await put_in(office)
    editor = await office.signed_in("editor")
    path = f"/console/policies/{policy}/change/end"
    status, text = await editor.post(path, on="2027-01-01", clause="1" * 5000, step="preview")
    assert (status, "请选一条条文" in text) == (422, True)
