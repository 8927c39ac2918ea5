"""Whatever the text: findings lie inside it, quote it exactly, and come in order."""

import random
from datetime import date

import pytest

from gates.engine import GateText, NoFacts, RuleSet, run_gates

RULES = RuleSet.load()
PIECES = (
    *(
        "全国人大副委员长",
        "布署",
        "截止目前",
        "[2026]08号",
        "13800138000",
        "11010519491231002X",
        "《",
        "》",
    ),
    *(
        "《合同法》第一条",
        "（",
        "）",
        "“",
        "”",
        "一、",
        "\n",
        "1.",
        "2026年2月30日",
        "湖北省张家界",
        "河北省滦县",
    ),
    *(
        "\u200b",
        "\ufe0f",
        " ",
        "\u3000",
        "😀",
        "·",
        "①②③④",
        "１２",
        "國",
        "е",
        "的的",
        "，，",
        "%",
        "号",
    ),
    *(
        "加强加强",
        "共3人，男1人、女1人",
        "约200人左右",
        "中共湖南省省委",
        "机密★",
        "县",
        "市",
        "\x00",
        "\ud7ff",
    ),
)


@pytest.mark.parametrize("seed", range(60))
def test_findings_quote_the_original_exactly(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  reproducible texts, no secrets
    text = "".join(chance.choices(PIECES, k=chance.randrange(1, 60)))
    title = "".join(chance.choices(PIECES, k=4))
    found = run_gates(
        GateText(title, text, "原创", date(2026, 11, 24)), RULES, NoFacts(), include_hints=True
    )
    for one in found:
        field = title if one.field == "title" else text
        assert 0 <= one.start < one.end <= len(field)
        assert field[one.start : one.end] == one.text
        assert one.reason
        assert one.basis
        assert one.text not in one.suggestions
    places = [(one.field != "title", one.start) for one in found]
    assert places == sorted(places)
