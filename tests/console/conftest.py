"""An office served on a free port, empty or after a busy morning."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.office import Office, build, close, one_hash


@pytest.fixture(scope="session")
def password_hash() -> str:
    """Hashed once for the whole run."""
    return asyncio.run(one_hash())


@pytest.fixture
async def office(tmp_path: Path, password_hash: str) -> AsyncIterator[Office]:
    """People and accounts, nothing to do yet."""
    made = await build(tmp_path, password_hash)
    yield made
    await close(made)
