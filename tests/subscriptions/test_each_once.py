"""Whatever people and items there are: each person gets each item meant for them exactly once.

Under kills at any statement, reruns by a new process, people who leave, and values that are renamed
or merged meanwhile. What is expected is worked out here, from trees of a few values, by nothing of
the program.
"""

import asyncio
import copy
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import event as hooks
from sqlalchemy import select

from bot.contract import Release
from bot.models import Account, Contact, Delivery, Publication
from config.clock import now
from facets.taxonomy import DIMENSIONS, Taxonomy, parse_taxonomy
from ledger.append import Ledger, load_signing_key
from storage.database import Database, new_id
from subscriptions.matching import Matching
from subscriptions.push import CREATED, Pusher
from subscriptions.subscribers import CONSENT_VERSION, Subscribers, Wish
from tests.made import SEALS, signed_out
from tests.subscriptions.test_push import all_day, released

TREES: Mapping[str, Mapping[str, str | None]] = {
    "topics": {"work": None, "hire": "work", "train": "work", "shop": None},
    "groups": {"grad": None, "vet": None},
    "regions": {"nmg": None, "hoh": "nmg", "tz": "hoh", "bao": "nmg"},
    "industries": {"food": None, "farm": None},
    "kinds": {"notice": None},
}
Asked = tuple[str, ...]


# --- what is expected ---------------------------------------------------------------------------


@dataclass
class Values:
    """The taxonomy as the oracle has it: each value's wider one, and what keys are called now."""

    above: dict[str, dict[str, str | None]] = field(
        default_factory=lambda: {name: dict(tree) for name, tree in TREES.items()}
    )
    heir: dict[tuple[str, str], str] = field(default_factory=dict)

    def rename(self, dimension: str, key: str) -> None:
        tree, new = self.above[dimension], f"{key}2"
        tree[new] = tree.pop(key)
        self._moved(dimension, key, new)

    def merge(self, dimension: str, key: str, into: str) -> None:
        self.above[dimension].pop(key)
        self._moved(dimension, key, into)

    def _moved(self, dimension: str, old: str, new: str) -> None:
        for one, above in self.above[dimension].items():
            if above == old:
                self.above[dimension][one] = new
        for place, key in self.heir.items():
            if place[0] == dimension and key == old:
                self.heir[place] = new
        self.heir[dimension, old] = new

    def now(self, dimension: str, key: str) -> str:
        return self.heir.get((dimension, key), key)

    def up(self, dimension: str, key: str) -> list[str]:
        found, at = [], self.above[dimension].get(key)
        while at is not None:
            found.append(at)
            at = self.above[dimension].get(at)
        return [key, *found]

    def fits(self, dimension: str, listed: str, asked: str) -> bool:
        """Whether one value of an item fits one of a subscription."""
        if not asked:
            return True
        item, own = self.now(dimension, listed), self.now(dimension, asked.rstrip("+"))
        wider, narrower = own in self.up(dimension, item), item in self.up(dimension, own)
        if dimension == "topics":
            return wider or narrower
        if dimension == "regions":
            return narrower or (asked.endswith("+") and wider)
        return item == own

    def meant(self, audience: Mapping[str, Sequence[str]], own: Sequence[Asked]) -> bool:
        counts = [
            asked
            for asked in own
            if all(
                any(self.fits(name, one, value) for one in audience[name])
                for name, value in zip(DIMENSIONS, asked, strict=True)
                if audience.get(name)
            )
        ]
        return bool(counts) and all(
            any(self.fits(name, one, asked[DIMENSIONS.index(name)]) for asked in counts)
            for name in audience.get("all", ())
            for one in audience.get(name, ())
        )

    def taxonomy(self) -> Taxonomy:
        def value(name: str, key: str, above: str | None) -> dict[str, Any]:
            was = [old for (where, old), new in self.heir.items() if (where, new) == (name, key)]
            return {"label": f"{name}-{key}", "was": was} | ({"parent": above} if above else {})

        said = {
            name: {"values": {key: value(name, key, above) for key, above in tree.items()}}
            for name, tree in self.above.items()
        }
        return parse_taxonomy({"dimensions": said})


