"""A home on disk: its settings, whether it was initialised, and its ledger alone."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import ValidationError

from commands.lines import BadInput
from config.clock import use_clock_file
from config.settings import Settings
from ledger.append import Ledger
from office.keys import open_ledger
from storage.database import Database, sqlite_file


def settings_for(home: Path | None) -> Settings:
    """Settings of this process, with `--home` before the environment; BadInput with every fault."""
    try:
        return Settings(home=home) if home else Settings()
    except ValidationError as error:
        raise BadInput("；".join(_lines_of(error))) from None


def _lines_of(error: ValidationError) -> Iterator[str]:
    """What is wrong with which variable; never its value, which may hold a password."""
    for fault in error.errors(include_input=False, include_url=False):
        if fault["loc"]:
            yield f"SHENFA_{str(fault['loc'][0]).upper()}：填得不对（{fault['msg']}）"
        else:
            yield fault["msg"].removeprefix("Value error, ")


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
