"""`shenfa account`: secrets, rotation, pause and closing, each by two people and shown nowhere."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select
from typer.testing import CliRunner, Result

from app import Shenfa, open_shenfa
from bot.contract import Content, Outcome, State
from bot.delivery.once import RECALLED, sign_finished
from bot.models import Publication
from cli import shenfa as tree
from config.clock import now
from config.settings import Settings
from config.setup import Setup
from demo.cast import WECHAT, setup
from office.setup import initialise
from review_queue import drafting
from review_queue.drafting import Origin
from review_queue.governance.account_closing import STEPS, closing_words, steps_done
from review_queue.models import Revision
from staff.models import Staff
from staff.refusal import Refused
from storage.database import new_id
from supervision.trial import account_of

PASSWORD = "otter-lamp-39"
SANDBOX = "127.0.0.1:9"
WX, TG = "qinghe-wx", "qinghe-tg"
WHY = ("--reason", "定期更换")
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def first_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's office, made once."""
    data = setup(f"http://{SANDBOX}")
    for person in data["staff"]:
        person["password"] = PASSWORD
    settings = Settings(home=tmp_path_factory.mktemp("first") / "home", dev=True, dev_allow=SANDBOX)
    asyncio.run(initialise(settings, Setup.model_validate(data)))
    return settings.home


