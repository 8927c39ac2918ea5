"""Whether a published text is genuine and still current, from signed ledger entries alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from bot.contract import State
from bot.delivery.once import Told, same
from bot.delivery.taken import off
from bot.models import Publication
from bot.picture_message import is_picture_message, message_text
from console.web.deps import Deps
from gates.finding import Finding
from ledger.changed import row_changed
from ledger.verify import Broken, Entry
from review_queue.canonical import Corrects, Draft
from review_queue.chain import chain_faults
from review_queue.classes import Triggers
from review_queue.recalling import WHY
from review_queue.release import Releases
from review_queue.told import approved_draft, told_as_row

PASTED = 20_000
_SPACE = re.compile(r"\s+")
_NO_TRIGGERS = Triggers([])  # the words of today say nothing about what was approved before


@dataclass(frozen=True)
class Proof:
    """What the chain says about one publication. No person is named here.

    `problem` is why nothing is proved; `levels` are (name, moment) of the approvals in order.
    """

    problem: str = ""
    told: Told | None = None  # what is signed of how it went out on this account
    levels: tuple[tuple[str, datetime], ...] = ()
    released_at: datetime | None = None
    recalled_at: datetime | None = None
    recall_class: str = ""
    off_at: datetime | None = None  # since when it is no longer what its account says
    afterwards: str = ""  # after 应急: "", "open" or "closed"

    @property
    def holds(self) -> bool:
        """The text passed every level and nobody has recalled it."""
        return not self.problem and self.recalled_at is None


async def prove(deps: Deps, row: Publication) -> tuple[Proof, Draft | None]:
    """Verify the chain behind one publication; the text that was approved, when it is unchanged."""
    if not row.whole:
        await row_changed(deps.ledger, "publication", row.id)
        return Proof("发布记录被改动过"), None
    draft = await approved_draft(deps.ledger, row.item_id, row.digest)
    if draft is None:
        return Proof("保存的内容与审核时的摘要不符，内容被改动过"), None
    try:
        chain = await Releases(deps.ledger, _nothing).chain(row.item_id)
    except Broken as broken:
        return Proof(str(broken)), None
    released = [
        entry
        for entry in chain.entries
        if entry.kind == "release.created" and entry.body["release"] == row.release_id
    ]
    if not released or released[-1].body["digest"] != row.digest:
        return Proof("放行记录没有签名的台账依据"), None
    end = released[-1].seq
    until = replace(chain, entries=[entry for entry in chain.entries if entry.seq <= end])
    if faults := chain_faults(until, draft, row.digest, _NO_TRIGGERS):
        return Proof("；".join(faults)), None
    after = [entry for entry in chain.entries if entry.seq > end]
    told = await told_as_row(deps.ledger, row, chain.entries)
    if told is None and row.state == State.PUBLISHED:
        return Proof("台账里没有这个账号发布它的记录"), None
    if told is not None and not same(row, told):
        return Proof("发布记录与台账不符"), None
    standing = _standing(until.entries, released[-1], after)
    return replace(standing, told=told, off_at=off(chain.entries, row.id)), draft


@dataclass(frozen=True)
class Other:
    """The publication on the same account that corrects this one, or is corrected by it."""

    publication: str
    title: str
    digest: str


async def corrected_by(deps: Deps, row: Publication) -> list[Other]:
    """The corrections of this publication's text that are out on its account and hold."""
    begun = [
        str(one.body["by"])
        for one in await deps.ledger.facts(f"item:{row.item_id}")
        if one.kind == "correction.begun" and one.body["digest"] == row.digest
    ]
    return await _out(deps, row.account_id, begun, Corrects(row.item_id, row.digest))


async def corrected_one(deps: Deps, row: Publication, draft: Draft | None) -> Other | None:
    """What this publication corrects; its title only when it was out on the same account."""
    if draft is None or draft.corrects is None:
        return None
    told = await _out(deps, row.account_id, [draft.corrects.item], None)
    same_text = [one for one in told if one.digest == draft.corrects.digest]
    return same_text[0] if same_text else Other("", "", draft.corrects.digest)


async def _out(
    deps: Deps, account_id: str, items: Sequence[str], about: Corrects | None
) -> list[Other]:
    query = select(Publication).where(
        Publication.item_id.in_(items), Publication.account_id == account_id
    )
    async with deps.db.session() as session:
        rows = (await session.scalars(query.order_by(Publication.id))).all()
    found = []
    for row in rows:
        proof, draft = await prove(deps, row)
        # A correction that was recalled corrects nothing; what it corrected may be recalled.
        counts = proof.holds if about is not None else not proof.problem
        mine = about is None or (draft is not None and about.same_text(draft.corrects))
        if draft and proof.told and counts and mine:
            found.append(Other(row.id, draft.title, row.digest))
    return found


async def _nothing(_draft: Draft) -> list[Finding]:
    """The gates of today say nothing about what was approved before."""
    return []


def _standing(until: Sequence[Entry], released: Entry, after: Sequence[Entry]) -> Proof:
    begun = [entry for entry in until if entry.kind == "item.submitted"][-1]
    approvals = [entry for entry in until if entry.kind == "decision" and entry.seq > begun.seq]
    approvals += [
        entry
        for entry in after
        if entry.kind == "decision" and entry.body.get("retrospective") and _approves(entry)
    ]
    closed = any(entry.kind == "retrospective.closed" for entry in after)
    recalled = [entry for entry in after if entry.kind == "item.recalled"]
    return Proof(
        levels=tuple((entry.body["level_name"], _moment(entry)) for entry in approvals),
        released_at=_moment(released),
        recalled_at=_moment(recalled[-1]) if recalled else None,
        afterwards=("closed" if closed else "open") if begun.body.get("emergency") else "",
        recall_class=WHY.get(str(recalled[-1].body.get("class", "")), "") if recalled else "",
    )


def _approves(entry: Entry) -> bool:
    return bool(entry.body["verdict"] == "approve")


def _moment(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.at)


def missing(draft: Draft, pasted: str) -> list[str]:
    """The pasted paragraphs that do not stand in the published text, word for word.

    White space does not count: people copy from screens that wrap lines.
    """
    said = draft.body
    if draft.blocks is not None and is_picture_message(draft.content):
        said += message_text(draft.content, draft.blocks)  # with the lines that its pictures become
    whole = _dense(f"{draft.title}\n{said}")
    lines = [line.strip() for line in pasted[:PASTED].splitlines()]
    return [line for line in lines if line and _dense(line) not in whole]


def _dense(text: str) -> str:
    return _SPACE.sub("", text)
