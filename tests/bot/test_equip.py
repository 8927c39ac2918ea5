"""The platforms are told where we listen and what the menu is."""

from pathlib import Path
from typing import Any

import aiohttp

from app import open_shenfa
from config.settings import Settings
from config.setup import Setup
from demo.cast import BOT_TOKEN, WECHAT, setup
from office.setup import initialise
from sandbox.app import start


async def test_a_started_office_has_its_webhook_commands_and_menu(tmp_path: Path) -> None:
    runner, url = await start("127.0.0.1", 0)
    settings = Settings(home=tmp_path, dev=True, dev_allow=url.split("//")[1])
    try:
        async with aiohttp.ClientSession() as http:
            for account in (
                {"platform": "telegram", "token": BOT_TOKEN, "name": "t"},
                {"platform": "wechat", "name": "w", "kind": "service", **WECHAT},
            ):
                async with http.post(f"{url}/_control/accounts", json=account) as answer:
                    assert answer.status == 200
            await initialise(settings, Setup.model_validate(setup(url)))

            async def requests() -> list[dict[str, Any]]:
                async with http.get(f"{url}/_control/requests") as answer:
                    return list((await answer.json())["requests"])

            async with open_shenfa(settings) as shenfa:
                # Another process is listening: this one must not call the platforms to itself.
                assert await shenfa.equipping.changed() == []
                assert await requests() == []
                assert await shenfa.equip() == []
                rows = await requests()
                assert await shenfa.equipping.changed() == []
                assert len(await requests()) == len(rows)
        done = {row["method"]: row for row in rows if row["status"] == 200}
        assert "/telegram/qinghe-tg" in done["setWebhook"]["raw"].replace("%2F", "/")
        assert "setMyCommands" in done
        assert all(
            name in done["menu/create"]["raw"] for name in ("发布解读", "政民互动", "办事服务")
        )
    finally:
        await runner.cleanup()
