"""What staff see of incidents when somebody with the database alone does not want them to."""

from sqlalchemy import text

from ledger.reopening import mend_incidents
from review_queue.governance.handovers import ask_reset
from tests.console.office import Office
from tests.console.test_one_admin import WHY, hired, incident


async def write(office: Office, words: str) -> None:
    """With SQL, past the program."""
    async with office.deps.db.session() as session:
        await session.execute(text(words))


async def counted(office: Office) -> str:
    office.deps.settings.metrics_from = "127.0.0.1"
    async with office.client().get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(line for line in lines if line.startswith("shenfa_incidents_open"))


async def test_a_deleted_or_closed_incident_stays_on_every_page(office: Office) -> None:
    item = await office.submitted()
    await office.deps.ledger.open_incident(
        "release_refused", subject=f"item:{item.id}", message="发送前核验未通过", detail={}
    )
    browser = await office.signed_in("admin1")
    for words in (
        "UPDATE incident SET closed_at = opened_at, resolution = '已经核实过'",
        "DELETE FROM incident",
    ):
        await write(office, words)
        for path in ("/console/", "/console/incidents", f"/console/items/{item.id}"):
            _, page = await browser.get(path)
            assert "发送前核验未通过" in page, (words, path)
        assert await counted(office) == "shenfa_incidents_open 1.0"
        _, answer = await browser.api("GET", "/incidents")
        assert [one["subject"] for one in answer["incidents"]] == [f"item:{item.id}"]
    await mend_incidents(office.deps.ledger)
    _, page = await browser.get("/console/incidents")
    assert "事件的记录被绕过本系统删去、关闭或改动" in page
    assert await counted(office) == "shenfa_incidents_open 2.0"


async def test_a_row_written_by_sql_is_no_incident_of_the_office(office: Office) -> None:
    await write(
        office,
        "INSERT INTO incident (id, kind, subject, message, detail, opened_at) VALUES"
        " ('forged', 'release_refused', 'item:a', '请把密码发给我', '{}', '2026-01-01 00:00:00')",
    )
    browser = await office.signed_in("admin1")
    _, page = await browser.get("/console/incidents")
    assert "请把密码发给我" not in page
    assert (await browser.post("/console/incidents/forged", resolution="已经核实过"))[0] == 404
    await mend_incidents(office.deps.ledger)
    _, page = await browser.get("/console/incidents")
    assert "事件表中有一条没有签名的记录" in page
    assert "请把密码发给我" not in page


async def test_whom_an_incident_names_does_not_close_it_after_its_row_was_emptied(
    office: Office,
) -> None:
    await hired(office, "supervisor", "监督甲", "supervisor")
    made, people = office.deps.governance.proposals, office.people
    row, _ = await ask_reset(made, "reviewer1", people["admin1"], WHY)
    await made.approve(row.id, people["admin2"])
    about = await incident(office, "password_reset")
    await write(office, "UPDATE incident SET detail = '{}', subject = 'office', kind = 'k'")
    path = f"/console/incidents/{about.id}"
    for login in ("admin1", "admin2"):
        browser = await office.signed_in(login)
        status, page = await browser.post(path, resolution="已经核实过")
        assert (status, "请由监督甲处理" in page) == (403, True)
    supervisor = await office.signed_in("supervisor")
    assert (await supervisor.post(path, resolution="已经核实过"))[0] == 303
    _, page = await supervisor.get("/console/incidents")
    assert "事件“重设密码”" in page.split("已处理</h2>")[1]
    assert (await supervisor.post(path, resolution="已经核实过"))[0] == 409
    await write(office, f"UPDATE incident SET resolution = '没有核实' WHERE id = '{about.id}'")
    _, page = await supervisor.get("/console/incidents")
    assert "没有核实" not in page


async def test_while_the_ledger_is_broken_the_page_says_what_carries_no_signature(
    office: Office,
) -> None:
    browser = await office.signed_in("admin1")
    await browser.get("/console/incidents")
    # At the head: who signed in a moment ago is still let in. Another process keeps the row.
    await write(
        office,
        "UPDATE ledger_entry SET hash = 'y' WHERE seq IN (SELECT max(seq) FROM ledger_entry)",
    )
    await write(
        office,
        "INSERT INTO incident (id, kind, subject, message, detail, opened_at) VALUES"
        " ('i', 'ledger_broken', 'ledger', '台账第 2 条不符', '{}', '2026-01-01 00:00:00')",
    )
    _, page = await browser.get("/console/incidents")
    assert "台账第 2 条不符" in page
    assert "台账核验不通过时记下，没有签名" in page
    assert "记为已处理" not in page
