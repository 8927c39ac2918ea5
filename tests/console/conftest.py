"""An office served on a free port, empty or after a busy morning."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.clock import beijing, use_clock_file
from tests.console.office import Office, build, close, one_hash


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashed once for the whole run."""
    return asyncio.run(one_hash())


@pytest.fixture
def at_ten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ten o'clock in Beijing: today goes on for many hours, whenever the tests are run."""
    moment, file = datetime.now(UTC), tmp_path_factory.mktemp("clock") / "clock"
    away = beijing(moment).replace(hour=10, minute=0, second=0, microsecond=0) - moment
    file.write_text(str(away.total_seconds()), encoding="ascii")
    use_clock_file(file)
    yield
    use_clock_file(None)


@pytest.fixture
async def office(tmp_path: Path, password_hash: str) -> AsyncIterator[Office]:
    """People and accounts, nothing to do yet."""
    made = await build(tmp_path, password_hash)
    yield made
    await close(made)
