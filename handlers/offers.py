"""Clauses that came near a question: offered by their names, quoted when one of them is chosen.

A contact's conversation keeps which clauses they are and what a button says, and the whole of it
reaches the person on duty when the citizen asks for one. A chosen clause is looked up once more:
it may have been amended or repealed since.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.turn import Choice
from knowledge.answering import Answer, Quote

MOST = 3
CHOSEN = "quote"
"""The key of a choice begins so and names the clause: an old button means no other clause."""
_NAME = 40  # characters of a title on a button
_WORDS = 16  # of a clause that has no number, or shares it
_OPENING = 20  # of a clause beside others of its document: what tells them apart comes first

Kept = Mapping[str, Any]


def near(answer: Answer) -> list[dict[str, Any]]:
    """What a conversation and a ticket keep of the clauses found."""
    return [
        {
            "clause_id": quote.hit.key,
            "title": quote.hit.title,
            "text": quote.text,
            "name": _name(quote),
        }
        for quote in answer.quotes[:MOST]
    ]


def _name(quote: Quote) -> str:
    title = quote.hit.title.strip("《》")
    short = title if len(title) <= _NAME else f"{title[: _NAME - 1]}…"
    return f"《{short}》{quote.hit.label}"


def choices(held: Sequence[Kept], without: str = "") -> tuple[Choice, ...]:
    """A button for each clause but one; no two of them say the same."""
    names = [_told(one, held) for one in held]
    found = []
    for one, name in zip(held, names, strict=True):
        clause = str(one.get("clause_id", ""))
        words = " ".join(str(one.get("text", "")).split())[:_WORDS]
        plain = names.count(name) == 1 and not name.endswith("》")
        if clause != without:
            found.append(Choice(name if plain else f"{name}{words}…", f"{CHOSEN}:{clause}"))
    return tuple(found)


def one_title(held: Sequence[Kept]) -> str:
    """The title of the document of which several numbered clauses were found; else ""."""
    titles = {str(one.get("title", "")).strip("《》") for one in held}
    numbered = all(_number(one) for one in held)
    return titles.pop() if len(held) > 1 and len(titles) == 1 and numbered else ""


def _number(one: Kept) -> str:
    return str(one.get("name", "")).rpartition("》")[2]


def _told(one: Kept, held: Sequence[Kept]) -> str:
    """What a button says: the document's name, or where all are of one how the clause begins."""
    if not one_title(held):
        return str(one.get("name", ""))
    number, text = _number(one), " ".join(str(one.get("text", "")).split())
    words = text.removeprefix(number).strip()
    return f"{number} {words if len(words) <= _OPENING else words[:_OPENING] + '…'}"


def held_in(data: Mapping[str, Any]) -> list[Kept]:
    """The clauses a conversation keeps."""
    held = data.get("near")
    return [one for one in held if isinstance(one, Mapping)] if isinstance(held, list) else []


def candidates(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same for the person on duty."""
    names = ("clause_id", "title", "text")
    return [{name: one.get(name, "") for name in names} for one in held_in(data)]


def offered_in(data: Mapping[str, Any], clause: str) -> bool:
    """Whether this clause was offered in this conversation."""
    return any(one.get("clause_id") == clause for one in held_in(data))
