"""Bodies in a tree: made by two people, and a supervisor sees what is below theirs."""

from dataclasses import asdict
from typing import Any

import pytest
from sqlalchemy import select

from bot.account_entries import account_digest, newest_of
from bot.models import Account, Organisation
from config.clock import now
from review_queue.models import GateRun
from review_queue.workflow import GATE_NAMES
from staff.refusal import Refused
from storage.database import new_id
from supervision.registry import Bodies, bodies_now, bodies_of
from tests.console.office import Office, set_roles
from tests.made import a_finding


async def change(office: Office, kind: str, **payload: Any) -> None:
    made, people = office.deps.governance.proposals, office.people
    row = await made.propose(kind, payload, people["admin1"], "机构改革以后的上下级")
    await made.approve(row.id, people["admin2"])


async def refused(office: Office, words: str, kind: str, **payload: Any) -> None:
    with pytest.raises(Refused, match=words):
        await change(office, kind, **payload)


async def tree(office: Office) -> Bodies:
    async with office.deps.db.session() as session:
        return await bodies_now(session)


async def shown(office: Office, login: str) -> list[str]:
    browser = await office.signed_in(login)
    status, page = await browser.get("/console/settings/accounts")
    assert status == 200
    _, told = await browser.api("GET", "/cockpit")
    listed = {one["slug"] for one in told["accounts"]}
    for slug in ("qinghe-tg", "qinghe-wx"):
        here = f'class="fine">{slug}<' in page
        assert (slug in listed) == here
        assert (await browser.get(f"/console/cockpit/{slug}"))[0] == (200 if here else 404)
    return [slug for slug in ("qinghe-tg", "qinghe-wx") if f'class="fine">{slug}<' in page]


async def test_a_supervisor_sees_the_accounts_of_their_body_and_below(office: Office) -> None:
    async with office.deps.db.session() as session:
        session.add(Organisation(id="office", name="北原市人民政府", parent_id=None))
    await change(office, "organisation", name="青禾县人民政府", parent="北原市人民政府")
    await change(office, "organisation", name="青禾县教育局", parent="青禾县人民政府")
    found = await tree(office)
    assert found.path(found.named("青禾县教育局") or "") == (
        "北原市人民政府 / 青禾县人民政府 / 青禾县教育局"
    )
    await refused(office, "没有叫“河西县”的单位", "organisation", name="新局", parent="河西县")
    await refused(office, "没有变化", "organisation", name="青禾县教育局")
    await refused(
        office, "不能是自己", "organisation", name="青禾县人民政府", parent="青禾县教育局"
    )
    await refused(office, "已有叫", "organisation", name="青禾县教育局", rename="青禾县人民政府")
    await refused(office, "2 到 120", "organisation", name="局", parent="北原市人民政府")
    await refused(office, "没有叫", "account", slug="qinghe-tg", organisation="河西县")
    await change(office, "organisation", name="青禾县教育局", rename="青禾县教育体育局")
    keys = {"token": "7:made-up", "webhook_secret": "made-up", "chat": "@qinghe"}
    ready: dict[str, Any] = {"secrets": keys, "assessment_ref": "青评〔2026〕1号"}
    body = "青禾县教育体育局"
    await change(office, "account", slug="qinghe-tg", organisation=body, **ready)
    async with office.deps.db.session() as session:
        row = (await session.scalars(select(Account).where(Account.slug == "qinghe-tg"))).one()
    told = newest_of(await office.deps.ledger.facts(f"account:{row.id}"))
    assert told is not None
    assert (row.whole, told.body["digest"]) == (True, account_digest(row))

    await set_roles(office, "reviewer3", ["supervisor"])
    assert await shown(office, "reviewer3") == ["qinghe-tg", "qinghe-wx"]
    await refused(office, "没有叫", "placement", login="reviewer3", organisation="河西县")
    await refused(office, "没有这个人员", "placement", login="ghost", organisation="北原市人民政府")
    await change(office, "placement", login="reviewer3", organisation="青禾县人民政府")
    await refused(office, "没有变化", "placement", login="reviewer3", organisation="青禾县人民政府")
    assert await shown(office, "reviewer3") == ["qinghe-tg"]
    browser = await office.signed_in("reviewer3")
    for path in ("/accounts/qinghe-wx/test", "/cockpit/qinghe-wx/selftest"):
        assert (await browser.api("POST", path))[0] == 404
    assert await shown(office, "admin1") == ["qinghe-tg", "qinghe-wx"]
    await change(office, "placement", login="reviewer3", organisation="北原市人民政府")
    assert await shown(office, "reviewer3") == ["qinghe-tg", "qinghe-wx"]
    await change(office, "placement", login="reviewer3", organisation="")
    assert (await tree(office)).places == {}

    async with office.deps.db.session() as session:
        (await session.get_one(Organisation, found.named("青禾县教育局"))).parent_id = None
    assert found.parents == (await tree(office)).parents  # what the table says of it is not asked


