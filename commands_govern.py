"""`shenfa levels|rules|staff|proposals`: what an office decides about itself, by two people.

Reading needs the home only. Who proposes or decides does so as a person, with their password.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from sqlalchemy import select

from app import Shenfa, open_shenfa
from config.settings import Settings
from config.setup import SetupError
from console.settings.api import proposal_json
from console.settings.forms import matches
from console.web.words import SEVERITIES, clock_words
from gates.rules import RuleSet
from review_queue.governance.levels import level_words
from review_queue.governance.rule_changes import try_examples
from review_queue.governance.rulesets import feedback_counts, rows_of
from review_queue.governance.staff_changes import deactivate_now, reset_password
from review_queue.workflow import GATE_NAMES, load_workflows, unfillable
from staff.models import Staff
from staff.people import names
from staff.proposals import INIT, STATES
from staff.refusal import Refused
from staff.roles import ROLES
from staff.sessions import Attempt, revoke_tokens, sign_in, sign_out, token_hash, visitor_of_session

levels = typer.Typer(no_args_is_help=True, help="审核级次：查看、检查、提出变更")
rules = typer.Typer(no_args_is_help=True, help="规则：查看、试算、提出变更、恢复旧版")
staff = typer.Typer(no_args_is_help=True, help="人员：查看、提出变更、停用、重设密码")
proposals = typer.Typer(no_args_is_help=True, help="待批准的变更：查看、批准、不批准")

Home = Annotated[Path | None, typer.Option("--home", help="数据目录")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
By = Annotated[str, typer.Option("--by", help="您的登录名；密码从提示或 SHENFA_PASSWORD 读取")]
Why = Annotated[str, typer.Option("--reason", help="为什么要改，批准人会看到")]
Answer = TypeVar("Answer")


def add_to(shenfa: typer.Typer) -> None:
    """Register the four groups."""
    for name, group in (
        ("levels", levels),
        ("rules", rules),
        ("staff", staff),
        ("proposals", proposals),
    ):
        shenfa.add_typer(group, name=name)


@asynccontextmanager
async def _office(home: Path | None) -> AsyncIterator[Shenfa]:
    settings = Settings(home=home) if home else Settings()
    if settings.database_url.startswith("sqlite") and not (settings.home / "shenfa.db").exists():
        raise SetupError(f"{settings.home} 还没有初始化：请先运行 shenfa init --from setup.yaml")
    async with open_shenfa(settings) as opened:
        yield opened


def _run(home: Path | None, work: Callable[[Shenfa], Awaitable[Answer]]) -> Answer:
    async def run() -> Answer:
        async with _office(home) as opened:
            return await work(opened)

    return asyncio.run(run())


def _run_as(
    home: Path | None, login: str, work: Callable[[Shenfa, str], Awaitable[Answer]]
) -> Answer:
    """The same as a person, once their password holds; the sign-in stands in the ledger."""
    password = _password(login)

    async def run() -> Answer:
        async with _office(home) as opened:
            attempt = Attempt(login, password, "command line", "shenfa")
            token = await sign_in(opened.ledger, opened.cache, attempt)
            person = await visitor_of_session(opened.db, token)
            if person is None:
                raise SetupError("登录没有成功，请重试")
            try:
                with Console(stderr=True).status("正在核对和试算"):
                    return await work(opened, person.staff_id)
            finally:
                await sign_out(opened.db, token_hash(token))

    return asyncio.run(run())


def _password(login: str) -> str:
    """From SHENFA_PASSWORD, SHENFA_PASSWORD_FILE or a prompt; never from the command line."""
    if given := os.environ.get("SHENFA_PASSWORD"):
        return given
    if file := os.environ.get("SHENFA_PASSWORD_FILE"):
        return _read(Path(file)).strip()
    if not sys.stdin.isatty():
        raise SetupError(f"需要 {login} 本人的密码：请在终端运行，或设 SHENFA_PASSWORD_FILE")
    return str(typer.prompt(f"{login} 的密码", hide_input=True, err=True))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path.name}：读不出 UTF-8 文本，请检查路径和编码") from error


def _say(value: Any) -> None:
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
    sys.stdout.write(value + "\n")


def _show_effect(effect: Mapping[str, Any]) -> None:
    for words in effect.get("warnings", ()):
        _say(f"注意：{words}")
    for line in effect["changes"]:
        _say(f"{line['sign']} {line['text']}")
    preview = effect.get("preview")
    if not preview:
        return
    for group, label in (("items", "近一年的稿件"), ("samples", "例句和政策库条文")):
        tried, newly, gone = (preview[name][group] for name in ("tried", "newly", "gone"))
        _say(f"{label} {tried} 篇：新标出 {newly} 篇，不再标出 {gone} 篇")
    for hit in preview["examples"]:
        label = "新标出" if hit["change"] == "newly" else "不再标出"
        where = f"（稿件 {hit['item']}）" if hit["item"] else ""
        _say(f"  {label} {hit['rule']}：…{hit['before']}【{hit['text']}】{hit['after']}…{where}")


def _propose(
    place: tuple[Path | None, str], change: tuple[str, Mapping[str, Any]], reason: str
) -> dict[str, Any]:
    home, by = place

    async def work(opened: Shenfa, person: str) -> dict[str, Any]:
        kind, payload = change
        row = await opened.governance.proposals.propose(kind, payload, person, reason)
        return proposal_json(row)

    return _run_as(home, by, work)


def _proposed(row: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        _say(dict(row))
        return
    _show_effect(row["effect"])
    _say(f"已提出，等另一位管理员批准：shenfa proposals approve {row['id']} --by 登录名")


# --- levels -------------------------------------------------------------------------------


@levels.command("list")
def levels_list(*, home: Home = None, as_json: Json = False) -> None:
    """现在批准的审核级次，和人手不够的类别。"""

    async def work(opened: Shenfa) -> tuple[list[dict[str, Any]], list[str]]:
        flows = opened.governance.levels
        await flows.refresh()
        return [flow.to_json() for flow in flows.values()], await flows.unfilled()

    flows, unfilled = _run(home, work)
    if as_json:
        _say({"levels": flows, "unfillable": unfilled})
        return
    for flow in flows:
        _say(f"{flow['klass']}（第 {flow['version']} 版）")
        for kind, group in {"": flow, **flow.get("kinds", {})}.items():
            for level in group["levels"]:
                _say(f"  {f'{kind}：' if kind else ''}{level_words(level)}")
    for words in unfilled:
        _say(f"注意：{words}")


@levels.command("check")
def levels_check(
    file: Annotated[Path, typer.Argument(help="与 config/workflows.yaml 同样写法的文件")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """检查一个级次文件，指出现有人员走不完的类别；有问题时退出码为 1。"""
    flows = load_workflows(file)

    async def work(opened: Shenfa) -> list[str]:
        async with opened.db.session() as session:
            rows = (await session.scalars(select(Staff).where(Staff.active.is_(True)))).all()
        return unfillable(flows, {row.id: row.roles for row in rows})

    problems = _run(home, work)
    if as_json:
        _say({"ok": not problems, "classes": list(flows), "unfillable": problems})
    else:
        for words in problems or [f"{file.name}：可以使用，共 {len(flows)} 个类别"]:
            _say(words)
    if problems:
        raise SystemExit(1)


@levels.command("propose")
def levels_propose(  # noqa: PLR0913  the options of a command
    file: Annotated[Path, typer.Argument(help="与 config/workflows.yaml 同样写法的文件")],
    *,
    klass: Annotated[str, typer.Option("--class", help="改哪一个类别")],
    by: By,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出改一个类别的级次，由另一位管理员批准。"""
    flows = load_workflows(file)
    if klass not in flows:
        raise SetupError(f"{file.name} 里没有类别“{klass}”，只有：{'、'.join(flows)}")
    payload = {name: value for name, value in flows[klass].to_json().items() if name != "version"}
    _proposed(_propose((home, by), ("workflow", payload), reason), as_json=as_json)


