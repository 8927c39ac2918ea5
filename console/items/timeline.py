"""经过: every act on an item in plain words, newest first: who, in which role, when, what, why."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import State
from bot.models import Publication
from bot.takedown import Result
from console.items.facts import ItemFacts
from console.items.taken import RESULTS, TO_CORRECTION
from console.items.words import VERDICTS
from console.web.words import ENTRY_KINDS, PUBLISHING, account_words, clock_words
from ledger.models import LedgerEntry
from review_queue.models import Decision, Emergency, Referral, Remark, Waiver
from review_queue.recalling import WHY
from review_queue.workflow import GATE_NAMES, OVERDUE

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


@dataclass(frozen=True)
class Records:
    """The rows that hold the words behind an item's ledger entries."""

    remarks: Sequence[Remark]
    waivers: Sequence[Waiver]
    referrals: Sequence[Referral]
    emergencies: Sequence[Emergency]

    @property
    def words(self) -> dict[int, tuple[str, ...]]:
        """Words by ledger number; a department's answer under minus the question's number."""
        words: dict[int, tuple[str, ...]] = {row.ledger_seq: (row.text,) for row in self.remarks}
        for one in self.waivers:
            place = f"{GATE_NAMES.get(one.gate, one.gate)}“{one.span.get('text') or one.rule}”"
            words[one.ledger_seq] = (place, f"理由：{one.reason}")
        for row in self.referrals:
            words[row.ledger_seq] = (f"转{row.department}：{row.question}",)
            if row.answer:
                words[-row.ledger_seq] = (row.answer,)
        return words | {row.run_seq: (f"应急理由：{row.reason}",) for row in self.emergencies}

    @property
    def referral(self) -> Referral | None:
        """The last question to a department that was not voided."""
        valid = [row for row in self.referrals if row.voided_at is None]
        return valid[-1] if valid else None


async def records_of(session: AsyncSession, item_id: str) -> Records:
    """The words of one item: four queries, however long its life."""

    async def rows(model: type[Any], order: Any) -> Sequence[Any]:
        query = select(model).where(model.item_id == item_id).order_by(order)
        return (await session.scalars(query)).all()

    return Records(
        await rows(Remark, Remark.ledger_seq),
        await rows(Waiver, Waiver.ledger_seq),
        await rows(Referral, Referral.ledger_seq),
        await rows(Emergency, Emergency.run_seq),
    )


def steps(
    facts: ItemFacts,
    publications: Sequence[Publication],
    remarks: Mapping[int, tuple[str, ...]],
) -> list[Step]:
    """Ledger entries with their words, notes and sending results of one item, newest first."""
    decisions = {row.ledger_seq: row for row in facts.decisions}
    told = dict(remarks)
    for entry in facts.entries:  # an answer stands at its own entry, not at the question's
        if entry.kind == "referral.answered":
            told[entry.seq] = _answer_to(entry, facts.entries, remarks)
    made = [
        _of_decision(entry, decisions[entry.seq], facts)
        if entry.seq in decisions
        else _of_entry(entry, told.get(entry.seq, ()), facts)
        for entry in facts.entries
    ]
    made += [
        Step(note.at, _who(facts, note.staff_id), "写了备注", (note.text,), "remark")
        for note in facts.notes
    ]
    made += _sent(publications, facts)
    # Several entries share a moment; the ledger number keeps their order.
    return sorted(made, key=lambda step: (step.at, step.seq), reverse=True)


def _who(facts: ItemFacts, staff_id: str) -> str:
    name, post = facts.people.get(staff_id, "已离开的人员"), facts.posts.get(staff_id, "")
    return f"{name}（{post}）" if post else name


def _answer_to(
    entry: LedgerEntry, entries: Sequence[LedgerEntry], remarks: Mapping[int, tuple[str, ...]]
) -> tuple[str, ...]:
    """The words of a department's answer, found by the question it answers."""
    wanted = json.loads(entry.preimage)["body"]["referral"]
    for other in entries:
        if other.kind == "item.referred" and wanted in other.preimage:
            return remarks.get(-other.seq, ())
    return ()


def _of_entry(entry: LedgerEntry, lines: tuple[str, ...], facts: ItemFacts) -> Step:
    body = json.loads(entry.preimage)["body"]
    words = _WORDS.get(entry.kind, _unknown(entry.kind))
    tone = _ENTRY_TONES.get(entry.kind, "")
    return Step(entry.at, _who(facts, entry.actor), words(body), lines, tone, entry.seq)


