"""How many routes are closed to each role, counted from the routes of a running office.

`python scripts/refusals.py`, from the top folder. tests/console/test_access.py holds that the guard
refuses exactly these, at each route and for each role and for who is not signed in.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from app import build_site, open_shenfa
from config.settings import Settings
from console.web.refusals import lines


async def table(home: Path) -> list[str]:
    """From an office made for this."""
    database = f"sqlite+aiosqlite:///{home / 'shenfa.db'}"
    settings = Settings(home=home, database_url=database, redis_url="")
    async with open_shenfa(settings) as opened:
        return list(lines(build_site(opened)))


def main() -> None:
    """Print it."""
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write("\n".join(asyncio.run(table(Path(folder)))) + "\n")


if __name__ == "__main__":
    main()
