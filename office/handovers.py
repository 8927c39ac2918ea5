"""A row of one room becomes work of its sibling, which may not import it."""

import rfc8785
from sqlalchemy import ColumnElement, and_, select, update

from console.policies.fetched import CHANGE, RETURNED, policy_draft
from content_sources.models import Article
from knowledge.forms import IMPORT
from knowledge.models import Policy
from staff.models import Proposal
from storage.database import Database

_RETURNS = {"rejected": "没有批准：{note}", "withdrawn": "提出人收回了"}
"""How a proposal ended without effect, in words for the next editor."""


async def offer_policies(db: Database) -> int:
    """Fetched policy pages are laid before an editor, who may propose them; how many there were.

    The program that fetches is nobody: two people stand behind every policy, as behind any other.
    """
    async with db.session() as session:
        # A bound for one round; the job comes again and takes the next ones.
        query = select(Article).where(Article.library == "waiting").limit(20)
        waiting = (await session.scalars(query)).all()
    for row in waiting:
        draft = policy_draft(row)
        async with db.session() as session:
            known = draft is not None and await session.scalar(
                select(Policy.id)
                .where(Policy.title == draft.title, Policy.doc_number == draft.doc_number)
                .where(Policy.state == "active")
                .limit(1)
            )
            state = "ended" if draft is None else "known" if known else "offered"
            await session.execute(update(Article).where(Article.id == row.id).values(library=state))
    return len(waiting)


async def take_back_policies(db: Database) -> int:
    """What an editor proposed and nobody let in is laid before editors again, with the reason.

    Wherever it was turned down or withdrawn; how many came back.
    """
    async with db.session() as session:
        query = select(Article).where(Article.library == "proposed").order_by(Article.id)
        waiting = (await session.scalars(query)).all()
    back = 0
    for row in waiting:
        proposals = select(Proposal.state, Proposal.note).where(
            _about(row), Proposal.proposed_at >= row.fetched_at
        )
        async with db.session() as session:
            newest = proposals.order_by(Proposal.proposed_at.desc()).limit(1)
            found = (await session.execute(newest)).first()
            state, note = (found[0], found[1]) if found else ("proposed", "")
            values: dict[str, object] = {"library": "known"}
            if state in _RETURNS:
                why = _RETURNS[state].format(note=note)
                values = {"library": "offered", "policy": {**row.policy, RETURNED: why}}
                back += 1
            if state in (*_RETURNS, "approved"):
                mine = update(Article).where(Article.id == row.id, Article.library == "proposed")
                await session.execute(mine.values(**values))
    return back


def _about(row: Article) -> ColumnElement[bool]:
    """The proposals that were made of what was fetched."""
    if (change := row.policy.get(CHANGE)) is not None:
        subject = f"policy:{change['payload']['policy_id']}"
        return and_(Proposal.kind == change["kind"], Proposal.subject == subject)
    # The address as it stands in the sealed payload: a proposal knows nothing of what is fetched.
    named = rfc8785.dumps({"url": row.policy.get("url") or row.url})[1:-1].decode()
    return and_(Proposal.kind == IMPORT, Proposal.payload.contains(named, autoescape=True))
