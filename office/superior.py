"""What a superior's library says, held against our own: new, changed or ended, before an editor.

Nothing changes by itself: an editor proposes what lies before them and another person approves.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update

from console.policies.fetched import CHANGE
from content_sources.models import Article
from content_sources.superior import RECORD, WAITS
from knowledge.forms import AMEND, END, IMPORT, clauses_of
from knowledge.models import Clause
from knowledge.proof import SignedPolicy, signed_policies
from ledger.append import Ledger
from ledger.verify import Broken
from staff.models import Proposal

_MOST = 20
_OPEN = "open"
_IN_IMPORT = "proposed"


async def offer_changes(ledger: Ledger) -> int:
    """Job: hold waiting records against the library; how many were dealt with.

    1. A policy we lack is offered as a document; one that ended before we had it is put away.
    2. A policy we have is offered as its first difference; the next one when nothing is proposed.
    """
    query = select(Article).where(Article.library == WAITS).order_by(Article.id).limit(_MOST)
    async with ledger.db.session() as session:
        rows = (await session.scalars(query)).all()
    if not rows:
        return 0
    try:
        signed = await signed_policies(ledger)
    except Broken:  # nothing is held against a library that is not proved
        return 0
    return sum([await _offer(ledger, row, signed) for row in rows])


async def _offer(ledger: Ledger, row: Article, signed: Mapping[str, SignedPolicy]) -> int:
    state = _ours(row, signed)
    if state is None:
        if await _being_imported(ledger, row):
            return 0
        ended = row.policy[RECORD]["state"] != _OPEN
        return await _lay(ledger, row, "ended" if ended else "offered", row.policy)
    async with ledger.db.session() as session:
        clauses = await clauses_of(session, state.id)
        about = select(Proposal.id).where(
            Proposal.subject == f"policy:{state.id}", Proposal.state == "proposed"
        )
        if (await session.scalars(about.limit(1))).first() is not None:
            return 0  # made against what stands now, it would be overtaken
    changes = list(_changes(row.policy[RECORD], state, clauses))
    if not changes:
        return await _lay(ledger, row, "known", row.policy)
    then = {"then": WAITS if len(changes) > 1 else "proposed"}
    return await _lay(ledger, row, "offered", {**row.policy, CHANGE: changes[0] | then})


async def _lay(ledger: Ledger, row: Article, library: str, policy: Mapping[str, Any]) -> int:
    async with ledger.db.session() as session:
        mine = update(Article).where(Article.id == row.id, Article.library == WAITS)
        await session.execute(mine.values(library=library, policy=dict(policy)))
    return 1


async def _being_imported(ledger: Ledger, row: Article) -> bool:
    """Whether an earlier word about the same policy waits for a second person."""
    base = row.url.rpartition("@")[0]
    earlier = select(Article.id).where(
        Article.url.startswith(f"{base}@", autoescape=True), Article.library == _IN_IMPORT
    )
    named = select(Proposal.id).where(
        Proposal.kind == IMPORT,
        Proposal.state == "proposed",
        Proposal.payload.contains(row.title, autoescape=True),
    )
    async with ledger.db.session() as session:
        if (await session.scalars(earlier.limit(1))).first() is None:
            return False
        return (await session.scalars(named.limit(1))).first() is not None


def _ours(row: Article, signed: Mapping[str, SignedPolicy]) -> SignedPolicy | None:
    """Our policy of the same title and number, or of the same title and issuer without one."""
    said = row.policy[RECORD]
    found = [
        one
        for one in signed.values()
        if one.title == row.title
        and (one.doc_number == said["doc_number"] if said["doc_number"] else True)
        and (one.issuer == said["issuer"] if not said["doc_number"] else True)
    ]
    return max(found, key=lambda one: (one.repealed_on is None, one.id), default=None)


def _changes(
    said: Mapping[str, Any], state: SignedPolicy, clauses: Sequence[Clause]
) -> Iterator[dict[str, Any]]:
    """What the record says otherwise than our policy, as what would be proposed."""
    if said["repealed_on"] and state.repealed_on is None:
        yield _end(state, said["repealed_on"], None, f"自 {said['repealed_on']} 起废止")
        return
    if said["state"] != _OPEN or state.repealed_on is not None:
        return
    now_ours = {_key(one): one for one in clauses if one.replaced_on is None}
    words: dict[str, list[dict[str, Any]]] = {}
    for one in said["clauses"]:
        mine = now_ours.get(_label(one))
        if one["repealed_on"] and mine is not None and mine.repealed_on is None:
            yield _end(state, one["repealed_on"], mine.number, f"{one['label']}废止")
        elif one["replaced_on"] or not one["effective_from"] or one["repealed_on"]:
            continue
        elif mine is None or mine.text != one["text"]:
            number = mine.number if mine is not None else None
            words.setdefault(one["effective_from"], []).append(
                {"number": number, "text": one["text"]}
            )
    for on, parts in sorted(words.items()):
        payload = {"policy_id": state.id, "on": on, "clauses": parts}
        said_so = f"自 {on} 起修改 {len(parts)} 条"
        yield {"kind": AMEND, "payload": payload, "words": said_so}


def _end(state: SignedPolicy, on: str, clause: int | None, words: str) -> dict[str, Any]:
    payload = {"policy_id": state.id, "on": on, "successor_id": None, "clause": clause}
    return {"kind": END, "payload": payload, "words": words}


def _key(clause: Clause) -> str:
    return clause.label or f"#{clause.place or clause.number}"


def _label(one: Mapping[str, Any]) -> str:
    """How both libraries speak of a clause; a later wording bears the name of its place."""
    if one["label"]:
        return str(one["label"])
    return f"#{one['place'] or one['number']}"
