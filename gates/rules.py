"""Rules as data: rows read and checked, compiled once into one automaton, digest of the rows."""

import hashlib
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

import ahocorasick_rs
import rfc8785
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import config
from config.faults import Fault
from documents.parts import Severity
from gates.finding import Context, Finding, Gate, Ground, Place
from gates.judged import quiet_rules
from gates.lookalikes import disguised
from gates.normalise import Normalised, normalise
from gates.places import DIVISIONS
from gates.rosters import Person, Roster
from gates.words import on_word_ends

RULES = Path(config.__file__).parent / "rules"
_MENTION = re.compile(
    r"(?:不得|不要|不应|不能|不宜|不准|不可|不许|禁止|严禁|避免|杜绝|防止|反对|而非|不是|取缔)"
    r"[^，。；：]{0,15}$"
)
_MENTION_AFTER = re.compile(
    r"[”」’]?[^，。；！？\n]{0,12}?(?:等|的)(?:用语|词语|字样|表述|断言|承诺|内容|提法|说法|语言)"
)
_Words = tuple[Annotated[str, Field(min_length=1)], ...]


class RuleError(Fault, ValueError):
    """A rule row that cannot be used; the text names file, row and field in one line."""


class Rule(BaseModel):
    """One row. It matches `terms`, the keys of `pairs`, `pattern`, or keeps `people` and `units`.

    With both `terms` and `pattern`, the pattern is tried only where a term occurs. The context
    fields see the sentence (near, far, raise_near) or the touching characters (not_after,
    not_before); `unless` are longer words in which a term is innocent. Inside 《》 nothing is
    matched unless `in_titles`; a bare “term”, or one after 不得 and the like, is a mention and is
    left alone unless `mentions`. With `unquoted` anything inside quotation marks is right; with
    `word` a hit must begin and end where words do. Terms of four characters or more of the gates
    politics, law and secrecy are also found with one character changed for a look-alike.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    gate: Gate
    severity: Severity
    terms: _Words = ()
    pairs: Mapping[str, str] = Field(default_factory=dict)
    pattern: str = ""
    people: tuple[Person, ...] = ()
    units: tuple[Annotated[str, Field(min_length=4)], ...] = ()
    unless: _Words = ()
    not_after: _Words = ()
    not_before: _Words = ()
    near: _Words = ()
    far: _Words = ()
    raise_near: _Words = ()
    raise_to: Severity = "warn"
    in_titles: bool = False
    mentions: bool = False
    unquoted: bool = False
    word: bool = False
    reason: str = Field(min_length=1)
    basis: str = Field(min_length=1)
    link: str = Field(default="", pattern=r"^(?:https?://[^\s]+)?$")
    suggestion: str | None = None
    suggestions: _Words = ()
    waivable: bool = True
    valid_from: date | None = None
    valid_to: date | None = None
    must: _Words = ()
    must_not: _Words = ()

    @model_validator(mode="after")
    def _matches_something(self) -> Self:
        if not (self.terms or self.pairs or self.pattern or self.people or self.units):
            raise ValueError("terms、pairs、pattern、people、units 至少要有一项")
        if not self.must:
            raise ValueError("must 至少要有一个应当命中的例句")
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern 不是正确的正则表达式（{error}）") from error
        return self

    @property
    def ground(self) -> Ground:
        """What its findings say, at its own severity."""
        return Ground(self.gate, self.id, self.severity, self.reason, self.basis, self.waivable)

    def holds(self, day: date) -> bool:
        """Whether the rule is valid on that day, both ends included."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


@dataclass(frozen=True, eq=False)
class _Compiled:
    """A rule ready to run: its regular expressions over the dense text."""

    rule: Rule
    pattern: re.Pattern[str] | None
    near: re.Pattern[str] | None
    far: re.Pattern[str] | None
    raised: re.Pattern[str] | None
    words: dict[str, tuple[str, ...]]  # dense term -> its suggestions
    before: tuple[str, ...]
    after: tuple[str, ...]
    unless: frozenset[str]

    def suggestions(self, matched: str, match: re.Match[str] | None) -> tuple[str, ...]:
        """Replacements of one hit, best first."""
        if match is not None:
            rule = self.rule
            given = (() if rule.suggestion is None else (rule.suggestion,)) + rule.suggestions
            return tuple(match.expand(option) for option in given)
        return self.words.get(matched, ())


