"""How often somebody wants to get something, in their own words. Pure."""

import re

from handlers.wishes_words import FREQUENCY_WORDS, OTHER_RHYTHM, REFUSED_RHYTHM

_REFUSED = re.compile(REFUSED_RHYTHM)
_OTHER = [re.compile(words) for words in OTHER_RHYTHM]


def how_often(plain: str) -> tuple[str, str, bool]:
    """How often, the text without the words that say it, and whether they say more than we can."""
    before = plain = _REFUSED.sub("，", plain)
    for pattern in _OTHER:
        plain = pattern.sub(lambda found: f"{found.groupdict().get('known') or ''}，", plain)
    other = plain != before
    for word, frequency in FREQUENCY_WORDS:
        if word in plain:
            return frequency, plain.replace(word, "，"), other
    return "", plain, other
