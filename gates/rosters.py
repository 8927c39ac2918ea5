"""What an office keeps itself, as a rule row: leaders with posts and order, names of units.

Told: a post that is not the person's on that day, a name one character off behind a post only one
person holds, leaders named out of their order, and a unit's name one character off.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from gates.finding import Context, Ground

_FORMER = re.compile(r"(?:原|前|时任|曾任|历任|已故|老)(?:任)?[\u4e00-\u9fff]{0,8}$")
_Found = Mapping[str, Sequence[tuple[int, int]]]


class Person(BaseModel):
    """One leader: posts as they are written before the name, place in the order, days in office."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=2)
    posts: tuple[Annotated[str, Field(min_length=2)], ...] = Field(min_length=1)
    order: int = 0
    valid_from: date | None = None
    valid_to: date | None = None

    def serves(self, day: date) -> bool:
        """Whether the person holds the posts on that day."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day <= self.valid_to
        )


class Told(NamedTuple):
    """What a roster has to say of a span of the dense text."""

    span: tuple[int, int]
    ground: Ground
    suggestions: Sequence[str]


class _Named(NamedTuple):
    name: str
    start: int
    end: int


class Roster:
    """The people and units of one rule, ready to be looked for."""

    def __init__(self, ground: Ground, people: Sequence[Person], units: Sequence[str]) -> None:
        """Keep them with what a finding of theirs says."""
        self._ground = ground
        self._people = people
        self._names = {person.name for person in people}
        self._posts = {post for person in people for post in person.posts}
        self._heads: dict[str, list[str]] = {}
        for unit in units:
            self._heads.setdefault(unit[:2], []).append(unit)

    @property
    def words(self) -> set[str]:
        """What the automaton has to find for it."""
        return self._names | self._posts | set(self._heads)

    def find(self, ctx: Context, found: _Found) -> Iterator[Told]:
        """Findings of one field."""
        serving = [person for person in self._people if person.serves(ctx.as_of)]
        named = sorted(
            (_Named(name, *span) for name in self._names for span in found.get(name, ())),
            key=lambda one: one.start,
        )
        for one in named:
            yield from self._post(ctx, one, serving)
        for post in self._posts:
            for span in found.get(post, ()):
                yield from self._name(ctx, post, span, serving)
        yield from self._order(ctx, named, serving)
        for head, units in self._heads.items():
            for start, _ in found.get(head, ()):
                yield from self._unit(ctx, start, units)

    def _say(self, reason: str) -> Ground:
        return self._ground._replace(reason=f"{reason}；{self._ground.reason}")

    def _post(self, ctx: Context, one: _Named, serving: Sequence[Person]) -> Iterator[Told]:
        """The posts written before a name, against those the person holds."""
        mine = [post for person in serving if person.name == one.name for post in person.posts]
        end = one.start
        text = ctx.dense.text
        while post := _longest(self._posts, text, end):
            start = end - len(post)
            # 副县长 ends with 县长: the deputy's post is another post.
            if text[start - 1 : start] == "副":
                start, post = start - 1, "副" + post
            # 原县长 and 时任县长 are right although the post is no longer theirs.
            if post not in mine and not _FORMER.search(text[max(0, start - 10) : start]):
                said = f"{one.name}的职务是{'、'.join(mine)}" if mine else f"{one.name}已不任此职"
                # A correction is proposed only where it cannot be the wrong one of several.
                better = mine[:1] if end == one.start and len(mine) == 1 else []
                yield Told((start, end), self._say(said), better)
            end = start - 1 if text[start - 1 : start] == "、" else 0

    def _name(
        self, ctx: Context, post: str, span: tuple[int, int], serving: Sequence[Person]
    ) -> Iterator[Told]:
        """A name one character off behind a post that just one person holds."""
        text, end = ctx.dense.text, span[1]
        holders = {person.name for person in serving if post in person.posts}
        # With several holders any of them may be meant.
        if len(holders) != 1 or text[span[0] - 1 : span[0]] == "副":
            return
        name = holders.pop()
        written = text[end : end + len(name)]
        differing = sum(a != b for a, b in zip(name, written, strict=False))
        # One of three characters: of two, half would differ, and another person is likelier than a
        # slip.
        if len(written) == len(name) > 2 and differing == 1 and written not in self._names:
            before = text[max(0, span[0] - 10) : span[0]]
            if not _FORMER.search(before):
                said = self._say(f"{post}是{name}，姓名可能写错")
                yield Told((end, end + len(name)), said, [name])

    def _order(
        self, ctx: Context, named: Sequence[_Named], serving: Sequence[Person]
    ) -> Iterator[Told]:
        """Names in a row, with nothing but posts between, in the order the office keeps."""
        order = {person.name: person.order for person in serving if person.order}
        row: list[_Named] = []
        for one in (*named, None):
            if one is not None and one.name in order and (
                not row or self._next_in_row(ctx.dense.text[row[-1].end : one.start])
            ):  # fmt: skip
                row.append(one)
                continue
            yield from self._row(row, order)
            row = [one] if one is not None and one.name in order else []

    def _next_in_row(self, between: str) -> bool:
        if not between.startswith("、"):
            return False
        return all(part in self._posts for part in between[1:].split("、") if part)

    def _row(self, row: Sequence[_Named], order: Mapping[str, int]) -> Iterator[Told]:
        names = [one.name for one in row]
        right = sorted(names, key=lambda name: order[name])
        if names == right:
            return
        # With posts between the names the order of posts would have to be changed too: that is for
        # a person.
        plain = all(after.start == before.end + 1 for before, after in pairwise(row))
        said = self._say(f"领导同志的排序应为{'、'.join(right)}")
        yield Told((row[0].start, row[-1].end), said, ["、".join(right)] if plain else [])

    def _unit(self, ctx: Context, start: int, units: Sequence[str]) -> Iterator[Told]:
        """A stretch of the text that is one character off the name of a unit."""
        text = ctx.dense.text
        # A right name may be one character off another right one; both have this head.
        if any(text.startswith(unit, start) for unit in units):
            return
        for unit in units:
            for length in (len(unit), len(unit) - 1, len(unit) + 1):
                written = text[start : start + length]
                if written.endswith(unit[-1]) and one_off(written, unit):
                    said = self._say(f"单位名称应为“{unit}”")
                    yield Told((start, start + length), said, [unit])
                    return


def _longest(words: Iterable[str], text: str, end: int) -> str:
    """The longest of the words that the text up to `end` ends with."""
    return max((word for word in words if text.endswith(word, 0, end)), key=len, default="")


def one_off(one: str, other: str) -> bool:
    """Whether two words differ by one character changed, left out or put in."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), -1)
    if at < 0:
        return True
    return one[at + (len(one) >= len(other)) :] == other[at + (len(other) >= len(one)) :]
