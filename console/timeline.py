"""经过: every act on an item in plain words, newest first: who, in which role, when, what, why."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.contract import State
from bot.models import Account, Publication
from console.drafts import Dossier
from console.models import ItemNote
from console.words import ENTRY_KINDS, PUBLISHING, VERDICTS, account_words, clock_words
from ledger.models import LedgerEntry
from review_queue.models import Decision
from review_queue.workflow import GATE_NAMES

_TONES = {"approve": "good", "return": "warn", "refer": "warn"}


@dataclass(frozen=True)
class Step:
    """One act. `lines` are its reasons and notes; `seq` is its ledger number, 0 for none."""

    at: datetime
    who: str
    what: str
    lines: tuple[str, ...] = ()
    tone: str = ""
    seq: int = 0


def steps(
    facts: Dossier, notes: Sequence[ItemNote], publications: Sequence[Publication]
) -> list[Step]:
    """Ledger entries, notes and sending results of one item, newest first."""
    decisions = {row.ledger_seq: row for row in facts.decisions}
    made = [_of_entry(entry, decisions.get(entry.seq), facts) for entry in facts.entries]
    made += [
        Step(note.at, _who(facts, note.staff_id), "写了备注", (note.text,), "remark")
        for note in notes
    ]
    made += _sent(publications, facts.accounts)
    return sorted(made, key=lambda step: (step.at, step.seq), reverse=True)


def _who(facts: Dossier, staff_id: str) -> str:
    name, post = facts.people.get(staff_id, "已离开的人员"), facts.posts.get(staff_id, "")
    return f"{name}（{post}）" if post else name


def _of_entry(entry: LedgerEntry, decision: Decision | None, facts: Dossier) -> Step:
    body = json.loads(entry.preimage)["body"]
    if decision is not None:
        return _of_decision(entry, decision, facts)
    words = _WORDS.get(entry.kind, _unknown(entry.kind))
    tone = _ENTRY_TONES.get(entry.kind, "")
    return Step(entry.at, _who(facts, entry.actor), words(body), (), tone, entry.seq)


def _of_decision(entry: LedgerEntry, decision: Decision, facts: Dossier) -> Step:
    name = facts.people.get(decision.staff_id, "已离开的人员")
    lines = [decision.note] if decision.note else []
    lines += [
        f"{GATE_NAMES[gate]}{'通过' if answer.get('ok') else '有问题'}：{answer['note']}"
        for gate, answer in decision.gates.items()
        if gate in GATE_NAMES and answer.get("note")
    ]
    what = f"{decision.level_name}{VERDICTS.get(decision.verdict, decision.verdict)}"
    tone = _TONES.get(decision.verdict, "")
    who = f"{name}（{decision.level_name}）"
    return Step(entry.at, who, what, tuple(lines), tone, entry.seq)


def _sent(publications: Iterable[Publication], accounts: Mapping[str, Account]) -> Iterable[Step]:
    """What the platforms said, for every publication that was tried or stopped."""
    for row in publications:
        if row.state == State.CREATED:
            continue
        account = accounts.get(row.account_id)
        words, tone = PUBLISHING[State(row.state)]
        name = account_words(account) if account else "账号"
        lines = tuple(filter(None, (row.reason, row.url)))
        yield Step(row.published_at or row.due_at, "发送程序", f"{name}：{words}", lines, tone)


def _revision(body: Mapping[str, Any]) -> str:
    return "建立稿件" if body["number"] == 1 else f"保存第 {body['number']} 稿"


def _submitted(body: Mapping[str, Any]) -> str:
    flow = body["workflow"]
    names = " → ".join(level["name"] for level in flow["levels"])
    return f"提交审核（{flow['klass']}：{names}）"


def _settled(body: Mapping[str, Any]) -> str:
    return f"在平台后台核对后确认：{'已发出' if body['sent'] else '未发出，重新发送'}"


def _scheduled(body: Mapping[str, Any]) -> str:
    return f"安排在 {clock_words(datetime.fromisoformat(body['at']))} 发布"


def _unknown(kind: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _body: ENTRY_KINDS.get(kind, kind)


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "revision.created": _revision,
    "item.submitted": _submitted,
    "item.claimed": lambda _body: "领取，开始审核",
    "item.unclaimed": lambda _body: "放开，其他人可以审核",
    "item.scheduled": _scheduled,
    "item.recalled": lambda _body: "撤回，停止发送",
    "release.created": lambda _body: "各级审核全部通过，放行",
    "publication.settled": _settled,
}
_ENTRY_TONES = {"release.created": "good", "item.recalled": "stop"}
