"""Rule sets by version: proposed, tried on real texts, approved, sent under, rolled back."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select, text

from app import Shenfa, open_shenfa
from bot.contract import Content, State
from bot.models import Publication
from config.settings import Settings
from config.setup import AccountSetup, Setup, SetupError, StaffSetup
from demo.cast import BOT_TOKEN
from demo.platforms import port_for
from ledger.models import Incident
from office.setup import initialise
from review_queue import deciding, drafting, publishing, submitting
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.governance.kinds import Governance
from review_queue.governance.rulesets import feedback_counts, report_false_alarm
from review_queue.models import Item, ReleaseRow
from review_queue.workflow import GATES
from sandbox.app import start
from staff.models import Staff
from staff.refusal import Refused

STAFF = {
    "editor": ["editor"],
    "reviewer1": ["reviewer_1"],
    "reviewer2": ["reviewer_2", "secrecy"],
    "admin1": ["admin"],
    "admin2": ["admin"],
}
RULE = {
    "id": "office.market",
    "gate": "wording",
    "severity": "block",
    "terms": ["河东市集"],
    "unless": ["新河东市集"],
    "reason": "市集已改名为河东集市",
    "basis": "青禾县地名公告",
    "suggestion": "河东集市",
    "must": ["周末到河东市集办理"],
    "must_not": ["周末到河东集市办理"],
}
ADD = {"changes": [{"now": RULE}]}


class Office:
    """An opened home with one Telegram account in the sandbox."""

    def __init__(self, shenfa: Shenfa, people: dict[str, str]) -> None:
        self.shenfa, self.people = shenfa, people
        self.governance = shenfa.governance

    async def change(self, payload: Any, kind: str = "ruleset") -> Mapping[str, Any]:
        """Proposed by one admin, approved by the other."""
        proposals = self.governance.proposals
        row = await proposals.propose(kind, payload, self.people["admin1"], "试验这项变更")
        return await proposals.approve(row.id, self.people["admin2"])

    async def draft(self, body: str) -> Item:
        content = Content(kind="原创", title="周末办理时间", body=body)
        origin = Origin(editor_id=self.people["editor"], klass="日常")
        return await drafting.create_item(self.shenfa.queue, content, origin)

    async def scheduled(self, body: str) -> Item:
        queue = self.shenfa.queue
        item = await self.draft(body)
        item = await submitting.submit(queue, item.id, self.people["editor"], item.version)
        for who in ("reviewer1", "reviewer2"):
            digest, _ = await findings_now(queue, item.id)
            gates = {gate: {"ok": True, "note": "已核对"} for gate in GATES}
            answer = ReviewForm("approve", digest, item.version, gates)
            item = await deciding.decide(queue, item.id, self.people[who], answer)
        return await publishing.schedule(queue, item.id, self.people["editor"])

    async def send(self, item: Item) -> Publication:
        """What the publishing job does, then how the publication stands."""
        await self.shenfa.publisher.publish_due()
        async with self.shenfa.db.session() as session:
            query = select(Publication).where(Publication.item_id == item.id)
            return (await session.scalars(query)).one()

    async def incidents(self) -> set[str]:
        async with self.shenfa.db.session() as session:
            return set((await session.scalars(select(Incident.kind))).all())

    async def sql(self, words: str) -> None:
        async with self.shenfa.db.session() as session:
            await session.execute(text(words))


def settings_of(home: Path, url: str) -> Settings:
    return Settings(home=home, dev=True, dev_allow=url.split("//")[1])


def setup_of(url: str, **more: Any) -> Setup:
    return Setup(
        organisation="青禾县",
        staff=[
            StaffSetup(login=login, name=login, roles=roles, password="otter-lamp-39")
            for login, roles in STAFF.items()
        ],
        accounts=[
            AccountSetup(
                slug="qinghe-tg",
                platform="telegram",
                name="青禾发布",
                api_base=f"{url}/telegram",
                secrets={"token": BOT_TOKEN, "webhook_secret": "s", "chat": "@qinghe"},
                assessment_ref="DEMO",
            )
        ],
        **more,
    )


@asynccontextmanager
async def opened(home: Path, url: str, **more: Any) -> AsyncIterator[Office]:
    settings = settings_of(home, url)
    if not (home / "shenfa.db").exists():
        await initialise(settings, setup_of(url, **more))
    async with open_shenfa(settings) as shenfa:
        async with shenfa.db.session() as session:
            rows = (await session.scalars(select(Staff))).all()
        yield Office(shenfa, {row.login: row.id for row in rows})


@pytest.fixture(scope="module")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A home made once (its passwords take a second to hash), and the port of its sandbox."""
    home = tmp_path_factory.mktemp("office")
    port = port_for(None)
    url = f"http://127.0.0.1:{port}"
    asyncio.run(initialise(settings_of(home, url), setup_of(url)))
    return home, port


