"""试一下: each part of an account on the sandbox, fine or with what to do, signed; doctor too."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app import Shenfa
from bot.trial import Look
from demo.cast import BOT_TOKEN, CHANNEL, TELEGRAM_ID, WECHAT
from escalations.routes import Line
from office.doctor import examine
from sandbox.app import start
from staff.refusal import Refused
from supervision.selftest import NAME
from supervision.trial import ONESELF, TESTED, account_of, last_test
from tests.office.talking import Talk, make, talking

WX, TG = "qinghe-wx", "qinghe-tg"
PARTS_WX = [
    *("凭证", "IP 白名单", "菜单", "权限：草稿箱", "权限：发布", "权限：客服消息"),
    *("回调地址", NAME, ONESELF),
]
PARTS_TG = ["凭证", "权限：发布", "webhook", "菜单", "回调地址", NAME, ONESELF]


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Talk]:
    """A running office on the sandbox whose admin can be written to on Telegram."""
    runner, url = await start("127.0.0.1", 0)
    await make(tmp_path / "home", url)
    async with talking(tmp_path / "home", url) as made:
        shenfa = made.shenfa
        more = {"platform": "wechat", "name": "青禾发布", "kind": "service", "verified": True}
        await made.post("accounts", **more, **WECHAT)
        channel = {"account": TELEGRAM_ID, "count": 1, "kind": "channel", "username": CHANNEL}
        await made.post("citizens", **channel, name="青禾发布频道", follow=True)
        async with shenfa.ledger.transaction() as tx:
            admin = made.people["admin1"]
            lines = [Line("telegram", made.citizen)]
            await shenfa.alarms.routes.put(tx, admin, lines, admin)
        assert await shenfa.equip() == []
        yield made
    await runner.cleanup()


async def tried(talk: Talk, slug: str) -> dict[str, Look]:
    found = await talk.shenfa.trials.try_now(slug, talk.people["admin1"])
    return {one.name: one for one in found}


async def got(talk: Talk) -> list[Any]:
    """What the citizen's phone shows."""
    where = f"{talk.control}/messages?account={TELEGRAM_ID}&citizen={talk.citizen}"
    async with talk.http.get(where) as answer:
        return list((await answer.json())["messages"])


async def told(shenfa: Shenfa, slug: str) -> list[Any]:
    row = await account_of(shenfa.db, slug)
    return await shenfa.ledger.facts(f"account:{row.id}")


async def test_both_accounts_of_a_right_office_work_and_the_test_is_signed(talk: Talk) -> None:
    found = await tried(talk, TG)
    assert list(found) == PARTS_TG
    assert [one.words for one in found.values() if not one.ok] == []
    assert "测试提醒" in json.dumps((await got(talk))[-1], ensure_ascii=False)
    found = await tried(talk, WX)
    assert list(found) == PARTS_WX
    # An admin whom nobody can write to on WeChat is told how that is mended, and nothing else.
    assert [name for name, one in found.items() if not one.ok] == [ONESELF]
    assert "请在“我的登录 → 值班提醒”填写" in found[ONESELF].words
    entries = await told(talk.shenfa, WX)
    assert [one.body["faults"] for one in entries if one.kind == TESTED] == [[ONESELF]]
    last = last_test(entries)
    assert last is not None
    assert last.by == talk.people["admin1"]
    # A test changes nothing of what an account is used by.
    assert (await talk.shenfa.accounts.by_slug(WX)).secrets == WECHAT


