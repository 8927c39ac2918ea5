"""What waits for a second person beside proposals: stopped answers, comments, ways to sign in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.comment_models import CommentAct, CommentArea
from console.settings.frame import waiting_people
from console.web.deps import Deps
from console.web.permissions import may
from escalations.models import Ticket, TicketReply
from ledger.verify import Broken
from staff.handover import witness_faults
from staff.identities import waiting_identities
from staff.passkeys import waiting_keys
from staff.people import names
from staff.sessions import Visitor

_KEYS, _BOUND = "/console/me/passkeys", "/console/me/identity"
_MOST = 20
"""Of a kind; each has its own page with all of them."""


@dataclass(frozen=True)
class Second:
    """One thing that somebody else began and this person may let go."""

    path: str
    headline: str
    label: str
    by: str
    since: datetime


async def seconds_of(deps: Deps, person: Visitor) -> list[tuple[Second, str]]:
    """What this person may decide, with the name of who began it, oldest first."""
    async with deps.db.session() as session:
        found = [
            *await _replies(session, person),
            *await _comments(session, person),
        ]
    found += [*await _logins(deps, person), *await _ways_in(deps, person)]
    found.sort(key=lambda one: one.since)
    async with deps.db.session() as session:
        people = await names(session, {one.by for one in found})
    return [(one, people.get(one.by, "已离开的人员")) for one in found]


async def _replies(session: AsyncSession, person: Visitor) -> Sequence[Second]:
    if not may(person.roles, "tickets.answer"):
        return ()
    query = (
        select(TicketReply, Ticket.question)
        .join(Ticket, Ticket.id == TicketReply.ticket_id)
        .where(TicketReply.state == "stopped", Ticket.state == "claimed")
        .where(TicketReply.staff_id != person.staff_id)
        .order_by(TicketReply.created_at)
    )
    return [
        Second(
            f"/console/tickets/{row.ticket_id}", question[:60], "被拦下的答复", row.staff_id,
            row.created_at,
        )
        for row, question in await session.execute(query.limit(_MOST))
    ]  # fmt: skip


async def _comments(session: AsyncSession, person: Visitor) -> Sequence[Second]:
    if not may(person.roles, "comments.decide"):
        return ()
    query = (
        select(CommentAct, CommentArea.publication_id)
        .join(CommentArea, CommentArea.id == CommentAct.area_id)
        .where(CommentAct.state == "waiting", CommentAct.by != person.staff_id)
        .order_by(CommentAct.asked_at)
    )
    return [
        Second(
            f"/console/publications/{publication}/comments", row.words[:60] or "处理留言", "留言",
            row.by, row.asked_at,
        )
        for row, publication in await session.execute(query.limit(_MOST))
    ]  # fmt: skip


async def _logins(deps: Deps, person: Visitor) -> Sequence[Second]:
    if not may(person.roles, "staff.confirm"):
        return ()
    try:
        rows = await waiting_people(deps)
    except Broken:  # the page shows the rest; the incident says where the ledger is broken
        return ()
    path = "/console/settings/proposals"
    async with deps.db.session() as session:
        return [
            Second(path, f"{row.name}（{row.login}）", "确认是本人", row.id, row.created_at)
            for row in rows[:_MOST]
            if not await witness_faults(session, row.id, person.staff_id)
        ]


async def _ways_in(deps: Deps, person: Visitor) -> Sequence[Second]:
    """Passkeys and bindings to the body's own sign-in that this person may confirm."""
    if not may(person.roles, "passkeys.confirm"):
        return ()
    async with deps.db.session() as session:
        found = [
            (key.staff_id, "通行密钥", _KEYS, key.created_at) for key in await waiting_keys(session)
        ]
        if deps.identities:
            rows = await waiting_identities(session)
            found += [
                (row.id, deps.identities.provider.client.name, _BOUND, one.at) for row, one in rows
            ]
        people = await names(session, {one[0] for one in found})
        return [
            Second(path, people.get(owner, owner), f"确认{label}", owner, since)
            for owner, label, path, since in found[:_MOST]
            if not await witness_faults(session, owner, person.staff_id)
        ]
