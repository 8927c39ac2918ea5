"""The code of a counter or poster, from the command to the subscription, on both platforms."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from bot.channel import NotEquipped
from bot.models import Account
from cli import shenfa as tree
from office.poster import poster
from tests.office.both import SLUGS, Both, both


@pytest.fixture
async def town(home: tuple[Path, int], tmp_path: Path) -> AsyncIterator[Both]:
    async with both(home, tmp_path) as made:
        yield made


def test_a_label_is_whole_and_safe_however_long_it_is() -> None:
    words = "扫码订阅：青禾县<就业&创业>" * 4
    drawn = poster("https://t.me/a?start=at-employment", words, "青禾发布")
    texts = [one.text or "" for one in fromstring(drawn).iter() if one.tag.endswith("text")]  # noqa: S314
    assert "".join(texts) == words + "青禾发布"
    assert all(len(one) <= 20 for one in texts)


async def entrance(town: Both, slug: str, scene: str) -> str:
    shenfa = town.talk.shenfa
    async with shenfa.db.session() as session:
        row = (await session.scalars(select(Account).where(Account.slug == slug))).one()
    return await shenfa.channels[row.platform].entrance(shenfa.accounts.view(row), scene)


async def test_a_poster_is_scanned_by_new_readers_and_by_followers(
    town: Both, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shenfa = town.talk.shenfa
    monkeypatch.setenv("SHENFA_DEV", "1")
    monkeypatch.setenv("SHENFA_DEV_ALLOW", ",".join(shenfa.settings.allowed_private))
    for platform, slug in SLUGS.items():
        out = tmp_path / f"{platform}.svg"
        words = ["account", "poster", slug, "employment", "--out", str(out)]
        words += ["--home", str(shenfa.settings.home)]
        done = await asyncio.to_thread(CliRunner().invoke, tree, words)
        assert done.exit_code == 0, done.output
        assert "扫码订阅：就业创业" in out.read_text(encoding="utf-8")
    assert await entrance(town, SLUGS["telegram"], "at-employment") == (
        "https://t.me/qinghe_bot?start=at-employment"
    )
    assert "at-employment" in await entrance(town, SLUGS["wechat"], "at-employment")
    new, known = [await town.citizen("wechat") for _ in range(2)]
    for who, name in ((new, "follow"), (known, "follow"), (known, "scan")):
        scene = {} if (who, name) == (known, "follow") else {"scene": "at-employment"}
        await town.tap("wechat", who, event=name, **scene)
    begins = await town.citizen("telegram")
    await town.say("telegram", begins, "/start at-employment")
    for platform, who in (("wechat", new), ("wechat", known), ("telegram", begins)):
        assert await town.told(platform, who, "“就业创业”的订阅码"), (platform, who)
        assert await town.wishes(platform, who) == []
    await town.say("wechat", known, "1")
    await town.say("wechat", new, "1")
    for who in (known, new):
        assert await town.told("wechat", who, "已订阅：就业创业")
        assert await town.wishes("wechat", who) == ["employment"]


async def test_an_account_that_may_have_no_code_is_told_so(town: Both) -> None:
    with pytest.raises(NotEquipped, match="40053"):
        await entrance(town, SLUGS["wechat"], "x" * 65)