@pytest.fixture
async def sandbox(initialised: tuple[Path, int]) -> AsyncIterator[str]:
    runner, url = await start("127.0.0.1", initialised[1])
    async with aiohttp.ClientSession() as http:
        for path, body in (
            ("accounts", {"platform": "telegram", "token": BOT_TOKEN, "name": "青禾发布"}),
            (
                "citizens",
                {
                    "account": "700700",
                    "count": 1,
                    "prefix": "channel",
                    "kind": "channel",
                    "username": "qinghe",
                    "follow": True,
                },
            ),
        ):
            async with http.post(f"{url}/_control/{path}", json=body) as answer:
                assert answer.status == 200, await answer.text()
    yield url
    await runner.cleanup()


@pytest.fixture
async def office(
    tmp_path: Path, sandbox: str, initialised: tuple[Path, int]
) -> AsyncIterator[Office]:
    shutil.copytree(initialised[0], tmp_path, dirs_exist_ok=True)
    async with opened(tmp_path, sandbox) as made:
        yield made


def rules(caught: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {reason.rule for reason in caught.value.reasons}


async def test_a_rule_added_after_approval_holds_the_post_and_a_rollback_lets_it_go(
    office: Office,
) -> None:
    queue, publisher = office.shenfa.queue, office.shenfa.publisher
    item = await office.scheduled("周末可以到河东市集办理社保卡。")
    shown = await office.change(ADD)
    assert shown == {"version": 2}
    held = await office.send(item)
    assert held.state == State.HELD
    assert "市集已改名为河东集市" in held.reason
    assert await office.incidents() == {"release_refused"}
    assert [row.rule for row in (await findings_now(queue, item.id))[1]] == ["office.market"]
    assert await office.change({"version": 1}) == {"version": 3}
    assert await publisher.resume_publication(held.id) is True
    sent = await office.send(item)
    assert (sent.state, sent.reason) == (State.PUBLISHED, "")
    history = await office.governance.rules.history()
    assert [(row.version, row.summary) for row in history] == [
        (3, "恢复到第 1 版"),
        (2, "新增规则 office.market：市集已改名为河东集市"),
        (1, "初始规则集"),
    ]
    assert {row.approved_by for row in history} == {"init", office.people["admin2"]}
    rule = await office.governance.rules.rule_history("office.market")
    assert [(version.version, row is not None) for version, row in rule] == [(3, False), (2, True)]


async def test_a_release_names_the_version_it_was_approved_under(office: Office) -> None:
    await office.change(ADD)
    item = await office.scheduled("周末可以到河东集市办理社保卡。")
    async with office.shenfa.db.session() as session:
        row = await session.get(ReleaseRow, item.release_id)
    assert row is not None
    assert await office.governance.rules.version_of(row.ruleset) == 2
    entries = await office.shenfa.ledger.facts(f"item:{item.id}")
    signed = [entry.body for entry in entries if entry.kind == "release.created"]
    assert signed[0]["ruleset"] == row.ruleset
    facts = await office.shenfa.ledger.facts("rules")
    assert facts[-1].body["digest"] == row.ruleset


async def test_a_rule_set_changed_by_sql_is_refused_at_load_and_at_send(
    office: Office, tmp_path: Path, sandbox: str
) -> None:
    await office.change(ADD)
    item = await office.scheduled("周末可以到河东集市办理社保卡。")
    await office.sql(
        "UPDATE ruleset SET body = replace(body, '河东市集', '无关') WHERE version = 2"
    )
    held = await office.send(item)
    assert held.state == State.HELD
    assert "规则集在数据库中被改动" in held.reason
    assert "ruleset_tampered" in await office.incidents()
    fresh = Governance.of(office.shenfa.ledger)
    with pytest.raises(Refused) as caught:
        await fresh.rules.active()
    assert (caught.value.status, rules(caught)) == (409, {"tampered"})


async def test_a_version_inserted_by_sql_is_never_in_force(office: Office) -> None:
    await office.sql(
        "INSERT INTO ruleset SELECT 9, 'f', replace(body, '河', '江'), 's', NULL, 'x', 'x', 1,"
        " approved_at FROM ruleset WHERE version = 1"
    )
    assert (await office.governance.rules.active()).version == 1
    with pytest.raises(Refused) as caught:
        await office.change({"version": 9})
    assert caught.value.status == 404


async def test_a_home_opened_again_has_the_approved_set(
    tmp_path: Path, sandbox: str, initialised: tuple[Path, int]
) -> None:
    shutil.copytree(initialised[0], tmp_path, dirs_exist_ok=True)
    async with opened(tmp_path, sandbox) as office:
        await office.change(ADD)
    async with opened(tmp_path, sandbox) as office:
        active = await office.governance.rules.active()
        assert (active.version, active.row("office.market")) == (2, RULE)


async def test_the_preview_says_what_would_be_flagged_and_where(office: Office) -> None:
    item = await office.draft("周末可以到河东市集办理社保卡。")
    await office.draft("周末可以到河东集市办理社保卡。")
    _, effect = await office.governance.proposals.draft("ruleset", ADD)
    preview = effect["preview"]
    assert preview["tried"]["items"] == 2
    assert preview["tried"]["samples"] > 100
    assert preview["newly"] == {"items": 1, "samples": 0}
    assert preview["gone"] == {"items": 0, "samples": 0}
    (shown,) = preview["examples"]
    assert (shown["change"], shown["rule"], shown["item"]) == ("newly", "office.market", item.id)
    assert shown["text"] == "河东市集"
    assert any("拦下" in words for words in effect["warnings"])


async def test_a_removed_rule_shows_what_would_no_longer_be_flagged(office: Office) -> None:
    await office.change(ADD)
    await office.draft("周末可以到河东市集办理社保卡。")
    _, effect = await office.governance.proposals.draft(
        "ruleset", {"changes": [{"id": "office.market", "now": None}]}
    )
    assert effect["preview"]["gone"]["items"] == 1
    assert effect["changes"][0]["sign"] == "-"
    assert any("不再拦截" in words for words in effect["warnings"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"now": RULE | {"must": ["周末到河东集市办理"]}}, "应当命中却没有命中"),
        ({"now": RULE | {"must_not": ["周末到河东市集办理"]}}, "不应命中却命中"),
        ({"now": RULE | {"severity": "fatal"}}, "severity"),
        ({"now": {**RULE, "basis": ""}}, "basis"),
        ({"id": "no.such.rule", "now": None}, "no.such.rule"),
    ],
)
async def test_a_change_its_own_examples_contradict_cannot_be_proposed(
    office: Office, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused, match=words) as caught:
        await office.governance.proposals.draft("ruleset", {"changes": [change]})
    assert caught.value.status == 422


