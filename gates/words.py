"""Where words begin and end, asked only of sentences in which a rule wants to know."""

import logging
from functools import lru_cache
from itertools import accumulate

import jieba

jieba.setLogLevel(logging.WARNING)


def on_word_ends(sentence: str, span: tuple[int, int], begin: int) -> bool:
    """Whether a span of a text, in a sentence from `begin` on, starts and ends with words."""
    ends = _ends(sentence)
    return {span[0] - begin, span[1] - begin} <= ends


@lru_cache(maxsize=256)
def _ends(sentence: str) -> frozenset[int]:
    return frozenset({0, *accumulate(map(len, jieba.cut(sentence)))})
