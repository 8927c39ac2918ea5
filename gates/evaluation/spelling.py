"""Labelled sets of spelling errors with their corrections."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from difflib import SequenceMatcher

from gates.evaluation.measures import Look, Measure, Row, Tally, above_hint, share_of
from gates.finding import Finding

_TEXTPROOF = (0.40, 0.34, 0.01)  # touched, mended, clean sentences warned
_SPELLING = ("ecspell_official_doc", "ecspell_law", "lawbench_2-1_court_doc", "lemon_news_title")


def spelling(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Sentence pairs by set: what is found, corrected rightly, and wrongly flagged."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row["set"]].append(row)
    for group in sorted(groups, key=lambda one: (one not in _SPELLING, one)):
        yield from _spelling_set(group, groups[group], look, tally)


def _spelling_set(group: str, rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    name = f"spelling: {group}"
    wrong = [row for row in rows if row["has_error"]]
    clean = [row for row in rows if not row["has_error"]]
    levels = {"warnings": Counter[str](), "with hints": Counter[str]()}
    for row in rows:
        found = [one for one in look(row["source"]) if one.gate == "wording"]
        for level, counts in levels.items():
            seen = found if level == "with hints" else above_hint(found)
            if not row["has_error"]:
                counts["alarm"] += bool(seen)
                continue
            hits = [one for one in seen if _at_an_error(one, row)]
            counts["found"] += bool(hits)
            counts["right"] += any(_corrects(one, row) for one in hits)
        if row["has_error"]:
            tally.count(name, [one for one in found if _at_an_error(one, row)], "", right=True)
        else:
            tally.count(name, above_hint(found), row["source"], right=False)
    aims = {"warnings": (0.45, 0.75, 0.02), "with hints": (0.75, None, 0.10)}
    main = group in _SPELLING[:3]
    for level, counts in levels.items():
        recall, right, alarms = aims[level] if main else (None, None, None)
        yield Measure(
            name, f"recall, {level}", share_of(counts["found"], len(wrong)), len(wrong), recall
        )
        share = share_of(counts["right"], counts["found"])
        yield Measure(name, f"correction right, {level}", share, counts["found"], right)
        if clean:
            share = share_of(counts["alarm"], len(clean))
            yield Measure(name, f"false alarms, {level}", share, len(clean), alarms, most=True)


def textproof(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Real slips of public texts, by all gates: touched, mended, and clean sentences warned."""
    touched = mended = alarms = 0
    wrong = [row | {"errors": list(_differing(row))} for row in rows if row["has_error"]]
    for row in wrong:
        hits = [one for one in above_hint(look(row["source"])) if _at_an_error(one, row)]
        touched += bool(hits)
        mended += any(_corrects(one, row) for one in hits)
        tally.count("spelling: textproof", hits, row["source"], right=True)
    clean = [row for row in rows if not row["has_error"]]
    for row in clean:
        found = above_hint(look(row["source"]))
        alarms += bool(found)
        tally.count("spelling: textproof", found, row["source"], right=False)
    for metric, count, least in (
        ("errors touched", touched, _TEXTPROOF[0]),
        ("errors mended", mended, _TEXTPROOF[1]),
    ):
        yield Measure("spelling: textproof", metric, share_of(count, len(wrong)), len(wrong), least)
    share = share_of(alarms, len(clean))
    yield Measure(
        "spelling: textproof", "clean part warned", share, len(clean), _TEXTPROOF[2], most=True
    )


def _differing(row: Row) -> Iterator[Row]:
    """Where source and target part; what is missing counts at the character before it."""
    steps = SequenceMatcher(None, row["source"], row["target"], autojunk=False).get_opcodes()
    for step, start, end, _, _ in steps:
        if step != "equal":
            yield from ({"pos": at} for at in range(max(start - (end == start), 0), max(end, 1)))


def _at_an_error(one: Finding, row: Row) -> bool:
    errors = row["errors"]
    if not errors:
        return True
    return any(one.start <= error["pos"] < one.end for error in errors)


def _corrects(one: Finding, row: Row) -> bool:
    """Whether the first suggestion writes what the target has at the finding's place."""
    if one.suggestion is None or row["target"] is None:
        return False
    mended = row["source"][: one.start] + one.suggestion + row["source"][one.end :]
    target = row["target"]
    if len(mended) != len(target):
        return bool(mended == target)
    return bool(mended[one.start : one.end] == target[one.start : one.end])
