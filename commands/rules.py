"""`shenfa rules`: the rules in force, a change tried and proposed, and what was before."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from app import Shenfa
from commands.governing import Self, propose, proposed, run, show_effect
from commands.lines import say
from commands.loading import new_group
from commands.options import Home, Json, Why
from console.settings.forms import matches
from console.web.words import SEVERITIES, clock_words
from gates.rules import RuleSet
from review_queue.governance.rule_preview import try_examples
from review_queue.governance.rulesets import feedback_counts, rows_of
from review_queue.workflow import GATE_NAMES
from staff.people import names
from staff.proposals import INIT
from staff.refusal import Refused

group = new_group("规则：查看、试算、提出变更、恢复旧版")


@group.command("list")
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

    version, rows, counts = run(home, work)
    if as_json:
        say({"version": version, "rules": rows, "false_alarms": counts})
        return
    for row in rows:
        told = f"，误报 {counts[row['id']]}" if row["id"] in counts else ""
        label = f"{GATE_NAMES[row['gate']]} {SEVERITIES[row['severity']]}"
        say(f"{row['id']}  {label}{told}  {row['reason']}")
    say(f"第 {version} 版，{len(rows)} 条")


File = Annotated[Path | None, typer.Argument(help="规则文件（YAML 列表）或放规则文件的目录")]
Remove = Annotated[list[str] | None, typer.Option("--remove", help="要删除的规则编号")]
Whole = Annotated[bool, typer.Option("--whole", help="文件就是整套规则，没写到的全部删除")]


def _rules_payload(
    file: Path | None, remove: list[str] | None, *, whole: bool
) -> Mapping[str, Any]:
    rows = rows_of(RuleSet.load(file)) if file else []
    if whole:
        return {"rows": rows}
    changes: list[dict[str, object]] = [{"id": row["id"], "now": row} for row in rows]
    return {"changes": changes + [{"id": name, "now": None} for name in remove or ()]}


@group.command("preview")
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

    async def work(opened: Shenfa) -> Mapping[str, Any]:
        with Console(stderr=True).status("正在试算"):
            return (await opened.governance.proposals.draft("ruleset", payload))[1]

    effect = run(home, work)
    if as_json:
        say(effect)
    else:
        show_effect(effect)


@group.command("propose")
def rules_propose(  # noqa: PLR0913  the options of a command
    file: File = None,
    *,
    by: Self,
    reason: Why,
    remove: Remove = None,
    whole: Whole = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出增加、修改、删除规则，由另一位管理员批准。"""
    payload = _rules_payload(file, remove, whole=whole)
    proposed(propose(home, by, "ruleset", payload, reason), as_json=as_json)


@group.command("rollback")
def rules_rollback(
    version: Annotated[int, typer.Argument(help="恢复到第几版")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出恢复到以前的一版，由另一位管理员批准。"""
    change = {"version": version}
    proposed(propose(home, by, "ruleset", change, reason), as_json=as_json)


@group.command("history")
def rules_history(
    rule: Annotated[str | None, typer.Argument(help="只看一条规则")] = None,
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """规则集的历次版本，谁提出、谁批准。"""

    async def work(opened: Shenfa) -> list[Mapping[str, Any]]:
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

    rows = run(home, work)
    if as_json:
        say({"versions": rows})
        return
    for row in rows:
        who = f"{row['proposed_by']} 提出，{row['approved_by']} 批准"
        say(f"第 {row['version']} 版  {clock_words(row['approved_at'])}  {who}  {row['summary']}")


@group.command("test")
def rules_test(
    file: File = None,
    *,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """用规则自己的例句检验：给了文件就验文件，否则验正在使用的一版；不合时退出码为 1。"""

    async def in_force(opened: Shenfa) -> list[Mapping[str, Any]]:
        return list((await opened.governance.rules.active()).rows)

    rows = rows_of(RuleSet.load(file)) if file else run(home, in_force)
    try:
        try_examples(rows)
    except Refused as refused:
        problems = [reason.message for reason in refused.reasons]
    else:
        problems = []
    if as_json:
        say({"ok": not problems, "rules": len(rows), "problems": problems})
    else:
        for words in problems or [f"{len(rows)} 条规则的例句全部符合"]:
            say(words)
    if problems:
        raise SystemExit(1)
