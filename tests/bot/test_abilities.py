"""What a platform lets an account do is asked by calls that change nothing, kept, and told."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from app import Shenfa, open_shenfa
from bot.abilities import NOT_LOOKED, Looked, known, look
from bot.probing import Ability
from config.settings import Settings
from config.setup import Setup
from demo.cast import BOT_TOKEN, CHANNEL, TELEGRAM_ID, WECHAT, setup
from ledger.models import Incident
from office.doctor import examine
from office.jobs import jobs_of
from office.setup import initialise
from sandbox.app import start

READING = {
    "draft/count", "freepublish/batchget", "message/mass/speed/get", "customservice/getkflist",
    "menu/get", "wxaapi/newtmpl/gettemplate", "user/get", "stable_token", "getMe", "getChat",
}  # fmt: skip


class Town:
    """An office, and the sandbox's accounts as they are made."""

    def __init__(self, shenfa: Shenfa, url: str, http: aiohttp.ClientSession) -> None:
        self.shenfa, self.url, self.http = shenfa, url, http

    async def control(self, name: str, /, **body: Any) -> None:
        async with self.http.post(f"{self.url}/_control/{name}", json=body) as answer:
            assert answer.status == 200, await answer.text()

    async def accounts(self, **wechat: Any) -> None:
        await self.control("reset")
        await self.control("accounts", platform="wechat", name="w", **(WECHAT | wechat))
        await self.control("accounts", platform="telegram", token=BOT_TOKEN, name="t")

    async def look(self, *slugs: str) -> dict[str, Looked]:
        office = self.shenfa
        found = await look(office.db, office.accounts, office.channels, slugs)
        return {one.slug: one for one in found}

    async def called(self) -> set[str]:
        async with self.http.get(f"{self.url}/_control/requests") as answer:
            return {row["method"] for row in (await answer.json())["requests"]}


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    runner, url = await start("127.0.0.1", 0)
    settings = Settings(home=tmp_path, dev=True, dev_allow=url.split("//")[1])
    await initialise(settings, Setup.model_validate(setup(url)))
    async with open_shenfa(settings) as shenfa, aiohttp.ClientSession() as http:
        yield Town(shenfa, url, http)
    await runner.cleanup()


def labels(one: Looked, able: bool | None) -> list[str]:  # noqa: FBT001  three answers
    return [each.label for each in one.abilities if each.able is able]


async def test_an_account_is_asked_by_reading_calls_alone(town: Town) -> None:
    await town.accounts(kind="service", verified=True)
    await town.control("citizens", account=TELEGRAM_ID, count=1, kind="channel", username=CHANNEL)
    found = await town.look()
    assert labels(found["qinghe-wx"], able=False) == labels(found["qinghe-wx"], able=None) == []
    assert found["qinghe-wx"].words.startswith("可用：草稿箱、发布、群发、客服消息、自定义菜单")
    assert labels(found["qinghe-tg"], able=True) == ["机器人", "发布的频道或群"]
    assert await town.called() == READING
    assert {slug: one.abilities for slug, one in (await known(town.shenfa.db)).items()} == {
        slug: tuple(one.abilities) for slug, one in found.items()
    }


async def test_an_unverified_account_may_not_publish_and_the_doctor_says_so(town: Town) -> None:
    checks = {one.name: one for one in await examine(town.shenfa.settings)}
    assert checks["账号接口"].words == NOT_LOOKED
    await town.accounts(kind="subscription", verified=False)
    found = await town.look("qinghe-wx")
    assert set(found) == {"qinghe-wx"}
    assert labels(found["qinghe-wx"], able=False) == ["发布", "群发", "客服消息", "订阅通知"]
    assert [one.label for one in found["qinghe-wx"].missing] == ["发布", "客服消息"]
    assert "发布（账号没有这个接口的权限：请管理员在公众平台核对）" in found["qinghe-wx"].words
    checks = {one.name: one for one in await examine(town.shenfa.settings)}
    assert checks["账号接口"].state == "warn"
    assert "缺少发布、客服消息" in checks["账号接口"].words
    (job,) = [one for one in jobs_of(town.shenfa) if one.name == "abilities"]
    for _ in range(2):  # told once, however often it is found
        await job.run()
    async with town.shenfa.db.session() as session:
        rows = (await session.scalars(select(Incident.message).order_by(Incident.id))).all()
    assert sum("不能使用平台的“发布”" in words for words in rows) == 1
    await town.accounts(kind="subscription", verified=True)
    found = await town.look("qinghe-wx")
    assert labels(found["qinghe-wx"], able=False) == ["订阅通知"]
    assert found["qinghe-wx"].missing == []


async def test_a_wrong_secret_and_a_silent_platform_are_told_apart(town: Town) -> None:
    await town.accounts(secret="another")
    found = await town.look("qinghe-wx")
    assert set(labels(found["qinghe-wx"], able=False)) >= {"发布", "草稿箱"}
    assert "账号凭证失效" in found["qinghe-wx"].words
    await town.accounts()
    for _ in range(7):
        await town.control("faults", platform="wechat", kind="drop_answer", method="*")
    found = await town.look("qinghe-wx")
    assert labels(found["qinghe-wx"], able=False) == []
    assert "没有应答" in found["qinghe-wx"].words


def test_what_was_never_asked_says_how_to_ask() -> None:
    assert Looked("id", "a", "青禾", ()).words == NOT_LOOKED
    unsure = Looked("id", "a", "青禾", (Ability("mass", "群发", None, "没有应答"),))
    assert unsure.words == "不能确定：群发（没有应答）"
    assert unsure.missing == []
