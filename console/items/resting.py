"""The clauses that a question and answer of the library rests on: shown, and chosen."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from console.web.deps import Deps
from knowledge.answering import Hit
from knowledge.told import ENTRY, told_of
from knowledge.validity import CITABLE, STATUS_NAMES
from review_queue.canonical import QA, TOLD_NOTICE, Draft

_GONE = "这一条已不在政策库里，或与签名的原文不符"


@dataclass(frozen=True)
class RestChoice:
    """A clause in words; `holds`: whether an answer may rest on it today."""

    clause: str
    name: str
    text: str
    chosen: bool
    holds: bool
    policy: str = ""


async def rests_of(deps: Deps, draft: Draft) -> list[RestChoice]:
    """Those that were chosen."""
    clauses = [one for one in draft.rests if not one.startswith(ENTRY)]
    found = [_choice(*one, chosen=True) for one in await deps.recall.clauses(clauses)]
    if len(clauses) == len(draft.rests):
        return found
    shelf = deps.queue.library.get(QA)
    known = {ENTRY + one.key: one for one in await shelf.entries()} if shelf else {}
    named = [(one, known.get(one)) for one in draft.rests if one not in clauses]
    return found + [
        RestChoice(key, f"问答“{one.label}”", one.text, chosen=True, holds=True)
        if one is not None
        else RestChoice(key, "一条已不在的问答", "", chosen=True, holds=False)
        for key, one in named
    ]


async def told_count(session: AsyncSession, draft: Draft) -> int | None:
    """How many a notice of correction goes to as it stands; None for anything else."""
    if draft.kind != TOLD_NOTICE:
        return None
    return len((await told_of(session, draft.rests))[0])


async def rest_choices(deps: Deps, draft: Draft) -> list[RestChoice]:
    """Those that were chosen, and those that come near what the draft says."""
    if draft.kind != QA or not draft.entry:
        return []
    near = await deps.recall.near([draft.body, draft.title])
    others = [one["clause_id"] for one in near if one["clause_id"] not in draft.rests]
    chosen = await rests_of(deps, draft)
    return [*chosen, *(_choice(*one, chosen=False) for one in await deps.recall.clauses(others))]


def _choice(clause: str, hit: Hit | None, *, chosen: bool) -> RestChoice:
    if hit is None:
        return RestChoice(clause, _GONE, "", chosen, holds=False)
    holds = hit.validity in CITABLE
    name = f"《{hit.title.strip('《》')}》{hit.label}"
    words = name if holds else f"{name}（{STATUS_NAMES[hit.validity]}）"
    return RestChoice(clause, words, hit.text, chosen, holds, hit.policy_id)