def _of_decision(entry: LedgerEntry, decision: Decision, facts: ItemFacts) -> Step:
    name = facts.people.get(decision.staff_id, "已离开的人员")
    lines = [decision.note] if decision.note else []
    if decision.span:
        gate = f"{GATE_NAMES[decision.gate]}，" if decision.gate in GATE_NAMES else ""
        lines.append(f"{gate}标出：“{decision.span['text']}”")
    if decision.proof:
        lines.append("完成一个校次")
    lines += [
        f"{GATE_NAMES[gate]}{'通过' if answer.get('ok') else '有问题'}：{answer['note']}"
        for gate, answer in decision.gates.items()
        if gate in GATE_NAMES and answer.get("note")
    ]
    reach = json.loads(entry.preimage)["body"].get("reach")
    if reach is not None:
        people = f"{sum(reach['accounts'].values())} 人" if reach["accounts"] else "多少人数不出"
        lines.append(f"这时符合推送条件的有 {people}")
    what = f"{decision.level_name}{VERDICTS.get(decision.verdict, decision.verdict)}"
    what = f"应急后补审：{what}" if decision.retrospective else what
    tone = _TONES.get(decision.verdict, "")
    who = f"{name}（{_post(decision, facts)}）"
    return Step(entry.at, who, what, tuple(lines), tone, entry.seq)


def _post(decision: Decision, facts: ItemFacts) -> str:
    """The level somebody decided at, and in whose place."""
    if decision.in_place_of == OVERDUE:
        return f"{decision.level_name}超时，接着审"
    if decision.in_place_of:
        return f"{decision.level_name}，代{facts.people.get(decision.in_place_of, '外出的同事')}"
    return decision.level_name


def _sent(publications: Iterable[Publication], facts: ItemFacts) -> Iterable[Step]:
    """What the platforms said, for every publication that was tried or stopped."""
    for row in publications:
        # Nothing has happened to it yet; the plan itself is an entry already.
        if row.state == State.CREATED:
            continue
        account = facts.accounts.get(row.account_id)
        words, tone = PUBLISHING[State(row.state)]
        name = account_words(account) if account else "账号"
        lines = tuple(filter(None, (row.reason, row.url)))
        at = row.published_at or _ended_at(row, facts.entries)
        yield Step(at, "发送程序", f"{name}：{words}", lines, tone)


def _ended_at(row: Publication, entries: Iterable[LedgerEntry]) -> datetime:
    """Its moment, or before it what put an end to its release: then it was never tried."""
    if row.state != State.ENDED:
        return row.due_at
    released, ends = 0, [row.due_at]
    for entry in sorted(entries, key=lambda one: one.seq):
        if entry.kind == "release.created" and row.release_id in entry.preimage:
            released = entry.seq
        elif released and entry.kind in ("item.recalled", "revision.created"):
            ends.append(entry.at)
    return min(ends)


def _revision(body: Mapping[str, Any]) -> str:
    if body.get("class_only"):
        return f"类别改为{body['klass']}（第 {body['number']} 稿，文字不变）"
    return "建立稿件" if body["number"] == 1 else f"保存第 {body['number']} 稿"


def _submitted(body: Mapping[str, Any]) -> str:
    flow = body["workflow"]
    names = " → ".join(level["name"] for level in flow["levels"])
    if body.get("emergency"):
        return f"应急提交，两级同时审（{'、'.join(level['name'] for level in flow['levels'])}）"
    return f"提交审核（{flow['klass']}：{names}）"


def _settled(body: Mapping[str, Any]) -> str:
    return f"在平台后台核对后确认：{'已发出' if body['sent'] else '未发出，重新发送'}"


def _finished(body: Mapping[str, Any]) -> str:
    return f"平台结果：{_RESULTS.get(body['result'], body['result'])}"


def _recalled(body: Mapping[str, Any]) -> str:
    why = WHY.get(str(body.get("class", "")), "")
    return f"撤回（{why}），停止发送" if why else "撤回，停止发送"


def _corrected(body: Mapping[str, Any]) -> str:
    old, new = str(body["digest"])[:16], str(body["corrected"])[:16]
    return f"更正已发布：原稿摘要 {old}…，更正摘要 {new}…"


