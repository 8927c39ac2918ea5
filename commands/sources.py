"""`shenfa source`: the list of sources, what an address gives, and watching the originals."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from app import Shenfa
from commands.governing import Self, run_as
from commands.lines import BadInput, fail, say
from commands.loading import new_group
from commands.opening import office
from commands.options import Home, Json
from config.settings import Settings
from content_sources.changes import WantedChange, all_sources, propose
from content_sources.fetch import Fetcher
from content_sources.models import Source
from content_sources.official_list import ListFile, import_list, last_version
from content_sources.official_list import plain as plain_import
from content_sources.preview import Preview, preview_column
from content_sources.records import typed_judge
from content_sources.source_fields import day_text, fields_of, read_fields
from content_sources.whitelist import Refusal, SourceRule

group = new_group("稿源：名单、核对、试读、导入、监测")


@group.command("fetch")
def source_fetch(
    url: Annotated[str, typer.Argument(help="RSS、列表页或网站地图的网址")],
    *,
    kind: Annotated[
        str,
        typer.Option(help="feed、list、sitemap、opendata（别家审发的开放数据）；不写则自动判断"),
    ] = "",
    as_json: Json = False,
) -> None:
    """试读一个栏目：列出会读到的条目和问题，不保存任何内容。"""
    if kind not in ("", "feed", "list", "sitemap", "opendata"):
        raise BadInput(f"--kind 不能是 {kind}：请写 feed、list、sitemap 或 opendata")

    async def run() -> Preview:
        fetcher = Fetcher(Settings().allowed_private)
        try:
            return await preview_column(fetcher, typed_judge(url), url, kind, {})
        finally:
            await fetcher.close()

    shown = asyncio.run(run())
    if as_json:
        say(shown.record(), as_json=True)
    else:
        for entry in shown.entries:
            say(f"{entry.date or '（无日期）  '}  {entry.title or '（无标题）'}  {entry.url}")
        for problem in shown.problems:
            say(f"注意：{problem}")
    if shown.error:
        fail(shown.error, 1)


@group.command("list")
def source_list(*, home: Home = None, as_json: Json = False) -> None:
    """列出稿源：单位、域名、有效期、状态。"""

    async def run() -> list[Source]:
        async with office(home) as opened, opened.db.session() as session:
            return await all_sources(session)

    for row in asyncio.run(run()):
        fields = {"id": row.id, "state": row.state} | fields_of(row).to_json()
        until = fields["valid_to"] or "长期"
        hosts = "、".join(row.hosts) or "（未登记域名）"
        say(fields if as_json else f"{row.state}\t{row.organisation}\t{hosts}\t{until}")


@group.command("add")
def source_add(  # noqa: PLR0913  each is an option of the command line
    organisation: Annotated[str, typer.Argument(help="稿源单位")],
    hosts: Annotated[list[str], typer.Argument(help="网站域名")],
    *,
    basis: Annotated[str, typer.Option("--basis", help="依据文件的名称或文号")],
    by: Self,
    list_version: Annotated[str, typer.Option("--list-version", help="名单版本")] = "",
    valid_to: Annotated[str, typer.Option("--valid-to", help="有效期至，如 2027-12-31")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出一家稿源，由另一位管理员在控制台批准后生效。"""

    given = {
        "organisation": organisation,
        "hosts": " ".join(hosts),
        "basis": basis,
        "list_version": list_version,
        "valid_to": day_text(valid_to),
    }
    fields = read_fields(given, {})

    async def work(opened: Shenfa, person: str) -> Mapping[str, Any]:
        change = await propose(opened.ledger, person, WantedChange("add", fields))
        return {"id": change.source_id, "change": change.id, "state": change.state}

    made = run_as(home, by, work)
    say(made if as_json else f"已提出，等另一位管理员批准：{organisation}（{made['id']}）")


@group.command("check")
def source_check(
    url: Annotated[str, typer.Argument(help="网址")], *, home: Home = None, as_json: Json = False
) -> None:
    """判断一个网址现在能不能转载；不能时说明原因，退出码为 1。不发出任何请求。"""

    async def run() -> SourceRule | Refusal:
        async with office(home) as opened:
            return await opened.reposts.judge(url)

    judged = asyncio.run(run())
    refused = isinstance(judged, Refusal)
    said = judged.message if isinstance(judged, Refusal) else f"属于稿源“{judged.organisation}”"
    rule = judged.rule if isinstance(judged, Refusal) else None
    say({"url": url, "ok": not refused, "rule": rule, "message": said} if as_json else said)
    if refused:
        raise SystemExit(1)


@group.command("import")
def source_import(  # noqa: PLR0913  each is an option of the command line
    file: Annotated[Path, typer.Argument(help="公布的名单：xlsx、docx、csv 或 html")],
    *,
    list_version: Annotated[str, typer.Option("--list-version", help="名单版本")],
    basis: Annotated[str, typer.Option("--basis", help="依据文件的名称或文号")],
    by: Self,
    replaces: Annotated[str | None, typer.Option("--replaces", help="代替哪一版")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """读取名单，列出新增、撤销、更名，作为建议等另一位管理员批准。"""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file.name}：打不开（{error.strerror}），请检查路径") from error

    async def work(opened: Shenfa, person: str) -> Mapping[str, Any]:
        old = replaces
        if old is None:
            async with opened.db.session() as session:
                old = await last_version(session)
        given = ListFile(file.name, data, list_version, basis, old)
        return plain_import(await import_list(opened.ledger, person, given))

    made = run_as(home, by, work)
    if as_json:
        say(made)
        return
    diff = made["diff"]
    for label, names in (
        ("新增", diff["added"]),
        ("撤销", [name for _, name in diff["removed"]]),
        ("更名", [f"{old} → {new}" for _, old, new in diff["renamed"]]),
        ("没有读入", diff["problems"]),
    ):
        for name in names:
            say(f"{label}\t{name}")
    say(f"已提出，等另一位管理员批准；不变 {diff['kept']} 家")


@group.command("watch")
def source_watch(*, home: Home = None, as_json: Json = False) -> None:
    """看一遍到时间的原文；有变化的开出任务。"""

    async def run() -> dict[str, int]:
        async with office(home) as opened:
            return await opened.originals.look_due()

    seen = asyncio.run(run())
    names = {"same": "没有变化", "changed": "有改动", "gone": "已撤下", "unreachable": "打不开"}
    words = "，".join(f"{names[state]} {number} 篇" for state, number in seen.items())
    say(seen if as_json else words or "没有到时间要看的原文")
