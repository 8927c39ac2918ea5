"""The clock goes through the table of jobs, and stops with the office."""

import asyncio

from office.jobs import Job, running


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
        await asyncio.wait_for(often.wait(), 5)
        assert "sweep" not in done
        await engine.ask("sweep")
        await asyncio.wait_for(asked.wait(), 5)
    seen = list(done)
    await asyncio.sleep(0.1)
    assert done == seen
