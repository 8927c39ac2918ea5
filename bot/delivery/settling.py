"""What a person says about a publication whose end nobody knows, as a signed entry."""

from collections.abc import Awaitable, Callable

from bot.contract import State
from bot.models import Publication
from config.clock import now
from ledger.append import Ledger
from staff.refusal import Reason, Refused, missing
from staff.rights import entitled

_SETTLED = {
    "yes": ({State.UNKNOWN}, "经人工在平台后台核对：已发出"),
    "no": ({State.UNKNOWN}, "经人工在平台后台核对：未发出，重新发送"),
    "retry": ({State.HELD, State.FAILED}, "人工要求重新发送"),
}


async def settle_publication(
    ledger: Ledger,
    publication_id: str,
    staff_id: str,
    sent: str,
    *,
    on_publication: Callable[[str], Awaitable[None]],
) -> None:
    """Record what a person decided about one publication: `sent` is yes, no or retry.

    yes and no answer an unknown outcome, retry a held or failed one (Refused 409 otherwise).
    Whatever is not sent is due again at once, and verified again before it goes.
    """
    async with ledger.transaction() as tx:
        await entitled(tx.session, staff_id, "publications.settle")
        if sent not in _SETTLED:
            raise Refused(422, [Reason("sent", "请选择“已发出”“未发出”或“重新发送”")])
        row = await tx.session.get(Publication, publication_id)
        if row is None:
            raise missing("次发布")
        states, words = _SETTLED[sent]
        if row.state not in states:
            raise Refused(409, [Reason("state", "这次发布现在不是这种状态，请看页面上的最新结果")])
        moment = now()
        row.state = State.PUBLISHED if sent == "yes" else State.CREATED
        row.reason = words
        row.next_at, row.claimed_until = moment, None
        row.published_at = moment if sent == "yes" else None
        await tx.append(
            "publication.settled",
            subject=f"item:{row.item_id}",
            actor=staff_id,
            body={"publication": row.id, "account": row.account_id, "sent": sent == "yes"},
        )
    await on_publication(publication_id)
