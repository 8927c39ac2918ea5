"""`shenfa account`: the accounts, what each may do, trying one, and every change by two people."""

import os
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from sqlalchemy import select

from app import Shenfa
from bot.abilities import NOT_LOOKED, Looked, known, look
from bot.channel import NotEquipped
from bot.channels import CHANNELS
from bot.followers import Compared
from bot.models import Account
from bot.scenes import scene_of
from bot.trial import Look
from commands.files import write_private
from commands.governing import Self, propose, proposed, read_mapping, run, run_as
from commands.lines import BadInput, say
from commands.loading import new_group
from commands.options import Home, Json, Why
from console.settings.api import proposal_json
from handlers.commands import MENU
from office.poster import poster
from review_queue.governance.account_closing import STEPS, closing_words
from supervision.filing import file_account
from supervision.selftest import Answered
from supervision.trial import account_of

group = new_group("账号：查看、试用、设菜单、换密钥、备案、暂停、关停")

Slug = Annotated[str, typer.Argument(help="账号代号")]
Slugs = Annotated[list[str] | None, typer.Argument(help="账号代号；不写就是全部")]


@group.command("list")
def accounts_list(*, home: Home = None, as_json: Json = False) -> None:
    """账号、平台、地址、状态；不显示密钥。"""

    async def work(opened: Shenfa) -> list[Mapping[str, Any]]:
        async with opened.db.session() as session:
            rows = (await session.scalars(select(Account).order_by(Account.slug))).all()
        fields = ("slug", "platform", "name", "api_base", "settings", "enabled", "owner")
        told = await opened.ledger.facts_of([f"account:{row.id}" for row in rows])
        found = await known(opened.db)
        return [
            {name: getattr(row, name) for name in fields}
            | {"closing": closing_words(told[f"account:{row.id}"])}
            | {"abilities": _said(found.get(row.slug))}
            for row in rows
        ]

    for row in run(home, work):
        state = "" if row["enabled"] else "  已停用"
        state += f"  {row['closing']}" if row["closing"] else ""
        words = f"{row['slug']}  {row['platform']}  {row['name']}  {row['api_base']}{state}"
        say(row if as_json else words)
        if not as_json and row["abilities"]["at"]:
            say(f"    {row['abilities']['at']} 查得{row['abilities']['words']}")


@group.command("probe")
def accounts_probe(slugs: Slugs = None, *, home: Home = None, as_json: Json = False) -> None:
    """问平台每个账号能用哪些接口（只读，不发任何东西）；缺少用得到的，退出码为 1。"""

    async def work(opened: Shenfa) -> list[Looked]:
        await _must_be_known(opened, slugs or [])
        return await look(opened.db, opened.accounts, opened.channels, slugs or [])

    missing = False
    for one in run(home, work):
        missing = missing or bool(one.missing)
        say({"slug": one.slug, **_said(one)} if as_json else f"{one.slug}  {one.words}")
    if missing:
        raise typer.Exit(1)


@group.command("followers")
def accounts_followers(slug: Slug, *, home: Home = None, as_json: Json = False) -> None:
    """按平台的关注名单核对联系人，接着上次停下的地方读完；没有读完的，说明原因，退出码为 1。"""

    async def work(opened: Shenfa) -> Compared:
        await _must_be_known(opened, [slug])
        async with opened.db.session() as session:
            account_id = await session.scalar(select(Account.id).where(Account.slug == slug))
        return await opened.followers.compare(str(account_id))

    found = run(home, work)
    say({"slug": slug, **asdict(found)} if as_json else f"{slug}  {found.words}")
    if not found.ended:
        raise typer.Exit(1)


@group.command("selftest")
def accounts_selftest(slugs: Slugs = None, *, home: Home = None, as_json: Json = False) -> None:
    """按平台自己的路径逐项按一遍菜单，看有没有应答；没有应答的，说明原因，退出码为 1。"""

    async def work(opened: Shenfa) -> list[Answered]:
        await _must_be_known(opened, slugs or [])
        return await opened.trials.selftest.run(slugs or [])

    silent = False
    for one in run(home, work):
        silent = silent or not one.ok
        say(asdict(one) if as_json else f"{one.name}  {one.words}", as_json=as_json)
    if silent:
        raise typer.Exit(1)