async def test_what_is_wrong_at_wechat_is_told_with_what_to_do(talk: Talk) -> None:
    refusing = {"platform": "wechat", "kind": "refuse"}
    unlisted = {"code": 40164, "description": "invalid ip 203.0.113.9, not in whitelist"}
    await talk.post("faults", **refusing, method="stable_token", **unlisted)
    found = await tried(talk, WX)
    assert not found["IP 白名单"].ok
    assert "服务器地址 203.0.113.9 不在 IP 白名单：请在 微信公众平台" in found["IP 白名单"].words
    await talk.post("faults", **refusing, method="freepublish/batchget", code=48001)
    await talk.post("faults", **refusing, method="menu/get", code=46003)
    found = await tried(talk, WX)
    wrong = {name: one.words for name, one in found.items() if not one.ok}
    assert set(wrong) == {"菜单", "权限：发布", ONESELF}
    assert "公众号没有菜单：请运行 shenfa account menu" in wrong["菜单"]
    assert "接口权限 核对" in wrong["权限：发布"]
    more = {"platform": "wechat", "name": "青禾发布", "kind": "service", "verified": True}
    await talk.post("accounts", **more, **WECHAT | {"secret": "another"})
    found = await tried(talk, WX)
    assert "AppSecret 不对" in found["凭证"].words
    assert found["回调地址"].ok


async def test_what_is_wrong_at_telegram_is_told_with_what_to_do(talk: Talk) -> None:
    await talk.post("citizens", account=TELEGRAM_ID, count=1, kind="channel", posting=False,
                    username="other", name="别的频道", id="-1009", follow=True)  # fmt: skip
    admin, other = talk.people["admin1"], talk.people["admin2"]
    made = talk.shenfa.governance.proposals
    row = await made.propose(
        "account", {"slug": TG, "secrets": {"chat": "@other"}}, admin, "频道换名称了"
    )
    await made.approve(row.id, other)
    await talk.post("accounts", platform="telegram", token=BOT_TOKEN, name="青禾发布",
                    callback_url="https://elsewhere.example/hook")  # fmt: skip
    found = await tried(talk, TG)
    wrong = {name: one.words for name, one in found.items() if not one.ok}
    assert set(wrong) == {"权限：发布", "webhook"}
    assert "请在频道里把它加为管理员" in wrong["权限：发布"]
    assert "平台登记的是 https://elsewhere.example/hook，应为" in wrong["webhook"]


async def test_an_address_that_is_not_ours_or_silent_is_told(talk: Talk) -> None:
    shenfa = talk.shenfa
    here = shenfa.settings.public_url
    shenfa.settings.public_url = f"{here}/elsewhere"
    found = await tried(talk, WX)
    assert "不是本系统认签名的应答" in found["回调地址"].words
    shenfa.settings.public_url = "http://127.0.0.1:9"
    found = await tried(talk, TG)
    assert "没有应答" in found["回调地址"].words
    assert "SHENFA_PUBLIC_URL" in found["回调地址"].words
    shenfa.settings.public_url = here


async def test_a_paused_account_and_too_many_tests_are_told(talk: Talk) -> None:
    admin, other = talk.people["admin1"], talk.people["admin2"]
    made = talk.shenfa.governance.proposals
    row = await made.propose("account", {"slug": TG, "enabled": False}, admin, "平台维护")
    await made.approve(row.id, other)
    found = await tried(talk, TG)
    assert [(name, one.ok) for name, one in found.items()] == [("账号", False)]
    assert "已停用" in found["账号"].words
    with pytest.raises(Refused) as caught:
        await talk.shenfa.trials.try_now("nowhere", admin)
    assert caught.value.status == 404
    for _ in range(9):
        await talk.shenfa.trials.try_now(TG, admin)
    with pytest.raises(Refused, match="最多试"):
        await talk.shenfa.trials.try_now(TG, admin)


async def test_doctor_tests_the_same_parts_and_sends_nobody_a_message(talk: Talk) -> None:
    before = await got(talk)
    checks = {one.name: one for one in await examine(talk.shenfa.settings)}
    for slug, parts in ((WX, PARTS_WX), (TG, PARTS_TG)):
        for part in parts[:-2]:
            assert checks[f"账号 {slug} {part}"].state == "ok", checks[f"账号 {slug} {part}"].words
        assert f"账号 {slug} {ONESELF}" not in checks
    assert await got(talk) == before
    refusing = {"platform": "wechat", "kind": "refuse", "count": 5}
    await talk.post("faults", **refusing, method="stable_token", code=40125)
    checks = {one.name: one for one in await examine(talk.shenfa.settings)}
    assert checks[f"账号 {WX} 凭证"].state == "fail"
