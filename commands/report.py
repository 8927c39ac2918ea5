"""`shenfa report`: made in an office, recomputed from an export without one."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.ledger import file_lines, public_key_of
from commands.lines import BadInput, fail, say
from commands.loading import later, new_group
from commands.options import Home, Json
from ledger.verify import verify_export
from supervision.figures import Counting, as_json, differences, span_of
from supervision.samples import Drawing

if TYPE_CHECKING:
    from app import Shenfa

group = new_group("报表：自查、年报、归档，离线重算")
run: "Callable[..., Any]" = later("commands.governing", "run")
run_as: "Callable[..., Any]" = later("commands.governing", "run_as")
counted: "Callable[..., Any]" = later("supervision.report", "counted")
give: "Callable[..., Any]" = later("supervision.report", "give")
Filled: "Callable[..., Any]" = later("supervision.report", "Filled")
people_of: "Callable[..., Any]" = later("supervision.report", "people_of")
promise_lines: "Callable[..., Any]" = later("supervision.promised", "promise_lines")
evidence: "Callable[..., Any]" = later("supervision.auditing", "evidence")
check_bundle: "Callable[..., Any]" = later("supervision.bundle", "check_bundle")
write_archive: "Callable[..., Any]" = later("supervision.archive", "write_archive")
sheets_of: "Callable[..., Any]" = later("supervision.sheets", "sheets_of")
xlsx_of: "Callable[..., Any]" = later("supervision.sheets", "xlsx_of")
csv_of: "Callable[..., Any]" = later("supervision.sheets", "csv_of")

Period = Annotated[str, typer.Argument(help="年 2026、季度 2026Q3 或月 2026-09")]
Out = Annotated[Path, typer.Option("--out", help="写到哪个文件，要还没有")]


@group.command("make")
def report_make(period: Period, *, out: Out, home: Home = None) -> None:
    """写一份报表：文件名以 .xlsx、.csv 或 .json 结尾；.json 可以离线重算。"""
    span, kind = _span(period), out.suffix
    if kind not in (".xlsx", ".csv", ".json"):
        raise BadInput(f"{out.name}：文件名要以 .xlsx、.csv 或 .json 结尾")

    async def work(opened: "Shenfa") -> bytes:
        counting = await counted(opened.ledger, span)
        if kind == ".json":
            text = json.dumps(as_json(period, counting), ensure_ascii=False, indent=1)
            return text.encode()
        sheets = sheets_of(period, counting, await people_of(opened.ledger, counting))
        made: bytes = (xlsx_of if kind == ".xlsx" else csv_of)(sheets)
        return made

    _write(out, run(home, work))
    say(f"已写到 {out}")


@group.command("recompute")
def report_recompute(
    period: Period,
    *,
    export: Annotated[Path, typer.Option(help="台账导出文件（shenfa ledger export）")],
    public_key: Annotated[Path, typer.Option(help="公钥文件（64 位十六进制）")],
    report: Annotated[Path | None, typer.Option(help="报表的 .json；不给则只算出数来")] = None,
) -> None:
    """从导出的台账重算报表，不用服务器；先核验台账。与报表不同时退出码为 1。"""
    counting = Counting(_span(period))
    verdict = verify_export(file_lines(export), public_key_of(public_key), (), counting.take)
    if not verdict.ok:
        fail(f"台账在第 {verdict.first_bad} 条断开：{verdict.problem}，没有算出数来", 1)
    if report is None:
        for name, one in as_json(period, counting)["figures"].items():
            say(f"{name}  {one['label']}  {one['value']}")
        return
    stated = _mapping(report)
    if stated.get("period") != period:
        raise BadInput(f"{report.name} 是 {stated.get('period')} 的报表，不是 {period} 的")
    wrong = differences(stated, counting)
    for line in wrong:
        say(line)
    if wrong:
        raise SystemExit(1)
    say(f"{len(counting.figures)} 个数全部与台账相同（台账 {verdict.entries} 条，已核验）")


@group.command("sample")
def report_sample(
    period: Period,
    *,
    export: Annotated[Path, typer.Option(help="台账导出文件（shenfa ledger export）")],
    public_key: Annotated[Path, typer.Option(help="公钥文件（64 位十六进制）")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="抽多少篇次")] = 30,
) -> None:
    """抽查：从导出的台账抽若干篇次，种子是台账签名结尾的摘要，谁来抽都一样；每篇附全部条目。"""
    drawing = Drawing(_span(period))
    verdict = verify_export(file_lines(export), public_key_of(public_key), (), drawing.take)
    if not verdict.ok:
        fail(f"台账在第 {verdict.first_bad} 条断开：{verdict.problem}，没有抽", 1)
    for one in drawing.draw(verdict.head, count):
        say(asdict(one), as_json=True)


@group.command("promises")
def report_promises(*, home: Home = None, as_json: Json = False) -> None:
    """承诺：近 30 天 5 秒内应答、提问有答复，逐日一行；最后是应急稿件 10 秒内交给平台。"""

    async def work(opened: "Shenfa") -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = await promise_lines(opened.ledger)
        return lines

    for line in run(home, work):
        say(line if as_json else "  ".join(f"{name} {value}" for name, value in line.items()))


@group.command("give")
def report_give(
    year: Annotated[str, typer.Argument(help="年份，例如 2026")],
    file: Annotated[Path, typer.Argument(help="JSON 文件：格的名称和整数，不写的格是 0")],
    *,
    by: Annotated[str, typer.Option("--by", help="您的登录名")],
    home: Home = None,
) -> None:
    """填报年报里只有本单位知道的数（依申请公开、复议诉讼、规范性文件），核对勾稽关系后签名。"""
    cells = _mapping(file)

    async def work(opened: "Shenfa", person: str) -> int:
        seq: int = await give(opened.ledger, year, Filled(cells), person)
        return seq

    say(f"已签名，台账第 {run_as(home, by, work)} 条")


@group.command("archive")
def report_archive(period: Period, *, out: Out, home: Home = None) -> None:
    """归档包（zip）：这段时间发布的内容、图片、审核记录、平台回执和台账区间。"""
    span = _span(period)

    async def work(opened: "Shenfa") -> int:
        with out.open("xb") as file:
            number: int = await write_archive(opened.ledger, period, span, file)
        return number

    try:
        number = run(home, work)
    except FileExistsError as error:
        raise BadInput(f"{out} 已经有了，没有改动：请换一个文件名") from error
    say(f"已写到 {out}，{number} 篇次")


@group.command("evidence")
def report_evidence(
    item: Annotated[str, typer.Argument(help="稿件编号")], *, out: Out, home: Home = None
) -> None:
    """证据包（zip）：一篇稿件的每一稿、图片、全部决定、平台回执和台账区间，可以离线核验。"""

    async def work(opened: "Shenfa") -> bytes:
        whole: bytes = await evidence(opened.ledger, item)
        return whole

    _write(out, run(home, work))
    say(f"已写到 {out}")


@group.command("check")
def report_check(
    package: Annotated[Path, typer.Argument(help="证据包或归档包（zip）")],
    *,
    public_key: Annotated[Path, typer.Option(help="公钥文件（64 位十六进制），不用包里的")],
) -> None:
    """离线核验证据包或归档包，不用服务器；有不符时逐条写出，退出码为 1。"""
    try:
        with package.open("rb") as file:
            done = check_bundle(file, public_key_of(public_key))
    except OSError as error:
        raise BadInput(f"{package.name}：打不开（{error.strerror}），请检查路径") from error
    for line in done.holds:
        say(line)
    for line in done.faults:
        say(f"不符：{line}")
    if done.faults:
        raise SystemExit(1)
    say("全部相符")


def _span(period: str) -> Any:
    try:
        return span_of(period)
    except ValueError as error:
        raise BadInput("期间写成年 2026、季度 2026Q3 或月 2026-09") from error


def _mapping(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path.name}：读不出，应为 UTF-8 的 JSON 文件") from error
    if not isinstance(found, dict):
        raise BadInput(f"{path.name}：应为一个 JSON 对象")
    return found


def _write(path: Path, content: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise BadInput(f"{path} 已经有了，没有改动：请换一个文件名") from error
    except OSError as error:
        raise BadInput(f"{path} 写不进（{error.strerror}）：请换一个地方") from error
