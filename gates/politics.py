"""Political gate, structure: doubled levels in the names of party committees."""

import re
from collections.abc import Iterator

from gates.finding import Context, Finding, Ground

_DOUBLED = Ground(
    "politics",
    "politics.party-committee",
    "block",
    "党委名称重复了行政层级：冠以“中共”和地名后，直接写“省委”“市委”等，不再重复“省”“市”",
    "《新华社新闻信息报道中的禁用词和慎用词》政治和法律类",
)
_COMMITTEE = re.compile(r"中共[\u4e00-\u9fffXx×]{1,10}?([省市县区旗盟州镇乡])\1委")


def find(text: str, ctx: Context) -> Iterator[Finding]:
    """Structural findings of one field."""
    if "中共" not in ctx.dense.text:
        return
    for match in _COMMITTEE.finditer(ctx.dense.text):
        name = re.split("[省市州盟]", match[0][2:-3])[-1]
        if len(name) == 1:  # 中共渠县县委 is right: a name of one character keeps its 县
            continue
        yield ctx.mark_dense(match.span(), _DOUBLED, [match[0][:-2] + "委"])