async def test_two_changes_of_one_rule_do_not_overwrite_each_other(office: Office) -> None:
    await office.change(ADD)
    proposals, admin = office.governance.proposals, office.people["admin1"]
    first, second = [
        await proposals.propose(
            "ruleset", {"changes": [{"now": RULE | {"severity": severity}}]}, admin, "改严重程度"
        )
        for severity in ("warn", "hint")
    ]
    await proposals.approve(first.id, office.people["admin2"])
    with pytest.raises(Refused) as caught:
        await proposals.approve(second.id, office.people["admin2"])
    assert (caught.value.status, rules(caught)) == (409, {"overtaken"})


async def test_changes_of_different_rules_both_come_into_force(office: Office) -> None:
    other = RULE | {"id": "office.other", "terms": ["河西市集"], "must": ["到河西市集"]}
    proposals = office.governance.proposals
    rows = [
        await proposals.propose(
            "ruleset", {"changes": [{"now": row}]}, office.people["admin1"], "各加一条"
        )
        for row in (RULE, other)
    ]
    for row in rows:
        await proposals.approve(row.id, office.people["admin2"])
    active = await office.governance.rules.active()
    assert active.version == 3
    assert active.row("office.market")
    assert active.row("office.other")


async def test_never_flag_this_here_makes_one_phrase_innocent(office: Office) -> None:
    await office.change(ADD)
    item = await office.draft("周末可以到老河东市集遗址参观。")
    await office.change({"rule": "office.market", "text": "老河东市集遗址"}, "exception")
    assert (await findings_now(office.shenfa.queue, item.id))[1] == []
    still = await office.draft("周末可以到河东市集办理。")
    assert len((await findings_now(office.shenfa.queue, still.id))[1]) == 1
    row = (await office.governance.rules.active()).row("office.market")
    assert row is not None
    assert row["unless"] == ["新河东市集", "老河东市集遗址"]


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ({"rule": "office.market", "text": "河东市集"}, "例句应当命中却没有命中"),
        ({"rule": "office.market", "text": "河东集市"}, "并不标出"),
        ({"rule": "secrecy.mobile", "text": "13812345678"}, "写在程序里"),
        ({"rule": "office.market", "text": "河"}, "短语"),
    ],
)
async def test_an_exception_that_would_blunt_the_rule_is_refused(
    office: Office, payload: dict[str, Any], words: str
) -> None:
    await office.change(ADD)
    with pytest.raises(Refused, match=words):
        await office.governance.proposals.draft("exception", payload)


