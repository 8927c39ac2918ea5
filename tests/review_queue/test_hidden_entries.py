"""A newer version is in force though somebody rewrites the column that names its entry."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from ledger.append import Ledger, load_signing_key
from ledger.following import Following
from ledger.models import Incident
from ledger.watch import Watch
from review_queue.governance.levels import ApprovedLevels, store_definition
from review_queue.governance.rulesets import RuleSets, store_version
from review_queue.workflow import load_workflows
from staff.proposals import Approval
from staff.refusal import Refused
from storage.database import Database

WORKFLOWS = Path(__file__).parents[2] / "config" / "workflows.yaml"
BY = Approval(1, None, "a", "b")
HIDE = """CREATE TRIGGER hide AFTER INSERT ON ledger_entry BEGIN
UPDATE ledger_entry SET subject = 'x', kind = 'x' WHERE seq = NEW.seq; END"""
HIDE_POSTGRES = (
    """CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN NEW.subject := 'x'; NEW.kind := 'x'; RETURN NEW; END $$""",
    "CREATE TRIGGER hide BEFORE INSERT ON ledger_entry FOR EACH ROW EXECUTE FUNCTION hide()",
)


def rule(word: str) -> dict[str, Any]:
    return {
        "id": "office.word",
        "gate": "wording",
        "severity": "block",
        "terms": [word],
        "reason": "已改名",
        "basis": "公告",
        "must": [f"请到{word}办理"],
        "must_not": ["请到大厅办理"],
    }


@pytest.fixture
def ledger(database: Database, tmp_path: Path) -> Ledger:
    return Ledger(database, load_signing_key(tmp_path / "l.key"), tmp_path / "anchors.jsonl")


async def hide(ledger: Ledger) -> None:
    """From now on every new entry is written with another subject and kind beside its text."""
    async with ledger.db.session() as session:
        for statement in (HIDE,) if ledger.db.is_sqlite else HIDE_POSTGRES:
            await session.execute(text(statement))


async def test_a_newer_rule_set_is_used_and_the_watch_names_the_entry(ledger: Ledger) -> None:
    async with ledger.transaction() as tx:
        await store_version(tx, 1, [rule("河东市集")], BY, "一")
    here, there = RuleSets(ledger), RuleSets(ledger)
    assert [(await sets.active()).version for sets in (here, there)] == [1, 1]
    watch = Watch(ledger)
    assert await watch.look() is None
    await hide(ledger)
    async with ledger.transaction() as tx:
        await store_version(tx, 2, [rule("河西市集")], BY, "二")
    async with ledger.db.session() as session:
        with pytest.raises(Refused, match="新的一版"):
            await here.held(session)
    assert [(await here.active()).version, (await there.proved()).version] == [2, 2]
    async with ledger.db.session() as session:
        assert (await here.held(session)).version == 2
    broken = await watch.look()
    assert broken is not None
    assert broken.seq == 2
    async with ledger.db.session() as session:
        kinds = set((await session.scalars(select(Incident.kind))).all())
    # The trigger that hid the entry is named too.
    assert kinds == {"ledger_broken", "database_triggers"}


async def test_newer_levels_are_used(ledger: Ledger) -> None:
    flow = load_workflows(WORKFLOWS)["重要"]
    async with ledger.transaction() as tx:
        await store_definition(tx, flow, BY)
    levels = ApprovedLevels(ledger)
    await levels.refresh()
    await hide(ledger)
    async with ledger.transaction() as tx:
        await store_definition(tx, replace(flow, version=flow.version + 1), BY)
    await levels.refresh()
    assert levels["重要"].version == flow.version + 1


async def test_what_follows_a_subject_is_told_of_its_newer_entry_and_of_no_other(
    ledger: Ledger,
) -> None:
    loaded: list[int] = []

    async def load(entries: Any, again: bool) -> bool:  # noqa: FBT001  see Load
        loaded.append(len(entries))
        return True

    following = Following(ledger, "templates", load)

    async def sign(subject: str) -> None:
        async with ledger.transaction() as tx:
            await tx.append("template.released", subject=subject, actor="a", body={})
        await following.refresh()

    await sign("templates")
    await hide(ledger)
    await sign("settings")
    assert loaded == [1]
    await sign("templates")
    assert loaded == [1, 2]
