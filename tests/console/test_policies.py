"""政策库 in the console: fetched documents, two people, and rows that somebody changed."""

import re
from datetime import date

from sqlalchemy import select, update

from config.clock import now
from content_sources.models import Article
from escalations.models import Ticket
from knowledge.documents import PolicyDraft
from knowledge.library import PolicyLibrary
from knowledge.models import Clause, Policy
from knowledge.service import KnowledgeService
from ledger.models import Incident
from office.handovers import take_back_policies
from staff.models import Proposal
from tests.console.office import Office, busy_morning

TEXT = "第一条 为支持技能培训，制定本办法。\n第二条 取得证书的人员可以申请补贴，每人一千元。"
ASKED = "高校毕业生就业创业补贴多少钱"
LIE = "凭本短信领取现金八万元"


def library(office: Office) -> PolicyLibrary:
    return PolicyLibrary(office.deps.governance.proposals)


async def fetched(office: Office, text: str = TEXT) -> str:
    """A fetched policy page that the job has laid before an editor."""
    async with office.deps.db.session() as session:
        session.add(
            Article(
                id="a", source_id="s", url="https://q.example/a.html", title="青禾县技能补贴办法",
                source_name="青禾县人民政府", text=text, images=[], attachments=[], headers={},
                policy={"doc_number": "青政发〔2026〕9号"}, snapshot="", text_hash="",
                library="offered", state="item", fetched_at=now(),
            )
        )  # fmt: skip
    return "/console/policies/fetched/a"


async def state_of(office: Office) -> str:
    async with office.deps.db.session() as session:
        return (await session.get_one(Article, "a")).library


async def test_a_fetched_document_needs_an_editor_and_another_person(office: Office) -> None:
    path = await fetched(office)
    editor, admin = await office.signed_in("editor"), await office.signed_in("admin1")
    reviewer = await office.signed_in("reviewer1")
    assert (await reviewer.get(path))[0] == 403
    _, text = await editor.get("/console/policies")
    assert path in text
    _, text = await editor.get(path)
    assert "取得证书的人员可以申请补贴" in text
    assert (await editor.post(path, verdict="propose"))[0] == 303
    assert await state_of(office) == "proposed"
    (change,) = await library(office).changes(state="proposed")
    assert change.proposed_by == office.people["editor"]
    policy = change.subject.removeprefix("policy:")
    decide = f"/console/policies/{policy}/changes/{change.id}"
    _, text = await editor.get(f"/console/policies/{policy}")
    assert "等待批准" in text
    assert (await editor.post(decide, verdict="approve"))[0] == 403
    assert 'value="approve"' not in text
    _, text = await admin.get(f"/console/policies/{policy}")
    assert 'value="approve"' in text
    assert (await admin.post(decide, verdict="approve"))[0] == 303
    async with office.deps.db.session() as session:
        row = await session.get_one(Policy, policy)
    assert (row.state, row.issuer, row.doc_number) == (
        *("active", "青禾县人民政府", "青政发〔2026〕9号"),
    )


async def test_an_admin_who_proposes_a_fetched_document_does_not_approve_it(
    office: Office,
) -> None:
    path = await fetched(office)
    admin = await office.signed_in("admin1")
    await admin.post(path, verdict="propose")
    (change,) = await library(office).changes(state="proposed")
    policy = change.subject.removeprefix("policy:")
    _, text = await admin.get(f"/console/policies/{policy}")
    assert "提出人不能批准或否决自己提出的变更" in text
    answer = await admin.post(f"/console/policies/{policy}/changes/{change.id}", verdict="approve")
    assert answer[0] == 403


async def test_a_fetched_document_that_was_turned_down_comes_back_with_the_reason(
    office: Office,
) -> None:
    path = await fetched(office)
    editor, admin = await office.signed_in("editor"), await office.signed_in("admin1")
    await editor.post(path, verdict="propose")
    assert (await take_back_policies(office.deps.db), await state_of(office)) == (0, "proposed")
    (change,) = await library(office).changes(state="proposed")
    # Where all changes wait: the page of the policy is not the only place to say no.
    proposals = office.deps.governance.proposals
    await proposals.reject(change.id, office.people["admin1"], "文号与原件不一致")
    assert [await take_back_policies(office.deps.db) for _ in range(2)] == [1, 0]
    for page in ("/console/policies", path):
        status, text = await editor.get(page)
        assert (status, "上次提出入库，没有批准：文号与原件不一致" in text) == (200, True)
    assert (await editor.post(path, verdict="propose"))[0] == 303
    (again,) = await library(office).changes(state="proposed")
    await proposals.withdraw(again.id, office.people["editor"])
    assert await take_back_policies(office.deps.db) == 1
    assert "上次提出入库，提出人收回了" in (await editor.get(path))[1]
    await editor.post(path, verdict="propose")
    (last,) = await library(office).changes(state="proposed")
    policy = last.subject.removeprefix("policy:")
    decide = f"/console/policies/{policy}/changes/{last.id}"
    assert (await admin.post(decide, verdict="approve"))[0] == 303
    assert (await take_back_policies(office.deps.db), await state_of(office)) == (0, "known")
    assert path not in (await editor.get("/console/policies"))[1]


