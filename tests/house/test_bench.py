"""Every measurement prints rows of one form, made from work that was really done."""

import inspect

import pytest

from bench.article import article
from bench.ask import ask
from bench.callback import callback
from bench.cockpit import cockpit
from bench.digest import digest
from bench.extract import extract
from bench.figures import Measured, Row, Timed, figure, grown
from bench.gates import gates
from bench.idle import idle
from bench.match import match
from bench.names import BENCHES
from bench.rate import rate
from bench.release import release
from bench.sources import sources

FORM = {
    "bench": str,
    "metric": str,
    "unit": str,
    "value": float,
    "bare": float,
    "ratio": float,
    "target": float,
    "ok": bool,
    "n": int,
    "detail": dict,
}


def assert_form(rows: list[Row], name: str) -> None:
    assert rows
    for row in rows:
        assert {key: type(value) for key, value in row.items()} == FORM
        assert row["bench"] == name
        assert row["value"] > 0
        assert row["bare"] > 0


async def test_the_gates_are_measured_over_as_many_terms_as_asked_for() -> None:
    rows = await gates(n=2, terms=6_000)
    assert_form(rows, "gates")
    assert rows[0]["detail"] == {"characters": 2000, "terms": 6_000}


async def test_an_article_of_the_promised_size_is_rendered_and_digested() -> None:
    [row] = rows = await article(n=2)
    assert_form(rows, "article")
    assert row["detail"]["characters"] >= 5_000
    assert row["detail"]["pictures"] == 10


async def test_a_push_keeps_to_the_pace_and_everybody_is_reached_once_through_a_storm() -> None:
    rows = await rate(n=45, stormy=60)
    assert_form(rows, "rate")
    for row in rows:
        assert (row["detail"]["once"], row["detail"]["twice"]) == (row["n"], 0)
    assert rows[1]["detail"]["refused"] >= 20
    assert rows[1]["value"] < rows[0]["value"] < 60


async def test_a_question_is_measured_over_a_generated_library() -> None:
    rows = await ask(n=2, clauses=50)
    assert_form(rows, "ask")
    assert rows[1]["n"] == 50


async def test_a_release_is_verified_and_the_whole_ledger_read() -> None:
    rows = await release(n=1, entries=20, waiting=3)
    assert_form(rows, "release")
    assert 20 < rows[-1]["n"] < 60
    assert (
        rows[0]["detail"]["signed_entries_checked"] < rows[-1]["detail"]["signed"] < rows[-1]["n"]
    )
    assert [row["detail"]["waiting"] for row in rows[2:-2]] == [3, 3, 3]
    # The page of an item asks 42 by day, and 40 in quiet hours.
    assert all(0 < row["detail"]["queries"] <= 44 for row in rows[:-2])
    assert rows[-2]["metric"] == "p50 of what the session check adds to a page"
    assert rows[-2]["value"] < rows[-2]["detail"]["whole"]


async def test_every_measured_text_is_stored_once_and_answered() -> None:
    rows = await callback(n=12)
    assert_form(rows, "callback")
    assert rows[0]["detail"]["stored"] == 12


async def test_the_cockpit_is_measured_with_rows_of_every_account() -> None:
    rows = await cockpit(n=1, accounts=8, days=40)
    assert_form(rows, "cockpit")
    assert rows[0]["detail"]["posts"] == 96


async def test_an_office_at_rest_is_measured_beside_one_question_a_tick() -> None:
    rows = await idle(n=2, tick=0.01, settle=0.0)
    assert_form(rows, "idle")
    assert [row["unit"] for row in rows] == ["s", "MB"]


async def test_every_measured_column_is_read_and_every_changed_text_found() -> None:
    rows = await sources(columns=2, articles=60, n=2)
    assert_form(rows, "sources")
    details = [row["detail"] for row in rows]
    assert details[0]["items"] == 2
    assert details[-1]["articles"] == 60
    assert details[-1]["found"] == 2


async def test_every_measured_page_of_a_pdf_is_read() -> None:
    rows = await extract(n=1, pages=2)
    assert_form(rows, "extract")
    assert rows[0]["detail"]["pages"] == 2


async def test_every_measured_subscriber_becomes_a_row() -> None:
    rows = await match(n=300)
    assert_form(rows, "match")
    assert {row["n"] for row in rows} == {300}
    assert [row["detail"]["people"] > 0 for row in rows[1:]] == [True] * 3
    assert rows[0]["detail"]["seconds_of_ten_million"] > 0


async def test_every_measured_reader_gets_one_digest() -> None:
    rows = await digest(n=30)
    assert_form(rows, "digest")
    assert rows[0]["detail"]["statements"] > 0
    assert rows[0]["detail"]["seconds_of_ten_million"] > 0


def test_ten_million_are_reckoned_from_the_growth_that_was_measured() -> None:
    few, ten = Timed(10_000, 1.0), {"growth": 1.0, "seconds_of_ten_million": 1000}
    assert grown(few, Timed(100_000, 10.0)) == ten
    assert grown(few, Timed(100_000, 100.0))["seconds_of_ten_million"] == 1_000_000
    assert grown(Timed(10_000, 5.0), Timed(100_000, 10.0))["seconds_of_ten_million"] == 1000


@pytest.mark.parametrize("name", BENCHES)
def test_every_measurement_runs_without_being_told_anything(name: str) -> None:
    parameters = inspect.signature(BENCHES[name]).parameters.values()
    assert all(one.default is not inspect.Parameter.empty for one in parameters)


@pytest.mark.parametrize(
    ("unit", "value", "bare", "expected"),
    [
        ("ms", 4.0, 2.0, (2.0, True)),
        ("ms", 6.0, 2.0, (3.0, False)),
        ("entries/s", 4.0, 8.0, (2.0, False)),
        ("entries/s", 6.0, 6.0, (1.0, True)),
    ],
)
def test_the_ratio_says_how_many_times_the_bare_time_is_taken(
    unit: str, value: float, bare: float, expected: tuple[float, bool]
) -> None:
    row = figure("gates", "x", unit, Measured(value, bare, 5.0), 1)
    assert (row["ratio"], row["ok"]) == expected