@group.command("menu")
def accounts_menu(slugs: Slugs = None, *, home: Home = None) -> None:
    """把菜单和回调地址设到平台上；没有设成的，说明原因，退出码为 1。"""

    async def work(opened: Shenfa) -> list[str]:
        await _must_be_known(opened, slugs or [])
        return await opened.equip(slugs or [])

    problems = run(home, work)
    for problem in problems:
        say(problem)
    if problems:
        raise typer.Exit(1)
    groups = "；".join(f"{label}：{'、'.join(name for name, _ in inner)}" for label, inner in MENU)
    say(f"菜单已设好（手机上五分钟内换新）：{groups}")


@group.command("poster")
def accounts_poster(
    slug: Slug,
    topic: Annotated[str, typer.Argument(help="主题代号，见 shenfa settings show taxonomy")],
    *,
    out: Annotated[Path, typer.Option("--out", help="写到哪个 SVG 文件，要还没有")],
    home: Home = None,
) -> None:
    """窗口或海报用的二维码和文字：扫码后先告知，再由本人选择订阅这个主题。"""

    async def work(opened: Shenfa) -> str:
        await _must_be_known(opened, [slug])
        facet, scene = opened.taxonomy.get("topics", topic), scene_of(topic)
        if facet is None or not scene:
            raise BadInput(f"没有主题 {topic}，或它的代号不是字母、数字和下划线：请核对主题代号")
        async with opened.db.session() as session:
            row = (await session.scalars(select(Account).where(Account.slug == slug))).one()
        try:
            address = await opened.channels[row.platform].entrance(opened.accounts.view(row), scene)
        except NotEquipped as error:
            raise BadInput(f"平台没有给出二维码（{error}）：请核对账号的类型和认证") from error
        return poster(address, f"扫码订阅：{facet.label}", row.name)

    write_private(out, run(home, work))
    say(f"已写到 {out}")


@group.command("codes")
def accounts_codes(
    codes: Annotated[list[str] | None, typer.Argument(help="平台返回的代码；不写就是全部")] = None,
    *,
    as_json: Json = False,
) -> None:
    """平台返回的代码是什么意思：发生了什么、为什么、怎么办；有没列出的，退出码为 1。"""
    wanted, found = set(codes or []), set[str]()
    for channel in CHANNELS.values():
        for code, one in channel.codes.items():
            if wanted and code not in wanted:
                continue
            found.add(code)
            words = f"{channel.label} {code}  {one.meaning.label}：{one.words}。{one.meaning.then}"
            row = {"platform": channel.platform, "code": code, **asdict(one)}
            say(row if as_json else words)
    if unlisted := sorted(wanted - found):
        say(f"没有列出：{'、'.join(unlisted)}。遇到时由人处理，请告诉系统维护人员补进代码表")
        raise typer.Exit(1)


async def _must_be_known(opened: Shenfa, slugs: Collection[str]) -> None:
    """BadInput for a slug that no enabled account has."""
    async with opened.db.session() as session:
        query = select(Account.slug).where(Account.enabled.is_(True))
        there = set(await session.scalars(query))
    if wrong := sorted(set(slugs) - there):
        raise BadInput(
            f"没有这个账号，或它已停用：{'、'.join(wrong)}。请用 shenfa account list 查看"
        )


def _said(one: Looked | None) -> dict[str, Any]:
    if one is None:
        return {"at": "", "words": NOT_LOOKED, "abilities": []}
    return {"at": one.at, "words": one.words, "abilities": [asdict(each) for each in one.abilities]}


@group.command("test")
def accounts_test(slug: Slug, *, by: Self, home: Home = None, as_json: Json = False) -> None:
    """试一下：凭证、白名单、回调、菜单、权限，给本人发一条；有要处理的，退出码为 1。"""

    async def work(opened: Shenfa, person: str) -> list[Look]:
        return await opened.trials.try_now(slug, person)

    found = run_as(home, by, work)
    for one in found:
        words = f"[{'正常' if one.ok else '要处理'}] {one.name}：{one.words}"
        say(asdict(one) if as_json else words)
    if not all(one.ok for one in found):
        raise SystemExit(1)


