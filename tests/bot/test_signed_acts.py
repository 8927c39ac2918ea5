"""Acts that are signed outside the review queue: each asks for its person's role itself."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.contract import State
from bot.delivery.settling import settle_publication
from bot.models import Publication
from bot.switching import turn_switch
from config.clock import now
from console.web.permissions import ACTIONS
from content_sources.list_models import PictureRight
from content_sources.pictures import Declared, declare_picture
from ledger.append import Ledger, load_signing_key
from ledger.incidents import Told, sign_open
from ledger.models import Incident, LedgerEntry
from review_queue.models import Item
from staff.incidents import close_incident
from staff.models import Staff
from staff.refusal import Refused
from staff.rights import RIGHTS
from storage.database import Database, new_id
from storage.switches import Switch
from tests.made import hire

ROLES = ("editor", "admin", "supervisor", "duty", "auditor")
MEDIA = "sha256:" + "a" * 64
Act = Callable[[Ledger, str], Awaitable[object]]


async def no_news(publication_id: str) -> None:
    return


async def settle(ledger: Ledger, staff_id: str) -> None:
    await settle_publication(ledger, "p1", staff_id, "yes", on_publication=no_news)


async def stop(ledger: Ledger, staff_id: str) -> None:
    await turn_switch(ledger, staff_id, "push", stopped=True, reason="演练")


async def close(ledger: Ledger, staff_id: str) -> None:
    await close_incident(ledger, "i1", staff_id, "已核对并处理")


async def declare(ledger: Ledger, staff_id: str) -> None:
    await declare_picture(ledger, "i", staff_id, Declared(MEDIA, "本单位拍摄", "自有"))


ACTS: dict[str, tuple[Act, str]] = {
    # Both: what a person said, and that it is out.
    "publications.settle": (settle, "publication.settled publication.finished"),
    "switches.set": (stop, "switch.set"),
    "incidents.close": (close, "incident.closed"),
    "pictures.set": (declare, "picture.declared"),
}


@pytest.fixture
async def ledger(database: Database, tmp_path: Path) -> Ledger:
    async with database.session() as session:
        for number, role in enumerate(ROLES):
            session.add(
                Staff(
                    id=role,
                    login=f"p{number}",
                    name=role,
                    roles=[role],
                    password_hash="",
                    active=True,
                    created_at=now(),
                )
            )
        session.add(
            Publication(
                id="p1",
                release_id=new_id(),
                item_id="i",
                account_id="a",
                digest="d",
                state=State.UNKNOWN,
                due_at=now(),
            )
        )
        session.add(
            Item(
                id="i",
                kind="转载",
                klass="日常",
                state="draft",
                title="标题",
                author_id="editor",
                last_editor_id="editor",
                revision=0,
                created_at=now(),
                updated_at=now(),
            )
        )
    made = Ledger(database, load_signing_key(tmp_path / "key"), tmp_path / "anchors")
    await hire(made, {role: [role] for role in ROLES})
    async with made.transaction() as tx:
        await sign_open(tx, "i1", Told("k", "s", "m"), now())
    return made


async def signed(ledger: Ledger) -> list[str]:
    async with ledger.db.session() as session:
        query = select(LedgerEntry.kind).where(
            LedgerEntry.kind.not_in(("staff.set", "incident.opened"))
        )
        return list(await session.scalars(query.order_by(LedgerEntry.seq)))


@pytest.mark.parametrize("action", sorted(ACTS))
async def test_only_the_right_roles_sign(ledger: Ledger, action: str) -> None:
    act, kind = ACTS[action]
    for role in sorted({"editor", "admin", "supervisor", "duty", "auditor"} - RIGHTS[action]):
        with pytest.raises(Refused, match="您的角色不能做这件事") as refused:
            await act(ledger, role)
        assert refused.value.status == 403
    assert await signed(ledger) == []
    async with ledger.db.session() as session:
        assert await session.get(Switch, "push") is None
        assert (await session.get_one(Publication, "p1")).state == State.UNKNOWN
        assert (await session.get_one(Incident, "i1")).closed_at is None
        assert await session.get(PictureRight, MEDIA) is None
    await act(ledger, min(RIGHTS[action]))
    assert await signed(ledger) == kind.split()


@pytest.mark.parametrize("action", sorted(ACTS))
async def test_nobody_and_whoever_left_sign_nothing(ledger: Ledger, action: str) -> None:
    act, _ = ACTS[action]
    async with ledger.transaction() as tx:
        for role in ROLES:
            body = {"staff": role, "roles": [], "active": False}
            await tx.append("staff.set", subject=f"staff:{role}", actor="init", body=body)
    for staff_id in (min(RIGHTS[action]), "nobody"):
        with pytest.raises(Refused, match="账号已停用") as refused:
            await act(ledger, staff_id)
        assert refused.value.status == 403
    assert await signed(ledger) == []


@pytest.mark.parametrize("action", sorted(ACTS))
async def test_a_role_that_stands_in_the_table_alone_signs_nothing(
    ledger: Ledger, action: str
) -> None:
    """Written by whoever can write to the database, with the seal of another day put back."""
    act, _ = ACTS[action]
    async with ledger.db.session() as session:
        row = await session.get_one(Staff, "auditor")
        row.roles = sorted(RIGHTS[action])
        await session.flush()
    with pytest.raises(Refused, match="您的角色不能做这件事"):
        await act(ledger, "auditor")
    assert await signed(ledger) == []


def test_pages_are_closed_to_the_same_people() -> None:
    """The acts on sources and tasks are tried in tests/content_sources/test_powers.py."""
    assert set(ACTS) < set(RIGHTS)
    for action, roles in RIGHTS.items():
        assert ACTIONS[action] == roles