# --- what happens -------------------------------------------------------------------------------

KEYS = {name: st.sampled_from(sorted(tree)) for name, tree in TREES.items()}
REGION = st.builds(lambda key, below: key + below, KEYS["regions"], st.sampled_from(["", "+"]))
VALUE = {name: REGION if name == "regions" else keys for name, keys in KEYS.items()}
ASKED = st.tuples(*(st.just("") | VALUE[name] for name in DIMENSIONS)).filter(any)
LIST = st.lists(ASKED, max_size=3, unique=True)


@st.composite
def audiences(draw: st.DrawFn) -> dict[str, list[str]]:
    """A topic at least; of each dimension any, or each."""
    found = {"topics": draw(st.lists(KEYS["topics"], min_size=1, max_size=2, unique=True))}
    for name in DIMENSIONS[1:]:
        found[name] = draw(st.lists(KEYS[name], max_size=2, unique=True))
    every = [name for name in DIMENSIONS if len(found[name]) > 1 and draw(st.booleans())]
    return found | ({"all": every} if every else {})


KILL = st.tuples(st.just("kill"), st.integers(0, 60))
# Topics more often than the rest: each item and most lists have one.
WHERE = st.sampled_from(("topics", "topics", *DIMENSIONS))
RENAME = st.tuples(st.just("rename"), WHERE, st.integers(0, 9))
MERGE = st.tuples(st.just("merge"), WHERE, st.integers(0, 9), st.integers(0, 9))
LEAVE = st.tuples(st.just("leave"), st.integers(0, 3))
STEPS = st.lists(KILL | RENAME | MERGE | KILL | LEAVE, min_size=2, max_size=6)


class Killed(Exception):
    """The process ended here, as far as the database can tell."""


