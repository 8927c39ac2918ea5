"""`shenfa`: every task of an office on the command line, and four filters without a server."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select

import bench as benches
import commands_govern
import demo as play
from app import Shenfa, build_site, initialise, open_ledger, open_shenfa
from backup import make_backup, restore
from config.clock import beijing, now, use_clock_file
from config.settings import Settings
from config.setup import SetupError, read_setup
from console.web.words import clock_words
from content_sources.changes import Proposal, day_text, fields_of, propose, read_fields
from content_sources.extract import extract_record, fetch_record, typed_judge
from content_sources.fetch import Fetcher
from content_sources.models import Source
from content_sources.official_list import ListFile, import_list, last_version
from content_sources.official_list import plain as plain_import
from content_sources.preview import Preview, preview_column
from content_sources.whitelist import Refusal, SourceRule
from doctor import examine
from facets.tagger import tag_record
from gates import evaluation
from gates.engine import Facts, NoFacts, RuleSet
from gates.files import Checked, Checker, files_in, summary
from gates.filter import check_record, library_facts
from gates.rules import RuleError
from gates.spelling import Speller
from knowledge.ask import Library, ask_record
from knowledge.documents import DocumentError, read_documents
from knowledge.library import Proposed
from ledger.append import Ledger
from ledger.verify import Broken, Gap, Verdict, read_anchor, verify_export
from review_queue.workflow import WorkflowError
from sandbox.app import serve as serve_sandbox
from staff.models import Staff
from staff.refusal import Refused
from storage.database import Database, sqlite_file

shenfa = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
ledger = typer.Typer(no_args_is_help=True, help="台账：导出、核验、锚定")
library = typer.Typer(no_args_is_help=True, help="政策库")
sources = typer.Typer(no_args_is_help=True, help="稿源：名单、核对、试读、导入、监测")
evals = typer.Typer(no_args_is_help=True, help="在标注数据上评测")
shenfa.add_typer(ledger, name="ledger")
shenfa.add_typer(library, name="library")
commands_govern.add_to(shenfa)
shenfa.add_typer(sources, name="source")
shenfa.add_typer(evals, name="eval")

Home = Annotated[Path | None, typer.Option("--home", help="数据目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="标准输入每行一个 JSON 对象")]
LibraryFile = Annotated[Path | None, typer.Option("--library", help="政策库 JSONL 文件")]


def main() -> None:
    """Entry point: bad input is one line on stderr and exit 2."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    try:
        shenfa()
    except (SetupError, DocumentError, BadInput, RuleError, WorkflowError, Refused) as error:
        fail(str(error))


class BadInput(ValueError):
    """Something a person gave that cannot be used; the text names it and the remedy."""


def fail(message: str, code: int = 2) -> None:
    """One line on stderr, then leave."""
    sys.stderr.write(message.replace("\n", " ") + "\n")
    raise SystemExit(code)


def say(value: Any, *, as_json: bool = False) -> None:
    """One line on stdout."""
    if as_json or not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    sys.stdout.write(value + "\n")


def settings_for(home: Path | None) -> Settings:
    """Settings of this process, with `--home` before the environment."""
    return Settings(home=home) if home else Settings()


def must_exist(settings: Settings) -> None:
    """BadInput when the home was never initialised."""
    path = sqlite_file(settings.database_url)
    if path is not None and not path.exists():
        raise BadInput(f"{settings.home} 还没有初始化：请先运行 shenfa init --from setup.yaml")


@asynccontextmanager
async def office(home: Path | None) -> AsyncIterator[Shenfa]:
    """An opened, initialised home; BadInput when there is none."""
    settings = settings_for(home)
    must_exist(settings)
    async with open_shenfa(settings) as opened:
        yield opened


# --- filters ------------------------------------------------------------------------------


