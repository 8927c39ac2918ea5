"""Write config/rules/divisions.tsv (names only) from a JSONL list of administrative divisions.

Usage: python scripts/build_divisions.py admin_divisions.jsonl
Rows: code, name, level (province, prefecture, county).
"""

import json
import sys
from pathlib import Path

# Set up in April 2020; lists of divisions still name the islands.
NEWER = {"西沙群岛": "西沙区", "南沙群岛": "南沙区", "中沙群岛的岛礁及其海域": ""}
OUT = Path(__file__).parent.parent / "config" / "rules" / "divisions.tsv"


def main(source: Path) -> None:
    """One line a prefecture: province, prefecture or nothing, counties."""
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    names = {row["code"]: row["name"] for row in rows}
    counties: dict[str, list[str]] = {code: [] for code in names if len(code) == 4}
    for row in rows:
        if row["level"] == "county":
            counties.setdefault(row["code"][:4], []).append(NEWER.get(row["name"], row["name"]))
    lines = []
    for code in sorted(counties):
        name = names.get(code, "")
        direct = name in ("市辖区", "县") or "直辖" in name
        below = " ".join(filter(None, counties[code]))
        lines.append(f"{names[code[:2]]}\t{'' if direct else name}\t{below}\n")
    OUT.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
