"""Reviewed answers, notices of correction and kept questions, through API and page alike."""

from datetime import timedelta

from bot.met import Met
from bot.models import InboundMessage
from config.clock import now
from knowledge.leaving_out import LEAVE_OUT
from knowledge.told import of_entry, tell
from review_queue.canonical import QA, TOLD_NOTICE, Draft
from review_queue.models import Item
from review_queue.shelf import Shelved
from storage.database import new_id
from tests.console.office import Office, busy_morning

ASKED = "低收入家庭高校毕业生求职补贴多少钱"


async def kind_of(office: Office, made: dict[str, str]) -> str:
    async with office.deps.db.session() as session:
        return (await session.get_one(Item, made["item"])).kind


async def test_an_entry_is_begun_corrected_and_stopped_by_who_may(office: Office) -> None:
    seen = await busy_morning(office)
    editor, duty = await office.signed_in("editor"), await office.signed_in("duty1")
    body = {"question": "夜市摊位怎么申请"}
    assert (await duty.api("POST", "/entries", body))[0] == 403
    status, item = await editor.api("POST", "/entries", body)
    assert (status, await kind_of(office, item)) == (201, QA)
    shelf, key = office.deps.queue.library[QA], new_id()
    times = (now() - timedelta(hours=1), now() + timedelta(days=9))
    draft = Draft(QA, "B", "窗口在哪里", "三号窗口。", (), *times, entry=key)
    async with office.deps.ledger.transaction() as tx:
        await shelf.put(tx, Shelved(item["item"], new_id(), "0" * 64, draft))
        await tell(tx.session, "somebody", [of_entry(key)])
    [told] = (await duty.api("GET", "/entries"))[1]["entries"]
    assert (told["key"], told["state"], told["told"], told["rests"]) == (key, "in_use", 1, [])
    assert (await editor.api("POST", f"/entries/{key}/draft"))[0] == 201
    status, notice = await editor.api("POST", f"/entries/{key}/notice")
    assert (status, await kind_of(office, notice)) == (201, TOLD_NOTICE)
    status, notice = await editor.api("POST", f"/policies/{seen['policy']}/clauses/1/notice")
    assert (status, await kind_of(office, notice)) == (201, TOLD_NOTICE)
    assert (await editor.api("POST", f"/policies/{seen['policy']}/clauses/99/notice"))[0] == 404
    assert (await editor.api("GET", "/notices"))[1] == {"notices": []}
    assert (await editor.api("POST", f"/entries/{key}/withdraw", {"reason": ""}))[0] == 422


async def test_a_kept_question_leaves_by_two_people(office: Office) -> None:
    await busy_morning(office)
    editor, admin = await office.signed_in("editor"), await office.signed_in("admin1")
    status, kept = await editor.api("POST", "/questions", {"question": ASKED})
    assert status == 201, kept
    [row] = (await editor.api("GET", "/questions"))[1]["questions"]
    assert (row["id"], row["right"]) == (kept["id"], True)
    async with office.deps.db.session() as session:
        for words, met in (("食堂几点开门呢", Met.OPEN), ("订阅就业政策", Met.OTHER)):
            said = {
                "account_id": "a",
                "dedupe": new_id(),
                "kind": "text",
                "text": words,
                "met": met,
            }
            session.add(InboundMessage(id=new_id(), at=now(), **said))
    page = (await editor.get("/console/policies/questions"))[1]
    assert ("食堂几点开门呢" in page, "订阅就业政策" in page) == (True, False)
    path = f"/console/policies/questions/{row['id']}/remove"
    status, page = await editor.post(path, why="")
    assert (status, "请写明为什么要改" in page) == (422, True)
    assert (await editor.post(path, why="问法过时了"))[0] == 303
    assert "去掉待批准" in (await editor.get("/console/policies/questions"))[1]
    assert (await editor.api("POST", f"/questions/{row['id']}/remove", {"reason": "不用了吧"}))[
        0
    ] == 409
    rows = (await admin.api("GET", "/proposals"))[1]["proposals"]
    [waits] = [one for one in rows if one["kind"] == LEAVE_OUT and one["state"] == "proposed"]
    assert (await admin.api("POST", f"/proposals/{waits['id']}/approve", {}))[0] == 200
    assert (await editor.api("GET", "/questions"))[1] == {"questions": []}