def read_lines(path: Path) -> Iterable[dict[str, Any]]:
    """The JSON objects of a JSONL file; BadInput names the line that is not one."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInput(f"{path.name}：打不开（{error.strerror}），请检查路径") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise BadInput(f"{path.name}：第 {number} 行不是 JSON，请改正") from error
        if not isinstance(record, dict):
            raise BadInput(f"{path.name}：第 {number} 行不是 JSON 对象，请改正")
        yield record


def run_filter(handle: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Each line of stdin through `handle`, in order; a bad line is reported in its place."""
    for number, raw in enumerate(sys.stdin.buffer, 1):
        if not raw.strip():
            continue
        try:
            record = json.loads(raw.decode("utf-8"))
            if not isinstance(record, dict):
                raise ValueError("这一行不是 JSON 对象")
            answer = handle(record)
        except (ValueError, KeyError, TypeError) as error:
            answer = {"id": None, "line": number, "error": _one_line(error)}
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _one_line(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return "这一行不是 UTF-8 编码的 JSON"
    if isinstance(error, KeyError):
        return f"缺少字段 {error.args[0]}"
    return " ".join(str(error).split())


@shenfa.command()
def check(  # noqa: PLR0913  one argument a flag
    paths: Annotated[list[Path] | None, typer.Argument(help="要检查的文件或文件夹")] = None,
    *,
    jsonl: Jsonl = False,
    as_json: Json = False,
    hints: Annotated[bool, typer.Option("--hints", help="也输出提示级")] = False,
    library_file: LibraryFile = None,
    as_of: Annotated[str, typer.Option("--as-of", help="按哪一天检查，YYYY-MM-DD")] = "",
    spelling: Annotated[bool, typer.Option("--spelling/--no-spelling", help="查错别字")] = True,
) -> None:
    """五关检查文稿、文件、文件夹：有必须改的问题时退出码为 1。"""
    rules = RuleSet.load()
    facts: Facts = library_facts(read_lines(library_file)) if library_file else NoFacts()
    speller = Speller.load() if spelling else None
    if jsonl:
        handle = partial(check_record, ruleset=rules, facts=facts, include_hints=hints)
        run_filter(partial(handle, speller=speller))
        return
    try:
        files = files_in(paths or ())
        day = date.fromisoformat(as_of) if as_of else beijing(now()).date()
    except FileNotFoundError as error:
        raise BadInput(f"{error}：没有这个文件或文件夹，请检查路径") from error
    except ValueError as error:
        raise BadInput(f"--as-of 应当是 YYYY-MM-DD 的日期，不是“{as_of}”") from error
    if not files:
        raise BadInput("没有可以检查的文件：请给出文件或文件夹，或用 --jsonl 从标准输入读取")
    checker = Checker(rules, facts, day, include_hints=hints, speller=speller)
    done = []
    with progress_bar("检查", len(files)) as step:
        for path in files:
            done.append(_checked(checker, path))
            step()
    for file in done:
        for line in [json.dumps(file.as_record(), ensure_ascii=False)] if as_json else file.lines():
            say(line)
    if not as_json:
        say(summary(done))
    if any(file.blocked for file in done):
        raise SystemExit(1)


def _checked(checker: Checker, path: Path) -> Checked:
    try:
        return checker.check(path)
    except OSError as error:
        raise BadInput(f"{path}：打不开（{error.strerror}），请检查路径和权限") from error


@shenfa.command()
def tag(*, jsonl: Jsonl = False) -> None:
    """给文本打主题、人群、地区、行业、文种标签（--jsonl）。"""
    _only_jsonl(jsonl)
    run_filter(tag_record)


@shenfa.command()
def extract(
    *,
    jsonl: Jsonl = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="按每行的 url 抓取网页")] = False,
) -> None:
    """从网页文件或网址提取标题、日期、来源、正文（--jsonl）。"""
    _only_jsonl(jsonl)
    if not fetch:
        run_filter(extract_record)
        return
    with asyncio.Runner() as loop:
        fetcher = Fetcher(Settings().allowed_private)
        run_filter(lambda record: loop.run(fetch_record(record, fetcher)))
        loop.run(fetcher.close())


