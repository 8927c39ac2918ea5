"""What an earlier version left to be sent: sealed once, as it stands or as it can be proved.

A push keeps its release, which is verified when it is sent; its reason must be one we give. A reply
kept words: a person's answer is kept by its number and its words are committed to now; what the
robot had said is not sent any more, because nobody can tell today what it was made of.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select, update

from bot.contract import ReplyBasis, State
from bot.models import ENDS, Contact, Delivery
from bot.replies import Parts, Written
from bot.sealing import COLUMNS, seal_of
from config.clock import now
from escalations.commitments import KEPT, commitment
from escalations.models import Ticket, TicketReply
from facets.taxonomy import starting_taxonomy
from handlers.fields import Check, checks
from ledger.append import Ledger, Transaction
from storage.database import Base, new_salt
from storage.seals import seals_of

NOT_SAID = "升级前排队的自动答复不再发送：需要时请对方再问一次"
_PAGE = 5_000
_deliveries = Base.metadata.tables[Delivery.__tablename__]
_WRITTEN = ("reason", "reply", "state", "why", "finished_at", "seal")
_UPDATE = (
    update(_deliveries)
    .where(_deliveries.c.id == bindparam("key"))
    .values({name: bindparam(f"new_{name}") for name in _WRITTEN})
)


async def seal_deliveries(tx: Transaction, ledger: Ledger) -> int:
    """Seal every row of a delivery; how many. Answers of staff are committed to by entries."""
    answers = await _commit(tx, ledger)
    reason = checks(starting_taxonomy())["reason"]
    seals, sealed, last = seals_of(tx.session), 0, ""
    while True:
        query = (
            select(*COLUMNS, _deliveries.c.why, _deliveries.c.finished_at)
            .where(_deliveries.c.id > last)
            .order_by(_deliveries.c.id)
            .limit(_PAGE)
        )
        rows = [row._asdict() for row in await tx.session.execute(query)]
        if not rows:
            return sealed
        for row in rows:
            row |= _mended(row, answers, reason)
            row["seal"] = seal_of(seals, row, row["state"])
        values = [
            {"key": row["id"], **{f"new_{name}": row[name] for name in _WRITTEN}} for row in rows
        ]
        await tx.session.execute(_UPDATE, values)
        sealed, last = sealed + len(rows), rows[-1]["id"]


def _mended(
    row: Mapping[str, Any], answers: Mapping[str, Written], reason: Check
) -> dict[str, Any]:
    """What of a row changes: a reason that is none of ours goes, words become parts or end."""
    if row["reply"] is None or row["state"] in ENDS:
        return {"reason": row["reason"] if reason(row["reason"]) else ""}
    if row["id"] in answers:
        said = (answers[row["id"]],)
        return {"reply": Parts(row["account_id"], row["contact_id"], ReplyBasis.STAFF, said).kept()}
    return {"reply": None, "state": State.ENDED, "why": NOT_SAID, "finished_at": now()}


async def _commit(tx: Transaction, ledger: Ledger) -> dict[str, Written]:
    """Sign what people answered and what is not out yet; those answers by their delivery's id."""
    query = (
        select(TicketReply, Ticket, Contact)
        .join(Ticket, Ticket.id == TicketReply.ticket_id)
        .join(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(Delivery, Delivery.id == TicketReply.delivery_id)
        .where(
            TicketReply.salt == "",
            (TicketReply.state == "stopped") | Delivery.state.not_in(sorted(ENDS)),
        )
    )
    kept: dict[str, Written] = {}
    for reply, ticket, contact in (await tx.session.execute(query)).all():
        entries = await ledger.facts(f"ticket:{ticket.id}")
        if not any(entry.body.get("reply") == reply.id for entry in entries):
            continue  # no signed entry knows of it
        reply.salt = new_salt()
        body = {"reply": reply.id, "words": commitment(ticket, contact, reply)}
        await tx.append(KEPT, subject=f"ticket:{ticket.id}", actor="system", body=body)
        if reply.delivery_id and reply.state != "stopped":
            kept[reply.delivery_id] = Written(ticket.id, reply.id)
    return kept
