"""Where words begin and end, asked only of sentences in which a rule wants to know."""

import logging
import re
from functools import cache, lru_cache
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


def kind_of(word: str) -> str:
    """The part of speech jieba's list gives a word (v, n, ns, ...); empty for what is no word."""
    return _kinds().get(word, "")


@cache
def _kinds() -> dict[str, str]:
    """Words of two and three characters, read when the first one is asked for."""
    with jieba.dt.get_dict_file() as file:
        text = file.read().decode()
    return dict(re.findall(r"^([\u4e00-\u9fff]{2,3}) \d+ (\w+)", text, re.MULTILINE))
