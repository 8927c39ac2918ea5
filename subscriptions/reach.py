"""How many people a push reaches: recorded when it is approved, compared when it begins.

Whoever approves is shown a number; the entry of the decision keeps it for each account, with five
samples as facet keys (nobody's reference, no sensitive value). A push whose number is another one
by then does not begin: `push.held` is signed, its editor is told, and a person decides about this
account's push alone, with a reason that is signed. Once decided it is not asked again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from bot.contract import Release
from bot.delivery.mended import DROPPED, HELD, RESUMED, Going, going
from bot.models import Publication
from facets.criteria import Asked
from facets.taxonomy import DIMENSIONS, Taxonomy
from ledger.append import Ledger
from ledger.incidents import open_incident_in
from ledger.verify import Broken, Entry
from review_queue.canonical import Draft
from review_queue.desk import ROBOT, Said, append_with_words, read_item
from review_queue.told import approved_draft
from staff.incidents import settled
from staff.refusal import Reason, Refused, missing, refuse
from staff.rights import entitled
from subscriptions.matching import Matching

HANDFUL = 5
"""So many people more or fewer never hold a push, however small it is."""
PER_CENT = 20
Tell = Callable[[str, str], Awaitable[object]]
"""A member of staff and words."""
BEGUN = "push.begun"
log = structlog.get_logger()


async def nobody(_staff_id: str, _words: str) -> None:
    """For whoever has no way to reach staff; the incident stands all the same."""


@dataclass(frozen=True)
class Held:
    """Why a push did not begin: how many people it reached when approved, and when it was due."""

    approved: int | None
    then: int

    @property
    def words(self) -> str:
        """For staff."""
        if self.approved is None:
            return f"批准时没有记下人数，到推送时有 {self.then} 人"
        return f"批准时符合条件的有 {self.approved} 人，到推送时有 {self.then} 人"


def off(approved: int | None, now: int) -> bool:
    """Whether a number is another one than was approved; one that nobody was shown always is."""
    if approved is None:
        return True
    return abs(now - approved) > max(HANDFUL, approved * PER_CENT / 100)


# --- recorded with a decision -----------------------------------------------------------------


async def reach_now(ledger: Ledger, matching: Matching, draft: Draft) -> Mapping[str, Any] | None:
    """What the entry of a decision says of whom this draft is pushed to; None for nobody."""
    if draft.audience is None:
        return None
    async with ledger.db.session() as session:
        try:
            reach = await matching.reach(session, draft.audience, draft.accounts)
        except Refused:  # a taxonomy that cannot be proved: nobody can say, and the push is held
            return {"accounts": {}, "sample": []}
    plain = partial(_plain, matching.taxonomy)
    return {"accounts": dict(reach.accounts), "sample": [plain(one.asked) for one in reach.sample]}


def _plain(taxonomy: Taxonomy, asked: Asked) -> list[str]:
    """The keys of a subscription; what its citizen agreed to on its own is nothing for ever."""
    return [
        "" if (facet := taxonomy.get(name, key)) is not None and facet.sensitive else key
        for name, key in zip(DIMENSIONS, asked, strict=True)
    ]


def approved_reach(entries: Sequence[Entry], release_id: str) -> Mapping[str, int] | None:
    """By account, of the last approval of a release; None for one from before it was recorded."""
    last = next(
        (
            one.body["last_decision"]
            for one in reversed(entries)
            if one.kind == "release.created" and one.body["release"] == release_id
        ),
        None,
    )
    said = next((one.body.get("reach") for one in entries if one.seq == last), None)
    return None if said is None else said["accounts"]


# --- compared when a push begins --------------------------------------------------------------


async def hold_back(
    ledger: Ledger, matching: Matching, tell: Tell, publication: Publication, release: Release
) -> bool:
    """Whether this push must not begin: its number is off and nobody has decided. Raises Broken."""
    subject = f"item:{publication.item_id}"
    entries = await ledger.facts(subject)
    begun = await ledger.facts(f"publication:{publication.id}")
    approved = approved_reach(entries, release.id)
    if approved is None or _held(entries, publication) or any(one.kind == BEGUN for one in begun):
        return False
    account = publication.account_id
    async with ledger.db.session() as session:
        count = await matching.count(session, release.audience or {}, [account])
    found = Held(approved.get(account), count)
    if not off(found.approved, found.then):
        return False
    async with ledger.transaction() as tx:
        if _held(await ledger.facts(subject), publication):  # another process was faster
            return True
        names = {"publication": publication.id, "account": account, "digest": publication.digest}
        body = {**names, "approved": found.approved, "now": found.then}
        await tx.append(HELD, subject=subject, actor="system", body=body)
        item = await read_item(tx.session, publication.item_id)
        words = f"《{item.title}》的推送没有开始：{found.words}。请核对后决定发还是不发"
        about = f"publication:{publication.id}"
        await open_incident_in(
            tx, HELD, subject=about, message=words, detail={"held": publication.id}
        )
    log.warning("push held", publication=publication.id, approved=found.approved, now=found.then)
    if item.last_editor_id != ROBOT:
        await tell(item.last_editor_id, words)
    return True


def _held(entries: Sequence[Entry], publication: Publication) -> Entry | None:
    """The entry that held this push once, decided about or not."""
    mine = (one for one in entries if one.kind == HELD)
    return next((one for one in mine if one.body["publication"] == publication.id), None)


def held_by(entries: Sequence[Entry], publication: Publication) -> Held | None:
    """Why a push waits for a person's choice; None when it does not."""
    entry = _held(entries, publication)
    if entry is None or going(entries, publication.account_id) is not Going.HELD:
        return None
    return Held(entry.body["approved"], entry.body["now"])


