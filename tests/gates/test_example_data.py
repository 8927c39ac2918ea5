"""Reach on the example data: every figure `shenfa eval gates` has a target for, spelling aside."""

from pathlib import Path

import pytest

from gates.evaluation.measures import Measure, Tally
from gates.evaluation.run import default_data, evaluate
from gates.rules import RuleSet

DATA: Path = default_data()

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="example data absent")


@pytest.fixture(scope="module")
def result() -> tuple[list[Measure], Tally]:
    return evaluate(DATA, RuleSet.load())


def test_every_target_but_those_of_the_spelling_model_is_reached(
    result: tuple[list[Measure], Tally],
) -> None:
    short = [
        (one.set, one.metric, one.value)
        for one in result[0]
        if one.ok is False and not one.set.startswith("spelling")
    ]
    assert short == []


def test_spelling_raises_few_alarms_on_right_sentences(
    result: tuple[list[Measure], Tally],
) -> None:
    alarms = [one for one in result[0] if one.metric.startswith("false alarms") and one.target]
    assert len(alarms) == 4
    assert all(one.ok for one in alarms)


def test_no_set_was_empty(result: tuple[list[Measure], Tally]) -> None:
    assert len({one.set for one in result[0]}) > 15
    assert all(one.n for one in result[0] if one.ok is not None and "correction" not in one.metric)
