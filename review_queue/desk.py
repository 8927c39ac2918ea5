"""What every act of the review queue shares: the queue itself, its rows, and who opens them."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Content, Rendering, State
from bot.delivery.articles import unsure_articles
from bot.models import Account, Delivery, Publication
from bot.silence import Silence, no_silence
from config.clock import now
from gates.finding import Finding
from gates.work import InThread, Runner
from ledger.append import Ledger, Transaction
from review_queue.canonical import Draft, canonical, commitment, digest
from review_queue.classes import Triggers, TriggerSource, starting
from review_queue.governance.levels import ApprovedLevels
from review_queue.models import Emergency, Item, Referral, ReleaseRow, Remark, Revision
from review_queue.release import Releases
from review_queue.searching import note_words
from review_queue.shelf import Shelf
from review_queue.window import standing_window
from review_queue.workflow import Workflow
from staff.people import Member, read_person
from staff.refusal import Reason, Refused, refuse
from staff.standing import WAITING
from storage.database import Database, new_id

ROBOT = "robot"
LIBRARY_WINDOW = timedelta(days=3650)
"""How long what is released into the library may be used, unless its editor says less."""

Render = Callable[[Sequence[Account], Content], tuple[dict[str, Rendering], list[str]]]
"""Accounts and content in; one rendering per account id, and every platform limit broken."""

Check = Callable[[Draft], Awaitable[tuple[str, Sequence[Finding]]]]
"""Draft in; digest of the rule set and the findings of all gates out."""


Reach = Callable[[Draft], Awaitable[Mapping[str, Any] | None]]
"""Draft in; numbers of people and samples as plain keys out."""


async def _no_reach(_draft: Draft) -> None:
    """Where nobody subscribes there is nothing to count."""


@dataclass(frozen=True)
class Queue:
    """What every act of the review queue is given first; `levels` maps class to levels.

    `releases` answers what the sender would say, with the gates as the queue asks them; `library`
    keeps what is released without a publication, by kind of item.
    """

    ledger: Ledger
    levels: Mapping[str, Workflow]
    render: Render
    check: Check
    releases: Releases
    runner: Runner = field(default_factory=InThread)
    """Takes files apart, off this process where there is one for it."""
    library: Mapping[str, Shelf] = field(default_factory=dict)
    window: Callable[[], Awaitable[timedelta]] = standing_window
    """How long a new draft may go out unless its editor says otherwise."""
    quiet: Callable[[], Awaitable[Silence]] = no_silence
    """The days of silence in force; Refused when they cannot be proved."""
    reach: Reach = _no_reach
    """Whom a draft is pushed to at this moment, as a decision keeps it; None for nobody."""

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        levels: Mapping[str, Workflow],
        render: Render,
        check: Check,
        triggers: TriggerSource = starting,
    ) -> Self:
        """The queue whose releases are looked at with the same gates as its drafts."""

        async def recheck(draft: Draft) -> Sequence[Finding]:
            return (await check(draft))[1]

        return cls(ledger, levels, render, check, Releases(ledger, recheck, triggers))

    @property
    def db(self) -> Database:
        """The database the ledger is in."""
        return self.ledger.db

    @property
    def triggers(self) -> Triggers:
        """The words that raise a class."""
        return self.releases.triggers


@dataclass(frozen=True)
class Opened:
    """An item somebody acts on, with its latest revision as it was read in this transaction."""

    item: Item
    person: Member
    revision: Revision

    @property
    def draft(self) -> Draft:
        """The revision's content."""
        return Draft.from_canonical(self.revision.canonical)


async def fresh_levels(queue: Queue) -> None:
    """Another process may have approved other levels since the last look."""
    # Tests and tools hand in plain mappings, which nobody else changes.
    if isinstance(queue.levels, ApprovedLevels):
        await queue.levels.refresh()


async def fresh_rules(queue: Queue) -> None:
    """The same of levels and trigger words, before both decide about a submission."""
    await fresh_levels(queue)
    await queue.releases.fresh_triggers()


