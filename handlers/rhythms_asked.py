"""How often a citizen wishes to receive it, where that is all that is said. Pure."""

import re

from facets.taxonomy import Taxonomy
from handlers.rhythms import CHANGES
from handlers.wishes import LONGEST, NEWS, QUESTION, Missed, Understood, spelled, understand
from handlers.wishes_words import PAID, RHYTHM_ALONE

_SETTLED = re.compile("(?:就好|就行|就可以|就够|即可|[了吧。.!！])+$")
_POLITE = re.compile("能不能|可不可以|(?:可以|[行好成])[吗么][?？]?$|^(?:可以|能|可否)")
_ASKED = re.compile("能不能|可不可以|[吗么][?？]?$")


def rhythm_in(text: str, taxonomy: Taxonomy) -> Understood | None:
    """How often somebody wants it (改成每周, 每天推一次就行); None when that is not all of it."""
    plain = spelled(text)
    if len(plain) > LONGEST or QUESTION.search(plain):
        return None
    if not CHANGES.search(plain):
        return None
    found = understand(plain, taxonomy)
    return found if found.frequency and not found.missed and not found.doubtful else None


def other_rhythm_in(text: str, taxonomy: Taxonomy) -> Understood | None:
    """每月, 隔天发一次, 每天八点: how often somebody wants it, as nobody can choose it; else None.

    Also a word that could be chosen and stands alone, which orders nothing: 每周.
    """
    plain = spelled(text)
    if len(plain) > LONGEST or QUESTION.search(_ASKED.sub("", plain)):
        return None
    stated = _POLITE.sub("", plain)
    found = understand(stated if stated == plain else stated.rstrip("吗么?？"), taxonomy)
    asked = stated != plain and found.frequency and CHANGES.search(plain)
    said = asked or Missed.RHYTHM in found.missed or _SETTLED.sub("", plain) in RHYTHM_ALONE
    paid = any(name[-1] in PAID for name in found.names) and not NEWS.search(plain)
    return found if said and found.missed <= {Missed.RHYTHM} and not paid else None


def offers_rhythm(text: str, taxonomy: Taxonomy) -> bool:
    """Whether it says how often, and nothing that is not understood."""
    return (rhythm_in(text, taxonomy) or other_rhythm_in(text, taxonomy)) is not None
