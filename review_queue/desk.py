"""What every part of the review queue shares: its states, its rows, and who opens them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Content, State
from bot.models import Account, Delivery, Publication
from config.clock import beijing, now
from ledger.append import Ledger, Transaction
from review_queue.canonical import Draft, canonical, commitment, digest
from review_queue.chain import Chain
from review_queue.classes import Triggers, starting_triggers
from review_queue.governance.levels import ApprovedLevels
from review_queue.models import Emergency, Item, Referral, ReleaseRow, Remark, Revision
from review_queue.release import Releases
from review_queue.workflow import Workflow
from staff.models import Staff
from staff.people import read_person
from staff.refusal import Reason, Refused
from storage.database import new_id

ROBOT = "robot"
CLAIM = timedelta(minutes=20)
WINDOW = timedelta(days=30)

Render = Callable[[Sequence[Account], Content], tuple[dict[str, dict[str, Any]], list[str]]]
"""Accounts and content in; one rendering per account id, and every platform limit broken."""

Check = Callable[[Draft], Awaitable[tuple[str, list[dict[str, Any]]]]]
"""Draft in; digest of the rule set and the findings of all gates (plain dicts) out."""


class Desk:
    """One database, one ledger, the approved levels, and the two functions given by the root."""

    def __init__(
        self, ledger: Ledger, workflows: Mapping[str, Workflow], render: Render, check: Check
    ) -> None:
        """`workflows` maps class to levels; `render` and `check` are given by the root."""
        self.ledger = ledger
        self.db = ledger.db
        self.workflows = workflows
        self.triggers: Triggers = starting_triggers()
        self._render = render
        self._check = check
        self._releases = Releases(ledger, self._recheck, self.triggers)

    async def _fresh_levels(self) -> None:
        """Another process may have approved other levels since the last look."""
        if isinstance(self.workflows, ApprovedLevels):
            await self.workflows.refresh()

    async def _recheck(self, draft: Draft) -> list[dict[str, Any]]:
        return (await self._check(draft))[1]

    async def _chain(self, item: Item) -> Chain:
        """The signed facts of an item, as the sender will see them."""
        return await self._releases.chain(item.id)

    async def _open(self, session: AsyncSession, item_id: str, staff_id: str) -> tuple[Item, Staff]:
        return await read_item(session, item_id), await read_person(session, staff_id)

    async def _canonical(self, session: AsyncSession, draft: Draft) -> tuple[str, list[str]]:
        query = select(Account).where(Account.id.in_(draft.accounts))
        accounts = (await session.scalars(query)).all()
        if missing := set(draft.accounts) - {account.id for account in accounts}:
            raise Refused(422, [Reason("accounts", f"没有这样的账号：{'、'.join(missing)}")])
        renderings, problems = self._render(accounts, draft.content)
        return canonical(draft, renderings), problems

    async def _add_revision(
        self, tx: Transaction, item: Item, text: str, editor: tuple[str, bool]
    ) -> Revision:
        """A new revision by (who, only the class changed); the latter leaves the last editor."""
        editor_id, class_only = editor
        item.revision += 1
        item.version = (item.version or 0) + 1
        item.updated_at = now()
        if not class_only:
            item.last_editor_id = editor_id
        revision = Revision(
            id=new_id(),
            item_id=item.id,
            number=item.revision,
            digest=digest(text),
            canonical=text,
            editor_id=editor_id,
            created_at=now(),
        )
        tx.session.add(revision)
        body: dict[str, Any] = {
            "number": item.revision,
            "digest": revision.digest,
            "klass": item.klass,
            "kind": item.kind,
        }
        if class_only:
            body["class_only"] = True
        await tx.append("revision.created", subject=f"item:{item.id}", actor=editor_id, body=body)
        return revision

    async def _reclass(self, tx: Transaction, item: Item, klass: str, staff_id: str) -> Revision:
        """A new revision that differs from the latest in its class alone."""
        draft = Draft.from_canonical((await latest(tx.session, item)).canonical)
        text, _ = await self._canonical(tx.session, draft.changed({"klass": klass}))
        item.klass = klass
        return await self._add_revision(tx, item, text, (staff_id, True))

    async def _end_run(self, session: AsyncSession, item: Item, why: str) -> None:
        """End a running or finished review; unsent publications end. The caller moves the item."""
        item.workflow, item.level, item.level_due_at = None, 0, None
        item.release_id = item.scheduled_at = item.claimed_by = item.claimed_until = None
        item.run_seq, item.retrospective = None, ""
        item.level_reminded = item.level_overdue = False
        await session.execute(
            update(Emergency)
            .where(Emergency.item_id == item.id, Emergency.closed_at.is_(None))
            .values(state="void", closed_at=now())
        )
        await session.execute(
            update(Referral)
            .where(
                Referral.item_id == item.id,
                Referral.answered_at.is_(None),
                Referral.voided_at.is_(None),
            )
            .values(voided_at=now())
        )
        await end_unsent(session, item.id, why)


async def append_with_words(
    tx: Transaction, item: Item, kind: str, said: tuple[str, str, dict[str, Any]]
) -> int:
    """A signed entry by `(actor, words, body)`; the words stay in a table, committed as reason."""
    actor, words, body = said
    salt = new_id()
    seq = await tx.append(
        kind,
        subject=f"item:{item.id}",
        actor=actor,
        body=body | {"reason": commitment(salt, words)},
    )
    tx.session.add(Remark(id=salt, item_id=item.id, ledger_seq=seq, text=words))
    return seq


async def read_item(session: AsyncSession, item_id: str) -> Item:
    """The item; Refused (404) when there is none."""
    item = await session.get(Item, item_id)
    if item is None:
        raise Refused(404, [Reason("item", "没有这篇稿件")])
    return item


async def latest(session: AsyncSession, item: Item) -> Revision:
    """The newest revision of an item."""
    query = select(Revision).where(Revision.item_id == item.id)
    return (await session.scalars(query.order_by(Revision.number.desc()).limit(1))).one()


async def end_unsent(session: AsyncSession, item_id: str, why: str) -> None:
    """End every publication and delivery of an item that has not gone out."""
    waiting = (State.CREATED, State.RETRYING, State.HELD)
    releases = select(ReleaseRow.id).where(ReleaseRow.item_id == item_id)
    await session.execute(
        update(Publication)
        .where(Publication.item_id == item_id, Publication.state.in_(waiting))
        .values(state=State.ENDED, reason=why)
    )
    await session.execute(
        update(Delivery)
        .where(Delivery.release_id.in_(releases), Delivery.state.in_(waiting))
        .values(state=State.ENDED, why=why)
    )


async def holder_faults(session: AsyncSession, item: Item, staff_id: str) -> list[Reason]:
    """Somebody else holds the item for review right now: who, and until when."""
    if item.claimed_until is None or item.claimed_until <= now():
        return []
    if item.claimed_by in (None, staff_id):
        return []
    holder = await session.get(Staff, item.claimed_by)
    name = holder.name if holder else "别人"
    until = f"{beijing(item.claimed_until):%H:%M}"
    return [
        Reason("claimed", f"正在由{name}审核，{until} 自动放开；可以等待、请对方放开，或接手审核")
    ]