@shenfa.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="一个问题")] = None,
    *,
    jsonl: Jsonl = False,
    library_file: LibraryFile = None,
) -> None:
    """从政策库逐字引用回答（--library 文件）。"""
    if library_file is None:
        raise BadInput("请用 --library 给出政策库 JSONL 文件")
    opened = Library.from_lines(read_lines(library_file))
    if jsonl:
        run_filter(partial(ask_record, library=opened))
        return
    if not question:
        raise BadInput("请给出问题，或用 --jsonl 从标准输入读取")
    say(ask_record({"id": None, "question": question}, library=opened), as_json=True)


@sources.command("fetch")
def source_fetch(
    url: Annotated[str, typer.Argument(help="RSS、列表页或网站地图的网址")],
    *,
    kind: Annotated[str, typer.Option(help="feed、list、sitemap；不写则自动判断")] = "",
    as_json: Json = False,
) -> None:
    """试读一个栏目：列出会读到的条目和问题，不保存任何内容。"""
    if kind not in ("", "feed", "list", "sitemap"):
        raise BadInput(f"--kind 不能是 {kind}：请写 feed、list 或 sitemap")

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


def _only_jsonl(jsonl: bool) -> None:  # noqa: FBT001  one flag, one caller shape
    if not jsonl:
        raise BadInput("这条命令只从标准输入逐行读取 JSON：请加 --jsonl")


# --- an office ----------------------------------------------------------------------------


@shenfa.command()
def init(
    *,
    setup: Annotated[Path, typer.Option("--from", help="setup.yaml")],
    home: Home = None,
) -> None:
    """初始化：建库、建钥、写入创世条目；打印地址和密码（只此一次）。"""

    async def run() -> dict[str, Any]:
        return await initialise(settings_for(home), read_setup(setup))

    say(asyncio.run(run()), as_json=True)


@shenfa.command()
def serve(*, home: Home = None) -> None:
    """启动：控制台、接口、平台回调；嵌入式时也跑全部定时任务。"""

    async def run() -> None:
        async with office(home) as opened:
            runner = web.AppRunner(build_site(opened), access_log=None)
            await runner.setup()
            settings = opened.settings
            await web.TCPSite(runner, settings.host, settings.port).start()
            for problem in await opened.equip():
                sys.stderr.write(problem + "\n")
            say(f"审发已启动：{settings.public_url}/console/")
            async with opened.jobs():
                await asyncio.Event().wait()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        return


@shenfa.command()
def sandbox(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(help="端口，0 为任选")] = 8480,
) -> None:
    """单独启动沙箱平台（微信、Telegram、样例稿源站）。"""

    async def run() -> None:
        runner = await serve_sandbox(host, port)
        bound = runner.addresses[0][1]
        say({"url": f"http://{host}:{bound}"}, as_json=True)
        sys.stdout.flush()
        await asyncio.Event().wait()

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        return


@shenfa.command("demo")
def demo_command(
    *,
    home: Home = None,
    once: Annotated[bool, typer.Option("--once", help="演一遍就退出")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="从头开始")] = False,
    sandbox_url: Annotated[str | None, typer.Option("--sandbox", help="已启动的沙箱地址")] = None,
) -> None:
    """演示：一篇文章从稿源到市民，一个问题到它的答复。"""
    options = play.Options(home=home, once=once, fresh=fresh, sandbox=sandbox_url)
    raise SystemExit(asyncio.run(play.run(options)))


@shenfa.command("bench")
def bench_command(name: Annotated[str, typer.Argument(help="项目名称")]) -> None:
    """测速：每个指标一行 JSON，附同一次运行里最短代码的时间。"""
    if name not in benches.BENCHES:
        raise BadInput(f"没有“{name}”这一项：可用 {'、'.join(benches.BENCHES)}")

    async def run() -> list[dict[str, Any]]:
        return await benches.BENCHES[name]()

    for row in asyncio.run(run()):
        say(row, as_json=True)


