"""Political gate, structure: party committees, the name of the state, fixed formulations."""

import re
from collections.abc import Iterator

from gates.finding import Context, Finding, Ground
from gates.formulations import find_formulations
from gates.rosters import one_off
from gates.statutes import STATE

_DOUBLED = Ground(
    "politics",
    "politics.party-committee",
    "block",
    "党委名称重复了行政层级：冠以“中共”和地名后，直接写“省委”“市委”等，不再重复“省”“市”",
    "《新华社新闻信息报道中的禁用词和慎用词》政治和法律类",
)
_COMMITTEE = re.compile(r"中共[\u4e00-\u9fffXx×]{1,10}?([省市县区旗盟州镇乡])\1委")


_STATE_NAME = Ground(
    "politics", "politics.state-name", "block", "国名写错", "《中华人民共和国宪法》", waivable=False
)
_LIKE_STATE = re.compile(r"(?=([中华][\u4e00-\u9fff]{2,5}[\u4e00-\u9fff](?:国|和(?!国))))")


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Structural findings of one field."""
    yield from _state_names(ctx)
    yield from find_formulations(ctx)
    yield from _committees(ctx)


def _state_names(ctx: Context) -> Iterator[Finding]:
    """What is one character off the name of the state."""
    dense = ctx.dense.text
    if "共" not in dense and "人民" not in dense:
        return
    for match in _LIKE_STATE.finditer(dense):
        start = match.start()
        if dense.startswith(STATE, start) or dense.startswith(STATE, start - 1):
            continue
        for length in (7, 6, 8):
            span = (start, start + length)
            if dense[start + length - 1 : start + length] == "国" and one_off(
                dense[slice(*span)], STATE
            ):
                yield ctx.mark_dense(span, _STATE_NAME, [STATE])
                break


def _committees(ctx: Context) -> Iterator[Finding]:
    if "中共" not in ctx.dense.text:
        return
    for match in _COMMITTEE.finditer(ctx.dense.text):
        name = re.split("[省市州盟]", match[0][2:-3])[-1]
        if len(name) == 1:  # 中共渠县县委 is right: a name of one character keeps its 县
            continue
        yield ctx.mark_dense(match.span(), _DOUBLED, [match[0][:-2] + "委"])
