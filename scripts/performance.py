"""Write docs/performance.md: every measurement on this machine, beside its bare limit.

Usage: python -m scripts.performance [NAME ...]   (without names all of them; about ten minutes)
A figure of another day is no evidence: the table is written as a whole, from one run. What was
measured otherwise stands below it in sections that say when and how, and stays.
"""

import asyncio
import os
import platform
import sys
from pathlib import Path

from bench.figures import ROOT, Row
from bench.names import BENCHES
from config.clock import beijing, now

PAGE = ROOT / "docs" / "performance.md"
_HEAD = """# Performance

What `shenfa bench` measured, all in one run on one machine: Python {python}, {cores} cores, {day}.

**Bare** is what the shortest code that does only the essential step reached in the same run,
**ratio** how many times its time we take.
A target that is missed says so. Compare ratios between machines, never the figures themselves.

| bench | what | unit | here | bare | ratio | target | n | beside it |
|---|---|---|---|---|---|---|---|---|
"""


def page(rows: list[Row], before: str = "") -> str:
    """The whole page of these rows; the sections of the page `before` are kept."""
    head = _HEAD.format(
        python=platform.python_version(), cores=os.cpu_count(), day=f"{beijing(now()):%Y-%m-%d}"
    )
    kept = before.partition("\n## ")
    return head + "".join(map(line, rows)) + "".join(kept[1:])


def line(row: Row) -> str:
    """One row of the table."""
    limit = "≥" if row["unit"].endswith("/s") else "≤"
    target = f"{limit} {_short(row['target'])} {'ok' if row['ok'] else '**missed**'}"
    beside = ", ".join(f"{key} {value}" for key, value in row["detail"].items())
    cells = (
        row["bench"], row["metric"], row["unit"], _short(row["value"]), _short(row["bare"]),
        f"{row['ratio']:g}", target, f"{row['n']:,}", beside,
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |\n"


async def _rows(name: str) -> list[Row]:
    return await BENCHES[name]()


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def main(names: list[str], place: Path = PAGE) -> None:
    """Measure and write."""
    rows: list[Row] = []
    for name in names or BENCHES:
        rows += asyncio.run(_rows(name))
        sys.stdout.write(f"{name}\n")
        sys.stdout.flush()
    before = place.read_text(encoding="utf-8") if place.exists() else ""
    place.write_text(page(rows, before), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
