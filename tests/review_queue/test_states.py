"""The table of states: every pair of verb and state, its one assigner, and its diagram."""

import ast
import re
from pathlib import Path

import pytest

from review_queue.models import Item
from review_queue.states import MOVES, STATES, ItemState, Verb, can, move
from staff.refusal import Refused

ROOT = Path(__file__).parents[2]
PRODUCT = ("review_queue", "content_sources", "knowledge", "subscriptions", "escalations", "staff")
MORE = ("bot", "handlers", "console", "supervision", "office", "commands", "bench", "demo")


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("state", ItemState)
def test_a_verb_moves_only_from_its_own_states(verb: Verb, state: ItemState) -> None:
    item = Item(state=state)
    sources, end = MOVES[verb]
    assert can(item, verb) == (state in sources)
    if state in sources:
        move(item, verb)
        assert item.state == end
        return
    with pytest.raises(Refused) as refused:
        move(item, verb)
    assert refused.value.status == 409
    assert STATES[state] in str(refused.value)
    assert item.state == state


def test_every_state_has_words_and_every_verb_a_move() -> None:
    assert set(STATES) == set(ItemState)
    assert set(MOVES) == set(Verb)


def test_every_state_but_the_first_is_reached() -> None:
    assert {end for _, end in MOVES.values()} == set(ItemState)


def test_the_diagram_shows_exactly_the_table() -> None:
    page = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    drawn = set(re.findall(r"^    (\w+) --> (\w+): (\w+)$", page, re.MULTILINE))
    assert drawn == {
        (str(source), str(end), str(verb))
        for verb, (sources, end) in MOVES.items()
        for source in sources
    }


def names_an_item(node: ast.expr) -> bool:
    """`item.state`, `old.item.state` and the like: what an assignment may not aim at."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "state"
        and ast.unparse(node.value).split(".")[-1] in {"item", "Item"}
    )


def assigners() -> set[str]:
    """Files with an assignment to an item's state, alone or in a row of targets."""
    found = set()
    for room in PRODUCT + MORE:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                targets = node.targets if isinstance(node, ast.Assign) else []
                flat = [one for target in targets for one in ast.walk(target)]
                in_sql = "update(Item)" in ast.unparse(node) and "state=" in ast.unparse(node)
                by_sql = isinstance(node, ast.Call) and in_sql
                if by_sql or any(names_an_item(one) for one in flat if isinstance(one, ast.expr)):
                    found.add(path.relative_to(ROOT).as_posix())
    return found


def test_one_file_assigns_the_state_of_an_item() -> None:
    assert assigners() == {"review_queue/states.py"}
