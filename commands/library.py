"""`shenfa library`: policy files on their way into the library, and changes of what is in it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from app import Shenfa
from commands.governing import Self, proposed, read_mapping, run, run_as
from commands.lines import BadInput, say
from commands.loading import new_group
from commands.options import Home, Json, Why
from config.clock import beijing, now
from console.settings.api import proposal_json
from knowledge.altering import clause_name
from knowledge.documents import read_documents
from knowledge.forms import AMEND, EDIT, END
from knowledge.library import Amendment, Proposed, Repeal, amendment_payload, repeal_payload
from knowledge.models import Clause
from knowledge.proof import SignedPolicy
from knowledge.validity import STATUS_NAMES, parse_day, policy_status

group = new_group("政策库：录入、查看、废止、代替、修改、更正")

Which = Annotated[str, typer.Argument(help="政策的编号、文号或标题")]
Payload = Callable[[Shenfa], Awaitable[Mapping[str, Any]]]
On = Annotated[str, typer.Option("--on", help="从哪一天起，如 2027-01-01")]


@group.command("import")
def library_import(
    files: Annotated[list[Path], typer.Argument(help=".txt .html .docx .pdf .jsonl")],
    *,
    home: Home = None,
    by: Self,
    as_json: Json = False,
) -> None:
    """把政策文件作为建议录入政策库，由另一人在控制台批准。"""
    documents = [document for path in files for document in read_documents(path)]

    async def work(opened: Shenfa, person: str) -> list[Proposed]:
        return await opened.library.propose_import(documents, person)

    for row in run_as(home, by, work):
        say(asdict(row) if as_json else f"已提出，等另一人批准：{row.title}（{row.clauses} 条）")
    for one in documents:
        if one.status == "not_yet" and one.effective_from is None and not as_json:
            say(f"《{one.title}》没有算出从哪一天起施行，入库后不会引用，请在批准前核对并补上")


@group.command("list")
def library_list(*, home: Home = None, as_json: Json = False) -> None:
    """列出政策库：编号、今天的有效性、文号、标题。"""

    async def work(opened: Shenfa) -> list[SignedPolicy]:
        return await opened.library.standing()

    today = beijing(now()).date()
    for one in run(home, work):
        validity = STATUS_NAMES[policy_status(one, today)]
        line = f"{one.id}  {validity}  {one.doc_number or '（无文号）'}  {one.title}"
        say(asdict(one) | {"validity": validity} if as_json else line)


@group.command("show")
def library_show(policy: Which, *, home: Home = None, as_json: Json = False) -> None:
    """一份政策：日期，每一条的编号、起止日和条文。"""

    async def work(opened: Shenfa) -> tuple[SignedPolicy, Sequence[Clause]]:
        return await opened.library.whole(policy)

    state, clauses = run(home, work)
    validity = STATUS_NAMES[policy_status(state, beijing(now()).date())]
    parts = ("number", "label", "text", "effective_from", "replaced_on", "repealed_on")
    if as_json:
        rows = [{name: getattr(one, name) for name in parts} for one in clauses]
        say(asdict(state) | {"validity": validity, "clauses": rows})
        return
    say(f"{state.title} {state.doc_number}（{validity}）")
    say(f"施行 {state.effective_from or '—'}，最后有效日 {state.effective_to or '未规定'}")
    for one in clauses:
        days = (one.effective_from, one.replaced_on, one.repealed_on)
        named = zip(days, ("起施行", "起改为新条文", "起废止"), strict=True)
        words = "，".join(f"{day} {what}" for day, what in named if day)
        say(f"[{one.number}] {clause_name(one)}{f'（{words}）' if words else ''}：{one.text}")


@group.command("repeal")
def library_repeal(  # noqa: PLR0913  each is an option of the command line
    policy: Which,
    *,
    on: On,
    clause: Annotated[int | None, typer.Option("--clause", help="只废止这一条（编号）")] = None,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出废止一份政策或其中一条，由另一人批准后生效。"""
    day = _day(on)

    async def payload(opened: Shenfa) -> Mapping[str, Any]:
        state = await opened.library.find(policy)
        return repeal_payload(Repeal(state.id, day, clause_number=clause))

    _propose(_Asked(home, by, reason), END, payload, as_json=as_json)


@group.command("supersede")
def library_supersede(  # noqa: PLR0913  each is an option of the command line
    policy: Which,
    successor: Annotated[str, typer.Argument(help="代替它的政策，先入库")],
    *,
    on: On,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出由另一份政策从某天起代替，由另一人批准后生效。"""
    day = _day(on)

    async def payload(opened: Shenfa) -> Mapping[str, Any]:
        state, after = await opened.library.find(policy), await opened.library.find(successor)
        return repeal_payload(Repeal(state.id, day, successor_id=after.id))

    _propose(_Asked(home, by, reason), END, payload, as_json=as_json)


@group.command("amend")
def library_amend(  # noqa: PLR0913  each is an option of the command line
    policy: Which,
    file: Annotated[Path, typer.Argument(help="YAML：条文编号（见 show）或 new，后面写新条文")],
    *,
    on: On,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出从某天起的新条文，由另一人批准后生效；问到以前仍引用原条文。"""
    day, clauses = _day(on), _clauses(file)

    async def payload(opened: Shenfa) -> Mapping[str, Any]:
        state = await opened.library.find(policy)
        return amendment_payload(Amendment(state.id, day, clauses))

    _propose(_Asked(home, by, reason), AMEND, payload, as_json=as_json)


@group.command("edit")
def library_edit(  # noqa: PLR0913  each is an option of the command line
    policy: Which,
    fields: Annotated[list[str], typer.Argument(help="字段=值，如 doc_number=青政发〔2026〕3号")],
    *,
    by: Self,
    reason: Why,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """提出更正标题、文号、机关、地址、日期、主题，由另一人批准后生效。"""
    given = dict(_field(one) for one in fields)

    async def payload(opened: Shenfa) -> Mapping[str, Any]:
        state = await opened.library.find(policy)
        return {"policy_id": state.id, "fields": given}

    _propose(_Asked(home, by, reason), EDIT, payload, as_json=as_json)


@dataclass(frozen=True)
class _Asked:
    """Who asks for a change, where, and why."""

    home: Path | None
    by: str
    reason: str


def _propose(asked: _Asked, kind: str, payload: Payload, *, as_json: bool) -> None:
    async def work(opened: Shenfa, person: str) -> Mapping[str, Any]:
        made = opened.governance.proposals
        return proposal_json(await made.propose(kind, await payload(opened), person, asked.reason))

    proposed(run_as(asked.home, asked.by, work), as_json=as_json)


def _day(text: str) -> date:
    try:
        day = parse_day(text, "--on")
    except ValueError as error:
        raise BadInput(str(error)) from error
    if day is None:
        raise BadInput("--on：请写明从哪一天起，如 2027-01-01")
    return day


def _clauses(file: Path) -> list[tuple[int | None, str]]:
    given: Mapping[Any, Any] = read_mapping(file)
    clauses: list[tuple[int | None, str]] = []
    for key, said in given.items():
        number = key if isinstance(key, int) and not isinstance(key, bool) else None
        texts = said if number is None and isinstance(said, list) else [said]
        if (number is None and key != "new") or not all(isinstance(one, str) for one in texts):
            words = "每一项写成“编号: 新条文”，增加的写“new: 条文”，几条写成列表"
            raise BadInput(f"{file.name}：{words}")
        clauses += [(number, one) for one in texts]
    return clauses


def _field(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise BadInput(f"“{text}”：要写成“字段=值”，值留空就是清空")
    return name.strip(), value.strip()
