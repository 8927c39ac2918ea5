"""How much is read and told: beyond it a blocking finding says what was not checked.

A text that is cut, a list that is cut and a check that took too long all stop what they are about:
silence must never pass for "nothing found".
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from gates.finding import STANDARD, Finding, Gate, Limits

NAMES: dict[Gate, str] = {
    "politics": "政治",
    "law": "法律",
    "policy": "政策",
    "secrecy": "保密",
    "wording": "文字",
}
_BASIS = "先审后发：没有检查过的内容不得发布"
_WEIGHT = {"block": 2, "warn": 1, "hint": 0}
_UNCHECKED = frozenset(("not-checked", "not-listed", "check-timeout", "check-failed"))
_SHOWN = 20  # characters that show where reading stopped


WHOLE_FILES = Limits(text=STANDARD.attachment)
"""For files checked by themselves, whose text is no body of an item."""


def not_read(field: str, text: str, limits: Limits) -> Iterable[Finding]:
    """One finding when a field is longer than what is read of it."""
    most = limits.of(field)
    rest = len(text) - most
    if rest <= 0:
        return
    what, remedy = {
        "title": ("标题", "请缩短标题"),
        "text": ("正文", "请删减，或拆成几篇"),
    }.get(field, ("附件文字", "请把附件拆成几个文件"))
    yield Finding(
        gate="secrecy",
        rule="secrecy.not-checked",
        severity="block",
        field=field,
        start=most,
        end=min(len(text), most + _SHOWN),
        text=text[most : most + _SHOWN],
        reason=f"{what}共 {len(text)} 字，只检查前 {most} 字，后面 {rest} 字没有检查，{remedy}",
        basis=_BASIS,
        # An attachment can be read page by page by a person; title and body are ours to cut.
        waivable=field not in ("title", "text"),
    )


def limited(found: Sequence[Finding], limits: Limits = STANDARD) -> list[Finding]:
    """At most so many findings of one gate, the gravest first; in their order, the rest counted."""
    by_gate: dict[Gate, list[int]] = defaultdict(list)
    for at, one in enumerate(found):
        by_gate[one.gate].append(at)
    kept = set(range(len(found)))
    more: list[Finding] = []
    for gate, places in by_gate.items():
        if len(places) <= limits.findings:
            continue
        places.sort(key=lambda at: -_WEIGHT[found[at].severity])
        cut = sorted(places[limits.findings :])
        kept -= set(cut)
        more.append(_not_listed(gate, found[cut[0]], len(cut)))
    return [found[at] for at in sorted(kept)] + more


def _not_listed(gate: Gate, first: Finding, count: int) -> Finding:
    reason = f"{NAMES[gate]}方面的问题太多，另有 {count} 处没有列出，请先改好列出的，再检查一遍"
    return Finding(
        gate=gate,
        rule=f"{gate}.not-listed",
        severity="block",
        field=first.field,
        start=first.start,
        end=first.end,
        text=first.text,
        reason=reason,
        basis=_BASIS,
        waivable=False,
    )


def unchecked(one: Finding) -> bool:
    """Whether a finding says that something was not checked, and nobody may wave it through."""
    return not one.waivable and one.rule.partition(".")[2] in _UNCHECKED


def not_finished(what: str, reason: str) -> Finding:
    """That a check did not come to its end, and so says nothing of what it was given."""
    return Finding(
        gate="secrecy",
        rule=f"secrecy.{what}",
        severity="block",
        field="text",
        start=0,
        end=0,
        text="",
        reason=reason,
        basis=_BASIS,
        waivable=False,
    )