@pytest.fixture
def home(first_home: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(first_home, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, value in (("DEV", "1"), ("DEV_ALLOW", SANDBOX), ("PASSWORD", PASSWORD)):
        monkeypatch.setenv(f"SHENFA_{name}", value)

    def call(*words: str, given: str = "") -> Result:
        return CliRunner().invoke(tree, [*words, "--home", str(home)], input=given)

    return call


@asynccontextmanager
async def opened(home: Path) -> AsyncIterator[Shenfa]:
    async with open_shenfa(Settings(home=home, dev=True, dev_allow=SANDBOX)) as shenfa:
        yield shenfa


async def secrets_of(shenfa: Shenfa, slug: str) -> dict[str, str]:
    row = await account_of(shenfa.db, slug)
    return shenfa.accounts.opened(row.id, row.secrets)


def proposed(done: Result) -> str:
    assert done.exit_code == 0, (done.output, done.exception)
    return str(json.loads(done.stdout.splitlines()[0])["id"])


@dataclass(frozen=True)
class Admins:
    """Two of them, and what they propose and approve."""

    shenfa: Shenfa
    people: dict[str, str]

    @classmethod
    async def of(cls, shenfa: Shenfa) -> "Admins":
        async with shenfa.db.session() as session:
            rows = (await session.execute(select(Staff.login, Staff.id))).all()
        return cls(shenfa, {row.login: row.id for row in rows})

    async def propose(self, kind: str, **payload: Any) -> str:
        made = self.shenfa.governance.proposals
        return (await made.propose(kind, payload, self.people["admin1"], "定期办理的变更")).id

    async def agree(self, number: str) -> None:
        """Not by who proposed it, then by the other admin."""
        made = self.shenfa.governance.proposals
        with pytest.raises(Refused):
            await made.approve(number, self.people["admin1"])
        await made.approve(number, self.people["admin2"])


def nowhere(home: Path, *secrets: str) -> None:
    """Neither in the database, its proposals and ledger, nor in any other file of the home."""
    connection = sqlite3.connect(home / "shenfa.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    for file in home.rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            assert [one for one in secrets if one.encode() in held] == [], file.name


def test_single_secrets_come_from_a_file_or_stdin_and_the_others_stay(
    home: Path, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "new.yaml"
    file.write_text("secret: fresh-app-secret-of-today\n", encoding="utf-8")
    words = ("account", "secrets", WX, "--by", "admin1", *WHY, "--json")
    done = run(*words, "--from", str(file))
    number = proposed(done)
    assert "更换密钥（不显示）" in done.output
    assert "fresh-app-secret" not in done.output

    async def agree() -> dict[str, str]:
        async with opened(home) as shenfa:
            assert await secrets_of(shenfa, WX) == WECHAT
            await (await Admins.of(shenfa)).agree(number)
            return await secrets_of(shenfa, WX)

    assert asyncio.run(agree()) == WECHAT | {"secret": "fresh-app-secret-of-today"}
    nowhere(home, "fresh-app-secret-of-today")


def test_a_secret_is_never_taken_from_the_command_line(run: Run) -> None:
    done = run("account", "secrets", WX, "secret", "--by", "admin1", *WHY)
    assert "在终端里写名称（如 secret），或用 --from 文件" in str(done.exception)


async def test_what_cannot_be_a_secret_is_told(home: Path) -> None:
    async with opened(home) as shenfa:
        admins = await Admins.of(shenfa)
        for replace, said in (
            ({"appsecret": "x"}, "没有密钥“appsecret”，只能是 appid、secret、token"),
            ({"secret": ""}, "不能是空的"),
            ({}, "不能是空的"),
            ({"aes_key": "short"}, "必须是 43 个字符"),
        ):
            with pytest.raises(Refused, match=said):
                await admins.propose("account", slug=WX, replace=replace)


def test_rotation_makes_what_the_office_thinks_up_itself_and_shows_it_to_its_owner_alone(
    home: Path, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "rotated.yaml"
    words = ("account", "rotate", WX, "--by", "admin1", *WHY, "--json", "--to", str(file))
    done = run(*words)
    number = proposed(done)
    fresh = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert set(fresh) == {"token", "aes_key"}
    assert (len(fresh["token"]), len(fresh["aes_key"])) == (32, 43)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not any(value in done.output for value in fresh.values())

    async def agree() -> dict[str, str]:
        async with opened(home) as shenfa:
            await (await Admins.of(shenfa)).agree(number)
            return await secrets_of(shenfa, WX)

    assert asyncio.run(agree()) == WECHAT | fresh
    nowhere(home, *fresh.values())


async def test_a_second_account_on_a_platform_is_told_to_who_approves_it(home: Path) -> None:
    async with opened(home) as shenfa:
        admins = await Admins.of(shenfa)
        row = {"platform": "wechat", "api_base": f"http://{SANDBOX}/wechat", "secrets": WECHAT}
        made = shenfa.governance.proposals
        payload = {**row, "slug": "qinghe-second", "name": "青禾就业"}
        _, effect = await made.draft("account", payload, admins.people["admin1"])
        (warning,) = effect["warnings"]
        assert "已经有青禾发布（微信）：原则上一个平台只开一个账号" in warning
        _, effect = await made.draft(
            "account", {"slug": WX, "name": "青禾县发布"}, admins.people["admin1"]
        )
        assert effect["warnings"] == []


async def test_an_account_is_paused_and_resumed_by_two(home: Path) -> None:
    async with opened(home) as shenfa:
        admins = await Admins.of(shenfa)
        for enabled in (False, True):
            await admins.agree(await admins.propose("account", slug=TG, enabled=enabled))
            assert (await account_of(shenfa.db, TG)).enabled is enabled


NOTICE = "“青禾发布”Telegram 频道停止更新公告"


async def announcement(shenfa: Shenfa, slug: str, title: str = NOTICE) -> Publication:
    """A publication that went out on this account, as the sender leaves it."""
    account = await account_of(shenfa.db, slug)
    async with shenfa.db.session() as session:
        editor = (await session.scalars(select(Staff.id).where(Staff.login == "editor"))).one()
    content = Content(kind="原创", title=title, body="本账号自2026年12月1日起停止更新。")
    item = await drafting.create_item(shenfa.queue, content, Origin(editor))
    async with shenfa.ledger.transaction() as tx:
        written = select(Revision.digest).where(Revision.item_id == item.id)
        row = Publication(
            id=new_id(), release_id=new_id(), item_id=item.id, account_id=account.id, attempts=0,
            digest=(await tx.session.scalars(written)).one(), state=State.PUBLISHED, ref="1",
            url="https://x.example/1", due_at=now(), published_at=now(), edition_id="",
        )  # fmt: skip
        tx.session.add(row)
        await tx.session.flush()
        await sign_finished(tx, row, Outcome(State.PUBLISHED), ())
    return row


def copied(row: Publication, new: str) -> Publication:
    """As somebody would write it into the table to have a publication."""
    fields = {one.name: getattr(row, one.name) for one in Publication.__table__.columns}
    return Publication(**{**fields, "id": new, "release_id": new})


async def test_an_account_is_closed_in_three_steps_and_never_opened_again(home: Path) -> None:
    async with opened(home) as shenfa:
        admins = await Admins.of(shenfa)

        async def step(name: str, proof: str) -> str:
            return await admins.propose("account_close", slug=TG, step=name, proof=proof)

        with pytest.raises(Refused, match="下一步是“发停更公告”"):
            await step("cancelled", "2026-01-01")
        notice, unsigned = await announcement(shenfa, TG), new_id()
        async with shenfa.db.session() as session:
            session.add(copied(notice, unsigned))
        for proof in ("x", (await announcement(shenfa, WX)).id, unsigned):
            with pytest.raises(Refused, match="停更公告要先从这个账号发出"):
                await step("announced", proof)
        for title in ("今日天气", "关停小煤窑的决定", "停水公告"):
            with pytest.raises(Refused, match="不是停更公告"):
                await step("announced", (await announcement(shenfa, TG, title)).id)
        recalled = await announcement(shenfa, TG)
        async with shenfa.ledger.transaction() as tx:
            await tx.append(RECALLED, subject=f"item:{recalled.item_id}", actor="a", body={})
        with pytest.raises(Refused, match="已撤回"):
            await step("announced", recalled.id)
        await admins.agree(await step("announced", notice.id))
        with pytest.raises(Refused, match="注销日期还没有到"):
            await step("cancelled", "2099-01-01")
        await admins.agree(await step("cancelled", "2026-01-01"))
        row = await account_of(shenfa.db, TG)
        assert row.enabled is False
        with pytest.raises(Refused, match="账号已在平台注销，不能再启用"):
            await admins.propose("account", slug=TG, enabled=True)
        told = await shenfa.ledger.facts(f"account:{row.id}")
        assert closing_words(told) == "关停中，还差：关停备案"
        await admins.agree(await step("filed", "青政务新媒体备〔2026〕3号"))
        told = await shenfa.ledger.facts(f"account:{row.id}")
        assert (closing_words(told), steps_done(told)) == ("已关停", [*STEPS])
        with pytest.raises(Refused, match="已经办完关停"):
            await step("filed", "x")


def test_the_list_says_how_each_account_stands(home: Path, run: Run) -> None:
    async def pause() -> None:
        async with opened(home) as shenfa:
            admins = await Admins.of(shenfa)
            await admins.agree(await admins.propose("account", slug=TG, enabled=False))

    asyncio.run(pause())
    wechat, telegram = sorted(run("account", "list").stdout.splitlines(), reverse=True)
    assert (wechat.startswith(WX), "已停用" in wechat) == (True, False)
    assert (telegram.startswith(TG), telegram.endswith("已停用")) == (True, True)
