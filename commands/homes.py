"""A home on disk: its settings, whether it was initialised, and its ledger alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from commands.lines import BadInput
from config.clock import use_clock_file
from config.settings import Settings
from ledger.append import Ledger
from office.keys import open_ledger
from storage.database import Database, sqlite_file


def settings_for(home: Path | None) -> Settings:
    """Settings of this process, with `--home` before the environment."""
    return Settings(home=home) if home else Settings()


def must_exist(settings: Settings) -> None:
    """BadInput when the home was never initialised."""
    path = sqlite_file(settings.database_url)
    # Opening would make an empty database in a folder that was only mistyped.
    if path is not None and not path.exists():
        raise BadInput(f"{settings.home} 还没有初始化：请先运行 shenfa init --from setup.yaml")


@asynccontextmanager
async def ledger_of(home: Path | None) -> AsyncIterator[Ledger]:
    """The ledger alone: it can be read and exported even when it is broken."""
    settings = settings_for(home)
    must_exist(settings)
    use_clock_file(settings.dev_clock_file)
    db = Database(settings.database_url)
    try:
        yield open_ledger(settings, db)
    finally:
        await db.close()