async def test_false_alarms_are_counted_once_a_person(office: Office) -> None:
    item = await office.draft("周末可以到河东市集办理。")
    ledger = office.shenfa.ledger
    for who in ("editor", "editor", "reviewer1"):
        await report_false_alarm(ledger, "office.market", item.id, office.people[who])
    assert await feedback_counts(ledger) == {"office.market": 2}
    with pytest.raises(Refused):
        await report_false_alarm(ledger, "office.market", "nothing", office.people["editor"])


async def test_levels_changed_in_mid_run_leave_the_running_item_its_own(office: Office) -> None:
    queue, editor = office.shenfa.queue, office.people["editor"]
    item = await office.draft("周末办理时间不变。")
    item = await submitting.submit(queue, item.id, editor, item.version)
    shorter = [
        {"name": "先审", "roles": ["reviewer_2"], "gates": ["wording"], "hours": 4},
        {"name": "后审", "roles": ["reviewer_1"], "gates": list(GATES), "hours": 4},
    ]
    await office.change({"klass": "日常", "levels": shorter}, "workflow")
    for who in ("reviewer1", "reviewer2"):
        digest, _ = await findings_now(queue, item.id)
        gates = {gate: {"ok": True, "note": "已核对"} for gate in GATES}
        answer = ReviewForm("approve", digest, item.version, gates)
        item = await deciding.decide(queue, item.id, office.people[who], answer)
    assert [level["name"] for level in (item.workflow or {})["levels"]] == ["初审", "终审"]
    item = await publishing.schedule(queue, item.id, editor)
    assert (await office.send(item)).state == State.PUBLISHED
    later = await office.draft("下周末办理时间不变。")
    later = await submitting.submit(queue, later.id, editor, later.version)
    assert [level["name"] for level in (later.workflow or {})["levels"]] == ["先审", "后审"]


async def test_the_setup_file_may_bring_its_own_levels(tmp_path: Path, sandbox: str) -> None:
    levels = {
        "日常": {
            "levels": [
                {"name": "科室审核", "roles": ["reviewer_1"], "gates": ["wording"], "hours": 4},
                {"name": "领导签发", "roles": ["reviewer_2"], "gates": list(GATES), "hours": 4},
            ]
        }
    }
    async with opened(tmp_path, sandbox, levels=levels) as office:
        flow = office.shenfa.queue.levels["日常"]
        assert [level.name for level in flow.levels] == ["科室审核", "领导签发"]
        item = await office.scheduled("周末办理时间不变。")
        assert (await office.send(item)).state == State.PUBLISHED


async def test_levels_of_a_setup_file_that_could_be_bypassed_are_refused(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    levels = {"日常": {"levels": [{"name": "一级", "roles": ["editor"], "gates": [], "hours": 1}]}}
    with pytest.raises(SetupError, match="审核级次 levels"):
        await initialise(settings, setup_of("http://127.0.0.1:1", levels=levels))