async def test_a_supervisor_reads_figures_of_their_bodies_and_an_admin_changes_them(
    office: Office,
) -> None:
    item = await office.submitted()
    async with office.deps.db.session() as session:
        session.add(Organisation(id="office", name="北原市人民政府", parent_id=None))
        run = (await session.scalars(select(GateRun).where(GateRun.item_id == item.id))).first()
        assert run is not None
        found = [asdict(a_finding(gate="law")), asdict(a_finding(gate="secrecy", severity="warn"))]
        for _ in range(2):
            row = {"id": new_id(), "item_id": item.id, "digest": run.digest, "at": now()}
            session.add(GateRun(**row, ruleset=run.ruleset, findings=found))
    await change(office, "organisation", name="青禾县教育局", parent="北原市人民政府")
    await change(office, "organisation", name="青禾镇", parent="北原市人民政府")
    browser = await office.signed_in("admin1")
    _, told = await browser.api("GET", "/organisations")
    by_name = {one["name"]: one for one in told["organisations"]}
    assert sorted(by_name) == ["北原市人民政府", "青禾县教育局", "青禾镇"]
    assert by_name["北原市人民政府"]["accounts"] == 2
    assert by_name["北原市人民政府"]["stopped"] == {"law": 1}, "once an item, and no warning"
    page = (await browser.get("/console/settings/organisations"))[1]
    assert f'<span class="chip warn">{GATE_NAMES["law"]} 1</span>' in page
    # Looked at, then proposed: nothing changes before a second person.
    form = {
        "name": "青禾县卫健局",
        "parent": "北原市人民政府",
        "why": "机构改革新设的单位",
        "step": "preview",
    }
    status, page = await browser.post("/console/settings/organisations", **form)
    assert (status, "青禾县卫健局，上级：北原市人民政府" in page) == (200, True)
    status, _ = await browser.post("/console/settings/organisations", **form | {"step": "propose"})
    assert (status, (await tree(office)).named("青禾县卫健局")) == (303, None)
    move = {
        "about": "placement",
        "login": "reviewer3",
        "organisation": "青禾镇",
        "why": "从今天起到任",
    }
    assert (await browser.post("/console/settings/organisations", **move, step="propose"))[0] == 303
    await set_roles(office, "reviewer3", ["supervisor"])
    await change(office, "placement", login="reviewer3", organisation="青禾县教育局")
    below = await office.signed_in("reviewer3")
    _, told = await below.api("GET", "/organisations")
    assert [one["name"] for one in told["organisations"]] == ["青禾县教育局"]
    page = (await below.get("/console/settings/organisations"))[1]
    assert "青禾镇" not in page
    assert "增加、改名" not in page
    refusal = await below.post("/console/settings/organisations", name="青禾镇", close="yes")
    assert refusal[0] == 403
    await refused(office, "人员", "organisation", name="青禾县教育局", close="yes")
    await refused(office, "账号“.*下级单位", "organisation", name="北原市人民政府", close="yes")
    made, people = office.deps.governance.proposals, office.people
    keys = {"token": "7:made-up", "webhook_secret": "made-up", "chat": "@qinghe"}
    given: dict[str, Any] = {"slug": "qinghe-tg", "organisation": "青禾镇", "secrets": keys}
    given["assessment_ref"] = "青评〔2026〕1号"
    late = await made.propose("account", given, people["admin1"], "账号划给青禾镇")
    await change(office, "organisation", name="青禾镇", close="yes")
    assert (await tree(office)).named("青禾镇") is None
    with pytest.raises(Refused, match="没有叫"):  # or nobody would look after it
        await made.approve(late.id, people["admin2"])
    await change(office, "organisation", name="青禾镇", parent="青禾县教育局")
    found_again = (await tree(office)).named("青禾镇")
    assert (await tree(office)).path(found_again or "").endswith("青禾县教育局 / 青禾镇")


def test_a_circle_nobody_could_sign_ends() -> None:
    round_and_round = Bodies({"a": "甲", "b": "乙"}, {"a": "b", "b": "a"})
    assert round_and_round.below("a") == {"a", "b"}
    assert bodies_of({"a": "甲"}, ()).seen_by("somebody") is None
