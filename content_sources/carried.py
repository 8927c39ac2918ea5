"""What waited for a second person when sources became proposals: carried over, or ended."""

import secrets

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from content_sources.changes import KIND, change_lines, state_of
from content_sources.list_models import ListImport, SourceChange, SourceException
from content_sources.models import Source
from content_sources.source_fields import fields_from, signed_body
from ledger.append import Ledger, Transaction
from ledger.verify import Broken, Entry
from staff.models import Proposal
from staff.proposed import seal, words_digest
from staff.refusal import Refused

_ENDED = "lapsed"


async def carry_over(ledger: Ledger) -> int:
    """Make a proposal of each single change that waited; how many. Nothing is left to do twice.

    Only what its proposer had signed is carried over: who writes a row into the old table gains
    nothing. Lists and exceptions, whose contents no entry holds, end and are asked for anew.
    """
    async with ledger.db.session() as session:
        query = select(SourceChange).where(SourceChange.state == "proposed")
        waiting = (await session.scalars(query.order_by(SourceChange.id))).all()
        lists = await session.scalar(select(ListImport.id).where(ListImport.state == "proposed"))
        asked = select(SourceException.id).where(SourceException.state == "asked")
        exceptions = await session.scalar(asked.limit(1))
    if not waiting and lists is None and exceptions is None:
        return 0
    carried = 0
    try:
        facts = await ledger.facts_of([f"source:{row.source_id}" for row in waiting])
    except Broken:  # the console opens all the same and shows where; nothing is carried over
        return 0
    async with ledger.transaction() as tx:
        for change in waiting:
            row = await tx.session.get_one(SourceChange, change.id)
            made = _signed(row, facts[f"source:{row.source_id}"])
            row.state = _ENDED
            if made is not None and not row.batch and await _carry(tx, row, made):
                row.state, carried = "carried", carried + 1
        await _end(tx.session)
    return carried


def _signed(row: SourceChange, entries: list[Entry]) -> Entry | None:
    """The entry by which this change was proposed, when it still waited by the ledger's word."""
    made = None
    for entry in entries:
        if entry.body.get("change") == row.id:
            made = entry if entry.kind == "source.proposed" and made is None else None
        elif entry.kind == "source.revoked":
            made = None
    try:
        digest = signed_body(row.fields)["digest"]
    except KeyError:
        return None
    agrees = made is not None and made.body.get("digest") == digest
    return made if agrees and made is not None and made.actor == row.proposed_by else None


async def _carry(tx: Transaction, row: SourceChange, made: Entry) -> bool:
    source = await tx.session.get(Source, row.source_id)
    new = row.action == "add"
    if source is None or await tx.session.get(Proposal, row.id) is not None:
        return False
    try:
        fields = fields_from(row.fields, row.fields["hosts"]).to_json()
    except Refused:
        return False
    if new:
        # What waits stands in no table of sources any more.
        await tx.session.delete(source)
    payload = {
        "action": row.action,
        "id": row.source_id,
        "fields": fields,
        "before": {} if new else state_of(source),
    }
    text, digest = seal(payload)
    salt, reason = secrets.token_hex(16), f"依据：{fields['basis']}"
    subject = f"source:{row.source_id}"
    proposal = Proposal(
        id=row.id,
        kind=KIND,
        subject=subject,
        payload=text,
        digest=digest,
        effect={"changes": change_lines(payload), "warnings": [], "note": ""},
        proposed_by=row.proposed_by,
        reason=reason,
        salt=salt,
        state="proposed",
        proposed_at=row.proposed_at,
    )
    tx.session.add(proposal)
    await tx.append(
        "proposal.made",
        subject=f"proposal:{row.id}",
        actor=made.actor,
        body={
            "kind": KIND,
            "about": subject,
            "digest": digest,
            "reason": words_digest(salt, reason),
            "carried": made.seq,
        },
    )
    return True


async def _end(session: AsyncSession) -> None:
    """What was not carried over waits no longer, and its new sources were not approved."""
    await session.execute(
        update(ListImport).where(ListImport.state == "proposed").values(state=_ENDED)
    )
    await session.execute(
        update(SourceException).where(SourceException.state == "asked").values(state=_ENDED)
    )
    await session.flush()
    await session.execute(update(Source).where(Source.state == "proposed").values(state="rejected"))
