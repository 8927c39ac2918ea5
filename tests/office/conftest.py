"""One home of an office for all tests of a process."""

from pathlib import Path

import pytest

from tests.office.both import home_made_once


@pytest.fixture(scope="session")
def home() -> tuple[Path, int]:
    """Where it is, and the port its accounts speak to."""
    return home_made_once()