# --- evaluation ---------------------------------------------------------------------------


@contextmanager
def progress_bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr when a person is watching; yields what to call for each step."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


@evals.command("gates")
def eval_gates(
    *,
    data: Annotated[Path | None, typer.Option("--data", help="标注数据目录")] = None,
    as_json: Json = False,
    samples: Annotated[bool, typer.Option("--samples", help="也列出误报和漏报")] = False,
) -> None:
    """五关在标注数据上的查全、查准和误报，按数据集和规则列出；有未达到的目标时退出码为 1。"""
    folder = data or evaluation.default_data()
    if not folder.is_dir():
        raise BadInput(f"没有数据目录 {folder}：请用 --data 给出，或设置 SHENFA_TEST_DATA")
    rules = RuleSet.load()
    with progress_bar("评测", evaluation.count_texts(folder)) as step:
        measures, tally = evaluation.evaluate(folder, rules, step, Speller.load())
    if as_json:
        for measure in measures:
            say(evaluation.as_row(measure), as_json=True)
        for line in evaluation.by_rule(tally):
            say(line, as_json=True)
        for sample in tally.samples if samples else ():
            say(sample, as_json=True)
    else:
        say("\n".join(evaluation.tables(measures, tally, samples=samples)))
    if any(measure.ok is False for measure in measures):
        raise SystemExit(1)


# --- ledger and library -------------------------------------------------------------------


@asynccontextmanager
async def ledger_of(home: Path | None) -> AsyncIterator[Ledger]:
    """The ledger alone: it can be read and exported even when it is broken."""
    settings = settings_for(home)
    must_exist(settings)
    use_clock_file(settings.dev_clock_file)
    db = Database(settings.database_url)
    try:
        yield open_ledger(settings, db)
    finally:
        await db.close()


@ledger.command("export")
def ledger_export(*, home: Home = None) -> None:
    """把整本台账写到标准输出。"""

    async def run() -> None:
        async with ledger_of(home) as opened:
            async for line in opened.export():
                sys.stdout.write(line + "\n")

    asyncio.run(run())


@ledger.command("verify")
def ledger_verify(
    *,
    export: Annotated[Path | None, typer.Option(help="导出文件；不给则核验本机数据库")] = None,
    public_key: Annotated[Path | None, typer.Option(help="公钥文件（64 位十六进制）")] = None,
    anchor: Annotated[list[Path] | None, typer.Option(help="锚定文件，可以给多个")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """核验台账；断链时退出码为 1，并指出第一处。"""
    anchors = [line for path in anchor or () for line in _file_lines(path)]
    if export is not None:
        if public_key is None:
            raise BadInput("核验导出文件需要 --public-key 公钥文件")
        key = _public_key(public_key)
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
        raise SystemExit(1)


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(path.read_text("ascii").strip()))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}：读不出公钥，应为 64 位十六进制（shenfa ledger key）") from error


def _file_lines(path: Path) -> Iterator[str]:
    """Lines of a text file, one at a time; BadInput when it cannot be read."""
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from file
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}：读不出，请检查路径，文件应为 UTF-8 文本") from error


def _watched(path: Path) -> Iterator[str]:
    """The same with a progress bar, when a person watches."""
    if not sys.stderr.isatty() or not path.is_file():
        yield from _file_lines(path)
        return
    with typer.progressbar(length=path.stat().st_size, label="核验", file=sys.stderr) as bar:
        for line in _file_lines(path):
            yield line
            bar.update(len(line.encode()))


