"""What a person says about a publication whose end nobody knows, as a signed entry."""

from collections.abc import Awaitable, Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.contract import Outcome, State
from bot.delivery.articles import end_articles, facts_of_articles
from bot.delivery.chosen import end_chosen
from bot.delivery.once import SETTLED, Stand, Stood, names_of, recalled, sign_finished, stand_of
from bot.models import Publication
from config.clock import now
from ledger.append import Ledger
from ledger.verify import Broken, Entry
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
    Whatever is not sent is due again at once, and verified again before it goes. What a signed
    entry says is out is never settled otherwise.
    """
    facts = await _facts(ledger, publication_id)
    of_articles = await facts_of_articles(ledger, publication_id)
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
        faults = _faults(row, facts, sent) + await _within(tx.session, row)
        if faults:
            raise Refused(409, faults)
        moment = now()
        row.state = State.PUBLISHED if sent == "yes" else State.CREATED
        row.reason = words
        row.next_at, row.claimed_until = moment, None
        row.published_at = moment if sent == "yes" else None
        await tx.append(
            SETTLED,
            subject=f"item:{row.item_id}",
            actor=staff_id,
            body={**names_of(row), "sent": sent == "yes"},
        )
        if sent == "yes":
            await sign_finished(tx, row, Outcome(State.PUBLISHED), facts)
        elif row.edition_id:  # with another edition, or by itself when somebody says so
            row.edition_id, row.article_index, row.state = "", 0, State.HELD
        outcome = Outcome(row.state)
        articles = await end_articles(tx, row, outcome, of_articles)
        await end_chosen(tx.session, row, outcome)
    for one in (publication_id, *articles):
        await on_publication(one)


async def _within(session: AsyncSession, row: Publication) -> list[Reason]:
    """An article is settled with its edition, as long as there is one to be settled."""
    edition = await session.get(Publication, row.edition_id) if row.edition_id else None
    if edition is None or edition.state == State.ENDED:
        return []
    return [Reason("edition", "这一篇随组版一起发出：请在组版的发布页上确认")]


async def _facts(ledger: Ledger, publication_id: str) -> list[Entry]:
    async with ledger.db.session() as session:
        query = select(Publication.item_id).where(Publication.id == publication_id)
        item_id = (await session.scalars(query)).first()
    try:
        return await ledger.facts(f"item:{item_id}") if item_id else []
    except Broken as broken:
        raise Refused(409, [Reason("ledger", str(broken))]) from broken


def _faults(row: Publication, facts: list[Entry], sent: str) -> list[Reason]:
    if not row.whole:
        words = "这条发布记录被绕过本系统改动，不能据此再发送：请重新安排发布"
        return [Reason("seal", words)]
    stand: Stand = stand_of(facts, row.release_id, row.account_id)
    if stand.state is Stood.PUBLISHED and sent != "yes":
        return [Reason("once", "台账记载这次发布已经发出，不能再发一次")]
    if stand.state is Stood.OPEN and sent == "retry":
        words = "已经向平台提交过、结果没有确认：请先到平台核对，再选择“已发出”或“未发出”"
        return [Reason("once", words)]
    if sent != "yes" and recalled(facts):
        return [Reason("recalled", "稿件已撤回，不能再发送")]
    return []
