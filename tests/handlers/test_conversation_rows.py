"""Where a contact stands, as a row on either database: whole, changed, replaced."""

from pathlib import Path

from sqlalchemy import text

from handlers.conversation import Conversations
from ledger.append import Ledger, load_signing_key
from storage.cache import MemoryCache
from storage.database import Database

DATA = {
    "question": "“补贴”\U0001f600怎么领\n",
    "options": ["乙", "甲"],
    "choices": ["say:0"],
    "a": {},
}


async def test_a_row_is_believed_as_kept_and_a_changed_one_is_replaced_by_the_next(
    database: Database, tmp_path: Path
) -> None:
    ledger = Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")
    kept, started = Conversations(ledger, MemoryCache()), Conversations(ledger, MemoryCache())
    await kept.keep("c", step="clarify", data=DATA)
    for process in (kept, started):
        stood = await process.at("c")
        assert stood is not None
        assert (stood.step, stood.data) == ("clarify", DATA)
    async with database.session() as session:
        await session.execute(text("UPDATE chat_draft SET step = 'topic'"))
    assert await started.at("c") is None
    await started.keep("c", step="clarify", data={})
    assert await started.at("c") is not None
    assert await kept.at("c") is not None  # the other process wrote later than this one
    await kept.end("c")
    assert await kept.at("c") is None
    async with database.session() as session:
        told = (await session.execute(text("SELECT kind, subject FROM incident"))).all()
    assert [tuple(one) for one in told] == [("row_changed", "chat_draft:c")]