# --- decided by a person ----------------------------------------------------------------------


async def send_anyway(
    ledger: Ledger, matching: Matching, publication_id: str, staff_id: str, reason: str
) -> int:
    """Let a push begin although its number is off; how many people it reaches now.

    Refused 403, 404, 409 or 422.
    """
    return await _settle(ledger, matching, publication_id, Said(RESUMED, staff_id, reason))


async def send_nothing(
    ledger: Ledger, matching: Matching, publication_id: str, staff_id: str, reason: str
) -> int:
    """End a push that was held; how many people do not get it. Refused as above."""
    return await _settle(ledger, matching, publication_id, Said(DROPPED, staff_id, reason))


async def _settle(ledger: Ledger, matching: Matching, publication_id: str, said: Said) -> int:
    async with ledger.db.session() as session:
        place = await session.get(Publication, publication_id)
        if place is None:
            raise missing("次发布")
        await read_item(session, place.item_id)  # refused to who may not read the item
    count = await reaches(ledger, matching, place)
    async with ledger.transaction() as tx:
        await entitled(tx.session, said.actor, "pushes.decide")
        item = await read_item(tx.session, place.item_id)
        held = held_by(await _entries(ledger, place), place)
        faults = [] if said.words.strip() else [Reason("reason", "请写明理由")]
        if held is None:
            faults.append(Reason("state", "这次推送没有因为人数等人决定"))
        refuse(faults)
        names = {"publication": place.id, "account": place.account_id, "digest": place.digest}
        await append_with_words(tx, item, said, {**names, "had": 0, "rest": count})
        done = "决定照发" if said.kind == RESUMED else "决定不发"
        words = f"{done}（{count} 人）：{said.words.strip()}"
        about = f"publication:{place.id}"
        await settled(tx, HELD, subject=about, by=said.actor, words=words)
    return count


async def reaches(ledger: Ledger, matching: Matching, place: Publication) -> int:
    """How many people a push reaches at this moment, by the text that was approved."""
    draft = await approved_draft(ledger, place.item_id, place.digest)
    if draft is None or draft.audience is None:
        return 0
    async with ledger.db.session() as session:
        return await matching.count(session, draft.audience, [place.account_id])


async def _entries(ledger: Ledger, place: Publication) -> Sequence[Entry]:
    try:
        return await ledger.facts(f"item:{place.item_id}")
    except Broken as broken:
        raise Refused(409, [Reason("ledger", str(broken))]) from broken