@group.command("propose")
def accounts_propose(
    file: Annotated[Path, typer.Argument(help="YAML：slug 和要改的项（密钥也写在这里）")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出增加或变更一个账号，由另一位管理员批准；密钥提出时就加密。"""
    proposed(propose(home, by, "account", read_mapping(file), reason), as_json=as_json)


@group.command("secrets")
def accounts_secrets(  # noqa: PLR0913  each is an option of the command line
    slug: Slug,
    names: Annotated[list[str] | None, typer.Argument(help="密钥名称，如 secret；其余不变")] = None,
    *,
    file: Annotated[
        Path | None, typer.Option("--from", help="YAML：一行一个“名称: 值”；- 是标准输入")
    ] = None,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出更换密钥：在提示后输入（不显示），或从文件、标准输入读；命令行里不写密钥。"""
    if file is not None:
        given = {str(name): str(value) for name, value in _mapping(file).items()}
    elif names and sys.stdin.isatty():
        given = {name: _asked(slug, name) for name in names}
    else:
        raise BadInput("要换哪一个：在终端里写名称（如 secret），或用 --from 文件")
    payload = {"slug": slug, "replace": given}
    proposed(propose(home, by, "account", payload, reason), as_json=as_json)


@group.command("rotate")
def accounts_rotate(  # noqa: PLR0913  each is an option of the command line
    slug: Slug,
    *,
    to: Annotated[Path, typer.Option("--to", help="新值写到这个文件（只有本人能读）")],
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出轮换本单位自己起的密钥（Token、EncodingAESKey、webhook 暗号），新值写进文件。"""

    async def work(opened: Shenfa, person: str) -> dict[str, object]:
        channel = CHANNELS[(await account_of(opened.db, slug)).platform]
        fresh = {name: channel.new_secret(name) for name in channel.chosen}
        # Written before it is proposed: what was proposed and is nowhere to be read could not be
        # used.
        write_private(to, yaml.safe_dump(fresh, sort_keys=False))
        payload = {"slug": slug, "replace": fresh}
        try:
            row = await opened.governance.proposals.propose("account", payload, person, reason)
        except BaseException:
            os.unlink(to)
            raise
        return proposal_json(row)

    proposed(run_as(home, by, work), as_json=as_json)
    say(f"新值在 {to}：批准以后照着填到平台，填好就删去这个文件")


@group.command("pause")
def accounts_pause(
    slug: Slug, *, by: Self, reason: Why, home: Home = None, as_json: Json = False
) -> None:
    """提出暂停一个账号：批准后不发也不收，登记和密钥都留着。"""
    payload = {"slug": slug, "enabled": False}
    proposed(propose(home, by, "account", payload, reason), as_json=as_json)


@group.command("resume")
def accounts_resume(
    slug: Slug, *, by: Self, reason: Why, home: Home = None, as_json: Json = False
) -> None:
    """提出恢复一个暂停的账号。"""
    payload = {"slug": slug, "enabled": True}
    proposed(propose(home, by, "account", payload, reason), as_json=as_json)


@group.command("filed")
def accounts_filed(
    slug: Slug,
    *,
    number: Annotated[str, typer.Option("--number", help="备案编号")],
    by: Self,
    home: Home = None,
) -> None:
    """登记开办备案的编号；新开的账号要在 5 个工作日内备案，超时成为事件。"""

    async def work(opened: Shenfa, person: str) -> None:
        await file_account(opened.ledger, slug, number, person)

    run_as(home, by, work)
    say(f"{slug} 的备案编号已登记")


@group.command("close")
def accounts_close(  # noqa: PLR0913  each is an option of the command line
    slug: Slug,
    *,
    step: Annotated[str, typer.Option("--step", help="、".join(STEPS))],
    proof: Annotated[str, typer.Option("--proof", help="停更公告的发布编号；注销日期；备案编号")],
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出关停的一步：发停更公告、在平台注销、备案，依次办理，每一步都由两人。"""
    payload = {"slug": slug, "step": step, "proof": proof}
    proposed(propose(home, by, "account_close", payload, reason), as_json=as_json)


def _asked(slug: str, name: str) -> str:
    return str(typer.prompt(f"{slug} 的新 {name}", hide_input=True, err=True)).strip()


def _mapping(file: Path) -> Mapping[str, Any]:
    return read_mapping(Path("/dev/stdin") if str(file) == "-" else file)