def _taken_down(body: Mapping[str, Any]) -> str:
    result = str(body["result"])
    if result == Result.RETRY:
        return "撤下：平台没有收下，稍后再试"
    words = TO_CORRECTION if result == Result.EDITED and body["by"] else RESULTS[result]
    return f"撤下：{words[0]}"


def _scheduled(body: Mapping[str, Any]) -> str:
    return f"安排在 {clock_words(datetime.fromisoformat(body['at']))} 发布"


def _unknown(kind: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda _body: ENTRY_KINDS.get(kind, kind)


def _taken(body: Mapping[str, Any]) -> str:
    return "收回别人领取的稿件" if body.get("freed") else "接手审核"


def _lowered(body: Mapping[str, Any]) -> str:
    return f"类别由{body['from']}降为{body['to']}"


def _again(body: Mapping[str, Any]) -> str:
    whom = {
        "lacking": "只发给没收到的人",
        "again": "再发给没有发出的人",
        "risk": "再发给可能已收到的人，已确认风险",
    }
    return f"{whom.get(body['which'], '再次推送')}：{body['rows']} 人"


def _held(body: Mapping[str, Any]) -> str:
    was = f"批准时 {body['approved']} 人" if body["approved"] is not None else "批准时没有记下人数"
    return f"推送没有开始：{was}，这时 {body['now']} 人，等人决定"


def _settled_or(words: str, held: str) -> Callable[[Mapping[str, Any]], str]:
    """What was decided about a paused push, or about one account's that was held."""
    rest = _rest(words)
    return lambda body: rest(body) if "pushes" in body else f"{held}（这时 {body['rest']} 人）"


def _rest(words: str) -> Callable[[Mapping[str, Any]], str]:
    """With how many have the text and how many do not."""

    def told(body: Mapping[str, Any]) -> str:
        pushes = body.get("pushes", [body])
        had, rest = (sum(int(one[name]) for one in pushes) for name in ("had", "rest"))
        return f"{words}（已有 {had} 人收到或可能收到，{rest} 人没有）"

    return told


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "revision.created": _revision,
    "item.submitted": _submitted,
    "item.claimed": lambda _body: "领取，开始审核",
    "item.unclaimed": lambda _body: "放开，其他人可以审核",
    "item.taken_over": _taken,
    "class.lowered": _lowered,
    "item.referred": lambda _body: "无法判断，转请有关部门",
    "referral.answered": lambda _body: "记下有关部门的答复",
    "waiver.granted": lambda _body: "放行一条提示",
    "item.scheduled": _scheduled,
    "item.recalled": _recalled,
    "item.concern": lambda body: f"标为与本单位业务{'有' if body['mark'] == 'ours' else '无'}关",
    "correction.begun": lambda _body: "起草更正，另成一稿",
    "correction.published": _corrected,
    "takedown.submitted": lambda _body: "向平台提交撤下",
    "takedown.finished": _taken_down,
    "takedown.settled": lambda _body: "确认已在平台后台处理",
    "publication.gone": lambda _body: "平台上已没有这一篇，不是由本系统撤下的",
    "release.created": lambda _body: "各级审核全部通过，放行",
    "publication.submitted": lambda _body: "向平台提交发布",
    "publication.finished": _finished,
    "publication.settled": _settled,
    "push.again": _again,
    "push.completed": lambda body: f"补齐推送：{body['rows']} 人此前没有记录",
    "push.given_up": lambda body: f"{body['rows']} 人的推送不再发送",
    "push.left": lambda body: f"{body['rows']} 人可能已收到，不再发送",
    "push.paused": _rest("暂停推送"),
    "push.held": _held,
    "push.resumed": _settled_or("用原文继续推送", "人数不同，仍然推送"),
    "push.dropped": _settled_or("其余推送不再发送", "人数不同，这次不推送"),
    "push.replaced": _rest("更正稿代替原文推送"),
}
_RESULTS = {"published": "已发出", "retrying": "没有收下，稍后再试", "refused": "没有收下"}
_ENTRY_TONES = {
    "release.created": "good",
    "item.recalled": "stop",
    "waiver.granted": "warn",
    "class.lowered": "warn",
    "item.taken_over": "warn",
    "level.overdue": "stop",
    "retrospective.overdue": "stop",
    "retrospective.closed": "good",
}
