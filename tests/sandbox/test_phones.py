"""The phone pages stand alone, and control refuses what it cannot understand."""

from __future__ import annotations

import re

from tests.sandbox.conftest import TOKEN, Client


async def test_the_phone_shows_its_account_and_loads_nothing_from_elsewhere(box: Client) -> None:
    await box.control("accounts", {"platform": "telegram", "token": TOKEN, "name": "<青禾>"})
    await box.control("citizens", {"account": "424242", "count": 1, "name": "王芳"})
    for path in ("/", "/phone/telegram", "/phone/wechat"):
        async with box.http.get(box.base + path) as page:
            text = await page.text()
            assert page.status == 200
        assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)
    async with box.http.get(box.base + "/phone/telegram?account=424242") as page:
        text = await page.text()
    assert "&lt;青禾&gt;" in text
    assert 'data-citizen="700000001"' in text
    for name in ("phone.css", "phone.js", "both.css", "article.css"):
        async with box.http.get(f"{box.base}/phone/static/{name}") as asset:
            assert asset.status == 200


async def test_the_phone_belongs_to_a_person_and_the_channel_is_only_read(box: Client) -> None:
    await box.control("accounts", {"platform": "telegram", "token": TOKEN, "name": "青禾"})
    channel = {"account": "424242", "count": 1, "name": "青禾频道", "kind": "channel"}
    (channel_id,) = (await box.control("citizens", channel))["citizens"]
    made = await box.control("citizens", {"account": "424242", "count": 2, "prefix": "市民"})
    first, second = made["citizens"]
    people = (await box.get("citizens", account="424242"))["citizens"]
    assert [one["name"] for one in people] == ["青禾频道", "市民1", "市民2"]

    async def opened(query: str = "") -> str:
        async with box.http.get(f"{box.base}/phone/telegram{query}") as page:
            return await page.text()

    for query, citizen in (
        ("", first),
        (f"?citizen={second}", second),
        (f"?citizen={channel_id}", first),
        ("?citizen=nobody", first),
    ):
        text = await opened(query)
        assert f'data-citizen="{citizen}" data-channel="{channel_id}"' in text, query


async def test_the_account_says_what_its_phones_propose_to_ask(box: Client) -> None:
    account = {"platform": "telegram", "token": TOKEN, "examples": ["夜市几点关门"]}
    await box.control("accounts", account)
    await box.control("accounts", {"platform": "telegram", "token": TOKEN})
    assert (await box.get("accounts"))["accounts"][0]["examples"] == ["夜市几点关门"]


async def test_control_names_what_is_wrong(box: Client) -> None:
    assert "platform" in (await box.control("accounts", {"platform": "x"}))["error"]
    bad = {"platform": "wechat", "appid": "a", "secret": "s", "token": "t", "aes_key": "short"}
    assert "aes_key" in (await box.control("accounts", bad))["error"]
    assert "kind" in (await box.control("faults", {"kind": "x"}))["error"]
    async with box.http.post(f"{box.base}/_control/say", json={"account": "x"}) as answer:
        assert answer.status == 404


async def test_reset_forgets_everything(box: Client) -> None:
    await box.control("accounts", {"platform": "telegram", "token": TOKEN})
    await box.control("clock", {"advance": 50})
    await box.bot("getMe")
    await box.control("reset", {})
    assert (await box.get("accounts"))["accounts"] == []
    assert (await box.get("requests"))["count"] == 0
    assert (await box.get("clock"))["offset_seconds"] == 0


async def test_registering_again_keeps_the_citizens(box: Client) -> None:
    for name in ("一", "二"):
        await box.control("accounts", {"platform": "telegram", "token": TOKEN, "name": name})
        await box.control("citizens", {"account": "424242", "count": 2})
    account = (await box.get("accounts"))["accounts"][0]
    assert (account["name"], account["citizens"]) == ("二", 4)
