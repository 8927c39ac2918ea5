"""An opened office, and the person who asks it for something."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import select

from app import Shenfa, open_shenfa
from commands.homes import must_exist, settings_for
from commands.lines import BadInput
from staff.models import Staff


@asynccontextmanager
async def office(home: Path | None) -> AsyncIterator[Shenfa]:
    """An opened, initialised home; BadInput when there is none."""
    settings = settings_for(home)
    must_exist(settings)
    async with open_shenfa(settings) as opened:
        yield opened


async def staff_id_of(opened: Shenfa, login: str) -> str:
    """The person behind `--by`; BadInput when there is none."""
    async with opened.db.session() as session:
        query = select(Staff.id).where(Staff.login == login, Staff.active.is_(True))
        person = (await session.scalars(query)).first()
    if person is None:
        raise BadInput(f"没有登录名为 {login} 的人员：请用 --by 给出提出人的登录名")
    return person
