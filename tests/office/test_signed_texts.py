"""Signed texts over both databases: newest wins, rows are compared, processes agree."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from config.texts import FieldFault, TextFault
from handlers.released import ReleasedTemplates
from ledger.append import Ledger, load_signing_key
from ledger.following import Following
from ledger.models import Incident
from office.parts import parts_of, seed_texts
from staff.proposals import Approval
from staff.refusal import Refused
from staff.settings import Part, SettingKind, SignedSettings, store_setting
from storage.database import Database


def number(data: Any) -> int:
    if not isinstance(data, dict) or not isinstance(data.get("n"), int):
        raise FieldFault("n 应为整数", "n")
    return int(data["n"])


PART = Part("number", "数字", number, "暂停计数")


class Place:
    """A ledger with one setting, and what two people make of it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.settings = self.other()

    def other(self) -> SignedSettings:
        """The settings as another process sees them."""
        return SignedSettings(self.ledger, [PART])

    async def store(self, version: int, words: str) -> None:
        async with self.ledger.transaction() as tx:
            await store_setting(tx, "number", version, words, Approval(1, None, "a", "b"))

    async def sql(self, words: str) -> None:
        async with self.ledger.db.session() as session:
            await session.execute(text(words))

    async def incidents(self) -> list[str]:
        async with self.ledger.db.session() as session:
            return [*(await session.scalars(select(Incident.subject))).all()]


@pytest.fixture
def place(database: Database, tmp_path: Path) -> Place:
    return Place(Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl"))


async def test_the_newest_signed_version_is_in_force_and_every_process_finds_it(
    place: Place,
) -> None:
    with pytest.raises(Refused, match="数字"):
        place.settings.held("number")
    await place.store(1, "n: 1\n")
    other = place.other()
    await place.settings.refresh()
    await other.refresh()
    await place.store(2, "n: 2\n")
    assert place.settings.held("number") == 1
    await place.settings.refresh()
    await other.refresh()
    assert (place.settings.held("number"), other.held("number")) == (2, 2)
    assert [row.version for row in await other.history("number")] == [2, 1]


async def test_a_changed_a_missing_and_an_inserted_row_count_for_nothing(place: Place) -> None:
    await place.store(1, "n: 1\n")
    await place.store(2, "n: 2\n")
    await place.settings.refresh()
    await place.sql("UPDATE setting SET text = 'n: 9' WHERE version = 2")
    await place.settings.compare()
    # Proved before and still in memory; not the version before it either.
    assert place.settings.held("number") == 2
    started = place.other()
    await started.refresh()
    with pytest.raises(Refused, match="暂停计数"):
        started.held("number")
    assert await place.incidents() == ["setting:number:2"]
    await place.sql("UPDATE setting SET text = 'n: 2\n' WHERE version = 2")
    await started.refresh()
    assert started.held("number") == 2
    await place.sql("DELETE FROM setting WHERE version = 2")
    started = place.other()
    await started.refresh()
    with pytest.raises(Refused):
        started.held("number")


async def test_a_row_and_its_digest_column_changed_together_are_found(place: Place) -> None:
    """The digest that counts is the signed one."""
    await place.store(1, "n: 1\n")
    await place.sql("UPDATE setting SET text = 'n: 9', digest = 'x', approved_seq = 7")
    await place.settings.refresh()
    with pytest.raises(Refused):
        place.settings.held("number")


async def test_a_text_an_older_program_read_and_this_one_does_not_stops_its_part(
    place: Place,
) -> None:
    await place.store(1, "n: eins\n")
    await place.settings.refresh()
    with pytest.raises(Refused):
        place.settings.held("number")
    assert await place.incidents() == ["setting:number"]


async def test_what_stands_for_a_setting_is_always_the_one_of_now(place: Place) -> None:
    await place.store(1, "n: 5\n")
    await place.settings.refresh()
    held = place.settings.in_force("number")
    assert held.bit_length() == 3
    await place.store(2, "n: 500\n")
    await place.settings.refresh()
    assert held.bit_length() == 9


async def test_looking_again_costs_one_query_and_within_a_second_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[int] = []

    async def load(entries: Any, again: bool) -> bool:  # noqa: FBT001  see Load
        loaded.append(len(entries))
        return True

    await place.store(1, "n: 1\n")
    following = Following(place.ledger, "settings", load)
    for _ in range(3):
        await following.refresh()
    assert loaded == [1]
    asked: list[int] = []
    monkeypatch.setattr(place.ledger.db, "read", lambda look: asked.append(1))
    await following.refresh(60.0)
    assert asked == []


async def test_the_starting_texts_are_all_proved_after_they_were_signed(place: Place) -> None:
    async with place.ledger.transaction() as tx:
        assert await seed_texts(tx) > 50
    settings, templates = SignedSettings(place.ledger, parts_of("")), None
    await settings.refresh()
    assert all(settings.proved(part.name) for part in parts_of(""))
    templates = ReleasedTemplates(place.ledger)
    await templates.refresh()
    assert templates.usable("welcome", "quote_source", "unavailable")
    async with place.ledger.db.session() as session:
        assert (await session.scalar(select(func.count()).select_from(Incident))) == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("class_triggers", "- {klass: 重要, basis: 乙, words: [甲" + ", 甲" * 20_000 + "]}"),
        (
            "class_triggers",
            "- {klass: 重要, words: [甲], basis: 乙, must: [" + "甲, " * 20_000 + "]}",
        ),
        ("taxonomy", "dimensions: " + "[" * 50_000),
        ("synonyms", "asking: [" + "啊, " * 60_000 + "]\nsynonyms: {甲: [乙]}\n"),
        ("answering", "a: &a [啊]\n" + "b: [*a, *a]\n" * 10_000),
        ("links", "own_hosts: [" + "a.cn, " * 30_000 + "]\nsuffixes: []\n"),
    ],
    ids=["words", "examples", "deep", "flat", "references", "hosts"],
)
def test_a_text_made_to_stall_is_read_or_refused_at_once(name: str, words: str) -> None:
    part = next(one for one in parts_of("") if one.name == name)
    began = time.process_time()
    with suppress(TextFault):
        part.value(words)
    # A third of a second on an idle machine, minutes before each of them was mended.
    assert time.process_time() - began < 20


async def test_a_text_of_too_many_lines_is_not_compared(place: Place) -> None:
    with pytest.raises(Refused, match="最多 2000 行"):
        await SettingKind(place.settings).check({"name": "number", "text": "n: 1\n" + "#\n" * 3000})
