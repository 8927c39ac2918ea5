"""The list from the command line, and an office whose list somebody edits with SQL."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

import cli
from app import Shenfa, open_shenfa
from bot.contract import Content
from bot.models import Publication
from config.clock import now
from config.settings import Settings
from config.setup import Setup
from content_sources.changes import revoke
from content_sources.models import Source
from office.setup import initialise
from review_queue import deciding, drafting, publishing, submitting
from review_queue.drafting import Origin
from review_queue.findings import findings_now
from review_queue.forms import ReviewForm
from review_queue.models import Item
from review_queue.workflow import GATES
from sandbox.app import serve
from staff.models import Staff
from staff.refusal import Refused

RUN = CliRunner()
TOKEN = "900900:sandbox-token-for-tests"
PEOPLE = {
    "admin1": ["admin"],
    "admin2": ["admin"],
    "editor": ["editor"],
    "reviewer1": ["reviewer_1"],
    "reviewer2": ["reviewer_2"],
    "reviewer3": ["reviewer_3", "secrecy"],
}


def settings_of(home: Path, allow: str = "") -> Settings:
    return Settings(
        home=home,
        database_url=f"sqlite+aiosqlite:///{home / 'shenfa.db'}",
        redis_url="",
        ledger_key_file=home / "keys/ledger.key",
        data_key_file=home / "keys/data.key",
        anchor_file=home / "anchors.jsonl",
        dev=True,
        dev_allow=allow,
    )


def setup_of(platform: str = "") -> Setup:
    account = {
        "slug": "qinghe-tg",
        "platform": "telegram",
        "name": "青禾发布",
        "api_base": f"{platform}/telegram",
        "secrets": {"token": TOKEN, "webhook_secret": "w", "chat": "@qinghe_channel"},
        "assessment_ref": "TEST",
    }
    data: dict[str, Any] = {
        "organisation": "青禾县",
        "staff": [
            {"login": login, "name": login, "roles": roles, "password": "otter-lamp-39"}
            for login, roles in PEOPLE.items()
        ],
        "accounts": [account] if platform else [],
        "sources": [
            {
                "organisation": "青禾县人民政府",
                "hosts": [platform.removeprefix("http://") or "www.qinghe.gov.cn"],
                "allow_http": bool(platform),
                "basis": "青政办发〔2026〕1号",
                "valid_from": (now() - timedelta(days=1)).date(),
                "paths": ["/site/", "/zwgk/"],
            }
        ],
    }
    return Setup.model_validate(data)


def run(home: Path, *words: str, group: str = "source") -> tuple[int, str]:
    env = {"SHENFA_PASSWORD": "otter-lamp-39"}
    done = RUN.invoke(cli.shenfa, [group, *words, "--home", str(home)], env=env)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        return 2, str(done.exception)
    return done.exit_code, done.stdout


def test_the_list_is_driven_from_the_command_line(tmp_path: Path) -> None:
    asyncio.run(initialise(settings_of(tmp_path), setup_of()))
    code, text = run(tmp_path, "check", "https://www.qinghe.gov.cn/zwgk/a.html", "--json")
    assert (code, json.loads(text)["ok"]) == (0, True)
    code, text = run(tmp_path, "check", "https://www.qinghe.gov.cn/xwdt/a.html", "--json")
    assert (code, json.loads(text)["rule"]) == (1, "scope")
    given = ("--basis", "授权函一份", "--by", "admin1", "--json")
    code, text = run(tmp_path, "add", "北原市", "www.beiyuan.gov.cn", *given)
    assert (code, json.loads(text)["state"]) == (0, "proposed")
    assert "不是完整的域名" in run(tmp_path, "add", "坏", "http://x", *given)[1]
    stranger = ("--basis", "授权函一份", "--by", "stranger")
    assert "登录名或密码不对" in run(tmp_path, "add", "好", "www.a.cn", *stranger)[1]
    code, _ = run(tmp_path, "check", "https://www.beiyuan.gov.cn/")
    assert code == 1
    file = tmp_path / "名单.csv"
    file.write_text("单位名称\n青禾县人民政府\n草原通讯社\n", encoding="utf-8")
    code, text = run(tmp_path, "import", str(file), "--list-version", "2026", *given[:4])
    assert code == 0
    assert "新增\t草原通讯社" in text
    rows = [json.loads(line) for line in run(tmp_path, "list", "--json")[1].splitlines()]
    waiting = [row for row in rows if row["organisation"] != "青禾县人民政府"]
    assert [(row["organisation"], row["state"]) for row in waiting] == [("北原市", "proposed")]
    assert json.loads(run(tmp_path, "watch", "--json")[1]) == {}


def test_what_waits_is_decided_from_the_command_line(tmp_path: Path) -> None:
    asyncio.run(initialise(settings_of(tmp_path), setup_of()))
    given = ("--basis", "授权函一份", "--by", "admin1", "--json")
    for name, host in (("北原市", "www.beiyuan.gov.cn"), ("草原市", "www.caoyuan.gov.cn")):
        assert run(tmp_path, "add", name, host, *given)[0] == 0
    file = tmp_path / "名单.csv"
    file.write_text("单位名称\n草原通讯社\n", encoding="utf-8")
    assert run(tmp_path, "import", str(file), "--list-version", "2026", *given[:4])[0] == 0
    _, text = run(tmp_path, "list", group="proposals")
    assert "admin1  稿源变更：新增稿源：北原市" in text
    assert "稿源名单：稿源名单 2026：新增 1 家" in text
    rows = run(tmp_path, "list", "--json", group="proposals")[1].splitlines()
    by_head = {row["effect"]["changes"][0]["text"]: row["id"] for row in map(json.loads, rows)}
    north, grass = by_head["新增稿源：北原市"], by_head["新增稿源：草原市"]
    _, text = run(tmp_path, "show", north, group="proposals")
    assert "+ 网站域名：www.beiyuan.gov.cn" in text
    assert "理由：依据：授权函一份" in text
    approve = ("approve", north, "--note", "电话核对过", "--by")
    assert "提出人不能批准" in run(tmp_path, *approve, "admin1", group="proposals")[1]
    assert "需要以下角色之一：管理员" in run(tmp_path, *approve, "editor", group="proposals")[1]
    assert run(tmp_path, *approve, "admin2", group="proposals")[0] == 0
    assert run(tmp_path, "check", "https://www.beiyuan.gov.cn/")[0] == 0
    turned = ("reject", grass, "--reason", "授权函已过期", "--by", "admin2")
    assert run(tmp_path, *turned, group="proposals")[0] == 0
    assert run(tmp_path, "check", "https://www.caoyuan.gov.cn/")[0] == 1
    (left,) = run(tmp_path, "list", "--json", group="proposals")[1].splitlines()
    key = json.loads(left)["id"]
    assert run(tmp_path, "withdraw", key, "--by", "admin1", group="proposals")[0] == 0
    assert run(tmp_path, "list", group="proposals")[1] == "没有这样的变更\n"


@pytest.fixture
async def platform() -> AsyncIterator[str]:
    runner = await serve("127.0.0.1", 0)
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        account = {"platform": "telegram", "token": TOKEN, "name": "青禾发布", "username": "q_bot"}
        await session.post(f"{base}/_control/accounts", json=account)
        channel = {"account": "900900", "count": 1, "prefix": "c", "kind": "channel"}
        channel |= {"username": "qinghe_channel", "follow": True}
        await session.post(f"{base}/_control/citizens", json=channel)
    yield base
    await runner.cleanup()


async def sends(base: str) -> int:
    """How many messages the platform was asked to show."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{base}/_control/requests") as answer,
    ):
        rows = (await answer.json())["requests"]
    return sum("send" in json.dumps(row).lower() for row in rows)