@ledger.command("restored")
def ledger_restored(
    *,
    anchor: Annotated[list[Path] | None, typer.Option(help="别处保存的锚定文件")] = None,
    home: Home = None,
) -> None:
    """用 pg_restore 恢复数据库之后：登记恢复和丢失的条目。"""
    lines = (line for path in anchor or () for line in _file_lines(path))
    marks = [mark for line in lines if (mark := read_anchor(line))]

    async def run() -> tuple[Gap, int]:
        async with ledger_of(home) as opened:
            held = opened.files
            return await opened.declare_restored([*marks, *held.marks(held.sizes())])

    try:
        gap, lost = asyncio.run(run())
    except Broken as broken:
        fail(f"恢复的台账已损坏，没有登记：{broken}", 1)
    else:
        say(f"第 {gap.entry} 条已登记恢复，缺少 {lost} 条锚定过的台账")


@ledger.command("key")
def ledger_key(*, home: Home = None) -> None:
    """打印核验用的公钥。"""

    async def run() -> str:
        async with ledger_of(home) as opened:
            return opened.public_hex

    say(asyncio.run(run()))


@ledger.command("anchor")
def ledger_anchor(*, home: Home = None) -> None:
    """立即签一个检查点，写入全部锚定文件，并告知异地锚点。"""

    async def run() -> tuple[int, int, int]:
        async with office(home) as opened:
            seq, remote = await opened.ledger.checkpoint(), opened.remote_anchors
            return seq, await remote.tell_due(), len(remote.addresses)

    seq, told, places = asyncio.run(run())
    more = f"，异地锚点告知 {told} 处，共 {places} 处" if places else ""
    say(f"已锚定到第 {seq} 条{more}")
    if told < places:
        fail("有异地锚点没有告知，会自动重试：shenfa doctor 说明原因", 1)


# --- upkeep -------------------------------------------------------------------------------


