"""Whatever waits for a second person stands on 今日 and 待批准 of those who may decide it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from bot.contract import Content
from content_sources.exceptions import ask_exception
from content_sources.official_list import ListFile, import_list
from ledger.append import Transaction
from ledger.models import LedgerEntry
from review_queue.drafting import Origin
from review_queue.scope import create_confined
from staff.models import Proposal
from staff.proposals import Approval
from staff.proposed import seal
from staff.waiting import open_rows
from storage.database import new_id
from tests.console.office import Browser, Office, busy_morning

RULE = {
    "id": "office.market",
    "gate": "wording",
    "severity": "warn",
    "terms": ["河东市集"],
    "reason": "市集已改名为河东集市",
    "basis": "青禾县地名公告",
    "must": ["周末到河东市集办理"],
}
LEVELS = [
    {"name": "初审", "roles": ["reviewer_1"], "gates": ["policy", "wording"], "hours": 8},
    {
        "name": "终审",
        "roles": ["reviewer_3"],
        "gates": ["politics", "law", "policy", "secrecy", "wording"],
        "hours": 8,
    },
]
SOURCE = {
    "organisation": "北原市文旅局",
    "hosts": ["wlj.beiyuan.example"],
    "basis": "北原市文旅局授权函",
}
WHY = "按主管部门的通知"


class BareKind:
    """The least that a kind may be: no approvers of its own, and an effect without a line."""

    proposers = frozenset({"admin"})

    def __init__(self, label: str = "另一种变更") -> None:
        self.label = label

    def subject(self, payload: Mapping[str, Any]) -> str:
        return f"thing:{payload['thing']}"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"thing": str(payload["thing"])}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"changes": []}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        return {}


async def one_of_each(office: Office, item_id: str) -> dict[str, Proposal]:
    """A waiting change of every kind this office knows, all proposed by the first admin or 编辑."""
    made, people = office.deps.governance.proposals, office.people
    made.kinds["bare"] = BareKind()
    names = "单位名称\n草原通讯社\n".encode()
    await import_list(
        office.deps.ledger, people["admin1"], ListFile("名单.csv", names, "2026年版", "名单公告")
    )
    payloads: dict[str, tuple[str, Any]] = {
        "workflow": ("admin1", {"klass": "日常", "levels": LEVELS}),
        "ruleset": ("admin1", {"changes": [{"id": RULE["id"], "now": RULE}]}),
        "staff": ("admin1", {"login": "duty2", "name": "何平", "roles": ["duty"]}),
        "source": ("admin1", {"fields": SOURCE}),
        "source_exception": ("editor", {"item": item_id}),
    }
    for name, known in list(made.kinds.items()):
        if name not in {*payloads, "source_list"}:
            # What needs an office of its own to be proposed is shown by its words all the same.
            made.kinds[name] = BareKind(known.label)
            payloads[name] = ("admin1", {"thing": "a"})
    for kind, (login, payload) in payloads.items():
        await made.propose(kind, payload, people[login], WHY)
    # Newest first: what a busy morning left waiting stands behind what was proposed here.
    rows = {row.kind: row for row in reversed(await open_rows(made))}
    assert set(rows) == set(made.kinds)
    return rows


async def waits(browser: Browser) -> tuple[int, str]:
    """How many changes 今日 says wait for this person, and the page."""
    _, text = await browser.get("/console/")
    if "等我批准" not in text:
        return 0, text
    return int(text.split('等我批准 <span class="count">', 1)[1].split("<", 1)[0]), text


async def test_every_kind_waits_where_its_approver_looks(office: Office) -> None:
    ids = await busy_morning(office)
    rows = await one_of_each(office, ids["reviewing"])
    labels = {name: kind.label for name, kind in office.deps.governance.proposals.kinds.items()}
    second, first = await office.signed_in("admin2"), await office.signed_in("admin1")
    final, editor = await office.signed_in("reviewer3"), await office.signed_in("editor")
    count, home = await waits(second)
    waiting = await open_rows(office.deps.governance.proposals)
    # All but the exception, which a final reviewer signs.
    assert count == len(waiting) - 1 > len(rows) - 1
    assert "陈岩 提出" in home
    assert f"全部 {count} 项" in home
    count_of_final, text = await waits(final)
    assert (count_of_final, "例外转载《" in text) == (1, True)
    assert (await waits(first))[0] == 0
    assert (await waits(editor))[0] == 0
    for browser, mine in ((second, count), (final, 1), (first, 0), (editor, 0)):
        _, text = await browser.get("/console/settings/proposals")
        assert ("等您决定" in text) == (mine > 0)
        for kind, row in rows.items():
            assert f"/console/settings/proposals/{row.id}" in text
            assert labels[kind] in text
    _, text = await second.get("/console/settings/proposals")
    assert f'等您决定 <span class="count">{count}</span>' in text
    assert '等别人决定 <span class="count">1</span>' in text
    assert "新增稿源：北原市文旅局" in text
    assert "稿源名单 2026年版：新增 1 家" in text
    assert "另一种变更 thing:a" in text


async def approvals(office: Office) -> int:
    query = select(func.count()).where(LedgerEntry.kind == "proposal.approved")
    async with office.deps.db.session() as session:
        return (await session.scalars(query)).one()


async def test_every_kind_is_decided_on_the_one_page(office: Office) -> None:
    ids = await busy_morning(office)
    before = await approvals(office)
    rows = await one_of_each(office, ids["reviewing"])
    first, second = await office.signed_in("admin1"), await office.signed_in("admin2")
    final = await office.signed_in("reviewer3")
    for kind, row in rows.items():
        path = f"/console/settings/proposals/{row.id}"
        wrong, right = (second, final) if kind == "source_exception" else (first, second)
        status, text = await wrong.get(path)
        assert (status, "您不能批准这项变更" in text) == (200, True), kind
        assert (await wrong.post(path, verdict="approve"))[0] == 403, kind
        _, text = await right.get(path)
        assert WHY in text or kind == "source_list"
        assert "您的决定" in text, kind
        status, text = await right.post(path, verdict="approve", note="已核对原件")
        assert status == 303 or "的密码：" in text, (kind, text)
    (left,) = await open_rows(office.deps.governance.proposals)
    await office.deps.governance.proposals.reject(left.id, office.people["admin2"], "材料不全")
    assert (await waits(second))[0] == 0
    # Whoever was taken in is confirmed by somebody who made no half of their login.
    count, text = await waits(final)
    assert (count, "确认是本人" in text) == (1, True)
    _, text = await second.get("/console/settings/proposals")
    assert "没有等待批准的变更" in text
    async with office.deps.db.session() as session:
        notes = (await session.scalars(select(Proposal.note))).all()
        query = select(LedgerEntry.kind, func.count()).group_by(LedgerEntry.kind)
        signed = {row[0]: row[1] for row in (await session.execute(query)).all()}
    assert set(filter(None, notes)) == {"已核对原件", "材料不全"}
    assert signed["proposal.approved"] - before == len(rows)
    assert (signed["source.approved"], signed["source.exception"]) == (2, 1)


async def test_the_words_of_an_approval_are_signed_as_a_digest_alone(office: Office) -> None:
    made, people = office.deps.governance.proposals, office.people
    row = await made.propose("source", {"fields": SOURCE}, people["admin1"], WHY)
    await made.approve(row.id, people["admin2"], "电话核对过")
    entry = (await office.deps.ledger.facts(f"proposal:{row.id}"))[-1]
    assert len(entry.body["reason"]) == 64
    assert "电话" not in str(entry.body)


async def test_what_was_decided_since_hides_nothing_that_waits(office: Office) -> None:
    made, people = office.deps.governance.proposals, office.people
    row = await made.propose("source", {"fields": SOURCE}, people["admin1"], WHY)
    async with office.deps.db.session() as session:
        waiting = await session.get_one(Proposal, row.id)
        text, digest = seal({})
        for _ in range(120):
            session.add(
                Proposal(
                    **{"id": new_id(), "kind": "gone", "subject": "x", "payload": text},
                    **{"digest": digest, "effect": {}, "proposed_by": "init", "reason": "r"},
                    **{"salt": "", "state": "approved", "decided_by": "init"},
                    proposed_at=waiting.proposed_at,
                    decided_at=waiting.proposed_at,
                )
            )
    second = await office.signed_in("admin2")
    _, text = await second.get("/console/settings/proposals")
    assert '等您决定 <span class="count">1</span>' in text
    assert "新增稿源：北原市文旅局" in text
    assert text.count("gone x") == 100  # of a kind nobody knows here any more


async def test_a_proposal_of_an_unknown_kind_waits_for_nobody_and_breaks_no_page(
    office: Office,
) -> None:
    made, people = office.deps.governance.proposals, office.people
    made.kinds["bare"] = BareKind()
    row = await made.propose("bare", {"thing": "a"}, people["admin1"], WHY)
    del made.kinds["bare"]
    second = await office.signed_in("admin2")
    assert (await waits(second))[0] == 0
    status, text = await second.get("/console/settings/proposals")
    assert (status, "等别人决定" in text) == (200, True)
    status, text = await second.get(f"/console/settings/proposals/{row.id}")
    assert (status, "您不能批准这项变更" in text) == (200, True)
    assert (await second.post(f"/console/settings/proposals/{row.id}", verdict="approve"))[0] == 403


async def test_a_source_is_proposed_and_approved_through_the_one_api(office: Office) -> None:
    first, second = await office.signed_in("admin1"), await office.signed_in("admin2")
    body = {"kind": "source", "payload": {"fields": SOURCE}, "reason": WHY}
    status, made = await first.api("POST", "/proposals", body)
    assert status == 201
    assert made["subject"] == f"source:{made['payload']['id']}"
    wrong = {"kind": "source", "payload": {"fields": SOURCE | {"hosts": ["http://x/"]}}}
    status, answer = await first.api("POST", "/proposals/preview", wrong)
    assert (status, "不是完整的域名" in str(answer)) == (422, True)
    _, one = await second.api("GET", made["subject"].replace("source:", "/sources/"))
    assert (one["state"], one["waiting"]["id"]) == ("proposed", made["id"])
    assert (await first.api("POST", f"/proposals/{made['id']}/approve"))[0] == 403
    assert (await second.api("POST", f"/proposals/{made['id']}/approve"))[0] == 200
    asked = {"url": "https://wlj.beiyuan.example/a"}
    assert (await first.api("POST", "/sources/check", asked))[1]["ok"] is True


async def test_what_is_asked_for_a_limited_item_waits_only_in_its_circle(office: Office) -> None:
    people, ledger = office.people, office.deps.ledger
    url = "https://secret.other.example/a"
    content = Content("转载", "三号桥封闭方案", "三号桥封闭施工。", {"url": url, "editor": "李雪"})
    circle = [people[login] for login in ("editor", "reviewer1", "reviewer2", "reviewer3")]
    item = await create_confined(
        office.deps.queue, content, Origin(people["editor"], "重要"), circle
    )
    asked = await ask_exception(ledger, item.id, people["editor"], "县里急需，来不及登记稿源")
    inside, outside = await office.signed_in("reviewer3"), await office.signed_in("admin1")
    assert (await waits(inside))[0] == 1
    _, text = await inside.get("/console/sources/exceptions")
    assert url in text
    for path in ("/console/settings/proposals", "/console/sources/exceptions", "/console/"):
        status, text = await outside.get(path)
        assert (status, "三号桥" in text, url in text, asked.id in text) == (200, *[False] * 3)
        assert "项等待" not in text  # nor is it counted
    assert (await outside.get(f"/console/settings/proposals/{asked.id}"))[0] == 404
    assert (await outside.api("GET", f"/proposals/{asked.id}"))[0] == 404
    assert (await outside.api("GET", "/proposals"))[1] == {"proposals": []}
    assert (await outside.api("GET", "/sources/exceptions"))[1] == {"exceptions": []}
    path = f"/console/sources/exceptions/{asked.id}"
    assert (await inside.post(path, verdict="grant", note="情况属实"))[0] == 303
