"""Labelled sets of wording: official sentences, 新华社 forms, advertising, renamed divisions."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from gates.evaluation.measures import Look, Measure, Row, Tally, above_hint, near, share_of
from gates.finding import Finding

_CONTEXTS = {
    "medical reports": "该药品治疗糖尿病{}，请患者放心。",
    "hostage reports": "人质被{}。",
    "Darfur": "达尔富尔的{}。",
    "war reports": "战争中{}多名士兵。",
}


def clean(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Official sentences without a fault: what is flagged in them is a false alarm."""
    name = "clean_official_sentences"
    blocked: Counter[str] = Counter()
    loud: Counter[str] = Counter()
    total: Counter[str] = Counter()
    hints = 0
    for row in rows:
        found = look(row["text"])
        kind = row["source_type"]
        total[kind] += 1
        blocked[kind] += any(one.severity == "block" for one in found)
        loud[kind] += bool(above_hint(found))
        hints += bool(found)
        tally.count(name, above_hint(found), row["text"], right=False)
    n = len(rows)
    yield Measure(name, "blocked", share_of(blocked.total(), n), n, 0.001, most=True)
    yield Measure(name, "above a hint", share_of(loud.total(), n), n, 0.01, most=True)
    yield Measure(name, "any, hints too", share_of(hints, n), n)
    for kind in sorted(total):
        yield Measure(name, f"above a hint: {kind}", share_of(loud[kind], total[kind]), total[kind])


def platform(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Clean sentences of an official learning platform: warnings are false alarms."""
    loud = 0
    for row in rows:
        found = above_hint(look(row["text"]))
        loud += bool(found)
        tally.count("clean_platform_sentences", found, row["text"], right=False)
    share = share_of(loud, len(rows))
    yield Measure("clean_platform_sentences", "above a hint", share, len(rows), 0.005, most=True)


def reports(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Government work reports of past years, judged as of their own March."""
    name = "gov_work_reports"
    loud = blocked = length = 0
    for row in rows:
        found = look(row["text"], date(int(row["year"]), 3, 5))
        tally.count(name, above_hint(found), row["text"], right=False)
        loud += len(above_hint(found))
        blocked += sum(one.severity == "block" for one in found)
        length += len(row["text"])
    yield Measure(name, "blocking in 10,000 characters", share_of(blocked * 10_000, length), length)
    yield Measure(
        name, "above a hint in 10,000 characters", share_of(loud * 10_000, length), length
    )


def pairs(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Forms 新华社 says to avoid, with the forms to use: flagged, named, left alone."""
    name = "xinhua_pairs"
    flagged = named = with_use = quiet = uses = 0
    for row in rows:
        avoid, use = row["avoid"], row["use"]
        text = _CONTEXTS.get(row["context"], "近日，{}引起关注。").format(avoid)
        at = text.index(avoid)
        mine = [
            one for one in above_hint(look(text)) if one.start < at + len(avoid) and at < one.end
        ]
        flagged += bool(mine)
        tally.count(name, mine, text, right=True)
        if not mine:
            tally.missed(name, avoid, text)
        if use:
            with_use += 1
            named += any(_names(one, use, text, (at, at + len(avoid))) for one in mine)
        for word in use:
            sentence = f"近日，{word}到场。"
            found = above_hint(look(sentence))
            uses += 1
            quiet += not found
            tally.count(name, found, sentence, right=False)
    yield Measure(name, "avoided forms flagged", share_of(flagged, len(rows)), len(rows), 0.95)
    yield Measure(
        name, "of those with a right form, named", share_of(named, with_use), with_use, 0.95
    )
    yield Measure(name, "right forms left alone", share_of(quiet, uses), uses, 1.0)


def _names(one: Finding, use: list[str], text: str, span: tuple[int, int]) -> bool:
    """Whether a suggestion is, or writes in place of the avoided form, one of the right forms."""
    for option in one.suggestions:
        whole = text[span[0] : one.start] + option + text[one.end : span[1]]
        if any(right in (option, whole) or right in whole for right in use):
            return True
        if any(option in right for right in use):
            return True
    return False


def terms(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """The 2016 list of terms without a context: a hint is enough there."""
    name = "xinhua_terms_2016"
    avoid = [row["term"] for row in rows if not row["is_recommended_form"]]
    right = [row["term"] for row in rows if row["is_recommended_form"]]
    any_level = loud = 0
    for term in avoid:
        found = look(f"近日，{term}引起关注。")
        any_level += bool(found)
        loud += bool(above_hint(found))
        tally.count(name, above_hint(found), term, right=True)
        if not found:
            tally.missed(name, term, "")
    quiet = sum(not above_hint(look(f"近日，{term}到场。")) for term in right)
    yield Measure(
        name, "flagged above a hint without context", share_of(loud, len(avoid)), len(avoid)
    )
    yield Measure(name, "flagged, hints too", share_of(any_level, len(avoid)), len(avoid))
    yield Measure(name, "right forms left alone", share_of(quiet, len(right)), len(right), 1.0)


def term_hits(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Mostly innocent sentences with a listed term: unlabelled, so the share is all there is."""
    loud = 0
    for row in rows:
        found = [one for one in above_hint(look(row["sentence"])) if one.text in row["term"]]
        loud += bool(found)
        for one in found:
            tally.samples.append(
                {"set": "term_hits_in_real_text", "flagged": one.rule, "text": one.text,
                 "in": near(row["sentence"], one)}
            )  # fmt: skip
    yield Measure(
        "term_hits_in_real_text", "flagged above a hint", share_of(loud, len(rows)), len(rows)
    )


def advertising(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Rule texts speak of forbidden words and must not be flagged for it."""
    loud = 0
    for row in rows:
        found = above_hint(look(row["text"]))
        loud += bool(found)
        tally.count("illegal_ad_expressions", found, row["text"], right=False)
    yield Measure(
        "illegal_ad_expressions", "rule texts flagged", share_of(loud, len(rows)), len(rows)
    )


def renamed(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Divisions that were renamed: flagged, and with the new name."""
    name = "renamed_divisions"
    flagged = named = 0
    for row in rows:
        old = row["old_province"] + row["old_prefecture"] + row["old_county"]
        new = row["new_province"] + row["new_prefecture"] + row["new_county"]
        text = f"{old}发布通知。"
        mine = [one for one in above_hint(look(text)) if one.start < len(old)]
        flagged += bool(mine)
        whole = [
            text[: one.start] + option + text[one.end :]
            for one in mine
            for option in one.suggestions
        ]
        named += any(_same_place(new, option) for option in whole)
        tally.count(name, mine, text, right=True)
        if not mine:
            tally.missed(name, old, new)
        elif not any(_same_place(new, option) for option in whole):
            tally.missed(name, f"{old}: new name", f"{new}; {whole}")
    yield Measure(name, "flagged", share_of(flagged, len(rows)), len(rows), 0.9)
    yield Measure(name, "with the new name", share_of(named, len(rows)), len(rows), 0.9)


def _same_place(name: str, text: str) -> bool:
    """Whether a text begins with this place; a list may shorten 融水苗族自治县 to 融水县."""
    return text.startswith((name, name[:-1]))
