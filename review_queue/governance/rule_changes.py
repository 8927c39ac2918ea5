"""Proposed changes of the rules: checked by their own examples, previewed on real texts.

Rows added, changed or removed, a whole set, an older version, or one innocent phrase: each becomes
a new version when a second person approves.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, select

from config.clock import beijing, now
from gates.finding import Finding
from gates.rules import RuleError, RuleSet
from gates.trials import Contradicted, Text, contradictions, differences, flagged
from gates.work import NotDone, Work
from ledger.append import Transaction
from review_queue.canonical import Draft
from review_queue.governance.rule_texts import Line, RuleChange, line_of, warnings_of
from review_queue.governance.rulesets import ActiveSet, Row, RuleSets, rows_of, store_version
from review_queue.models import Item, Revision
from staff.proposals import Approval
from staff.refusal import Reason, Refused, refuse

Samples = Callable[[], Awaitable[Sequence[str]]]
"""Texts on which a change is tried beside the office's own items: the policy library's clauses."""

_YEAR = timedelta(days=366)
_ITEMS = 5000
_EXAMPLES = 20
_AROUND = 24
_PHRASE = 100
_PORTION = 100_000  # characters tried at a time


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
        wanted = [one["now"] for one in changes if one["now"]]
        refuse(_said(await _tried(self._sets, contradictions, wanted)))
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
        texts = await asyncio.to_thread(list, await self._texts(active))
        preview = await _preview(self._sets, changes, texts)
        lines = [line_of(one) for one in changes]
        if "version" in payload:
            head = f"恢复到第 {payload['version']} 版（现在是第 {active.version} 版）"
            lines = [Line(sign="~", text=head), *lines]
        return {"changes": lines, "warnings": warnings_of(changes), "preview": preview}

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
            words = "；".join(line_of(one)["text"] for one in payload["changes"])
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
            # What only some may know is no example for whoever looks at the change.
            .where(Item.updated_at > now() - _YEAR, Item.confined.is_(False))
            .order_by(Item.updated_at.desc())
            # A bound: the preview answers while somebody waits, on an office's whole year.
            .limit(_ITEMS)
        )
        async with self._sets.ledger.db.session() as session:
            found = (await session.execute(query)).all()
        # Examples of all rules are tried too: one rule's change may reach what another one is for.
        own = [text for row in active.rows for text in (*row["must"], *row.get("must_not", ()))]
        return _read_texts(found, [*own, *await self._samples()])


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
        await _except(self._sets, await self._sets.active(), rule, text)
        return {"rule": rule, "text": text}

    async def effect(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the changed rule would no longer flag."""
        active = await self._sets.active()
        change = await _except(self._sets, active, payload["rule"], payload["text"])
        shown = await self._changes.effect({"changes": [change]})
        line = {"sign": "+", "text": f"{payload['rule']} 不再标出“{payload['text']}”"}
        return {**shown, "changes": [line]}

    async def apply(
        self, tx: Transaction, payload: Mapping[str, Any], approval: Approval
    ) -> Mapping[str, Any]:
        """A new version with the exception in it."""
        active = await self._sets.held(tx.session)
        change = await _except(self._sets, active, payload["rule"], payload["text"])
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


def try_examples(rows: Sequence[Row]) -> None:
    """Refused (422) naming each example a row contradicts."""
    refuse(_said(contradictions(rows, beijing(now()).date())))


def _said(faults: Iterable[Contradicted]) -> list[Reason]:
    words = {True: "应当命中却没有命中", False: "不应命中却命中"}
    return [
        Reason("example", f"规则 {one.rule} 的例句{words[one.wanted]}：“{one.text}”")
        for one in faults
    ]


async def _tried(sets: RuleSets, run: Callable[..., Any], *given: Any) -> Any:
    """A trial off this process: the pattern of a proposal is as foreign as any text."""
    try:
        async with sets.trying:
            return await sets.runner.run(Work(run, (*given, beijing(now()).date())))
    except NotDone as failed:
        why = (
            "试用时算得太久，请把 pattern 改写得简单些" if "timeout" in failed.rule else str(failed)
        )
        raise Refused(422, [Reason("rule", f"规则没有试用完：{why}")]) from failed


async def _except(sets: RuleSets, active: ActiveSet, rule: str, text: str) -> RuleChange:
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
    # An exception that changes nothing would stand in the rules for ever.
    if not await _tried(sets, flagged, dict(was), text):
        words = f"规则 {was['id']} 现在并不标出“{text}”，不用加例外"
        raise Refused(422, [Reason("text", words)])
    # The whole phrase must be named, or the rule would go on flagging it from its other side.
    if await _tried(sets, flagged, wanted, text):
        raise Refused(422, [Reason("text", "例外要把标出的词连同前后文一起写全")])
    refuse(_said(await _tried(sets, contradictions, [wanted])))
    return {"id": rule, "was": dict(was), "now": wanted}


def _read_texts(items: Iterable[Any], samples: Iterable[str]) -> Iterator[Text]:
    """Read one at a time, in the thread that tries them."""
    for item_id, canonical in items:
        draft = Draft.from_canonical(canonical)
        yield Text(item_id, draft.title, draft.body, draft.kind)
    for sample in samples:
        yield Text("", "", sample)


def _portions(texts: Iterable[Text]) -> Iterator[list[Text]]:
    """As many texts at a time as are tried well within the limit of one check."""
    portion: list[Text] = []
    size = 0
    for text in texts:
        if portion and (size + len(text.body) > _PORTION or len(portion) >= _PORTION // 1000):
            yield portion
            portion, size = [], 0
        portion.append(text)
        size += len(text.body)
    if portion:
        yield portion


async def _preview(
    sets: RuleSets, changes: Sequence[RuleChange], texts: Sequence[Text]
) -> dict[str, object]:
    """What the changed rows flag that they did not, and the other way round."""
    old, new = ([one[name] for one in changes if one[name]] for name in ("was", "now"))
    counts = {name: {"items": 0, "samples": 0} for name in ("tried", "newly", "gone")}
    rules: dict[str, Counter[str]] = {"newly": Counter(), "gone": Counter()}
    examples: dict[str, list[dict[str, object]]] = {"newly": [], "gone": []}
    for portion in _portions(texts):
        told = await _tried(sets, differences, old, new, portion)
        for text, (newly, gone) in zip(portion, told, strict=True):
            group = "items" if text.item else "samples"
            counts["tried"][group] += 1
            for name, hits in (("newly", newly), ("gone", gone)):
                counts[name][group] += bool(hits)
                rules[name].update(one.rule for one in hits)
                # Two a text: one long document must not fill the whole preview.
                examples[name] += [_example(name, one, text) for one in hits[:2]]
    half = _EXAMPLES // 2
    # Half for each direction; what one does not use the other may.
    shown = [*examples["newly"][: max(half, _EXAMPLES - len(examples["gone"]))]]
    shown += examples["gone"][: _EXAMPLES - len(shown)]
    return {
        **counts,
        "rules": {name: dict(found.most_common(20)) for name, found in rules.items()},
        "examples": shown,
    }


def _example(name: str, one: Finding, text: Text) -> dict[str, object]:
    whole = text.title if one.field == "title" else text.body
    left, right = max(0, one.start - _AROUND), one.end + _AROUND
    return {
        "change": name,
        "rule": one.rule,
        "severity": one.severity,
        "before": whole[left : one.start],
        "text": one.text,
        "after": whole[one.end : right],
        "item": text.item,
        "title": text.title,
    }


# --- in words -----------------------------------------------------------------------------
