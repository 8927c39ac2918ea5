"""`shenfa backup`, `restore`, `doctor`: what an operator does beside the daily work."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from commands.homes import settings_for
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json
from console.web.words import clock_words
from office.backup import make_backup
from office.doctor import examine
from office.restore import restore

group = new_group("备份、恢复、体检")


@group.command("backup")
def backup_command(
    file: Annotated[Path, typer.Argument(help="写到这个文件")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """备份：数据库（含媒体）和锚定文件，加密，不含密钥；运行中也可以做。"""
    made = asyncio.run(make_backup(settings_for(home), file))
    if as_json:
        say(made, as_json=True)
        return
    size = f"台账 {made['entries']} 条，{made['bytes']} 字节"
    say(f"已备份到 {made['file']}：{size}，已加密；恢复要用 keys 目录里的两个密钥，请另外保管")


@group.command("restore")
def restore_command(
    file: Annotated[Path, typer.Argument(help="备份文件")],
    *,
    anchor: Annotated[list[Path] | None, typer.Option(help="别处保存的锚定文件")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """恢复到空的数据目录，并在台账里登记这次恢复和丢失的条目。"""
    done = asyncio.run(restore(settings_for(home), file, anchor or ()))
    if as_json:
        say(asdict(done) | {"made": done.made.isoformat()}, as_json=True)
        return
    made = clock_words(done.made)
    say(f"已恢复到 {done.home}，备份时间 {made}，台账第 {done.gap.entry} 条登记了恢复")
    if done.lost:
        say(f"缺少第 {done.gap.first} 至 {done.gap.last} 条；已停止发布和推送，核对后在控制台恢复")
    if done.unsure:
        say(f"{done.unsure} 条到期未完成的发送记为“结果未知”，请在控制台核对")


@group.command("doctor")
def doctor_command(*, home: Home = None, as_json: Json = False) -> None:
    """体检：有不通过的项目时退出码为 1。"""
    checks = asyncio.run(examine(settings_for(home)))
    if as_json:
        say([asdict(check) for check in checks], as_json=True)
    else:
        signs = {"ok": "通过", "warn": "注意", "fail": "不通过"}
        for check in checks:
            say(f"[{signs[check.state]}] {check.name}：{check.words}")
    # Warnings are for people to weigh; only failures make a monitoring script cry.
    if any(check.state == "fail" for check in checks):
        raise SystemExit(1)
