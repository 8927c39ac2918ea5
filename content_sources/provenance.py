"""A repost beside its original: what was changed, and what must be said of its origin.

Pure. Offsets of findings are code points of the field.
Bases: 互联网新闻信息服务管理规定 第十五条; 著作权法 第五条 (official documents need no licence).
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from gates.finding import Finding, Gate
from review_queue.canonical import Draft

_RULE_15 = "互联网新闻信息服务管理规定第十五条：转载应当注明来源、原作者、原标题、编辑真实姓名"
_NOT_TWISTED = "互联网新闻信息服务管理规定第十五条：不得歪曲、篡改标题原意和新闻信息内容"
_COPYRIGHT = "著作权法第十条、第五条：图片须有来历和许可，官方文件除外"
_PICTURE = re.compile(r"^!\[[^\]]*\]\((sha256:[0-9a-f]{64})\)$", re.MULTILINE)
_FIGURES = re.compile(
    r"\d+(?:[.,，]\d+)*%?|[〇零一二三四五六七八九十百千万亿两]+(?=[元人年月日天个名项倍次家户岁亩吨条])"
)
_WIDE = {
    ord(wide): plain for wide, plain in zip("０１２３４５６７８９．％", "0123456789.%", strict=True)
}
_NEGATIONS = re.compile(r"不得|不予|不能|不可|严禁|禁止|尚未|没有|并非|除外|[不未无非勿免停]")
_DOCUMENT = re.compile(r"[\u4e00-\u9fff]{2,12}[〔\[［(（](?:19|20)\d\d[〕\]］)）]第?\d{1,5}号")
_MOST = 20  # findings of one sort
_LONGEST = 4_000_000  # product of two lengths that is still compared character by character


class Right(NamedTuple):
    """Where a picture comes from, and by what licence it may be shown; empty: nobody said."""

    origin: str
    licence: str


@dataclass(frozen=True)
class Original:
    """What was fetched. `pictures` maps a media marker to what the page says of the picture."""

    title: str
    text: str
    author: str
    source: str
    pictures: Mapping[str, Right] = field(default_factory=dict)


def plain_text(body: str) -> str:
    """The words of a body: without picture lines and blank lines."""
    lines = (line.strip() for line in _PICTURE.sub("", body).split("\n"))
    return "\n".join(line for line in lines if line)


def is_document(text: str) -> bool:
    """Whether a text is an official document: it bears a 文号 among its first lines."""
    return any(_DOCUMENT.search(line) for line in text.split("\n")[:6])


def repost_findings(
    draft: Draft, original: Original | None, rights: Mapping[str, Right]
) -> list[Finding]:
    """Every finding about a repost. `rights`: pictures with recorded origin and licence."""
    found = list(_attribution(draft, original))
    if original is None:
        found.append(
            _finding(
                "law",
                "repost.snapshot",
                "没有原文快照，无法核对是否改动",
                severity="warn",
                suggestion=None,
            )
        )
    else:
        found += _title(draft, original)
        found += _text(draft.body, original.text)
    found += _pictures(draft, original, rights)
    return found


def _finding(gate: Gate, rule: str, reason: str, **more: Any) -> Finding:
    """One finding over no place yet; it blocks and is not waivable unless `more` says so."""
    plain = Finding(
        gate=gate,
        rule=rule,
        severity="block",
        field="text",
        start=0,
        end=0,
        text="",
        reason=reason,
        basis=_RULE_15 if gate == "law" else _NOT_TWISTED,
        waivable=False,
    )
    return replace(plain, **more)


def _attribution(draft: Draft, original: Original | None) -> Iterator[Finding]:
    names = {
        "source": "来源",
        "original_title": "原标题",
        "editor": "编辑姓名",
        "url": "原文链接",
    }
    if original is None or original.author:
        names["original_author"] = "原作者"
    for name, label in names.items():
        if not draft.attribution.get(name, "").strip():
            hint = "（原文没有署名的，写“未署名”）" if name == "original_author" else ""
            yield _finding("law", "repost.attribution", f"转载缺少{label}{hint}")
    title = draft.attribution.get("original_title", "")
    if original and title and _dense(title) != _dense(original.title):
        yield _finding(
            "law",
            "repost.original_title",
            f"署名里的原标题与原文标题不同，原文是“{original.title}”",
        )
    source = draft.attribution.get("source", "")
    if original and source and _dense(source) != _dense(original.source):
        yield _finding(
            "law",
            "repost.source",
            f"署名里的来源与原文不同，原文注明“{original.source}”",
            severity="warn",
        )


def _title(draft: Draft, original: Original) -> Iterator[Finding]:
    if _dense(draft.title) != _dense(original.title):
        yield _finding(
            "wording",
            "repost.title",
            f"标题与原文不同，请核对没有改变原意，原文是“{original.title}”",
            severity="warn",
            field="title",
            end=len(draft.title),
            text=draft.title,
        )


def _dense(text: str) -> str:
    return "".join(text.split())


def _text(body: str, original: str) -> Iterator[Finding]:
    words, source = plain_text(body), plain_text(original)
    if _dense(words) == _dense(source):
        return
    places = _changed(source, words)
    yield _finding(
        "wording",
        "repost.altered",
        f"正文与原文有 {len(places)} 处不同：发布时注明编辑姓名，请逐处对照原文",
        severity="warn",
    )
    yield from _numbers(body, words, source)
    yield from _sense(body, places)


@dataclass(frozen=True)
class _Place:
    """A changed stretch: what stood there, what stands there, and the lines around both."""

    before: str
    after: str
    line_before: str
    line_after: str


def _changed(source: str, words: str) -> list[_Place]:
    """Line by line, and in changed lines character by character."""
    old, new = source.split("\n"), words.split("\n")
    places: list[_Place] = []
    lines = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, left, left_end, right, right_end in lines.get_opcodes():
        if tag == "equal":
            continue
        pair = "\n".join(old[left:left_end]), "\n".join(new[right:right_end])
        places += _by_characters(*pair)
    return places


def _by_characters(old: str, new: str) -> list[_Place]:
    if not old or not new or len(old) * len(new) > _LONGEST:
        return [_Place(old, new, old, new)]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        _Place(old[a:b], new[c:d], _line(old, a, b), _line(new, c, d))
        for tag, a, b, c, d in matcher.get_opcodes()
        if tag != "equal"
    ]


def _line(text: str, start: int, end: int) -> str:
    """The whole line or lines a stretch lies in."""
    left = text.rfind("\n", 0, start) + 1
    right = text.find("\n", end)
    return text[left : len(text) if right < 0 else right]


def _figures(text: str) -> Counter[str]:
    return Counter(_figure(match[0]) for match in _FIGURES.finditer(text.translate(_WIDE)))


def _figure(token: str) -> str:
    return re.sub(r"[,，]", "", token)


def _numbers(body: str, words: str, source: str) -> Iterator[Finding]:
    """Figures that the original does not have are marked; those that are gone are named."""
    added = _figures(words) - _figures(source)
    gone = _figures(source) - _figures(words)
    if gone:
        listed = "、".join(list(gone)[:_MOST])
        yield _finding(
            "wording",
            "repost.number_gone",
            f"原文的数字在稿件里没有了或少了：{listed}",
            severity="warn",
        )
    told = 0
    for match in _FIGURES.finditer(body.translate(_WIDE)):
        token = _figure(match[0])
        if added[token] <= 0 or told >= _MOST or _in_picture(body, match.start()):
            continue
        added[token] -= 1
        told += 1
        yield _finding(
            "wording",
            "repost.number",
            f"原文没有这个数字：{match[0]}",
            severity="warn",
            start=match.start(),
            end=match.end(),
            text=body[match.start() : match.end()],
        )


def _in_picture(body: str, at: int) -> bool:
    return _line(body, at, at).startswith("![")


def _sense(body: str, places: Sequence[_Place]) -> Iterator[Finding]:
    """Negations and names that differ inside the changed lines."""
    told = 0
    seen: set[tuple[str, str]] = set()
    for place in places:
        pair = (place.line_before, place.line_after)
        if pair in seen or told >= _MOST:
            continue
        seen.add(pair)
        for rule, reason in _differences(*pair):
            told += 1
            at = body.find(place.line_after) if place.line_after else -1
            span = (at, at + len(place.line_after)) if at >= 0 else (0, 0)
            yield _finding(
                "wording",
                rule,
                reason,
                severity="warn",
                start=span[0],
                end=span[1],
                text=body[span[0] : span[1]],
            )


def _differences(before: str, after: str) -> Iterator[tuple[str, str]]:
    denied, denies = Counter(_NEGATIONS.findall(before)), Counter(_NEGATIONS.findall(after))
    if denied != denies:
        words = "、".join(sorted(set((denied - denies) + (denies - denied))))
        yield "repost.negation", f"与原文相比，否定或禁止的说法有增减：{words}"
    gone, come = _names(before) - _names(after), _names(after) - _names(before)
    if gone or come:
        told = [f"原文的{'、'.join(sorted(gone))}没有了"] if gone else []
        told += [f"多出{'、'.join(sorted(come))}"] if come else []
        yield "repost.name", f"与原文相比，人名、地名或机构名不同：{'，'.join(told)}"


def _names(text: str) -> set[str]:
    """Names of people, places and bodies in a line."""
    return {
        pair.word
        for pair in _tagger().cut(text[:2000])
        if pair.flag in ("nr", "ns", "nt", "nrt") and len(pair.word) > 1
    }


@cache
def _tagger() -> Any:
    """What tags words takes 50 MB: only the process that compares a repost has it."""
    return import_module("jieba.posseg").dt


def _pictures(
    draft: Draft, original: Original | None, rights: Mapping[str, Right]
) -> Iterator[Finding]:
    """Every picture has an origin and, unless it belongs to an official document, a licence."""
    official = is_document(original.text if original else draft.body)
    known = dict(original.pictures) if original else {}
    wanted = [(match[1], match.start(), match.end()) for match in _PICTURE.finditer(draft.body)]
    if draft.cover and draft.cover not in {media for media, _, _ in wanted}:
        wanted.append((draft.cover, 0, 0))
    for media, start, end in wanted:
        origin, licence = rights.get(media) or known.get(media) or Right("", "")
        if not origin:
            reason = "图片没有登记来历：请写明出处和许可，或换用原文的图片"
        elif not licence and not (official and media in known):
            reason = "图片没有登记许可：稿源的依据文件没有授权随文转载图片，请写明许可"
        else:
            continue
        yield _finding(
            "law",
            "repost.picture",
            reason,
            basis=_COPYRIGHT,
            start=start,
            end=end,
            text=draft.body[start:end],
        )
