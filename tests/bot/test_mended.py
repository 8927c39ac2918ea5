"""How a message that only says what was changed is marked. Pure."""

import pytest

from bot.delivery.mended import CORRECTED, NOTED, is_noted, noted, unmarked

REASONS = ["您订阅了 就业创业", f"您收到过《周末办理时间》{CORRECTED}"]


@pytest.mark.parametrize("reason", REASONS)
def test_a_mark_is_known_again_and_taken_off_whole(reason: str) -> None:
    assert not is_noted(reason)
    assert is_noted(noted(reason))
    assert unmarked(noted(reason)) == unmarked(reason) == reason


def test_who_is_told_that_they_had_the_text_is_told_so_once() -> None:
    subscribed, had = (noted(one) for one in REASONS)
    assert subscribed == "您订阅了 就业创业，并已收到更正前的原文"
    assert had == "您收到过《周末办理时间》，内容有更正，这里只说改了什么"


def test_a_row_marked_by_an_earlier_version_is_still_a_note() -> None:
    row = REASONS[1] + NOTED
    assert is_noted(row)
    assert noted(unmarked(row)) == noted(REASONS[1])
