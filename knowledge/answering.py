"""Answer a question from hits: a closed status, a confidence and exact quotes. Pure."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import mul
from typing import Literal

from knowledge.clauses import best_window
from knowledge.danger import danger
from knowledge.ranking import ranker
from knowledge.search import pairs, wanted_in
from knowledge.speech import Speech, starting_speech
from knowledge.subject import other_people, other_place, unheld
from knowledge.validity import CITABLE, Status

AnswerStatus = Literal[
    "answered",
    "clarify",
    "several",
    "repealed",
    "unsure",
    "out_of_scope",
    "emergency",
    "abuse",
    "error",
]
STATUSES: tuple[AnswerStatus, ...] = (
    "answered",
    "clarify",
    "several",
    "repealed",
    "unsure",
    "out_of_scope",
    "emergency",
    "abuse",
    "error",
)
QUOTE_LIMIT = 300
MAX_QUOTES = 3
_SURE = 0.64  # confidence from which a citizen is answered: of others questions 9 in 10 rightly
_UNHELD = 0.5  # share of the question's subject that the clause may leave unnamed
_NAMES_NONE = (
    0.99  # of its subject unnamed by each of the clauses found: it is about something else
)
_OTHER = 0.4  # as sure as one can be of a clause about something else
_IN_SCOPE = 0.33  # below this share of the question found anywhere, it is not ours
_CLOSE = 0.96  # a second policy this near to the first is a second answer
_INVALID = 0.85  # what is not in force must be this much better to come first
ALONE, FAR = 2.0, 4.0  # a margin over nothing, and the most a margin says
_MAX_QUESTION = 2000
_THEN = re.compile(r"((?:19|20)\d{2})年(\d{1,2})月(?:(\d{1,2})[日号])?")
_THEN_WORDS = re.compile(r"当时|那时|那会|当年|的时候|时是|时能|能领|还能")
_THEN_WORD = re.compile(r"当时|那时候?|那会儿?|当年")
_NOW_WORDS = re.compile(r"现在|目前|如今|还有效|发布|印发|出台|制定|下发|实施的|公布")


@dataclass(frozen=True)
class Hit:
    """One clause found, with what the database says about its policy on the day asked about.

    `text` is the clause; `offset` is where it starts in the policy's text.
    """

    key: str
    policy_id: str
    title: str
    text: str
    offset: int
    score: float
    coverage: float
    validity: Status
    rival: float = 0.0  # score of the next best part of the same document that was left out
    doc_number: str = ""
    issuer: str = ""
    issued_on: str = ""
    url: str = ""
    label: str = ""
    ended_on: str = ""  # the first day these words are not in force, if one is known
    reworded: bool = False  # and from then on the clause has other words
    policy_stands: bool = False  # the policy is in force, whatever became of this clause
    successor: str = ""  # title of what replaced it
    successor_number: str = ""
    successor_url: str = ""
    successor_id: str = ""


@dataclass(frozen=True)
class Quote:
    """Word for word from one clause: clause text[start:end] == text (offsets in the policy)."""

    hit: Hit
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Answer:
    """A closed status, 0..1 confidence, quotes best first, and the day they were read for.

    `asked_past`: the question named that past day, so the quotes are 当时有效.
    """

    status: AnswerStatus
    confidence: float
    quotes: tuple[Quote, ...]
    as_of: date
    asked_past: bool = False
    ended: Hit | None = None  # the policy asked about that is not in force: named, never quoted
    options: tuple[str, ...] = ()  # for clarify: titles of policies in force to choose from


def asked_day(question: str, today: date) -> date | None:
    """The past day a question is about (2022年6月当时…), or None when it is about today.

    A month without a day is its middle; the month we are in is now.
    """
    match = _THEN.search(question)
    if not match or not _THEN_WORDS.search(question) or _NOW_WORDS.search(question):
        return None
    if match[3] is None and (int(match[1]), int(match[2])) == (today.year, today.month):
        return None
    try:
        day = date(int(match[1]), int(match[2]), int(match[3] or 15))
    except ValueError:
        return None
    return day if day < today else None


def without_day(question: str) -> str:
    """The question without the past day it names: what is left is searched for."""
    return _THEN_WORD.sub(" ", _THEN.sub(" ", question, count=1))


def content(question: str, speech: Speech | None = None) -> str:
    """The question without greetings and question words: what a policy could speak about."""
    for filler in (speech or starting_speech()).answering.fillers:
        question = question.replace(filler, " ")
    return question


def guard(question: str, speech: Speech | None = None) -> AnswerStatus | None:
    """A status that needs no library: emergency, abuse, error, small talk; else None."""
    words = (speech or starting_speech()).answering
    bare = question.strip().lower()
    if not bare or len(bare) > _MAX_QUESTION:
        return "error"
    if danger_in(question, words.emergency):
        return "emergency"
    if any(_spoken(word, bare) for word in words.abuse):
        return "abuse"
    if any(word in bare for word in words.small_talk):
        return "out_of_scope"
    return None


def _spoken(word: str, text: str) -> bool:
    if word.isascii():
        return re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text) is not None
    return word in text


def danger_in(text: str, words: Sequence[str], bar: float = 1.0) -> str:
    """The class of danger in a text; "other" for one of an office's own `words`."""
    if heard := danger(text, bar):
        return heard
    mine = any(word in text.lower() for word in words) and not _about_policy(text)
    return "other" if mine else ""


def _about_policy(question: str) -> bool:
    """着火了能领多少救助金 asks about money afterwards, it does not call for help."""
    return (
        re.search(r"补贴|补助|救助金|赔偿|赔付|理赔|保险|标准|条例|规定|政策", question) is not None
    )


