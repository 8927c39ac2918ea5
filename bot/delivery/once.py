"""Once only: what signed entries say of one release on one account, and the entries themselves.

`publication.submitted` stands before the call that cannot be taken back, `publication.finished`
after its outcome. Both are about the item, as its review is, so whoever proves a release has read
them. No table is asked here: a row put back, copied or made anew sends nothing a second time.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select

from bot.contract import Outcome, State, Withheld
from bot.delivery.mended import going
from bot.delivery.together import take_places
from bot.editions import Placed
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

FREE_AGAIN = Outcome(State.RETRYING)
"""What an article came to whose edition surely did not go out: it may go another way."""

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
    edition: str = ""
    index: int = 0


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


def article_faults(article: Stand, edition: Stand) -> list[str]:
    """Why an article may not go out with an edition that stands so itself.

    One whose edition was given to the platform before was given with it: the edition's own stand
    says whether that may be asked again.
    """
    if article.state is Stood.OPEN and edition.state is Stood.OPEN:
        return []
    if article.state is Stood.PUBLISHED:
        return ["台账记载它已在这个账号发出，不会再发一次"]
    if article.state is Stood.FREE:
        return []
    return ["它单独提交给这个账号过，还没有确认结果：请先在“发布”页处理"]


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
                edition=str(body.get("edition", "")),
                index=int(body.get("index", 0)),
            )
            found.setdefault(told.publication, told)
    return found


def same(row: Publication, told: Told) -> bool:
    """Whether the row says what was signed; what was settled by a person may lack the address."""
    mine = (row.release_id, row.account_id, row.digest, row.url, row.ref)
    place = (row.edition_id, row.article_index)
    said = (told.release, told.account, told.digest, told.url, told.ref)
    return (mine, place) == (said, (told.edition, told.index))


def names_of(row: Publication) -> dict[str, Any]:
    """What every entry about a publication names."""
    names = {
        "publication": row.id,
        "release": row.release_id,
        "account": row.account_id,
        "digest": row.digest,
    }
    if not row.edition_id:
        return names
    return {**names, "edition": row.edition_id, "index": row.article_index}


@dataclass(frozen=True)
class _Submitting:
    """What is about to be given to the platform: a publication, and of an edition its articles."""

    row: Publication
    moment: datetime
    guarded: bool
    edition: Sequence[Placed] = ()

    @property
    def subjects(self) -> list[str]:
        """The items all this is about, that of the publication first."""
        return [f"item:{one}" for one in (self.row.item_id, *(p.item_id for p in self.edition))]


Room = Callable[[], Awaitable[Outcome | None]]
"""Why it cannot be called now although it may be, or None."""


async def has_room() -> Outcome | None:
    """For what no number is kept of."""
    return None


@dataclass(frozen=True)
class Also:
    """What is asked and signed beside a publication: its room, and of an edition its articles."""

    room: Room = has_room
    edition: Sequence[Placed] = ()
    said: Callable[[], Mapping[str, Any]] = dict
    """What the entry says beside its names: of a send to some, to how many."""


_ALONE = Also()


async def sign_submitted(
    ledger: Ledger,
    row: Publication,
    moment: datetime,
    *,
    guarded: bool,
    also: Also = _ALONE,
) -> None:
    """The entry before the call; Withheld when a stop, a recall or an earlier call forbids it.

    And when the room says that it has to wait: of two that want the last place one gets it.

    Nothing is signed between the look and the entry: a stop or recall that was answered stands
    before it, and one that comes later finds it. Each article of an edition gets its own.
    """
    given = _Submitting(row, moment, guarded, also.edition)

    async def look() -> None:
        await _allowed(ledger, given)
        if (waits := await also.room()) is not None:
            raise Withheld(waits)

    async def write(tx: Transaction) -> None:
        body = {**names_of(row), "guarded": guarded, **also.said()}
        await tx.append(SUBMITTED, subject=f"item:{row.item_id}", actor="system", body=body)
        for one in await take_places(tx.session, row, given.edition):
            said = {**names_of(one), "guarded": guarded}
            await tx.append(SUBMITTED, subject=f"item:{one.item_id}", actor="system", body=said)

    await sign_after(ledger, look, write)


async def sign_after(
    ledger: Ledger,
    look: Callable[[], Awaitable[None]],
    write: Callable[[Transaction], Awaitable[None]],
) -> None:
    """Have `write` sign once `look` forbids nothing, with nothing in between.

    `look` raises Withheld; so does this when the ledger is too busy.
    """
    for _ in range(TRIES):
        async with ledger.db.session() as session:
            head = await session.scalar(_HEAD)
        await look()
        # Looked at before the lock: who waits for it with a connection in hand must not keep the
        # one away that a look inside would need.
        async with ledger.transaction() as tx:
            if await tx.session.scalar(_HEAD) == head:
                await write(tx)
                return
    words = "台账正忙，稍后再发"
    raise Withheld(Outcome(State.RETRYING, reason=words, code="busy", retry_after=5.0))


async def _allowed(ledger: Ledger, given: _Submitting) -> None:
    """Withheld when what is signed so far forbids the call."""
    row, [subject, *others] = given.row, given.subjects
    stops = switches([*HALTING, f"account:{row.account_id}"])
    try:
        facts = await ledger.facts_of([subject, *others, *stops])
    except Broken as broken:
        raise Withheld(_held(str(broken))) from broken
    if stopped_in({name: facts[name] for name in stops}):
        words = "已按开关停止发布"
        raise Withheld(Outcome(State.RETRYING, reason=words, code="stopped", retry_after=30.0))
    if recalled(facts[subject]):
        raise Withheld(_held("这一稿件已被撤回"))
    if (stop := going(facts[subject], row.account_id)).waits:
        words = f"{stop.words}，这里也先不发"
        raise Withheld(Outcome(State.RETRYING, reason=words, code="stopped", retry_after=30.0))
    stand = stand_of(facts[subject], row.release_id, row.account_id)
    if faults := once_faults(stand, given.moment, guarded=given.guarded):
        raise Withheld(refusal(stand, faults))
    for number, one in enumerate(given.edition, 1):
        about = facts[f"item:{one.item_id}"]
        why = ["这一稿件已被撤回"] if recalled(about) else []
        why += article_faults(stand_of(about, one.release_id, row.account_id), stand)
        if why:
            raise Withheld(_held(f"第 {number} 篇《{one.title}》：{'；'.join(why)}"))


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
