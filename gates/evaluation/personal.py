"""Labelled sets of personal data: shapes of numbers, made-up values, vectors, news."""

from collections import Counter
from collections.abc import Iterator

from gates.evaluation.measures import Look, Measure, Row, Tally, above_hint, share_of

PERSONAL = {"mobile", "email"}


def shapes(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Numbers in official texts by shape: personal ones are found, office ones left alone."""
    name = "number_shapes_in_gov_text"
    total: Counter[str] = Counter()
    told: Counter[str] = Counter()
    for row in rows:
        found = [one for one in look(row["text"]) if one.gate == "secrecy"]
        for span in row["spans"]:
            hits = [one for one in found if one.start < span["end"] and span["start"] < one.end]
            shape = span["shape"]
            total[shape] += 1
            told[shape] += bool(hits)
            tally.count(name, hits[:1], row["text"], right=shape in PERSONAL)
            if shape in PERSONAL and not hits:
                tally.missed(name, span["value"], row["text"][max(0, span["start"] - 40) :])
    for shape in sorted(PERSONAL & set(total)):
        yield Measure(
            name, f"{shape} found", share_of(told[shape], total[shape]), total[shape], 0.99
        )
    others = [shape for shape in total if shape not in PERSONAL]
    wrong = sum(told[shape] for shape in others)
    n = sum(total[shape] for shape in others)
    yield Measure(name, "office numbers called personal", share_of(wrong, n), n, 0.0, most=True)


def made_up(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Made-up personal values, kind by kind."""
    name = "faker_zh_values"
    kinds = {"id_card": "id-card", "mobile": "mobile", "email": "e-mail",
             "bank_card_luhn": "bank-card", "licence_plate": "plate"}  # fmt: skip
    for key, rule in kinds.items():
        hits = 0
        for row in rows:
            text = f"{row['name']}，{'银行卡号' if rule == 'bank-card' else ''}{row[key]}。"
            mine = [one for one in look(text) if one.rule == f"secrecy.{rule}"]
            hits += bool(mine)
            tally.count(name, mine, text, right=True)
            if not mine:
                tally.missed(name, row[key], text)
        target = 0.99 if rule in ("id-card", "mobile", "e-mail") else None
        yield Measure(name, f"{key} found", share_of(hits, len(rows)), len(rows), target)


def vectors(rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Identity numbers labelled valid or not."""
    right = 0
    for row in rows:
        valid = row["valid"] is not False
        found = [one for one in look(f"身份证号{row['value']}") if one.gate == "secrecy"]
        sure = [one for one in found if one.severity == "block"]
        right += bool(sure) is valid
        if bool(sure) is not valid:
            tally.missed("vectors", str(row["value"]), f"valid: {valid}")
    yield Measure("vectors", "judged as labelled", share_of(right, len(rows)), len(rows))


def news(name: str, rows: list[Row], look: Look, tally: Tally) -> Iterator[Measure]:
    """Texts without personal numbers: what is called personal is a false alarm."""
    wrong = 0
    for row in rows:
        found = [one for one in look(row["text"]) if one.gate == "secrecy" and above_hint([one])]
        wrong += bool(found)
        tally.count(name, found, row["text"], right=False)
    yield Measure(name, "called personal", share_of(wrong, len(rows)), len(rows), 0.0, most=True)