class RuleSet:
    """Frozen, compiled rules. `digest` is the SHA-256 of the canonical JSON of the rows."""

    def __init__(self, rules: Sequence[Rule], quiet: Set[str] | None = None) -> None:
        """Compile; use `load` to read rows. Warnings of `quiet` rules are hints."""
        self.rules = tuple(rules)
        self.quiet = frozenset(quiet_rules() if quiet is None else quiet)
        rows = [rule.model_dump(mode="json", exclude_defaults=True) for rule in self.rules]
        if self.quiet:  # what is found depends on it
            rows.append({"quiet": sorted(self.quiet)})
        self.digest = hashlib.sha256(rfc8785.dumps(rows)).hexdigest()
        self._compiled = [_compile(rule) for rule in self.rules]
        users: dict[str, list[_Compiled]] = defaultdict(list)
        known = {word for compiled in self._compiled for word in compiled.words}
        anchors: set[str] = set(DIVISIONS.names)
        for compiled in self._compiled:
            for word in compiled.words:
                users[word].append(compiled)
            anchors |= compiled.unless
            for word, right in _disguises(compiled, known).items():
                compiled.words[word] = right
                users[word].append(compiled)
        self._rosters = [
            (one, Roster(one.rule.ground, one.rule.people, one.rule.units))
            for one in self._compiled
            if one.rule.people or one.rule.units
        ]
        for _, roster in self._rosters:
            anchors |= roster.words
        self._users = dict(users)
        self._words = sorted(anchors | set(users))
        self._automaton = ahocorasick_rs.AhoCorasick(self._words, store_patterns=False)
        self._always = [one for one in self._compiled if one.pattern and not one.words]

    @classmethod
    def load(cls, source: Path | Sequence[Mapping[str, object]] | None = None) -> "RuleSet":
        """Read a folder of YAML files, one file, or rows; without a source the starting rules."""
        if source is None:
            return _starting(frozenset(quiet_rules()))
        if not isinstance(source, Path):
            return cls(list(_read(source, "规则")))
        return cls(_rules_in(source))

    def scan(self, dense: Normalised) -> dict[str, list[tuple[int, int]]]:
        """Every word of the set in the text, in one pass: word to its spans."""
        found: dict[str, list[tuple[int, int]]] = defaultdict(list)
        hits = self._automaton.find_matches_as_indexes(dense.text, overlapping=True)
        for index, start, end in hits:
            found[self._words[index]].append((start, end))
        return found

    def find(self, ctx: Context, found: Mapping[str, list[tuple[int, int]]]) -> Iterator[Finding]:
        """Findings of all rows over one field, given what `scan` found in it."""
        for one, roster in self._rosters:
            for told in roster.find(ctx, found) if one.rule.holds(ctx.as_of) else ():
                if _touching_ok(one, ctx, found, told.span):
                    yield ctx.mark_dense(*told)
        tried: set[str] = set()
        todo: list[tuple[_Compiled, str | None]] = [(one, None) for one in self._always]
        todo += [(one, word) for word in found for one in self._users.get(word, ())]
        for compiled, word in todo:
            if not compiled.rule.holds(ctx.as_of):
                continue
            if compiled.pattern is None and word is not None:
                for span in found[word]:
                    yield from _judge(compiled, ctx, found, span, None)
            elif compiled.pattern is not None and compiled.rule.id not in tried:
                tried.add(compiled.rule.id)
                for match in compiled.pattern.finditer(ctx.dense.text):
                    yield from _judge(compiled, ctx, found, match.span(), match)


def places(found: Mapping[str, list[tuple[int, int]]]) -> list[Place]:
    """The division names among what was found, in reading order, longest first."""
    met = [
        Place(word, start, end)
        for word, spans in found.items()
        if word in DIVISIONS.names
        for start, end in spans
    ]
    return sorted(met, key=lambda place: (place.start, -place.end))


def _judge(
    one: _Compiled,
    ctx: Context,
    found: Mapping[str, list[tuple[int, int]]],
    span: tuple[int, int],
    match: re.Match[str] | None,
) -> Iterator[Finding]:
    if span[0] == span[1] or not (
        _touching_ok(one, ctx, found, span) and _marks_ok(one, ctx, span)
    ):
        return
    ground = one.rule.ground
    if one.near or one.far or one.raised:
        sentence = ctx.around(*span)
        if (one.near and not one.near.search(sentence)) or (one.far and one.far.search(sentence)):
            return
        if one.raised and one.raised.search(sentence):
            ground = ground._replace(severity=one.rule.raise_to)
    matched = ctx.dense.text[span[0] : span[1]]
    yield ctx.mark_dense(span, ground, one.suggestions(matched, match))


