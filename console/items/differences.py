"""What changed between two versions: by characters, moved paragraphs as moved. Pure."""

import difflib
import re
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from blocks.document import Block, Document, Heading, Made, Picture, Table, runs_of
from blocks.text import linked, project
from bot.render import PICTURE
from review_queue.canonical import ATTRIBUTION, Draft

ATTRIBUTION_NAMES = dict(
    zip(ATTRIBUTION, ("来源", "原作者", "原标题", "编辑姓名", "原文链接"), strict=True)
)
_WORD = re.compile(r"[0-9A-Za-z]+(?:[.,:][0-9A-Za-z]+)*%?|.", re.DOTALL)
_ALIKE = 0.4  # paragraphs at least so similar are one that was changed
_NAMED = 16  # characters by which a paragraph is named
MADE = {
    Made.UNDECLARED: "没有声明",
    Made.HUMAN: "人写",
    Made.ASSISTED: "AI 辅助",
    Made.GENERATED: "AI 生成",
}
_KINDS = {
    **{"paragraph": "正文", "list": "列表", "table": "表格", "quote": "引用"},
    **{"divider": "分隔线", "attachment": "附件"},
}
_MOST_PAIRS = 10_000  # changed paragraphs old times new that are compared with each other


@dataclass(frozen=True)
class Change:
    """A stretch of a comparison: same, added or removed."""

    kind: str
    text: str


@dataclass(frozen=True)
class Line:
    """One paragraph: same, changed, added, removed or moved.

    `number` counts paragraphs of the new text (of the old one for a removed paragraph); `was` is
    where a moved one stood before.
    """

    kind: str
    changes: tuple[Change, ...]
    number: int
    was: int = 0


