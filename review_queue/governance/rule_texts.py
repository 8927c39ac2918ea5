"""Changes of rules in words: one line each, both sides, and what to think of before approving."""

import json
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

from review_queue.governance.rulesets import Row


class RuleChange(TypedDict):
    """One row before and after; None where it comes or goes."""

    id: str
    was: Row | None
    now: Row | None


class Line(TypedDict):
    """One changed row in words; `fields` are [name, before, after]."""

    sign: str
    text: str
    fields: NotRequired[list[list[str]]]


def line_of(one: RuleChange) -> Line:
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


def warnings_of(changes: Sequence[RuleChange]) -> list[str]:
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
