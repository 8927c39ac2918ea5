"""Once only: what signed entries say of one release on one account, and the entries themselves.

`publication.submitted` stands before the call that cannot be taken back, `publication.finished`
after its outcome. Both are about the item, as its review is, so whoever proves a release has read
them. No table is asked here: a row put back, copied or made anew sends nothing a second time.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select

from bot.contract import Outcome, State, Withheld
from bot.models import Publication
from ledger.append import Ledger, Transaction
from ledger.models import LedgerEntry
from ledger.stops import stopped_in, switches
from ledger.verify import Broken, Entry

SUBMITTED, FINISHED, SETTLED = (
    *("publication.submitted", "publication.finished"),
    "publication.settled",
)
RECALLED = "item.recalled"
RELEASE_HOLD = "release"
OVER = "over"
"""Outcome.code: the window ended first; the contact can still be reached."""
GUARDED_FOR = timedelta(hours=20)
"""A platform that refuses doubles remembers for a day (W13); some hours are kept from it."""
HALTING = ("publishing",)
"""Switches that stop every publication, beside `all`; `account:<id>` stops those of one account."""

TRIES = 50
"""Looks before the entry is put off, each cut short by somebody else's entry."""
_HEAD = select(func.max(LedgerEntry.seq))

RESULTS = {
    State.PUBLISHED: "published",
    State.RETRYING: "retrying",  # surely not accepted, and tried again by itself
    State.FAILED: "refused",  # surely not accepted, and a person looks at it first
    State.HELD: "refused",
    State.ENDED: "refused",
}
"""What a known outcome is called in its entry; an unknown one has none until somebody knows."""


class Stood(StrEnum):
    """How far a release has come on an account."""

    FREE = "free"
    OPEN = "open"
    REFUSED = "refused"
    PUBLISHED = "published"


@dataclass(frozen=True)
class Stand:
    """`since` and `guarded` are of the first call whose outcome is still open."""

    state: Stood = Stood.FREE
    since: datetime | None = None
    guarded: bool = False


@dataclass(frozen=True)
class Told:
    """One publication as a signed entry tells it; only this is said to citizens."""

    publication: str
    release: str
    account: str
    digest: str
    url: str
    ref: str
    at: datetime


def stand_of(entries: Sequence[Entry], release_id: str, account_id: str) -> Stand:
    """What the signed entries about an item say of one release on one account."""
    stand = Stand()
    for entry in entries:
        body = entry.body
        if (body.get("release"), body.get("account")) != (release_id, account_id):
            continue
        # What is out stays out, whatever is said later.
        if stand.state is Stood.PUBLISHED:
            break
        if entry.kind == SUBMITTED and stand.state is not Stood.OPEN:
            moment = datetime.fromisoformat(entry.at)
            stand = Stand(Stood.OPEN, moment, bool(body.get("guarded")))
        elif entry.kind == FINISHED:
            stand = _finished(str(body["result"]))
        elif entry.kind == SETTLED:
            stand = Stand(Stood.PUBLISHED if body["sent"] else Stood.FREE)
    return stand


def _finished(result: str) -> Stand:
    if result == "published":
        return Stand(Stood.PUBLISHED)
    return Stand(Stood.FREE if result == "retrying" else Stood.REFUSED)


def once_faults(stand: Stand, moment: datetime, *, guarded: bool = True) -> list[str]:
    """Why a further call would be one too many; `guarded`: the platform refuses doubles now too."""
    if stand.state is Stood.PUBLISHED:
        return ["台账记载这一放行内容已在这个账号发出，不会再发一次"]
    if stand.state is Stood.REFUSED:
        return ["平台没有收下上一次发送：请看过原因，由人选择重新发送"]
    if stand.state is Stood.OPEN and stand.since is not None:
        if guarded and stand.guarded and moment - stand.since < GUARDED_FOR:
            return []
        return ["已经向平台提交过、结果没有确认：请到平台核对后确认"]
    return []


def recalled(entries: Sequence[Entry]) -> bool:
    """Whether a signed recall stands among the entries about an item."""
    return any(entry.kind == RECALLED for entry in entries)


