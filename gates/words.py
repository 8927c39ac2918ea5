"""Where words begin and end, asked only of sentences in which a rule wants to know."""

import logging
from functools import lru_cache
from itertools import accumulate

import jieba

from gates.finding import Context

jieba.setLogLevel(logging.WARNING)


def on_word_ends(ctx: Context, span: tuple[int, int]) -> bool:
    """Whether a span of the dense text starts and ends with words."""
    begin, stop = ctx.stretch(*span)
    ends = _ends(ctx.dense.text[begin:stop])
    return {span[0] - begin, span[1] - begin} <= ends


@lru_cache(maxsize=256)
def _ends(sentence: str) -> frozenset[int]:
    return frozenset({0, *accumulate(map(len, jieba.cut(sentence)))})