async def canonical_of(queue: Queue, session: AsyncSession, draft: Draft) -> tuple[str, list[str]]:
    """The canonical text of a draft with its renderings, and every platform limit it breaks."""
    query = select(Account).where(Account.id.in_(draft.accounts))
    accounts = (await session.scalars(query)).all()
    # An account named and not found would be a channel that silently receives nothing.
    if missing := set(draft.accounts) - {account.id for account in accounts}:
        raise Refused(422, [Reason("accounts", f"没有这样的账号：{'、'.join(missing)}")])
    content = draft.content
    if draft.edition:
        content = replace(content, edition=await _articles_of(session, draft))
    renderings, problems = queue.render(accounts, content)
    return canonical(draft, renderings), problems


async def _articles_of(session: AsyncSession, draft: Draft) -> tuple[Rendering, ...]:
    """What was approved of each item of an edition for the account it goes to."""
    wanted = {one.item: one.digest for one in draft.edition}
    query = select(Revision).where(
        Revision.item_id.in_(wanted), Revision.digest.in_(wanted.values())
    )
    texts = {(row.item_id, row.digest): row.canonical for row in await session.scalars(query)}
    if lost := [one.item for one in draft.edition if (one.item, one.digest) not in texts]:
        raise Refused(422, [Reason("edition", f"组版里有找不到的稿件：{'、'.join(lost)}")])
    drawn = [json.loads(texts[one.item, one.digest])["renderings"] for one in draft.edition]
    account_id = "".join(draft.accounts)  # an edition goes to one account
    if any(account_id not in one for one in drawn):
        raise Refused(422, [Reason("accounts", "组版里有的稿件没有选这个发布账号")])
    return tuple(one[account_id] for one in drawn)


async def opened(session: AsyncSession, item_id: str, staff_id: str) -> Opened:
    """The item, who acts on it and its latest revision; Refused (404, 403) otherwise."""
    one = await looked_at(session, item_id, staff_id)
    refuse([WAITING] if one.person.waiting else [])
    return one


async def looked_at(session: AsyncSession, item_id: str, staff_id: str) -> Opened:
    """The same for somebody who only looks, which needs no confirmed login."""
    item = await read_item(session, item_id)
    person = await read_person(session, staff_id)
    return Opened(item, person, await latest(session, item))


async def add_revision(
    tx: Transaction, item: Item, text: str, editor_id: str, *, class_only: bool = False
) -> Revision:
    """A new revision. One that changed the class only leaves the last editor as they were."""
    item.revision += 1
    item.version = (item.version or 0) + 1
    item.updated_at = now()
    # Raising the class must not make the raiser an editor, who could then not review.
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
    await note_words(tx.session, item.id, text)
    body: dict[str, object] = {
        "number": item.revision,
        "digest": revision.digest,
        "klass": item.klass,
        "kind": item.kind,
    }
    if class_only:
        body["class_only"] = True
    await tx.append("revision.created", subject=f"item:{item.id}", actor=editor_id, body=body)
    return revision


async def reclass(queue: Queue, tx: Transaction, item: Item, klass: str, staff_id: str) -> Revision:
    """A new revision that differs from the latest in its class alone."""
    draft = Draft.from_canonical((await latest(tx.session, item)).canonical)
    text, _ = await canonical_of(queue, tx.session, draft.changed({"klass": klass}))
    item.klass = klass
    return await add_revision(tx, item, text, staff_id, class_only=True)


async def end_run(session: AsyncSession, item: Item, why: str) -> None:
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


@dataclass(frozen=True)
class Said:
    """Who did something to an item, as which kind of entry, and why in their own words."""

    kind: str
    actor: str
    words: str


async def append_with_words(
    tx: Transaction, item: Item, said: Said, body: Mapping[str, Any] | None = None
) -> int:
    """A signed entry about an item; the words stay in a table, committed to as its reason."""
    salt = new_id()
    seq = await tx.append(
        said.kind,
        subject=f"item:{item.id}",
        actor=said.actor,
        body={**(body or {}), "reason": commitment(salt, said.words)},
    )
    tx.session.add(Remark(id=salt, item_id=item.id, ledger_seq=seq, text=said.words))
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
    query = select(Publication).where(
        Publication.item_id == item_id, Publication.state.in_(waiting)
    )
    for row in (await session.scalars(query)).all():
        row.state, row.reason = State.ENDED, why
        # Only those of an edition that was given to the platform once, and got no answer.
        await unsure_articles(session, row.id, why)
    await session.execute(
        update(Delivery)
        .where(Delivery.release_id.in_(releases), Delivery.state.in_(waiting))
        .values(state=State.ENDED, why=why)
    )