@dataclass(frozen=True)
class Fact:
    """One thing beside the text that differs, in words; media as their hex digests."""

    label: str
    before: str
    after: str
    before_media: str = ""
    after_media: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two versions of one item. `title` is empty when the title did not change."""

    title: tuple[Change, ...]
    lines: tuple[Line, ...]
    facts: tuple[Fact, ...]

    @property
    def count(self) -> int:
        """How many things differ."""
        changed = sum(line.kind != "same" for line in self.lines)
        return changed + len(self.facts) + bool(self.title)

    @property
    def blocks(self) -> list[tuple[bool, list[Line]]]:
        """The paragraphs in runs: (whether they differ, the lines)."""
        runs = groupby(self.lines, key=lambda line: line.kind != "same")
        return [(differs, list(lines)) for differs, lines in runs]


# --- text -----------------------------------------------------------------------------------


def compare(old: str, new: str) -> list[Line]:
    """Paragraph by paragraph, changed ones by characters; blank lines do not count.

    A paragraph that stands elsewhere now is `moved` once, not removed and added.
    """
    before, after = _paragraphs(old), _paragraphs(new)
    pairs, in_place = _pair(before, after)
    lines: list[Line] = []
    gone = sorted(set(range(len(before))) - set(pairs.values()))
    for number, text in enumerate(after):
        was = pairs.get(number)
        if number in in_place and was is not None:
            while gone and gone[0] < was:
                lines.append(_removed(before, gone.pop(0)))
        lines.append(_line(text, number, before, was, moved=number not in in_place))
    return lines + [_removed(before, index) for index in gone]


def _paragraphs(text: str) -> list[str]:
    lines = (line.strip() for line in text.split("\n"))
    return [_picture_words(line) for line in lines if line]


def _picture_words(line: str) -> str:
    """A picture line as words that differ when the picture does."""
    found = PICTURE.match(line)
    if found is None:
        return line
    return f"［图片：{found['alt'] or '没有说明'}，摘要 {found['media'][7:19]}］"


def _removed(before: Sequence[str], index: int) -> Line:
    return Line("removed", (Change("removed", before[index]),), index + 1)


def _line(text: str, number: int, before: Sequence[str], was: int | None, *, moved: bool) -> Line:
    if was is None:
        return Line("added", (Change("added", text),), number + 1)
    changes = tuple(by_characters(before[was], text))
    if moved:
        return Line("moved", changes, number + 1, was + 1)
    return Line("same" if before[was] == text else "changed", changes, number + 1)


def _pair(before: Sequence[str], after: Sequence[str]) -> tuple[dict[int, int], set[int]]:
    """New paragraph -> old paragraph it comes from, and which of them kept their place."""
    pairs: dict[int, int] = {}
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for left, right, size in matcher.get_matching_blocks():
        pairs |= {right + step: left + step for step in range(size)}
    kept = sorted(pairs.items())
    found = _elsewhere(before, after, pairs)
    for number in sorted(found, key=lambda one: -len(after[one])):
        place = bisect_left(kept, (number, 0))
        after_left = place == 0 or kept[place - 1][1] < found[number]
        if after_left and (place == len(kept) or found[number] < kept[place][1]):
            insort(kept, (number, found[number]))
    return pairs | found, {number for number, _ in kept}


def _elsewhere(
    before: Sequence[str], after: Sequence[str], pairs: Mapping[int, int]
) -> dict[int, int]:
    """The remaining paragraphs paired: equal ones first, then those most alike."""
    old = [index for index in range(len(before)) if index not in set(pairs.values())]
    new = [index for index in range(len(after)) if index not in pairs]
    if len(old) * len(new) > _MOST_PAIRS:
        return _equal(before, after, old, new)
    parts = {("old", index): _grams(before[index]) for index in old}
    parts |= {("new", index): _grams(after[index]) for index in new}
    alike = sorted(
        (-_likeness(parts["old", left], parts["new", right]), abs(left - right), right, left)
        for left in old
        for right in new
    )
    found: dict[int, int] = {}
    for score, _, right, left in alike:
        if -score >= _ALIKE and right not in found and left not in found.values():
            found[right] = left
    return found


def _equal(
    before: Sequence[str], after: Sequence[str], old: Sequence[int], new: Sequence[int]
) -> dict[int, int]:
    places: dict[str, list[int]] = defaultdict(list)
    for index in old:
        places[before[index]].append(index)
    return {index: places[after[index]].pop(0) for index in new if places.get(after[index])}


def _grams(text: str) -> Counter[str]:
    """Characters and pairs of characters, counted."""
    return Counter(text) + Counter(text[index : index + 2] for index in range(len(text) - 1))


def _likeness(left: Counter[str], right: Counter[str]) -> float:
    """0 for nothing in common, 1 for the same characters and pairs."""
    whole = left.total() + right.total()
    return 2 * (left & right).total() / whole if whole else 1.0


def by_characters(old: str, new: str) -> list[Change]:
    """The changed characters of one paragraph; a number or a Latin word changes as a whole."""
    if old == new:
        return [Change("same", new)]
    left, right = _WORD.findall(old), _WORD.findall(new)
    if len(left) * len(right) > 9_000_000:  # two very long texts: one replaced by the other
        return [Change("removed", old), Change("added", new)]
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    steps = [
        (tag, "".join(left[a:b]), "".join(right[c:d])) for tag, a, b, c, d in matcher.get_opcodes()
    ]
    return _readable(steps)


def _readable(steps: Sequence[tuple[str, str, str]]) -> list[Change]:
    """Changes parted by a single equal character read as one."""
    changes: list[Change] = []
    removed = added = ""
    for index, (tag, old, new) in enumerate(steps):
        inside = 0 < index < len(steps) - 1
        if tag == "equal" and not (inside and len(old) == 1 and old not in "，。；：、"):
            changes += [Change("removed", removed), Change("added", added), Change("same", new)]
            removed = added = ""
        else:
            removed, added = removed + old, added + new
    changes += [Change("removed", removed), Change("added", added)]
    return [change for change in changes if change.text]


# --- everything else the digest covers ------------------------------------------------------


@dataclass(frozen=True)
class Words:
    """How accounts, audiences and moments are said."""

    account: Callable[[str], str]
    audience: Callable[[Mapping[str, list[str]] | None], str]
    moment: Callable[[datetime], str]


def differences(old: Draft, new: Draft, words: Words) -> Comparison:
    """Everything that differs between two drafts: title, text and all that is decided."""
    title = tuple(by_characters(old.title, new.title)) if old.title != new.title else ()
    rows = [
        ("种类", old.kind, new.kind),
        ("类别", old.klass, new.klass),
        *(
            (label, old.attribution.get(name, ""), new.attribution.get(name, ""))
            for name, label in ATTRIBUTION_NAMES.items()
        ),
        ("发布账号", _accounts(old, words), _accounts(new, words)),
        ("推送对象", words.audience(old.audience), words.audience(new.audience)),
        ("留言", _comments(old), _comments(new)),
        ("摘要", old.summary, new.summary),
        ("作者", old.author, new.author),
        ("更正说明", old.content.changes, new.content.changes),
        ("文字由谁写", MADE[old.made], MADE[new.made]),
        ("封面裁切", _crops(old), _crops(new)),
        ("最早发布", words.moment(old.not_before), words.moment(new.not_before)),
        ("最晚发布", words.moment(old.not_after), words.moment(new.not_after)),
    ]
    facts = [Fact(label, before, after) for label, before, after in rows if before != after]
    facts += _media(old, new) + _looks(old, new)
    return Comparison(title, tuple(compare(old.body, new.body)), tuple(facts))


def _comments(draft: Draft) -> str:
    return "开放" if draft.comments else "不开放"


def _crops(draft: Draft) -> str:
    shares = {
        name: [f"{edge / 10_000:.0f}%" for edge in edges] for name, edges in draft.crops.items()
    }
    return "；".join(
        f"{label} {'、'.join(shares[name])}"
        for name, label in (("wide", "宽"), ("square", "方"))
        if name in shares
    )


def _looks(old: Draft, new: Draft) -> list[Fact]:
    """Paragraphs that say the same and look otherwise, or whose picture is described otherwise."""
    if old.blocks is None or new.blocks is None:
        return []
    before: dict[str, list[str]] = defaultdict(list)
    for text, look in _looks_of(old.blocks):
        before[text].append(look)
    facts = []
    for text, look in _looks_of(new.blocks):
        was = before[text].pop(0) if before[text] else None
        if was is not None and was != look:
            name = text[:_NAMED] + ("…" if len(text) > _NAMED else "")
            facts.append(Fact(f"样式 “{name}”", was, look))
    return facts


def _looks_of(document: Document) -> list[tuple[str, str]]:
    told = project(document)
    links: dict[int, list[str]] = defaultdict(list)
    for one in linked(document):
        links[told.block_at(one.start) or 0].append(f"{told.text[one.start : one.end]} → {one.url}")
    return [
        (told.text[start:end], "；".join([_look(block), *links[index]]))
        for index, (block, (start, end)) in enumerate(zip(document.blocks, told.lines, strict=True))
    ]


def _look(block: Block) -> str:
    """How a block is set, in words; what it leads to is said beside it."""
    if isinstance(block, Picture):
        said = (("来源", block.origin), ("授权", block.licence), ("制作", MADE[block.made]))
        return "图片，" + "，".join(f"{label} {words or '没有'}" for label, words in said)
    if isinstance(block, Heading):
        name = "大标题" if block.level == 1 else "小标题"
    else:
        name = _KINDS[block.kind]
    if isinstance(block, Table):
        cells = [cell for row in block.rows for cell in row.cells]
        spans = sum(cell.colspan > 1 or cell.rowspan > 1 for cell in cells)
        name += f"，表头 {sum(cell.head for cell in cells)} 格，合并 {spans} 处"
    bold = "".join(run.text for run in runs_of(block) if run.bold)
    return f"{name}，加粗 {bold}" if bold else name


def _accounts(draft: Draft, words: Words) -> str:
    return "、".join(words.account(key) for key in sorted(draft.accounts))


def _media(old: Draft, new: Draft) -> list[Fact]:
    """Cover and attachments; same name with other bytes is said to be replaced."""
    facts = []
    if old.cover != new.cover:
        covers = [cover.removeprefix("sha256:") for cover in (old.cover, new.cover)]
        words = [f"摘要 {cover[:12]}" if cover else "没有" for cover in covers]
        facts.append(Fact("封面", words[0], words[1], covers[0], covers[1]))
    before = {part["name"]: part["media"] for part in old.attachments}
    after = {part["name"]: part["media"] for part in new.attachments}
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            facts.append(
                Fact(f"附件 {name}", _attachment(before.get(name)), _attachment(after.get(name)))
            )
    return facts


def _attachment(media: str | None) -> str:
    return f"内容摘要 {media[7:19]}" if media else "没有"
