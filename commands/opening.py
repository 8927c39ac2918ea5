"""An opened office."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app import Shenfa, open_shenfa
from commands.homes import must_exist, settings_for


@asynccontextmanager
async def office(home: Path | None) -> AsyncIterator[Shenfa]:
    """An opened, initialised home; BadInput when there is none."""
    settings = settings_for(home)
    must_exist(settings)
    async with open_shenfa(settings) as opened:
        yield opened
