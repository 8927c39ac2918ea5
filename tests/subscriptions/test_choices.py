"""What may be decided about people whose message came to the same end. Pure."""

import pytest

from bot.codes import At, came_to
from bot.delivery.mended import MEND_HOLD
from bot.delivery.once import RELEASE_HOLD
from bot.delivery.outbox import CHANGED_HOLD
from bot.meaning import Listed, Meaning
from console.publications.words import next_words
from subscriptions.again import Choice, Ended

AGAIN, RISK, LEAVE, GIVE_UP = Choice
CHOICES: dict[Meaning, tuple[Choice, ...]] = {
    Meaning.RETRY: (),
    Meaning.BACK_OFF: (),
    Meaning.WAIT: (GIVE_UP,),
    Meaning.DROP: (),
    Meaning.MUTE: (),
    Meaning.STOP: (AGAIN, GIVE_UP),
    Meaning.REVIEW: (GIVE_UP,),
    Meaning.PERSON: (AGAIN, GIVE_UP),
    Meaning.UNKNOWN: (LEAVE, RISK),
}
NEXT = {
    Meaning.WAIT: "等对方来信",
    Meaning.DROP: "对方重新关注或来信后",
    Meaning.MUTE: "对方来信后",
    Meaning.STOP: "每分钟自动试一条",
    Meaning.REVIEW: "请起草更正",
    Meaning.PERSON: "等人处理",
    Meaning.UNKNOWN: "等人处理",
}


def ended(meaning: Meaning) -> Ended:
    listed = Listed(meaning, "发生了什么", "为什么", "怎么办")
    outcome = came_to("12345", listed, At.READER)
    return Ended(outcome.state, outcome.held_by, outcome.code, outcome.reason, listed)


@pytest.mark.parametrize("meaning", list(Meaning))
def test_each_meaning_has_the_choices_that_make_sense_for_it(meaning: Meaning) -> None:
    assert ended(meaning).choices == CHOICES[meaning]


@pytest.mark.parametrize("meaning", NEXT)
def test_where_no_moment_says_what_comes_next_words_do(meaning: Meaning) -> None:
    assert NEXT[meaning] in next_words(ended(meaning))


@pytest.mark.parametrize("state", ["held", "failed", "unknown"])
@pytest.mark.parametrize("hold", ["", "release", "parts", "person", "quota", "stopped"])
def test_nobody_who_waits_for_a_person_is_without_a_choice(state: str, hold: str) -> None:
    assert Ended(state, hold, "90001", "没有列出").choices


def test_what_a_person_decides_for_a_whole_push_is_not_decided_for_a_row() -> None:
    assert Ended("held", MEND_HOLD).choices == ()
    assert Ended("held", CHANGED_HOLD).choices == (GIVE_UP,)
    assert Ended("held", RELEASE_HOLD).choices == (AGAIN, GIVE_UP)
