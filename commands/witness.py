"""`shenfa witness`: a superior body or an archive cosigns how far an office's ledger has come.

It runs on the witness's own machine and needs the export and the public key, no office.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from commands.files import write_private
from commands.ledger import file_lines, public_key_of
from commands.lines import BadInput, fail, say
from commands.loading import new_group
from supervision.witness import Cosigned, NotExtended, cosign, forked, hex_of, holds

group = new_group("见证：上级或档案馆会签台账走到哪里")
Folder = Annotated[Path, typer.Argument(help="见证人自己的文件夹，不放在被见证的服务器上")]
_KEY, _LAST = "witness.key", "last.json"


@group.command("init")
def witness_init(folder: Folder) -> None:
    """生成见证人的钥匙，打印公钥；公钥交给要核对的人。"""
    folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    write_private(folder / _KEY, raw.hex())
    say(hex_of(key.public_key()))


@group.command("cosign")
def witness_cosign(
    folder: Folder,
    *,
    export: Annotated[Path, typer.Option(help="台账导出文件（shenfa ledger export）")],
    public_key: Annotated[Path, typer.Option(help="那个单位的公钥文件（64 位十六进制）")],
) -> None:
    """核验导出的台账，接着上次见证的才会签；不接着的拒绝，退出码为 1。"""
    last = _read(folder / _LAST) if (folder / _LAST).exists() else None
    try:
        made = cosign(file_lines(export), public_key_of(public_key), _key(folder), last)
    except NotExtended as refused:
        fail(f"不会签：{refused}。请马上向这个单位的监督员核实", 1)
    except ValueError as broken:
        fail(f"不会签：{broken}", 1)
    else:
        text = json.dumps(asdict(made), indent=1)
        # Whole or not at all: a witness that forgot what it saw would sign anything.
        fresh = folder / f"{_LAST}.new"
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, folder / _LAST)
        say(text)


@group.command("check")
def witness_check(
    files: Annotated[list[Path], typer.Argument(help="会签文件，可以给两个人手里的")],
    *,
    witness_key: Annotated[str, typer.Option(help="见证人的公钥（64 位十六进制）")],
) -> None:
    """核对会签是不是见证人签的；两份对同一处说法不同，就是有人看到了另一本台账，退出码为 1。"""
    found = [_read(path) for path in files]
    for path, one in zip(files, found, strict=True):
        if one.witness != witness_key.strip() or not holds(one):
            fail(f"{path.name}：不是这位见证人签的，或已被改动", 1)
    if any(forked(one, other) for one in found for other in found):
        fail("对同一条的会签不同：有人被给看了另一本台账", 1)
    say(f"{len(found)} 份会签都是真的，最新到第 {max(one.seq for one in found)} 条")


def _key(folder: Path) -> Ed25519PrivateKey:
    try:
        raw = bytes.fromhex((folder / _KEY).read_text("ascii").strip())
        return Ed25519PrivateKey.from_private_bytes(raw)
    except (OSError, ValueError) as error:
        raise BadInput(f"{folder / _KEY}：读不出钥匙，先运行 shenfa witness init") from error


def _read(path: Path) -> Cosigned:
    try:
        return Cosigned(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise BadInput(f"{path}：读不出会签文件") from error
