"""The page of figures tells each of them beside its limit, and says which target was missed."""

from bench.figures import Measured, figure
from scripts.performance import line, page


def test_a_figure_stands_beside_its_limit_and_a_missed_target_is_said() -> None:
    fast = figure("match", "rows", "rows/s", Measured(37_700.4, 90_000.0, 100_000.0), 2_900_000)
    fast["detail"] = {"database": "sqlite"}
    slow = figure("callback", "p99 of one answer", "ms", Measured(12.345, 4.0, 250.0), 600)
    text = page([fast, slow])
    assert line(fast) in text
    assert "| 37,700 | 90,000 | 2.39 | ≥ 100,000 **missed** | 2,900,000 | database sqlite |" in text
    assert "| 12.3 | 4 | 3.09 | ≤ 250 ok | 600 |  |" in text
    again = page(
        [fast], text + "\n## Measured since\n\nOf a million.\n\n## And since then\n\nMore.\n"
    )
    assert line(slow) not in again
    assert (
        again
        == page([fast]) + "\n## Measured since\n\nOf a million.\n\n## And since then\n\nMore.\n"
    )
