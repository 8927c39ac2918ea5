"""`shenfa ledger`: export, verify, declare and anchor.

An auditor verifies an export on a machine of their own: for that nothing of the office is loaded.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from commands.lines import BadInput, fail, say
from commands.loading import later, new_group
from commands.options import Home, Json
from ledger.verify import Broken, Gap, Verdict, read_anchor, verify_export

if TYPE_CHECKING:
    from app import Shenfa
    from ledger.append import Ledger

group = new_group("台账：导出、核验、锚定")
ledger_of: "Callable[[Path | None], AbstractAsyncContextManager[Ledger]]"
ledger_of = later("commands.homes", "ledger_of")
office: "Callable[[Path | None], AbstractAsyncContextManager[Shenfa]]"
office = later("commands.opening", "office")
declare_restored: "Callable[..., Awaitable[tuple[Gap, int]]]"
declare_restored = later("ledger.restoring", "declare_restored")


@group.command("export")
def ledger_export(*, home: Home = None) -> None:
    """把整本台账写到标准输出。"""

    async def run() -> None:
        async with ledger_of(home) as opened:
            async for line in opened.export():
                sys.stdout.write(line + "\n")

    asyncio.run(run())


@group.command("verify")
def ledger_verify(
    *,
    export: Annotated[Path | None, typer.Option(help="导出文件；不给则核验本机数据库")] = None,
    public_key: Annotated[Path | None, typer.Option(help="公钥文件（64 位十六进制）")] = None,
    anchor: Annotated[list[Path] | None, typer.Option(help="锚定文件，可以给多个")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """核验台账；断链时退出码为 1，并指出第一处。"""
    anchors = [line for path in anchor or () for line in file_lines(path)]
    if export is not None:
        # The key inside the export would prove nothing: whoever forged the file would have put in
        # their own.
        if public_key is None:
            raise BadInput("核验导出文件需要 --public-key 公钥文件")
        key = public_key_of(public_key)
        verdict = verify_export(_watched(export), key, anchors)
    else:

        async def run() -> Verdict:
            async with ledger_of(home) as opened:
                marks = [mark for line in anchors if (mark := read_anchor(line))]
                return await opened.verify_whole(marks)

        verdict = asyncio.run(run())
    if as_json:
        say(asdict(verdict), as_json=True)
    elif verdict.ok:
        say(f"台账完好：{verdict.entries} 条，其中 {verdict.signed} 条有签名")
    else:
        say(f"台账在第 {verdict.first_bad} 条断开：{verdict.problem}")
    for gap in () if as_json else verdict.gaps:
        lost = f"第 {gap.first} 至 {gap.last} 条在恢复时丢失"
        known = lost if gap.last >= gap.first else "没有发现丢失的条目"
        say(f"申明的缺口：第 {gap.entry} 条记有一次从备份恢复，{known}")
    if not verdict.ok:
        # Exit 1 means "looked at, and broken"; 2 stays for input that could not be read.
        raise SystemExit(1)


def public_key_of(path: Path) -> Ed25519PublicKey:
    """The key in a file; BadInput when there is none."""
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(path.read_text("ascii").strip()))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}：读不出公钥，应为 64 位十六进制（shenfa ledger key）") from error


def file_lines(path: Path) -> Iterator[str]:
    """Lines of a text file, one at a time; BadInput when it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}：读不出，请检查路径，文件应为 UTF-8 文本") from error


def _watched(path: Path) -> Iterator[str]:
    """The same with a progress bar, when a person watches."""
    # A bar in a log file is noise, and a pipe has no length.
    if not sys.stderr.isatty() or not path.is_file():
        yield from file_lines(path)
        return
    with typer.progressbar(length=path.stat().st_size, label="核验", file=sys.stderr) as bar:
        for line in file_lines(path):
            yield line
            bar.update(len(line.encode()))


@group.command("restored")
def ledger_restored(
    *,
    anchor: Annotated[list[Path] | None, typer.Option(help="别处保存的锚定文件")] = None,
    home: Home = None,
) -> None:
    """用 pg_restore 恢复数据库之后：登记恢复和丢失的条目。"""
    lines = (line for path in anchor or () for line in file_lines(path))
    marks = [mark for line in lines if (mark := read_anchor(line))]

    async def run() -> tuple[Gap, int]:
        async with ledger_of(home) as opened:
            held = opened.files
            return await declare_restored(opened, [*marks, *held.marks(held.sizes())])

    try:
        gap, lost = asyncio.run(run())
    except Broken as broken:
        fail(f"恢复的台账已损坏，没有登记：{broken}", 1)
    else:
        say(f"第 {gap.entry} 条已登记恢复，缺少 {lost} 条锚定过的台账")


@group.command("key")
def ledger_key(*, home: Home = None) -> None:
    """打印核验用的公钥。"""

    async def run() -> str:
        async with ledger_of(home) as opened:
            return opened.public_hex

    say(asyncio.run(run()))


@group.command("anchor")
def ledger_anchor(*, home: Home = None) -> None:
    """立即签一个检查点，写入全部锚定文件，并告知异地锚点。"""

    async def run() -> tuple[int, int, int]:
        async with office(home) as opened:
            seq, remote = await opened.ledger.checkpoint(), opened.remote_anchors
            return seq, await remote.tell_due(), len(remote.addresses)

    seq, told, places = asyncio.run(run())
    more = f"，异地锚点告知 {told} 处，共 {places} 处" if places else ""
    say(f"已锚定到第 {seq} 条{more}")
    # Exit 1: whoever anchors from a script must learn that the word did not get out.
    if told < places:
        fail("有异地锚点没有告知，会自动重试：shenfa doctor 说明原因", 1)