@shenfa.command("backup")
def backup_command(
    file: Annotated[Path, typer.Argument(help="写到这个文件（tar.gz）")],
    *,
    with_keys: Annotated[bool, typer.Option("--with-keys", help="也放入密钥，请加密保管")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """备份：数据库（含媒体）的一致快照和锚定文件；运行中也可以做。"""
    made = make_backup(settings_for(home), file, with_keys=with_keys)
    if as_json:
        say(made, as_json=True)
        return
    keys = "，含密钥，请加密保管" if with_keys else "，不含密钥，请另外保管 keys 目录"
    say(f"已备份到 {made['file']}：台账 {made['entries']} 条，{made['bytes']} 字节{keys}")


@shenfa.command("restore")
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


@shenfa.command("doctor")
def doctor_command(*, home: Home = None, as_json: Json = False) -> None:
    """体检：有不通过的项目时退出码为 1。"""
    checks = asyncio.run(examine(settings_for(home)))
    if as_json:
        say([asdict(check) for check in checks], as_json=True)
    else:
        signs = {"ok": "通过", "warn": "注意", "fail": "不通过"}
        for check in checks:
            say(f"[{signs[check.state]}] {check.name}：{check.words}")
    if any(check.state == "fail" for check in checks):
        raise SystemExit(1)


@library.command("import")
def library_import(
    files: Annotated[list[Path], typer.Argument(help=".txt .html .docx .pdf .jsonl")],
    *,
    home: Home = None,
    by: Annotated[str, typer.Option("--by", help="提出人的登录名")],
    as_json: Json = False,
) -> None:
    """把政策文件作为建议录入政策库，由另一人在控制台批准。"""
    documents = [document for path in files for document in read_documents(path)]

    async def run() -> list[Proposed]:
        async with office(home) as opened:
            person = await staff_id_of(opened, by)
            return await opened.library.propose_import(documents, person)

    for row in asyncio.run(run()):
        say(asdict(row) if as_json else f"已提出，等另一人批准：{row.title}（{row.clauses} 条）")


# --- sources ------------------------------------------------------------------------------

By = Annotated[str, typer.Option("--by", help="提出人的登录名")]


async def staff_id_of(opened: Shenfa, login: str) -> str:
    """The person behind `--by`; BadInput when there is none."""
    async with opened.db.session() as session:
        query = select(Staff.id).where(Staff.login == login, Staff.active.is_(True))
        person = (await session.scalars(query)).first()
    if person is None:
        raise BadInput(f"没有登录名为 {login} 的人员：请用 --by 给出提出人的登录名")
    return person


@sources.command("list")
def source_list(*, home: Home = None, as_json: Json = False) -> None:
    """列出稿源：单位、域名、有效期、状态。"""

    async def run() -> list[Source]:
        async with office(home) as opened, opened.db.session() as session:
            return list((await session.scalars(select(Source).order_by(Source.organisation))).all())

    for row in asyncio.run(run()):
        fields = {"id": row.id, "state": row.state} | fields_of(row).to_json()
        until = fields["valid_to"] or "长期"
        hosts = "、".join(row.hosts) or "（未登记域名）"
        say(fields if as_json else f"{row.state}\t{row.organisation}\t{hosts}\t{until}")


@sources.command("add")
def source_add(  # noqa: PLR0913  each is an option of the command line
    organisation: Annotated[str, typer.Argument(help="稿源单位")],
    hosts: Annotated[list[str], typer.Argument(help="网站域名")],
    *,
    basis: Annotated[str, typer.Option("--basis", help="依据文件的名称或文号")],
    by: By,
    list_version: Annotated[str, typer.Option("--list-version", help="名单版本")] = "",
    valid_to: Annotated[str, typer.Option("--valid-to", help="有效期至，如 2027-12-31")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出一家稿源，由另一位管理员在控制台批准后生效。"""

    async def run() -> dict[str, Any]:
        async with office(home) as opened:
            given = {
                "organisation": organisation,
                "hosts": " ".join(hosts),
                "basis": basis,
                "list_version": list_version,
                "valid_to": day_text(valid_to),
            }
            fields = read_fields(given, {})
            person = await staff_id_of(opened, by)
            change = await propose(opened.ledger, person, Proposal("add", fields))
            return {"id": change.source_id, "change": change.id, "state": change.state}

    made = asyncio.run(run())
    say(made if as_json else f"已提出，等另一位管理员批准：{organisation}（{made['id']}）")


@sources.command("check")
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


@sources.command("import")
def source_import(  # noqa: PLR0913  each is an option of the command line
    file: Annotated[Path, typer.Argument(help="公布的名单：xlsx、docx、csv 或 html")],
    *,
    list_version: Annotated[str, typer.Option("--list-version", help="名单版本")],
    basis: Annotated[str, typer.Option("--basis", help="依据文件的名称或文号")],
    by: By,
    replaces: Annotated[str | None, typer.Option("--replaces", help="代替哪一版")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """读取名单，列出新增、撤销、更名，作为建议等另一位管理员批准。"""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file.name}：打不开（{error.strerror}），请检查路径") from error

    async def run() -> dict[str, Any]:
        async with office(home) as opened:
            person = await staff_id_of(opened, by)
            old = replaces
            if old is None:
                async with opened.db.session() as session:
                    old = await last_version(session)
            given = ListFile(file.name, data, list_version, basis, old)
            return plain_import(await import_list(opened.ledger, person, given))

    made = asyncio.run(run())
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


@sources.command("watch")
def source_watch(*, home: Home = None, as_json: Json = False) -> None:
    """看一遍到时间的原文；有变化的开出任务。"""

    async def run() -> dict[str, int]:
        async with office(home) as opened:
            return await opened.originals.look_due()

    seen = asyncio.run(run())
    names = {"same": "没有变化", "changed": "有改动", "gone": "已撤下", "unreachable": "打不开"}
    words = "，".join(f"{names[state]} {number} 篇" for state, number in seen.items())
    say(seen if as_json else words or "没有到时间要看的原文")


if __name__ == "__main__":
    main()
