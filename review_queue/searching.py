"""稿件 looked for: words in title and text, filters, and how long each lies where it is.

What is searched is a row made from the latest revision. It names its item, so that 知悉范围 holds
for it as for every other table (scope.py): a limited item is not found, shown or counted.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import Select

from config.clock import BEIJING, now
from gates.alike import letters, sketch
from review_queue.models import Item, ItemWords
from review_queue.states import STATES

MOST_WORDS = 6
"""Words of a question that are looked for."""
_LONGEST_WORD = 60


@dataclass(frozen=True)
class Wanted:
    """Which items; an empty field asks nothing. `holder` holds a claim now; days are Beijing's."""

    q: str = ""
    state: str = ""
    klass: str = ""
    account: str = ""
    owner: str = ""
    holder: str = ""
    since: date | None = None
    until: date | None = None


def words_of(canonical: str) -> dict[str, Any]:
    """What a row of ItemWords holds of a revision, beside the item's id."""
    data = json.loads(canonical)
    beside = [data.get("summary", ""), data.get("author", ""), *data["attribution"].values()]
    return {
        "words": " ".join(map(letters, (data["title"], data["body"], "\n".join(beside)))),
        "accounts": f" {' '.join(data['accounts'])} ",
        "not_before": datetime.fromisoformat(data["not_before"]),
        "not_after": datetime.fromisoformat(data["not_after"]),
        "sketch": sketch(data["body"]),
    }


async def note_words(session: AsyncSession, item_id: str, canonical: str) -> None:
    """Keep what is searched of an item's newest revision."""
    await session.merge(ItemWords(item_id=item_id, **words_of(canonical)))


def asked_words(question: str) -> list[str]:
    """The letters of each word somebody looks for; every one must be there, in any order."""
    plain = [letters(part)[:_LONGEST_WORD] for part in question.split()]
    return list(dict.fromkeys(part for part in plain if part))[:MOST_WORDS]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    asked: list[ColumnElement[bool]] = []
    if wanted.state in STATES:
        asked += [Item.state == wanted.state, ~Item.stopped]
    if wanted.state == "stopped":
        asked.append(Item.stopped.is_(True))
    if wanted.klass:
        asked.append(Item.klass == wanted.klass)
    if wanted.owner:
        asked.append(Item.last_editor_id == wanted.owner)
    if wanted.holder:
        asked += [Item.claimed_by == wanted.holder, Item.claimed_until > now()]
    if wanted.since:
        asked.append(Item.updated_at >= _midnight(wanted.since))
    if wanted.until:
        asked.append(Item.updated_at < _midnight(wanted.until + timedelta(days=1)))
    return asked + _inside(wanted)


def _inside(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What is asked of the row of words."""
    words = [ItemWords.words.contains(word, autoescape=True) for word in asked_words(wanted.q)]
    if wanted.q.strip() and not words:
        return [Item.id == ""]  # nothing but signs: nothing has them
    if wanted.account:
        words.append(ItemWords.accounts.contains(f" {wanted.account} ", autoescape=True))
    return [Item.id.in_(select(ItemWords.item_id).where(*words))] if words else []


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), BEIJING)


def items_wanted(wanted: Wanted, *more: ColumnElement[bool]) -> Select[Item]:
    """The items, last changed first; `more` narrows them further."""
    query = select(Item).where(*_conditions(wanted), *more)
    return query.order_by(Item.updated_at.desc(), Item.id.desc())


async def count_wanted(session: AsyncSession, wanted: Wanted, *more: ColumnElement[bool]) -> int:
    """How many there are."""
    query = select(func.count(Item.id)).where(*_conditions(wanted), *more)
    return (await session.scalar(query)) or 0