# --- rules --------------------------------------------------------------------------------


@rules.command("list")
def rules_list(
    *,
    q: Annotated[str, typer.Option("--search", help="词、编号或理由")] = "",
    gate: Annotated[str, typer.Option("--gate", help="politics law policy secrecy wording")] = "",
    severity: Annotated[str, typer.Option("--severity", help="block warn hint")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """现在使用的规则，和每条报过的误报。"""
    wanted = {"q": q, "gate": gate, "severity": severity}

    async def work(opened: Shenfa) -> tuple[int, list[Mapping[str, Any]], dict[str, int]]:
        active = await opened.governance.rules.active()
        rows = [row for row in active.rows if matches(row, wanted)]
        return active.version, rows, await feedback_counts(opened.ledger)

    version, rows, counts = _run(home, work)
    if as_json:
        _say({"version": version, "rules": rows, "false_alarms": counts})
        return
    for row in rows:
        told = f"，误报 {counts[row['id']]}" if row["id"] in counts else ""
        label = f"{GATE_NAMES[row['gate']]} {SEVERITIES[row['severity']]}"
        _say(f"{row['id']}  {label}{told}  {row['reason']}")
    _say(f"第 {version} 版，{len(rows)} 条")


File = Annotated[Path | None, typer.Argument(help="规则文件（YAML 列表）或放规则文件的目录")]
Remove = Annotated[list[str] | None, typer.Option("--remove", help="要删除的规则编号")]
Whole = Annotated[bool, typer.Option("--whole", help="文件就是整套规则，没写到的全部删除")]


def _rules_payload(file: Path | None, remove: list[str] | None, *, whole: bool) -> dict[str, Any]:
    rows = rows_of(RuleSet.load(file)) if file else []
    if whole:
        return {"rows": rows}
    changes: list[dict[str, Any]] = [{"id": row["id"], "now": row} for row in rows]
    return {"changes": changes + [{"id": name, "now": None} for name in remove or ()]}


@rules.command("preview")
def rules_preview(
    file: File = None,
    *,
    remove: Remove = None,
    whole: Whole = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """试算一次规则变更会新标出什么、不再标出什么；不提出。"""
    payload = _rules_payload(file, remove, whole=whole)

    async def work(opened: Shenfa) -> dict[str, Any]:
        with Console(stderr=True).status("正在试算"):
            return (await opened.governance.proposals.draft("ruleset", payload))[1]

    effect = _run(home, work)
    if as_json:
        _say(effect)
    else:
        _show_effect(effect)


@rules.command("propose")
def rules_propose(  # noqa: PLR0913  the options of a command
    file: File = None,
    *,
    by: By,
    reason: Why,
    remove: Remove = None,
    whole: Whole = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出增加、修改、删除规则，由另一位管理员批准。"""
    payload = _rules_payload(file, remove, whole=whole)
    _proposed(_propose((home, by), ("ruleset", payload), reason), as_json=as_json)


@rules.command("rollback")
def rules_rollback(
    version: Annotated[int, typer.Argument(help="恢复到第几版")],
    *,
    by: By,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出恢复到以前的一版，由另一位管理员批准。"""
    change = ("ruleset", {"version": version})
    _proposed(_propose((home, by), change, reason), as_json=as_json)


@rules.command("history")
def rules_history(
    rule: Annotated[str | None, typer.Argument(help="只看一条规则")] = None,
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """规则集的历次版本，谁提出、谁批准。"""

    async def work(opened: Shenfa) -> list[dict[str, Any]]:
        sets = opened.governance.rules
        rows = [one for one, _ in await sets.rule_history(rule)] if rule else await sets.history()
        async with opened.db.session() as session:
            known = {INIT: "初始设置"} | await names(session, {row.proposed_by for row in rows})
            known |= await names(session, {row.approved_by for row in rows})
        return [
            {
                "version": row.version,
                "digest": row.digest,
                "summary": row.summary,
                "proposed_by": known.get(row.proposed_by, row.proposed_by),
                "approved_by": known.get(row.approved_by, row.approved_by),
                "approved_at": row.approved_at,
            }
            for row in rows
        ]

    rows = _run(home, work)
    if as_json:
        _say({"versions": rows})
        return
    for row in rows:
        who = f"{row['proposed_by']} 提出，{row['approved_by']} 批准"
        _say(f"第 {row['version']} 版  {clock_words(row['approved_at'])}  {who}  {row['summary']}")


@rules.command("test")
def rules_test(
    file: File = None,
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """用规则自己的例句检验：给了文件就验文件，否则验正在使用的一版；不合时退出码为 1。"""

    async def in_force(opened: Shenfa) -> list[Mapping[str, Any]]:
        return list((await opened.governance.rules.active()).rows)

    rows = rows_of(RuleSet.load(file)) if file else _run(home, in_force)
    try:
        try_examples(rows)
    except Refused as refused:
        problems = [reason.message for reason in refused.reasons]
    else:
        problems = []
    if as_json:
        _say({"ok": not problems, "rules": len(rows), "problems": problems})
    else:
        for words in problems or [f"{len(rows)} 条规则的例句全部符合"]:
            _say(words)
    if problems:
        raise SystemExit(1)


# --- staff --------------------------------------------------------------------------------


@staff.command("list")
def staff_list(*, home: Home = None, as_json: Json = False) -> None:
    """人员和角色。"""

    async def work(opened: Shenfa) -> list[dict[str, Any]]:
        async with opened.db.session() as session:
            rows = (await session.scalars(select(Staff).order_by(Staff.login))).all()
        fields = ("login", "name", "roles", "active")
        return [{name: getattr(row, name) for name in fields} for row in rows]

    for row in _run(home, work):
        if as_json:
            _say(row)
            continue
        held = "、".join(ROLES[role] for role in row["roles"]) or "没有角色"
        _say(f"{row['login']}  {row['name']}  {held}{'' if row['active'] else '  已停用'}")


@staff.command("propose")
def staff_propose(  # noqa: PLR0913  the options of a command
    login: Annotated[str, typer.Argument(help="登录名")],
    *,
    role: Annotated[list[str], typer.Option("--role", help="角色，可以给多个")],
    by: By,
    reason: Why,
    name: Annotated[str, typer.Option("--name", help="姓名；已有的人可以不给")] = "",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出增加人员或改角色，由另一位管理员批准。"""
    change = ("staff", {"login": login, "name": name, "roles": role})
    _proposed(_propose((home, by), change, reason), as_json=as_json)


@staff.command("deactivate")
def staff_deactivate(
    login: Annotated[str, typer.Argument(help="登录名")], *, by: By, home: Home = None
) -> None:
    """停用一个人，马上生效；只是收回权限，一位管理员即可。"""

    async def work(opened: Shenfa, person: str) -> None:
        await deactivate_now(opened.ledger, login, person)

    _run_as(home, by, work)
    _say(f"{login} 已停用")


@staff.command("reset-password")
def staff_reset_password(
    login: Annotated[str, typer.Argument(help="登录名")],
    *,
    by: By,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """给不能登录的人一个新密码，只显示一次；记入台账并开一个事件。"""

    async def work(opened: Shenfa, person: str) -> str:
        staff_id, password = await reset_password(opened.ledger, login, person)
        await revoke_tokens(opened.db, staff_id)
        return password

    password = _run_as(home, by, work)
    _say({"login": login, "password": password} if as_json else f"{login} 的新密码：{password}")


# --- proposals ----------------------------------------------------------------------------


@proposals.command("list")
def proposals_list(
    *,
    state: Annotated[str, typer.Option("--state", help="proposed approved rejected withdrawn")] = (
        "proposed"
    ),
    home: Home = None,
    as_json: Json = False,
) -> None:
    """等待批准的变更（或别的状态的）。"""
    if state not in STATES:
        raise SetupError(f"--state 只能是 {'、'.join(STATES)}")

    async def work(opened: Shenfa) -> list[dict[str, Any]]:
        return [proposal_json(row) for row in await opened.governance.proposals.rows(state)]

    rows = _run(home, work)
    for row in rows:
        head = row["effect"]["changes"][0]["text"]
        _say(row if as_json else f"{row['id']}  {clock_words(row['proposed_at'])}  {head}")
    if not rows and not as_json:
        _say("没有这样的变更")


@proposals.command("show")
def proposals_show(
    proposal: Annotated[str, typer.Argument(help="变更编号")],
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """一项变更：谁为什么提出，批准后会怎样。"""

    async def work(opened: Shenfa) -> tuple[dict[str, Any], str]:
        row = await opened.governance.proposals.get(proposal)
        async with opened.db.session() as session:
            known = await names(session, {row.proposed_by})
        return proposal_json(row), known.get(row.proposed_by, row.proposed_by)

    row, who = _run(home, work)
    if as_json:
        _say(row)
        return
    _say(f"{STATES[row['state']]}：{who} 提出，理由：{row['reason']}")
    _show_effect(row["effect"])


@proposals.command("approve")
def proposals_approve(
    proposal: Annotated[str, typer.Argument(help="变更编号")],
    *,
    by: By,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """批准别人提出的变更，马上生效。"""

    async def work(opened: Shenfa, person: str) -> dict[str, Any]:
        return await opened.governance.proposals.approve(proposal, person)

    shown = _run_as(home, by, work)
    if as_json:
        _say({"id": proposal, "state": "approved", "result": shown})
        return
    _say("已批准，变更已生效")
    if "password" in shown:
        _say(f"{shown['login']} 的密码（只显示这一次）：{shown['password']}")


@proposals.command("reject")
def proposals_reject(
    proposal: Annotated[str, typer.Argument(help="变更编号")],
    *,
    by: By,
    reason: Why,
    home: Home = None,
) -> None:
    """不批准别人提出的变更，写明理由。"""

    async def work(opened: Shenfa, person: str) -> None:
        await opened.governance.proposals.reject(proposal, person, reason)

    _run_as(home, by, work)
    _say("已记录不批准")
