"""An office killed while it answers, looked at, and stopped as it should be."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.office.serving import serving
from tests.waiting import until

pytestmark = pytest.mark.servers


async def test_who_was_acknowledged_is_answered_once_though_the_office_was_killed(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path / "office", citizens=3) as office:
        assert (await office.doctor())["任务引擎"] == ("ok", "审发没有在运行")
        await office.serve()
        before = await office.told()
        for citizen in office.citizens:
            assert await office.says(citizen, "高校毕业生就业补贴怎么申领")
        await office.end()  # directly after the last 200
        await office.serve()

        async def all_answered() -> bool:
            now = await office.told()
            return all(now[one] > before[one] for one in office.citizens)

        await until(all_answered, 90)  # two leases: who is killed says no goodbye
        await asyncio.sleep(6)  # another look for what is left
        after = await office.told()
        told_once = dict.fromkeys(office.citizens, 1)
        assert {one: after[one] - before[one] for one in office.citizens} == told_once
        assert await office.ready() == (200, {})
        state, words = (await office.doctor())["任务引擎"]
        assert (state, words.endswith("秒前有动静")) == ("ok", True)
        told = await office.doctor()
        assert told["进程"] == ("ok", "一体进程 1 个")
        assert told["定时任务"][0] == "ok"
        assert await office.end(how=signal.SIGTERM) == 0
        assert (await office.doctor())["任务引擎"] == ("ok", "审发没有在运行")
