"""The options that several commands share, each with its one help line."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[Path | None, typer.Option("--home", help="数据目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="标准输入每行一个 JSON 对象")]
LibraryFile = Annotated[Path | None, typer.Option("--library", help="政策库 JSONL 文件")]
Why = Annotated[str, typer.Option("--reason", help="为什么要改，批准人会看到")]
