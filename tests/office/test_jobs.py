"""The clock goes through the table of jobs, and stops with the office."""

import asyncio
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from app import open_shenfa
from config.clock import now
from config.settings import Settings
from config.setup import Setup, StaffSetup
from console.items.models import WorkingCopy
from office.jobs import Job, jobs_of
from office.running import running
from office.setup import initialise


async def test_each_job_is_done_again_and_again_until_the_end() -> None:
    done: list[str] = []
    often, asked = asyncio.Event(), asyncio.Event()

    async def publish() -> None:
        done.append("publish")
        if done.count("publish") == 3:
            often.set()

    async def sweep() -> None:
        done.append("sweep")
        asked.set()

    jobs = (Job("publish", 0.02, publish, "often"), Job("sweep", 60, sweep, "seldom"))
    async with running(jobs, "") as engine:
        await asyncio.wait_for(often.wait(), 60)
        assert "sweep" not in done
        await engine.ask("sweep")
        await asyncio.wait_for(asked.wait(), 60)
    seen = list(done)
    await asyncio.sleep(0.1)
    assert done == seen


async def test_the_office_removes_words_that_were_typed_and_never_saved(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    people = [
        StaffSetup(login=login, name=login, roles=["admin"], password="a-long-password")
        for login in ("admin1", "admin2")
    ]
    await initialise(settings, Setup(organisation="青禾县", staff=people))
    async with open_shenfa(settings) as shenfa:
        (job,) = [one for one in jobs_of(shenfa) if one.name == "copies"]
        assert job.every <= timedelta(days=1).total_seconds()
        async with shenfa.db.session() as session:
            for place, days in (("old", 31), ("new", 29)):
                at = now() - timedelta(days=days)
                session.add(WorkingCopy(staff_id="somebody", place=place, fields="x", at=at))
        await job.run()
        async with shenfa.db.session() as session:
            assert (await session.scalars(select(WorkingCopy.place))).all() == ["new"]