async def test_a_fetched_document_with_an_id_number_cannot_be_proposed(office: Office) -> None:
    path = await fetched(office, f"{TEXT}\n张某某，身份证号11010519491231002X。")
    editor = await office.signed_in("editor")
    status, text = await editor.get(path)
    assert status == 422
    assert "保密检查不通过" in text
    assert 'value="propose"' not in text
    assert (await editor.post(path, verdict="propose"))[0] == 422
    assert await state_of(office) == "offered"
    async with office.deps.db.session() as session:
        assert (await session.scalars(select(Proposal))).first() is None
    assert (await editor.post(path, verdict="leave"))[0] == 303
    assert await state_of(office) == "ended"


async def test_pages_say_which_policy_is_not_what_was_signed(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("editor")
    path = f"/console/policies/{ids['policy']}"
    assert "不再引用" not in (await browser.get(path))[1]
    async with office.deps.db.session() as session:
        await session.execute(
            update(Policy).where(Policy.id == ids["policy"]).values(url="https://lie.example")
        )
    assert "不再引用" in (await browser.get(path))[1]
    assert "与台账不符" in (await browser.get("/console/policies"))[1]


async def test_the_officer_is_offered_only_clauses_that_stand_as_signed(office: Office) -> None:
    ids = await busy_morning(office)
    browser = await office.signed_in("duty1")
    path = f"/console/tickets/{ids['ticket']}"
    assert (
        "引用到答复" in (await browser.get(path))[1]
        or "申请求职补贴" in (await browser.get(path))[1]
    )
    async with office.deps.db.session() as session:
        row = await session.get_one(Ticket, ids["ticket"])
        right = dict(row.candidates[0])
        row.candidates = [right | {"text": LIE}]
        signed = "".join((await session.scalars(select(Clause.text))).all())
    text = (await browser.get(path))[1]
    assert LIE not in text
    offered = re.findall(r'class="candidate">.*?<p>(.*?)</p>', text, re.S)
    assert offered  # what the library itself finds for the question
    assert all(words in signed for words in offered)
    async with office.deps.db.session() as session:
        row = await session.get_one(Ticket, ids["ticket"])
        row.candidates = [right]
        changed = update(Clause).where(Clause.id == right["clause_id"])
        await session.execute(changed.values(text=LIE))
    text = (await browser.get(path))[1]
    assert LIE not in text
    assert 'class="candidate"' not in text


async def test_the_interface_lists_what_waits_and_what_stands(office: Office) -> None:
    await busy_morning(office)
    draft = PolicyDraft(title="等待办法", text=TEXT, doc_number="青政发〔2026〕9号")
    await library(office).propose_import([draft], office.people["admin1"])
    browser = await office.signed_in("admin2")
    _, body = await browser.api("GET", "/policies")
    found = {row["title"]: (row["state"], row["validity"]) for row in body["policies"]}
    assert found["等待办法"] == ("proposed", "等待批准")
    assert found["青禾县高校毕业生就业创业补贴办法"] == ("active", "现行有效")


async def test_the_interface_ends_a_policy_by_two_people(office: Office) -> None:
    ids = await busy_morning(office)
    payload = {"policy_id": ids["policy"], "on": "2026-12-01"}
    wanted = {"kind": "policy_end", "payload": payload, "reason": "新办法已经施行"}
    assert (await (await office.signed_in("reviewer1")).api("POST", "/proposals", wanted))[0] == 403
    editor, admin = await office.signed_in("editor"), await office.signed_in("admin2")
    status, made = await editor.api("POST", "/proposals", wanted)
    assert status in (200, 201), made
    (change,) = await library(office).changes(ids["policy"], state="proposed")
    assert (
        f"/console/settings/proposals/{change.id}"
        in (await editor.get(f"/console/policies/{ids['policy']}"))[1]
    )
    status, _ = await admin.api("POST", f"/proposals/{change.id}/approve", {})
    assert status == 200
    async with office.deps.db.session() as session:
        assert (await session.get_one(Policy, ids["policy"])).repealed_on == "2026-12-01"


async def test_the_page_shows_what_would_happen_not_what_a_row_says_of_it(office: Office) -> None:
    draft = PolicyDraft(title="等待办法", text=TEXT)
    (made,) = await library(office).propose_import([draft], office.people["admin1"])
    async with office.deps.db.session() as session:
        effect = {"changes": [{"sign": "+", "text": LIE}], "warnings": [LIE]}
        await session.execute(update(Proposal).values(effect=effect))
    _, text = await (await office.signed_in("admin2")).get(f"/console/policies/{made.policy_id}")
    assert LIE not in text
    assert "《等待办法》（无文号）入库，2 条" in text


async def test_a_payload_written_by_sql_breaks_no_page(office: Office) -> None:
    draft = PolicyDraft(title="等待办法", text=TEXT)
    await library(office).propose_import([draft], office.people["admin1"])
    async with office.deps.db.session() as session:
        await session.execute(update(Proposal).values(payload="[1"))
    browser = await office.signed_in("admin2")
    assert (await browser.get("/console/policies"))[0] == 200
    async with office.deps.db.session() as session:
        assert (await session.scalars(select(Incident))).first() is None


async def approve_all(office: Office, policy: str) -> None:
    """The other admin reads what waits on the policy's page and agrees."""
    admin = await office.signed_in("admin2")
    for one in await library(office).changes(policy, state="proposed"):
        decide = f"/console/policies/{policy}/changes/{one.id}"
        assert (await admin.post(decide, verdict="approve"))[0] == 303


async def test_a_policy_is_ended_in_the_console_by_two_people(office: Office) -> None:
    ids = await busy_morning(office)
    policy = ids["policy"]
    page, path = f"/console/policies/{policy}", f"/console/policies/{policy}/change/end"
    reviewer, editor = await office.signed_in("reviewer1"), await office.signed_in("editor")
    service = KnowledgeService(office.deps.ledger)  # as the process of the bot has it
    assert (await service.ask(ASKED, date(2027, 2, 1))).status == "answered"
    assert (await reviewer.get(path))[0] == 403
    assert "变更这项政策" not in (await reviewer.get(page))[1]
    assert path in (await editor.get(page))[1]
    _, text = await editor.get(path)
    assert "从哪一天起不再有效" in text
    status, text = await editor.post(path, on="2027-02-01", step="preview", why="新办法已经施行")
    assert (status, "自 2027-02-01 起废止" in text, "新办法已经施行" in text) == (200, True, True)
    assert await library(office).changes(policy, state="proposed") == []
    status, text = await editor.post(path, on="", step="propose", why="新办法已经施行")
    assert (status, "请写明从哪一天起不再有效" in text) == (422, True)
    status, _ = await editor.post(path, on="2027-02-01", step="propose", why="新办法已经施行")
    assert status == 303
    (change,) = await library(office).changes(policy, state="proposed")
    decide = f"{page}/changes/{change.id}"
    assert (await editor.post(decide, verdict="approve"))[0] == 403
    assert (await service.ask(ASKED, date(2027, 2, 1))).status == "answered"
    await approve_all(office, policy)
    gone = await service.ask(ASKED, date(2027, 2, 1))
    assert all(quote.hit.policy_id != policy for quote in gone.quotes)
    assert gone.status == "repealed"
    assert (await service.ask(ASKED, date(2027, 1, 31))).status == "answered"
    assert path not in (await editor.get(page))[1]
    assert (await editor.post(path, on="2027-03-01", step="propose", why="再废止一次"))[0] == 409


async def test_a_clause_is_amended_in_the_console_and_the_approver_reads_both_wordings(
    office: Office,
) -> None:
    ids = await busy_morning(office)
    policy = ids["policy"]
    page, path = f"/console/policies/{policy}", f"/console/policies/{policy}/change/amend"
    editor, admin = await office.signed_in("editor"), await office.signed_in("admin2")
    async with office.deps.db.session() as session:
        query = select(Clause).where(Clause.policy_id == policy).order_by(Clause.number)
        first, *others = (await session.scalars(query)).all()
    typed = {f"text-{one.number}": one.text.replace("\n", "\r\n") for one in others}
    new = f"{first.label}　改过的条文，每人补贴九千元。"
    fields = {"on": "2027-02-01", f"text-{first.number}": new, **typed, "why": "按修改决定"}
    status, text = await editor.post(path, step="propose", **{**fields, "on": "一月"})
    assert (status, "日期应写成" in text, new in text) == (422, True, True)
    status, text = await editor.post(path, step="preview", **fields)
    assert (status, "修改 1 条" in text) == (200, True)
    assert (await editor.post(path, step="propose", **fields))[0] == 303
    text = (await admin.get(page))[1]
    assert "全文对照" in text
    assert new in text
    await approve_all(office, policy)
    text = (await admin.get(page))[1]
    assert "2027-02-01 起施行" in text
    assert "只到 2027-02-01 以前" in text
    _, body = await admin.api("GET", f"/policies/{policy}")
    later = [one for one in body["clauses"] if one["effective_from"]]
    assert [(one["text"], one["effective_from"]) for one in later] == [(new, "2027-02-01")]
    assert body["clauses"].index(later[0]) == 1  # where the clause stands, behind what it replaces


async def test_what_is_said_of_a_policy_is_mended_in_the_console(office: Office) -> None:
    ids = await busy_morning(office)
    policy = ids["policy"]
    page, path = f"/console/policies/{policy}", f"/console/policies/{policy}/change/edit"
    editor = await office.signed_in("editor")
    _, body = await editor.api("GET", f"/policies/{policy}")
    names = ("title", "doc_number", "url", "issued_on", "effective_from", "effective_to")
    typed = {name: body[name] or "" for name in names} | {"topics": body["topics"][0]}
    typed |= {"issuer": "青禾县人力资源和社会保障局", "stated": ""}
    same = typed | {"issuer": body["issuer"]}
    status, text = await editor.post(path, step="propose", why="机关写错了", **same)
    assert (status, "没有要更正的内容" in text) == (422, True)
    status, text = await editor.post(path, step="preview", why="机关写错了", **typed)
    assert (status, "→ 青禾县人力资源和社会保障局" in text) == (200, True)
    assert (await editor.post(path, step="propose", why="机关写错了", **typed))[0] == 303
    await approve_all(office, policy)
    assert "青禾县人力资源和社会保障局" in (await editor.get(page))[1]
    (entry,) = (await office.deps.ledger.facts("library"))[-1:]
    assert (entry.body["issuer"], entry.body["topics"]) == (
        *("青禾县人力资源和社会保障局", body["topics"][0]),
    )


async def test_the_interface_amends_and_mends_a_policy_by_two_people(office: Office) -> None:
    ids = await busy_morning(office)
    editor, admin = await office.signed_in("editor"), await office.signed_in("admin2")
    new = {"number": 1, "text": "改过的条文，每人补贴九千元。"}
    payload = {"policy_id": ids["policy"], "on": "2027-02-01", "clauses": [new]}
    wanted = {"kind": "policy_amend", "payload": payload}
    status, seen = await editor.api("POST", "/proposals/preview", wanted)
    assert status == 200, seen
    assert seen["effect"]["changes"][1]["fields"][0][2] == new["text"]
    given = {"policy_id": ids["policy"], "fields": {"url": "https://q.example/a.html"}}
    edit = {"kind": "policy_edit", "payload": given, "reason": "补原文地址"}
    for one in ({**wanted, "reason": "按修改决定"}, edit):
        status, made = await editor.api("POST", "/proposals", one)
        assert status == 201, made
        assert (await editor.api("POST", f"/proposals/{made['id']}/approve", {}))[0] == 403
        assert (await admin.api("POST", f"/proposals/{made['id']}/approve", {}))[0] == 200
    _, body = await editor.api("GET", f"/policies/{ids['policy']}")
    assert body["url"] == "https://q.example/a.html"
    assert new["text"] in [one["text"] for one in body["clauses"]]
    assert (await editor.api("GET", "/policies/nothing"))[0] == 404


async def test_a_policy_that_is_not_as_signed_is_not_changed_from_its_page(office: Office) -> None:
    ids = await busy_morning(office)
    async with office.deps.db.session() as session:
        await session.execute(update(Policy).values(url="https://lie.example"))
    editor = await office.signed_in("editor")
    page = f"/console/policies/{ids['policy']}"
    assert "变更这项政策" not in (await editor.get(page))[1]
    for what in ("end", "amend", "edit"):
        assert (await editor.get(f"{page}/change/{what}"))[0] == 409
    assert (await editor.get(f"{page}/change/burn"))[0] == 404


async def test_the_officer_is_not_offered_a_clause_that_has_ended(office: Office) -> None:
    ids = await busy_morning(office)
    duty = await office.signed_in("duty1")
    path = f"/console/tickets/{ids['ticket']}"
    assert 'class="candidate"' in (await duty.get(path))[1]
    editor = await office.signed_in("editor")
    gone = f"/console/policies/{ids['policy']}/change/end"
    await editor.post(gone, on="2026-01-01", step="propose", why="新办法已经施行")
    await approve_all(office, ids["policy"])
    assert 'class="candidate"' not in (await duty.get(path))[1]
