"""Somebody with SQL or the index files changes the library; no citizen is told a word of it."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import tantivy
from sqlalchemy import delete, insert, select, text, update

from config.clock import now
from demo.acts import policies
from demo.cast import EXAMPLES, TELEGRAM_ID
from demo.stage import Stage, open_stage
from knowledge.models import Clause, Policy
from knowledge.search import Doc, Index
from ledger.models import Incident
from storage.database import new_id
from tests.bot.conftest import platforms

__all__ = ["platforms"]  # the fixture of that room, used here

LIE = "凭本短信到县政府领取现金八万元"
FALSE = "https://lie.example/8"
ASKED, OTHER = EXAMPLES[0], EXAMPLES[4]
Rows = Mapping[type[Policy] | type[Clause], list[dict[str, Any]]]


@pytest.fixture
async def stage(tmp_path: Path, platforms: Any) -> AsyncIterator[Stage]:
    """A running office with its library, and one citizen on the Telegram of the sandbox."""
    async with open_stage(tmp_path, platforms.url, fresh=False) as stage:
        await policies(stage)
        yield stage


async def citizen(stage: Stage) -> str:
    made = await stage.sandbox.post(
        "citizens", account=TELEGRAM_ID, count=1, prefix="市民", follow=True
    )
    return str(made["citizens"][0])


async def says(stage: Stage, words: str) -> str:
    """What one citizen is told on the platform, whole; a new one each time."""
    who = await citizen(stage)

    async def received() -> list[Any]:
        got = await stage.sandbox.get("messages", account=TELEGRAM_ID, citizen=who)
        return list(got["messages"])

    before = len(await received())
    await stage.sandbox.post("say", account=TELEGRAM_ID, citizen=who, text=words)
    for _ in range(1200):
        if len(told := await received()) > before:
            return json.dumps(told, ensure_ascii=False)
        await asyncio.sleep(0.05)
    raise AssertionError("no answer")


async def snapshot(stage: Stage) -> Rows:
    found: dict[type[Policy] | type[Clause], list[dict[str, Any]]] = {}
    async with stage.shenfa.db.session() as session:
        for table in (Policy, Clause):
            rows = await session.execute(select(*table.__table__.columns))
            found[table] = [dict(row) for row in rows.mappings()]
    return found


async def restore(stage: Stage, rows: Rows) -> None:
    """As a backup would: the very rows; the incidents of one attack are put aside for the next."""
    async with stage.shenfa.db.session() as session:
        for table, whole in rows.items():
            await session.execute(delete(table))
            await session.execute(insert(table), whole)
        await session.execute(delete(Incident))
    await stage.shenfa.knowledge.compare()


async def named(stage: Stage) -> set[tuple[str, str]]:
    """Table and field of every open incident about the library."""
    async with stage.shenfa.db.session() as session:
        query = select(Incident).where(Incident.kind == "policy_changed")
        rows = (await session.scalars(query)).all()
    return {(row.detail["table"], row.detail["field"]) for row in rows}


async def policy_id(stage: Stage, number: str) -> str:
    async with stage.shenfa.db.session() as session:
        return (await session.scalars(select(Policy.id).where(Policy.doc_number == number))).one()


FIELDS: dict[str, Any] = {
    "title": LIE,
    "doc_number": "假政发〔2026〕1号",
    "issuer": LIE,
    "url": FALSE,
    "issued_on": "1999-09-09",
    "effective_from": "2030-01-01",
    "effective_to": "2020-01-01",
    "repealed_on": "2020-01-01",
    "amended_on": "2020-02-02",
    "successor_id": "nobody",
    "state": "rejected",
}
INVENTED = (LIE, FALSE, "假政发", "1999-09-09", "2020-01-01", "2020-02-02", "2030-01-01")


def invented(told: str) -> list[str]:
    return [one for one in INVENTED if one in told]


async def test_no_invented_word_of_a_policy_or_clause_reaches_a_citizen(stage: Stage) -> None:
    """Each column, one at a time: asked through the platform, the incident names it."""
    right, key = await snapshot(stage), await policy_id(stage, ASKED.number)
    assert ASKED.words in await says(stage, ASKED.question)
    for column, value in FIELDS.items():
        async with stage.shenfa.db.session() as session:
            await session.execute(update(Policy).where(Policy.id == key).values({column: value}))
        told = await says(stage, ASKED.question)
        assert not invented(told), column
        assert ASKED.number not in told, column  # the policy is left out whole
        assert ("policy", column) in await named(stage), column
        assert OTHER.words in await says(stage, OTHER.question), column
        await restore(stage, right)
    await no_invented_clause(stage, right, key)
    assert ASKED.words in await says(stage, ASKED.question)
    assert await named(stage) == set()


CLAUSES: dict[str, Any] = {
    "text": LIE,
    "label": LIE,
    "heading": LIE,
    "repealed_on": "2020-01-01",
    "start": "一",  # SQLite takes words where numbers stand
}


async def no_invented_clause(stage: Stage, right: Rows, key: str) -> None:
    for column, value in CLAUSES.items():
        async with stage.shenfa.db.session() as session:
            await session.execute(
                update(Clause).where(Clause.policy_id == key).values({column: text(":v")}),
                {"v": value},
            )
        told = await says(stage, ASKED.question)
        assert not invented(told), column
        assert ASKED.number not in told, column
        assert {table for table, _ in await named(stage)} == {"clause"}, column
        assert OTHER.words in await says(stage, OTHER.question), column
        await restore(stage, right)


async def test_rows_that_were_moved_taken_away_or_put_in_are_told_to_nobody(stage: Stage) -> None:
    right, key = await snapshot(stage), await policy_id(stage, ASKED.number)
    other = await policy_id(stage, OTHER.number)
    async with stage.shenfa.db.session() as session:
        mine = update(Clause).where(Clause.policy_id == key, Clause.number > 1)
        await session.execute(mine.values(policy_id=other, number=Clause.number + 900))
    told = await says(stage, ASKED.question)
    assert ASKED.number not in told
    assert OTHER.number not in told
    await stage.shenfa.knowledge.compare()
    assert {table for table, _ in await named(stage)} == {"clause"}
    await restore(stage, right)
    async with stage.shenfa.db.session() as session:
        await session.execute(delete(Clause).where(Clause.policy_id == key))
        await session.execute(delete(Policy).where(Policy.id == other))
    assert ASKED.number not in await says(stage, ASKED.question)
    assert OTHER.number not in await says(stage, OTHER.question)
    assert await named(stage) >= {("policy", "row"), ("clause", "row")}
    await restore(stage, right)
    await a_changed_document_is_found_by_the_next_look(stage, key)
    await restore(stage, right)
    await a_policy_that_nobody_approved_is_never_quoted(stage)


async def a_changed_document_is_found_by_the_next_look(stage: Stage, key: str) -> None:
    async with stage.shenfa.db.session() as session:
        await session.execute(update(Policy).where(Policy.id == key).values(text=LIE))
    assert not invented(await says(stage, ASKED.question))
    await stage.shenfa.knowledge.compare()
    assert await named(stage) == {("policy", "text")}
    assert ASKED.number not in await says(stage, ASKED.question)


async def a_policy_that_nobody_approved_is_never_quoted(stage: Stage) -> None:
    async with stage.shenfa.db.session() as session:
        key = new_id()
        row: dict[str, Any] = {
            "id": key,
            "title": "现金发放办法",
            "doc_number": "假政发〔2026〕1号",
            "text": LIE,
        }
        row |= {"facets": {}, "state": "active", "proposed_by": "x", "issuer": "", "url": FALSE}
        await session.execute(insert(Policy), [row | {"version": 999, "created_at": now()}])
        part: dict[str, Any] = {
            "id": new_id(),
            "policy_id": key,
            "number": 1,
            "label": "",
            "heading": "",
        }
        await session.execute(insert(Clause), [part | {"text": LIE, "start": 0, "end": len(LIE)}])
    await stage.shenfa.knowledge.compare()
    assert not invented(await says(stage, "现金发放办法怎么领取现金"))
    assert await named(stage) == {("policy", "row")}
    assert OTHER.words in await says(stage, OTHER.question)


async def test_a_forged_index_neither_speaks_nor_chooses(stage: Stage) -> None:
    """Files of the index that say what no row says, with the keys of true clauses."""
    assert ASKED.words in await says(stage, ASKED.question)
    place = next((stage.shenfa.settings.home / "index").iterdir())
    async with stage.shenfa.db.session() as session:
        keys = (await session.scalars(select(Clause.id))).all()
    shutil.rmtree(place)
    Index.build([Doc(key, ASKED.question, f"{ASKED.question}，{LIE}") for key in keys], place)
    stage.shenfa.knowledge._loaded = None  # as after a start
    told = await says(stage, ASKED.question)
    assert not invented(told)
    assert ASKED.words in told
    assert await named(stage) == {("index", "")}
    place.mkdir(exist_ok=True)
    foreign = tantivy.SchemaBuilder()
    for name in ("pairs", "characters"):
        foreign.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    strange = tantivy.Index(foreign.build(), path=str(place))
    writer = strange.writer()
    writer.add_document(tantivy.Document(pairs="补贴 标准 多少", characters="补"))
    writer.commit()
    writer.wait_merging_threads()
    stage.shenfa.knowledge._loaded = None
    assert ASKED.words in await says(stage, ASKED.question)
    place.mkdir(exist_ok=True)
    (place / "meta.json").write_bytes(b"no index at all")
    stage.shenfa.knowledge._loaded = None
    assert ASKED.words in await says(stage, ASKED.question)