def _touching_ok(
    one: _Compiled,
    ctx: Context,
    found: Mapping[str, list[tuple[int, int]]],
    span: tuple[int, int],
) -> bool:
    """Not inside an innocent longer word, not after or before a word that clears it."""
    start, end = span
    text = ctx.dense.text
    for word in one.unless:
        spans = found.get(word)
        # In reading order: only the first that reaches far enough can begin early enough.
        if spans:
            at = bisect_left(spans, (end - len(word),))
            if at < len(spans) and spans[at][0] <= start:
                return False
    if one.before and text.endswith(one.before, 0, start):
        return False
    return not (one.after and text.startswith(one.after, end))


def _marks_ok(one: _Compiled, ctx: Context, span: tuple[int, int]) -> bool:
    """Not in a title, not merely spoken about, not rightly in quotation marks."""
    rule = one.rule
    if not rule.in_titles and ctx.titled(*span):
        return False
    if rule.unquoted and ctx.quoted(*span):
        return False
    if rule.word and not on_word_ends(ctx, span):
        return False
    if rule.mentions:
        return True
    if ctx.only_mentioned(*span) or _MENTION_AFTER.match(ctx.dense.text, span[1]):
        return False
    begin = ctx.sentence(*span)[0]
    return not _MENTION.search(ctx.dense.text[max(begin, span[0] - 24) : span[0]])


def _compile(rule: Rule) -> _Compiled:
    own = (() if rule.suggestion is None else (rule.suggestion,)) + rule.suggestions
    words = dict.fromkeys(_dense(rule.terms), own)
    rights = rule.pairs.values()
    words |= {wrong: (right, *own) for wrong, right in zip(_dense(rule.pairs), rights, strict=True)}
    return _Compiled(
        rule=rule,
        pattern=re.compile(rule.pattern) if rule.pattern else None,
        near=_any_of(rule.near),
        far=_any_of(rule.far),
        raised=_any_of(rule.raise_near),
        words=words,
        before=_dense(rule.not_after),
        after=_dense(rule.not_before),
        unless=frozenset(_dense(rule.unless)),
    )


def _disguises(one: _Compiled, known: Set[str]) -> dict[str, tuple[str, ...]]:
    """Look-alikes of the rule's terms, unless such a word is itself a term or innocent."""
    if one.pattern or one.rule.severity == "hint" or one.rule.gate in ("policy", "wording"):
        return {}
    return {
        other: right
        for word, right in one.words.items()
        for other in disguised(word)
        if other not in known and other not in one.unless
    }


@lru_cache(maxsize=2)
def _starting(quiet: frozenset[str]) -> RuleSet:
    """The rules of the program, compiled once: they are frozen, and read at every turn."""
    return RuleSet(_rules_in(RULES), quiet)


def _rules_in(path: Path) -> list[Rule]:
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not files:
        raise RuleError(f"{path}：没有规则文件（*.yaml），请检查目录")
    rules = [rule for file in files for rule in _read(_rows(file), file.name)]
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise RuleError(f"规则编号 {rule.id} 重复，请改成不同的编号")
        seen.add(rule.id)
    return rules


def _dense(words: Iterable[str]) -> tuple[str, ...]:
    """The matching forms, made in one go: a set may have fifty thousand words."""
    joined = "\n".join(word.replace("\n", " ") for word in words)
    return tuple(normalise(joined).text.split("\n")) if joined else ()


def _any_of(words: _Words) -> re.Pattern[str] | None:
    return re.compile("|".join(map(re.escape, _dense(words)))) if words else None


def _rows(path: Path) -> list[Any]:
    try:
        rows = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  both loaders are the safe ones
    except (OSError, yaml.YAMLError) as error:
        raise RuleError(f"{path.name}：读不出 YAML（{_one_line(error)}），请改正") from error
    if not isinstance(rows, list):
        raise RuleError(f"{path.name}：应当是规则的列表（每条以 - 开头）")
    return rows


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


_WRONG = {
    "missing": "缺少这个字段",
    "extra_forbidden": "没有这个字段，请检查拼写",
    "literal_error": "取值不对",
    "tuple_type": "应当是列表",
    "string_type": "应当是文字",
    "string_pattern_mismatch": "应当是 http 或 https 的网址",
}


def _read(rows: Iterable[Any], name: str) -> Iterator[Rule]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise RuleError(f"{name} 第 {number} 条：应当是字段和值的对照")
        try:
            yield Rule.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            why = _WRONG.get(first["type"], first["msg"].removeprefix("Value error, "))
            if first["type"] == "literal_error":
                why += f"，只能是 {first['ctx']['expected'].replace(' or ', ', ')}"
            field = f"字段 {place} " if place else ""
            label = f"（{row['id']}）" if row.get("id") else ""
            raise RuleError(f"{name} 第 {number} 条{label}：{field}{why}") from error
