"""Proposed changes of the rules: checked by their own examples, previewed on real texts.

Rows added, changed or removed, a whole set, an older version, or one innocent phrase: each becomes
a new version when a second person approves.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NotRequired, TypedDict

from sqlalchemy import and_, select

from config.clock import now
from gates.rules import RuleError, RuleSet
from ledger.append import Transaction
from review_queue.governance.rule_preview import (
    RuleChange,
    Text,
    found_by,
    preview_of,
    read_texts,
    try_examples,
)
from review_queue.governance.rulesets import ActiveSet, Row, RuleSets, rows_of, store_version
from review_queue.models import Item, Revision
from staff.proposals import Approval
from staff.refusal import Reason, Refused

Samples = Callable[[], Awaitable[Sequence[str]]]
"""Texts on which a change is tried beside the office's own items: the policy library's clauses."""

_YEAR = timedelta(days=366)
_ITEMS = 5000
_PHRASE = 100


class Line(TypedDict):
    """One changed row in words; `fields` are [name, before, after]."""

    sign: str
    text: str
    fields: NotRequired[list[list[str]]]


async def no_samples() -> Sequence[str]:
    """An office without a library."""
    return ()


class RuleSetKind:
    """`changes` [{id, was, now}], `rows` (a whole set), or `version` (back to that one)."""

    label = "规则变更"
    proposers = frozenset({"admin", "reviewer_1", "reviewer_2", "reviewer_3", "secrecy"})

    def __init__(self, sets: RuleSets, samples: Samples = no_samples) -> None:
        """`samples` are tried besides the items of the last year."""
        self._sets = sets
        self._samples = samples

    def subject(self, payload: Mapping[str, Any]) -> str:
        """One subject for all rules."""
        return "rules"

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Rows in the stored form, each with what it was; every changed row's examples hold."""
        active = await self._sets.active()
        if "version" in payload:
            return await self._back(active, payload["version"])
        changes = _read_changes(active, payload)
        if not changes:
            raise Refused(422, [Reason("changes", "没有要改的规则：请至少改一条")])
        # Every rule carries its own examples; a change that contradicts them is a mistake, not a
        # wish.
        await asyncio.to_thread(try_examples, [one["now"] for one in changes if one["now"]])
        return {"changes": changes}

    async def _back(self, active: ActiveSet, version: Any) -> Mapping[str, Any]:
        if not isinstance(version, int) or isinstance(version, bool):
            raise Refused(422, [Reason("version", "version 要写版本号，例如 1")])
        # Nothing would change, and a second person would be asked to approve nothing.
        if version == active.version:
            raise Refused(422, [Reason("version", f"第 {version} 版正在使用，不用恢复")])
        await self._sets.version(version)
        return {"version": version}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The changed rows, and what they would newly flag or no longer flag."""
        active = await self._sets.active()
        changes = await self._changes(active, payload)
        preview = await asyncio.to_thread(preview_of, changes, await self._texts(active))
        lines = [_line(one) for one in changes]
        if "version" in payload:
            head = f"恢复到第 {payload['version']} 版（现在是第 {active.version} 版）"
            lines = [Line(sign="~", text=head), *lines]
        return {"changes": lines, "warnings": _warnings(changes), "preview": preview}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """The next version is in force from the commit on."""
        active = await self._sets.held(tx.session)
        if "version" in payload:
            rows: Sequence[Row] = await self._sets.version_in(tx.session, payload["version"])
            words = f"恢复到第 {payload['version']} 版"
        else:
            rows = _applied(active, payload["changes"])
            words = "；".join(_line(one)["text"] for one in payload["changes"])
        await store_version(tx, active.version + 1, rows, approval, words)
        return {"version": active.version + 1}

    async def _changes(self, active: ActiveSet, payload: Mapping[str, Any]) -> list[RuleChange]:
        if "version" not in payload:
            return list(payload["changes"])
        return _between(active.rows, await self._sets.version(payload["version"]))

    async def _texts(self, active: ActiveSet) -> Iterator[Text]:
        query = (
            select(Item.id, Revision.canonical)
            .join(Revision, and_(Revision.item_id == Item.id, Revision.number == Item.revision))
            .where(Item.updated_at > now() - _YEAR)
            .order_by(Item.updated_at.desc())
            # A bound: the preview answers while somebody waits, on an office's whole year.
            .limit(_ITEMS)
        )
        async with self._sets.ledger.db.session() as session:
            found = (await session.execute(query)).all()
        # Examples of all rules are tried too: one rule's change may reach what another one is for.
        own = [text for row in active.rows for text in (*row["must"], *row.get("must_not", ()))]
        return read_texts(found, [*own, *await self._samples()])


class ExceptionKind:
    """“Never flag this here”: {rule, text}. The phrase becomes innocent for that one rule."""

    label = "规则例外"
    proposers = frozenset({"editor", "admin", "reviewer_1", "reviewer_2", "reviewer_3", "secrecy"})

    def __init__(self, sets: RuleSets, changes: RuleSetKind) -> None:
        """`changes` shows and applies what the exception does to its rule."""
        self._sets = sets
        self._changes = changes

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The rule."""
        return f"rule:{payload['rule']}"[:80]

    async def check(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The rule flags the phrase now, and would not with the exception."""
        rule, text = str(payload.get("rule", "")).strip(), str(payload.get("text", "")).strip()
        # One character would switch the rule off; a long one belongs into the rule.
        if not 2 <= len(text) <= _PHRASE:
            raise Refused(422, [Reason("text", f"text 要写 2 到 {_PHRASE} 个字的短语")])
        await _except(await self._sets.active(), rule, text)
        return {"rule": rule, "text": text}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the changed rule would no longer flag."""
        change = await _except(await self._sets.active(), payload["rule"], payload["text"])
        shown = await self._changes.effect({"changes": [change]})
        line = {"sign": "+", "text": f"{payload['rule']} 不再标出“{payload['text']}”"}
        return {**shown, "changes": [line]}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """A new version with the exception in it."""
        active = await self._sets.held(tx.session)
        change = await _except(active, payload["rule"], payload["text"])
        return await self._changes.apply(tx, {"changes": [change]}, approval)


# --- reading changes ----------------------------------------------------------------------


def _read_changes(active: ActiveSet, payload: Mapping[str, Any]) -> list[RuleChange]:
    if "rows" in payload:
        return _between(active.rows, _read_rows(payload["rows"]))
    given = payload.get("changes")
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        raise Refused(422, [Reason("changes", "changes 要写成列表：每条有 id 和 now")])
    changes = [_read_change(active, one) for one in given]
    if len({one["id"] for one in changes}) != len(changes):
        raise Refused(422, [Reason("changes", "同一条规则在一次变更里只能改一次")])
    return [one for one in changes if one["now"] != one["was"]]


def _read_change(active: ActiveSet, one: Mapping[str, Any]) -> RuleChange:
    wanted = one.get("now")
    rule_id = str(one.get("id") or (wanted or {}).get("id") or "")
    was = active.row(rule_id)
    # Proposed against another state of the rule: two people must not overwrite each other unseen.
    if "was" in one and one["was"] != was:
        words = f"规则 {rule_id} 在提出之后又有变化：请收回后按新的内容重新提出"
        raise Refused(409, [Reason("overtaken", words)])
    if wanted is None and was is None:
        raise Refused(422, [Reason("id", f"没有编号为“{rule_id}”的规则，不能删除")])
    row = None if wanted is None else _read_rows([wanted])[0]
    # Waivers and false alarms are counted by the id; another id is another rule.
    if row is not None and row["id"] != rule_id:
        raise Refused(422, [Reason("id", "规则编号不能改：请删除旧的，另加一条新的")])
    return {"id": rule_id, "was": dict(was) if was else None, "now": row}


def _read_rows(rows: Any) -> list[Row]:
    if not isinstance(rows, list):
        raise Refused(422, [Reason("rows", "rows 要写成规则的列表")])
    try:
        read = rows_of(RuleSet.load(rows))
    except RuleError as error:
        raise Refused(422, [Reason("rule", str(error))]) from error
    repeated = [name for name, times in Counter(row["id"] for row in read).items() if times > 1]
    if repeated:
        raise Refused(422, [Reason("id", f"规则编号重复：{'、'.join(repeated)}")])
    return read


def _between(old: Sequence[Row], new: Sequence[Row]) -> list[RuleChange]:
    """The changes that lead from one set to another."""
    before = {row["id"]: dict(row) for row in old}
    after = {row["id"]: dict(row) for row in new}
    return [
        {"id": rule_id, "was": before.get(rule_id), "now": after.get(rule_id)}
        for rule_id in dict.fromkeys([*before, *after])
        if before.get(rule_id) != after.get(rule_id)
    ]


def _applied(active: ActiveSet, changes: Sequence[RuleChange]) -> list[Row]:
    """The rows with the changes made; Refused 409 when a rule is no longer what it was."""
    wanted = {one["id"]: one["now"] for one in changes}
    for one in changes:
        # Asked once more inside the write lock.
        if active.row(one["id"]) != one["was"]:
            raise Refused(409, [Reason("overtaken", f"规则 {one['id']} 刚刚有变化，请重新提出")])
    kept = [wanted.get(row["id"], row) for row in active.rows]
    known = {row["id"] for row in active.rows}
    added = [one["now"] for one in changes if one["id"] not in known]
    return [row for row in (*kept, *added) if row is not None]


# --- trying them out ----------------------------------------------------------------------


async def _except(active: ActiveSet, rule: str, text: str) -> RuleChange:
    """The rule's row with an innocent phrase in it; Refused when that would not help."""
    was = active.row(rule)
    if was is None:
        words = f"规则表里没有 {rule}：写在程序里的规则不能加例外，请向管理员说明"
        raise Refused(422, [Reason("rule", words)])
    wanted = {
        **was,
        "unless": [*was.get("unless", ()), text],
        "must_not": [*was.get("must_not", ()), text],
    }
    await asyncio.to_thread(_try_exception, dict(was), wanted, text)
    return {"id": rule, "was": dict(was), "now": wanted}


def _try_exception(was: Row, wanted: Row, text: str) -> None:
    # An exception that changes nothing would stand in the rules for ever.
    if not found_by(RuleSet.load([was]), Text("", "", text)):
        words = f"规则 {was['id']} 现在并不标出“{text}”，不用加例外"
        raise Refused(422, [Reason("text", words)])
    # The whole phrase must be named, or the rule would go on flagging it from its other side.
    if found_by(RuleSet.load([wanted]), Text("", "", text)):
        raise Refused(422, [Reason("text", "例外要把标出的词连同前后文一起写全")])
    try_examples([wanted])


# --- in words -----------------------------------------------------------------------------


def _line(one: RuleChange) -> Line:
    was, wanted = one["was"], one["now"]
    sides = _sides(one)
    if wanted is None:
        reason = was["reason"] if was else ""
        return {"sign": "-", "text": f"删除规则 {one['id']}：{reason}", "fields": sides}
    if was is None:
        return {"sign": "+", "text": f"新增规则 {one['id']}：{wanted['reason']}", "fields": sides}
    fields = [name for name in {**was, **wanted} if was.get(name) != wanted.get(name)]
    words = f"修改规则 {one['id']} 的 {'、'.join(fields)}"
    return {"sign": "~", "text": words, "fields": sides}


def _sides(one: RuleChange) -> list[list[str]]:
    """The fields that differ, as [name, before, after]."""
    was, wanted = one["was"] or {}, one["now"] or {}
    return [
        [name, _words(was.get(name)), _words(wanted.get(name))]
        for name in {**was, **wanted}
        if was.get(name) != wanted.get(name)
    ]


def _words(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _warnings(changes: Sequence[RuleChange]) -> list[str]:
    """What an approver must not overlook."""
    weaker = [
        f"规则 {one['id']} 不再拦截（原来必须改）"
        for one in changes
        if one["was"]
        and one["was"]["severity"] == "block"
        and (one["now"] is None or one["now"]["severity"] != "block")
    ]
    stronger = [
        f"规则 {one['id']} 命中后稿件必须先改，已安排的发布也会拦下"
        for one in changes
        if one["now"]
        and one["now"]["severity"] == "block"
        and (not one["was"] or one["was"]["severity"] != "block")
    ]
    return weaker + stronger
