"""Status on a day."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.proof import SignedPolicy
from knowledge.validity import (
    STATUSES,
    Life,
    add_years,
    end_of,
    last_day,
    parse_day,
    parse_status,
    policy_status,
    status_at,
)

D = date.fromisoformat


@dataclass(frozen=True)
class Wording:
    """The days of a clause that was never changed."""

    effective_from: str | None = None
    replaced_on: str | None = None
    repealed_on: str | None = None


def as_signed_policy(**days: str) -> SignedPolicy:
    """A policy of these days."""
    said: dict[str, Any] = dict.fromkeys(one.name for one in fields(SignedPolicy))
    return SignedPolicy(**{**said, "id": "p", "title": "办法", "state": "active", **days})


@pytest.mark.parametrize(
    ("life", "day", "status"),
    [
        (Life(), "2026-01-01", "in_force"),
        (Life(effective_from=D("2026-03-01")), "2026-02-28", "not_yet"),
        (Life(effective_from=D("2026-03-01")), "2026-03-01", "in_force"),
        (Life(effective_from=D("2020-03-01")), "2025-02-28", "in_force"),
        (Life(effective_from=D("2020-03-01")), "2025-03-01", "expired"),
        (Life(title="某某暂行办法", effective_from=D("2020-03-01")), "2022-02-28", "in_force"),
        (Life(title="某某暂行办法", effective_from=D("2020-03-01")), "2022-03-01", "expired"),
        (Life(effective_from=D("2020-02-29")), "2025-02-27", "in_force"),
        (Life(effective_to=D("2025-12-31")), "2025-12-31", "in_force"),
        (Life(effective_to=D("2025-12-31")), "2026-01-01", "expired"),
        (
            Life(title="试行", effective_from=D("2020-01-01"), effective_to=D("2030-01-01")),
            "2029-01-01",
            "in_force",
        ),
        (Life(repealed_on=D("2025-06-01")), "2025-05-31", "in_force"),
        (Life(repealed_on=D("2025-06-01")), "2025-06-01", "repealed"),
        (Life(effective_to=D("2025-01-01"), repealed_on=D("2024-06-01")), "2026-01-01", "repealed"),
        (Life(amended_on=D("2025-06-01")), "2025-05-31", "in_force"),
        (Life(amended_on=D("2025-06-01")), "2025-06-01", "amended"),
        (Life(stated="repealed"), "2025-06-01", "repealed"),
        (Life(stated="expired", amended_on=D("2025-06-01")), "2026-06-01", "expired"),
        (Life(stated="repealed", amended_on=D("2025-06-01")), "2026-06-01", "repealed"),
        (Life(stated="not_yet", amended_on=D("2025-06-01")), "2026-06-01", "not_yet"),
        (Life(stated="not_yet", effective_from=D("2025-01-01")), "2025-06-01", "in_force"),
        (Life(effective_from=D("1990-01-01"), statute=True), "2026-06-01", "in_force"),
    ],
)
def test_status(life: Life, day: str, status: str) -> None:
    assert status_at(life, D(day)) == status


DAYS = st.none() | st.dates(date(1990, 1, 1), date(2090, 1, 1))


@given(
    st.builds(
        Life,
        title=st.sampled_from(["办法", "暂行办法"]),
        effective_from=DAYS,
        effective_to=DAYS,
        repealed_on=DAYS,
        amended_on=DAYS,
    ),
    st.dates(date(1990, 1, 1), date(2090, 1, 1)),
)
def test_a_repeal_is_final_and_the_last_day_is_in_force(life: Life, day: date) -> None:
    status = status_at(life, day)
    assert status in STATUSES
    if life.repealed_on is not None:
        assert (status == "repealed") == (day >= life.repealed_on)
    end = last_day(life)
    if end is not None and status in ("in_force", "amended"):
        assert day <= end


def test_a_leap_day_ends_on_the_twenty_eighth() -> None:
    assert add_years(D("2024-02-29"), 5) == D("2029-02-28")


def test_a_last_day_at_the_end_of_the_calendar_is_no_end() -> None:
    grant = as_signed_policy(effective_to="9999-12-31")
    clause = Wording()
    assert end_of(grant, clause, D("2026-01-01")) is None
    assert policy_status(grant, D("9999-12-31")) == "in_force"
    assert last_day(Life(effective_from=D("9998-01-01"))) == D("9999-12-30")


def test_a_bad_date_names_its_field() -> None:
    assert parse_day(None, "date") is None
    with pytest.raises(ValueError, match=r"effective_to.*YYYY-MM-DD"):
        parse_day("2025年", "effective_to")


@pytest.mark.parametrize("written", ["2026-01-01xx", "2026-W01-1", "20260101", "２０２６-01-01"])
def test_a_day_is_written_in_one_way_only(written: str) -> None:
    assert parse_day("2026-01-01T08:30:00+08:00", "date") == D("2026-01-01")
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        parse_day(written, "date")


@pytest.mark.parametrize(
    ("written", "status"),
    [
        *zip(STATUSES, STATUSES, strict=True),
        *(("有效", "in_force"), ("现行有效", "in_force"), ("已修改", "amended")),
        *(("失效", "expired"), ("已失效", "expired"), ("废止", "repealed"), ("已废止", "repealed")),
        *((" 废止 ", "repealed"), ("尚未施行", "not_yet"), ("", None), (None, None)),
    ],
)
def test_a_status_is_read_as_government_sites_write_it(written, status) -> None:
    assert parse_status(written) == status


@pytest.mark.parametrize("written", ["有效的", "valid", 1, ["有效"], True])
def test_another_word_for_a_status_names_the_field_and_what_it_may_be(written) -> None:
    with pytest.raises(ValueError, match="status：应当是 有效、已修改、失效、废止、尚未施行 之一"):
        parse_status(written)