@contextmanager
def killed_after(db: Database, statements: int) -> Iterator[None]:
    """No statement and no commit gets through after so many."""
    left = statements

    def spend(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    for engine in db.engines:
        hooks.listen(engine, "before_cursor_execute", spend)
        hooks.listen(engine, "commit", spend)
    try:
        yield
    finally:
        for engine in db.engines:
            hooks.remove(engine, "before_cursor_execute", spend)
            hooks.remove(engine, "commit", spend)


class World:
    """One database for all examples; each has an account of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, load_signing_key(folder / "key")
        self.db = Database(f"sqlite+aiosqlite:///{folder / 'w.db'}", SEALS)

    def ledger(self) -> Ledger:
        """As a new process opens it."""
        return Ledger(self.db, self.key, self.folder / "anchors")


Moment = tuple[Values, list[list[Asked]]]


@dataclass
class Example:
    """One account, its people and items, and the taxonomy of the moment."""

    world: World
    values: Values
    account: str
    people: list[Contact]
    lists: list[list[Asked]]
    audiences: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # by release
    places: dict[str, str] = field(default_factory=dict)  # publication by release
    tried: list[Moment] = field(default_factory=list)
    whole: dict[str, Moment] = field(default_factory=dict)  # when all rows of a release were made

    async def create(self, statements: int = 10_000) -> int:
        """Make the rows, killed after so many statements; by a process of its own."""

        async def verify(release_id: str, account_id: str = "") -> Release:
            return released(MappingProxyType(self.audiences[release_id]), release_id)

        ledger = self.world.ledger()
        matching = Matching(self.values.taxonomy(), all_day)
        pusher = Pusher(self.world.db, ledger, verify, matching)
        self.tried.append((copy.deepcopy(self.values), copy.deepcopy(self.lists)))
        made = 0
        with killed_after(self.world.db, statements), suppress(Killed):
            made = await pusher.create_due()
        for release, place in self.places.items():
            facts = await self.world.ledger().facts(f"publication:{place}")
            if any(one.kind == CREATED for one in facts):
                self.whole.setdefault(release, self.tried[-1])
        return made

    async def leave(self, number: int) -> None:
        if number >= len(self.people):
            return
        async with self.world.ledger().transaction() as tx:
            await Subscribers(self.values.taxonomy()).leave_all(tx, self.people[number].id)
        self.lists[number] = []

    def change(self, name: str, dimension: str, *places: int) -> None:
        keys = sorted(self.values.above[dimension])
        key, into = keys[places[0] % len(keys)], keys[places[-1] % len(keys)]
        if name == "rename":
            self.values.rename(dimension, key)
        elif key not in self.values.up(dimension, into):  # else it would be inside itself
            self.values.merge(dimension, key, into)

    def meant(self, at: Moment, release: str) -> set[str]:
        values, lists = at
        audience = self.audiences[release]
        return {
            person.id
            for person, own in zip(self.people, lists, strict=True)
            if values.meant(audience, own)
        }

    async def check(self) -> None:
        """The rows are what was meant, and the sender lets out what is meant now."""
        async with self.world.db.session() as session:
            mine = select(Delivery).where(Delivery.account_id == self.account)
            rows = (await session.scalars(mine)).all()
            ids = [one.id for one in self.people]
            wants = await Matching(self.values.taxonomy(), all_day).wants(session, ids)
        for release, audience in self.audiences.items():
            made = [one for one in rows if one.release_id == release]
            people = [one.contact_id for one in made]
            assert len(people) == len(set(people))
            assert {one.publication_id for one in made} <= {self.places[release]}
            ever = set().union(*(self.meant(one, release) for one in self.tried))
            # Whole under the values of the moment in which it was made whole; what an earlier try
            # left was meant then, and the sender asks once more.
            assert self.meant(self.whole[release], release) <= set(people) <= ever
            today = self.meant((self.values, self.lists), release)
            let = {
                one.contact_id
                for one in made
                if wants.why(self.account, one.contact_id, audience, one.reason)
            }
            assert let == set(people) & today


async def example(
    world: World,
    lists: list[list[Asked]],
    items: list[dict[str, list[str]]],
    steps: list[tuple[Any, ...]],
) -> None:
    made = await _made(world, lists, items)
    for name, *rest in steps:
        if name == "kill":
            await made.create(rest[0])
        elif name == "leave":
            await made.leave(rest[0])
        else:
            made.change(name, *rest)
    await made.create()
    assert await made.create() == 0
    await made.check()


async def _made(
    world: World, lists: list[list[Asked]], items: list[dict[str, list[str]]]
) -> Example:
    account, values, ledger = new_id(), Values(), world.ledger()
    people = [
        Contact(
            id=new_id(),
            account_id=account,
            subject_ref=new_id(),
            address="x",
            address_hash=new_id(),
            state="active",
            created_at=now(),
        )
        for _ in lists
    ]
    async with ledger.transaction() as tx:
        tx.session.add(
            Account(
                id=account,
                slug=account,
                organisation_id="o",
                platform="tg",
                name="青禾发布",
                api_base="",
                secrets="",
                settings={},
                created_at=now(),
            )
        )
        tx.session.add_all(people)
        await tx.session.flush()
        for person, own in zip(people, lists, strict=True):
            for topic, group, region, industry, kind in own:
                wish = Wish(topic, group, region, industry=industry, kind=kind)
                await Subscribers(values.taxonomy()).subscribe(tx, person, wish, CONSENT_VERSION)
    found = Example(world, values, account, people, [list(own) for own in lists])
    for audience in items:
        release, row = new_id(), new_id()
        found.audiences[release], found.places[release] = audience, row
        place = Publication(
            id=row,
            release_id=release,
            item_id=new_id(),
            account_id=account,
            digest="d",
            state="published",
            due_at=now(),
        )
        async with world.db.session() as session:
            session.add(place)
        await signed_out(ledger, place)
    return found


def test_each_person_gets_each_item_meant_for_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("subscriptions.matching.BATCH", 2)

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    @given(
        st.lists(LIST, min_size=1, max_size=5), st.lists(audiences(), min_size=1, max_size=2), STEPS
    )
    def walk(
        lists: list[list[Asked]], items: list[dict[str, list[str]]], steps: list[tuple[Any, ...]]
    ) -> None:
        runner.run(example(world, lists, items, steps))

    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        world = World(Path(folder))
        runner.run(world.db.create_all())
        try:
            walk()
        finally:
            runner.run(world.db.close())