async def scheduled(shenfa: Shenfa, people: dict[str, str], url: str) -> Item:
    attribution = {
        "source": "青禾县人民政府",
        "original_author": "未署名",
        "original_title": "公园开放",
        "editor": "李雪",
        "url": url,
    }
    text = "青禾县城东公园将于十二月开放，市民可以步行前往。"
    content = Content("转载", "公园开放", text, attribution)
    item = await drafting.create_item(shenfa.queue, content, Origin(people["editor"], "重要"))
    item = await submitting.submit(shenfa.queue, item.id, people["editor"], item.version)
    for who in ("reviewer1", "reviewer2", "reviewer3"):
        digest, _ = await findings_now(shenfa.queue, item.id)
        gates = {gate: {"ok": True, "note": "已核对"} for gate in GATES}
        answer = ReviewForm("approve", digest, item.version, gates, proof=True)
        item = await deciding.decide(shenfa.queue, item.id, people[who], answer)
    return await publishing.schedule(shenfa.queue, item.id, people["editor"])


async def test_an_sql_writer_gets_nothing_onto_the_platform(tmp_path: Path, platform: str) -> None:
    settings = settings_of(tmp_path, platform.removeprefix("http://"))
    await initialise(settings, setup_of(platform))
    async with open_shenfa(settings) as shenfa:
        async with shenfa.db.session() as session:
            rows = (await session.scalars(select(Staff))).all()
            source_id = (await session.scalars(select(Source.id))).one()
        people = {row.login: row.id for row in rows}
        async with shenfa.db.session() as session:
            hosts = [platform.removeprefix("http://"), "evil.example.com"]
            await session.execute(update(Source).values(hosts=hosts, paths=[]))
        with pytest.raises(Refused, match="不在稿源白名单内"):
            await scheduled(shenfa, people, "https://evil.example.com/a.html")
        await scheduled(shenfa, people, f"{platform}/site/news/gongshui-gaizao.html")
        await revoke(shenfa.ledger, people["admin1"], source_id)
        async with shenfa.db.session() as session:
            await session.execute(update(Source).values(state="active"))
            await session.execute(
                update(Item).where(Item.state == "quarantined").values(state="scheduled")
            )
            # Put back with its own good seal: what is asked here is the sender's own question.
            for row in (await session.scalars(select(Publication))).all():
                row.state, row.next_at = "created", now()
        await shenfa.lease.start()
        await shenfa.publisher.publish_due()
        await shenfa.lease.stop()
        async with shenfa.db.session() as session:
            row = (await session.scalars(select(Publication))).one()
    assert row.state == "held"
    assert "撤销" in row.reason
    assert await sends(platform) == 0
