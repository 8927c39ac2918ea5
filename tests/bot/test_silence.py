"""Days of silence: what a text of them says, and which moments they hold."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bot.silence import Silence, parse_silence
from config.texts import TextFault, read_text


def silence(*rows: str) -> Silence:
    text = "stops:\n" + "".join(f"  - {{{row}}}\n" for row in rows) if rows else "stops: []"
    return read_text(text, "silence.yaml", parse_silence)


def utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


def test_a_day_is_one_of_beijing_to_its_last_minute() -> None:
    found = silence("from: 2026-12-13, to: 2026-12-13, note: 国家公祭日")
    assert found.at(utc(12, 15, 59)) is None
    assert found.at(utc(13, 15, 59)) is not None
    stop = found.at(utc(12, 16))
    assert stop is not None
    assert stop.end == utc(13, 16)
    assert stop.words() == "静默时段（国家公祭日）到 12月14日 00:00"
    assert found.shut(date(2026, 12, 12), 3) == {date(2026, 12, 13)}
    assert [one.note for one in found.of_day(date(2026, 12, 13))] == ["国家公祭日"]


def test_hours_are_held_and_the_rest_of_the_day_is_free() -> None:
    found = silence("from: 2026-12-13 14:00, to: 2026-12-13 15:00, note: 默哀")
    assert found.at(utc(13, 6)) is not None
    assert found.at(utc(13, 7)) is None
    assert not found.shut(date(2026, 12, 12), 3)


def test_spans_that_touch_end_with_the_last() -> None:
    found = silence(
        "from: 2026-12-14, to: 2026-12-14, note: 二",
        "from: 2026-12-13, to: 2026-12-13, note: 一",
    )
    stop = found.at(utc(13, 4))
    assert stop is not None
    assert (stop.note, stop.end) == ("一", utc(14, 16))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("from: 2026-12-13, to: 2026-12-12, note: 一", "to 应晚于 from"),
        ("from: 2026-12-13, to: 2027-02-13, note: 一", "一项最长 31 天"),
        ("from: 2026-12-13, to: 2026-12-13", "三项都要"),
        ("from: 2026-12-13, to: 2026-12-13, note: ''", "note 应写明原因"),
        ("from: 明天, to: 2026-12-13, note: 一", "from 应写成"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(row: str, words: str) -> None:
    with pytest.raises(TextFault, match=words):
        silence(row)
    with pytest.raises(TextFault, match=r"silence\.yaml 第 \d 行"):
        silence(row)


@pytest.mark.parametrize("data", [{}, {"stops": "无"}, [], None, {"stops": [1]}])
def test_a_text_of_another_form_is_no_setting(data: Any) -> None:
    with pytest.raises(ValueError, match="应写成"):
        parse_silence(data)
