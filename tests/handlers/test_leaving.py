"""Words of withdrawal: what is one, what only sounds like one, and until when a pause lasts."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from facets.taxonomy import starting_taxonomy
from handlers.commands import command_key, fixed_words
from handlers.days import day_meant
from handlers.leaving import Act, leaving, may_leave
from handlers.stories import leaves_beside

TODAY = date(2026, 11, 29)  # a Sunday
HERE = Path(__file__).parent


def lines(name: str) -> Iterator[tuple[str, str]]:
    """Section and saying, of a list that is kept beside this file."""
    section = ""
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            yield section, line


SAID = [*lines("withdrawals.txt")]
OTHER = [words for _, words in lines("no_withdrawals.txt")]


def test_the_lists_are_long_enough_and_hold_nothing_twice() -> None:
    assert len({words for act, words in SAID if act == "all"}) >= 100
    assert len(set(OTHER)) >= 150
    every = [words for _, words in SAID] + OTHER
    assert len(every) == len(set(every))


@pytest.mark.parametrize(("act", "words"), SAID)
def test_a_withdrawal_is_understood(act: str, words: str) -> None:
    meant = leaving(words, TODAY, starting_taxonomy())
    assert meant is not None
    assert meant.act == act


@pytest.mark.parametrize("words", OTHER)
def test_what_only_sounds_like_a_withdrawal_ends_nothing(words: str) -> None:
    assert leaving(words, TODAY, starting_taxonomy()) is None
    assert command_key(words) not in ("leave:all", "pause")


@pytest.mark.parametrize("words", [words for act, words in SAID if act == "all"])
def test_leaving_everything_is_a_key_that_asks_for_no_state(words: str) -> None:
    """The dispatcher acts on this key before it looks where the conversation stands."""
    assert command_key(words) == "leave:all"


@pytest.mark.parametrize("words", ["停", "T", "stop", "/stop@qinghe_bot", "Unsubscribe"])
def test_the_short_words_of_other_services_work_where_they_are_meant(words: str) -> None:
    assert command_key(words) == ("" if words == "停" else "leave:all")


@pytest.mark.parametrize("words", ["删除我的个人信息", "删除我的数据。", "注销账号", "我要注销"])
def test_who_wants_to_be_forgotten_is_understood_and_no_danger(words: str) -> None:
    assert command_key(words) == "forget"
    assert fixed_words(words)


def test_what_may_mean_leaving_ends_nothing_and_is_known_to_be_asked_back() -> None:
    rows = [*lines("perhaps_withdrawals.txt")]
    known = starting_taxonomy()
    wrong = [words for kind, words in rows if may_leave(words, known) is not (kind == "asked")]
    assert wrong == []
    assert [words for _, words in rows if leaving(words, TODAY, known) is not None] == []


BESIDE = """老人去世了，请不要再发了
我找到工作了，不要再发了
我已经退休了，别再发了
我妈不识字，别再发了
你们发错人了，别发了
再发我就投诉，不要再发"""


def test_a_withdrawal_beside_a_story_is_asked_back() -> None:
    known = starting_taxonomy()
    assert [one for one in BESIDE.split("\n") if not leaves_beside(one, known)] == []
    others = [
        *OTHER,
        "失业保险怎么领，不要发链接",
        "工资停发了，不要紧吧",
        "卡丢了，不要停我的低保",
    ]
    assert [one for one in others if leaves_beside(one, known)] == []


def test_the_names_in_a_withdrawal_are_told_apart() -> None:
    found = leaving("别再发就业和打假的消息了", TODAY, starting_taxonomy())
    assert found is not None
    assert {facet.key for facet in found.facets} == {"employment", "anti_fake"}
    sure = leaving("退订就业", TODAY, starting_taxonomy())
    assert (found.sure, sure is not None and sure.sure) == (False, True)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("暂停一周", "2026-12-06"),
        ("暂停两个星期", "2026-12-13"),
        ("停十天", "2026-12-09"),
        ("先停半个月", "2026-12-14"),
        ("暂停到12月5日", "2026-12-05"),
        ("暂停到1月3号", "2027-01-03"),
        ("停到2027年2月1日", "2027-02-01"),
        ("暂停到下周三", "2026-12-02"),
        ("暂停到下周一", "2026-11-30"),
        ("停到月底", "2026-12-01"),
        ("下个月再发", "2026-12-01"),
        ("暂停到年底", "2027-01-01"),
        ("今天别发了", "2026-11-30"),
        ("12月别发了", "2027-01-01"),
        ("十二月先别发了", "2027-01-01"),
        ("暂停到12月", "2026-12-01"),
        ("暂停到三月份", "2027-03-01"),
        ("下周别发了", "2026-12-07"),
        ("下个月别发了", "2027-01-01"),
        ("停三个月", "2027-02-27"),
        ("停一月", "2026-12-29"),
        ("暂停到过年", "2027-02-06"),
        ("春节前别发", "2027-02-06"),
        ("等过完年再发", "2027-02-14"),
        ("元旦后再推送", "2027-01-04"),
        ("五年前发的", None),
        ("暂停", None),
        ("暂停到13月40日", None),
        ("从今天起不要再发了", None),
        ("暂停到2030年1月1日", None),
    ],
)
def test_the_day_a_pause_ends(words: str, day: str | None) -> None:
    assert day_meant(words, TODAY) == (date.fromisoformat(day) if day else None)


@pytest.mark.parametrize(
    ("words", "day", "act", "until"),
    [
        ("国庆别发", "2026-11-29", Act.LOOK, None),
        ("春节期间停止推送", "2026-11-29", Act.LOOK, None),
        ("过年期间先别给我推了", "2027-01-30", Act.PAUSE, "2027-02-14"),
        ("国庆别发", "2026-09-25", Act.PAUSE, "2026-10-08"),
        ("五一不要推送", "2027-05-03", Act.PAUSE, "2027-05-06"),
        ("退订，祝元旦快乐", "2026-11-29", Act.ALL, None),
    ],
)
def test_a_feast_far_off_pauses_nothing_today(
    words: str, day: str, act: Act, until: str | None
) -> None:
    found = leaving(words, date.fromisoformat(day))
    assert found is not None
    assert (found.act, found.until and found.until.isoformat()) == (act, until)


def test_a_beginning_is_no_end_of_a_pause() -> None:
    found = leaving("从今天起不要再发了", TODAY)
    assert found is not None
    assert found.act is Act.ALL


def test_a_long_story_is_nobodys_withdrawal() -> None:
    assert leaving("我是" * 40 + "不要再给我发了", TODAY) is None


def test_no_danger_is_taken_for_a_withdrawal_and_nothing_else() -> None:
    told = (HERE.parent / "knowledge" / "danger.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(one)["text"] for one in told]
    assert len(texts) > 500
    assert [one for one in texts if fixed_words(one)] == []
    assert not fixed_words("退订，我不想活了")
    plain = [words for act, words in SAID if act == "all" and fixed_words(words)]
    assert len(plain) >= 100