def told_of(entries: Sequence[Entry]) -> dict[str, Told]:
    """What went out of an item, by publication id, from its signed entries."""
    found: dict[str, Told] = {}
    for entry in entries:
        body = entry.body
        if entry.kind == FINISHED and body["result"] == "published":
            told = Told(
                publication=str(body["publication"]),
                release=str(body["release"]),
                account=str(body["account"]),
                digest=str(body["digest"]),
                url=str(body["url"]),
                ref=str(body["ref"]),
                at=datetime.fromisoformat(str(body.get("at") or entry.at)),
            )
            found.setdefault(told.publication, told)
    return found


def same(row: Publication, told: Told) -> bool:
    """Whether the row says what was signed; what was settled by a person may lack the address."""
    mine = (row.release_id, row.account_id, row.digest, row.url, row.ref)
    return mine == (told.release, told.account, told.digest, told.url, told.ref)


def names_of(row: Publication) -> dict[str, str]:
    """What every entry about a publication names."""
    return {
        "publication": row.id,
        "release": row.release_id,
        "account": row.account_id,
        "digest": row.digest,
    }


Room = Callable[[], Awaitable[Outcome | None]]
"""Why it cannot be called now although it may be, or None."""


async def has_room() -> Outcome | None:
    """For what no number is kept of."""
    return None


async def sign_submitted(
    ledger: Ledger, row: Publication, moment: datetime, *, guarded: bool, room: Room = has_room
) -> None:
    """The entry before the call; Withheld when a stop, a recall or an earlier call forbids it.

    And when `room` says that it has to wait: of two that want the last place one gets it.

    Nothing is signed between the look and the entry: a stop or recall that was answered stands
    before it, and one that comes later finds it.
    """
    subject, body = f"item:{row.item_id}", {**names_of(row), "guarded": guarded}
    for _ in range(TRIES):
        async with ledger.db.session() as session:
            head = await session.scalar(_HEAD)
        await _allowed(ledger, row, moment, guarded=guarded)
        if (waits := await room()) is not None:
            raise Withheld(waits)
        # Looked at before the lock: who waits for it with a connection in hand must not keep the
        # one away that a look inside would need.
        async with ledger.transaction() as tx:
            if await tx.session.scalar(_HEAD) == head:
                await tx.append(SUBMITTED, subject=subject, actor="system", body=body)
                return
    words = "台账正忙，稍后再发"
    raise Withheld(Outcome(State.RETRYING, reason=words, code="busy", retry_after=5.0))


async def _allowed(ledger: Ledger, row: Publication, moment: datetime, *, guarded: bool) -> None:
    """Withheld when what is signed so far forbids the call."""
    subject = f"item:{row.item_id}"
    stops = switches([*HALTING, f"account:{row.account_id}"])
    try:
        facts = await ledger.facts_of([subject, *stops])
    except Broken as broken:
        raise Withheld(_held(str(broken))) from broken
    if stopped_in({name: facts[name] for name in stops}):
        words = "已按开关停止发布"
        raise Withheld(Outcome(State.RETRYING, reason=words, code="stopped", retry_after=30.0))
    if recalled(facts[subject]):
        raise Withheld(_held("这一稿件已被撤回"))
    stand = stand_of(facts[subject], row.release_id, row.account_id)
    if faults := once_faults(stand, moment, guarded=guarded):
        raise Withheld(refusal(stand, faults))


def refusal(stand: Stand, faults: Sequence[str]) -> Outcome:
    """What a publication that may not be called again comes to: only an open one is for a look."""
    state = State.UNKNOWN if stand.state is Stood.OPEN else State.HELD
    return Outcome(state, reason="；".join(faults), code=RELEASE_HOLD)


def _held(reason: str) -> Outcome:
    return Outcome(State.HELD, reason=reason, code=RELEASE_HOLD)


async def sign_finished(
    tx: Transaction, row: Publication, outcome: Outcome, facts: Sequence[Entry]
) -> None:
    """The entry after the call, when its outcome is known and one is owed.

    `facts` are the signed entries about the item as of a moment ago; a second entry about the same
    end, by an event and by asking at once, says nothing new.
    """
    stand = stand_of(facts, row.release_id, row.account_id)
    result = RESULTS.get(outcome.state)
    owed = result == "published" or stand.state is Stood.OPEN
    if result is None or not owed or stand.state is Stood.PUBLISHED:
        return
    await tx.append(
        FINISHED,
        subject=f"item:{row.item_id}",
        actor="system",
        body={**names_of(row), "result": result, "ref": row.ref, "url": row.url},
    )
