"""Acting as oneself from the command line, and what the groups of two-person changes share.

Reading needs the home only. Whoever signs something with `--by` proves first that it is them.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import yaml
from rich.console import Console

from app import Shenfa
from commands.lines import say
from commands.opening import office
from config.setup import SetupError
from console.settings.api import proposal_json
from staff.door import Attempt
from staff.refusal import Refused

Self = Annotated[str, typer.Option("--by", help="您的登录名；密码从提示或 SHENFA_PASSWORD 读取")]
Answer = TypeVar("Answer")


def run(home: Path | None, work: Callable[[Shenfa], Awaitable[Answer]]) -> Answer:
    """What `work` finds in the opened office."""

    async def run() -> Answer:
        async with office(home) as opened:
            return await work(opened)

    return asyncio.run(run())


def run_as(
    home: Path | None, login: str, work: Callable[[Shenfa, str], Awaitable[Answer]]
) -> Answer:
    """The same as a person, once their password holds; the sign-in stands in the ledger.

    Every command with `--by` comes through here: nothing is signed before the proof held.
    """
    password = _password(login)

    async def run() -> Answer:
        async with office(home) as opened:
            person = await prove(opened, login, password)
            with Console(stderr=True).status("正在核对和试算"):
                return await work(opened, person)

    return asyncio.run(run())


async def prove(opened: Shenfa, login: str, password: str) -> str:
    """The id of who acts, by their password and, where they have one, the code of their phone."""
    # The same door as the console's: waits after failures and the signed entry hold here too.
    attempt = Attempt(login, password, "command line", "shenfa")
    try:
        return await opened.door.prove(attempt, os.environ.get("SHENFA_CODE", ""))
    except Refused as refused:
        asked = any(reason.rule == "code_needed" for reason in refused.reasons)
        # A job without a terminal would wait for the prompt for ever.
        if not asked or not sys.stdin.isatty():
            raise
    code = await asyncio.to_thread(typer.prompt, f"{login} 的动态码或恢复码", err=True)
    return await opened.door.prove(attempt, str(code))


def _password(login: str) -> str:
    """From SHENFA_PASSWORD, SHENFA_PASSWORD_FILE or a prompt; never from the command line."""
    # Never an option: command lines are seen by everybody on the machine and kept in histories.
    if given := os.environ.get("SHENFA_PASSWORD"):
        return given
    if file := os.environ.get("SHENFA_PASSWORD_FILE"):
        return _read_text(Path(file)).strip()
    # A job without a terminal would wait for the prompt for ever.
    if not sys.stdin.isatty():
        raise SetupError(f"需要 {login} 本人的密码：请在终端运行，或设 SHENFA_PASSWORD_FILE")
    return str(typer.prompt(f"{login} 的密码", hide_input=True, err=True))


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path.name}：读不出 UTF-8 文本，请检查路径和编码") from error


def read_mapping(path: Path) -> Mapping[str, Any]:
    """A payload from a YAML file; SetupError when it is none, or names one thing twice."""
    try:
        text = _read_text(path)
        found = yaml.safe_load(text)
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise SetupError(f"{path.name}：不是有效的 YAML：{error}") from error
    if not isinstance(found, dict):
        raise SetupError(f"{path.name}：要写成“名称: 值”的形式")
    names = [str(key.value) for key, _ in top.value] if isinstance(top, yaml.MappingNode) else []
    # YAML keeps the last one: what was written first would be lost without a word.
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise SetupError(f"{path.name}：“{twice}”写了两次，只会留下后一个：请合为一项")
    return found


def show_effect(effect: Mapping[str, Any]) -> None:
    """What a change would do, in lines: warnings, differences, texts marked otherwise."""
    for words in effect.get("warnings", ()):
        say(f"注意：{words}")
    for line in effect.get("changes", ()):
        say(f"{line['sign']} {line['text']}")
    preview = effect.get("preview")
    if not preview:
        return
    for group, label in (("items", "近一年的稿件"), ("samples", "例句和政策库条文")):
        tried, newly, gone = (preview[name][group] for name in ("tried", "newly", "gone"))
        say(f"{label} {tried} 篇：新标出 {newly} 篇，不再标出 {gone} 篇")
    for hit in preview["examples"]:
        label = "新标出" if hit["change"] == "newly" else "不再标出"
        where = f"（稿件 {hit['item']}）" if hit["item"] else ""
        say(f"  {label} {hit['rule']}：…{hit['before']}【{hit['text']}】{hit['after']}…{where}")


def propose(
    home: Path | None, by: str, kind: str, payload: Mapping[str, Any], reason: str
) -> dict[str, object]:
    """A change proposed by the person who asks, as the console shows it."""

    async def work(opened: Shenfa, person: str) -> dict[str, object]:
        row = await opened.governance.proposals.propose(kind, payload, person, reason)
        return proposal_json(row)

    return run_as(home, by, work)


def proposed(row: Mapping[str, Any], *, as_json: bool) -> None:
    """Tell what was proposed, and who has to act next."""
    if as_json:
        say(dict(row))
        return
    show_effect(row["effect"])
    say(f"已提出，等另一位管理员批准：shenfa proposals approve {row['id']} --by 登录名")
