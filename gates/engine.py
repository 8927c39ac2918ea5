"""Runs the five gates over a draft: data in, findings out, no database and no network."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from gates import GATES
from gates.finding import Context, Facts, Finding, GateText, NoFacts, PolicyFact
from gates.limits import limited, not_read
from gates.normalise import normalise
from gates.rules import RuleError, RuleSet, places
from gates.spelling import Speller, spelling_findings

__all__ = [
    "Facts",
    "Finding",
    "GateText",
    "NoFacts",
    "PolicyFact",
    "RuleError",
    "RuleSet",
    "run_gates",
]

_WEIGHT = {"block": 2, "warn": 1, "hint": 0}


def run_gates(
    draft: GateText,
    ruleset: RuleSet,
    facts: Facts,
    *,
    include_hints: bool = False,
    speller: Speller | None = None,
) -> list[Finding]:
    """All findings: title first, then text, then each attachment, each by offset.

    With a `speller` title and text are also read for misspelt characters.
    """
    fields = [("title", draft.title), ("text", draft.text)]
    fields += [(f"attachment:{name}", text) for name, text in draft.attachments]
    found: list[Finding] = []
    limits = draft.limits
    for name, whole in fields:
        if whole:
            text = whole[: limits.of(name)]
            ctx = Context(text, normalise(text), name, draft.as_of, facts)
            own = _field(ctx, ruleset)
            # Attachments are other people's papers: misspelt characters in them are not ours to
            # mend.
            if speller is not None and name in ("title", "text"):
                own = list(_without_repeats([*own, *spelling_findings(ctx, speller)]))
            found += _quieted(own, ruleset)
            found += not_read(name, whole, limits)
    return limited([one for one in found if include_hints or one.severity != "hint"], limits)


def text_findings(ruleset: RuleSet, facts: Facts, draft: GateText) -> list[Finding]:
    """The findings above a hint, as a piece of work: what is shared first, the text last."""
    return run_gates(draft, ruleset, facts)


def spelt_findings(
    ruleset: RuleSet, facts: Facts, speller: Speller, draft: GateText
) -> list[Finding]:
    """The same, read for misspelt characters too."""
    return run_gates(draft, ruleset, facts, speller=speller)


def _field(ctx: Context, ruleset: RuleSet) -> list[Finding]:
    words = ruleset.scan(ctx.dense)
    ctx = Context(ctx.text, ctx.dense, ctx.field, ctx.as_of, ctx.facts, places(words))
    found = list(ruleset.find(ctx, words))
    for find in GATES.values():
        found += find(ctx.text, ctx)
    # What would be replaced by itself is right: a wrong form may be the matching form of the other.
    return list(_without_repeats([one for one in found if one.suggestion != one.text]))


def _quieted(found: Iterable[Finding], ruleset: RuleSet) -> Iterator[Finding]:
    """Warnings of rules that people judged wrong more often than right, as hints."""
    for one in found:
        quiet = one.severity == "warn" and one.rule in ruleset.quiet
        yield replace(one, severity="hint") if quiet else one


def _without_repeats(found: list[Finding]) -> Iterator[Finding]:
    """Drop what lies inside an at least equally severe finding of the same gate."""
    reached: dict[tuple[str, int], int] = {}  # gate and weight -> how far findings reach so far
    kept = []
    # Longest and gravest first, so that what it covers is known when the smaller one comes.
    for one in sorted(found, key=lambda one: (one.start, -one.end, -_WEIGHT[one.severity])):
        weight = _WEIGHT[one.severity]
        if all(reached.get((one.gate, heavier), -1) < one.end for heavier in range(weight, 3)):
            reached[one.gate, weight] = one.end
            kept.append(one)
    yield from sorted(kept, key=lambda one: (one.start, one.end, one.gate))
