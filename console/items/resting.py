"""The clauses that a question and answer of the library rests on: shown, and chosen."""

from dataclasses import dataclass

from console.web.deps import Deps
from knowledge.answering import Hit
from knowledge.validity import CITABLE, STATUS_NAMES
from review_queue.canonical import QA, Draft

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
    found = await deps.recall.clauses(draft.rests)
    return [_choice(clause, hit, chosen=True) for clause, hit in found]


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