def answer(
    question: str,
    hits: Sequence[Hit],
    as_of: date,
    *,
    asked_past: bool = False,
    speech: Speech | None = None,
) -> Answer:
    """The answer to `question` from `hits` (any order), as the library stood on `as_of`.

    Quotes of an answer come only from clauses in force on that day. `speech`: the office's words.
    """
    guarded = guard(question, speech)
    ranked = ranked_hits(hits)
    if guarded is not None:
        return Answer(guarded, 1.0 if guarded != "out_of_scope" else 0.0, (), as_of)
    if len(pairs(content(question, speech))) < 2:
        titles = dict.fromkeys(hit.title for hit in ranked if hit.validity in CITABLE)
        return Answer("clarify", 0.0, (), as_of, options=tuple(titles)[:3])
    if not ranked or ranked[0].coverage < _IN_SCOPE:
        return Answer("out_of_scope", _rounded(confidence(ranked)), (), as_of)
    sure = min(confidence(ranked), _about(question, ranked[0], speech))
    if ranked[0].validity not in CITABLE:
        return _not_in_force(question, ranked, Answer("repealed", sure, (), as_of), speech)
    if sure < _SURE:
        near = _near(question, ranked, speech)
        status: AnswerStatus = "unsure" if near else "out_of_scope"
        return Answer(status, _rounded(sure), quotes_of(question, near, speech), as_of)
    citable = [hit for hit in ranked if hit.validity in CITABLE]
    quotes = quotes_of(question, citable, speech)
    status = "several" if _several(citable) else "answered"
    return Answer(status, _rounded(sure), quotes, as_of, asked_past)


def _near(question: str, ranked: Sequence[Hit], speech: Speech | None) -> list[Hit]:
    """Those that may be offered: 怎么办离婚 is not asked back with clauses that only say 办理."""
    synonyms = (speech or starting_speech()).synonyms
    return [hit for hit in ranked if unheld(question, hit.title, hit.text, synonyms) < 1.0]


def _about(question: str, first: Hit, speech: Speech | None) -> float:
    """How sure one can be at most: a clause on another scheme, or for others, is no answer."""
    synonyms = (speech or starting_speech()).synonyms
    if other_people(question, first.title, first.text):
        return _OTHER
    if other_place(question, first.title, first.text):
        return _OTHER
    return _OTHER if unheld(question, first.title, first.text, synonyms) > _UNHELD else 1.0


def ranked_hits(hits: Sequence[Hit]) -> list[Hit]:
    """Best first; what is not in force comes after what is nearly as good and in force."""
    return sorted(hits, key=lambda hit: -_value(hit))


def _value(hit: Hit) -> float:
    return hit.score * (1.0 if hit.validity in CITABLE else _INVALID)


def confidence(ranked: Sequence[Hit]) -> float:
    """0..1: how likely the first hit answers, from covered words and margins.

    Logistic: margin to the next clause and to the next policy; fitted (scripts/build_ranking.py) to
    real questions with and without an answer in the library.
    """
    if not ranked:
        return 0.0
    first = ranked[0]
    margin = min(_margin(first, ranked[1:]), _ahead(first, first.rival))
    apart = _margin(first, [hit for hit in ranked[1:] if hit.policy_id != first.policy_id])
    looked = (1.0, first.coverage, margin, apart, max(0.0, first.coverage - 0.8))
    return 1 / (1 + math.exp(-sum(map(mul, ranker().sure, looked))))


def _margin(first: Hit, others: Sequence[Hit]) -> float:
    """How far the first is ahead of the best of the others, on a scale of logarithms."""
    return _ahead(first, _value(others[0]) if others else 0.0)


def _ahead(first: Hit, other: float) -> float:
    if other <= 0 or _value(first) <= 0:
        return ALONE
    return min(max(0.0, math.log(_value(first) / other)), FAR)


def _rounded(value: float) -> float:
    return round(max(0.0, min(1.0, value)), 4)


def _several(citable: Sequence[Hit]) -> bool:
    first = citable[0]
    return any(
        hit.policy_id != first.policy_id
        and hit.title != first.title
        and hit.coverage >= first.coverage
        and _value(hit) >= _CLOSE * _value(first)
        for hit in citable[1:3]
    )


def _not_in_force(question: str, ranked: list[Hit], bare: Answer, speech: Speech | None) -> Answer:
    """The policy asked about is not in force: say which and since when; quote what is instead."""
    first, sure = ranked[0], _rounded(bare.confidence)
    if bare.confidence < _SURE or first.validity == "not_yet":
        return Answer("unsure", sure, (), bare.as_of, ended=first)
    citable = [hit for hit in ranked if hit.validity in CITABLE and hit.coverage >= 2 * _IN_SCOPE]
    quotes = quotes_of(question, citable, speech)
    return replace(bare, confidence=sure, quotes=quotes, ended=first)


def quotes_of(
    question: str, hits: Sequence[Hit], speech: Speech | None = None
) -> tuple[Quote, ...]:
    """The best exact quote of each of the first citable hits, at most MAX_QUOTES."""
    citable = (hit for hit in hits if hit.validity in CITABLE)
    return tuple(quote(question, hit, speech) for hit in citable)[:MAX_QUOTES]


def quote(question: str, hit: Hit, speech: Speech | None = None) -> Quote:
    """The whole clause when short, else the run of sentences that covers the question best."""
    said = (speech or starting_speech()).synonyms
    start, end = best_window(hit.text, lambda part: wanted_in(question, part, said), QUOTE_LIMIT)
    return Quote(hit, hit.text[start:end], hit.offset + start, hit.offset + end)
