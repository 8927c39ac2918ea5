"""撤下: what became of each publication of an item that was recalled or corrected, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from bot.delivery.takedowns import ENDED, by_person
from bot.delivery.taken import MISSING, Stood, Taken, key_of, taken_of
from bot.models import Takedown
from bot.takedown import Result
from console.web.deps import Deps
from ledger.verify import Broken, Entry

RESULTS: Mapping[str, tuple[str, str]] = {
    Result.DELETED: ("已删除", "good"),
    Result.DEAD: ("页面已失效，卡片仍在", "good"),
    Result.EDITED: ("已改为撤回说明", "good"),
    Result.REPLIED: ("平台不让改，已在原文下附上更正", "good"),
    Result.GONE: ("平台上已经没有", "good"),
    Result.NEVER: ("没有发出，不用撤下", "plain"),
    Result.BY_HAND: ("没有撤下，需要人处理", "stop"),
    Result.UNKNOWN: ("没有确认，需要人核对", "warn"),
    Result.DONE: ("已由人处理", "good"),
}
"""Result to its words and tone."""
TO_CORRECTION = ("已改为更正说明", "good")
WAITS = ("正在撤下", "busy")
PUT_OFF = ("还没有撤下，稍后再试", "warn")


@dataclass(frozen=True)
class Down:
    """One taking down as it is shown: the end as it is signed, the rest from its row."""

    id: str
    publication_id: str
    account_id: str
    correction: str  # the publication it gives way to, or nothing
    result: str
    words: str
    tone: str
    reason: str
    at: datetime | None
    by_hand: bool

    def told(self) -> dict[str, object]:
        """For the API."""
        names = ("id", "publication_id", "account_id", "correction", "result", "words", "reason")
        return {name: getattr(self, name) for name in names} | {
            "at": self.at,
            "by_hand": self.by_hand,
        }


async def downs_of(deps: Deps, item_id: str) -> list[Down]:
    """Every taking down of an item's publications, in the order they were asked for."""
    query = select(Takedown).where(Takedown.item_id == item_id)
    async with deps.db.session() as session:
        rows = (await session.scalars(query.order_by(Takedown.asked_at, Takedown.id))).all()
    if not rows:
        return []
    try:
        facts: Sequence[Entry] = await deps.ledger.facts(f"item:{item_id}")
    except Broken:  # nothing is proved: each is shown as one for a person
        facts = ()
    gone = {str(one.body["publication"]) for one in facts if one.kind == MISSING}
    return [_down(row, facts, gone) for row in rows]


def _down(row: Takedown, facts: Sequence[Entry], gone: set[str]) -> Down:
    taken = taken_of(facts).get(key_of(row), Taken())
    result = taken.result if taken.stood is Stood.DONE else ""
    if not result and row.state == ENDED:
        result = Result.GONE if row.publication_id in gone else Result.UNKNOWN
    words, tone = RESULTS.get(result, PUT_OFF if row.reason else WAITS)
    if result == Result.EDITED and row.by:
        words, tone = TO_CORRECTION
    return Down(
        id=row.id,
        publication_id=row.publication_id,
        account_id=row.account_id,
        correction=row.by,
        result=result or "waiting",
        words=words,
        tone=tone,
        reason="" if taken.stood is Stood.DONE and result == Result.DONE else row.reason,
        at=taken.at or row.finished_at,
        by_hand=row.whole and by_person(row, list(facts)),
    )
