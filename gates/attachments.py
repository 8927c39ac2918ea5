"""Attachments: bytes and a name in, addressed texts and faults out; findings that name the place.

Pure. Nothing a file contains is run, resolved or fetched; every cap ends in a fault a person sees.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import PurePath

from documents.parts import Fault, Part, Reading, Severity, rows_of
from documents.pictures import read_picture
from documents.reader import read_attachment
from documents.sight import Seen, with_seen
from gates.ai_label import ai_findings
from gates.engine import Facts, GateText, RuleSet, run_gates
from gates.finding import STANDARD, Finding
from gates.grounds import ground_of
from gates.limits import limited
from gates.redaction import PERSONAL
from gates.severed import severed

_BEYOND = 30_000  # numbers found where there was too much to read stand behind all that was read
# A machine that reads a picture takes one character for another: only what is a number with its
# check digit is sure. A mark of secrecy is looked at by a person, other gates are quiet.
_LESS: dict[str, Severity] = {
    **dict.fromkeys(("politics", "law", "policy", "wording"), "hint"),
    "secrecy": "warn",
}
_LIKE_IDENTITY = re.compile(
    r"(?<![\dXx])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])"
)
_BASIS = (
    "《保守国家秘密法实施条例》第四十二条（逐项审查）；"
    "《政府信息公开条例》第十五条、第十六条"
)  # fmt: skip


@dataclass(frozen=True)
class StoredFile:
    """One file as it is kept: its bytes, and whether it is a picture within the text.

    `seen` is what was read in its pictures; None when nothing here can read them.
    """

    name: str
    content: bytes
    kind: str
    as_of: date
    in_text: bool = False
    seen: Seen | None = None


def stored_findings(ruleset: RuleSet, facts: Facts, file: StoredFile) -> list[Finding]:
    """The findings above a hint in one kept file; the name of an attachment is read too."""
    marked: list[Finding] = []
    if file.in_text:
        reading = read_picture(file.content)
        marked = ai_findings(file.name, file.content)
    else:
        reading = read_attachment(file.name, file.content)
    reading = with_seen(reading, file.seen)
    if not file.in_text:
        named = Part("文件名", PurePath(file.name).stem)
        reading = replace(reading, parts=(*reading.parts, named))
    draft = FileDraft(file.name, reading, file.kind, file.as_of)
    return marked + file_findings(draft, ruleset, facts)


def unfit(name: str, reason: str, *, kind: str) -> list[Finding]:
    """The findings of a file of which there is nothing to read."""
    fault = Fault(f"secrecy.attachment-{kind}", "block", reason)
    draft = FileDraft(name, Reading((), (fault,)), "", date.min)
    return [_fault_finding(draft, fault, ())]


@dataclass(frozen=True)
class FileDraft:
    """One attachment ready to be checked on a day."""

    name: str
    reading: Reading
    kind: str
    as_of: date


def file_findings(
    file: FileDraft, ruleset: RuleSet, facts: Facts, *, include_hints: bool = False
) -> list[Finding]:
    """Findings of all gates in one attachment, and its faults, each with its place in words.

    Offsets count in the text that was read, all parts joined by newlines.
    """
    parts = file.reading.parts
    starts, text = _laid_out([part.text for part in parts])
    # Counted below, after cells of one column have become one finding.
    most = STANDARD.attachment + _BEYOND
    limits = replace(STANDARD, findings=STANDARD.attachment, attachment=most)
    draft = GateText("", "", file.kind, file.as_of, ((file.name, text),), limits)
    found = run_gates(draft, ruleset, facts, include_hints=include_hints)
    found += _severed(file, starts, text, found)
    faults = [_fault_finding(file, fault, starts) for fault in file.reading.faults]
    seen = list(_by_sight([*found, *_misread(file, starts, found)], file.reading, starts))
    all_found = [*faults, *_placed(seen, file.reading, starts)]
    return limited([one for one in all_found if include_hints or one.severity != "hint"])


def _misread(file: FileDraft, starts: Sequence[int], found: Sequence[Finding]) -> Iterator[Finding]:
    """Identity numbers in pictures of which the machine took one figure for another."""
    ground = ground_of(
        "id-card", "block", "像公民身份号码，机器识别可能错了一位，公开前应当去标识化"
    )
    for start, part in zip(starts, file.reading.parts, strict=True):
        for number in _LIKE_IDENTITY.finditer(part.text) if part.spots else ():
            first, last = start + number.start(), start + number.end()
            if any(one.start < last and one.end > first for one in found):
                continue
            field = f"attachment:{file.name}"
            yield Finding(field=field, start=first, end=last, text=number[0], **ground._asdict())


def _severed(
    file: FileDraft, starts: Sequence[int], text: str, found: Sequence[Finding]
) -> list[Finding]:
    """Identity numbers of which the pieces stand in neighbouring paragraphs, boxes or cells."""
    said = "公民身份号码（校验位正确，分写在相邻的段落或单元格里）"
    ground = ground_of("id-card", "block", said)
    return [
        Finding(
            field=f"attachment:{file.name}",
            start=one.start,
            end=one.end,
            text=text[one.start : one.end],
            **ground._asdict(),
        )
        for one in severed(file.reading.parts, starts)
        if not any(each.start < one.end and each.end > one.start for each in found)
    ]


def _by_sight(
    found: Sequence[Finding], reading: Reading, starts: Sequence[int]
) -> Iterator[Finding]:
    """What was read in a picture with its box: personal data as it is, the rest less surely."""
    for one in found:
        at = bisect_right(starts, one.start) - 1
        spots = reading.parts[at].spots
        if not spots:
            yield one
            continue
        first, last = one.start - starts[at], one.end - starts[at]
        boxes = [spot.box for spot in spots if spot.start < last and spot.end > first]
        lefts, tops, rights, bottoms = zip(*(boxes or [(0.0, 0.0, 1.0, 1.0)]), strict=True)
        severity = one.severity if one.rule in PERSONAL else _LESS[one.gate]
        box = min(lefts), min(tops), max(rights), max(bottoms)
        yield replace(one, box=box, severity=severity)


def _laid_out(texts: Sequence[str]) -> tuple[list[int], str]:
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        # One for the newline that joins the parts.
        at += len(text) + 1
    return starts, "\n".join(texts)


# What makes a file unfit to be checked or published at all: nobody may wave it through.
_UNFIT = frozenset(
    f"secrecy.attachment-{rule}"
    for rule in (
        *("bomb", "malformed", "broken", "damaged", "disguised", "encrypted", "macro", "lost"),
    )
)


def _fault_finding(file: FileDraft, fault: Fault, starts: Sequence[int]) -> Finding:
    start, reason = 0, fault.reason
    if fault.part >= 0:
        part = file.reading.parts[fault.part]
        # Words that are no longer found lead to the beginning of their part, not to another one.
        start = starts[fault.part] + max(part.text.find(fault.text), 0)
        reason = f"{fault.place or part.place}：{reason}"
    return Finding(
        gate="secrecy",
        rule=fault.rule,
        severity=fault.severity,
        field=f"attachment:{file.name}",
        start=start,
        end=start + len(fault.text),
        text=fault.text,
        reason=reason,
        basis=_BASIS,
        waivable=fault.rule not in _UNFIT,
    )


def _placed(found: Sequence[Finding], reading: Reading, starts: Sequence[int]) -> Iterator[Finding]:
    """Each finding with its place; those of one rule in one column as one."""
    groups: dict[tuple[object, ...], list[tuple[Finding, int]]] = {}
    for number, one in enumerate(found):
        part = bisect_right(starts, one.start) - 1
        column = reading.parts[part].column
        key = (column, one.gate, one.rule, one.severity) if column else (number,)
        groups.setdefault(key, []).append((one, part))
    for group in groups.values():
        first, part = group[0]
        place = reading.parts[part].place
        # A column of a thousand phone numbers is one thing to mend, not a thousand.
        if reading.parts[part].column:
            rows = [reading.parts[each].row for _, each in group]
            place = reading.parts[part].column + (rows_of(rows) if any(rows) else "")
        count = f"（共 {len(group)} 处）" if len(group) > 1 else ""
        yield replace(first, reason=f"{place}：{first.reason}{count}")
